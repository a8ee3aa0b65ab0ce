"""SciPy's solvers that take derivatives, with those of npgrad."""

import numpy as np
import scipy.integrate
import scipy.optimize
import scipy.stats

import npgrad as ng


def rosenbrock(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return total


def test_minimize_takes_grad():
    result = scipy.optimize.minimize(rosenbrock, [-1.2, 1.0, 0.5], jac=lambda x: ng.grad(rosenbrock)(x), method="BFGS")
    np.testing.assert_allclose(result.x, 1.0, atol=1e-6)


def test_minimize_takes_value_grad_and_hessian():
    both = ng.value_and_grad(rosenbrock)
    hessian = ng.jacobian(ng.grad(rosenbrock))
    result = scipy.optimize.minimize(both, np.array([-1.2, 1.0]), jac=True, hess=hessian, method="trust-exact")
    np.testing.assert_allclose(result.x, 1.0, atol=1e-8)
    np.testing.assert_allclose(hessian(np.ones(2)), scipy.optimize.rosen_hess(np.ones(2)), rtol=1e-14)


def residuals(p, t, y):
    out = np.empty_like(y)
    for i in range(len(t)):
        out[i] = p[0] * np.exp(-p[1] * t[i]) - y[i]
    return out


def test_least_squares_takes_jacobian():
    t = np.linspace(0, 2, 9)
    y = 3.0 * np.exp(-1.5 * t)
    result = scipy.optimize.least_squares(residuals, [1.0, 1.0], jac=ng.jacobian(residuals), args=(t, y))
    np.testing.assert_allclose(result.x, [3.0, 1.5], rtol=1e-8)


def test_curve_fit_takes_jacobian():
    def model(t, a, b):
        return a * np.exp(-b * t)

    t = np.linspace(0, 2, 9)

    def rows(t, a, b):
        return np.stack(ng.jacobian(model, argnums=(1, 2))(t, a, b), axis=-1)

    found, _ = scipy.optimize.curve_fit(model, t, 3.0 * np.exp(-1.5 * t), p0=[1.0, 1.0], jac=rows)
    np.testing.assert_allclose(found, [3.0, 1.5], rtol=1e-8)


def test_root_takes_jacobian():
    def equations(x):
        out = np.zeros(2)
        out[0] = x[0] + 0.5 * (x[0] - x[1]) ** 3 - 1.0
        out[1] = 0.5 * (x[1] - x[0]) ** 3 + x[1]
        return out

    result = scipy.optimize.root(equations, [0.0, 0.0], jac=ng.jacobian(equations), method="hybr")
    np.testing.assert_allclose(result.x, [0.8411639, 0.1588361], atol=1e-7)  # SciPy's manual


def test_solve_ivp_takes_jacobian():
    def robertson(t, y):
        out = np.empty(3)
        out[0] = -0.04 * y[0] + 1e4 * y[1] * y[2]
        out[2] = 3e7 * y[1] ** 2
        out[1] = -out[0] - out[2]
        return out

    rows = ng.jacobian(robertson, argnums=1)
    y = np.array([0.9, 2e-5, 0.1])
    expected = [[-0.04, 1e4 * y[2], 1e4 * y[1]], [0.04, -1e4 * y[2] - 6e7 * y[1], -1e4 * y[1]], [0, 6e7 * y[1], 0]]
    np.testing.assert_allclose(rows(0.0, y), expected, rtol=1e-14)
    result = scipy.integrate.solve_ivp(robertson, (0, 40), [1.0, 0, 0], method="Radau", jac=rows, rtol=1e-8, atol=1e-12)
    # Hairer and Wanner's reference solution at t = 40.
    np.testing.assert_allclose(result.y[:, -1], [0.7158270687, 9.185534765e-6, 0.2841637457], rtol=1e-5)


SAMPLES, WEIGHTS = np.array([1.0, 2.0, 4.0]), np.array([0.2, 0.5, 0.3])


def test_an_estimate_of_a_density_takes_the_arrays_of_a_module():
    """Its compiled code wants memory that it could write into."""

    def density(x):
        return scipy.stats.gaussian_kde(SAMPLES, weights=WEIGHTS)(x)

    x = np.array([1.5, 2.5])
    slopes = np.diag((density(x + 1e-5) - density(x - 1e-5)) / 2e-5)
    np.testing.assert_allclose(ng.jacobian(density)(x), slopes, rtol=1e-7)
