"""Planar N-body problem, leapfrog (kick-drift-kick), a class that carries its state and scratch arrays.

Positions and velocities at t = 0 in one flat vector; the same vector is overwritten with the final state.
"""

import numpy as np


class System:
    G = 1.0
    soft = 0.05

    def __init__(self, masses):
        self.m = np.asarray(masses, dtype=float)
        self.acc = np.zeros((len(self.m), 2))
        self.energy = None

    def forces(self, pos):
        self.acc.fill(0.0)
        n = len(self.m)
        for i in range(n):
            for j in range(i + 1, n):
                d = pos[j] - pos[i]
                r2 = d[0] ** 2 + d[1] ** 2 + self.soft ** 2
                w = self.G * d / (r2 * np.sqrt(r2))
                self.acc[i] += self.m[j] * w
                self.acc[j] -= self.m[i] * w

    def run(self, pos, vel, dt, nsteps):
        self.forces(pos)
        for _ in range(nsteps):
            vel += 0.5 * dt * self.acc
            pos += dt * vel
            self.forces(pos)
            vel += 0.5 * dt * self.acc
        self.energy = 0.5 * np.sum(self.m[:, None] * vel ** 2)


solar = System([1.0, 0.1, 0.05])


def final_state(state, nsteps=25):
    """Integrates in place: state is both input and output."""
    half = state.size // 2
    pos = state[:half].reshape(-1, 2)
    vel = state[half:].reshape(-1, 2)
    solar.run(pos, vel, 0.02, nsteps)
    return state


if __name__ == "__main__":
    s = np.array([0.0, 0.0, 1.0, 0.0, 0.0, 1.5, 0.0, 0.0, 0.0, 1.0, -0.8, 0.0])
    print(final_state(s))
    print("kinetic energy", solar.energy)
