"""Which way a Jacobian is found, and what it takes: direction by cost, sweeps shared by targets, memory under a bound."""

import gc
import tracemalloc

import numpy as np
import pytest

import npgrad as ng

MODES = ["forward", "reverse"]


def many_alive(x):
    parts = [np.sin(x * k) for k in range(1, 30)]
    total = parts[0]
    for part in parts[1:]:
        total = total * part
    return total


def buffers(x):
    u = x.copy()
    for _ in range(100):
        made = np.zeros_like(u)
        made[1:] = u[:-1] * 0.5
        made[:-1] += np.sin(u[1:])
        u = made
    return u


def matrices(x):
    m = x.reshape(10, -1)
    for _ in range(10):
        m = np.tanh(m @ (m.T @ m)) * 0.1
    return m.ravel()


def solved(x):
    return np.linalg.solve(np.outer(x, x) + 3 * np.eye(len(x)), x)


def sorted_sums(x):
    return np.cumsum(np.sort(x) * np.cumprod(x))


def gathered(x):
    index = np.arange(len(x))[::-1]
    for _ in range(4):
        x = x[index] * 0.5 + x
    return x


PROGRAMS = {
    many_alive: 200, buffers: 150, matrices: 200, solved: 40, sorted_sums: 150, gathered: 300,
    lambda x: np.abs(np.fft.fft(x)) * x: 200,
    lambda x: np.array([np.exp(x * k).sum() for k in range(1, 20)]): 300,
}  # fmt: skip


@pytest.mark.once
@pytest.mark.parametrize("max_bytes", [1 << 19, 1 << 21])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("f", PROGRAMS)
def test_sweeps_stay_below_max_bytes(f, mode, max_bytes):
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(np.random.default_rng(0).random(PROGRAMS[f]) + 0.5)
        y = f(x)
    expected = tape.jacobian(y, x, mode=mode)
    gc.collect()
    tracemalloc.start()
    found = tape.jacobian(y, x, mode=mode, max_bytes=max_bytes)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 * np.abs(expected).max())
    assert peak - 2 * found.nbytes < max_bytes  # the result, and the user's own copy of it


@pytest.fixture
def ways(monkeypatch):
    """The full sweeps that are chosen: (direction, how many targets)."""
    chosen = []
    monkeypatch.setattr(ng._jacobians, "_compressed", lambda *args: None)
    for name in ("_by_rows", "_by_columns"):
        inner = getattr(ng._jacobians, name)

        def noted(plan, targets, inner=inner, name=name):
            chosen.append((name, len(targets)))
            return inner(plan, targets)

        monkeypatch.setattr(ng._jacobians, name, noted)
    return chosen


@pytest.mark.parametrize(
    ("f", "x", "way"),
    [
        (lambda x: np.outer(x, x).ravel(), np.ones(5), "_by_columns"),
        (lambda x: x.sum() * x[:3], np.ones(50), "_by_rows"),
        (lambda x: x * x, np.ones(50), "_by_rows"),
        # Adding up by an index array is dear, and a reverse sweep does so for what was read by one; and the other way round.
        (gathered, np.ones(1500), "_by_columns"),
        (lambda x: np.bincount(np.arange(1500), x) * 2.0, np.ones(1500), "_by_rows"),
        # What the target does not need costs nothing in either direction.
        (lambda x: (many_alive(x), x[:600])[1] * 2, np.ones(700), "_by_rows"),
        (lambda x: (many_alive(x), np.append(x, x[:100]))[1] * 2, np.ones(600), "_by_columns"),
    ],
)
def test_the_cheaper_direction_is_taken(ways, f, x, way):
    ng.jacobian(f)(x)
    assert [name for name, _ in ways] == [way]


def test_targets_share_sweeps_where_that_is_cheaper(ways):
    x = np.linspace(0.2, 1.4, 6)
    rows = ng.jacobian(lambda x: tuple([x.sum() * k for k in range(1, 5)]))(x)
    assert np.array_equal(rows, np.outer(np.arange(1.0, 5), np.ones(6))) and ways == [("_by_rows", 4)]
    ways.clear()
    tall = ng.jacobian(lambda x: {"a": np.outer(x, x), "b": np.outer(x, np.arange(20.0))})(x)
    assert tall["a"].shape == (6, 6, 6) and tall["b"].shape == (6, 20, 6) and ways == [("_by_columns", 2)]
    ways.clear()
    # A long vector beside a scalar that is dear: not all rows of the vector go through what the scalar needs.
    big = np.linspace(0.1, 1.0, 3000)
    same, total = ng.jacobian(lambda x: (x[:2000] * 2, many_alive(x).sum()))(big)
    assert ways == [("_by_rows", 1), ("_by_rows", 1)]
    np.testing.assert_array_equal(same, 2 * np.eye(2000, 3000))
    assert total.shape == (3000,)


@pytest.mark.parametrize("mode", ["auto", *MODES])
def test_which_of_several_targets_and_sources_are_unconnected(mode):
    with ng.GradientTape(persistent=True) as tape:
        a, b, c = tape.watch((np.ones(2), np.ones(3), 1.0))
        targets = {"a": a * 2, "b": (b * c, np.zeros(2)), "none": a * 0.0 + 1.0, "flat": np.sign(b)}
    found = tape.jacobian(targets, [a, b, c], mode=mode)
    assert [[r is None for r in rows] for rows in (found["a"], *found["b"], found["none"], found["flat"])] == [
        [False, True, True], [True, False, False], [True, True, True], [False, True, True], [True, False, True],
    ]  # fmt: skip
    assert np.array_equal(found["none"][0], np.zeros((2, 2)))


@pytest.mark.parametrize("mode", MODES)
def test_sources_in_the_middle_and_values_that_are_sources(mode):
    """Watched arrays that are computed from others, overwritten afterwards, or targets themselves."""
    x = np.linspace(0.5, 1.5, 40)
    with ng.GradientTape(persistent=True) as tape:
        a = tape.watch(x)
        b = tape.watch(np.sin(a))
        y = a * b
        b *= 0.0
        z = np.cumsum(y)
    for max_bytes in (None, 1 << 12):
        by_a, by_b = tape.jacobian(z, [a, b], mode=mode, max_bytes=max_bytes)
        np.testing.assert_allclose(by_b, np.tri(40) * x, rtol=1e-14)
        np.testing.assert_allclose(by_a, np.tri(40) * (np.sin(x) + x * np.cos(x)), rtol=1e-13)
        np.testing.assert_array_equal(tape.jacobian(a, a, mode=mode, max_bytes=max_bytes), np.eye(40))


def test_tangents_of_large_arrays_do_not_outlive_their_use():
    def steps(x):
        for _ in range(50):
            x = np.sin(x) * 1.01
        return x

    x = np.linspace(0.1, 1.0, 20_000)
    at = ng.linearize(steps, x)
    tracemalloc.start()
    at.jvp((np.ones_like(x),))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * x.nbytes
