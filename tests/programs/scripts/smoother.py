"""RTS smoother in square-root form: Cholesky rank-1 updates and downdates by hand, an AR(2) plus noise."""
import numpy as np
from collections import namedtuple
State = namedtuple("State", "m L")
X = np.array([0.5, 0.2, 0.3, 0.4])
OBS = np.sin(np.arange(12)*.7) + .1*np.cos(3*np.arange(12.))
OBS[4] = np.nan
def cholupdate(L, x, sign=+1):
    L = L.copy(); x = x.copy(); n = x.size
    for k in range(n):
        r = np.sqrt(L[k, k]**2 + sign*x[k]**2)
        c, s = r/L[k, k], x[k]/L[k, k]
        L[k, k] = r
        if k < n - 1:
            L[k + 1:, k] += sign*s*x[k + 1:]; L[k + 1:, k] /= c
            x[k + 1:] *= c; x[k + 1:] -= s*L[k + 1:, k]
    return L
def tria(A):
    R = np.linalg.qr(A.T, mode="r")
    L = R.T
    return L*np.sign(np.diag(L))
def backward_sub(L, b):
    n = len(b); y = np.zeros_like(b)
    for i in range(n): y[i] = (b[i] - L[i, :i] @ y[:i])/L[i, i]
    z = np.zeros_like(b)
    for i in reversed(range(n)): z[i] = (y[i] - L[i + 1:, i] @ z[i + 1:])/L[i, i]
    return z
def main(x):
    a1, a2, q, r = x
    F = np.array([[a1, a2], [1., 0.]]); G = np.array([[q], [0.]])
    s = State(np.zeros(2), np.eye(2)); filt, pred = [], []; ll = 0.0
    for t, y in enumerate(OBS):
        mp, Lp = F.dot(s.m), tria(np.hstack([F.dot(s.L), G, 1e-2*np.eye(2)]))
        pred.append(State(mp, Lp))
        if np.isnan(y):
            s = s._replace(m=mp, L=Lp); filt.append(s); continue
        h = Lp[0]                     # C L
        S = h.dot(h) + r**2
        K = Lp.dot(h)/S
        ll -= .5*((y - mp[0])**2/S + np.log(2*np.pi*S))
        # P+ = P - K S K'
        s = State(mp + K*(y - mp[0]), cholupdate(Lp, K*np.sqrt(S), sign=-1))
        filt.append(s)
    sm = [filt[-1].m]; Ps = filt[-1].L @ filt[-1].L.T; Vs = [Ps]
    for f, p in zip(filt[-2::-1], pred[:0:-1]):
        Pf, Pp = f.L @ f.L.T, p.L @ p.L.T
        C = np.column_stack([backward_sub(p.L, col) for col in (F @ Pf).T]).T
        sm.insert(0, f.m + C @ (sm[0] - p.m))
        Ps = Pf + C @ (Ps - Pp) @ C.T
        Vs.insert(0, Ps)
    sd = np.sqrt(np.array(Vs)[:, 0, 0])
    print("loglik {:.8f}; smallest sd {:.4g} at {}".format(ll, sd.min(), sd.argmin()))
    return ll, np.array(sm), sd
