"""The programs that benchmarks measure: values and gradients are right at small sizes, and wrong ones are told."""

import importlib.util
import json
import warnings
from collections import Counter
from pathlib import Path

import core
import jacobians
import kernels
import loading
import numpy as np
import peers
import pytest
import sparse_jacobians
import tables
import timing

import npgrad as ng
from npgrad.testing import check_gradients

pytestmark = pytest.mark.once

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def load(name):
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PROGRAMS = loading.kernels()


@pytest.mark.parametrize("name", PROGRAMS)
def test_values_and_gradients(name):
    kernel = PROGRAMS[name]
    x, *rest = kernel.args("small")
    plain = kernel.function(x.copy(), *rest)
    value, gradient = ng.value_and_grad(kernel.function)(x, *rest)
    assert np.array(value).tobytes() == np.array(plain).tobytes()
    assert gradient.any() and kernels.verify(kernel, "small", gradient) < 1e-8
    assert kernels.same(peers.PEERS["npgrad tape"].value_and_gradient(kernel.function)(x, *rest)[1], gradient, 1e-12)
    check_gradients(lambda x: kernel.function(x, *rest), x, order=1)


def test_there_are_enough_and_none_knows_npgrad():
    assert len(PROGRAMS) >= 25
    for path in (BENCHMARKS / "programs").glob("*.py"):
        text = path.read_text()
        assert "npgrad" not in text and [line for line in text.splitlines() if "import" in line] == ["import numpy as np"]


def told(kernel, **others):
    found = {"npgrad": peers.PEERS["npgrad"], **others}
    return kernels.measure(kernel, "small", found, dict.fromkeys(found, PROGRAMS))


def test_a_wrong_gradient_is_told(monkeypatch):
    monkeypatch.setattr(timing, "LEAST", 1)
    monkeypatch.setattr(kernels, "best", lambda functions: timing.best(functions, 0.0))
    kernel = PROGRAMS["rosenbrock"]
    gradient = ng.grad(kernel.function)(*kernel.args("small"))
    assert kernels.verify(kernel, "small", gradient * (1 + 1e-4)) > 1e-6

    def peer(both):
        return peers.Peer(lambda: np, lambda f: lambda x: both(f, x), "none")

    def fails(f, x):
        raise TypeError

    found = told(
        kernel,
        zeros=peer(lambda f, x: (f(x), np.zeros_like(x))),
        value=peer(lambda f, x: (f(x) + 1, gradient)),
        right=peer(lambda f, x: (None, gradient)),
        fails=peer(fails),
    )
    assert found.ratios["zeros"] == found.ratios["value"] == "wrong" and found.ratios["npgrad"] > 1
    assert found.ratios["fails"] == "refuses" and kernels.refusals([found], "fails") == "1 TypeError"
    assert 0 < found.ratios["right"] < found.ratios["npgrad"] and kernels.cell(found, "right").endswith("x")
    with pytest.raises(AssertionError, match="rosenbrock, small: npgrad is"):
        told(kernel, npgrad=peer(lambda f, x: (f(x), np.zeros_like(x))))


@pytest.mark.parametrize("name", peers.PEERS)
def test_peers(name):
    """Each differentiates a program that all of them can do, with ``np`` bound to what it asks for."""
    if name not in peers.installed([name]):
        pytest.skip(f"{name} is not installed")
    peer = peers.PEERS[name]
    program = loading.kernels(peer.numpy())["rosenbrock"].function
    x = np.random.default_rng(0).random(4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value, gradient = peer.value_and_gradient(program)(x)
    assert value is None or kernels.same(value, PROGRAMS["rosenbrock"].function(x), 1e-12)
    assert kernels.same(gradient, ng.grad(PROGRAMS["rosenbrock"].function)(x), peer.accuracy)


def test_peers_that_are_not_installed_are_left_out(monkeypatch):
    def absent():
        raise ImportError

    monkeypatch.setitem(peers.PEERS, "absent", peers.Peer(absent, lambda f: f))
    assert "absent" not in peers.installed() and "npgrad" in peers.installed()


def test_functions_take_turns(monkeypatch):
    """All in each round, the slow ones in some of them, and each at least as often as is asked."""
    turns = []
    monkeypatch.setattr(timing, "seconds", lambda function, number=1: turns.append(function) or function())
    assert timing.best([lambda: 0.1, lambda: 0.02], 0.2) == [0.1, 0.02]
    slow, again, fast, _ = turns[:4]  # each warmed up
    assert again is slow is not fast
    assert turns[4:].count(slow) == timing.LEAST and turns[4:].count(fast) == 10
    assert turns[4:].index(slow) < 5 and fast in turns[-2:]


def test_the_first_call_does_not_say_how_often_to_repeat(monkeypatch):
    """It meets cold caches; the others then take less."""
    numbers = []
    cold = iter([0.008])
    monkeypatch.setattr(timing, "seconds", lambda function, number=1: numbers.append(number) or next(cold, 0.001))
    assert timing.best([lambda: None], 0.05) == [0.001]
    assert numbers == [1, 1, *[10] * 5]


def test_tables():
    table = tables.Table("Title", ("a", "b"), [("1", "22")], "a note")
    assert table.markdown() == "## Title\n\n| a | b |\n|---|---|\n| 1 | 22 |\n\na note"
    assert table.text() == "Title\n  a   b\n  1  22\na note"


@pytest.mark.parametrize("part", [core.memory, core.imports, core.modules, jacobians.tall_and_wide])
def test_parts_make_tables(part, monkeypatch):
    monkeypatch.setattr(timing, "BUDGET", 0.0)
    table = part()
    assert table.rows and all(len(row) == len(table.head) for row in table.rows)


def test_the_sparse_part():
    table = sparse_jacobians.table([200])
    assert [row[0] for row in table.rows] == list(sparse_jacobians.SCRIPTS)
    assert all(len(row) == len(table.head) for row in table.rows)


def test_suites():
    """Everything that airspeed velocity would call runs, at the first of its parameters."""
    folder = json.loads((BENCHMARKS.parent / "asv.conf.json").read_text())["benchmark_dir"]
    assert BENCHMARKS.parent / folder == BENCHMARKS / "suites"
    called = Counter()
    for path in sorted((BENCHMARKS / "suites").glob("*_suite.py")):
        module = load(f"suites/{path.stem}")
        for suite in [v for v in vars(module).values() if isinstance(v, type) and v.__module__ == module.__name__]:
            params = getattr(suite, "params", ())
            several = bool(params) and isinstance(params[0], (list, tuple))
            args = [values[0] for values in params] if several else params[:1]
            for method in [m for m in dir(suite) if m.startswith(("time_", "peakmem_", "track_"))]:
                instance = suite()
                instance.setup(*args)
                getattr(instance, method)(*args)
                called[path.stem] += 1
    assert len(called) >= 6 and min(called.values()) >= 2
