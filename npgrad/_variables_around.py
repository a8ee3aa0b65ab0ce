"""NumPy's functions, types of numbers and generators in the variables of the function that enters a tape, and in what these
lead to: followed like those that a module holds (`_held_names`).
"""

from __future__ import annotations

import functools
import types
from collections.abc import Collection, Iterable
from inspect import CO_OPTIMIZED
from typing import Any

import numpy as np
from numpy import ndarray

from ._bare_looks import filled_slots, names_of
from ._comparisons import compared
from ._compat import read_variables, write_variables
from ._following import FOLLOWED_OBJECTS
from ._guards import generator_classes
from ._held_names import HeldNames, holds_nothing
from ._leaks import is_users_code
from ._mentions import contents_of

# Classes of what may have a form, and of what is looked into for it: in two steps, as each tape that is entered does.
_WITH_FORMS = {type, np.ufunc, types.BuiltinFunctionType, type(np.mean), functools.partial}
_TABLES, _FUNCTIONS = {dict, list, tuple}, {types.FunctionType, types.MethodType}
_STEPS, _LONGEST = 2, 64


def _entering(frame: types.FrameType) -> types.FrameType | None:
    """The frame of a function of the user's that enters a tape, also by `contextlib.ExitStack`; None for others: npgrad's,
    and the code of modules and of classes, whose names are looked up as such."""
    while frame.f_globals.get("__name__") == "contextlib" and frame.f_back is not None:
        frame = frame.f_back
    code = frame.f_code
    if not code.co_flags & CO_OPTIMIZED or not (code.co_nlocals or code.co_freevars):
        return None
    return frame if is_users_code(frame.f_globals.get("__name__"), code.co_filename) else None


@functools.lru_cache(512)
def _is_looked_into(kind: Any) -> bool:
    if issubclass(kind, ndarray):
        return False
    return kind in _TABLES or kind in _FUNCTIONS or is_users_code(str(kind.__module__))


def _parts_of(value: Any) -> Collection:
    kind = type(value)
    if kind is types.FunctionType:
        own = [part for cell in value.__closure__ or () for part in contents_of(cell)]
        return [*own, *(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
    if kind is types.MethodType:
        return [value.__self__]
    if kind in _TABLES:
        return () if len(value) > _LONGEST else list(value.values() if kind is dict else value)
    return [*names_of(value).values(), *[part for _, part in filled_slots(value)]]


def _may_hold(values: Iterable, steps: int) -> bool:
    """Whether there is something among values, or in what they lead to, that may have a form."""
    values = [value for value in values if not holds_nothing(value)]
    kinds = set(map(type, values))
    found = (_WITH_FORMS, FOLLOWED_OBJECTS, generator_classes())
    if not all(map(kinds.isdisjoint, found)):
        return True
    inner = {kind for kind in kinds if _is_looked_into(kind)} if steps else set()
    return bool(inner) and any(_may_hold(_parts_of(value), steps - 1) for value in values if type(value) in inner)


class VariablesAround:
    """What was swapped of the variables around a tape."""

    def __init__(self, frame: types.FrameType, variables: dict[str, Any]) -> None:
        self._frame: types.FrameType | None = frame
        self._variables = variables
        self._held: HeldNames | None = None
        self._swapped: dict[str, tuple[Any, Any]] = {}

    def put(self) -> None:
        frame = self._frame
        assert frame is not None
        variables = {name: value for name, value in self._variables.items() if _may_hold([value], _STEPS + 1)}
        self._variables = {}  # all others are not kept
        names = variables.copy()
        held = HeldNames(names, True, module=frame.f_globals)
        if held.has_types and compared(frame.f_globals):
            held = HeldNames(names, False, module=frame.f_globals)
        if not held.places:
            return
        self._held = held
        held.put()
        self._swapped = {name: (value, names[name]) for name, value in variables.items() if names[name] is not value}
        if self._swapped:
            write_variables(frame, {name: form for name, (_, form) in self._swapped.items()})

    def take_away(self) -> None:
        """May be repeated."""
        if self._held is not None and self._frame is not None:
            self._held.take_away()
            now = read_variables(self._frame) if self._swapped else {}
            back = {name: value for name, (value, form) in self._swapped.items() if now.get(name) is form}
            if back:
                write_variables(self._frame, back)
        self._frame, self._held = None, None


def variables_around(caller: types.FrameType) -> VariablesAround | None:
    """What there is to swap for a tape that a frame enters, mostly nothing."""
    frame = _entering(caller)
    if frame is None:
        return None
    variables = read_variables(frame)
    return VariablesAround(frame, variables) if _may_hold(variables.values(), _STEPS + 1) else None
