"""Dense Jacobians from compressed sweeps: the same as from full ones, whichever course the program takes."""

import dataclasses
import threading
import tracemalloc
from builtins import type

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from test_sparse_pattern import PROGRAMS, STEPS, WRITES

import npgrad as ng
from npgrad import _compression, _jacobians

U = np.random.default_rng(0).uniform(0.2, 1.0, 100)


def right_hand_side(u):
    d = np.zeros_like(u)
    d[1:-1] = u[2:] - 2 * u[1:-1] + u[:-2]
    d[0] = u[1] - 2 * u[0]
    d[-1] = u[-2] - 2 * u[-1]
    for _ in range(3):
        d *= 0.9
        d += 0.1 * np.sin(u) * u
        d[1:] -= 0.05 * u[:-1] * u[1:]
    d -= u**3
    return d


@pytest.fixture
def sweeps(monkeypatch):
    """How many rows each sweep had, in order, with its direction."""
    seen = []
    for name, batch in (("gradients_of", 3), ("tangents_of", 3)):
        inner = getattr(_jacobians, name)

        def noted(*args, inner=inner, name=name, batch=batch):
            seen.append((name, *args[batch]))
            return inner(*args)

        monkeypatch.setattr(_jacobians, name, noted)
    return seen


def full(f, *args, argnums=0, **options):
    """The Jacobian by full sweeps: of a function that has learned nothing."""
    return ng.jacobian(f, argnums, **options)(*args)


@dataclasses.dataclass
class Pair:
    a: object
    b: object


def two(u, v):
    return {"sum": u[1:] + 2.0 * v[:-1] ** 2, "parts": (u * np.exp(v), v[::-1] * 1.0)}


def two_dimensions(u):
    m = u.reshape(10, 10)
    out = np.zeros((10, 10))
    out[1:] = np.sin(m[:-1]) * m[1:]
    out.T[3] += m[:, 4]
    return out


CASES = {
    "legacy": (right_hand_side, (U,), 0),
    "two arguments and structures": (two, (U, U[::-1].copy()), (0, 1)),
    "one of two arguments": (two, (U, U[::-1].copy()), 1),
    "a dict": (lambda p: p["x"] * p["y"][::-1] + np.sin(p["x"]), ({"x": U, "y": U + 1},), 0),
    "a dataclass": (lambda p: Pair(p.a * 2.0, np.roll(p.b, 1) * p.a), (Pair(U, U + 1),), 0),
    "two dimensions": (two_dimensions, (U,), 0),
    "index arrays": (lambda u: np.sqrt(u[[*range(50, 100), *range(50)]]) * u, (U,), 0),
    "a banded matrix": (lambda u: np.tanh((np.eye(100) + np.eye(100, k=3)) @ u), (U,), 0),
    "single precision": (right_hand_side, (U.astype(np.float32),), 0),
    "tall": (lambda u: np.concatenate([u * k for k in range(1, 6)]) ** 2, (U,), 0),
    "wide": (lambda u: (u.reshape(20, 5) ** 2).sum(axis=1), (U,), 0),
    "one full row": (lambda u: np.append(u**2, u.sum()), (U,), 0),
    "sources with gaps": (lambda u, v: u[::2] * 3.0 + 0.0 * v, (U, np.ones(1)), (0, 1)),
}


def assert_same(found, expected):
    one, other = (ng._structure.flatten(j)[0] for j in (found, expected))
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        eps = np.finfo(b.dtype).eps
        np.testing.assert_allclose(a, b, rtol=100 * eps, atol=100 * eps * np.abs(b).max(initial=0))


@pytest.mark.parametrize("max_bytes", [None, 1 << 17])
@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
@pytest.mark.parametrize("name", CASES)
def test_it_is_what_full_sweeps_give(name, mode, max_bytes, sweeps):
    f, args, argnums = CASES[name]
    derivative = ng.jacobian(f, argnums, mode=mode, max_bytes=max_bytes)
    rng = np.random.default_rng(1)
    for _ in range(5):
        args = ng._structure.map_structure(lambda x: (x * rng.uniform(0.9, 1.1, x.shape)).astype(x.dtype), args)
        expected = full(f, *args, argnums=argnums, mode=mode)
        sweeps.clear()
        assert_same(derivative(*args), expected)
    assert mode != "auto" or max_bytes or sum(rows for _, rows in sweeps) < 60


def test_few_rows_from_the_second_call_on(sweeps):
    derivative = ng.jacobian(right_hand_side)
    for rows in (100, 3, 3, 3):
        sweeps.clear()
        derivative(U)
        assert sweeps == [("gradients_of", rows)]
    n = 1000  # here the pattern pays at once
    sweeps.clear()
    ng.jacobian(right_hand_side)(np.linspace(0, 1, n))
    assert sweeps == [("gradients_of", 3)]


def test_value_and_auxiliary_data():
    derivative = ng.value_and_jacobian(lambda u: (u[1:] * u[:-1], {"first": u[0] * 1.0}), has_aux=True)
    for shift in (0.0, 1.0, 2.0):
        (value, aux), found = derivative(U + shift)
        assert aux == {"first": U[0] + shift}
        np.testing.assert_array_equal(value, (U + shift)[1:] * (U + shift)[:-1])
        np.testing.assert_array_equal(found, full(lambda u: u[1:] * u[:-1], U + shift))


def test_results_are_the_callers_own():
    derivative = ng.jacobian(right_hand_side)
    expected = derivative(U).copy()
    for _ in range(4):
        found = derivative(U)
        np.testing.assert_array_equal(found, expected)
        found[...] = np.nan


def branches(u):
    d = u.copy()
    if u[0] > 0.5:
        d[1:] *= u[:-1]
    k = int(10 * u[1])
    d[k:] += np.sin(u[: len(u) - k])
    order = np.argsort(u[:20])
    d[:20] -= u[order] ** 2
    d[u > 0.7] = u[2] ** 2
    return d


def test_a_course_that_depends_on_values():
    derivative = ng.jacobian(branches)
    rng = np.random.default_rng(2)
    points = [rng.uniform(0, 1, 100) for _ in range(6)]
    for _ in range(4):
        for u in points:
            np.testing.assert_allclose(derivative(u), full(branches, u), rtol=1e-14)


def test_a_program_that_becomes_dense_is_seen():
    def f(u):
        return u * 2.0 if u[0] > 0 else u * u.sum()

    derivative = ng.jacobian(f)
    for sign in (1, 1, 1, -1, 1, -1, -1, 1):
        np.testing.assert_allclose(derivative(sign * U), full(f, sign * U), rtol=1e-14)


def test_sizes_and_dtypes_may_change_from_call_to_call():
    derivative = ng.jacobian(right_hand_side)
    for x in (U, U, U[:50], U.astype(np.float32), U, U[:50], U.astype(np.float32), U[:5], U + 0j, U):
        assert_same(derivative(x), full(right_hand_side, x))


@pytest.fixture
def eager(monkeypatch):
    """Patterns are found at the first call, however small the program is."""
    monkeypatch.setattr(_compression.Learned, "_is_worth", lambda *args: True)
    monkeypatch.setattr(_compression, "_FEW", 1)


def changing(chosen):
    """A function that runs the program that stands in ``chosen``, and takes other ways by the values that it meets."""

    def program(x):
        u = np.zeros((4, 6))
        u[:2] = x[:12].reshape(2, 6)
        u[3] = x[6:]
        for step, write, a, b, c, d in chosen[0]:
            value = 0.1 * STEPS[step](u, a, b)
            if u[a, 1] > u[b, 4]:
                WRITES[write](u, c, d, value)
            elif u[a, 1] < 0:
                u[c] = value[np.argsort(u[b])]
            while u[d, 0] > 0.3:  # some times
                u[d] = u[d] * 0.5 + 0.1 * value[d]
            u[c, int(3 * abs(u[b, 2])) % 6 :] += value[a]
            u[a, u[b] > 0.2] *= 1.1
        return u

    return program


@pytest.mark.once
@settings(max_examples=60, deadline=None)
@given(st.lists(PROGRAMS, min_size=1, max_size=3), st.integers(0, 2**32 - 1))
def test_random_programs_with_changing_courses(programs, seed):
    """Prepared functions that run one program or another, each along ways that depend on values: no pattern lacks an
    element, and compressed derivatives are those of full sweeps."""
    with pytest.MonkeyPatch.context() as patch:
        eager.__wrapped__(patch)
        rng = np.random.default_rng(seed)
        chosen = [programs[0]]
        program = changing(chosen)
        derivatives = [ng.jacobian(program, mode=mode) for mode in ("auto", "forward", "reverse")]
        sparse = ng.sparse_jacobian(program)
        for number in [0, 0, *rng.integers(0, len(programs), 5)]:
            chosen[0] = programs[number]
            x = rng.uniform(-1, 1, 12)
            with ng.GradientTape() as tape:
                traced = tape.watch(x)
                y = program(traced)
            expected = tape.jacobian(y, traced, "zero").reshape(24, 12)
            assert not (expected != 0)[~ng.jacobian_sparsity(program, x).toarray()].any()
            for derivative in derivatives:
                np.testing.assert_allclose(derivative(x).reshape(24, 12), expected, rtol=1e-10, atol=1e-10)
            np.testing.assert_allclose(sparse(x).toarray(), expected, rtol=1e-10, atol=1e-10)


def test_what_is_not_finite_stays_in_its_rows(eager):
    banded = np.eye(30) + np.eye(30, k=1)

    def f(x):
        return 1.0 / (banded @ x)

    derivatives = [ng.jacobian(f, mode=mode) for mode in ("auto", "forward", "reverse")]
    x = np.linspace(1.0, 2.0, 30)
    singular = x.copy()
    singular[5] = -singular[6]
    for derivative in derivatives:
        for point in (x, singular, x):
            finite = np.full(30, True) if point is x else np.arange(30) != 5
            with np.errstate(divide="ignore", invalid="ignore"):
                found = derivative(point)
                expected = -banded / (banded @ point)[:, None] ** 2
            np.testing.assert_allclose(found[finite], expected[finite], rtol=1e-13)
            assert point is x or not np.isfinite(found[5, 5:7]).any()


def test_dense_programs_are_not_looked_at_again(monkeypatch, sweeps):
    found = []
    inner = _compression.pattern_of
    monkeypatch.setattr(_compression, "pattern_of", lambda *args: (found.append(1), inner(*args))[1])
    monkeypatch.setattr(_compression.Learned, "_is_worth", lambda *args: True)
    derivative = ng.jacobian(lambda u: u * u.sum())
    for _ in range(4):
        derivative(U)
    assert len(found) == 1 and sweeps == [("gradients_of", 100)] * 4


def test_single_elements_are_not_looked_at(monkeypatch):
    """A pattern costs much for each call, and rows cost little where calls are on single elements."""

    def f(u):
        out = np.empty(100)
        for i in range(100):
            out[i] = u[i] * u[i - 1]
        return out

    monkeypatch.setattr(_compression, "pattern_of", None)
    derivative = ng.jacobian(f)
    for _ in range(30):
        derivative(U)


def test_a_custom_gradient_that_is_no_linear_map(eager):
    """Each row reaches the function by itself, as in full sweeps."""

    @ng.custom_gradient
    def clipped(x):
        return x * 1.0, lambda ct: np.clip(ct, -0.5, 0.5)

    def f(u):
        return np.append(clipped(u[:3]).sum() * 4.0, np.append(u[3:] ** 2, u[0] * 3.0))

    for mode in ("auto", "reverse"):
        derivative = ng.jacobian(f, mode=mode)
        for _ in range(3):
            np.testing.assert_array_equal(derivative(U[:20]), full(f, U[:20], mode=mode))
    with pytest.raises(NotImplementedError):
        ng.jacobian(f, mode="forward")(U[:20])


def test_under_an_outer_tape_all_is_recorded(eager):
    derivative = ng.jacobian(right_hand_side)
    for _ in range(3):
        derivative(U)
    second = ng.jacobian(lambda u: derivative(u) @ np.ones(100))(U)
    third = ng.jacobian(lambda u: full(right_hand_side, u) @ np.ones(100))(U)
    np.testing.assert_allclose(second, third, rtol=1e-13, atol=1e-15)
    step = 1e-6
    along = (derivative(U + step) - derivative(U - step)) @ np.ones(100) / (2 * step)
    np.testing.assert_allclose(second @ np.ones(100), along, rtol=1e-7, atol=1e-8)


def test_threads_share_what_is_known():
    derivative = ng.jacobian(right_hand_side)
    points = [U[: 100 - 3 * k] * (1 + 0.1 * k) for k in range(8)]
    expected = [full(right_hand_side, x) for x in points]
    wrong = []

    def work(start):
        for k in range(24):
            n = (start + k) % 8
            if not np.allclose(derivative(points[n]), expected[n], rtol=1e-13, atol=1e-15):
                wrong.append(n)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_same_argument_twice(eager):
    derivative = ng.jacobian(right_hand_side, (0, 0))
    for _ in range(3):
        one, other = derivative(U)
        np.testing.assert_array_equal(one, full(right_hand_side, U))
        np.testing.assert_array_equal(other, one)


def test_complex_derivatives_are_full_sweeps():
    z = U * np.exp(1j * U)
    derivative = ng.jacobian(lambda z: z[1:] * z[:-1], holomorphic=True)
    for _ in range(3):
        found = derivative(z)
        assert found[0, 0] == z[1] and found[0, 1] == z[0] and np.count_nonzero(found) == 198


def test_memory_stays_below_the_bound():
    x = np.linspace(0.1, 1.0, 2000)
    derivative = ng.jacobian(right_hand_side, max_bytes=1 << 21)
    for _ in range(2):
        found = derivative(x)
    tracemalloc.start()
    derivative(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - 2 * found.nbytes < 1 << 22  # the result and its copy; the record itself takes a part


def chain(x):
    """Rosenbrock's function through a work array."""
    terms = np.zeros_like(x)
    terms[1:] = 100 * (x[1:] - x[:-1] ** 2) ** 2
    terms[:-1] += (1 - x[:-1]) ** 2
    return terms.sum()


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_hessians(mode, sweeps):
    derivative = ng.hessian(chain, mode=mode)
    for scale in (1.0, 0.9, 1.1, 1.2):
        sweeps.clear()
        found = derivative(U * scale)
        np.testing.assert_allclose(found, ng.hessian(chain, mode=mode)(U * scale), rtol=1e-13)
        x, step = U * scale, 1e-6
        gradients = [ng.grad(chain)(x + sign * step * np.eye(100)[7]) for sign in (1, -1)]
        np.testing.assert_allclose(found[7], (gradients[0] - gradients[1]) / (2 * step), rtol=1e-6, atol=1e-4)
    assert sweeps[0][1] == 3


def test_for_solver(sweeps):
    solvable = ng.for_solver(right_hand_side)
    scalar = ng.for_solver(chain)
    for scale in (1.0, 0.9, 1.1):
        sweeps.clear()
        np.testing.assert_allclose(solvable.jac(U * scale), full(right_hand_side, U * scale), rtol=1e-13, atol=1e-15)
        np.testing.assert_allclose(scalar.hess(U * scale), ng.hessian(chain)(U * scale), rtol=1e-13)
        np.testing.assert_allclose(scalar.hessp(U * scale, U), ng.hessian(chain)(U * scale) @ U, rtol=1e-12)
    assert ("gradients_of", 3) in sweeps and ("tangents_of", 3) in sweeps


def test_second_derivatives_through_work_arrays_from_before():
    work = np.zeros(20)

    def f(x):
        work[:] = x**2
        work[1:] *= x[:-1]
        return work.sum() + work[3] * x[0]

    def g(x):
        made = x**2
        made[1:] *= x[:-1]
        return made.sum() + made[3] * x[0]

    x = U[:20]
    derivative, wanted = ng.hessian(f), ng.hessian(g)
    for scale in (1.0, 0.9, 1.1):
        np.testing.assert_allclose(derivative(x * scale), wanted(x * scale), rtol=1e-13)
        np.testing.assert_allclose(ng.hvp(f, (x,), (U[:20],))[0], wanted(x) @ U[:20], rtol=1e-13)
        assert type(work) is np.ndarray
