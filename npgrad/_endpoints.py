"""The two ends of a sweep as the user gives them: what is watched, targets with their seeds, and sources."""

from __future__ import annotations

from collections.abc import Iterator, Set
from enum import Enum
from numbers import Number
from operator import itemgetter
from typing import Any

import numpy as np
from numpy import ndarray

from ._moves import assemble
from ._structure import flatten, leaf_paths, path_text
from ._traced import TracedArray, as_it_lies, complete, fresh, is_inexact, new_array, unwrap


class UnconnectedGradients(Enum):
    """What `GradientTape.gradient` gives for a source that the target does not depend on.

    Examples
    --------
    >>> import npgrad as ng
    >>> with ng.GradientTape() as tape:
    ...     x, y = tape.watch((1.0, 2.0))
    ...     z = x * x
    >>> tape.gradient(z, [x, y], unconnected_gradients=ng.UnconnectedGradients.ZERO)
    [np.float64(2.0), np.float64(0.0)]
    """

    NONE = "none"
    ZERO = "zero"


def gives_zeros(unconnected_gradients: Any) -> bool:
    """Whether unconnected sources get zeros rather than None."""
    try:
        return _GIVES_ZEROS[unconnected_gradients]
    except (KeyError, TypeError):
        raise ValueError(f'unconnected_gradients must be "none" or "zero", got {unconnected_gradients!r}') from None


_GIVES_ZEROS = {
    key: member is UnconnectedGradients.ZERO for member in UnconnectedGradients for key in (member, member.value)
}


class PlainCopies(dict[int, tuple[ndarray, list[TracedArray]]]):
    """The plain arrays that a tape watches, by identity. As sources they stand for their traced copies."""

    def copy_of(self, value: Any) -> TracedArray:
        if not isinstance(value, ndarray):
            return fresh(value)
        _, copies = self.setdefault(id(value), (value, []))
        # The copy of an earlier watch will do, unless it or the plain array has been changed since.
        if not copies or not np.array_equal(copies[-1]._bare, value, equal_nan=True):
            copies.append(new_array(as_it_lies(value)))
        return copies[-1]

    def traced(self, source: Any) -> TracedArray | None:
        """The traced array that a source stands for, None for a plain one that is not watched."""
        if isinstance(source, TracedArray):
            return source
        _, copies = self.get(id(source), (None, []))
        if len(copies) > 1:
            raise ValueError(
                f"this plain array of shape {np.shape(source)} was watched {len(copies)} times with different values, so it "
                "does not say which is meant: give what watch returned as the source."
            )
        return copies[0] if copies else None


# What to do instead, by the kind of a dtype that carries no derivative.
_CURES = {"V": "watch its fields one by one", **dict.fromkeys("biu", "use a floating array, x.astype(float)")}


# And by the class of what is no array.
_OTHER_CURES: tuple[tuple[Any, str], ...] = (
    (Number, "use float(x)"),
    ((Iterator, Set, range), "use np.array(list(x), dtype=float)"),
    (object, "only floating or complex arrays and numbers, and structures of them"),
)


def _cure_of(value: Any) -> str:
    return next(cure for kinds, cure in _OTHER_CURES if isinstance(value, kinds))


def check_watchable(value: Any, place: str) -> None:
    """Raise unless a leaf can be watched."""
    if isinstance(value, TracedArray):
        complete(value)
        return
    kind = type(value).__name__
    if isinstance(value, (bool, int)):
        raise TypeError(f"cannot watch the {kind} {value!r}{place}: use a float, {float(value)!r}")
    if type(value) is not ndarray and not isinstance(value, (np.generic, float, complex)):
        if isinstance(value, np.ma.MaskedArray):
            raise TypeError(f"cannot watch a masked array{place}: watch its data, x.filled(...), and keep x.mask beside it")
        cure = "use np.asarray(x)" if hasattr(type(value), "__array__") else _cure_of(value)
        raise TypeError(f"cannot watch a {kind}{place}: {cure}")
    if isinstance(value, (ndarray, np.generic)) and not is_inexact(value.dtype):
        cure = _CURES.get(value.dtype.kind, "make it a floating or complex array first")
        raise TypeError(f"cannot watch an array of dtype {value.dtype}{place}: {cure}")


# Kinds of dtype; integers and booleans have a derivative, zero.
_NUMERIC = frozenset("fciub")


def checked_leaves(structure: Any, what: str) -> tuple[list, Any]:
    """The leaves of a target or of sources, which must be arrays or numbers, and how to rebuild the structure."""
    if isinstance(structure, ndarray) and structure.dtype.kind in _NUMERIC:
        complete(structure)
        return [structure], itemgetter(0)
    leaves, build = flatten(structure)
    complete(leaves)
    for leaf, path in zip(leaves, leaf_paths(structure), strict=True):
        if leaf is None:
            raise TypeError(
                f"{what.capitalize()} should be an array or a structure of arrays, got None{path_text(path)}. "
                "Does the function that made it end without return?"
            )
        if not isinstance(leaf, (ndarray, np.generic, int, float, complex)):
            raise TypeError(f"a {what} must be an array or a number, got {type(leaf).__name__}{path_text(path)}")
        if isinstance(leaf, (ndarray, np.generic)) and leaf.dtype.kind not in _NUMERIC:
            raise TypeError(
                f"a {what} must hold numbers, got dtype {leaf.dtype}{path_text(path)}: derivatives are lost in it; "
                "give its parts as floating arrays"
            )
    return leaves, build


def paired(target: Any, source: Any, zero: bool) -> ndarray | None:
    """What `batch_jacobian` gives if unconnected; raises unless the two arrays have the same number of rows."""
    for leaf, what in ((target, "target"), (source, "source")):
        if not isinstance(leaf, (ndarray, np.generic, float, complex)):
            raise TypeError(f"the {what} of batch_jacobian must be one array, got {type(leaf).__name__}")
    if not np.ndim(target) or not np.ndim(source) or len(target) != len(source):
        raise ValueError(
            "batch_jacobian needs a target and a source with equal first dimensions, got shapes "
            f"{np.shape(target)} and {np.shape(source)}: use jacobian"
        )
    return np.zeros(target.shape + source.shape[1:], source.dtype) if zero else None


def seeds_for(target: Any, output_gradients: Any) -> list:
    """One cotangent for each leaf of the target, None for ones."""
    if output_gradients is None:
        return [None] if isinstance(target, ndarray) else [None] * len(leaf_paths(target))
    paths = leaf_paths(target)
    seeds = dict(zip(leaf_paths(output_gradients), flatten(output_gradients)[0], strict=True))
    if seeds.keys() != set(paths):
        raise ValueError(
            f"output_gradients must have the structure of the target: it has {len(seeds)} arrays"
            f"{','.join(map(path_text, seeds))}, the target {len(paths)}{','.join(map(path_text, paths))}"
        )
    leaves, _ = flatten(target)
    return [_seed(leaf, seeds[path], path_text(path)) for leaf, path in zip(leaves, paths, strict=True)]


def _seed(target: Any, seed: Any, place: str) -> Any:
    if seed is None:
        return None
    if not isinstance(seed, TracedArray):
        seed = assemble(seed)
    dtype, shape = unwrap(target).dtype if hasattr(target, "dtype") else np.dtype(float), np.shape(target)
    if seed.dtype.kind not in "fciub" or (seed.dtype.kind == "c" and dtype.kind != "c"):
        kind = "real or complex" if dtype.kind == "c" else "real"
        raise ValueError(
            f"output_gradients{place} of dtype {seed.dtype} do not fit a target of dtype {dtype}: give {kind} ones"
        )
    if seed.shape not in ((), shape):
        raise ValueError(
            f"output_gradients{place} of shape {seed.shape} do not fit a target of shape {shape}: "
            "give the target's shape or a scalar"
        )
    if np.isnan(unwrap(seed)).any():
        raise ValueError(f"output_gradients{place} contain NaN, which would make every gradient NaN: give 0 to leave out")
    if seed.dtype != dtype:
        seed = seed.astype(dtype)
    return np.broadcast_to(seed, shape) if seed.shape != shape else seed
