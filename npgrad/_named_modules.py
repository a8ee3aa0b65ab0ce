"""Which names of the user's modules a search looks at: those that the code of the functions that it has come to mentions."""

from __future__ import annotations

import builtins
import functools
import sys
import types
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

from ._bare_looks import is_a, names_of
from ._leaks import is_users_code
from ._mentions import Named, looks_up, names_in
from ._type_questions import put_type, says_type, take_type_away
from ._unswapped import Unswapped


class NamedModules(Unswapped, ABC):
    """What a search has come to, and what has been named of the modules on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.undo: list[Callable[[], Any]] = []
        self.seen: dict[int, Any] = {id(vars(builtins)): builtins}
        self.todo: list[Any] = []  # and no recursion: a program's objects may form long chains
        # What has been named of each module, by the identity of its names; and functions whose code is to be looked at.
        self.modules: dict[int, Named] = {}
        self.pending: list[types.FunctionType] = []
        self.codes: dict[tuple[int, int], frozenset[str]] = {}
        # Modules in containers and objects: of them any name that any code has may be used.
        self.held: dict[int, types.ModuleType] = {}
        self.entered: dict[int, dict] = {}  # modules that code itself has, by the identity of their names
        self.wanted: dict[int, dict] = {}  # those of which all names are to count

    @abstractmethod
    def swap(self, items: Iterable[tuple[Any, Any]], get: Callable, put: Callable) -> None:
        """Put forms for the values of a container."""

    def named(self, names: dict) -> Named:
        return self.modules.setdefault(id(names), Named(names))

    def reached(self) -> list[dict]:
        return [module.names for module in self.modules.values()]

    def all_of(self, names: dict) -> None:
        """All names of a module, when what code names has been found."""
        if not self.named(names).is_whole:
            self.wanted[id(names)] = names

    def mention(self, names: dict, mentioned: frozenset[str]) -> None:
        """Those names of a module that code mentions, and those of the user's modules among them."""
        mentioned |= {"__getattr__"}
        module = self.named(names)
        new = [(name, names[name]) for name in mentioned - module.mentioned if name in names]
        if "type" in mentioned - module.mentioned and "type" not in names and says_type(names):
            self.answer(names)
        module.mentioned |= mentioned
        if not module.is_whole:
            module.before.update([(name, self.origins.get(id(value), value)) for name, value in new])
            self.swap(new, names.get, names.__setitem__)
        package = names.get("__package__")
        for name in mentioned:
            value: Any = names[name] if name in names else sys.modules.get(name, sys.modules.get(f"{package}.{name}"))
            if is_a(value, types.ModuleType):
                self.go_into(value, mentioned)

    def answer(self, names: dict) -> None:
        """Let questions of type be answered in a module of which no tape has found that it asks."""
        self.undo.append(functools.partial(take_type_away, names))
        put_type(names)

    def hold(self, module: types.ModuleType) -> None:
        self.held[id(module)] = module
        if type(module) is not types.ModuleType and is_users_code(type(module).__module__):
            self.todo.append(type(module))

    def go_into(self, module: types.ModuleType, mentioned: frozenset[str]) -> None:
        names = names_of(module)
        known = self.modules.get(id(names))
        if known is None and not is_users_code(module.__name__):
            return
        self.entered[id(names)] = names
        if known is None or not mentioned <= known.mentioned:
            self.mention(names, mentioned)

    def follow(self, function: types.FunctionType) -> None:
        """Go into what the code of a function mentions."""
        key = id(function.__code__), id(function.__globals__)
        if key in self.codes:
            return
        mentioned = self.codes[key] = names_in(function.__code__)
        self.seen[key[0]] = function.__code__
        if looks_up(mentioned):
            self.all_of(function.__globals__)
        self.mention(function.__globals__, mentioned)
