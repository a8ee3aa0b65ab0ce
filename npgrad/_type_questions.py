"""The exact type of a value, as the program would have it without npgrad: what ``type(x)`` and ``x.__class__`` say.

``type(x) is np.ndarray`` asks no hook of ``x``. So while a tape records, a name ``type`` of its own stands in each module of
the user's whose code says ``type`` and never compares that by ``is``; the builtin one, which libraries call in their loops,
stays as it is. Where the class that it gives is called or goes on, what stands for the class is given: ``type(x)(x.shape)``
makes a buffer that is followed.
"""

from __future__ import annotations

import copyreg
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from numpy import ndarray

from ._broadcast import TracedBroadcast
from ._class_forms import FormOfClass, form_of_class, held_form, reduced
from ._comparisons import codes_of
from ._holders import HeldArray
from ._leaks import is_users_code
from ._objects import ObjectArray
from ._record import recording
from ._scipy_forms import StandIn
from ._traced import PythonNumber, SeenArray, TracedArray
from ._ufunc_forms import UfuncForm
from ._uses import Use, UseInFrame, use_at, uses_of

_CALLED, _HELD, _LOOKED_INTO, _UNKNOWN = Use.CALLED, Use.HELD, Use.LOOKED_INTO, Use.UNKNOWN


def _asked(frame: FrameType) -> Use:
    """How the class that a frame asks for is used; in code that is not the user's that is not looked at."""
    is_own = is_users_code(frame.f_globals.get("__name__"), frame.f_code.co_filename)
    return use_at(frame.f_code, frame.f_lasti, frame.f_globals, is_class=True) if is_own else _UNKNOWN


_use_in = UseInFrame(_asked)


def _given(kind: Any, frame: FrameType) -> Any:
    """What a frame gets for the class of a value: the class, or what stands for it while a tape records."""
    use = _use_in(frame)
    if use is _UNKNOWN or not recording():
        return kind
    if use is _CALLED or use is _LOOKED_INTO:
        return form_of_class(kind)
    return (use is _HELD and held_form(kind, [frame.f_globals])) or kind


# --- x.__class__ ---------------------------------------------------------------------------------------------------


def _of_array(array: ndarray, frame: FrameType) -> Any:
    return _given(ndarray, frame)


def _of_traced(array: TracedArray, frame: FrameType) -> Any:
    """An element of an array passes for the NumPy scalar that it stands for."""
    try:
        kind = type(array._bare)
    except AttributeError:  # made by compiled code
        kind = ndarray
    return _given(kind, frame)


def _of_number(number: PythonNumber, frame: FrameType) -> Any:
    return complex if isinstance(number._bare, complex) else float


# What stands for plain arrays and numbers: the class that it is of for a frame, which isinstance asks for after the type.
_PLAIN: dict[type, Callable[[Any, FrameType], Any]] = {
    SeenArray: _of_array, HeldArray: _of_array, ObjectArray: _of_array, TracedArray: _of_traced, PythonNumber: _of_number
}  # fmt: skip
for _kind, _of in _PLAIN.items():
    setattr(_kind, "_class_for", _of)


# --- type(x) -------------------------------------------------------------------------------------------------------


class _FormOfType(FormOfClass):
    """The class of what stands for ``type``."""

    def __call__(cls, /, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not kwargs:
            kind = type(args[0])
            of = _CLASSES.get(kind) if type(kind) is type else None  # other metaclasses may hash as they like
            return kind if of is None else of(args[0], sys._getframe(1))
        if len(args) == 3 and isinstance(args[2], dict):  # a class is of the module that makes it
            args = (*args[:2], {"__module__": sys._getframe(1).f_globals.get("__name__"), **args[2]})
        return type(*args, **kwargs)

    def __getitem__(cls, item: Any) -> Any:
        return type[item]


_CLASSES: dict[type, Callable[[Any, FrameType], Any]] = {
    **_PLAIN,
    **dict.fromkeys([*UfuncForm.__subclasses__(), StandIn, TracedBroadcast], lambda value, frame: value.__class__),
    **dict.fromkeys((FormOfClass, _FormOfType), lambda value, frame: type),
}
copyreg.pickle(_FormOfType, reduced)
TYPE: Any = type.__new__(_FormOfType, "type", (type,), {"__module__": "builtins", "__doc__": type.__doc__, "original": type})


def says_type(names: dict[str, Any]) -> bool:
    """Whether code of a module asks for types by the builtin name, and never compares that itself by ``is``."""
    if "type" in names and names["type"] is not TYPE:
        return False
    uses: set[Use] = set().union(*[uses_of(code, "type", names) for code in codes_of(names)])
    return bool(uses) and Use.COMPARED not in uses


def put_type(names: dict[str, Any]) -> bool:
    """Give a module the name; whether it has one more."""
    size = len(names)
    names.setdefault("type", TYPE)
    return len(names) > size


def take_type_away(names: dict[str, Any]) -> bool:
    """Whether a module has one name less."""
    return names.get("type") is TYPE and names.pop("type", None) is TYPE
