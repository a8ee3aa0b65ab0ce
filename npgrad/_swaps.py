"""What stands for the user's arrays and names while a function is called: found from the function on, and put in place.

The search goes through what a function's code names (see ``_mentions``), its closure and its defaults, and on through
containers, objects, classes and the functions of the user's that it finds there.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import types
import weakref
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy import ndarray

from ._bare_looks import Table, filled_slots, has_names, is_a, names_of, table_of
from ._carriers import (
    CACHED,
    REFERENCES,
    Attributes,
    carries,
    hidden_in,
    iterator_of,
    owner_of,
    parts_of,
    parts_of_function,
    reference_to,
    remaking,
    results_of,
    shown_by,
    values_of,
    with_results,
)
from ._class_forms import held_form
from ._guards import generator_classes, guard_class, guarded_generator
from ._held_names import holds_nothing
from ._holders import HeldArray, LentStorage
from ._iterators import ITERATORS, numpys_iterator_of
from ._kept import is_kept_number, kept_copy, stand_in_of, tracked_once
from ._leaks import is_users_code
from ._memory import Blocks, may_be_written
from ._mentions import contents_of, held_functions, is_opaque, looks_into
from ._moves import protect
from ._named_modules import NamedModules
from ._namespace import form_in_place, may_have_form, original_of
from ._objects import ObjectArray
from ._traced import SeenArray, TracedArray, as_seen, fresh, is_inexact, on_memory_of, view_of


def _is_work_array(value: Any) -> bool:
    return type(value) is ndarray and is_inexact(value.dtype) and value.flags.writeable


class Swaps(NamedModules):
    """Replacements that have been made, to be undone in reverse order."""

    def __init__(self) -> None:
        super().__init__()
        self.swapped: list[tuple[Callable, Callable, Any, Any]] = []  # as (get, put, key, value): see `Reach`
        # One traced form per value, wherever it is reached from: aliases stay aliases.
        self.forms: dict[int, tuple[Any, Any]] = {}
        # What has been looked at, as functions that look again and what they found: see `Reach`.
        self.looks: list[tuple[Callable[[], Iterable], tuple]] = []
        self.tables: list[Table] = []
        self.bare: list[types.FunctionType] = []
        self.is_opaque = False
        self.hidden: list[ndarray] = []  # arrays of objects in which nothing can be replaced
        self.blocks = Blocks()
        self.is_all_swapped = True  # and nothing else has been done to what was found

    def __call__(self, value: Any) -> Any:
        return self.form(value)

    def holds(self, value: Any) -> bool:
        return id(value) in self.forms

    def form(self, value: Any) -> Any:
        """What stands for a value that cannot be changed itself: arrays, names, and what holds them for good."""
        known = self.forms.get(id(value))
        if known is not None:
            return known[1]
        kind = type(value)
        if holds_nothing(value) or (kind is types.FunctionType and self.is_bare(value)):
            return value
        made = value
        if is_kept_number(value):
            made = fresh(value, tracked_once(value))
        elif kind is ndarray:
            if is_inexact(value.dtype) and may_be_written(value):
                made = self.shared(value)
            elif value.dtype.names is not None:
                block = self.blocks.of(value)
                made = value.view(HeldArray) if block is None else block.form(value)
            elif value.dtype.kind == "O":
                self.todo.append(value)
                made = value.view(ObjectArray)
            else:
                self.blocks.unfollowed.append(value)
                made = as_seen(value)
        elif kind in REFERENCES:
            made = reference_to(value, self.form)
        elif kind in ITERATORS:
            made = numpys_iterator_of(value, self.form, self.undo)
        elif may_have_form(value) and (name := form_in_place(value) or held_form(value, self.reached())) is not None:
            made = name
        elif issubclass(kind, types.ModuleType):
            self.hold(value)
        elif kind is types.FunctionType and original_of(value) is not None:
            pass  # in place already
        elif kind is CACHED:
            self.todo.append(value.__wrapped__)
            if (results := results_of(value)) is not None:
                self.cache(results)
            made = with_results(value, self.form_now)
        elif kind in generator_classes():
            made = guarded_generator(value)
        elif kind is types.MethodType and type(value.__self__) in generator_classes():
            made = getattr(self.form(value.__self__), value.__name__)
        elif (remade := remaking(kind)) is not None:
            made = remade(value, self.form)
            self.attributes(value)
        elif (made := iterator_of(value, self.form, self.form_now)) is value:
            self.todo.append(value)
        if made is not value:
            self.forms[id(value)] = (value, made)
            self.origins[id(made)] = value
        return made

    def form_now(self, value: Any) -> Any:
        """What stands for a value that turns up after the search."""
        made = self.form(value)
        if self.todo:
            self.run()
        return made

    def attributes(self, value: Any) -> None:
        """Go on to what an object has for which another one of its class may stand, with the same attributes."""
        if has_names(value):
            self.todo.append(names_of(value))
        if is_users_code(type(value).__module__):
            self.todo.append(type(value))

    def is_bare(self, function: types.FunctionType) -> bool:
        """Whether a function has nothing of its own to be searched: most functions of a module, met while going over it."""
        own = function.__closure__ or function.__defaults__ or function.__kwdefaults__ or function.__dict__
        if own or id(function.__globals__) not in self.modules:
            return False
        self.bare.append(function)
        self.pending.append(function)
        return True

    def shared(self, array: ndarray) -> ndarray:
        """A traced array on the same memory, which stays the owner's; views of one array stay views of one."""
        owner = owner_of(array)
        if array.base is None:
            made = stand_in_of(array)
            if made is None:
                made = on_memory_of(array)
                made._storage.tracked = tracked_once(array)
            return made
        if _is_work_array(owner) and isinstance(whole := self.form(owner), TracedArray):
            part: Any = view_of(whole, array)
        else:
            block = self.blocks.of(array)
            part = array.view(HeldArray) if block is None else block.form(array)
        if not array.flags.writeable:
            part.setflags(write=False)
        return part

    def keep(self) -> None:
        """Leave copies of the saved values: from here on nobody sees what is written into the memory."""
        for _, made in self.forms.values():
            if type(made) is TracedArray:
                protect(made)
        self.blocks.protect()

    def passes_over(self, value: Any) -> bool:
        """Whether a value is none to look for, and holds none."""
        return holds_nothing(value)

    def swap(self, items: Iterable[tuple[Any, Any]], get: Callable, put: Callable) -> None:
        """Put forms for the values of a container."""
        for key, value in list(items):
            kind = type(value)
            if issubclass(kind, types.ModuleType):
                self.hold(value)
            elif not self.passes_over(value) and not (kind is types.FunctionType and self.is_bare(value)):
                self.swap_one(get, put, key, value)

    def swap_one(self, get: Callable, put: Callable, key: Any, value: Any) -> None:
        made = self.form(value)
        if made is not value:
            put(key, made)
            self.swapped.append((get, put, key, value))
            self.undo.append(functools.partial(self.restore, get, put, key, value, made))

    def restore(self, get: Callable, put: Callable, key: Any, value: Any, made: Any) -> None:
        """Put a value back, unless the program has replaced it meanwhile, by the form of another one or by a new array."""
        with contextlib.suppress(KeyError, IndexError, AttributeError):
            now = get(key)
            if now is made:
                put(key, value)
            elif is_a(now, SeenArray):
                put(key, self.origins[id(now)] if id(now) in self.origins else kept_copy(now))

    def table(self, table: Table) -> None:
        if table.is_mapping:
            self.todo += [key for key, _ in table.items() if not holds_nothing(key)]
        origins = self.origins  # some may be swapped already
        held = list(table.values())
        self.looks.append((table.values, tuple([origins.get(id(one), one) for one in held])))
        self.tables.append(table)
        if table.is_mapping or not all(map(self.passes_over, held)):
            self.swap(table.items(), table.get, table.put)

    def cache(self, results: dict) -> None:
        """What comes out of it is for `with_results`: here it is only remembered, for what comes there in the call."""
        table = Table(dict, results)
        self.looks.append((table.values, tuple(table.values())))
        self.tables.append(table)

    def run(self) -> None:
        """Go on into what has been reached, as far as it is the user's own."""
        self.search()
        if self.is_opaque:  # what code does not name, it does not call either
            for module in list(self.modules.values()):
                self.all_of(module.names)
        known = -1
        while known < (known := len(self.seen)):
            mentioned = frozenset().union(*self.codes.values())
            for held in list(self.held.values()):
                self.go_into(held, mentioned)
            for names in list(self.entered.values()) if looks_into(mentioned) else ():
                self.all_of(names)
            while self.wanted:
                _, names = self.wanted.popitem()
                self.named(names).is_whole = True
                self.todo.append(names)
            self.search()
        self.is_all_swapped &= self.blocks.hear_all()
        for module in self.modules.values():
            if module.before and not module.is_whole:
                self.looks.append((module.now, tuple(module.before.values())))

    def search(self) -> None:
        seen = self.seen
        while self.todo or self.pending:
            if self.pending:
                self.follow(self.pending.pop())
                continue
            value = self.todo.pop()
            kind = type(value)
            if holds_nothing(value) or id(value) in seen:
                continue
            seen[id(value)] = value
            if kind is not ndarray and issubclass(kind, ndarray):
                self.foreign(value)
            if kind is types.FunctionType:
                self.function(value)
            elif issubclass(kind, type):
                self.kind(value)
            elif kind is ndarray:
                self.looks.append((value.ravel, tuple(value.flat)))
                self.swap(np.ndenumerate(value), value.__getitem__, value.__setitem__)
            else:
                self.object(value)

    def object(self, value: Any) -> None:
        """What an object has by its class, if that is the user's, and by the class of Python's that it is derived from."""
        kind = type(value)
        has_own = is_users_code(kind.__module__) or carries(kind)
        if has_own:
            self.instance(value)
        if (table := table_of(value)) is not None:
            self.table(table)
        elif shown := shown_by(value):
            self.todo += shown
        elif kind is contextvars.ContextVar:
            self.variable(value)
        elif has_own:
            pass
        elif hidden := hidden_in(value):
            self.is_opaque |= is_opaque(value)
            self.hide(value, hidden)
        elif hasattr(kind, "__wrapped__") or "__wrapped__" in names_of(value):
            self.todo.append(value.__wrapped__)
        else:
            self.is_opaque |= is_opaque(value)
            self.todo += held_functions(value)

    def foreign(self, array: ndarray) -> None:
        """An array of another class would not hear of tracked data in the memory that it looks at."""
        owner = owner_of(array)
        whole = self.form(owner) if _is_work_array(owner) else None
        if isinstance(whole, TracedArray):
            whole._storage.__class__ = LentStorage
            self.is_all_swapped = False
        else:
            self.blocks.unfollowed.append(array)

    def variable(self, variable: contextvars.ContextVar) -> None:
        values = functools.partial(values_of, variable)
        self.looks.append((values, tuple(values())))
        self.swap([(None, value) for value in values()], lambda _: variable.get(), lambda _, value: variable.set(value))

    def hide(self, value: Any, hidden: list) -> None:
        """Go on to what an object holds that does not show it."""
        if not is_a(value, weakref.ref) and not all(map(holds_nothing, hidden)):
            self.looks.append((functools.partial(hidden_in, value), tuple(hidden)))
        for held in hidden:
            (self.hidden if _is_work_array(held) else self.todo).append(held)

    def function(self, function: types.FunctionType) -> None:
        if hasattr(function, "__wrapped__"):
            self.todo.append(function.__wrapped__)
        if not is_users_code(function.__globals__.get("__name__"), function.__code__.co_filename):
            self.todo += held_functions(function)
            return
        self.named(function.__globals__)
        self.looks.append((functools.partial(parts_of_function, function), tuple(parts_of_function(function))))
        if function.__dict__:  # what C has as static variables
            self.todo.append(function.__dict__)
        before = function.__defaults__
        if before is not None and (after := self.form(before)) is not before:
            function.__defaults__ = after
            self.undo.append(lambda: setattr(function, "__defaults__", before))
        if function.__kwdefaults__ is not None:
            self.table(Table(dict, function.__kwdefaults__))
        for cell in function.__closure__ or ():
            items = [("cell_contents", value) for value in contents_of(cell)]
            self.swap(items, functools.partial(getattr, cell), functools.partial(setattr, cell))
        self.pending.append(function)

    def kind(self, kind: type) -> None:
        if is_users_code(kind.__module__):
            if issubclass(kind, ndarray):
                self.guard(kind)
            self.looks.append((vars(kind).values, tuple(vars(kind).values())))
            attributes = Attributes(kind)
            self.swap(attributes.items, attributes.get, attributes.put)
            self.todo += [*kind.__bases__, type(kind)]

    def guard(self, kind: type) -> None:
        """Arrays of the user's class hear of tracked data that is written into them."""
        self.is_all_swapped = False
        guard_class(kind)

    def instance(self, value: Any) -> None:
        get, put = functools.partial(object.__getattribute__, value), functools.partial(object.__setattr__, value)
        self.looks.append((functools.partial(parts_of, value), tuple(parts_of(value))))
        self.swap(filled_slots(value), get, put)
        self.todo += [names_of(value), type(value)]
