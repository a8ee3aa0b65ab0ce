"""Python's garbage collector while there is a record: looks less often, and is put back."""

import gc

import numpy as np
import pytest

import npgrad as ng


@pytest.fixture(autouse=True)
def _no_record_lives() -> None:
    """Exceptions of other tests may still hold records, in cycles."""
    gc.collect()


def test_thresholds_are_raised_while_recording_and_put_back():
    before = gc.get_threshold()
    with ng.GradientTape():
        raised = gc.get_threshold()
        with ng.GradientTape():
            assert gc.get_threshold() == raised
        assert gc.get_threshold() == raised
    assert raised[0] > before[0]
    assert gc.get_threshold() == before


def test_thresholds_are_put_back_with_the_record():
    before = gc.get_threshold()
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([1.0]))
        y = x * x
    assert gc.get_threshold() != before
    assert tape.gradient(y, x) == 2.0
    assert gc.get_threshold() == before
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(np.array([1.0]))
        y = x * x
    assert tape.gradient(y, x) == 2.0
    assert gc.get_threshold() != before
    del tape
    assert gc.get_threshold() == before


def test_thresholds_are_put_back_after_an_exception():
    before = gc.get_threshold()
    with pytest.raises(KeyError), ng.GradientTape():
        raise KeyError("user's")
    assert gc.get_threshold() == before


@pytest.mark.parametrize("users", [(0, 10, 10), (1_000_000, 5, 5)])
def test_a_collector_that_is_off_or_rare_stays_so(users):
    before = gc.get_threshold()
    gc.set_threshold(*users)
    try:
        with ng.GradientTape():
            assert gc.get_threshold() == users
        assert gc.get_threshold() == users
    finally:
        gc.set_threshold(*before)


def test_thresholds_that_the_user_changes_inside_stay():
    before = gc.get_threshold()
    try:
        with ng.GradientTape():
            gc.set_threshold(123, 4, 5)
        assert gc.get_threshold() == (123, 4, 5)
    finally:
        gc.set_threshold(*before)


def test_a_record_has_no_cycles():
    """Nothing is left for the collector when a tape is dropped, so that it may look less often."""
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            with ng.GradientTape() as tape:
                x = tape.watch(np.array([1.0, 2.0]))
                y = np.zeros(3)
                y[1:] = x * x
                y[0] = y[1] ** 2
                y *= 2
                z = np.sort(y).sum() + np.var(y) + (y @ y)
            tape.gradient(z, x)
            del tape, x, y, z
        assert gc.collect() == 0
    finally:
        gc.enable()
