"""What a tape says of its record: calls and summary; and which call gave a derivative that is not finite."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import npgrad as ng


def here() -> int:
    """The line of the caller."""
    frame = inspect.currentframe()
    assert frame is not None and frame.f_back is not None
    return frame.f_back.f_lineno


def test_calls_name_function_file_line_and_scope() -> None:
    with ng.GradientTape(locations=True) as tape:
        x = tape.watch(np.array([1.0, 2.0]))
        y = np.linalg.norm(np.sin(x) * x); line = here()  # noqa: E702
        z = np.zeros(2)
        z[0] = y
        z += np.cumsum(x)
    found = list(tape.calls())
    assert [call.function for call in found[:3]] == ["sin", "multiply", "norm"]
    assert {call.line for call in found[:3]} == {line}
    assert [(c.function, c.line) for c in found[3:]] == [("write", line + 2), ("cumsum", line + 3), ("add", line + 3)]
    assert {call.file for call in found} == {__file__}
    assert {call.scope for call in found} == {"test_calls_name_function_file_line_and_scope"}
    assert found[1].shape == (2,) and found[1].dtype == np.float64 and found[1].saved_bytes == 32
    assert str(found[0]) == f"sin at {__file__}:{line} in {found[0].scope}"
    assert tape.gradient(z.sum(), x) is None  # it was computed after the tape; the calls do not change what is recorded


def test_the_lines_inside_numpys_own_code_are_the_users() -> None:
    with ng.GradientTape(locations=True) as tape:
        x = tape.watch(np.array([1.0, 2.0, 4.0]))
        np.gradient(x); line = here()  # noqa: E702
    assert {(call.file, call.line) for call in tape.calls()} == {(__file__, line)}


def test_without_locations_the_functions_are_still_named() -> None:
    with ng.GradientTape() as tape:
        y = np.sin(tape.watch(2.0))
    (call,) = tape.calls()
    assert (call.function, call.file, call.line) == ("sin", "", 0) and str(call) == "sin"
    assert tape.gradient(y, y) == 1.0
    with pytest.raises(RuntimeError, match="no record"):
        next(tape.calls())


def test_summary_counts_memory_once(capsys: pytest.CaptureFixture) -> None:
    with ng.GradientTape(locations=True) as tape:
        x = tape.watch(np.ones(1000))
        y = x * x; line = here()  # noqa: E702
        for _ in range(3):
            y = y + 1.0
    text = tape.summary()
    assert capsys.readouterr().out == text + "\n"
    first, costly, cheap = text.splitlines()
    assert first == "4 calls recorded, 8000 bytes kept for them"
    assert costly.split() == ["8000", "bytes", "1", "calls", f"{__file__}:{line}", "in", costly.split()[-1]]
    assert cheap.split()[:4] == ["0", "bytes", "3", "calls"]


# --- Derivatives that are not finite -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda x: np.sum(3 * np.sqrt(x - 1)), "sqrt"),
        (lambda x: np.exp(800 * x).sum() * 1.0, "exp"),
        (lambda x: np.linalg.norm(np.log(np.abs(x - 1))), "log"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_call_is_named(function: Callable, name: str, mode: str) -> None:
    point = np.array([1.0, 2.0])
    assert not np.isfinite(ng.jacobian(function, mode=mode)(point)).all()
    with pytest.raises(ng.NonFiniteError) as caught:
        ng.jacobian(function, mode=mode, check_nan=True)(point)
    text = str(caught.value)
    assert name in text and f"{__file__}:{function.__code__.co_firstlineno}" in text


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_first_call_with_a_value_that_is_not_finite_is_named() -> None:
    def function(x: Any) -> Any:
        bad = np.log(x - 2.0)
        copied = np.zeros(2)
        copied[:] = bad
        return (copied * copied).sum()

    first = function.__code__.co_firstlineno
    with pytest.raises(ng.NonFiniteError) as caught:
        ng.grad(function, check_nan=True)(np.array([1.0, 3.0]))
    assert str(caught.value) == (
        f"{__file__}:{first + 4}: the derivative of multiply is not finite here; its values were not finite before: "
        f"log at {__file__}:{first + 1} gave them. "
        "Keep the point away from there, or take such elements out before (docs/kinks.md)"
    )


def test_zero_times_singular_is_no_fault() -> None:
    def function(x: Any) -> Any:
        return np.sum(np.where(x > 0, np.sqrt(x), 0.0))

    assert ng.grad(function, check_nan=True)(np.array([0.0, 4.0])).tolist() == [0.0, 0.25]
    with ng.GradientTape(check_nan=True) as tape:
        x = tape.watch(np.array([0.0, 4.0]))
        y = np.sqrt(x)
    with pytest.raises(ng.NonFiniteError, match=r"test_inspection\.py:\d+: the derivative of sqrt"):
        tape.gradient(y, x)


def _by_tape(take: Callable) -> Callable:
    def derivative(f: Callable, x: np.ndarray) -> Any:
        with ng.GradientTape(check_nan=True) as tape:
            source = tape.watch(x)
            value = f(source)
        return take(tape, value, source)

    return derivative


def _accumulated(f: Callable, x: np.ndarray) -> Any:
    primal = ng.array(x)
    with ng.ForwardAccumulator(primal, np.ones(2), check_nan=True) as accumulator:
        value = f(primal)
    return accumulator.jvp(value)


def _rows(f: Callable, x: np.ndarray) -> Any:
    with ng.GradientTape(check_nan=True) as tape:
        source = tape.watch(x)
        values = np.array([f(source[:1]), f(source[1:])])
    return tape.batch_jacobian(values, source)


def _second_order(f: Callable, x: np.ndarray) -> Any:
    with ng.GradientTape(check_nan=True) as outer:
        source = outer.watch(x)
        with ng.GradientTape(check_nan=True) as inner:
            inner.watch(source)
            value = f(source)
        slope = inner.gradient(value, source)
    return outer.gradient(slope, source)


ONES = np.ones(2)
# All that differentiates a function, at a point where its derivative is infinite.
DERIVATIVES: dict[str, Callable] = {
    "grad": lambda f, x: ng.grad(f, check_nan=True)(x),
    "value_and_grad": lambda f, x: ng.value_and_grad(f, check_nan=True)(x),
    "jacobian": lambda f, x: ng.jacobian(f, check_nan=True)(x),
    "jacobian forward": lambda f, x: ng.jacobian(f, mode="forward", check_nan=True)(x),
    "jacobian reverse": lambda f, x: ng.jacobian(f, mode="reverse", check_nan=True)(x),
    "jacobian row by row": lambda f, x: ng.jacobian(f, max_bytes=8, check_nan=True)(x),
    "value_and_jacobian": lambda f, x: ng.value_and_jacobian(f, check_nan=True)(x),
    "holomorphic": lambda f, x: ng.jacobian(f, holomorphic=True, check_nan=True)(x.astype(complex)),
    "linearize": lambda f, x: ng.linearize(f, x, check_nan=True).jvp((ONES,)),
    "linearize back": lambda f, x: ng.linearize(f, x, check_nan=True).vjp(1.0),
    "jvp": lambda f, x: ng.jvp(f, (x,), (ONES,), check_nan=True),
    "vjp": lambda f, x: ng.vjp(f, x, check_nan=True)[1](1.0),
    "hvp": lambda f, x: ng.hvp(f, (x,), (ONES,), check_nan=True),
    "hessian": lambda f, x: ng.hessian(f, check_nan=True)(x),
    "sparse_jacobian": lambda f, x: ng.sparse_jacobian(f, check_nan=True)(x),
    "sparse_hessian": lambda f, x: ng.sparse_hessian(f, check_nan=True)(x),
    "for_solver jac": lambda f, x: ng.for_solver(f, check_nan=True).jac(x),
    "for_solver hess": lambda f, x: ng.for_solver(f, check_nan=True).hess(x),
    "for_solver hessp": lambda f, x: ng.for_solver(f, check_nan=True).hessp(x, ONES),
    "for_solver weighted_hess": lambda f, x: ng.for_solver(f, check_nan=True).weighted_hess(x, 1.0),
    "ForwardAccumulator": _accumulated,
    "tape.gradient": _by_tape(lambda tape, y, x: tape.gradient(y, x)),
    "tape.jacobian": _by_tape(lambda tape, y, x: tape.jacobian(y, x)),
    "tape.batch_jacobian": _rows,
    "nested tapes": _second_order,
}


@pytest.mark.parametrize("name", DERIVATIVES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_all_that_differentiates_names_the_call(name: str) -> None:
    def function(x: Any) -> Any:
        y = np.sin(x)
        z = np.power(y - np.sin(1.0), 0.5)
        return z.sum()

    line = function.__code__.co_firstlineno + 2
    with pytest.raises(ng.NonFiniteError, match=rf"{__file__}:{line}: the derivative of power"):
        DERIVATIVES[name](function, np.array([1.0, 2.0]))


def test_check_nan_is_an_option_of_all_that_differentiates() -> None:
    made = {name: value for name, value in vars(ng).items() if inspect.isfunction(value)}
    told = {name for name, value in made.items() if "leaks" in inspect.signature(value).parameters}
    # A pattern has no values; compare shows derivatives that are not finite.
    for name in told - {"jacobian_sparsity", "compare"}:
        assert "check_nan" in inspect.signature(made[name]).parameters, name


def twice(z: Any, step: int = 0) -> Any:
    return np.sqrt(z) * 2.0


SEGMENTS: dict[str, tuple[Callable, str]] = {
    "checkpoint": (lambda x: ng.checkpoint(twice)(x - 1.0), "twice"),
    "checkpoint_loop": (lambda x: ng.checkpoint_loop(twice, x - 1.0, 2, 1), "twice"),
    "implicit": (lambda x: ng.implicit(twice, lambda y, z: y**2 - 4 * z)(x - 1.0), "twice"),
    "black box": (lambda x: ng.black_box(twice)(x - 1.0), "twice"),
    "custom gradient": (lambda x: ng.custom_gradient(lambda z: (twice(z), lambda ct: ct / np.sqrt(z)))(x - 1.0), "<lambda>"),
}


@pytest.mark.parametrize("name", SEGMENTS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::npgrad.BlackBoxWarning")
def test_calls_of_user_functions_have_their_names(name: str) -> None:
    function, called = SEGMENTS[name]
    with ng.GradientTape(persistent=True, check_nan=True) as tape:
        x = tape.watch(np.array([1.5, 2.5]))
        y = function(x).sum()
    calls = [call.function for call in tape.calls()]
    assert called in calls and "calls recorded" in tape.summary()
    assert called in [call.function for call in tape.explain(y, x).path]
    with ng.GradientTape(persistent=True, check_nan=True) as tape:
        x = tape.watch(np.array([1.0, 2.5]))
        y = function(x).sum()
    if name != "black box":  # its differences are finite, and say themselves that they are inaccurate
        with pytest.raises((ng.NonFiniteError, np.linalg.LinAlgError)):
            tape.gradient(y, x)
