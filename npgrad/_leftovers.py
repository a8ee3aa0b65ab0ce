"""What a program has kept of a call: it is given back as the plain program would have left it.

A buffer that a program makes when it first needs it, a table of results, a log: during a call of the functional API what is
put there is traced. When the call is over, plain arrays on the same memory take its place, and NumPy's own functions that of
their forms. What was there before the call, as an array that the user made by `npgrad.array`, stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MethodType
from typing import Any

from numpy import ndarray

from ._bare_looks import Table, is_a, is_ours
from ._carriers import CACHED, REFERENCES, cached_anew, can_be_given_back, given_back, reference_to, remaking, results_of
from ._guards import generator_behind, is_guarded_method
from ._held_names import holds_nothing
from ._holders import HeldArray
from ._iterators import GIVEN_BACK
from ._kept import is_kept_number, keep, remember_stand_in
from ._moves import protect
from ._namespace import may_have_form, original_of
from ._objects import ObjectArray
from ._swaps import Swaps
from ._traced import PythonNumber, SeenArray, TracedArray, is_inexact, root_of, unwrap, whole_of


def is_stand_in(value: Any) -> bool:
    """Whether it is an array or number that stands for plain data: a Variable is the user's own."""
    kind = type(value)
    if kind is TracedArray or kind is SeenArray:
        return True
    return kind is PythonNumber or kind is HeldArray or kind is ObjectArray


def has_new(now: Iterable[Any], known: set[int]) -> bool:
    """Whether there is anything but plain data among what containers hold now that is not among those known."""
    return any(id(value) not in known and (is_stand_in(value) or not is_data(value)) for value in now)


def is_data(value: Any) -> bool:
    """Whether it is a plain number, text or an array of numbers."""
    if type(value) is ndarray:
        return not value.dtype.hasobject
    return holds_nothing(value) or is_kept_number(value)


def is_like(before: Any, after: Any) -> bool:
    """Whether two values are arrays of their own for which the same stands."""
    return all(type(a) is ndarray and a.base is None and a.flags.writeable and is_inexact(a.dtype) for a in (before, after))


class Leftovers(Swaps):
    """The same search as for what is swapped, for what has come there since; what it puts stays."""

    def __init__(self, known: set[int], origins: Mapping[int, Any]) -> None:
        """``known``: the identities of what was there before; ``origins``: those of forms, with what they stand for."""
        super().__init__()
        self._known = known
        self._origins = origins
        self._is_list = False

    def passes_over(self, value: Any) -> bool:
        return holds_nothing(value) and not is_stand_in(value)

    def form(self, value: Any) -> Any:
        known = self.forms.get(id(value))
        if known is not None:
            return known[1]
        if self.passes_over(value):
            return value
        made = self._made(type(value), value)
        if made is not value:
            self.forms[id(value)] = (value, made)
        return made

    def _made(self, kind: Any, value: Any) -> Any:
        if id(value) in self._origins:
            return self._origins[id(value)]
        if kind is ndarray and value.dtype.kind != "O":
            return value
        if (generator := generator_behind(value)) is not None:
            return generator
        if kind in GIVEN_BACK:
            return GIVEN_BACK[kind](value, self.form)
        if kind is CACHED and (results := results_of(value)) is not None:
            self.table(Table(dict, results))
        if kind in REFERENCES:
            return reference_to(value, self.form, value.__callback__)
        remade = remaking(kind) or (given_back if can_be_given_back(kind) else None)
        if id(value) in self._known:
            if remade is None:
                self.todo.append(value)
            else:
                remade(value, self._later)
        elif is_stand_in(value):
            made = self._plain(value)
            if kind is ObjectArray:
                self.todo.append(made)
            return made
        elif may_have_form(value) and (original := original_of(value)) is not None:
            return original
        elif kind is MethodType and (self._stands_for_another(value.__self__) or is_guarded_method(value)):
            return getattr(self.form(value.__self__), value.__name__)
        elif kind is CACHED and (original := original_of(value.__wrapped__)) is not None:
            return cached_anew(value, original)
        elif remade is not None:
            self.attributes(value)
            return remade(value, self.form)
        else:
            self.todo.append(value.__wrapped__ if kind is CACHED else value)
        return value

    def _stands_for_another(self, value: Any) -> bool:
        if is_stand_in(value) or id(value) in self._origins or generator_behind(value) is not None:
            return True
        return is_ours(value) and original_of(value) is not None

    def object(self, value: Any) -> None:
        if not is_a(value, set):
            return super().object(value)
        for held in list(set.__iter__(value)):
            if (made := self.form(held)) is not held:
                set.discard(value, held)
                set.add(value, made)
        if type(value) is not set:  # a class of the user's, whose objects may have attributes
            super().object(value)

    def _plain(self, value: Any) -> Any:
        if not isinstance(value, TracedArray):
            return ndarray.view(value, ndarray)
        bare = unwrap(value)
        protect(value)  # nobody sees what is written from here on
        plain = bare.item() if type(value) is PythonNumber else bare
        if isinstance(plain, ndarray) and not value._storage.is_variable:
            remember_stand_in(root_of(value), value if (whole := whole_of(value)) is None else whole)
        tracked = value._storage.tracked
        if tracked and isinstance(plain, ndarray):
            keep(plain, tracked)
            keep(root_of(value), tracked)
        elif tracked and not self._is_list:  # no log
            keep(plain, tracked)
        return plain

    def table(self, table: Table) -> None:
        self._is_list = not table.is_mapping
        super().table(table)
        self._is_list = False

    def look_at(self, table: Table) -> None:
        """Put plain data for what stands for it at the places of a table, without a search."""
        if any(map(is_stand_in, table.values())):
            self._is_list = not table.is_mapping
            for key, value in table.items():
                if is_stand_in(value):
                    self.swap_one(table.get, table.put, key, value)
            self._is_list = False

    def _later(self, value: Any) -> Any:
        self.todo.append(value)
        return value

    def swap_one(self, get: Callable, put: Callable, key: Any, value: Any) -> None:
        made = self.form(value)
        if made is not value:
            put(key, made)

    def foreign(self, array: ndarray) -> None:
        pass

    def guard(self, kind: type) -> None:
        pass

    def answer(self, names: dict) -> None:
        pass
