"""Objects of the user's that give an array, and have an answer of their own to NumPy's calls."""

from __future__ import annotations

import operator
import warnings
from typing import Any

import numpy as np
import pytest
from numpy.lib.mixins import NDArrayOperatorsMixin

import npgrad as ng
from npgrad.testing import check_gradients

POINT = np.array([0.4, 1.3, 2.1])


class Given:
    def __init__(self, values: Any) -> None:
        self.values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self.values, dtype=dtype)


def data_of(value: Any) -> Any:
    return value.values if isinstance(value, Given) else value


class Ufuncs(Given, NDArrayOperatorsMixin):
    """Adds logarithmically."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        function = np.logaddexp if ufunc == np.add else ufunc
        made = getattr(function, method)(*map(data_of, inputs), **kwargs)
        return tuple(map(Ufuncs, made)) if isinstance(made, tuple) else Ufuncs(made) if method != "at" else None


class Functions(Given):
    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function.__name__ == "median":
            return NotImplemented
        return 7.0 * sum([a.values.sum() for a in (args[0] if isinstance(args[0], list) else args) if type(a) is Functions])


class Wrapping(Given):
    def __init__(self, values: Any, *told: Any) -> None:
        super().__init__(values)
        self.told = told

    def __array_wrap__(self, made: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return Wrapping(made, context, return_scalar)


class First(Wrapping):
    """Comes before plain arrays."""

    __array_priority__ = 1.0

    def __rmul__(self, other: Any) -> Any:
        return First(other * self.values * 3.0)

    def __rsub__(self, other: Any) -> Any:
        return First(other - 2.0 * self.values)


OF_UFUNCS: dict[str, Any] = {
    "call": lambda x: np.add(Ufuncs(x), 1.0),
    "second": lambda x: np.add(x, Ufuncs(x * x)),
    "scalar": lambda x: np.add(x[0], Ufuncs(x)),
    "operator": lambda x: Ufuncs(x) + x,
    "beside a list": lambda x: np.add(Ufuncs(x), [x[0], 1.0, x[2]]),
    "of one": lambda x: np.sqrt(Ufuncs(x)),
    "reduce": lambda x: np.add.reduce(Ufuncs(x)),
    "initial": lambda x: np.multiply.reduce(Ufuncs(x), initial=x[0]),
    "accumulate": lambda x: np.add.accumulate(Ufuncs(x)),
    "reduceat": lambda x: np.multiply.reduceat(Ufuncs(x), [0, 2]),
    "outer": lambda x: np.add.outer(x, Ufuncs(x)),
    "two results": lambda x: np.divmod(Ufuncs(x), 0.31)[1],
    "unary": lambda x: -Ufuncs(x),
}


@pytest.mark.parametrize("name", OF_UFUNCS)
def test_ufuncs_ask_an_object_that_answers_them(name: str) -> None:
    assert type(OF_UFUNCS[name](POINT)) is Ufuncs
    check_gradients(lambda x: OF_UFUNCS[name](x).values, POINT)


def test_an_object_that_takes_no_ufuncs_is_refused_by_numpy() -> None:
    class Silent(Given):
        __array_ufunc__ = None

    with ng.GradientTape() as tape:
        x = tape.watch(POINT)
        with pytest.raises(TypeError, match="does not support ufuncs"):
            np.add(Silent(x), 1.0)


OF_FUNCTIONS: dict[str, Any] = {
    "mean": lambda x: np.mean(Functions(x)),
    "second": lambda x: np.dot(x, Functions(x * x)),
    "list": lambda x: np.concatenate([Functions(x), x, Functions(2.0 * x)]),
    "stack": lambda x: np.stack([x, Functions(x)]),
    "block": lambda x: np.block([Functions(x), x]),
    "copy": lambda x: np.copy(Functions(x)),
    "zero": lambda x: np.argsort(Functions(x)),
    "linalg": lambda x: np.linalg.norm(Functions(x)),
    "fft": lambda x: np.fft.fft(Functions(x)),
    "third": lambda x: np.where(x > 1, x, Functions(x)),
    "calling back": lambda x: np.piecewise(Functions(x), [x > 1], [np.sin, np.cos]),
    "in a list that is an array": lambda x: np.sum([Functions(x), Functions(x * x)]),
    "conversion": lambda x: np.asarray(Functions(x)) * np.array(Functions(x)),
}


@pytest.mark.parametrize("name", OF_FUNCTIONS)
def test_functions_ask_an_object_that_answers_them(name: str) -> None:
    check_gradients(OF_FUNCTIONS[name], POINT)


def test_an_answer_that_is_none_is_numpys_error() -> None:
    with ng.GradientTape() as tape:
        x = tape.watch(POINT)
        with pytest.raises(TypeError, match="no implementation found"):
            np.median(Functions(x))


def matrix(x: Any) -> Any:
    return x[:4].reshape(2, 2)


WRAPPED: dict[str, Any] = {
    "sin": lambda x: np.sin(Wrapping(x)),
    "add": lambda x: np.add(Wrapping(x), 1.0),
    "behind an array": lambda x: np.add(x, Wrapping(x)),
    "operator": lambda x: x * Wrapping(x),
    "operator behind": lambda x: Wrapping(x) / (1.0 + x),
    "function of an element": lambda x: np.multiply(x[0], Wrapping(x)),
    "isnan": lambda x: np.isnan(Wrapping(x)),
    "modf": lambda x: np.modf(Wrapping(x))[0],
    "0-d": lambda x: np.exp(Wrapping(x[0])),
    "reduce": lambda x: np.multiply.reduce(Wrapping(x)),
    "accumulate": lambda x: np.add.accumulate(Wrapping(x)),
    "sum": lambda x: np.sum(Wrapping(x)),
    "priority": lambda x: np.multiply(x, First(x)),
    "operator of the other": lambda x: x * First(x),
    "operator of an element": lambda x: x[1] * First(x),
    "difference": lambda x: (x - x * x) - First(x),
    "inv": lambda x: np.linalg.inv(Wrapping(matrix(x))),
    "solve": lambda x: np.linalg.solve(matrix(x), Wrapping(x[:2])),
    "svd": lambda x: np.linalg.svd(Wrapping(matrix(x)))[2],
    "reshape": lambda x: np.reshape(Wrapping(x), (2, 2)),
    "cumsum": lambda x: np.cumsum(Wrapping(x)),
    "delete": lambda x: np.delete(Wrapping(x), 1),
    "by name": lambda x: np.linalg.inv(a=Wrapping(matrix(x))),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_results_are_handed_to_the_object_that_wraps_them(name: str) -> None:
    point = np.array([2.1, 0.3, 0.4, 1.5])
    plain = WRAPPED[name](point)
    assert isinstance(plain, Wrapping)
    check_gradients(lambda x: np.asarray(WRAPPED[name](x).values) * 1.0, point)
    with ng.GradientTape() as tape:
        told = WRAPPED[name](tape.watch(point)).told
    assert [type(value) for value in told] == [type(value) for value in plain.told]
    if told and isinstance(told[0], tuple):
        assert told[0][0] == plain.told[0][0] and told[0][2:] == plain.told[0][2:]
        assert len(told[0][1]) == len(plain.told[0][1])


NOT_WRAPPED: dict[str, Any] = {
    "beside an element": lambda x: x[0] * Wrapping(x) + Wrapping(x) ** x[1],
    "dot": lambda x: np.dot(Wrapping(x), x),
    "outer": lambda x: np.multiply.outer(Wrapping(x), 2.0),
    "out": lambda x: np.sin(Wrapping(x), out=np.zeros(3)),
    "concatenate": lambda x: np.concatenate([Wrapping(x), x]),
    "first of two": lambda x: np.linalg.eigh(Wrapping(np.outer(x, x) + np.diag(x)))[0],
}


@pytest.mark.parametrize("name", NOT_WRAPPED)
def test_results_that_numpy_hands_to_nobody(name: str) -> None:
    if name == "beside an element" and np.lib.NumpyVersion(np.__version__) < "2.3.0":
        with pytest.raises(ng.LeakError, match="plain float"):  # what NumPy asks of the element there is refused
            ng.jacobian(NOT_WRAPPED[name])(POINT)
        return
    check_gradients(NOT_WRAPPED[name], POINT)


def test_an_object_that_comes_first_and_has_no_operator_is_refused_as_by_numpy() -> None:
    other = First(POINT)
    for operation in (operator.truediv, operator.matmul, operator.itruediv):
        with pytest.raises(TypeError) as plain:
            operation(POINT.copy(), other)
        with ng.GradientTape() as tape, pytest.raises(TypeError) as seen:
            operation(tape.watch(POINT) * 1.0, other)
        assert str(seen.value).replace("TracedArray", "numpy.ndarray") == str(plain.value)


def test_a_wrap_of_fewer_arguments_is_called_with_these_and_numpys_warning() -> None:
    class Old(Given):
        def __array_wrap__(self, made: Any) -> Any:
            return Old(made)

    with warnings.catch_warnings(record=True) as plain:
        warnings.simplefilter("always")
        np.sin(Old(POINT))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        value, gradient = ng.value_and_grad(lambda x: np.sin(Old(x)).values.sum())(POINT)
    assert [str(w.message) for w in seen] == [str(w.message) for w in plain] != []
    assert value == np.sin(POINT).sum() and np.allclose(gradient, np.cos(POINT))
