"""
A first tape: tangents and higher derivatives
=============================================

A tape writes down what NumPy does with a watched array; ``gradient`` gives the derivative. A tape that records while another
one computes its gradient differentiates once more.
"""

import numpy as np
from pictures import axes, show

import npgrad as ng


def f(x):
    return np.exp(-x * x / 8) * np.sin(2 * x)


# %%
# One tape is enough for a slope. Each value depends on its own point only, so the gradient of all values together has all
# slopes in it.

points = np.array([-2.5, -0.4, 0.9, 2.6])
with ng.GradientTape() as tape:
    x = tape.watch(points)
    y = f(x)
slopes = tape.gradient(y, x)
print("slopes", slopes)


# %%
# For derivatives of higher order the tapes are nested: the inner one computes its gradient while the outer one records.


def derivative(x, order):
    """The derivative of this order at each point."""
    with ng.GradientTape() as tape:
        x = tape.watch(x)
        y = f(x) if order == 1 else derivative(x, order - 1)
    return tape.gradient(y, x)


grid = np.linspace(-5, 5, 400)
figure, (left, right) = axes(2)
left.plot(grid, f(grid), "k", label="f")
for point, slope in zip(points, slopes, strict=True):
    near = point + np.array([-0.8, 0.8])
    left.plot(near, f(point) + slope * (near - point), "C1", lw=2)
left.plot(points, f(points), "C1o", label="tangents")
left.set(title="one tape", xlabel="x", ylim=(-1.8, 1.6))
left.legend()
for order in (1, 2, 3):
    right.plot(grid, derivative(grid, order), label=f"derivative {order}")
right.set(title="nested tapes", xlabel="x")
right.legend()
show(figure)

# %%
# The first derivative is known in closed form.

exact = np.exp(-grid * grid / 8) * (2 * np.cos(2 * grid) - grid / 4 * np.sin(2 * grid))
assert np.allclose(derivative(grid, 1), exact)
