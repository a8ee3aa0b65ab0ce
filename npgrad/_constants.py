"""npgrad.array and its kin: arrays that tapes follow, and values that they do not."""

from __future__ import annotations

from typing import Any, TypeVar, overload

import numpy as np

from ._record import note_cut, noting
from ._structure import map_structure
from ._tracebacks import public
from ._traced import TracedArray, fresh, is_inexact, unwrap

T = TypeVar("T")


@public
def array(obj: Any, dtype: Any = None) -> TracedArray:
    """A traced array with a copy of the data, not watched by any tape.

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
    plain = np.array(unwrap(obj), dtype=dtype, order="K")
    if dtype is None and plain.dtype.kind in "iu":
        plain = plain.astype(np.float64)
    if not is_inexact(plain.dtype):
        raise TypeError(f"a traced array must be floating or complex, got {plain.dtype}: pass dtype=float")
    return fresh(plain)


constant = array


@overload
def stop_gradient(x: TracedArray) -> TracedArray: ...
@overload
def stop_gradient(x: T) -> T: ...
@public
def stop_gradient(x: Any) -> Any:
    """The value of an array (or of each in a structure) as a constant: derivatives stop here.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> ng.grad(lambda x: x * ng.stop_gradient(x))(3.0)
    np.float64(3.0)
    """

    def stop(leaf: Any) -> Any:
        if not isinstance(leaf, TracedArray):
            return leaf
        bare = unwrap(leaf)
        if noting:
            note_cut([leaf._storage], "stop_gradient")
        return fresh(np.array(bare, order="K") if isinstance(bare, np.ndarray) else bare)

    return map_structure(stop, x)
