"""The compiled functions of ``scipy.sparse``, by which its Python code moves, adds and multiplies the entries of matrices.

Where entries only move, the function says itself where to: it is run on their numbers, from 1 on, as zeros would be dropped.
For the same reason sums and products of matrices keep entries that happen to be zero, which SciPy drops: they have
derivatives.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from .._following import KERNELS, Kernel
from ._helpers import binned

_compiled = vars(sys.modules["scipy.sparse._sparsetools"])


def _declare(name: str, run: Callable, made: Callable, out: int | None) -> None:
    if name in _compiled:
        KERNELS[_compiled[name]] = Kernel(run, made, out)


def _copied(args: list) -> list:
    return [np.array(a) if isinstance(a, np.ndarray) else a for a in args]


def _keep(args: list, found: list, but: tuple) -> None:
    """Write indices that a run on copies has found where the function would have written them."""
    for place, (a, b) in enumerate(zip(args, found, strict=True)):
        if isinstance(a, np.ndarray) and place not in but:
            a[...] = b


def _by_rows(n_row: Any, ends: Any, places: Any) -> tuple[Any, Any]:
    """The coordinates of the entries of a matrix in rows."""
    ends = np.array(ends[: int(n_row) + 1], np.intp)
    return np.repeat(np.arange(len(ends) - 1), np.diff(ends)), np.array(places[: ends[-1]], np.intp)


def _or_zero(values: Any, numbers: Any) -> Any:
    """The values of these numbers, which begin with 1; zero for the number 0."""
    return np.concatenate([np.zeros(1, values.dtype), values])[numbers]


# --- Entries that move ---------------------------------------------------------------------------------------------


def _moving(name: str, data: int, out: int | None) -> None:
    """Each of the entries is written somewhere, or nowhere, as it is."""

    def run(function: Callable, plain: list) -> tuple[Any, Any, Any]:
        probe = _copied(plain)
        probe[data] = np.arange(1.0, plain[data].size + 1).reshape(plain[data].shape)
        if out is not None and out != data:
            probe[out] = np.zeros(plain[out].shape)
        result = function(*probe)
        _keep(plain, probe, (data, out))
        numbers = np.array(result[-1] if out is None else probe[out], np.intp)
        return numbers, _or_zero(plain[data].reshape(-1), numbers), result

    _declare(name, run, lambda args, numbers: _or_zero(args[data].reshape(-1), numbers), out)


for _name, _data, _out in (
    ("csr_tocsc", 4, 7), ("coo_tocsr", 5, 8), ("csr_sort_indices", 3, 3), ("csr_row_index", 4, 6), ("csr_row_slice", 5, 7),
    ("csr_column_index2", 4, 6), ("csr_hstack", 5, 8), ("dia_tocsr", 5, 7), ("get_csr_submatrix", 4, None),
    ("bsr_tocsr", 6, 9), ("bsr_transpose", 6, 9),
):  # fmt: skip
    _moving(_name, _data, _out)

# --- Entries of one place that are added ----------------------------------------------------------------------------


def _in_rows(args: list) -> Any:
    n_row, n_col, ends, places = args[:4]
    rows, columns = _by_rows(n_row, ends, places)
    return rows * int(n_col) + columns


def _in_diagonal(args: list) -> Any:
    return _in_rows(args[1:])


def _in_blocks(args: list) -> Any:
    return _in_rows([*args[:2], *args[4:]])


def _in_coordinates(args: list) -> Any:
    _, n_col, nnz, rows, columns = args[:5]
    return np.array(rows[:nnz], np.int64) * int(n_col) + np.array(columns[:nnz], np.int64)


def _in_space(args: list) -> Any:
    strides, nnz, ndim, coordinates = args[:4]
    places = np.array(coordinates, np.int64).reshape(int(ndim), -1)[:, : int(nnz)]
    return np.array(strides, np.int64) @ places


_TO_WHAT_IS_THERE = {"csr_todense", "coo_todense", "coo_todense_nd", "csr_tobsr"}


def _adding(name: str, data: int, out: int, places: Callable) -> None:
    """``places`` says of each entry which place it is at."""

    def run(function: Callable, plain: list) -> tuple[Any, Any, Any]:
        probe = _copied(plain)
        _, first, group = np.unique(places(probe), return_index=True, return_inverse=True)
        probe[data] = np.zeros(plain[data].shape)
        probe[data][first] = np.arange(1.0, len(first) + 1)
        if out != data:
            probe[out] = np.zeros(plain[out].shape)
        function(*probe)
        result = function(*plain)
        return (group, len(first), np.array(probe[out], np.intp)), plain[out], result

    def made(args: list, known: Any) -> Any:
        group, count, numbers = known
        sums = _or_zero(binned(args[data][: len(group)], group, count), numbers)
        return args[out] + sums if name in _TO_WHAT_IS_THERE else sums

    _declare(name, run, made, out)


for _name, _data, _out, _places in (
    ("csr_sum_duplicates", 4, 4, _in_rows), ("csr_todense", 4, 5, _in_rows), ("csr_sample_values", 4, 8, _in_rows),
    ("csr_diagonal", 5, 6, _in_diagonal), ("coo_todense", 5, 6, _in_coordinates), ("coo_todense_nd", 4, 5, _in_space),
    ("csr_tobsr", 6, 9, _in_blocks),
):  # fmt: skip
    _adding(_name, _data, _out, _places)

# --- Rows and columns times numbers ---------------------------------------------------------------------------------


def _scaling(name: str, axis: int) -> None:
    def run(function: Callable, plain: list) -> tuple[Any, Any, Any]:
        where = _by_rows(plain[0], *plain[2:4])[axis]
        result = function(*plain)
        return where, plain[4][: len(where)], result

    _declare(name, run, lambda args, where: args[4][: len(where)] * args[5][where], 4)


_scaling("csr_scale_rows", 0)
_scaling("csr_scale_columns", 1)

# Entries that are zero have derivatives, and stay.
_declare("csr_eliminate_zeros", lambda function, plain: (None, plain[4], None), lambda args, _: args[4] + 0, 4)

# --- Products with vectors ------------------------------------------------------------------------------------------


def _multiplying(name: str, data: int, coordinates: Callable) -> None:
    """The vector, or several as columns, and the result come after the data."""

    def run(function: Callable, plain: list) -> tuple[Any, Any, Any]:
        result = function(*plain)
        return coordinates(plain), plain[data + 2], result

    def made(args: list, where: Any) -> Any:
        (rows, columns), (values, x, y) = where, args[data:]
        count = _columns_of(name, args, data)
        several = x.reshape(-1, count)
        added = np.zeros((y.size // count, count), y.dtype)
        np.add.at(added, rows, values[: len(rows), None] * several[columns])
        return y + added.reshape(y.shape)

    _declare(name, run, made, data + 2)


def _columns_of(name: str, args: list, data: int) -> int:
    return int(args[1 if name.startswith("coo") else data - 3]) if name.endswith(("vecs", "dense")) else 1


_multiplying("csr_matvec", 4, lambda args: _by_rows(args[0], *args[2:4]))
_multiplying("csr_matvecs", 5, lambda args: _by_rows(args[0], *args[3:5]))
_multiplying("csc_matvec", 4, lambda args: _by_rows(args[1], *args[2:4])[::-1])
_multiplying("csc_matvecs", 5, lambda args: _by_rows(args[1], *args[3:5])[::-1])
_multiplying("coo_matvec", 3, lambda args: (args[1], args[2]))
_multiplying("coo_matmat_dense", 4, lambda args: (args[2], args[3]))

# --- Sums and products of matrices ------------------------------------------------------------------------------------


class _Places:
    """The entries of a matrix in rows by their numbers."""

    def __init__(self, n_row: Any, n_col: Any, ends: Any, places: Any) -> None:
        rows, columns = _by_rows(n_row, ends, places)
        self.at = rows * int(n_col) + columns
        self._order = np.argsort(self.at, kind="stable")

    def find(self, at: Any) -> Any:
        """The number of the entry at each of these places; one past the last where there is none."""
        if not len(self.at):
            return np.zeros(len(at), np.intp)
        found = self._order[np.minimum(np.searchsorted(self.at, at, sorter=self._order), len(self.at) - 1)]
        return np.where(self.at[found] == at, found, len(self.at))


def _joining(name: str, known: Callable, made: Callable) -> None:
    """``known`` is what ``made`` needs to know besides how many entries the result has."""

    def run(function: Callable, plain: list) -> tuple[Any, Any, Any]:
        probe = _copied(plain)  # of the pattern that the result has when no entry is zero
        probe[4], probe[7] = np.ones(plain[4].shape), np.full(plain[7].shape, 2.0**-40)
        probe[10] = np.zeros(plain[10].shape)
        function(*probe)
        places = _Places(*plain[:2], *probe[8:10])
        result = function(*plain)
        own = _Places(*plain[:2], *plain[8:10]).at
        exact = np.zeros(len(places.at), plain[10].dtype)
        exact[places.find(own)] = plain[10][: len(own)]
        _keep(plain, probe, (2, 3, 4, 5, 6, 7, 10))
        return (len(places.at), known(plain, places)), exact, result

    _declare(name, run, lambda args, found: made(args, *found), 10)


def _both_places(args: list, places: _Places) -> Any:
    return [places.find(_Places(*args[:2], *args[at : at + 2]).at) for at in (2, 5)]


def _elementwise(name: str, combine: Callable) -> None:
    def made(args: list, count: int, places: Any) -> Any:
        spread = [binned(args[at][: len(to)], to, count + 1)[:-1] for at, to in zip((4, 7), places, strict=True)]
        return combine(*spread)

    _joining(name, _both_places, made)


_elementwise("csr_plus_csr", lambda a, b: a + b)
_elementwise("csr_minus_csr", lambda a, b: a - b)
_elementwise("csr_elmul_csr", lambda a, b: a * b)


def _pairs(args: list, places: _Places) -> Any:
    """The entries of both matrices that meet, and where their product is added."""
    n_row, n_col, ends, columns, _, ends_b, columns_b = args[:7]
    rows, inner = _by_rows(n_row, ends, columns)
    ends_b = np.array(ends_b, np.intp)
    counts = np.diff(ends_b)[inner]
    left = np.repeat(np.arange(len(inner)), counts)
    right = np.arange(len(left)) - np.repeat(np.cumsum(counts) - counts, counts) + ends_b[inner][left]
    return left, right, places.find(rows[left] * int(n_col) + np.array(columns_b, np.intp)[right])


def _matrix_product(args: list, count: int, pairs: Any) -> Any:
    left, right, at = pairs
    return binned(args[4][left] * args[7][right], at, count)


_joining("csr_matmat", _pairs, _matrix_product)

# --- Comparisons ------------------------------------------------------------------------------------------------------

for _name in ("ne", "lt", "gt", "le", "ge"):
    for _format in ("csr", "bsr"):
        if f"{_format}_{_name}_{_format}" in _compiled:
            KERNELS[_compiled[f"{_format}_{_name}_{_format}"]] = None
