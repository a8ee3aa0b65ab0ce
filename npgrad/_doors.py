"""Modules that hand out the forms of their functions while a tape records: by other names, or as doors.

What the program itself has bound to such a name, before the tape or inside, is what it gets, and stays.
"""

from __future__ import annotations

import opcode
import sys
from collections.abc import Callable
from types import CodeType, FrameType, ModuleType
from typing import Any


class Names:
    """Names of a module that are bound to forms at times."""

    def __init__(self, module: ModuleType, originals: dict[str, Any], forms: dict[str, Any]) -> None:
        self._names = vars(module)
        self._originals = originals, list(originals.values())
        self._forms = forms, list(forms.values())

    def put(self) -> None:
        self._exchange(self._originals, self._forms)

    def take_away(self) -> None:
        self._exchange(self._forms, self._originals)

    def _exchange(self, before: tuple[dict[str, Any], list], after: tuple[dict[str, Any], list]) -> None:
        names, bound = self._names, after[0]
        try:
            as_before = list(map(names.get, bound)) == before[1]
        except ValueError:  # one is an array, of which all elements are compared
            as_before = False
        if not as_before:
            bound = {name: bound[name] for name, value in before[0].items() if names.get(name) is value}
        names.update(bound)


_LOOKUPS = {opcode.opmap[name] for name in ("LOAD_ATTR", "LOAD_METHOD") if name in opcode.opmap}
_CALLS = {number for name, number in opcode.opmap.items() if name.startswith("CALL")}
_CACHE = opcode.opmap["CACHE"]
# (the identity of code, an instruction) -> the code, and whether the instruction looks up what is called there.
_known: dict[tuple[int, int], tuple[CodeType, bool]] = {}


def _is_called(frame: FrameType) -> bool:
    """Whether the attribute that a frame looks up is called at once, as in ``np.ndarray(3)``."""
    code, place = frame.f_code, frame.f_lasti
    known = _known.get((id(code), place))
    if known is None:
        if len(_known) > 1000:  # of programs that make code without end
            _known.clear()
        known = _known[id(code), place] = code, _looks_up_a_call(code, place)
    return known[1]


def _looks_up_a_call(code: CodeType, place: int) -> bool:
    instructions = code.co_code
    if instructions[place] not in _LOOKUPS:
        return False
    if instructions[place] != opcode.opmap["LOAD_ATTR"] or (sys.version_info >= (3, 12) and instructions[place + 1] & 1):
        return True
    following = place + 2
    while instructions[following] == _CACHE:
        following += 2
    if instructions[following] in _LOOKUPS:
        return False
    # The source of a call begins where that of what is called begins.
    begins = [(line, column) for line, _, column, _ in code.co_positions()]
    calls = [n for n, begin in enumerate(begins) if begin == begins[place // 2] and instructions[2 * n] in _CALLS]
    return bool(calls) and begins[place // 2][0] is not None


class Maker:
    """The form of a class, which is the class itself wherever it is not called."""

    def __init__(self, form: Callable) -> None:
        self.form = form


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
        return form.form if now is original and _is_called(sys._getframe(1)) else now

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
