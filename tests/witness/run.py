"""Run NumPy's own tests on traced arrays, and print which share of those that pass on plain arrays passes.

    python tests/witness/run.py [file of NumPy's tests ...]

Each file is run three times: on plain arrays, on traced arrays outside of tapes, and on watched arrays while a tape records.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
NUMPY = Path(np.__file__).parent
FILES = [
    "_core/tests/test_umath.py", "_core/tests/test_multiarray.py", "_core/tests/test_numeric.py",
    "_core/tests/test_ufunc.py", "_core/tests/test_indexing.py", "_core/tests/test_shape_base.py",
    "lib/tests/test_function_base.py", "lib/tests/test_arraysetops.py", "lib/tests/test_shape_base.py",
    "linalg/tests/test_linalg.py", "fft/tests/test_pocketfft.py", "fft/tests/test_helper.py",
]  # fmt: skip
# Compiled test functions that take any object for a plain array, and crash.
LEFT_OUT = "not TestTemporaryElide"
MODES = ("no", "outside", "tape")


def outcomes(files: tuple[str, ...], mode: str) -> dict[str, list[str]]:
    """Outcome and error of each test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "outcomes.json"
        options = ["-p", "numpys_plugin", "--traced", mode, "--outcomes", str(path), "-p", "no:cacheprovider"]
        filters = ["-m", "not slow", "-k", LEFT_OUT, "-q", "--tb=no", "-W", "ignore"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parents[1])])}
        command = [sys.executable, "-m", "pytest", *[str(NUMPY / file) for file in files], *options, *filters]
        subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
        return json.loads(path.read_text()) if path.exists() else {}


def failing(*files: str) -> tuple[int, dict[str, dict[str, str]]]:
    """How many tests pass on plain arrays, and which of them fail otherwise, with the error."""
    plain = [name for name, (outcome, _) in outcomes(files, "no").items() if outcome == "passed"]
    lost = {}
    for mode in MODES[1:]:
        found = outcomes(files, mode)
        results = {name: found.get(name, ["missing", "did not run"]) for name in plain}
        lost[mode] = {name: error for name, (outcome, error) in results.items() if outcome != "passed"}
    return len(plain), lost


def main(files: list[str]) -> None:
    totals = [0, 0, 0]
    reasons = []
    print("| tests | pass on plain arrays | outside of tapes | while a tape records |\n|---|---|---|---|")
    for file in files or FILES:
        count, lost = failing(file)
        passed = [count, *[count - len(lost[mode]) for mode in MODES[1:]]]
        totals = [total + n for total, n in zip(totals, passed, strict=True)]
        print(f"| `{file}` | {' | '.join(map(str, passed))} |", flush=True)
        reasons += [f"{mode}: {name.split('::', 1)[1]}: {error}" for mode in lost for name, error in lost[mode].items()]
    print(f"| all | {' | '.join(map(str, totals))} |\n")
    print(*reasons, sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
