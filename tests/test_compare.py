"""npgrad.compare: known errors, slopes, kinks and noise; its text, JSON, plot and command line."""

import importlib.util
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

import npgrad as ng
from npgrad import _measured_methods
from npgrad._command_line import AGREE, DISAGREE, FAILED, main
from npgrad._measured_methods import METHODS, Method, Progress

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
    wrong = {"npgrad reverse": Method(lambda problem: (right.run(problem)[0] * (1 + 1e-5), None))}
    compare_module = sys.modules["npgrad._compare"]
    monkeypatch.setattr(compare_module, "METHODS", METHODS | wrong)
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


def test_bad_names_and_positions():
    with pytest.raises(ValueError, match="methods must be among npgrad reverse"):
        ng.compare(smooth, POINT, methods=["4-point"])
    with pytest.raises(ValueError, match="argnums 2 but there are 1"):
        ng.compare(smooth, POINT, argnums=2)


def test_packages_that_are_not_installed_are_left_out(monkeypatch):
    compare_module = sys.modules["npgrad._compare"]
    monkeypatch.setattr(compare_module, "METHODS", METHODS | {"absent": Method(lambda p: 1 / 0, module="no_such_module")})
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
    assert len(cost.lines) == 2 * len(report.methods) + 1


def test_progress(monkeypatch, capsys):
    clock = iter(np.arange(0.0, 1000.0, 0.4))
    monkeypatch.setattr(_measured_methods.time, "perf_counter", lambda: next(clock))
    progress = Progress(True)
    progress.start("3-point")
    for _ in range(5):
        progress.tick()
    progress.clear()
    shown = capsys.readouterr().err
    assert "\r3-point: 3 evaluations, 1 s" in shown and shown.endswith("\r")


RUNS = {run["script"]: run for run in run_all.runs()}


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
    assert main(["compare", target, *options]) == AGREE
    out = capsys.readouterr().out
    assert "tool: 6 elements -> " in out and "npgrad agrees with " in out
    assert json.loads((tmp_path / "out.json").read_text())["elements"] == 6
    assert main(["compare", target, "--at", "[1.0]"]) == FAILED
    script = tmp_path / "leaky_script.py"
    script.write_text("def f(x):\n    return float(x[0]) * x\n")
    assert main(["compare", f"{script}:f", "--at", "[1.0, 2.0]"]) == DISAGREE
