"""A NumPy scalar is the first argument, or the object whose method is called, and another argument is traced."""

import gc
import weakref
from collections.abc import Callable

import numpy as np
import pytest

import npgrad as ng
from npgrad import finite_difference
from npgrad._traced import unwrap

CAP = np.array([0.1, 0.5, 0.3]).max()
PLAIN = np.array([0.1, 0.5, 0.9])

BY_NAME: dict[str, Callable] = {
    "between": lambda x: np.clip(CAP, x[0], x[1]),
    "above": lambda x: np.clip(CAP, 0.0, x[0]) + x[0],
    "element": lambda x: np.clip(PLAIN[2], x[0], x[2]) * x[2],
    "keywords": lambda x: np.clip(a=np.float64(3.0), a_min=x[0], a_max=x[1]),
    "integer": lambda x: np.clip(np.int64(3), x[0], x[1]),
    "single": lambda x: np.clip(np.float32(3.0), 0.0, x[1]),
    "array bounds": lambda x: np.clip(CAP, x, x + 1.0).sum(),
    "destination": lambda x: np.clip(CAP, 0.0, x[0], out=np.zeros(())) * x[1],
    "choose": lambda x: np.choose(np.int64(1), [x[2], x[0]]),
    "initial": lambda x: np.max(np.float64(0.1), initial=x[1]) * np.sum(np.float64(0.1), initial=x[0]),
    "mean": lambda x: np.var(np.float64(2.0), mean=x[0]),
}


@pytest.mark.parametrize("name", BY_NAME)
def test_functions_follow_what_is_traced(name: str) -> None:
    f, x = BY_NAME[name], np.array([0.2, 1.0, 0.4])
    expected = finite_difference.grad(f)(x)
    with ng.GradientTape() as tape:
        value = f(watched := tape.watch(x))
    assert type(unwrap(value)) is type(f(x))
    np.testing.assert_allclose(tape.gradient(value, watched), expected, atol=1e-7)
    np.testing.assert_allclose(ng.grad(f)(x), expected, atol=1e-7)


LOST: dict[str, Callable] = {
    "clip": lambda x: np.float64(3.0).clip(x[0], x[1]),
    "clip above": lambda x: PLAIN.mean().clip(max=x[0]),
    "clip below": lambda x: np.int64(0).clip(x[0]),
    "clip of each": lambda x: sum(number.clip(0.0, x[0]) for number in PLAIN),
    "var": lambda x: np.float64(2.0).var(mean=x[0]),
    "std": lambda x: np.float64(2.0).std(mean=x[0]),
}


@pytest.mark.parametrize("f", LOST.values(), ids=LOST)
def test_methods_that_give_a_plain_number_are_refused(f: Callable) -> None:
    x = np.array([0.2, 1.0, 0.4])
    plain = PLAIN.copy()
    with ng.GradientTape() as tape:
        value = f(watched := tape.watch(x))
    with pytest.raises(ng.LeakError, match=r"test_calls_on_scalars.py:\d+: a method of a NumPy scalar takes traced data"):
        tape.gradient(value, watched)
    with ng.GradientTape(leaks="ignore") as tape:
        f(watched := tape.watch(x))
        value = watched.sum()
    np.testing.assert_array_equal(tape.gradient(value, watched), np.ones(3))
    np.testing.assert_array_equal(PLAIN, plain)


WITHOUT_AXES = np.array(0.7)
# Results of the same methods that the program gets, uses within one instruction, or throws away.
KEPT: dict[str, Callable] = {
    "returned": lambda x: WITHOUT_AXES.clip(0.0, x[0]),
    "of a new array": lambda x: np.array(0.7).clip(0.0, x[0]),
    "one side": lambda x: WITHOUT_AXES.clip(max=x[0]),
    "used at once": lambda x: sum(map(WITHOUT_AXES.clip, [0.0, x[0]], [x[0], x[1]])),
    "in a list": lambda x: [WITHOUT_AXES.clip(0.0, x[0]) for _ in range(3)][1],
    "thrown away": lambda x: (WITHOUT_AXES.clip(0.0, x[0]), x[1])[1],
    "var": lambda x: WITHOUT_AXES.var(mean=x[0]),
    "std": lambda x: WITHOUT_AXES.std(mean=x[0]),
    "of elements": lambda x: PLAIN.var(mean=x[0]),
}


@pytest.mark.parametrize("f", KEPT.values(), ids=KEPT)
def test_those_of_arrays_are_followed(f: Callable) -> None:
    x = np.array([0.2, 1.0, 0.4])
    with ng.GradientTape() as tape:
        value = f(watched := tape.watch(x))
    np.testing.assert_allclose(tape.gradient(value, watched), finite_difference.grad(f)(x), atol=1e-7)


def test_what_a_program_keeps_does_not_keep_the_tape() -> None:
    with ng.GradientTape() as tape:
        kept = WITHOUT_AXES.clip(0.0, tape.watch(np.array([0.2]))[0])
    record = weakref.ref(tape._record)
    del tape
    gc.collect()
    assert kept == 0.2 and record() is None
