"""docs/coverage.md says what the registry and the samples say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
VERSION = re.search(r"for NumPy ([\d.]+);", PAGE).group(1)

# In a process of its own: the registry grows when other packages are loaded.
_PRINT = "import make_coverage as m, sys; sys.stdout.write(m.text(m.PAGE.read_text(encoding='utf-8')))"


@pytest.mark.skipif(not np.__version__.startswith(VERSION + "."), reason=f"the page is for NumPy {VERSION}")
def test_page_is_current() -> None:
    pytest.importorskip("scipy")  # the page has its functions
    made = subprocess.run([sys.executable, "-c", _PRINT], cwd=ROOT / "docs", capture_output=True, text=True, check=True)
    assert made.stdout == PAGE, "run python docs/make_coverage.py"


def test_more_names_than_any_other() -> None:
    counts = dict(re.findall(r"^\| (npgrad|HIPS autograd|MyGrad) \| (\d+) \|$", PAGE, re.MULTILINE))
    assert set(counts) == {"npgrad", "HIPS autograd", "MyGrad"}
    assert int(counts["npgrad"]) > 1.5 * max(int(n) for name, n in counts.items() if name != "npgrad")
