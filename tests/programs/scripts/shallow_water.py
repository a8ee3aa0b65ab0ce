"""Every ufunc keyword in one shallow-water code: out with views, where with masks, initial, axis tuples, casting, dtype, reduceat, at, accumulate into itself, einsum out, matmul axes, take_along_axis, partition in place, order='A'."""
import numpy as np
X = np.array([1., .3, .6, .2])
def fluxes(h, hu, hv, g=9.81, out=None):
    out = np.empty((3,) + h.shape) if out is None else out
    u = np.divide(hu, h, out=np.zeros_like(h), where=h > 1e-3)
    out[0] = hu; np.multiply(hu, u, out=out[1]); np.add(out[1], .5*g*np.square(h), out=out[1]); np.multiply(hv, u, out=out[2, ...])
    return out
def lax(q, dt, buf):
    for axis, order in ((1, (0, 1, 2)), (2, (0, 2, 1))):
        h, hu, hv = q[list(order)]
        F = fluxes(h, hu, hv, out=buf)[list(order)]; F = np.moveaxis(F, axis, -1); Q = np.moveaxis(q, axis, -1)
        new = .5*(np.roll(Q, 1, -1) + np.roll(Q, -1, -1)) - dt*(np.roll(F, -1, axis=-1) - np.roll(F, 1, axis=-1)); Q[...] = .7*new + .3*Q
    return q
def main(x):
    n = 6; i, j = np.meshgrid(*[np.arange(n)]*2, indexing="ij"); q = np.zeros((3, n, n)); q[0] = x[0] + x[1]*np.exp(-((i - 2)**2 + (j - 3)**2)*x[2]); q[2, :] = x[3]*q[0]
    buf = np.empty_like(q)
    for k in range(4): lax(q, .02, buf); q[1, 0], q[1, -1] = -q[1, 1], -q[1, -2]
    h = q[0]; wet = h > x[0]
    stats = np.array([np.add.reduce(h, axis=(0, 1), where=wet), np.maximum.reduce(h, axis=None, initial=1.2*x[0], where=wet), np.min(h, initial=9., where=~wet), h.mean(where=wet), h.std(where=wet), np.multiply.reduce(h[0], initial=x[1])])
    red = np.add.reduceat(h.ravel(), [0, 5, 3, 20]); acc = h.copy(); np.add.accumulate(acc, axis=1, out=acc); np.cumsum(acc.T, axis=0, out=acc.T)
    at = np.ones(4); np.multiply.at(at, [0, 2, 2, 3], h[0, :4]); np.subtract.at(at, slice(1, 3), x[1]); np.maximum.at(at, [1], x[2])
    g = np.empty((n, n), order="F"); np.einsum("ij,kj->ik", h, q[2], out=g); mm = np.matmul(q, q, axes=[(1, 2), (2, 1), (0, 1)]); vd = np.vecdot(h, q[2]) if hasattr(np, "vecdot") else np.einsum("ij,ij->i", h, q[2])
    idx = np.argsort(h, axis=1); ta = np.take_along_axis(h, idx[:, :2], axis=1); pa = h.copy(); np.put_along_axis(pa, idx[:, -1:], x[3], 1); part = h.ravel(order="A").copy(); part.partition(5); s = h[1].copy(); s.sort(); s[::-1].sort()
    r32 = np.add(h, x[1], dtype=np.float32, casting="same_kind"); acc32 = np.sum(r32, dtype=np.float64); c = np.exp(1j*h[0], dtype=complex); c.real *= 2; c.imag[1::2] = x[2]; np.conjugate(c, out=c)
    f, ex = np.frexp(h[0]); l = np.ldexp(f, ex - 1); mo, ip = np.modf(h[2]*3); dv, rm = np.divmod(h[3]*5, .7); hy = np.hypot.outer(x, x[:2]); cl = np.clip(h, None, x[0], out=np.empty_like(h)); rd = np.round(h[0]*x[2], 2)
    fl = h.copy(); fl.flat[::7] = x[2]; fl.T.flat[1] = x[3]; dg = np.einsum("ii->i", fl); dg *= 2; np.fill_diagonal(fl[::-1], x[1]); tr = fl.trace(offset=1) + np.trace(mm[0]); np.copyto(fl, x[0], where=fl < .5); np.place(fl, fl > 1.1, [x[1], x[2]]); lt = np.tril_indices_from(fl, -4); fl[lt] += 1
    bc, bd = np.broadcast_arrays(x[:, None], x[:2]); st = np.dstack(np.broadcast_arrays(x[:2, None], x[2:])); sp = [p.sum() for p in np.array_split(h.ravel(), 5)]; lg = np.logaddexp.reduce(h, axis=0); nx = np.nextafter(h[0], np.inf); sg = np.signbit(q[1]).sum(); xl = np.heaviside(x - .5, .5)*x
    print(stats.round(3), acc32, sg, ex, idx[0], "%s %s" % (r32.dtype, bd.shape), ip, f"{dv[0]:g}")
    return q, stats, red, acc, at, g, mm, vd, ta, pa, part, s, c.view(float), f, l, mo, rm, hy, cl, fl, tr, bc*2, st, np.array(sp), lg, nx, xl
