"""Arguments of the functional API that look at the same memory."""

import functools
import tracemalloc
import types

import numpy as np
import pytest

import npgrad as ng

X = np.array([1.0, 2.0, 3.0])


def test_an_array_that_is_fixed_in_two_places_is_one():
    def f(x, work, again, *, named):
        work[:] = x * x
        return np.sum(again * named[0])

    work = np.zeros(3)
    value, gradient = ng.value_and_grad(f)(X, work, work, named=[work])
    assert value == np.sum(X**4)
    np.testing.assert_allclose(gradient, 4 * X**3)
    assert not work.any()


def writing(a, b):
    a[0] = 5.0
    return np.sum(a * b)


def reading(a, b):
    return np.sum(a * b)


@pytest.mark.parametrize("argnums", [0, 1, (0, 1)])
@pytest.mark.parametrize("of", [lambda x: (x, x), lambda x: (x, x[::-1]), lambda x: (x[:2], x[1:])])
def test_a_write_into_what_two_arguments_share_is_refused(argnums, of):
    x = X.copy()
    first, second = of(x)
    with pytest.raises(ValueError, match="memory is that of another"):
        ng.grad(writing, argnums)(first, second)
    np.testing.assert_array_equal(x, X)
    by_first, by_second = ng.grad(reading, (0, 1))(first, second)
    np.testing.assert_array_equal(by_first, second)
    np.testing.assert_array_equal(by_second, first)


def test_parts_of_one_buffer_that_do_not_meet_may_be_written():
    buffer = np.arange(1.0, 7.0)
    np.testing.assert_array_equal(ng.grad(writing)(buffer[:3], buffer[3:]), [0, 5, 6])
    np.testing.assert_array_equal(ng.grad(writing)(buffer[::2], buffer[1::2]), [0, 4, 6])


# --- Large arrays that are fixed are not copied in advance

LARGE = 40_000


def test_large_arrays_that_are_only_read_are_not_copied():
    data = np.random.default_rng(0).random((LARGE, 10))
    for order in "CF":
        x, w = np.array(data, order=order), np.linspace(0.1, 1.0, 10)
        for program in (lambda w, x: ((x @ w) ** 2).sum(), lambda w, x: (x[:, 1:] @ w[1:] + x[:, 0] * w[0]).sum()):
            both = ng.value_and_grad(program)
            value, gradient = both(w, x)
            assert value == program(w, x)
            np.testing.assert_allclose(gradient, ng.finite_difference.grad(program)(w, x), rtol=1e-7)
            tracemalloc.start()
            both(w, x)
            assert tracemalloc.get_traced_memory()[1] < 0.6 * x.nbytes
            tracemalloc.stop()


def writes(w, x):
    before = x * w
    x[1:] *= w
    x += 1.0
    return (x * before).sum()


@pytest.mark.parametrize("derivative", [ng.grad, ng.jacobian, ng.hessian])
def test_large_arrays_that_are_written_have_their_values_afterwards(derivative):
    x = np.linspace(0.5, 1.5, LARGE)
    expected = derivative(lambda w, x: writes(w, x * 1.0))(1.5, x)
    np.testing.assert_array_equal(derivative(writes)(1.5, x), expected)
    np.testing.assert_array_equal(x, np.linspace(0.5, 1.5, LARGE))

    def fails(w, x):
        writes(w, x)
        raise KeyError("as asked for")

    with pytest.raises(KeyError, match="as asked for"):
        derivative(fails)(1.5, x)
    np.testing.assert_array_equal(x, np.linspace(0.5, 1.5, LARGE))


def test_what_is_returned_or_kept_of_a_large_array():
    x, kept = np.ones(LARGE), []

    def program(w, x):
        x *= w
        kept.append(x)
        return x

    value, slope = ng.value_and_jacobian(program)(2.0, x)
    np.testing.assert_array_equal(value, np.full(LARGE, 2.0))
    np.testing.assert_array_equal(slope, np.ones(LARGE))
    np.testing.assert_array_equal(x, np.ones(LARGE))
    value[:] = 7.0
    np.testing.assert_array_equal(x, np.ones(LARGE))


def test_a_record_that_lives_on_has_the_values_of_large_arrays():
    x = np.linspace(0.5, 1.5, LARGE)
    for program in (lambda w, x=x: (w * x).sum(), functools.partial(writes, x=x)):
        at = ng.linearize(program, 1.5)
        expected = at.jvp((1.0,))
        x *= 100.0
        assert at.jvp((1.0,)) == expected
        np.testing.assert_allclose(at.vjp(1.0)[0], expected, rtol=1e-13)
        x /= 100.0


def test_large_arrays_that_may_not_be_written():
    x = np.ones(LARGE)
    x.flags.writeable = False
    assert ng.grad(lambda w, x: (w * x).sum())(2.0, x) == LARGE
    with pytest.raises(ValueError, match="read-only"):
        ng.grad(writes)(2.0, x)


def test_parts_of_one_large_array():
    x = np.ones(LARGE)
    program = lambda w, x, y: (w * x[: len(y)] * y).sum()
    assert ng.grad(program)(2.0, x, x[::2]) == LARGE / 2

    def writing(w, x, y):
        x *= w
        return y.sum() * w

    with pytest.raises(ValueError, match="memory is that of another one"):
        ng.grad(writing)(2.0, x, x[::2])
    np.testing.assert_array_equal(x, np.ones(LARGE))
    assert ng.grad(writing)(2.0, x, x) == pytest.approx(2 * 2.0 * LARGE)
    np.testing.assert_array_equal(x, np.ones(LARGE))


@pytest.mark.parametrize("size", [3, LARGE])
def test_an_array_that_the_function_reaches_by_another_way_too(size):
    module = types.ModuleType("both_ways")
    exec("import numpy as np\ndef f(w, x):\n    x[:] = w * np.arange(len(x))\n    return (work * w).sum()", vars(module))
    module.work = np.zeros(size)
    value, slope = ng.value_and_grad(module.f)(2.0, module.work)
    total = np.arange(size).sum()
    assert (value, slope) == (4.0 * total, 4.0 * total)
    np.testing.assert_array_equal(module.work, 2.0 * np.arange(size))  # as without npgrad
