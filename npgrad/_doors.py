"""Modules that hand out the forms of their functions while a tape records: by other names, or as doors.

What the program itself has bound to such a name, before the tape or inside, is what it gets, and stays.
"""

from __future__ import annotations

import operator
from types import ModuleType
from typing import Any


class Names:
    """Names of a module that are bound to forms at times."""

    def __init__(self, module: ModuleType, originals: dict[str, Any], forms: dict[str, Any]) -> None:
        self._names = vars(module)
        self._values = operator.itemgetter(*originals)
        self._originals = originals, tuple(originals.values())
        self._forms = forms, tuple(forms.values())

    def put(self) -> None:
        self._exchange(self._originals, self._forms)

    def take_away(self) -> None:
        self._exchange(self._forms, self._originals)

    def _exchange(self, before: tuple[dict[str, Any], tuple], after: tuple[dict[str, Any], tuple]) -> None:
        names, bound = self._names, after[0]
        try:
            as_before = self._values(names) == before[1]
        except (KeyError, ValueError):  # one is deleted, or is an array, of which all elements are compared
            as_before = False
        if not as_before:
            bound = {name: bound[name] for name, value in before[0].items() if names.get(name) is value}
        names.update(bound)


def door(module: ModuleType, forms: dict[str, Any]) -> type[ModuleType]:
    """The class that makes a module hand out a form for each of these names. What its own code sees stays as it is."""
    return type("Door", (ModuleType,), {name: _handing_out(vars(module), name, form) for name, form in forms.items()})


def _handing_out(names: dict[str, Any], name: str, form: Any) -> property:
    original = names[name]

    def value(module: ModuleType) -> Any:
        now = names[name]
        return form if now is original else now

    def bind(module: ModuleType, value: Any) -> None:
        names[name] = original if value is form else value

    return property(value, bind)


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
