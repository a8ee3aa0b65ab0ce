"""Every script of the gallery draws its picture; each checks its own numbers. None is missing in the table."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]
GALLERY = ROOT / "examples" / "gallery"
SCRIPTS = sorted(path.name for path in GALLERY.glob("*.py") if path.name != "pictures.py")


@pytest.mark.parametrize("script", SCRIPTS)
def test_it_draws(script: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-W", "error", GALLERY / script, tmp_path],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / script).with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_all_are_in_the_table() -> None:
    table = (GALLERY / "README.md").read_text()
    assert sorted(line.split()[1] for line in table.splitlines() if line.startswith("| ") and ".py |" in line) == SCRIPTS
