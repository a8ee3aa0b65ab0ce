"""Epidemiology: renewal equation with discretised gamma (math.gamma), age-structured SEIR with contact matrices in a dict of lists that become arrays, R0 by next-generation eigenvalue, chain-binomial likelihood (scipy.special.gammaln), json-like config, .item() everywhere."""
import json, math, copy
import numpy as np
from scipy.special import gammaln, expit
CFG = json.loads('{"ages": ["0-17", "18-64", "65+"], "contact": [[7.0, 4.0, 1.0], [4.0, 6.0, 2.0], [1.0, 2.0, 3.0]], "pop": [200, 600, 200]}')
CASES = np.array([3, 5, 9, 12, 20, 31, 40, 52])
def gi(mean, k, n=8): th = mean/k; w = np.array([t**(k - 1)*math.exp(-t/th)/(math.gamma(k)*th**k) for t in range(1, n + 1)]); return w/w.sum()
class SEIR:
    comp = "S E I R".split()
    def __init__(self, beta, cfg): self.N = np.array(cfg["pop"], float); self.C = np.array(cfg["contact"]); self.C *= (1/self.N)[None, :]; self.beta = beta; self.y = {c: [0.]*3 for c in self.comp}; self.y["S"] = list(self.N - 1); self.y["I"] = [1., 1, 1]
    def rhs(self, y, sig, gam): lam = self.beta*self.C@y["I"]; new = lam*y["S"]; return dict(S=-new, E=new - sig*y["E"], I=sig*y["E"] - gam*y["I"], R=gam*y["I"])
    def run(self, sig, gam, n, dt):
        y = {k: np.asarray(v, dtype=float) for k, v in self.y.items()}; hist = {k: [] for k in self.comp}
        for _ in range(n):
            k1 = self.rhs(y, sig, gam); k2 = self.rhs({c: y[c] + dt*k1[c] for c in y}, sig, gam)
            for c in y: y[c] += .5*dt*(k1[c] + k2[c]); hist[c].append(copy.copy(y[c]))
        assert math.isclose(sum(v.sum() for v in y.values()).item(), self.N.sum(), rel_tol=1e-9); return {k: np.array(v) for k, v in hist.items()}
def nbinom(k, mu, r): return gammaln(k + r) - gammaln(r) - gammaln(k + 1) + r*np.log(r/(r + mu)) + k*np.log(mu/(r + mu))
X = np.array([.06, .3, .2, 5., 2.2, 8., .4])
def main(x):
    m = SEIR(x[0].item(), CFG); h = m.run(x[1], x[2], 60, .5); NGM = x[0]*m.C*m.N[:, None]/x[2]; R0 = max(abs(np.linalg.eigvals(NGM))).item()
    w = gi(x[3].item(), x[4].item()); inf = CASES.astype(float).tolist()[:2]; R = [2*expit(x[6] + .1*t) for t in range(8)]
    for t in range(2, 8): inf.append(R[t]*sum(wi*i for wi, i in zip(w, reversed(inf))))
    ll = nbinom(CASES, np.array(inf) + 1, x[5]).sum(); peak = int(np.argmax(h["I"].sum(1))); attack = {a: "%.1f%%" % p for a, p in zip(CFG["ages"], (100*h["R"][-1]/m.N).tolist())}; fs = 1.
    for _ in range(500):
        new = 1 - math.exp(-R0*fs)
        if abs(new - fs) < 1e-14: break
        fs = new
    print("R0=%.4f peak=%d" % (R0, peak), attack, "%.3f" % ll, round(fs, 5) if isinstance(fs, str) else f"{fs:.5f}"); return R0, h["I"][::10], w, inf, ll, fs, h["S"][-1].tolist()
