"""How a tape explains a target: through which calls it depends on a source, or where the path was cut."""

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


@pytest.mark.parametrize("leaks", ["ignore", "warn"])
@pytest.mark.filterwarnings("ignore::npgrad.LeakWarning")
def test_a_leak_that_was_let_pass_is_a_cut(leaks: str) -> None:
    found = explained(lambda x, tape: np.ones(2) * float(x[0]), leaks=leaks)
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

# --- What was overwritten -------------------------------------------------------------------------------------------------


def _overwritten_whole(x: Any) -> Any:
    u = np.zeros(2)
    u[:] = np.sin(x)
    u[:] = 3.0  # overwrites
    return u * 2.0


def _overwritten_by_elements(x: Any) -> Any:
    u = np.sin(x)
    for i in range(2):
        u[i] = i  # overwrites
    return u.sum()


def _overwritten_in_the_part_that_is_read(x: Any) -> Any:
    u = np.sin(x)
    u[0] = 3.0  # overwrites
    return u[0] * 2.0


def _overwritten_by_a_call(x: Any) -> Any:
    u = np.sin(x)
    np.add([1.0, 2.0], 1.0, out=u)  # overwrites
    return u + 1.0


def _overwritten_through_a_view(x: Any) -> Any:
    u = np.outer(x, x)
    u[::-1].T[...] = 1.0  # overwrites
    return u[1]


def _overwritten_by_an_index_array(x: Any) -> Any:
    u = np.sin(x)
    u[[1, 0]] = 0.5  # overwrites
    return u * u


def _overwritten_source(x: Any) -> Any:
    x[...] = 2.0  # overwrites
    return np.exp(x)


def _filled(x: Any) -> Any:
    u = np.sin(x)
    u.fill(1.0)  # overwrites
    return np.linalg.norm(u)


@pytest.mark.parametrize(
    "function",
    [
        _overwritten_whole, _overwritten_by_elements, _overwritten_in_the_part_that_is_read, _overwritten_by_a_call,
        _overwritten_through_a_view, _overwritten_by_an_index_array, _overwritten_source, _filled,
    ],
)  # fmt: skip
def test_where_it_was_overwritten(function: Callable) -> None:
    found = explained(lambda x, tape: function(x))
    assert not found.connected and found.path == () and "not on this source" in found.reason
    line = x_line(function, "# overwrites")
    places = {(cut.place.file, cut.place.line) for cut in found.cuts if cut.what.startswith("overwritten (")}
    assert places == {(__file__, line)}
    assert not np.any(ng.jacobian(function)(np.array([1.5, 2.5])))


def test_what_was_overwritten_before_is_not_on_the_path() -> None:
    def function(x: Any, tape: Any) -> Any:
        u = np.zeros(2)
        u[:] = np.exp(x)  # overwritten
        u[:] = 0.0
        u[0] = np.cos(x[1])
        u[1] = 7.0
        return u[:1] + u[1]

    found = explained(function)
    assert found.connected and found.cuts == ()
    assert [call.function for call in found.path] == ["read of an element", "cos", "write", "add"]


def test_the_parts_that_are_not_read_do_not_connect() -> None:
    for function in (lambda x: x[1:], lambda x: x[[1]], lambda x: x[::-1].reshape(1, 2)[0, 0]):

        def program(x: Any, tape: Any, function: Callable = function) -> Any:
            u = np.zeros(2)
            u[0] = x[0]
            return function(u) * 2.0

        assert not explained(program).connected
        assert not np.any(ng.jacobian(lambda x, program=program: program(x, None))(np.ones(2)))


def test_a_source_that_is_computed_is_explained_from_its_last_write_on() -> None:
    with ng.GradientTape(locations=True) as tape:
        x = tape.watch(np.ones(2))
        u = x * 2.0
        u *= 3.0
        y = np.sin(u)
        u[:] = 0.0
    assert [call.function for call in tape.explain(y, x).path] == ["multiply", "multiply", "sin"]
    assert tape.explain(x * 2, u).connected is False
