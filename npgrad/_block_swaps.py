"""What stands for arrays and names that the block of a tape reaches: found from the frame that enters it, and put back."""

from __future__ import annotations

import contextlib
import functools
import types
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from numpy import ndarray

from ._blocks import Block
from ._compat import read_variables, write_variables
from ._mentions import looks_up
from ._own_memory import OwnStorage, disown, own
from ._swaps import Swaps
from ._traced import TracedArray, on_memory_of, over
from ._while_recording import insist

_OPTIMIZED = 0x1  # of code: its variables are not in a dict


def variables_of(frame: types.FrameType, block: Block) -> dict[str, Any]:
    """The variables of the function that a block is in, those that it may reach."""
    if not frame.f_code.co_flags & _OPTIMIZED or not block.variables:
        return {}
    found = read_variables(frame)
    return found if looks_up(block.names) else {name: found[name] for name in block.variables if name in found}


def names_around(frame: types.FrameType) -> list[dict]:
    """The names of the module; and those in the body of a class, or of `exec`."""
    if frame.f_code.co_flags & _OPTIMIZED or frame.f_locals is frame.f_globals or type(frame.f_locals) is not dict:
        return [frame.f_globals]
    return [frame.f_globals, frame.f_locals]


# The classes of tapes; objects that hold one are not remembered, which would keep it.
TAPES: set[type] = set()

# Storages for the memory of plain arrays: as long as the program has anything that looks at one, it is used again.
_storages: dict[int, tuple[weakref.ref, weakref.ref]] = {}
_MOST = 256

# What is in place: tapes in several threads or tasks have each their own.
in_place: list[BlockSwaps] = []


class BlockSwaps(Swaps):
    """Replacements of what blocks reach. ``earlier`` gives what stood for an array when the same tape recorded before."""

    def __init__(self, earlier: Callable[[ndarray], ndarray] | None = None) -> None:
        super().__init__()
        self.earlier = earlier
        self.met: set[int] = set()  # what stands for something in another tape's place, and is used here as well
        self.holds_tape = self.has_variables = False
        self.last: list[Callable[[], None]] = []
        self.known: list[dict] = []  # the modules of what is remembered

    # --- Search

    def enter(self, frame: types.FrameType, block: Block, variables: dict[str, Any]) -> None:
        """Go into what a block mentions, and into the variables of its function."""
        for names in names_around(frame):
            self.follow_names(frame.f_code, names, block.names)
        self.replace(frame, block, variables)

    def replace(self, frame: types.FrameType, block: Block, variables: dict[str, Any]) -> None:
        """Swap the variables; and let all that the block gives a new name be put back under it, too."""
        made: dict[str, Any] = {}
        for name, value in variables.items():
            if self.finds(value) and (form := self.form(value)) is not value:
                made[name] = form
        self.last += [functools.partial(self.restore_names, names, block.names) for names in names_around(frame)]
        self.last.append(functools.partial(self.restore_variables, frame))
        if made:
            self.has_variables = True
            write_variables(frame, made)

    def reached(self) -> list[dict]:
        return [*self.known, *super().reached()]

    def finds(self, value: Any) -> bool:
        """Whether a value is to be looked at: not what stands for something already."""
        if len(in_place) > 1 and any(id(value) in other.origins for other in in_place if other is not self):
            self.met.add(id(value))
            return False
        return True

    def swap(self, items: Iterable[tuple[Any, Any]], get: Callable, put: Callable) -> None:
        items = [item for item in items if self.finds(item[1])]
        if id(getattr(get, "__self__", None)) not in self.modules and any(type(value) in TAPES for _, value in items):
            self.holds_tape = True
        super().swap(items, get, put)

    def shared(self, array: ndarray) -> ndarray:
        if self.earlier is not None and isinstance(earlier := self.earlier(array), TracedArray):
            return earlier
        made = on_memory_of(array) if array.base is None and array.flags.forc else super().shared(array)
        if not isinstance(made, TracedArray) or made._view is not None:
            return made
        of, storage = _storages.get(id(array), (_gone, _gone))
        known = storage()
        if of() is array and type(known) is OwnStorage and (known.shape, known.dtype) == (array.shape, array.dtype):
            made = over(made._bare, known, None)
        own(made)
        if len(_storages) > _MOST:
            for key in [key for key, (_, storage) in _storages.items() if storage() is None]:
                del _storages[key]
        _storages[id(array)] = weakref.ref(array), weakref.ref(made._storage)
        return made

    # --- Restoring

    def restore(self, get: Callable, put: Callable, key: Any, value: Any, made: Any) -> None:
        """Put a value back, unless the program has put something else there, or another tape needs what stands there."""
        for other in in_place:
            if id(made) in other.met:
                other.origins[id(made)], other.forms[id(value)] = value, (value, made)
                other.undo.insert(0, functools.partial(other.restore, get, put, key, value, made))
                return
        with contextlib.suppress(KeyError, IndexError, AttributeError):
            now = get(key)
            if id(now) in self.origins:
                put(key, self.origins[id(now)])

    def restore_variables(self, frame: types.FrameType) -> None:
        origins = self.origins
        if origins:
            back = {name: origins[id(now)] for name, now in read_variables(frame).items() if id(now) in origins}
            if back:
                write_variables(frame, back)

    def restore_names(self, names: dict, mentioned: frozenset[str]) -> None:
        """Names that the block has given to what was swapped."""
        origins = self.origins
        if origins:
            names.update({name: origins[id(names[name])] for name in mentioned if id(names.get(name)) in origins})

    def put_back(self) -> None:
        for steps in (self.undo, self.last):
            while steps:
                insist(steps[-1])
                steps.pop()
        try:
            self.keep()
        finally:
            for _, made in self.forms.values():
                if type(made) is TracedArray:
                    disown(made)


def _gone() -> None:
    return None
