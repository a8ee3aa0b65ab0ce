"""The special functions of Python's ``math``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._registry import Elementwise

_SLOPE = 2 / math.sqrt(math.pi)

# B_2k / 2k for k = 1, 2, ... of the asymptotic series below.
_BERNOULLI = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
_SHIFT = 10


def digamma(x: Any) -> Any:
    """The derivative of log gamma: Abramowitz and Stegun, 6.3.5 (recurrence, up to where the series has converged), 6.3.7
    (reflection, to the right half) and 6.3.18 (asymptotic series)."""
    left = x < 0.5
    z = np.where(left, 1 - x, x)
    steps = sum([1 / (z + k) for k in range(1, _SHIFT)], 1 / z)
    far = z + _SHIFT
    inverse = 1 / (far * far)
    series = 0.0
    for coefficient in reversed(_BERNOULLI):
        series = (series + coefficient) * inverse
    reflected = np.where(left, np.pi / np.tan(np.pi * np.where(left, x, 0.25)), 0)
    return np.log(far) - 0.5 / far - series - steps - reflected


# ``math`` name -> rule.
SPECIAL: dict[str, Elementwise] = {
    "erf": Elementwise(math.erf, (lambda x: _SLOPE * np.exp(-x * x),), 0),
    "erfc": Elementwise(math.erfc, (lambda x: -_SLOPE * np.exp(-x * x),), 0),
    "gamma": Elementwise(math.gamma, (lambda x, ans: ans * digamma(x),), 0),
    "lgamma": Elementwise(math.lgamma, (lambda x: digamma(x),), 0),
}
