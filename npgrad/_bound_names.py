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


class _UsersModules:
    """The modules of the user's that are loaded, and what they have bound. There may be many, and each tape asks: what has
    changed is found by comparing lists."""

    def __init__(self) -> None:
        self._loaded = 0  # modules in the process, when those of the user's were looked for
        self._names: list[str] = []
        self._modules: list[Any] = []
        self._sizes: list[int] = []
        # For each, what it had bound when it had that size, as (the original, what stands for it).
        self._bound: list[dict[str, tuple[Any, Any]]] = []
        # Of those that have bound something, what they hold.
        self.swaps: list[tuple[dict[str, Any], dict[str, tuple[Any, Any]]]] = []

    def look_through(self) -> None:
        known = list(map(sys.modules.get, self._names)) == self._modules  # not taken out, or loaded anew
        if not known or len(sys.modules) != self._loaded:
            self._find()
        sizes = [len(module.__dict__) for module in self._modules]
        if sizes != self._sizes:
            for position, (module, size) in enumerate(zip(self._modules, sizes, strict=True)):
                if size != self._sizes[position]:
                    self._bound[position] = _bound_in(module)
            self._swap()
            self._sizes = sizes  # last: after an interrupt it is done again

    def _swap(self) -> None:
        self.swaps = [(vars(m), bound) for m, bound in zip(self._modules, self._bound, strict=True) if bound]

    def _find(self) -> None:
        loaded, interrupted = len(sys.modules), self._loaded < 0
        state = [] if interrupted else zip(self._modules, self._sizes, self._bound, strict=True)
        before = {id(module): (size, bound) for module, size, bound in state}
        self._loaded = -1
        found = [(n, m) for n, m in list(sys.modules.items()) if isinstance(m, types.ModuleType) and is_users_code(n)]
        self._names, self._modules = [name for name, _ in found], [module for _, module in found]
        kept = [before.get(id(module), (-1, {})) for module in self._modules]
        self._sizes, self._bound = [size for size, _ in kept], [bound for _, bound in kept]
        self._swap()
        self._loaded = loaded


def _bound_in(module: Any) -> dict[str, tuple[Any, Any]]:
    forms = {name: (value, form_in_place(value)) for name, value in list(vars(module).items()) if callable(value)}
    return {name: both for name, both in forms.items() if both[1] is not None}


_users = _UsersModules()


def _put() -> None:
    _users.look_through()
    for names, bound in _users.swaps:
        names.update({n: form for n, (original, form) in bound.items() if names.get(n) is original})


def _take_away() -> None:
    for names, bound in _users.swaps:
        names.update({n: original for n, (original, form) in bound.items() if names.get(n) is form})


in_place = WhileRecording(_put, _take_away)
