"""
Laplace's approximation of a posterior
======================================

Near its mode a posterior is often close to a Gaussian, whose covariance is the inverse of the Hessian of minus its
logarithm. The bioassay of Racine et al. (1986): twenty animals, four doses, a logistic model with two parameters.
"""

import numpy as np
from pictures import axes, show
from scipy.optimize import minimize

import npgrad as ng

DOSE = np.array([-0.86, -0.30, -0.05, 0.73])
TREATED = np.array([5, 5, 5, 5])
DIED = np.array([0, 1, 3, 5])


def energy(p):
    """Minus the logarithm of the posterior, with a wide Gaussian prior, but for a constant."""
    logits = p[0] + p[1] * DOSE
    fits = TREATED * np.logaddexp(0, logits) - DIED * logits
    return np.sum(fits) + p[0] ** 2 / 8 + (p[1] - 10) ** 2 / 200


# %%
# A gradient finds the mode, a Hessian says how wide the posterior is there.

mode = minimize(ng.value_and_grad(energy), np.zeros(2), jac=True, method="BFGS").x
covariance = np.linalg.inv(ng.hessian(energy)(mode))
print("mode", mode)
print("standard deviations", np.sqrt(np.diag(covariance)))

# %%
# With two parameters the posterior itself can be drawn. The Gaussian has the right place and width, but no share in the long
# tail towards steep slopes: this is what the approximation costs.

alpha, beta = np.meshgrid(np.linspace(-3, 5, 161), np.linspace(-8, 35, 173))
height = energy(mode) - np.reshape([energy(p) for p in np.stack([alpha.ravel(), beta.ravel()], axis=1)], alpha.shape)
away = np.stack([alpha - mode[0], beta - mode[1]], axis=-1)
laplace = -0.5 * np.einsum("...i,ij,...j", away, np.linalg.inv(covariance), away)

figure, (axis,) = axes(1, width=6.5, height=4.5)
levels = np.exp([-4.5, -2, -0.5])
axis.contourf(alpha, beta, np.exp(height), [*levels, 1], colors=["0.9", "0.8", "0.7"])
axis.contour(alpha, beta, np.exp(laplace), levels, colors="C1")
axis.plot(*mode, "C1+", ms=10)
axis.fill([], [], "0.8", label="posterior")
axis.plot([], [], "C1", label="Laplace, 1, 2 and 3 σ")
axis.set(title="two parameters of a bioassay", xlabel="intercept", ylabel="slope")
axis.legend(loc="lower right")
show(figure)

# %%
# The standard deviation of the intercept, summed over the grid, is close to that of the approximation.

weights = np.exp(height) / np.exp(height).sum()
mean = np.sum(weights * alpha)
spread = np.sqrt(np.sum(weights * (alpha - mean) ** 2))
print("intercept:", spread, "on the grid,", np.sqrt(covariance[0, 0]), "by Laplace")
assert abs(spread / np.sqrt(covariance[0, 0]) - 1) < 0.15
