"""How difference quotients are taken: one or some elements of the point are moved, within bounds, with an error estimate."""

from __future__ import annotations

import dataclasses
import functools
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray


@dataclasses.dataclass
class Problem:
    """What is differentiated, a function of flat arrays, and where: the point, its value, the precision that each element
    has, or the values where theirs is coarser.

    ``held(values, members)`` rounds values of elements to what the function's own arrays can hold.
    """

    function: Callable[[ndarray], ndarray]
    held: Callable[[ndarray, ndarray], ndarray]
    x: ndarray
    value: ndarray
    eps: ndarray
    steps: ndarray
    lower: ndarray
    upper: ndarray

    @functools.cached_property
    def two_sided(self) -> ndarray:
        """Which elements can be moved by their step in both directions."""
        return self.steps <= np.minimum(self.x - self.lower, self.upper - self.x)


class Group:
    """Elements that are moved at once: one; or those of a colour, of which each value depends on one at most.

    ``rows`` says for each value which of the elements that is, by its place in ``members``. Those near a bound and others
    are never in one group.
    """

    def __init__(self, problem: Problem, members: ndarray, rows: ndarray | None) -> None:
        self.problem, self.members, self.rows, self.value = problem, members, rows, problem.value
        self.x, self.lower, self.upper = problem.x[members], problem.lower[members], problem.upper[members]
        steps, below, above = problem.steps[members], self.x - self.lower, self.upper - self.x
        # Towards the side with more room where both do not fit.
        self.sign = np.where((steps <= above) | (above >= below), 1, -1).astype(steps.dtype)
        self.two_sided = bool(problem.two_sided[members[0]])
        self.step = steps if self.two_sided else np.minimum(steps, np.maximum(below, above))

    def per_row(self, per_member: ndarray) -> Any:
        return per_member[0] if self.rows is None else per_member[self.rows]

    def at(self, shift: ndarray) -> ndarray:
        moved = self.problem.x.copy()
        moved[self.members] = np.clip(self.x + shift, self.lower, self.upper)  # rounding may not leave the bounds either
        return self.problem.function(moved)

    def exact(self, h: ndarray) -> ndarray:
        """Steps that the argument can hold exactly, so that the quotient divides by what was really added."""
        return self.problem.held(self.x + self.sign * h, self.members) - self.x

    def rounding(self, h: ndarray) -> ndarray:
        with _quiet():
            return self.per_row(self.problem.eps[self.members]) * np.abs(self.value) / np.abs(self.per_row(h))

    def forward(self, h: ndarray) -> ndarray:
        h = self.exact(h)
        value = self.at(h)
        with _quiet():
            return (value - self.value) / self.per_row(h)

    def central(self, h: ndarray) -> ndarray:
        h = self.exact(h)
        after, before = self.at(h), self.at(-h)
        with _quiet():
            return (after - before) / (2 * self.per_row(h))

    def second_order(self, h: ndarray) -> ndarray:
        """Central differences, or the one-sided formula of the same order where a bound is near."""
        if self.two_sided:
            return self.central(h)
        h = self.exact(h / 2)
        near, far = self.at(h), self.at(2 * h)
        with _quiet():
            return (4 * near - 3 * self.value - far) / (2 * self.per_row(h))


def _quiet() -> Any:
    """Values that are not finite are the user's matter, and seen in the result."""
    return np.errstate(all="ignore")


def _compared(quotient: Callable, group: Group, order: int, with_error: bool) -> tuple[ndarray, Any]:
    """A difference quotient, and how far it moves when the step is halved (Richardson's estimate of what is left)."""
    column = quotient(group.step)
    if not with_error:
        return column, 0.0
    coarse_over_fine = 2**order / (2**order - 1)
    finer = quotient(group.step / 2)
    with _quiet():
        return column, np.abs(column - finer) * coarse_over_fine + group.rounding(group.step)


def _two_point(group: Group, with_error: bool) -> tuple[ndarray, Any]:
    return _compared(group.forward, group, 1, with_error)


def _three_point(group: Group, with_error: bool) -> tuple[ndarray, Any]:
    return _compared(group.second_order, group, 2, with_error)


_DROPPED = (
    "the function dropped the imaginary part of its argument (a real buffer, abs, float), so the complex step cannot see "
    'the derivative; use method="richardson"'
)


def _complex_step(group: Group, with_error: bool) -> tuple[ndarray, Any]:
    moved = group.problem.x.astype(np.result_type(group.problem.x, np.complex64))
    moved[group.members] += 1j * group.step
    if np.iscomplexobj(group.value):
        raise TypeError('the complex step needs a function that is real for real arguments; use method="richardson"')
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            value = group.problem.function(moved)
        except np.exceptions.ComplexWarning as warning:
            raise TypeError(_DROPPED) from warning
    if not np.iscomplexobj(value):
        raise TypeError(_DROPPED)
    column = value.imag / group.per_row(group.step)
    return column, group.per_row(group.problem.eps[group.members]) * np.abs(column)


_LEVELS = 10


def _richardson(group: Group, with_error: bool) -> tuple[ndarray, Any]:
    quotient, power = (group.central, 2) if group.two_sided else (group.forward, 1)
    previous = [quotient(group.step)]
    best = previous[0]
    error = np.full(best.shape, np.inf)
    for level in range(1, _LEVELS):
        h = group.step / 2**level
        row = [quotient(h)]
        with _quiet():
            for j, coarse in enumerate(previous, start=1):
                factor = 2.0 ** (power * j)
                row.append((factor * row[-1] - coarse) / (factor - 1))
                # Ridders' estimate; two steps that give the very same quotient still carry the rounding of the values.
                estimate = np.maximum(np.abs(row[-1] - row[-2]), np.abs(row[-1] - coarse)) + group.rounding(h)
                better = estimate < error
                best, error = np.where(better, row[-1], best), np.where(better, estimate, error)
            if (np.abs(row[-1] - previous[-1]) >= 2 * error).all():
                break
        previous = row
    return best, error


class Method(NamedTuple):
    """The column of a group, and the relative step, from the machine precision."""

    column: Callable[[Group, bool], tuple[ndarray, Any]]
    step: Callable[[ndarray], Any]


METHODS = {
    "2-point": Method(_two_point, lambda eps: eps ** (1 / 2)),
    "3-point": Method(_three_point, lambda eps: eps ** (1 / 3)),
    "richardson": Method(_richardson, lambda eps: 1 / 16),
    "complex-step": Method(_complex_step, lambda eps: 1e-20),
}


def columns(problem: Problem, method: Method, with_error: bool) -> tuple[ndarray, ndarray]:
    """The Jacobian and its estimated error, of shape (values, elements), one element after the other."""
    found = np.zeros((problem.value.size, problem.x.size), np.result_type(problem.value, problem.x))
    errors = np.zeros(found.shape, problem.x.dtype)
    for index in range(problem.x.size):
        group = Group(problem, np.array([index]), None)
        found[:, index], errors[:, index] = method.column(group, with_error)
    return found, errors


def compressed(
    problem: Problem, method: Method, with_error: bool, indices: ndarray, row_of: ndarray, colors: ndarray
) -> tuple[ndarray, ndarray]:
    """The elements of a sparse Jacobian, in the order of ``indices``, from one column for each colour."""
    found = np.zeros(indices.size, np.result_type(problem.value, problem.x))
    errors = np.zeros(indices.size, problem.x.dtype)
    for members in _groups(problem, colors):
        place = np.full(problem.x.size, -1)
        place[members] = np.arange(len(members))
        wanted = np.flatnonzero(place[indices] >= 0)
        rows = np.zeros(problem.value.size, int)
        rows[row_of[wanted]] = place[indices[wanted]]
        group = Group(problem, members, rows)
        column, error = method.column(group, with_error)
        _check_pattern(group, column, row_of[wanted])
        found[wanted] = column[row_of[wanted]]
        errors[wanted] = np.broadcast_to(error, column.shape)[row_of[wanted]]
    return found, errors


def _groups(problem: Problem, colors: ndarray) -> Iterator[ndarray]:
    """The elements of each colour; those near a bound, which have other formulas, by themselves."""
    for color in range(int(np.max(colors, initial=-1)) + 1):
        for side in (True, False):
            members = np.flatnonzero((colors == color) & (problem.two_sided == side))
            if members.size:
                yield members


def _check_pattern(group: Group, column: ndarray, rows: ndarray) -> None:
    """Values that the pattern lets depend on none of the elements that were moved must not have moved."""
    # A complex step does not divide rounding by its length.
    rounding = group.rounding(np.maximum(group.step, group.problem.eps[group.members] ** (1 / 2)))
    moved = np.abs(column) > 1e3 * rounding
    moved[rows] = False
    if moved.any():
        raise ValueError(
            f"value {int(np.flatnonzero(moved)[0])} depends on an element that the sparsity pattern does not have in its "
            "row: the differences of several elements at once would be wrong"
        )
