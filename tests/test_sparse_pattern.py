"""The pattern of a Jacobian, read off the record: never an element too few, and exact where it says so."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from test_examples import RUNS, by_script, run_all

import npgrad as ng

X = np.linspace(0.3, 1.7, 12)
BANDED = np.diag([2.0, 3.0, 4.0, 5.0]) + np.diag([1.0, 1.0, 1.0], 1)


def dense(f, x):
    return np.asarray(ng.jacobian(lambda x: np.ravel(np.asarray(f(x))))(x)).reshape(-1, x.size)


def differences(f, x):
    """Which elements change at all when one input does: of the plain function, nothing of npgrad."""
    base = np.ravel(f(x))
    changed = [np.ravel(f(x + 0.01 * unit.reshape(x.shape))) != base for unit in np.eye(x.size)]
    return np.array(changed).T.reshape(base.size, x.size)


def in_place(x):
    u = np.zeros((4, 5))
    u[1:-1, 1:] = x[:8].reshape(2, 4)
    u[0] += u[1] * 2.0
    u[2, 1:4] *= u[1, 2:]
    u[:, 0] = x[8:]
    return u


def aliases(x):
    u = x.copy()
    corner = u.reshape(3, 4).T[1]
    corner *= u[:3]
    u[::-1][:2] = u[4:6]
    return u


def loop(x):
    out = np.empty_like(x)
    out[0] = x[0]
    for i in range(1, len(x)):
        out[i] = x[i] * x[i - 1]
    return out


def scattered(x):
    out = np.zeros(6)
    np.add.at(out, np.arange(12) % 5, x)
    out[[0, 0, 5]] = x[[1, 2, 3]]
    return out


def masked(x):
    u = x**2
    u[u > 1.5] = x[0]
    np.multiply(x, 3.0, out=u, where=x < 0.5)
    return u[x > 0.4]


def complex_parts(x):
    z = x[:6] + 1j * x[6:]
    w = np.zeros(6, complex)
    w.real = z.imag
    w.imag[1:] = x[:5]
    return np.concatenate([w.real, (w.view(float)[::3]), z[2:4].copy().view(float)])


EXACT = {
    "elementwise": lambda x: np.sin(x) * x**2,
    "broadcast": lambda x: x[:4, None] + x[4:7],
    "constant": lambda x: x * 0.0 + np.arange(12.0),
    "slices": lambda x: x[2:] - 2 * x[1:-1] + x[:-2],
    "reversed": lambda x: x[::-1][3:7],
    "in place": in_place,
    "aliases": aliases,
    "loop": loop,
    "gather": lambda x: x[[3, 3, 0, -1]],
    "gather apart": lambda x: x.reshape(2, 3, 2)[[0, 1], :, [1, 0]],
    "scattered": scattered,
    "sum": lambda x: x.reshape(3, 4).sum(axis=1),
    "sums": lambda x: x.reshape(3, 2, 2).sum(axis=(0, -1), keepdims=True),
    "mean": lambda x: x.reshape(3, 4).mean(axis=0),
    "total": lambda x: x[2:5].sum() * x[0],
    "prod": lambda x: np.prod(x.reshape(3, 4), axis=1),
    "cumsum": lambda x: np.cumsum(x[:5]),
    "cumsum of rows": lambda x: np.cumsum(x.reshape(3, 4), axis=0),
    "norm": lambda x: np.linalg.norm(x.reshape(3, 4), axis=1),
    "concatenate": lambda x: np.concatenate([np.zeros(2), x[3:5], np.ones(1), x[:2]]),
    "concatenate rows": lambda x: np.concatenate([x.reshape(3, 4), np.zeros((3, 1))], axis=1),
    "stack": lambda x: np.stack([x[:3], x[3:6]], axis=1),
    "transpose": lambda x: x.reshape(3, 4).T.copy()[1:],
    "roll": lambda x: np.roll(x, 2),
    "diff": lambda x: np.diff(x, 2),
    "array of items": lambda x: np.array([x[1], x[0] * x[2], 1.0]),
    "banded matrix": lambda x: BANDED @ x[:4],
    "banded matrices": lambda x: BANDED @ x.reshape(4, 3),
    "from the right": lambda x: x.reshape(3, 4) @ BANDED,
    "dot": lambda x: np.dot(BANDED, x[:4]),
    "dot of many": lambda x: np.dot(x[:6].reshape(3, 2), x[6:].reshape(1, 2, 3)),
    "dot from the right": lambda x: np.dot(x.reshape(3, 4), BANDED),
    "dot of numbers": lambda x: np.dot(x[0], x[3:6]),
    "matvec": lambda x: np.matvec(BANDED, x.reshape(3, 4)),
    "vecmat": lambda x: np.vecmat(x.reshape(3, 4), BANDED),
    "full product": lambda x: x[:6].reshape(2, 3) @ x[6:].reshape(3, 2),
    "matrix and vector": lambda x: x[:9].reshape(3, 3) @ x[9:],
    "stacked product": lambda x: np.matmul(x.reshape(3, 2, 2), np.ones((2, 1))),
    "einsum": lambda x: np.einsum("ij,j->i", BANDED, x[:4]),
    "einsum of two": lambda x: np.einsum("ik,jk->ij", x[:6].reshape(2, 3), x[6:].reshape(2, 3)),
    "einsum diagonal": lambda x: np.einsum("ii->i", x[:9].reshape(3, 3)),
    "einsum of three": lambda x: np.einsum("ab,bc,c->a", BANDED, BANDED.T, x[:4]),
    "vecdot": lambda x: np.vecdot(x.reshape(3, 4), np.arange(4.0)),
    "outer": lambda x: np.outer(x[:2], x[2:5]),
    "outer of arrays": lambda x: np.outer(x[:4].reshape(2, 2), x[4:6]),
    "kron": lambda x: np.kron(x[:4].reshape(2, 2), x[4:7]),
    "kron with a constant": lambda x: np.kron([1.0, 2.0], x[:4].reshape(2, 2)),
    "inner": lambda x: np.inner(BANDED, x.reshape(3, 4)),
    "inner with a number": lambda x: np.inner(x[:3], x[5]),
    "tensordot": lambda x: np.tensordot(x.reshape(2, 3, 2), np.eye(2), ((0,), (1,))),
    "tensordot of two": lambda x: np.tensordot(x[:6].reshape(2, 3), x[6:].reshape(2, 3), ([1], [1])),
    "cross": lambda x: np.cross(x[:6].reshape(2, 3), x[6:].reshape(3, 2), axisb=0),
    "cross with a constant": lambda x: np.cross([1.0, 2.0, 3.0], x[:6].reshape(2, 3)),
    "trace": lambda x: np.trace(x.reshape(3, 2, 2), 1, 1, 2),
    "vdot": lambda x: np.vdot(x[:3], x[3:6]) * x[7:9],
    "rows over rows": lambda x: np.vstack([x[:3], np.ones(3), x[3:9].reshape(2, 3)]),
    "side by side": lambda x: [np.hstack([x[:2], 1.0, x[5]]), np.hstack([x[:2].reshape(2, 1), x[4:8].reshape(2, 2)])][1],
    "columns": lambda x: np.column_stack([x[:3], x[3:9].reshape(3, 2)]),
    "in depth": lambda x: np.dstack([x[:3], x[3:6]]),
    "tile": lambda x: np.tile(x[:4].reshape(2, 2), (2, 1, 2)),
    "repeat": lambda x: np.repeat(x[:4].reshape(2, 2), [1, 2], axis=0),
    "take": lambda x: np.take(x.reshape(3, 4), [0, 2], axis=1),
    "var": lambda x: np.var(x.reshape(3, 4), axis=1),
    "std around a mean": lambda x: np.std(x[:9].reshape(3, 3), axis=1, mean=x[9:, None], keepdims=True),
    "cumprod": lambda x: np.cumprod(x.reshape(3, 4), axis=1),
    "cumulative": lambda x: np.cumulative_prod(x[:4], include_initial=True),
    "bincount": lambda x: np.bincount(np.arange(12) % 3, x),
    "fft": lambda x: np.abs(np.fft.fft(x.reshape(3, 4), axis=1)),
    "inv": lambda x: np.linalg.inv(x.reshape(3, 2, 2) + np.eye(2)),
    "det": lambda x: np.linalg.det(x.reshape(3, 2, 2)),
    "parts of items": lambda x: x.view(complex)[1:3].imag,
    "solve": lambda x: np.linalg.solve(BANDED, x[:4]),
    "solve, columns": lambda x: np.linalg.solve(BANDED.T, x.reshape(4, 3)),
    "solve, matrices": lambda x: np.linalg.solve(np.stack([np.eye(2), np.ones((2, 2)) + np.eye(2)]), x[:8].reshape(2, 2, 2)),
    "solve for one column": lambda x: np.linalg.solve(np.stack([np.eye(2), np.tri(2)]), x[:4].reshape(2, 2, 1)),
    "solve by matrices": lambda x: np.linalg.solve(x.reshape(3, 2, 2) + 2 * np.eye(2), np.ones((3, 2, 1))),
    "solve, both": lambda x: np.linalg.solve(x[:4].reshape(2, 2) + 2 * np.eye(2), x[4:8].reshape(2, 2)),
    "solve, both, one vector": lambda x: np.linalg.solve(x[:4].reshape(2, 2) + 2 * np.eye(2), x[4:6]),
    "cyclic": lambda x: np.linalg.solve(np.eye(4) + np.roll(np.eye(4), 1, 0) / 2, x[:4]),
    "lstsq": lambda x: np.linalg.lstsq(np.vander(np.arange(4.0), 2), x.reshape(4, 3), rcond=None)[0],
    "slogdet": lambda x: np.linalg.slogdet(x.reshape(3, 2, 2) + 2 * np.eye(2))[1],
    "pinv": lambda x: np.linalg.pinv(x.reshape(2, 2, 3)),
    "svd": lambda x: np.linalg.svd(x.reshape(3, 2, 2))[1],
    "convolve": lambda x: np.convolve(x, [1.0, 0.0, 2.0]),
    "convolve, the same": lambda x: np.convolve(x[:5], [1.0, 0.0, 2.0, 1.0], "same"),
    "convolve, valid": lambda x: np.convolve([1.0, 0.0, 2.0], x, "valid"),
    "convolve two": lambda x: np.convolve(x[:3], x[3:8]),
    "convolve a kernel": lambda x: np.convolve(np.arange(5.0), x[:3]),
    "correlate": lambda x: np.correlate(x, [1.0, 0.0, 2.0, 3.0]),
    "correlate, the same": lambda x: np.correlate(x[:4], [1.0, 0.0, 2.0, 3.0, 4.0, 5.0], "same"),
    "correlate a kernel": lambda x: np.correlate(np.arange(6.0) + 1, x[:3], "full"),
    "interp": lambda x: np.interp([0.5, 1.5, -1.0, 9.0, 2.0], np.arange(4.0), x[:4]),
    "interp, own ends": lambda x: np.interp([0.5, -1.0, 9.0], np.arange(4.0), x[:4], left=7.0, right=x[5]),
    "interp at points": lambda x: np.interp(x[:5], [0.0, 0.45, 0.8, 3.0], [1.0, 3.0, 2.0, 0.0]),
    "sum where": lambda x: np.sum(x.reshape(3, 4), axis=1, where=np.arange(4) % 2 == 0),
    "gradient": lambda x: np.gradient(x),
    "reduceat": lambda x: np.add.reduceat(x, [0, 4, 7]),
    "fft of two axes": lambda x: np.abs(np.fft.fft2(x.reshape(3, 2, 2))),
    "rfft": lambda x: np.abs(np.fft.rfft(x.reshape(4, 3), axis=0)),
    "std": lambda x: np.std(x.reshape(3, 4), axis=1),
    "pad": lambda x: np.pad(x[:4], 2, mode="reflect"),
    "nothing": lambda x: np.arange(3.0),
    "float32": lambda x: x.astype(np.float32)[1:4] * np.float32(2),
}


@pytest.mark.parametrize("name", EXACT)
def test_exact(name):
    f = EXACT[name]
    pattern = ng.jacobian_sparsity(f, X)
    expected = differences(f, X) if name != "constant" else np.eye(12, dtype=bool)
    np.testing.assert_array_equal(pattern.toarray(), expected)
    assert not (dense(f, X) != 0)[~pattern.toarray()].any()


# What depends on values is counted on all branches; what has no pattern of its own is dense.
CONSERVATIVE = {
    "where": lambda x: np.where(x[:6] > 0.7, x[6:], x[:6]),
    "maximum": lambda x: np.maximum(x[:6], x[6:]),
    "max": lambda x: x.reshape(3, 4).max(axis=1),
    "masked": masked,
    "complex parts": complex_parts,
    "parts of complex items": lambda x: x.view(complex)[1:3].copy().view(float)[1:],
    "solve, no diagonal": lambda x: np.linalg.solve(np.eye(4)[[1, 2, 3, 0]], x[:4]),
    "qr": lambda x: np.linalg.qr(x.reshape(2, 3, 2))[1],
    "eigh": lambda x: np.linalg.eigh(x.reshape(3, 2, 2))[1] ** 2,
    "lstsq, both": lambda x: np.linalg.lstsq(x[:6].reshape(3, 2), x[6:].reshape(3, 2), rcond=None)[1],
    "sort": np.sort,
    "sort of rows": lambda x: np.sort(x.reshape(3, 4), axis=0),
    "sort of all": lambda x: np.sort(x.reshape(3, 4), axis=None),
    "partition": lambda x: np.partition(x.reshape(3, 4), 1),
    "median": lambda x: np.median(x.reshape(3, 4), axis=1),
    "medians kept": lambda x: np.median(x.reshape(3, 2, 2), axis=(0, 2), keepdims=True),
    "quantiles": lambda x: np.quantile(x[:8].reshape(2, 4), x[8:10] / 3, axis=1),
    "quantiles kept": lambda x: np.nanpercentile(x.reshape(3, 4), [[20.0, 30.0]], axis=0, keepdims=True),
    "nanmax": lambda x: np.nanmax(x.reshape(3, 4), axis=0),
    "ptp": lambda x: np.ptp(x.reshape(3, 4), axis=0),
    "solve": lambda x: np.linalg.solve(x[:4].reshape(2, 2) + 2 * np.eye(2), x[4:6]),
    "interp": lambda x: np.interp(x[:3], np.arange(3.0), x[3:6]),
    "interp, nodes": lambda x: np.interp([0.5, 0.9], np.cumsum(x[:4]), [1.0, 2.0, 4.0, 8.0]),
    "interp, period": lambda x: np.interp([0.5, 3.9], [0.0, 1.0, 2.0], x[:3], period=3.0),
    "max where": lambda x: np.max(x.reshape(3, 4), axis=1, where=np.arange(4) < 3, initial=-9.0),
    "median of rows": lambda x: np.median(x.reshape(4, 3), axis=1),
    "percentile": lambda x: np.percentile(x.reshape(3, 4), 30, axis=1),
    "unique": lambda x: np.unique(x),
    "norms": lambda x: x / np.linalg.norm(x),
    "eigenvalues": lambda x: np.linalg.eigvalsh(x[:9].reshape(3, 3) + x[:9].reshape(3, 3).T),
    "cov": lambda x: np.cov(x.reshape(3, 4)),
    "gradient": lambda x: np.gradient(x),
    "matmul along axes": lambda x: np.matmul(x.reshape(3, 4), BANDED, axes=[(0, 1), (0, 1), (1, 0)]),
}


@pytest.mark.parametrize("name", CONSERVATIVE)
def test_never_too_few(name):
    f = CONSERVATIVE[name]
    pattern = ng.jacobian_sparsity(f, X).toarray()
    assert not differences(f, X)[~pattern].any()
    assert not (dense(f, X) != 0)[~pattern].any()


@pytest.mark.parametrize("run", RUNS, ids=by_script)
def test_legacy_scripts(run):
    function = getattr(run_all.load(run["script"]), run["function"])
    point, *further = run_all.arguments(run)
    pattern = ng.jacobian_sparsity(function, point, *further)
    expected = np.reshape(ng.jacobian(function)(point, *further), pattern.shape)
    assert not (expected != 0)[~pattern.toarray()].any()


STEPS = {
    "add": lambda u, a, b: u[a] + u[b],
    "multiply": lambda u, a, b: u[a] * np.sin(u[b]),
    "reverse": lambda u, a, b: u[a][::-1] - u[b],
    "transposed": lambda u, a, b: u[a].reshape(2, 3).T.reshape(-1) * 2.0,
    "gather": lambda u, a, b: u[a][[0, 0, 2, 5, 4, 4]],
    "sums": lambda u, a, b: np.repeat(u[a].reshape(2, 3).sum(axis=0), 2),
    "product": lambda u, a, b: (u[a].reshape(2, 3) @ u[b].reshape(3, 2)).reshape(-1)[[0, 1, 2, 3, 0, 1]],
    "where": lambda u, a, b: np.where(u[a] > 0, u[a], u[b]),
    "roll": lambda u, a, b: np.roll(u[a], 1) * u[b],
    "sort": lambda u, a, b: np.sort(u[a]) + u[b],
    "cumsum": lambda u, a, b: np.cumsum(u[a].reshape(2, 3), axis=b % 2).reshape(-1),
    "cumprod": lambda u, a, b: np.cumprod(u[a]),
    "convolve": lambda u, a, b: np.convolve(u[a], [1.0, 0.0, -2.0], ["same", "full"][b % 2])[:6],
    "convolve two": lambda u, a, b: np.convolve(u[a], u[b][:2], "same"),
    "correlate": lambda u, a, b: np.correlate(u[a], u[b][1:4], "same"),
    "solve": lambda u, a, b: np.linalg.solve(np.eye(6) + np.diag([1.0, 0, 2, 0, 1], b % 2 * 2 - 1), u[a]),
    "solve by": lambda u, a, b: np.linalg.solve(np.diag(u[a][:3] ** 2 + 2), u[b].reshape(3, 2)).reshape(-1),
    "interp": lambda u, a, b: np.interp([0.5, 1, 2.5, 4.9, -1, 7], np.arange(6.0), u[a], left=0.0),
    "interp at": lambda u, a, b: np.interp(u[a], np.linspace(-1, 1, 6), u[b]),
    "fft": lambda u, a, b: np.abs(np.fft.rfft(u[a].reshape(2, 3), axis=1) + 2).reshape(-1)[[0, 1, 2, 3, 0, 1]],
    "einsum": lambda u, a, b: np.einsum("ij,kj,j->ik", u[a].reshape(2, 3), u[b].reshape(2, 3), [1.0, 0, 2]).reshape(-1)[
        [0, 1, 2, 3, 0, 1]
    ],
    "joined": lambda u, a, b: np.concatenate([u[a][:2], np.ones(1), u[b][3:]]),
    "extremes": lambda u, a, b: np.repeat(np.max(u[a].reshape(2, 3), 1) * np.min(u[b]), 3),
    "some": lambda u, a, b: np.repeat(np.sum(u[a].reshape(2, 3), 1, where=np.arange(3) != b), 3),
    "gradient": lambda u, a, b: np.gradient(u[a]) * u[b][0],
    "std": lambda u, a, b: np.repeat(np.std(u[a].reshape(2, 3), axis=0), 2),
    "inverse": lambda u, a, b: np.linalg.inv(u[a][:4].reshape(2, 2) + 3 * np.eye(2)).reshape(-1)[[0, 1, 2, 3, 0, 1]],
    "items": lambda u, a, b: np.array([u[a, 1], u[b, 2] * u[a, 0], 1.0, u[b, 5], 0.0, u[a, 3]]),
    "polynomial": lambda u, a, b: np.polyval(u[a][:3], u[b]),
    "median": lambda u, a, b: np.repeat(np.median(u[a].reshape(2, 3), axis=1), 3),
}
WRITES = {
    "rows": lambda u, a, b, value: u.__setitem__(a, value),
    "slice": lambda u, a, b, value: u[a, 1:4].__imul__(value[:3]),
    "column": lambda u, a, b, value: u.__setitem__((slice(None), b), value[:4]),
    "scatter": lambda u, a, b, value: u[a].__setitem__([1, 1, 3], value[:3]),
    "added": lambda u, a, b, value: np.add.at(u[a], [0, 0, 5], value[3:]),
    "strided": lambda u, a, b, value: u.T[b].__iadd__(value[2:]),
    "out": lambda u, a, b, value: np.multiply(value, u[b], out=u[a]),
    "masked": lambda u, a, b, value: np.add(value, 1.0, out=u[a], where=np.arange(6) % 2 == 0),
}
PROGRAMS = st.lists(
    st.tuples(st.sampled_from(sorted(STEPS)), st.sampled_from(sorted(WRITES)), *[st.integers(0, 3)] * 4),
    min_size=1, max_size=6,
)  # fmt: skip


@pytest.mark.once
@settings(max_examples=150, deadline=None)
@given(PROGRAMS, st.integers(0, 2**32 - 1))
def test_random_programs(steps, seed):
    def program(x):
        u = np.zeros((4, 6))
        u[:2] = x[:12].reshape(2, 6)
        u[3] = x[6:]
        for step, write, a, b, c, d in steps:
            WRITES[write](u, c, d, 0.1 * STEPS[step](u, a, b))
        return u

    rng = np.random.default_rng(seed)
    derivative = ng.sparse_jacobian(program)
    for x in (rng.uniform(-1, 1, 12), rng.uniform(-1, 1, 12), np.zeros(12)):
        pattern = ng.jacobian_sparsity(program, x)
        expected = dense(program, x)
        assert not (expected != 0)[~pattern.toarray()].any()
        # The pattern of the first point is used again, unless the program has taken another path.
        np.testing.assert_allclose(derivative(x).toarray(), expected, rtol=1e-10, atol=1e-10)


def test_columns_ascend_and_several_arguments_stand_side_by_side():
    def f(a, b):
        return {"first": a[::-1] * b, "second": b.sum()}

    pattern = ng.jacobian_sparsity(f, np.ones(3), 2.0 * np.ones(3), argnums=(0, 1))
    assert pattern.shape == (4, 6) and pattern.nnz == 9
    assert pattern.indices.tolist() == [2, 3, 1, 4, 0, 5, 3, 4, 5] and pattern.indptr.tolist() == [0, 2, 4, 6, 9]


def test_a_dense_intermediate_result_costs_no_square():
    n = 20_000
    x = np.linspace(1, 2, n)
    pattern = ng.jacobian_sparsity(lambda x: np.sum(x * x.sum() / np.linalg.norm(x)), x)
    assert pattern.shape == (1, n) and pattern.nnz == n


def test_an_element_read_and_written_costs_no_array():
    """A loop over elements of a large array: 2 * 4000 moves of one element each."""
    n = 4000

    def f(x):
        u = np.zeros(100 * n)
        for i in range(n):
            u[100 * i] = x[i]
        return u[::100]

    assert (ng.jacobian_sparsity(f, np.ones(n)).indices == np.arange(n)).all()
