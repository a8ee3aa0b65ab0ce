"""Idioms of legacy code, each a small program, and whole scripts: values and what is printed to the last bit, Jacobians of
both modes against differences."""

import importlib
import types
from builtins import type
from pathlib import Path

import numpy as np
import programs.idioms as idioms
import programs.legacy as legacy
import programs.scientific as scientific
import pytest

import npgrad as ng
from npgrad import finite_difference
from npgrad._structure import flatten

# NumPy 2.5 says so of `x.shape = ...`, which legacy code is full of.
pytestmark = pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning")

POINT = np.array([2.3, 3.2, 2.7])
# Steps of 3-point differences are small enough for the jumps of the idioms, Richardson's are more accurate.
FIVE = np.array([0.83, 0.37, 0.61, 1.21, 0.55])
POINTS = {idioms: (POINT, "3-point"), scientific: (FIVE, "richardson"), legacy: (FIVE, "richardson")}
HELPERS = {
    "rk4", "mc_heston", "pair_potential", "macroscopic", "equilibrium", "obstacle_fun", "inivel", "simulate", "run",
    "restrict", "prolong", "vcycle", "dopri", "lv", "tdma", "adi",
}  # fmt: skip
PROGRAMS = [
    (value, point, method)
    for module, (point, method) in POINTS.items()
    # Not in the module's own order: that of `from numpy import *` is another one in each process.
    for _, value in sorted(vars(module).items())
    if isinstance(value, types.FunctionType) and value.__module__ == module.__name__ and value.__name__ not in HELPERS
]
PATHS = sorted(Path(idioms.__file__).parent.glob("scripts/*.py"))
SCRIPTS = [importlib.import_module(f"programs.scripts.{path.stem}") for path in PATHS]


def check(program, point, differences, tolerance, capsys):
    plain = [np.copy(leaf) if isinstance(leaf, np.ndarray) else leaf for leaf in flatten(program(point.copy()))[0]]
    printed = capsys.readouterr()
    expected = flatten(differences(point))[0]
    capsys.readouterr()
    for mode in ("reverse", "forward"):
        value, rows = ng.value_and_jacobian(program, mode=mode)(point)
        assert capsys.readouterr() == printed
        for one, right in zip(flatten(value)[0], plain, strict=True):
            assert type(one) is type(right)
            np.testing.assert_array_equal(one, right, strict=isinstance(one, np.ndarray))
        for one, right in zip(flatten(rows)[0], expected, strict=True):
            np.testing.assert_allclose(one, right, rtol=0, atol=tolerance * max(1, np.abs(right).max(initial=0)))


@pytest.mark.parametrize(("program", "point", "method"), PROGRAMS, ids=[row[0].__name__ for row in PROGRAMS])
def test_values_and_jacobians(program, point, method, capsys):
    check(program, point, finite_difference.jacobian(program, method=method), 1e-7, capsys)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__.rpartition(".")[2])
def test_whole_scripts(script, capsys):
    """Each has its point, and a step where Richardson's would be too wide: where it stops at a limit, or jumps nearby."""
    options = {"method": "3-point", "step": script.STEP} if hasattr(script, "STEP") else {"method": "richardson"}
    check(script.main, np.array(script.X), finite_difference.jacobian(script.main, **options), 1e-6, capsys)


def test_arrays_of_records_do_not_take_plain_numbers_unseen():
    def lossy(x):
        return x.astype("f8,f8")["f0"] * x

    with pytest.raises(ng.LeakError, match="takes plain numbers from a traced array"):
        ng.jacobian(lossy)(POINT)
    assert np.isfinite(ng.jacobian(lossy, leaks="ignore")(POINT)).all()


def test_results_have_the_memory_order_of_numpys():
    def layouts(x):
        a = x.reshape(3, 1).repeat(2, axis=1)
        b = np.repeat(np.outer(x, x), 2, axis=0).T.repeat([1, 0, 2, 1, 0, 1], axis=1)
        orders.append([a.strides, b.strides])
        a.shape = (2, 3)
        return a.ravel(order="K") * b.sum()

    orders = []
    layouts(POINT)
    rows = ng.jacobian(layouts)(POINT)
    assert orders[0] == orders[1]
    np.testing.assert_allclose(rows, finite_difference.jacobian(layouts)(POINT), rtol=1e-7)
