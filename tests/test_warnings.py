"""The user's floating-point settings and warnings: a recorded call warns as NumPy does, no more and no less; sweeps warn of
nothing of their own."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from samples import S, all_samples
from sampling import for_samples

import npgrad as ng
from npgrad._registry import WRITES
from npgrad.testing import Linearised, random_like

SAMPLES = all_samples()
# Points at which most functions say something: 0/0, 1/0, overflow, invalid.
AWKWARD = np.array([0.0, -0.0, -1.0, 800.0, 1e-320, np.inf, np.nan, 1.0, -np.inf, 2.0])


def said(call: Callable, *args: Any, mode: str = "warn") -> tuple[list[tuple[type, str]], Any]:
    """What a call warns of, sorted, and the exception that it ends with; but for what npgrad says of derivatives."""
    error = None
    with warnings.catch_warnings(record=True) as seen, np.errstate(all=mode):  # type: ignore[call-overload]
        warnings.simplefilter("always")
        try:
            call(*args)
        except Exception as found:
            error = type(found)
    numpys = [w for w in seen if w.category is not ng.DegenerateWarning]
    # An element of a traced array is an array where it is a scalar of NumPy's.
    return sorted([(w.category, str(w.message).replace(" scalar ", " ")) for w in numpys], key=str), error


def heard(call: Callable, *args: Any) -> list[str]:
    """What a handler of the user's is told."""
    kinds: list[str] = []
    with np.errstate(all="call", call=lambda kind, flag: kinds.append(kind)), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(Exception):
            call(*args)
    return sorted(kinds)


def logged(call: Callable, *args: Any) -> list[str]:
    """What is written to a log of the user's."""
    log = io.StringIO()
    with np.errstate(all="log", call=log), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(Exception):
            call(*args)
    return sorted(log.getvalue().replace(" scalar ", " ").splitlines())


def awkward(point: np.ndarray) -> np.ndarray:
    made = np.resize(AWKWARD, point.shape).astype(point.dtype)
    if made.dtype.kind == "c":
        made.imag = np.resize(AWKWARD[::-1], point.shape)
    return made


def recorded(sample: S, points: list) -> None:
    fixed = ng.array if sample.function in WRITES else lambda p: p
    with ng.GradientTape() as tape:
        sample(*[tape.watch(p.copy()[()]) if i == 0 else fixed(p.copy()[()]) for i, p in enumerate(points)])


def is_scipys(sample: S) -> bool:
    """SciPy's functions are ufuncs like NumPy's, and some take minutes at such points."""
    return not (getattr(sample.function, "__module__", None) or "numpy").startswith(("numpy", "npgrad", "builtins")) or (
        isinstance(sample.function, np.ufunc) and not hasattr(np, sample.function.__name__)
    )


@for_samples(sample for sample in SAMPLES if not is_scipys(sample))
def test_forward_warnings_are_numpys(sample: S) -> None:
    points = [awkward(p) for p in sample.points]

    def plain() -> Any:
        return sample(*[p.copy()[()] for p in points])

    expected = said(plain)
    assert said(recorded, sample, points) == expected
    if not expected[0]:
        return
    assert said(recorded, sample, points, mode="raise")[1] is said(plain, mode="raise")[1]
    # Nothing is said where the user wants to hear nothing, and a handler hears as often as NumPy calls it.
    assert said(recorded, sample, points, mode="ignore") == said(plain, mode="ignore")
    assert heard(recorded, sample, points) == heard(plain)
    assert logged(recorded, sample, points) == logged(plain)


@pytest.mark.filterwarnings("ignore::npgrad.DegenerateWarning")
@for_samples(SAMPLES)
def test_sweeps_are_silent(sample: S) -> None:
    rng = np.random.default_rng(0)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        linear = Linearised(sample, sample.points)
    with np.errstate(all="raise"):
        linear.push([random_like(rng, p) for p in sample.points])
        linear.pull(linear.random_cotangents(rng))


@pytest.mark.parametrize("setting", ["ignore", "warn", "raise", "call"])
def test_the_users_settings_are_kept(setting: Any) -> None:
    heard: list[str] = []
    with np.errstate(all=setting, call=lambda kind, flag: heard.append(kind)):
        before = np.geterr(), np.geterrcall()
        with ng.GradientTape(persistent=True) as tape:
            x = tape.watch(np.array([1.0, 4.0]))
            y = np.sqrt(x - 1.0)
            assert (np.geterr(), np.geterrcall()) == before
        gradient = tape.gradient(y, x)
        jacobian = tape.jacobian(y, x, mode="forward")
        assert (np.geterr(), np.geterrcall()) == before
    assert heard == []  # 1 / 0 is in the sweeps only
    assert gradient[0] == np.inf == jacobian[0, 0]


def test_a_handler_hears_each_error_once() -> None:
    heard: list[str] = []
    with np.errstate(all="call", call=lambda kind, flag: heard.append(kind)), ng.GradientTape() as tape:
        x = tape.watch(np.array([0.0, 1.0]))
        y = np.log(x)
        z = 1.0 / (x + 0.0)
        np.cumprod(np.array([1.0, 2.0]) * x[1] * 1e200)
    assert heard == ["divide by zero", "divide by zero", "overflow"]
    tape.gradient([y, z], x)


def test_settings_that_the_program_makes_are_its_own() -> None:
    def program(x: Any) -> Any:
        with np.errstate(divide="raise"):
            try:
                return np.log(x) * 2.0
            except FloatingPointError:
                return x * 3.0

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ng.grad(lambda x: program(x).sum())(np.array([0.0, 1.0])).tolist() == [3.0, 3.0]
        assert ng.grad(lambda x: program(x).sum())(np.array([2.0, 1.0])).tolist() == [1.0, 2.0]


def test_settings_of_the_process_are_kept_after_an_error() -> None:
    before = np.seterr(over="ignore", under="warn")
    try:
        expected = np.geterr()
        with pytest.raises(ZeroDivisionError), ng.GradientTape():
            raise ZeroDivisionError
        with pytest.raises(ValueError, match="scalar"):
            ng.grad(np.exp)(np.ones(2))
        assert np.geterr() == expected
    finally:
        np.seterr(**before)


# --- Where warnings point to -----------------------------------------------------------------------------------------------


def two_lines(x: Any) -> Any:
    y = np.log(x - 1.0)
    z = np.log(x - 1.0)
    return (y + z).sum()


def lines_of(seen: list) -> list[int]:
    first = two_lines.__code__.co_firstlineno
    return [w.lineno - first for w in seen if w.filename == __file__]


@pytest.mark.parametrize("action", ["default", "always", "module", "once"])
def test_warnings_are_at_the_users_line(action: Any) -> None:
    def run(call: Callable) -> list[int]:
        globals().pop("__warningregistry__", None)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter(action)
            for _ in range(2):
                call(two_lines)(np.array([1.0, 2.0]))
        assert len(lines_of(seen)) == len(seen)
        return lines_of(seen)

    assert run(ng.grad) == run(lambda f: f)


def test_filters_by_module_apply() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", module=__name__)
        ng.grad(two_lines)(np.array([1.0, 2.0]))
    assert seen == []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", module=__name__)
        ng.grad(two_lines)(np.array([3.0, 2.0]))
    shown = warnings._showwarnmsg  # type: ignore[attr-defined]
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.filterwarnings("error", module=__name__)
        with pytest.raises(RuntimeWarning, match="divide by zero"):
            ng.grad(two_lines)(np.array([1.0, 2.0]))
    assert warnings._showwarnmsg is shown  # type: ignore[attr-defined]
