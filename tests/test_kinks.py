"""docs/kinks.md is a table of programs: each row is run, in both modes."""

import importlib
import itertools
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import npgrad as ng
from npgrad import finite_difference
from npgrad._derivatives import tangents_of
from npgrad._partials import Elementwise
from npgrad._registry import COMPOSITES, RULES

_TABLE = (Path(__file__).parents[1] / "docs" / "kinks.md").read_text(encoding="utf-8")
# (program, point, reverse, forward): one derivative stands for both.
_CELLS = [re.findall(r"`([^`]*)`", line) for line in _TABLE.splitlines() if line.startswith("| `")]
ROWS = [(cells + cells[-1:])[:4] for cells in _CELLS]
_NAMES = {"np": np, "nan": np.nan, "inf": np.inf}


def _numbers(text):
    """The arrays of a comma-separated text, one per variable."""
    values = eval(f"[{text}]", _NAMES)
    return [np.array(v, dtype=complex if np.iscomplexobj(v) else float) for v in values]


def _run(program, point):
    if program.startswith("special."):
        _NAMES["special"] = pytest.importorskip("scipy.special")
    variables = eval(f"dict({point})", _NAMES)
    with np.errstate(all="ignore"), ng.GradientTape(persistent=True) as tape:
        traced = {n: tape.watch(_numbers(repr(v))[0]) for n, v in variables.items()}
        result = eval(program, _NAMES, dict(traced))
    return tape, result, list(traced.values())


def _sum_along_each_element(tape, result, source):
    """The forward derivative of the sum of the results along each element of a source, which may be complex."""
    units = np.eye(source.size, dtype=source.dtype).reshape(-1, *source.shape)
    [tangents] = tangents_of(tape._record, [result], [(source, units)], units.shape[:1])
    if tangents is None:
        return np.zeros(source.shape)
    return tangents.reshape(source.size, -1).sum(axis=1).reshape(source.shape)


@pytest.mark.filterwarnings("ignore::npgrad.DegenerateWarning")
@pytest.mark.parametrize(("program", "point", "reverse", "forward"), ROWS, ids=[f"{r[0]} at {r[1]}" for r in ROWS])
def test_row(program, point, reverse, forward):
    tape, result, sources = _run(program, point)
    gradients = tape.gradient(result, sources, unconnected_gradients="zero")
    for found, expected in zip(gradients, _numbers(reverse), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-15)
    for source, expected in zip(sources, _numbers(forward), strict=True):
        with np.errstate(all="ignore"):
            found = _sum_along_each_element(tape, result, source)
        np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_the_table_is_read():
    assert len(ROWS) > 60
    assert {len(cells) for cells in _CELLS} == {3, 4}


def test_lengths_have_second_derivative_zero_at_zero():
    """It does not exist there; 0 goes with the gradient 0, which is that of a constant."""
    for f in (lambda x: np.hypot(x[0], x[1]), lambda x: np.abs(x[0] + 1j * x[1])):
        with ng.GradientTape() as outer:
            x = outer.watch(np.zeros(2))
            with ng.GradientTape() as inner:
                inner.watch(x)
                y = f(x)
            gradient = inner.gradient(y, x)
        np.testing.assert_array_equal(outer.jacobian(gradient, x, "zero"), np.zeros((2, 2)))


def test_ties_move_with_all_their_elements():
    """Shares are those of the derivative along (1, ..., 1), which exists also at a tie."""
    x = np.array([3.0, 3.0, 1.0, 3.0])
    for f in (np.max, np.median, lambda v: np.sort(v)[-1], lambda v: np.clip(v, None, v[0]).max()):
        assert ng.grad(f)(x).sum() == pytest.approx(1, rel=1e-15)


@pytest.mark.parametrize("ties", [False, True])
def test_large_sorts_give_equal_elements_in_their_order(ties):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 500, (2, 3000)).astype(float) if ties else rng.standard_normal((2, 3000))
    weights = rng.standard_normal(x.shape)
    for axis in (0, 1, -1):
        expected = np.empty_like(x)
        np.put_along_axis(expected, np.argsort(x, axis=axis, kind="stable"), weights, axis)
        with ng.GradientTape() as tape:
            source = tape.watch(x)
            ordered = np.sort(source, axis=axis)
        np.testing.assert_array_equal(ordered, np.sort(x, axis=axis))
        np.testing.assert_array_equal(tape.gradient(ordered, source, output_gradients=weights), expected)


# --- Every singular point is in the table ------------------------------------------------------------------------------

_OPERATORS = {"**": "power", "/": "divide", "%": "remainder"}
_DOCUMENTED = {
    *itertools.chain(*[re.findall(r"(\w+)\(", program) for program, *_ in ROWS]),
    *[name for sign, name in _OPERATORS.items() if any(sign in program for program, *_ in ROWS)],
    *re.findall(r"`(?:special\.)?(\w+)`", _TABLE),  # in the text
    "cond",  # which derivative it is, is LAPACK's choice
}
# Functions that have several names.
_FUNCTIONS = {id(getattr(np, name)) for name in _DOCUMENTED if hasattr(np, name)}


def _is_singular(f, point, direction, h=1e-6):
    """Whether the differences to the left and to the right are two different ones, or none, where the value is finite."""
    left, here, right = [np.asarray(f(point + t * direction)) for t in (-h, 0, h)]
    if not np.isfinite(here).all():
        return False
    if not left.shape == here.shape == right.shape:
        return True
    left, right = (here - left) / h, (right - here) / h
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        return True
    return bool(np.any(np.abs(left - right) > 1e-3 * np.maximum(1, np.abs(left))))


def _public(module, kind):
    """The functions of a module with a rule or a body, by name."""
    names = {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
    return {n: f for n, f in names.items() if type(f).__hash__ and (f in RULES or f in COMPOSITES) and kind(f)}


_UFUNCS = _public(np, lambda f: isinstance(RULES.get(f), Elementwise))
_OF_ARRAYS = _public(np, lambda f: not isinstance(f, np.ufunc)) | _public(np.linalg, lambda f: True)
_POINTS = [
    np.zeros(3), np.ones(3), np.array([1.0, 2.0, 2.0]), np.array([0.0, 1.0, -1.0]), np.array([1.0, 1.0, 2.0, 2.0]),
    np.zeros((2, 2)), np.eye(2), np.ones((2, 2)),
]  # fmt: skip


@pytest.mark.parametrize("name", sorted(_UFUNCS))
def test_singular_points_of_ufuncs_are_in_the_table(name):
    ufunc = _UFUNCS[name]
    output = next(iter(RULES[ufunc].by_output))

    def f(point):
        result = ufunc(*point)
        return result[output] if isinstance(result, tuple) else result

    with np.errstate(all="ignore"):
        for point in itertools.product([-1.0, 0.0, 1.0, 2.0], repeat=ufunc.nin):
            for direction in np.eye(ufunc.nin):
                try:
                    singular = _is_singular(f, np.array(point), direction)
                except TypeError:  # an argument that takes integers
                    continue
                assert not singular or id(ufunc) in _FUNCTIONS, point


@pytest.mark.parametrize("name", sorted(_OF_ARRAYS))
def test_singular_points_of_functions_of_one_array_are_in_the_table(name):
    def f(point):
        result = _OF_ARRAYS[name](point)
        return np.concatenate([np.ravel(part) for part in result]) if isinstance(result, (tuple, list)) else result

    rng = np.random.default_rng(0)
    for point in _POINTS:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                if np.asarray(f(point)).dtype.kind not in "fc":
                    continue
                singular = any(_is_singular(f, point, rng.standard_normal(point.shape)) for _ in range(3))
            except Exception:  # no function of one such array
                continue
        assert not singular or name in _DOCUMENTED, point


def _documented(name):
    """Whether a function is in the table: one kind of polynomials stands for all."""
    kinds = "cheb|herme|herm|lag|leg|poly"
    like = re.sub(f"^({kinds})(?=[a-z])", "poly", name)
    classes = {"Chebyshev", "Hermite", "HermiteE", "Laguerre", "Legendre", "Polynomial"}
    return not _DOCUMENTED.isdisjoint([name, like, name.lstrip("_").removesuffix("_d")]) or name in classes


_PATTERNS = [[0.0], [1.0], [0.0, 1.0, 2.0, 1.0, -1.0], [2.0, 2.0, 1.0, 1.0], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]]


def _flat(result):
    return np.concatenate([np.ravel(part) for part in result]) if isinstance(result, (tuple, list)) else np.asarray(result)


def _moved(sample, points, directions):
    """The sample along a line, as a function of one number."""
    return lambda t: _flat(sample(*[p + t[0] * d for p, d in zip(points, directions, strict=True)]))


_MODULES = ["calculus", "indexing", "joining", "linalg", "polynomial", "products", "setops", "statistics"]


@pytest.mark.parametrize("module", _MODULES)
def test_singular_points_of_functions_of_several_arrays_are_in_the_table(module):
    """The samples, with ties, zeros and whole numbers for their arrays."""
    samples = importlib.import_module(f"samples.{module}").SAMPLES
    missing = {}
    for sample in samples:
        name = getattr(sample.function, "__name__", type(sample.function).__name__)
        if isinstance(sample.function, np.ufunc) or _documented(name):
            continue
        for first, second in itertools.product(_PATTERNS, repeat=2):
            points = [
                np.resize(first if n % 2 == 0 else second, p.shape).astype(p.dtype) for n, p in enumerate(sample.points)
            ]
            rng = np.random.default_rng(0)
            directions = [rng.standard_normal(p.shape) for p in points]
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    if _is_singular(_moved(sample, points, directions), np.zeros(1), np.ones(1)):
                        missing[name] = sample
                except Exception:  # not defined there
                    continue
    assert not missing


def test_singular_points_of_special_functions_are_in_the_table():
    pytest.importorskip("scipy.special")
    from samples.special import SAMPLES

    missing = {}
    values = [-1.0, 0.0, 0.5, 1.0, 2.0]
    for sample in SAMPLES:
        name = sample.function.__name__
        if not isinstance(sample.function, np.ufunc) or _documented(name) or hasattr(np, name):
            continue
        for point in itertools.product(values, repeat=len(sample.points)):
            points = [np.full(p.shape, v, p.dtype) for p, v in zip(sample.points, point, strict=True)]
            for n in range(len(points)):
                directions = [np.full(p.shape, float(k == n)) for k, p in enumerate(points)]
                with np.errstate(all="ignore"), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    if _is_singular(_moved(sample, points, directions), np.zeros(1), np.ones(1)):
                        missing[name] = (point, n)
    assert not missing


@pytest.mark.parametrize(
    "not_taken",
    [
        lambda x: np.sum(np.sqrt(np.clip(x - 5.0, 0.0, None))),
        lambda x: np.sum(np.where(x > 9.0, np.log(x - x[0]), 0.0)),
    ],
    ids=["sqrt of clip", "log in where"],
)
@pytest.mark.parametrize(
    "misfit",
    [
        lambda r, x: r * r + np.sin(x[1]) * r,
        lambda r, x: np.tanh(r * x[1]) * r,
        lambda r, x: np.power(r, 2) * x[1],
        lambda r, x: np.where(x[1] > 0, r * x[1], r) ** 2,
        lambda r, x: np.clip(r * x[1], -1.0, 1.0) ** 2,
        lambda r, x: np.arctan2(r, x[1]) * r,
        lambda r, x: (r * x) @ (r * x) + (r * x) @ x,
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_cotangent_that_is_zero_by_chance_has_a_derivative(not_taken, misfit):
    """At a perfect fit, beside a branch that was not taken: second derivatives are those without the branch."""

    def f(x):
        return not_taken(x) + alone(x)

    def alone(x):
        return misfit(np.exp(x[0]) - np.exp(1.0), x)

    x = np.array([1.0, 0.7])
    expected = finite_difference.jacobian(ng.grad(alone), method="3-point", step=1e-5)(x)
    for outer in ("reverse", "forward"):
        for inner in ("reverse", "forward"):
            made = ng.jacobian(ng.jacobian(f, mode=inner), mode=outer)(x)
            np.testing.assert_allclose(made, expected, atol=1e-8)
    made = [ng.hvp(f, (x,), (direction,))[0] for direction in np.eye(2)]
    np.testing.assert_allclose(made, expected, atol=1e-8)
