"""The only file that knows a private name of NumPy, or what differs between its versions and those of Python.

`inspect.signature` cannot read NumPy's C functions in the older supported versions: their parameters are listed here.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import types
import warnings
from typing import Any

import numpy as np

if sys.version_info < (3, 13):
    import ctypes

# Sets a shape in place; ``x.shape = ...`` itself warns from NumPy 2.5 on, where this has a method.
SET_SHAPE: Any = getattr(np.ndarray, "_set_shape", np.ndarray.shape.__set__)  # type: ignore[attr-defined]


def warn_of_set_shape(stacklevel: int) -> None:
    """What NumPy says of ``x.shape = ...``, for the program's line."""
    if hasattr(np.ndarray, "_set_shape"):
        warnings.warn(
            "Setting the shape on a NumPy array has been deprecated in NumPy 2.5.\n"
            "As an alternative, you can create a new view using np.reshape (with copy=False if needed).",
            DeprecationWarning,
            stacklevel=stacklevel,
        )


_ARGUMENTS = {
    np.concatenate: "arrays, axis=0, out=None, *, dtype=None, casting='same_kind'",
    np.where: "condition, x=None, y=None",
    np.dot: "a, b, out=None",
    np.vdot: "a, b",
    np.inner: "a, b",
    np.einsum: "*operands, out=None, optimize=False",
    np.bincount: "x, weights=None, minlength=0",
    np.copyto: "dst, src, casting='same_kind', where=True",
    np.putmask: "a, mask, values",
}


def signature_of(function: Any) -> inspect.Signature:
    """The signature of a NumPy function or of a Python one."""
    arguments = _ARGUMENTS.get(function)
    if arguments is not None:
        return inspect.signature(eval(f"lambda {arguments}: None"))
    if isinstance(function, np.ufunc):
        core = ", out=None, axes=None, axis=None, keepdims=False" if function.signature is not None else ""
        return inspect.signature(eval(f"lambda {', '.join('xyzw'[: function.nin])}{core}: None"))
    return inspect.signature(function)


def implementation_of(function: Any) -> types.FunctionType | None:
    """NumPy's own Python code of a dispatched function, None where it is C."""
    implementation = getattr(function, "_implementation", function)
    return implementation if isinstance(implementation, types.FunctionType) else None


def clip_ufunc() -> np.ufunc:
    """The ufunc behind np.clip, which has no public name."""
    return importlib.import_module("numpy._core.umath").clip


class _Rows(list):
    pass


# np.block goes into lists of classes of the user's own since NumPy 2.3.
BLOCK_TAKES_SUBCLASSES = np.block(_Rows([np.ones(1), np.ones(1)])).shape == (2,)


def calling_first_argument() -> Any:
    """The function by which np.clip, np.round and their kin call the method of their first argument."""
    return vars(importlib.import_module("numpy._core.fromnumeric"))["_wrapfunc"]


def series_sums() -> tuple[Any, Any]:
    """The functions in which all series of numpy.polynomial are added and subtracted."""
    module = importlib.import_module("numpy.polynomial.polyutils")
    return module._add, module._sub


def array_converter() -> Any:
    """NumPy's C class through which its Python code converts arguments."""
    return importlib.import_module("numpy._core._multiarray_umath")._array_converter


# Of np.vectorize: the call that sorts out what is excluded, and the loop over arrays with a signature.
VECTORIZE_WITH_EXCLUDED: types.FunctionType = vars(np.vectorize)["_call_as_normal"]
VECTORIZE_WITH_SIGNATURE: types.FunctionType = vars(np.vectorize)["_vectorize_call_with_signature"]


def is_given(value: Any) -> bool:
    """Whether an argument is neither None nor NumPy's marker for one that was not given."""
    return value is not None and value is not np._NoValue


def wants_copy(copy: Any) -> bool:
    """What ``copy=`` of np.array says; the array API's "if needed" has no truth value."""
    return copy is not np._CopyMode.IF_NEEDED and bool(copy)


def forbids_copy(copy: Any) -> bool:
    """Also zero and other false values, as NumPy asks for their truth; None allows a copy."""
    return copy is np._CopyMode.NEVER or (copy is not None and copy is not np._CopyMode.IF_NEEDED and not copy)


def array_methods() -> Any:
    """The Python code behind ``ndarray.mean``, ``var``, ``std`` and their kin."""
    return importlib.import_module("numpy._core._methods")


def numpy_ufuncs() -> list[np.ufunc]:
    """All ufuncs of NumPy's core, also those that only its own code calls."""
    home = importlib.import_module("numpy._core.umath")
    return [value for value in list(vars(home).values()) if isinstance(value, np.ufunc)]


def dispatched_in(module: types.ModuleType) -> list[Any]:
    """The functions that a module of NumPy defines and that ask ``__array_function__``, under private names too."""
    home = importlib.import_module(_HOMES.get(module.__name__, module.__name__))
    return [
        value
        for value in list(vars(home).values())
        if isinstance(value, _DISPATCHED) and value.__module__ == module.__name__
    ]


# Taken now: while a tape records, a name in place stands for the function.
_DISPATCHED = type(np.concatenate)
# Where the code of a public module is that only passes names on.
_HOMES = {"numpy.char": "numpy._core.defchararray", "numpy.strings": "numpy._core.strings"}


# --- The variables of a function that runs ---------------------------------------------------------------------------


def read_variables(frame: types.FrameType) -> dict[str, Any]:
    """The variables of a function that runs."""
    names = frame.f_locals
    found = dict(names)
    if sys.version_info < (3, 13):
        _let_go(names)
    return found


def write_variables(frame: types.FrameType, values: dict[str, Any]) -> None:
    """Set variables of a function that runs, those that functions inside of it share among them."""
    names = frame.f_locals
    if sys.version_info >= (3, 13):
        names.update(values)
        return
    before = dict(names)
    names.clear()  # all that are named there are set
    names.update(values)
    ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
    names.update(before | values)
    _let_go(names)


def _let_go(names: dict[str, Any]) -> None:
    """Empty Python's own copy of all variables, which would keep them alive as long as the function runs; unless it is what
    `locals` has given to the program."""
    if sys.getrefcount(names) <= _UNSHARED:
        names.clear()


_UNSHARED = 4  # the frame, the two functions here, and the count itself
