"""A comparison as a table of text and as a plot."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ._notebook import paragraphs, table

_HEAD = ("method", "largest error", "median", "own estimate", "evaluations", "time", "over plain", "measured by")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1e}"


def seconds_text(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def _cells(row: Any) -> tuple[str, ...]:
    errors = [_number(row.largest_error), _number(row.median_error), _number(row.own_estimate)]
    return (row.method, *errors, str(row.evaluations), seconds_text(row.seconds), f"{row.over_plain:.1f}x", row.against)


def text(report: Any) -> str:
    """The table, the Taylor test, what is special about the function, and the verdict."""
    cells = [_HEAD, *[_cells(row) for row in report.methods if row.refused is None]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(_HEAD))]
    lines = [_title(report)]
    for row in cells:
        middle = [cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *middle, row[-1]]).rstrip())
    lines += [f"{row.method.ljust(widths[0])}  refuses: {row.refused}" for row in report.methods if row.refused is not None]
    return "\n".join([*lines, *_remarks(report)])


def html(report: Any) -> str:
    """The same for notebooks."""
    rows = [_cells(row) if row.refused is None else (row.method, f"refuses: {row.refused}") for row in report.methods]
    return paragraphs([_title(report)]) + table(_HEAD, rows) + paragraphs(_remarks(report))


def _title(report: Any) -> str:
    size = f"{_plural(report.elements, 'element')} -> {_plural(report.values, 'value')}"
    return f"{report.name}: {size}, one plain evaluation {seconds_text(report.plain_seconds)}"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _remarks(report: Any) -> list[str]:
    steps = [] if report.sweep is None else [_best_steps(report.sweep)]
    remainder = [] if report.taylor is None else [_taylor(report.taylor)]
    return [*steps, *remainder, *report.notes, report.verdict]


def _best_steps(sweep: Any) -> str:
    parts = []
    for name, steps, errors in (
        ("2-point", sweep.steps, sweep.forward),
        ("3-point", sweep.steps, sweep.central),
        ("complex-step", sweep.complex_steps, sweep.complex_step),
    ):
        finite = [(error, step) for error, step in zip(errors, steps, strict=True) if np.isfinite(error)]
        if finite:
            error, step = min(finite)
            parts.append(f"{name} {error:.0e} at {step:.0e}")
    return f"best relative steps along a direction: {', '.join(parts) or 'none'}"


def _taylor(found: Any) -> str:
    if found.order is None:
        return "Taylor remainder: no more than rounding"
    return f"Taylor remainder: order {found.order:.2f} over {found.decades:.1f} decades of the step"


# --- The plot ------------------------------------------------------------------------------------------------------


def plot(report: Any, path: Any = None) -> Any:
    """A matplotlib figure of error against step and cost against the number of elements; saved if a path is given."""
    try:
        figures = importlib.import_module("matplotlib.figure")
    except ImportError as error:
        raise ImportError('plots need matplotlib: pip install "npgrad[plot]"') from error
    figure = figures.Figure(figsize=(11, 6), layout="constrained")
    errors, cost = figure.subplots(1, 2)
    _plot_errors(errors, report)
    _plot_cost(cost, report)
    figure.suptitle(f"{report.name}: {_plural(report.elements, 'element')}, {_plural(report.values, 'value')}")
    if path is not None:
        figure.savefig(path, dpi=150)
    return figure


# An error of exactly zero has no place on a logarithmic axis.
_LEAST = 1e-17


def _plot_errors(axes: Any, report: Any) -> None:
    sweep = report.sweep
    if sweep is not None:
        for name, steps, errors in (
            ("2-point", sweep.steps, sweep.forward),
            ("3-point", sweep.steps, sweep.central),
            ("complex step", sweep.complex_steps, sweep.complex_step),
        ):
            if steps:
                axes.loglog(steps, np.maximum(errors, _LEAST), ".-", label=name)
    for row in report.methods:
        if row.method.startswith("npgrad") and row.largest_error is not None:
            style = _style(row.method) | {"marker": ""}
            axes.axhline(max(row.largest_error, _LEAST), **style, label=f"{row.method}, by {row.against}")
    axes.set(xscale="log", yscale="log", xlabel="relative step", ylabel="relative error")
    _legend(axes, 2)


def _plot_cost(axes: Any, report: Any) -> None:
    """Measured seconds against the number of elements that are differentiated by."""
    for name, points in report.costs.items():
        axes.loglog(*zip(*points, strict=True), **_style(name), label=name)
    axes.axhline(report.plain_seconds, color="gray", ls=":", label="one plain evaluation")
    axes.set(xlabel="elements differentiated by, the others fixed", ylabel="seconds")
    _legend(axes, 3)


def _legend(axes: Any, columns: int) -> None:
    """Below the curves, which go everywhere."""
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=columns, fontsize="small")


def _style(name: str) -> dict[str, Any]:
    """npgrad in black, differences in colours."""
    if not name.startswith("npgrad"):
        return {"marker": ".", "lw": 0.8}
    return {"color": "black", "marker": "o", "ls": {"npgrad reverse": "-", "npgrad forward": "--"}.get(name, ":")}
