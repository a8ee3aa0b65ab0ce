"""A pendulum swings up: forces at 80 times by the gradient through the simulation, of which eight states are kept."""

import numpy as np
from pictures import axes, save
from scipy.optimize import minimize

import npgrad as ng

STEPS, SNAPSHOTS, H = 80, 8, 0.075


def advance(state, i, force):
    """One step of angle and angular velocity, in place."""
    state[1] += H * (force[i] - np.sin(state[0]) - 0.1 * state[1])
    state[0] += H * state[1]
    return state


def cost(force):
    angle, velocity = ng.checkpoint_loop(advance, np.zeros(2), STEPS, SNAPSHOTS, force)
    return 100 * ((angle - np.pi) ** 2 + velocity**2) + H * np.sum(force**2)


def draw():
    found = minimize(ng.value_and_grad(cost), np.full(STEPS, 0.1), jac=True, method="L-BFGS-B", options={"maxiter": 60})
    path = np.zeros((STEPS + 1, 2))
    for i in range(STEPS):
        path[i + 1] = advance(path[i].copy(), i, found.x)
    time = H * np.arange(STEPS + 1)
    figure, (left, right) = axes(2)
    left.plot(time, path[:, 0], label="angle")
    left.plot(time, path[:, 1], label="angular velocity")
    left.axhline(np.pi, color="k", lw=0.5)
    left.set(title="up, and at rest", xlabel="time")
    left.legend()
    right.step(time[:-1], found.x, "C2", where="post")
    right.set(title=f"force, after {found.nfev} gradients", xlabel="time")
    assert abs(path[-1, 0] - np.pi) < 0.05 and abs(path[-1, 1]) < 0.05
    return figure


if __name__ == "__main__":
    save(draw, __file__)
