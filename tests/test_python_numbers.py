"""A number of Python's takes the precision of what it meets: values, dtypes and errors are the plain program's."""

import cmath
import datetime
import itertools
import math
import operator
from builtins import type

import agreement
import numpy as np
import pytest

import npgrad as ng
from npgrad._structure import flatten

PARTNERS = {
    "float32 array": np.array([3.0, 0.7], np.float32),
    "float16 array": np.array([3.0, 0.7], np.float16),
    "complex64 array": np.array([3.0 + 1j, 0.7], np.complex64),
    "big-endian array": np.array([3.0, 0.7], ">f4"),
    "double array": np.array([3.0, 0.7]),
    "integer array": np.array([3, 2], np.int8),
    "0-d array": np.array(2.3, np.float32),
    "float32 scalar": np.float32(2.3),
    "double scalar": np.float64(2.3),
    "integer scalar": np.int64(3),
    "int": 3,
    "float": 2.3,
    "complex": 2.3 + 1j,
    "bool": True,
}
OPERATIONS = {
    "+": lambda a, x: a + x,
    "-": lambda a, x: x - a,
    "*": lambda a, x: a * x,
    "/": lambda a, x: a / x,
    "**": lambda a, x: a**x,
    "** of it": lambda a, x: x**a,
    "%": lambda a, x: a % x,
    "//": lambda a, x: a // x,
    "divmod": lambda a, x: divmod(x, 0.4)[1] * a,
    "np.multiply": lambda a, x: np.multiply(x, a),
    "np.hypot": lambda a, x: np.hypot(a, x),
    "np.multiply.outer": lambda a, x: np.multiply.outer(a, x),
    "np.where": lambda a, x: np.where(np.array([True, False]), a, x),
    "np.clip": lambda a, x: np.clip(a, x, 9.0),
    "np.clip of it": lambda a, x: np.clip(x, a, 9.0),
    "np.array": lambda a, x: np.array(x) * a,
    "np.dot": lambda a, x: np.dot(a, x),
    "np.append": lambda a, x: np.append(a, x),
    "np.sum": lambda a, x: np.sum(x) * a,
    "np.sqrt": lambda a, x: np.sqrt(x) * a,
    "math.sin": lambda a, x: (math if isinstance(x, float) else cmath).sin(x) * a,
    "math.hypot": lambda a, x: math.hypot(x, 1.0) * a,
    "math of double": lambda a, x: math.cos(np.float64(2.0) * x) * a,
    "round": lambda a, x: round(x, 1) * a,
    "quotient of divmod": lambda a, x: divmod(x, 0.4)[0] * a,
    "quotient of its divmod": lambda a, x: divmod(3, x)[0] * a,
    "real": lambda a, x: x.real * a,
    "imag": lambda a, x: x.imag * a,
    "parts of a product": lambda a, x: (x * 1j).real * a + (1j * x).imag * a,
    "square of the modulus": lambda a, x: (x * x.conjugate()).real ** 0.5 * a,
    "conjugate": lambda a, x: (x + 1j).conjugate() * a,
    "signs": lambda a, x: -abs(+x) * a,
    "sum": lambda a, x: sum([x, x]) * a,
    "arithmetic of numbers": lambda a, x: ((x * 2 + 1) / 3) * a,
}  # fmt: skip


def outcome(function, *args):
    try:
        return function(*args)
    except (TypeError, ValueError, ZeroDivisionError, AssertionError) as error:
        return type(error)


def bits(value):
    return value if isinstance(value, type) else agreement.bits(value)  # and not the padding of long doubles


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("partner", PARTNERS)
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("number", [1.7, 0.3 + 0.2j])
def test_values_are_the_plain_programs(operation: str, partner: str, number: complex) -> None:
    a, f = PARTNERS[partner], OPERATIONS[operation]
    with ng.GradientTape() as tape:
        x = tape.watch(number)
        made = [outcome(f, a, x)]
        if isinstance(a, (np.ndarray, np.inexact)) and a.dtype.kind in "fc":
            made.append(outcome(f, tape.watch(a), x))
    for value in made:
        assert bits(value) == bits(outcome(f, a, number))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("partner", [name for name, value in PARTNERS.items() if not isinstance(value, np.ndarray)])
@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name not in ("np.multiply.outer", "np.where")])
@pytest.mark.parametrize("number", [1.7, 0.3 + 0.2j])
def test_values_are_handed_out_in_the_types_of_the_plain_programs(operation: str, partner: str, number: complex) -> None:
    a, f = PARTNERS[partner], OPERATIONS[operation]
    for get in (ng.value_and_jacobian, lambda f: ng.for_solver(f).fun_and_jac, lambda f: lambda x: ng.jvp(f, (x,), (x,))):
        made = outcome(get(lambda x: f(a, x)), number)
        expected = outcome(f, a, number)
        assert made is expected if isinstance(expected, type) else type(made[0]) is type(expected)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name not in ("np.clip", "math.hypot")])
@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "pow", "mod"])
@pytest.mark.parametrize("kind", [np.float64, np.float32, np.complex128, np.complex64])
def test_what_pythons_complex_number_makes_of_an_element(kind: type, name: str, operation: str) -> None:
    """Of a double it makes its own number, by its own division and power, whose last bits are not NumPy's."""
    op, f = getattr(operator, name), OPERATIONS[operation]

    def results(elements):
        pairs = itertools.product((np.array([3.0, 0.7], np.float32), 2.3, np.float64(0.9)), (0.02 + 1j, -1.3 + 0.4j))
        return [outcome(lambda v, a, z: f(a, op(z, v)), v, a, z) for a, z in pairs for v in elements]

    elements = np.array([0.37, 1.9], kind)
    with ng.GradientTape() as tape:
        made = results(tape.watch(elements))
    assert list(map(bits, made)) == list(map(bits, results(elements)))


@pytest.mark.parametrize("name", ["iadd", "isub", "imul", "itruediv", "ipow"])
def test_an_array_is_changed_in_its_precision(name: str) -> None:
    op = getattr(operator, name)
    expected = op(np.array([3.1, 0.7], np.float32), 1.7)
    with ng.GradientTape() as tape:
        x = tape.watch(1.7)
        a = np.array([3.1, 0.7], np.float32)
        made = op(a, x)
    assert made is a
    assert made.dtype == np.float32 and np.array_equal(made, expected)
    with ng.GradientTape() as tape:
        y = 2.0
        x = tape.watch(1.7)
        y = op(y, x)
    assert y == op(2.0, 1.7)


def test_division_by_zero_is_pythons() -> None:
    with ng.GradientTape() as tape:
        x = tape.watch(1.7)
        for divide in (lambda: x / 0, lambda: 1 / (x - x), lambda: x % 0.0, lambda: x // 0):
            with pytest.raises(ZeroDivisionError):
                divide()
        assert isinstance(x, float) and not isinstance(x, np.floating)
        assert x.is_integer() is False


@pytest.mark.parametrize("operation", ["+", "*", "/", "** of it", "np.hypot", "math.sin", "arithmetic of numbers"])
@pytest.mark.parametrize("mode", ["reverse", "forward"])
@pytest.mark.parametrize("partner", ["float32 array", "double array", "float"])
def test_derivatives(operation: str, mode: str, partner: str) -> None:
    a = PARTNERS[partner]
    f = OPERATIONS[operation]
    exact = np.asarray(a, float)  # the differences in double precision
    slope = (f(exact, 1.7 + 1e-5) - f(exact, 1.7 - 1e-5)) / 2e-5
    found = ng.jacobian(lambda x: f(a, x), mode=mode)(1.7)
    np.testing.assert_allclose(found, slope, rtol=2e-6 if partner == "float32 array" else 1e-8, atol=1e-9)


class Dual:
    """A number of the user's own, as automatic differentiation by hand has it."""

    def __init__(self, value, slope=0.0):
        self.value, self.slope = value, slope

    def __mul__(self, other):
        other = other if isinstance(other, Dual) else Dual(other)
        return Dual(self.value * other.value, self.value * other.slope + self.slope * other.value)

    __rmul__ = __mul__

    def __rpow__(self, other):
        return Dual(other**self.value)


@pytest.mark.parametrize("point", [0.7, np.float64(0.7)])
def test_numbers_of_the_users_own(point: float) -> None:
    def cubed(x):
        y = x * (Dual(x, 1.0) * x) * x
        return y.value + y.slope + (x ** Dual(2.0)).value

    value, slope = ng.value_and_grad(cubed)(point)
    assert value == cubed(point)
    difference = (cubed(point + 1e-5) - cubed(point - 1e-5)) / 2e-5
    assert abs(slope - difference) < 1e-8
    with ng.GradientTape() as tape, pytest.raises(TypeError):
        tape.watch(point) + Dual(1.0)


def test_an_array_times_numbers_of_the_users_own() -> None:
    def f(x):
        return sum(made.value for made in x * Dual(x[0], 1.0))

    x = np.array([0.7, 1.2])
    np.testing.assert_allclose(ng.grad(f)(x), [2 * 0.7 + 1.2, 0.7])


@pytest.mark.parametrize("number", [lambda x: x[0], lambda x: x.sum(), lambda x: x[0] * 2.0, lambda x: math.sin(x[1])])
def test_numbers_are_told_from_arrays_by_their_length_and_items(number) -> None:
    """As legacy code does: ``if hasattr(x, "__len__")``, ``try: len(x)``, ``for v in x``."""

    def loops(v):
        for _ in v:
            pass

    def pattern(v):
        match v:
            case []:
                return "nothing"
            case [_, _]:
                return "two"
            case float():
                return "a number"

    def asked(x):
        v = number(x)
        with pytest.raises(TypeError, match="has no len"):
            len(v)
        for loop in (loops, iter, list, sum, lambda v: [*v], lambda v: zip(v, v, strict=True)):
            with pytest.raises(TypeError, match="iterable"):
                loop(v)
        items = [hasattr(v, "__iter__"), hasattr(x, "__iter__"), getattr(v, "__iter__", 7) == 7]
        items += [pattern(v), pattern(x)]
        return [*items, hasattr(v, "__len__"), np.isscalar(v), hasattr(x, "__len__"), hasattr(x[:1], "__len__"), len(x[:1])]

    x = np.array([0.3, 0.7])
    with ng.GradientTape() as tape:
        found = asked(tape.watch(x))
    assert found == asked(x)
    assert found[:4] == [False, True, True, "a number"]
    assert found[5:] == [False, True, True, True, 1]
    with ng.GradientTape() as tape, pytest.raises(TypeError, match="len"):
        len(tape.watch(np.array(0.3)))


@pytest.mark.parametrize(
    "ask",
    [
        lambda v: np.finfo(v).eps,
        lambda v: np.format_float_positional(v, precision=3),
        lambda v: np.format_float_scientific(v),
        lambda v: np.testing.assert_approx_equal(v, v),
        lambda v: outcome(np.testing.assert_approx_equal, v, 2 * v),
    ],
)
@pytest.mark.parametrize("number", [0.7, np.float64(0.7), np.float32(0.7)])
def test_text_verdicts_and_types_of_numbers_are_no_leaks(ask, number) -> None:
    with ng.GradientTape() as tape:
        x = tape.watch(number)
        assert ask(x) == ask(number)
        y = x * x
    assert tape.gradient(y, x) == 2 * number


WAYS_TO_NUMBERS = {
    "item of one": lambda x: x[:1, 0].item(),
    "item of an element": lambda x: x[1, 0].item(),
    "item of an element, with a position": lambda x: x[1, 0].item(0),
    "item of an array without axes": lambda x: np.array(x[1, 1]).item(),
    "item by position": lambda x: x.item(2),
    "item by position from the end": lambda x: x.T.item(-2),
    "item by indices": lambda x: x[::-1].item(1, -1),
    "item by a tuple": lambda x: x.item((1, 0)),
    "list of a row": lambda x: x[0].tolist(),
    "list of an element": lambda x: x[0, 1].tolist(),
    "list of lists": lambda x: x.T.tolist(),
    "list of nothing": lambda x: x[:0].tolist(),
    "item of many": lambda x: x.item(),
    "item past the end": lambda x: x.item(4),
    "item past the end of an axis": lambda x: x.item(0, 2),
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["f8", "f4", ">f8", "c16", "c8", "g", "f2"])
@pytest.mark.parametrize("way", WAYS_TO_NUMBERS)
def test_item_and_tolist_give_numbers_that_are_followed(way: str, dtype: str) -> None:
    def program(x):
        numbers = WAYS_TO_NUMBERS[way](x)
        return numbers, np.sum(np.array(numbers, float if dtype[-1] == "g" else None) ** 2).real

    def result(*args):
        try:
            return program(*args)
        except (ValueError, IndexError) as error:
            return type(error), str(error)

    point = np.array([[0.3, 1.7], [-2.1, 0.9]]).astype(dtype)
    expected = result(point)
    with ng.GradientTape() as tape:
        x = tape.watch(point)
        made = result(x)
    if isinstance(expected[0], type):
        assert made == expected
        return
    numbers, plain = flatten(made[0])[0], flatten(expected[0])[0]
    assert np.shape(made[0]) == np.shape(expected[0])
    assert all(isinstance(one, type(right)) for one, right in zip(numbers, plain, strict=True))
    assert list(map(bits, numbers)) == list(map(bits, plain))
    rows = tape.gradient(made[1], x, unconnected_gradients="zero")
    steps = 0.125 * np.eye(4).reshape(4, 2, 2).astype(dtype)
    slope = [(program(point + step)[1] - program(point - step)[1]) / 0.25 for step in steps]
    np.testing.assert_allclose(rows.real.ravel(), slope, rtol=1e-2 if dtype == "f2" else 1e-5, atol=1e-6)


@pytest.mark.parametrize("of", [lambda t, x: t * x, lambda t, x: x * t, lambda t, x: t / x], ids=["t * x", "x * t", "t / x"])
def test_durations_and_traced_numbers_do_not_ask_each_other_for_ever(of):
    with ng.GradientTape() as tape:
        for x in (tape.watch(2.0), tape.watch(np.array([2.0]))[0]):
            with pytest.raises(TypeError, match="unsupported operand"):
                of(datetime.timedelta(seconds=3), x)
