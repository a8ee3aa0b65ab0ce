"""
The V curve of finite differences
=================================

A difference quotient with a large step is wrong because it leaves terms out, with a small one because rounding is divided
by the step. Its error as a function of the step is a V, whose tip is far above the precision of the numbers. npgrad has no
step.
"""

import numpy as np
from pictures import axes, show

import npgrad as ng


def f(x):
    """Squire and Trapp's (1998) function, written into a buffer."""
    work = np.empty(3)
    work[0] = np.exp(x)
    work[1] = np.sin(x)
    work[2] = np.cos(x)
    work[1:] **= 3
    return work[0] / np.sqrt(work[1] + work[2])


def exact(x):
    s, c = np.sin(x), np.cos(x)
    return np.exp(x) * (s**3 + c**3) ** -0.5 - 1.5 * np.exp(x) * (s * s * c - c * c * s) * (s**3 + c**3) ** -1.5


# %%
# Forward and central quotients for steps from 1e-15 to 0.3, and the derivative from npgrad, all against the formula.

x, steps = 1.5, np.logspace(-15, -0.5, 88)
quotients = {
    "forward differences": [(f(x + h) - f(x)) / h for h in steps],
    "central differences": [(f(x + h) - f(x - h)) / (2 * h) for h in steps],
}
ours = abs(ng.grad(f)(x) / exact(x) - 1)
floor = 1e-16  # errors of zero would not be on a logarithmic axis

figure, (axis,) = axes(1, width=7)
for name, values in quotients.items():
    errors = np.maximum(np.abs(np.array(values) / exact(x) - 1), floor)
    best = np.argmin(errors)
    axis.loglog(steps, errors, ".-", label=f"{name}, at best {errors[best]:.0e}")
axis.axhline(max(ours, floor), color="k", label="npgrad")
axis.axhline(np.finfo(float).eps, color="0.5", ls=":", label="precision of the numbers, 2e-16")
axis.set(title="relative error of a derivative", xlabel="step", ylim=(3e-17, 300))
axis.legend()
show(figure)

print("relative error of npgrad:", ours)
assert ours < 1e-14 < 1e-12 < np.min(np.abs(np.array(quotients["forward differences"]) / exact(x) - 1))
