"""Peng-Robinson equation of state: compressibility factor by Newton's iteration, pressure by pressure along an isobar list.

State [temperature, critical temperature, critical pressure in bar, acentric factor].
"""

from math import exp, log, sqrt

import numpy as np

R = 83.14462618  # cm3 bar / (mol K)


def z_factor(T, P, Tc, Pc, omega, z0=1.0):
    kappa = 0.37464 + 1.54226 * omega - 0.26992 * omega ** 2
    alpha = (1.0 + kappa * (1.0 - sqrt(T / Tc))) ** 2
    A = 0.45724 * alpha * P / Pc * (Tc / T) ** 2
    B = 0.07780 * P / Pc * Tc / T
    z = z0
    iteration = 0
    while True:
        f = z ** 3 - (1 - B) * z ** 2 + (A - 3 * B ** 2 - 2 * B) * z - (A * B - B ** 2 - B ** 3)
        df = 3 * z ** 2 - 2 * (1 - B) * z + (A - 3 * B ** 2 - 2 * B)
        dz = f / df
        z -= dz
        iteration += 1
        if abs(dz) < 1e-14 * abs(z):
            break
        if iteration > 100:
            raise RuntimeError("no convergence")
    lnphi = z - 1 - log(z - B) - A / (2 * sqrt(2.0) * B) * log((z + 2.41421356 * B) / (z - 0.41421356 * B))
    return z, exp(lnphi)


def isotherm(state):
    T, Tc, Pc, omega = state
    table = np.zeros((5, 2))
    z = 1.0
    for row, P in enumerate([1.0, 5.0, 10.0, 15.0, 20.0]):
        z, phi = z_factor(T, P, Tc, Pc, omega, z)      # the last root is the next guess
        table[row] = z, phi
    return table


if __name__ == "__main__":
    print(isotherm([350.0, 369.8, 42.5, 0.152]))
