"""Errors show the user's frames and none of npgrad's, unless these are asked for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import traceback
from pathlib import Path

import numpy as np
import pytest
import test_errors

import npgrad as ng
from npgrad._tracebacks import public, shorten

PACKAGE = str(Path(ng.__file__).parent)
X = np.array([1.0, 2.0])


@pytest.fixture(autouse=True)
def _as_users_have_it(monkeypatch):
    monkeypatch.delenv("NPGRAD_TRACEBACK", raising=False)


def scopes(error: BaseException) -> list[str]:
    """The functions of a traceback, from here on."""
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def own_frames(error: BaseException | None) -> list[str]:
    return [str(frame) for frame in test_errors.frames(error) if frame.filename.startswith(PACKAGE)]


# Raised by an operator where no tape records, or by a function that only npgrad calls.
INSIDE = ("other_thread(", "library_not_loaded(", "_ufunc_methods.", "command(", "run_target(")


@pytest.mark.parametrize("program", [program for program, _ in test_errors.ROWS if not program.startswith(INSIDE)])
def test_no_message_comes_with_internals(program):
    assert own_frames(test_errors.caught(test_errors.row(program))) == []


def misfit(x):
    return np.sum(x @ np.ones(3))


def test_numpys_errors_point_at_the_users_line():
    def differentiate():
        ng.grad(misfit)(X)

    with pytest.raises(ValueError, match="matmul") as caught:
        differentiate()
    assert scopes(caught.value)[1:] == ["differentiate", "misfit"]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: x + np.ones(3),
        lambda x: np.add(x, np.ones(3)),
        lambda x: np.concatenate([x, np.ones((2, 2))]),
        lambda x: x[7],
        lambda x: x.__setitem__(7, 0.0),
        lambda x: x.reshape(3),
        lambda x: np.linalg.inv(x),
        lambda x: np.zeros(3).__setitem__(slice(0, 2), x[0] / X.nothing),
        lambda x: float(x[0]),
    ],
)
def test_at_the_end_of_a_tape(wrong):
    def record():
        with ng.GradientTape() as tape:
            wrong(tape.watch(X))

    with pytest.raises(Exception) as caught:
        record()
    assert own_frames(caught.value) == []
    assert scopes(caught.value)[1:3] == ["record", "<lambda>"]


def test_the_users_functions_stay():
    """Functions that npgrad calls, and those of the standard library that the user calls."""

    def step(u, i):
        return re.sub("u", lambda match: u.missing, "u")

    with pytest.raises(AttributeError) as caught:
        ng.grad(lambda x: ng.checkpoint_loop(step, x, 3, 2).sum())(X)
    names = [name for name in scopes(caught.value)[1:] if name != "__getattr__"]
    assert names == ["<lambda>", "step", "sub", "<lambda>"]
    assert own_frames(caught.value) == []


def test_causes_are_shortened_too():
    def program(x):
        try:
            return float(x[0])
        except ng.LeakError as error:
            raise KeyError("mine") from error

    with pytest.raises(KeyError, match="mine") as caught:
        ng.grad(program)(X)
    assert isinstance(caught.value.__cause__, ng.LeakError)
    assert own_frames(caught.value) == []
    assert scopes(caught.value.__cause__) == ["program"]


def test_errors_that_refer_to_one_another():
    one, other = ValueError("one"), ValueError("other")
    one.__context__, other.__context__ = other, one
    shorten(one)


def test_the_setting_keeps_all(monkeypatch):
    monkeypatch.setenv("NPGRAD_TRACEBACK", "full")
    with pytest.raises(ValueError) as caught:
        ng.grad(misfit)(X)
    assert own_frames(caught.value)


def test_interrupts_are_left_alone():
    def interrupted(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        public(interrupted)(X)
    assert scopes(caught.value)[1:] == ["called", "interrupted"]


def test_what_a_script_shows(tmp_path):
    """The text on standard error, as Python prints it, with the error's public name."""
    script = tmp_path / "script.py"
    script.write_text(
        "import numpy as np, npgrad as ng\n"
        "buffer = np.zeros(2)\n"
        "def f(x):\n"
        "    out = ng.stop_gradient(buffer)\n"
        "    return out.item(0) * float(x[0])\n"
        "ng.grad(f)(np.ones(2))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(PACKAGE).parent)}
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, env=environment)
    assert PACKAGE not in run.stderr
    places = [line.strip().split(", ", 1)[1] for line in run.stderr.splitlines() if line.lstrip().startswith("File")]
    assert places == ["line 6, in <module>", "line 5, in f"]
    assert run.stderr.splitlines()[-1].startswith("npgrad.LeakError: ")
