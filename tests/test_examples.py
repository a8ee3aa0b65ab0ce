"""The legacy scripts: values bit for bit, Jacobians of both modes against Richardson differences of the plain function."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import npgrad as ng
from npgrad import finite_difference

# NumPy 2.5 says so of `x.shape = ...`, which legacy code is full of.
SET_SHAPE = "ignore:Setting the shape on a NumPy array"
pytestmark = pytest.mark.filterwarnings(f"{SET_SHAPE}:DeprecationWarning")

EXAMPLES = Path(__file__).parents[1] / "examples"
_spec = importlib.util.spec_from_file_location("run_all", EXAMPLES / "run_all.py")
run_all = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(run_all)
RUNS = run_all.runs()


def by_script(run):
    return run["script"]


@pytest.mark.parametrize("run", RUNS, ids=by_script)
def test_values_and_jacobians(run):
    function = getattr(run_all.load(run["script"]), run["function"])
    plain = np.array(function(*run_all.arguments(run)))
    differences = finite_difference.jacobian(function, method="richardson", step=run.get("step"))(*run_all.arguments(run))
    for mode in ("forward", "reverse"):
        value, rows = ng.value_and_jacobian(function, mode=mode)(*run_all.arguments(run))
        assert type(value) is not ng.TracedArray and type(rows) is np.ndarray
        assert run_all.same_bits(plain, value)
        assert run_all.relative_error(rows, differences) < 1e-7
    # Work arrays and other state are the module's own again, and the program goes on as before.
    assert run_all.same_bits(plain, np.array(function(*run_all.arguments(run))))


@pytest.mark.parametrize("run", RUNS, ids=by_script)
def test_the_tape_follows_them_too(run):
    """With the names in place and `instrument` for what the module bound before."""
    module = run_all.load(run["script"])
    point, *further = run_all.arguments(run)
    with ng.instrument(module), ng.GradientTape() as tape:
        x = tape.watch(point)
        y = getattr(module, run["function"])(x, *map(ng.array, further) if run["script"] == "thomas.py" else further)
    rows = tape.jacobian(y, x)
    expected = ng.jacobian(getattr(module, run["function"]))(*run_all.arguments(run))
    np.testing.assert_allclose(rows, expected, rtol=1e-9, atol=1e-12 * np.abs(expected).max())


def test_no_script_knows_npgrad_and_all_are_run():
    scripts = sorted((EXAMPLES / "legacy").glob("*.py"))
    assert sorted(run["script"] for run in RUNS) == [path.name for path in scripts]
    table = (EXAMPLES / "legacy" / "README.md").read_text()
    for path in scripts:
        assert "npgrad" not in path.read_text()
        assert ast.get_docstring(ast.parse(path.read_text()))
        assert f"| {path.name} |" in table


@pytest.mark.parametrize("run", RUNS, ids=by_script)
def test_the_plain_run_prints(run):
    command = [sys.executable, "-B", "-W", SET_SHAPE, EXAMPLES / "legacy" / run["script"]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout and not done.stderr


def test_run_all_tells_a_wrong_derivative(monkeypatch, capsys):
    right = ng.value_and_jacobian

    def slightly_wrong(function, **options):
        def both(*args):
            value, rows = right(function, **options)(*args)
            return value, rows * (1 + 1e-6)

        return both

    assert run_all.main(["lorenz", "thomas"]) == 0
    monkeypatch.setattr(run_all.npgrad, "value_and_jacobian", slightly_wrong)
    assert run_all.main(["lorenz", "thomas"]) == 2
    assert capsys.readouterr().out.count("WRONG") == 2
