"""Rules for the functions of modules that npgrad never imports: declared by name, in effect once the user has loaded them.

A ufunc of another library reaches a traced array as NumPy's own do, but says neither where it comes from nor was it there
when the rules were declared. It is looked for when a ufunc without a rule is first met. Modules of NumPy that NumPy itself
loads only when they are asked for are treated in the same way.
"""

from __future__ import annotations

import importlib
import operator
import sys
import threading
from collections.abc import Callable
from typing import Any

from ._compat import dispatched_in
from ._refusals import HOMES, lacking
from ._registry import RULES, Custom, elementwise, unsupported, zero


class Library:
    """A module that npgrad never imports. What is declared here by name takes effect once the user has loaded it; names that
    the installed version does not have are passed over. Its functions are attributes, for rules."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.later: list[tuple[Callable, tuple[str, ...]]] = []
        self.for_all: list[Callable] = []
        LIBRARIES.append(self)

    def __getattr__(self, name: str) -> Any:
        if self.name not in sys.modules:
            raise AttributeError(f"{self.name} has not been loaded, so its {name} cannot be had")
        return getattr(sys.modules[self.name], name)

    def elementwise(self, name: str, *partials: Any, output: int = 0) -> None:
        self.later.append((lambda ufunc: elementwise(ufunc, *partials, output=output), (name,)))

    def zero(self, *names: str) -> None:
        self.later.append((zero, names))

    def unsupported(self, reason: str, *names: str) -> None:
        self.later.append((lambda *functions: unsupported(reason, *functions), names))

    def all_dispatched(self, declare: Callable) -> None:
        """Let all functions of a module of NumPy that ask ``__array_function__`` be declared by ``declare``."""
        self.for_all.append(declare)

    def no_partial(self, name: str, argument: str) -> Custom:
        """For an input by which the derivative has no closed form."""
        return lacking(f"for {self.name}.{name} by its argument {argument}: it has no closed form")

    def declare(self) -> None:
        module = sys.modules[self.name]
        for declare in self.for_all:
            declare(*dispatched_in(module))
        for declare, names in self.later:
            for name in names:
                try:
                    function = operator.attrgetter(name)(module)
                except AttributeError:
                    continue
                declare(function)
                HOMES[function] = self.name


LIBRARIES: list[Library] = []
# Modules with the rules for a library, to be imported once it is loaded.
_MODULES: dict[str, tuple[str, ...]] = {}
# To import rules while a tape records is to look again for what is loaded.
lock = threading.RLock()


def rules_of(library: str, *modules: str) -> None:
    """Let modules with the rules for a library be imported when the user has loaded it."""
    _MODULES[library] = modules


def is_loaded(name: str) -> bool:
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return spec is not None and not getattr(spec, "_initializing", False)


# The state of no modules at all.
NONE_LOADED = 0, ""


def modules_state() -> tuple[int, str]:
    """What is another one whenever a module has been loaded since, for those who ask with each tape: how many there are, and
    the last one, since others may have been taken away."""
    try:
        return len(sys.modules), next(reversed(sys.modules))
    except RuntimeError:  # another thread loads one at this moment
        return NONE_LOADED


class OnceLoaded:
    """What is done once, when a module has been loaded: a step for each of some names of modules."""

    def __init__(self, steps: dict[str, Callable[[], None]]) -> None:
        self._steps = steps
        # The state of modules in which all had been done that could be: as long as this is so there is nothing to do.
        self.known = NONE_LOADED

    def do(self) -> None:
        known = modules_state()
        for name, step in tuple(self._steps.items()):
            if is_loaded(name):
                step()
                self._steps.pop(name, None)  # last: after an interrupt it is done again
            elif name in sys.modules:
                known = NONE_LOADED  # it is being loaded
        self.known = known


def rule_of(ufunc: Any) -> Any:
    """The rule of a ufunc, be it of a library that was loaded in the meantime; None if it has none."""
    rule = RULES.get(ufunc)
    if rule is None and declare_loaded():
        rule = RULES.get(ufunc)
    return rule


def declare_loaded() -> bool:
    """Declare what was said for the libraries that are loaded by now, and say whether there were any."""
    if not LIBRARIES and not _MODULES:
        return False
    with lock:
        for name in list(filter(is_loaded, _MODULES)):
            for module in _MODULES.pop(name, ()):
                importlib.import_module(module)
        loaded = [library for library in LIBRARIES if is_loaded(library.name)]
        for library in loaded:
            library.declare()
            LIBRARIES.remove(library)
    return bool(loaded)
