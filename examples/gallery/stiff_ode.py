"""A stiff equation with an implicit solver of SciPy: exact Jacobians save the solver its differences."""

import numpy as np
from pictures import axes, save
from scipy.integrate import solve_ivp

import npgrad as ng


def robertson(t, y):
    """Three reactions whose rates differ by nine powers of ten."""
    rate = np.empty(3)
    np.multiply([0.04, 1e4, 3e7], [y[0], y[1] * y[2], y[1] * y[1]], out=rate)
    out = np.empty(3)
    out[0] = rate[1] - rate[0]
    out[2] = rate[2]
    out[1] = -out[0] - out[2]
    return out


def solve(jac):
    """The solution, and how often the right-hand side was evaluated, for differences too (SciPy's nfev leaves those out)."""
    calls = 0

    def counted(t, y):
        nonlocal calls
        calls += 1
        return robertson(t, y)

    found = solve_ivp(counted, (0, 1e5), [1.0, 0.0, 0.0], method="Radau", jac=jac, rtol=1e-8, atol=1e-12)
    return found, calls


def draw():
    (exact, few), (_, many) = solve(ng.jacobian(robertson, argnums=1)), solve(None)
    figure, (left, right) = axes(2)
    for row, factor, name in zip(exact.y, (1, 1e4, 1), ("A", "B · 10⁴", "C"), strict=True):
        left.semilogx(exact.t[1:], factor * row[1:], label=name)
    left.set(title="Robertson's reactions", xlabel="time")
    left.legend()
    bars = right.bar(["npgrad", "differences"], [few, many], color=["C0", "C1"])
    right.bar_label(bars)
    right.set(title="evaluations of the right-hand side")
    assert exact.success and few < many
    # The test set for initial value problems (Mazzia and Magherini) gives y(40) = 0.7158.
    assert abs(np.interp(40, exact.t, exact.y[0]) - 0.7158) < 2e-3
    return figure


if __name__ == "__main__":
    save(draw, __file__)
