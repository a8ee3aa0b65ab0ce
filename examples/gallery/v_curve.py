"""Finite differences have a best step and lose digits on both sides of it; npgrad has no step."""

import numpy as np
from pictures import axes, save

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


def draw():
    x, steps = 1.5, np.logspace(-15, -0.5, 88)
    errors = {
        "forward": [abs((f(x + h) - f(x)) / h / exact(x) - 1) for h in steps],
        "central": [abs((f(x + h) - f(x - h)) / (2 * h) / exact(x) - 1) for h in steps],
    }
    ours = max(abs(ng.grad(f)(x) / exact(x) - 1), 1e-16)
    figure, (axis,) = axes(1)
    for name, values in errors.items():
        axis.loglog(steps, np.maximum(values, 1e-16), ".-", label=f"{name} differences")
    axis.axhline(ours, color="k", label="npgrad")
    axis.set(title="relative error of a derivative", xlabel="step")
    axis.legend()
    assert ours < 1e-14 < 1e-12 < min(errors["forward"])
    return figure


if __name__ == "__main__":
    save(draw, __file__)
