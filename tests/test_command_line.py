"""``python -m npgrad``: what it prints, its exit status, and its errors of one line."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import npgrad
from npgrad import _command_line
from npgrad._agreement import agreement
from npgrad._command_line import AGREE, DISAGREE, FAILED, main
from npgrad._registry import RULES, UNSUPPORTED

ROOT = Path(__file__).parents[1]

SCRIPT = '''
import numpy as np
print("a script that prints")
work = np.zeros(2)
calls = 0

def both(x):
    out = np.empty(2)
    out[0] = x[0] * x[1]
    out[1] = np.exp(x[1])
    return out

def energy(x, scale=1.0, name="euler", rows=None):
    assert name == "euler"
    extra = 0.0 if rows is None else rows.sum()
    return scale * np.sum(x ** 2) + extra * x[0]

def power(n, x):
    return x ** n

def overwrites(x):
    x *= 2.0
    work[:] = x
    return work

def pair(x):
    return {"a": x ** 2, "b": (x[0] + x[1], x[1])}

def large(x):
    return np.outer(x, x)

def fails(x):
    y = x[0]
    return x[17] + y

def unseen(x):
    hidden = np.frombuffer(memoryview(x))
    return x * hidden

def none(x):
    pass

def text(x):
    return "abc"

def integers(x):
    return x.astype(int)

def empty(x):
    return ()

def leaky(x):
    return float(x[0]) * x[1]

def no_rule(x):
    return np.cumsum(x)

def leaves(x):
    raise SystemExit("bye")

def stateful(x):
    global calls
    calls += 1
    return x * calls

def kinked(x):
    return np.maximum(x - 1.0, 0.0) * 1e3

class Model:
    def __init__(self):
        self.state = np.zeros(2)
    def run(self, x):
        self.state[:] = x
        return self.state * self.state

model = Model()
constant = 3.0

if __name__ == "__main__":
    raise RuntimeError("the main part must not run")
'''


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "legacy_script.py"
    path.write_text(SCRIPT)
    return path


@pytest.fixture
def run(script, capsys):
    def call(command, function, *options):
        status = main([command, f"{script}:{function}", *options])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def refused(result):
    """The one line of a refusal."""
    status, _, err = result
    assert status == FAILED
    line = err.splitlines()[-1]
    assert line.startswith("npgrad: error: ") and "Traceback" not in err
    assert len([part for part in err.splitlines() if not part.startswith("npgrad: note: ")]) == 1
    return line


def test_a_jacobian_with_its_comparison(run):
    status, out, err = run("jacobian", "both", "--at", "[2.0, 0.0]")
    assert (status, err) == (AGREE, "")
    assert "a script that prints" in out
    assert "value\n[0., 1.]" in out
    assert "jacobian, shape (2, 2)\n[[0., 2.],\n [0., 1.]]" in out
    largest, allowed = map(float, re.search(r"largest error (\S+) at \[\d, \d\] of (\S+) allowed", out).groups())
    assert 0 < largest < 1e-8 and largest < allowed < 1e-5
    assert re.search(r"npgrad +1 evaluation, \d+\.\d+ s", out)
    assert re.search(r"differences +9 evaluations, \d+\.\d+ s", out)


@pytest.mark.parametrize("mode", ["forward", "reverse", "auto"])
def test_modes(run, mode):
    assert run("jacobian", "both", "--at", "[2.0, 0.0]", "--mode", mode)[0] == AGREE


def test_a_gradient(run):
    status, out, _ = run("grad", "energy", "--at", "[1.0, -2.0]")
    assert status == AGREE and "grad, shape (2,)\n[ 2., -4.]" in out


def test_fixed_arguments_of_all_forms(run, tmp_path):
    np.save(tmp_path / "rows.npy", np.ones((2, 3)))
    for rows in (str(tmp_path / "rows.npy"), "[[1, 2], [3, 0]]"):
        status, out, err = run("grad", "energy", "--at", "[1.0, -2.0]", "--arg", "0.5", "--arg", "'euler'", "--arg", rows)
        assert status == AGREE, err
        assert "grad, shape (2,)\n[ 7., -2.]" in out


def test_points_from_files(run, tmp_path):
    x = np.array([2.0, 0.0])
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", x=x)
    np.savetxt(tmp_path / "x.csv", x[None], delimiter=",")
    for name in ("x.npy", "x.npz", "x.csv"):
        status, out, _ = run("jacobian", "both", "--at", str(tmp_path / name))
        assert status == AGREE and "[[0., 2.],\n [0., 1.]]" in out


def test_the_position_of_the_point(run):
    status, out, _ = run("grad", "power", "--at", "2.0", "--argnum", "1", "--arg", "3")
    assert status == AGREE and "grad, shape ()\n12." in out
    line = refused(run("grad", "power", "--at", "2.0", "--argnum", "2", "--arg", "3"))
    assert "--argnum 2: with 1 --arg it is from 0 to 1" in line


def test_an_integer_point_is_converted_with_a_note(run):
    status, out, err = run("jacobian", "both", "--at", "[2, 0]")
    assert status == AGREE and "[0., 1.]]" in out
    assert err == "npgrad: note: the integer point was converted to float\n"
    assert "12." in run("grad", "power", "--at", "2", "--argnum", "1", "--arg", "3")[1]


def test_a_function_that_overwrites_its_argument_and_a_work_array(run):
    status, out, _ = run("jacobian", "overwrites", "--at", "[1.5, 0.5]")
    assert status == AGREE and "value\n[3., 1.]" in out and "[[2., 0.],\n [0., 2.]]" in out


def test_a_method_of_an_object_of_the_script(run):
    status, out, _ = run("jacobian", "model.run", "--at", "[1.5, 0.5]")
    assert status == AGREE and "[[3., 0.],\n [0., 1.]]" in out


def test_structures(run):
    status, out, _ = run("jacobian", "pair", "--at", "[1.5, 0.5]")
    assert status == AGREE and out.count("agrees with") == 3
    assert "jacobian 0, shape (2, 2)" in out and "jacobian 2, shape (2,)\n[0., 1.]" in out


def test_large_results_are_printed_compactly(run):
    status, out, _ = run("jacobian", "large", "--at", str([float(i) for i in range(1, 13)]))
    assert status == AGREE and "jacobian, shape (12, 12, 12)" in out and "..." in out
    assert len(out.splitlines()) < 100


def test_disagreement_is_seen(run, monkeypatch):
    def slightly_wrong(f, *options, **keywords):
        both = npgrad.value_and_jacobian(f, *options, **keywords)

        def wrapped(*args):
            value, rows = both(*args)
            rows[1, 1] *= 1 + 1e-5
            return value, rows

        return wrapped

    monkeypatch.setattr(_command_line, "value_and_jacobian", slightly_wrong)
    status, out, _ = run("jacobian", "both", "--at", "[2.0, 0.0]")
    assert status == DISAGREE and re.search(r"DISAGREES with central differences: largest error 1\.00e-05 at \[1, 1\]", out)


def test_a_kink_and_a_state_disagree(run):
    status, out, _ = run("jacobian", "kinked", "--at", "[1.0000001, 3.0]")
    assert status == DISAGREE and "at [0, 0]" in out and "a kink or a switch" in out
    assert run("jacobian", "kinked", "--at", "[1.1, 3.0]")[0] == AGREE
    status, out, _ = run("jacobian", "stateful", "--at", "[1.0, 2.0]")
    assert status == DISAGREE and "does the function keep state from call to call?" in out


def test_the_line_that_loses_a_derivative_is_named(run):
    status, _, err = run("jacobian", "unseen", "--at", "[1.0, 3.0]")
    number = SCRIPT.splitlines().index("    hidden = np.frombuffer(memoryview(x))") + 1
    assert status == DISAGREE and re.search(rf"legacy_script.py:{number}: hidden is traced data made from plain data", err)


@pytest.mark.parametrize(
    "command, function, options, message",
    [
        ("jacobian", "nothing", ["--at", "[1.0]"], "no function nothing (there are: both, energy"),
        ("jacobian", "constant", ["--at", "[1.0]"], "constant is not a function but float"),
        ("jacobian", "both", ["--at", "[1.0, 2.0"], "--at [1.0, 2.0: neither a number, a JSON or Python literal"),
        ("jacobian", "both", ["--at", "__import__('os').getcwd()"], "neither a number"),
        ("jacobian", "both", ["--at", "'text'"], "must be a real number or an array of real numbers"),
        ("jacobian", "both", ["--at", "[1.0, [2.0]]"], "the rows have different lengths"),
        ("jacobian", "both", ["--at", "[1j, 2.0]"], "must be a real number"),
        ("jacobian", "both", ["--at", "[true, false]"], "must be a real number"),
        ("jacobian", "both", ["--at", "true"], "must be a real number"),
        ("jacobian", "both", ["--at", "[]"], "the point is empty"),
        ("jacobian", "both", ["--at", "missing.npy"], "--at missing.npy: [Errno 2] No such file"),
        ("grad", "energy", ["--at", "[1.0]", "--arg", "euler"], "--arg euler: neither a number"),
        ("jacobian", "none", ["--at", "[1.0]"], "none returned NoneType: it must return numbers or arrays"),
        ("jacobian", "text", ["--at", "[1.0]"], "text returned str: it must return numbers or arrays"),
        ("jacobian", "integers", ["--at", "[1.0]"], "integers returned integers (ndarray): their derivative is zero"),
        ("jacobian", "empty", ["--at", "[1.0]"], "empty returned an empty tuple"),
        ("grad", "both", ["--at", "[1.0, 2.0]"], "both returned no real scalar, which grad needs: use jacobian"),
        ("jacobian", "leaves", ["--at", "[1.0]"], "SystemExit: bye (the code called exit)"),
    ],
)
def test_refusals(run, command, function, options, message):
    assert message in refused(run(command, function, *options))


@pytest.mark.parametrize(
    "function, error, source",
    [
        ("fails", "IndexError: index 17 is out of bounds", "return x[17] + y"),
        ("leaky", "LeakError: ", "return float(x[0]) * x[1]"),
        ("both", "IndexError: index 1 is out of bounds", "out[0] = x[0] * x[1]"),
    ],
)
def test_errors_inside_the_function_name_its_line(run, script, function, error, source):
    line = refused(run("jacobian", function, "--at", "[1.0]" if function == "both" else "[1.0, 2.0]"))
    number = SCRIPT.splitlines().index(f"    {source}") + 1
    assert f"{script}:{number}:" in line and error in line


def test_a_function_without_a_rule(run, script, monkeypatch):
    monkeypatch.delitem(RULES, np.cumsum)
    monkeypatch.setitem(UNSUPPORTED, np.cumsum, "taken away")
    line = refused(run("jacobian", "no_rule", "--at", "[1.0, 2.0]"))
    number = SCRIPT.splitlines().index("    return np.cumsum(x)") + 1
    assert f"NoRuleError: {script}:{number}: numpy.cumsum has no derivative rule" in line and "taken away" in line


def test_leaks_can_be_let_through(run):
    status, out, _ = run("jacobian", "leaky", "--at", "[3.0, 2.0]", "--leaks", "ignore")
    assert status == DISAGREE and "jacobian, shape (2,)\n[0., 3.]" in out


@pytest.mark.parametrize(
    "text, message",
    [
        ("def f(x:\n    pass\n", ":1: SyntaxError: "),
        ("import numpy\nx = 1 / 0\n", ":2: ZeroDivisionError: division by zero"),
        ("import no_such_module_anywhere\n", ":1: ModuleNotFoundError: No module named"),
        ("import sys\nsys.exit(3)\n", "SystemExit: 3 (the code called exit)"),
        ("def g(x):\n    raise ValueError('two\\nlines')\ng(1)\n", ":2: ValueError: two lines"),
    ],
)
def test_scripts_that_do_not_import(tmp_path, capsys, text, message):
    path = tmp_path / "broken.py"
    path.write_text(text)
    status = main(["jacobian", f"{path}:f", "--at", "1.0"])
    line = refused((status, *capsys.readouterr()))
    assert message in line and (str(path) in line or "exit" in line)
    assert "broken" not in sys.modules


def test_files_and_targets_that_are_not_there(tmp_path, capsys):
    status = main(["jacobian", f"{tmp_path}/none.py:f", "--at", "1.0"])
    assert "none.py: no such file" in refused((status, *capsys.readouterr()))
    for target in ("script.py", ":f", "script.py:"):
        status = main(["jacobian", target, "--at", "1.0"])
        assert "path/to/script.py:function" in refused((status, *capsys.readouterr()))
    (tmp_path / "data.txt").write_text("1 2 3")
    status = main(["jacobian", f"{tmp_path}/data.txt:f", "--at", "1.0"])
    assert "not a Python file" in refused((status, *capsys.readouterr()))
    np.savez(tmp_path / "two.npz", a=1.0, b=2.0)
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    (tmp_path / "words.csv").write_text("one,two\n")
    (tmp_path / "f.py").write_text("def f(x): return x")
    wrong = {"two.npz": "holds 2 arrays", "objects.npy": "allow_pickle", "words.csv": "could not convert"}
    for name, message in wrong.items():
        status = main(["jacobian", f"{tmp_path}/f.py:f", "--at", str(tmp_path / name)])
        assert message in refused((status, *capsys.readouterr()))


def test_the_scripts_neighbours_and_the_interpreters_state(tmp_path, capsys):
    (tmp_path / "neighbour_of_it.py").write_text("factor = 3.0\n")
    (tmp_path / "fractions.py").write_text("from neighbour_of_it import factor\ndef f(x): return factor * x\n")
    import fractions

    path_before = list(sys.path)
    assert main(["grad", f"{tmp_path}/fractions.py:f", "--at", "1.0"]) == AGREE
    assert "\n3.\n" in capsys.readouterr().out.replace("3.0\n", "3.\n")
    assert sys.modules["fractions"] is fractions and sys.path == path_before
    sys.modules.pop("neighbour_of_it")


def test_a_script_that_reads_its_own_command_line(tmp_path, capsys):
    """It has the words of ``python script.py``, not those of npgrad, also where it reads them later."""
    path, words = tmp_path / "reads_words.py", list(sys.argv)
    path.write_text(
        "import argparse, sys\n"
        "n = int(sys.argv[1]) if len(sys.argv) > 1 else 3\n"
        "parser = argparse.ArgumentParser()\n"
        "parser.add_argument('--power', type=int, default=2)\n"
        "options = parser.parse_args()\n"
        "def f(x): return n * x ** parser.parse_args().power\n"
    )
    assert main(["grad", f"{path}:f", "--at", "2.0"]) == AGREE
    assert "12." in capsys.readouterr().out and sys.argv == words


def test_the_criterion():
    differences = np.array([[1.0, 1e-6], [1e6, 1.0]])
    error = np.full((2, 2), 1e-12)
    assert agreement(differences, differences, error, 1).difference == 0
    for index in np.ndindex(2, 2):
        wrong = differences.copy()
        wrong[index] *= 1 + 2e-5
        found = agreement(wrong, differences, error, 1)
        # Only the entry that is small beside its row and its column may be off by so much of itself.
        assert found.agrees == (index == (0, 1))
        assert found.place == index
    for broken in (np.nan, np.inf):
        wrong = differences.copy()
        wrong[0, 0] = broken
        assert not agreement(wrong, differences, error, 1).agrees
        assert not agreement(differences, wrong, error, 1).agrees
        assert agreement(wrong, wrong, error, 1).agrees
    assert agreement(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros((0, 2)), 1).agrees


def test_in_a_process_of_its_own(script):
    def process(*options):
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [sys.executable, "-m", "npgrad", *options], capture_output=True, text=True, env=environment, check=False
        )

    done = process("jacobian", f"{script}:both", "--at", "[2.0, 0.0]")
    assert done.returncode == AGREE and "agrees" in done.stdout and not done.stderr
    done = process("jacobian", f"{script}:fails", "--at", "[2.0, 0.0]")
    assert done.returncode == FAILED and done.stderr.count("\n") == 1
    assert process("--version").stdout.startswith(f"npgrad {npgrad.__version__}")
    for help_text in (process("--help").stdout, process("jacobian", "--help").stdout):
        assert "10 times that estimate" in " ".join(help_text.split())
    assert process("hessian").returncode == FAILED


def test_what_rounding_leaves_beside_differences_of_zero():
    differences = np.array([[0.0, 0.0], [2.0, 1.0]])
    rounded = np.array([[2e-16, -1e-16], [2.0, 1.0]])
    assert agreement(rounded, differences, 0 * differences, 1).agrees
    assert not agreement(differences, rounded, 0 * differences, 1).agrees  # a derivative is lost, however small
    assert not agreement(1e2 * rounded, differences, 0 * differences, 1).agrees


def test_integers_beside_other_results(tmp_path, capsys):
    (tmp_path / "counting.py").write_text("def f(x):\n    return x * x, len(x), x > 1.0\n")
    assert main(["jacobian", f"{tmp_path / 'counting.py'}:f", "--at", "[1.0, 2.0]"]) == AGREE
    assert capsys.readouterr().out.count("agrees with central differences") == 3


def test_complex_values_at_a_real_point(tmp_path, capsys):
    (tmp_path / "waves.py").write_text("import numpy as np\ndef f(x):\n    return np.exp(1j * x) * x[0]\n")
    assert main(["jacobian", f"{tmp_path / 'waves.py'}:f", "--at", "[0.5, 1.5]"]) == AGREE
    assert "of the real part" in capsys.readouterr().out
