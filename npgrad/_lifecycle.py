"""How a tape begins and ends to record, and when it may be asked for derivatives."""

from __future__ import annotations

import sys
from typing import Any, NoReturn, Self

import numpy as np

from . import _entry_points as _entry_points  # a tape records what they hand over
from ._bound_names import in_place
from ._endpoints import PlainCopies
from ._leaks import LeakError, warn
from ._record import Record, forget_closed
from ._tracebacks import public, shorten
from ._variable import Variable
from ._variables_around import VariablesAround, variables_around
from ._while_recording import insist


class Lifecycle:
    """The states of a `GradientTape`: its record, recording or not, used up or not."""

    @public
    def __init__(
        self,
        persistent: bool = False,
        watch_accessed_variables: bool = True,
        *,
        leaks: str = "raise",
        locations: bool = False,
        check_nan: bool = False,
    ) -> None:
        if leaks not in ("raise", "warn", "ignore"):
            raise ValueError(f'leaks must be "raise", "warn" or "ignore", got {leaks!r}')
        if not isinstance(persistent, (int, np.bool_)):
            raise TypeError(
                f"persistent must be True or False, got {type(persistent).__name__}: give what is differentiated by to "
                "watch, x = tape.watch(x)"
            )
        self._persistent = persistent
        self._watch_accessed = watch_accessed_variables
        self._leaks = leaks
        self._locations = locations or check_nan
        self._check_nan = check_nan
        self._record: Record | None = None
        self._consumed = False
        self._recording = False
        self._variables: list[Variable] = []
        self._copies = PlainCopies()
        self._warned = False
        self._around: VariablesAround | None = None

    # --- Context

    @public
    def __enter__(self) -> Self:
        if self._recording:
            raise ValueError("Tape is still recording. Leave its context first, or make another GradientTape.")
        if self._record is None:
            self._renew()
        self._start()
        try:
            self._around = variables_around(sys._getframe(2))  # that of `public` is between them
            if self._around is not None:
                self._around.put()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if self._recording:
            self._stop()
        else:
            forget_closed()  # `gradient` may have closed it from another thread
        if isinstance(error, LeakError) and self._record is not None:
            self._record.noted_leaks.clear()  # it has reached the user
        if error is not None:
            shorten(error)

    def _renew(self) -> None:
        """Begin with an empty record."""
        self._variables = []
        self._copies = PlainCopies()
        self._consumed = False
        self._record = Record(self._leaks, self._watch_accessed, self._locations, self._check_nan)
        self._record.variables = self._variables

    def _start(self) -> None:
        record = self._record
        assert record is not None
        try:
            record.start()
            in_place.enter(record)
            self._recording = True
        except BaseException:
            self._stop()
            raise

    def _stop(self) -> None:
        record = self._record
        assert record is not None
        self._recording = False
        # An interrupt in one of these must not keep the others from putting things back.
        try:
            insist(record.stop)
        finally:
            try:
                if self._around is not None:
                    insist(self._around.take_away)
            finally:
                insist(in_place.leave, record)

    def __repr__(self) -> str:
        state = "recording" if self._recording else "used up" if self._consumed else "stopped"
        return f"<GradientTape: {len(self._record.entries) if self._record is not None else 0} calls, {state}>"

    @public
    def __reduce__(self) -> NoReturn:
        raise TypeError("a GradientTape cannot be copied or pickled: keep the gradients that it gives")

    # --- Derivatives

    def _to_be_swept(self) -> Record:
        if self._consumed:
            raise RuntimeError(
                "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians). "
                "Use GradientTape(persistent=True) for more."
            )
        record = self._record
        if record is None:
            raise RuntimeError("This tape has recorded nothing: enter it with `with` first.")
        if record.noted_leaks:
            raise LeakError("a leak was swallowed while recording: " + record.noted_leaks[0])
        if self._recording:
            if not self._persistent:
                self._stop()
            elif record.records_here and record.takes_one:
                raise RuntimeError(
                    "gradient or jacobian of a persistent tape inside its own context would not see the higher derivatives "
                    "of what SciPy has solved or integrated: leave the context first, or nest a second tape for them"
                )
            elif record.records_here and not self._warned:
                self._warned = True
                warn(
                    "gradient or jacobian of a persistent tape inside its own context records the sweep as well, which "
                    "costs time and memory: leave the context first, unless higher derivatives are wanted.",
                    UserWarning,
                )
        return record

    def _forget(self) -> None:
        """Let the record go."""
        self._record = None
        self._copies = PlainCopies()
        self._consumed = True


class Sweeping:
    """The context of a sweep over a tape's record, which is let go at its end unless the tape is persistent."""

    __slots__ = ("_tape",)

    def __init__(self, tape: Lifecycle) -> None:
        self._tape = tape

    def __enter__(self) -> Record:
        return self._tape._to_be_swept()

    def __exit__(self, *error: Any) -> None:
        if not self._tape._persistent:
            self._tape._forget()
