"""Run NumPy's own tests on traced arrays, and print which share of those that pass on plain arrays passes.

    python tests/witness/run.py [--write] [file of NumPy's tests ...]

``--write`` puts the table into docs/coverage.md.
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
PAGE = HERE.parents[1] / "docs" / "coverage.md"
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


def main(arguments: list[str]) -> None:
    files = [argument for argument in arguments if argument != "--write"]
    totals = [0, 0, 0]
    reasons = []
    table = ["| tests | pass on plain arrays | outside of tapes | while a tape records |", "|---|---|---|---|"]
    for file in files or FILES:
        count, lost = failing(file)
        passed = [count, *[count - len(lost[mode]) for mode in MODES[1:]]]
        totals = [total + n for total, n in zip(totals, passed, strict=True)]
        table.append(f"| `{file}` | {' | '.join(map(str, passed))} |")
        print(table[-1], flush=True)
        reasons += [f"{mode}: {name.split('::', 1)[1]}: {error}" for mode in lost for name, error in lost[mode].items()]
    shares = [f"{n} ({n / totals[0]:.1%})" for n in totals[1:]]
    table.append(f"| all | {totals[0]} | {' | '.join(shares)} |")
    print(table[-1], *reasons, sep="\n")
    if "--write" in arguments:
        before, _, after = PAGE.read_text(encoding="utf-8").partition(table[0])
        rest = after[after.index("\n| all |") + 1 :].partition("\n")[2]
        PAGE.write_text(before + "\n".join(table) + "\n" + rest, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
