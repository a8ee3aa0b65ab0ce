"""
Propagation of uncertainties
============================

A ball is thrown, with drag. Its speed, angle and drag are known with errors of covariance S. One Jacobian J of the flight
gives the covariance J S Jᵀ of its positions, and says which input is to blame.
"""

import numpy as np
from pictures import axes, show

import npgrad as ng

MEAN = np.array([30.0, 0.7, 0.012])  # speed (m/s), angle, drag (1/m)
DEVIATION = np.array([0.3, 0.012, 0.0006])


def flight(p, h=0.01):
    """Distance and height after one and after two seconds, by a loop that overwrites the state."""
    state = np.zeros(4)
    state[2:] = p[0] * np.cos(p[1]), p[0] * np.sin(p[1])
    seen = []
    for step in range(200):
        speed = np.sqrt(state[2] ** 2 + state[3] ** 2)
        state[:2] += h * state[2:]
        state[2:] *= 1 - h * p[2] * speed
        state[3] -= h * 9.81
        if step in (99, 199):
            seen.append(state[:2].copy())
    return np.concatenate(seen)


value, rows = ng.value_and_jacobian(flight)(MEAN)
covariance = rows @ np.diag(DEVIATION**2) @ rows.T
print("distance and height after 2 s:", value[2:], "±", np.sqrt(np.diag(covariance))[2:])

# %%
# To see that it is right, the ball is thrown 1500 times. That takes 1500 runs, and still gives the covariance to a few
# percent only.

throws = np.random.default_rng(0).normal(MEAN, DEVIATION, size=(1500, 3))
seen = np.array([flight(p) for p in throws])
assert np.allclose(np.sqrt(np.diag(covariance)), seen.std(axis=0), rtol=0.06)


def ellipse(centre, covariance, deviations):
    angle = np.linspace(0, 2 * np.pi, 100)
    return centre[:, None] + deviations * np.linalg.cholesky(covariance) @ [np.cos(angle), np.sin(angle)]


# %%
# The inputs are independent, so each has a share in the variance of each result. The height is uncertain because of the
# angle; for the distance after two seconds one should measure the drag better.

shares = (rows * DEVIATION) ** 2 / np.diag(covariance)[:, None]

figure, (left, right) = axes(2)
left.plot(*seen[:, 2:].T, ".", ms=2, color="0.6", label="1500 throws")
for deviations in (1, 2, 3):
    label = "1, 2, 3 σ from one Jacobian" if deviations == 1 else None
    left.plot(*ellipse(value[2:], covariance[2:, 2:], deviations), "C1", label=label)
left.set(title="where the ball is after 2 s", xlabel="distance (m)", ylabel="height (m)")
left.margins(y=0.3)
left.legend(loc="upper left")
bottom = np.zeros(4)
for name, share in zip(("speed", "angle", "drag"), shares.T, strict=True):
    right.bar(["distance\nat 1 s", "height\nat 1 s", "distance\nat 2 s", "height\nat 2 s"], share, bottom=bottom, label=name)
    bottom += share
right.set(title="shares in the variance", ylim=(0, 1.25))
right.legend(ncols=3, loc="upper center")
show(figure)
