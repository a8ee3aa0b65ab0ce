"""What a long run is doing, on one line of a terminal."""

from __future__ import annotations

import sys
import time

_MOMENT = 1.0


class Progress:
    """What is being done, on a terminal, once it takes longer than a moment."""

    def __init__(self, shown: bool) -> None:
        now = time.perf_counter()
        self.shown, self.label, self.began, self.started, self.last = shown, "", now, now, now
        self.width = self.calls = 0

    def start(self, label: str) -> None:
        self.label, self.started, self.calls = label, time.perf_counter(), 0
        if self.shown and self.started - self.began > _MOMENT:
            self._write(f"{label} ...")

    def tick(self) -> None:
        self.calls += 1
        now = time.perf_counter()
        if self.shown and now - self.began > _MOMENT and now - self.last > _MOMENT / 2:
            self.last = now
            self._write(f"{self.label}: {self.calls} evaluations, {now - self.started:.0f} s")

    def clear(self) -> None:
        if self.width:
            self._write("")

    def _write(self, text: str) -> None:
        sys.stderr.write("\r" + text.ljust(self.width) + ("" if text else "\r"))
        sys.stderr.flush()
        self.width = len(text)
