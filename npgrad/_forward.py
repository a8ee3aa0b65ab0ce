"""Forward mode: tangents along a record."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ._derivatives import given, tangents_of
from ._endpoints import UnconnectedGradients, checked_leaves, gives_zeros
from ._leaks import LeakError
from ._moves import assemble
from ._record import Record
from ._structure import flatten
from ._tape import GradientTape
from ._tracebacks import public
from ._traced import TracedArray, is_inexact


def tangent_for(primal: Any, tangent: Any, place: str) -> Any:
    """A tangent in the form of its primal; raises where it does not fit."""
    if not isinstance(tangent, TracedArray):
        tangent = assemble(tangent)
    if not is_inexact(tangent.dtype) and tangent.dtype.kind not in "biu":
        raise TypeError(f"a tangent must be numeric, got dtype {tangent.dtype}{place}")
    if tangent.dtype.kind == "c" and primal.dtype.kind != "c":
        raise TypeError(f"a complex tangent does not fit a real primal{place}")
    if tangent.shape != primal.shape:
        raise ValueError(f"a tangent of shape {tangent.shape} does not fit a primal of shape {primal.shape}{place}")
    return tangent if tangent.dtype == primal.dtype else tangent.astype(primal.dtype)


class ForwardAccumulator:
    """Directional derivatives of what is computed inside a context, by forward mode.

    Parameters
    ----------
    primals : traced array, Variable, or structure of these
        What is moved. A plain array cannot be followed: make it traced with `npgrad.array`.
    tangents : structure like primals
        The direction, of the shapes of the primals.
    check_nan : bool
        See `GradientTape`.

    Raises
    ------
    ValueError
        If a primal is given twice, or a tangent has another shape.
    TypeError
        If a primal is a plain array, or a tangent does not fit its dtype.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> x = ng.array([1.0, 2.0])
    >>> with ng.ForwardAccumulator(x, np.array([1.0, 0.0])) as accumulator:
    ...     y = x * x[0]
    >>> accumulator.jvp(y)
    array([2., 2.])

    Over a tape it gives the product of the Hessian and a vector:

    >>> with ng.ForwardAccumulator(x, np.array([0.0, 1.0])) as accumulator:
    ...     with ng.GradientTape() as tape:
    ...         x = tape.watch(x)
    ...         y = (x ** 3).sum()
    ...     gradient = tape.gradient(y, x)
    >>> accumulator.jvp(gradient)
    array([ 0., 12.])
    """

    @public
    def __init__(self, primals: Any, tangents: Any, *, check_nan: bool = False) -> None:
        self._primals, _ = flatten(primals)
        given_tangents, _ = flatten(tangents)
        if len(given_tangents) != len(self._primals):
            raise ValueError(f"{len(given_tangents)} tangents for {len(self._primals)} primals: they must match")
        for n, primal in enumerate(self._primals):
            if not isinstance(primal, TracedArray):
                kind = type(primal).__name__
                raise TypeError(f"primal {n} is a plain {kind}, which cannot be followed: make it npgrad.array(x) first")
            if any(primal is other for other in self._primals[:n]):
                raise ValueError(f"primal {n} is given twice: add its tangents and give it once")
        self._tangents = [
            tangent_for(p, t, f" (primal {n})") for n, (p, t) in enumerate(zip(self._primals, given_tangents, strict=True))
        ]
        self._tape = GradientTape(persistent=True, watch_accessed_variables=False, check_nan=check_nan)

    @public
    def __enter__(self) -> ForwardAccumulator:
        self._tape.__enter__()
        try:
            self._tape.watch(self._primals)
        except BaseException:  # Python calls no __exit__ where __enter__ has failed
            self._tape.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._tape.__exit__(kind, error, trace)

    @contextlib.contextmanager
    def _paused(self) -> Iterator[Record]:
        """The record, while this accumulator does not record: the sweep is no part of what it follows."""
        record = self._tape._record
        if record is None:
            raise RuntimeError("this accumulator has recorded nothing: enter it with `with` first")
        if record.noted_leaks:
            raise LeakError("a leak was swallowed while recording: " + record.noted_leaks[0])
        pause = self._tape.stop_recording() if record.records_here else contextlib.nullcontext()
        with pause, np.errstate(all="ignore"):
            yield record

    @public
    def jvp(self, primals: Any, unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE) -> Any:
        """The derivative of results along the tangents, inside the context or any time after.

        Parameters
        ----------
        primals : array or structure of arrays
            Results of calls inside the context.
        unconnected_gradients : {"none", "zero"} or UnconnectedGradients
            What stands for a result that does not depend on the primals.

        Returns
        -------
        The structure of ``primals``, arrays of their shapes and dtypes.

        Examples
        --------
        >>> import numpy as np, npgrad as ng
        >>> x = ng.array([1.0, 2.0])
        >>> with ng.ForwardAccumulator(x, np.array([1.0, -1.0])) as accumulator:
        ...     y, total = x ** 2, x.sum()
        >>> accumulator.jvp({"squares": y, "sum": total})
        {'squares': array([ 2., -4.]), 'sum': np.float64(0.0)}
        """
        zero = gives_zeros(unconnected_gradients)
        targets, build = checked_leaves(primals, "target")
        with self._paused() as record:
            found = tangents_of(record, targets, list(zip(self._primals, self._tangents, strict=True)), ())
        return build(given(found, targets, (), zero))
