"""Where else than by a name something has NumPy's functions, types of numbers and generators from before a tape: in default
arguments, closures, tables, classes, objects and `functools.partial`.

The functional API swaps what its function reaches, arrays too. For a tape that is entered by hand this finds what a module
of the user's holds, as far as it is there when the module is looked through.
"""

from __future__ import annotations

import builtins
import collections
import functools
import types
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from ._bare_looks import filled_slots, has_odd_class, names_of, table_of
from ._carriers import Attributes, carries, remaking, shown_by
from ._class_forms import form_of_type
from ._guards import generator_classes, guarded_generator
from ._kept import is_kept_number
from ._leaks import is_users_code
from ._mentions import contents_of
from ._namespace import form_in_place, may_have_form
from ._traced import PythonNumber, TracedArray

# What holds nothing to be swapped: tables of nothing else are not searched.
PLAIN: set[Any] = {
    bool, int, float, complex, str, bytes, type(None), types.ModuleType, range, slice, np.dtype, TracedArray, PythonNumber,
    *np.sctypeDict.values(),
}  # fmt: skip


def holds_nothing(value: Any) -> bool:
    """Whether a value holds nothing to be swapped, as far as can be seen."""
    return has_odd_class(value) or (type(value) in PLAIN and not is_kept_number(value))


# Data is not searched: tables with more entries, what comes after so many values of a module, and after so many finds.
_LONGEST, _MOST, _MOST_FOUND, _MOST_OF_VARIABLES = 64, 5_000, 256, 64

# (get, put, key, what is held there, what stands for it while a tape records)
Place = tuple[Callable, Callable, Any, Any, Any]
# What Python keeps of a class among its attributes.
_OF_CLASSES = {"__dict__", "__weakref__", "__annotations__", "__annotate__", "__type_params__"}
_WITHOUT_NAMES = {tuple, frozenset, types.MethodType, types.BuiltinMethodType, types.MethodWrapperType, np.ufunc}
_GONE = (LookupError, AttributeError, TypeError, ValueError)


class HeldNames:
    """What is held from ``names`` on, those of a module; those names that are NumPy's themselves are not looked at."""

    def __init__(
        self, names: dict[str, Any], with_types: bool, earlier: Sequence[HeldNames] = (), module: dict | None = None
    ) -> None:
        """``earlier`` is what was found before, which may be in place. With a ``module``, the names are variables of one of
        its functions, and NumPy's own are looked at, too."""
        self.places: list[Place] = []
        self.has_types: bool = any(one.has_types for one in earlier)
        # The sizes of tables in which something was found, and of empty ones of the module, as they were.
        self.tables: list[tuple[Callable[[], int], int]] = []
        self._module = names if module is None else module
        self.with_types = with_types
        # One form for each value: aliases stay aliases.
        self._made: dict[int, tuple[Any, Any]] = {}
        for one in earlier:
            if one.with_types is with_types:
                self._made.update(one._made)
        # Those of earlier looks, in which this one has still to search.
        self._inherited = set(self._made)
        self._origins = {id(form): value for one in earlier for *_, value, form in one.places}
        self._seen: dict[int, Any] = {id(one): one for one in (names, self._module, vars(builtins))}
        self._todo: collections.deque = collections.deque()
        own = [item for item in list(names.items()) if not item[0].startswith("__") and not has_odd_class(item[1])]
        self.tables += [(value.__len__, 0) for _, value in own if type(value) in (dict, list) and not value]
        direct = own if module is not None else [(name, value) for name, value in own if self._by_name(value) is None]
        self._look(direct, names.get, names.__setitem__)
        self._search(_MOST if module is None else _MOST_OF_VARIABLES)
        self.functions = weakref.WeakSet([value for value in self._seen.values() if type(value) is types.FunctionType])
        for searched in (self._seen, self._todo, self._origins):  # what the program lets go is not kept
            searched.clear()

    def put(self) -> bool:
        """Whether all that was found is still there, and no table has more or less than it had."""
        as_before = True
        for get, put, key, value, form in self.places:
            try:
                now = get(key)
                if now is value:
                    put(key, form)
                elif now is not form:
                    as_before = False
            except _GONE:
                as_before = False
        return as_before and all(size() == before for size, before in self.tables)

    def take_away(self) -> None:
        for get, put, key, value, form in self.places:
            try:
                if get(key) is form:
                    put(key, value)
            except _GONE:
                pass

    def _by_name(self, value: Any) -> Any:
        """What stands for something that NumPy has a name for."""
        if not may_have_form(value):
            return None
        form = form_in_place(value)
        return form_of_type(value) if form is None else form

    def _form(self, value: Any) -> Any:
        kind = type(value)
        if holds_nothing(value) or issubclass(kind, ndarray):
            return value
        known = self._made.get(id(value))
        if known is None or id(value) in self._inherited:
            self._inherited.discard(id(value))
            made = self._make(kind, value)
            if known is None and made is value:
                return value
            known = self._made.setdefault(id(value), (value, made))
        return known[1]

    def _make(self, kind: Any, value: Any) -> Any:
        if kind in generator_classes():
            return guarded_generator(value)
        if kind is types.MethodType and type(value.__self__) in generator_classes():
            return getattr(self._form(value.__self__), value.__name__)
        form = self._by_name(value)
        if form is None:
            return self._remade(kind, value)
        if form_of_type(value) is not None:
            self.has_types = True
            return form if self.with_types else value
        return form

    def _remade(self, kind: Any, value: Any) -> Any:
        remade = remaking(kind)
        if remade is None or any(issubclass(kind, base) and base.__len__(value) > _LONGEST for base in (tuple, frozenset)):
            return value
        if kind not in _WITHOUT_NAMES:
            self._todo.extend([names_of(value), kind])
        return remade(value, self._part)

    def _part(self, value: Any) -> Any:
        self._todo.append(value)
        return self._form(value)

    def _look(self, items: Iterable[tuple[Any, Any]], get: Callable, put: Callable) -> bool:
        """Note what stands for values of a container; whether there is any."""
        found = False
        for key, value in items:
            if holds_nothing(value):
                continue
            value = self._origins.get(id(value), value)
            form = self._form(value)
            if form is not value:
                found = True
                self.places.append((get, put, key, value, form))
            else:
                self._todo.append(value)
        return found

    def _search(self, most: int) -> None:
        todo, seen = self._todo, self._seen
        for _ in range(most):
            if not todo or len(self.places) >= _MOST_FOUND:
                return
            value = todo.popleft()
            kind = type(value)
            if holds_nothing(value) or id(value) in seen or issubclass(kind, ndarray):
                continue
            seen[id(value)] = value
            self._go_into(kind, value)

    def _go_into(self, kind: Any, value: Any) -> None:
        if kind is types.FunctionType:
            self._function(value)
        elif issubclass(kind, type):
            if value.__module__ == self._module.get("__name__"):
                attributes = Attributes(value)
                own = [(name, held) for name, held in attributes.items if name not in _OF_CLASSES]
                self._look(own, attributes.get, attributes.put)
        else:
            self._object(kind, value)

    def _object(self, kind: Any, value: Any) -> None:
        shown = shown_by(value, _LONGEST + 1)
        self._todo.extend(shown if len(shown) <= _LONGEST else ())
        table = table_of(value)
        if table is not None and table.size() <= _LONGEST and self._look(table.items(), table.get, table.put):
            self.tables.append((table.size, table.size()))
        if is_users_code(kind.__module__) or carries(kind):
            get, put = functools.partial(object.__getattribute__, value), functools.partial(object.__setattr__, value)
            self._look(filled_slots(value), get, put)
            self._todo.append(names_of(value))
        elif "__wrapped__" in names_of(value):
            self._todo.append(names_of(value)["__wrapped__"])

    def _function(self, function: types.FunctionType) -> None:
        """What a function of this module has besides the module's names."""
        self._todo.append(getattr(function, "__wrapped__", None))
        if function.__globals__ is not self._module:
            return
        own = [("__defaults__", function.__defaults__)]
        self._look(own, functools.partial(getattr, function), functools.partial(setattr, function))
        for cell in function.__closure__ or ():
            held = [("cell_contents", value) for value in contents_of(cell)]
            self._look(held, functools.partial(getattr, cell), functools.partial(setattr, cell))
        self._todo.append(function.__kwdefaults__)
