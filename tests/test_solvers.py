"""for_solver with SciPy's solvers: answers that are known, fewer evaluations than by differences, one record per point."""

import numpy as np
import pytest

import npgrad as ng

optimize = pytest.importorskip("scipy.optimize")
integrate = pytest.importorskip("scipy.integrate")


def rosenbrock(x):
    parts = np.zeros(x.size - 1)
    parts += (1 - x[:-1]) ** 2
    parts += 100 * (x[1:] - x[:-1] ** 2) ** 2
    return parts.sum()


class Counted:
    """A function that counts its calls."""

    def __init__(self, f):
        self.f = f
        self.calls = 0

    def __call__(self, *args):
        self.calls += 1
        return self.f(*args)


X = np.array([-1.2, 1.0, 0.4])


def test_derivatives_are_scipys_own():
    s = ng.for_solver(rosenbrock)
    assert s.fun(X) == s(X) == rosenbrock(X) == optimize.rosen(X)
    np.testing.assert_allclose(s.jac(X), optimize.rosen_der(X), rtol=1e-13)
    np.testing.assert_allclose(s.hess(X), optimize.rosen_hess(X), rtol=1e-13)
    np.testing.assert_allclose(s.hessp(X, np.ones(3)), optimize.rosen_hess_prod(X, np.ones(3)), rtol=1e-13)


def test_one_evaluation_per_point():
    counted = Counted(rosenbrock)
    s = ng.for_solver(counted)
    for point in (X, X + 1):
        s.fun(point), s.jac(point.copy())
    assert counted.calls == 2
    s.jac(X), s.fun(X)
    s.fun_and_jac(X + 1)
    assert counted.calls == 4
    for direction in np.eye(3):
        s.hessp(X, direction)
    s.hess(X)
    assert counted.calls == 5  # the gradient, recorded


def test_points_and_results_belong_to_the_solver():
    s = ng.for_solver(lambda x: x**2)
    x = np.array([1.0, 2.0])
    s.fun(x)[:] = 7
    s.jac(x)[:] = 7
    np.testing.assert_array_equal(s.fun(x), [1, 4])
    np.testing.assert_array_equal(s.jac(x), np.diag([2, 4]))
    x *= 3  # in place, as solvers do
    np.testing.assert_array_equal(s.fun(x), [9, 36])
    np.testing.assert_array_equal(s.jac(x), np.diag([6, 12]))
    np.testing.assert_array_equal(s.fun(-0.0 * x), [0, 0])


def test_further_arguments_are_part_of_the_point():
    s = ng.for_solver(lambda x, a: a * (x**3).sum())
    table = np.array([2.0])
    np.testing.assert_array_equal(s.jac(np.ones(2), table), [[6, 6]])
    table[0] = 3
    np.testing.assert_array_equal(s.jac(np.ones(2), table), [[9, 9]])
    np.testing.assert_array_equal(ng.for_solver(lambda x, a: a * x @ x).hessp(np.ones(2), np.ones(2), 2.0), [4, 4])


@pytest.mark.parametrize(
    ("method", "extra"),
    [("BFGS", ()), ("L-BFGS-B", ()), ("CG", ()), ("SLSQP", ()), ("TNC", ()), ("Newton-CG", ("hess",)),
     ("Newton-CG", ("hessp",)), ("trust-ncg", ("hessp",)), ("trust-krylov", ("hessp",)), ("trust-exact", ("hess",)),
     ("trust-constr", ("hess",))],
)  # fmt: skip
def test_minimize(method, extra):
    s = ng.for_solver(rosenbrock)
    start = np.full(4, 0.7)
    found = optimize.minimize(s.fun, start, jac=s.jac, method=method, **{name: getattr(s, name) for name in extra})
    np.testing.assert_allclose(found.x, 1, atol=2e-3)


def test_minimize_takes_fewer_evaluations_than_by_differences():
    by_us, by_differences = Counted(rosenbrock), Counted(rosenbrock)
    s = ng.for_solver(by_us)
    start = np.full(10, -1.0)
    assert optimize.minimize(s.fun_and_jac, start, jac=True, method="BFGS").success
    optimize.minimize(by_differences, start, method="BFGS")
    assert by_us.calls * 8 < by_differences.calls


def test_constraints():
    c = ng.for_solver(lambda x: np.array([x @ x, x[0] * x[1] ** 2]))
    x, v = np.array([0.5, 2.0]), np.array([3.0, -1.0])
    np.testing.assert_allclose(c.weighted_hess(x, v), [[6, -4], [-4, 5]])
    np.testing.assert_allclose(c.weighted_hess(x, -v), [[-6, 4], [4, -5]])
    s = ng.for_solver(lambda x: x[0] + x[1])
    circle = ng.for_solver(lambda x: np.array([x @ x]))
    inside = optimize.NonlinearConstraint(circle.fun, 2.0, 2.0, jac=circle.jac, hess=circle.weighted_hess)
    found = optimize.minimize(
        s.fun, [0.3, 0.5], jac=s.jac, hess=s.hess, method="trust-constr", constraints=inside, options={"gtol": 1e-8}
    )
    np.testing.assert_allclose(found.x, [-1, -1], atol=1e-5)


def test_least_squares_and_curve_fit():
    t = np.linspace(0, 3, 30)

    def model(t, rate, amplitude):
        return amplitude * np.exp(-rate * t)

    data = model(t, 0.7, 2.0)
    counted = Counted(lambda p: model(t, *p) - data)
    r = ng.for_solver(counted)
    for method in ("lm", "trf", "dogbox"):
        found = optimize.least_squares(r.fun, [1.0, 1.0], jac=r.jac, method=method)
        np.testing.assert_allclose(found.x, [0.7, 2.0], rtol=1e-6)
    assert counted.calls <= 3 * 20
    by_parameters = ng.jacobian(model, argnums=(1, 2))
    fitted = optimize.curve_fit(model, t, data, [1.0, 1.0], jac=lambda t, *p: np.stack(by_parameters(t, *p), axis=-1))
    np.testing.assert_allclose(fitted[0], [0.7, 2.0], rtol=1e-8)


def test_root_fsolve_and_newton():
    e = ng.for_solver(lambda x: np.array([x[0] + 0.5 * (x[0] - x[1]) ** 3 - 1, 0.5 * (x[1] - x[0]) ** 3 + x[1]]))
    for method in ("hybr", "lm"):
        found = optimize.root(e.fun, np.zeros(2), jac=e.jac, method=method)
        np.testing.assert_allclose(found.x, [0.8411639, 0.1588361], rtol=1e-6)
    np.testing.assert_allclose(optimize.fsolve(e.fun, np.zeros(2), fprime=e.jac), [0.8411639, 0.1588361], rtol=1e-6)
    g = ng.for_solver(lambda x: np.cos(x) - x)
    assert optimize.newton(g.fun, 1.0, fprime=g.jac, fprime2=g.hess) == pytest.approx(0.7390851332151607, rel=1e-14)


def van_der_pol(t, y):
    d = np.empty(2)
    d[0] = y[1]
    d[1] = 100 * (1 - y[0] ** 2) * y[1] - y[0]
    return d


@pytest.mark.parametrize("method", ["BDF", "Radau", "LSODA"])
def test_solve_ivp(method):
    f = ng.for_solver(van_der_pol, argnum=1)
    y = np.array([1.5, -0.3])
    np.testing.assert_allclose(f.jac(0.0, y), [[0, 1], [-200 * y[0] * y[1] - 1, 100 * (1 - y[0] ** 2)]])
    found = integrate.solve_ivp(f.fun, (0, 50), [2.0, 0.0], method=method, jac=f.jac, rtol=1e-8, atol=1e-10)
    wanted = integrate.solve_ivp(van_der_pol, (0, 50), [2.0, 0.0], method="DOP853", rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.y[:, -1], wanted.y[:, -1], rtol=1e-5)


def test_functions_only():
    with pytest.raises(TypeError, match="give the function"):
        ng.for_solver(3.0)


def test_what_an_outer_tape_would_lose_is_refused():
    s = ng.for_solver(lambda x: x**2)
    s.fun(X)  # known already, which must not hide it
    with pytest.raises(ng.LeakError, match=r"npgrad\.implicit"):
        ng.jacobian(s.fun)(X)
    with pytest.raises(ng.LeakError, match=r"npgrad\.implicit"):
        ng.jacobian(lambda v: s.weighted_hess(X, v))(X)
    for name in ("fun", "jac"):
        with pytest.raises(ng.LeakError, match="hands on plain values only"):
            ng.jacobian(lambda a, name=name: getattr(ng.for_solver(lambda x: a * x * x), name)(X))(2.0)
    for derivative in (lambda s: s.hess(X), lambda s: s.hessp(X, X)):
        with pytest.raises(ng.LeakError, match="hands on plain values only"):
            ng.jacobian(lambda a, f=derivative: f(ng.for_solver(lambda x: (a * x * x).sum())))(2.0)


def test_beside_a_tape_that_follows_something_else():
    s = ng.for_solver(rosenbrock)
    with ng.GradientTape() as tape:
        w = tape.watch(2.0)
        best = optimize.minimize(s.fun, np.full(3, 0.7), jac=s.jac, method="BFGS").x
        y = w * best.sum()
    assert tape.gradient(y, w) == pytest.approx(3.0, rel=1e-4)


def test_inside_implicit():
    def solve(a):
        s = ng.for_solver(lambda x: ((x - a) ** 4).sum() + (x**2).sum())
        return optimize.minimize(s.fun, np.zeros(2), jac=s.jac, hess=s.hess, method="trust-exact", options={"gtol": 1e-12}).x

    answer = ng.implicit(solve, lambda x, a: 4 * (x - a) ** 3 + 2 * x)
    a = np.array([0.8, -1.3])
    x = solve(a)
    np.testing.assert_allclose(ng.jacobian(answer)(a), np.diag(12 * (x - a) ** 2 / (12 * (x - a) ** 2 + 2)), rtol=1e-9)


def test_what_is_asked_again_is_computed_anew():
    """Continuation: the next run of a solver begins where the last one ended, with another parameter."""
    parameter = [1.0]
    s = ng.for_solver(lambda x: (parameter[0] * x**2).sum())
    x = np.array([1.0, 2.0])
    assert [s.fun(x), *s.jac(x), *s.hess(x).diagonal(), *s.hessp(x, x)] == [5, 2, 4, 2, 2, 2, 4]
    parameter[0] = 3.0
    assert [s.fun(x), *s.jac(x), *s.hess(x).diagonal(), *s.hessp(x, x)] == [15, 6, 12, 6, 6, 6, 12]
    parameter[0] = 5.0
    assert s.fun_and_jac(x)[0] == 25
    w = ng.for_solver(lambda x: parameter[0] * x**2)
    assert w.weighted_hess(x, np.ones(2)).tolist() == [[10, 0], [0, 10]]
    parameter[0] = 7.0
    assert w.weighted_hess(x, np.ones(2)).tolist() == [[14, 0], [0, 14]]


def test_weights_of_another_shape_are_refused():
    """A column of weights would have been spread over all pairs, and each would have counted twice."""
    s = ng.for_solver(lambda x: x**3)
    x = np.array([1.0, 2.0])
    for weights in (np.ones(3), np.ones((2, 1)), np.ones((1, 2))):
        with pytest.raises(ValueError, match="a weight for each value"):
            s.weighted_hess(x, weights)
    np.testing.assert_allclose(s.weighted_hess(x, np.array([1.0, 3.0])), np.diag([6.0, 36.0]))
    np.testing.assert_allclose(s.weighted_hess(x, np.array([2.0])), np.diag([12.0, 24.0]))
    one = ng.for_solver(lambda x: (x**3).sum())
    np.testing.assert_allclose(one.weighted_hess(x, np.array([2.0])), np.diag([12.0, 24.0]))
