"""Whether a derivative agrees with differences, given what the differences say of their own error."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

_FLOOR = 1e-7
_FACTOR = 10
_ROUNDING = 10 * np.finfo(float).eps


class Agreement(NamedTuple):
    """The worst entry of one derivative: its difference, what is allowed there, and where it is."""

    difference: float
    allowed: float
    place: tuple[int, ...]

    @property
    def agrees(self) -> bool:
        return self.difference <= self.allowed


def scale_of(derivative: ndarray, value_ndim: int) -> ndarray:
    """What is large for each entry: the largest one of its row or of its column, whichever is less."""
    finite = np.where(np.isfinite(derivative), np.abs(derivative), 0)
    of_value, of_point = tuple(range(value_ndim)), tuple(range(value_ndim, derivative.ndim))
    return np.minimum(
        np.max(finite, axis=of_point, keepdims=True, initial=0), np.max(finite, axis=of_value, keepdims=True, initial=0)
    )


def agreement(derivative: Any, differences: Any, error: Any, value_ndim: int) -> Agreement:
    """An entry agrees within 10 times the differences' error plus 1e-7 of what is large there.

    Entries that are not finite must be so in both. Where the differences are zero, as the value is the same at all points,
    the entry may be what rounding leaves of terms that cancel, as large as those that do not in its column.
    """
    derivative, differences, error = np.asarray(derivative), np.asarray(differences), np.asarray(error)
    allowed = _FACTOR * np.where(np.isfinite(error), error, 0) + _FLOOR * scale_of(differences, value_ndim)
    columns = np.max(np.where(np.isfinite(differences), np.abs(differences), 0), axis=tuple(range(value_ndim)), initial=0)
    allowed = np.where(differences == 0, np.maximum(allowed, _ROUNDING * columns), allowed)
    with np.errstate(invalid="ignore"):
        both_broken = ~np.isfinite(derivative) & ~np.isfinite(differences)
        wrong = np.where(both_broken, 0, np.abs(derivative - differences))
        wrong = np.where(np.isnan(wrong), np.inf, wrong)
    if wrong.size == 0:
        return Agreement(0.0, 0.0, ())
    # The worst offender, or else the largest difference.
    excess = wrong - allowed
    index = np.unravel_index(np.argmax(excess if (excess > 0).any() else wrong), wrong.shape)
    return Agreement(float(wrong[index]), float(allowed[index]), tuple(int(i) for i in index))
