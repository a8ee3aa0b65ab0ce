"""GradientTape.jacobian: items 29 to 32 of the contract."""

import numpy as np
import pytest

import npgrad as ng

X = np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_item_29_shapes(mode):
    with ng.GradientTape(persistent=True) as tape:
        a, s = tape.watch((np.arange(6.0).reshape(2, 3), 2.0))
        y, total = a.T * s, (a * s).sum()
    rows = tape.jacobian({"y": y, "t": total}, [a, s], mode=mode)
    assert rows["y"][0].shape == (3, 2, 2, 3)
    np.testing.assert_array_equal(rows["y"][0], 2 * np.einsum("il,jk->ijkl", np.eye(3), np.eye(2)))
    np.testing.assert_array_equal(rows["y"][1], np.arange(6.0).reshape(2, 3).T)
    assert rows["t"][0].shape == (2, 3)
    assert rows["t"][1] == 15.0
    assert isinstance(rows["t"][1], np.float64)


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_item_30_disconnected(mode):
    with ng.GradientTape(persistent=True) as tape:
        x, w = tape.watch((X, X + 1))
        y = np.zeros(2)
        y[0] = x[0] ** 2
    np.testing.assert_array_equal(tape.jacobian(y, x, mode=mode), [[2, 0, 0], [0, 0, 0]])
    assert tape.jacobian(y, w, mode=mode) is None
    np.testing.assert_array_equal(tape.jacobian(y, w, "zero", mode=mode), np.zeros((2, 3)))
    assert tape.jacobian(y, ng.array(X), mode=mode) is None


def test_item_30_inside_the_context():
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        rows = tape.jacobian(x * x, x)
    np.testing.assert_array_equal(rows, np.diag(2 * X))


def test_item_30_an_unrelated_source_does_not_forbid_forward_mode():
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = x * x
    by_x, by_other = tape.jacobian(y, [x, ng.array(X)], mode="forward")
    np.testing.assert_array_equal(by_x, np.diag(2 * X))
    assert by_other is None


def test_modes():
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(X)
        y = x * x
        z = y * y
    with pytest.raises(ValueError, match='"auto", "forward" or "reverse"'):
        tape.jacobian(z, x, mode="backward")
    with pytest.raises(ValueError, match="needs watched sources"):
        tape.jacobian(z, y, mode="forward")
    np.testing.assert_array_equal(tape.jacobian(z, y), np.diag(2 * X**2))


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_jacobians_in_several_sweeps(mode, monkeypatch):
    monkeypatch.setattr(ng._jacobians, "MAX_BYTES", 8 * 8 * 3 * 2)
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = np.outer(x, x).ravel()
    expected = np.einsum("ik,j->ijk", np.eye(3), X) + np.einsum("jk,i->ijk", np.eye(3), X)
    np.testing.assert_array_equal(tape.jacobian(y, x, mode=mode), expected.reshape(9, 3))


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_item_32_empty(mode):
    with ng.GradientTape(persistent=True) as tape:
        x, none = tape.watch((X, np.zeros((0, 2))))
        empty, y, total = x[:0] * 2, none * 3, none.sum()
    assert tape.jacobian(empty, x, mode=mode).shape == (0, 3)
    assert tape.jacobian(y, none, mode=mode).shape == (0, 2, 0, 2)
    assert tape.jacobian(total, none, mode=mode).shape == (0, 2)
    assert tape.gradient(y, none).shape == (0, 2)
    np.testing.assert_array_equal(tape.gradient(empty, x), np.zeros(3))
