"""Results that go through vectors of equal eigenvalues or singular values, and do not depend on their choice."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import npgrad as ng

RNG = np.random.default_rng(1)


def _h(a: Any) -> Any:
    return np.conj(np.swapaxes(a, -1, -2))


def _numbers(*shape: int, complex_: bool = False) -> Any:
    real = RNG.standard_normal(shape)
    return real + 1j * RNG.standard_normal(shape) if complex_ else real


def symmetric(*values: float, complex_: bool = False) -> Any:
    q = np.linalg.qr(_numbers(len(values), len(values), complex_=complex_))[0]
    a = (q * np.array(values)) @ _h(q)
    return (a + _h(a)) / 2


def general(m: int, n: int, *values: float, complex_: bool = False) -> Any:
    u, v = (np.linalg.qr(_numbers(k, k, complex_=complex_))[0][:, : len(values)] for k in (m, n))
    return (u * np.array(values)) @ _h(v)


def by_eigh(f: Callable, **settings: Any) -> Callable:
    def program(x: Any) -> Any:
        w, v = np.linalg.eigh((x + _h(x)) / 2, **settings)
        return (v * f(w)[..., None, :]) @ _h(v)

    return program


def by_svd(f: Callable, **settings: Any) -> Callable:
    def program(x: Any) -> Any:
        x = (x + _h(x)) / 2 if "hermitian" in settings else x
        u, s, vh = np.linalg.svd(x, **settings)
        k = s.shape[-1]
        return (u[..., :k] * f(s)[..., None, :]) @ vh[..., :k, :]

    return program


def by_eig(f: Callable) -> Callable:
    def program(x: Any) -> Any:
        w, v = np.linalg.eig(x)
        return np.real((v * f(w)) @ np.linalg.inv(v))

    return program


def projection(k: int) -> Callable:
    def program(x: Any) -> Any:
        v = np.linalg.eigh((x + _h(x)) / 2)[1][..., :k]
        return v @ _h(v)

    return program


def polar(x: Any) -> Any:
    u, _, vh = np.linalg.svd(x, full_matrices=False)
    return u @ vh


def _gram(x: Any) -> Any:
    _, s, vh = np.linalg.svd(x, full_matrices=False)
    return (_h(vh) * s**2) @ vh


def _loop(x: Any) -> Any:
    w, v = np.linalg.eigh((x + x.T) / 2)
    out = np.zeros(x.shape)
    for value, vector in zip(w, v.T, strict=True):
        out += np.exp(value) * np.outer(vector, vector)
    return out


def _in_place(x: Any) -> Any:
    w, v = np.linalg.eigh((x + x.T) / 2)
    w += 0.5
    np.sqrt(w, out=w)
    scaled = v.copy()
    scaled *= w
    return scaled @ v.T


def _two(x: Any) -> Any:
    return by_eigh(np.exp)(x) @ by_eigh(np.sin)(x @ x)


PROGRAMS = {
    "exp of the unit matrix": (by_eigh(np.exp), np.eye(3)),
    "log of the unit matrix": (by_eigh(np.log), np.eye(3)),
    "sqrt": (by_eigh(np.sqrt), symmetric(2, 2, 5, 5, 7)),
    "exp, other triangle": (by_eigh(np.exp, UPLO="U"), symmetric(1, 1, 2)),
    "square of zeros": (by_eigh(np.square), np.zeros((3, 3))),
    "the matrix itself, of zeros": (by_eigh(lambda w: w), np.zeros((3, 3))),
    "complex exp": (by_eigh(np.exp), symmetric(1, 1, 2, complex_=True)),
    "batch": (by_eigh(np.exp), np.stack([symmetric(1, 1, 2), symmetric(1, 2, 3), np.eye(3)])),
    "one element": (lambda x: by_eigh(np.exp)(x)[0, 0], np.eye(3)),
    "projection": (projection(2), symmetric(1, 1, 2, 2)),
    "projection, equal ones outside": (projection(1), symmetric(1, 2, 2)),
    "complex projection": (projection(2), symmetric(1, 1, 2, 2, complex_=True)),
    "sum of values": (lambda x: np.sum(np.linalg.eigh((x + x.T) / 2)[0] ** 3), symmetric(1, 1, 2)),
    "in a loop": (_loop, symmetric(1, 1, 2)),
    "values in place": (_in_place, symmetric(1, 1, 2)),
    "two decompositions": (_two, symmetric(1, 1, 2)),
    "svd": (by_svd(np.sin), general(3, 3, 2, 2, 1)),
    "svd, rank 1": (by_svd(np.sin), general(3, 3, 2, 0, 0)),
    "svd, tall": (by_svd(np.sin, full_matrices=False), general(4, 3, 2, 2, 0)),
    "svd, wide": (by_svd(np.sin, full_matrices=False), general(3, 5, 2, 0, 0)),
    "svd of zeros": (by_svd(np.sin, full_matrices=False), np.zeros((3, 2))),
    "svd, full matrices": (by_svd(np.sin), general(4, 2, 2, 0)),
    "svd, complex": (by_svd(np.sin, full_matrices=False), general(4, 3, 2, 2, 1, complex_=True)),
    "svd, complex, rank 1": (by_svd(np.sin, full_matrices=False), general(4, 3, 2, 0, 0, complex_=True)),
    "svd, rank 2 made again": (by_svd(lambda s: s), general(3, 3, 2, 1, 0)),
    "svd, hermitian": (by_svd(np.sin, hermitian=True), symmetric(-1, 1, 1, 2)),
    "polar factor": (polar, general(3, 3, 2, 2, 1)),
    "polar factor, tall": (polar, general(4, 2, 2, 2)),
    "gram": (_gram, general(4, 3, 2, 2, 0)),
    "nuclear norm": (lambda x: np.sum(np.linalg.svd(x)[1]), general(3, 3, 2, 2, 1)),
    "eig": (by_eig(np.exp), symmetric(1, 1, 2)),
    "eig of the unit matrix": (by_eig(np.exp), np.eye(3)),
    "eig, not symmetric": (by_eig(np.exp), (p := _numbers(3, 3) + 2 * np.eye(3)) @ np.diag([1, 1, 2]) @ np.linalg.inv(p)),
}  # fmt: skip


def inner(a: Any, b: Any) -> Any:
    return np.sum(np.real(np.conj(a) * b))


def difference(program: Callable, x: Any, direction: Any) -> Any:
    """Of sixth order."""
    h = 5e-3
    weights = {1: 45, 2: -9, 3: 1}
    return sum(c * (program(x + n * h * direction) - program(x - n * h * direction)) for n, c in weights.items()) / (60 * h)


@pytest.mark.parametrize("name", PROGRAMS)
def test_derivative_is_that_of_differences(name: str) -> None:
    program, x = PROGRAMS[name]
    direction = np.random.default_rng(2).standard_normal(x.shape)
    if np.iscomplexobj(x):
        direction = direction + 1j * np.random.default_rng(3).standard_normal(x.shape)
    weights = np.random.default_rng(4).standard_normal(np.shape(program(x)))
    expected = inner(weights, difference(program, x, direction))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gradient = ng.grad(lambda x: np.sum(weights * np.real(program(x))))(x)
        _, tangent = ng.jvp(program, (x,), (direction,))
        assert np.array_equal(ng.value_and_grad(lambda x: np.sum(np.real(program(x))))(x)[0], np.sum(np.real(program(x))))
    np.testing.assert_allclose(inner(gradient, direction), expected, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(inner(weights, tangent), expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", ["exp of the unit matrix", "batch", "projection", "svd, rank 1", "svd, tall", "eig"])
def test_jacobians_of_both_modes(name: str) -> None:
    program, x = PROGRAMS[name]
    forward, reverse = (ng.jacobian(program, mode=mode)(x) for mode in ("forward", "reverse"))
    np.testing.assert_allclose(forward, reverse, rtol=1e-12, atol=1e-12)
    direction = np.random.default_rng(5).standard_normal(x.shape)
    found = np.tensordot(forward, direction, x.ndim)
    np.testing.assert_allclose(found, difference(program, x, direction), rtol=1e-8, atol=1e-8)


def _series(x: Any) -> Any:
    return by_eigh(np.sqrt)(by_eigh(np.exp)(x))


def _with_one_value(x: Any) -> Any:
    w, v = np.linalg.eigh(x)
    return np.sum((v * np.exp(w)) @ v.T) + w[0]


def _with_one_value(x: Any) -> Any:
    w, v = np.linalg.eigh(x)
    return np.sum((v * np.exp(w)) @ v.T) + w[0]


@pytest.mark.parametrize(
    ("derivative", "what"),
    [
        (lambda x: ng.grad(lambda x: np.linalg.eigh(x)[1][0, 0] ** 2)(x), "depends on the choice of eigenvectors"),
        (lambda x: ng.grad(lambda x: np.linalg.svd(x)[0][0, 0])(x), "depends on the choice of singular vectors"),
        (lambda x: ng.jvp(lambda x: np.linalg.eigh(x)[1], (x,), (x,)), "depends on the choice of eigenvectors"),
        (lambda x: ng.grad(lambda x: np.sum(_series(x)))(x), "cannot be followed"),
        (lambda x: ng.jvp(_series, (x,), (x,)), "cannot be followed"),
        (lambda x: ng.grad(lambda x: np.sum(ng.checkpoint(by_eigh(np.log))(x)))(x), "cannot be followed"),
        (lambda x: ng.grad(lambda x: np.sum(by_svd(np.sin, hermitian=True)(x - np.eye(3))))(x), "cannot be followed"),
        (lambda x: ng.grad(lambda x: np.linalg.eigh(x)[0][0])(x), "have different shares"),
        (lambda x: ng.grad(lambda x: _with_one_value(x))(x), "have different shares"),
        (lambda x: ng.jvp(_with_one_value, (x,), (x,)), "have different shares"),
    ],
)
def test_what_has_no_derivative_or_cannot_be_followed_warns(derivative: Callable, what: str) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        derivative(np.eye(3))
    assert [w for w in seen if what in str(w.message)]
    assert {(w.category, w.filename) for w in seen} == {(ng.DegenerateWarning, __file__)}


def test_vectors_of_other_values_do_not_warn() -> None:
    def program(x: Any) -> Any:
        return (np.linalg.eigh((x + x.T) / 2)[1][:, 2] @ np.arange(1.0, 4.0)) ** 2

    x = np.diag([1.0, 1.0, 2.0])
    direction = np.array([[0.0, 0.3, -0.4], [0.1, 0.2, 0.7], [1.0, 0.5, 0.1]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = np.sum(ng.grad(program)(x) * direction)
    np.testing.assert_allclose(found, difference(program, x, direction), rtol=1e-9)


@pytest.mark.filterwarnings("ignore:gradient or jacobian of a persistent tape inside")
def test_tapes_that_are_used_again_paused_and_entered_again() -> None:
    weights = np.random.default_rng(7).standard_normal((3, 3))
    expected = ng.grad(lambda x: np.sum(weights * by_eigh(np.exp)(x)))(np.eye(3))
    tape = ng.GradientTape(persistent=True)
    with tape:
        x = tape.watch(np.eye(3))
        y = by_eigh(np.exp)(x)
        z = np.sum(weights * y)
        found = [tape.gradient(z, x)]
        with tape.stop_recording():
            found.append(tape.gradient(z, x))
    with tape:
        later = 2 * z
    found += [tape.gradient(z, x), tape.gradient(later, x) / 2]
    for one in found:
        np.testing.assert_allclose(one, expected, rtol=1e-14)
    assert type(found[2]) is np.ndarray


def test_values_used_while_a_tape_is_paused_are_constants() -> None:
    """v c v^T with c constant does not depend on the choice of v, and its derivative is that of a constant."""
    with ng.GradientTape() as tape:
        x = tape.watch(np.eye(3))
        w, v = np.linalg.eigh(x)
        with tape.stop_recording():
            c = np.exp(w)
        y = np.sum((v * c) @ v.T)
    assert np.array_equal(tape.gradient(y, x), np.zeros((3, 3)))


def test_a_tape_inside_another_one() -> None:
    weights = np.random.default_rng(8).standard_normal((3, 3))
    expected = ng.grad(lambda x: np.sum(weights * by_eigh(np.exp)(x)))(np.eye(3))
    with ng.GradientTape() as outer:
        with ng.GradientTape() as inner:
            x = inner.watch(outer.watch(np.eye(3)))
            z = np.sum(weights * by_eigh(np.exp)(x))
        np.testing.assert_allclose(inner.gradient(z, x), expected, rtol=1e-14)
        later = 3 * z
    np.testing.assert_allclose(outer.gradient(later, x), 3 * expected, rtol=1e-14)


def test_a_branch_that_was_not_taken_elsewhere() -> None:
    """Zero times infinity makes the sweep careful, and then nothing is followed."""
    with pytest.warns(ng.DegenerateWarning, match="cannot be followed"):
        ng.grad(lambda x: np.sum(by_eigh(np.log)(x)) + np.sum(np.where(x > 0.5, np.sqrt(x), 0)))(np.eye(2))
