"""Entry points: what turns an array into something else. Values that no hook can follow are refused; truth, integers,
text, comparison and pickling are not leaks."""

from __future__ import annotations

import contextlib
import math
import opcode
import operator
import sys
from typing import Any

import numpy as np
from numpy import ndarray

from ._elements import in_double, number
from ._leaks import OWN_CODE, WAYS_OUT, LeakError, refuse
from ._moves import copied, tracked_by
from ._pythons_functions import called_function
from ._record import note_cut, noting
from ._tracebacks import public
from ._traced import PythonNumber, TracedArray, completing, entry_point, fresh, is_inexact, short_entry_point

_OPERATOR = opcode.opmap["BINARY_OP"]
# Its arguments for ``%`` and ``%=``, the same in all supported versions of Python.
_REMAINDER = (6, 19)


def _check_leak(self: TracedArray, what: str, *cure: str) -> None:
    records = tracked_by(self)
    if records:
        called = called_function()
        if called is not None:
            what, cure = f"{called[0]} asks for a plain number, and {what}", called[1:]
        refuse(records, what, *cure)


def _note_integer(self: TracedArray) -> None:
    if noting:
        note_cut([self._storage], "a conversion to an integer")


@entry_point
def __float__(self: TracedArray) -> float:
    plain = float(self._bare)  # first, for where NumPy makes no number of it there is no leak but an error of its own
    frame = sys._getframe(2)
    # '%f' % x asks for a float too, but for text only: the caller's current instruction tells it apart. NumPy's tests give
    # verdicts only.
    code, place = frame.f_code.co_code, frame.f_lasti
    is_text = code[place] == _OPERATOR and code[place + 1] in _REMAINDER
    if not is_text and not (frame.f_globals.get("__name__") or "").startswith("numpy.testing."):
        cure = f"{WAYS_OUT} For float(x) take x: it passes for a number."
        _check_leak(self, "a traced value is turned into a plain float", cure)
    return plain


@entry_point
def __complex__(self: TracedArray) -> complex:
    plain = complex(self._bare)
    cure = f"{WAYS_OUT} For complex(a, b) write a + 1j * b."
    _check_leak(self, "a traced value is turned into a plain complex number", cure)
    return plain


@entry_point
def __int__(self: TracedArray) -> int:
    _note_integer(self)
    return int(self._bare)


@entry_point
def __index__(self: TracedArray) -> int:
    if self._bare.ndim and is_inexact(self._bare.dtype):
        _check_leak(self, "the bits of a traced array are taken")  # bytearray(x) asks for an integer first
    return operator.index(self._bare)


@entry_point
def __bool__(self: TracedArray) -> bool:
    return bool(self._bare)


@entry_point
def __round__(self: TracedArray, ndigits: int | None = None) -> Any:
    _note_integer(self)
    return round(self._bare.item() if type(self) is PythonNumber else self._bare, ndigits)


@entry_point
def __trunc__(self: TracedArray) -> int:
    _note_integer(self)
    return math.trunc(self._bare)


@entry_point
def __floor__(self: TracedArray) -> int:
    _note_integer(self)
    return math.floor(self._bare)


@entry_point
def __ceil__(self: TracedArray) -> int:
    _note_integer(self)
    return math.ceil(self._bare)


@entry_point
def is_integer(self: TracedArray) -> bool:
    return bool(self._bare.is_integer())


@entry_point
def as_integer_ratio(self: TracedArray) -> tuple[int, int]:
    plain = self._bare.as_integer_ratio()
    _check_leak(self, "a traced value is turned into an exact fraction")
    return plain


@entry_point
def hex(self: TracedArray) -> str:
    return self._bare.hex()


@entry_point
def item(self: TracedArray, *args: Any) -> Any:
    """A number of Python's, which is followed: what the program computes with it is not lost."""
    plain = self._bare.item(*args)
    if not tracked_by(self):
        return plain
    index: Any = args[0] if args and type(args[0]) is tuple else args
    if len(index) != self.ndim:  # a position in the flat array, or none
        index = np.unravel_index(operator.index(index[0]) % self.size if index else 0, self.shape) if self.ndim else ()
    element: Any = self[index]
    return number(in_double(element))


def _lists_of_numbers(array: Any) -> Any:
    return [_lists_of_numbers(part) for part in array] if array.ndim else number(array)


@entry_point
def tolist(self: TracedArray) -> Any:
    return _lists_of_numbers(in_double(self)) if tracked_by(self) else self._bare.tolist()


@entry_point
def tobytes(self: TracedArray, order: Any = "C") -> bytes:
    _check_leak(self, "tobytes() takes the bits of a traced array")
    return self._bare.tobytes(order)


TracedArray.tostring = tobytes  # type: ignore[attr-defined] # its name until NumPy 2.2


@entry_point
def __bytes__(self: TracedArray) -> bytes:
    return self.tobytes()


_NO_KEY = (
    "Take functools.lru_cache or the like off the function that is called with it; use npgrad.stop_gradient where the "
    'number is meant; or pass leaks="warn" or leaks="ignore" to the tape or the functional API.'
)


@entry_point
def __hash__(self: TracedArray) -> int:
    if type(self._bare) is ndarray:
        raise TypeError("unhashable type: 'numpy.ndarray'")
    _check_leak(self, "a traced value is used as a key, which stands for its number only", _NO_KEY)
    return hash(self._bare)


def _memory(name: str) -> property:
    numpys = getattr(ndarray, name)

    def get(self: TracedArray) -> Any:
        _check_leak(self, f"{name} hands out the memory of a traced array")
        return numpys.__get__(self)

    return property(completing(get))


for _name in ("data", "ctypes", "__array_interface__", "__array_struct__"):
    setattr(TracedArray, _name, _memory(_name))


def _priority(self: TracedArray) -> float:
    """Above 0 so that plain.dot(traced) comes back as this class, without a record, and is refused when used; below 10.1 so
    that scipy.sparse still takes precedence in traced @ sparse.

    It is all that ``plain.dot(traced)`` reads. Where the result is a scalar, the leak shows nowhere else.
    """
    frame = sys._getframe(2)
    code = frame.f_code
    if code.co_code[frame.f_lasti] == _OPERATOR or code.co_filename.startswith(OWN_CODE):
        return 10.0  # an operator, which NumPy asks too before it calls a hook: the program's, or one of ours for it
    if "__array_priority__" not in code.co_names and "__array_priority__" not in code.co_consts:
        with contextlib.suppress(LeakError):  # which NumPy would take for a missing attribute: `gradient` raises it
            _check_leak(self, "a method of a plain array takes traced data (plain.dot(traced) does: write plain @ traced)")
    return 10.0


TracedArray.__array_priority__ = property(completing(_priority))  # type: ignore[assignment]


@entry_point
def __array__(self: TracedArray, dtype: Any = None, *, copy: Any = None) -> ndarray:
    _check_leak(self, "__array__() turns a traced array into a plain one")
    return np.array(self._bare, dtype=dtype)


@entry_point
def __dlpack__(self: TracedArray, **kwargs: Any) -> Any:
    _check_leak(self, "another library asks for the memory of a traced array")
    return np.asarray(self._bare).__dlpack__(**kwargs)


# --- Text ----------------------------------------------------------------------------------------------------------


@entry_point
def __repr__(self: TracedArray) -> str:
    bare = self._bare
    body = np.array2string(np.asarray(bare), separator=", ", prefix="TracedArray(")
    dtype = "" if bare.dtype in (np.float64, np.complex128) else f", dtype={bare.dtype}"
    return f"TracedArray({body}{dtype}{', tracked' if self._storage.tracked else ''})"


@entry_point
def __str__(self: TracedArray) -> str:
    return str(self._bare)


@entry_point
def __format__(self: TracedArray, spec: str) -> str:
    return format(self._bare, spec)


# --- Copies and pickles --------------------------------------------------------------------------------------------


@entry_point
def __copy__(self: TracedArray) -> Any:
    return copied(self) if type(self._bare) is ndarray else self


@entry_point
def __deepcopy__(self: TracedArray, memo: dict) -> Any:
    return copied(self) if type(self._bare) is ndarray else self


def _unpickled(plain: Any) -> TracedArray:
    return fresh(plain)


@entry_point
def __reduce__(self: TracedArray) -> Any:
    return _unpickled, (np.array(self._bare) if type(self._bare) is ndarray else self._bare,)


@entry_point
def __reduce_ex__(self: TracedArray, protocol: Any) -> Any:
    return self.__reduce__()


@short_entry_point
@public
def __setstate__(self: TracedArray, state: Any) -> None:
    raise TypeError("the state of a traced array is not set in place: make one with npgrad.array")
