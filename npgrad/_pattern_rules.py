"""Which elements of a result depend on which elements of the arguments: by function, for the pattern of a Jacobian.

Elementwise functions need no entry, and a function without one depends on all its arguments in all its results: never too
few. What is said here holds for the function, whatever the values: both branches of ``where``, all elements under a maximum.
The one exception are exact zeros of plain matrices in products, which are structure (banded matrices are kept so).

A pattern gets the sets, the names of the sets of each tracked argument (a list with None for the others where the argument
is a sequence), and the environment of the call with the shape of each output as ``shapes`` (None for those that carry no
derivative); it gives names for the output, or a list of names for several. ``CONTENTS`` says of which arguments it reads
more than numbers and axes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ._compat import is_given
from ._index_sets import EMPTY, IndexSets
from ._registry import RULES
from .rules.calculus import middle
from .rules.einsum import Contraction

PATTERNS: dict[Any, Callable] = {}
CONTENTS: dict[Any, dict[str, Callable]] = {}


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes that are meant, counted from the front."""
    if not is_given(axis):
        return tuple(range(ndim))
    return tuple(int(n) % ndim for n in (axis if isinstance(axis, tuple) else (axis,)))


def _itself(value: Any) -> Any:
    """All of it: numbers as arrays, which are compared by their bits."""
    return np.asarray(value) if isinstance(value, (float, list, np.generic)) else value


def _zeros_of(value: Any) -> Any:
    """What a product reads of a constant operand; letters and their numbers are themselves."""
    if isinstance(value, (list, tuple)):
        return [_zeros_of(item) for item in value]
    return value != 0 if isinstance(value, (ndarray, np.inexact, float, complex)) else value


# --- Reductions, along one or all axes -----------------------------------------------------------------------------


def _reduction(sets: IndexSets, given: dict, env: dict) -> ndarray:
    parts = []
    for name, names in given.items():
        if name in ("a", "x"):
            if isinstance(env.get("where"), ndarray):
                names = np.where(env["where"], names, EMPTY)
            names = sets.along(names, _axes(env.get("axis"), names.ndim)).reshape(env["shapes"][0])
        parts.append(names)
    return sets.union(parts)


for _function in {np.sum, np.mean, np.prod, np.max, np.min, np.amax, np.amin, np.linalg.norm}:
    PATTERNS[_function] = _reduction
    CONTENTS[_function] = {"where": _itself}


def _running(sets: IndexSets, given: dict, env: dict) -> ndarray:
    a = given["a"]
    rows = a.reshape(-1) if env.get("axis") is None or not a.ndim else np.moveaxis(a, env["axis"], 0)
    made = rows.copy()
    for i in range(1, len(made)):
        made[i] = sets.union([made[i - 1], rows[i]])
    return made if rows.ndim == 1 else np.moveaxis(made, 0, env["axis"])


PATTERNS[np.cumsum] = _running

# --- Choosing and joining ------------------------------------------------------------------------------------------

PATTERNS[np.where] = lambda sets, given, env: sets.union(list(given.values()))


def _joined(sets: IndexSets, given: dict, env: dict) -> ndarray:
    """A move: the tangents of names are names."""
    tangent = given["arrays"]
    if isinstance(tangent, list):
        filled = zip(tangent, env["arrays_spec"], strict=True)
        tangent = [np.zeros(spec.shape, np.intp) if names is None else names for names, spec in filled]
    map_, names = RULES[np.concatenate].jvps["arrays"]
    return map_(*[{**env, "tangent": tangent}[name] for name in names])


PATTERNS[np.concatenate] = _joined


def _binned(sets: IndexSets, given: dict, env: dict) -> ndarray:
    return sets.merge(np.asarray(env["x"], np.intp), given["weights"], env["shapes"][0][0])


PATTERNS[np.bincount] = _binned
CONTENTS[np.bincount] = {"x": _itself}


def _interpolated(sets: IndexSets, given: dict, env: dict) -> ndarray:
    """Where nodes and points are fixed, the values at the two nodes around each point; else they may be anywhere."""
    shape, nodes = env["shapes"][0], np.asarray(env["xp"])
    if not {"x", "xp"}.isdisjoint(given) or is_given(env.get("period")) or not (np.diff(nodes) > 0).all():
        others = sets.everything([names for name, names in given.items() if name != "x"])
        return sets.union([np.broadcast_to(names, shape) for names in (others, given.get("x", EMPTY))])
    points = np.asarray(env["x"])
    above = np.searchsorted(nodes, points, "right")
    first, second = (np.clip(n, 0, len(nodes) - 1) for n in (above - 1, above))
    values = given.get("fp", np.zeros(nodes.shape, np.intp))
    made = sets.union([values[first], np.where(points == nodes[first], EMPTY, values[second])])
    for name, outside in (("left", points < nodes[0]), ("right", points > nodes[-1])):
        if env.get(name) is not None or name in given:
            made = np.where(outside, given.get(name, EMPTY), made)
    return made


PATTERNS[np.interp] = _interpolated
CONTENTS[np.interp] = {"x": _itself, "xp": _itself}

# --- Along one axis, all with all ----------------------------------------------------------------------------------


def _transform(sets: IndexSets, given: dict, env: dict) -> ndarray:
    a = given["a"]
    axis = env["axis"] if is_given(env.get("axis")) else -1
    return np.broadcast_to(sets.along(a, (axis % a.ndim,), keepdims=True), env["shapes"][0])


for _function in (np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft):
    PATTERNS[_function] = _transform

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
        return _contracted(sets, terms, [None, b], [leads, None], output, sizes)
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
CONTENTS[np.linalg.solve] = {"a": _zeros_of}


def _fitted(sets: IndexSets, given: dict, env: dict) -> list:
    """Least squares: all of the matrix, and the own column of the right-hand side."""
    matrix = sets.everything([given["a"]]) if "a" in given else EMPTY
    solution, residuals, _, values = env["shapes"]
    b = given.get("b", np.zeros(solution, np.intp))
    columns = sets.union([sets.along(b, (0,), keepdims=True), np.array(matrix)])
    rest = np.broadcast_to(columns.reshape(-1), residuals) if residuals is not None and 0 not in residuals else EMPTY
    return [np.broadcast_to(columns, solution), rest, None, None if values is None else matrix]


PATTERNS[np.linalg.lstsq] = _fitted

# --- Products ------------------------------------------------------------------------------------------------------


def _contracted(sets: IndexSets, terms: list, names: list, constants: list, output: list, sizes: dict) -> ndarray:
    """The pattern of a product in einsum's letters. ``names`` has None for constants, ``constants`` None for the rest."""
    shape = tuple(sizes[label] for label in output)
    factors = [(c != 0, t) for c, t in zip(constants, terms, strict=True) if c is not None]
    parts = []
    for own, term in zip(names, terms, strict=True):
        if own is None:
            continue
        wanted = list(dict.fromkeys([*term, *output]))
        fixed = [label for label in wanted if any(label in t for _, t in factors)]
        mask = _where_not_zero(factors, fixed, sizes)
        if mask.all():
            parts.append(_spread(sets, own, term, output, sizes))
            continue
        free = [label for label in wanted if label not in fixed]
        chosen = np.nonzero(mask)
        free_shape = tuple(sizes[label] for label in free)
        grid = np.indices(free_shape).reshape(len(free), int(np.prod(free_shape, dtype=np.intp)))
        at = {label: np.repeat(c, grid.shape[1]) for label, c in zip(fixed, chosen, strict=True)}
        at |= {label: np.tile(g, len(chosen[0])) for label, g in zip(free, grid, strict=True)}
        members = own[tuple(np.minimum(at[label], n - 1) for label, n in zip(term, own.shape, strict=True))]
        owners = np.zeros(len(members), np.intp)
        for label in output:
            owners = owners * sizes[label] + at[label]
        parts.append(sets.merge(owners, members, int(np.prod(shape, dtype=np.intp))).reshape(shape))
    return sets.union(parts)


def _where_not_zero(factors: list, labels: list, sizes: dict) -> ndarray:
    """Where the product of the constants is not zero by their zeros, by the labels that are wanted of them."""
    numbers: dict = {}
    arguments: list = []
    for mask, term in factors:
        shape = tuple(sizes[label] for label in term)
        factor = np.broadcast_to(mask, shape).astype(float)
        arguments += [factor, [numbers.setdefault(label, len(numbers)) for label in term]]
    return np.einsum(*arguments, [numbers[label] for label in labels]) != 0 if factors else np.ones((), bool)


def _spread(sets: IndexSets, own: ndarray, term: list, output: list, sizes: dict) -> ndarray:
    """One operand, where nothing else is zero: the union along what is summed, the same along what it has not."""
    unique = list(dict.fromkeys(term))
    if len(unique) < len(term):
        own = np.einsum(own, _term_numbers(term, unique), list(range(len(unique))))
    summed = [n for n, label in enumerate(unique) if label not in output]
    left = [label for label in unique if label in output]
    made = sets.along(own, summed) if summed else own
    made = made.transpose([left.index(label) for label in output if label in left])
    made = made.reshape([made.shape[sorted(left, key=output.index).index(n)] if n in left else 1 for n in output])
    return np.broadcast_to(made, tuple(sizes[label] for label in output))


def _term_numbers(term: list, unique: list) -> list[int]:
    return [unique.index(label) for label in term]


def _einsum(sets: IndexSets, given: dict, env: dict) -> ndarray:
    operands, specs = env["operands"], env["operands_spec"]
    contraction = Contraction(operands, specs)
    names = [given["operands"][place] for place in contraction.places]
    constants = [array if own is None else None for array, own in zip(contraction.arrays, names, strict=True)]
    return _contracted(sets, contraction.terms, names, constants, contraction.output, contraction.sizes)


PATTERNS[np.einsum] = _einsum


CONTENTS[np.einsum] = {"operands": _zeros_of}

Terms = tuple[list, list, list]


def _of_two(first: str, second: str, terms_of: Callable[[int, int], Terms]) -> Callable:
    """A product of two arguments; ``terms_of`` says the letters of both and of the result by their numbers of axes."""

    def pattern(sets: IndexSets, given: dict, env: dict) -> ndarray:
        operands = [given.get(name) for name in (first, second)]
        if any(is_given(env.get(name)) for name in ("axes", "axis")) or env.get("keepdims") is True:
            return np.broadcast_to(sets.everything([own for own in operands if own is not None]), env["shapes"][0])
        constants = [np.asarray(env[n]) if own is None else None for n, own in zip((first, second), operands, strict=True)]
        shapes = [np.asarray(c if own is None else own).shape for c, own in zip(constants, operands, strict=True)]
        *terms, output = terms_of(*map(len, shapes))
        sizes: dict = {}
        for term, shape in zip(terms, shapes, strict=True):
            sizes |= {label: max(n, sizes.get(label, 1)) if n else 0 for label, n in zip(term, shape, strict=True)}
        return _contracted(sets, terms, operands, constants, output, sizes)

    return pattern


def _behind_loops(x: str, y: str, result: str) -> Callable[[int, int], Terms]:
    """Letters of the last axes; what stands before them is broadcast."""

    def terms(x_ndim: int, y_ndim: int) -> Terms:
        loops = x_ndim - len(x), y_ndim - len(y)
        x_loop, y_loop, loop = (list(range(-n, 0)) for n in (*loops, max(loops)))
        return [*x_loop, *x], [*y_loop, *y], [*loop, *result]

    return terms


def _matmul_terms(x_ndim: int, y_ndim: int) -> Terms:
    x, y = ("ij" if x_ndim > 1 else "j"), ("jk" if y_ndim > 1 else "j")
    return _behind_loops(x, y, x[:-1] + y[1:])(x_ndim, y_ndim)


def _dot_terms(a_ndim: int, b_ndim: int) -> Terms:
    a, b = [("a", n) for n in range(a_ndim)], [("b", n) for n in range(b_ndim)]
    if not a or not b:
        return a, b, a + b
    b[-2 if b_ndim > 1 else -1] = a[-1]
    return a, b, [label for label in a + b if label != a[-1]]


_PRODUCTS: dict[Any, tuple[str, str, Callable[[int, int], Terms]]] = {
    np.matmul: ("x", "y", _matmul_terms),
    np.dot: ("a", "b", _dot_terms),
    np.vecdot: ("x", "y", _behind_loops("i", "i", "")),
    np.matvec: ("x", "y", _behind_loops("ij", "j", "i")),
    np.vecmat: ("x", "y", _behind_loops("i", "ij", "j")),
}
for _product, (_first, _second, _terms) in _PRODUCTS.items():
    PATTERNS[_product] = _of_two(_first, _second, _terms)
    CONTENTS[_product] = {_first: _zeros_of, _second: _zeros_of}


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


for _function in (np.convolve, np.correlate):
    PATTERNS[_function] = _convolution(_function is np.correlate)
    CONTENTS[_function] = {"a": _zeros_of, "v": _zeros_of}
