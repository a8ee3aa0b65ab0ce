"""Whole scripts of many fields, each with its classes, buffers and constants; tests/test_idioms.py differentiates the functions."""
import math
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy import fromfunction, roll, zeros

try: import scipy.stats as st
except ImportError: st = None

def mc_heston(params, S0=100., K=100., T=0.5, r=0.02, nsteps=10, npaths=40, seed=42):
    kappa, theta, sigma, rho, v0 = params
    rng = np.random.default_rng(seed)
    dt = T / nsteps
    S = np.full(npaths, S0)
    v = np.full(npaths, v0)
    L = np.linalg.cholesky(np.array([[1.0, rho], [rho, 1.0]]))
    for t in range(nsteps):
        Z = rng.standard_normal((2, npaths))
        W = L @ Z
        vp = np.maximum(v, 0.0)
        S *= np.exp((r - 0.5 * vp) * dt + np.sqrt(vp * dt) * W[0])
        v += kappa * (theta - vp) * dt + sigma * np.sqrt(vp * dt) * W[1]
    payoff = np.where(S > K, S - K, 0.0)
    price, se = payoff.mean(), payoff.std(ddof=1) / np.sqrt(npaths)
    return np.exp(-r * T) * price, se

def heston(x):
    price, error = mc_heston([1.5, .04*x[0], .5*x[1], -x[2], .05*x[3]])
    return price, error

class Dual:
    def __init__(s, v, d=0.): s.v, s.d = v, d
    def __add__(s, o): o = o if isinstance(o, Dual) else Dual(o); return Dual(s.v + o.v, s.d + o.d)
    __radd__ = __add__
    def __mul__(s, o): o = o if isinstance(o, Dual) else Dual(o); return Dual(s.v * o.v, s.v * o.d + s.d * o.v)
    __rmul__ = __mul__
    def sin(s): return Dual(np.sin(s.v), s.d * np.cos(s.v))

def dual_numbers(x):
    """Differentiated by hand, in a class that NumPy's scalars know nothing of."""
    y = x[0]*Dual(x[1], 1.)*3*Dual(x[2], 1) + x[3]*Dual(x[0], 1.)
    made = x[:2]*Dual(x[4], 1.)
    z = y.sin(); return z.v, z.d, made[0].v, made[1].d

def pair_potential(a, b): return a*b**2 if a > b else a + b/a
TABULATE = np.frompyfunc(pair_potential, 2, 1)
def object_arrays(x):
    table = TABULATE.outer(x, x[:3]).astype(float); rows = np.empty(3, dtype=object)
    for i in range(3): rows[i] = x[i:]**2
    costs = np.array([x[0], x[1]*x[2], 3], dtype=object)
    return table @ table.T, np.concatenate(rows), (costs*2 + costs**2).astype(float), TABULATE(x, .6).astype(float).sum()

def option_desk(x):
    """Black and Scholes with the distributions of SciPy, volatility by Newton's method."""
    if st is None: return x
    S, K, r = 100*x[0], 90., .1*x[1]
    def call(vol): d1 = (np.log(S/K) + r + vol**2/2)/vol; return S*st.norm.cdf(d1) - K*np.exp(-r)*st.norm(loc=0, scale=1).cdf(d1 - vol)
    price, vol = call(.3*x[3]) + .5, .3
    for i in range(50):
        diff = call(vol) - price; vega = S*st.norm.pdf((np.log(S/K) + r + vol**2/2)/vol)
        if np.abs(diff) < 1e-13: break
        vol -= diff/vega
    return vol, st.gamma.logpdf(x, 1 + x[2], scale=x[4]).sum(), st.t.ppf(.2*x, 5.), st.expon.sf(x, scale=x[1])

nx, ny = 6, 5
v = np.array([[1,1],[1,0],[1,-1],[0,1],[0,0],[0,-1],[-1,1],[-1,0],[-1,-1]])
t = np.array([1/36, 1/9, 1/36, 1/9, 4/9, 1/9, 1/36, 1/9, 1/36])
col2, col3 = np.array([3, 4, 5]), np.array([6, 7, 8])
def macroscopic(fin):
    rho = np.sum(fin, axis=0)
    u = zeros((2, nx, ny))
    for i in range(9):
        u[0, :, :] += v[i, 0] * fin[i, :, :]
        u[1, :, :] += v[i, 1] * fin[i, :, :]
    u /= rho
    return rho, u

def equilibrium(rho, u):
    usqr = 3/2 * (u[0]**2 + u[1]**2)
    feq = zeros((9, nx, ny))
    for i in range(9):
        cu = 3 * (v[i, 0] * u[0, :, :] + v[i, 1] * u[1, :, :])
        feq[i, :, :] = rho * t[i] * (1 + cu + 0.5 * cu**2 - usqr)
    return feq

def obstacle_fun(x, y):
    return (x - 3)**2 + (y - 3)**2 < 1.5**2

obstacle = fromfunction(obstacle_fun, (nx, ny))

def inivel(d, x, y, ulb):
    return (1 - d) * ulb * (1 + 1e-2 * np.sin(y / (ny - 1) * 2 * np.pi))

def simulate(params, maxIter=4):
    ulb, omega = params
    vel = fromfunction(lambda d, x, y: inivel(d, x, y, ulb), (2, nx, ny))
    fin = equilibrium(1, vel)
    for time in range(maxIter):
        fin[col3, -1, :] = fin[col3, -2, :]
        rho, u = macroscopic(fin)
        u[:, 0, :] = vel[:, 0, :]
        rho[0, :] = 1 / (1 - u[0, 0, :]) * (np.sum(fin[col2, 0, :], axis=0) + 2 * np.sum(fin[col3, 0, :], axis=0))
        feq = equilibrium(rho, u)
        fin[[0, 1, 2], 0, :] = feq[[0, 1, 2], 0, :] + fin[[8, 7, 6], 0, :] - feq[[8, 7, 6], 0, :]
        fout = fin - omega * (fin - feq)
        for i in range(9):
            fout[i, obstacle] = fin[8 - i, obstacle]
        for i in range(9):
            fin[i, :, :] = roll(roll(fout[i, :, :], v[i, 0], axis=0), v[i, 1], axis=1)
        if (time % 3 == 0):
            print("step", time, "max speed", np.amax(np.sqrt(u[0]**2 + u[1]**2)))
    return np.sqrt(u[0]**2 + u[1]**2)

def lattice_boltzmann(x): return simulate((.05*x[0], 1 + x[1]))

class Grid2D:
    def __init__(self, nx, ny, dtype=np.float64):
        self.Ez = np.zeros((nx, ny), dtype=dtype); self.Hx = np.zeros((nx, ny - 1), dtype); self.Hy = np.zeros((nx - 1, ny), dtype)
        self.eps = np.ones((nx, ny), dtype)
        # views kept for speed
        self.inner = self.Ez[1:-1, 1:-1]
        self.left = self.Ez[0, :]; self.prev = np.zeros((2, ny), dtype)
    def step(self, n, c=0.5):
        self.Hx -= c * (self.Ez[:, 1:] - self.Ez[:, :-1])
        self.Hy += c * (self.Ez[1:, :] - self.Ez[:-1, :])
        self.inner += c / self.eps[1:-1, 1:-1] * ((self.Hy[1:, 1:-1] - self.Hy[:-1, 1:-1]) - (self.Hx[1:-1, 1:] - self.Hx[1:-1, :-1]))
        self.left[:] = self.prev[0] + (c - 1) / (c + 1) * (self.Ez[1] - self.left)
        self.prev[0], self.prev[1] = self.Ez[1], self.prev[0].copy()

def run(eps_r, nt=10, dtype=np.float64):
    g = Grid2D(10, 9, dtype)
    g.eps[5:8, 3:6] = eps_r
    rec = np.zeros((nt, 2), dtype=dtype)
    for n in range(nt):
        g.step(n)
        g.Ez[2, 4] += np.exp(-((n - 5.0) / 2) ** 2)
        rec[n] = g.Ez[8, 4], g.Ez[3, 2]
    return rec

YEE = Grid2D(8, 7)
def fdtd(x):
    """A grid made anew, and one that the module made before, whose views and rows are kept."""
    for a in (YEE.Ez, YEE.Hx, YEE.Hy, YEE.prev): a[:] = 0
    YEE.eps[:] = 1; YEE.eps[3:6, 2:5] = 2 + x[0]
    for n in range(8): YEE.step(n); YEE.Ez[2, 3] += np.sin(.5*n*x[1])
    return run(2 + x[2]), (YEE.Ez**2).sum()

class Grid:
    registry = {}
    def __init__(self, n):
        self.n = n; self.h = 1.0 / (n - 1)
        self.u = np.zeros((n, n)); self.f = np.zeros((n, n)); self.r = np.zeros((n, n))
        Grid.registry[n] = self
    def smooth(self, sweeps=1):
        u, f, h2 = self.u, self.f, self.h ** 2
        for _ in range(sweeps):
            for color in (0, 1):
                for i in range(1, self.n - 1):
                    s = 1 + (i + color) % 2
                    u[i, s:-1:2] = 0.25 * (u[i - 1, s:-1:2] + u[i + 1, s:-1:2] + u[i, s - 1:-2:2] + u[i, s + 1::2][:len(u[i, s:-1:2])] - h2 * f[i, s:-1:2])
    def residual(self):
        u, h2 = self.u, self.h ** 2
        self.r[1:-1, 1:-1] = self.f[1:-1, 1:-1] - (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1]) / h2
        return self.r

def restrict(fine, coarse):
    coarse[1:-1, 1:-1] = 0.25 * fine[2:-2:2, 2:-2:2]
    for di, dj, w in [(-1, 0, .125), (1, 0, .125), (0, -1, .125), (0, 1, .125), (-1, -1, .0625), (-1, 1, .0625), (1, -1, .0625), (1, 1, .0625)]:
        coarse[1:-1, 1:-1] += w * fine[2 + di:fine.shape[0] - 2 + di:2, 2 + dj:fine.shape[1] - 2 + dj:2]

def prolong(coarse):
    n = 2 * coarse.shape[0] - 1
    fine = np.zeros((n, n))
    fine[::2, ::2] = coarse
    fine[1::2, ::2] = 0.5 * (coarse[:-1] + coarse[1:])
    fine[:, 1::2] = 0.5 * (fine[:, :-1:2] + fine[:, 2::2])
    return fine

def vcycle(g):
    if g.n <= 3:
        g.u[1, 1] = -0.25 * g.h ** 2 * g.f[1, 1]
        return
    g.smooth(2)
    c = Grid.registry.get((g.n + 1) // 2) or Grid((g.n + 1) // 2)
    c.u.fill(0); c.f.fill(0)
    restrict(g.residual(), c.f)
    vcycle(c)
    g.u += prolong(c.u)
    g.smooth(2)

def multigrid(x):
    g = Grid(9); X, Y = np.meshgrid(np.linspace(0, 1, 9), np.linspace(0, 1, 9), indexing="ij")
    g.f[:] = x[0]*np.sin(np.pi*X)*Y + x[1]*X**2; g.u[0, :] = x[2]; g.u[-1, :] = x[2]**2; norms = []
    for k in range(2):
        vcycle(g); norms.append(np.abs(g.residual()).max()); print("cycle %d residual %g" % (k, norms[-1]))
    return g.u[3:6].copy(), norms

C = np.array([0, 1/5, 3/10, 4/5, 8/9, 1, 1])

A = [[], [1/5], [3/40, 9/40], [44/45, -56/15, 32/9],
     [19372/6561, -25360/2187, 64448/6561, -212/729],
     [9017/3168, -355/33, 46732/5247, 49/176, -5103/18656],
     [35/384, 0, 500/1113, 125/192, -2187/6784, 11/84]]

B = np.array([35/384, 0, 500/1113, 125/192, -2187/6784, 11/84, 0])

BS = np.array([5179/57600, 0, 7571/16695, 393/640, -92097/339200, 187/2100, 1/40])

class Stats(object):
    naccept = 0
    nreject = 0

def dopri(f, y0, t0, t1, h=0.1, rtol=1e-6, atol=1e-8, dense=None):
    t, y = t0, np.array(y0, dtype=float)
    K = np.zeros((7, y.size))
    out_t, out_y = [t], [y.copy()]
    while t < t1:
        h = min(h, t1 - t)
        for i in range(7):
            yi = y.copy()
            for j in range(i):
                yi += h * A[i][j] * K[j]
            K[i, :] = f(t + C[i] * h, yi)
        y5 = y + h * B.dot(K)
        y4 = y + h * (BS @ K)
        sc = atol + rtol * np.maximum(np.abs(y), np.abs(y5))
        err = np.sqrt(np.mean(((y5 - y4) / sc) ** 2))
        if err <= 1.0:
            t += h
            y = y5
            out_t.append(t); out_y.append(y.copy())
            Stats.naccept += 1
        else:
            Stats.nreject += 1
        fac = 0.9 * max(err, 1e-10) ** -0.2
        h *= min(5.0, max(0.2, fac))
    return np.array(out_t), np.array(out_y)

def lv(t, y, a, b, c, d):
    return [a * y[0] - b * y[0] * y[1], -c * y[1] + d * y[0] * y[1]]

def dormand_prince(x):
    ts, ys = dopri(partial(lv, a=1.5*x[0], b=x[1], c=3*x[2], d=x[3]), [1., x[4]], 0., .9, rtol=1e-4)
    return ys[-1]

class Node:
    __slots__ = ("center", "size", "mass", "com", "children", "body")
    def __init__(self, center, size): self.center, self.size = center, size; self.mass = 0.0; self.com = np.zeros(2); self.children = None; self.body = None
    def insert(self, p, m, depth=0):
        if self.mass == 0.0 and self.children is None and self.body is None: self.body = (p, m)
        else:
            if self.children is None:
                self.children = {}
                q, mq = self.body; self.body = None; self._down(q, mq, depth)
            self._down(p, m, depth)
        self.com = (self.com * self.mass + m * p) / (self.mass + m); self.mass += m
    def _down(self, p, m, depth):
        k = (p[0] > self.center[0], p[1] > self.center[1])
        if k not in self.children:
            off = np.array([0.25 if k[0] else -0.25, 0.25 if k[1] else -0.25]) * self.size
            self.children[k] = Node(self.center + off, self.size / 2)
        self.children[k].insert(p, m, depth + 1)
    def force(self, p, theta=0.5):
        d = self.com - p; r2 = d.dot(d)
        if self.body is not None or self.size ** 2 < theta ** 2 * r2:
            return np.zeros(2) if r2 < 1e-12 else self.mass * d / (r2 + 0.01) ** 1.5
        return sum((c.force(p, theta) for c in (self.children or {}).values()), np.zeros(2))

class Galaxy:
    def __init__(self, xy, m): self._xy = xy; self.m = m
    @property
    def xy(self): return self._xy
    @xy.setter
    def xy(self, v): assert v.shape == self._xy.shape; self._xy = v
    @classmethod
    def ring(cls, n, r): t = 2 * np.pi * np.arange(n) / n + .1; return cls(r * np.c_[np.cos(t), np.sin(t)], np.ones(n) / n)
    @staticmethod
    def kinetic(v): return .5 * (v ** 2).sum()
    def forces(self):
        root = Node(np.zeros(2), 4.0)
        for p, m in zip(self.xy, self.m): root.insert(p, m)
        return np.array([root.force(p) for p in self.xy])
    def __len__(self): return len(self.m)

def barnes_hut(x):
    g = Galaxy.ring(5, 1 + .1*x[0]); v = np.zeros((len(g), 2)); g.m = g.m*x[1]
    for _ in range(2): v += .1*g.forces(); g.xy = g.xy + .1*v
    return g.xy, Galaxy.kinetic(v)

def tdma(a, b, c, d):
    n = len(d); cp, dp = np.empty(n), np.empty(n)
    cp[0], dp[0] = c[0] / b[0], d[0] / b[0]
    for i in range(1, n):
        den = b[i] - a[i] * cp[i - 1]
        cp[i] = c[i] / den if i < n - 1 else 0
        dp[i] = (d[i] - a[i] * dp[i - 1]) / den
    x = dp
    for i in range(n - 2, -1, -1): x[i] -= cp[i] * x[i + 1]
    return x

def adi(D, n=7, nt=3, dt=0.01):
    h = 1 / (n + 1); u = np.zeros((n + 2, n + 2)); u[1:-1, 1:-1] = 1.
    u[0] = 0.5; u[:, -1] = -0.2
    for _ in range(nt):
        half = u.copy()
        for axis, src, dst in ((0, u, half), (1, half, u)):
            s = src if axis == 0 else src.T; t = dst if axis == 0 else dst.T
            r = D[axis] * dt / (2 * h * h)
            rx = D[1 - axis] * dt / (2 * h * h)
            for j in range(1, n + 1):
                rhs = s[1:-1, j] + rx * (s[1:-1, j - 1] - 2 * s[1:-1, j] + s[1:-1, j + 1])
                rhs[0] += r * s[0, j]; rhs[-1] += r * s[-1, j]
                t[1:-1, j] = tdma(np.full(n, -r), np.full(n, 1 + 2 * r), np.full(n, -r), rhs)
    return u

def alternating_directions(x): return adi(x[:2], n=5)

@dataclass
class KF:
    F: np.ndarray
    H: np.ndarray
    Q: np.ndarray
    R: np.ndarray
    x: np.ndarray
    P: np.ndarray
    loglik: float = 0.0
    innovations: list = field(default_factory=list)

    def predict(self):
        self.x = np.dot(self.F, self.x)
        self.P = self.F.dot(self.P).dot(self.F.T) + self.Q
    def update(self, z):
        y = z - self.H @ self.x
        S = self.H @ self.P @ self.H.T + self.R
        K = np.linalg.solve(S.T, (self.P @ self.H.T).T).T
        self.x += K @ y
        I = np.eye(len(self.x))
        self.P = (I - K @ self.H) @ self.P
        self.P = 0.5 * (self.P + self.P.T)
        sign, logdet = np.linalg.slogdet(S)
        if sign <= 0:
            raise np.linalg.LinAlgError("S not positive")
        self.loglik += -0.5 * (y @ np.linalg.inv(S) @ y + logdet + len(y) * np.log(2 * np.pi))
        self.innovations.append(y)

def kalman_smoother(x):
    F = np.array([[1, 1.], [0, 1]]); G = np.array([[.5], [1.]]); gains = dict()
    kf = KF(F=F, H=np.array([[1, 0]]), Q=x[0]*(G @ G.T), R=np.array([[x[1]]]), x=np.zeros(2), P=x[2]*np.eye(2))
    for i, z in enumerate(np.sin(np.arange(6.))[:, None]):
        Pf = kf.P.copy(); kf.predict(); gains[i] = Pf @ kf.F.T @ np.linalg.inv(kf.P); kf.update(z)
    return kf.loglik, np.asarray(kf.innovations).ravel(), np.stack([gains[k] for k in sorted(gains, reverse=True)])
