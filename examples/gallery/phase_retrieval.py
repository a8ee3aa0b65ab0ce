"""
Phase retrieval: gradients through complex Fourier transforms
=============================================================

A detector sees the modulus of a wave and not its phase. From the moduli of four Fourier transforms, each taken behind
a random phase mask, the picture comes back by a minimiser that starts from noise.
"""

import numpy as np
from pictures import axes, show
from scipy.optimize import minimize

import npgrad as ng

N = 32


def picture():
    i, j = np.mgrid[:N, :N] * 24 / N
    image = 1.0 * (np.hypot(i - 12, j - 11) < 8)
    image -= 0.6 * (np.hypot(i - 9, j - 8) < 1.6) + 0.6 * (np.hypot(i - 9, j - 14) < 1.6)
    image -= 0.8 * ((abs(np.hypot(i - 12, j - 11) - 5) < 0.8) & (i > 14))
    return image


truth = picture()
masks = np.exp(2j * np.pi * np.random.default_rng(1).uniform(size=(4, N, N)))


def intensities(image):
    """What the detector sees: the waves fill a complex buffer, one after the other."""
    waves = np.empty((len(masks), N, N), np.complex128)
    for wave, mask in zip(waves, masks, strict=True):
        wave[:] = np.fft.fft2(mask * image)
    return waves.real**2 + waves.imag**2


measured = np.sqrt(intensities(truth))

# %%
# The loss is a real function of real pixels; complex numbers are in between only, and its gradient is real.


def loss(flat):
    return np.mean((np.sqrt(intensities(flat.reshape(N, N)) + 1e-6) - measured) ** 2)


start = np.random.default_rng(0).uniform(size=N * N)
found = minimize(ng.value_and_grad(loss), start, jac=True, method="L-BFGS-B", options={"maxiter": 300})
image = found.x.reshape(N, N)
image = image * np.sign(image.sum())  # the moduli do not know the sign
print(f"largest error of a pixel after {found.nfev} gradients of {N * N} unknowns: {np.max(np.abs(image - truth)):.1e}")
assert np.max(np.abs(image - truth)) < 0.05

figure, four = axes(4, width=3, height=3.4)
shown = (truth, np.log(measured[0]), start.reshape(N, N), image)
for axis, pixels, title in zip(four, shown, ("truth", "measured (1 of 4, log)", "start", "retrieved"), strict=True):
    limits = {} if pixels is shown[1] else {"vmin": 0, "vmax": 1}
    axis.imshow(pixels, cmap="gray", **limits)
    axis.set(title=title, xticks=[], yticks=[])
show(figure)
