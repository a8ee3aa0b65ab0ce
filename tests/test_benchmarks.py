"""The programs that benchmarks measure: values and gradients are right at small sizes, and wrong ones are told."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import npgrad as ng
from npgrad.testing import check_gradients

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def load(name):
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


kernels = load("kernels")
PROGRAMS = kernels.kernels()


@pytest.mark.parametrize("name", PROGRAMS)
def test_values_and_gradients(name):
    kernel = PROGRAMS[name]
    x, *rest = kernel.args("small")
    plain = kernel.function(x.copy(), *rest)
    value, gradient = ng.value_and_grad(kernel.function)(x, *rest)
    assert np.array(value).tobytes() == np.array(plain).tobytes()
    assert gradient.any() and kernels.verify(kernel, "small", gradient) < 1e-8
    assert kernels.same(kernels.PEERS["npgrad tape"]()(name)(x, *rest), gradient, 1e-12)
    check_gradients(lambda x: kernel.function(x, *rest), x, order=1)


def test_there_are_enough_and_none_knows_npgrad():
    assert len(PROGRAMS) >= 25
    for path in (BENCHMARKS / "programs").glob("*.py"):
        text = path.read_text()
        assert "npgrad" not in text and [line for line in text.splitlines() if "import" in line] == ["import numpy as np"]


def test_a_wrong_gradient_is_told():
    kernel = PROGRAMS["rosenbrock"]
    gradient = ng.grad(kernel.function)(*kernel.args("small"))
    assert kernels.verify(kernel, "small", gradient * (1 + 1e-4)) > 1e-6
    zeros, right = lambda name: lambda x: np.zeros_like(x), kernels.PEERS["npgrad"]()

    def fails(name):
        def gradient(x):
            raise TypeError

        return gradient

    found = kernels.measure(kernel, "small", {"npgrad": right, "zeros": zeros, "fails": fails})
    assert found.ratios["zeros"] == "wrong" and found.ratios["fails"] == "refuses" and found.ratios["npgrad"] > 1
    with pytest.raises(AssertionError, match="rosenbrock, small: npgrad is"):
        kernels.measure(kernel, "small", {"npgrad": zeros})


def test_suites(monkeypatch):
    """Everything that airspeed velocity would call runs."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    folder = json.loads((BENCHMARKS.parent / "asv.conf.json").read_text())["benchmark_dir"]
    assert BENCHMARKS.parent / folder == BENCHMARKS / "suites"
    called = 0
    for name, arguments in (("suites/kernel_suite", ("rosenbrock", "small")), ("suites/core_suite", (1,))):
        module = load(name)
        for suite in [v for v in vars(module).values() if isinstance(v, type) and v.__module__ == module.__name__]:
            args = arguments if hasattr(suite, "params") else ()
            instance = suite()
            instance.setup(*args)
            for method in [m for m in dir(suite) if m.startswith(("time_", "peakmem_"))]:
                getattr(instance, method)(*args)
                called += 1
    assert called == 3 + 3 + 2 + 2
