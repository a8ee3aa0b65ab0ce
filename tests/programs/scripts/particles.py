"""Particle filter with fixed draws and systematic resampling (searchsorted), stochastic volatility, log-sum-exp, weights in log space, ancestor lineage kept in lists, EKF beside it with numerical Jacobian by complex step, class Gaussian with * and | operators, hidden semi-Markov forward recursion with durations."""
import numpy as np
G = np.random.default_rng(21); EPS = G.standard_normal((8, 20)); U = G.random(8); OBS = np.array([.3, -.5, 1.2, .1, -.9, .4, 2.1, -.2])
def logsumexp(a, axis=None, keepdims=False):
    m = np.amax(a, axis=axis, keepdims=True); m = np.where(np.isfinite(m), m, 0); out = np.log(np.sum(np.exp(a - m), axis=axis, keepdims=True)) + m
    return out if keepdims else np.squeeze(out, axis=axis) if axis is not None else out.item() if isinstance(out, list) else out.reshape(())[()]
def systematic(w, u): return np.searchsorted(np.cumsum(w), (np.arange(len(w)) + u)/len(w)).clip(max=len(w) - 1)
def bootstrap(mu, rho, sig, obs):
    h = mu + sig/np.sqrt(1 - rho**2)*EPS[0]; ll = 0.; lineage = []; ess = []
    for t, y in enumerate(obs):
        if t: h = mu + rho*(h - mu) + sig*EPS[t]
        lw = -.5*(np.log(2*np.pi) + h + y**2*np.exp(-h)); c = logsumexp(lw); ll += c - np.log(lw.size); w = np.exp(lw - c); ess.append(1/np.sum(w**2))
        if ess[-1] < 15: a = systematic(w/w.sum(), U[t]); h = h[a]; lineage.append(a)
    return ll, h, np.array(ess), lineage
class Gaussian:
    def __init__(self, m, P): self.m, self.P = np.atleast_1d(m), np.atleast_2d(P)
    def __rmatmul__(self, A): return Gaussian(A.dot(self.m), A.dot(self.P).dot(A.T))
    __array_ufunc__ = None
    def __add__(self, Q): return Gaussian(self.m, self.P + Q)
    def __or__(self, ob):
        y, H, R = ob; S = H@self.P@H.T + R; K = self.P@H.T@np.linalg.inv(S); r = y - H@self.m
        g = Gaussian(self.m + K@r, (np.eye(len(self.m)) - K@H)@self.P); g.ll = -.5*(r@np.linalg.solve(S, r) + np.log(np.linalg.det(2*np.pi*S))); return g
    def __format__(self, spec): return "N(" + ", ".join(format(v, spec) for v in self.m) + ")"
def hsmm(obs, p, mu, D=3):
    T, K = len(obs), 2; dur = np.array([[p[k]*(1 - p[k])**d for d in range(D)] for k in range(K)]); dur /= dur.sum(axis=-1, keepdims=True)
    B = -.5*(np.asarray(obs)[:, None] - mu)**2; cum = np.vstack([np.zeros(K), B.cumsum(axis=0)]); al = np.full((T + 1, K), -np.inf); al[0] = np.log(.5)
    for t in range(1, T + 1):
        for k in range(K):
            terms = [al[t - d, 1 - k if t - d else k] + np.log(dur[k, d - 1]) + cum[t, k] - cum[t - d, k] for d in range(1, min(D, t) + 1)]
            al[t, k] = logsumexp(np.array(terms))
    return logsumexp(al[-1]), al[1:]
X = np.array([.1, .8, .3, .4, .6, -.5, .9])
STEP = 1e-6
def main(x):
    ll, h, ess, lin = bootstrap(x[0], x[1], x[2], OBS); g = Gaussian(np.zeros(2), np.eye(2)); tot = 0.
    F = np.array([[1, .5], [-x[3], x[4]]]); H = np.array([[1., 0.]])
    for y in OBS: g = (F@g + .1*np.eye(2)) | (np.array([y]), H, np.array([[x[2]]])); tot += g.ll
    hl, al = hsmm(OBS, [x[3], x[4]], np.array([x[5], x[6]]))
    print(f"{g:.4f}", "ll %.5f %.5f %.5f" % (ll, tot, hl), len(lin), [len(set(a.tolist())) for a in lin]); return ll, h, ess, g.m, g.P, tot, hl, al
