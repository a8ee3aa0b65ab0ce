"""grad, value_and_grad, jacobian: their arguments and values."""

import collections
import dataclasses

import numpy as np
import pytest

import npgrad as ng
from npgrad import finite_difference

X = np.array([1.0, 2.0, 3.0])
BUFFER = np.zeros(3)

# --- Arguments -----------------------------------------------------------------------------------------------------


def test_argnums():
    f = lambda a, b, c: (a * b).sum() + c * a[0]
    b = np.array([0.5, 0.25, 2.0])
    by_a, by_b, by_c = b + [4.0, 0, 0], X, X[0]
    np.testing.assert_array_equal(ng.grad(f)(X, b, 4.0), by_a)
    np.testing.assert_array_equal(ng.grad(f, 1)(X, b, 4.0), by_b)
    assert ng.grad(f, -1)(X, b, 4.0) == by_c
    assert ng.grad(f, np.int64(2))(X, b, 4.0) == by_c
    found = ng.grad(f, (-1, 0))(X, b, 4.0)
    assert isinstance(found, tuple)
    assert found[0] == by_c
    np.testing.assert_array_equal(found[1], by_a)
    assert ng.grad(f, ())(X, b, 4.0) == ()


@pytest.mark.parametrize(
    ("argnums", "error", "words"),
    [(3, ValueError, "argnums 3.*2 positional"), (-3, ValueError, "argnums -3"), ("x", TypeError, "int or a tuple"),
     ((0, 1.5), TypeError, "1.5")],
)  # fmt: skip
def test_wrong_argnums(argnums, error, words):
    with pytest.raises(error, match=words):
        ng.grad(lambda a, b: (a * b).sum(), argnums)(X, X)


def test_by_keyword_nothing_can_be_differentiated():
    with pytest.raises(ValueError, match="by position, not by keyword"):
        ng.grad(lambda a: a.sum())(a=X)


def test_keyword_arguments_are_handed_on():
    np.testing.assert_array_equal(ng.grad(lambda x, *, scale: (x * scale).sum())(X, scale=X), X)


@dataclasses.dataclass(frozen=True)
class Parameters:
    weights: np.ndarray
    bias: float


class Point(collections.namedtuple("Point", "u v")):
    pass


@pytest.mark.parametrize(
    ("argument", "f"),
    [
        ({"weights": X, "bias": 2.0}, lambda p: (p["weights"] ** 2).sum() * p["bias"]),
        (Parameters(X, 2.0), lambda p: (p.weights**2).sum() * p.bias),
        ((X, 2.0), lambda p: (p[0] ** 2).sum() * p[1]),
        (Point(X, 2.0), lambda p: (p.u**2).sum() * p.v),
        ([X, [2.0]], lambda p: (p[0] ** 2).sum() * p[1][0]),
        (collections.OrderedDict(a=X, b=2.0), lambda p: (p["a"] ** 2).sum() * p["b"]),
        (collections.defaultdict(list, a=X, b=2.0), lambda p: (p["a"] ** 2).sum() * p["b"]),
    ],
)
def test_structures_are_given_back_as_they_came(argument, f):
    value, gradient = ng.value_and_grad(f)(argument)
    assert value == 28.0
    assert type(gradient) is type(argument)
    leaves, _ = ng._structure.flatten(gradient)
    np.testing.assert_array_equal(leaves[0], 4 * X)
    assert leaves[1] == 14.0


def test_a_list_that_the_function_fills_is_the_users_own():
    log = []
    ng.grad(lambda x, log: (log.append("called"), x.sum())[1])(X, log)
    assert log == ["called"]


def test_arguments_are_never_changed():
    def overwrites(x, fixed):
        x *= 2
        fixed += x
        return (fixed**2).sum()

    x, fixed = X.copy(), X.copy()
    np.testing.assert_array_equal(ng.grad(overwrites)(x, fixed), 2 * 3 * X * 2)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(fixed, X)


# --- Values --------------------------------------------------------------------------------------------------------


def test_has_aux():
    f = lambda x: ((x**3).sum(), {"squares": x * x, "count": 3, "text": "note"})
    (value, aux), gradient = ng.value_and_grad(f, has_aux=True)(X)
    assert value == 36.0
    np.testing.assert_array_equal(gradient, 3 * X**2)
    assert type(aux["squares"]) is np.ndarray
    assert (aux["count"], aux["text"]) == (3, "note")
    gradient, aux = ng.grad(f, has_aux=True)(X)
    np.testing.assert_array_equal(aux["squares"], X * X)
    rows, aux = ng.jacobian(lambda x: (x * x, [x]), has_aux=True)(X)
    np.testing.assert_array_equal(rows, np.diag(2 * X))
    np.testing.assert_array_equal(aux[0], X)
    with pytest.raises(TypeError, match="pair"):
        ng.grad(lambda x: x.sum(), has_aux=True)(X)


@pytest.mark.parametrize(
    ("f", "error", "words"),
    [
        (lambda x: x * 2, ValueError, r"shape \(3,\).*npgrad.jacobian"),
        (lambda x: None, TypeError, "returned None: does it end without return"),
        (lambda x: (x.sum(), x.sum()), TypeError, "tuple"),
        (lambda x: (x * 1j).sum(), TypeError, "complex"),
    ],
)
def test_what_grad_does_not_take(f, error, words):
    with pytest.raises(error, match=words):
        ng.grad(f)(X)


def test_what_is_no_function_and_what_is_no_float():
    with pytest.raises(TypeError, match="give the function, not its value"):
        ng.grad(3.0)
    with pytest.raises(TypeError, match=r"int 3.*3\.0"):
        ng.grad(lambda x: x * x)(3)
    with pytest.raises(TypeError, match="astype"):
        ng.grad(lambda x: x.sum())(np.array([1, 2]))
    with pytest.raises(TypeError, match=r"str at \['name'\]"):
        ng.grad(lambda p: p["w"].sum())({"w": X, "name": "layer"})
    with pytest.raises(TypeError, match="returned None"):
        ng.jacobian(lambda x: None)(X)


def test_values_are_plain_and_unrelated_arguments_get_zeros():
    value, gradient = ng.value_and_grad(lambda x: np.sin(x[0]))(X)
    assert type(value) is np.float64
    assert type(gradient) is np.ndarray
    np.testing.assert_array_equal(ng.grad(lambda x: 3.0)(X), np.zeros(3))
    np.testing.assert_array_equal(ng.jacobian(lambda x: np.ones(2))(X), np.zeros((2, 3)))


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_jacobians_of_structures(mode):
    def f(p, s):
        work = np.empty((2, 3))
        work[0] = p["x"] * s
        work[1] = work[0] ** 2
        return {"work": work, "sum": (work.sum(), 1.0)}

    rows = ng.jacobian(f, argnums=(0, 1), mode=mode)({"x": X}, 2.0)
    by_x, by_s = rows["work"]
    np.testing.assert_array_equal(by_x["x"], np.stack([2 * np.eye(3), np.diag(8 * X)]))
    np.testing.assert_array_equal(by_s, [X, 4 * X**2])
    np.testing.assert_array_equal(rows["sum"][0][0]["x"], 2 + 8 * X)
    assert rows["sum"][0][1] == (X + 4 * X**2).sum()
    assert rows["sum"][1][1] == 0


def test_higher_derivatives_through_the_functions_themselves():
    quartic = lambda x: x**4
    assert ng.grad(ng.grad(ng.grad(ng.grad(quartic))))(2.0) == 24.0

    def energy(x):
        BUFFER[:] = x
        BUFFER[1:] *= x[:-1]  # x0, x1 x0, x2 x1
        return (BUFFER**2).sum()

    x0, x1, x2 = X
    hessian = [
        [2 + 2 * x1**2, 4 * x0 * x1, 0],
        [4 * x0 * x1, 2 * x0**2 + 2 * x2**2, 4 * x1 * x2],
        [0, 4 * x1 * x2, 2 * x1**2],
    ]
    np.testing.assert_allclose(ng.jacobian(ng.grad(energy))(X), hessian, rtol=1e-14)


def test_names_and_docstrings_are_those_of_the_function():
    def named(x):
        """What it does."""
        return x.sum()

    for make in (ng.grad, ng.value_and_grad, ng.jacobian, ng.value_and_jacobian):
        assert make(named).__name__ == "named"
        assert make(named).__doc__ == "What it does."


def test_leaks_are_refused_or_let_pass_as_asked():
    f = lambda x: float(x[0]) * x.sum()
    with pytest.raises(ng.LeakError, match=r"test_functional\.py"):
        ng.grad(f)(X)
    with pytest.warns(ng.LeakWarning):
        ng.grad(f, leaks="warn")(X)
    np.testing.assert_array_equal(ng.grad(f, leaks="ignore")(X), np.full(3, X[0]))
    with pytest.raises(ValueError, match="leaks"):
        ng.grad(f, leaks="sometimes")(X)


@pytest.mark.parametrize("kind", [np.array, ng.array, ng.Variable])
def test_one_array_in_two_places_has_two_derivatives(kind):
    """As differences have it: each place is moved by itself."""

    def f(x, y):
        return (x * x * y["y"]).sum()

    same, other = kind([0.5, 1.5]), kind([0.5, 1.5])
    plain = np.array([0.5, 1.5])
    expected = finite_difference.grad(f, (0, 1), method="complex-step")(plain, {"y": plain})
    for y in (same, other):
        by_x, by_y = ng.grad(f, (0, 1))(same, {"y": y})
        np.testing.assert_allclose(by_x, expected[0], rtol=1e-15)
        np.testing.assert_allclose(by_y["y"], expected[1]["y"], rtol=1e-15)
    twice = ng.hessian(lambda p: p[0].sum() * (p[1] ** 2).sum())([same, same])
    np.testing.assert_array_equal(twice[0][0], np.zeros((2, 2)))
    np.testing.assert_array_equal(twice[1][1], 2 * np.eye(2) * 2.0)
    _, pullback = ng.vjp(lambda x, y: x * x * y, same, same)
    np.testing.assert_allclose(pullback(np.ones(2)), [expected[0], expected[1]["y"]], rtol=1e-15)
    blocks = ng.sparse_jacobian(lambda x, y: x * x * y, (0, 1))(same, same)
    np.testing.assert_allclose([np.diag(block.toarray()) for block in blocks], [expected[0], expected[1]["y"]], rtol=1e-15)


def test_results_that_a_program_keeps_by_its_arguments():
    """Where it is called with the same ones again it computes nothing, and there is no derivative to be had."""
    kept = {}

    def program(x):
        if str(x) not in kept:
            kept[str(x)] = np.sum(x**2)
        return kept[str(x)]

    gradient, x = ng.grad(program), np.array([1.0, 2.0])
    assert gradient(x).tolist() == [2.0, 4.0]
    with pytest.raises(ng.LeakError, match=r"test_functional.py:\d+: the function returned what an earlier call"):
        gradient(x)
    with pytest.warns(ng.LeakWarning, match="an earlier call"):
        assert ng.grad(program, leaks="warn")(x).tolist() == [0.0, 0.0]
    kept.clear()
    assert gradient(x).tolist() == [2.0, 4.0]
    # What comes beside a derivative may be older, and the tape of an outer derivative is still there.
    assert ng.jacobian(lambda x: (3 * x, *kept.values()))(x)[1].tolist() == [0.0, 0.0]
    assert ng.grad(lambda x: ng.grad(lambda y: np.sum(y * x))(x).sum())(x).tolist() == [1.0, 1.0]
