"""Which elements of solutions, decompositions and convolutions depend on which elements of what they are made of: see
``_pattern_rules``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ._index_sets import EMPTY, IndexSets
from ._pattern_products import contracted
from ._pattern_rules import CONTENTS, PATTERNS, zeros_of
from .rules.calculus import middle

# --- Matrices, many at once ------------------------------------------------------------------------------------------


def _by_matrix(sets: IndexSets, given: dict, env: dict) -> Any:
    """All results for a matrix of all of its elements."""
    (a,) = given.values()
    one = sets.along(a, (a.ndim - 2, a.ndim - 1))
    made = [
        None if shape is None else np.broadcast_to(one.reshape(one.shape + (1,) * (len(shape) - one.ndim)), shape)
        for shape in env["shapes"]
    ]
    return made[0] if len(made) == 1 else made


for _function in (
    np.linalg.inv, np.linalg.pinv, np.linalg.det, np.linalg.slogdet, np.linalg.cholesky, np.linalg.qr, np.linalg.svd,
    np.linalg.svdvals, np.linalg.eig, np.linalg.eigh, np.linalg.eigvals, np.linalg.eigvalsh,
):  # fmt: skip
    PATTERNS[_function] = _by_matrix


def _solved(sets: IndexSets, given: dict, env: dict) -> ndarray:
    """All of the matrix, and of the right-hand side the own column: of that, what a constant matrix leads to."""
    shape = env["shapes"][0]
    b = given.get("b")
    if "a" not in given and b is not None:
        leads = _where_inverse_is_not_zero(np.asarray(env["a"]))
        terms: list[list] = [["i", "j"], ["j"] if b.ndim == 1 else ["j", "k"], ["i"] if b.ndim == 1 else ["i", "k"]]
        loops = [list(range(-n, 0)) for n in (leads.ndim - 2, max(b.ndim - 2, 0), max(len(shape) - 2, 0))]
        *terms, output = [[*loop, *term] for loop, term in zip(loops, terms, strict=True)]
        sizes: dict = {}
        for term, own in zip(terms, (leads, b), strict=True):
            sizes |= {label: max(n, sizes.get(label, 1)) if n else 0 for label, n in zip(term, own.shape, strict=True)}
        return contracted(sets, terms, [None, b], [leads, None], output, sizes)
    a = given["a"]
    parts = [sets.along(a, (a.ndim - 2, a.ndim - 1), keepdims=True)]
    if b is not None:
        parts.append(sets.along(b, (b.ndim - 2,), keepdims=True) if b.ndim > 1 else sets.along(b, (0,)))
    if len(shape) < 2 or (b is not None and b.ndim == 1):
        parts = [parts[0][..., 0], *parts[1:]]
    return np.broadcast_to(sets.union(parts), shape)


def _where_inverse_is_not_zero(a: ndarray) -> ndarray:
    """At most, for matrices: what may be reached over their elements, if each row may be solved for the unknown of its
    diagonal; and everything where a diagonal has zeros."""
    n = a.shape[-1]
    if n > _LONGEST_WAY or not np.diagonal(a, axis1=-2, axis2=-1).all():
        return np.ones(a.shape, bool)
    reached = ((a != 0) | np.eye(n, dtype=bool)).astype(np.float32)
    for _ in range(max(n - 1, 1).bit_length()):
        reached = (reached @ reached > 0).astype(np.float32)
    return reached > 0


# Larger matrices take too long.
_LONGEST_WAY = 2048

PATTERNS[np.linalg.solve] = _solved
CONTENTS[np.linalg.solve] = {"a": zeros_of}


def _fitted(sets: IndexSets, given: dict, env: dict) -> list:
    """Least squares: all of the matrix, and the own column of the right-hand side."""
    matrix = sets.everything([given["a"]]) if "a" in given else EMPTY
    solution, residuals, _, values = env["shapes"]
    b = given.get("b", np.zeros(solution, np.intp))
    columns = sets.union([sets.along(b, (0,), keepdims=True), np.array(matrix)])
    rest = np.broadcast_to(columns.reshape(-1), residuals) if residuals is not None and 0 not in residuals else EMPTY
    return [np.broadcast_to(columns, solution), rest, None, None if values is None else matrix]


PATTERNS[np.linalg.lstsq] = _fitted


# --- Convolutions ----------------------------------------------------------------------------------------------------


def _convolution(correlation: bool) -> Callable:
    def pattern(sets: IndexSets, given: dict, env: dict) -> ndarray:
        """All pairs of elements, by the sum of their places."""
        (length,) = env["shapes"][0]
        a, v = (np.ravel(given[name] if name in given else np.asarray(env[name]) != 0) for name in ("a", "v"))
        shorter = min(len(a), len(v))
        before = {0: 0, 2 * (shorter - 1): shorter - 1}.get(
            len(a) + len(v) - 1 - length, middle(len(a), len(v), correlation)
        )
        chosen = [np.arange(len(n)) if name in given else np.flatnonzero(n) for name, n in (("a", a), ("v", v))]
        i, j = (places.reshape(-1) for places in np.meshgrid(*chosen, indexing="ij"))
        owners = i + (len(v) - 1 - j if correlation else j) - before
        inside = (owners >= 0) & (owners < length)
        names = [n[places[inside]] for name, n, places in (("a", a, i), ("v", v, j)) if name in given]
        return sets.merge(np.tile(owners[inside], len(names)), np.concatenate(names), length)

    return pattern


for _product in (np.convolve, np.correlate):
    PATTERNS[_product] = _convolution(_product is np.correlate)
    CONTENTS[_product] = {"a": zeros_of, "v": zeros_of}
