"""Ocean/atmosphere column model: module of constants, tables read from text by np.loadtxt/genfromtxt (StringIO), datetimes, string units, masked input turned to NaN, nan-functions, saturation adjustment by Newton, mixing by LAPACK-like banded storage, float32 storage with float64 accumulators, memory views of one big state vector, netCDF-like dicts."""
import io
import numpy as np
import numpy.ma as ma
from numpy.testing import assert_, assert_equal
CP, RD, LV, G, P0 = 1004.64, 287.04, 2.5104e6, 9.80665, 1e5
SOUNDING = io.StringIO("# p   T   q\n1000 298 .016\n 900 292 .012\n 800 286 -999\n 700 279 .005\n 500 262 .002\n")
p, T0, q0 = np.loadtxt(SOUNDING, unpack=True); q0 = ma.masked_less(q0, 0).filled(np.nan); p *= 100
DTYPE = np.dtype([("T", "f8"), ("q", "f8"), ("p", "f8")])
REC = np.empty(5, DTYPE); REC["T"], REC["q"], REC["p"] = T0, q0, p
STEP = 1e-4
X = np.array([1., .9, .05, 2.])
def esat(T): return 611.2*np.exp(17.67*(T - 273.15)/(T - 29.65))
def qsat(T, p): e = esat(T); return .622*e/(p - .378*e)
def adjust(T, q, p):
    T, q = T.copy(), q.copy()
    for k in range(8):
        excess = q - qsat(T, p)
        sat = excess > 0
        if not sat.any(): break
        dqdT = (qsat(T + .01, p) - qsat(T - .01, p))/.02
        dq = np.where(sat, excess/(1 + LV/CP*dqdT), 0.)
        q -= dq; T += LV/CP*dq
        if np.nanmax(np.abs(dq)) < 1e-12: break
    return T, q
def banded_solve(ab, rhs):
    ab, x = ab.copy(), rhs.copy(); n = x.shape[0]
    for k in range(n - 1): m = ab[2, k]/ab[1, k]; ab[1, k + 1] -= m*ab[0, k + 1]; x[k + 1] -= m*x[k]
    x[-1] /= ab[1, -1]
    for k in range(n - 2, -1, -1): x[k] = (x[k] - ab[0, k + 1]*x[k + 1])/ab[1, k]
    return x
class Column(object):
    def __init__(self, n):
        self.state = np.zeros(2*n); self.T, self.q = self.state.reshape(2, -1); self.attrs = dict(units={"T": "K"}, history=[]); self.vars = {"T": self.T, "q": self.q}
    def __getattr__(self, name):
        if name.startswith("d_"): return np.gradient(self.vars[name[2:]], p)
        raise AttributeError(name)
    def __setitem__(self, k, v): self.vars[k][:] = v; self.attrs["history"].append(k)
    def __getitem__(self, k): return self.vars[k]
    def mix(self, K):
        n = len(p); r = K*np.ones(n - 1); ab = np.zeros((3, n)); ab[0, 1:] = ab[2, :-1] = -r; ab[1] = 1.; ab[1, :-1] += r; ab[1, 1:] += r
        self.state[:] = banded_solve(ab, self.state.reshape(2, n).T).T.ravel()
def cape(T, q, p):
    th = T[0]*(P0/p[0])**(RD/CP); par = th*(p/P0)**(RD/CP); lift = par + np.maximum(0, q[0] - qsat(par, p))*LV/CP*.4; buoy = G*(lift - T)/T; dz = -np.diff(p)/(p[:-1]*G)*RD*T[:-1]
    b = .5*(buoy[1:] + buoy[:-1]); return np.sum(np.where(b > 0, b, 0)*dz)
def main(x):
    col = Column(5); col["T"] = REC["T"] + 3*x[0]; q = REC["q"]*x[1]; q[np.isnan(q)] = np.interp(np.flatnonzero(np.isnan(q)), np.flatnonzero(~np.isnan(q)), q[~np.isnan(q)]); col["q"] = q*1.1
    t0 = np.datetime64("2001-01-01"); log = []
    for step in range(5):
        col["T"] -= 0; col.T[:] -= x[3]*.05*np.linspace(1, .2, 5); col.mix(x[2]); col.T[:], col.q[:] = adjust(col.T, col.q, p)
        when = t0 + np.timedelta64(step, "h"); log.append((str(when), col.T.mean())); s32 = col.state.astype(np.float32)
    assert_equal(len(col.attrs["history"]) > 5, True); assert_(col.vars["T"] is col["T"])
    msc = (CP*col.T + LV*col.q + RD*col.T*np.log(P0/p)); mixed = np.nansum(np.where(np.arange(5) % 2, np.nan, msc))/np.count_nonzero(~np.isnan(msc)); med = np.nanmedian(np.append(col.q, np.nan)); cold = np.nanargmin(np.r_[np.nan, col.T])
    print(log[-1][0], "%.3f K" % log[-1][1], s32.dtype, cold, np.array2string(col.q*1e3, precision=3, separator=","), [n for n in REC.dtype.names])
    return col.state, col.d_T, cape(col.T, col.q, p), mixed, med, np.array([v for _, v in log])
