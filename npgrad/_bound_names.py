"""Names that the user's modules bound before a tape: ``from numpy import zeros`` and the like.

A module that did so has NumPy's function under a name of its own, which the names in place of ``_namespace`` do not reach;
a buffer made through it would be a plain one, and a slice store into that is seen by nobody. So while a tape records, these
names stand for the traced forms too, in all modules of the user that are loaded. Installed packages and the standard library
are left as they are. What a module has bound is looked up once, and again when its number of names has changed.

`in_place` is all that is in place while a tape records, the names of ``_namespace`` with it.
"""

from __future__ import annotations

import sys
import types
from typing import Any

from . import _namespace
from ._leaks import is_users_code
from ._loading import Finder
from ._namespace import form_in_place, may_have_form, original_of
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
    names = [(name, value) for name, value in list(vars(module).items()) if may_have_form(value)]
    bare = {name: original_of(value) or value for name, value in names}  # it may be looked through while they are in place
    forms = {name: (value, form_in_place(value)) for name, value in bare.items()}
    return {name: both for name, both in forms.items() if both[1] is not None}


def _look_through() -> None:
    """Bring `_modules` up to date."""
    global _modules, _modules_seen
    seen = len(sys.modules)
    if seen != _modules_seen or [m for m in _modules if sys.modules.get(m.name) is not m.module]:  # one may be loaded anew
        known = {m.name: m for m in _modules if sys.modules.get(m.name) is m.module}
        loaded = [(n, m) for n, m in list(sys.modules.items()) if isinstance(m, types.ModuleType) and is_users_code(n)]
        _modules = [known.get(name) or _Module(name, module) for name, module in loaded]
        _modules_seen = seen
    for one in _modules:
        size = len(one.module.__dict__)
        if size != one.size:
            one.bound = _bound_in(one.module)
            one.size = size  # last: after an interrupt it is done again


def _settle(module: types.ModuleType) -> None:
    """Put back what stands for names in a module that has been loaded while a tape records."""
    forms = {name: original_of(value) for name, value in list(vars(module).items()) if may_have_form(value)}
    vars(module).update({name: original for name, original in forms.items() if original is not None})


def _refresh() -> None:
    in_place.put_again()


_finder = Finder(_settle, _refresh)


def _put() -> None:
    _namespace.put()
    _look_through()
    for one in _modules:
        if not one.bound:
            continue
        names = vars(one.module)
        if any(names.get(n) is not original for n, (original, _) in one.bound.items()):
            one.bound = _bound_in(one.module)  # bound anew, as by `for f in (np.sum, np.prod)` at module level
        names.update({n: form for n, (_, form) in one.bound.items()})
    _finder.put()


def _take_away() -> None:
    _finder.take_away()
    for one in _modules:
        if one.bound:
            names = vars(one.module)
            names.update({n: original for n, (original, form) in one.bound.items() if names.get(n) is form})
    _namespace.take_away()


in_place = WhileRecording(_put, _take_away)
