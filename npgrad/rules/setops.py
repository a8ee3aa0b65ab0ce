"""Set functions: the values that `np.unique` returns are those of the first elements that have them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._registry import composite, jvp, vjp
from ._helpers import negative_axis


def _places(a: Any, values: Any, axis: Any, equal_nan: bool) -> tuple[Any, Any]:
    """Which element (or row) of ``a`` each value is, and which value each element has."""
    _, first, value = np.unique(a, return_index=True, return_inverse=True, axis=axis, equal_nan=equal_nan)
    if axis is None:
        order = np.argsort(values)  # `sorted=False` leaves the values in any order
        first, value = first[np.argsort(order)], order[value]
    return first, value.reshape(-1)


def _unique_vjp(ct: Any, a: Any, ans: Any, axis: Any, equal_nan: bool) -> Any:
    several = isinstance(ct, tuple)
    ct, values = (ct[0], ans[0]) if several else (ct, ans)
    first, value = _places(a, values, axis, equal_nan)
    chosen = np.zeros(value.size, bool)
    chosen[first] = True
    n = -1 if axis is None else negative_axis(axis, a.ndim)
    spread = np.where(chosen.reshape((-1,) + (1,) * (-n - 1)), np.take(ct, value, axis=n), 0)
    return spread.reshape(ct.shape[: ct.ndim - values.ndim] + a.shape)


def _unique_jvp(tangent: Any, a: Any, ans: Any, axis: Any, equal_nan: bool) -> Any:
    several = isinstance(ans, list)
    first, _ = _places(a, ans[0] if several else ans, axis, equal_nan)
    if axis is None:
        taken = np.take(tangent.reshape(*tangent.shape[: tangent.ndim - a.ndim], -1), first, axis=-1)
    else:
        taken = np.take(tangent, first, axis=negative_axis(axis, a.ndim))
    return (taken,) + (None,) * (len(ans) - 1) if several else taken


@vjp(np.unique, "ar")
def unique_vjp(ct: Any, ar: Any, ans: Any, axis: Any, equal_nan: Any) -> Any:
    return _unique_vjp(ct, ar, ans, axis, equal_nan)


@jvp(np.unique, "ar")
def unique_jvp(tangent: Any, ar: Any, ans: Any, axis: Any, equal_nan: Any) -> Any:
    return _unique_jvp(tangent, ar, ans, axis, equal_nan)


def _declare_unique(function: Any) -> None:
    @vjp(function, "x")
    def from_values(ct: Any, x: Any, ans: Any) -> Any:
        return _unique_vjp(ct, x, ans, None, False)

    @jvp(function, "x")
    def to_values(tangent: Any, x: Any, ans: Any) -> Any:
        return _unique_jvp(tangent, x, ans, None, False)


for _function in (np.unique_all, np.unique_counts, np.unique_inverse, np.unique_values):
    _declare_unique(_function)

composite(np.union1d, np.intersect1d, np.setdiff1d, np.setxor1d, np.sort_complex)
