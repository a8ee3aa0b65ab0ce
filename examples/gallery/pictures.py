"""What the scripts of the gallery share: figures without a screen, written to the folder named on the command line."""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib.figure import Figure


def axes(columns=1, rows=1):
    """A figure and its axes, in one list."""
    figure = Figure(figsize=(5.5 * columns, 4.2 * rows), layout="constrained", dpi=110)
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)


def save(draw, script):
    """Draw, and write the picture under the script's name."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / Path(script).with_suffix(".png").name
    draw().savefig(path)
    print(path)
