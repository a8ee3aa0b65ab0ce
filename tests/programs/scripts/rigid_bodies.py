"""Rigid bodies with classes for quaternions and vectors, operators on both sides, __array_priority__, matrices of objects (intervals, polynomials), uncertainties by first order, total ordering."""
import numpy as np
import operator, functools
class Vec(object):
    __array_priority__ = 1000
    __slots__ = ("v",)
    def __init__(self, *c): self.v = np.array(c if len(c) > 1 else c[0], dtype=float)
    x = property(lambda s: s.v[0]); y = property(lambda s: s.v[1]); z = property(lambda s: s.v[2])
    def __add__(s, o): return Vec(s.v + getattr(o, "v", o))
    __radd__ = __add__
    def __sub__(s, o): return Vec(s.v - o.v)
    def __mul__(s, o): return s.v.dot(o.v) if isinstance(o, Vec) else Vec(s.v*o)
    def __rmul__(s, k): return Vec(k*s.v)
    def __truediv__(s, k): return Vec(s.v/k)
    def __xor__(s, o): return Vec(np.cross(s.v, o.v))
    def __neg__(s): return Vec(-s.v)
    def __abs__(s): return np.sqrt(s*s)
    def __iter__(s): return iter(s.v)
    def __len__(s): return 3
    def __getitem__(s, i): return s.v[i]
class Quat:
    def __init__(s, w, v): s.w, s.v = w, v
    @classmethod
    def rot(cls, axis, angle): return cls(np.cos(angle/2), axis/abs(axis)*np.sin(angle/2))
    def __mul__(s, o): return Quat(s.w*o.w - s.v*o.v, s.w*o.v + o.w*s.v + (s.v ^ o.v))
    def conj(s): return Quat(s.w, -s.v)
    def __call__(s, u): return (s*Quat(0., u)*s.conj()).v
    def __pow__(s, t):
        a = np.arccos(s.w); return Quat(np.cos(a*t), s.v/np.sin(a)*np.sin(a*t))
    @property
    def matrix(s): return np.array([list(s(e)) for e in map(Vec, np.eye(3))]).T
@functools.total_ordering
class Interval:
    def __init__(s, lo, hi=None): s.lo, s.hi = lo, lo if hi is None else hi
    def __add__(s, o): o = as_interval(o); return Interval(s.lo + o.lo, s.hi + o.hi)
    __radd__ = __add__
    def __neg__(s): return Interval(-s.hi, -s.lo)
    def __sub__(s, o): return s + -as_interval(o)
    def __rsub__(s, o): return as_interval(o) + -s
    def __mul__(s, o):
        o = as_interval(o); p = [s.lo*o.lo, s.lo*o.hi, s.hi*o.lo, s.hi*o.hi]; return Interval(min(p), max(p))
    __rmul__ = __mul__
    def __eq__(s, o): return s.lo == as_interval(o).lo
    def __lt__(s, o): return s.hi < as_interval(o).hi
    __hash__ = None
    def __repr__(s): return f"[{s.lo:.3f}, {s.hi:.3f}]"
def as_interval(o): return o if isinstance(o, Interval) else Interval(o)
class Measured:
    def __init__(s, value, grad): s.value, s.grad = value, grad
    def lift(f, df): return lambda s: Measured(f(s.value), df(s.value)*s.grad)
    sin = lift(np.sin, np.cos); exp = lift(np.exp, np.exp)
    def __mul__(s, o): return Measured(s.value*o.value, s.value*o.grad + o.value*s.grad)
    def __add__(s, o): return Measured(s.value + o.value, s.grad + o.grad)
    def sigma(s, C): return np.sqrt(s.grad @ C @ s.grad)
X = np.array([.4, .8, -.3, 1.1])
def main(x):
    axis = Vec(x[0], x[1], 1.); q = Quat.rot(axis, x[3]); r = Quat.rot(Vec(0, 0, 1), x[2])
    R = (q*r).matrix; np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-14)
    L, w, I = Vec(x[0], 1, x[1]), q, np.diag([1., 2., 3.]); tr = []
    for k in range(6):
        om = Vec(np.linalg.solve(w.matrix @ I @ w.matrix.T, L.v)); w = Quat.rot(om, .1*abs(om))*w; tr.append(om.v)
    half = q**.5; p = 2.*Vec(1, x[2], 0) + np.array([0, 0, x[3]])
    M = np.array([[Interval(x[0], x[0] + .1), Interval(x[1])], [Interval(x[2], x[2]*.5), Interval(1., x[3])]], dtype=object); v = np.array([Interval(-1., x[0]), 2*x[3]*Interval(.5, 1.)], dtype=object)
    prod = M.dot(v); widest = max(prod); total = functools.reduce(operator.add, prod); S = M + M.T
    a, b = Measured(x[0], np.array([1., 0])), Measured(x[1], np.array([0, 1.])); f = np.sin(np.array([a, b], dtype=object))[0]*b + (a*b).exp()
    P = np.array([np.poly1d([1., x[0]]), np.poly1d([x[1], 0., 2.])], dtype=object); pp = P.sum()*P[0]
    E = np.empty((2, 2), dtype=object); E[:] = [[x[0], x[1]], [2, x[3]]]; D = np.asarray(E.dot(E), dtype=float)
    print(prod, widest, "%.4f +- %.4f" % (f.value, f.sigma(np.diag([.1, .2]))), *("%.3f" % c for c in p))
    return R, np.array(tr), half(Vec(1, 0, 0)).v, p.v, total.lo, total.hi, S[0, 1].hi, f.value, f.sigma(np.diag([.1, x[3]])), pp.coeffs, D
