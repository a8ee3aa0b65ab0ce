"""All elements of a Jacobian from few sweeps: rows or columns that share nothing go together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ._coloring import color_columns, transposed
from ._course import Extent
from ._fitting import cast
from ._pattern import pattern_of, structure
from ._record import Record
from ._sweep import is_clean
from ._traced import unwrap

# The programs that one function is known by: those of different paths through its branches.
MAX_KNOWN = 16


class Colored:
    """Colours of columns (or rows), the seeds of the sweeps for them, and the places of elements in what these give.

    An element of ``owner`` stands at ``other`` in the product with its owner's colour; products have ``width`` elements.
    """

    def __init__(self, colors: ndarray, owner: ndarray, other: ndarray, width: int) -> None:
        self.colors, self.owner, self.other, self.width = colors, owner, other, width
        chosen = np.flatnonzero(colors >= 0)
        self.seeds = np.zeros((int(colors.max(initial=-1)) + 1, len(colors)))
        self.seeds[colors[chosen], chosen] = 1
        self.places = colors[owner] * width + other

    def elements(self, products: Callable[[ndarray], Any]) -> Any:
        """All elements; ``products`` gives the product with each row of seeds."""
        found = products(self.seeds)
        data = found.reshape(-1).take(self.places)
        if is_clean(found):
            return data
        # What is not finite spreads, as zero times infinity, over all that has the same colour. Such colours are halved
        # until it is alone.
        colors = self.colors
        members = np.flatnonzero(colors >= 0)
        while len(members := members[~np.isfinite(unwrap(found)).all(axis=1)[colors[members]]]):
            members = members[np.argsort(colors[members], kind="stable")]
            groups, first, counts = np.unique(colors[members], return_index=True, return_counts=True)
            numbers = np.repeat(np.arange(len(groups)), counts)
            is_second = 2 * (np.arange(len(members)) - first[numbers]) >= counts[numbers]
            several = counts[numbers] > 1
            members, halves = members[several], (2 * numbers + is_second)[several]
            if not len(members):
                break
            colors = np.full(len(colors), -1)
            colors[members] = np.unique(halves, return_inverse=True)[1]
            part = Colored(colors, self.owner, self.other, self.width)
            found = products(part.seeds)
            mended = np.flatnonzero(colors[self.owner] >= 0)
            data[mended] = found.reshape(-1).take(part.places[mended])
        return data


class Compression:
    """The colours of a pattern, for sweeps in both directions."""

    def __init__(self, indices: ndarray, indptr: ndarray, shape: tuple[int, int]) -> None:
        m, n = self.shape = shape
        rows = np.repeat(np.arange(m), np.diff(indptr))
        # Where each element is in the dense array.
        self.cells = rows * n + indices
        self.forward = Colored(color_columns(indices, indptr, n), indices, rows, m)
        self.reverse = Colored(color_columns(*transposed(indices, indptr, n), m), rows, indices, n)


def fewest(indices: ndarray, indptr: ndarray, shape: tuple[int, int]) -> int:
    """What the number of colours cannot be below, in the better direction."""
    in_rows, in_columns = np.diff(indptr), np.bincount(indices, minlength=1)
    return int(min(in_rows.max(initial=0), in_columns.max(initial=0)))


def parted(seeds: ndarray, arrays: list) -> list[ndarray]:
    """The columns of each of several arrays that stand one behind the other."""
    if len(arrays) == 1:
        return [seeds]
    return np.split(seeds, np.cumsum([int(np.size(array)) for array in arrays])[:-1], axis=1)


def beside(found: list, like: list, batch: tuple) -> Any:
    """Results for several arrays, flat and side by side; zeros for those without."""
    dtype = np.result_type(*[getattr(array, "dtype", float) for array in like])
    flat = [
        np.zeros((*batch, np.size(array)), dtype) if part is None else cast(part, dtype).reshape(*batch, -1)
        for part, array in zip(found, like, strict=True)
    ]
    return flat[0] if len(flat) == 1 else np.concatenate(flat, axis=1)


class Known:
    """What has been made for the structures that a function's records have had; those met last are kept."""

    def __init__(self) -> None:
        self._found: list[tuple[list, Any]] = []

    def get(self, structure: list) -> Any:
        for known, made in self._found:
            if known == structure:
                return made
        return None

    def put(self, structure: list, made: Any) -> Any:
        self._found = [(structure, made), *self._found[: MAX_KNOWN - 1]]
        return made


# Bytes that a sweep touches in the time that it takes to look at the structure of an entry, and to find its pattern.
_LOOK, _FIND = 1 << 13, 1 << 19

# How often a Jacobian that is asked for a second time is expected to be asked for.
_OFTEN = 16


class Learned:
    """The compressions of a function whose dense Jacobian is taken again and again.

    To find a pattern costs several sweeps. It is done when what full sweeps have cost too much would have paid for it: at
    once where there are very many rows, at the second call where there are many, and never for single elements.
    """

    def __init__(self) -> None:
        self._known: Known | None = None
        self._is_first = True
        self._is_dense = False
        self._lost = 0

    def compression(
        self, record: Record, targets: list, sources: list, extent: Callable[[], Extent]
    ) -> tuple[Compression, Extent] | None:
        """What to compress the sweeps over this record by, if it is worth it, and the extent of such records."""
        if self._is_dense:
            return None
        if self._known is not None:
            found: tuple[Compression, Extent] | None = self._known.get(structure(record, targets, sources))
            if found is not None:
                return found
        if not _is_compressible(targets, sources) or not self._is_worth(extent(), min(_sizes(targets, sources))):
            return None
        pattern = pattern_of(record, targets, sources)
        few = min(pattern[2]) // 2
        made = Compression(*pattern) if fewest(*pattern) <= few else None
        if made is None or min(len(made.forward.seeds), len(made.reverse.seeds)) > few:
            self._is_dense = True
            return None
        self._known = self._known or Known()
        self._known.put(structure(record, targets, sources), (made, extent()))
        return made, extent()

    def _is_worth(self, extent: Extent, rows: int) -> bool:
        """Whether it is time to find a pattern."""
        lost = rows * extent.touched - _LOOK * extent.count
        self._lost += max(lost, 0) * (1 if self._is_first else _OFTEN)
        self._is_first = False
        if self._lost < _FIND * extent.count or not extent.count:
            return False
        self._lost = 0
        return True


# With fewer rows than this there is nothing to gain.
_FEW = 16


def _is_compressible(targets: list, sources: list) -> bool:
    """Whether compressed sweeps give the same as others: for arrays of one real dtype, and sources that are not the same."""
    dtype = targets[0].dtype
    return (
        dtype.kind == "f"
        and all(map(dtype.__eq__, [array.dtype for array in (*targets, *sources)]))
        and min(_sizes(targets, sources)) >= _FEW
        and len({s._storage for s in sources}) == len(sources)
    )


def _sizes(*ends: list) -> list[int]:
    return [sum([int(array.size) for array in arrays]) for arrays in ends]
