"""A file of tests runs without the other ones among the modules."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest
from alone import alone


@pytest.mark.once
def test_only_what_a_file_names_is_there_and_all_of_it_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    def loaded(name: str, file: str) -> types.ModuleType:
        module = types.ModuleType(name)
        module.__file__ = str(Path(__file__).parent / file)
        monkeypatch.setitem(sys.modules, name, module)
        return module

    own = loaded("tests.test_fuzz", "test_fuzz.py")
    imported = [loaded("fuzz.calls", "fuzz/calls.py"), loaded("samples.linalg", "samples/linalg.py")]  # by fuzz
    others = [loaded("scipy_answer_samples", "scipy_answer_samples.py"), loaded("tests.test_rules", "test_rules.py")]
    before = dict(sys.modules)
    with alone(own):
        assert all(module in sys.modules.values() for module in [own, *imported])
        assert not any(module in sys.modules.values() for module in others)
    assert sys.modules == before
