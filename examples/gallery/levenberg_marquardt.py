"""
A nonlinear fit by Levenberg and Marquardt
==========================================

Two peaks on a constant, seven parameters, a rough first guess. The model sums its peaks into a buffer; its Jacobian comes
from npgrad.
"""

import numpy as np
from pictures import axes, show

import npgrad as ng

X = np.linspace(0, 10, 120)
TRUE = np.array([2.0, 3.2, 0.6, 1.2, 6.1, 1.1, 0.4])
NOISE = 0.05


def model(p):
    """Height, centre and width of each peak, and the constant."""
    y = np.full(len(X), p[6])
    for height, centre, width in p[:6].reshape(2, 3):
        y += height * np.exp(-(((X - centre) / width) ** 2))
    return y


# %%
# A step solves the normal equations with some damping. If it makes the fit worse, there is more damping, else less.


def fit(data, p, steps=12):
    damping, history = 1e-2, []
    for _ in range(steps):
        value, rows = ng.value_and_jacobian(model)(p)
        misfit = value - data
        history.append(misfit @ misfit)
        while True:
            normal = rows.T @ rows
            step = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), rows.T @ misfit)
            if np.sum((model(p - step) - data) ** 2) <= history[-1] or damping > 1e12:
                break
            damping *= 4
        p, damping = p - step, damping / 3
    return p, history


data = model(TRUE) + NOISE * np.random.default_rng(1).normal(size=len(X))
start = np.array([1.0, 2.5, 1.0, 1.0, 7.0, 1.0, 0.0])
found, history = fit(data, start)

# %%
# After six steps nothing is left but the noise of the data.

figure, (left, right) = axes(2)
left.plot(X, data, ".", color="0.6", label="data")
left.plot(X, model(start), "--", label="start")
left.plot(X, model(found), lw=2, label="fit")
left.set(title="two peaks", xlabel="x")
left.legend()
right.semilogy(history, "o-")
right.axhline(NOISE**2 * (len(X) - len(TRUE)), color="0.5", ls=":", label="expected of the noise")
right.set(title="sum of squares", xlabel="iteration")
right.legend()
show(figure)

print("largest error of a parameter:", np.max(np.abs(found - TRUE)))
assert np.max(np.abs(found - TRUE)) < 0.05
