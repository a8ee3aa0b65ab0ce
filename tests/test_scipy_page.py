"""The tables of docs/scipy.md: what they call followed is, what they call refused is, and each cure has SciPy's value and is
followed with the derivative that differences show."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_leaks import DIRECTION, constants, numbers, run, shifted, verdict_of

from npgrad.testing import Linearised

pytest.importorskip("scipy", reason="scipy is not installed: its functions are not tested")

PAGE = (Path(__file__).parents[1] / "docs" / "scipy.md").read_text(encoding="utf-8")
BLOCKS = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
_FOLLOWED, _REFUSED = PAGE.split("## Refused")
_LINES = [line for line in _FOLLOWED.splitlines() if line.startswith("|")]
FOLLOWED = [code for line in _LINES for code in re.findall("`([^`]*)`", line.split("|")[2])]
REFUSED = [re.findall(r"`([^`]*)`", line) for line in _REFUSED.splitlines() if line.startswith("| `")]


def _verdict(code: str) -> str:
    return verdict_of(f"{BLOCKS}\nr = {code}")


def _value(code: str, step: float = 0.0) -> Any:
    return [np.asarray(value) for value in numbers(run(f"{BLOCKS}\nr = {code}", shifted(step), constants()))]


def assert_forward(code: str) -> None:
    """The derivative in forward mode, which `verdict_of` does not ask for."""
    point = shifted(0.0)

    def program(*xs: Any) -> Any:
        return run(f"{BLOCKS}\nr = {code}", dict(zip(point, xs, strict=True)), constants())

    linear = Linearised(program, [*point.values()])
    moved = linear.push([np.asarray(DIRECTION[name]) for name in point])
    for change, above, below in zip(moved, _value(code, 1e-4), _value(code, -1e-4), strict=True):
        np.testing.assert_allclose(change, (above - below) / 2e-4, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("code", FOLLOWED, ids=lambda text: text[:60])
def test_followed(code: str) -> None:
    assert _verdict(code) == "recorded"
    assert_forward(code)


@pytest.mark.parametrize(("code", "instead"), REFUSED, ids=lambda text: text[:60])
def test_refused_and_cured(code: str, instead: str) -> None:
    # What compiled code makes of a refusal differs from version to version.
    assert _verdict(code).partition(" ")[0] in ("refused", "raises")
    assert _verdict(instead) == "recorded"
    assert_forward(instead)
    for value, expected in zip(_value(instead), _value(code), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-6, atol=1e-9)


def test_the_tables_are_read() -> None:
    assert len(FOLLOWED) > 40 and len(REFUSED) > 25 and all(len(row) == 2 for row in REFUSED)
