"""Names that a user's module bound before the tape, and arrays that it made: swapped for the length of a call.

``from numpy import zeros`` gives a module its own name for NumPy's function, which the names in place do not reach; a work
array at module level, in an object, a closure or a default argument was made before any tape. While a function is called
by the functional API, what it can reach of these stands for traced forms. The arrays keep their memory, so a program that
keeps its state in them goes on as it would without npgrad.
"""

from __future__ import annotations

import contextlib
import contextvars
import copy
import functools
import itertools
import operator
import threading
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

from . import _collector
from ._bare_looks import Table
from ._bound_names import NamesInPlace, in_place
from ._carriers import still
from ._comparisons import compared
from ._held_names import holds_nothing
from ._leaks import warn
from ._leftovers import Leftovers, has_new, is_like
from ._libraries import NONE_LOADED, modules_state
from ._namespace import may_have_form, original_of
from ._swaps import Swaps
from ._tracebacks import public
from ._unswapped import Unswapped
from ._while_recording import insist

lock = threading.RLock()

# Seconds to wait for another thread without a word.
_PATIENCE = 20.0


class Reach:
    """What a function reaches, and what of it was swapped, remembered from a call.

    As long as all containers hold the very same objects as they did then, at the same places where they were swapped, there
    is the same to swap, mostly nothing, and no search is needed. Numbers and texts may come and go.
    """

    def __init__(self) -> None:
        # The containers, as functions that look again, and one behind the other what they held.
        self._containers: list[Callable[[], Iterable]] = []
        self._contents: list = []
        # NumPy's functions for which forms stood there then.
        self._originals: list = []
        self._bare: tuple[types.FunctionType, ...] = ()
        # Names that the modules may get, and the state of modules: one that is new may be named, too.
        self._absent: list[tuple[frozenset[str], dict]] = []
        self._loaded = NONE_LOADED
        self.swapped: list[tuple[Callable, Callable, Any, Any]] = []
        self.has_forms = False
        self.tables: list[Table] = []
        self._is_whole = False  # what was swapped can be swapped again without a search

    def forget(self) -> None:
        """A search begins, which may be interrupted: what was there before it is not known until it ends."""
        self._containers, self._is_whole = [], False

    def remember(self, swaps: Swaps) -> None:
        no_defaults = len(swaps.swapped) == len(swaps.undo)
        self._is_whole = no_defaults and swaps.is_all_swapped and not swaps.hidden
        bare = self._bare = tuple(swaps.bare)
        self._containers = [look for look, _ in swaps.looks] + ([functools.partial(_of_bare, bare)] if bare else [])
        self._contents = [*[value for _, before in swaps.looks for value in before], *map(_CODE, bare)]
        originals = [original_of(value) for value in self._contents if may_have_form(value)]
        self._originals = [original for original in originals if original is not None]
        self._absent = [(absent, module.names) for module in swaps.modules.values() if (absent := module.absent())]
        self._loaded = modules_state()
        self.swapped, self.has_forms = swaps.swapped, bool(swaps.forms)
        self.tables = swaps.tables

    def refresh(self) -> None:
        """Take over what the program has put where arrays were swapped, if nothing else has changed: there is the same to
        swap the next time."""
        try:
            now = self._held_now()
            swapped = [(get, put, key, get(key)) for get, put, key, _ in self.swapped]
        except _GONE:
            return
        before, after = _without_plain(self._contents), _without_plain(now)
        places = {id(value) for *_, value in self.swapped}
        changed = [(old, new) for old, new in zip(before, after, strict=False) if old is not new]
        if len(before) == len(after) and all(id(old) in places and is_like(old, new) for old, new in changed):
            self._contents, self.swapped = now, swapped

    def has_new(self) -> bool:
        """Whether there is anything in the containers that a search would go into, or that stands for plain data."""
        if not self._containers:
            return False
        try:
            now = self._held_now()
        except _GONE:
            return True
        if modules_state() != self._loaded or not all(absent.isdisjoint(names) for absent, names in self._absent):
            return True
        return not _are_same(now, self._contents) and has_new(now, self.known())

    def known(self) -> set[int]:
        return set(map(id, itertools.chain(self._contents, self._originals)))

    def _held_now(self) -> list:
        return list(itertools.chain.from_iterable([look() for look in self._containers]))

    def is_as_before(self) -> bool:
        if not self._is_whole:
            return False
        try:
            return self._holds_the_same() and all(get(key) is value for get, _, key, value in self.swapped)
        except _GONE:
            return False

    def _holds_the_same(self) -> bool:
        if modules_state() != self._loaded or not all(absent.isdisjoint(names) for absent, names in self._absent):
            return False
        now = self._held_now()
        if not _are_same(now, self._contents):
            if not _are_same(_without_plain(now), _without_plain(self._contents)):
                return False
            self._contents = now
        bare = self._bare
        return not bare or not (any(map(_DEFAULTS, bare)) or any(map(_KEYWORD_DEFAULTS, bare)))


class ReachOfOurs(Reach):
    """What a function of ours reaches: the user's function that it calls is searched when it is called."""

    def is_as_before(self) -> bool:
        return True


def _of_bare(functions: tuple[types.FunctionType, ...]) -> Iterator:
    """The codes of functions that had nothing of their own, and what attributes they have got."""
    attributes = [names.values() for names in map(vars, functions) if names]
    return itertools.chain(map(_CODE, functions), *attributes)


# What a look at a container raises of which something is gone.
_GONE = (LookupError, AttributeError, ValueError)


def _are_same(now: list, before: list) -> bool:
    return len(now) == len(before) and all(map(operator.is_, now, before))


def _without_plain(values: list) -> list:
    return [value for value in values if not holds_nothing(value)]


_CODE = operator.attrgetter("__code__")
_DEFAULTS, _KEYWORD_DEFAULTS = operator.attrgetter("__defaults__"), operator.attrgetter("__kwdefaults__")
_UNSWAPPED = Unswapped()


class Reached:
    """What a function that is called again and again reaches; ``others`` are values that change meanwhile. A context around
    a call, in which names are in place and ``form`` gives from each value what stands for it, as `instrumented` does; behind
    it what the program has kept of the call is plain; where a tape around it records, behind the outermost such context."""

    __slots__ = ("_values", "_reach", "_names", "_swapping", "_around", "_inside", "form")

    def __init__(self, function: Any, others: list, reach: Reach) -> None:
        self._values = [function, *others]
        self._reach = Reach() if others else reach
        self._names = NamesInPlace()
        self._swapping: contextlib.AbstractContextManager[Unswapped] | None = None
        self._around: Reached | None = None
        # By what was called: the first call of it inside of this one, and what was reached then.
        self._inside: dict[tuple[int, ...], tuple[Reached, Reach]] = {}
        self.form = _UNSWAPPED

    def __enter__(self) -> Self:
        reach = self._reach
        self._names.__enter__()  # first, since what was found is compared with what is there
        try:
            if not reach.is_as_before():
                reach.forget()
                self._swapping = instrumented(*self._values, reach=reach)
            elif reach.has_forms:
                self._swapping = instrumented(again=reach.swapped)
            if self._swapping is not None:
                self.form = self._swapping.__enter__()
        except BaseException:  # Python calls no __exit__ where __enter__ has failed
            self._names.__exit__()
            raise
        self._around = _innermost.get()
        _innermost.set(self)
        return self

    def leave_names(self) -> None:
        """Before the end of the context; where something is swapped, that keeps them in place."""
        self._names.leave()

    def __exit__(self, *error: Any) -> None:
        _innermost.set(self._around)
        try:
            if self._swapping is not None:
                self._swapping.__exit__(*error)
        finally:
            try:
                self._names.__exit__()
            finally:
                insist(self._leave)

    def _leave(self) -> None:
        new = {tuple(map(id, self._values)): (self, copy.copy(self._reach))} if self._reach.has_new() else {}
        left = {**self._inside, **new}
        if left and not in_place.while_idle(lambda: _give_back(left)) and self._around is not None:
            for called, first in left.items():  # what a later call has found, the first one may have left
                self._around._inside.setdefault(called, first)
        if self._reach.has_forms:
            self._reach.refresh()

    def give_back(self, reach: Reach) -> None:
        """What the program has kept of this call and of what came later, by what was reached when it began."""
        leftovers = Leftovers(reach.known(), self.form.origins)
        for table in reach.tables:
            leftovers.look_at(table)
        if reach.has_new():
            with _collector.seldom():
                for value in self._values:
                    leftovers.form(value)
                leftovers.run()


def _give_back(left: dict[tuple[int, ...], tuple[Reached, Reach]]) -> None:
    for called, reach in left.values():
        called.give_back(reach)


# The call that goes on in this thread or task.
_innermost: contextvars.ContextVar[Reached | None] = contextvars.ContextVar("_innermost", default=None)


def _take_turn() -> None:
    if not lock.acquire(timeout=_PATIENCE):
        warn(
            "this thread waits for another one, in which npgrad calls a function whose arrays and names it has swapped. If "
            "that function waits for this thread in turn, neither goes on: take derivatives outside of it, or give it its "
            "arrays as arguments.",
            RuntimeWarning,
        )
        lock.acquire()


@contextlib.contextmanager
def instrumented(
    *values: Any,
    modules: tuple[types.ModuleType, ...] = (),
    reach: Reach | None = None,
    again: Iterable[tuple[Callable, Callable, Any, Any]] = (),
) -> Iterator[Unswapped]:
    """Swap what values and modules reach, or ``again`` what was swapped before, and put it back however the block is left.

    Gives a function from each value to what stands for it.
    """
    swaps = Swaps()
    with NamesInPlace(), contextlib.ExitStack() as held:
        # Two programs at once that swapped the same names would put back each other's; who swaps nothing needs not wait.
        _take_turn()
        held.callback(lock.release)
        try:
            compared.forget()
            with _collector.seldom():
                for module in modules:
                    swaps.all_of(vars(module))
                for value in values:
                    swaps.form(value)
                swaps.run()
            for place in again:
                swaps.swap_one(*place)
            if not swaps.undo and not swaps.hidden:
                held.close()
            if reach is not None:
                reach.remember(swaps)
            with still(swaps.hidden):
                yield swaps
        finally:
            steps = iter((*reversed(swaps.undo), swaps.keep))
            swaps.undo.clear()  # they refer to what they are kept in
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
    try:
        for name, value in replacements.items():
            setattr(modules[0], name, value)
        with instrumented(modules=modules):  # of what stands there now
            yield
    finally:
        for name, value in before.items():
            setattr(modules[0], name, value)
