"""The array class: its slots, and how one is made. Its entry points are given to it by ``_operators``, ``_indexing``,
``_methods``, ``_conversions`` and ``_protocols``, one topic each.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from sys import _getframe
from types import FrameType
from typing import Any, TypeVar

import numpy as np
from numpy import ndarray

from ._collector import records_live
from ._leaks import refuse_unrecorded
from ._record import recording, tracking_records
from ._storage import NOTHING, IndexView, Layout, Storage, StridedView, View, address, interned, memory_order, shapes

_F = TypeVar("_F", bound=Callable)

FLOAT64 = np.dtype(np.float64)
# Compared by identity on the hot path: NumPy has one object per native dtype.
_SEEN_KINDS = frozenset("biuSUTmM")
_INEXACT = {np.dtype(t) for t in np.typecodes["AllFloat"]}


# What stands for plain arrays and numbers says that it is of their class: see ``_type_questions``, which has the answers.
# In the body of a class, since a class that is made has a ``__class__`` of its own.
PLAIN_CLASS = property(lambda array: array._class_for(_getframe(1)))


class SeenArray(ndarray):
    """An array whose calls npgrad sees. One of this class itself holds integers or truth values that were made while a tape
    records: see ``_seen``. The base of `TracedArray`, so that its hooks come first where they meet."""

    __slots__ = ()
    __class__ = PLAIN_CLASS  # type: ignore[assignment]
    _class_for: Callable[[FrameType], Any]


class TracedArray(SeenArray):
    """A NumPy array whose use is logged by the tapes that record.

    It holds real data: shape, dtype, strides, printing and buffer access are NumPy's. Make one with `npgrad.array`
    or `GradientTape.watch`; every floating or complex array that is made while a tape records is one too. Outside
    any recording tape it computes as NumPy does and its results are plain NumPy.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> x = ng.array([1.0, 2.0])
    >>> isinstance(x, np.ndarray), type(x + 1)
    (True, <class 'numpy.ndarray'>)
    """

    # _bare: the same memory as a plain ndarray, or the NumPy scalar that this array stands for;
    # _view: which part of the storage, None for the whole; _whole: what it is a view of, where that is known.
    __slots__ = ("_bare", "_storage", "_view", "_whole")

    _bare: Any
    _storage: Storage
    _view: View | None
    _whole: TracedArray

    def _part(self, bare: ndarray) -> TracedArray:
        """A view of this array's storage: ``bare`` shares its memory."""
        return view_of(self, bare)


class PythonNumber(TracedArray):
    """What stands for a float or complex number of Python's, which takes the precision of the array that it meets. Its
    operators are in ``_python_numbers``; its bare value is NumPy's scalar of the same bits."""

    __slots__ = ()


def seen(result: Any) -> Any:
    """A result, which is seen while a tape records if it is an array of integers or truth values."""
    return as_seen(result) if type(result) is ndarray and recording() else result


def as_seen(array: ndarray) -> ndarray:
    """The array, or a view of it that is seen if it holds what numbers are made of, as integers, truth values and text."""
    return array.view(SeenArray) if array.dtype.kind in _SEEN_KINDS else array


def entry_point(function: _F) -> _F:
    """Give a method to the array class, under its own name. It has one frame more between it and its caller."""
    setattr(TracedArray, function.__name__, completing(function))  # type: ignore[attr-defined]
    return function


def short_entry_point(function: _F) -> _F:
    """As `entry_point`, for one that calls itself `again` and is called as it is."""
    setattr(TracedArray, function.__name__, function)  # type: ignore[attr-defined]
    return function


def is_inexact(dtype: np.dtype) -> bool:
    """Whether arrays of this dtype carry derivatives."""
    return dtype is FLOAT64 or dtype in _INEXACT or dtype.kind in "fc"


# ``seal(traced, False)``: whatever reaches the memory past our hooks (np.asarray outside the tape, a memoryview, compiled
# code with an out=) may read it, but not write it: saved values live there. Our own writes go through ``_bare``.
seal: Callable[[ndarray, bool], None] = ndarray.setflags  # type: ignore[assignment]


def fresh(bare: Any, tracked: frozenset = NOTHING, element: type[TracedArray] = TracedArray) -> TracedArray:
    """The traced array of memory (or a scalar, of the class ``element``) that nobody else refers to."""
    if type(bare) is ndarray:
        traced = bare.view(TracedArray)
        seal(traced, False)
    else:
        if not isinstance(bare, np.generic):
            element = PythonNumber
            bare = _float64(bare) if isinstance(bare, float) else _complex128(bare)
        traced = np.asarray(bare).view(element)
    storage = Storage()
    storage.tracked = tracked
    storage.epoch = None
    storage.shape = interned(bare.shape)
    storage.dtype = bare.dtype
    traced._bare = bare
    traced._storage = storage
    traced._view = None
    return traced


def fresh_scalar(scalar: Any, tracked: frozenset) -> TracedArray:
    """The traced array that stands for a NumPy scalar."""
    traced = _asarray(scalar).view(TracedArray)
    storage = Storage()
    storage.tracked = tracked
    storage.epoch = None
    storage.shape = ()
    storage.dtype = scalar.dtype
    traced._bare = scalar
    traced._storage = storage
    traced._view = None
    return traced


# NumPy's own also while a tape records.
_asarray, _array, _float64, _complex128 = np.asarray, np.array, np.float64, np.complex128


def standing_for(element: type[TracedArray], scalar: TracedArray) -> TracedArray:
    """The same storage as a number of Python's or a scalar of NumPy's."""
    traced: Any = _asarray(scalar._bare).view(element)
    traced._bare, traced._storage, traced._view = scalar._bare, scalar._storage, scalar._view
    return traced


def adopt(result: Any, tracked: frozenset = NOTHING) -> Any:
    """What a hooked call gives back for a plain result: floating and complex data traced, the rest as it is."""
    kind = type(result)
    if kind is ndarray:
        if result.dtype is not FLOAT64 and not is_inexact(result.dtype):
            return seen(result)
        if isinstance(result.base, ndarray):
            result = result.copy(order="K")  # `root_of` relies on every whole owning its memory
        return fresh(result, tracked)
    if issubclass(kind, np.generic):  # and no traced array that passes for one
        return fresh_scalar(result, tracked) if is_inexact(result.dtype) else result
    if kind is float or kind is complex:
        return fresh(result, tracked)
    return result


def is_spread(result: ndarray) -> bool:
    """Whether new data lies in its memory as no copy of it would: with gaps, as the real parts of complex numbers, or in
    reverse."""
    return not result.flags.forc and result.size > 0 and np.empty_like(result).strides != result.strides


def new_array(result: Any) -> Any:
    """As `adopt`, where NumPy may have made a part of a larger array: on how it lies depends what is a view of it and what a
    copy, and in which order elements are added."""
    if type(result) is ndarray:
        whole = result.base
        if type(whole) is ndarray and whole.base is None and is_inexact(whole.dtype) and is_spread(result):
            return adopt(whole)._part(result) if is_inexact(result.dtype) else seen(result)
    return adopt(result)


def as_it_lies(value: ndarray) -> ndarray:
    """A copy that lies in its memory as the array does: in reverse where that is, with gaps where it has gaps, though small
    ones. On that depends how NumPy computes products of it, and what is a view of it."""
    made = _array(value, order="K")
    if not is_spread(value):
        return made
    itemsize, steps, offset, needed = value.itemsize, list(made.strides), 0, 1
    last, last_step = itemsize, 1  # where the next axis would go on without a gap, in the array and in the copy
    for axis in sorted(range(value.ndim), key=lambda n: abs(value.strides[n])):
        n, stride = value.shape[axis], abs(value.strides[axis])
        if n == 1:
            continue
        if stride < itemsize * needed:
            return made  # its elements share memory
        step = min(stride // itemsize, 2 * needed)
        if (step == last_step) != (stride == last):
            step = last_step if stride == last else step + 1
        last, last_step = stride * n, step * n
        backwards = value.strides[axis] < 0
        offset += step * (n - 1) if backwards else 0
        needed += step * (n - 1)
        steps[axis] = itemsize * (-step if backwards else step)
    made = ndarray(value.shape, value.dtype, np.zeros(needed, value.dtype), itemsize * offset, steps)
    made[...] = value
    return made


def root_of(traced: TracedArray) -> ndarray:
    """The plain array of the whole storage: NumPy lets every view refer to the owner of the memory."""
    return traced._bare if traced._view is None else traced._bare.base


def on_memory_of(array: ndarray) -> TracedArray:
    """A traced array on the memory of a plain one. Through a memoryview, so that its views refer to it as the whole."""
    return fresh(np.asarray(memoryview(array)) if array.dtype.isnative else array)  # type: ignore[arg-type]


def over(bare: ndarray, storage: Storage, view: View | None) -> TracedArray:
    """The traced array for a part of a storage that is known."""
    traced = bare.view(TracedArray) if type(bare) is ndarray else _asarray(bare).view(TracedArray)
    if type(bare) is ndarray:
        seal(traced, False)
    traced._bare = bare
    traced._storage = storage
    traced._view = view
    return traced


def index_view(parent: TracedArray, bare: ndarray, key: Any) -> TracedArray:
    """The view ``parent[key]`` for a basic index."""
    view = parent._view
    if view is not None:
        if type(view) is StridedView:
            if view.overlaps:
                return view_of(parent, bare)
        elif _depth(view) > 6:
            return view_of(parent, bare)
    traced: Any = bare.view(TracedArray)
    seal(traced, False)
    traced._bare = bare
    traced._storage = storage = parent._storage
    traced._view = made = _new_index_view()
    made.parent = view
    made.key = key
    shape = bare.shape
    made.shape = _interned(shape, shape)
    made.dtype = bare.dtype
    made.layout = None if view is None else view.layout
    if storage.is_variable:
        tracking_records((storage,))  # a view is a use: tapes that record watch the Variable
    else:
        traced._whole = parent if view is None else getattr(parent, "_whole", parent)
    return traced


_new_index_view = IndexView
_interned = shapes.setdefault


def _depth(view: View | None) -> int:
    depth = 0
    while type(view) is IndexView:
        view = view.parent
        depth += 1
    return depth


def view_of(parent: TracedArray, bare: ndarray, same_start: bool = False) -> TracedArray:
    """Any other view of the memory of ``parent``, found by its address; ``same_start`` says that it is the parent's."""
    root = root_of(parent)
    view = parent._view
    if same_start and (view is None or type(view) is StridedView):
        offset = 0 if view is None else view.offset
    elif not bare.size or (bare.nbytes == root.nbytes and bare.flags.c_contiguous and root.flags.c_contiguous):
        offset = 0
    else:
        offset = address(bare) - address(root)
    if bare.base is not root:
        writeable = bare.flags.writeable
        block = root.transpose(memory_order(root))
        bare = ndarray(bare.shape, bare.dtype, block, offset, bare.strides)
        bare.flags.writeable = writeable
    traced = bare.view(TracedArray)
    seal(traced, False)
    traced._bare = bare
    traced._storage = storage = parent._storage
    traced._view = StridedView(offset, bare, Layout(root))
    if storage.is_variable:
        tracking_records((storage,))
    else:
        traced._whole = parent if view is None else getattr(parent, "_whole", parent)
    return traced


def whole_of(traced: TracedArray) -> TracedArray | None:
    """The array that a view is a view of; None for one that owns its memory. A view keeps no Variable alive, as tapes name
    those that live."""
    storage = traced._storage
    if traced._view is None:
        return None
    whole = getattr(traced, "_whole", storage.variable if storage.is_variable else None)  # type: ignore[attr-defined]
    return over(root_of(traced), traced._storage, None) if whole is None or whole._view is not None else whole


def same_memory(bare: Any, parent: TracedArray) -> bool:
    """Whether a result that NumPy made from ``parent`` is a view of it."""
    return type(bare) is ndarray and bare.base is not None and np.may_share_memory(bare, parent._bare)


# --- Arrays that no hook of ours has made --------------------------------------------------------------------------


def complete(arguments: Any) -> bool:
    """Give their slots to traced arrays that compiled code has made outside of all tapes, where nothing is lost; whether
    there were any."""
    if type(arguments) is TracedArray and hasattr(arguments, "_view"):
        return False
    found = [traced for traced in traced_leaves(arguments) if not hasattr(traced, "_view")]
    for traced in found:
        if recording() or (is_inexact(traced.dtype) and records_live()):
            refuse_unrecorded()
        made = fresh(ndarray.view(traced, ndarray))
        traced._bare, traced._storage, traced._view = made._bare, made._storage, None
    return bool(found)


def again(function: Callable, *args: Any, **kwargs: Any) -> Any:
    """Handle an AttributeError: if it came of incomplete arguments, call the function again. So that nobody has to ask for
    them in advance: a ``__getattr__`` would make each use of a slot take five times as long."""
    if not complete([args, kwargs]):
        raise
    return function(*args, **kwargs)


def completing(function: Callable) -> Callable:
    """A function of traced arrays, of which some may be incomplete."""

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except AttributeError:
            return again(function, *args, **kwargs)

    return called


def unwrap(value: Any) -> Any:
    """The plain data of an argument, also inside lists, tuples and dicts."""
    if isinstance(value, TracedArray):
        try:
            return value._bare
        except AttributeError:
            return again(unwrap, value)
    kind = type(value)
    if kind is SeenArray:
        return value.view(ndarray)
    if kind is list or kind is tuple:
        for item in value:
            if isinstance(item, (TracedArray, SeenArray, list, tuple, dict)):
                return kind([unwrap(item) for item in value])
    elif kind is dict:
        return {key: unwrap(item) for key, item in value.items()}
    return value


_SEARCHED = frozenset([list, tuple, dict])


def traced_leaves(value: Any) -> list[TracedArray]:
    """The traced arrays inside an argument."""
    kind = type(value)
    if kind not in _SEARCHED:
        return [value] if isinstance(value, TracedArray) else []
    found: list[TracedArray] = []
    for item in value.values() if kind is dict else value:
        kind = type(item)
        if kind is TracedArray:
            found.append(item)
        elif kind in _SEARCHED:
            found += traced_leaves(item)
        elif isinstance(item, TracedArray):
            found.append(item)
    return found
