"""Lorenz system, classical fourth-order Runge-Kutta with out= everywhere to avoid temporaries; mean state returned."""

import numpy as np


def lorenz(s, p, ds):
    sigma, rho, beta = p
    ds[0] = sigma * (s[1] - s[0])
    ds[1] = s[0] * (rho - s[2]) - s[1]
    ds[2] = s[0] * s[1] - beta * s[2]


def trajectory_mean(p, nsteps=80, dt=0.01):
    s = np.array([1.0, 1.0, 20.0])
    k1, k2, k3, k4, tmp = (np.empty(3) for _ in range(5))
    path = np.empty((nsteps, 3), order="F")
    for n in range(nsteps):
        lorenz(s, p, k1)
        np.multiply(k1, 0.5 * dt, out=tmp)
        np.add(s, tmp, out=tmp)
        lorenz(tmp, p, k2)
        np.multiply(k2, 0.5 * dt, out=tmp)
        tmp += s
        lorenz(tmp, p, k3)
        np.multiply(k3, dt, out=tmp)
        tmp += s
        lorenz(tmp, p, k4)
        np.add(k2, k3, out=k2)
        k2 *= 2.0
        k2 += k1
        k2 += k4
        np.multiply(k2, dt / 6.0, k2)
        s += k2
        path[n, :] = s
    return path.mean(axis=0)


if __name__ == "__main__":
    print(trajectory_mean((10.0, 28.0, 8.0 / 3.0)))
