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
from .rules._helpers import negative_axes

PATTERNS: dict[Any, Callable] = {}
CONTENTS: dict[Any, dict[str, Callable]] = {}


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes that are meant, counted from the front."""
    if not is_given(axis):
        return tuple(range(ndim))
    return tuple([n % ndim for n in negative_axes(axis, ndim)])


def _itself(value: Any) -> Any:
    """All of it: numbers as arrays, which are compared by their bits."""
    return np.asarray(value) if isinstance(value, (float, list, np.generic)) else value


def zeros_of(value: Any) -> Any:
    """What a product reads of a constant operand; letters and their numbers are themselves."""
    if isinstance(value, (list, tuple)):
        return [zeros_of(item) for item in value]
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


for _function in {
    np.sum, np.mean, np.prod, np.max, np.min, np.amax, np.amin, np.linalg.norm, np.ptp, np.nansum, np.nanmean, np.nanprod,
    np.nanmax, np.nanmin,
}:  # fmt: skip
    PATTERNS[_function] = _reduction
    CONTENTS[_function] = {"where": _itself}


def _deviation(sets: IndexSets, given: dict, env: dict) -> ndarray:
    """A given mean is a number for the elements that it is taken from each; the degrees of freedom are one for all."""
    shape = env["a_spec"].shape
    parts = [np.broadcast_to(given[name], shape) for name in ("a", "mean") if name in given]
    made = [_reduction(sets, {"a": part}, env) for part in parts]
    return sets.union([*made, *[given[name] for name in ("ddof", "correction") if name in given]] + [_nothing(env)])


def _nothing(env: dict) -> ndarray:
    return np.zeros(env["shapes"][0], np.intp)


for _function in (np.var, np.std, np.nanvar, np.nanstd):
    PATTERNS[_function] = _deviation


def _selection(sets: IndexSets, given: dict, env: dict) -> ndarray:
    """Quantiles: the axes of q stand in front of those that are left."""
    shape = env["shapes"][0]
    parts = [_nothing(env)]
    if "a" in given:
        names = given["a"]
        kept = sets.along(names, _axes(env.get("axis"), names.ndim))
        parts.append(kept.reshape(kept.shape if kept.ndim <= len(shape) and shape[len(shape) - kept.ndim :] == kept.shape
                                  else shape[len(shape) - names.ndim :]))  # fmt: skip
    if "q" in given:
        q = given["q"]
        parts.append(q.reshape(q.shape + (1,) * (len(shape) - q.ndim)))
    return sets.union(parts)


for _function in (np.median, np.nanmedian, np.quantile, np.percentile, np.nanquantile, np.nanpercentile):
    PATTERNS[_function] = _selection


def _running(sets: IndexSets, given: dict, env: dict) -> ndarray:
    [a] = given.values()
    rows = a.reshape(-1) if env.get("axis") is None or not a.ndim else np.moveaxis(a, env["axis"], 0)
    made = sets.running(rows.reshape(len(rows), -1)).reshape(rows.shape) if rows.size else rows
    if env.get("include_initial"):
        made = np.concatenate([np.zeros_like(made[:1]), made])
    return made if rows.ndim == 1 else np.moveaxis(made, 0, env["axis"])


for _function in (np.cumsum, np.cumprod, np.nancumsum, np.nancumprod, np.cumulative_sum, np.cumulative_prod):
    PATTERNS[_function] = _running


def _trace(sets: IndexSets, given: dict, env: dict) -> ndarray:
    [a] = given.values()
    diagonal = np.diagonal(a, env["offset"], env.get("axis1", -2), env.get("axis2", -1))
    return sets.along(diagonal, (diagonal.ndim - 1,))


PATTERNS[np.trace] = PATTERNS[np.linalg.trace] = _trace

# --- Choosing and joining ------------------------------------------------------------------------------------------

PATTERNS[np.where] = lambda sets, given, env: sets.union(list(given.values()))


def _moving(argument: str, function: Any) -> Callable:
    """What only moves elements: the tangents of names are names."""

    def pattern(sets: IndexSets, given: dict, env: dict) -> ndarray:
        tangent = given[argument]
        if isinstance(tangent, list):
            filled = zip(tangent, env[f"{argument}_spec"], strict=True)
            tangent = [np.zeros(spec.shape, np.intp) if names is None else names for names, spec in filled]
        map_, names = RULES[function].jvps[argument]
        return map_(*[{**env, "tangent": tangent}[name] for name in names])

    return pattern


_MOVING = {
    "arrays": (np.concatenate, np.stack), "tup": (np.vstack, np.hstack, np.dstack, np.column_stack), "a": (np.roll,),
    "A": (np.tile,),
}  # fmt: skip
for _argument, _functions in _MOVING.items():
    for _function in _functions:
        PATTERNS[_function] = _moving(_argument, _function)


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


def _in_order(sets: IndexSets, given: dict, env: dict) -> ndarray:
    a = given["a"]
    if env["axis"] is None:
        return np.broadcast_to(sets.along(a, tuple(range(a.ndim))), env["shapes"][0])
    return np.broadcast_to(sets.along(a, (env["axis"] % a.ndim,), keepdims=True), a.shape)


PATTERNS[np.sort] = PATTERNS[np.partition] = _in_order
