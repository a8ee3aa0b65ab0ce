"""A picture from the moduli of its Fourier transforms, without their phases: gradients through complex numbers."""

import numpy as np
from pictures import axes, save
from scipy.optimize import minimize

import npgrad as ng

N = 24


def picture():
    i, j = np.mgrid[:N, :N]
    image = 1.0 * (np.hypot(i - 12, j - 11) < 8)
    image -= 0.6 * (np.hypot(i - 9, j - 8) < 2) + 0.6 * (np.hypot(i - 9, j - 15) < 2)
    image -= 0.8 * ((i > 14) & (i < 17) & (abs(j - 11) < 5))
    return image


def draw():
    truth = picture()
    masks = np.exp(2j * np.pi * np.random.default_rng(1).uniform(size=(4, N, N)))

    def intensities(image):
        waves = np.empty((len(masks), N, N), complex)
        for wave, mask in zip(waves, masks, strict=True):
            wave[:] = np.fft.fft2(mask * image)
        return waves.real**2 + waves.imag**2

    measured = np.sqrt(intensities(truth))

    def loss(flat):
        return np.mean((np.sqrt(intensities(flat.reshape(N, N)) + 1e-6) - measured) ** 2)

    start = np.random.default_rng(0).uniform(size=N * N)
    found = minimize(ng.value_and_grad(loss), start, jac=True, method="L-BFGS-B", options={"maxiter": 300})
    image = found.x.reshape(N, N)
    image = image * np.sign(image.sum())  # the moduli do not know the sign
    figure, three = axes(3)
    for axis, shown, title in zip(three, (truth, start.reshape(N, N), image), ("truth", "start", "retrieved"), strict=True):
        axis.imshow(shown, cmap="gray", vmin=0, vmax=1)
        axis.set(title=title, xticks=[], yticks=[])
    assert np.max(np.abs(image - truth)) < 0.05
    return figure


if __name__ == "__main__":
    save(draw, __file__)
