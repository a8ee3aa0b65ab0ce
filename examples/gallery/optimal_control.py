"""
Optimal control with checkpoints
================================

A pendulum hangs down and shall stand upright, at rest, after six seconds. Which force takes it there with the least effort?
The gradient by all forces goes through the simulation, of which only a few states are kept.
"""

import numpy as np
from pictures import axes, show
from scipy.optimize import minimize

import npgrad as ng

STEPS, SNAPSHOTS, H = 80, 8, 0.075


def advance(state, i, force):
    """One step of angle and angular velocity, in place."""
    state[1] += H * (force[i] - np.sin(state[0]) - 0.1 * state[1])
    state[0] += H * state[1]
    return state


# %%
# ``checkpoint_loop`` runs the loop, but its tape keeps 8 of the 80 states. When the gradient comes to a part of the loop, it
# is computed again from the last state before it. Here this saves little; where a state is a grid of a million points,
# it is the difference between fitting into memory and not.


def cost(force):
    angle, velocity = ng.checkpoint_loop(advance, np.zeros(2), STEPS, SNAPSHOTS, force)
    return 100 * ((angle - np.pi) ** 2 + velocity**2) + H * np.sum(force**2)


found = minimize(ng.value_and_grad(cost), np.full(STEPS, 0.1), jac=True, method="L-BFGS-B", options={"maxiter": 60})

path = np.zeros((STEPS + 1, 2))
for i in range(STEPS):
    path[i + 1] = advance(path[i].copy(), i, found.x)
assert abs(path[-1, 0] - np.pi) < 0.05 and abs(path[-1, 1]) < 0.05

# %%
# The pendulum is first pushed to the other side, to gain speed.

time = H * np.arange(STEPS + 1)
figure, (left, right) = axes(2)
left.axhline(np.pi, color="0.5", ls=":", label="upright")
left.plot(time, path[:, 0], label="angle")
left.plot(time, path[:, 1], label="angular velocity")
left.set(title="up, and at rest", xlabel="time (s)")
left.legend()
right.axhline(0, color="0.5", lw=0.5)
right.step(time[:-1], found.x, "C2", where="post")
right.set(title=f"the force, {STEPS} unknowns, after {found.nfev} gradients", xlabel="time (s)")
show(figure)

# %%
# The gradient is the same as without checkpoints.


def plain_cost(force):
    state = np.zeros(2)
    for i in range(STEPS):
        advance(state, i, force)
    return 100 * ((state[0] - np.pi) ** 2 + state[1] ** 2) + H * np.sum(force**2)


start = np.full(STEPS, 0.1)
np.testing.assert_allclose(ng.grad(cost)(start), ng.grad(plain_cost)(start), rtol=1e-12)
