"""The plots of the results: ratios of the kernels, and of the chain against the number of elements."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "plots"
# A colour-blind safe palette (Okabe and Ito); the shape tells the peers apart where colours do not.
_STYLES = {
    "by hand": ("#999999", "_"),
    "npgrad": ("#000000", "o"),
    "npgrad tape": ("#000000", "o"),
    "HIPS autograd": ("#0072B2", "s"),
    "MyGrad": ("#56B4E9", "D"),
    "JAX": ("#D55E00", "^"),
    "JAX jit": ("#E69F00", "v"),
    "PyTorch": ("#CC79A7", "P"),
    "TensorFlow": ("#009E73", "X"),
    "2-point": ("#999999", "|"),
    "numdifftools": ("#999999", "x"),
}
# SciPy's differences lie on ours, and a bare tape beside npgrad.
_IN_KERNELS = [name for name in _STYLES if name != "npgrad tape"]


def _figure(**options: Any) -> Any:
    return importlib.import_module("matplotlib.figure").Figure(layout="constrained", **options)


def _save(figure: Any, name: str) -> None:
    FOLDER.mkdir(exist_ok=True)
    figure.savefig(FOLDER / name, dpi=90, metadata={"Software": None})


def kernels(ratios: dict[str, dict[str, dict]]) -> None:
    """One row for each kernel, one panel for each size: a missing mark is a refusal or a wrong gradient."""
    first = next(iter(ratios.values()))
    order = sorted(first, key=lambda kernel: float(first[kernel]["npgrad"]))
    figure = _figure(figsize=(12, 9))
    panels = np.atleast_1d(figure.subplots(1, len(ratios), sharey=True))
    for axes, (size, found) in zip(panels, ratios.items(), strict=True):
        for name in _IN_KERNELS:
            marks = [(found[kernel].get(name), y) for y, kernel in enumerate(order)]
            numbers = [(ratio, y) for ratio, y in marks if isinstance(ratio, float)]
            if numbers:
                color, marker = _STYLES[name]
                label = f"{name} ({len(numbers)} of {len(order)})"
                axes.plot(*zip(*numbers, strict=True), marker, color=color, ms=6, label=label, ls="none")
        axes.set(xscale="log", xlabel="value and gradient over the plain program", title=f"{size} sizes")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    panels[0].set_yticks(range(len(order)), order, fontsize=8)
    _save(figure, "kernels.png")


def chain(points: dict[int, dict[str, float]]) -> None:
    """Ratios against the number of elements."""
    figure = _figure(figsize=(7, 4.5))
    axes = figure.subplots()
    for name in next(iter(points.values())):
        color, marker = _STYLES[name]
        axes.loglog(list(points), [found[name] for found in points.values()], marker + "-", color=color, label=name)
    axes.set(xlabel="elements", ylabel="value and gradient over the plain chain")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, ncols=2)
    _save(figure, "chain.png")
