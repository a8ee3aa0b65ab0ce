"""Lotka-Volterra/SEIR on a network through a tiny framework: registry by decorators, __getattr__, context managers, functools.singledispatch, callbacks, enum, weakref, json dump of rounded values, argparse defaults."""
import argparse, enum, functools, io, json, sys, time, weakref
from contextlib import contextmanager
from types import SimpleNamespace
import numpy as np
REGISTRY = {}
def register(name):
    def deco(f): REGISTRY[name] = f; return f
    return deco
class Scheme(enum.Enum): EULER = 1; HEUN = 2; AB2 = 3
class State(dict):
    __getattr__ = dict.__getitem__
    def __setattr__(self, k, v): self[k] = v
    def __add__(self, o): return State((k, self[k] + o[k]) for k in self)
    def __mul__(self, a): return State({k: v*a for k, v in self.items()})
    __rmul__ = __mul__
@functools.singledispatch
def norm(v): raise TypeError(type(v).__name__)
@norm.register(np.ndarray)
def _(v): return np.abs(v).max()
@norm.register(dict)
def _(v): return max(norm(q) for q in v.values())
@norm.register(float)
def _(v): return abs(v)
@register("seir")
def seir(s, p):
    inf = p.beta*(p.A @ s.I)*s.S
    return State(S=-inf, E=inf - p.sigma*s.E, I=p.sigma*s.E - p.gamma*s.I, R=p.gamma*s.I)
@register("lv")
def lv(s, p): return State(S=s.S*(p.beta - s.I), E=0*s.E, I=s.I*(p.sigma*s.S - p.gamma), R=0*s.R)
class Runner:
    def __init__(self, model, scheme): self.f, self.scheme, self.hooks = REGISTRY[model], scheme, []
    def on_step(self, cb): self.hooks.append(weakref.WeakMethod(cb) if hasattr(cb, "__self__") else (lambda: cb)); return cb
    def run(self, s, p, h, n):
        old = None
        for k in range(n):
            d = self.f(s, p)
            if self.scheme is Scheme.EULER: s = s + h*d
            elif self.scheme is Scheme.HEUN: s = s + (h/2)*(d + self.f(s + h*d, p))
            else: s = s + h*(d if old is None else 1.5*d + -.5*old); old = d
            for hook in self.hooks: hook()(k, s)
        return s
class Recorder:
    def __init__(self): self.rows = []
    def __call__(self, k, s): self.rows.append([k, s.I.sum()])
    def step(self, k, s): self.rows.append((k, *[v.mean() for v in s.values()]))
@contextmanager
def redirected():
    old, sys.stdout = sys.stdout, io.StringIO()
    try: yield sys.stdout
    finally: sys.stdout = old
X = np.array([.6, .4, .3, .9])
def main(x):
    ap = argparse.ArgumentParser(); ap.add_argument("--n", type=int, default=8); ap.add_argument("--dt", type=float, default=.25)
    opt = ap.parse_args([])
    A = np.array([[0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 1], [0, 0, 1, 0.]]); A /= A.sum(1, keepdims=True)
    p = SimpleNamespace(beta=x[0], sigma=x[1], gamma=x[2], A=A)
    results = {}
    for scheme in Scheme:
        s = State(S=np.full(4, x[3]), E=np.zeros(4), I=np.array([.1, 0, 0, 0]), R=np.zeros(4))
        r = Runner("seir", scheme); rec = Recorder(); r.on_step(rec.step); tot = Recorder(); r.on_step(tot.__call__)
        with redirected() as out: s = r.run(s, p, opt.dt, opt.n); print("done")
        assert out.getvalue() == "done\n"
        results[scheme.name.lower()] = s; print(scheme, norm(dict(s)), f"{norm(s.I):.5f}", norm(s.S[0]))
    s = Runner("lv", Scheme.HEUN).run(s, p, .1, 3)
    print(json.dumps({k: [round(float(f"{v:.6f}"), 4) for v in q] for k, q in s.items()}, sort_keys=True))
    return np.array(rec.rows), tot.rows[-1][1], {k: norm(v) for k, v in results.items()}, dict(s)
