"""A neural network by hand, with Variables and Adam: which of two spirals does a point belong to?"""

import itertools

import numpy as np
from pictures import axes, save

import npgrad as ng


def spirals(rng, n=200):
    turn = np.sqrt(rng.uniform(0.05, 1, n)) * 2.5 * np.pi
    arms = np.stack([turn * np.cos(turn), turn * np.sin(turn)], axis=1) / 8
    points = np.concatenate([arms, -arms]) + 0.02 * rng.normal(size=(2 * n, 2))
    return points, np.repeat([1.0, 0.0], n)


class Network:
    def __init__(self, rng, sizes):
        self.layers = [
            (ng.Variable(rng.normal(size=(a, b)) * np.sqrt(2 / a)), ng.Variable(np.zeros(b)))
            for a, b in itertools.pairwise(sizes)
        ]

    def __call__(self, x):
        for number, (weights, bias) in enumerate(self.layers):
            x = x @ weights + bias
            if number < len(self.layers) - 1:
                np.tanh(x, out=x)
        return x[:, 0]


def train(network, points, labels, steps=600, rate=0.02):
    losses: list[float] = []
    moments: dict[str, tuple] = {}
    for step in range(1, steps + 1):
        with ng.GradientTape() as tape:
            logits = network(points)
            loss = np.mean(np.logaddexp(0, logits) - labels * logits)
        variables = tape.watched_variables()
        for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
            mean, square = moments.get(variable.name, (0.0, 0.0))
            mean, square = 0.9 * mean + 0.1 * gradient, 0.99 * square + 0.01 * gradient**2
            moments[variable.name] = mean, square
            variable.assign_sub(rate * mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8))
        losses.append(float(loss))
    return losses


def draw():
    rng = np.random.default_rng(0)
    points, labels = spirals(rng)
    network = Network(rng, [2, 24, 24, 1])
    losses = train(network, points, labels)
    grid = np.stack(np.meshgrid(np.linspace(-1.1, 1.1, 120), np.linspace(-1.1, 1.1, 120)), axis=-1)
    logits = network(grid.reshape(-1, 2)).reshape(120, 120)
    figure, (left, right) = axes(2)
    left.contourf(grid[..., 0], grid[..., 1], np.clip(logits, -8, 8), 20, cmap="RdBu_r", alpha=0.7)
    left.scatter(*points.T, c=labels, cmap="RdBu_r", s=14, edgecolors="w", linewidths=0.5)
    left.set(title="two spirals", aspect="equal")
    right.semilogy(losses)
    right.set(title="loss", xlabel="step of Adam")
    assert np.mean((network(points) > 0) == labels) > 0.98
    return figure


if __name__ == "__main__":
    save(draw, __file__)
