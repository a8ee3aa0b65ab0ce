"""Faults at every point: an exception while recording or sweeping leaves modules, stacks and data as they were."""

from __future__ import annotations

import functools
import gc
import inspect
import math
import operator
import sys
import types
from builtins import type
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import npgrad as ng
from npgrad import _record

pytestmark = pytest.mark.once

POINT = np.array([0.4, 0.7, 1.1])


@pytest.fixture(autouse=True)
def _no_record_lives() -> None:
    """Exceptions of other tests may still hold records, in cycles."""
    gc.collect()


def program(x: Any) -> Any:
    y = np.zeros(3)
    y[0] = math.sin(x[0])
    y[1:] = np.exp(x[1:]) * x[0]
    y *= x
    return np.linalg.norm(y) + np.cumsum(y)[1]


def sweep_twice() -> Any:
    return ng.grad(lambda x: ng.grad(program)(x)[0])(POINT)


def accumulated() -> Any:
    x = ng.array(POINT)
    with ng.ForwardAccumulator(x, np.ones(3)) as accumulator:
        y = program(x)
    return accumulator.jvp(y)


def banded(x: Any) -> Any:
    y = np.zeros(3)
    y[1:] = x[1:] * x[:-1]
    return y + np.sin(x)


@ng.checkpoint
def again(x: Any) -> Any:
    return np.exp(x) * x


@ng.custom_gradient
def doubled(x: Any) -> Any:
    return 2 * x, lambda ct: 2 * ct


root = ng.implicit(np.sqrt, lambda z, p: z * z - p)
module = types.ModuleType("module")
exec("import numpy as np\nwork = np.ones(3)\ndef f(x):\n    work[:] = np.sin(x)\n    return (work * x).sum()", vars(module))


def instrumented() -> Any:
    with ng.instrument(module), ng.GradientTape() as tape:
        x = tape.watch(POINT)
        y = module.f(x)
    return tape.gradient(y, x)


RUNS: dict[str, Callable[[], Any]] = {
    "gradient": lambda: ng.grad(program)(POINT),
    "forward": lambda: ng.jacobian(program, mode="forward")(POINT),
    "nested": sweep_twice,
    "located": lambda: ng.grad(program, check_nan=True)(POINT),
    "black box": lambda: ng.grad(ng.black_box(program))(POINT),
    "accumulated": accumulated,
    "jvp": lambda: ng.jvp(program, (POINT,), (np.ones(3),))[1],
    "linearized": lambda: ng.linearize(program, POINT).vjp(1.0),
    "hessian": lambda: ng.hessian(program)(POINT),
    "sparse": lambda: ng.sparse_jacobian(banded)(POINT).toarray(),
    "checkpoint": lambda: ng.grad(lambda x: again(x).sum())(POINT),
    "checkpoint twice": lambda: ng.hessian(lambda x: again(x).sum())(POINT),
    "loop": lambda: ng.grad(lambda x: ng.checkpoint_loop(lambda s, k: s * np.cos(s), x, 5, 2).sum())(POINT),
    "implicit": lambda: ng.jacobian(root)(POINT),
    "custom gradient": lambda: ng.grad(lambda x: doubled(x).sum())(POINT),
    "instrumented": instrumented,
    "checked": lambda: ng.grad(program, check=True)(POINT),
    "explained": lambda: ng.check_leaks(program, POINT),
}


def state() -> tuple:
    names = (np.zeros, np.array, np.linalg.norm, math.sin, np.poly1d.__init__, np.vectorize.__call__)
    stacks = (_record.recording(), _record.single(), len(_record.noting))
    return (*names, *stacks, gc.get_threshold(), np.geterr(), POINT.tobytes(), sys.gettrace(), type(module.work))


class Fault:
    """A profile function that raises at the n-th call of npgrad's own Python code."""

    def __init__(self, error: type[BaseException], at: int) -> None:
        self.error, self.left = error, at

    def __call__(self, frame: types.FrameType, event: str, argument: Any) -> None:
        # Millions of events come by, most of them no calls; what is asked of a call is asked once of its code.
        if event != "call":
            return
        if _is_guarded(frame.f_code, frame.f_globals.get("__name__", "")):
            self.left -= 1
            if self.left == 0:
                sys.setprofile(None)
                raise self.error("injected")


@functools.cache
def _is_guarded(code: types.CodeType, module: str) -> bool:
    is_guarded = not code.co_flags & inspect.CO_GENERATOR and code.co_name not in _UNGUARDED
    return is_guarded and module not in _BRACKETS and module.startswith("npgrad.")


# What runs in a tape's own __exit__ or in a record's __del__ is nobody's to guard: see the test below.
_BRACKETS = {"npgrad._collector", "npgrad._lifecycle", "npgrad._record"}
# Nor are generators: an error of a profile function at the call that resumes one ends it past its `finally`, as none of the
# interpreter's own does.
_UNGUARDED = {"__exit__", "insist"}


def faults(run: Callable[[], Any], error: type[BaseException]) -> Iterator[int]:
    """Run with a fault at the first, second ... call until none is left."""
    at = 1
    while True:
        fault = Fault(error, at)
        sys.setprofile(fault)
        try:
            run()
        except error:
            pass
        finally:
            sys.setprofile(None)
        if fault.left > 0:
            return
        yield at
        at += 7


@pytest.mark.parametrize("step", ["_bound_names.in_place.leave", "_record.Record.stop"])
def test_a_fault_while_a_tape_stops_keeps_nothing_else_in_place(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with ng.GradientTape():  # the first one of a process leaves methods of classes in place
        pass
    before, (where, _, name) = state(), step.rpartition(".")
    owner = operator.attrgetter(where)(ng)
    original = getattr(owner, name)

    def interrupted(*args: Any) -> None:
        original(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, name, interrupted)
    with pytest.raises(KeyboardInterrupt):
        ng.grad(program)(POINT)
    assert state() == before


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
@pytest.mark.parametrize("name", RUNS)
def test_everything_is_put_back(name: str, error: type[BaseException]) -> None:
    expected, before = RUNS[name](), state()
    count = 0
    for count, _ in enumerate(faults(RUNS[name], error), 1):  # noqa: B007
        assert state() == before
    assert count > 10
    np.testing.assert_array_equal(RUNS[name](), expected)
