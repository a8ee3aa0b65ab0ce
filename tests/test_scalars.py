"""An element or a total of a traced array passes for the NumPy scalar that the plain program has."""

import fractions
import functools
import io
import math
import numbers
import operator
import statistics
from builtins import type
from collections.abc import Callable
from operator import mul

import numpy as np
import pytest
from agreement import outcome
from comparisons import assert_same_bits

import npgrad as ng
from npgrad import finite_difference
from npgrad._traced import unwrap

SCALAR_USES: dict[str, Callable] = {
    "round": lambda t: (round(t), round(t, 1)),
    "int": int,
    "bool": bool,
    "format": lambda t: f"{t:.3f} {t:8.2e} {t}",
    "percent": lambda t: "%f %s %d %5.1g" % (t, t, t, t),  # noqa: UP031
    "str.format": lambda t: f"{t:>10.2f}",
    "print": lambda t: print(t, file=io.StringIO()),
    "str": str,
    "compare": lambda t: (t > 1, t == t, t != 2.5, 1 < t <= 3),
    "mod": lambda t: t % 2,
    "floordiv": lambda t: t // 1,
    "divmod": lambda t: divmod(t, 2),
    "pow": lambda t: (pow(t, 2), t**0.5, 2**t),
    "abs": abs,
    "sum": lambda t: sum([t, t, 1]),
    "max": lambda t: max(t, 1.0, 2),
    "min": lambda t: min([t, 3]),
    "sorted": lambda t: sorted([t, 1.0, 3.0]),
    "not": lambda t: not t,
    "isscalar": lambda t: np.isscalar(t),
    "ndim": np.ndim,
    "shape": np.shape,
    "math": lambda t: (math.sin(t), math.sqrt(t), math.log(t, 3), math.exp(t)),
    "math2": lambda t: (
        math.atan2(t, 2),
        math.hypot(t, 1),
        math.floor(t),
        math.isnan(t),
        math.isclose(t, 2.5),
        math.fsum([t, 1]),
    ),
    "divide": lambda t: 1 / t,
    "branch": lambda t: 1 if t > 2 else 0,
    "range": lambda t: list(range(int(t))),
    "chain": lambda t: t and 3,
    "array": lambda t: np.array([t, 1.0]),
    "nested": lambda t: np.array([[t, 2], [3, t]]),
    "full": lambda t: np.full(3, t),
    "linspace": lambda t: np.linspace(0, t, 4),
    "arange": lambda t: np.arange(0, t),
    "repeat": lambda t: [t] * 2,
    "ufunc": lambda t: np.sin(t),
    "clip": lambda t: np.clip(t, 0, 1),
    "attributes": lambda t: (t.real, t.imag, t.dtype, t.shape, t.ndim, t.size, t.T),
    "methods": lambda t: (t.sum(), t.max(), t.copy(), t.astype("f4"), t.conj(), t.mean(), t.round(1), t.is_integer()),
    "index": lambda t: [1, 2, 3][t],
    "iterate": lambda t: list(t),
    "len": len,
    "subscript": lambda t: t[0],
    "assign": lambda t: operator.setitem(t, 0, 1),
    "add text": lambda t: t + "a",
    "isinstance": lambda t: isinstance(t, np.ndarray | float),
    "reshape": lambda t: t.reshape(1, 1),
    "empty key": lambda t: t[()],
    "newaxis": lambda t: t[None],
    "truth": lambda t: [i for i in (t, 0 * t) if i],
    "in": lambda t: t in (1.0, t),
}


@pytest.mark.parametrize("name", SCALAR_USES)
@pytest.mark.parametrize("where", ["inside", "outside"])
def test_elements_pass_for_scalars(name: str, where: str) -> None:
    use = SCALAR_USES[name]
    array = np.array([2.5, 1.0])
    wanted = outcome(lambda x: use(x[0]), array)
    if where == "outside":
        assert outcome(lambda x: use(x[0]), ng.array(array)) == wanted
        return
    with ng.GradientTape() as tape:
        assert outcome(lambda x: use(x[0]), tape.watch(array)) == wanted
        assert outcome(lambda x: use(x[0]), np.array(array)) == wanted


def test_elements_are_copies() -> None:
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(np.array([1.0, 2.0]))
        t = x[0]
        x[0] = 5.0
        u = x[1]
        u += 1
        s = x.sum()
        kept = s
        s *= 2
    assert (t, u, kept, s) == (1.0, 3.0, 7.0, 14.0) and x.tolist() == [5.0, 2.0]
    np.testing.assert_array_equal(tape.gradient(t, x), [1.0, 0.0])
    np.testing.assert_array_equal(tape.gradient(s, x), [0.0, 2.0])


def test_an_element_is_an_instance_of_what_the_plain_element_is():
    """A branch on the type of an element must go the way that it goes in the plain program."""

    def program(x):
        kinds = (float, np.floating, np.float64, numbers.Real, numbers.Number, complex, int, np.integer)
        return sum([x[0] ** n for n, kind in enumerate(kinds) if isinstance(x[0], kind)])

    x = np.array([1.3, 2.0])
    value, gradient = ng.value_and_grad(program)(x)
    assert value == program(x)
    np.testing.assert_allclose(gradient, finite_difference.grad(program, method="richardson")(x), rtol=1e-8)
    with ng.GradientTape() as tape:
        t = tape.watch(x)
        assert isinstance(t[0], np.ndarray) and not isinstance(t, float) and not isinstance(t[:1], float)
        assert type(t[0]) is ng.TracedArray


@pytest.mark.parametrize("convert", [fractions.Fraction, lambda v: v.as_integer_ratio(), lambda v: statistics.fmean([v])])
def test_exact_fractions_of_elements_are_leaks(convert):
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([1.5]))
        with pytest.raises(ng.LeakError):
            convert(x[0])


# --- Scalars where a destination is given, arrays where NumPy gives arrays ------------------------------------------------

INTO_A_SCALAR: dict[str, Callable] = {
    **{
        f"x.{name}": lambda x, out, name=name: getattr(x, name)(out=out)
        for name in (
            "sum", "prod", "max", "min", "mean", "std", "var", "round", "argmax", "argmin", "all", "any", "conj",
            "conjugate",
        )
    },
    **{
        f"np.{name}": lambda x, out, name=name: getattr(np, name)(x, out=out)
        for name in (
            "sum", "prod", "max", "min", "mean", "std", "var", "round", "ptp", "median", "nansum", "nanmean", "nanvar",
            "nanstd", "nanmax", "nanmin", "nanmedian", "exp", "abs", "conj", "argmax", "all", "any", "nanprod",
        )
    },
    "x.clip": lambda x, out: x.clip(0, 1, out=out),
    "x.take": lambda x, out: x.take(0, out=out),
    "x.conj by position": lambda x, out: x.conj(out),
    "x.sum by position": lambda x, out: x.sum(None, None, out),
    "np.clip": lambda x, out: np.clip(x, 0, 1, out=out),
    "np.clip by position": lambda x, out: np.clip(x, 0, 1, out),
    "np.take": lambda x, out: np.take(x, 0, out=out),
    "np.dot": lambda x, out: np.dot(x, 2.0, out=out),
    "np.quantile": lambda x, out: np.quantile(x, 0.5, out=out),
    "np.add": lambda x, out: np.add(x, 2.0, out),
    "np.add.reduce": lambda x, out: np.add.reduce(x, axis=None, out=out),
    "np.matmul": lambda x, out: np.matmul([1.0], np.reshape(x, 1), out=out),
    "np.einsum": lambda x, out: np.einsum(",->", x, 2.0, out=out),
    "np.trace": lambda x, out: np.trace(np.reshape(x, (1, 1)), out=out),
    "a method of an array": lambda x, out: np.reshape(x, 1).sum(out=out),
    "a function of an array": lambda x, out: np.median(np.reshape(x, 1), out=out),
}  # fmt: skip
WITHOUT_A_DESTINATION: dict[str, Callable] = {
    **{
        f"x.{name}": lambda x, name=name: getattr(x, name)()
        for name in ("view", "copy", "squeeze", "transpose", "ravel", "flatten", "cumsum", "cumprod", "conj", "std", "var")
    },
    "x.view(dtype)": lambda x: x.view(x.dtype),
    "x.sum(axis=())": lambda x: x.sum(axis=()),
    "x.var(keepdims)": lambda x: x.var(keepdims=True),
    "x.reshape(())": lambda x: x.reshape(()),
    "x[...]": lambda x: x[...],
    "x.real": lambda x: x.real,
    "x.imag": lambda x: x.imag,
    "x.clip": lambda x: x.clip(0, 1),
    "x.swapaxes": lambda x: x.swapaxes(0, 0),
    "x.compress": lambda x: x.compress([True]),
    "x.choose": lambda x: np.int64(0).choose([x]),
    "x.repeat": lambda x: x.repeat(1),
    "x.take": lambda x: x.take(0),
    "x.take of one": lambda x: x.take([0]),
}  # fmt: skip
KINDS = {"scalar": np.float64(1.5), "complex": np.complex128(1.5 + 2j), "single": np.float32(1.5), "array": np.array(1.5)}


def _form(call: Callable) -> tuple:
    """Whether there is an array or a scalar, of what dtype and shape; or what is raised."""
    try:
        made = call()
    except (TypeError, ValueError, AttributeError) as error:
        return (type(error),)
    bare = unwrap(made)
    return type(bare), np.shape(bare), getattr(bare, "dtype", None), repr(bare)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [*INTO_A_SCALAR, *WITHOUT_A_DESTINATION])
@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
def test_scalars_and_arrays_without_axes_are_where_numpy_has_them(name: str, kind: str) -> None:
    if name in INTO_A_SCALAR:
        dtype = int if "arg" in name else bool if name.endswith(("all", "any")) else type(KINDS[kind].item())
        function = lambda x: INTO_A_SCALAR[name](x, np.zeros((), dtype))
    else:
        function = WITHOUT_A_DESTINATION[name]
    expected = _form(lambda: function(KINDS[kind].copy()))
    with ng.GradientTape() as tape:
        x = tape.watch(KINDS[kind])
        assert _form(lambda: function(x)) == expected
    with ng.GradientTape():
        constant = ng.array(KINDS[kind])[()] if kind != "array" else ng.array(KINDS[kind])
        assert _form(lambda: function(constant)) == expected


@pytest.mark.parametrize("name", ["x.sum", "x.var", "np.var", "np.clip", "np.median", "np.dot", "np.sum"])
def test_a_scalar_from_a_destination_is_followed(name: str) -> None:
    def function(x: np.ndarray) -> np.ndarray:
        out = np.zeros(())
        y = INTO_A_SCALAR[name](x[0] / 3, out)
        out[...] = 7.0  # the scalar is not what the destination becomes
        return y * x[1]

    point = np.array([1.5, 2.0])
    np.testing.assert_allclose(ng.jacobian(function)(point), finite_difference.jacobian(function)(point), atol=1e-7)


OPERATORS: dict[str, Callable] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
    "%": lambda a, b: a % b,
    "//": lambda a, b: a // b,
    "divmod": divmod,
    "abs": lambda a, b: abs(a) - abs(b),
    "-a": lambda a, b: -a + b,
    "pow": lambda a, b: pow(a, b),
    "pow by name": lambda a, b: pow(base=a, exp=b),
    "pow without a modulus": lambda a, b: pow(a, b, None),
    "operator.pow": lambda a, b: operator.pow(a, b),
    "operator.mul": lambda a, b: operator.mul(a, b),
    "mul, bound before": lambda a, b: mul(a, b),
    "reduce": lambda a, b: functools.reduce(operator.mul, [a, b, b]),
    "np.multiply": np.multiply,
    "np.power": np.power,
    "np.divide": np.divide,
}


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "c16", "c8"])
@pytest.mark.parametrize("name", OPERATORS)
def test_operators_of_scalars_compute_as_numpys_scalars_do(name: str, dtype: str) -> None:
    """Their last bit is often another one than that of a ufunc: of products of complex numbers, and of powers."""
    if dtype[0] == "c" and name in ("%", "//", "divmod"):
        return
    operator_, rng = OPERATORS[name], np.random.default_rng(0)
    for _ in range(60):
        parts = rng.uniform(0.2, 2, (2, 2))
        a, b = (parts[0] + 1j * parts[1] if dtype[0] == "c" else parts[0]).astype(dtype)
        others = (a, a.item(), np.float64(1.3), np.int64(3))
        expected = [operator_(a, b), *[operator_(other, b) for other in others], *[operator_(b, other) for other in others]]
        with ng.GradientTape() as tape:
            x, y = tape.watch(np.array([a, b]))
            found = [operator_(x, y), *[operator_(other, y) for other in others], *[operator_(y, other) for other in others]]
        assert_same_bits(found, expected)


NO_NUMBERS = {
    "several": np.array([1.0, 2.0]), "none": np.zeros(0), "one in a row": np.array([1.5]), "complex": np.array(1.0 + 2.0j),
}  # fmt: skip


@pytest.mark.parametrize("convert", [float, complex, int, lambda x: x.hex(), lambda x: x.as_integer_ratio()])
@pytest.mark.parametrize("name", NO_NUMBERS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_numpy_makes_no_number_of_raises_its_error(name: str, convert: Callable) -> None:
    value = NO_NUMBERS[name]
    try:
        convert(value)
    except (TypeError, AttributeError) as error:
        with ng.GradientTape() as tape:
            x = tape.watch(value)
            with pytest.raises(type(error)) as seen:
                convert(x)
        if isinstance(error, TypeError):
            assert str(seen.value) == str(error)


def test_whether_it_is_a_scalar_may_be_asked_by_float() -> None:
    def f(x: np.ndarray) -> float:
        try:
            return float(x)
        except TypeError:
            return x[0] * 2.0

    assert ng.grad(f)(np.array([1.0, 2.0])).tolist() == [2.0, 0.0]
