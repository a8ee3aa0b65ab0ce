"""Control flow by Python: coroutines that send, closures with nonlocal, exceptions that carry values, star-unpacking, chained comparisons, walrus, match, any/all/min/max/sorted/zip/reversed of arrays, iter with sentinel, try/finally, errstate raise, Cholesky with jitter, fromiter, accumulate, ExitStack, ChainMap, __missing__, descriptors, metaclasses."""
import collections, contextlib, copy, functools, itertools as it, math, operator, pickle, warnings
import numpy as np
X = np.array([.9, 2.2, -.7, 1.6, .4])
class Converged(Exception): pass
class Unit:
    def __init__(self, factor): self.factor = factor
    def __set_name__(self, owner, name): self.name = "_" + name
    def __get__(self, o, t=None): return self if o is None else getattr(o, self.name)*self.factor
    def __set__(self, o, v): setattr(o, self.name, v/self.factor)
class Meta(type):
    kinds = []
    def __new__(m, n, b, d): c = super().__new__(m, n, b, d); m.kinds.append(n); return c
class Body(metaclass=Meta):
    km, mass = Unit(1e3), Unit(2.)
    def __init__(self, km, mass): self.km, self.mass = km, mass
class Memo(dict):
    def __init__(self, f): self.f = f
    def __missing__(self, k): v = self[k] = self.f(self, k); return v
def averager():
    total = 0.; n = 0; avg = None
    while True:
        try: v = yield avg
        except ValueError as e: total += e.args[0]; n += 1; v = None
        if v is not None: total += v; n += 1
        avg = total/n if n else None
def make_counter(step):
    value = 0.
    def inc(k=1):
        nonlocal value
        value += k*step
        return value
    return inc
def fixed_point(f, x0, tol=1e-12):
    def loop(x, n=0):
        y = f(x)
        if abs(y - x) < tol or n > 60: raise Converged(y, n)
        return loop(y, n + 1)
    try: loop(x0)
    except Converged as c: return c.args
def robust_chol(A):
    jitter = 0.
    while True:
        try: return np.linalg.cholesky(A + jitter*np.eye(len(A))), jitter
        except np.linalg.LinAlgError: jitter = 10*jitter or 1e-3
def describe(v):
    match v:
        case [a, b]: return a*b
        case {"k": k, **rest}: return k + sum(rest.values())
        case np.ndarray() if v.ndim == 1: return v[0] - v[-1]
        case float(f): return f*f
        case _: return None
def main(x):
    first, *mid, last = x; (a, b), (c, d) = x[:4].reshape(2, 2); lo, hi = min(x), max(x, key=abs); p = list(zip(*[iter(x[:4])]*2)); srt = sorted(x, key=lambda v: (v < 0, -v)); rv = [*reversed(x)]
    g = averager(); next(g); av = [g.send(v) for v in x if 0 < v < 2]; av.append(g.throw(ValueError(x[2]))); g.close(); inc = make_counter(x[0]); [inc() for _ in range(3)]; cnt = inc(k=x[4])
    root, n = fixed_point(lambda t: np.cos(t)*x[0], .5); L, jit = robust_chol(np.array([[1., x[0]*1.2], [x[0]*1.2, 1.]])); fib = Memo(lambda m, k: x[0] if k < 2 else m[k - 1] + x[4]*m[k - 2])[8]
    try:
        with np.errstate(all="raise"): bad = np.log(x)
    except FloatingPointError: bad = np.log(np.abs(x))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try: ratio = x/(x - x[1])
        except RuntimeWarning: ratio = x/(x - x[1] + 1)
    acc = list(it.accumulate(x, lambda s, v: s*.5 + v)); mx = list(it.accumulate(x, max)); fr = np.fromiter((v*v for v in x if v > 0), dtype=float); mp = np.array(list(map(operator.mul, x, x[1:]))); tw = [abs(v) for v in it.takewhile(lambda v: v > 0, x)]
    sentinel = iter(functools.partial(next, iter(x)), x[3]); s3 = sum(sentinel); b1 = Body(km=x[1], mass=x[3]); b2 = copy.deepcopy(b1); b2.km = b1.km*2; b2._mass *= x[0]; cm = collections.ChainMap({"a": x[0]}, {"a": 1., "b": x[1]*2}); vals = cm["a"]*cm["b"]
    cfg = pickle.loads(pickle.dumps({"w": np.arange(3.), "name": "run"})); wsum = (cfg["w"]*x[:3]).sum(); des = [describe(list(x[:2])), describe({"k": x[0], "u": x[1], "v": 2.}), describe(x), describe(math.sin(x[0]))]
    with contextlib.ExitStack() as st: st.callback(lambda: out.append(x[0]**3)); out = [x[1]]
    any_neg = any(v < 0 for v in x); ok = all(np.isfinite(x)); k = (y := x*2)[x.argmax()]; tern = a if 0 < a < 1 < b else b; cond = x[0] if x[2] in (x[2], 3) else 0.; pr = math.prod(x[:2]); hy = math.hypot(*x[:3]); fs = math.fsum(x); h = sum(x, start=x[0]); cmb = [u*v for u, v in it.combinations(x[:3], 2)]; gp = {kk: sum(vv) for kk, vv in it.groupby(x, key=lambda v: v > 0)}; ds = math.dist(x[:2], [0., 1.]); q = collections.Counter({"a": x[0]}) if False else x[0]
    print(f"{lo:.2f} {hi:+.1f} {any_neg=} {ok=} {n=} {jit:g} {Meta.kinds} {tern!s:.6} {b2.km:,.1f} {[f'{v:.1f}' for v in srt]}", int(b), round(c), x.argmax(), "%d" % d, bool(a), a > b, "{0:>8.3f}|{1:<7.2e}|{2:^9g}".format(*x))
    return first*last, mid, lo, hi, np.array(p), srt, rv, av, cnt, root, L, fib, bad, ratio, acc, mx, fr, mp, tw, s3, b2.km, b2.mass, vals, wsum, des, out, k, tern, cond, pr, hy, fs, h, cmb, gp, ds, q, y
