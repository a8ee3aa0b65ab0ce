"""Solvers and filters by Fast Fourier Transform."""

import numpy as np


def fft_poisson(source):
    n = len(source)
    k = 2 * np.pi * np.fft.rfftfreq(n, 1 / n)
    k[0] = 1.0
    spectrum = np.fft.rfft(source - source.mean()) / k**2
    return np.sum(np.fft.irfft(spectrum, n) ** 2)


def deblur(image, kernel, data):
    blurred = np.real(np.fft.ifft2(np.fft.fft2(image) * np.fft.fft2(kernel)))
    return np.sum((blurred - data) ** 2) + 0.1 * np.sum(np.diff(image, axis=0) ** 2)


def split_step(potential):
    """Schroedinger's equation by Strang's splitting."""
    n = len(potential)
    k = 2 * np.pi * np.fft.fftfreq(n, 1 / n)
    x = np.linspace(-1, 1, n)
    psi = np.exp(-20 * x**2) + 0j
    drift = np.exp(-1e-5j * k**2)
    for _ in range(10):
        psi = np.exp(-0.05j * potential) * psi
        psi = np.fft.ifft(drift * np.fft.fft(psi))
    return np.sum(x * np.abs(psi) ** 2)


PROBLEMS = {
    fft_poisson: (lambda n, rng: (rng.random(n),), 16, 2**18),
    deblur: (lambda n, rng: tuple(rng.random((3, n, n))), 8, 512),
    split_step: (lambda n, rng: (rng.random(n),), 16, 2**15),
}
