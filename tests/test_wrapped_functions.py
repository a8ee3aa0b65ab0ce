"""What the wrappers of functions make of one and the same function, in all of which a program may use it: the derivatives
are those of the function itself, by differences."""

import numpy as np
import pytest

import npgrad as ng
from npgrad import finite_difference

pytestmark = pytest.mark.once


def plain(a, b):
    return a * a * b


def backwards_through(ct, a, b):
    by_a, by_b = ct * np.conj(2 * a * b), ct * np.conj(a * a)
    if np.ndim(b) < np.ndim(a):
        return by_a, np.sum(by_b)
    return by_a, np.sum(by_b, axis=0, keepdims=True) if np.shape(b) != np.shape(a) else by_b


@ng.custom_gradient
def custom(a, b):
    return a * a * b, lambda ct: backwards_through(ct, a, b)


@ng.extend.differentiable
def declared(a, b):
    return a * a * b


@ng.extend.vjp(declared, "a", "b")
def _(ct, a, b):
    return backwards_through(ct, a, b)


ng.extend.jvp(declared, "a", batch=True)(lambda tangent, a, b: 2 * a * b * tangent)
ng.extend.jvp(declared, "b", batch=True)(lambda tangent, a: a * a * tangent)


def step(state, i, b):
    return state * state * b


def loop(a, b):
    return ng.checkpoint_loop(step, a, 1, 2, b)


WRAPPED = {
    "checkpoint": ng.checkpoint(plain),
    "checkpoint of checkpoint": ng.checkpoint(ng.checkpoint(plain)),
    "checkpoint_loop": loop,
    "implicit": ng.implicit(plain, lambda y, a, b: y - plain(a, b)),
    "custom_gradient": custom,
    "differentiable": declared,
    "black_box": ng.black_box(plain, method="richardson"),
}
FIRST_ONLY = {"black_box"}


# Programs: all use `w` as they use `plain`.


def twice(w, x):
    return w(x, x)


def parts(w, x):
    return w(x[1:], x[:-1])


def backwards(w, x):
    return w(x[::-1], x)


def argument_overwritten(w, x):
    a, b = x * 1.0, x + 1.0
    y = w(a, b)
    a *= 10.0
    b[1] = x[0]
    return y * a * b


def constant_overwritten(w, x):
    b = np.array([3.0, 4.0, 5.0])
    y = w(x, b)
    b[:] = 100.0
    return y * b


def constant_view_overwritten(w, x):
    b = np.arange(6.0)
    y = w(x, b[::2])
    b *= 100.0
    return y + b[:3]


def integers_overwritten(w, x):
    b = np.array([3, 4, 5])
    y = w(x, b)
    b[:] = 100
    return y * b


def result_overwritten(w, x):
    y = w(x, x)
    y[1:] *= x[:-1]
    return y


def result_of_argument(w, x):
    a = x * 1.0
    y = w(a, a[::-1])
    a += y
    return a * y


def one_after_the_other(w, x):
    y = x
    for _ in range(2):
        y = w(y, x) * 0.1
    return y


def numbers(w, x):
    return w(x[0], x[1]) * x + w(x[2], 2.0)


def matrix(w, x):
    a = np.outer(x, x) + x
    return w(a.T, a[:1])[:, 1]


def branch(w, x):
    return np.where(x > 1.5, w(x, x), x)


def in_a_loop_of_tapes(w, x):
    return ng.grad(lambda z: w(z, x).sum())(x)


def rows_in_a_tape(w, x):
    return ng.jacobian(lambda z: w(z, x[::-1]))(x).sum(axis=0)


def single(w, x):
    return w(x.astype(np.float32), np.float32(2.0)).astype(float)


def turned(w, x):
    return np.abs(w(x * (1 + 2j), 1j * np.ones(3)))


PROGRAMS = [
    twice, parts, backwards, argument_overwritten, constant_overwritten, constant_view_overwritten, integers_overwritten,
    result_overwritten, result_of_argument, one_after_the_other, numbers, matrix, branch, in_a_loop_of_tapes, rows_in_a_tape,
    single, turned,
]  # fmt: skip
POINT = np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
@pytest.mark.parametrize("wrapper", WRAPPED)
def test_derivatives_are_those_of_the_function(wrapper, program):
    tolerance = 1e-3 if program is single else 1e-6
    if wrapper in FIRST_ONLY and program in (in_a_loop_of_tapes, rows_in_a_tape, turned):
        pytest.skip("first derivatives by real arguments only")

    def wrapped(x):
        return program(WRAPPED[wrapper], x)

    def bare(x):
        return program(plain, x)

    if program is single:  # differences in single precision say little
        expected = finite_difference.jacobian(lambda x: plain(x, 2.0), method="richardson")(POINT)
    else:
        expected = finite_difference.jacobian(bare, method="richardson")(POINT)
    np.testing.assert_array_equal(wrapped(POINT), bare(POINT))
    np.testing.assert_allclose(ng.jacobian(wrapped, mode="reverse")(POINT), expected, tolerance, tolerance)
    if wrapper != "custom_gradient":
        np.testing.assert_allclose(ng.jacobian(wrapped, mode="forward")(POINT), expected, tolerance, tolerance)


@pytest.mark.parametrize("program", [p for p in PROGRAMS if p is not single], ids=lambda program: program.__name__)
@pytest.mark.parametrize("wrapper", [name for name in WRAPPED if name not in FIRST_ONLY])
def test_second_derivatives_are_those_of_the_function(wrapper, program):
    def gradient_of(w):
        return ng.grad(lambda x: (program(w, x) ** 2).sum())

    expected = finite_difference.jacobian(gradient_of(plain), method="richardson")(POINT)
    found = ng.hessian(lambda x: (program(WRAPPED[wrapper], x) ** 2).sum())(POINT)
    np.testing.assert_allclose(found, expected, 1e-5, 1e-5)


@pytest.mark.parametrize("wrapper", [name for name in WRAPPED if name not in ("custom_gradient", "black_box")])
def test_an_array_given_by_position_and_by_keyword(wrapper):
    if wrapper == "checkpoint_loop":
        pytest.skip("takes no keywords")
    found = ng.jacobian(lambda x: WRAPPED[wrapper](x, b=x))(POINT)
    np.testing.assert_allclose(found, np.diag(3 * POINT**2), 1e-12)


class Holder:
    def __init__(self, x):
        self.x = x


def wrappers(returned):
    """The wrappers of a function that returns something made of its argument."""
    differentiable = ng.extend.differentiable(lambda x: returned(x))
    ng.extend.vjp(differentiable, "x")(lambda ct: ct)
    return [
        ng.checkpoint(returned),
        lambda x: ng.checkpoint_loop(lambda u, i: (returned(u), u)[0], x, 1, 1),
        ng.custom_gradient(lambda x: (returned(x), lambda ct: ct)),
        ng.implicit(returned, lambda y, x: y - x),
        ng.black_box(returned),
        differentiable,
    ]


@pytest.mark.parametrize(
    "returned", [Holder, lambda x: {x[0]}, iter, lambda x: lambda: x, lambda x: np.array([x[0], None])],
    ids=["object", "set", "iterator", "function", "array of objects"],
)  # fmt: skip
@pytest.mark.parametrize("number", range(6))
def test_results_that_no_tape_sees_into_are_refused(number, returned):
    with ng.GradientTape() as tape:
        x = tape.watch(POINT)
        with pytest.raises((TypeError, ValueError, ng.LeakError)):
            wrappers(returned)[number](x)


def pieces(ct, a):
    """A list of numbers in the place of an array, as much Python code makes it."""
    return [ct[n] * 3 * a[n] ** 2 for n in range(3)]


listed = ng.extend.differentiable(lambda a: a**3)
ng.extend.vjp(listed, "a")(lambda ct, a: pieces(ct, a))
ng.extend.jvp(listed, "a")(lambda tangent, a: pieces(tangent, a))


@pytest.mark.parametrize("mode", ["auto", "reverse"])
@pytest.mark.parametrize("wrapper", [listed, ng.custom_gradient(lambda a: (a**3, lambda ct: (pieces(ct, a),)))])
def test_derivatives_that_are_lists_are_followed(wrapper, mode):
    np.testing.assert_allclose(ng.grad(lambda x: wrapper(x).sum())(POINT), 3 * POINT**2)
    np.testing.assert_allclose(ng.hessian(lambda x: wrapper(x).sum(), mode=mode)(POINT), np.diag(6 * POINT))
    if wrapper is listed:
        twice = ng.jacobian(lambda x: ng.jvp(wrapper, (x,), (np.ones(3),))[1], mode=mode)(POINT)
        np.testing.assert_allclose(twice, np.diag(6 * POINT))


def nothing_for_zero(ct, a):
    return ct * 2 * a if np.any(ct) else None


quick = ng.extend.differentiable(lambda a: a * a)
ng.extend.vjp(quick, "a")(nothing_for_zero)
ng.extend.jvp(quick, "a")(lambda tangent, a: nothing_for_zero(tangent, a))


@pytest.mark.parametrize("wrapper", [quick, ng.custom_gradient(lambda a: (a * a, lambda ct: nothing_for_zero(ct, a)))])
def test_maps_that_give_nothing_for_some_rows(wrapper):
    found = ng.jacobian(lambda x: wrapper(x)[1:] * [0.0, 1.0], mode="reverse")(POINT)
    np.testing.assert_allclose(found, [[0, 0, 0], [0, 0, 6]])
    if wrapper is quick:
        found = ng.jacobian(lambda x: wrapper(x * [0.0, 1.0, 1.0]), mode="forward")(POINT)
        np.testing.assert_allclose(found, np.diag([0, 4, 6]))


def declared_twice(f):
    made = ng.extend.differentiable(f)
    ng.extend.vjp(made, "u")(lambda ct: 2 * ct)
    return made


# A function f(u) that gives 2 u.
DOUBLED = {
    "checkpoint": ng.checkpoint,
    "checkpoint_loop": lambda f: lambda u: ng.checkpoint_loop(lambda s, i: f(s), u, 1, 1),
    "checkpoint_loop by an argument": lambda f: lambda u: ng.checkpoint_loop(lambda s, i, u: f(u), u, 1, 1, u),
    "implicit": lambda f: ng.implicit(f, lambda z, u: z - 2 * u),
    "custom_gradient": lambda f: ng.custom_gradient(lambda u: (f(u), lambda ct: 2 * ct)),
    "black_box": ng.black_box,
    "differentiable": declared_twice,
}
# And one that gives its argument.
THE_SAME = {
    "checkpoint": ng.checkpoint(lambda u: u),
    "a part in a list": lambda u: ng.checkpoint(lambda u: {"part": [u.T[:2], 5]})(u)["part"][0].T,
    "checkpoint_loop": lambda u: ng.checkpoint_loop(lambda s, i, u: u, u * 1, 1, 1, u),
    "implicit": ng.implicit(lambda u: u, lambda z, u: z - u),
    "custom_gradient": ng.custom_gradient(lambda u: (u, lambda ct: np.clip(ct, -1, 1))),
    "several of custom_gradient": lambda u: ng.custom_gradient(lambda u: ((u, u), lambda a, b: a + b))(u)[0],
}


@pytest.mark.parametrize("name", DOUBLED)
def test_results_in_one_buffer_are_apart_with_and_without_a_tape(name):
    kept = np.zeros(3)

    def doubled(u):
        kept[:] = u * 2
        return kept

    wrapped, x = DOUBLED[name](doubled), np.array([1.0, 2.0, 3.0])

    def program(x):
        return (wrapped(x) + wrapped(x * 3)).sum()

    value, gradient = ng.value_and_grad(program)(x)
    assert program(x) == value == 48.0
    np.testing.assert_allclose(gradient, [8.0, 8.0, 8.0], rtol=1e-6)
    with ng.GradientTape():  # one that tracks nothing
        assert program(x) == 48.0


@pytest.mark.parametrize("name", THE_SAME)
def test_results_share_no_memory_with_an_argument_with_and_without_a_tape(name):
    def program(x):
        u = x * 1.0
        w = THE_SAME[name](u)
        w[0, 0] = 0.5
        u[1, 1] *= 3.0
        return (u * x).sum() + (w * w).sum()

    x = np.array([[0.1, 0.2], [0.3, 0.4]])
    wanted = np.square(x).sum() + 2 * 0.4**2 + 0.25 + np.square(x).sum() - 0.1**2
    value, gradient = ng.value_and_grad(program)(x)
    assert program(x) == value == pytest.approx(wanted, rel=1e-15)
    np.testing.assert_allclose(gradient, [[0.2, 0.8], [1.2, 3.2]])
    with ng.GradientTape() as tape:
        tape.watch(x)
        assert program(x) == value
        made = THE_SAME[name](x)
    assert not np.shares_memory(made, x) and not np.shares_memory(THE_SAME[name](x), x)


@pytest.mark.parametrize("name", DOUBLED)
def test_results_have_their_memory_order_with_and_without_a_tape(name):
    wrapped = DOUBLED[name](lambda u: 2 * u)
    x = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    with ng.GradientTape() as tape:
        made = wrapped(tape.watch(x))
    assert wrapped(x).strides == made.strides == x.strides


def test_results_without_arrays_and_of_other_classes_are_left_as_they_are():
    result = {"a": [1, "text"]}
    assert ng.checkpoint(lambda u: result)(1.0) is result
    masked = ng.checkpoint(lambda u: np.ma.masked_less(u, 2.0))(np.array([1.0, 3.0]))
    assert type(masked) is np.ma.MaskedArray and masked.mask.tolist() == [True, False]
