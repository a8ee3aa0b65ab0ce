"""Marginal likelihood of Gaussian-process regression: squared-exponential kernel, Cholesky factor, two triangular solves."""

import numpy as np

X = np.linspace(0.0, 4.0, 12)
Y = np.sin(2.0 * X) + 0.1 * np.cos(17.0 * X)


def kernel_matrix(amplitude, length, noise):
    n = len(X)
    K = np.empty((n, n))
    for i in range(n):
        for j in range(i + 1):
            K[i, j] = amplitude ** 2 * np.exp(-0.5 * ((X[i] - X[j]) / length) ** 2)
            K[j, i] = K[i, j]
    K[np.diag_indices(n)] += noise ** 2
    return K


def forward_substitution(L, b):
    y = b.copy()
    for i in range(len(y)):
        y[i] -= L[i, :i] @ y[:i]
        y[i] /= L[i, i]
    return y


def negative_log_marginal(log_theta):
    amplitude, length, noise = np.exp(log_theta)
    L = np.linalg.cholesky(kernel_matrix(amplitude, length, noise))
    z = forward_substitution(L, Y)
    return 0.5 * z.dot(z) + np.log(np.diag(L)).sum() + 0.5 * len(X) * np.log(2.0 * np.pi)


if __name__ == "__main__":
    print(negative_log_marginal(np.log([1.0, 0.8, 0.2])))
