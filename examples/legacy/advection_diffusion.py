"""One-dimensional advection-diffusion with an explicit upwind step, in a work array that lives at module level.

Temperature along a pipe after a while, as a function of [velocity, diffusivity, inflow temperature].
"""

import numpy as np

NX = 41
work = np.zeros(NX)          # scratch, overwritten by every step


def step(u, c, d):
    """Advance u in place by one step; c is the Courant number, d the diffusion number."""
    work[:] = u
    u[1:-1] -= c * (work[1:-1] - work[:-2])
    u[1:-1] += d * (work[2:] - 2.0 * work[1:-1] + work[:-2])
    u[-1] = u[-2]


def simulate(params, nsteps=60):
    velocity, diffusivity, inflow = params
    dx = 1.0 / (NX - 1)
    dt = 0.2 * dx
    x = np.linspace(0.0, 1.0, NX)
    u = np.exp(-100.0 * (x - 0.3) ** 2)
    u[0] = inflow
    for n in range(nsteps):
        step(u, velocity * dt / dx, diffusivity * dt / dx ** 2)
    return u


if __name__ == "__main__":
    print("outlet temperature %.6f" % simulate(np.array([1.0, 0.01, 0.2]))[-1])
