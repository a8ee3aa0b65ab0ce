"""Names that the user's modules bound before a tape: ``from numpy import zeros`` and the like; and what they hold elsewhere.

A module that did so has NumPy's function under a name of its own, which the names in place of ``_namespace`` do not reach;
a buffer made through it would be a plain one, and a slice store into that is seen by nobody. So while a tape records, these
names stand for the traced forms too, in all modules of the user that are loaded. Installed packages and the standard library
are left as they are. What a module has bound is looked up once, and again when it has other names, or anything but data by
one of them.

`in_place` is all that is in place while a tape records, the names of ``_namespace`` with it.
"""

from __future__ import annotations

import itertools
import operator
import sys
import types
from collections.abc import Iterable
from typing import Any, Self

from . import _namespace
from ._class_forms import forms_of_names, has_class_form
from ._comparisons import codes_of, compared, defined
from ._held_names import HeldNames
from ._held_values import HeldValues, holds_named, is_named
from ._leaks import is_users_code
from ._libraries import NONE_LOADED, modules_state
from ._loading import Finder
from ._namespace import form_in_place, may_have_form, original_of
from ._type_questions import put_type, says_type, take_type_away
from ._while_recording import WhileRecording, insist


def _has_form(value: Any) -> bool:
    return may_have_form(value) and (form_in_place(value) is not None or has_class_form(value))


class _Module:
    """A module of the user's: what it held when it was looked through, and what it had bound then, as (the original, what
    stands for it); types of numbers apart, for which nothing stands where code compares them. Where there are classes among
    the names, what stands for them depends on the code that the module defined then, too; and so does whether it asks for
    types, for which it has a name of ours meanwhile."""

    __slots__ = (
        "name", "module", "names", "named", "values", "data", "kinds", "holding", "seen", "codes", "defined", "bound",
        "types", "forms", "forms_of_types", "held", "chosen", "asks", "in_place",
    )  # fmt: skip

    def __init__(self, name: str, module: Any) -> None:
        self.name = name
        self.module = module
        # Its names, those of functions and the like with these, and those of data, which is not kept alive, with classes.
        self.names: list[str] = []
        self.named: list[str] = []
        self.values: list = []
        self.data: list[str] = []
        self.kinds: list[type] = []
        self.defined: list = []
        self.bound: dict[str, tuple[Any, Any]] = {}
        self.types: dict[str, tuple[Any, Any]] = {}
        # What it holds elsewhere, without and with types of numbers, and which of these was put last.
        self.held: list[HeldNames] = []
        self.chosen: HeldNames | None = None
        self.asks = False
        self.in_place = False  # whether anything of it is put

    def look(self) -> None:
        """Look through the module if it has other names than before, or anything but other data by one of them."""
        own = self.module.__dict__
        names = list(own)
        if names == self.names:
            same_names = all(map(operator.is_, map(own.get, self.named), self.values))
            same_data = all(map(operator.is_, map(type, map(own.get, self.data)), self.kinds))
            if same_names and same_data and self.holding.is_same(own):
                return
            if not self._has_changed(own) and not self.holding.has_changed(own):
                self._remember(own, names)
                return
        self.look_through()
        self._remember(own, names)  # last: after an interrupt it is done again

    def _has_changed(self, own: dict[str, Any]) -> bool:
        """Whether anything but data, and functions that were seen in the last look, has come or gone by a name."""
        changed = [name for name, value in zip(self.named, self.values, strict=True) if own.get(name) is not value]
        gone = [value for name, value in zip(self.named, self.values, strict=True) if name in changed]
        changed += [name for name, kind in zip(self.data, self.kinds, strict=True) if type(own.get(name)) is not kind]
        values = [own.get(name) for name in changed]
        come = [value for value in values if is_named(value) and not self._was_seen(value)]
        if any(map(_has_form, [*come, *gone])) or any(holds_named(v, own) for v in values if not is_named(v)):
            return True
        if not all(issubclass(type(value), (types.FunctionType, types.ModuleType, type)) for value in come):
            return True  # a partial, a method
        before, self.defined = self.defined, defined(own)
        return bool(come) and self.defined != before

    def _was_seen(self, value: Any) -> bool:
        """As by `for f in (first, second)` at module level."""
        return type(value) is types.FunctionType and value in self.seen and id(value.__code__) in self.codes

    def _remember(self, own: dict[str, Any], names: list[str]) -> None:
        self.names = names
        self.named = [name for name in names if is_named(own.get(name))]
        self.values = [own.get(name) for name in self.named]
        self.data = [name for name in names if name not in self.named]
        self.kinds = [type(own.get(name)) for name in self.data]
        self.holding = HeldValues(own)

    def look_through(self) -> None:
        """Forms may be in place, and another thread may be using them: nothing is taken away meanwhile."""
        own = vars(self.module)
        self._ask(says_type(own))
        names = [(name, value) for name, value in list(own.items()) if may_have_form(value)]
        if self.asks:
            names = [(name, value) for name, value in names if name != "type"]
        bare = {name: original_of(value) or value for name, value in names}
        forms = {name: (value, form_in_place(value)) for name, value in bare.items()}
        classes = {name: value for name, value in bare.items() if has_class_form(value)}
        self.defined = defined(own)
        seen, self.types = forms_of_names(classes, own)
        self.bound = {name: both for name, both in forms.items() if both[1] is not None} | seen
        held = HeldNames(own, True, self.held)
        without = HeldNames(own, False, self.held) if held.has_types else held
        self.held = [without, held] if held.places or held.tables else []
        self.seen, self.codes = held.functions, {id(code): code for code in codes_of(own)}
        self.forms = {name: form for name, (_, form) in self.bound.items()}
        self.forms_of_types = {name: form for name, (_, form) in self.types.items()}
        self.in_place = bool(self.bound or self.types or self.held or self.asks)

    def put(self) -> None:
        names = vars(self.module)
        if not self._put_held():  # as by `TABLE["exp"] = np.exp`
            self.look_through()
            self._put_held()
        names.update(self.forms)
        if self.types and not compared(names):
            names.update(self.forms_of_types)
        if self.asks:
            put_type(names)

    def _put_held(self) -> bool:
        """Whether what is held is as it was."""
        if not self.held:
            return True
        without, with_types = self.held
        chosen = without if without is not with_types and compared(vars(self.module)) else with_types
        if self.chosen is not None and self.chosen.with_types is not chosen.with_types:
            self.chosen.take_away()
        self.chosen = chosen
        return chosen.put()

    def take_away(self) -> None:
        names = vars(self.module)
        names.update({name: original for name, (original, form) in self._known() if names.get(name) is form})
        if self.asks:
            take_type_away(names)
        if self.chosen is not None:
            self.chosen.take_away()

    def _ask(self, asks: bool) -> None:
        if not asks:
            take_type_away(vars(self.module))  # no form: code finds the builtin one again
        self.asks = asks

    def _known(self) -> Iterable[tuple[str, tuple[Any, Any]]]:
        return itertools.chain(self.bound.items(), self.types.items())


_modules: list[_Module] = []
_modules_seen = NONE_LOADED


def _look_through() -> None:
    """Bring `_modules` up to date."""
    global _modules, _modules_seen
    seen = modules_state()
    if seen != _modules_seen or [m for m in _modules if sys.modules.get(m.name) is not m.module]:  # one may be loaded anew
        known = {m.name: m for m in _modules if sys.modules.get(m.name) is m.module}
        loaded = [(n, m) for n, m in list(sys.modules.items()) if isinstance(m, types.ModuleType) and is_users_code(n)]
        _modules = [known.get(name) or _Module(name, module) for name, module in loaded]
        _modules_seen = seen
    for one in _modules:
        one.look()
        compared.tell(one.module.__dict__, one.defined)


def _settle(module: types.ModuleType) -> None:
    """Put back what stands for names in a module that has been loaded while a tape records."""
    forms = {name: original_of(value) for name, value in list(vars(module).items()) if may_have_form(value)}
    vars(module).update({name: original for name, original in forms.items() if original is not None})


def _refresh() -> None:
    in_place.put_again()


_finder = Finder(_settle, _refresh)


def _put() -> None:
    compared.forget()
    _namespace.put()
    _look_through()
    for one in _modules:
        if one.in_place:
            one.put()
    compared.believe_nothing()
    _finder.put()


def _take_away() -> None:
    compared.forget()
    _finder.take_away()
    for one in _modules:
        if one.in_place:
            one.take_away()
    _namespace.take_away()


in_place = WhileRecording(_put, _take_away)


class NamesInPlace:
    """A context in which names are in place, besides those of tapes: what is swapped inside of it is nothing that a tape of
    another thread needs and puts back, nor the other way round."""

    __slots__ = ("_entered",)

    def __enter__(self) -> Self:
        self._entered = True
        try:
            in_place.enter(self)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        if self._entered:
            insist(in_place.leave, self)
            self._entered = False

    def leave(self) -> None:
        """Before the end of the context."""
        self.__exit__()
