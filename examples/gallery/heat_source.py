"""Where was the heat? An initial temperature from a few late readings, through a time loop that works in place."""

import numpy as np
from pictures import axes, save
from scipy.optimize import minimize

import npgrad as ng

N, STEPS = 60, 150
SENSORS = np.arange(3, N, 4)


def simulate(u0):
    """Explicit diffusion and drift in one array; readings are taken at every 30th step."""
    u = np.zeros(N)
    u[1:-1] = u0
    readings = np.empty((STEPS // 30, len(SENSORS)))
    for step in range(STEPS):
        u[1:-1] += 0.2 * (u[2:] - 2 * u[1:-1] + u[:-2]) - 0.1 * (u[1:-1] - u[:-2])
        if step % 30 == 29:
            readings[step // 30] = u[SENSORS]
    return readings


def draw():
    x = np.arange(1, N - 1)
    truth = np.exp(-(((x - 15) / 4) ** 2)) + 0.6 * ((x > 30) & (x < 40))
    data = simulate(truth) + 0.002 * np.random.default_rng(0).normal(size=(5, len(SENSORS)))

    def loss(u0):
        return np.sum((simulate(u0) - data) ** 2) + 1e-4 * np.sum(np.diff(u0) ** 2)

    found = minimize(ng.value_and_grad(loss), np.zeros(N - 2), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    figure, (left, right) = axes(2)
    left.plot(x, truth, "k", label="truth")
    left.plot(x, found.x, "C1", label="found from readings")
    left.set(title="initial temperature", xlabel="cell")
    left.legend()
    for number, (row, again) in enumerate(zip(data, simulate(found.x), strict=True)):
        right.plot(SENSORS, row, "o", color=f"C{number}")
        right.plot(SENSORS, again, color=f"C{number}", label=f"step {30 * (number + 1)}")
    right.set(title=f"readings; {found.nfev} gradients of {N - 2} unknowns", xlabel="cell")
    right.legend()
    assert np.sqrt(np.mean((found.x - truth) ** 2)) < 0.1
    return figure


if __name__ == "__main__":
    save(draw, __file__)
