"""Uncertainties of results from those of inputs: J S J^T against Monte Carlo, for a thrown ball with drag."""

import numpy as np
from pictures import axes, save

import npgrad as ng

MEAN = np.array([30.0, 0.7, 0.012])  # speed, angle, drag
COVARIANCE = np.diag([0.3, 0.012, 0.0006]) ** 2


def flight(p, h=0.01):
    """Positions at two times, by a loop that overwrites the state."""
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


def ellipse(centre, covariance, deviations):
    angle = np.linspace(0, 2 * np.pi, 100)
    return centre[:, None] + deviations * np.linalg.cholesky(covariance) @ [np.cos(angle), np.sin(angle)]


def draw():
    value, rows = ng.value_and_jacobian(flight)(MEAN)
    covariance = rows @ COVARIANCE @ rows.T
    throws = np.random.default_rng(0).multivariate_normal(MEAN, COVARIANCE, size=1500)
    seen = np.array([flight(p) for p in throws])
    figure, both = axes(2)
    for axis, part, name in zip(both, (slice(0, 2), slice(2, 4)), ("after 1 s", "after 2 s"), strict=True):
        axis.plot(*seen[:, part].T, ".", ms=2, color="0.7", label="1500 throws")
        for deviations in (1, 2, 3):
            label = "1, 2, 3 σ from one Jacobian" if deviations == 1 else None
            axis.plot(*ellipse(value[part], covariance[part, part], deviations), "C1", label=label)
        axis.set(title=name, xlabel="distance (m)", ylabel="height (m)")
        axis.margins(y=0.15)
    both[0].legend(loc="upper left")
    assert np.allclose(np.sqrt(np.diag(covariance)), seen.std(axis=0), rtol=0.06)
    return figure


if __name__ == "__main__":
    save(draw, __file__)
