"""Which elements of a product depend on which elements of its factors: see ``_pattern_rules``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ._compat import is_given
from ._index_sets import IndexSets
from ._pattern_rules import CONTENTS, PATTERNS, zeros_of
from .rules.einsum import Contraction
from .rules.tensors import contracted_axes

# --- Products ------------------------------------------------------------------------------------------------------


def contracted(sets: IndexSets, terms: list, names: list, constants: list, output: list, sizes: dict) -> ndarray:
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
    contraction = Contraction(operands, specs, env["ans_spec"])
    names = [given["operands"][place] for place in contraction.places]
    constants = [array if own is None else None for array, own in zip(contraction.arrays, names, strict=True)]
    labels = contraction.labels
    return contracted(sets, labels.terms, names, constants, labels.output, labels.sizes)


PATTERNS[np.einsum] = _einsum


CONTENTS[np.einsum] = {"operands": zeros_of}

Terms = tuple[list, list, list]


def _of_two(first: str, second: str, terms_of: Callable[[int, int], Terms]) -> Callable:
    """A product of two arguments; ``terms_of`` says the letters of both and of the result by their numbers of axes."""

    def pattern(sets: IndexSets, given: dict, env: dict) -> ndarray:
        operands = [given.get(name) for name in (first, second)]
        if any(is_given(env.get(name)) for name in ("axes", "axis")) or bool(env.get("keepdims", False)):
            return np.broadcast_to(sets.everything([own for own in operands if own is not None]), env["shapes"][0])
        constants = [np.asarray(env[n]) if own is None else None for n, own in zip((first, second), operands, strict=True)]
        shapes = [np.asarray(c if own is None else own).shape for c, own in zip(constants, operands, strict=True)]
        *terms, output = terms_of(*map(len, shapes))
        sizes: dict = {}
        for term, shape in zip(terms, shapes, strict=True):
            sizes |= {label: max(n, sizes.get(label, 1)) if n else 0 for label, n in zip(term, shape, strict=True)}
        return contracted(sets, terms, operands, constants, output, sizes)

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


def _inner_terms(a_ndim: int, b_ndim: int) -> Terms:
    return _summed_terms(*contracted_axes((-1, -1) if a_ndim and b_ndim else 0, a_ndim, b_ndim), a_ndim, b_ndim)


def _summed_terms(of_a: list[int], of_b: list[int], a_ndim: int, b_ndim: int) -> Terms:
    """Sums along pairs of axes."""
    a, b = [("a", n) for n in range(a_ndim)], [("b", n) for n in range(b_ndim)]
    for n, m in zip(of_a, of_b, strict=True):
        b[m] = a[n]
    return a, b, [label for label in a + b if (label in a) != (label in b)]


def _tensordot(first: str, second: str) -> Callable:
    def pattern(sets: IndexSets, given: dict, env: dict) -> ndarray:
        axes = env["axes"]
        of_two = _of_two(first, second, lambda n, m: _summed_terms(*contracted_axes(axes, n, m), n, m))
        return of_two(sets, given, {**env, "axes": None})

    return pattern


for _function, _arguments in ((np.tensordot, ("a", "b")), (np.linalg.tensordot, ("x1", "x2"))):
    PATTERNS[_function] = _tensordot(*_arguments)
    CONTENTS[_function] = dict.fromkeys(_arguments, zeros_of)

_PRODUCTS: dict[Any, tuple[str, str, Callable[[int, int], Terms]]] = {
    np.matmul: ("x", "y", _matmul_terms),
    np.dot: ("a", "b", _dot_terms),
    np.inner: ("a", "b", _inner_terms),
    np.vecdot: ("x", "y", _behind_loops("i", "i", "")),
    np.matvec: ("x", "y", _behind_loops("ij", "j", "i")),
    np.vecmat: ("x", "y", _behind_loops("i", "ij", "j")),
}
for _product, (_first, _second, _terms) in _PRODUCTS.items():
    PATTERNS[_product] = _of_two(_first, _second, _terms)
    CONTENTS[_product] = {_first: zeros_of, _second: zeros_of}

# --- Products of all with all ---------------------------------------------------------------------------------------


def _outer(sets: IndexSets, given: dict, env: dict) -> ndarray:
    shape = env["shapes"][0]
    places = {"a": (-1, 1), "x1": (-1, 1), "b": (1, -1), "x2": (1, -1)}
    return sets.union([np.broadcast_to(names.reshape(places[name]), shape) for name, names in given.items()])


PATTERNS[np.outer] = PATTERNS[np.linalg.outer] = _outer


def _kron(sets: IndexSets, given: dict, env: dict) -> ndarray:
    """Each element of the one with each of the other, as blocks."""
    shape = env["shapes"][0]
    parts = []
    for name, names in given.items():
        full = (1,) * (len(shape) - names.ndim) + names.shape
        repeats = [n // m if m else 0 for n, m in zip(shape, full, strict=True)]
        wide = names.reshape(full)
        if name == "a":
            for axis, n in enumerate(repeats):
                wide = np.repeat(wide, n, axis)
        else:
            wide = np.tile(wide, repeats)
        parts.append(wide)
    return sets.union(parts)


PATTERNS[np.kron] = _kron


def _cross(sets: IndexSets, given: dict, env: dict) -> ndarray:
    """Each component depends on those in the other directions; in a plane all of them count."""
    shape = env["shapes"][0]
    axis: Any = env.get("axis")
    axes = {name: axis if is_given(axis) else env[f"axis{name}"] for name in ("a", "b") if name in given}
    result: Any = axis if is_given(axis) else env.get("axisc", -1)
    parts = []
    for name, names in given.items():
        rows = np.moveaxis(names, axes.get(name, result), -1)
        if rows.shape[-1] == 3:
            parts.append(np.stack([sets.union([rows[..., (n + 1) % 3], rows[..., (n + 2) % 3]]) for n in range(3)], axis=-1))
        else:
            whole = sets.along(rows, (rows.ndim - 1,))
            parts.append(whole[..., None])
    made = sets.union(parts)
    if len(shape) == made.ndim - 1:
        return np.broadcast_to(made[..., 0], shape)
    wide = np.broadcast_to(made, (*np.moveaxis(np.empty(shape), result, -1).shape[:-1], 3))
    return np.moveaxis(wide, -1, result)


PATTERNS[np.cross] = PATTERNS[np.linalg.cross] = _cross
