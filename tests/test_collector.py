"""Python's garbage collector while there is a record: looks less often, and is put back."""

import gc
import subprocess
import sys
import types

import numpy as np
import pytest

import npgrad as ng


@pytest.fixture(autouse=True)
def _no_record_lives() -> None:
    """Exceptions of other tests may still hold records, in cycles."""
    gc.collect()


def test_thresholds_are_raised_while_recording_and_put_back():
    before = gc.get_threshold()
    with ng.GradientTape():
        raised = gc.get_threshold()
        with ng.GradientTape():
            assert gc.get_threshold() == raised
        assert gc.get_threshold() == raised
    assert raised[0] > before[0]
    assert gc.get_threshold() == before


def test_thresholds_are_put_back_with_the_record():
    before = gc.get_threshold()
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([1.0]))
        y = x * x
    assert gc.get_threshold() != before
    assert tape.gradient(y, x) == 2.0
    assert gc.get_threshold() == before
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(np.array([1.0]))
        y = x * x
    assert tape.gradient(y, x) == 2.0
    assert gc.get_threshold() != before
    del tape
    assert gc.get_threshold() == before


def test_thresholds_are_put_back_after_an_exception():
    before = gc.get_threshold()
    with pytest.raises(KeyError), ng.GradientTape():
        raise KeyError("user's")
    assert gc.get_threshold() == before


@pytest.mark.parametrize("users", [(0, 10, 10), (1_000_000, 5, 5)])
def test_a_collector_that_is_off_or_rare_stays_so(users):
    before = gc.get_threshold()
    gc.set_threshold(*users)
    try:
        with ng.GradientTape():
            assert gc.get_threshold() == users
        assert gc.get_threshold() == users
    finally:
        gc.set_threshold(*before)


def test_thresholds_that_the_user_changes_inside_stay():
    before = gc.get_threshold()
    try:
        with ng.GradientTape():
            gc.set_threshold(123, 4, 5)
        assert gc.get_threshold() == (123, 4, 5)
    finally:
        gc.set_threshold(*before)


def test_a_record_has_no_cycles():
    """Nothing is left for the collector when a tape is dropped, so that it may look less often."""
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            with ng.GradientTape() as tape:
                x = tape.watch(np.array([1.0, 2.0]))
                y = np.zeros(3)
                y[1:] = x * x
                y[0] = y[1] ** 2
                y *= 2
                z = np.sort(y).sum() + np.var(y) + (y @ y)
            tape.gradient(z, x)
            del tape, x, y, z
        assert gc.collect() == 0
    finally:
        gc.enable()


_BOX = ng.black_box(lambda v: v * v)
_OWN = ng.custom_gradient(lambda v: (v * v, lambda ct: 2 * v * ct))
_AGAIN = ng.checkpoint(lambda v: v * v)
_ROOT = ng.implicit(np.sqrt, lambda s, v: s * s - v)
_WORK = np.zeros(3)


def _with_work_arrays(x):
    own = np.zeros(3)

    def f(x):
        _WORK[:] = x
        own[:] = x * 2
        return (_WORK * own).sum()

    return ng.grad(f)(x)


def _instrumented(x):
    module = types.ModuleType("module")
    module.work = np.zeros(3)
    with ng.instrument(module), ng.GradientTape() as tape:
        module.work[:] = tape.watch(x)


def _raises(x):
    with pytest.raises(KeyError):
        ng.grad(lambda x: [_AGAIN(_OWN(_BOX(x))), {}["none"]])(x)


@ng.extend.differentiable
def _declared(v):
    return v * v


ng.extend.vjp(_declared, "v")(lambda ct, v: 2 * v * ct)
CALLS = {
    "work arrays": _with_work_arrays,
    "instrument": _instrumented,
    "exceptions": _raises,
    "extend": ng.hessian(lambda x: _declared(x).sum()),
    "for_solver": lambda x: ng.for_solver(lambda x: (x**3).sum()).hessp(x, x),
    "black_box": ng.grad(lambda x: _BOX(x).sum()),
    "custom_gradient": ng.grad(lambda x: _OWN(x).sum()),
    "custom_gradient, twice": ng.hessian(lambda x: (x * _OWN(x)).sum()),
    "checkpoint": ng.grad(lambda x: _AGAIN(x).sum()),
    "checkpoint, forwards": ng.jacobian(_AGAIN, mode="forward"),
    "checkpoint_loop": ng.grad(lambda x: ng.checkpoint_loop(lambda s, i: s * 1.1, x, 5, 2).sum()),
    "implicit": ng.grad(lambda x: _ROOT(x).sum()),
    "hvp": lambda x: ng.hvp(lambda x: (x**3).sum(), (x,), (x,)),
    "jvp": lambda x: ng.jvp(np.sin, (x,), (x,)),
    "linearize": lambda x: ng.linearize(np.sin, x).vjp(x),
    "sparse_jacobian": ng.sparse_jacobian(lambda x: x[1:] * x[:-1]),
    "sparse_hessian": ng.sparse_hessian(lambda x: (x[1:] * x[:-1]).sum()),
    "eigvalsh of equal values": ng.hessian(lambda x: np.linalg.eigvalsh(np.diag(x)).sum()),
    "objects": ng.grad(lambda x: np.array([x[0], x[1]], dtype=object).prod()),
    "vectorize": ng.grad(lambda x: np.vectorize(lambda a: a * a)(x).sum()),
    "series": ng.grad(lambda x: np.polynomial.Polynomial(x)(2.0)),
    "check_nan": ng.grad(lambda x: (x * x).sum(), check_nan=True),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls_leave_nothing_for_the_collector(name):
    call, x = CALLS[name], np.ones(3)
    call(x)
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            call(x)
        assert gc.collect() == 0
    finally:
        gc.enable()


KEPT_TO_THE_END = """
import sys, threading
import numpy as np, npgrad as ng
X = np.linspace(0.1, 1.0, 5)
v = ng.Variable(X)
with ng.GradientTape(persistent=True) as tape:
    x = tape.watch(X)
    y = np.zeros(5)
    y[1:] = x[1:] * v[:-1]
    z = ng.checkpoint(np.sin)(y)
gradient = tape.gradient(z, x)
line = ng.linearize(np.sin, X)
solver = ng.for_solver(lambda x: np.sum(x**2))
solver.fun(X), solver.jac(X)
sparse = ng.sparse_jacobian(lambda x: x[1:] * x[:-1])
sparse(X)
accumulator = ng.ForwardAccumulator(x, np.ones(5))
class Cycle: pass
cycle = Cycle()
cycle.self, cycle.tape = cycle, tape
outer = ng.GradientTape()
outer.__enter__()
inner = outer.watch(X)
inner[1:] = np.exp(inner[:-1])
"""


FORGOTTEN = "for name in [name for name in sys.modules if 'npgrad' in name]: del sys.modules[name]"


@pytest.mark.parametrize("end", ["", "sys.exit(0)", FORGOTTEN])
def test_what_lives_when_python_ends_says_nothing(end):
    command = [sys.executable, "-W", "error", "-c", KEPT_TO_THE_END + end]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
