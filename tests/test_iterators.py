"""Iterators and polynomials of NumPy's from before a tape, and what a program says itself while generators are about."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import npgrad as ng

X = np.array([1.0, 2.0, 3.0, 4.0])


def a_flat_iterator() -> Any:
    u = np.zeros((2, 2))
    it = u.flat

    def f(x: Any) -> Any:
        it[:] = x**2
        it[1] = x[0] * x[1]
        return (u * u).sum() + it[3]

    return f


def an_nditer() -> Any:
    u = np.zeros(4)
    it = np.nditer(u, op_flags=["readwrite"])  # type: ignore[call-overload]

    def f(x: Any) -> Any:
        it.reset()
        for k, element in enumerate(it):
            element[...] = x[k] ** 2
        return (u * u).sum()

    return f


def a_series() -> Any:
    p = np.polynomial.Polynomial(np.ones(4))

    def f(x: Any) -> Any:
        p.coef[:] = x**2
        return p(2.0) + p.deriv()(0.5)

    return f


def a_series_of_others() -> Any:
    p = np.polynomial.Chebyshev(np.ones(4))

    def f(x: Any) -> Any:
        p.coef[:] = x**2
        return p(0.3)

    return f


def a_broadcast() -> Any:
    u, v = np.zeros(4), np.ones((2, 1))
    it = np.broadcast(u, v)

    def f(x: Any) -> Any:
        u[:], v[1] = x**2, x[:1]
        it.reset()
        return sum([a * b for a, b in it])

    return f


def a_poly1d() -> Any:
    p = np.poly1d([1.0, 1.0, 1.0, 1.0])

    def f(x: Any) -> Any:
        p.coeffs[:] = x**2
        return p(2.0)

    return f


@pytest.mark.parametrize("make", [a_flat_iterator, an_nditer, a_broadcast, a_series, a_series_of_others, a_poly1d])
def test_what_is_written_through_them_is_followed(make: Any) -> None:
    expected = ng.finite_difference.jacobian(make())(X)
    f = make()
    gradient = ng.value_and_grad(f)
    for _ in range(2):
        value, found = gradient(X)
        assert value == make()(X)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(ng.jvp(f, (X,), (np.ones(4),))[1], expected.sum(), rtol=1e-6)
    assert f(X) == value


def test_a_flat_iterator_goes_on_where_it_was() -> None:
    u = np.array([1.0, 2.0, 3.0, 4.0])
    it = u.flat
    assert next(it) == 1.0

    def f(x: Any) -> Any:
        return x.sum() * next(it)

    np.testing.assert_array_equal(ng.grad(f)(X), np.full(4, 2.0))
    assert next(it) == 3.0


def test_a_broadcast_goes_on_where_it_was() -> None:
    u = np.array([1.0, 2.0, 3.0, 4.0])
    it = np.broadcast(u, 2.0)
    next(it)
    np.testing.assert_array_equal(ng.grad(lambda x: x.sum() * next(it)[0] * it.index)(X), np.full(4, 4.0))
    assert next(it) == (3.0, 2.0)


def test_arrays_of_one_shape_are_broadcast_to_themselves() -> None:
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        assert np.broadcast_arrays(x, X)[0] is x
        assert np.broadcast_arrays(x, 1.0)[0] is not x


def test_those_over_arrays_of_other_kinds_refuse_tracked_data() -> None:
    class Vector(np.ndarray):
        pass

    vector = np.zeros(4).view(Vector)
    records = np.zeros(4, [("x", "f8"), ("m", "f8")])
    over_vector, over_records = vector.flat, records.flat
    nditer = np.nditer(vector, op_flags=["readwrite"])  # type: ignore[call-overload]

    def elements(x: Any) -> Any:
        over_vector[:] = x
        return float(np.sum(vector)) * x[0]

    def written(x: Any) -> Any:
        records["x"] = x
        return over_records[0]["x"] * x[0]

    def views(x: Any) -> Any:
        nditer.reset()
        for k, element in enumerate(nditer):
            element[...] = x[k]
        return x[0]

    for f in (elements, written, views):
        with pytest.raises(ng.LeakError, match=r"test_iterators.py:\d+"):
            ng.grad(f)(X)


def test_the_programs_own_error_is_no_leak() -> None:
    def counter() -> Any:
        buffer = np.zeros(2)
        while True:
            yield buffer.sum()

    def writer() -> Any:
        buffer = np.zeros(2)
        while True:
            buffer[0] += 1.0
            yield buffer.sum()

    ticks, writes = counter(), writer()
    next(ticks), next(writes)
    constant = np.ones(4)
    constant.flags.writeable = False

    def own(x: Any) -> Any:
        constant[:] = 0.0
        return x.sum() + next(ticks)

    def leak(x: Any) -> Any:
        return x.sum() + next(writes) + constant[0]

    with pytest.raises(ValueError, match="read-only") as raised:
        ng.grad(own)(X)
    assert type(raised.value) is ValueError
    with pytest.raises(ng.LeakError, match="by an iterator or a generator"):
        ng.grad(leak)(X)
