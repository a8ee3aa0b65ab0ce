"""Reductions that pass NaN over: those of the elements that are numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._registry import jvp, vjp
from ._helpers import chosen, numbers
from .reductions import (
    cumprod_jvp,
    cumprod_vjp,
    cumsum_jvp,
    cumsum_vjp,
    declare_extreme,
    mean_jvp,
    mean_vjp,
    prod_initial_jvp,
    prod_initial_vjp,
    prod_jvp,
    prod_vjp,
    sum_initial_jvp,
    sum_initial_vjp,
    sum_jvp,
    sum_vjp,
)


@vjp(np.nansum, "a")
def nansum_vjp(ct: Any, a: Any, a_spec: Any, axis: Any, keepdims: Any, where: Any) -> Any:
    return sum_vjp(ct, a_spec, axis, keepdims, numbers(a, where))


@jvp(np.nansum, "a")
def nansum_jvp(tangent: Any, a: Any, a_spec: Any, axis: Any, keepdims: Any, where: Any) -> Any:
    return sum_jvp(tangent, a_spec, axis, keepdims, numbers(a, where))


vjp(np.nansum, "initial")(sum_initial_vjp)
jvp(np.nansum, "initial")(sum_initial_jvp)


@vjp(np.nanprod, "a")
def nanprod_vjp(
    ct: Any, a: Any, axis: Any, keepdims: Any, where: Any, initial: Any, a_spec: Any, ans_spec: Any
) -> Any:
    return prod_vjp(ct, a, axis, keepdims, numbers(a, where), initial, a_spec, ans_spec)


@jvp(np.nanprod, "a")
def nanprod_jvp(tangent: Any, a: Any, axis: Any, keepdims: Any, where: Any, initial: Any, ans_spec: Any) -> Any:
    return prod_jvp(tangent, a, axis, keepdims, numbers(a, where), initial, ans_spec)


@vjp(np.nanprod, "initial")
def nanprod_initial_vjp(ct: Any, a: Any, axis: Any, keepdims: Any, where: Any, ans_spec: Any) -> Any:
    return prod_initial_vjp(ct, a, axis, keepdims, numbers(a, where), ans_spec)


@jvp(np.nanprod, "initial")
def nanprod_initial_jvp(tangent: Any, a: Any, axis: Any, keepdims: Any, where: Any, ans_spec: Any) -> Any:
    return prod_initial_jvp(tangent, a, axis, keepdims, numbers(a, where), ans_spec)


@vjp(np.nanmean, "a")
def nanmean_vjp(ct: Any, a: Any, a_spec: Any, ans_spec: Any, axis: Any, keepdims: Any, where: Any) -> Any:
    return mean_vjp(ct, a_spec, ans_spec, axis, keepdims, numbers(a, where))


@jvp(np.nanmean, "a")
def nanmean_jvp(tangent: Any, a: Any, a_spec: Any, ans_spec: Any, axis: Any, keepdims: Any, where: Any) -> Any:
    return mean_jvp(tangent, a_spec, ans_spec, axis, keepdims, numbers(a, where))


declare_extreme(np.nanmax, numbers)
declare_extreme(np.nanmin, numbers)


@vjp(np.nancumsum, "a")
def nancumsum_vjp(ct: Any, a: Any, a_spec: Any, axis: Any) -> Any:
    return chosen(cumsum_vjp(ct, a_spec, axis), numbers(a))


@jvp(np.nancumsum, "a")
def nancumsum_jvp(tangent: Any, a: Any, a_spec: Any, axis: Any) -> Any:
    return cumsum_jvp(chosen(tangent, numbers(a)), a_spec, axis)


@vjp(np.nancumprod, "a")
def nancumprod_vjp(ct: Any, a: Any, ans: Any, axis: Any, a_spec: Any) -> Any:
    there = numbers(a)
    return chosen(cumprod_vjp(ct, np.where(there, a, 1), ans, axis, a_spec), there)


@jvp(np.nancumprod, "a")
def nancumprod_jvp(tangent: Any, a: Any, ans: Any, axis: Any, a_spec: Any) -> Any:
    there = numbers(a)
    return cumprod_jvp(chosen(tangent, there), np.where(there, a, 1), ans, axis, a_spec)
