"""Names that the user's modules bound before a tape: ``from numpy import zeros`` and the like.

A module that did so has NumPy's function under a name of its own, which the names in place of ``_namespace`` do not reach;
a buffer made through it would be a plain one, and a slice store into that is seen by nobody. So while a tape records, these
names stand for the traced forms too, in all modules of the user that are loaded. Installed packages and the standard library
are left as they are. What a module has bound is looked up once, and again when its number of names has changed.
"""

from __future__ import annotations

import sys
import types
from typing import Any

from ._leaks import is_users_code
from ._namespace import form_in_place
from ._while_recording import WhileRecording


class _Module:
    """A module of the user's: its size when it was looked through, and what it had bound then, as (the original, what stands
    for it)."""

    __slots__ = ("name", "module", "size", "bound")

    def __init__(self, name: str, module: Any) -> None:
        self.name = name
        self.module = module
        self.size = -1
        self.bound: dict[str, tuple[Any, Any]] = {}


_modules: list[_Module] = []
_modules_seen = 0


def _bound_in(module: Any) -> dict[str, tuple[Any, Any]]:
    forms = {name: (value, form_in_place(value)) for name, value in list(vars(module).items()) if callable(value)}
    return {name: both for name, both in forms.items() if both[1] is not None}


def _look_through() -> None:
    """Bring `_modules` up to date."""
    global _modules, _modules_seen
    seen = len(sys.modules)
    if seen != _modules_seen or any(sys.modules.get(m.name) is not m.module for m in _modules):  # one may be loaded anew
        known = {m.name: m for m in _modules if sys.modules.get(m.name) is m.module}
        loaded = [(n, m) for n, m in list(sys.modules.items()) if isinstance(m, types.ModuleType) and is_users_code(n)]
        _modules = [known.get(name) or _Module(name, module) for name, module in loaded]
        _modules_seen = seen
    for one in _modules:
        size = len(one.module.__dict__)
        if size != one.size:
            one.bound = _bound_in(one.module)
            one.size = size  # last: after an interrupt it is done again


def _put() -> None:
    _look_through()
    for one in _modules:
        if one.bound:
            names = vars(one.module)
            names.update({n: form for n, (original, form) in one.bound.items() if names.get(n) is original})


def _take_away() -> None:
    for one in _modules:
        if one.bound:
            names = vars(one.module)
            names.update({n: original for n, (original, form) in one.bound.items() if names.get(n) is form})


in_place = WhileRecording(_put, _take_away)
