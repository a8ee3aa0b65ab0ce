"""Outer products that a reverse sweep collects, to make their sum at once.

What flows back into the matrix of ``A @ v`` is an outer product. A loop of K such calls would make and add K arrays of A's
size; side by side, the vectors are two matrices, and the sum is one product of these.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ._storage import Storage, StridedView, View

# Cotangents of products with so many elements; to add a smaller outer product takes less time than to keep it.
COLLECTED_FROM = 32

# So many rows are collected also for small matrices, of which they take more memory than the sum.
_FEWEST = 64


class OuterProducts:
    """Pairs of matrices (k, m) and (k, n), or of vectors, for arrays of shape (m, n): the sum of their products is to be
    added."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: dict[Storage, dict[View | None, list[tuple[Any, Any]]]] = {}

    def collect(self, storage: Storage, view: View | None, left: Any, right: Any) -> bool:
        """Take a pair; whether they have come to take more memory than their sum."""
        if view is not None and _is_transpose(view, storage):
            view, left, right = None, right, left
        views = self.found.get(storage)
        if views is None:
            views = self.found[storage] = {}
        pairs = views.get(view)
        if pairs is None:
            views[view] = [(left, right)]
            return False
        pairs.append((left, right))
        return len(pairs) >= _FEWEST and len(pairs) * (left.size + right.size) >= math.prod(storage.shape)

    def sums(self, storage: Storage) -> Iterator[tuple[View | None, Any]]:
        """What has been collected for a storage, by view; it is forgotten."""
        for view, pairs in self.found.pop(storage).items():
            left, right = (np.vstack(part) for part in zip(*pairs, strict=True))
            yield view, left.T * right if len(left) == 1 else np.matmul(left.T, right)


def _is_transpose(view: View | None, storage: Storage) -> bool:
    """Whether a view looks at a whole matrix from the other side."""
    return (
        type(view) is StridedView
        and view.offset == 0
        and view.shape == storage.shape[::-1]
        and view.strides == view.layout.strides[::-1]
        and view.layout.shape == storage.shape
        and view.dtype == storage.dtype
    )
