"""Sparse Jacobians and Hessians: colours, values, other paths, and the solvers that take them."""

import numpy as np
import pytest
from test_examples import RUNS, by_script, run_all

import npgrad as ng
from npgrad import finite_difference
from npgrad._coloring import color_columns, color_symmetric
from npgrad._compression import MAX_KNOWN

# NumPy 2.5 warns where a legacy script sets a shape.
pytestmark = pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning")


def brusselator(y, t=0.0):
    """2-D Brusselator on a square grid, two species one behind the other, updated in place."""
    n = round((len(y) // 2) ** 0.5)
    f = np.empty_like(y)
    u, v = y[: n * n].reshape(n, n), y[n * n :].reshape(n, n)
    fu, fv = f[: n * n].reshape(n, n), f[n * n :].reshape(n, n)
    reaction = u * u * v
    fu[...] = 1.0 + reaction - 4.4 * u
    fv[...] = 3.4 * u - reaction
    for w, fw in ((u, fu), (v, fv)):
        fw[1:] += 0.2 * (w[:-1] - w[1:])
        fw[:-1] += 0.2 * (w[1:] - w[:-1])
        fw[:, 1:] += 0.2 * (w[:, :-1] - w[:, 1:])
        fw[:, :-1] += 0.2 * (w[:, 1:] - w[:, :-1])
    return f


def residual(u):
    """5-point residual of a nonlinear Poisson problem, the boundary kept in a padded work array."""
    n = round(len(u) ** 0.5)
    padded = np.zeros((n + 2, n + 2))
    padded[1:-1, 1:-1] = u.reshape(n, n)
    inner = padded[1:-1, 1:-1]
    r = 4.0 * inner
    r -= padded[2:, 1:-1]
    r -= padded[:-2, 1:-1]
    r -= padded[1:-1, 2:]
    r -= padded[1:-1, :-2]
    r += 0.1 * np.exp(inner) - 0.3
    return r.ravel()


def energy(x):
    """A chain of springs with an end that is tied to the beginning."""
    stretch = np.empty(len(x))
    stretch[:-1] = x[1:] - x[:-1]
    stretch[-1] = x[0] * x[-1]
    return np.sum(stretch**4) + np.sum(np.cos(x))


Y = np.random.default_rng(0).uniform(0.5, 1.5, 2 * 49)
U = np.random.default_rng(1).uniform(0.5, 1.5, 64)


def richardson(f, x):
    return finite_difference.jacobian(f, method="richardson")(x)


@pytest.mark.parametrize(("f", "x"), [(brusselator, Y), (residual, U)], ids=["brusselator", "residual"])
def test_values(f, x):
    derivative = ng.sparse_jacobian(f)
    for point in (x, x + 0.3):
        found = derivative(point)
        expected = ng.jacobian(f)(point)
        np.testing.assert_allclose(found.toarray(), expected, rtol=1e-13)
        np.testing.assert_allclose(expected, richardson(f, point), atol=1e-8)
        assert found.nnz == np.count_nonzero(expected)


@pytest.mark.once
@pytest.mark.parametrize("run", RUNS, ids=by_script)
def test_legacy_scripts(run):
    function = getattr(run_all.load(run["script"]), run["function"])
    arguments = run_all.arguments(run)
    found = ng.sparse_jacobian(function)(*arguments)
    expected = np.reshape(ng.jacobian(function)(*arguments), found.shape)
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-9, atol=1e-12 * np.abs(expected).max())


# --- Colours


@pytest.mark.parametrize(("f", "x", "most"), [(brusselator, Y, 9), (residual, U, 9), (np.diff, U, 2), (np.sum, U, 64)])
def test_columns_of_one_colour_share_no_row(f, x, most):
    pattern = ng.jacobian_sparsity(f, x)
    colors = color_columns(pattern.indices, pattern.indptr, x.size)
    for row in np.split(colors[pattern.indices], pattern.indptr[1:-1]):
        assert len(set(row.tolist())) == len(row)
    assert colors.max() < most


def test_star_colouring_has_no_path_of_two_colours():
    pattern = ng.jacobian_sparsity(ng.grad(energy), U)
    edges = pattern.toarray() & ~np.eye(64, dtype=bool)
    colors = color_symmetric(pattern.indices, pattern.indptr)
    around = [np.flatnonzero(row).tolist() for row in edges]
    for b in range(64):
        for c in around[b]:
            assert colors[b] != colors[c]
            assert not any(
                colors[a] == colors[c] and colors[d] == colors[b]
                for a in around[b]
                for d in around[c]
                if a != c and d != b
            )
    assert colors.max() < 5


def test_a_dense_column_or_row_alone_needs_few_sweeps(monkeypatch):
    seen = []
    for name in ("products", "adjoint_products"):
        plain = getattr(ng._sparse._Point, name)
        monkeypatch.setattr(
            ng._sparse._Point, name, lambda self, s, n=name, p=plain: (seen.append((n, len(s))), p(self, s))[1]
        )
    x = np.linspace(1.0, 2.0, 50)
    for f, expected in ((lambda x: x * x[0], ("products", 2)), (np.sum, ("adjoint_products", 1))):
        np.testing.assert_array_equal(ng.sparse_jacobian(f)(x).toarray(), np.atleast_2d(ng.jacobian(f)(x)))
        assert seen.pop() == expected


# --- Prepared once


def counted(monkeypatch):
    made = []
    plain = ng._sparse.pattern_of
    monkeypatch.setattr(ng._sparse, "pattern_of", lambda *args: (made.append(args), plain(*args))[1])
    return made


def test_the_pattern_is_found_once_for_each_path(monkeypatch):
    def f(x):
        u = x.copy()
        if x[0] > 0:
            u[1:] *= x[:-1]
        else:
            u[:-1] += x[1:] ** 2
        u[x > 2.0] = x[1]
        return u

    made = counted(monkeypatch)
    derivative = ng.sparse_jacobian(f)
    points = [np.array(p) for p in ([1.0, 0.5, 0.3], [1.5, 0.2, 0.1], [-1.0, 0.5, 0.3], [1.0, 0.1, 0.2], [1.0, 0.1, 2.5])]
    for point, paths in zip(points, (1, 1, 2, 2, 3), strict=True):
        np.testing.assert_array_equal(derivative(point).toarray(), ng.jacobian(f)(point))
        assert len(made) == paths
    np.testing.assert_array_equal(derivative(np.ones(5)).toarray(), ng.jacobian(f)(np.ones(5)))
    assert len(made) == 4


def test_it_may_be_prepared_before_its_first_call(monkeypatch):
    made = counted(monkeypatch)
    u = np.array([1.0, 2.0, 4.0, 8.0])
    jacobian = ng.sparse_jacobian(lambda u, k: k * u[1:] * u[:-1], np.ones(4), 3)
    by_second = ng.sparse_jacobian(lambda k, u: k * u[1:] * u[:-1], 3, np.ones(4), argnums=1)
    hessian = ng.sparse_hessian(lambda u: (u[1:] * u[:-1]).sum(), np.ones(4))
    assert len(made) == 3
    expected = 3 * (np.eye(4)[1:] * u[:-1, None] + np.eye(4)[:-1] * u[1:, None])
    np.testing.assert_array_equal(jacobian(u, 3).toarray(), expected)
    np.testing.assert_array_equal(by_second(3, u).toarray(), expected)
    np.testing.assert_array_equal(hessian(u).toarray(), np.eye(4, k=1) + np.eye(4, k=-1))
    assert len(made) == 3
    # Whole numbers are those of arguments, as for `jacobian`.
    assert ng.sparse_jacobian(lambda k, u: k * u, 1)(3, u).shape == (4, 4)
    assert len(ng.sparse_jacobian(lambda u, v: u * v, (0, 1))(u, u)) == 2
    with pytest.raises(TypeError, match="cannot watch"):
        ng.sparse_jacobian(lambda u: u, np.arange(3))


@pytest.mark.parametrize(
    ("f", "arguments"),
    [
        (lambda x, k: x[k], [np.array([0, 2]), np.array([1, 2])]),
        (lambda x, k: np.roll(x, k), [1, 2]),
        (lambda x, k: k @ x, [np.eye(4), np.ones((4, 4)), np.tri(4)]),
        (lambda x, k: np.einsum("ij,j->i", k, x), [np.eye(4), np.tri(4)]),
        (lambda x, k: np.dot(k.tolist(), x), [np.eye(4), np.tri(4)]),
        (lambda x, k: np.einsum("ij,j", k.tolist(), x), [np.eye(4), np.tri(4)]),
        (lambda x, k: np.einsum(x, [0], k, [0, 1], [1]), [np.eye(4), np.tri(4)]),
        (lambda x, k: np.concatenate([np.zeros(k), x, np.zeros(3 - k)]), [0, 2]),
        (lambda x, k: np.bincount(k, x, 4), [np.array([0, 1, 2, 3]), np.array([3, 3, 1, 0])]),
        (lambda x, k: x.reshape(2, 2).sum(axis=k), [0, 1]),
        (lambda x, k: np.cumsum(x.reshape(2, 2), axis=k), [0, 1]),
        (lambda x, k: x.reshape(2, 2).transpose(k) * 2.0, [(0, 1), (1, 0)]),
        (lambda x, k: np.interp(k, np.arange(4.0), x), [0.5, 2.5, 9.0]),
        (lambda x, k: np.interp([0.5, k], [0.0, 1.0, k + 0.1, 8.0], x), [1.0, 2.0]),
        (lambda x, k: np.convolve(x, k), [np.array([1.0, 0.0]), np.array([0.0, 1.0])]),
        (lambda x, k: np.correlate(x, [1.0, k, 0.0], "same"), [0.0, 2.0]),
        (lambda x, k: np.convolve(x, [1.0, 2.0], k), ["full", "same", "valid"]),
        (lambda x, k: np.linalg.solve(k, x), [np.eye(4), np.eye(4) + np.tri(4), np.eye(4)[::-1]]),
        (lambda x, k: np.sum(x, where=k), [np.array([True, False] * 2), np.array([False, True] * 2), True]),
        (lambda x, k: np.sort(x * k), [np.array([1.0, -1.0, 2.0, 0.1]), np.ones(4)]),
    ],
)
def test_what_the_pattern_depends_on_is_seen(f, arguments):
    derivative = ng.sparse_jacobian(f)
    x = np.array([0.5, 1.5, 2.5, 3.5])
    for k in (*arguments, *arguments):
        np.testing.assert_allclose(derivative(x, k).toarray(), np.reshape(ng.jacobian(f)(x, k), (-1, 4)), rtol=1e-14)


def test_numbers_that_change_leave_the_pattern_as_it_is(monkeypatch):
    made = counted(monkeypatch)
    derivative = ng.sparse_jacobian(lambda x, a, m: np.where(x > a, x * a, m @ x) + np.maximum(x[0], a))
    for a in (0.5, 1.0, 2.0):
        m = a * np.tri(3)
        expected = ng.jacobian(lambda x, a=a, m=m: np.where(x > a, x * a, m @ x) + np.maximum(x[0], a))(X := np.arange(3.0))
        np.testing.assert_allclose(derivative(X, a, m).toarray(), expected, rtol=1e-14)
    assert len(made) == 1


def test_results_are_the_callers_own():
    derivative = ng.sparse_jacobian(np.diff)
    first = derivative(U)
    first.indices[:] = 0
    first.data[:] = 0
    np.testing.assert_array_equal(derivative(U).toarray(), ng.jacobian(np.diff)(U))


# --- Hessians


@pytest.mark.once
@pytest.mark.parametrize(
    "f",
    [
        energy,
        lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2),
        lambda x: np.sum(residual(x) ** 2),
        lambda x: x[0] * np.sum(x**2),
        lambda x: np.sum(x) ** 2,
        lambda x: np.sum(x[::2]) + 3.0 * x[5],
        lambda x: x[3] * x[4],
    ],
    ids=["springs", "rosenbrock", "least squares", "arrow", "dense", "linear", "one"],
)
def test_hessians(f):
    derivative = ng.sparse_hessian(f)
    for point in (U, U[::-1].copy()):
        found = derivative(point).toarray()
        np.testing.assert_allclose(found, ng.hessian(f)(point), rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(found, found.T)
    np.testing.assert_allclose(found, richardson(ng.grad(f), point), rtol=1e-6, atol=1e-6)


def test_an_arrow_takes_two_colours():
    pattern = ng.jacobian_sparsity(ng.grad(lambda x: x[0] * np.sum(x**2)), U)
    assert color_symmetric(pattern.indices, pattern.indptr).max() == 1


# --- What is given and taken


def test_structures_and_several_arguments():
    def f(a, b):
        return [a["u"][1:] * b, np.array([a["v"], 2.0])]

    a, b = {"u": np.array([1.0, 2.0, 3.0]), "v": 4.0}, np.array([5.0, 6.0])
    by_a, by_b = ng.sparse_jacobian(f, argnums=(0, 1))(a, b)
    assert by_a.toarray().tolist() == [[0, 5, 0, 0], [0, 0, 6, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    assert by_b.toarray().tolist() == [[2, 0], [0, 3], [0, 0], [0, 0]]
    assert ng.sparse_jacobian(f, argnums=1)(a, b).toarray().tolist() == by_b.toarray().tolist()


def test_float32_stays():
    found = ng.sparse_jacobian(lambda x: x[1:] * x[:-1])(np.arange(4, dtype=np.float32))
    assert found.data.dtype == np.float32
    assert found.toarray().tolist() == [[1, 0, 0, 0], [0, 2, 1, 0], [0, 0, 3, 2]]


def test_nothing_depends():
    found = ng.sparse_jacobian(lambda x: np.zeros(3))(U)
    assert found.shape == (3, 64) and found.nnz == 0 and not found.toarray().any()
    assert (found @ U).tolist() == [0.0, 0.0, 0.0]


def test_a_custom_gradient_has_no_forward_mode():
    @ng.custom_gradient
    def cube(x):
        return x**3, lambda ct: ct * 3 * x**2

    found = ng.sparse_jacobian(lambda x: cube(x)[:2])(np.array([1.0, 2.0, 3.0]))
    assert found.toarray().tolist() == [[3, 0, 0], [0, 12, 0]]


def test_reverse_sweeps_stand_in_where_forward_ones_would_be_fewer():
    @ng.custom_gradient
    def spread(x):
        return np.array([x[0], 2 * x[0], x[1] ** 2]), lambda ct: np.array([ct[0] + 2 * ct[1], 2 * x[1] * ct[2]])

    derivative = ng.sparse_jacobian(lambda x: np.concatenate([spread(x), x]))
    for point in ([1.0, 2.0], [3.0, 4.0]):
        expected = [[1, 0], [2, 0], [0, 2 * point[1]], [1, 0], [0, 1]]
        np.testing.assert_allclose(derivative(np.array(point)).toarray(), expected, rtol=1e-15)

    @ng.custom_gradient
    def fourth(x):
        return (x**4).sum(), lambda ct: ct * cubic(x)

    @ng.custom_gradient
    def cubic(x):
        return 4 * x**3, lambda ct: ct * 12 * x**2

    found = ng.sparse_hessian(fourth)(np.array([1.0, 2.0])).toarray()
    assert found.tolist() == [[12, 0], [0, 48]]


def test_a_linear_function_has_an_empty_hessian():
    found = ng.sparse_hessian(lambda x: x[0] + 2 * x[1])(np.array([1.0, 2.0]))
    assert found.shape == (2, 2) and found.nnz == 0 and found.toarray().tolist() == [[0, 0], [0, 0]]


def test_more_paths_than_plans_are_kept():
    """The oldest plans are forgotten, and found again."""

    def power(x, n):
        y = x[1:] * 1.0
        for _ in range(n):
            y = y * x[:-1]
        return y

    derivative, x = ng.sparse_jacobian(power), np.array([0.5, 1.5, 2.0])
    for n in [*range(MAX_KNOWN + 3), 0, MAX_KNOWN + 2]:
        np.testing.assert_allclose(derivative(x, n).toarray(), ng.jacobian(power)(x, n), rtol=1e-13)


def test_careful_where_a_branch_is_singular():
    f = lambda x: np.where(x > 0, np.sqrt(x), 0.0)
    assert ng.sparse_jacobian(f)(np.array([0.0, 4.0])).toarray().tolist() == [[0, 0], [0, 0.25]]


def test_what_is_not_finite_stays_in_its_row_and_column():
    """Zero times infinity spreads over all that is swept together."""
    a = np.eye(12) + np.eye(12, k=1) + np.eye(12, k=-1)
    x = np.linspace(1.0, 2.0, 12)
    x[4] = -(x[3] + x[5])
    x[9] = -(x[8] + x[10])
    reciprocals = a @ np.diag(np.r_[1.0, np.zeros(3), np.ones(8)])
    functions = {
        "reverse": lambda x: np.append(1 / (a @ x), x.sum()),
        "forward": lambda x: a @ (1 / (x - x[0])) + x[0],
        "by columns": lambda x: reciprocals @ np.log(np.abs(x - 1.0)),
    }
    for f in functions.values():
        with np.errstate(all="ignore"):
            found = ng.sparse_jacobian(f)(x).toarray()
            expected = np.stack([ng.jvp(f, (x,), (unit,))[1] for unit in np.eye(12)], axis=1)
            rows = np.stack([ng.grad(lambda x, f=f, unit=unit: f(x) @ unit)(x) for unit in np.eye(len(expected))])
        certain = np.isfinite(expected) & np.isfinite(rows)
        assert not certain.all() and certain.mean() > 0.3
        np.testing.assert_allclose(found[certain], expected[certain], rtol=1e-12)

    def energy(x):
        return np.sum(np.abs(a @ x) ** 1.5) + x[0] * x[-1]

    singular = np.linspace(1.0, 2.0, 12)
    singular[4] = -(singular[3] + singular[5])
    with np.errstate(all="ignore"):
        found, expected = ng.sparse_hessian(energy)(singular).toarray(), ng.hessian(energy)(singular)
    certain = np.isfinite(expected) & np.isfinite(expected.T)
    np.testing.assert_allclose(found[certain], expected[certain], rtol=1e-12)
    assert certain.sum() > 20


def test_products():
    found = ng.sparse_jacobian(residual)(U)
    np.testing.assert_allclose(found @ U, found.toarray() @ U)
    np.testing.assert_allclose(found @ np.outer(U, [1.0, 2.0]), found.toarray() @ np.outer(U, [1.0, 2.0]))
    with pytest.raises(ValueError, match="does not fit"):
        found @ U[1:]


def test_bad_input():
    with pytest.raises(TypeError, match="real arguments"):
        ng.sparse_hessian(lambda z: np.sum(np.abs(z) ** 2))(U * 1j)
    with pytest.raises(TypeError, match="returned None"):
        ng.sparse_jacobian(lambda x: None)(U)
    with pytest.raises(TypeError, match="differentiates functions"):
        ng.sparse_jacobian(U)
    with pytest.raises(ValueError, match="needs a scalar"):
        ng.sparse_hessian(np.diff)(U)
    assert repr(ng.jacobian_sparsity(np.diff, U)) == "<SparsityPattern of shape 63x64 with 126 elements>"


def test_an_outer_tape_follows_the_data():
    f = lambda x: x[1:] ** 3 * x[:-1]
    with ng.GradientTape() as tape:
        x = tape.watch(U)
        total = ng.sparse_jacobian(f)(x).data.sum()
    expected = richardson(lambda x: ng.sparse_jacobian(f)(x).data.sum(), U)
    np.testing.assert_allclose(tape.gradient(total, x), expected, rtol=1e-7)


# --- Solvers


def test_least_squares_takes_it():
    optimize = pytest.importorskip("scipy.optimize")
    derivative = ng.sparse_jacobian(residual)
    found = optimize.least_squares(residual, U, jac=lambda u: derivative(u).to_scipy())
    by_pattern = optimize.least_squares(residual, U, jac_sparsity=ng.jacobian_sparsity(residual, U).to_scipy())
    assert np.abs(residual(found.x)).max() < 1e-6
    np.testing.assert_allclose(found.x, by_pattern.x, atol=1e-5)


def test_newton_with_spsolve():
    linalg = pytest.importorskip("scipy.sparse.linalg")
    derivative = ng.sparse_jacobian(residual)
    u = U
    for _ in range(6):
        u = u - linalg.spsolve(derivative(u).to_scipy(), residual(u))
    assert np.abs(residual(u)).max() < 1e-12


@pytest.mark.parametrize("method", ["BDF", "Radau"])
def test_stiff_equations(method):
    integrate = pytest.importorskip("scipy.integrate")
    derivative = ng.sparse_jacobian(brusselator)

    def solution(**options):
        options |= {"method": method, "rtol": 1e-8, "atol": 1e-8}
        return integrate.solve_ivp(lambda t, y: brusselator(y), (0.0, 1.0), Y, **options)

    found = solution(jac=lambda t, y: derivative(y).to_scipy())
    assert found.success
    np.testing.assert_allclose(found.y[:, -1], solution().y[:, -1], rtol=1e-6)


def test_trust_region_with_a_sparse_hessian():
    optimize = pytest.importorskip("scipy.optimize")
    hess = ng.sparse_hessian(energy)
    found = optimize.minimize(
        energy, U, jac=ng.grad(energy), hess=lambda x: hess(x).to_scipy(), method="trust-constr", options={"gtol": 1e-9}
    )
    assert np.abs(ng.grad(energy)(found.x)).max() < 1e-7


def test_scipy_matrices_have_the_same_elements():
    pytest.importorskip("scipy.sparse")
    pattern, matrix = ng.jacobian_sparsity(residual, U), ng.sparse_jacobian(residual)(U)
    np.testing.assert_array_equal(pattern.to_scipy().toarray(), pattern.toarray())
    np.testing.assert_array_equal(matrix.to_scipy().toarray(), matrix.toarray())
    assert matrix.to_scipy().has_canonical_format


@pytest.mark.parametrize(
    "use",
    [
        lambda x, matrix: matrix @ np.array([1.0, -2.0, 3.0]),
        lambda x, matrix: matrix @ (x * x),
        lambda x, matrix: matrix @ [x[0], 2.0, x[1]],
        lambda x, matrix: (matrix @ np.outer(x, x))[:, 1],
        lambda x, matrix: matrix.toarray()[:, 1],
        lambda x, matrix: matrix.data * 2,
    ],
)
@pytest.mark.parametrize(
    "derivative", [ng.sparse_jacobian(lambda x: x**3 * x[::-1]), ng.sparse_hessian(lambda x: (x**3 * x[::-1]).sum())]
)
def test_a_matrix_is_followed_by_an_outer_tape(derivative, use):
    x = np.array([1.0, 2.0, 4.0])
    expected = finite_difference.jacobian(lambda x: use(x, derivative(x)), method="richardson")(x)
    np.testing.assert_allclose(ng.jacobian(lambda x: use(x, derivative(x)))(x), expected, 1e-7, 1e-7)
    plain = derivative(x)
    by_vector = ng.jacobian(lambda v: plain @ v)(x)
    np.testing.assert_allclose(by_vector, plain.toarray())
