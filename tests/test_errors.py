"""Every message of npgrad: what, where and the cure.

error_rows.txt has a program for each, and the text that it must raise, in full. Sites that raise are found by reading the
package, and the tracebacks of the rows tell which were reached: none may be left out.
"""

from __future__ import annotations

import ast
import copy
import operator
import re
import threading
import traceback
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
from numpy.lib.recfunctions import merge_arrays

import npgrad as ng
from npgrad import finite_difference
from npgrad.testing import check_gradients

USED_BY_ROWS = (check_gradients, copy, finite_difference, merge_arrays, scipy)
PACKAGE = Path(ng.__file__).parent
X = np.array([1.0, 2.0])


def recorded(program, **options):
    """The program on a watched array, while a tape records."""
    with ng.GradientTape(**options) as tape:
        return program(tape.watch(X.copy()))


def swept(program, *further, **keywords):
    """The gradient of the program's result; further arguments are those of `GradientTape.gradient`."""
    with ng.GradientTape() as tape:
        x = tape.watch(X.copy())
        y = program(x)
    return tape.gradient(y, x, *further, **keywords)


def jacobian(program, **keywords):
    with ng.GradientTape() as tape:
        x = tape.watch(X.copy())
        y = program(x)
    return tape.jacobian(y, x, **keywords)


def tape_used_up():
    tape = ng.GradientTape()
    with tape:
        x = tape.watch(X)
    tape.gradient(x, x)
    return tape


def tape_entered_twice():
    with ng.GradientTape() as tape, tape:
        pass


def reset_outside():
    ng.GradientTape().reset()


def pause_outside():
    with ng.GradientTape().stop_recording():
        pass


def leak_swallowed():
    swept(lambda x: x * np.float64(x[0]))


def leak_swallowed_forward():
    x = ng.array(X)
    with ng.ForwardAccumulator(x, X) as forward:
        y = x * np.float64(x[0])
    forward.jvp(y)


def two_copies():
    with ng.GradientTape(persistent=True) as tape:
        plain = X.copy()
        tape.watch(plain)
        plain[0] = 7.0
        y = tape.watch(plain) * 2
    tape.gradient(y, plain)


def constant_changed():
    big = np.ones(100_000)
    with ng.GradientTape() as tape:
        x = tape.watch(np.ones(100_000))
        y = x * big
    big[0] = 5.0
    tape.gradient(y, x)


def other_thread():
    errors = []

    def use():
        try:
            x * 2
        except ng.LeakError as error:
            errors.append(error)

    with ng.GradientTape() as tape:
        x = tape.watch(X)
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
    raise errors[0]


def custom(given):
    @ng.custom_gradient
    def double(x):
        return 2 * x, lambda ct: given

    swept(double)


def custom_forward():
    @ng.custom_gradient
    def double(x):
        return 2 * x, lambda ct: 2 * ct

    jacobian(double, mode="forward")


def custom_not_a_pair():
    @ng.custom_gradient
    def double(x):
        return 2 * x

    double(X)


def custom_arity():
    @ng.custom_gradient
    def double(x):
        return 2 * x, lambda: 0.0

    swept(double)


def intermediate_forward():
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        u = 2 * x
        y = u * u
    tape.jacobian(y, u, mode="forward")


def complex_forward():
    with ng.GradientTape() as tape:
        z = tape.watch(X + 1j)
        y = z * z
    tape.jacobian(y, z, mode="forward")


def batch_jacobian(program, source=X):
    with ng.GradientTape() as tape:
        x = tape.watch(source)
        y = program(x)
    return tape.batch_jacobian(y, x)


def returns_two(x):
    return 2 * x


def returns_buffer(x):
    out = np.zeros(2)
    out[:] = x
    return out


def returns_none(x):
    pass


def returns_complex(x):
    return 1j * x[0]


def returns_text(x):
    return "text"


def accumulator_not_entered():
    ng.ForwardAccumulator(ng.array(X), X).jvp(X)


def watch(value):
    with ng.GradientTape() as tape:
        tape.watch(value)


def primal_twice():
    x = ng.array(X)
    ng.ForwardAccumulator([x, x], [X, X])


class Own(np.ndarray):
    pass


def wrong_gradient(x):
    return x * ng.stop_gradient(x)


WAYS_OUT = (
    "Ways out: make the buffer inside the tape (np.zeros, np.empty ... are followed there) or wrap it in npgrad.array; use "
    "npgrad.stop_gradient where the value is meant to be constant; or pass "
    'leaks="warn" or leaks="ignore" to the tape or the functional API.'
)
plain = np.zeros(2)
MATRIX = np.eye(2)
MASKED = np.ma.array([1.0, 2.0], mask=[0, 1])



def read_rows() -> list[tuple[str, str]]:
    """Programs, and below each, indented, what it must raise."""
    lines = (Path(__file__).parent / "error_rows.txt").read_text().splitlines()
    return list(zip(lines[::2], [line.strip() for line in lines[1::2]], strict=True))


ROWS = read_rows()

# Messages of other modules are tested with what they do.
COMPLETE = {
    "_constants", "_custom", "_derivatives", "_difference_methods", "_endpoints", "_forward", "_functional", "_instrument",
    "_leaks", "_lifecycle", "_products", "_protocols", "_tape", "_variable", "finite_difference",
}  # fmt: skip

# What plain NumPy says, traced arrays say too.
SAME = [
    lambda x: hash(x),
    lambda x: iter(x[0]),
    lambda x: iter(x[0].astype(np.float32)),
    lambda x: iter(np.asarray(x[0:1].reshape(()))),
    lambda x: x.__delitem__(0),
    lambda x: operator.setitem(x[0], (), 1.0),
    lambda x: setattr(x, "shape", (3,)),
    lambda x: setattr(x, "imag", 1.0),
    lambda x: x @ np.ones(3),
    lambda x: x[5],
    lambda x: x.reshape(3),
    lambda x: np.concatenate([x, np.ones((2, 2))]),
    lambda x: np.delete(x, 7),
    lambda x: np.linalg.inv(x),
]


def said(error: Exception) -> str:
    """Kind and message, without what changes: places, the ways out that all leaks have, and numbers of Variables."""
    text = re.sub(r"\S+\.py:\d+: ", "<here>: ", str(error)).replace(WAYS_OUT, "<ways out>")
    return f"{type(error).__name__}: " + re.sub(r"Variable:\d+", "Variable:<n>", text)


def row(program: str):
    """A row as a function; places in it are called after a file that the user could have written."""
    return lambda: eval(compile(program, "program.py", "eval"), globals())


def caught(program) -> Exception:
    try:
        program()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(("program", "message"), ROWS, ids=[program for program, _ in ROWS])
def test_messages(program: str, message: str) -> None:
    assert said(caught(row(program))) == message


@pytest.mark.parametrize("program", SAME, ids=range(len(SAME)))
@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")
def test_numpys_own_messages(program):
    plain_error, error = caught(lambda: program(X.copy())), caught(lambda: recorded(program))
    assert (type(error), str(error)) == (type(plain_error), str(plain_error))


def raise_sites(module: str) -> set[int]:
    """The lines of a module on which a new error is raised."""
    tree = ast.parse((PACKAGE / f"{module}.py").read_text())
    return {node.lineno for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.exc is not None}


def frames(error: BaseException | None):
    while error is not None:
        yield from traceback.extract_tb(error.__traceback__)
        error = error.__cause__ or error.__context__


def test_no_site_is_left_out():
    reached = {
        (path.stem, frame.lineno)
        for program, _ in ROWS
        for frame in frames(caught(row(program)))
        if (path := Path(frame.filename)).parent == PACKAGE
    }
    missed = {(module, line) for module in COMPLETE for line in raise_sites(module)} - reached
    assert sorted(missed) == []
