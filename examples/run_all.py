"""Differentiate every legacy script as runs.json says and compare with differences of the plain function.

Prints one line each; the exit status is the number of scripts that disagree. ``python examples/run_all.py [name ...]``
"""

import importlib.util
import json
import sys
import time
from pathlib import Path

import numpy as np

import npgrad
from npgrad import finite_difference

LEGACY = Path(__file__).parent / "legacy"
TOLERANCE = 1e-7


def runs():
    """What runs.json says: script, function, point, further arguments, largest step of the differences (optional)."""
    return json.loads((LEGACY / "runs.json").read_text())


def load(script):
    """The module of a script, its plain-run part not run."""
    path = LEGACY / script
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def arguments(run):
    """Fresh arguments: legacy functions overwrite them."""
    further = [np.array(a) if isinstance(a, list) else a for a in run.get("args", [])]
    return [np.array(run["at"]), *further]


def same_bits(a, b):
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def relative_error(rows, differences):
    """The largest difference in each column, relative to the largest entry of the column."""
    rows, differences = (np.asarray(a).reshape(-1, np.shape(a)[-1]) for a in (rows, differences))
    return float(np.max(np.max(np.abs(rows - differences), axis=0) / np.max(np.abs(differences), axis=0)))


def check(run):
    """One line of text, and whether values are the plain run's bit for bit and derivatives agree in both modes."""
    function = getattr(load(run["script"]), run["function"])
    start = time.perf_counter()
    plain = np.array(function(*arguments(run)))
    plain_seconds = time.perf_counter() - start
    start = time.perf_counter()
    value, rows = npgrad.value_and_jacobian(function, mode="reverse")(*arguments(run))
    seconds = time.perf_counter() - start
    forward = npgrad.jacobian(function, mode="forward")(*arguments(run))
    differences = finite_difference.jacobian(function, method="richardson", step=run.get("step"))(*arguments(run))
    error = max(relative_error(rows, differences), relative_error(forward, differences))
    same = same_bits(plain, value)
    text = (
        f"{run['script']:24} {np.size(value):3} x {len(run['at']):<3} values {'same' if same else 'DIFFER'}"
        f"  error {error:.1e}  plain {plain_seconds * 1e3:7.2f} ms  value and Jacobian {seconds * 1e3:7.2f} ms"
    )
    return text, same and error < TOLERANCE


def main(names):
    wrong = 0
    for run in runs():
        if names and Path(run["script"]).stem not in names:
            continue
        try:
            text, good = check(run)
        except Exception as error:  # one line each, whatever happens
            text, good = f"{run['script']:26} {type(error).__name__}: {' '.join(str(error).split())}", False
        print(text if good else f"{text}  WRONG")
        wrong += not good
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
