"""Every function of some of SciPy's modules, called in many ways: what moves with a tracked argument is never plain data."""

import importlib
import inspect
import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

import npgrad as ng
from npgrad._structure import flatten

pytest.importorskip("scipy", reason="scipy is not installed: its functions are not tested")

MATRIX = np.diag([2.0, 3.0, 4.0]) + 0.1
POINT = np.array([0.3, 0.7, 0.45])
CALLS = [
    lambda x: (x,), lambda x: (x + 2,), lambda x: (x, x + 1), lambda x: (2, x), lambda x: (x, 2), lambda x: (x + 2, 2),
    lambda x: (x[0],), lambda x: (2, x[0]), lambda x: (POINT, x), lambda x: (POINT, x[0]), lambda x: (x, POINT),
    lambda x: (MATRIX * x,), lambda x: (MATRIX * x, x), lambda x: (MATRIX, x), lambda x: (x, MATRIX), lambda x: (x, x, 2),
    lambda x: (x, x + 1, x + 2),
]  # fmt: skip
MODULES = (
    "scipy.special", "scipy.linalg", "scipy.fft", "scipy.interpolate", "scipy.signal", "scipy.signal.windows",
    "scipy.spatial.distance",
)  # fmt: skip
# They take minutes or more, or show something.
LEFT_OUT = {"ellip_harm", "ellip_harm_2", "ellip_normal", "test"}


def functions(module: str) -> list:
    members = vars(importlib.import_module(module))
    return [members[name] for name in sorted(members) if inspect.isroutine(members[name]) and name not in LEFT_OUT]


def plain_and_moving(function, call) -> list[bool]:
    """For each leaf of the result, whether it moves with the point; raises what the function raises."""
    here, there = (flatten(function(*call(point)))[0] for point in (POINT.copy(), POINT * 1.01))
    return [
        isinstance(a, (np.ndarray, np.floating, np.complexfloating, float, complex))
        and np.asarray(a).dtype.kind in "fc"
        and not np.array_equal(a, b, equal_nan=True)
        for a, b in zip(here, there, strict=True)
    ]


def silent_calls(function) -> tuple[list[str], int]:
    """Calls of a function whose results move and are plain, and how many were tried."""
    silent, tried = [], 0
    for number, call in enumerate(CALLS):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                moving = plain_and_moving(function, call)
            except Exception:  # not a call that the function knows
                continue
            if not any(moving):
                continue
            tried += 1
            try:
                with ng.GradientTape() as tape:
                    x = tape.watch(POINT)
                    leaves = flatten(function(*call(x)))[0]
                    tape.gradient(x, x)  # raises where a leak was swallowed
            except Exception:  # said: the rows of scipy_rows.txt look at how
                continue
        if any(moves and not isinstance(leaf, ng.TracedArray) for moves, leaf in zip(moving, leaves, strict=True)):
            silent.append(f"{function.__name__}, call {number}")
    return silent, tried


def scan(module: str) -> None:
    """Print what was found in a module, with each function called in a process of its own: given arguments that make no
    sense, SciPy's compiled code may write past them, also without npgrad."""
    found, tried, crashed = [], 0, []
    every = functions(module)
    with ng.GradientTape():
        pass  # what the first tape looks up, each process has then
    for function in every:
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            status = 1
            try:
                os.write(writer, json.dumps(silent_calls(function)).encode())
                status = 0
            finally:
                os._exit(status)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            answer = pipe.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status <= 0, f"the scan of {function.__name__} failed by itself"
        if status == 0:
            silent, count = json.loads(answer)
            found, tried = found + silent, tried + count
        else:  # by a signal
            crashed.append(function.__name__)
    print(json.dumps([found, tried, crashed]))


@pytest.mark.once
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.parametrize("module", MODULES)
def test_nothing_that_moves_is_plain(module):
    program = "import sys; sys.path.insert(0, 'tests'); import test_scipy_functions as t; t.scan(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", program, module], capture_output=True, text=True, check=True)
    silent, tried, crashed = json.loads(done.stdout.splitlines()[-1])
    assert not silent
    assert tried > 2
    assert len(crashed) <= 3, crashed
