"""Small programs in the idioms of legacy code; tests/test_idioms.py runs and differentiates each."""

import copy
import functools
import math
import operator
import random
from collections import deque, namedtuple
from dataclasses import dataclass, field

import numpy as np
import numpy.linalg as la
from numpy import array, sqrt, zeros
from numpy.linalg import inv, solve

work = np.zeros(3)
mats = [np.eye(3), np.zeros((3, 3))]
tab = {"a": np.zeros(3), "n": [np.ones(3)]}
buf2 = np.zeros((2, 3))
row = buf2[0]
roview = buf2[:, ::2]
fbuf = np.zeros((3, 3), order="F")
f32 = np.zeros(3, np.float32)
tup = (np.zeros(3), np.ones(3))
arr0 = np.array(0.0)
big = np.zeros(8)
cache = {}
hist = []
total = 0.0
Pair = namedtuple("Pair", "a b")


class Carrier:
    shared = np.zeros(3)

    def __init__(self):
        self.history = []
        self.w = np.zeros(3)

    def __call__(self, x):
        self.w[:] = x
        Carrier.shared[:] = self.w * 2
        self.history.append(self.w.copy())
        return Carrier.shared * self.history[-1]


class Slots:
    __slots__ = ("w",)

    def __init__(self):
        self.w = np.zeros(3)


@dataclass
class State:
    m: np.ndarray = field(default_factory=lambda: np.zeros(3))
    energy: float = 0.0

    def step(self, x):
        self.m += x
        self.energy += self.m @ x


sl = Slots()
inst = Carrier()


def row_of_a_module_buffer(x):
    row[:] = x
    return buf2.sum(0) ** 2


def list_of_matrices(x):
    mats[1][0] = x
    return mats[0] @ mats[1]


def dict_of_arrays(x):
    tab['a'][:] = x
    tab['n'][0] *= 0
    tab['n'][0] += x
    return tab['a'] * tab['n'][0]


def fortran_buffer(x):
    fbuf[:, 1] = x
    fbuf[1] = x ** 2
    return fbuf.ravel(order='K') * 1


def global_total(x):
    global total
    total = 0.0
    for e in x:
        total += e * e
    return total


def object_with_class_buffer(x):
    return Carrier()(x)


def slots_object(x):
    sl.w[:] = x
    return sl.w ** 2


def tuple_of_arrays(x):
    tup[0][:] = x
    return tup[0] * tup[1]


def strided_module_view(x):
    roview[0] = x[:2]
    return buf2[0] ** 2 * 1


def overlapping_shift_add(x):
    x[1:] += x[:-1]
    return x


def add_own_reverse(x):
    x[::-1] += x
    return x * x


def out_is_own_reverse(x):
    np.add(x, x ** 2, x[::-1])
    return x * 1


def cumsum_into_itself(x):
    np.cumsum(x, out=x)
    np.multiply(x, x[::-1], out=x)
    return x


def swap_rows_by_views(x):
    u = np.outer(x, x)
    u[0], u[1] = (u[1], u[0])
    return u


def swap_rows_by_index_and_sort(x):
    u = np.outer(x, x)
    u[[0, 1]] = u[[1, 0]]
    u.T[0] += u[2]
    u[:, ::-1].sort(axis=1)
    return u


def shuffle(x):
    y = x * 2
    random.seed(1)
    np.random.seed(0)
    np.random.shuffle(y)
    return y


def recursion(x):

    def rec(n):
        return x[0] if n == 0 else rec(n - 1) * x[n % 3] + 0.5
    return rec(6)


def dot_and_matmul_out(x):
    out = np.empty((3, 3))
    np.dot(np.outer(x, x), np.eye(3) * 2, out=out)
    np.matmul(out, out.copy(), out=out)
    return out


def masks_in_place(x):
    m = x > 2.5
    x[m] *= 2
    x[~m] -= 1
    x[np.nonzero(m)] += 1
    return x


def module_scalar_array(x):
    arr0[...] = x[0]
    arr0[()] += x[1]
    return arr0 * 2


def put_and_flat(x):
    a = zeros(3)
    a.put([0, 2], x[:2])
    a.itemset if False else None
    a.flat = x * a
    return a


def single_precision_buffer(x):
    f32[:] = 1
    y = x + f32
    return y * y


def assign_shape(x):
    a = np.arange(3.0) * x
    a = a.reshape(3, 1).repeat(2, axis=1)
    a.shape = (2, 3)
    b = a.swapaxes(0, 1)
    b[0, 0] += x[1]
    return a


def rows_aliased(x):
    y = np.zeros((2, 3))
    y[0] = x
    y[1] = y[0]
    y[0] *= 3
    return y.copy().view().T.flatten()


def nested_lists(x):
    return np.array([[x[0], 2], [3, x[1]]]) @ np.array([x[2], 1.0]) + np.asarray(x[:2])


def list_swap(x):
    l = list(x)
    l[0], l[-1] = (l[-1], l[0])
    l.insert(0, 1.0)
    return np.array(l)[1:] * np.asarray(l[:3])


def pairwise_branch(x):
    s = 0.0
    for a, b in zip(x[:-1], x[1:]):
        s += (a - b) ** 2 if a < b else a * b
    return s


def map_to_array(x):
    return np.array(tuple(map(lambda t: t ** 2, x)))


def errstate_and_clip(x):
    with np.errstate(divide='ignore'):
        y = np.log(x)
    y[np.isnan(y)] = 0
    return np.nan_to_num(y) * np.clip(x, 0, 2.5)


def statistics(x):
    return np.mean(x) + np.var(x, ddof=1) + np.median(x) + np.percentile(x, 30) + np.ptp(x) + x.std() + np.cov(x, x ** 2)[0, 1]


def linear_algebra(x):
    A = np.diag(x) + 0.1
    return solve(A, x) + inv(A)[0] + la.det(A) + la.lstsq(A, x, rcond=None)[0]


def fourier(x):
    return np.fft.ifft(np.fft.fft(x) * np.array([1, 2, 1j])).real


def polynomials(x):
    p = np.poly1d(x)
    return p(2.0) + np.polyval(x, x) + np.roots([1, -5, 6])[0].real


def kron_and_vander(x):
    n = len(x)
    T = np.zeros((n, n), dtype=x.dtype)
    np.fill_diagonal(T[1:], x[:-1])
    T += np.vander(x, 3)
    return np.kron(T, x)


def element_then_overwrite(x):
    z = x[0]
    z += 1
    y = x * 1
    y[0] += z
    w = y[0]
    y[0] = 5
    return w * y


def element_updates(x):
    s = x[0]
    s -= x[1]
    x[0] = s
    x[1] = -s
    del s
    return x


def module_object_called(x):
    return inst(x)


def inner_function(x):

    def worker(out):
        out[:] = x ** 2
    o = np.zeros(3)
    worker(o)
    return o


def negative_indices(x):
    y = np.empty_like(x)
    for k in range(len(x)):
        y[-k] = x[k] if k % 2 else -x[k]
    y[y < 0] **= 2
    return y


def ellipsis_and_newaxis(x):
    a = np.zeros((2, 2, 3))
    a[..., 0] = x[:2]
    a[0, ..., 1] = x[1]
    a[:, None, 0, :][0] = x
    a[1, 1] = a[0, 0]
    return a


def windows(x):
    b = np.broadcast_to(x, (2, 3))
    c = np.lib.stride_tricks.sliding_window_view(x, 2)
    return b.sum(0) + c.prod()


def block_and_r_c(x):
    return np.block([[x[:2], x[2:]], [x]]) * np.c_[x, x].sum() + np.r_[x[0], x[1:]]


def linspace_of_data(x):
    a = np.linspace(x[0], x[1], 4)
    b = np.logspace(0, 1, 4) * a
    return np.searchsorted(a, 2.5) * b + np.trapezoid(a, b)


def select_choose_histogram(x):
    return np.nansum(x) + np.nanmax(x) + np.select([x < 2.5, x > 3], [x ** 2, x * 3], 0) + np.choose([0, 1, 0], [x, x * x]) + np.histogram(x, 2, weights=x)[0].sum()


def special_ufuncs(x):
    return np.ldexp(x, 2) + np.modf(x)[0] + np.frexp(x)[0] + np.heaviside(x, 0) * x + np.sinc(x) + np.i0(x) + np.unwrap(x)


def read_only_for_a_while(x):
    a = x.copy()
    a.setflags(write=False)
    b = a * 2
    a.setflags(write=True)
    a[0] = b[1]
    return a


def ndmin_copy(x):
    y = np.array(x, copy=False) if False else np.array(x, ndmin=2)
    y[0, 0] *= 2
    x[0] *= 3
    return y + x


def squeeze_of_newaxis_view(x):
    y = x[np.newaxis]
    y[0] = x ** 2
    z = y.squeeze()
    z /= 2
    return x


def ufunc_out_where(x):
    np.exp(x, out=x, where=np.array([True, False, True]))
    return x / 10


def slice_from_list(x):
    q = np.zeros(3)
    q[:] = [x[0], x[1] ** 2, 3.0]
    q[1:3] = (x[0], x[1])
    return q


def list_of_lists(x):
    a = [[0.0] * 3 for _ in range(3)]
    for i in range(3):
        for j in range(3):
            a[i][j] = x[i] * x[j]
    return np.array(a).trace() * np.array(a)


def meshgrid_in_place(x):
    r, c = np.meshgrid(x, x)
    r *= c
    return np.hypot(r, c) + np.mgrid[0:3, 0:3][0] * r


def branch_on_sum(x):
    return float(1) * x if x.sum() > 1 else None


def entropy(x):
    s = np.sum(x, keepdims=True)
    t = x / s
    return -(t * np.log2(t)).sum()


def svd_and_qr(x):
    return np.linalg.svd(np.outer(x, x) + np.diag(x))[1] * la.qr(np.diag(x) + 1)[1][0, 0]


def list_accumulator(x):
    l = []
    for v in x:
        l.append(v * v)
    l.sort()
    return sum([*l]) + max(*l) * min(*l) + functools.reduce(operator.mul, l)


def cache_and_deepcopy(x):
    cache['a'] = x.copy()
    b = copy.deepcopy(cache['a'])
    b[0] *= 2
    return b * cache['a']


def module_buffer_slices(x):
    big[:3] = x
    big[3:6] = big[:3] ** 2
    big[6] = big[:6].sum()
    return big.reshape(2, 4).T.copy()


def deque_of_elements(x):
    q = deque(maxlen=2)
    for v in x:
        q.append(v)
    return np.array(list(q)) * x[0]


def namedtuple_replace(x):
    p = Pair(x[0], x[1:])
    p = p._replace(a=p.a ** 2)
    return np.concatenate([[p.a], p.b])


def dataclass_state(x):
    s = State()
    for _ in range(3):
        s.step(x)
    return s.energy


def generator_to_fromiter(x):

    def gen():
        for i in range(len(x)):
            yield (x[i] * i)
    return np.fromiter(gen(), dtype=float)


def math_in_comprehension(x):
    return np.array([math.exp(v) * math.sin(v) for v in x]).mean()


def conjugate_gradients(x):
    A = np.array([[2.0, 1.0], [1.0, 3.0]])
    r = x[:2] - A @ np.zeros(2)
    p = r.copy()
    u = np.zeros(2)
    rs = r @ r
    while sqrt(rs) > 1e-14:
        Ap = A.dot(p)
        al = rs / p.dot(Ap)
        u += al * p
        r -= al * Ap
        rn = r.dot(r)
        p = r + rn / rs * p
        rs = rn
    return u


def unpacked_scalars(x):
    a, b, c = x
    a, b = (b, a)
    a += c
    b *= a
    c -= b
    return (a, b, c)


def alias_of_the_argument(x):
    y = x
    y += 1
    y[0], y[1] = (y[1], y[0])
    return x * y


def ndenumerate(x):
    out = np.zeros(3)
    for i, v in np.ndenumerate(x):
        out[i] = v ** 3
    return out


def formatting(x):
    s = '%.3f %s' % (x[0], x[1])
    t = f'{x[0]:.2e}'
    assert len(s) > 3
    return x * len(t)


def complex_parts(x):
    z = np.zeros(3, dtype=complex)
    z.real = x
    z.imag = x[::-1]
    z *= np.exp(1j * x)
    return np.abs(z) ** 2 + z.real


def symmetric_fill_and_flat(x):
    H = np.zeros((3, 3))
    i, j = np.triu_indices(3)
    H[i, j] = np.arange(6) * x[0]
    H[j, i] = H[i, j]
    H.flat[::4] += x
    return np.linalg.eigvalsh(H)


def flat_iteration(x):
    v = x.flat
    s = 0
    for e in v:
        s = s + e * e
    x.flat[1] = s
    return x.ravel()


def object_array_of_elements(x):
    y = np.empty(3, dtype=object)
    for i in range(3):
        y[i] = x[i] * 2
    return y.sum()


def vectorize(x):
    f = np.vectorize(lambda t: t ** 2 if t > 1 else t)
    return f(x)


def apply_along_axis(x):
    return np.apply_along_axis(lambda r: r * r.sum(), 0, x.reshape(3, 1)).ravel()


def piecewise(x):
    return np.piecewise(x, [x < 3, x >= 3], [lambda t: t ** 2, lambda t: 2 * t])


def fill_diagonal_copyto_putmask(x):
    a = np.zeros((3, 3))
    np.fill_diagonal(a, x)
    a[np.tril_indices(3, -1)] = x * 2
    np.copyto(a[0], x, where=[True, False, True])
    np.putmask(a, a > 3, x[0])
    return a @ a


def roll_insert_delete(x):
    a = np.tile(x, (2, 1))
    a = np.roll(a, 1, axis=1)
    a = np.insert(a, 1, x[:2].sum(), axis=1)
    a = np.delete(a, 0, axis=1)
    return np.rot90(a)


def sort_through_order(x):
    s = np.sort(x)[::-1]
    k = np.argsort(x)
    x[k] = s
    return x * [1, 2, 3]


def exception_as_branch(x):
    try:
        y = x[5]
    except IndexError:
        y = x[0]
    return y ** 2


def module_list_as_stack(x):
    hist.append(x * 2)
    hist.append(hist[-1] ** 2)
    r = hist.pop() + hist.pop()
    return r


def default_argument_as_buffer(x, *, _w=np.zeros(3)):
    _w[:] = x
    _w **= 2
    return _w.copy()


def math_of_sequences(x):
    return math.fsum(x) * math.prod(x) + math.dist(x, [0, 0, 0]) + math.hypot(*x)


def builtin_operators(x):
    return pow(x[0], 3) + abs(-x[1]) + 2 ** x[2] + -x[0] // 1 + x[1] % 0.3


def cholesky_by_loops(x):
    A = array([[x[0], 1, 0], [1, x[1], 1], [0, 1, x[2]]])
    L = zeros((3, 3))
    for i in range(3):
        for j in range(i + 1):
            s = L[i, :j] @ L[j, :j]
            L[i][j] = sqrt(A[i][i] - s) if i == j else (A[i][j] - s) / L[j][j]
    return L
