"""Names that a user's module bound before the tape, and arrays that it made: swapped for the length of a call.

``from numpy import zeros`` gives a module its own name for NumPy's function, which the names in place do not reach; a work
array at module level, in an object, a closure or a default argument was made before any tape. While a function is called
by the functional API, what it can reach of these stands for traced forms. The arrays keep their memory, so a program that
keeps its state in them goes on as it would without npgrad.
"""

from __future__ import annotations

import builtins
import collections
import contextlib
import functools
import itertools
import operator
import threading
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy import ndarray

from ._guards import StructuredArray, generator_class, guarded_generator
from ._leaks import is_users_code
from ._moves import protect
from ._namespace import form_in_place, load_names
from ._tracebacks import public
from ._traced import TracedArray, fresh, is_inexact, view_of
from ._while_recording import insist

lock = threading.RLock()

# What holds nothing to be swapped: lists of nothing else are not searched.
_PLAIN: set[Any] = {bool, int, float, complex, str, bytes, type(None), types.ModuleType, range, slice, np.dtype, np.ufunc}




def _is_work_array(value: Any) -> bool:
    return type(value) is ndarray and is_inexact(value.dtype) and value.flags.writeable


class _Swaps:
    """Replacements that have been made, to be undone in reverse order."""

    def __init__(self) -> None:
        self.undo: list[Callable[[], Any]] = []
        # What was swapped, as (get, put, key, value): see `Reach`.
        self.swapped: list[tuple[Callable, Callable, Any, Any]] = []
        self.seen: dict[int, Any] = {id(vars(builtins)): builtins}
        # One traced form per value, wherever it is reached from: aliases stay aliases.
        self.forms: dict[int, tuple[Any, Any]] = {}
        # A list and no recursion: a program's objects may form long chains.
        self.todo: list[Any] = []
        # What has been looked at, as functions that look again and what they found: see `Reach`.
        self.looks: list[tuple[Callable[[], Iterable], tuple]] = []
        self.bare: list[types.FunctionType] = []

    def form(self, value: Any) -> Any:
        """What stands for a value that cannot be changed itself: arrays, names, and what holds them for good."""
        known = self.forms.get(id(value))
        if known is not None:
            return known[1]
        kind = type(value)
        if kind in _PLAIN or (kind is types.FunctionType and self.is_bare(value)):
            return value
        made = value
        if kind is ndarray:
            if _is_work_array(value):
                made = self.shared(value)
            elif value.dtype.names is not None:
                made = value.view(StructuredArray)
        elif isinstance(value, tuple):
            items = [self.form(item) for item in value]
            if any(new is not old for new, old in zip(items, value, strict=True)):
                made = value._make(items) if hasattr(value, "_make") else tuple(items)
        elif kind is functools.partial:
            self.todo.append(value.func)
            args, keywords = self.form(value.args), {name: self.form(item) for name, item in value.keywords.items()}
            if args is not value.args or any(keywords[name] is not item for name, item in value.keywords.items()):
                made = functools.partial(value.func, *args, **keywords)
        elif callable(value) and (name := form_in_place(value)) is not None:
            made = name
        elif kind is generator_class():
            made = guarded_generator(value)
        else:
            self.todo.append(value)
        if made is not value:
            self.forms[id(value)] = (value, made)
        return made

    def is_bare(self, function: types.FunctionType) -> bool:
        """Whether a function has nothing of its own to be searched: most functions of a module, met while going over it."""
        if id(function.__globals__) not in self.seen or (
            function.__closure__ or function.__defaults__ or function.__kwdefaults__ or function.__dict__
        ):
            return False
        self.bare.append(function)
        return True

    def shared(self, array: ndarray) -> ndarray:
        """A traced array on the same memory, which stays the owner's; views of one array stay views of one."""
        if _is_work_array(array.base) and isinstance(owner := self.form(array.base), TracedArray):
            return view_of(owner, array)
        if not array.flags.forc:
            return array
        # Through a memoryview, so that views of it refer to this array as the whole.
        return fresh(np.asarray(memoryview(array)) if array.dtype.isnative else array)  # type: ignore[arg-type]

    def keep(self) -> None:
        """Leave copies of the saved values: from here on nobody sees what is written into the memory."""
        for _, made in self.forms.values():
            if type(made) is TracedArray:
                protect(made)

    def swap(self, items: Iterable[tuple[Any, Any]], get: Callable, put: Callable) -> None:
        """Put forms for the values of a container."""
        for key, value in list(items):
            kind = type(value)
            if kind in _PLAIN or (kind is types.FunctionType and self.is_bare(value)):
                continue
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
            elif isinstance(now, TracedArray):
                others = [value for value, form in self.forms.values() if form is now]
                put(key, others[0] if others else np.array(now._bare))

    def mapping(self, names: dict) -> None:
        self.looks.append((names.values, tuple(names.values())))
        self.swap(names.items(), names.get, names.__setitem__)

    def run(self) -> None:
        """Go on into what has been reached, as far as it is the user's own."""
        seen = self.seen
        while self.todo:
            value = self.todo.pop()
            kind = type(value)
            if kind in _PLAIN or id(value) in seen:
                continue
            seen[id(value)] = value
            if kind is types.FunctionType:
                self.function(value)
            elif kind is dict:
                self.mapping(value)
            elif kind is types.BuiltinFunctionType:
                continue
            elif isinstance(value, (list, collections.deque)):
                self.looks.append((value.__iter__, tuple(value)))
                if not _PLAIN.issuperset(map(type, value)):
                    self.swap(enumerate(value), value.__getitem__, value.__setitem__)
            elif isinstance(value, dict):
                self.mapping(value)
            elif kind is types.MethodType:
                self.todo += [value.__self__, value.__func__]
            elif kind is staticmethod or kind is classmethod:
                self.todo.append(value.__func__)
            elif kind is property:
                self.todo += [value.fget, value.fset]
            elif isinstance(value, type):
                self.kind(value)
            elif hasattr(kind, "__wrapped__") or "__wrapped__" in getattr(value, "__dict__", ()):
                self.todo.append(value.__wrapped__)
            elif kind is types.SimpleNamespace or is_users_code(kind.__module__):
                self.instance(value)

    def function(self, function: types.FunctionType) -> None:
        if hasattr(function, "__wrapped__"):
            self.todo.append(function.__wrapped__)
        if not is_users_code(function.__globals__.get("__name__"), function.__code__.co_filename):
            return
        self.looks.append((functools.partial(_own, function), tuple(_own(function))))
        before = function.__defaults__
        if before is not None and (after := self.form(before)) is not before:
            function.__defaults__ = after
            self.undo.append(lambda: setattr(function, "__defaults__", before))
        if function.__kwdefaults__ is not None:
            self.mapping(function.__kwdefaults__)
        for cell in function.__closure__ or ():
            items = [("cell_contents", value) for value in _contents(cell)]
            self.swap(items, functools.partial(getattr, cell), functools.partial(setattr, cell))
        self.todo.append(function.__globals__)

    def kind(self, kind: type) -> None:
        if is_users_code(kind.__module__):
            self.looks.append((vars(kind).values, tuple(vars(kind).values())))
            self.swap(vars(kind).items(), functools.partial(getattr, kind), functools.partial(setattr, kind))
            self.todo += kind.__bases__

    def instance(self, value: Any) -> None:
        get, put = functools.partial(getattr, value), functools.partial(object.__setattr__, value)
        self.looks.append((functools.partial(_parts, value), tuple(_parts(value))))
        self.swap(_filled_slots(value), get, put)
        self.todo += [getattr(value, "__dict__", None), type(value)]


def _slots(kind: type) -> tuple[str, ...]:
    slots = vars(kind).get("__slots__", ())
    names = (slots,) if isinstance(slots, str) else tuple(slots)
    return tuple([name for name in names if not name.startswith("__")])


def _filled_slots(value: Any) -> list[tuple[str, Any]]:
    names = [name for base in type(value).__mro__ for name in _slots(base)]
    return [(name, getattr(value, name)) for name in names if hasattr(value, name)]


def _parts(value: Any) -> list:
    """What an object consists of."""
    return [getattr(value, "__dict__", None), type(value), *[part for _, part in _filled_slots(value)]]


def _contents(cell: types.CellType) -> list:
    try:
        return [cell.cell_contents]
    except ValueError:  # still empty
        return []


def _own(function: types.FunctionType) -> list:
    """What a function has besides its module's names."""
    own: list = [function.__defaults__, function.__kwdefaults__, getattr(function, "__wrapped__", None)]
    for cell in function.__closure__ or ():
        own += _contents(cell)
    return own


class Reach:
    """What a function reaches, and what of it was swapped, remembered from a call.

    As long as all containers hold the very same objects as they did then, at the same places where they were swapped, there
    is the same to swap, mostly nothing, and no search is needed. Numbers and texts may come and go.
    """

    def __init__(self) -> None:
        # The containers, as functions that look again, and one behind the other what they held.
        self._containers: list[Callable[[], Iterable]] | None = None
        self._contents: list = []
        self._bare: list[types.FunctionType] = []
        self.swapped: list[tuple[Callable, Callable, Any, Any]] = []
        self.has_forms = False

    def remember(self, swaps: _Swaps) -> None:
        if len(swaps.swapped) == len(swaps.undo):  # no defaults of functions
            self._containers = [look for look, _ in swaps.looks]
            self._contents = [value for _, before in swaps.looks for value in before]
            self._bare = swaps.bare
            self.swapped, self.has_forms = swaps.swapped, bool(swaps.forms)

    def is_as_before(self) -> bool:
        if self._containers is None:
            return False
        now = list(itertools.chain.from_iterable([look() for look in self._containers]))
        if not _are_same(now, self._contents):
            if not _are_same(list(filter(_holds, now)), list(filter(_holds, self._contents))):
                self._containers = None
                return False
            self._contents = now
        if any(map(_DEFAULTS, self._bare)) or any(map(_KEYWORD_DEFAULTS, self._bare)):
            return False
        try:
            return all(get(key) is value for get, _, key, value in self.swapped)
        except (LookupError, AttributeError, ValueError):
            return False


def _are_same(now: list, before: list) -> bool:
    return len(now) == len(before) and all(map(operator.is_, now, before))


def _holds(value: Any) -> bool:
    return type(value) not in _PLAIN


_DEFAULTS, _KEYWORD_DEFAULTS = operator.attrgetter("__defaults__"), operator.attrgetter("__kwdefaults__")
_NOTHING: contextlib.AbstractContextManager[Callable[[Any], Any]] = contextlib.nullcontext(lambda value: value)


def reached(function: Any, others: list, reach: Reach) -> contextlib.AbstractContextManager[Callable[[Any], Any]]:
    """As `instrumented`, for a function that is called again and again; ``others`` are values that change meanwhile."""
    if others or not reach.is_as_before():
        return instrumented(function, *others, reach=None if others else reach)
    return instrumented(again=reach.swapped) if reach.has_forms else _NOTHING


@contextlib.contextmanager
def instrumented(
    *values: Any,
    modules: tuple[types.ModuleType, ...] = (),
    reach: Reach | None = None,
    again: Iterable[tuple[Callable, Callable, Any, Any]] = (),
) -> Iterator[Callable[[Any], Any]]:
    """Swap what values and modules reach, or ``again`` what was swapped before, and put it back however the block is left.

    Gives a function from each value to what stands for it.
    """
    load_names()
    swaps = _Swaps()
    with contextlib.ExitStack() as held:
        # Two programs at once that swapped the same names would put back each other's; who swaps nothing needs not wait.
        held.enter_context(lock)
        try:
            for module in modules:
                swaps.mapping(vars(module))
            for value in values:
                swaps.form(value)
            swaps.run()
            for place in again:
                swaps.swap_one(*place)
            if not swaps.undo:
                held.close()
            if reach is not None:
                reach.remember(swaps)
            yield swaps.form
        finally:
            steps = iter((*reversed(swaps.undo), swaps.keep))
            try:
                for step in steps:
                    insist(step)
            finally:
                for step in steps:  # those behind one that was interrupted
                    insist(step)


@public
def instrument(*modules: types.ModuleType, **replacements: Any) -> contextlib.AbstractContextManager[None]:
    """Let tapes follow what modules bound or made before: a context around the tape.

    The functional API does this by itself for the module of the function it is given.

    Parameters
    ----------
    *modules : modules
        Their names for NumPy's creators and ``math`` (``from numpy import zeros``), and their work arrays, are swapped for
        traced forms while the context lasts. The arrays keep their memory.
    **replacements
        What stands for names of the one module meanwhile: ``instrument(library, solve=npgrad.black_box(library.solve))``.

    Examples
    --------
    >>> import types, numpy as np, npgrad as ng
    >>> legacy = types.ModuleType("legacy")
    >>> exec("from numpy import zeros\\ndef double(x):\\n    y = zeros(2)\\n    y[:] = 2 * x\\n    return y", vars(legacy))
    >>> with ng.instrument(legacy), ng.GradientTape() as tape:
    ...     x = tape.watch(np.array([1.0, 2.0]))
    ...     y = legacy.double(x)
    >>> tape.gradient(y, x)
    array([2., 2.])
    """
    for module in modules:
        if not isinstance(module, types.ModuleType):
            raise TypeError(f"instrument takes modules, got {type(module).__name__}: give the imported module")
    if replacements and len(modules) != 1:
        raise TypeError(
            f"replacements are for the names of one module, got {len(modules)} modules: instrument each by itself"
        )
    return _instrumented_modules(modules, replacements)


@contextlib.contextmanager
def _instrumented_modules(modules: tuple[types.ModuleType, ...], replacements: dict[str, Any]) -> Iterator[None]:
    before = {name: getattr(modules[0], name) for name in replacements}
    with instrumented(modules=modules):
        try:
            for name, value in replacements.items():
                setattr(modules[0], name, value)
            yield
        finally:
            for name, value in before.items():
                setattr(modules[0], name, value)
