"""What the samples of linear algebra cannot show: points without a difference quotient, refusals, views."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from comparisons import assert_same_bits

import npgrad as ng
from npgrad.rules import factorizations
from npgrad.testing import check_gradients

SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])


@pytest.mark.parametrize("ord", [None, 1, 2, 3, np.inf, -np.inf, 0.5])
def test_norm_of_zero_has_derivative_zero(ord: Any) -> None:
    assert np.array_equal(ng.grad(lambda x: np.linalg.norm(x, ord))(np.zeros(3)), np.zeros(3))


@pytest.mark.parametrize("ord", [None, "fro", "nuc", 1, 2, np.inf])
def test_norm_of_zero_matrix_has_derivative_zero(ord: Any) -> None:
    assert np.array_equal(ng.grad(lambda x: np.linalg.norm(x, ord))(np.zeros((2, 2))), np.zeros((2, 2)))


def test_ties_of_the_spectral_norm_share() -> None:
    assert np.allclose(ng.grad(lambda x: np.linalg.norm(x, 2))(np.eye(2)), np.eye(2) / 2)


def test_second_derivative_of_the_norm_next_to_zero_rows() -> None:
    hessian = ng.jacobian(ng.grad(lambda x: np.sum(np.linalg.norm(x, axis=1))))(np.array([[0.0, 0.0], [3.0, 4.0]]))
    expected = (np.eye(2) - np.outer([0.6, 0.8], [0.6, 0.8])) / 5
    assert np.array_equal(hessian[0], np.zeros((2, 2, 2)))
    assert np.allclose(hessian[1, :, 1], expected)


@pytest.mark.parametrize("p", [None, 1, "fro"])
def test_cond_of_a_singular_matrix_is_numpys(p: Any) -> None:
    with ng.GradientTape() as tape:
        x = tape.watch(np.zeros((2, 2)))
        value = np.linalg.cond(x, p)
    with np.errstate(all="ignore"):
        assert np.isinf(value) == np.isinf(np.linalg.cond(np.zeros((2, 2)), p))


def test_slogdet_of_a_singular_matrix_has_no_derivative() -> None:
    with np.errstate(all="ignore"):
        gradient = ng.grad(lambda x: np.linalg.slogdet(x).logabsdet)(SINGULAR)
    assert np.isnan(gradient).all()


def test_determinant_of_a_singular_matrix_has_its_adjugate() -> None:
    assert np.allclose(ng.grad(np.linalg.det)(SINGULAR), [[4.0, -2.0], [-2.0, 1.0]])


def test_determinant_of_a_large_singular_matrix() -> None:
    rng = np.random.default_rng(0)
    a = rng.standard_normal((40, 40))
    a[7] = a[11] - a[3]
    minor = np.delete(np.delete(a, 7, 0), 5, 1)
    assert np.isclose(ng.grad(np.linalg.det)(a)[7, 5], np.linalg.det(minor), rtol=1e-9)


def test_matrix_rank_is_a_plain_number() -> None:
    with ng.GradientTape() as tape:
        rank = np.linalg.matrix_rank(tape.watch(SINGULAR))
    assert rank == 1
    assert not isinstance(rank, ng.TracedArray)


def test_householder_form_is_refused() -> None:
    with ng.GradientTape() as tape:
        x = tape.watch(np.eye(3))
        with pytest.raises(ng.NoRuleError, match="mode='raw'"):
            np.linalg.qr(x, mode="raw")


def test_only_one_triangle_is_read() -> None:
    a = np.array([[2.0, 0.3], [0.7, 3.0]])
    for function in (np.linalg.cholesky, np.linalg.eigvalsh):
        assert ng.grad(lambda x, f=function: np.sum(f(x)))(a)[0, 1] == 0
    assert ng.grad(lambda x: np.linalg.eigvalsh(x, "U")[0])(a)[1, 0] == 0


def test_eigenvalues_in_the_order_that_numpy_gives_without_vectors() -> None:
    rng = np.random.default_rng(3)
    a = rng.standard_normal((12, 12))
    direction = rng.standard_normal((12, 12))
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(a)
        w = np.linalg.eigvals(x)
    rows = [tape.gradient(w, x, output_gradients=np.eye(12)[k] + 0j) for k in range(12)]
    h = 1e-6
    ahead, behind = np.linalg.eigvals(a + h * direction), np.linalg.eigvals(a - h * direction)
    nearest = [(np.argmin(np.abs(ahead - v)), np.argmin(np.abs(behind - v))) for v in np.linalg.eigvals(a)]
    expected = [(ahead[i] - behind[j]).real / (2 * h) for i, j in nearest]
    assert np.allclose([np.sum(row * direction) for row in rows], expected, rtol=1e-6, atol=1e-6)


def test_writing_through_a_view_that_einsum_gives() -> None:
    def program(x: Any) -> Any:
        a = np.ones((2, 2))
        np.einsum("ii->i", a)[:] = x * x
        return np.linalg.det(a)

    assert np.allclose(ng.grad(program)(np.array([2.0, 3.0])), [2 * 2 * 9, 2 * 3 * 4])


def test_lists_of_traced_numbers_as_right_hand_side() -> None:
    a = np.array([[2.0, 1.0], [0.0, 4.0]])

    def program(x: Any) -> Any:
        return np.linalg.solve(a * x[0] / x[0], [x[0], x[1]])

    assert np.allclose(ng.jacobian(program)(np.array([1.0, 2.0])), np.linalg.inv(a))


# --- Equal values --------------------------------------------------------------------------------------------------

_EQUAL = np.diag([1.0, 1.0, 2.0])


@pytest.mark.parametrize(
    "program",
    [
        lambda x: np.linalg.eigvalsh(x)[0],
        lambda x: np.linalg.eigh(x)[0] @ np.arange(3.0),
        lambda x: np.linalg.eigvals(x)[1],
        lambda x: np.linalg.eig(x)[0][1],
        lambda x: np.linalg.svdvals(x)[1],
        lambda x: np.linalg.svd(x)[1][2],
        lambda x: np.linalg.svd(x, hermitian=True, compute_uv=False)[1],
    ],
)
def test_equal_values_one_by_one_warn(program: Any) -> None:
    with pytest.warns(ng.DegenerateWarning, match="have different shares") as warned:
        ng.grad(lambda x: np.real(program(x)))(_EQUAL)
    assert warned[0].filename == __file__
    ng.grad(lambda x: np.real(program(x)))(np.diag([1.0, 1.5, 2.0]))  # says nothing


@pytest.mark.parametrize("values", [np.linalg.eigvalsh, np.linalg.eigvals, np.linalg.svdvals])
def test_directions_that_move_equal_values_apart_warn_in_forward_mode(values: Any) -> None:
    apart, together = np.zeros((3, 3)), np.diag([0.5, 0.5, 0.1])
    apart[0, 1] = apart[1, 0] = 1.0
    with pytest.warns(ng.DegenerateWarning, match="have different shares"):
        ng.jvp(values, (_EQUAL,), (apart,))
    ng.jvp(values, (_EQUAL,), (together,))  # says nothing


def test_values_that_count_in_the_same_way_do_not_warn() -> None:
    for program in (
        lambda x: np.sum(np.linalg.eigvalsh(x) ** 3),
        lambda x: np.prod(np.linalg.svdvals(x)),
        lambda x: np.linalg.norm(x, 2) + np.linalg.norm(x, "nuc"),
        lambda x: np.sum(np.linalg.eigvals(x)).real,  # complex from NumPy 2.5 on
    ):
        ng.grad(program)(np.eye(3))


TALL = np.array([[1.0, 2.0], [0.5, -1.0], [2.0, 0.3], [0.1, 0.7]])


def _accumulated(program: Any) -> Any:
    def derivative(x: np.ndarray) -> Any:
        primal = ng.array(x)
        with ng.ForwardAccumulator(primal, np.ones(x.shape)) as accumulator:
            y = program(primal)
        return accumulator.jvp(y)

    return derivative


DERIVATIVES = {
    "grad": ng.grad,
    "jvp": lambda program: lambda x: ng.jvp(program, (x,), (np.ones(x.shape),)),
    "jacobian": lambda program: ng.jacobian(program, mode="forward"),
    "accumulator": _accumulated,
    "hvp": lambda program: lambda x: ng.hvp(program, (x,), (np.ones(x.shape),)),
    "twice": lambda program: ng.grad(lambda x: ng.jvp(program, (x,), (np.ones(x.shape),))[1]),
}


@pytest.mark.parametrize("derivative", DERIVATIVES.values(), ids=DERIVATIVES)
@pytest.mark.parametrize(
    "program",
    [
        lambda x: np.linalg.svd(x)[0][0, 2],
        lambda x: np.linalg.svd(x.T)[2][3, 1],
        lambda x: np.linalg.qr(x, "complete")[0][1, 2],
        lambda x: np.sum(np.linalg.svd(np.stack([x, 2 * x + 1]))[0][1, :, 2:] ** 3),
        lambda x: 1e9 + np.linalg.svd(x)[0][0, 2],
        lambda x: np.abs(np.linalg.svd(np.vstack([x, np.ones((1, 2))]) + 1j)[0][0, 2]),
        lambda x: np.linalg.svd(x[:3] + 0.3j)[0][0, 2].real,
    ],
)
def test_columns_that_complete_a_basis_warn_by_themselves(program: Any, derivative: Any) -> None:
    with pytest.warns(ng.DegenerateWarning, match="columns that complete the basis") as warned:
        derivative(program)(TALL)
    assert warned[0].filename == __file__


@pytest.mark.parametrize("derivative", DERIVATIVES.values(), ids=DERIVATIVES)
@pytest.mark.parametrize(
    "program",
    [
        lambda x: np.sum((v := np.linalg.svd(x)[0][:, 2:]) @ v.T * np.arange(4.0)),
        lambda x: np.sum((v := np.linalg.qr(x, "complete")[0][:, 2:]) @ v.T * np.arange(4.0)),
        lambda x: np.sum((v := np.linalg.svd(x + 0.2j)[0][:, 2:]) @ v.conj().T * np.arange(4.0)).real,
        lambda x: np.sum(np.abs(np.linalg.qr(x, "complete")[0][:, 2:]) ** 2, axis=1) @ np.arange(4.0),
        lambda x: np.linalg.svd(x[:3])[0][0, 2],  # one real column is determined up to its sign
        lambda x: np.abs(np.linalg.svd(x[:3] + 0.3j)[0][0, 2]),
        lambda x: np.linalg.svd(x)[1].sum() + np.linalg.qr(x, "complete")[1][0, 1],
        lambda x: np.linalg.svd(x)[0][0, 1],
    ],
)
def test_the_space_of_columns_that_complete_a_basis_does_not_warn(program: Any, derivative: Any) -> None:
    derivative(program)(TALL)


@pytest.mark.parametrize("plain", [True, False])
def test_the_order_of_a_norm_of_matrices_is_no_number_to_differentiate_by(plain: bool) -> None:
    """It is one of six, each with a function of its own; also where the matrix is plain, at which alone NumPy looks."""
    a = np.array([[2.0, 1.0], [0.5, 3.0]])
    for program in (
        lambda p: np.linalg.norm(a if plain else a * p, p),
        lambda p: np.linalg.matrix_norm(a if plain else a * p, ord=p),
    ):
        with pytest.raises(ng.NoRuleError, match="by the order of a norm of matrices"):
            ng.grad(program)(2.0)
        with pytest.raises(ng.NoRuleError, match="by the order of a norm of matrices"):
            ng.jvp(program, (2.0,), (1.0,))
    with pytest.raises(ng.LeakError, match="key"):
        ng.grad(lambda p: np.linalg.cond(a if plain else a * p, p))(2.0)


@pytest.mark.parametrize(
    "program",
    [
        lambda a, b, r: np.linalg.lstsq(a, b, r)[0],
        lambda a, b, r: np.linalg.lstsq(a, b, rcond=r)[0],
        lambda a, b, r: np.linalg.pinv(a, r),
        lambda a, b, r: np.linalg.pinv(a, rcond=r),
        lambda a, b, r: np.polyfit(a[:, 0], b, 1, r),
        lambda a, b, r: np.polyfit(a[:, 0], b, 1, rcond=r),
        lambda a, b, r: np.polynomial.polynomial.polyfit(a[:, 0], b, 1, r),
    ],
)
def test_what_cuts_off_small_singular_values_has_derivative_zero(program: Any) -> None:
    """Also where all else is plain."""
    a, b = np.array([[2.0, 1.0], [0.5, 3.0], [1.0, 1.5]]), np.array([1.0, 2.0, 0.5])
    with ng.GradientTape() as tape:
        r = tape.watch(1e-6)
        found = program(a, b, r)
    assert_same_bits(found, program(a, b, 1e-6))
    assert tape.gradient(found, r, unconnected_gradients="zero") == 0.0


@pytest.mark.parametrize("shape", [(2, 4), (2, 3), (3, 4), (3, 5), (5, 8), (1, 3), (3, 3), (4, 2), (5, 3)])
def test_phases_of_singular_vectors_are_lapacks(shape: tuple) -> None:
    """LAPACK decides on them by the shape; of a wide matrix they are real in a component to rounding only."""
    rng = np.random.default_rng(sum(shape))
    x, v = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape) for _ in range(2))

    def function(a: np.ndarray) -> tuple:
        u, _, vh = np.linalg.svd(a, full_matrices=False)
        return u, vh

    _, tangents = ng.jvp(function, (x,), (v,))
    sides = [function(x + step * v) for step in (1e-6, -1e-6)]
    for tangent, high, low in zip(tangents, *sides, strict=True):
        np.testing.assert_allclose(tangent, (high - low) / 2e-6, atol=1e-6 * np.max(np.abs(tangent)))
    cotangents = [rng.standard_normal(t.shape) + 1j * rng.standard_normal(t.shape) for t in tangents]
    pulled = np.asarray(ng.vjp(function, x)[1](tuple(cotangents))).reshape(shape)
    wanted = sum(np.vdot(c, t).real for c, t in zip(cotangents, tangents, strict=True))
    np.testing.assert_allclose(np.vdot(pulled, v).real, wanted, rtol=1e-9)


@pytest.mark.parametrize("kind", [float, complex])
def test_triangles_inverted_by_halves(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factorizations, "_LARGE", 2)
    rng = np.random.default_rng(0)

    def drawn(*shape: int) -> Any:
        a = rng.standard_normal(shape)
        return a + 0.3j * rng.standard_normal(shape) if kind is complex else a

    for upper in (False, True):
        a = drawn(2, 7, 7)
        check_gradients(lambda b, upper=upper: np.linalg.cholesky(b @ b.conj().mT + np.eye(7), upper=upper), a)
    for shape in ((5, 5), (7, 5), (3, 6)):
        check_gradients(lambda b: np.linalg.qr(b)[1], drawn(*shape))
        check_gradients(lambda b: np.linalg.qr(b)[0], drawn(*shape))


def test_large_triangles_are_inverted() -> None:
    a = np.tril(np.random.default_rng(0).standard_normal((2, 150, 150)) / 20) + np.eye(150)
    found = factorizations._inverse_of_lower(a)
    np.testing.assert_allclose(found @ a, np.broadcast_to(np.eye(150), a.shape), atol=1e-11)
    assert not np.triu(found, 1)[:, :75, 75:].any()
    np.testing.assert_allclose(factorizations._inverse_of_upper(a.mT), found.mT, rtol=1e-12)


def test_cross_along_the_last_axis_by_default() -> None:
    x, y = np.random.default_rng(0).standard_normal((2, 4, 3))
    try:
        np.linalg.cross(x, y, axis=None)
    except TypeError:
        pytest.skip("NumPy before 2.5 takes no None")
    check_gradients(lambda x: np.linalg.cross(x, y * x, axis=None), x)
    sparse = ng.sparse_jacobian(lambda x: np.linalg.cross(x, y * x, axis=None))(x)
    np.testing.assert_allclose(sparse.toarray(), ng.jacobian(lambda x: np.linalg.cross(x, y * x))(x).reshape(12, 12))


# Shape of x, axis, keepdims; of those that NumPy takes with such an order.
ORDERED = [((3,), None, False), ((3,), 0, True), ((1,), None, False), ((3, 4), 0, False), ((3, 4), -1, False)]


@pytest.mark.parametrize(("shape", "axis", "keepdims"), ORDERED)
@pytest.mark.parametrize("order", [1.645, 2.0, 1.0, np.inf])
def test_an_order_in_an_array(shape: tuple, axis: int | None, keepdims: bool, order: float) -> None:
    """NumPy gives the axes of an array of one order to the norm, where this has none."""
    x = np.random.default_rng(0).uniform(0.2, 1.2, shape)

    def f(x: Any, order: Any) -> Any:
        return np.linalg.norm(x, order, axis=axis, keepdims=keepdims)

    check_gradients(lambda x: f(x, np.array([order])), x)
    if order == 1.645:
        check_gradients(f, x, np.array([order]))
    with ng.GradientTape() as tape:
        y = f(tape.watch(x), np.array([order]))
    assert_same_bits(ng.stop_gradient(y), f(x, np.array([order])))
