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

# The user's modules, by name: the module, how many names it had when it was looked through, and what it had bound, as
# (the original, what stands for it).
_modules: dict[str, tuple[Any, int, dict[str, tuple[Any, Any]]]] = {}
_modules_seen = 0


def _bound_in(module: Any) -> dict[str, tuple[Any, Any]]:
    forms = {name: (value, form_in_place(value)) for name, value in list(vars(module).items()) if callable(value)}
    return {name: both for name, both in forms.items() if both[1] is not None}


def _look_through() -> None:
    """Bring `_modules` up to date."""
    global _modules_seen
    for name, (module, _, _) in list(_modules.items()):
        if sys.modules.get(name) is not module:  # taken out, or loaded anew
            del _modules[name]
            _modules_seen = -1
    if len(sys.modules) != _modules_seen:
        for name, module in list(sys.modules.items()):
            if name not in _modules and isinstance(module, types.ModuleType) and is_users_code(name):
                _modules[name] = (module, -1, {})
        _modules_seen = len(sys.modules)
    for name, (module, count, _) in list(_modules.items()):
        if len(vars(module)) != count:
            _modules[name] = (module, len(vars(module)), _bound_in(module))


def _put() -> None:
    _look_through()
    for module, _, bound in _modules.values():
        if bound:
            names = vars(module)
            names.update({n: form for n, (original, form) in bound.items() if names.get(n) is original})


def _take_away() -> None:
    for module, _, bound in _modules.values():
        if bound:
            names = vars(module)
            names.update({n: original for n, (original, form) in bound.items() if names.get(n) is form})


in_place = WhileRecording(_put, _take_away)
