"""Fast marching (heap of floats) for the eikonal equation, Dijkstra with heapq, A*, k-d tree by recursion, kNN with bisect, LOWESS, DBSCAN-like with sets, convex hull and polygon areas."""
import heapq, bisect
import numpy as np
STEP = 1e-4
X = np.array([1.03, .7, .31, 2.1])
def fast_marching(speed, src):
    n, m = speed.shape; T = np.full((n, m), np.inf); done = np.zeros((n, m), dtype=bool)
    heap = [(0.0, src)]; T[src] = 0.
    while heap:
        t, (i, j) = heapq.heappop(heap)
        if done[i, j]: continue
        done[i, j] = True
        for a, b in ((i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)):
            if not (0 <= a < n and 0 <= b < m) or done[a, b]: continue
            tx = min(T[a - 1, b] if a > 0 else np.inf, T[a + 1, b] if a < n - 1 else np.inf)
            ty = min(T[a, b - 1] if b > 0 else np.inf, T[a, b + 1] if b < m - 1 else np.inf)
            f = 1/speed[a, b]
            if abs(tx - ty) < f: new = .5*(tx + ty + np.sqrt(2*f*f - (tx - ty)**2))
            else: new = min(tx, ty) + f
            if new < T[a, b]: T[a, b] = new; heapq.heappush(heap, (new, (a, b)))
    return T
def dijkstra(graph, s):
    dist, prev, q = {s: 0.}, {}, [(0., s)]
    while q:
        d, u = heapq.heappop(q)
        if d > dist[u]: continue
        for v, w in graph[u]:
            nd = d + w
            if v not in dist or nd < dist[v]: dist[v] = nd; prev[v] = u; heapq.heappush(q, (nd, v))
    return dist, prev
class KD:
    def __init__(self, pts, idx=None, depth=0):
        idx = np.arange(len(pts)) if idx is None else idx; self.axis = depth % pts.shape[1]
        idx = idx[np.argsort(pts[idx, self.axis], kind="stable")]; mid = len(idx)//2
        self.i, self.p = idx[mid], pts[idx[mid]]
        self.lo = KD(pts, idx[:mid], depth + 1) if mid else None
        self.hi = KD(pts, idx[mid + 1:], depth + 1) if mid + 1 < len(idx) else None
    def query(self, q, best=(np.inf, -1)):
        d = np.sqrt(((self.p - q)**2).sum())
        if d < best[0]: best = (d, self.i)
        delta = q[self.axis] - self.p[self.axis]
        near, far = (self.lo, self.hi) if delta < 0 else (self.hi, self.lo)
        if near: best = near.query(q, best)
        if far and abs(delta) < best[0]: best = far.query(q, best)
        return best
def lowess(x, y, f=.5, iters=2):
    n = len(x); r = int(np.ceil(f*n)); h = [np.sort(np.abs(x - x[i]))[r] for i in range(n)]
    w = np.clip(np.abs((x[:, None] - x[None, :])/h), 0., 1.); w = (1 - w**3)**3; yest = np.zeros(n); delta = np.ones(n)
    for it in range(iters):
        for i in range(n):
            weights = delta*w[:, i]
            b = np.array([np.sum(weights*y), np.sum(weights*y*x)])
            A = np.array([[np.sum(weights), np.sum(weights*x)], [np.sum(weights*x), np.sum(weights*x*x)]])
            beta = np.linalg.solve(A, b); yest[i] = beta[0] + beta[1]*x[i]
        res = y - yest; s = np.median(np.abs(res)); delta = np.clip(res/(6.*s), -1, 1); delta = (1 - delta**2)**2
    return yest
def hull(pts):
    pts = sorted(map(tuple, pts)); out = []
    for seq in (pts, pts[::-1]):
        h = []
        for p in seq:
            while len(h) >= 2 and (h[-1][0] - h[-2][0])*(p[1] - h[-2][1]) - (h[-1][1] - h[-2][1])*(p[0] - h[-2][0]) <= 0: h.pop()
            h.append(p)
        out += h[:-1]
    v = np.array(out)
    return v, .5*np.abs(np.dot(v[:, 0], np.roll(v[:, 1], 1)) - np.dot(v[:, 1], np.roll(v[:, 0], 1)))
def main(x):
    yy, xx = np.mgrid[:6, :6]/5.; speed = x[0] + x[1]*np.sin(3*xx + x[3]*yy)**2
    T = fast_marching(speed, (1, 2))
    g = {0: [(1, x[0]), (2, x[1])], 1: [(3, x[2])], 2: [(1, x[2]), (3, x[3]*.9)], 3: []}
    d, prev = dijkstra(g, 0)
    pts = np.column_stack([np.cos(np.arange(12)*x[3]), np.sin(np.arange(12)*1.7) + x[2]*np.arange(12)/12])
    tree = KD(pts); near = [tree.query(np.array([.1*k, x[1]])) for k in range(4)]
    xs = np.linspace(0, 1, 12)**x[0]; ys = lowess(xs, np.sin(5*xs) + .1*np.cos(40*xs)*x[1])
    v, area = hull(pts)
    keys = []
    for t in T[2]: bisect.insort(keys, t)
    i = bisect.bisect_left(keys, x[0]*.8)
    table = np.sort(np.append(T[3], x[0])); k = np.searchsorted(table, x[0])
    print("path", prev, "near", [int(n) for _, n in near], "hull", len(v), "rank", i, k, "max %.4f" % T.max())
    return T, list(d.values()), [dd for dd, _ in near], ys, v, area, keys, keys[i], table[k]*2
