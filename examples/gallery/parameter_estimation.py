"""
Parameters of a differential equation
=====================================

Rates of predators and prey from a few noisy counts. The gradient goes through a Runge-Kutta loop that fills an array and
overwrites its stages, as such loops do.
"""

import numpy as np
from pictures import axes, show
from scipy.optimize import least_squares

import npgrad as ng

STEPS, H = 300, 0.05
SEEN = slice(0, None, 15)
TRUE = np.array([1.1, 0.4, 0.1, 0.4])


def change(state, p, out):
    """The equations of Lotka and Volterra."""
    out[0] = p[0] * state[0] - p[1] * state[0] * state[1]
    out[1] = p[2] * state[0] * state[1] - p[3] * state[1]
    return out


def trajectory(p):
    path = np.empty((STEPS + 1, 2))
    path[0] = 10.0, 5.0
    k = np.empty((4, 2))
    for i in range(STEPS):
        change(path[i], p, k[0])
        change(path[i] + H / 2 * k[0], p, k[1])
        change(path[i] + H / 2 * k[1], p, k[2])
        change(path[i] + H * k[2], p, k[3])
        path[i + 1] = path[i] + H / 6 * (k[0] + 2 * k[1] + 2 * k[2] + k[3])
    return path


# %%
# Counts have errors of five percent. The solver gets the Jacobian of the misfit of their logarithms.

data = trajectory(TRUE)[SEEN] * np.exp(0.05 * np.random.default_rng(0).normal(size=(21, 2)))


def misfit(p):
    return (np.log(trajectory(p)[SEEN]) - np.log(data)).ravel()


start = np.array([0.9, 0.3, 0.12, 0.5])
jacobian = ng.jacobian(misfit)
found = least_squares(misfit, start, jac=jacobian)

# %%
# The same Jacobian at the end tells how well the rates are known: the square roots of the diagonal of
# s² (JᵀJ)⁻¹.

J = jacobian(found.x)
spread = np.sqrt(np.diag(np.linalg.inv(J.T @ J)) * 2 * found.cost / (len(found.fun) - len(start)))
for name, rate, error, true in zip(("birth", "predation", "growth", "death"), found.x, spread, TRUE, strict=True):
    print(f"{name:>9}: {rate:.4f} ± {error:.4f}   (true {true})")
assert np.all(np.abs(found.x - TRUE) < 4 * spread) and np.all(spread < 0.05 * TRUE)

time = H * np.arange(STEPS + 1)
figure, both = axes(2)
for axis, p, name in zip(both, (start, found.x), ("start", f"fit after {found.njev} Jacobians"), strict=True):
    axis.plot(time, trajectory(p), label=["prey", "predators"])
    axis.set_prop_cycle(None)
    axis.plot(time[SEEN], data, "o", ms=5)
    axis.set(title=name, xlabel="time", ylim=(0, 1.2 * data.max()))
both[0].legend()
show(figure)
