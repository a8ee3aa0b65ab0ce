"""black_box: functions that npgrad cannot see into, by differences."""

from __future__ import annotations

import math
import types
from typing import Any

import numpy as np
import pytest

import npgrad as ng


def compiled(x: Any, y: Any = 1.0, power: int = 2) -> Any:
    """Reads the memory of its arguments as C code does."""
    data = np.frombuffer(memoryview(np.ascontiguousarray(x))).reshape(np.shape(x))
    return np.sin(data) ** power * float(y)


@pytest.mark.parametrize("method", ["3-point", "complex-step", "richardson"])
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_jacobian_of_two_arguments(method: str, mode: str) -> None:
    def analytic(x: Any, y: Any) -> Any:
        return np.sin(x) ** 2 * y

    box = ng.black_box(analytic, method=method)
    x, y = np.array([[0.3, 0.5], [0.7, 0.2]]), 1.5
    found = ng.jacobian(lambda x, y: box(x * x, np.exp(y)), (0, 1), mode=mode)(x, y)
    expected = ng.jacobian(lambda x, y: analytic(x * x, np.exp(y)), (0, 1), mode=mode)(x, y)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-9)
    assert box.error < 1e-5


def test_it_is_one_call_with_the_value_of_the_function() -> None:
    box, x = ng.black_box(compiled), np.array([0.3, 0.5])
    with ng.GradientTape(locations=True) as tape:
        source = tape.watch(x)
        y = box(source, 2.0, power=3)
        source[0] = 9.0  # the derivative is that at the values of the call
    assert np.array_equal(y, compiled(x, 2.0, 3)) and isinstance(y, ng.TracedArray)
    assert next(call.function for call in tape.calls()) == "compiled"
    np.testing.assert_allclose(tape.gradient(y, x), 2 * 3 * np.sin(x) ** 2 * np.cos(x), rtol=1e-8)
    assert type(box(x)) is np.ndarray


def test_as_decorator_with_a_method() -> None:
    @ng.black_box(method="2-point", step=1e-6)
    def total(x: Any) -> float:
        return math.fsum(memoryview(x))

    assert total.__name__ == "total"
    np.testing.assert_allclose(ng.grad(lambda x: total(x) ** 2)(np.array([1.0, 2.0])), [6.0, 6.0], rtol=1e-5)


def test_by_name_in_a_module() -> None:
    library, program = types.ModuleType("library"), types.ModuleType("program")
    library.compiled = compiled  # type: ignore[attr-defined]
    exec("def run(library, x):\n    return library.compiled(x).sum()", vars(program))
    with ng.instrument(library, compiled=ng.black_box(compiled)), ng.GradientTape() as tape:
        x = tape.watch(np.array([0.3, 0.5]))
        y = program.run(library, x)
    assert library.compiled is compiled
    np.testing.assert_allclose(tape.gradient(y, x), np.sin(2 * np.array([0.3, 0.5])), rtol=1e-8)
    with pytest.raises(AttributeError, match="nothing"), ng.instrument(library, nothing=compiled):
        pass
    with pytest.raises(TypeError, match="one module"), ng.instrument(library, program, compiled=compiled):
        pass


def test_inaccurate_differences_are_reported() -> None:
    rough = ng.black_box(lambda x: np.sin(x) + 1e-6 * np.sin(1e7 * x), tolerance=1e-4)
    with pytest.warns(ng.BlackBoxWarning, match=r"test_black_box\.py:\d+: the differences of <lambda>"):
        ng.grad(lambda x: rough(x))(0.3)
    assert rough.error > 1e-4


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda box, x: box(x=x), TypeError, "by position"),
        (lambda box, x: box([x[0], x[1]]), TypeError, "not lists"),
        (lambda box, x: box(x * 1j), TypeError, "real arguments"),
        (lambda box, x: ng.black_box(lambda x: [x])(x), TypeError, "return a number or an array"),
    ],
)
def test_what_it_cannot_do_is_refused(call: Any, error: type[Exception], text: str) -> None:
    with ng.GradientTape() as tape, pytest.raises(error, match=text):
        call(ng.black_box(compiled), tape.watch(np.array([0.3, 0.5])))


def test_second_derivatives_are_refused_and_not_wrong() -> None:
    box = ng.black_box(compiled)
    with pytest.raises(NotImplementedError, match="first derivatives only"):
        ng.hessian(lambda x: box(x).sum())(np.array([0.3, 0.5]))


def test_what_carries_no_derivative_goes_through() -> None:
    """A box of constants in the middle of a tape, and one that counts."""
    box = ng.black_box(lambda x: np.asarray(x) * 2.0)
    count = ng.black_box(lambda x: int(np.sum(np.asarray(x) > 1)))
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([0.5, 1.5]))
        constant = box(np.array([1.0, 2.0]))
        larger = count(x)
        y = x * constant * larger
    assert larger == 1 and type(larger) is int
    assert tape.gradient(y, x).tolist() == [2.0, 4.0]


@pytest.mark.parametrize("method", ["3-point", "richardson"])
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_complex_results(method: str, mode: str) -> None:
    def spiral(x: Any, y: Any) -> Any:
        return np.exp(1j * x) * y + x**2

    def real(turned: Any) -> Any:
        return lambda x, y: np.abs(turned(x, y)) + np.real(turned(x, y) * (2 - 1j)) * np.imag(turned(x, y)).sum()

    box = ng.black_box(spiral, method=method)
    x, y = np.array([0.3, 0.5, 1.2]), np.array(1.5)
    for function in (real, lambda turned: turned):
        found = ng.jacobian(function(box), (0, 1), mode=mode)(x, y)
        expected = ng.jacobian(function(spiral), (0, 1), mode=mode)(x, y)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-8)


def test_an_integral_of_scipys() -> None:
    integrate = pytest.importorskip("scipy.integrate")
    box = ng.black_box(lambda a, top: integrate.quad(lambda t: math.exp(-a * t), 0.0, top)[0])
    a, top = 1.3, 0.8
    found = ng.grad(lambda p: box(p[0], p[1] ** 2))(np.array([a, math.sqrt(top)]))
    by_a = (np.exp(-a * top) * (a * top + 1) - 1) / a**2
    np.testing.assert_allclose(found, [by_a, np.exp(-a * top) * 2 * math.sqrt(top)], rtol=1e-8)


def test_tracked_data_that_is_no_argument_is_refused() -> None:
    x = np.array([0.3, 0.5])
    for use in (lambda u, y: u * y, lambda u, y: u * float(y[0]), lambda u, y: u + np.sum(y)):
        with pytest.raises(ng.LeakError, match=r"black_box.* uses a traced array that is not among its arguments"):
            ng.jacobian(lambda x, use=use: ng.black_box(lambda u: use(u, x))(x * 2.0))(x)
    inner = ng.black_box(lambda u: ng.grad(lambda v: np.sum(v**3))(u))  # tapes of its own
    np.testing.assert_allclose(ng.jacobian(inner)(x), np.diag(6 * x), atol=1e-8)


def test_a_variable_that_is_no_argument_is_refused() -> None:
    w = ng.Variable(2.0)
    with ng.GradientTape() as tape:
        x = tape.watch(1.5)
        with pytest.raises(ng.LeakError, match="not among its arguments"):
            ng.black_box(lambda u: u * w)(x)
        fixed = ng.Variable(2.0, trainable=False)
        y = ng.black_box(lambda u: u * fixed)(x)
    np.testing.assert_allclose(tape.gradient(y, x), 2.0, rtol=1e-9)
    with ng.GradientTape(watch_accessed_variables=False) as tape:
        x = tape.watch(1.5)
        y = ng.black_box(lambda u: u * w)(x)
    np.testing.assert_allclose(tape.gradient(y, x), 2.0, rtol=1e-9)


def changed_array(factor):
    k = np.array([1.0, 2.0, 3.0])
    return ng.black_box(lambda x: x * k), lambda: np.multiply(k, factor, out=k)


def changed_object(factor):
    box = types.SimpleNamespace(k=2.0)
    call = ng.black_box(lambda x, box: x * box.k)
    return lambda x: call(x, box), lambda: setattr(box, "k", factor * box.k)


def state(factor):
    calls = []
    return ng.black_box(lambda x: x * (1.0 if calls.append(1) else factor ** len(calls))), lambda: None


@pytest.mark.parametrize("made", [changed_array, changed_object, state])
def test_what_a_function_depends_on_besides_must_not_change(made):
    call, change = made(1.1)
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([1.0, 2.0, 3.0]))
        y = call(x)
    change()
    with pytest.raises(RuntimeError, match="another value when it was called again"):
        tape.gradient(y, x)


def test_arguments_are_kept_as_they_were():
    call = ng.black_box(lambda x, n, box, *, more: x * n * box["k"] * more[0])
    n, box, more = np.array([1, 2, 3]), {"k": np.array([1.0, 2.0, 3.0])}, [np.array([2, 2, 2])]
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([1.0, 2.0, 3.0]))
        y = call(x, n, box, more=more)
    for array in (n, box["k"], more[0]):
        array[:] = 100
    np.testing.assert_allclose(tape.gradient(y, x), [2.0, 8.0, 18.0])
