"""Differences against derivatives known in closed form, and in the form of npgrad's own functions."""

import inspect

import numpy as np
import pytest

import npgrad as ng
from npgrad import finite_difference as fd
from npgrad._structure import flatten

POINT = np.array([0.7, -1.3, 2.1])


def wave(x):
    return np.array([np.sin(x[0]) * x[1], np.exp(x[1] * x[2] / 4), x[2] ** 3, 5.0])


def wave_jacobian(x):
    a, b, c = x
    e = np.exp(b * c / 4) / 4
    return np.array([[np.cos(a) * b, np.sin(a), 0], [0, c * e, b * e], [0, 0, 3 * c**2], [0, 0, 0]])


def legacy(x):
    """Fills a complex-capable buffer and destroys its argument."""
    out = np.empty(3, x.dtype)
    for i in range(3):
        x[i] *= x[i]
        out[i] = x[i] * x[0]
    x[:] = np.nan
    return out


def legacy_jacobian(x):
    a, b, c = x
    return np.array([[4 * a**3, 0, 0], [2 * a * b**2, 2 * b * a**2, 0], [2 * a * c**2, 0, 2 * c * a**2]])


ACCURACY = {"2-point": 1e-6, "3-point": 1e-9, "richardson": 1e-11, "complex-step": 1e-15}


@pytest.mark.parametrize("method", ACCURACY)
@pytest.mark.parametrize("f, exact", [(wave, wave_jacobian), (legacy, legacy_jacobian)])
def test_accuracy_and_error_estimate(method, f, exact):
    result = fd.jacobian(f, method=method, return_error=True)(POINT)
    wrong = np.abs(result.derivative - exact(POINT))
    assert wrong.max() < ACCURACY[method] * np.abs(exact(POINT)).max()
    assert (wrong <= 10 * result.error + 1e-15).all()
    assert result.error.max() < 100 * ACCURACY[method] * np.abs(exact(POINT)).max()
    np.testing.assert_array_equal(fd.jacobian(f, method=method)(POINT), result.derivative)


@pytest.mark.parametrize("method, without, with_error", [("2-point", 4, 7), ("3-point", 7, 13), ("complex-step", 4, 4)])
def test_evaluations_are_counted(method, without, with_error):
    calls = []

    def f(x):
        calls.append(x)
        return x * x

    fd.jacobian(f, method=method)(POINT)
    assert len(calls) == without
    calls.clear()
    assert fd.jacobian(f, method=method, return_error=True)(POINT).evaluations == len(calls) == with_error


def test_the_point_and_fixed_arguments_are_not_touched():
    x, work = POINT.copy(), np.ones(3)

    def f(work, x, *, scale):
        work += x
        x[:] = 0
        scale *= 2
        return work * scale

    scale = np.ones(3)
    rows = fd.jacobian(f, argnums=1)(work, x, scale=scale)
    np.testing.assert_allclose(rows, 2 * np.eye(3), atol=1e-9)
    np.testing.assert_array_equal([x, work, scale], [POINT, np.ones(3), np.ones(3)])


def test_a_returned_buffer_that_every_call_overwrites():
    buffer = np.zeros(2)

    def f(x):
        buffer[0] = x[0] * x[1]
        buffer[1] = x[1]
        return buffer

    np.testing.assert_allclose(fd.jacobian(f)(np.array([2.0, 3.0])), [[3, 2], [0, 1]], atol=1e-8)


@pytest.mark.parametrize("method", ["2-point", "3-point", "richardson"])
@pytest.mark.parametrize("x", [[0.0, 4.0], [1e-9, 4.0 - 1e-9], [0.0, 4.0 - 1e-3]])
def test_bounds_are_never_left(method, x):
    def f(x):
        assert (x >= 0).all() and (x <= 4).all()
        return x * np.exp(x) - x**2

    x = np.array(x)
    rows = fd.jacobian(f, method=method, bounds=(0, [5, 4]))(x)
    np.testing.assert_allclose(rows, np.diag((1 + x) * np.exp(x) - 2 * x), rtol=1e-4, atol=1e-6)


def test_bounds_and_steps_are_checked():
    with pytest.raises(ValueError, match="outside of the bounds"):
        fd.jacobian(wave, bounds=(0, 1))(POINT)
    with pytest.raises(ValueError, match="step must be positive"):
        fd.jacobian(wave, step=[1e-3, 0, 1e-3])(POINT)
    with pytest.raises(ValueError, match="method must be one of"):
        fd.jacobian(wave, method="4-point")
    with pytest.raises(ValueError, match="called with 1 positional"):
        fd.jacobian(wave, argnums=1)(POINT)


def test_a_step_per_element():
    # A function that is linear beyond |x| = 0.1 in its first element only shows it to a step that is small enough.
    def f(x):
        return np.array([np.where(abs(x[0]) < 0.1, np.sin(x[0]), np.nan), x[1] ** 3])

    point = np.array([0.05, 100.0])
    rows = fd.jacobian(f, method="richardson", step=[0.01, 10.0])(point)
    np.testing.assert_allclose(rows, [[np.cos(0.05), 0], [0, 3e4]], rtol=1e-11)


def test_scalars_structures_and_dtypes():
    def f(x):
        return {"a": x**2, "b": (np.array([x, 1 / x]), 3)}

    rows = fd.jacobian(f)(2.0)
    assert isinstance(rows["a"], np.float64)
    np.testing.assert_allclose(rows["a"], 4.0)
    np.testing.assert_allclose(rows["b"][0], [1, -0.25], rtol=1e-9)
    assert rows["b"][1] == 0

    single = fd.jacobian(lambda x: x * x)(np.array([1.5, 2.5], np.float32))
    np.testing.assert_allclose(single, np.diag([3, 5]), rtol=1e-4)

    quarter = fd.jacobian(lambda x: x.reshape(4)[::2])(np.arange(4.0).reshape(2, 2))
    np.testing.assert_allclose(quarter, [[[1, 0], [0, 0]], [[0, 0], [1, 0]]], atol=1e-9)

    spiral = fd.jacobian(lambda x: np.exp(1j * x), method="richardson")(0.3)
    np.testing.assert_allclose(spiral, 1j * np.exp(0.3j), rtol=1e-11)


def test_several_arguments():
    def f(x, n, y):
        return x**n * y

    by_x, by_y = fd.jacobian(f, argnums=(0, 2))(2.0, 3, 5.0)
    np.testing.assert_allclose([by_x, by_y], [60, 8], rtol=1e-9)
    both = fd.jacobian(f, argnums=(0, -1), return_error=True)(2.0, 3, 5.0)
    assert both.evaluations == 9 and len(both.error) == 2


def test_grad():
    np.testing.assert_allclose(fd.grad(lambda x: (x**3).sum())(POINT), 3 * POINT**2, rtol=1e-9)
    np.testing.assert_allclose(fd.grad(lambda x: x[:1] ** 2)(POINT), [1.4, 0, 0], atol=1e-9)
    with pytest.raises(TypeError, match=r"shape \(3,\); grad needs a scalar"):
        fd.grad(lambda x: x)(POINT)
    with pytest.raises(TypeError, match="NoneType; grad needs a scalar"):
        fd.grad(lambda x: None)(POINT)


def test_refusals():
    with pytest.raises(TypeError, match="int64; differences need a floating"):
        fd.jacobian(wave)(np.arange(3))
    with pytest.raises(TypeError, match=r"argument 1 at \['b'\] has dtype int64"):
        fd.jacobian(lambda n, x: x["a"], argnums=1)(1, {"a": POINT, "b": np.arange(3)})
    with pytest.raises(TypeError, match="returned str"):
        fd.jacobian(lambda x: "text")(POINT)
    with pytest.raises(TypeError, match="returned NoneType"):
        fd.jacobian(lambda x: None)(POINT)


def test_the_complex_step_refuses_what_it_cannot_see():
    def through_a_buffer(x):
        out = np.zeros(3)
        out[:] = x
        return out * x

    for blind in (np.abs, lambda x: x.real, lambda x: x.sum().real, through_a_buffer):
        with pytest.raises(TypeError, match="dropped the imaginary part"):
            fd.jacobian(blind, method="complex-step")(POINT)
    with pytest.raises(TypeError, match="real for real arguments"):
        fd.jacobian(lambda x: np.exp(1j * x), method="complex-step")(POINT)


HESSIAN_ACCURACY = {"2-point": 1e-4, "3-point": 1e-6, "richardson": 1e-9, "complex-step": 1e-9}


@pytest.mark.parametrize("method", HESSIAN_ACCURACY)
def test_hessian(method):
    def f(x):
        out = np.empty(2, x.dtype)
        out[0] = np.exp(x[0, 0] * x[0, 1])
        out[1] = x[0, 0] ** 3 * x[1, 0]
        return out.sum()

    a, b, c = 0.7, 0.5, 1.2
    e = np.exp(a * b)
    exact = np.zeros((4, 4))
    exact[0, 0], exact[1, 1] = b * b * e + 6 * a * c, a * a * e
    exact[0, 1] = exact[1, 0] = e + a * b * e
    exact[0, 2] = exact[2, 0] = 3 * a**2
    point = np.array([[a, b], [c, 0.0]])
    found = fd.hessian(f, method=method, return_error=True)(point)
    assert found.derivative.shape == (2, 2, 2, 2)
    wrong = np.abs(found.derivative.reshape(4, 4) - exact)
    assert wrong.max() < HESSIAN_ACCURACY[method] * np.abs(exact).max()
    assert (wrong <= 10 * found.error.reshape(4, 4) + 1e-12).all()
    np.testing.assert_array_equal(fd.hessian(f, method=method)(point), found.derivative)


def test_hessian_counts_and_keeps_to_bounds():
    calls = []

    def f(x):
        assert (x >= 0).all()
        calls.append(x)
        return np.sum(x**3)

    found = fd.hessian(f, bounds=(0, np.inf), return_error=True)(np.array([0.0, 2.0]))
    np.testing.assert_allclose(found.derivative, np.diag([0.0, 12.0]), atol=1e-3)
    assert found.evaluations == len(calls) > 8
    with pytest.raises(ValueError, match="method must be one of"):
        fd.hessian(f, method="4-point")


# --- The form of npgrad's own functions ----------------------------------------------------------------------------


def test_sparse_jacobians_take_the_numbers_of_arguments_as_npgrads_do():
    def f(x, y):
        return x[1:] * y[:-1]

    x, y = np.array([1.0, 2.0, 3.0]), np.array([0.5, 1.5, 2.5])
    for numbers in (0, 1, (0, 1)):
        for found, expected in (
            (fd.sparse_jacobian(f, numbers)(x, y), ng.sparse_jacobian(f, numbers)(x, y)),
            (fd.sparse_jacobian(f, argnums=numbers)(x, y), ng.sparse_jacobian(f, argnums=numbers)(x, y)),
        ):
            pairs = zip(found, expected, strict=True) if isinstance(numbers, tuple) else [(found, expected)]
            for one, other in pairs:
                np.testing.assert_allclose(one.toarray(), other.toarray(), atol=1e-9)


@pytest.mark.parametrize("name", ["grad", "jacobian", "hessian"])
def test_signatures_are_those_of_npgrad(name):
    """All that can be given by position; what follows by keyword are options of the method."""

    def positional(f):
        parameters = inspect.signature(f).parameters.values()
        return [(p.name, p.kind, p.default) for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]

    assert positional(getattr(fd, name)) == positional(getattr(ng, name))
    options = {p.name for p in inspect.signature(getattr(fd, name)).parameters.values() if p.kind is p.KEYWORD_ONLY}
    assert {"method", "step", "bounds", "return_error"} <= options


def assert_alike(found, expected, rtol=1e-6):
    """The same structure of arrays of the same shapes and types, and about the same numbers."""
    assert type(found) is type(expected)
    leaves, others = flatten(found)[0], flatten(expected)[0]
    assert [(np.shape(a), np.asarray(a).dtype) for a in leaves] == [(np.shape(b), np.asarray(b).dtype) for b in others]
    for a, b in zip(leaves, others, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)


TREE = {"a": np.array([0.7, -1.3]), "b": (2.1, np.array([[0.5], [0.25]]))}


def of_tree(p, scale=2.0):
    first, (number, matrix) = p["a"], p["b"]
    return {"y": first * number * scale, "z": [np.sin(matrix).sum() * number]}


def scalar_of_tree(p):
    return np.sum(p["a"] ** 3) * p["b"][0] + np.sum(p["b"][1] * p["a"][0])


PAIR = (np.array([0.5, 1.5]), np.array([2.0]))
CASES = {
    "a structure to a structure": ("jacobian", of_tree, 0, (TREE,)),
    "a structure to a scalar": ("grad", scalar_of_tree, 0, (TREE,)),
    "second derivatives of a structure": ("hessian", scalar_of_tree, 0, (TREE,)),
    "two arguments": ("jacobian", lambda x, y: x * y, (0, 1), PAIR),
    "two arguments, one of them a structure": ("grad", lambda p, x: scalar_of_tree(p) * x.sum(), (0, 1), (TREE, POINT)),
    "second derivatives of two arguments": ("hessian", lambda x, y: np.sum(x**2 * y), (0, 1), PAIR),
    "the last argument": ("jacobian", lambda x, y: x * y, -1, PAIR),
    "complex to real": ("jacobian", lambda z: np.abs(z) ** 2, 0, (np.array([1 + 2j, 0.5j]),)),
    "complex to a scalar": ("grad", lambda z: np.sum((z * z).imag), 0, (np.array([1 + 2j, 0.5j]),)),
    "complex to complex": ("jacobian", lambda z: z**2 * np.conj(z[0]), 0, (np.array([1 + 2j, 0.5j]),)),
    "complex number": ("jacobian", lambda z: z.real * z.imag, 0, (1 + 2j,)),
    "no elements": ("jacobian", lambda x: x * 2, 0, (np.zeros((0, 2)),)),
}


@pytest.mark.parametrize("case", CASES)
def test_results_have_the_form_of_npgrads(case):
    name, f, argnums, args = CASES[case]
    expected = getattr(ng, name)(f, argnums)(*args)
    assert_alike(getattr(fd, name)(f, argnums)(*args), expected)
    found = getattr(fd, name)(f, argnums, method="richardson", return_error=True)(*args)
    assert_alike(found.derivative, expected)
    for error, rows in zip(flatten(found.error)[0], flatten(expected)[0], strict=True):
        assert np.shape(error) == np.shape(rows) and np.asarray(error).dtype == np.float64


def test_auxiliary_data_is_that_of_the_point():
    def f(x):
        return x**2, {"seen": x.copy()}

    rows, aux = fd.jacobian(f, has_aux=True)(POINT)
    np.testing.assert_allclose(rows, np.diag(2 * POINT), atol=1e-9)
    np.testing.assert_array_equal(aux["seen"], POINT)
    found, aux = fd.grad(lambda x: (x.sum(), "text"), has_aux=True, return_error=True)(POINT)
    assert aux == "text" and found.evaluations == 13 and found.error.shape == (3,)
    for differentiate in (fd.jacobian, fd.grad):
        with pytest.raises(TypeError, match="has_aux=True the function must return a pair"):
            differentiate(lambda x: x.sum(), has_aux=True)(POINT)


def test_steps_and_bounds_in_the_structure_of_the_argument():
    seen = []

    def f(p):
        seen.append((p["a"], p["b"][0]))
        return np.sum(p["a"] ** 2) + p["b"][0] ** 2

    step, low = {"a": [0.25, 0.5], "b": (0.125, 1.0)}, {"a": -2.0, "b": (2.1, 0.0)}
    found = fd.grad(f, step=step, bounds=(low, 9.0))(TREE)
    assert_alike(found, {"a": 2 * TREE["a"], "b": (np.float64(4.2), np.zeros((2, 1)))})
    moved = {tuple(np.round(a - TREE["a"], 9)) for a, _ in seen}
    assert {(0.25, 0), (-0.25, 0), (0, 0.5), (0, -0.5)} <= moved and min(b for _, b in seen) == 2.1
    with pytest.raises(TypeError, match="bounds are for real arguments"):
        fd.grad(lambda z: abs(z), bounds=(0, 1))(1j)
    with pytest.raises(TypeError, match="the complex step needs real arguments"):
        fd.grad(lambda z: abs(z), method="complex-step")(1j)
    with pytest.raises(TypeError, match="hessian needs real arguments"):
        fd.hessian(lambda z: abs(z))(1j)


def test_steps_are_held_by_each_array_in_its_own_precision():
    single, double = np.array([1.5, 2.5], np.float32), np.array([0.5])
    by_single, by_double = fd.jacobian(lambda x, y: (x.astype(float) * y) ** 2, (0, 1))(single, double)
    np.testing.assert_allclose(by_single, np.diag(2 * single * 0.25), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(by_double[:, 0], 2 * single.astype(float) ** 2 * 0.5, rtol=1e-9)


# --- Sparse --------------------------------------------------------------------------------------------------------


def stencil(u):
    """Fills a buffer, element by element."""
    out = np.zeros(len(u), u.dtype)
    for i in range(1, len(u) - 1):
        out[i] = u[i - 1] * u[i] + np.exp(u[i + 1])
    return out


GRID = np.linspace(0.1, 1.2, 12)


@pytest.mark.parametrize("method", ACCURACY)
@pytest.mark.parametrize("bounds", [None, (0.1, 1.2), (-1, GRID)])
def test_sparse_jacobians(method, bounds):
    exact = ng.jacobian(stencil)(GRID)
    found = fd.sparse_jacobian(stencil, method=method, bounds=bounds, return_error=True)(GRID)
    wrong = np.abs(found.derivative.toarray() - exact)
    assert wrong.max() < 300 * ACCURACY[method] and (wrong <= 10 * found.error.toarray() + 1e-15).all()
    assert found.derivative.nnz == 30
    dense = fd.jacobian(stencil, method=method, bounds=bounds, return_error=True)(GRID)
    np.testing.assert_allclose(found.derivative.toarray(), dense.derivative, rtol=1e-6, atol=1e-6)
    assert found.evaluations < dense.evaluations


@pytest.mark.parametrize("n", [12, 240])
def test_evaluations_grow_with_colours(n):
    found = fd.sparse_jacobian(stencil, method="2-point", return_error=True)(np.linspace(0.1, 1.2, n))
    assert found.evaluations == 1 + 3 * 2


def test_patterns_that_are_given():
    sparse = pytest.importorskip("scipy.sparse")
    exact = ng.jacobian(stencil)(GRID)
    pattern = ng.jacobian_sparsity(stencil, GRID)
    for given in (pattern, pattern.toarray(), pattern.to_scipy(), sparse.coo_matrix(pattern.toarray())):
        found = fd.sparse_jacobian(stencil, sparsity=given)(GRID)
        np.testing.assert_allclose(found.toarray(), exact, atol=1e-8)
    untraceable = fd.sparse_jacobian(lambda u: np.array([float(v) ** 2 for v in u]), sparsity=np.eye(12))
    np.testing.assert_allclose(untraceable(GRID).toarray(), np.diag(2 * GRID), atol=1e-8)
    with pytest.raises(ValueError, match="sparsity pattern has the shape"):
        fd.sparse_jacobian(stencil, sparsity=np.eye(3))(GRID)
    with pytest.raises(ValueError, match="two axes"):
        fd.sparse_jacobian(stencil, sparsity=np.ones(3))
    for method in ACCURACY:
        with pytest.raises(ValueError, match="value 5 depends on an element that the sparsity pattern does not have"):
            fd.sparse_jacobian(stencil, sparsity=np.eye(12) * (np.arange(12) != 5), method=method)(GRID)


def test_sparse_by_several_arguments_and_on_two_paths():
    def f(x, y):
        return x * y if x[0] > 0 else x[::-1] * y

    derivative = fd.sparse_jacobian(f, (0, 1))
    for x in (POINT, -POINT):
        found = derivative(x, POINT)
        for part, exact in zip(found, ng.jacobian(f, (0, 1))(x, POINT), strict=True):
            np.testing.assert_allclose(part.toarray(), exact, atol=1e-9)


def test_the_same_as_scipy():
    """SciPy takes the same steps by default, and the same formulas at bounds."""
    numdiff = pytest.importorskip("scipy.optimize._numdiff")
    inside, cases = np.array([0.7, 1.3, 2.1]), [None, (0.0, 2.1), ([0.7, 0, 0], 5)]
    for bounds in cases:
        for method in ("2-point", "3-point", "cs"):
            theirs = numdiff.approx_derivative(wave, inside, method, bounds=(-np.inf, np.inf) if bounds is None else bounds)
            ours = fd.jacobian(wave, method="complex-step" if method == "cs" else method, bounds=bounds)(inside)
            np.testing.assert_allclose(ours, theirs, rtol=3e-8, atol=1e-8)
            np.testing.assert_allclose(theirs, wave_jacobian(inside), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("method", ["2-point", "3-point", "richardson"])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_values_that_are_less_precise_than_the_argument(method, dtype):
    """Steps and estimates go by the coarser of the two precisions, as SciPy's do."""
    found = fd.jacobian(lambda x: np.exp(x).astype(dtype), method=method, return_error=True)(POINT)
    wrong = np.abs(found.derivative - np.diag(np.exp(POINT)))
    assert (wrong <= 10 * found.error).all()
    assert wrong.max() < 50 * np.finfo(dtype).eps ** (1 / 2 if method == "2-point" else 2 / 3)
