"""Fitting a cotangent to its argument and a tangent to its result: shapes behind a batch, real parts, dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._storage import Shape, native


def project(ct: Any, shape: Shape, dtype: np.dtype, batch: Shape) -> Any:
    """Fit a cotangent to its argument: sum what was broadcast, take the real part for a real one, cast."""
    if not shape and not batch and ct.ndim:
        return cast(ct.sum(), dtype)
    if ct.shape != batch + shape:
        n = len(batch)
        core = shape
        while core and len(core) > ct.ndim - n:
            core = core[1:]  # x[...] = value accepts a value with extra leading axes of length 1
        extra = ct.ndim - n - len(core)
        if extra > 0:
            ct = ct.sum(axis=tuple(range(n, n + extra)))
        short = tuple(n + i for i, size in enumerate(core) if size == 1 and ct.shape[n + i] != 1)
        if short:
            ct = ct.sum(axis=short, keepdims=True)
        if ct.shape != batch + shape:
            ct = ct.reshape(batch + shape)
    return cast(ct, dtype)


def spread(tangent: Any, shape: Shape, dtype: np.dtype, batch: Shape) -> Any:
    """Fit a tangent to its result: stretch what is broadcast, drop leading axes of length 1, cast."""
    wanted = batch + shape
    if tangent.shape != wanted:
        n = len(batch)
        inner = tangent.shape[n:]
        while len(inner) > len(shape):
            inner = inner[1:]
        inner = (1,) * (len(shape) - len(inner)) + inner
        tangent = np.broadcast_to(tangent.reshape(batch + inner), wanted)
    return cast(tangent, dtype)


def cast(value: Any, dtype: np.dtype) -> Any:
    if value.dtype == dtype:
        return value
    if dtype.kind != "c" and value.dtype.kind == "c":
        value = value.real
    return value if value.dtype == dtype else value.astype(native(dtype))
