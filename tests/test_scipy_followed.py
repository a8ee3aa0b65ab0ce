"""SciPy's functions with a rule: values are SciPy's bit for bit, inside a tape and outside, and derivatives are those of
differences, in both modes, to second order, with batches, in single precision, with complex numbers, in any layout."""

from __future__ import annotations

import functools
import importlib
import subprocess
import sys
import types
from builtins import type
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from comparisons import assert_same_bits, assert_second_derivatives_like_differences
from sampling import through

import npgrad as ng
from npgrad.testing import Linearised, check_gradients

pytest.importorskip("scipy", reason="scipy is not installed: its functions are not tested")
linalg, sparse, sparse_linalg, fft = map(
    importlib.import_module, ("scipy.linalg", "scipy.sparse", "scipy.sparse.linalg", "scipy.fft")
)
SAMPLES: dict[str, Any] = {}
for _module in ("scipy_samples", "scipy_more_samples", "scipy_sparse_samples", "scipy_answer_samples"):
    SAMPLES |= importlib.import_module(_module).SAMPLES


def for_families(test: Callable) -> Callable:
    """Makes a test of one sample a test of each family, which fails with the errors of all its samples that fail."""

    @pytest.mark.parametrize("family", SAMPLES)
    def of_family(family: str) -> None:
        through(lambda sample: test(*sample[1]), [*SAMPLES[family].items()])

    of_family.__name__, of_family.__doc__ = test.__name__, test.__doc__
    return of_family


@for_families
def test_values_are_scipys(f: Callable, *points: Any) -> None:
    expected = f(*points)
    with ng.GradientTape() as tape:
        assert_same_bits(f(*points), expected)
        assert_same_bits(f(*[tape.watch(p) for p in points]), expected)
    assert_same_bits(f(*points), expected)


@pytest.mark.once
@for_families
def test_derivatives(f: Callable, *points: Any) -> None:
    check_gradients(f, *points, order=1)
    # As far as `check_gradients` trusts differences: at a knot, the second derivative of a spline has a kink.
    assert_second_derivatives_like_differences(f, [*points], np.random.default_rng(0), settled=5e-3)


def _every_other(array: Any) -> Any:
    return array[tuple(slice(None, None, 2) for _ in range(array.ndim))]


def _apart(array: np.ndarray) -> np.ndarray:
    """Every element repeated along all axes."""
    for axis in range(array.ndim):
        array = np.repeat(array, 2, axis)
    return array


# How an array holds the numbers of a point, and the view of it that has them in their order.
WAYS: list[tuple[Callable, Callable]] = [(_apart, _every_other), (lambda a: a.T.copy(), lambda a: a.T)]
WAYS += [(lambda a: np.flip(a).copy(), lambda a: a[tuple(slice(None, None, -1) for _ in range(a.ndim))])]


@pytest.mark.once
@pytest.mark.filterwarnings("ignore:logm result may be inaccurate")
@for_families
def test_layouts_and_single_precision(f: Callable, *points: Any) -> None:
    rng = np.random.default_rng(0)
    as_it_is = Linearised(f, [*points])
    cotangents = as_it_is.random_cotangents(rng)
    wanted = as_it_is.pull(cotangents)
    for holding, view in WAYS:
        held = [holding(p) for p in points]
        linear = Linearised(lambda *arrays, view=view: f(*map(view, arrays)), held)
        assert_same_bits(linear.value, f(*map(view, held)))
        for one, want in zip(linear.pull(cotangents), wanted, strict=True):
            np.testing.assert_allclose(view(one), want, rtol=1e-9, atol=1e-12 * max(1.0, float(np.max(np.abs(want)))))
    single = [p.astype(np.complex64 if p.dtype.kind == "c" else np.float32) for p in points]
    linear = Linearised(f, single)
    assert_same_bits(linear.value, f(*single))
    back = linear.pull([np.asarray(c).astype(leaf.dtype) for c, leaf in zip(cotangents, linear.leaves, strict=True)])
    for one, point, want in zip(back, single, wanted, strict=True):
        assert one.dtype == point.dtype
        np.testing.assert_allclose(one, want, rtol=0.02, atol=2e-3 * max(1.0, float(np.max(np.abs(want)))))


def test_results_are_arrays_to_write_into() -> None:
    matrix = sparse.csr_array(np.diag([2.0, 3.0, 4.0]) + np.eye(3, k=1))

    def program(x: Any) -> Any:
        u = matrix @ x
        u[1:] = x[:2] * u[0]
        v = matrix @ np.ones(3)  # plain, and made by the program
        v[0] = x[2]
        w = np.zeros(3)
        w[1:] = (matrix.T @ u)[1:]
        return u + v * w

    check_gradients(program, np.array([0.3, 0.7, -0.2]))


def test_what_a_constant_matrix_held_is_kept() -> None:
    """A sparse matrix is the user's, who may change it: the derivative is that of the product when it was made."""
    matrix = sparse.csr_array(np.array([[1.0, 2.0], [0.0, 3.0]]))
    with ng.GradientTape() as tape:
        x = tape.watch(np.ones(2))
        y = matrix @ x
        matrix.data[:] = 7.0
    np.testing.assert_array_equal(tape.gradient(y, x), [1.0, 5.0])
    assert matrix.data.tolist() == [7.0, 7.0, 7.0]


def test_methods_stay_where_the_first_tape_has_put_them() -> None:
    """And do SciPy's own where no tape records, for arrays that a tape has made, too."""
    kinds = {kind for one in (sparse.csr_array, sparse.coo_matrix, sparse.lil_matrix) for kind in one.__mro__}
    with pytest.raises(ZeroDivisionError), ng.GradientTape() as tape:
        during = {kind: dict(vars(kind)) for kind in kinds}
        x = tape.watch(np.ones(2))
        raise ZeroDivisionError
    assert {kind: dict(vars(kind)) for kind in kinds} == during
    matrix = sparse.csr_array(np.array([[1.0, 2.0], [0.0, 3.0]]))
    for made in (matrix @ np.ones(2), matrix @ x):
        assert type(made) is np.ndarray
        assert made.tolist() == [3.0, 3.0]


def test_what_is_loaded_in_the_middle_of_a_tape() -> None:
    """The first import of a module may be inside a function that a tape hears."""
    program = """
import numpy as np, npgrad as ng
with ng.GradientTape() as tape:
    x = tape.watch(np.array([0.5, 1.0]))
    from scipy.linalg import solve
    y = solve(np.diag([2.0, 4.0]), x)
print(tape.gradient(y, x).tolist())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert eval(done.stdout) == [0.5, 0.25]


def test_names_that_a_module_bound_before(monkeypatch: pytest.MonkeyPatch) -> None:
    program = types.ModuleType("program_of_a_user")
    program.__file__ = __file__
    monkeypatch.setitem(sys.modules, program.__name__, program)
    exec("from scipy.linalg import solve\ndef run(a, x):\n    return solve(a, x, overwrite_b=True)", vars(program))
    solve = vars(program)["solve"]
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([3.0, 5.0]))
        y = vars(program)["run"](np.diag([2.0, 4.0]), x)
    assert vars(program)["solve"] is solve
    np.testing.assert_array_equal(tape.gradient(y, x), [0.5, 0.25])
    np.testing.assert_array_equal(x, [3.0, 5.0])


def test_permission_to_overwrite_is_not_passed_on() -> None:
    """A tape may have saved what the function would spoil, also where the permission is given by position."""
    a = np.asfortranarray(np.array([[2.0, 1.0], [0.0, 4.0]]))
    with ng.GradientTape() as tape:
        x = tape.watch(a)
        y = np.sum(x * x) + np.sum(linalg.inv(x, True) * linalg.cholesky(x @ x.T, True, True))
    np.testing.assert_array_equal(x, a)
    check_gradients(lambda x: np.sum(x * x) + np.sum(linalg.inv(x) * linalg.cholesky(x @ x.T, True)), a, order=1)
    np.testing.assert_allclose(
        tape.gradient(y, x),
        ng.grad(lambda x: np.sum(x * x) + np.sum(linalg.inv(x) * linalg.cholesky(x @ x.T, True)))(a),
        rtol=1e-12,
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda x: linalg.solve(np.outer(x, x) + np.eye(3), x, assume_a="banded"),
        lambda x: linalg.eigh(np.outer(x, x), np.diag(x), type=2)[0],
        lambda x: linalg.qr(np.outer(x, x), pivoting=True)[1],
        lambda x: linalg.pinv(np.outer(x, x), return_rank=True)[0],
        lambda x: linalg.schur(np.outer(x, x))[0],
        lambda x: sparse_linalg.cg(np.diag(x), np.ones(3))[0],
        lambda x: sparse_linalg.cg(np.eye(3), x, M=np.diag(x))[0],
        lambda x: sparse.diags_array(x).tocsr().maximum(sparse.csr_array(np.eye(3))),
        lambda x: sparse_linalg.spsolve(sparse.diags_array(x).tocsc(), sparse.csc_array(np.eye(3))),
        lambda x: sparse_linalg.spilu(sparse.diags_array(x).tocsc()).solve(np.ones(3)),
        lambda x: sparse_linalg.inv(sparse.diags_array(x).tocsc()),
        lambda x: sparse_linalg.eigsh(sparse.diags_array(x).tocsc(), 1),
        lambda x: sparse_linalg.expm_multiply(sparse.diags_array(x).tocsc(), np.ones(3)),
        lambda x: fft.dct(x * 1j, orthogonalize=True),
        lambda x: fft.fht(x, 0.1, 0.2),
    ],
)
def test_calls_that_a_rule_does_not_cover_are_refused(call: Any) -> None:
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([0.3, 0.5, 0.7]))
        with pytest.raises(ng.LeakError, match=r"scipy\.(linalg|sparse|fft)\.\S+ takes traced data"):
            call(x)


def test_what_stands_for_factors() -> None:
    """Factors that the program holds: in a module, in a closure, made in the tape and kept after it."""
    matrix = sparse.csc_array(np.diag([2.0, 4.0]))
    program = types.ModuleType("program_with_factors")
    program.__file__ = __file__
    exec("import scipy.sparse.linalg as s\ndef run(x):\n    return lu.solve(x) + solve(x)", vars(program))
    before = sparse_linalg.splu(matrix)
    vars(program).update(lu=before, solve=before.solve)
    sys.modules[program.__name__] = program
    try:
        with ng.GradientTape() as tape:
            x = tape.watch(np.array([1.0, 3.0]))
            assert isinstance(vars(program)["lu"], sparse_linalg.SuperLU)
            y = vars(program)["run"](x)
            made = sparse_linalg.splu(matrix)
            assert made.shape == (2, 2) and made.L.nnz == 2
            z = made.solve(y)
    finally:
        del sys.modules[program.__name__]
    assert vars(program)["lu"] is before and vars(program)["solve"] == before.solve
    np.testing.assert_array_equal(tape.gradient(z, x), [0.5, 0.125])
    np.testing.assert_array_equal(made.solve(np.ones(2)), [0.5, 0.25])
    np.testing.assert_array_equal(ng.jacobian(lambda x: before.solve(x))(np.ones(2)), np.diag([0.5, 0.25]))


KEEPING: dict[str, Callable] = {
    "factorized": lambda matrix: sparse_linalg.factorized(matrix),
    "a method": lambda matrix: sparse_linalg.splu(matrix).solve,
    "a method with an argument": lambda matrix: functools.partial(sparse_linalg.splu(matrix).solve, trans="T"),
    "a partial of it": lambda matrix: functools.partial(functools.partial(sparse_linalg.splu(matrix).solve)),
    "factors": lambda matrix: types.SimpleNamespace(lu=sparse_linalg.splu(matrix)).lu.solve,
}


@pytest.mark.parametrize("made", KEEPING.values(), ids=KEEPING)
def test_what_a_program_keeps_of_factors_is_scipys_own(made: Callable) -> None:
    """Made in the first call, used in later ones and outside of all."""
    kept: dict[str, Any] = {}

    def run(x: Any) -> Any:
        if not kept:
            kept["solve"] = made(sparse.csc_array(np.diag([2.0, 4.0, 8.0])))
        return (kept["solve"](x) ** 2).sum()

    x = np.array([0.4, 1.2, -0.3])
    gradient = ng.grad(run)(x)
    solve = kept["solve"]
    assert type(getattr(solve, "func", solve)) is types.BuiltinMethodType
    np.testing.assert_array_equal(solve(x), [0.2, 0.3, -0.0375])
    np.testing.assert_allclose(gradient, ng.finite_difference.grad(run)(x), atol=1e-9)
    np.testing.assert_array_equal(ng.grad(run)(x), gradient)
    kept.clear()
    with ng.GradientTape() as tape:
        watched = tape.watch(x)
        value = run(watched)
    np.testing.assert_array_equal(tape.gradient(value, watched), gradient)
    np.testing.assert_array_equal(kept["solve"](x), [0.2, 0.3, -0.0375])
    np.testing.assert_array_equal(ng.grad(run)(x), gradient)


def test_factors_of_a_local_variable_are_followed() -> None:
    factors = sparse_linalg.splu(sparse.csc_array(np.diag([2.0, 4.0])))
    with ng.GradientTape() as tape:
        x = tape.watch(np.ones(2))
        y = factors.solve(x) * 2
    np.testing.assert_array_equal(tape.gradient(y, x), [1.0, 0.5])


def test_factors_that_no_search_finds_are_refused_with_a_cure() -> None:
    """Compiled code has them, and nothing leads to where they are."""
    held = types.MappingProxyType({"factors": sparse_linalg.splu(sparse.csc_array(np.diag([2.0, 4.0])))})
    with ng.GradientTape() as tape:
        x = tape.watch(np.ones(2))
        with pytest.raises(ng.LeakError, match=r"factorise inside of the tape"):
            held["factors"].solve(x) * 2


def test_an_iteration_that_does_not_converge_for_the_derivative_raises() -> None:
    matrix = np.diag(np.arange(1.0, 9.0))
    with ng.GradientTape() as tape:
        x = tape.watch(np.eye(8)[0])  # an eigenvector: one step
        y, info = sparse_linalg.cg(matrix, x, rtol=1e-10, maxiter=2)
        assert info == 0
    with pytest.raises(RuntimeError, match=r"cg did not converge for a derivative"):
        tape.gradient(y, x)
