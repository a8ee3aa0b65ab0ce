"""Modules that hand out the forms of their functions while a tape records: by other names, or as doors.

What the program itself has bound to such a name, before the tape or inside, is what it gets, and stays.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any

from ._leaks import is_users_code
from ._uses import Use, UseInFrame, use_at


class Names:
    """Names of a module that are bound to forms at times."""

    def __init__(self, module: ModuleType, originals: dict[str, Any], forms: dict[str, Any]) -> None:
        self._names = vars(module)
        # All values at once, in a loop in C; with one more name, for a tuple also where there is but one.
        self._look = operator.itemgetter("__name__", *originals)
        self._originals = originals, (module.__name__, *originals.values())
        self._forms = forms, (module.__name__, *forms.values())

    def put(self) -> None:
        self._exchange(self._originals, self._forms)

    def take_away(self) -> None:
        self._exchange(self._forms, self._originals)

    def _exchange(self, before: tuple[dict[str, Any], tuple], after: tuple[dict[str, Any], tuple]) -> None:
        names, bound = self._names, after[0]
        try:
            as_before = self._look(names) == before[1]
        except (KeyError, ValueError):  # one is gone, or an array, of which all elements are compared
            as_before = False
        if not as_before:
            bound = {name: bound[name] for name, value in before[0].items() if names.get(name) is value}
        names.update(bound)


_CALLED, _HELD, _LOOKED_INTO, _UNKNOWN = Use.CALLED, Use.HELD, Use.LOOKED_INTO, Use.UNKNOWN


def _looked_up(frame: FrameType) -> Use:
    """How the attribute that a frame looks up is used. Packages that look up methods of ndarray mean to go round hooks."""
    use = use_at(frame.f_code, frame.f_lasti, frame.f_globals)
    is_own = is_users_code(frame.f_globals.get("__name__"), frame.f_code.co_filename)
    return _UNKNOWN if use is _LOOKED_INTO and not is_own else use


_use_in = UseInFrame(_looked_up)


class Maker:
    """What a door hands out for a class: where it is called, where an attribute of it is looked up, and where it goes on to
    anywhere, which the frame that looks it up may decide. Elsewhere it is the class itself."""

    def __init__(self, called: Callable, looked_into: Any, held: Callable[[FrameType], Any]) -> None:
        self.called = called
        self.looked_into = looked_into
        self.held = held

    def form(self, kind: Any, frame: FrameType) -> Any:
        use = _use_in(frame)
        if use is _CALLED:
            return self.called
        if use is _HELD:
            return self.held(frame)
        return self.looked_into if use is _LOOKED_INTO else kind


def door(module: ModuleType, forms: dict[str, Any]) -> type[ModuleType]:
    """The class that makes a module hand out a form for each of these names. What its own code sees stays as it is."""
    return type("Door", (ModuleType,), {name: _handing_out(vars(module), name, form) for name, form in forms.items()})


def _handing_out(names: dict[str, Any], name: str, form: Any) -> property:
    original = names[name]

    def value(module: ModuleType) -> Any:
        now = names[name]
        return form if now is original else now

    def class_or_maker(module: ModuleType) -> Any:
        now = names[name]
        return form.form(now, sys._getframe(1)) if now is original else now

    def bind(module: ModuleType, value: Any) -> None:
        names[name] = original if value is form else value

    return property(class_or_maker if isinstance(form, Maker) else value, bind)


class Doors:
    """Modules that are doors at the same times: by one change of their class, however many names they have."""

    def __init__(self) -> None:
        self._doors: list[tuple[ModuleType, type[ModuleType]]] = []

    def add(self, module: ModuleType, forms: dict[str, Any]) -> None:
        self._doors.append((module, door(module, forms)))

    def put(self) -> None:
        for module, kind in self._doors:
            module.__class__ = kind

    def take_away(self) -> None:
        for module, _ in self._doors:
            module.__class__ = ModuleType
