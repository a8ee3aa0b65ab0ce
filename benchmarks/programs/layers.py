"""Neural layers written by hand."""

import numpy as np


def perceptron(w, x, y):
    n = x.shape[1]
    first, second = w[: n * n].reshape(n, n), w[n * n :]
    hidden = np.tanh(x @ first)
    return np.mean((hidden @ second - y) ** 2)


def convolution(kernel, images):
    out = np.zeros((images.shape[0], images.shape[1] - 2, images.shape[2] - 2))
    for i in range(3):
        for j in range(3):
            out += kernel[i, j] * images[:, i : i + out.shape[1], j : j + out.shape[2]]
    out = np.maximum(out, 0)
    return np.sum(out * out) / out.size


def recurrent(w, inputs):
    n = w.shape[0]
    h = np.zeros((inputs.shape[1], n))
    for x in inputs:
        h = np.tanh(np.dot(h, w) + x)
    return np.sum(h**2)


def attention(x):
    scores = x @ x.T / np.sqrt(x.shape[1])
    scores = scores - scores.max(axis=1, keepdims=True)
    weights = np.exp(scores)
    weights = weights / weights.sum(axis=1, keepdims=True)
    return np.sum((weights @ x) ** 2)


PROBLEMS = {
    perceptron: (
        lambda n, rng: (0.3 * rng.standard_normal(n * n + n), rng.standard_normal((4 * n, n)), rng.standard_normal(4 * n)),
        4,
        300,
    ),
    convolution: (lambda n, rng: (rng.standard_normal((3, 3)), rng.standard_normal((4, n, n))), 6, 300),
    recurrent: (lambda n, rng: (rng.standard_normal((n, n)) / n, rng.standard_normal((10, n, n))), 3, 250),
    attention: (lambda n, rng: (rng.standard_normal((n, 4)),), 6, 700),
}
