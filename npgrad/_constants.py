"""npgrad.array and its kin: arrays that tapes follow, and values that they do not; plain copies of traced data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar, overload

import numpy as np

from ._handed_out import handed_out
from ._moves import assemble
from ._record import note_cut, noting, recording
from ._structure import map_structure
from ._tracebacks import public
from ._traced import PythonNumber, TracedArray, fresh, is_inexact, traced_leaves, unwrap

T = TypeVar("T")


@public
def array(obj: Any, dtype: Any = None) -> TracedArray:
    """A traced array with a copy of the data, which no tape watches by itself; tapes follow the copy of traced data.

    Parameters
    ----------
    obj : array_like
        Data; integers become float64 unless ``dtype`` says otherwise.
    dtype : dtype, optional
        A floating or complex dtype.

    Raises
    ------
    TypeError
        If the dtype is not floating or complex.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> buffer = ng.array(np.zeros(2))              # made before the tape, followed inside
    >>> with ng.GradientTape() as tape:
    ...     x = tape.watch(np.array([1.0, 2.0]))
    ...     buffer[:] = 3 * x
    >>> tape.gradient(buffer, x)
    array([3., 3.])
    """
    obj = handed_out(obj)
    plain = np.array(unwrap(obj), dtype=dtype, order="K")
    if dtype is None and plain.dtype.kind in "iu":
        plain = plain.astype(np.float64)
    if not is_inexact(plain.dtype):
        raise TypeError(f"a traced array must be floating or complex, got {plain.dtype}: pass dtype=float")
    made = fresh(plain)
    if recording() and traced_leaves(obj):
        made[...] = assemble(obj)
    return made


constant = array


@overload
def stop_gradient(x: TracedArray) -> TracedArray: ...
@overload
def stop_gradient(x: T) -> T: ...
@public
def stop_gradient(x: Any) -> Any:
    """The value of an array (or of each in a structure) as a constant: derivatives stop here.

    Raises
    ------
    TypeError
        For iterators and other objects that hold traced arrays: they would be handed on as they are.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> ng.grad(lambda x: x * ng.stop_gradient(x))(3.0)
    np.float64(3.0)
    """

    def stop(leaf: Any) -> Any:
        if not isinstance(leaf, TracedArray):
            if isinstance(leaf, Iterator) or traced_leaves(list(getattr(leaf, "__dict__", {}).values())):
                raise TypeError(
                    "stop_gradient takes arrays, numbers, and lists, tuples, dicts and dataclasses of them, got "
                    f"{type(leaf).__name__}: give it the arrays inside"
                )
            return leaf
        bare = unwrap(leaf)
        if noting:
            note_cut([leaf._storage], "stop_gradient")
        return fresh(np.array(bare, order="K") if isinstance(bare, np.ndarray) else bare)

    return map_structure(stop, x)


def plain_copy(value: Any) -> Any:
    """The plain data of a traced array or number, which nobody else has; anything else as it is."""
    if not isinstance(value, TracedArray):
        return value
    bare = unwrap(value)
    if isinstance(bare, np.ndarray):
        return np.array(bare)
    return bare.item() if type(value) is PythonNumber else bare
