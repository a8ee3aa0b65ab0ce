"""Thomas algorithm for tridiagonal systems. As in the textbooks, it overwrites the diagonals and the right-hand side."""

import numpy as np


def tridag(a, b, c, d):
    """Solve in place. a, b, c: lower, main, upper diagonal; the solution is returned in d."""
    n = len(d)
    for i in range(1, n):
        w = a[i] / b[i - 1]
        b[i] -= w * c[i - 1]
        d[i] -= w * d[i - 1]
    d[n - 1] /= b[n - 1]
    for i in range(n - 2, -1, -1):
        d[i] = (d[i] - c[i] * d[i + 1]) / b[i]
    return d


def rod(conductivity, heat):
    """Steady temperature of a rod of cells with the given conductivities; the ends are held at 0 and 1.

    The argument heat is overwritten with the answer.
    """
    n = conductivity.size
    face = 2.0 * conductivity[1:] * conductivity[:-1] / (conductivity[1:] + conductivity[:-1])
    lower = np.zeros(n)
    upper = np.zeros(n)
    lower[1:] = -face
    upper[:-1] = -face
    main = -(lower + upper)
    main[0] += 2.0 * conductivity[0]
    main[-1] += 2.0 * conductivity[-1]
    heat[-1] += 2.0 * conductivity[-1]
    return tridag(lower, main, upper, heat)


if __name__ == "__main__":
    print(rod(np.linspace(1.0, 2.0, 8), np.full(8, 0.1)))
