"""Laplace's approximation of a posterior: a Gaussian with the inverse Hessian at the mode as its covariance."""

import numpy as np
from pictures import axes, save
from scipy.optimize import minimize

import npgrad as ng

DOSE = np.array([-0.86, -0.30, -0.05, 0.73])
TREATED = np.array([5, 5, 5, 5])
DIED = np.array([0, 1, 3, 5])


def energy(p):
    """The bioassay of Racine et al. (1986): logistic regression with a wide prior, minus the logarithm of the posterior."""
    logits = p[0] + p[1] * DOSE
    fits = TREATED * np.logaddexp(0, logits) - DIED * logits
    return np.sum(fits) + p[0] ** 2 / 8 + (p[1] - 10) ** 2 / 200


def draw():
    mode = minimize(ng.value_and_grad(energy), np.zeros(2), jac=True, method="BFGS").x
    covariance = np.linalg.inv(ng.hessian(energy)(mode))
    alpha, beta = np.meshgrid(np.linspace(-3, 5, 161), np.linspace(-8, 35, 173))
    exact = -np.reshape([energy(p) for p in np.stack([alpha.ravel(), beta.ravel()], axis=1)], alpha.shape)
    away = np.stack([alpha - mode[0], beta - mode[1]], axis=-1)
    laplace = -0.5 * np.einsum("...i,ij,...j", away, np.linalg.inv(covariance), away)
    figure, (axis,) = axes(1)
    levels = [np.exp(-4.5), np.exp(-2), np.exp(-0.5)]
    axis.contour(alpha, beta, np.exp(exact + energy(mode)), levels, colors="k")
    axis.contour(alpha, beta, np.exp(laplace), levels, colors="C1", linestyles="--")
    axis.plot(*mode, "C1+")
    axis.plot([], [], "k", label="posterior")
    axis.plot([], [], "C1--", label="Laplace")
    axis.set(title="posterior of a bioassay", xlabel="intercept", ylabel="slope")
    axis.legend(loc="lower right")
    weights = np.exp(exact + energy(mode))
    mean = np.array([np.sum(weights * alpha), np.sum(weights * beta)]) / weights.sum()
    spread = np.sqrt(np.sum(weights * (alpha - mean[0]) ** 2) / weights.sum())
    assert abs(spread / np.sqrt(covariance[0, 0]) - 1) < 0.15
    return figure


if __name__ == "__main__":
    save(draw, __file__)
