"""Modules that are loaded while a tape records: as they would be without one, and followed like others."""

import importlib
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import npgrad as ng

X = np.array([0.3, 0.7, 1.1])

SOURCE = """
import numpy as np
from numpy import array, zeros
from numpy.random import default_rng

TABLE = array([1.0, 2.0, 3.0])
NODES = np.linspace(0.0, 1.0, 3) * 2.0


class Grid:
    spacing = np.full(3, 0.5)


def work(x):
    made = zeros(3)
    made[:] = x * TABLE
    return made
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes a module; one of an installed package or of the user's."""

    def written(name, source, library=False):
        folder = tmp_path / ("site-packages" if library else "programs")
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text(textwrap.dedent(source))
        monkeypatch.syspath_prepend(folder)
        names.append(name)
        return name

    names = []
    yield written
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture(autouse=True)
def nothing_is_left():
    before = list(sys.meta_path)
    yield
    assert sys.meta_path == before


def test_what_a_library_makes_as_it_is_loaded_is_plain(write):
    name = write("loaded_library", SOURCE, library=True)
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        library = importlib.import_module(name)
        y = x * library.TABLE
        y[0] += library.NODES[1]
    assert {type(a) for a in (library.TABLE, library.NODES, library.Grid.spacing)} == {np.ndarray}
    np.testing.assert_array_equal(tape.gradient(y, x), [1, 2, 3])
    library.TABLE[0] = 7.0


@pytest.mark.parametrize("library", [True, False], ids=["library", "program"])
def test_names_that_it_binds_are_numpys(write, library):
    name = write("loaded_names", SOURCE, library)
    with ng.GradientTape():
        module = importlib.import_module(name)
    assert module.zeros is np.zeros and module.array is np.array and module.default_rng is np.random.default_rng
    assert module.__spec__.loader is module.__loader__
    assert type(module.__loader__).__module__.startswith("importlib") or "frozen" in type(module.__loader__).__module__


def test_a_program_is_followed_in_the_tape_that_loads_it_and_in_later_ones(write):
    name = write("loaded_program", SOURCE)

    def f(x):
        module = importlib.import_module(name)
        return (module.work(x) ** 2).sum()

    for _ in range(2):
        np.testing.assert_allclose(ng.grad(f)(X), 2 * X * np.array([1.0, 4.0, 9.0]), rtol=1e-15)


def test_modules_that_load_others(write):
    write("loaded_inner", "from numpy import zeros, ones\nWEIGHTS = ones(3)\n", library=True)
    source = "from loaded_inner import WEIGHTS, zeros\nimport numpy as np\nHALF = np.ones(3) / 2\n"
    name = write("loaded_outer", source, library=True)
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        module = importlib.import_module(name)
        y = x * module.WEIGHTS * module.HALF
    assert type(module.WEIGHTS) is np.ndarray and type(module.HALF) is np.ndarray and module.zeros is np.zeros
    np.testing.assert_array_equal(tape.gradient(y, x), [0.5, 0.5, 0.5])


def test_a_module_that_fails_leaves_the_tape_recording(write):
    name = write("loaded_failure", "import numpy as np\nTABLE = np.ones(3)\nraise ValueError('broken')\n", library=True)
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        with pytest.raises(ValueError, match="broken"):
            importlib.import_module(name)
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("there_is_no_such_module")
        y = x**2
    np.testing.assert_array_equal(tape.gradient(y, x), 2 * X)


def test_a_tape_inside_a_module_that_is_loaded(write):
    """A program at module level is a program."""
    source = """
    import numpy as np, npgrad as ng
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([1.0, 2.0]))
        y = np.zeros(2)
        y[:] = x ** 2
    GRADIENT = tape.gradient(y, x)
    """
    for library in (True, False):
        name = write(f"loaded_tape_{library}", source, library)
        with ng.GradientTape():
            module = importlib.import_module(name)
        np.testing.assert_array_equal(module.GRADIENT, [2.0, 4.0])


@pytest.mark.once
@pytest.mark.parametrize(
    ("library", "call"),
    [
        ("scipy.spatial.transform", "m.Rotation.from_rotvec(plain[:3]).apply(plain[:3]).sum()"),
        ("scipy.interpolate", "float(m.CubicSpline(plain, plain ** 2)(0.5))"),
        ("scipy.optimize", "m.linear_sum_assignment(np.outer(plain, plain))[1].sum()"),
        ("scipy.spatial", "m.cKDTree(plain[:, None]).query(plain[:1])[0]"),
        ("scipy.signal", "m.lfilter([1.0, 0.5], [1.0], plain).sum()"),
        ("scipy.stats", "m.norm.cdf(plain).sum()"),
        ("scipy.ndimage", "m.gaussian_filter(plain, 1.0).sum()"),
        ("scipy.sparse.csgraph", "m.shortest_path(np.outer(plain, plain)).sum()"),
    ],
    ids=lambda value: value if value.startswith("scipy") else "",
)
def test_scipy_is_loaded_and_used_inside_a_function(library, call):
    pytest.importorskip("scipy")
    program = f"""
import importlib
import numpy as np, npgrad as ng
plain = np.linspace(0.1, 1.0, 6)
def f(x):
    m = importlib.import_module("{library}")
    plain = np.linspace(0.1, 1.0, 6)
    return (x * x).sum() * {call}
gradient = ng.grad(f)(np.array([1.0, 2.0]))
np.testing.assert_allclose(gradient, np.array([2.0, 4.0]) * f(np.array([1.0, 0.0])), rtol=1e-15)
np.testing.assert_array_equal(ng.grad(f)(np.array([1.0, 2.0])), gradient)
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "code",
    [
        "work = np.ma.masked_array([1.0, 2.0], [0, 1]).filled(3.0); work[:] *= x; return np.sum(work * x)",
        "work = np.ma.filled(np.ma.masked_array([1.0, 2.0], [0, 1]), 3.0); work[:] *= x; return np.sum(work * x)",
        "return np.polynomial.Polynomial([1.0, *x])(x[0])",
        "draws = np.random.default_rng(0).normal(size=2); return np.sum(draws * x * x)",
        "from numpy.random import default_rng; draws = default_rng(0).normal(size=2); return np.sum(draws * x * x)",
        "import numpy.random; return np.sum(numpy.random.RandomState(0).uniform(size=2) * x * x)",
        "table = np.rec.fromarrays([[1.0, 2.0], [3.0, 4.0]], names='a,b'); return np.sum(table.a * x * table.b)",
        "import json; return np.sum(np.array(json.loads(json.dumps([1.0, 2.0]))) * x * x)",
        "import json; json.dumps(x.tolist()); return np.sum(x * x)",
    ],
)
def test_modules_that_few_programs_load_are_loaded_by_the_first_tape(code: str) -> None:
    program = f"""
import numpy as np, npgrad as ng
def program(x):
    {code}
point, steps = np.array([0.5, 1.5]), 1e-5 * np.eye(2)
found = [ng.grad(program)(point) for _ in range(2)]
with ng.GradientTape() as tape:
    x = tape.watch(point)
    y = program(x)
differences = [(program(point + step) - program(point - step)) / 2e-5 for step in steps]
print([*[g.tolist() for g in [*found, tape.gradient(y, x)]], list(map(float, differences))])
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first, again, by_tape, differences = eval(done.stdout)
    assert first == again == by_tape
    np.testing.assert_allclose(first, differences, rtol=1e-8)
