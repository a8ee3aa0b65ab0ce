"""The package itself: what its import loads, and where its names are."""

import ast
import inspect
import subprocess
import sys

import pytest

import npgrad


def said_by(program):
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_to_import_it_is_to_load_nothing_else():
    loaded = "sorted(name for name in set(sys.modules) - before if name.partition('.')[0] not in sys.stdlib_module_names)"
    assert said_by(f"import sys, numpy; before = set(sys.modules)\nimport npgrad; print({loaded})") == "['npgrad']"


def test_names_are_where_type_checkers_are_told():
    told = {
        alias.name: node.module or ""
        for node in ast.walk(ast.parse(inspect.getsource(npgrad)))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert told == npgrad._WHERE


@pytest.mark.parametrize("module", sorted(set(npgrad._WHERE.values())))
def test_each_name_is_there_whichever_module_is_loaded_first(module):
    names = ", ".join(name for name, where in npgrad._WHERE.items() if where == module)
    same = f"[{names}] == [getattr(npgrad, name) for name in '{names}'.split(', ')]"
    assert said_by(f"from npgrad import {names}; import npgrad; print({same})") == "True"


def test_a_star_brings_all_names():
    found = said_by("from npgrad import *; print(*[name for name in dir() if name[0] != '_'])")
    assert set(found.split()) == set(npgrad._WHERE)


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="module 'npgrad' has no attribute 'gard'"):
        _ = npgrad.gard
    with pytest.raises(ImportError, match="cannot import name 'gard'"):
        from npgrad import gard  # noqa: F401


POINT = "point = np.array([0.5, 1.5])"


@pytest.mark.parametrize(
    "program",
    [
        "from npgrad.testing import check_gradients; check_gradients(lambda x: np.sum(x * x[::-1]), point)",
        "from npgrad._variable import Variable; v = Variable(point); assert (v * 2 + v[0]).sum() == 5.0",
        "from npgrad._functional import grad; assert (grad(lambda x: np.sum(np.stack([x, 2 * x])))(point) == 3).all()",
        "from npgrad._traced import TracedArray; assert not isinstance(point, TracedArray)",
        "import npgrad; v = npgrad.Variable(point); v[0] += 1; assert (np.exp(v) == np.exp([1.5, 1.5])).all()",
        "import npgrad; x = npgrad.array(point); assert (x @ x, x.sum(), -x[0]) == (2.5, 2.0, -0.5)",
        "import npgrad.extend; import npgrad; assert npgrad.grad(lambda x: x.prod())(point).tolist() == [1.5, 0.5]",
    ],
)
def test_what_records_is_there_whichever_module_is_asked_for_first(program):
    said_by(f"import numpy as np\n{POINT}\n{program}")


def test_the_first_gradient_loads_no_parts_of_numpy_that_few_programs_use():
    """They take as long as a quarter of NumPy."""
    names = ("numpy.ma", "numpy.random", "numpy.rec", "numpy.polynomial", "json", "scipy")
    program = f"""
import sys, numpy as np, npgrad as ng
import npgrad.testing, npgrad.extend
ng.grad(lambda x: (x * x).sum())(np.ones(2))
with ng.GradientTape() as tape:
    tape.watch(np.ones(2))
print([name for name in {names} if name in sys.modules])
"""
    assert said_by(program) == "[]"
