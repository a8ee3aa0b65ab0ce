"""npgrad.compare: known errors, slopes, kinks and noise; its text, JSON, plot and command line."""

import contextlib
import importlib.util
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import npgrad as ng
from npgrad import _progress
from npgrad._command_line import AGREE, DISAGREE, FAILED, main
from npgrad._measured_methods import METHODS, Method
from npgrad._progress import Progress

# NumPy 2.5 says so of `x.shape = ...`, which legacy code is full of.
pytestmark = pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning")

EXAMPLES = Path(__file__).parents[1] / "examples"
_spec = importlib.util.spec_from_file_location("run_all_compared", EXAMPLES / "run_all.py")
run_all = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(run_all)

POINT = np.array([0.7, -1.3, 2.1])
OURS = ["npgrad reverse", "npgrad forward", "2-point", "3-point", "richardson", "complex-step"]


def smooth(x):
    out = np.empty(3, x.dtype)
    out[0] = np.sin(x[0]) * x[1]
    out[1] = np.exp(x[1] * x[2] / 4)
    out[2] = x[2] ** 3
    return out


def smooth_jacobian(x):
    a, b, c = x
    e = np.exp(b * c / 4) / 4
    return np.array([[np.cos(a) * b, np.sin(a), 0], [0, c * e, b * e], [0, 0, 3 * c**2]])


@pytest.fixture(scope="module")
def report():
    return ng.compare(smooth, POINT, methods=OURS, reference=smooth_jacobian(POINT))


def by_name(report):
    return {row.method: row for row in report.methods}


def note(report, start):
    (found,) = [line for line in report.notes if line.startswith(start)]
    return found


@pytest.mark.parametrize(
    "method, least, most, evaluations",
    [
        ("npgrad reverse", 0, 1e-15, 1),
        ("npgrad forward", 0, 1e-15, 1),
        ("2-point", 1e-9, 1e-7, 4),
        ("3-point", 1e-12, 1e-9, 7),
        ("richardson", 0, 1e-12, None),
        ("complex-step", 0, 1e-15, 4),
    ],
)
def test_errors_have_their_order_of_magnitude(report, method, least, most, evaluations):
    row = by_name(report)[method]
    assert least <= row.largest_error <= most
    assert row.median_error <= row.largest_error
    assert row.against == "reference" and row.refused is None
    assert row.seconds > 0 and row.over_plain == pytest.approx(row.seconds / report.plain_seconds)
    assert row.evaluations == evaluations or evaluations is None
    assert method.startswith("npgrad") or row.largest_error <= 10 * row.own_estimate < 1e3 * most


def test_the_v_curve(report):
    sweep = report.sweep
    for errors, order, best in ((sweep.forward, 1, 1e-6), (sweep.central, 2, 1e-9)):
        at = dict(zip(sweep.steps, errors, strict=True))
        steps = list(at)
        assert math.log10(at[steps[2]] / at[steps[4]]) == pytest.approx(order, abs=0.1)  # one decade, on the left arm
        assert min(errors) < best < errors[-1]  # rounding on the right arm
    assert 1e-10 < sweep.steps[int(np.argmin(sweep.forward))] < 1e-6 < sweep.steps[int(np.argmin(sweep.central))] < 1e-3
    assert sweep.complex_step[0] > 1e-4 and max(sweep.complex_step[9:]) < 1e-14


def test_the_taylor_remainder_has_order_two_over_four_decades(report):
    assert report.taylor.order == pytest.approx(2, abs=0.02) and report.taylor.decades >= 3.9
    assert report.notes == [] and report.agrees


def test_a_wrong_derivative_leaves_order_one(monkeypatch):
    right = METHODS["npgrad reverse"]
    wrong = Method(lambda problem: (right.run(problem)[0] * (1 + 1e-5), None))
    monkeypatch.setitem(METHODS, "npgrad reverse", wrong)
    report = ng.compare(smooth, POINT, methods=OURS)
    assert not report.agrees and "DISAGREES with complex-step" in report.verdict
    assert report.taylor.order < 1.5 and note(report, "the Taylor remainder falls with order")


def test_without_a_reference_each_side_measures_the_other():
    rows = by_name(ng.compare(smooth, POINT, methods=OURS))
    assert rows["npgrad reverse"].against == "complex-step" and rows["complex-step"].against == "npgrad reverse"
    assert rows["npgrad forward"].largest_error < 1e-15 and 1e-9 < rows["2-point"].largest_error < 1e-7


def test_a_linear_function_has_no_remainder():
    report = ng.compare(lambda x: 3 * x, POINT, methods=OURS)
    assert report.taylor.order is None and report.agrees and "no more than rounding" in str(report)


def test_a_kink_at_the_point():
    report = ng.compare(lambda x: np.maximum(x, 0) + x**2, np.array([0.0, 1.0]), methods=OURS[:-1])
    assert "kink at the point: one-sided derivatives of value 0" in note(report, "kink")
    assert report.taylor.order == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("distance", [1e-4, 1e-5, 1e-6])
def test_a_kink_near_the_point(distance):
    def f(x):
        return np.array([x[1] ** 3, np.abs(x[0] - 0.3) + x[1] ** 2])

    report = ng.compare(f, np.array([0.3 + distance, 0.7]), methods=OURS)
    found = note(report, "kink within about")
    assert distance / 10 < float(found.split("about ")[1].split()[0]) < 10 * distance * 10 and "value 1" in found
    assert report.agrees and np.isfinite(report.methods[0].largest_error)
    assert note(report, "complex-step contradicts")


@pytest.mark.parametrize("size", [1e-8, 1e-6, 1e-4])
def test_noise(size):
    def f(x):
        chaos = np.floor(1e4 * np.sin(1e11 * x)) % 17 / 17  # no two steps alike, no derivative
        return np.sin(x).sum() + size * chaos.sum()

    report = ng.compare(f, np.array([0.3, 0.7]), methods=OURS[:4])
    level = float(note(report, "noise").split("by ")[1].split()[0])
    assert size / 5 < level < 5 * size
    assert not [line for line in report.notes if line.startswith("kink")]


def test_single_precision_inside_is_noise():
    report = ng.compare(lambda x: np.sin(x).astype(np.float32).astype(float).sum(), POINT, methods=OURS[:-1])
    assert 1e-9 < float(note(report, "noise").split("by ")[1].split()[0]) < 1e-6
    assert report.agrees and "richardson" in report.verdict  # 2-point claims a small error, and is wrong


@pytest.mark.parametrize("f", [smooth, np.exp, lambda x: x**2, lambda x: np.linalg.norm(x) * np.cos(40 * x)])
def test_smooth_functions_have_neither_kinks_nor_noise(f):
    assert ng.compare(f, POINT, methods=OURS[:-1]).notes == []


def test_state_is_told():
    calls = []

    def f(x):
        calls.append(1)
        return x * len(calls)

    report = ng.compare(f, POINT, methods=OURS[:3])
    assert note(report, "the function gives other values for the same arguments") and report.taylor is None


def test_refusals_are_rows():
    report = ng.compare(lambda x: np.abs(x) * 1.0, POINT, methods=OURS)
    row = by_name(report)["complex-step"]
    assert row.refused.startswith("TypeError: the function dropped the imaginary part") and row.largest_error is None
    assert "complex-step    refuses: TypeError" in str(report) and report.agrees

    leaky = ng.compare(lambda x: x * math.floor(x[0]) + float(x[1]), POINT, methods=OURS)
    assert not leaky.agrees and leaky.verdict.startswith("npgrad gives no derivative: LeakError")
    assert by_name(leaky)["3-point"].largest_error is not None


def test_arguments_are_not_touched_and_argnums_and_bounds_work():
    def f(n, x, work):
        work += x
        x *= n
        return x * work

    x, work = np.array([0.0, 2.0]), np.ones(2)
    report = ng.compare(f, 3, x, work, argnums=1, bounds=(0, np.inf), methods=OURS)
    assert report.agrees and report.sweep is None
    np.testing.assert_array_equal([x, work], [[0, 2], [1, 1]])


def test_structures_and_scalars():
    report = ng.compare(lambda x: {"a": x**2, "b": (np.sin(x), [1.0])}, 0.5, methods=OURS)
    assert report.agrees and (report.elements, report.values) == (1, 3)


@pytest.mark.parametrize(
    "argument, error, message",
    [
        ({"a": POINT}, TypeError, "argument 1 is a dict"),
        ([1.0, 2.0], TypeError, "argument 1 is a list"),
        (np.arange(3), TypeError, "has dtype int64"),
        (POINT + 0j, TypeError, "has dtype complex128"),
        (np.array([1.0, np.inf]), ValueError, "is not finite"),
        (np.zeros((0, 2)), ValueError, "has no elements"),
    ],
)
def test_arguments_that_are_refused(argument, error, message):
    with pytest.raises(error, match=f"argument 1.*{message}|{message}"):
        ng.compare(lambda n, x: x, 3, argument, argnums=1)
    with pytest.raises(TypeError, match="differentiates functions, got float"):
        ng.compare(3.0, POINT)


def test_what_the_function_raises_at_the_point_is_passed_on():
    def f(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        ng.compare(f, POINT)

    def only_there(x):
        if not np.array_equal(x, POINT):
            raise KeyError("moved")
        return x * 2.0

    report = ng.compare(only_there, POINT, methods=OURS)
    assert by_name(report)["3-point"].refused == "KeyError: 'moved'" and by_name(report)["npgrad reverse"].refused is None
    assert report.verdict.startswith("nothing to compare with")


@pytest.mark.parametrize("dtype, most", [(np.float16, 1e-2), (np.float32, 1e-6), (np.longdouble, 1e-18)])
def test_precisions(dtype, most):
    report = ng.compare(lambda x: np.sin(x) * x, POINT.astype(dtype))
    assert report.agrees and report.notes == [] and by_name(report)["npgrad reverse"].largest_error < most
    json.loads(report.to_json())


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.astype(np.float32) ** 2,
        lambda x: np.sin(x.astype(np.float32)),
        lambda x: np.exp(x.astype(np.float32)).sum() * x.astype(np.float32),
        lambda x: np.exp(x).astype(np.float32),
    ],
)
@pytest.mark.parametrize("point", [POINT, np.linspace(0.3, 3.0, 7)])
def test_values_that_are_less_precise_than_the_argument(f, point):
    """Differences of them know the derivative less well, in all methods; npgrad has it to single precision."""
    report = ng.compare(f, point)
    assert report.agrees, report.verdict
    for row in report.methods:
        assert row.own_estimate is None or row.largest_error <= 10 * row.own_estimate


def test_a_reference_in_the_precision_of_the_value():
    single = np.linspace(0.3, 3.0, 7).astype(np.float32)
    point = single.astype(float)
    exact = np.diag(np.cos(point) * np.exp(np.sin(point)))
    report = ng.compare(lambda x: np.exp(np.sin(x)), single, methods=OURS, reference=exact)
    assert report.agrees and report.methods[0].largest_error > 1e-7
    assert not ng.compare(np.sin, single, methods=OURS, reference=1.0001 * np.diag(np.cos(point))).agrees
    assert not ng.compare(np.sin, point, methods=OURS, reference=(1 + 2e-7) * np.diag(np.cos(point))).agrees


def test_values_of_integers_are_noted():
    assert note(ng.compare(lambda x: np.floor(x).astype(int), POINT, methods=OURS), "the value is of integers")
    assert not [one for one in ng.compare(np.floor, POINT, methods=OURS).notes if "integers" in one]


def test_complex_values_are_two_real_ones():
    def f(x):
        return np.exp(1j * x) * x[0]

    report = ng.compare(f, POINT, methods=OURS)
    assert report.values == 6 and report.agrees and "the value is complex" in report.notes[0]
    assert by_name(report)["npgrad forward"].largest_error < 1e-11
    exact = np.diag(1j * np.exp(1j * POINT) * POINT[0])
    exact[:, 0] += np.exp(1j * POINT)
    known = ng.compare(f, POINT, methods=OURS, reference=exact)
    assert by_name(known)["npgrad reverse"].largest_error < 1e-15


@pytest.mark.parametrize("f", [np.sign, np.floor, lambda x: np.where(x > 0, 1.0, -1.0) * np.cos(x)])
def test_a_jump_at_the_point(f):
    found = note(ng.compare(f, np.array([0.0, 0.4]), methods=OURS[:-1]), "jump")
    assert found.startswith("jump at the point: value 0 changes by 1") or "changes by 2" in found


@pytest.mark.parametrize("distance", [1e-4, 1e-7])
def test_a_jump_near_the_point(distance):
    report = ng.compare(lambda x: np.floor(x) + x**2, np.array([2.0 + distance, 2.5]), methods=OURS[:-1])
    found = note(report, "jump within about")
    assert distance / 30 < float(found.split("about ")[1].split()[0]) < 30 * distance and "value 0" in found
    assert report.agrees


def test_values_that_are_not_finite_are_left_out():
    report = ng.compare(lambda x: np.where(x > 1, np.nan, x**2), POINT, methods=OURS)
    assert note(report, "value 2 is not finite at the point, and left out") and report.agrees
    assert all(np.isfinite(row.largest_error) for row in report.methods)
    broken = ng.compare(lambda x: x * np.nan, POINT, methods=OURS)
    assert note(broken, "values 0, 1, 2 are not finite")


def test_infinite_derivatives_are_told_and_not_measured():
    report = ng.compare(np.sqrt, np.array([0.0, 1.0]), methods=OURS)
    assert note(report, "the derivative is infinite for 1 entries, the first at value 0, element 0") and report.agrees
    assert by_name(report)["npgrad reverse"].largest_error < 1e-9

    @ng.custom_gradient
    def wrong(x):
        return x * 2.0, lambda ct: ct * np.inf

    told = ng.compare(wrong, POINT, methods=["npgrad reverse", "3-point", "richardson"])
    assert not told.agrees and not told.notes


def test_no_warnings_from_points_away_from_the_given_one():
    """Warnings are errors here: none comes from logarithms of negative numbers, or from what other packages make of them."""
    report = ng.compare(np.log, np.array([1e-9, 1e-3]))
    assert report.agrees and np.isnan(by_name(report)["3-point"].largest_error)


def test_constants_and_functions_that_vary_over_short_lengths():
    for constant in (lambda x: 3.0, lambda x: np.ones(2), lambda x: 0 * x):
        report = ng.compare(constant, POINT, methods=OURS[:-1])
        assert report.agrees and report.notes == [] and by_name(report)["npgrad reverse"].largest_error == 0
    short = ng.compare(lambda x: np.sin(x * 1e12), POINT * 1e-12, methods=OURS, step=1e-13)
    assert short.agrees and short.notes == [] and by_name(short)["richardson"].largest_error < 1e-10
    assert not [one for one in ng.compare(lambda x: np.sin(x * 1e12), POINT * 1e-12).notes if one.startswith("noise")]


# --- Sparse, and the cost by the number of elements ----------------------------------------------------------------


def grid(u):
    out = np.zeros(len(u), u.dtype)
    out[1:-1] = u[2:] * u[1:-1] + u[:-2]
    return out


@pytest.mark.once
def test_sparse_where_it_fits():
    report = ng.compare(grid, np.linspace(0.1, 1, 40))
    row = by_name(report)["npgrad sparse"]
    assert row.largest_error < 1e-15 and report.agrees
    for dense in (smooth, lambda x: np.cumsum(x)):
        assert "npgrad sparse" not in by_name(ng.compare(dense, POINT))
    assert "npgrad sparse" not in by_name(ng.compare(np.cumsum, np.linspace(0, 1, 40), methods=None))
    asked = ng.compare(smooth, POINT, methods=["npgrad sparse", "complex-step"])
    assert asked.agrees and asked.methods[0].largest_error < 1e-15


def test_costs_are_measured_by_the_first_elements():
    u = np.linspace(0.1, 1, 20).reshape(4, 5)
    seen = []

    def f(x, scale):
        seen.append(np.asarray(x).shape)
        return grid(x.ravel()) * scale

    methods = ["npgrad reverse", "npgrad forward", "npgrad sparse", "3-point", "complex-step"]
    report = ng.compare(f, u, 2.0, methods=methods, bounds=(0.0, np.linspace(1.1, 2, 20).reshape(4, 5)), step=u / 100)
    assert set(report.costs) == set(methods) and set(seen) == {(4, 5)}
    for name, points in report.costs.items():
        assert [n for n, _ in points] == [1, 4, 16, 20] and points[-1][1] == by_name(report)[name].seconds
    assert json.loads(report.to_json())["costs"]["3-point"][-1][0] == 20
    assert [n for n, _ in ng.compare(np.sin, 0.5, methods=OURS).costs["3-point"]] == [1]


def test_bad_names_and_positions():
    with pytest.raises(ValueError, match="methods must be among npgrad reverse"):
        ng.compare(smooth, POINT, methods=["4-point"])
    with pytest.raises(ValueError, match="argnums 2 but there are 1"):
        ng.compare(smooth, POINT, argnums=2)


def test_packages_that_are_not_installed_are_left_out(monkeypatch):
    monkeypatch.setitem(METHODS, "absent", Method(lambda p: 1 / 0, module="no_such_module"))
    assert "absent" not in by_name(ng.compare(smooth, POINT))


@pytest.mark.parametrize(
    "name, most",
    [("scipy 2-point", 1e-7), ("scipy 3-point", 1e-9), ("scipy cs", 1e-15), ("numdifftools", 1e-11), ("jacobi", 1e-11)],
)
def test_other_packages(name, most):
    pytest.importorskip(METHODS[name].module.split(".")[0])
    row = by_name(ng.compare(smooth, POINT, methods=["npgrad reverse", name], reference=smooth_jacobian(POINT)))[name]
    assert row.refused is None and row.largest_error < most and row.evaluations > 3


def test_text_dict_and_json(report):
    lines = str(report).splitlines()
    assert lines[0].startswith("smooth: 3 elements -> 3 values, one plain evaluation ")
    assert [line.split("  ")[0] for line in lines[2:8]] == OURS
    assert lines[-1] == report.verdict
    found = json.loads(report.to_json())
    assert found == json.loads(json.dumps(report.to_dict()))
    assert found["methods"][0]["method"] == "npgrad reverse" and found["taylor"]["order"] == report.taylor.order


def test_plot(report, tmp_path):
    pytest.importorskip("matplotlib")
    figure = report.plot(tmp_path / "errors.png")
    assert (tmp_path / "errors.png").read_bytes().startswith(b"\x89PNG")
    errors, cost = figure.axes
    assert [line.get_label() for line in errors.lines][:3] == ["2-point", "3-point", "complex step"]
    assert [line.get_label() for line in cost.lines] == [*OURS, "one plain evaluation"]


def test_progress(monkeypatch, capsys):
    clock = iter(np.arange(0.0, 1000.0, 0.4))
    monkeypatch.setattr(_progress.time, "perf_counter", lambda: next(clock))
    progress = Progress(True)
    progress.start("3-point")
    for _ in range(5):
        progress.tick()
    progress.clear()
    shown = capsys.readouterr().err
    assert "\r3-point: 2 evaluations, 1 s" in shown and shown.endswith("\r")


SLOW_FOR_FIVE_SECONDS = """
import time

begin = time.monotonic()


def f(x):
    if time.monotonic() < begin + 5:
        time.sleep(0.02)
    return (x**3).sum()
"""


@pytest.mark.once
@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal")
def test_progress_is_shown_on_a_terminal_only(tmp_path):
    script = tmp_path / "slow_script.py"
    script.write_text(SLOW_FOR_FIVE_SECONDS)
    command = [sys.executable, "-m", "npgrad", "compare", f"{script}:f", "--at", "[1.0, 2.0, 3.0]"]
    master, slave = os.openpty()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=slave)
    os.close(slave)
    shown = b""
    with contextlib.suppress(OSError):  # the end of a terminal
        while part := os.read(master, 1 << 16):
            shown += part
    out, _ = process.communicate()
    os.close(master)
    assert process.returncode == AGREE and b"npgrad agrees with" in out
    assert re.search(rb"\r3-point|\rrichardson \(\d+ of 12\): \d+ evaluations, \d+ s", shown) and shown.endswith(b"\r")
    assert "Traceback" not in shown.decode()
    silent = subprocess.run([*command[:-1], "[1.0]"], capture_output=True, check=True)
    assert silent.stderr == b""


RUNS = {run["script"]: run for run in run_all.runs()}


@pytest.mark.once
@pytest.mark.parametrize("script", RUNS)
def test_legacy_examples(script):
    run = RUNS[script]
    function = getattr(run_all.load(script), run["function"])
    methods = ["npgrad reverse", "3-point", "richardson"]
    report = ng.compare(function, *run_all.arguments(run), step=run.get("step"), methods=methods)
    assert report.agrees, str(report)
    assert report.methods[0].refused is None and report.methods[0].largest_error < 1e-6


def test_command_line(tmp_path, capsys):
    target = f"{EXAMPLES}/legacy/robot_arm.py:tool"
    options = ["--at", "[0.1, -0.7, 0.9, -0.3, 0.4, 0.2]", "--json", str(tmp_path / "out.json")]
    with contextlib.suppress(ImportError):
        import matplotlib  # noqa: F401

        options += ["--plot", str(tmp_path / "out.png")]
    assert main(["compare", target, *options]) == AGREE
    out = capsys.readouterr().out
    assert "tool: 6 elements -> " in out and "npgrad agrees with " in out
    assert json.loads((tmp_path / "out.json").read_text())["elements"] == 6
    assert "--plot" not in options or (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    assert main(["compare", target, "--at", "[1.0]"]) == FAILED
    script = tmp_path / "leaky_script.py"
    script.write_text("def f(x):\n    return float(x[0]) * x\n")
    assert main(["compare", f"{script}:f", "--at", "[1.0, 2.0]"]) == DISAGREE
