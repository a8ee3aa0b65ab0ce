"""Every entry point of the array: the same operation on plain, tracked, untracked and unrecorded arrays gives the same
value to the last bit, the same dtype and shape, and the same kind of error."""

import functools
import gc
import inspect
import math
import operator
import re
from builtins import type
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from agreement import check_program, outcome

import npgrad as ng
from npgrad._collector import records_live

DTYPES = ["f8", "f4", "f2", "g", "c16", "c8"]


@functools.cache
def _values(shape: tuple, dtype: str) -> np.ndarray:
    base = np.linspace(-1.6, 2.3, max(int(np.prod(shape)), 1))[: int(np.prod(shape))].reshape(shape)
    return np.asarray(base + 0.5j * base.ravel()[::-1].reshape(shape) if np.dtype(dtype).kind == "c" else base).astype(dtype)


def values(shape: tuple, dtype: str) -> np.ndarray:
    return _values(shape, dtype).copy()


# The shape of the owner of the memory, and the view of it that is tested.
LAYOUTS: dict[str, tuple[tuple, Callable]] = {
    "0-d": ((), lambda a: a),
    "1-d": ((4,), lambda a: a),
    "2-d": ((3, 4), lambda a: a),
    "3-d": ((2, 3, 2), lambda a: a),
    "Fortran": ((4, 3), lambda a: a.T),
    "strided": ((5, 8), lambda a: a[::2, 1::2]),
    "reversed": ((3, 4), lambda a: a[::-1, ::-1]),
    "transposed": ((2, 3, 2), lambda a: a.transpose(1, 2, 0)),
    "empty": ((0, 3), lambda a: a),
}


def made_by_compiled_code(plain: np.ndarray) -> np.ndarray:
    """An array of our class that no hook has made, outside of all tapes: it may come from any that lives."""
    if records_live():
        gc.collect()
    return np.ndarray.copy(ng.array(plain), order="K")


def check(layout: str, dtype: str, *operations: Callable) -> None:
    """Each of the operations on an array of its own."""
    shape, view = LAYOUTS[layout]
    wanted = [outcome(operation, view(values(shape, dtype))) for operation in operations]
    for operation, want in zip(operations, wanted, strict=True):
        compiled = made_by_compiled_code(values(shape, dtype))
        assert outcome(operation, view(compiled)) == want, ("made by compiled code", dtype)
        assert outcome(operation, view(ng.array(values(shape, dtype)))) == want, ("outside", dtype)
    for state, tape in zip(("tracked", "untracked"), tapes(), strict=True):
        for operation, want in zip(operations, wanted, strict=True):
            owner = ng.array(values(shape, dtype))
            array = view(tape.watch(owner) if state == "tracked" else owner)
            assert outcome(operation, array) == want, (state, dtype)


def tapes() -> Iterator[ng.GradientTape]:
    """Two, each of which records until the next one is asked for. A tape searches the variables of the function that enters
    it: here there are none, while above there are hundreds of operations and results."""
    for _ in range(2):
        with ng.GradientTape(leaks="ignore") as tape:
            yield tape


UNARY = {
    "neg": operator.neg,
    "pos": operator.pos,
    "abs": abs,
    "bool": bool,
    "int": int,
    "float": float,
    "complex": complex,
    "len": len,
    "iter": list,
    "index": operator.index,
    "invert": operator.invert,
    "round": round,
    "str": str,
    "format": lambda x: format(x, ""),
    "contains": lambda x: 2.3 in x,
    "reversed": lambda x: list(reversed(x)),
    "floor": math.floor,
    "ceil": math.ceil,
    "trunc": math.trunc,
    "delete": lambda x: operator.delitem(x, 0),
}
BINARY = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    operator.pow,
    divmod,
    operator.matmul,
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
    operator.eq,
    operator.ne,
    operator.and_,
    operator.or_,
    operator.xor,
    operator.lshift,
    operator.rshift,
    operator.iadd,
    operator.isub,
    operator.imul,
    operator.itruediv,
    operator.ifloordiv,
    operator.imod,
    operator.ipow,
    operator.imatmul,
    operator.iand,
    operator.ilshift,
]
OTHERS: dict[str, Any] = {
    "int": 3,
    "float": 0.7,
    "negative": -2,
    "complex": 1 + 2j,
    "bool": True,
    "zero": 0.0,
    "half": 0.5,
    "two": 2,
    "f4": np.float32(1.3),
    "f8": np.float64(-0.4),
    "c8": np.complex64(1j),
    "i8": np.int64(2),
    "row": np.arange(1.0, 5.0),
    "column": np.arange(1.0, 4.0)[:, None],
    "ints": np.array([1, 2, 3, 4]),
    "list": [1.0, 2.0, 3.0, 4.0],
    "matrix": np.arange(1.0, 13.0).reshape(4, 3),
    "misfit": np.ones(7),
    "text": "a",
    "none": None,
    "big": 10**40,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_unary_operators(layout: str, dtype: str) -> None:
    for name, operation in UNARY.items():
        if name != "int" or np.dtype(dtype).kind == "f":
            check(layout, dtype, operation)


# All of them take a while: with other versions of Python and NumPy two will do.
SOME_LAYOUTS = [name if name in ("0-d", "strided") else pytest.param(name, marks=pytest.mark.once) for name in LAYOUTS]


@pytest.mark.parametrize("layout", SOME_LAYOUTS)
@pytest.mark.parametrize("operation", BINARY, ids=lambda f: f.__name__)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_binary_operators(layout: str, operation: Callable) -> None:
    calls = [lambda x, other=other: operation(x, other) for other in OTHERS.values()]
    if not operation.__name__.startswith("i"):
        calls += [lambda x, other=other: operation(other, x) for other in OTHERS.values()]
    for dtype in DTYPES:
        check(layout, dtype, *calls)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("other", [(), (3,), (4,), (4, 3), (3, 2), (2, 2, 4), (2, 3, 2), (2, 1, 4, 3)])
def test_matmul_ranks(layout: str, other: tuple) -> None:
    for dtype in ("f8", "c16", "f4"):
        right = values(other, dtype)
        check(layout, dtype, lambda x, right=right: x @ right, lambda x, right=right: right @ x)


METHODS: dict[str, Callable] = {
    name: operator.methodcaller(name)
    for name in (
        "all",
        "any",
        "argmax",
        "argmin",
        "argsort",
        "conj",
        "conjugate",
        "copy",
        "cumprod",
        "cumsum",
        "diagonal",
        "flatten",
        "item",
        "max",
        "mean",
        "min",
        "nonzero",
        "prod",
        "ravel",
        "squeeze",
        "std",
        "sum",
        "tolist",
        "trace",
        "transpose",
        "var",
        "round",
        "view",
        "sort",
        "__copy__",
        "is_integer",
    )
}
METHODS |= {
    "sum axis": lambda x: x.sum(axis=-1, keepdims=True),
    "mean 0": lambda x: x.mean(0),
    "clip": lambda x: x.clip(-0.5, 0.5),
    "clip from below": lambda x: x.clip(0.5),
    "clip from above": lambda x: x.clip(max=0.5),
    "std 0": lambda x: x.std(axis=0, ddof=1),
    "repeat": lambda x: x.repeat(2),
    "repeat axis": lambda x: x.repeat(2, axis=-1),
    "take": lambda x: x.take([0, -1, 1], axis=-1, mode="wrap"),
    "reshape": lambda x: x.reshape(-1, 2),
    "reshape F": lambda x: x.reshape(-1, order="F"),
    "reshape bad": lambda x: x.reshape(5, 5),
    "ravel K": lambda x: x.ravel("K"),
    "astype": lambda x: x.astype("f4"),
    "astype c": lambda x: x.astype(complex),
    "astype int": lambda x: x.real.astype(int),
    "astype same": lambda x: x.astype(x.dtype, copy=False),
    "swapaxes": lambda x: x.swapaxes(0, -1),
    "dot": lambda x: x.dot(2.0),
    "transpose args": lambda x: x.transpose(1, 0),
    "compress": lambda x: x.compress([True, False], axis=0),
    "searchsorted": lambda x: x.searchsorted(0.3),
    "argpartition": lambda x: x.argpartition(1, axis=0),
    "partition": lambda x: x.partition(1, axis=0),
    "sort 0": lambda x: x.sort(axis=0),
    "fill": lambda x: x.fill(1.5),
    "put": lambda x: x.put([0, 1], [5.0, 6.0]),
    "max out": lambda x: x.max(axis=0, out=x[0]),
    "item 0": lambda x: x.item(0),
    "choose": lambda x: np.array([1, 0]).choose([x, x + 1]),
    "cumsum 0": lambda x: x.cumsum(axis=0),
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "real": lambda x: x.real,
    "imag": lambda x: x.imag,
    "size": lambda x: x.size,
    "ndim": lambda x: x.ndim,
    "nbytes": lambda x: x.nbytes,
    "itemsize": lambda x: x.itemsize,
    "shape": lambda x: x.shape,
    "dtype": lambda x: x.dtype,
    "strides": lambda x: x.strides,
    "flags": lambda x: (x.flags.c_contiguous, x.flags.f_contiguous, x.flags.writeable),
    "flat": lambda x: list(x.flat),
    "flat key": lambda x: x.flat[1:],
    "flat length": lambda x: len(x.flat),
    "device": lambda x: x.device,
    "set real": lambda x: setattr(x, "real", 2.0),
    "set imag": lambda x: setattr(x, "imag", 2.0),
    "base": lambda x: x.base is None,
    "set flat": lambda x: setattr(x, "flat", [1.0, 2.0]),
    "set shape": lambda x: setattr(x, "shape", (x.size,)),
    "no attribute": lambda x: x.no_such_attribute,
    "view f4": lambda x: x.view(x.real.dtype),
    "bad axis": lambda x: x.sum(axis=9),
    "bad order": lambda x: x.ravel("Z"),
    "setflags": lambda x: (x.setflags(write=False), x.__setitem__(0, 1.0)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", METHODS)
def test_methods_and_attributes(layout: str, name: str) -> None:
    for dtype in DTYPES:
        check(layout, dtype, METHODS[name])


KEYS: list[Any] = [
    0,
    -1,
    np.int32(1),
    True,
    None,
    ...,
    (),
    slice(None),
    slice(None, None, -1),
    slice(1, None, 2),
    slice(5, 1, -2),
    (0, 0),
    (slice(None), -1),
    (..., 0),
    (0, ..., None),
    (None, ..., None),
    (slice(None, None, -1), slice(1, 3)),
    [0, 1],
    [-1, 0, 0],
    [],
    np.array([[0, 1], [1, 0]]),
    np.array(1),
    (np.array(0), np.array(1)),
    ([0, 1], [1, 0]),
    (slice(None), [0, 1]),
    ([0, 1], slice(None)),
    ([[0], [1]], [0, 1]),
    (..., [1, 0]),
    (None, [0, 1]),
    (0, [1, 0]),
    ([0, 1], None, [1, 0]),
    ([0, 1], ..., [0, 1]),
    [True, False, True],
    np.array([True, False]),
    np.bool_(True),
    False,
    np.ix_([0, 1], [1, 0]),
    99,
    (0, 0, 0, 0),
    1.0,
    "a",
    [99],
    [0.5],
    (slice(None),) * 5,
    np.array([1, 0], "u1"),
    lambda x: x.real > 0,
    lambda x: (x.real > 0, ...),
    lambda x: np.nonzero(x),
    lambda x: x.argmax(),
    lambda x: x.real.argsort(0),
]


def key_for(key: Any, array: Any) -> Any:
    return key(array) if callable(key) else key


# NumPy's own `flat[True]` of an empty array gave what lay in memory behind it.
_FLAT_READS_BEYOND = np.lib.NumpyVersion(np.__version__) < "2.4.0"


@pytest.mark.parametrize("layout", SOME_LAYOUTS)
@pytest.mark.parametrize("key", KEYS, ids=lambda key: "computed" if callable(key) else str(key).replace("\n", "")[:40])
@pytest.mark.filterwarnings("ignore:Calling nonzero on 0d arrays")
def test_reading_and_writing(layout: str, key: Any) -> None:
    for dtype in DTYPES:
        check(
            layout,
            dtype,
            lambda x: x[key_for(key, x)],
            lambda x: x.__setitem__(key_for(key, x), 7.5),
            lambda x: x.__setitem__(key_for(key, x), [1.5, 2.5]),
            lambda x: x.__setitem__(key_for(key, x), x[key_for(key, x)] * 2),
        )
    if not isinstance(key, tuple) and not (key is True and layout == "empty" and _FLAT_READS_BEYOND):
        check(layout, "f8", lambda x: x.flat.__getitem__(key_for(key, x)))


# --- Derivatives of the same operations ------------------------------------------------------------------------------

SMOOTH: list[Callable] = [
    lambda x: -x * +x,
    lambda x: abs(x) + 2 / x,
    lambda x: x**3 - 2**x,
    lambda x: x % 0.31,
    lambda x: divmod(x, 0.31)[1] * x,
    lambda x: x @ x[0],
    lambda x: x[0] @ x.T @ x,
    lambda x: np.ones((2, 3)) @ x,
    lambda x: x.T @ np.ones(3),
    lambda x: 1.5 - x,
    lambda x: x[::-1, ::-2] * x[0, 0],
    lambda x: x[..., None] * x[0],
    lambda x: x[[0, 0, 2], [1, 1, 3]] ** 2,
    lambda x: x.flat[2:7] ** 2,
    lambda x: x[:, [0, 2]] * x[:, [3]],
    lambda x: x[np.array([True, False, True])] ** 2,
    lambda x: x[x > 0.64] ** 2,
    lambda x: x[[0, 1], None, [1, 0]] ** 2,
    lambda x: x[np.ix_([0, 2], [1, 3])] ** 2,
    lambda x: x[np.array(1)] ** 2,
    lambda x: x.sum(0) * x.mean(),
    lambda x: x.prod(axis=1),
    lambda x: x.std(0) * x.var(),
    lambda x: x.cumsum(1) * x.cumprod(0),
    lambda x: x.clip(0.485, 0.94) * x.max(),
    lambda x: x.min(axis=0) * x,
    lambda x: x.take([1, 1, 5]) ** 2,
    lambda x: x.trace() * x,
    lambda x: x.diagonal() ** 2,
    lambda x: x.repeat(2, 0) ** 2,
    lambda x: x.swapaxes(0, 1).reshape(2, 6) ** 2,
    lambda x: x.dot(x.T),
    lambda x: x.ravel("F")[::2] * x.flatten()[1::2],
    lambda x: x.compress([1, 0, 1], axis=0) ** 2,
    lambda x: x.astype("g") * x,
    lambda x: np.array([x[0, 0] * x[1, 1], x[2, 2]]),
    lambda x: sum(x) * max(x[0]),
    lambda x: np.array(sorted(x[1])) ** 2,
    lambda x: x.real * x.conj() + x.imag,
    lambda x: np.array([t.sum() ** 2 for t in x]),
    lambda x: functools.reduce(operator.mul, x),
    lambda x: x.round(0) * x,
    lambda x: np.array(2 - x[0, 1]) * (0.5 ** x[0, 0]),
    lambda x: x.squeeze().T.copy() ** 2,
]


@pytest.mark.parametrize("number", range(len(SMOOTH)))
def test_derivatives(number: int) -> None:
    point = np.random.default_rng(4).permutation(np.linspace(0.37, 1.21, 12)).reshape(3, 4)
    function = SMOOTH[number]
    check_program(
        lambda x: np.asarray(function(x), float) if type(x) is np.ndarray else function(x).astype(float), point, second=True
    )


# --- Completeness ----------------------------------------------------------------------------------------------------


def test_all_public_members_of_ndarray_are_there() -> None:
    """What is inherited as it is from ndarray is harmless: nothing of it computes, views or writes."""
    members = dict(inspect.getmembers(np.ndarray))
    inherited = {n for n, member in members.items() if n[0] != "_" and getattr(ng.TracedArray, n) is member}
    only_say_that_they_were_removed = {"itemset", "newbyteorder", "ptp"}  # until NumPy 2.2
    harmless = {"device", "dump", "dumps", "itemsize", "nbytes", "ndim", "size", "tofile"}
    assert inherited <= harmless | only_say_that_they_were_removed


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.dot(x, x, out=np.empty((2, 2), np.float32)),
        lambda x: np.dot(x, x, np.empty((3, 2))),
        lambda x: np.dot(x, x, out=np.empty((2, 4))[:, ::2]),
        lambda x: np.sum(x, axis=0, out=np.empty(3)),
        lambda x: np.array(x[0, 0], copy=False),
        lambda x: np.array([x[0, 0]], copy=False),
        lambda x: np.asarray(x, dtype=np.float32, copy=False),
        lambda x: x.flat.__delitem__(0),
    ],
)
def test_what_numpy_refuses_is_refused_in_its_words(call: Any) -> None:
    plain = np.array([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises((ValueError, TypeError)) as refused:
        call(plain)
    with ng.GradientTape() as tape:
        x = tape.watch(plain)
        with pytest.raises(type(refused.value), match=re.escape(str(refused.value))):
            call(x)
