"""Variances and standard deviations, of all elements or of those that are not NaN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._refusals import refuse_function
from .._registry import jvp, vjp
from ._helpers import behind_batch, chosen, given, negative_axes, numbers, put_back


def _declare(function: Callable, seen: Callable, is_root: bool) -> None:
    """``seen`` says which elements the function looks at; a root is a standard deviation."""

    def freedom_of(axis: Any, ddof: Any, where: Any, correction: Any, a_spec: Any) -> Any:
        """The number that sums of squares are divided by, with the reduced axes as axes of length 1."""
        if np.size(ddof) > 1 or np.size(correction) > 1:
            refuse_function(function, "by degrees of freedom of their own for the results")
        there = True if not given(where) else where
        if np.asarray(there).dtype != bool:
            refuse_function(function, "with a where that is no array of truth values, by which NumPy counts amiss")
        count = np.sum(np.broadcast_to(there, a_spec.shape), axis=negative_axes(axis, a_spec.ndim), keepdims=True)
        return np.maximum(count - (correction if given(correction) else ddof), 0)

    def factors(
        a: Any, ans: Any, axis: Any, dtype: Any, ddof: Any, keepdims: Any, where: Any, mean: Any, correction: Any,
        a_spec: Any,
    ) -> tuple[Any, Any]:  # fmt: skip
        """The distance of each element from the mean, 0 where it is not looked at; and by what a sum of squares of these
        changes the result, times 2. The second has the reduced axes with length 1."""
        axes = negative_axes(axis, a_spec.ndim)
        where = seen(a, where)
        if not given(mean):
            mean = np.sum(chosen(a, where), axis=axes, keepdims=True) / freedom_of(axis, 0, where, None, a_spec)
            if given(dtype) and np.dtype(dtype).kind != "c":
                mean = np.real(mean)  # this alone NumPy computes in the type that is asked for
        # Of a complex ``ddof`` NumPy takes the real part of the quotient.
        scale = np.real(2 / freedom_of(axis, ddof, where, correction, a_spec))
        if is_root:
            # As the norm, it has the derivative 0 where all values are equal.
            root = put_back(np.asarray(ans), axis, keepdims, a_spec)
            scale = np.where(root == 0, 0, scale / (2 * np.where(root == 0, 1, root)))
        return chosen(a - mean, where), scale

    @vjp(function, "a", "mean")
    def variance_vjp(
        ct: Any, a: Any, ans: Any, axis: Any, dtype: Any, ddof: Any, keepdims: Any, where: Any, mean: Any, correction: Any,
        a_spec: Any,
    ) -> Any:  # fmt: skip
        distance, scale = factors(a, ans, axis, dtype, ddof, keepdims, where, mean, correction, a_spec)
        slope = scale * distance
        ct = np.real(ct) if a_spec.dtype.kind == "c" else ct  # with dtype=complex, too, the result is real
        flow = put_back(ct, axis, keepdims, a_spec) * (np.conjugate(slope) if _is_square(a_spec, distance) else slope)
        return flow, -flow

    @jvp(function, "a")
    def variance_jvp(
        tangent: Any, a: Any, ans: Any, axis: Any, dtype: Any, ddof: Any, keepdims: Any, where: Any, mean: Any,
        correction: Any, a_spec: Any, ans_spec: Any,
    ) -> Any:  # fmt: skip
        distance, scale = factors(a, ans, axis, dtype, ddof, keepdims, where, mean, correction, a_spec)
        return _along(chosen(tangent, seen(a, where)), distance, scale, axis, a_spec, ans_spec)

    @jvp(function, "mean")
    def variance_jvp_mean(
        tangent: Any, a: Any, ans: Any, axis: Any, dtype: Any, ddof: Any, keepdims: Any, where: Any, mean: Any,
        correction: Any, a_spec: Any, mean_spec: Any, ans_spec: Any,
    ) -> Any:  # fmt: skip
        distance, scale = factors(a, ans, axis, dtype, ddof, keepdims, where, mean, correction, a_spec)
        return _along(-behind_batch(tangent, mean_spec, a_spec.ndim), distance, scale, axis, a_spec, ans_spec)

    def by_freedom(a: Any, ans: Any, axis: Any, ddof: Any, where: Any, correction: Any, a_spec: Any) -> Any:
        freedom = freedom_of(axis, ddof, seen(a, where), correction, a_spec)
        if np.iscomplexobj(freedom):
            freedom = freedom * freedom * np.real(1 / freedom)
        return ans / (freedom.reshape(np.shape(ans)) * (2 if is_root else 1))

    for argument in ("ddof", "correction"):

        @vjp(function, argument)
        def freedom_vjp(
            ct: Any, a: Any, ans: Any, axis: Any, ddof: Any, where: Any, correction: Any, a_spec: Any
        ) -> Any:
            flow = ct * np.conjugate(by_freedom(a, ans, axis, ddof, where, correction, a_spec))
            return np.sum(flow, axis=tuple(range(-np.ndim(ans), 0)))

        @jvp(function, argument)
        def freedom_jvp(
            tangent: Any, a: Any, ans: Any, axis: Any, ddof: Any, where: Any, correction: Any, a_spec: Any
        ) -> Any:
            change = by_freedom(a, ans, axis, ddof, where, correction, a_spec)
            return np.real(tangent.reshape(tangent.shape + (1,) * np.ndim(change)) * change)


def _is_square(a_spec: Any, distance: Any) -> bool:
    """Of real data and a complex mean NumPy sums the squares of the distances, and not their absolute squares."""
    return a_spec.dtype.kind != "c" and np.iscomplexobj(distance)


def _along(change: Any, distance: Any, scale: Any, axis: Any, a_spec: Any, ans_spec: Any) -> Any:
    product = np.real(np.conjugate(distance) * change) if a_spec.dtype.kind == "c" else distance * change
    total = np.sum(product, axis=negative_axes(axis, a_spec.ndim), keepdims=True) * scale
    return total.reshape(change.shape[: change.ndim - a_spec.ndim] + ans_spec.shape)


_declare(np.var, lambda a, where: where, False)
_declare(np.std, lambda a, where: where, True)
_declare(np.nanvar, numbers, False)
_declare(np.nanstd, numbers, True)
