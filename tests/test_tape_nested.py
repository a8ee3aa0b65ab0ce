"""Tapes over tapes: item 35 of the contract, and programs with in-place updates at any order."""

import numpy as np
import pytest

import npgrad as ng
from npgrad.testing import directional_difference

X = np.array([0.7, 1.3, 0.4])


def derivative(f, order):
    """The function of one number that is the derivative of the given order, by that many nested tapes."""
    if order == 0:
        return f

    def slope(x):
        with ng.GradientTape() as tape:
            x = tape.watch(x)
            y = derivative(f, order - 1)(x)
        return tape.gradient(y, x, unconnected_gradients="zero")

    return slope


def plain(x):
    return x**6


def through_a_buffer(x):
    """x**6, by writes."""
    powers = np.empty(6)
    powers[0] = x
    for i in range(1, 6):
        powers[i] = powers[i - 1] * x
    return powers[-1]


def in_place(x):
    """x**6, by in-place products on one storage and an alias of it."""
    work = np.ones(2)
    alias = work[:1]
    for _ in range(3):
        work *= x
        alias *= x
    return work[0]


def by_out(x):
    """x**6, by out= into an overwritten buffer."""
    work = np.array([x])
    np.multiply(work, work, out=work)
    np.power(work, 3, out=work)
    return work[0]


def by_scatter(x):
    """x**6, by np.add.at, a mask and an advanced index."""
    sums = np.zeros(3)
    np.add.at(sums, [0, 0, 1], np.array([x, x, x]))
    sums[np.array([True, False, False])] *= sums[[1]]
    sums[[2]] = sums[[0]] / 2
    return sums[2] ** 3


def by_copies(x):
    """x**6, by a shifted write into itself."""
    u = np.array([x, x * x, x**3])
    u[1:] = u[:-1] * u[1:]
    return u[1] * u[1]


@pytest.mark.parametrize("f", [plain, through_a_buffer, in_place, by_out, by_scatter, by_copies])
@pytest.mark.parametrize("order", range(1, 6))
def test_item_35_orders_to_five(f, order):
    x = 1.25
    expected = np.prod(np.arange(6, 6 - order, -1.0)) * x ** (6 - order)
    np.testing.assert_allclose(derivative(f, order)(x), expected, rtol=1e-12)


def heat(u):
    """A nonlinear step in place, with an alias and an overwritten input."""
    work = np.zeros(5)
    work[1:-1] = u
    inner = work[1:-1]
    for _ in range(3):
        inner += 0.1 * (work[:-2] - 2 * inner + work[2:]) * inner
        work[0] = inner[0] * inner[1]
    return (work**2).sum()


def hessian_by_tapes(f, x):
    with ng.GradientTape() as outer:
        x = outer.watch(x)
        with ng.GradientTape() as inner:
            inner.watch(x)
            y = f(x)
        slope = inner.gradient(y, x)
    return outer.jacobian(slope, x)


def test_item_35_a_hessian_is_the_jacobian_of_a_gradient():
    found = hessian_by_tapes(heat, X)
    np.testing.assert_allclose(found, found.T, rtol=1e-13)
    for i in range(3):
        direction = np.eye(3)[i]

        def slope_along(x):
            return ng.grad(heat)(x)

        expected, error = directional_difference(slope_along, [X], [direction])
        np.testing.assert_allclose(found[i], expected[0], rtol=max(1e-9, 20 * error))


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_item_35_third_derivatives_by_jacobians_of_jacobians(mode):
    def f(x):
        out = np.empty(2)
        out[0] = x[0] * x[1] ** 2
        out[1] = x[0]
        out[1] *= out[0]
        return out

    def second(x):
        return ng.jacobian(ng.jacobian(f, mode=mode), mode=mode)(x)

    x0, x1 = 1.5, 0.5
    third = ng.jacobian(second)(np.array([x0, x1]))
    assert third.shape == (2, 2, 2, 2)
    # f0 = x0 x1^2: only d3/(dx0 dx1 dx1) = 2. f1 = x0^2 x1^2: 001 -> 4 x1, 011 -> 4 x0.
    expected = np.zeros((2, 2, 2, 2))
    for places, values in (((0, 0, 1), (0.0, 4 * x1)), ((0, 1, 1), (2.0, 4 * x0))):
        for a, b, c in {(places[i], places[j], places[3 - i - j]) for i in range(3) for j in range(3) if i != j}:
            expected[:, a, b, c] = values
    np.testing.assert_allclose(third, expected, rtol=1e-13)


def test_item_35_a_hessian_vector_product_by_a_tape_over_a_tape():
    vector = np.array([1.0, -2.0, 0.5])
    with ng.GradientTape() as outer:
        x = outer.watch(X)
        with ng.GradientTape() as inner:
            inner.watch(x)
            y = heat(x)
        product = inner.gradient(y, x) @ vector
    np.testing.assert_allclose(outer.gradient(product, x), hessian_by_tapes(heat, X) @ vector, rtol=1e-12)


def test_a_tape_over_gradients_inside_a_loop_with_in_place_updates():
    """Gradient descent unrolled: x - rate x for three steps on sum(x**2) / 2, so d x3 / d x0 = (1 - rate)**3."""
    with ng.GradientTape(persistent=True) as outer:
        start, rate = outer.watch((X, 0.1))
        x = start * 1.0
        history = np.empty((3, 3))
        for step in range(3):
            with ng.GradientTape() as inner:
                inner.watch(x)
                loss = (x * x).sum() / 2
            x -= rate * inner.gradient(loss, x)
            history[step] = x
        final = history[-1].sum()
    np.testing.assert_allclose(outer.gradient(final, start), np.full(3, 0.9**3), rtol=1e-14)
    np.testing.assert_allclose(outer.gradient(final, rate), -3 * 0.9**2 * X.sum(), rtol=1e-14)


def test_an_inner_gradient_that_is_written_into_a_buffer():
    with ng.GradientTape() as outer:
        x = outer.watch(X)
        slopes = np.zeros((2, 3))
        for row in range(2):
            with ng.GradientTape() as inner:
                inner.watch(x)
                y = (x ** (row + 2)).sum()
            slopes[row] = inner.gradient(y, x)
        total = slopes.sum()
    np.testing.assert_allclose(outer.gradient(total, x), 2 + 6 * X, rtol=1e-14)


def test_the_outer_tape_must_enclose_the_inner_gradient():
    with ng.GradientTape() as outer:
        x = outer.watch(X)
        with ng.GradientTape() as inner:
            inner.watch(x)
            y = x * x
    slope = inner.gradient(y, x)
    assert type(slope) is np.ndarray
    assert outer.gradient(slope, x) is None


def test_a_write_between_the_inner_record_and_its_gradient_is_seen_by_the_outer_tape():
    """The inner sweep needs the value from before the write; the outer tape follows the copy that was kept."""
    with ng.GradientTape() as outer:
        x = outer.watch(X)
        with ng.GradientTape() as inner:
            u = inner.watch(x * 1.0)
            y = u**3
        u[:] = 100.0
        slope = inner.gradient(y, u)
    np.testing.assert_allclose(slope, 3 * X**2, rtol=1e-14)
    np.testing.assert_allclose(outer.gradient(slope, x), 6 * X, rtol=1e-14)


def test_inner_seeds_are_followed():
    with ng.GradientTape() as outer:
        x, seed = outer.watch((ng.array(X), ng.array(np.ones(3) * 2)))
        with ng.GradientTape() as inner:
            inner.watch(x)
            y = x * x
        slope = inner.gradient(y, x, output_gradients=seed)
    by_x, by_seed = outer.gradient(slope, [x, seed])
    np.testing.assert_array_equal(by_x, [4, 4, 4])
    np.testing.assert_array_equal(by_seed, 2 * X)


def test_an_inner_jacobian_is_followed():
    with ng.GradientTape() as outer:
        x = outer.watch(X)
        with ng.GradientTape() as inner:
            inner.watch(x)
            work = np.empty(3)
            work[:2] = x[:2] ** 2
            work[2] = x.prod()
        determinant = np.linalg.det(inner.jacobian(work, x))
    # The Jacobian is triangular: its determinant is 4 x0^2 x1^2.
    x0, x1, _ = X
    np.testing.assert_allclose(outer.gradient(determinant, x), [8 * x0 * x1**2, 8 * x0**2 * x1, 0.0], rtol=1e-12, atol=1e-15)


def test_results_are_traced_only_while_an_outer_tape_records():
    with ng.GradientTape():
        with ng.GradientTape() as inner:
            x = inner.watch(X)
            y = x * x
        assert isinstance(inner.gradient(y, x), ng.TracedArray)
    assert type(ng.grad(lambda x: (x * x).sum())(X)) is np.ndarray


def test_stopping_the_outer_tape_hides_the_inner_gradient_from_it():
    with ng.GradientTape() as outer:
        x = outer.watch(X)
        with ng.GradientTape() as inner:
            inner.watch(x)
            y = x**3
        with outer.stop_recording():
            slope = inner.gradient(y, x)
        z = slope * x
    np.testing.assert_allclose(outer.gradient(z, x), 3 * X**2, rtol=1e-14)


def test_complex_second_derivatives():
    z0 = 0.5 + 0.25j
    with ng.GradientTape() as outer:
        z = outer.watch(z0)
        with ng.GradientTape() as inner:
            inner.watch(z)
            y = np.exp(z) * z
        slope = inner.gradient(y, z)
    np.testing.assert_allclose(slope, np.conj(np.exp(z0) * (z0 + 1)), rtol=1e-14)
    # d/dz of conj(g(z)) with a real seed: what flows back is the conjugate of the conjugated derivative.
    np.testing.assert_allclose(outer.gradient(slope, z), np.conj(np.exp(z0) * (z0 + 2)), rtol=1e-14)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_seeds_of_several_targets_in_one_storage_are_not_written_into(mode):
    """The sum of plain seeds is plain; what the sweep writes into it an outer tape would not see."""

    def squares(x):
        a = x * 1.0
        first = a[0] ** 2
        a[:1] = x[:1]
        return [a, a, a[1:], first]

    x0 = np.array([1.0, 2.0, 3.0])
    with ng.GradientTape() as outer:
        x = outer.watch(x0)
        with ng.GradientTape() as inner:
            y = inner.watch(x.copy())
            targets = squares(y)
        g = inner.gradient(targets, y, [np.ones(3), np.ones(3), np.ones(2), np.ones(())])
    found = outer.jacobian(g, x, "zero", mode=mode)
    assert found.tolist() == [[2.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
