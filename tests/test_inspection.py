"""What a tape says of its record: calls, summary, explain; and which call gave a derivative that is not finite."""

from __future__ import annotations

import contextvars
import inspect
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import npgrad as ng


def here() -> int:
    """The line of the caller."""
    frame = inspect.currentframe()
    assert frame is not None and frame.f_back is not None
    return frame.f_back.f_lineno


def test_calls_name_function_file_line_and_scope() -> None:
    with ng.GradientTape(locations=True) as tape:
        x = tape.watch(np.array([1.0, 2.0]))
        y = np.linalg.norm(np.sin(x) * x); line = here()  # noqa: E702
        z = np.zeros(2)
        z[0] = y
        z += np.cumsum(x)
    found = list(tape.calls())
    assert [call.function for call in found[:3]] == ["sin", "multiply", "norm"]
    assert {call.line for call in found[:3]} == {line}
    assert [(c.function, c.line) for c in found[3:]] == [("write", line + 2), ("cumsum", line + 3), ("add", line + 3)]
    assert {call.file for call in found} == {__file__}
    assert {call.scope for call in found} == {"test_calls_name_function_file_line_and_scope"}
    assert found[1].shape == (2,) and found[1].dtype == np.float64 and found[1].saved_bytes == 32
    assert str(found[0]) == f"sin at {__file__}:{line} in {found[0].scope}"
    assert tape.gradient(z.sum(), x) is None  # it was computed after the tape; the calls do not change what is recorded


def test_the_lines_inside_numpys_own_code_are_the_users() -> None:
    with ng.GradientTape(locations=True) as tape:
        x = tape.watch(np.array([1.0, 2.0, 4.0]))
        np.gradient(x); line = here()  # noqa: E702
    assert {(call.file, call.line) for call in tape.calls()} == {(__file__, line)}


def test_without_locations_the_functions_are_still_named() -> None:
    with ng.GradientTape() as tape:
        y = np.sin(tape.watch(2.0))
    (call,) = tape.calls()
    assert (call.function, call.file, call.line) == ("sin", "", 0) and str(call) == "sin"
    assert tape.gradient(y, y) == 1.0
    with pytest.raises(RuntimeError, match="no record"):
        next(tape.calls())


def test_summary_counts_memory_once(capsys: pytest.CaptureFixture) -> None:
    with ng.GradientTape(locations=True) as tape:
        x = tape.watch(np.ones(1000))
        y = x * x; line = here()  # noqa: E702
        for _ in range(3):
            y = y + 1.0
    text = tape.summary()
    assert capsys.readouterr().out == text + "\n"
    first, costly, cheap = text.splitlines()
    assert first == "4 calls recorded, 8000 bytes kept for them"
    assert costly.split() == ["8000", "bytes", "1", "calls", f"{__file__}:{line}", "in", costly.split()[-1]]
    assert cheap.split()[:4] == ["0", "bytes", "3", "calls"]


def explained(function: Callable, **options: Any) -> Any:
    with ng.GradientTape(locations=True, **options) as tape:
        x = tape.watch(np.array([1.5, 2.5]))
        y = function(x, tape)
    return tape.explain(y, x)


def test_the_path_of_a_connected_target(capsys: pytest.CaptureFixture) -> None:
    def function(x: Any, tape: Any) -> Any:
        np.exp(x)  # leads nowhere
        z = np.zeros(2)
        for i in range(2):
            z[i] = np.sin(x[i])
        return z.sum()

    found = explained(function)
    assert found.connected and not found.cuts
    assert [call.function for call in found.path] == ["read of an element", "sin", "write"] * 2 + ["sum"]
    printed = capsys.readouterr().out
    assert printed.startswith("Connected, through 7 recorded calls:\n  read of an element at ")
    assert printed.count(f"{__file__}:{function.__code__.co_firstlineno + 4} in") == 3 and "(2 times)" in printed


CUTS: dict[str, tuple[Callable, str]] = {
    "integer cast": (lambda x, tape: x.astype(int) * np.ones(2), "a cast to int64"),
    "int": (lambda x, tape: np.ones(2) * int(x[0]), "a conversion to an integer"),
    "round": (lambda x, tape: np.ones(2) * round(x[0]), "a conversion to an integer"),
    "comparison": (lambda x, tape: np.where(x > 2, 1.0, 0.0), "gt is piecewise constant"),
    "ufunc": (lambda x, tape: np.floor(2 * x) + 1.0, "floor is piecewise constant"),
    "function": (lambda x, tape: np.ones(2) * np.argmax(x), "argmax is piecewise constant"),
    "floor division": (lambda x, tape: x // 2 + 0.5, "floordiv is piecewise constant"),
    "stop_gradient": (lambda x, tape: ng.stop_gradient(np.sin(x)) * 2, "stop_gradient"),
}


@pytest.mark.parametrize("name", CUTS)
def test_cuts_are_named(name: str) -> None:
    function, what = CUTS[name]
    found = explained(function)
    assert not found.connected and found.path == ()
    assert (what, __file__, function.__code__.co_firstlineno) in [(c.what, c.place.file, c.place.line) for c in found.cuts]
    assert f"{what} at {__file__}:{function.__code__.co_firstlineno} in <lambda>" in str(found)


def test_a_leak_that_was_let_pass_is_a_cut() -> None:
    found = explained(lambda x, tape: np.ones(2) * float(x[0]), leaks="ignore")
    assert not found.connected and "a leak that was let pass" in str(found)


def test_a_pause_is_a_cut() -> None:
    def function(x: Any, tape: Any) -> Any:
        with tape.stop_recording():
            scale = x.sum()
        return scale * np.ones(2)

    assert "stop_recording" in str(explained(function))


def in_thread(function: Callable) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result(timeout=60)


def test_a_thread_is_a_cut() -> None:
    def function(x: Any, tape: Any) -> Any:
        try:
            factor = in_thread(lambda: np.sin(x))
        except ng.LeakError:
            factor = 0.5
        return factor * np.ones(2)

    found = explained(function)
    assert not found.connected
    [cut] = found.cuts
    assert cut.what == "a use in another thread, which was refused"
    assert (cut.place.file, cut.place.line) == (__file__, function.__code__.co_firstlineno + 2)


@pytest.mark.parametrize("connected", [True, False])
def test_paths_and_cuts_in_a_thread_that_records(connected: bool) -> None:
    def function(x: Any, tape: Any) -> Any:
        made = contextvars.copy_context().run
        return in_thread(lambda: made(lambda: (np.sin(x) if connected else np.floor(x)) * 2.0))

    found = explained(function)
    assert found.connected is connected
    places = [call.line for call in found.path] + [cut.place.line for cut in found.cuts]
    assert set(places) == {function.__code__.co_firstlineno + 2}
    assert [call.function for call in found.path] == (["sin", "multiply"] if connected else [])


def test_a_tape_may_be_asked_from_another_thread() -> None:
    with ng.GradientTape(locations=True) as tape:
        x = tape.watch(np.array([1.5, 2.5]))
        y, z = np.exp(x), np.floor(x) + 1.0
    assert in_thread(lambda: tape.explain(y, x).connected)
    assert [cut.what for cut in in_thread(lambda: tape.explain(z, x).cuts)] == ["floor is piecewise constant"]
    assert in_thread(tape.summary).startswith("1 calls recorded")
    assert [call.function for call in in_thread(lambda: list(tape.calls()))] == ["exp"]


def test_threads_with_tapes_of_their_own_do_not_hear_of_each_other() -> None:
    start = threading.Barrier(8)

    def run(number: int) -> tuple[int, int]:
        start.wait(30)
        with ng.GradientTape(locations=True) as tape:
            x = tape.watch(np.array([1.5, 2.5]))
            y = x
            for _ in range(number):
                y = np.sin(y)
                np.floor(y)
            z = np.floor(x) * 2.0
        return len(tape.explain(y, x).path), len(tape.explain(z, x).cuts)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(run, range(1, 9))) == [(n, n + 1) for n in range(1, 9)]


def test_nested_tapes_say_each_its_own() -> None:
    with ng.GradientTape(locations=True) as outer:
        x = outer.watch(np.array([1.5, 2.5]))
        with ng.GradientTape(persistent=True, locations=True) as inner:
            z = inner.watch(x * 2.0)
            y = np.sin(z).sum()
        slope = inner.gradient(y, z)
    assert [call.function for call in inner.explain(y, z).path] == ["sin", "sum"]
    assert "not watched by this tape" in inner.explain(y, x).reason
    path = outer.explain(slope, x).path
    assert path[0].function == "multiply" and path[0].line == x_line(test_nested_tapes_say_each_its_own, "x * 2.0")
    assert {call.line for call in path[1:]} == {x_line(test_nested_tapes_say_each_its_own, "inner.gradient(y, z)")}


def x_line(function: Callable, text: str) -> int:
    """The line of a function that holds a text."""
    lines, first = inspect.getsourcelines(function)
    return first + next(number for number, line in enumerate(lines) if text in line)


def test_cuts_of_other_data_are_left_out() -> None:
    with ng.GradientTape(locations=True) as tape:
        x, y = tape.watch((np.ones(2), np.ones(2)))
        z = np.floor(y) + 1.0
        x.sum()
    assert tape.explain(z, x).cuts == () and len(tape.explain(z, y).cuts) == 1


REASONS: dict[str, tuple[Callable, str]] = {
    "plain array": (lambda x, tape: np.argsort(x), "the target is a plain array of dtype int64"),
    "number": (lambda x, tape: 3.0, "the target is a plain float"),
    "constant": (lambda x, tape: np.ones(2) * (x > 0), "nothing that was watched went into the target"),
    "unused": (lambda x, tape: np.ones(2), "the source is not used after it was watched"),
    "before": (lambda x, tape: (ng.array(np.ones(2)) * 2, np.sin(x))[0], "made before the source was watched"),
    "other": (lambda x, tape: (np.sin(x), tape.watch(np.ones(2)) * 2)[1], "depends on other arrays"),
}


@pytest.mark.parametrize("name", REASONS)
def test_reasons(name: str) -> None:
    function, reason = REASONS[name]
    found = explained(function)
    assert not found.connected and reason in found.reason


def test_reasons_of_the_source() -> None:
    with ng.GradientTape() as other, ng.GradientTape() as tape:
        x, foreign, late = tape.watch(np.ones(2)), other.watch(np.ones(2)), ng.array(np.ones(2))
        before = late * x
        tape.watch(late)
        y = foreign * 2
    assert "not watched by this tape" in tape.explain(x * 2, np.ones(2)).reason
    assert "recorded on another tape" in tape.explain(y, x).reason
    assert "what is computed before is constant" in tape.explain(before, late).reason
    assert "GradientTape(locations=True)" in tape.explain(before, late).reason


def test_what_is_explained_is_what_gradient_finds() -> None:
    for function, _ in [*CUTS.values(), *REASONS.values()]:
        with ng.GradientTape(persistent=True) as tape:
            x = tape.watch(np.array([1.5, 2.5]))
            y = function(x, tape)
        assert (tape.gradient(y, x) is not None) == tape.explain(y, x).connected


# --- Derivatives that are not finite -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda x: np.sum(3 * np.sqrt(x - 1)), "sqrt"),
        (lambda x: np.exp(800 * x).sum() * 1.0, "exp"),
        (lambda x: np.linalg.norm(np.log(np.abs(x - 1))), "log"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_call_is_named(function: Callable, name: str, mode: str) -> None:
    point = np.array([1.0, 2.0])
    assert not np.isfinite(ng.jacobian(function, mode=mode)(point)).all()
    with pytest.raises(ng.NonFiniteError) as caught:
        ng.jacobian(function, mode=mode, check_nan=True)(point)
    text = str(caught.value)
    assert name in text and f"{__file__}:{function.__code__.co_firstlineno}" in text


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_first_call_with_a_value_that_is_not_finite_is_named() -> None:
    def function(x: Any) -> Any:
        bad = np.log(x - 2.0)
        copied = np.zeros(2)
        copied[:] = bad
        return (copied * copied).sum()

    first = function.__code__.co_firstlineno
    with pytest.raises(ng.NonFiniteError) as caught:
        ng.grad(function, check_nan=True)(np.array([1.0, 3.0]))
    assert str(caught.value) == (
        f"{__file__}:{first + 4}: the derivative of multiply is not finite here; its values were not finite before: "
        f"log at {__file__}:{first + 1} gave them. "
        "Keep the point away from there, or take such elements out before (docs/kinks.md)"
    )


def test_zero_times_singular_is_no_fault() -> None:
    def function(x: Any) -> Any:
        return np.sum(np.where(x > 0, np.sqrt(x), 0.0))

    assert ng.grad(function, check_nan=True)(np.array([0.0, 4.0])).tolist() == [0.0, 0.25]
    with ng.GradientTape(check_nan=True) as tape:
        x = tape.watch(np.array([0.0, 4.0]))
        y = np.sqrt(x)
    with pytest.raises(ng.NonFiniteError, match=r"test_inspection\.py:\d+: the derivative of sqrt"):
        tape.gradient(y, x)


PRODUCTS: dict[str, Callable] = {
    "linearize": lambda f, x: ng.linearize(f, x, check_nan=True).jvp((np.ones(2),)),
    "jvp": lambda f, x: ng.jvp(f, (x,), (np.ones(2),), check_nan=True),
    "vjp": lambda f, x: ng.vjp(f, x, check_nan=True)[1](1.0),
    "hvp": lambda f, x: ng.hvp(f, (x,), (np.ones(2),), check_nan=True),
    "hessian": lambda f, x: ng.hessian(f, check_nan=True)(x),
    "jacobian": lambda f, x: ng.jacobian(f, check_nan=True)(x),
    "value_and_grad": lambda f, x: ng.value_and_grad(f, check_nan=True)(x),
}


@pytest.mark.parametrize("name", PRODUCTS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_all_of_the_functional_interface_checks(name: str) -> None:
    def function(x: Any) -> Any:
        y = np.sin(x)
        z = np.power(y - np.sin(1.0), 0.5)
        return z.sum()

    line = function.__code__.co_firstlineno + 2
    with pytest.raises(ng.NonFiniteError, match=rf"{__file__}:{line}: the derivative of power"):
        PRODUCTS[name](function, np.array([1.0, 2.0]))


def twice(z: Any, step: int = 0) -> Any:
    return np.sqrt(z) * 2.0


SEGMENTS: dict[str, tuple[Callable, str]] = {
    "checkpoint": (lambda x: ng.checkpoint(twice)(x - 1.0), "twice"),
    "checkpoint_loop": (lambda x: ng.checkpoint_loop(twice, x - 1.0, 2, 1), "twice"),
    "implicit": (lambda x: ng.implicit(twice, lambda y, z: y**2 - 4 * z)(x - 1.0), "twice"),
    "black box": (lambda x: ng.black_box(twice)(x - 1.0), "twice"),
    "custom gradient": (lambda x: ng.custom_gradient(lambda z: (twice(z), lambda ct: ct / np.sqrt(z)))(x - 1.0), "<lambda>"),
}


@pytest.mark.parametrize("name", SEGMENTS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::npgrad.BlackBoxWarning")
def test_calls_of_user_functions_have_their_names(name: str) -> None:
    function, called = SEGMENTS[name]
    with ng.GradientTape(persistent=True, check_nan=True) as tape:
        x = tape.watch(np.array([1.5, 2.5]))
        y = function(x).sum()
    calls = [call.function for call in tape.calls()]
    assert called in calls and "calls recorded" in tape.summary()
    assert called in [call.function for call in tape.explain(y, x).path]
    with ng.GradientTape(persistent=True, check_nan=True) as tape:
        x = tape.watch(np.array([1.0, 2.5]))
        y = function(x).sum()
    if name != "black box":  # its differences are finite, and say themselves that they are inaccurate
        with pytest.raises((ng.NonFiniteError, np.linalg.LinAlgError)):
            tape.gradient(y, x)
