"""What a function is like along random directions: errors of differences, Taylor remainder, jumps, kinks and noise."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from .testing import random_direction

# Half decades; a relative length, for a direction moves each element by about its own size.
STEPS = tuple(10.0 ** (-k / 2) for k in range(2, 27))
COMPLEX_STEPS = tuple(10.0**-k for k in range(1, 21))

_DECADES = 4


class Line:
    """The function along one direction, and its derivative there; values are computed once for each step."""

    def __init__(self, flat: Callable, x: ndarray, value: ndarray, jacobian: ndarray, direction: ndarray) -> None:
        self.flat, self.x, self.value, self.direction = flat, x, value, direction
        self.slope = jacobian @ direction
        self.eps = float(np.finfo(x.dtype).eps)
        # Rounding of the value and of the moved argument.
        self.rounding = self.eps * (np.abs(value) + np.abs(jacobian) @ np.abs(x))
        self._known: dict[complex, ndarray] = {0: value}

    def __call__(self, h: complex) -> ndarray:
        """The value at a step; NaN where the function raises, outside of its domain."""
        if h not in self._known:
            dtype = np.result_type(self.x, np.complex64) if isinstance(h, complex) else self.x.dtype
            with np.errstate(all="ignore"):
                try:
                    value = self.flat((self.x + h * self.direction).astype(dtype))
                except Exception:  # whatever the user's code says to points outside of its domain
                    value = np.zeros(0)
            self._known[h] = value if value.shape == self.value.shape else np.full(self.value.shape, np.nan)
        return self._known[h]


def lines(
    flat: Callable, x: ndarray, value: ndarray, jacobian: ndarray, lengths: ndarray | None, count: int, seed: int
) -> list[Line]:
    """Lines in random directions that move each element by its length at most, and the nearest one to it by all of it."""
    rng = np.random.default_rng(seed)
    if lengths is None:
        lengths = np.where(x == 0, 1, np.maximum(np.abs(x), 1e-2))
    found = []
    for _ in range(count):
        direction = random_direction(rng, x)
        size = np.max(np.abs(direction) / lengths)
        found.append(Line(flat, x, value, jacobian, direction / size))
    return found


# --- Errors against the step --------------------------------------------------------------------------------------


class StepSweep(NamedTuple):
    """Relative errors of the derivative along one direction, for each relative step; the best of each."""

    steps: list[float]
    forward: list[float]
    central: list[float]
    complex_steps: list[float]
    complex_step: list[float]


def _norm(values: ndarray) -> float:
    with np.errstate(all="ignore"):
        return float(np.linalg.norm(values))


def step_sweep(line: Line, with_complex: bool) -> StepSweep:
    size = _norm(line.slope) or 1.0
    steps = COMPLEX_STEPS if with_complex else ()
    with np.errstate(all="ignore"):
        forward = [_norm((line(h) - line.value) / h - line.slope) / size for h in STEPS]
        central = [_norm((line(h) - line(-h)) / (2 * h) - line.slope) / size for h in STEPS]
        complex_step = [_norm(line(1j * h).imag / h - line.slope) / size for h in steps]
    return StepSweep(list(STEPS), forward, central, list(steps), complex_step)


# --- The Taylor remainder ------------------------------------------------------------------------------------------


class Taylor(NamedTuple):
    """How ``|f(x + hv) - f(x) - h J v|`` falls with h: its order, over how many decades, and the remainders.

    The order is None where rounding hides the remainder, as for a linear function.
    """

    order: float | None
    decades: float
    steps: list[float]
    remainders: list[float]

    @property
    def passes(self) -> bool:
        """A right derivative of a smooth function leaves a remainder of order 2 or more; a wrong one, or a kink, of 1."""
        return self.order is None or self.order > 1.9


def taylor(line: Line, noise: float) -> Taylor:
    with np.errstate(all="ignore"):
        remainders = [_norm(line(h) - line.value - h * line.slope) for h in STEPS]
    floor = 10 * (_norm(line.rounding) + noise)
    seen = [(h, r) for h, r in zip(STEPS, remainders, strict=True) if r > floor]
    window = [(h, r) for h, r in seen if h <= seen[-1][0] * 10**_DECADES * 1.01]
    if len(window) < 3:
        return Taylor(None, 0.0, list(STEPS), remainders)
    logs = np.log10(np.array(window))
    order = float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])
    return Taylor(order, float(np.ptp(logs[:, 0])), list(STEPS), remainders)


# --- Jumps ---------------------------------------------------------------------------------------------------------


class Jump(NamedTuple):
    """Where values stay apart: which one, from which step on (0: at the point itself), and by how much."""

    value_index: int
    distance: float
    size: float


def jump(line: Line) -> Jump | None:
    """A jump, if the change over the step does not shrink with the step: over a decade, below a tenth."""
    small = np.array([h for h in STEPS if h < 1.1e-2])
    with np.errstate(all="ignore"):
        changes = np.array([np.maximum(np.abs(line(h) - line.value), np.abs(line(-h) - line.value)) for h in small])
        least = np.maximum(1e3 * line.rounding, 10 * small[:, None] * np.abs(line.slope))
        flat = (changes[2:] > 0.6 * changes[:-2]) & (changes[2:] > least[2:]) & (changes[:-2] > least[:-2])
    if not flat.any():
        return None
    value_index = int(np.argmax(np.where(flat, changes[2:], 0).max(axis=0)))
    last = int(np.flatnonzero(flat[:, value_index])[-1]) + 2
    distance = float(small[last + 1]) if last + 1 < len(small) else 0.0
    return Jump(value_index, distance, float(changes[last, value_index]))


# --- Kinks ---------------------------------------------------------------------------------------------------------


class Kink(NamedTuple):
    """Where one-sided derivatives stay apart: which value, from which step on (0: at the point itself), and by how much."""

    value_index: int
    distance: float
    relative_size: float


def kink(line: Line, noise: float) -> Kink | None:
    """A kink, if second differences over the step do not shrink with the step, as they do over a decade to below a hundredth
    where a function is smooth; the quotients to each side must stay as they are, too."""
    small = np.array([h for h in STEPS if h < 1.1e-2])
    with np.errstate(all="ignore"):
        sides = np.array([[(line(s * h) - line.value) / (s * h) for s in (1, -1)] for h in small])
        bends = np.abs(sides[:, 0] - sides[:, 1])
        seen = bends > np.maximum(1e-3 * np.abs(line.slope), 100 * (line.rounding + noise) / small[:, None])
        steady = (np.abs(sides[2:] - sides[:-2]) < 0.5 * bends[2:, None]).all(axis=1)
        flat = (bends[2:] > 0.6 * bends[:-2]) & seen[2:] & seen[:-2] & steady
        flat[1:-1] &= flat[:-2] | flat[2:]  # once is chance
    if not flat.any():
        return None
    value_index = int(np.argmax(np.where(flat, bends[2:], 0).max(axis=0)))
    last_flat = int(np.flatnonzero(flat[:, value_index])[-1]) + 2
    # A step at which the bend can be told from rounding, and is gone: the kink is not at the point.
    quiet = bends[last_flat:, value_index] < 0.3 * bends[last_flat, value_index]
    distance = float(small[last_flat + int(np.flatnonzero(quiet)[0])]) if quiet.any() else 0.0
    size = bends[last_flat, value_index] / max(abs(line.slope[value_index]), bends[last_flat, value_index], 1e-300)
    return Kink(value_index, distance, float(size))


# --- Noise ---------------------------------------------------------------------------------------------------------

_TABLE = 8
_NOISE_STEPS = (1e-10, 1e-7, 1e-5)


def noise_level(line: Line) -> tuple[float, float]:
    """The standard deviation of noise in the values, where it is beyond rounding, absolute and relative; 0 if there is none.

    By difference tables (Hamming 1971; More and Wild, Estimating computational noise, SIAM J. Sci. Comput. 33, 2011): high
    differences of a smooth function vanish, those of noise keep their size. Noise is seen at more than one step; a kink or
    a jump that one table crosses is not.
    """
    with np.errstate(all="ignore"):
        seen = [(0.0, 0.0), *[_noise_at(line, h) for h in _NOISE_STEPS]]
    *_, second, largest = sorted(seen)
    return second if 10 * second[0] > largest[0] and not _explained(line, second[0]) else (0.0, 0.0)


def _explained(line: Line, level: float) -> bool:
    """Whether the derivative tells changes that are smaller than the noise would be, over two steps and to both sides: then
    what looks like noise over longer steps is how the function varies."""
    told = []
    for h in STEPS:
        moved = h * line.slope
        with np.errstate(all="ignore"):
            right = [np.abs(line(s * h) - line.value - s * moved) < 0.1 * np.abs(moved) for s in (1, -1)]
        clear = (np.abs(moved) > 100 * line.rounding) & (np.abs(moved) < level)
        told.append(bool(clear.any()) and bool(np.all(right, axis=0)[clear].all()))
    return any(a and b for a, b in itertools.pairwise(told))


def _noise_at(line: Line, h: float) -> tuple[float, float]:
    table = np.array([line(i * h) for i in range(_TABLE + 1)])
    levels, changes, factor = [], [], 1.0
    for k in range(1, _TABLE + 1):
        table = np.diff(table.real, axis=0)
        factor *= k / (2 * (2 * k - 1))
        levels.append(np.sqrt(factor * np.mean(table**2, axis=0)))
        changes.append((table.min(axis=0) < 0) & (table.max(axis=0) > 0) if len(table) > 1 else np.True_)
    settled = np.array(levels[2:6])
    steady = (settled.max(axis=0) <= 4 * settled.min(axis=0)) & np.all(changes[2:6], axis=0)
    level = np.where(steady & (settled[0] > 1e3 * line.rounding), settled[0], 0.0)
    relative = np.where(level > 0, level / np.maximum(np.abs(line.value), level), 0.0)
    return float(np.max(level, initial=0)), float(np.max(relative, initial=0))
