"""What stands beside the tape: items 37 to 40 of the contract."""

import copy
import pickle

import numpy as np
import pytest

import npgrad as ng
from npgrad.testing import check_gradients

X = np.array([1.0, 2.0, 3.0])


def test_item_37_stop_gradient():
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        held = ng.stop_gradient({"a": x, "b": [x[0], "text"]})
        y = x * held["a"] + held["b"][0]
    np.testing.assert_array_equal(tape.gradient(y, x), X)


def test_item_38_pythons_own_functions():
    def f(x):
        values = [x[0], x[1], x[2]]
        ordered = sorted(values, key=lambda v: -v)
        whole, rest = divmod(x[2], x[0] + 0.3)
        out = np.empty(7)
        out[0] = max(values) * min(values)
        out[1] = sum(values)
        out[2] = ordered[0]
        out[3] = abs(-x[1])
        out[4] = pow(x[0], 3) + round(x[1]) * x[1]
        out[5] = whole * rest
        out[6] = int(x[1]) * x[1]
        return out

    x = np.array([1.1, 2.3, 3.2])
    rows = ng.jacobian(f)(x)
    expected = [[3.2, 0, 1.1], [1, 1, 1], [0, 0, 1], [0, 1, 0], [3 * 1.1**2, 2, 0], [-4, 0, 2], [0, 2, 0]]
    np.testing.assert_allclose(rows, expected, rtol=1e-14)
    check_gradients(f, x)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_item_39_a_tape_is_neither_copied_nor_pickled(duplicate):
    with pytest.raises(TypeError, match="GradientTape cannot be copied or pickled"):
        duplicate(ng.GradientTape())


def test_item_39_a_traced_array_pickles_as_its_values():
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y, s = x * x, x.sum()
        restored, scalar = pickle.loads(pickle.dumps((y, s)))
    np.testing.assert_array_equal(restored, X * X)
    assert scalar == 6.0
    assert tape.gradient(restored, x) is None


def test_a_tape_says_what_it_is():
    tape = ng.GradientTape()
    assert repr(tape) == "<GradientTape: 0 calls, stopped>"
    with tape:
        x = tape.watch(X)
        y = np.sin(x) * x
        assert repr(tape) == "<GradientTape: 2 calls, recording>"
    assert repr(tape) == "<GradientTape: 2 calls, stopped>"
    tape.gradient(y, x)
    assert repr(tape) == "<GradientTape: 0 calls, used up>"


def test_item_40_the_guide():
    x = ng.Variable(3.0)
    with ng.GradientTape() as tape:
        y = x**2
    assert tape.gradient(y, x) == 6.0

    x = ng.constant([1.0, 3.0])
    with ng.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        z = y * y
    np.testing.assert_array_equal(tape.gradient(z, x), [4.0, 108.0])
    np.testing.assert_array_equal(tape.gradient(y, x), [2.0, 6.0])
    del tape

    x = ng.constant(5.0)
    with ng.GradientTape() as outer:
        outer.watch(x)
        with ng.GradientTape() as inner:
            inner.watch(x)
            y = x * x
        slope = inner.gradient(y, x)
    assert slope == 10.0
    assert outer.gradient(slope, x) == 2.0
