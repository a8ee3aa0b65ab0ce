"""Arguments of the functional API that look at the same memory."""

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
