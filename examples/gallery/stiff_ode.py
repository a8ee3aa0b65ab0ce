"""
A stiff equation with SciPy's implicit solver
=============================================

The Brusselator, two substances that react and diffuse along a line. The grid makes it stiff: the fastest rate is thousands
of times the slowest, and only implicit methods take reasonable steps. They need the Jacobian of the right-hand side.
Without one, the solver takes differences, one more evaluation for each of the unknowns.
"""

import numpy as np
from pictures import axes, show
from scipy.integrate import solve_ivp

import npgrad as ng

N = 64
DIFFUSION = 0.02 * (N + 1) ** 2


def brusselator(t, y):
    """Rates of change on a line whose ends are held at (1, 3), as in Hairer and Wanner, Solving ODEs II, IV.1."""
    u, v = y[:N], y[N:]
    rate = np.zeros(2 * N)
    for change, c, end in ((rate[:N], u, 1.0), (rate[N:], v, 3.0)):
        change -= 2 * c
        change[1:] += c[:-1]
        change[:-1] += c[1:]
        change[[0, -1]] += end
        change *= DIFFUSION
    reaction = u * u * v
    rate[:N] += 1 + reaction - 4 * u
    rate[N:] += 3 * u - reaction
    return rate


# %%
# ``jacobian(brusselator, argnums=1)`` is what SciPy takes as ``jac``. We count all evaluations, those for differences too.

x = np.arange(1, N + 1) / (N + 1)
time = np.linspace(0, 10, 200)
start = np.concatenate([1 + np.sin(2 * np.pi * x), np.full(N, 3.0)])


def solve(jac):
    calls = 0

    def counted(t, y):
        nonlocal calls
        calls += 1
        return brusselator(t, y)

    found = solve_ivp(counted, (0, 10), start, method="Radau", jac=jac, rtol=1e-6, atol=1e-8, t_eval=time)
    assert found.success
    return found, calls


solution, with_npgrad = solve(ng.jacobian(brusselator, argnums=1))
_, with_differences = solve(None)

# %%
# The answer is the same; without derivatives most of the evaluations go into differences. Each Jacobian of npgrad costs
# one run of the program and one batch of sweeps. (For larger grids see the sparse Newton solver.)

figure, (left, right) = axes(2)
shown = left.imshow(solution.y[:N], extent=(0, 10, 0, 1), origin="lower", aspect="auto", cmap="viridis")
figure.colorbar(shown, ax=left)
left.set(title="concentration of the first substance", xlabel="time", ylabel="position")
bars = right.bar(["npgrad", "differences"], [with_npgrad, with_differences], color=["C0", "C1"])
right.bar_label(bars)
right.set(title=f"evaluations of the right-hand side, {2 * N} unknowns")
right.margins(y=0.1)
show(figure)

# %%
# An explicit method of high order needs many small steps and agrees.

explicit = solve_ivp(brusselator, (0, 10), start, method="DOP853", rtol=1e-8, atol=1e-10)
print("Radau with npgrad and DOP853 differ by", np.max(np.abs(explicit.y[:, -1] - solution.y[:, -1])))
assert np.allclose(explicit.y[:, -1], solution.y[:, -1], rtol=1e-4)
assert with_npgrad < with_differences / 2
