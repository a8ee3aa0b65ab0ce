"""What type checkers know of the public interface. mypy checks this file as it checks the package; pytest runs it, so that
what is said of the types is said of programs that work."""

# mypy: warn-unused-ignores

from __future__ import annotations

from typing import Any, assert_type

import numpy as np
import pytest
from numpy.typing import NDArray

import npgrad as ng
from npgrad import finite_difference

Vector = NDArray[np.float64]
X: Vector = np.array([1.0, 2.0])


def energy(x: Vector, scale: float = 1.0) -> np.float64:
    return np.float64(scale) * np.sum(x * x)


def model(x: Vector) -> Vector:
    return x * x


def with_note(x: Vector) -> tuple[np.float64, str]:
    return np.sum(x * x), "note"


def test_derivatives_take_the_arguments_of_the_function() -> None:
    gradient = ng.grad(energy)
    gradient(X)
    gradient(X, scale=2.0)
    with pytest.raises(TypeError):
        gradient(X, 1.0, 2.0)  # type: ignore[call-arg]
    ng.hessian(energy)(X, scale=2.0)
    ng.jacobian(model)(X)
    finite_difference.jacobian(model)(X)
    assert_type(ng.sparse_jacobian(model)(X), ng.SparseMatrix)
    assert_type(ng.sparse_jacobian(model, (0,))(X), tuple[ng.SparseMatrix, ...])
    assert_type(ng.sparse_hessian(energy)(X), ng.SparseMatrix)
    with pytest.raises(TypeError, match="differentiates functions"):
        ng.grad(3.0)  # type: ignore[call-overload]


def test_values_keep_their_types() -> None:
    assert_type(ng.value_and_grad(energy)(X), tuple[np.float64, Any])
    assert_type(ng.value_and_jacobian(model)(X), tuple[Vector, Any])
    value, pullback = ng.vjp(model, X)
    assert_type(value, Vector)
    assert_type(pullback(X), tuple[Any, ...])
    assert_type(ng.jvp(model, (X,), (X,)), tuple[Vector, Any])


def test_auxiliary_data_keep_their_types() -> None:
    assert_type(ng.grad(with_note, has_aux=True)(X), tuple[Any, str])
    assert_type(ng.value_and_grad(with_note, has_aux=True)(X), tuple[tuple[np.float64, str], Any])
    assert_type(ng.value_and_jacobian(with_note, has_aux=True)(X), tuple[tuple[np.float64, str], Any])


def test_functions_without_annotations() -> None:
    ng.grad(lambda x: x**2)(3.0)
    ng.jacobian(lambda x, y: x * y, argnums=(0, 1), mode="forward")(X, 2.0)
    ng.value_and_grad(lambda x: np.sum(x * x), check_nan=True)(X)
    ng.jacobian(np.sin)(X)
    ng.jacobian(np.add, argnums=(0, 1))(X, 2.0)
    ng.grad(np.sum)(X)
    with pytest.raises(TypeError):
        ng.grad(lambda x: x**2, sideways=True)  # type: ignore[call-overload]


def test_the_tape() -> None:
    with ng.GradientTape(persistent=True) as tape:
        assert_type(tape, ng.GradientTape)
        assert_type(tape.watch(X), Vector)
        assert_type(tape.watch(ng.array(X)), ng.TracedArray)
        assert_type(tape.watch(ng.Variable(2.0)), ng.Variable)
        x = tape.watch(X)
        moved = x
        moved = moved + tape.watch(2.0) * x
        with pytest.raises(TypeError, match="cannot watch a str"):
            tape.watch("text")  # type: ignore[call-overload]
        parameters: dict[str, Any] = tape.watch({"a": X, "b": 1.0})
        with tape.stop_recording():
            scale = float(np.max(X))
        y = np.sum(x * x) * scale * parameters["b"]
    gradient: Vector = tape.gradient(y, x, unconnected_gradients=ng.UnconnectedGradients.ZERO)
    assert gradient.shape == tape.jacobian(y, x, unconnected_gradients="zero").shape
    assert_type(tape.watched_variables(), tuple[ng.Variable, ...])


def test_arrays_are_numpys() -> None:
    x = ng.array([1.0, 2.0])
    plain: np.ndarray = x
    assert_type(x, ng.TracedArray)
    assert_type(ng.stop_gradient(x), ng.TracedArray)
    assert_type(ng.stop_gradient(2.0), float)
    assert_type(plain.shape, tuple[Any, ...])
    assert_type(ng.Variable(1.0).assign(2.0), ng.Variable)


def test_decorators_keep_signatures() -> None:
    @ng.custom_gradient
    def double(x: Vector, times: int = 2) -> tuple[Vector, Any]:
        return times * x, lambda ct: times * ct

    @ng.checkpoint
    def step(x: Vector, k: float) -> Vector:
        return k * x

    @ng.black_box
    def compiled(x: Vector) -> Vector:
        return 3 * np.asarray(x)

    @ng.black_box(method="richardson")
    def accurate(x: Vector) -> Vector:
        return 3 * np.asarray(x)

    root = ng.implicit(lambda a: np.sqrt(a), lambda x, a: x * x - a)
    assert_type(double(X), Vector)
    assert_type(step(X, 2.0), Vector)
    assert_type(compiled(X), Vector)
    assert_type(accurate(X), Vector)
    assert_type(compiled.error, float | None)
    assert ng.grad(root)(4.0).round(6) == 0.25
    assert_type(ng.checkpoint_loop(lambda u, i: 2 * u, X, 2, 1), Vector)
    with pytest.raises(TypeError):
        step(X)  # type: ignore[call-arg]


def test_solvers_and_tools() -> None:
    solvable = ng.for_solver(energy)
    assert_type(solvable.fun_and_jac(X), tuple[Any, Any])
    report = ng.compare(model, X, methods=["npgrad reverse", "3-point"])
    assert_type(report.agrees, bool)
    assert_type(ng.linearize(model, X).jvp((X,)), Any)
    assert_type(ng.jacobian_sparsity(model, X).shape, tuple[int, int])
