"""What the programs of the gallery share: a figure and its axes, where the picture goes, and the legacy scripts."""

import importlib.util
import sys
from pathlib import Path

from matplotlib import pyplot


def axes(columns=1, rows=1, width=5.5, height=4.0):
    """A figure of panels of this size in inches, and its axes in one list."""
    figure = pyplot.figure(figsize=(width * columns, height * rows), layout="constrained", dpi=110)
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)


def show(figure):
    """Write the picture under the script's name to the folder on the command line; without one, show it on the screen."""
    script, *folder = sys.argv
    if not folder:
        pyplot.show()
        return
    Path(folder[0]).mkdir(parents=True, exist_ok=True)
    path = Path(folder[0]) / f"{Path(script).stem}.png"
    figure.savefig(path)
    print(path)


def legacy(name):
    """A script of examples/legacy as a module."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / "legacy" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
