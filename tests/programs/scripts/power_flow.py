"""Power flow: admittances that are complex numbers of Python's, Ybus of complex admittances, polar Newton-Raphson with hand-coded Jacobian blocks, PV->PQ switching on reactive limits, per-unit dataclasses, complex in-place add at, DC OPF by KKT."""
from dataclasses import dataclass, field, replace, astuple
import numpy as np
@dataclass
class Bus:
    num: int; kind: str; P: float = 0.; Q: float = 0.; V: float = 1.; qlim: tuple = (-9., 9.)
@dataclass(frozen=True)
class Line:
    f: int; t: int; r: float; x: float; b: float = 0.; tap: float = 1.
    @property
    def y(self): return 1/complex(self.r, self.x) if type(self.r) is float and type(self.x) is float else 1/(self.r + 1j*self.x)
@dataclass
class Grid:
    buses: list; lines: list; log: list = field(default_factory=list)
    def __post_init__(self): self.n = len(self.buses)
    def ybus(self):
        Y = np.zeros((self.n, self.n), dtype=complex)
        f = np.array([l.f for l in self.lines]); t = np.array([l.t for l in self.lines]); y = np.array([l.y for l in self.lines]); tap = np.array([l.tap for l in self.lines])
        sh = .5j*np.array([l.b for l in self.lines])
        np.add.at(Y, (f, f), (y + sh)/tap**2); np.add.at(Y, (t, t), y + sh); np.subtract.at(Y, (f, t), y/tap); np.subtract.at(Y, (t, f), y/tap)
        return Y
def newton(grid, tol=1e-11):
    Y = grid.ybus(); n = grid.n; kind = [b.kind for b in grid.buses]; V = np.array([b.V for b in grid.buses], float); th = np.zeros(n)
    P = np.array([b.P for b in grid.buses]); Q = np.array([b.Q for b in grid.buses])
    for it in range(25):
        pv = [i for i in range(n) if kind[i] == "PV"]; pq = [i for i in range(n) if kind[i] == "PQ"]; ns = pv + pq
        U = V*np.exp(1j*th); S = U*np.conj(Y@U); mis = np.concatenate([(S.real - P)[ns], (S.imag - Q)[pq]])
        if np.linalg.norm(mis, np.inf) < tol:
            sw = [i for i in pv if not grid.buses[i].qlim[0] <= S.imag[i] <= grid.buses[i].qlim[1]]
            if not sw: break
            for i in sw: kind[i] = "PQ"; Q[i] = np.clip(S.imag[i], *grid.buses[i].qlim); grid.log.append(("switch", i))
            continue
        dSdT = 1j*np.diag(U)@np.conj(np.diag(Y@U) - Y@np.diag(U)); dSdV = np.diag(U)@np.conj(Y@np.diag(U/V)) + np.conj(np.diag(Y@U))@np.diag(U/V)
        J = np.block([[dSdT[np.ix_(ns, ns)].real, dSdV[np.ix_(ns, pq)].real], [dSdT[np.ix_(pq, ns)].imag, dSdV[np.ix_(pq, pq)].imag]])
        d = np.linalg.solve(J, mis); th[ns] -= d[:len(ns)]; V[pq] -= d[len(ns):]
    grid.log.append(("iterations", it)); return V, th, S
X = np.array([.5, .8, .3, .1, .25, 1.02, .97])
X2 = np.array([.55, .7, .25, .12, .2, 1.03, .98])
def main(x):
    buses = [Bus(0, "SL", V=1.04), Bus(1, "PV", P=x[0], V=x[5], qlim=(-.05, .12)), Bus(2, "PQ", -x[1], -x[2]), Bus(3, "PQ", P=-.3, Q=-.1)]
    lines = [Line(0, 1, .02, x[3]), Line(0, 2, .03, x[4], .02), Line(1, 2, .025, .2), Line(2, 3, .04, .3, tap=x[6]), Line(1, 3, .05, .35)]
    g = Grid(buses, lines); V, th, S = newton(g)
    U = V*np.exp(1j*th); flow = np.array([U[l.f]*np.conj((U[l.f] - U[l.t])*l.y) for l in lines]); loss = S.sum().real
    lines2 = [replace(l, r=0., b=0.) for l in lines]; B = -Grid(buses, lines2).ybus().imag
    a = np.array([.1, .2]); KKT = np.zeros((6, 6)); KKT[0, 0], KKT[1, 1] = 2*a; KKT[2:5, 2:5] = 0; KKT[:2, 5] = KKT[5, :2] = 1; KKT[2:5, 2:5] = np.eye(3)
    lmp = np.linalg.solve(KKT, np.r_[-1., -1.2, 0, 0, 0, x[1] + .3])
    dc = np.zeros(4); dc[1:] = np.linalg.solve(B[1:, 1:], np.array([x[0], -x[1], -.3]))
    for i in range(4): print("%d |V|=%.5f th=%8.4f  %.4f%+.4fj" % (i, V[i], np.degrees(th[i]), S[i].real, S[i].imag))
    print(g.log, astuple(lines2[2])[:2]); return V, th, S.real, np.abs(flow), loss, dc, lmp
