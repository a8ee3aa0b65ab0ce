"""Tables of figures, as text on a terminal and as Markdown in the results."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple


class Table(NamedTuple):
    """A title, the names of the columns, the rows, and what there is to say about them.

    ``points`` are numbers for a plot, where one is drawn of it.
    """

    title: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]
    note: str = ""
    points: Any = None

    def text(self) -> str:
        cells = [self.head, *self.rows]
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.head))]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]
        return "\n".join([self.title, *[f"  {line}" for line in lines], *([self.note] if self.note else [])])

    def markdown(self) -> str:
        rule = "|" + "---|" * len(self.head)
        rows = [f"| {' | '.join(row)} |" for row in self.rows]
        note = [f"\n{self.note}"] if self.note else []
        return "\n".join([f"## {self.title}\n", f"| {' | '.join(self.head)} |", rule, *rows, *note])


def microseconds(seconds: float) -> str:
    return f"{1e6 * seconds:.3g}" if seconds < 1e-4 else f"{1e6 * seconds:,.0f}"


def times(ratio: float) -> str:
    return f"{ratio:.2f}x" if ratio < 10 else f"{ratio:.1f}x"


def run_parts(parts: dict[str, Callable[[], Table]]) -> None:
    """The main program of a file of parts: those that are named, or all."""
    for name in sys.argv[1:] or parts:
        print(parts[name]().text(), flush=True)
