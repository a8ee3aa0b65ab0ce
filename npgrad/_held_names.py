"""Where else than by a name something has NumPy's functions, types of numbers and generators from before a tape: in default
arguments, closures, tables, classes, objects and `functools.partial`.

The functional API swaps what its function reaches, arrays too. For a tape that is entered by hand this finds what a module
of the user's holds, as far as it is there when the module is looked through.
"""

from __future__ import annotations

import builtins
import collections
import contextlib
import functools
import types
from collections.abc import Callable, Collection, Iterable
from typing import Any

import numpy as np
from numpy import ndarray

from ._carriers import Attributes, carries, filled_slots, partial_of, tuple_of
from ._class_forms import form_of_type
from ._guards import generator_classes, guarded_generator
from ._leaks import is_users_code
from ._mentions import contents_of
from ._namespace import form_in_place, may_have_form
from ._traced import PythonNumber

_PLAIN: set[Any] = {
    bool, int, float, complex, str, bytes, type(None), types.ModuleType, types.CodeType, range, slice, np.dtype,
    PythonNumber, *np.sctypeDict.values(),
}  # fmt: skip
# A table is not searched if it has more entries, nor is what comes after so many values of a module: they are data.
_LONGEST, _MOST = 1_000, 20_000


class Place:
    """Where something is held, and what stands for it there while a tape records."""

    __slots__ = ("form", "get", "key", "put_there", "value")

    def __init__(self, get: Callable, put: Callable, key: Any, value: Any, form: Any) -> None:
        self.get, self.put_there, self.key, self.value, self.form = get, put, key, value, form

    def put(self) -> bool:
        """Whether it was what it was."""
        return self._exchange(self.value, self.form)

    def take_away(self) -> None:
        self._exchange(self.form, self.value)

    def _exchange(self, before: Any, after: Any) -> bool:
        with contextlib.suppress(LookupError, AttributeError, TypeError, ValueError):
            now = self.get(self.key)
            if now is before:
                self.put_there(self.key, after)
                return True
            return now is after
        return False


class HeldNames:
    """What is held from ``names`` on, those of a module; those names that are NumPy's themselves are not looked at."""

    def __init__(self, names: dict[str, Any], with_types: bool, earlier: Iterable[HeldNames] = ()) -> None:
        """``earlier`` is what was found before, which may be in place."""
        self.places: list[Place] = []
        self.has_types = False
        # Tables in which something was found, and empty ones of the module, with their lengths.
        self.tables: list[tuple[Collection, int]] = []
        self._names = names
        self._with_types = with_types
        # One form for each value: aliases stay aliases.
        self._made: dict[int, tuple[Any, Any]] = {}
        for one in earlier:
            if one._with_types is with_types:
                self._made.update(one._made)
        self._origins = {id(place.form): place.value for one in earlier for place in one.places}
        self._seen: dict[int, Any] = {id(one): one for one in (names, vars(builtins))}
        self._todo: collections.deque = collections.deque()
        own = [(name, value) for name, value in list(names.items()) if not name.startswith("__")]
        self.tables += [(value, 0) for _, value in own if type(value) in (dict, list) and not value]
        direct = [(name, value) for name, value in own if self._by_name(value) is None]
        self._look(direct, names.get, names.__setitem__)
        self._search()
        for searched in (self._seen, self._todo, self._origins):  # what the program lets go is not kept
            searched.clear()

    def put(self) -> bool:
        """Whether all that was found is still there, and no table has more or less than it had."""
        as_before = [place.put() for place in self.places]
        return all(as_before) and all(len(table) == size for table, size in self.tables)

    def take_away(self) -> None:
        for place in self.places:
            place.take_away()

    def _by_name(self, value: Any) -> Any:
        """What stands for something that NumPy has a name for."""
        if not may_have_form(value):
            return None
        form = form_in_place(value)
        return form_of_type(value) if form is None else form

    def _form(self, value: Any) -> Any:
        kind = type(value)
        if kind in _PLAIN or isinstance(value, ndarray):
            return value
        known = self._made.get(id(value))
        if known is None:
            made = self._make(kind, value)
            if made is value:
                return value
            known = self._made[id(value)] = value, made
        return known[1]

    def _make(self, kind: Any, value: Any) -> Any:
        if kind is tuple or hasattr(kind, "_make"):
            if len(value) > _LONGEST:
                return value
            made = tuple_of(value, self._form)
            self._todo.extend(value if made is value else ())
            return made
        if kind is functools.partial:
            self._todo.extend([value.func, *value.args, *value.keywords.values()])
            return partial_of(value, self._form)
        if kind in generator_classes():
            return guarded_generator(value)
        if kind is types.MethodType and type(value.__self__) in generator_classes():
            return getattr(self._form(value.__self__), value.__name__)
        form = self._by_name(value)
        if form is None:
            return value
        if form_of_type(value) is not None:
            self.has_types = True
            return form if self._with_types else value
        return form

    def _look(self, items: Iterable[tuple[Any, Any]], get: Callable, put: Callable) -> bool:
        """Note what stands for values of a container; whether there is any."""
        found = False
        for key, value in items:
            if type(value) in _PLAIN:
                continue
            value = self._origins.get(id(value), value)
            form = self._form(value)
            if form is not value:
                found = True
                self.places.append(Place(get, put, key, value, form))
            else:
                self._todo.append(value)
        return found

    def _search(self) -> None:
        todo, seen = self._todo, self._seen
        for _ in range(_MOST):
            if not todo:
                return
            value = todo.popleft()
            if type(value) in _PLAIN or id(value) in seen or isinstance(value, ndarray):
                continue
            seen[id(value)] = value
            self._go_into(type(value), value)

    def _go_into(self, kind: Any, value: Any) -> None:
        if kind is types.FunctionType:
            self._function(value)
        elif issubclass(kind, dict):
            if len(value) <= _LONGEST:
                put = functools.partial(dict.__setitem__, value)  # not what the user's class may do besides
                self._table(value, dict.items(value), functools.partial(dict.get, value), put)
        elif issubclass(kind, (list, collections.deque)):
            if len(value) <= _LONGEST:
                base = list if issubclass(kind, list) else collections.deque
                put = functools.partial(base.__setitem__, value)
                self._table(value, enumerate(base.__iter__(value)), functools.partial(base.__getitem__, value), put)
        elif isinstance(value, type):
            if value.__module__ == self._names.get("__name__"):
                attributes = Attributes(value)
                self._look(attributes.items, attributes.get, attributes.put)
        elif kind is staticmethod or kind is classmethod or kind is types.MethodType:
            self._todo.append(value.__func__)
        elif kind is property:
            self._todo.extend([value.fget, value.fset])
        elif is_users_code(kind.__module__) or carries(kind):
            self._look(filled_slots(value), functools.partial(getattr, value), functools.partial(object.__setattr__, value))
            self._todo.append(getattr(value, "__dict__", None))
        elif "__wrapped__" in getattr(value, "__dict__", ()):
            self._todo.append(value.__wrapped__)

    def _table(self, table: Any, items: Iterable, get: Callable, put: Callable) -> None:
        if self._look(list(items), get, put):
            self.tables.append((table, len(table)))

    def _function(self, function: types.FunctionType) -> None:
        """What a function of this module has besides the module's names."""
        self._todo.append(getattr(function, "__wrapped__", None))
        if function.__globals__ is not self._names:
            return
        own = [("__defaults__", function.__defaults__)]
        self._look(own, functools.partial(getattr, function), functools.partial(setattr, function))
        for cell in function.__closure__ or ():
            held = [("cell_contents", value) for value in contents_of(cell)]
            self._look(held, functools.partial(getattr, cell), functools.partial(setattr, cell))
        self._todo.append(function.__kwdefaults__)
