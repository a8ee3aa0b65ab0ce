"""Modules that hand out the forms of their functions while a tape records: by other names, or as doors.

What the program itself has bound to such a name, before the tape or inside, is what it gets, and stays.
"""

from __future__ import annotations

import functools
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
        # All values at once, in a loop in C; with one more name, for a tuple also where there is but one.
        look = functools.partial(operator.itemgetter("__name__", *originals), vars(module))
        put = vars(module), look, (module.__name__, *originals.values()), originals, forms
        take_away = vars(module), look, (module.__name__, *forms.values()), forms, originals
        self.put, self.take_away = functools.partial(_exchange, *put), functools.partial(_exchange, *take_away)


def _exchange(names: dict, look: Callable[[], tuple], expected: tuple, before: dict, after: dict) -> None:
    """Bind names anew that are bound as they were ``before``."""
    try:
        as_before = look() == expected
    except (KeyError, ValueError):  # one is gone, or an array, of which all elements are compared
        as_before = False
    if not as_before:
        after = {name: after[name] for name, value in before.items() if names.get(name) is value}
    names.update(after)


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


# A module, and the class that makes a door of it: one change opens it, however many names it has.
Door = tuple[ModuleType, type[ModuleType]]


def door(module: ModuleType, forms: dict[str, Any]) -> Door:
    """A module that hands out a form for each of these names. What its own code sees stays as it is."""
    kind = type("Door", (ModuleType,), {name: _handing_out(vars(module), name, form) for name, form in forms.items()})
    return module, kind


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
