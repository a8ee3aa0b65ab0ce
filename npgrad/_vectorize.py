"""np.vectorize over traced arrays: the user's function, called with their elements.

NumPy's own code makes object arrays of the elements and casts what the function returns. Here the loop is Python's and the
results are assembled, with the same calls of the function, the same elements and the same dtypes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._compat import VECTORIZE_WITH_EXCLUDED, VECTORIZE_WITH_SIGNATURE
from ._creators import TRACED_CREATORS
from ._elements import in_double, number
from ._functions import laid_out
from ._record import recording
from ._traced import TracedArray, unwrap
from ._twins import twin

NUMPYS_VECTORIZE_CALL = np.vectorize.__call__

_asarray = TRACED_CREATORS[np.asarray]


def vectorize_call(self: np.vectorize, *args: Any, **kwargs: Any) -> Any:
    if not recording() or not callable(self.pyfunc):
        return NUMPYS_VECTORIZE_CALL(self, *args, **kwargs)
    return twin(VECTORIZE_WITH_EXCLUDED)(_Followed(self), *args, **kwargs)


class _Followed:
    """A np.vectorize whose loop is ours."""

    def __init__(self, vectorized: np.vectorize) -> None:
        self._vectorized = vectorized

    def __getattr__(self, name: str) -> Any:
        return getattr(self._vectorized, name)

    def _vectorize_call(self, func: Callable, args: Any) -> Any:
        if self.signature is not None:
            return twin(VECTORIZE_WITH_SIGNATURE)(self, func, args)
        return _over_elements(self._vectorized, func, args) if args else func()


def _elements(array: Any) -> Any:
    return in_double(array) if isinstance(array, TracedArray) else np.asanyarray(array, dtype=object)


def _layout_of(arrays: list) -> Any:
    """An array with the order of memory of what NumPy makes of these arrays, one element after the other."""
    uses: Any = [["readonly"]] * len(arrays) + [["writeonly", "allocate"]]
    boxed = [np.empty_like(unwrap(a), dtype=object) for a in arrays]  # in what order NumPy copies the elements first
    return _NUMPYS_NDITER([*boxed, None], ["refs_ok", "zerosize_ok"], uses).operands[-1]


_NUMPYS_NDITER = np.nditer


def _over_elements(vectorized: np.vectorize, func: Callable, args: Any) -> Any:
    arrays = [_asarray(a) for a in args]
    otypes: Any = vectorized.otypes
    first = None
    if otypes is None:
        if any(a.size == 0 for a in arrays):
            return NUMPYS_VECTORIZE_CALL(vectorized, *arrays)  # NumPy's error
        outputs = func(*[a.reshape(-1)[0] for a in arrays])
        first = [outputs] if vectorized.cache else None
        parts = outputs if isinstance(outputs, tuple) else (outputs,)
        otypes = [_asarray(part).dtype for part in parts]
    shape = np.broadcast_shapes(*[a.shape for a in arrays])
    looped = [np.broadcast_to(_elements(a), shape) for a in arrays]
    layout = _layout_of(arrays)
    results = []
    for index in np.ndindex(shape):
        results.append(first.pop() if first else func(*[number(a[index]) for a in looped]))
    if len(otypes) == 1:
        return _assembled(results, otypes[0], layout)
    rows = zip(*results, strict=True) if results else [()] * len(otypes)
    return tuple([_assembled(list(row), otype, layout) for row, otype in zip(rows, otypes, strict=True)])


def _assembled(results: list, otype: Any, layout: Any) -> Any:
    like = np.empty_like(layout, dtype=otype)
    if like.dtype == object:  # each result is one item, be it an array
        items = np.ndarray(len(results), object)
        for position, result in enumerate(results):
            items[position] = result
        like[...] = items.reshape(like.shape)
        return like
    if any(np.ndim(result) for result in results):  # NumPy's error, where it takes no arrays as elements
        boxed = np.empty(len(results), object)
        for position, result in enumerate(unwrap(results)):
            boxed[position] = result
        boxed.astype(like.dtype)
    made = _asarray(results, dtype=otype).reshape(like.shape)
    return made if like.flags.c_contiguous else laid_out(made, like)
