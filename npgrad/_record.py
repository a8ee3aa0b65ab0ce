"""The record of a tape, and which tapes record in this thread or task.

A `Record` is a linear list of entries (see ``_entries``). It knows who appended them only through the `Token` that
storages carry; nothing in it refers back to the tape.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any

from . import _collector
from ._leaks import LeakError, Place, leak_message, user_place
from ._pool import give_back
from ._storage import NOTHING, Storage, Token, View, new_epoch

# The tapes that record in this context, outermost first; and all that were opened in it, paused ones included.
_recording: ContextVar[tuple[Record, ...]] = ContextVar("npgrad_recording", default=())
_opened: ContextVar[tuple[Record, ...]] = ContextVar("npgrad_opened", default=())

# Whether there has been a tape in this context, so that what it computes without one is meant to be constant.
_has_had_tape: ContextVar[bool] = ContextVar("npgrad_has_had_tape", default=False)

# The tape that records in this context if there is just one, which is what the hot path asks.
_single: ContextVar[Record | None] = ContextVar("npgrad_single", default=None)

recording = _recording.get
opened = _opened.get
single = _single.get


def set_recording(records: tuple[Record, ...]) -> None:
    _recording.set(records)
    _single.set(records[0] if len(records) == 1 else None)


_CLOSED: frozenset = frozenset(["a closed tape"])


class Mark:
    """One watched array: where in the record it was watched."""

    __slots__ = ("storage", "view", "position")

    def __init__(self, storage: Storage, view: View | None, position: int) -> None:
        self.storage = storage
        self.view = view
        self.position = position


class Record:
    """The ordered list of what one tape has recorded."""

    __slots__ = (
        "entries", "append", "token", "alone", "own_set", "open", "leaks", "noted_leaks",
        "marks", "watch_accessed", "variables", "places", "cuts", "check_nan", "large",
        "parting", "leads_parting", "may_part", "takes_one", "met_kept", "__weakref__",
    )  # fmt: skip

    def __init__(self, leaks: str, watch_accessed: bool, locations: bool = False, check_nan: bool = False) -> None:
        _collector.enter()
        self.entries: list[tuple] = []
        self.append: Callable[[tuple], None] = self.entries.append
        # With locations: the user's line of each entry, and where traced data lost its derivative, as
        # (storage or None for any, what happened, place). Without, recording does nothing for them.
        self.places: list[Place] | None = None
        self.cuts: list[tuple[Storage | None, str, Place]] | None = None
        if locations:
            self.places, self.cuts = [], []
            self.append = functools.partial(_append_with_place, self.entries, self.places)
        self.check_nan = check_nan
        # Large saved values that a sweep has met, whose memory the next tape may use: by identity.
        self.large: dict[int, Any] = {}
        self.token = Token(weakref.ref(self))
        self.own_set: frozenset = frozenset([self.token])
        # What ``tracked`` is for a storage that this tape alone tracks; compared by identity on the hot path, so a
        # tape that does not record here must not be found by it.
        self.alone = _CLOSED
        self.open = False
        self.leaks = leaks
        self.noted_leaks: list[str] = []
        self.marks: dict[Storage, list[Mark]] = {}
        self.watch_accessed = watch_accessed
        self.variables: list[Any] = []
        # What follows equal eigenvalues (see ``_parting``), whether it stops with this tape, and whether it may be begun.
        self.parting: Any = None
        self.leads_parting = False
        self.may_part = True
        # Whether it has recorded what gives one derivative to each tape that records.
        self.takes_one = False
        # Whether it has met what only tapes tracked that have ended, from before it.
        self.met_kept = False

    def __del__(self, is_ending: Callable[[], bool] = sys.is_finalizing) -> None:
        if is_ending():  # modules may be empty by then
            return
        _collector.leave()
        if self.large:
            arrays = list(self.large.values())
            self.large.clear()
            self.entries.clear()
            give_back(arrays)

    def start(self) -> None:
        set_recording((*_recording.get(), self))
        _opened.set((*_opened.get(), self))
        if not _has_had_tape.get():
            _has_had_tape.set(True)
        self.alone = self.own_set
        self.open = True
        if self.cuts is not None:
            noting.append(None)
        if self.leads_parting:
            self.parting.record.start()

    def stop(self) -> None:
        """May be repeated: an interrupted one is."""
        if self.open:
            self.open = False
            self.alone = _CLOSED
            if self.cuts is not None:
                noting.pop()
            if self.leads_parting:
                self.parting.record.stop()
        forget_closed()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        if self.cuts is not None:
            self.cuts.append((None, "the tape is paused (stop_recording)", user_place()))
        away = {self}
        if self.leads_parting:
            away.add(self.parting.record)
        elif self.parting is not None:
            self.parting.moved.clear()  # what is constant to this tape is not so to the outermost one
        set_recording(tuple(r for r in _recording.get() if r not in away))
        try:
            yield
        finally:
            if self.open:
                here = set(_recording.get()) | away
                set_recording(tuple(r for r in _opened.get() if r in here))

    @property
    def records_here(self) -> bool:
        return self.open and self in _recording.get()

    def tracks(self, storage: Storage) -> bool:
        """Whether a use of this storage is recorded; a Variable met for the first time is watched."""
        if not self.open:
            return False
        if self.token in storage.tracked:
            return True
        if storage.is_variable and self.watch_accessed and storage.watch_when_used:  # type: ignore[attr-defined]
            refuse_unseen(storage)
            variable = storage.variable  # type: ignore[attr-defined]
            self.watch(storage, None if variable is None else variable._view)
            if variable is not None:
                self.variables.append(variable)
            return True
        if storage.tracked:
            refuse_foreign(storage)
            self.met_kept |= is_left(storage, self)
        return False

    def watch(self, storage: Storage, view: View | None) -> None:
        if self.find_mark(storage, view) is None:
            self.marks.setdefault(storage, []).append(Mark(storage, view, len(self.entries)))
        with lock:
            track(storage, self.own_set)
            if storage.epoch is None:
                storage.epoch = new_epoch()  # now, so that all threads that save its value do so in the same one

    def mark_also(self, storage: Storage, before: View | None, after: View | None) -> None:
        """A watched array that looks at its memory in another shape stays the source that it was."""
        mark = self.find_mark(storage, before)
        if mark is not None:
            self.marks[storage].append(Mark(storage, after, mark.position))

    def find_mark(self, storage: Storage, view: View | None) -> Mark | None:
        for mark in self.marks.get(storage, ()):
            if same_view(mark.view, view):
                return mark
        return None


def _append_with_place(entries: list[tuple], places: list[Place], entry: tuple) -> None:
    entries.append(entry)
    places.append(user_place())


# One item per tape in this process that records with locations: empty, it spares all others the call of `note_cut`.
noting: list[None] = []


def note_cut(storages: Iterable[Storage], what: str) -> None:
    """Tell the tapes that record with locations that what is made of these storages has no derivative."""
    for record in _recording.get():
        if record.cuts is not None:
            place = user_place()
            record.cuts += [(s, what, place) for s in storages if record.token in s.tracked]


def forget_closed() -> None:
    """Take the tapes that have been closed off the stack of this thread or task."""
    stack = _opened.get()
    if len(stack) == 1 and not stack[0].open and _recording.get() in (stack, ()):
        _recording.set(())
        _single.set(None)
        _opened.set(())
        return
    set_recording(tuple([r for r in _recording.get() if r.open]))
    _opened.set(tuple([r for r in stack if r.open]))


class SpoiledTokens(frozenset):
    """What ``tracked`` is for a storage whose derivative is lost, and which brings in nothing else: see ``_spoiled``."""


# Tapes of several threads may begin to track one storage at the same time, as that of a Variable.
lock = threading.RLock()


def track(storage: Storage, tokens: frozenset) -> None:
    """Let the tapes of ``tokens`` track a storage; tapes that are gone are forgotten, so that a Variable or a buffer
    that is used with many tapes does not collect them."""
    with lock:
        tracked = storage.tracked
        if not tracked:
            storage.tracked = tokens
        elif type(tracked) is SpoiledTokens or not tokens <= tracked:
            alive = [token for token in tracked if token.record() is not None]
            storage.tracked = tokens.union(alive) if alive else tokens


def same_view(a: View | None, b: View | None) -> bool:
    if a is b:
        return True
    if a is None or b is None or type(a) is not type(b) or a.shape != b.shape or a.dtype != b.dtype:
        return False
    if hasattr(a, "key"):
        return repr(a.key) == repr(b.key) and same_view(a.parent, b.parent)  # type: ignore[union-attr]
    return a.offset == b.offset and a.strides == b.strides  # type: ignore[union-attr]


_IN_ANOTHER_THREAD = (
    "a traced array is used in another thread while its tape records",
    "Run the thread's function in contextvars.copy_context(), so that it records on the same tape, or hand it "
    "npgrad.stop_gradient(array).",
)
_APART = (
    "a function that no tape sees into (black_box, custom_gradient) uses a traced array that is not among its arguments, "
    "whose derivative would be lost",
    "Pass it as an argument, or npgrad.stop_gradient(array) where it is meant to be constant.",
)


# The tapes that recorded where a function was called `apart`.
_outside: ContextVar[tuple[Record, ...]] = ContextVar("npgrad_outside", default=())


def apart(function: Callable, *args: Any, **kwargs: Any) -> Any:
    """Call a function while no tape records; what it uses of tracked data besides its arguments is refused."""
    stack, before = _recording.get(), _opened.get()
    token = _outside.set((*_outside.get(), *stack))
    set_recording(())
    _opened.set(())
    try:
        return function(*args, **kwargs)
    finally:
        set_recording(stack)
        _opened.set(before)
        _outside.reset(token)


def refuse_foreign(storage: Storage) -> None:
    """Traced data used where its tape does not record, while it records elsewhere, would go missing. A Variable is not one
    tape's: a thread that has tapes of its own may use it without one."""
    here, outside = _opened.get(), _outside.get()
    is_shared = storage.is_variable and _has_had_tape.get()
    for token in storage.tracked:
        record = token.record()
        if record is not None and record.open and record not in here and not (is_shared and record not in outside):
            if record.cuts is not None:
                record.cuts.append((storage, "a use in another thread, which was refused", user_place()))
            raise LeakError(leak_message(*(_APART if record in outside else _IN_ANOTHER_THREAD)))
    if storage.is_variable:
        refuse_unseen(storage)


def refuse_unseen(variable: Storage) -> None:
    """A Variable used in a function that is called `apart` would have been watched by the tapes outside."""
    if variable.watch_when_used and any(record.watch_accessed for record in _outside.get()):  # type: ignore[attr-defined]
        raise LeakError(leak_message(*_APART))


def tracking_records(storages: tuple[Storage, ...]) -> tuple[Record, ...]:
    """The tapes that record here and track at least one of the storages."""
    return tuple(record for record in _recording.get() if any([record.tracks(s) for s in storages]))  # noqa: C419 (each must hear of its use)


def owners(storage: Storage) -> list[Record]:
    """All live tapes that track a storage, also those that do not record now: a write must reach them all."""
    found = []
    for token in storage.tracked:
        record = token.record()
        if record is not None:
            found.append(record)
    return found


def is_left(storage: Storage, after: Record) -> bool:
    """Whether what a storage holds had a derivative by tapes that have all ended, one of them begun before another: a tape
    inside of that leaves constants behind. A Variable is not one tape's."""
    if storage.is_variable or any(record.open for record in owners(storage)):
        return False
    return any(token.number < after.token.number for token in storage.tracked)


def token_set(records: tuple[Record, ...]) -> frozenset:
    if not records:
        return NOTHING
    if len(records) == 1:
        return records[0].own_set
    return frozenset(record.token for record in records)
