"""Outer products that a sweep collects give what it gives when it adds them one by one, and what differences give."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from comparisons import assert_close
from samples import S, all_samples
from sampling import through

import npgrad as ng
from npgrad import _outer_products, _plans, _sweep
from npgrad._registry import RULES
from npgrad.testing import Linearised, directional_difference

N = 40
RNG = np.random.default_rng(0)
W = RNG.standard_normal((N, N)) / 6
V = RNG.standard_normal(N)
M = RNG.standard_normal((N, 3))


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> list:
    """What has been collected; also from small products."""
    monkeypatch.setattr(_plans, "COLLECTED_FROM", 0)
    found: list = []
    collect = _outer_products.OuterProducts.collect

    def noting(self: Any, storage: Any, view: Any, left: Any, right: Any) -> bool:
        found.append((storage, view))
        return collect(self, storage, view, left, right)

    monkeypatch.setattr(_outer_products.OuterProducts, "collect", noting)
    return found


def power(w: Any) -> Any:
    v = V
    for _ in range(6):
        v = w @ v
        v /= np.linalg.norm(v)
    return v @ w @ v


def both_sides(w: Any) -> Any:
    """A and its transpose, as in methods for normal equations."""
    v = V
    for _ in range(4):
        v = np.tanh(w.T @ (w @ v)) + v @ w
    return v


def rows_of_a_vector(p: Any) -> Any:
    """Weights that are parts of one vector of parameters."""
    a, b = p[: 9 * 9].reshape(9, 9), p[9 * 9 :].reshape(12, 9)
    v = V[:9]
    for _ in range(5):
        v = np.tanh(a @ v)
    return b.dot(v)


def written_between(w: Any) -> Any:
    w = w * 1.0
    v = w @ V
    w[2] = v
    v = np.dot(w, v)
    w *= 0.5
    v = v @ w
    w[:, 1] += v
    return w @ v


def thin(w: Any) -> Any:
    m = M
    for _ in range(4):
        m = np.tanh(w @ m)
    return np.matmul(m.T, w)


def vectors_and_matrices(w: Any) -> Any:
    return np.tanh(w @ V) @ w + (w @ M).sum(axis=1)


def made_by_a_call(w: Any) -> Any:
    """As in a hidden Markov model: the matrix is made from the parameters."""
    p = np.exp(w)
    p /= p.sum(axis=1)[:, None]
    v = np.full(N, 1 / N)
    for _ in range(5):
        v = np.dot(v, p) * V**2
        v /= v.sum()
    return v


PROGRAMS = [power, both_sides, written_between, thin, vectors_and_matrices, made_by_a_call]
POINTS = [*[(f, W) for f in PROGRAMS], (rows_of_a_vector, RNG.standard_normal(9 * 9 + 12 * 9) / 3)]


def pulled(f: Callable, points: list, seed: int = 0) -> tuple[list, list]:
    linear = Linearised(f, points)
    cotangents = linear.random_cotangents(np.random.default_rng(seed))
    return linear.pull(cotangents), cotangents


@pytest.mark.parametrize(("f", "point"), POINTS, ids=[f.__name__ for f, _ in POINTS])
def test_programs(f: Callable, point: np.ndarray, collected: list) -> None:
    [found], cotangents = pulled(f, [point])
    assert len(collected) > 1
    direction = RNG.standard_normal(point.shape)
    expected, error = directional_difference(f, [point], [direction])
    assert error < 1e-6
    wanted = sum(float(np.vdot(c, e)) for c, e in zip(cotangents, expected, strict=True))
    np.testing.assert_allclose(np.vdot(found, direction), wanted, rtol=1e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.complex128, np.complex64])
def test_other_types(dtype: type, collected: list, monkeypatch: pytest.MonkeyPatch) -> None:
    w, v = W.astype(dtype), V.astype(dtype)
    if np.iscomplexobj(w):
        w, v = w + 1j * W.T.astype(w.real.dtype), v - 0.5j
    f = lambda w, v: (w @ (w.T @ v)) * (v @ w) + np.dot(w, v)
    found, _ = pulled(f, [w, v])
    assert collected
    monkeypatch.setattr(_sweep, "OuterProducts", lambda: None)
    expected, _ = pulled(f, [w, v])
    assert [g.dtype for g in found] == [w.dtype, v.dtype]
    assert_close(found, expected, 1e-12 if w.real.dtype == np.float64 else 1e-4)


def _samples() -> Iterator[S]:
    functions = {function for function, rule in RULES.items() if getattr(rule, "outers", None)}
    assert len(functions) >= 2
    return (sample for sample in all_samples() if sample.function in functions)


def test_samples(collected: list, monkeypatch: pytest.MonkeyPatch) -> None:
    def test(sample: S) -> None:
        found, cotangents = pulled(sample, sample.points)
        with monkeypatch.context() as context:
            context.setattr(_sweep, "OuterProducts", lambda: None)
            expected = Linearised(sample, sample.points).pull(cotangents)
        assert_close(found, expected)

    through(test, list(_samples()))
    assert collected


def test_memory_is_bounded(collected: list, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has come to take more than the sum is added."""
    added: list = []
    sums = _outer_products.OuterProducts.sums

    def noting(self: Any, storage: Any) -> Any:
        added.extend(len(pairs) for pairs in self.found.get(storage, {}).values())
        return sums(self, storage)

    monkeypatch.setattr(_outer_products.OuterProducts, "sums", noting)

    def grown(w: Any) -> Any:
        v = V[:8]
        for _ in range(400):
            v = w @ v
        return v

    [found], cotangents = pulled(grown, [np.eye(8) * 0.99])
    assert max(added) == 64
    assert sum(added) == 400
    # The derivative of (a I) ** 400 v along I is 400 a ** 399 v.
    np.testing.assert_allclose(np.trace(found), 400 * 0.99**399 * (V[:8] @ cotangents[0]), rtol=1e-12)


def test_sources_in_the_middle() -> None:
    """A matrix that is made by the program is asked for where it was written last."""
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(W)
        a = x * 2.0
        y = (a @ (a @ V)).sum()
        a[0] = 0.0
        z = (a @ V).sum() + y
    for target, matrix in itertools.product((y, z), (x, a)):
        found = tape.gradient(target, matrix)
        assert (found is None) == (target is y and matrix is a) or found.shape == (N, N)
    whole = tape.gradient(z, x)
    direction = RNG.standard_normal((N, N))

    def program(w: Any) -> Any:
        a = w * 2.0
        y = (a @ (a @ V)).sum()
        a[0] = 0.0
        return (a @ V).sum() + y

    [expected], _ = directional_difference(program, [W], [direction])
    np.testing.assert_allclose(np.vdot(whole, direction), expected, rtol=1e-8)


def test_what_is_not_finite_stays_in_its_row(collected: list, monkeypatch: pytest.MonkeyPatch) -> None:
    v = V.copy()
    v[3] = np.inf

    def f(w: Any) -> Any:
        return np.stack([w @ V, w @ v, w @ (2 * V)])[:, :9]

    with np.errstate(invalid="ignore"):
        [found], _ = pulled(f, [W])
        assert len(collected) == 3
        monkeypatch.setattr(_sweep, "OuterProducts", lambda: None)
        [expected], _ = pulled(f, [W])
    assert 0 < np.count_nonzero(np.isfinite(expected)) < N * N
    assert_close([found], [expected])
