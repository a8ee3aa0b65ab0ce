"""NumPy's functions, types of numbers and generators in the variables of the function that enters a tape, and in what these
lead to: followed like those that a module holds (`_held_names`).
"""

from __future__ import annotations

import functools
import types
from inspect import CO_OPTIMIZED
from typing import Any

from numpy import ndarray

from ._bare_looks import table_of
from ._comparisons import compared
from ._compat import read_variables, write_variables
from ._guards import generator_classes
from ._held_names import PLAIN, HeldNames
from ._leaks import is_users_code
from ._namespace import may_have_form

_WITH_PARTS = (tuple, functools.partial, types.MethodType)


def _entering(frame: types.FrameType) -> types.FrameType | None:
    """The frame of a function of the user's that enters a tape, also by `contextlib.ExitStack`; None for others: npgrad's,
    and the code of modules and of classes, whose names are looked up as such."""
    while frame.f_globals.get("__name__") == "contextlib" and frame.f_back is not None:
        frame = frame.f_back
    code = frame.f_code
    if not code.co_flags & CO_OPTIMIZED or not (code.co_nlocals or code.co_freevars):
        return None
    return frame if is_users_code(frame.f_globals.get("__name__"), code.co_filename) else None


def _may_hold(value: Any) -> bool:
    kind = type(value)
    if kind in PLAIN or issubclass(kind, ndarray):
        return False
    if kind is types.FunctionType:
        return bool(value.__defaults__ or value.__kwdefaults__ or value.__closure__)
    if kind in generator_classes() or is_users_code(str(kind.__module__)) or kind in _WITH_PARTS:
        return True
    return may_have_form(value) or table_of(value) is not None


class VariablesAround:
    """What was swapped of the variables around a tape."""

    def __init__(self) -> None:
        self._frame: types.FrameType | None = None
        self._held: HeldNames | None = None
        self._swapped: dict[str, tuple[Any, Any]] = {}

    def put(self, caller: types.FrameType) -> None:
        """For a tape that a frame enters."""
        frame = _entering(caller)
        variables = {} if frame is None else read_variables(frame, _may_hold)
        if frame is None or not variables:
            return
        names = variables.copy()
        held = HeldNames(names, True, module=frame.f_globals)
        if held.has_types and compared(frame.f_globals):
            held = HeldNames(names, False, module=frame.f_globals)
        if not held.places:
            return
        self._frame, self._held = frame, held
        held.put()
        self._swapped = {name: (value, names[name]) for name, value in variables.items() if names[name] is not value}
        if self._swapped:
            write_variables(frame, {name: form for name, (_, form) in self._swapped.items()})

    def take_away(self) -> None:
        """May be repeated."""
        if self._held is None or self._frame is None:
            return
        self._held.take_away()
        forms = {id(form) for _, form in self._swapped.values()}
        now = read_variables(self._frame, lambda value: id(value) in forms) if forms else {}
        back = {name: value for name, (value, form) in self._swapped.items() if now.get(name) is form}
        if back:
            write_variables(self._frame, back)
        self._frame, self._held = None, None
