"""Reading a record: its calls with their places in the user's code, and how a target depends on a source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from ._endpoints import PlainCopies
from ._leaks import Place
from ._record import Record
from ._tracebacks import public
from ._traced import TracedArray, complete
from ._trails import trail

_UNKNOWN = Place("", 0, "")


class RecordedCall(NamedTuple):
    """One entry of a record: the function, where the user's code called it, and what it made and keeps.

    ``file`` and ``scope`` are empty and ``line`` is 0 unless the tape has ``locations=True``.
    """

    function: str
    file: str
    line: int
    scope: str
    shape: tuple[int, ...] | None
    dtype: np.dtype | None
    saved_bytes: int

    def __str__(self) -> str:
        return f"{self.function} at {self.file}:{self.line} in {self.scope}" if self.file else self.function


class Cut(NamedTuple):
    """A place where what depends on the source lost its derivative."""

    what: str
    place: Place

    def __str__(self) -> str:
        return f"{self.what} at {self.place} in {self.place.scope}"


@dataclass(frozen=True)
class Explanation:
    """How a target depends on a source: see `GradientTape.explain`."""

    connected: bool
    reason: str
    path: tuple[RecordedCall, ...]
    cuts: tuple[Cut, ...]

    def __str__(self) -> str:
        steps = [f"  {text}" for text in _counted(map(str, self.path))]
        lost = ["Places where what depends on the source lost its derivative:"] if self.cuts else []
        return "\n".join([self.reason, *steps, *lost, *(f"  {text}" for text in _counted(map(str, self.cuts)))])


def _counted(texts: Iterable[str]) -> list[str]:
    """Each text once, in the order of their first appearance, with how often it is there."""
    counts: dict[str, int] = {}
    for text in texts:
        counts[text] = counts.get(text, 0) + 1
    return [text if count == 1 else f"{text} ({count} times)" for text, count in counts.items()]


def place_of(record: Record, position: int) -> Place:
    return _UNKNOWN if record.places is None else record.places[position]


def _name(record: Record, position: int) -> str:
    entry = record.entries[position]
    return entry[0].name(entry)


def recorded_call(record: Record, position: int) -> RecordedCall:
    entry = record.entries[position]
    kind = entry[0]
    outs = kind.outs(entry)
    kept = sum(int(np.asarray(value).nbytes) for _, value in kind.values(entry))
    shape, dtype = (outs[0].shape, outs[0].dtype) if outs else (None, None)
    return RecordedCall(kind.name(entry), *place_of(record, position), shape, dtype, kept)


def explanation(record: Record, target: Any, source: TracedArray | None) -> Explanation:
    if source is None or record.token not in source._storage.tracked:
        return Explanation(False, "Not connected: the source was not watched by this tape, nor made from what was.", (), ())
    mark = record.find_mark(source._storage, source._view)
    start = None if mark is None else mark.position
    end = (target._storage, target._view) if isinstance(target, TracedArray) else None
    found = trail(record, (source._storage, source._view), start, end)
    if found.arrives:
        calls = tuple([recorded_call(record, position) for position in found.path])
        return Explanation(True, f"Connected, through {len(calls)} recorded calls:", calls, ())
    cuts = [Cut(w, place) for storage, w, place in record.cuts or () if storage is None or storage in found.reached]
    if record.places is not None:
        cuts += [Cut(f"overwritten ({_name(record, p)})", place_of(record, p)) for p in found.overwriting]
    used = any(source._storage in entry[0].ins(entry) for entry in record.entries[start or 0 :])
    reason = _reason(record, target, used or bool(cuts))
    if record.cuts is None:
        reason += " GradientTape(locations=True) says where it was cut."
    return Explanation(False, reason, (), tuple(cuts))


def _reason(record: Record, target: Any, used: bool) -> str:
    if not isinstance(target, TracedArray):
        kind = f"plain array of dtype {target.dtype}" if isinstance(target, ndarray) else f"plain {type(target).__name__}"
        return f"Not connected: the target is a {kind}, which no tape follows."
    if target._storage.tracked and record.token not in target._storage.tracked:
        return "Not connected: the target was recorded on another tape."
    if not used:
        return (
            "Not connected: the source is not used after it was watched, as far as hooks see (npgrad.check_leaks finds what "
            "they do not); what is computed before is constant."
        )
    if not target._storage.tracked:
        return (
            "Not connected: nothing that was watched went into the target while the tape recorded: it is a constant, or "
            "made before the source was watched, or after the tape."
        )
    return "Not connected: what the target holds depends on other arrays or on none, not on this source."


class Inspection:
    """What a `GradientTape` says about its record."""

    _record: Record | None
    _copies: PlainCopies

    def _recorded(self) -> Record:
        if self._record is None:
            raise RuntimeError("this tape holds no record: ask before its gradient is taken, or make it persistent")
        return self._record

    @public
    def calls(self) -> Iterator[RecordedCall]:
        """What has been recorded, in order: function, file, line, scope, shape, dtype and the bytes that are kept for it.

        Examples
        --------
        >>> import numpy as np, npgrad as ng
        >>> with ng.GradientTape(locations=True) as tape:
        ...     y = np.sin(tape.watch(2.0)) * 3
        >>> [(call.function, call.scope) for call in tape.calls()]
        [('sin', '<module>'), ('multiply', '<module>')]
        """
        record = self._recorded()
        return (recorded_call(record, position) for position in range(len(record.entries)))

    @public
    def explain(self, target: Any, source: Any) -> Explanation:
        """Print and return how the target depends on the source: through which calls, or where the path was cut.

        Parameters
        ----------
        target, source : array or number
            As for `gradient`, one of each.

        Returns
        -------
        Explanation
            With ``connected``, ``reason``, ``path`` (recorded calls) and ``cuts`` (what happened, and where).

        Examples
        --------
        >>> import numpy as np, npgrad as ng
        >>> with ng.GradientTape(locations=True) as tape:
        ...     x = tape.watch(np.array([1.5, 2.5]))
        ...     y = np.floor(x).sum()
        >>> tape.explain(y, x).connected  # doctest: +ELLIPSIS
        Not connected: nothing that was watched went into the target while the tape recorded: it is a constant, ...
        Places where what depends on the source lost its derivative:
          floor is piecewise constant at ...
        False
        """
        complete([target, source])
        found = explanation(self._recorded(), target, self._copies.traced(source))
        print(found)
        return found

    @public
    def summary(self, lines: int = 10) -> str:
        """Print and return how many calls are recorded, the bytes kept for them, and the lines that cost most.

        Memory that several calls keep counts for the first of them.

        Examples
        --------
        >>> import numpy as np, npgrad as ng
        >>> with ng.GradientTape(locations=True) as tape:
        ...     x = tape.watch(np.arange(3.0))
        ...     y = np.exp(x) * x
        >>> text = tape.summary()  # doctest: +ELLIPSIS
        2 calls recorded, 48 bytes kept for them
                    48 bytes        2 calls  <...>:3 in <module>
        """
        record = self._recorded()
        by_line: dict[Any, list[int]] = {}
        total, seen = 0, set()
        for position, entry in enumerate(record.entries):
            place = place_of(record, position)
            line = by_line.setdefault((place.file, place.line, place.scope), [0, 0])
            line[0] += 1
            for _, value in entry[0].values(entry):
                root = value if getattr(value, "base", None) is None else value.base
                if id(root) not in seen:
                    seen.add(id(root))
                    line[1] += int(np.asarray(root).nbytes)
        total = sum(kept for _, kept in by_line.values())
        text = [f"{len(record.entries)} calls recorded, {total} bytes kept for them"]
        ranked = sorted(by_line.items(), key=lambda item: (-item[1][1], -item[1][0]))
        for (file, line_number, scope), (count, kept) in ranked[:lines] if record.places is not None else ():
            text.append(f"  {kept:>12} bytes {count:>8} calls  {file}:{line_number} in {scope}")
        made = "\n".join(text)
        print(made)
        return made
