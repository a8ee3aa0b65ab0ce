"""Functions that are linear along one axis of an array: their transposes, by a formula or by the matrix that their
responses to single elements are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._following import LibraryRule
from ._helpers import negative_axis
from ._sparse_parts import sparse

# So many elements of responses are found at once.
_AT_ONCE = 1 << 22


class Along:
    """A function of an array and an axis, with all else fixed: ``call(v, axis)``.

    ``transposed(ct, n)`` is its transpose along the last axis, for a signal of length n. Without it ``radius`` says how far
    away an element has a share in the result, None if everywhere.
    """

    def __init__(self, call: Callable, radius: int | None = None, transposed: Callable | None = None) -> None:
        self.call, self.radius, self.transposed = call, radius, transposed

    def __deepcopy__(self, memo: Any) -> Along:
        return self

    def back(self, ct: Any, n: int, axis: int) -> Any:
        rows = np.moveaxis(ct, axis, -1)
        made = self.by_responses(rows, n) if self.transposed is None else self.transposed(rows, n)
        return np.moveaxis(made, -1, axis)

    def by_responses(self, rows: Any, n: int) -> Any:
        """Where elements that are far from each other share nothing, the responses to many of them are found at once."""
        if self.radius is not None and n > 4 * (2 * self.radius + 1):
            matrix = self._local_responses(n, self.radius)
            flat = rows.reshape((-1, rows.shape[-1])) @ matrix.conj().T
            return flat.reshape((*rows.shape[:-1], n))
        step = max(1, _AT_ONCE // max(n, rows.shape[-1]))
        parts = []
        for first in range(0, n, step):
            responses = self.call(np.eye(min(step, n - first), n, first), -1)
            parts.append(rows @ np.conjugate(responses).T)
        return np.concatenate(parts, axis=-1)

    def _local_responses(self, n: int, radius: int) -> Any:
        """The responses as rows of a sparse matrix: those of the ends alone, the others in combs."""
        step = 2 * radius + 1
        ends = np.concatenate([np.arange(step), np.arange(n - step, n)])
        units = np.zeros((2 * step, n))
        units[np.arange(2 * step), ends] = 1
        inner = np.arange(step, n - step)
        combs = np.zeros((step, n))
        combs[inner % step, inner] = 1
        near = inner[:, None] + np.arange(-radius, radius + 1)
        found = self.call(combs, -1)[inner[:, None] % step, near]
        at_ends = self.call(units, -1)
        row, column = np.nonzero(at_ends)
        data = np.concatenate([found.reshape(-1), at_ends[row, column]])
        rows = np.concatenate([np.repeat(inner, step), ends[row]])
        return sparse.csr_array((data, (rows, np.concatenate([near.reshape(-1), column]))), shape=(n, n))


def _linear(x: Any, axis: Any, along: Any) -> None:
    """The arguments of the rule."""


def frozen(parts: Callable) -> Callable:
    """The parts of a call whose arguments are kept as they are now: the program may change lists of them."""

    def kept(value: Any) -> Any:
        return tuple(map(kept, value)) if type(value) is list else value

    def of_call(*args: Any, **kwargs: Any) -> dict[str, Any] | None:
        made: dict[str, Any] | None = parts(*map(kept, args), **{name: kept(value) for name, value in kwargs.items()})
        return made

    return of_call


def along_axis(parts: Callable) -> LibraryRule:
    """The rule of a function that is linear along an axis; ``parts`` gives ``x``, ``axis`` and ``along``."""
    rule = LibraryRule(_linear, frozen(parts))

    @rule.vjp("x")
    def vjp(ct: Any, x_spec: Any, axis: Any, along: Any) -> Any:
        axis = negative_axis(axis, x_spec.ndim)
        return along.back(ct, x_spec.shape[axis], axis)

    @rule.jvp("x")
    def jvp(tangent: Any, x_spec: Any, axis: Any, along: Any) -> Any:
        return along.call(tangent, negative_axis(axis, x_spec.ndim))

    return rule
