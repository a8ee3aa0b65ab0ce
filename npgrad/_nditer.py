"""np.nditer over traced arrays: NumPy's iterator over their plain data, its views handed out as views of the arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from ._dispatch import tracking
from ._holders import HeldArray, held, is_foreign
from ._leaks import refuse
from ._moves import assemble
from ._record import recording
from ._traced import TracedArray, adopt, is_inexact, same_memory, traced_leaves, unwrap, view_of

_NUMPYS_NDITER, _NUMPYS_NESTED_ITERS = np.nditer, np.nested_iters


def nditer(op: Any, *args: Any, **kwargs: Any) -> Any:
    """The form of np.nditer."""
    parts = _operands(op)
    return _traced(_NUMPYS_NDITER([unwrap(part) for part in parts], *args, **kwargs), parts)


def nested_iters(op: Any, *args: Any, **kwargs: Any) -> tuple:
    """The form of np.nested_iters."""
    parts = _operands(op)
    made = _NUMPYS_NESTED_ITERS([unwrap(part) for part in parts], *args, **kwargs)
    return tuple([_traced(level, parts) for level in made])


def _operands(op: Any) -> list:
    return [_whole(part) for part in (op if isinstance(op, (tuple, list)) else [op])]


def _whole(part: Any) -> Any:
    """An operand as an array, if there are traced data in it."""
    if not isinstance(part, TracedArray):
        return assemble(part) if traced_leaves(part) else part
    return part if type(part._bare) is ndarray else part.reshape(1).reshape(())


def _traced(made: np.nditer, parts: list) -> Any:
    """What the iterator allocated is new, and therefore traced."""
    operands = [_new(made.operands[i]) if part is None else part for i, part in enumerate(parts)]
    return TracedIterator(made, operands) if any(map(_takes_part, operands)) else made


def _takes_part(operand: Any) -> bool:
    return isinstance(operand, (TracedArray, HeldArray)) or is_foreign(operand)


def _new(allocated: ndarray) -> Any:
    """Not a copy: it is this memory that the iterator hands out."""
    whole = allocated.base
    return view_of(adopt(whole), allocated) if type(whole) is ndarray and is_inexact(whole.dtype) else adopt(allocated)


class TracedIterator:
    """Has the attributes of NumPy's iterator."""

    __slots__ = ("_made", "operands")

    def __init__(self, made: np.nditer, operands: list) -> None:
        object.__setattr__(self, "_made", made)
        object.__setattr__(self, "operands", tuple(operands))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._made, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._made, name, value)

    @property
    def value(self) -> Any:
        views = self._views()
        return views[0] if len(views) == 1 else views

    def _views(self) -> tuple:
        found = self._made.value
        return tuple(map(_seen, self.operands, (found,) if type(found) is ndarray else found))

    def __getitem__(self, place: Any) -> Any:
        return self._views()[place]

    def __setitem__(self, place: Any, value: Any) -> None:
        if isinstance(place, slice):
            for view, item in zip(self[place], value, strict=True):
                view[...] = item
        else:
            self[place][...] = value

    def __len__(self) -> int:
        return len(self._made)

    def __iter__(self) -> TracedIterator:
        return self

    def __next__(self) -> Any:
        next(self._made)
        return self.value

    def __enter__(self) -> TracedIterator:
        return self

    def __exit__(self, *exception: object) -> None:
        self._made.close()

    def copy(self) -> TracedIterator:
        return TracedIterator(self._made.copy(), list(self.operands))

    __copy__ = copy


def _seen(operand: Any, found: ndarray) -> Any:
    """What stands for a view that NumPy's iterator hands out: of its buffer, if it has one."""
    if type(operand) is not TracedArray:
        return held(found) if _takes_part(operand) else found
    if same_memory(found, operand) or not found.size:
        return view_of(operand, found)
    records = recording() if found.flags.writeable else tracking([operand])
    if records:
        refuse(
            records, "np.nditer with buffers hands out plain elements",
            'Leave "buffered" and op_dtypes out, and convert with astype before.',
        )  # fmt: skip
    return found
