"""The tape: its context, stop_recording, reset, and what exceptions leave behind (items 1 to 5, 14 to 19)."""

import math
import warnings

import numpy as np
import pytest

import npgrad as ng

X = np.array([1.0, 2.0, 3.0])


def nothing_is_left_behind(creator=np.zeros, sine=math.sin):
    """No name is in place and no tape on the stack."""
    assert np.zeros is creator
    assert math.sin is sine
    assert type(np.zeros(2)) is np.ndarray
    assert ng._record.recording() == ()


# --- Context -------------------------------------------------------------------------------------------------------


def test_item_01_enter_gives_the_tape():
    tape = ng.GradientTape()
    with tape as entered:
        assert entered is tape


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, MemoryError, GeneratorExit])
def test_item_01_exceptions_pass_and_the_tape_is_usable_for_what_it_recorded(error):
    with pytest.raises(error), ng.GradientTape() as tape:
        x = tape.watch(X)
        y = x * x
        raise error
    nothing_is_left_behind()
    np.testing.assert_array_equal(tape.gradient(y, x), 2 * X)


@pytest.mark.parametrize("depth", range(1, 4))
def test_item_01_an_exception_leaves_no_nested_tape_behind(depth):
    def descend(level):
        with ng.GradientTape():
            if level == 0:
                raise ZeroDivisionError
            descend(level - 1)

    with pytest.raises(ZeroDivisionError):
        descend(depth)
    nothing_is_left_behind()


def test_item_01_wrong_leaks():
    with pytest.raises(ValueError, match='"raise", "warn" or "ignore"'):
        ng.GradientTape(leaks="quiet")


def test_item_02_entering_twice():
    with ng.GradientTape() as tape:
        with pytest.raises(ValueError, match="still recording"), tape:
            pass
        y = tape.watch(X) * 2
    nothing_is_left_behind()
    np.testing.assert_array_equal(tape.gradient(y, X), [2, 2, 2])


def test_item_03_entering_again_continues_the_record():
    tape = ng.GradientTape()
    with tape:
        x = tape.watch(X)
        y = x * x
    z = y * 3  # outside: plain
    assert type(z) is np.ndarray
    with tape:
        w = y * x
    np.testing.assert_array_equal(tape.gradient(w, x), 3 * X**2)


def test_item_03_after_use_a_tape_that_is_not_persistent_begins_afresh():
    tape = ng.GradientTape()
    with tape:
        x = tape.watch(X)
        y = x * x
    tape.gradient(y, x)
    with tape:
        z = x * 5
        w = tape.watch(x) * 7
    assert tape.gradient([y, z], x) is None
    with tape:
        w = tape.watch(x) * 7
    np.testing.assert_array_equal(tape.gradient(w, x), [7, 7, 7])


def test_item_03_a_persistent_tape_goes_on_after_use():
    tape = ng.GradientTape(persistent=True)
    with tape:
        x = tape.watch(X)
        y = x * x
    tape.gradient(y, x)
    with tape:
        z = y + x
    np.testing.assert_array_equal(tape.gradient(z, x), 2 * X + 1)


def test_item_04_watching_is_per_tape():
    with ng.GradientTape() as outer, ng.GradientTape() as inner:
        x, w = outer.watch(ng.array(X)), inner.watch(ng.array(X))
        y = x * w
    assert inner.gradient(y, [x, w])[0] is None
    gradient = outer.gradient(y, [x, w])
    np.testing.assert_array_equal(gradient[0], X)
    assert gradient[1] is None


def test_item_04_tapes_need_not_close_in_order():
    first, second = ng.GradientTape(), ng.GradientTape()
    first.__enter__()
    second.__enter__()
    x = second.watch(first.watch(ng.array(X)))
    y = x * x
    first.__exit__(None, None, None)
    z = y * 2
    second.__exit__(None, None, None)
    nothing_is_left_behind()
    np.testing.assert_array_equal(first.gradient(y, x), 2 * X)
    np.testing.assert_array_equal(second.gradient(z, x), 4 * X)
    assert type(z + 1) is np.ndarray


def test_item_05_calls_before_watch_or_after_exit_are_not_recorded():
    with ng.GradientTape(persistent=True) as tape:
        x = ng.array(X)
        before = x * x
        tape.watch(x)
        inside = x * x
    after = inside * x
    assert tape.gradient(before, x) is None
    assert tape.gradient(after, x) is None
    assert type(after) is np.ndarray
    np.testing.assert_array_equal(tape.gradient(inside, x), 2 * X)


# --- stop_recording and reset --------------------------------------------------------------------------------------


def test_item_14_what_is_computed_while_recording_is_stopped_is_constant_to_this_tape_only():
    with ng.GradientTape() as outer, ng.GradientTape() as inner:
        x = inner.watch(outer.watch(ng.array(X)))
        with inner.stop_recording():
            factor = x * x
        y = x * factor
    np.testing.assert_array_equal(inner.gradient(y, x), X**2)
    np.testing.assert_array_equal(outer.gradient(y, x), 3 * X**2)


def test_item_14_recording_goes_on_after_an_exception():
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        with pytest.raises(KeyboardInterrupt), tape.stop_recording():
            raise KeyboardInterrupt
        y = x * x
    np.testing.assert_array_equal(tape.gradient(y, x), 2 * X)


@pytest.mark.parametrize("write", ["setitem", "in place", "out", "copyto", "fill", "add.at", "multiply.at"])
def test_item_14_writes_inside_act_as_constants_later(write):
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        buffer = x * x
        squares = buffer * 1.0
        with tape.stop_recording():
            if write == "setitem":
                buffer[:2] = x[:2] * 10
            elif write == "in place":
                buffer[:2] += x[:2]
            elif write == "out":
                np.multiply(x[:2], 10.0, out=buffer[:2])
            elif write == "copyto":
                np.copyto(buffer[:2], x[:2])
            elif write == "add.at":
                np.add.at(buffer, [0, 1, 1], x)
            elif write == "multiply.at":
                np.multiply.at(buffer, [0, 1, 1], 2.0)
            else:
                buffer[:2].fill(4.0)
        written = np.array([float(b) for b in ng.stop_gradient(buffer)])
        y = buffer * x + squares
    expected = written + [0, 0, 2 * X[2] * X[2]] + 2 * X
    np.testing.assert_array_equal(tape.gradient(y, x), expected)


def test_item_14_nested_tapes_can_be_stopped_together():
    with ng.GradientTape() as outer, ng.GradientTape() as inner:
        x = inner.watch(outer.watch(ng.array(X)))
        with outer.stop_recording():
            with inner.stop_recording():
                constant = x * x
            partly = x * x
        y = x + constant + partly
    np.testing.assert_array_equal(inner.gradient(y, x), 1 + 2 * X)
    np.testing.assert_array_equal(outer.gradient(y, x), [1, 1, 1])


def test_item_15_stop_and_reset_on_a_tape_that_is_not_recording():
    tape = ng.GradientTape()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="not recording"), tape.stop_recording():
            pass
        with pytest.raises(ValueError, match="not recording"):
            tape.reset()
        with tape, tape.stop_recording():
            with pytest.raises(RuntimeError, match="not recording"), tape.stop_recording():
                pass
            with pytest.raises(ValueError, match="not recording"):
                tape.reset()


@pytest.mark.parametrize("persistent", [False, True])
def test_item_16_gradient_inside_stop_recording(persistent):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with ng.GradientTape(persistent=persistent) as tape:
            x = tape.watch(X)
            y = x**3
            before = len(tape._record.entries)
            with tape.stop_recording():
                slope = tape.gradient(y, x)
            if persistent:
                assert len(tape._record.entries) == before
                assert tape.gradient(slope, x) is None if isinstance(slope, ng.TracedArray) else True
    np.testing.assert_array_equal(slope, 3 * X**2)
    nothing_is_left_behind()


def test_item_17_reset_forgets_records_and_watches():
    with ng.GradientTape() as tape:
        x = tape.watch(ng.array(X))
        y = x * x
        tape.reset()
        z = x * x
        w = tape.watch(ng.array(X))
        u = w * y
    assert tape.gradient([y, z], x) is None
    nothing_is_left_behind()
    with tape:
        w = tape.watch(ng.array(X))
        u = w * y
    np.testing.assert_array_equal(tape.gradient(u, w), X**2)


# --- Writes between and after contexts -----------------------------------------------------------------------------


def test_a_write_between_two_contexts_is_a_constant():
    tape = ng.GradientTape()
    with tape:
        x = tape.watch(X)
        y = x * x
    y[0] = 10.0
    y[1:] *= 2
    with tape:
        z = y * x
    np.testing.assert_array_equal(z, [10.0, 16.0, 54.0])
    # Between the contexts nothing is followed: what was written there is constant to the tape.
    np.testing.assert_array_equal(tape.gradient(z, x), [10.0, 8.0, 18.0])


def test_writes_after_exit_do_not_reach_what_was_recorded():
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = np.exp(x)
        z = y * x * x
    x[:] = 100.0
    y[0] = -7.0
    np.testing.assert_allclose(tape.gradient(z, x), np.exp(X) * (X**2 + 2 * X), rtol=1e-14)


def test_a_constant_that_changes_after_its_use():
    constant = np.array([1.0, 2.0, 3.0])
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = x * constant
        constant[:] = 100.0
        z = y + x * constant
    np.testing.assert_array_equal(tape.gradient(z, x), [101.0, 102.0, 103.0])


# --- An error in the middle of a sweep -----------------------------------------------------------------------------


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_an_error_inside_a_rule(error):
    @ng.custom_gradient
    def failing(x):
        def pullback(ct):
            raise error

        return x * 2, pullback

    settings = np.geterr()
    with ng.GradientTape() as outer:
        x = outer.watch(X)
        with ng.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = failing(x * x)
            z = x * x
        with pytest.raises(error):
            tape.gradient(y, x)
        slope = tape.gradient(z, x)
    nothing_is_left_behind()
    assert np.geterr() == settings
    np.testing.assert_array_equal(outer.gradient(slope, x), [2, 2, 2])


def test_item_19_inside_its_own_context_a_tape_that_is_not_persistent_stops():
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = x * x
        slope = tape.gradient(y, x)
        nothing_is_left_behind()
        np.testing.assert_array_equal(slope, 2 * X)
    nothing_is_left_behind()


@pytest.mark.parametrize("yes", [True, 1, np.True_])
def test_persistent_takes_what_python_takes_for_a_truth_value(yes):
    with ng.GradientTape(persistent=yes) as tape:
        x = tape.watch(3.0)
        y = x * x
    assert [tape.gradient(y, x) for _ in range(2)] == [6.0, 6.0]
