"""`from numpy import zeros` in a user's module: followed by a bare tape, and put back."""

import importlib
import operator
import sys
import textwrap
import threading
import types
import weakref
from builtins import type

import numpy as np
import pytest

import npgrad as ng
from npgrad import _bound_names, _leftovers

SOURCE = """
from math import exp
from numpy import *
from numpy import zeros as make


def simulate(x):
    u = zeros(5)
    u[1:4] = x
    v = make(3)
    v[:] = u[1:4] * exp(x[0])
    w = asarray([v[0], v[1] * 2])
    return concatenate([v, w])
"""


@pytest.fixture
def legacy(tmp_path, monkeypatch):
    (tmp_path / "legacy_bound_names.py").write_text(textwrap.dedent(SOURCE))
    monkeypatch.syspath_prepend(tmp_path)
    import legacy_bound_names

    yield legacy_bound_names
    del sys.modules["legacy_bound_names"]


X = np.array([0.3, 0.7, 1.1])


def jacobian_by_hand(x):
    e = np.exp(x[0])
    rows = np.diag(np.full(3, e))
    rows[:, 0] += x * e
    return np.vstack([rows, rows[0], 2 * rows[1]])


def test_a_bare_tape_follows_what_a_module_bound_before(legacy):
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = legacy.simulate(x)
    assert np.array_equal(y, legacy.simulate(X))
    np.testing.assert_allclose(tape.jacobian(y, x), jacobian_by_hand(X), rtol=1e-14)


def test_names_are_put_back(legacy):
    plain = np.zeros
    with pytest.raises(ZeroDivisionError), ng.GradientTape():
        assert legacy.zeros is np.zeros  # what stands for it, while a tape records
        with ng.GradientTape():
            raise ZeroDivisionError
    assert legacy.zeros is plain and legacy.make is plain and np.zeros is plain
    assert type(legacy.zeros(2)) is np.ndarray


def test_a_name_that_the_program_binds_anew_stays(legacy):
    with ng.GradientTape():
        legacy.zeros = "mine"
    assert legacy.zeros == "mine"


def test_a_name_bound_between_tapes_is_found(legacy):
    with ng.GradientTape():
        pass
    legacy.late = np.ones
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        buffer = legacy.late(3)
        buffer[:2] = x[:2]
        y = buffer * buffer
    np.testing.assert_allclose(tape.gradient(y, x), [2 * X[0], 2 * X[1], 0])
    assert legacy.late is np.ones


def test_other_threads_get_plain_arrays(legacy):
    kinds = []
    with ng.GradientTape():
        thread = threading.Thread(target=lambda: kinds.append(type(legacy.zeros(2))))
        thread.start()
        thread.join()
    assert kinds == [np.ndarray]


def test_what_replaces_a_name_is_followed_too():
    module = types.ModuleType("module")
    exec("def f(x):\n    work[:] = 2 * x\n    return work * x", vars(module))
    module.work, replacement = None, np.zeros(2)
    with ng.instrument(module, work=replacement), ng.GradientTape() as tape:
        x = tape.watch(np.array([1.0, 2.0]))
        y = module.f(x)
    np.testing.assert_array_equal(tape.gradient(y, x), [4.0, 8.0])
    assert module.work is None and replacement.tolist() == [2.0, 4.0]


def test_a_name_that_is_bound_anew_between_tapes_is_followed(legacy):
    """As by ``for reduce in (np.nansum, np.nanprod)`` at module level: the number of names stays."""
    for function in (np.nansum, np.nanprod, np.nanmax):
        legacy.make = function
        with ng.GradientTape() as tape:
            x = tape.watch(X)
            value = legacy.make([x, 2 * x], axis=0).sum()
        assert legacy.make is function
        assert tape.gradient(value, x) is not None


def test_a_module_is_looked_through_once(legacy, monkeypatch):
    """And not again with each tape, or with each call of the functional API, which puts forms for some names itself."""
    exec("def also(x):\n    return float32(x[0]) * zeros(2).sum() + simulate(x).sum()", vars(legacy))
    derivative = ng.grad(legacy.also)
    looked, look = [], _bound_names._Module.look_through
    monkeypatch.setattr(_bound_names._Module, "look_through", lambda module: looked.append(module.name) or look(module))
    for _ in range(3):
        derivative(X)
        with ng.GradientTape() as tape:
            legacy.also(tape.watch(X))
    assert looked.count(legacy.__name__) == 1


@pytest.mark.parametrize(
    ("before", "after", "call"),
    [
        ("None", "zeros", "NAME(3)"),
        ("1.0", "np.ones", "NAME(3)"),
        ("np.empty(2)", "np.full", "NAME(3, 1.0)"),
        ("[]", "lambda n, make=zeros: make(n)", "NAME(3)"),
        ("np.dot", "asarray", "NAME([2 * x[0], x[1], x[2]])"),
        ("sum", "float64", "NAME(x[1]) * ones(3)"),
    ],
)
def test_what_a_name_gets_between_tapes_is_followed(legacy, before, after, call):
    """Also where there was data by that name: the number of names says nothing."""
    program = f"def f(x):\n    y = {call}\n    y[:2] = x[:2]\n    return y * y"
    exec(f"import numpy as np\nNAME = {before}\n{program}", vars(legacy))
    with ng.GradientTape():
        pass
    exec(f"NAME = {after}", vars(legacy))
    kept = legacy.NAME
    for _ in range(2):
        with ng.GradientTape() as tape:
            x = tape.watch(X)
            y = legacy.f(x)
        steps = 1e-6 * np.eye(3)
        differences = [(legacy.f(X + step).sum() - legacy.f(X - step).sum()) / 2e-6 for step in steps]
        np.testing.assert_allclose(tape.gradient(y, x), differences, atol=1e-9)
        assert legacy.NAME is kept


def test_a_module_whose_data_changes_is_looked_through_once(legacy, monkeypatch):
    legacy.count, legacy.log, legacy.state = 0, [], None
    looked, look = [], _bound_names._Module.look_through
    monkeypatch.setattr(_bound_names._Module, "look_through", lambda module: looked.append(module.name) or look(module))
    for _ in range(5):
        with ng.GradientTape() as tape:
            y = legacy.simulate(tape.watch(X))
        legacy.count += 1
        legacy.log, legacy.state, legacy.values = [*legacy.log, 1.0], tape, y
    assert looked.count(legacy.__name__) == 2  # `values` is new once


def test_a_loop_over_functions_looks_once(legacy, monkeypatch):
    """As by `for f in (first, second)` at module level, whatever else is reached from there."""
    exec("functions = [lambda x, make=make: make(3) + x, lambda x: simulate(x)[:3]]\nf = None", vars(legacy))
    looked, look = [], _bound_names._Module.look_through
    monkeypatch.setattr(_bound_names._Module, "look_through", lambda module: looked.append(module.name) or look(module))
    for function in 3 * legacy.functions:
        legacy.f = function
        with ng.GradientTape() as tape:
            x = tape.watch(X)
            y = legacy.f(x)
        assert tape.gradient(y, x) is not None
    assert looked.count(legacy.__name__) == 1


def test_a_function_that_was_out_of_reach_is_followed_again(legacy):
    exec("def first(x, make=make):\n    y = make(3)\n    y[:] = x\n    return y * y\nf = first", vars(legacy))
    first = vars(legacy).pop("first")
    for value in (first, legacy.simulate, first, 1.0, first):
        legacy.f = value
        with ng.GradientTape() as tape:
            x = tape.watch(X)
            y = first(x) if legacy.f is first else None
        if y is not None:
            np.testing.assert_array_equal(tape.gradient(y, x), 2 * X)


def test_data_of_modules_is_not_kept_alive(legacy):
    legacy.work = np.zeros(3)
    with ng.GradientTape():
        pass
    work = weakref.ref(legacy.work)
    legacy.work = None
    assert work() is None


def test_modules_of_a_call_are_not_searched_again(legacy, monkeypatch):
    """Names that were put for the call, and are put back, are no leftovers of it."""
    derivative = ng.grad(lambda x: legacy.simulate(x).sum())
    derivative(X)
    searches, run = [], _leftovers.Leftovers.run
    monkeypatch.setattr(_leftovers.Leftovers, "run", lambda search: searches.append(1) or run(search))
    for _ in range(3):
        derivative(X)
    assert searches == []


@pytest.mark.parametrize("installed", [False, True])
@pytest.mark.parametrize("package", ["with a file", "without one"])
def test_a_package_is_the_users_unless_it_is_installed(tmp_path, monkeypatch, package, installed):
    """Also where it comes by a path of its own, and where the package around it has no file (``google`` is such a one)."""
    place = tmp_path / ("site-packages" if installed else "programs")
    name = f"around_{package.split()[0]}_{installed}"
    (place / name / "inner").mkdir(parents=True)
    if package == "with a file":
        (place / name / "__init__.py").write_text("")
    (place / name / "inner" / "legacy.py").write_text(textwrap.dedent(SOURCE))
    monkeypatch.syspath_prepend(place)
    legacy = importlib.import_module(f"{name}.inner.legacy")
    try:
        with ng.GradientTape():
            is_looked_at = bool({name, legacy.__name__} & {module.name for module in _bound_names._modules})
            makes_plain = operator.is_(type(legacy.make(3)), np.ndarray)
        assert is_looked_at is not installed
        assert makes_plain is installed
    finally:
        for loaded in [one for one in sys.modules if one.partition(".")[0] == name]:
            del sys.modules[loaded]


def test_a_module_that_takes_the_place_of_another_one_is_looked_at(tmp_path, monkeypatch):
    """As many modules are loaded as before then, which says nothing of which they are."""
    (tmp_path / "comes_later.py").write_text("from numpy import zeros as make\n")
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules["numpy.nothing"] = types.ModuleType("numpy.nothing")  # none that is looked at
    try:
        with ng.GradientTape():
            pass
        del sys.modules["numpy.nothing"]
        comes_later = importlib.import_module("comes_later")
        with ng.GradientTape():
            assert isinstance(comes_later.make(3), ng.TracedArray)
    finally:
        sys.modules.pop("numpy.nothing", None)
        sys.modules.pop("comes_later", None)
