"""
Newton's method
===============

The Bratu problem, u″ + exp(u) = 0 with u = 0 at both ends, has two solutions. The equations are written as one
would write them, into a buffer and by slices; their Jacobian comes from npgrad.
"""

import numpy as np
from pictures import axes, show

import npgrad as ng


def residual(u):
    """Central differences on a grid of equal spacing."""
    h = 1.0 / (len(u) + 1)
    r = np.empty(len(u))
    r[:] = -2 * u
    r[1:] += u[:-1]
    r[:-1] += u[1:]
    r /= h * h
    r += np.exp(u)
    return r


# %%
# ``value_and_jacobian`` gives the residual and its Jacobian at the same point, from one run of the program.


def newton(u, steps=7):
    """All iterates, and the norms of their residuals."""
    path, norms = [u], []
    for _ in range(steps):
        value, rows = ng.value_and_jacobian(residual)(u)
        norms.append(np.linalg.norm(value))
        u = u - np.linalg.solve(rows, value)
        path.append(u)
    return path, norms


x = np.linspace(0, 1, 52)[1:-1]
lower, lower_norms = newton(np.zeros(50))
upper, upper_norms = newton(18 * x * (1 - x))

# %%
# From 0 Newton's method finds the lower solution, from a hump the upper one. The number of right digits doubles in each
# step, as it does with an exact Jacobian only, until rounding ends it.

figure, (left, right) = axes(2)
for path, name, color in ((upper, "upper solution", "C1"), (lower, "lower solution", "C0")):
    for u in path[:-1]:
        left.plot(x, u, color, alpha=0.25)
    left.plot(x, path[-1], color, lw=2, label=name)
left.set(title="two solutions, and the iterates on the way", xlabel="x", ylabel="u")
left.legend()
right.semilogy(upper_norms, "C1s-", label="from a hump")
right.semilogy(lower_norms, "C0o-", label="from 0")
right.set(title="norm of the residual", xlabel="iteration")
right.legend()
show(figure)

# %%
# In the middle the exact solutions are 0.14054 and 4.09147; the grid adds its error.

middle = np.interp(0.5, x, lower[-1]), np.interp(0.5, x, upper[-1])
print("in the middle: {:.5f} and {:.5f}".format(*middle))
assert abs(middle[0] - 0.14054) < 2e-3 and abs(middle[1] - 4.09147) < 2e-2
