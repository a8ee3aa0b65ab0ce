"""Adaptive Runge-Kutta-Fehlberg 4(5) for the van der Pol oscillator, stage derivatives in one preallocated block."""

import numpy as np

A = np.array([
    [0, 0, 0, 0, 0],
    [1 / 4, 0, 0, 0, 0],
    [3 / 32, 9 / 32, 0, 0, 0],
    [1932 / 2197, -7200 / 2197, 7296 / 2197, 0, 0],
    [439 / 216, -8, 3680 / 513, -845 / 4104, 0],
    [-8 / 27, 2, -3544 / 2565, 1859 / 4104, -11 / 40],
])
B5 = np.array([16 / 135, 0, 6656 / 12825, 28561 / 56430, -9 / 50, 2 / 55])
B4 = np.array([25 / 216, 0, 1408 / 2565, 2197 / 4104, -1 / 5, 0])


def vdp(y, mu, out):
    out[0] = y[1]
    out[1] = mu * (1.0 - y[0] ** 2) * y[1] - y[0]
    return out


def solve(p, t_end=3.0, tol=1e-6):
    """p = [y(0), y'(0), mu]; the step size is rounded to a power of two, as many codes do."""
    y = np.array([p[0], p[1]])
    mu = p[2]
    k = np.zeros((6, 2))
    t, h = 0.0, 0.125
    while t < t_end:
        for s in range(6):
            vdp(y + h * (A[s, :s] @ k[:s]), mu, k[s])
        error = h * np.abs((B5 - B4) @ k).max()
        if error > tol and h > 2.0 ** -12:
            h /= 2.0
            continue
        y += h * (B5 @ k)
        t += h
        if error < tol / 64 and h < 0.25 and (t / (2 * h)).is_integer():
            h *= 2.0
    return y


if __name__ == "__main__":
    print(solve(np.array([2.0, 0.0, 1.5])))
