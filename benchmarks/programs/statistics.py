"""Likelihoods and simulations with fixed draws."""

import numpy as np


def option_price(p, draws):
    spot, rate, volatility = p
    end = spot * np.exp((rate - 0.5 * volatility**2) + volatility * draws)
    return np.exp(-rate) * np.mean(np.maximum(end - 1.0, 0.0))


def asian_option(p, draws):
    steps = draws.shape[1]
    paths = np.empty((draws.shape[0], steps + 1))
    paths[:, 0] = p[0]
    for t in range(steps):
        paths[:, t + 1] = paths[:, t] * np.exp((p[1] - 0.5 * p[2] ** 2) / steps + p[2] / np.sqrt(steps) * draws[:, t])
    return np.mean(np.maximum(paths[:, 1:].mean(axis=1) - 1.0, 0.0))


def logistic_regression(w, x, y):
    margin = y * np.dot(x, w)
    return np.mean(np.log1p(np.exp(-margin))) + 0.01 * np.sum(w * w)


def mixture(p, data):
    k = len(p) // 3
    weight, mean, scale = p[:k], p[k : 2 * k], np.exp(p[2 * k :])
    weight = weight - np.log(np.sum(np.exp(weight)))
    z = (data[:, None] - mean) / scale
    terms = weight - np.log(scale) - 0.5 * z**2
    top = terms.max(axis=1)
    return -np.sum(top + np.log(np.sum(np.exp(terms - top[:, None]), axis=1)))


def gaussian_process(p, x, y):
    distance = (x[:, None] - x[None, :]) ** 2
    covariance = np.exp(p[0]) * np.exp(-distance * np.exp(p[1])) + np.exp(p[2]) * np.eye(len(x))
    factor = np.linalg.cholesky(covariance)
    alpha = np.linalg.solve(covariance, y)
    return 0.5 * np.dot(y, alpha) + np.sum(np.log(np.diagonal(factor)))


def kalman(p, data):
    n = data.shape[1]
    q, r = np.exp(p[0]) * np.eye(n), np.exp(p[1]) * np.eye(n)
    a = p[2] * np.eye(n) + 0.01
    mean, cov = np.zeros(n), np.eye(n)
    loglik = 0.0
    for z in data:
        mean = a @ mean
        cov = a @ cov @ a.T + q
        s = cov + r
        innovation = z - mean
        gain = cov @ np.linalg.inv(s)
        loglik -= 0.5 * (innovation @ np.linalg.solve(s, innovation) + np.log(np.linalg.det(s)))
        mean = mean + gain @ innovation
        cov = cov - gain @ cov
    return loglik


def hidden_markov(logits, seen):
    transition = np.exp(logits)
    transition /= transition.sum(axis=1)[:, None]
    n = len(logits)
    alpha = np.full(n, 1.0 / n)
    emission = np.linspace(0.2, 0.8, n)
    loglik = 0.0
    for symbol in seen:
        alpha = np.dot(alpha, transition)
        alpha *= emission if symbol else 1 - emission
        total = alpha.sum()
        alpha /= total
        loglik += np.log(total)
    return loglik


def robust_fit(p, t, y):
    r = y - (p[0] * np.exp(-p[1] * t) + p[2])
    small = np.abs(r) < 0.1
    loss = np.empty_like(r)
    loss[small] = 0.5 * r[small] ** 2
    loss[~small] = 0.1 * (np.abs(r[~small]) - 0.05)
    return loss.sum()


def trimmed_mean(x):
    s = np.sort(x)
    k = len(s) // 10
    return np.sum(s[k:-k] ** 2) / (len(s) - 2 * k)


def _market(n, rng):
    return np.array([1.0, 0.03, 0.2]), rng.standard_normal(n)


PROBLEMS = {
    option_price: (_market, 10, 500_000),
    asian_option: (lambda n, rng: (np.array([1.0, 0.03, 0.2]), rng.standard_normal((n, 16))), 5, 20_000),
    logistic_regression: (
        lambda n, rng: (rng.standard_normal(5), rng.standard_normal((n, 5)), np.sign(rng.standard_normal(n))), 20, 200_000
    ),
    mixture: (lambda n, rng: (rng.standard_normal(9), rng.standard_normal(n)), 20, 100_000),
    gaussian_process: (
        lambda n, rng: (np.array([0.0, 1.0, -2.0]), np.sort(rng.random(n)), rng.standard_normal(n)), 6, 400
    ),
    kalman: (lambda n, rng: (np.array([-2.0, -1.0, 0.9]), rng.standard_normal((15, n))), 2, 120),
    hidden_markov: (lambda n, rng: (rng.standard_normal((n, n)), rng.integers(0, 2, 30)), 3, 300),
    robust_fit: (lambda n, rng: (np.array([1.0, 2.0, 0.1]), np.linspace(0, 2, n), rng.random(n)), 20, 300_000),
    trimmed_mean: (lambda n, rng: (rng.standard_normal(n),), 30, 200_000),
}  # fmt: skip
