"""
A neural network by hand
========================

Which of two spirals does a point belong to? Two hidden layers, Adam, and nothing but NumPy and Variables: arrays that tapes
watch by themselves when they are used.
"""

import itertools

import numpy as np
from pictures import axes, show

import npgrad as ng


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


# %%
# One step of training: the loss on the tape, the gradients by all Variables that the tape has seen, and the update.


def train(network, points, labels, steps=400, rate=0.02):
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


# %%
# Two arms of 200 points each; one in four is kept back to test what was learnt.


def spirals(rng, n=200):
    turn = np.sqrt(rng.uniform(0.05, 1, n)) * 2.5 * np.pi
    arms = np.stack([turn * np.cos(turn), turn * np.sin(turn)], axis=1) / 8
    points = np.concatenate([arms, -arms]) + 0.02 * rng.normal(size=(2 * n, 2))
    return points, np.repeat([1.0, 0.0], n)


rng = np.random.default_rng(0)
points, labels = spirals(rng)
kept = np.arange(len(points)) % 4 == 0
network = Network(rng, [2, 24, 24, 1])
losses = train(network, points[~kept], labels[~kept])
right_answers = np.mean((network(points[kept]) > 0) == labels[kept])
print(f"{right_answers:.1%} of the points that were kept back are put on the right arm")
assert right_answers > 0.95

line = np.linspace(-1.1, 1.1, 150)
grid = np.stack(np.meshgrid(line, line), axis=-1)
probability = 1 / (1 + np.exp(-network(grid.reshape(-1, 2)).reshape(150, 150)))

figure, (left, right) = axes(2)
shown = left.contourf(line, line, probability, np.linspace(0, 1, 11), cmap="RdBu_r", alpha=0.7)
figure.colorbar(shown, ax=left, label="probability of the first arm")
left.scatter(*points[~kept].T, c=labels[~kept], cmap="RdBu_r", s=14, edgecolors="w", linewidths=0.5)
left.scatter(*points[kept].T, c=labels[kept], cmap="RdBu_r", s=22, marker="s", edgecolors="k", linewidths=0.7)
left.set(title="two spirals; squares were kept back", aspect="equal")
right.semilogy(losses)
right.set(title="loss", xlabel="step of Adam")
show(figure)
