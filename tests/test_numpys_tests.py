"""NumPy's own tests, with traced arrays in them: the small files here, all of them by tests/witness/run.py."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_PATH = Path(__file__).parent / "witness" / "run.py"
_SPEC = importlib.util.spec_from_file_location("witness_run", _PATH)
run = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(run)


# They ask for the exact type of a result, which is ndarray outside of tapes and TracedArray inside.
ABOUT_TYPES = {"test_unique_1d", "test_unique_zero_sized", "test_return_type"}


def test_small_files_pass() -> None:
    files = ["lib/tests/test_arraysetops.py", "lib/tests/test_shape_base.py"]
    if not all((run.NUMPY / file).exists() for file in files):
        pytest.skip("this NumPy comes without its tests")
    count, lost = run.failing(*files)
    failing = {test.rpartition("::")[2] for tests in lost.values() for test in tests}
    assert count > 100 and failing <= ABOUT_TYPES, lost
