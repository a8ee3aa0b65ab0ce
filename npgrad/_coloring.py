"""Colours for the columns of a sparse matrix, such that few products with it tell all of its elements.

Columns of one colour share no row (a distance-2 colouring), so one product with the sum of their unit vectors gives each of
their elements in a place of its own. A symmetric matrix needs fewer: in a star colouring an element is read from its own
column or from that of its mirror image.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy import ndarray


def transposed(indices: ndarray, indptr: ndarray, columns: int) -> tuple[ndarray, ndarray]:
    """(indices, indptr) of the same pattern by columns."""
    rows = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    order = np.argsort(indices, kind="stable")
    return rows[order], np.concatenate([[0], np.cumsum(np.bincount(indices, minlength=columns))])


def color_columns(indices: ndarray, indptr: ndarray, columns: int) -> ndarray:
    """A colour for each column, -1 for empty ones: greedy, in the best of several orders."""
    by_column, starts = transposed(indices, indptr, columns)
    rows = _lists(indices, indptr)
    own = _lists(by_column, starts)
    lengths = np.diff(indptr)
    met = np.concatenate([[0], np.cumsum(lengths[by_column])])
    colors = _best(
        lambda order: _greedy(own, order, len(rows)),
        _orders(met[starts[1:]] - met[starts[:-1]], lambda: _most_met_first(own, rows)),
        int(lengths.max(initial=0)),
    )
    return np.where(np.diff(starts) > 0, colors, -1)


def color_symmetric(indices: ndarray, indptr: ndarray) -> ndarray:
    """A star colouring of a symmetric pattern: neighbours differ, and no path of four vertices has two colours only."""
    around = [[j for j in row if j != i] for i, row in enumerate(_lists(indices, indptr))]
    orders = _orders(np.diff(indptr), lambda: _most_met_first(around, around))
    return _best(lambda order: _greedy_star(around, order), orders, 1)


def _lists(indices: ndarray, indptr: ndarray) -> list[list[int]]:
    """A pattern as lists: what is gone over one by one is fastest so."""
    items, ends = indices.tolist(), indptr.tolist()
    return [items[first:end] for first, end in itertools.pairwise(ends)]


def _orders(degrees: ndarray, met: Callable[[], list[int]]) -> Iterator[Iterable[int]]:
    """The natural order, the largest first, and always next what has met most of those before."""
    yield range(len(degrees))
    yield np.argsort(-degrees, kind="stable").tolist()
    yield met()


def _best(color: Callable[[Iterable[int]], list[int]], orders: Iterator[Iterable[int]], bound: int) -> ndarray:
    """The colouring with the fewest colours; no further order is tried where there cannot be fewer."""
    best: ndarray | None = None
    for order in itertools.chain(orders, [None]):
        if order is None:
            # Once more by classes, the rarest colour first: no class falls apart, and some may dissolve.
            assert best is not None
            order = np.argsort(np.bincount(best)[best], kind="stable").tolist() if best.size else []
        found = np.array(color(order), np.intp)
        if best is None or found.max(initial=-1) < best.max(initial=-1):
            best = found
        if best.max(initial=-1) < bound:
            break
    assert best is not None
    return best


def _most_met_first(own: list[list[int]], rows: list[list[int]]) -> list[int]:
    """The order of the incidence degree: columns wait in stacks by how often they have met one that was taken."""
    count = len(own)
    met = [0] * count
    taken = [False] * count
    stacks: list[list[int]] = [list(range(count - 1, -1, -1))]
    order = []
    top = 0
    while top >= 0:
        if not stacks[top]:
            top -= 1
            continue
        column = stacks[top].pop()
        if taken[column] or met[column] != top:
            continue
        taken[column] = True
        order.append(column)
        for row in own[column]:
            for other in rows[row]:
                if not taken[other]:
                    met[other] = now = met[other] + 1
                    if now == len(stacks):
                        stacks.append([])
                    stacks[now].append(other)
                    top = max(top, now)
    return order


def _greedy(own: list[list[int]], order: Iterable[int], height: int) -> list[int]:
    """The first colour that none of the column's rows has met: rows keep what they have met as the bits of a number."""
    met = [0] * height
    colors = [0] * len(own)
    for column in order:
        taken = 0
        for row in own[column]:
            taken |= met[row]
        bit = ~taken & (taken + 1)
        colors[column] = bit.bit_length() - 1
        for row in own[column]:
            met[row] |= bit
    return colors


def _greedy_star(around: list[list[int]], order: Iterable[int]) -> list[int]:
    """Gebremedhin, Manne and Pothen, "What color is your Jacobian?" (SIAM Review 47, 2005), algorithm 4.1."""
    count = len(around)
    colors = [-1] * count
    # How many neighbours of each colour a vertex has.
    seen: list[dict[int, int]] = [{} for _ in range(count)]
    for v in order:
        taken = 0
        for w in around[v]:
            color = colors[w]
            if color >= 0:
                taken |= 1 << color
            for x in around[w]:
                if x != v and colors[x] >= 0 and (color < 0 or seen[x].get(color, 0) > 1):
                    taken |= 1 << colors[x]
        color = (~taken & (taken + 1)).bit_length() - 1
        colors[v] = color
        for w in around[v]:
            seen[w][color] = seen[w].get(color, 0) + 1
    return colors
