"""Newton's method on a system of equations that is written with a buffer; its Jacobian comes from npgrad."""

import numpy as np
from pictures import axes, save

import npgrad as ng


def residual(u):
    """The Bratu problem u'' + exp(u) = 0 with u = 0 at both ends, by central differences."""
    h = 1.0 / (len(u) + 1)
    r = np.empty(len(u))
    r[:] = -2 * u
    r[1:] += u[:-1]
    r[:-1] += u[1:]
    r /= h * h
    r += np.exp(u)
    return r


def newton(u, steps=9):
    """Iterates and norms of residuals."""
    path, norms = [u], []
    for _ in range(steps):
        value, rows = ng.value_and_jacobian(residual)(u)
        norms.append(np.linalg.norm(value))
        u = u - np.linalg.solve(rows, value)
        path.append(u)
    return path, norms


def draw():
    x = np.linspace(0, 1, 52)[1:-1]
    lower, lower_norms = newton(np.zeros(50))
    upper, upper_norms = newton(18 * x * (1 - x))
    figure, (left, right) = axes(2)
    for path, name, color in ((lower, "lower", "C0"), (upper, "upper", "C1")):
        for u in path[:-1]:
            left.plot(x, u, color, alpha=0.2)
        left.plot(x, path[-1], color, lw=2, label=f"{name} solution")
    left.set(title="both solutions of the Bratu problem", xlabel="x", ylabel="u")
    left.legend()
    right.semilogy(lower_norms, "o-", label="from 0")
    right.semilogy(upper_norms, "s-", label="from a hump")
    right.set(title="quadratic convergence", xlabel="iteration", ylabel="norm of the residual")
    right.legend()
    # In the middle the exact solutions are 0.14054 and 4.09147; the grid adds its error.
    assert abs(np.interp(0.5, x, lower[-1]) - 0.1405) < 2e-3 and abs(np.interp(0.5, x, upper[-1]) - 4.0915) < 2e-2
    return figure


if __name__ == "__main__":
    save(draw, __file__)
