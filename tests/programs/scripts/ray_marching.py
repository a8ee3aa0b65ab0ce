"""Simplex noise in 2D, fractal terrain, hillshade; ray marching of a signed distance field with soft shadows; uint8 images."""
import numpy as np
PERM = np.array(list(range(16))*2)[np.random.RandomState(1).permutation(32)] % 16
PERM = np.concatenate([PERM, PERM])
GRAD = np.array([[1, 1], [-1, 1], [1, -1], [-1, -1], [1, 0], [-1, 0], [0, 1], [0, -1]], dtype=np.float64)
F2, G2 = (np.sqrt(3) - 1)/2, (3 - np.sqrt(3))/6
STEP = 1e-5
X = np.array([.37, 1.1, .5, .8, .25])
def noise(x, y):
    s = (x + y)*F2
    i, j = np.floor(x + s).astype(np.int64), np.floor(y + s).astype(np.int64)
    t = (i + j)*G2
    x0, y0 = x - (i - t), y - (j - t)
    i1 = (x0 > y0).astype(int); j1 = 1 - i1
    total = 0
    for dx, dy, oi, oj in ((x0, y0, 0, 0), (x0 - i1 + G2, y0 - j1 + G2, i1, j1), (x0 - 1 + 2*G2, y0 - 1 + 2*G2, 1, 1)):
        t = .5 - dx**2 - dy**2
        g = GRAD[PERM[(i + oi & 31) + PERM[j + oj & 31]] % 8]
        t *= (t > 0)
        total += t**4*(g[..., 0]*dx + g[..., 1]*dy)
    return 70*total
def terrain(f, gain, n=7):
    yy, xx = np.ogrid[0:1:n*1j, 0:1:n*1j]
    h = np.zeros((n, n)); amp = 1.
    for octave in range(3):
        h += amp*noise(xx*f*2**octave + .13, yy*f*2**octave + .71)
        amp *= gain
    return h
def sdf(p, r):
    q = np.abs(p - [0., 0., 1.5]) - .4
    box = np.linalg.norm(np.maximum(q, 0), axis=-1) + np.minimum(q.max(axis=-1), 0)
    ball = np.sqrt(((p - np.array([.2, .1, 1.2]))**2).sum(-1)) - r
    k = .2; h = np.clip(.5 + .5*(ball - box)/k, 0, 1)
    return ball*(1 - h) + box*h - k*h*(1 - h)
def march(o, d, r, steps=30):
    t = np.zeros(d.shape[:-1]); alive = np.ones(t.shape, bool)
    for _ in range(steps):
        p = o + t[..., None]*d
        s = sdf(p, r)
        t[alive] += s[alive]
        alive &= (s > 1e-4) & (t < 5)
        if not alive.any(): break
    return t
def main(x):
    h = terrain(x[0]*3, x[2])
    gy, gx = np.gradient(h, .2)
    n = np.dstack([-gx, -gy, np.ones_like(h)]); n /= np.linalg.norm(n, axis=2, keepdims=True)
    shade = np.clip(n @ np.array([.5, x[3], .7]), 0, None)
    img = (255*(shade - shade.min())/np.ptp(shade)).astype(np.uint8)
    uv = np.stack(np.meshgrid(np.linspace(-.4, .4, 4), np.linspace(-.3, .3, 3)), -1)
    d = np.concatenate([uv, np.ones(uv.shape[:2] + (1,))], axis=-1); d /= np.sqrt(np.sum(d*d, -1))[..., np.newaxis]
    t = march(np.array([0, 0, -x[1]]), d, x[4] + .2)
    hit = t < 5
    print(img[2], hit.sum(), "hits")
    return h, shade, np.where(hit, t, 0), t[hit].mean()
