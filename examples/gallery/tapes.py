"""A first tape: a function with its tangents, and its first three derivatives from nested tapes."""

import numpy as np
from pictures import axes, save

import npgrad as ng


def f(x):
    return np.exp(-x * x / 8) * np.sin(2 * x)


def derivatives(points, order):
    """The derivative of the wanted order at each point: the sum of independent terms has them as its gradient."""
    with ng.GradientTape() as tape:
        x = tape.watch(points)
        y = f(x) if order == 1 else derivatives(x, order - 1)
    return tape.gradient(y, x)


def draw():
    x = np.linspace(-5, 5, 400)
    figure, (left, right) = axes(2)
    left.plot(x, f(x), "k")
    for point in (-2.5, -0.4, 0.9, 2.6):
        slope = derivatives(np.array([point]), 1)[0]
        near = point + np.array([-0.8, 0.8])
        left.plot(near, f(point) + slope * (near - point), "C1", lw=2)
        left.plot(point, f(point), "C1o")
    left.set(title="tangents from a tape", xlabel="x")
    for order in (1, 2, 3):
        right.plot(x, derivatives(x, order), label=f"derivative {order}")
    right.set(title="nested tapes", xlabel="x")
    right.legend()
    exact = np.exp(-x * x / 8) * (2 * np.cos(2 * x) - x / 4 * np.sin(2 * x))
    assert np.allclose(derivatives(x, 1), exact)
    return figure


if __name__ == "__main__":
    save(draw, __file__)
