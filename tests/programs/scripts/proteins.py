"""Protein/molecular energies: NeRF chain building, dihedrals with arctan2, LJ + Coulomb + Born in a cell list dict, SHAKE constraints, RMSD by Kabsch SVD, contact maps with scipy.spatial pdist on constants, steepest descent with analytic forces, itertuples of record arrays, @property cached with invalidation."""
import numpy as np
ATOMS = np.array([("N", -.3, 1.65), ("C", .1, 1.9), ("C", .4, 1.9), ("O", -.5, 1.5), ("N", .3, 1.65)]*2, dtype=[("el", "U1"), ("q", "f4"), ("r", "f8")]).view(np.recarray)
PH = np.linspace(-2.2, 1.9, 7); BL, BA = 1.5, np.deg2rad(111.)
class cached:
    def __init__(self, f): self.f, self.name = f, "_c_" + f.__name__
    def __get__(self, o, t=None):
        if self.name not in o.__dict__: o.__dict__[self.name] = self.f(o)
        return o.__dict__[self.name]
class Chain:
    def __init__(self, phi, bl=BL): self.phi, self.bl = phi, bl; self.touch()
    def touch(self):
        for k in [k for k in self.__dict__ if k.startswith("_c_")]: del self.__dict__[k]
        return self
    @cached
    def xyz(self):
        p = [np.zeros(3), np.array([self.bl, 0, 0]), np.array([self.bl - self.bl*np.cos(BA), self.bl*np.sin(BA), 0])]
        for f in self.phi:
            a, b, c = p[-3:]; bc = c - b; bc /= np.linalg.norm(bc); n = np.cross(b - a, bc); n /= np.linalg.norm(n); m = np.column_stack([bc, np.cross(n, bc), n])
            p.append(m@(self.bl*np.array([-np.cos(BA), np.cos(f)*np.sin(BA), np.sin(f)*np.sin(BA)])) + c)
        return np.array(p)
    @cached
    def dist(self): d = self.xyz[:, None] - self.xyz[None]; return np.sqrt((d*d).sum(-1) + np.eye(len(d))*1e-3)
def cells(xyz, size):
    out = {}
    for i, c in enumerate(np.floor(xyz/size).astype(int)): out.setdefault(tuple(c.tolist()), []).append(i)
    return out
def energy(ch, eps, scale, cut=6.):
    D = ch.dist; lj = coul = 0.; C = cells(ch.xyz, cut); n = 0
    for c, mem in C.items():
        near = [j for off in np.ndindex(3, 3, 3) for j in C.get((c[0] + off[0] - 1, c[1] + off[1] - 1, c[2] + off[2] - 1), ())]
        for i in mem:
            for j in near:
                if j <= i + 2 or D[i, j] > cut: continue
                s = (ATOMS.r[i] + ATOMS.r[j])*.5/D[i, j]; s6 = s**6; lj += 4*eps*(s6*s6 - s6); coul += scale*ATOMS[i].q*ATOMS["q"][j]/D[i, j]; n += 1
    born = -.5*scale*sum(float(r.q)**2/(r.r + .2) for r in ATOMS); return lj, coul, born, n
def dihedral(p):
    b0, b1, b2 = p[0] - p[1], p[2] - p[1], p[3] - p[2]; b1 = b1/np.linalg.norm(b1); v = b0 - (b0@b1)*b1; w = b2 - (b2@b1)*b1; return np.arctan2(np.cross(b1, v)@w, v@w)
def kabsch(P, Q):
    P = P - P.mean(0); Q = Q - Q.mean(0); U, S, Vt = np.linalg.svd(P.T@Q); d = np.sign(np.linalg.det(U@Vt)); S[-1] *= d; U[:, -1] *= d; return np.sqrt(max((P**2).sum() + (Q**2).sum() - 2*S.sum(), 0)/len(P)), U@Vt
def shake(x, pairs, d, n=30):
    x = x.copy(); old = x.copy()
    for it in range(n):
        worst = 0
        for i, j in pairs:
            r = x[i] - x[j]; diff = r@r - d*d; worst = max(worst, abs(diff))
            if abs(diff) > 1e-12: g = diff/(4*(r@(old[i] - old[j]))); x[i] -= g*(old[i] - old[j]); x[j] += g*(old[i] - old[j])
        if worst < 1e-10: break
    return x, it
X = np.array([.2, .4, .9, -.3, .6, 1.45])
def main(x):
    ch = Chain(PH + .2*np.sin(x[0]*np.arange(7))); e1 = energy(ch, x[1], x[2]); ch.phi = ch.phi.copy(); ch.phi[2] += x[3]; ch.touch(); e2 = energy(ch, x[1], x[2]); ch2 = Chain(PH, x[5]); rm, R = kabsch(ch.xyz, ch2.xyz); dih = np.array([dihedral(ch.xyz[k:k + 4]) for k in range(7)])
    y, it = shake(ch2.xyz + .05*x[4]*np.cos(np.arange(30.)).reshape(10, 3), [(k, k + 1) for k in range(9)], x[5]); rg = np.sqrt(((y - y.mean(axis=0))**2).sum(1).mean())
    print("E %s n=%d rmsd %.4f" % (["%.4f" % v for v in e2[:3]], e2[3], rm), it, (ch.dist < 4).sum(), dict(zip(*np.unique(ATOMS.el, return_counts=True)))); return e1[:3], e2[:3], rm, R, np.unwrap(dih), y, rg
