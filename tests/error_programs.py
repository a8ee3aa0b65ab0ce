"""Programs that fail, for the rows of error_rows.txt."""

from __future__ import annotations

import ast
import atexit
import copy
import dataclasses
import itertools
import sys
import tempfile
import threading
import types
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import scipy.linalg
import scipy.sparse.linalg
import scipy.special
from numpy.lib.recfunctions import merge_arrays

import npgrad as ng
from npgrad import _command_line, _libraries, _scripts, _ufunc_methods, finite_difference
from npgrad._functions import call_function
from npgrad._registry import RULES, jvp as declare_jvp, vjp as declare_vjp
from npgrad.testing import check_gradients

USED_BY_ROWS = (Fraction, _ufunc_methods, ast, check_gradients, copy, finite_difference, merge_arrays, scipy, _scripts)
X = np.array([1.0, 2.0])


def FLOAT(value):
    """The type by a name that is not followed."""
    return value.dtype.type(value)


class Given:
    """As tables and tensors of other libraries."""

    def __array__(self, dtype=None, copy=None):
        return X


GIVEN = Given()


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
    swept(lambda x: x * FLOAT(x[0]))


def leak_swallowed_forward():
    x = ng.array(X)
    with ng.ForwardAccumulator(x, X) as forward:
        y = x * FLOAT(x[0])
    forward.jvp(y)


def two_copies():
    with ng.GradientTape(persistent=True) as tape:
        plain = X.copy()
        tape.watch(plain)
        plain[0] = 7.0
        y = tape.watch(plain) * 2
    tape.gradient(y, plain)


def constant_changed():
    big = np.ones(200_000)
    with ng.GradientTape() as tape:
        x = tape.watch(np.ones(200_000))
        y = x * big
    big[0] = 5.0
    tape.gradient(y, x)


def mask_with_gaps():
    loops = types.SimpleNamespace(erf=scipy.special.erf)
    with (
        mock.patch.object(scipy, "__version__", "1.17.1"),
        mock.patch.dict(sys.modules, {"scipy.special._special_ufuncs": loops}),
        ng.GradientTape() as tape,
    ):
        x = tape.watch(np.ones(3))
        scipy.special.erf(x, out=x * 1, where=np.array([True, True, True]))
        scipy.special.erf(x, out=x * 1, where=np.array([True, False, True]))


def box_of_variable():
    w = ng.Variable(2.0)
    with ng.GradientTape() as tape:
        ng.black_box(lambda u: u * w)(tape.watch(X))


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


def custom_by_keyword():
    @ng.custom_gradient
    def scaled(x, by):
        return by * x, lambda ct: by * ct

    swept(lambda x: scaled(1.0, by=x))


def custom_of_random():
    rng = np.random.default_rng(0)

    @ng.custom_gradient
    def drawn(x):
        k = rng.random()
        return k * x, lambda ct: k * ct

    ng.hessian(lambda x: drawn(x).sum())(X)


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


def overwritten_as_own_class(writes):
    def program(x):
        a = np.ones(2)
        a.view(Own)
        return writes(a, x)

    return recorded(program)


class Own(np.ndarray):
    pass


def wrong_gradient(x):
    return x * ng.stop_gradient(x)


plain = np.zeros(2)
MATRIX = np.eye(2)
MASKED = np.ma.array([1.0, 2.0], mask=[0, 1])


# --- Black boxes, checkpoints, solvers ---------------------------------------------------------------------------------

BOX = ng.black_box(lambda x, k=1.0: k * np.asarray(x) * 2)


def box_returns(value):
    @ng.black_box
    def box(x):
        return value

    return box


def wanders():
    state = iter([1.0, 2.0, 3.0])

    @ng.checkpoint
    def step(x):
        return x * next(state)

    swept(step)


def steals():
    def program(x):
        @ng.checkpoint
        def step(y):
            return y * x

        return step(x * 2)

    swept(program)


def changed_under_a_box():
    k = np.array([2.0, 3.0])
    box = ng.black_box(lambda x: x * k)
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = box(x)
    k += 1.0
    tape.gradient(y, x)


def changed_under_a_gradient():
    k = np.array([2.0, 3.0])
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = ng.custom_gradient(lambda x: (x * k, lambda ct: ct * k))(x)
    k += 1.0
    tape.gradient(y, x)


def left_in_an_attribute():
    kept = []
    ng.grad(lambda x: (ng.checkpoint(lambda x: kept.append(x * x) or x * 2)(x) * kept[0]).sum())(X)


@dataclasses.dataclass
class Derived:
    a: Any
    twice: Any = dataclasses.field(init=False, default=0.0)


def changed_dataclass():
    made = Derived(X)
    made.twice = 1.0
    ng.grad(lambda made: made.a.sum() * made.twice)(made)


def changed_under_an_equation():
    k = np.array([2.0, 2.0])
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([0.5, 0.5]))
        y = ng.implicit(lambda x: x * k, lambda y, x: y - x * k)(x)
    k += 1.0
    tape.gradient(y, x)


def step_to_text(u, i):
    return "text"


def root_of(solve, residual):
    def answer(a):
        return solve(a)

    def equation(x, a):
        return residual(x, a)

    return ng.implicit(answer, equation)


def line_lost(x):
    return x * np.frombuffer(memoryview(x))


# --- Tools -------------------------------------------------------------------------------------------------------------


def without(module, program):
    """Call a program where a module cannot be imported."""
    with mock.patch.dict(sys.modules, {module: None}):
        return program()


def wrong_batch():
    """A rule that is right without leading axes only."""

    def turned(x):
        return x[::-1] * x

    declare_vjp(turned, "x")(lambda ct, x: ct * x[::-1] + (ct * x)[::-1])
    declare_jvp(turned, "x")(lambda tangent, x: tangent * x[::-1] + x * tangent[::-1])
    try:
        check_gradients(lambda x: call_function(turned, (x,), {}), np.array([0.3, 0.7, 1.1]))
    finally:
        del RULES[turned]


def library_not_loaded():
    library = _libraries.Library("not_there")
    _libraries.LIBRARIES.remove(library)
    return library.function


def write_reals(z):
    z[np.array([True] * z.size)] = z.view(float)[: z.size]


# --- The command line --------------------------------------------------------------------------------------------------

_FILES = tempfile.TemporaryDirectory()
atexit.register(_FILES.cleanup)


def directory():
    return _FILES.name


def written(name, content):
    """The path of a file with a content: text, or arrays."""
    path = Path(directory()) / name
    if isinstance(content, str):
        path.write_text(content)
    else:
        np.savez(path, *content)
    return str(path)


SCRIPT = """
import sys
import numpy as np

number = 3.0

def empty(x):
    return []

def integers(x):
    return np.array([1, 2])

def text(x):
    return "text"

def vector(x):
    return np.ones(2) * x

def wrong(x):
    return x.missing

def leaves(x):
    sys.exit("gone")
"""


def command(function, at="1.5", *options, name="jacobian", script="legacy.py", content=SCRIPT):
    options = [name, f"{written(script, content)}:{function}", "--at", at, *options]
    return _command_line.run(_command_line.parser().parse_args(options))


def run_target(target):
    return _command_line.run(_command_line.parser().parse_args(["jacobian", target, "--at", "1.0"]))


@ng.extend.differentiable
def twice(x, by=2.0):
    return by * x


def declared(map_, *arguments):
    """The gradient with a derivative declared anew."""

    @ng.extend.differentiable
    def made(x, by=2.0):
        return by * x

    ng.extend.vjp(made, *arguments)(map_)
    swept(made)


def without_forward():
    @ng.extend.differentiable
    def made(x):
        return 2 * x

    ng.extend.vjp(made, "x")(lambda ct: 2 * ct)
    jacobian(made, mode="forward")


def of_sequences():
    @ng.extend.differentiable
    def made(*arrays):
        return sum([np.sum(array) for array in arrays])

    ng.extend.vjp(made, "arrays")(lambda ct: ct)
    swept(lambda x: made(x, x))


ACCUMULATED = itertools.accumulate(itertools.repeat(0), lambda work, _: work, initial=np.zeros(2))


def write_what_is_accumulated(x):
    next(ACCUMULATED)[:] = x
    return x


def asked_again():
    kept = {}
    gradient = ng.grad(lambda x: kept.setdefault(str(x), (x * x).sum()))
    gradient(X)
    return gradient(X)


def root_twice():
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(X)
        root = scipy.optimize.brentq(lambda z: z**3 - x[0], 0, 2)
        tape.gradient(root, x)
