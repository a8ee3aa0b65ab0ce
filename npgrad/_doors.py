"""Doors: modules that hand out the forms of their functions while a tape records.

The class of a module is changed for that time, which takes as long for a hundred names as for one. What the module's own
code and `vars` see stays as it is.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any


def door(module: ModuleType, forms: dict[str, Any]) -> type[ModuleType]:
    """The class that makes a module hand out a form for each of these names."""
    return type("Door", (ModuleType,), {name: _handing_out(module, name, form) for name, form in forms.items()})


def _handing_out(module: ModuleType, name: str, form: Any) -> property:
    original = vars(module)[name]
    handed_out = {module: form}

    def bind(module: ModuleType, value: Any) -> None:
        """The program gives the name another object, or its own back."""
        vars(module)[name] = original if value is form else value
        handed_out[module] = value

    # A dictionary looks the module up without a call of Python's.
    return property(handed_out.__getitem__, bind)


class Doors:
    """Modules that are doors at the same times."""

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
