"""Entry points: methods and attributes of the array that compute, view or write. Each is the NumPy function of the same
name, or a view."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray
from numpy.lib.array_utils import byte_bounds, normalize_axis_index

from ._compat import SET_SHAPE, array_methods, warn_of_set_shape
from ._dispatch import tracking
from ._foreign import as_class
from ._functions import call_function, compute_plain
from ._holders import cast
from ._leaks import NoRuleError, leak_message, refuse
from ._moves import copied, move, overwrite, tracked_by, write
from ._overlaps import copy_alike, refuse_overlaps
from ._record import owners, recording
from ._traced import (
    TracedArray,
    adopt,
    completing,
    entry_point,
    is_inexact,
    root_of,
    same_memory,
    traced_leaves,
    unwrap,
    view_of,
    whole_of,
)
from ._twins import twin

# --- Methods that are functions ------------------------------------------------------------------------------------

_FUNCTIONS: dict[str, Any] = {
    "all": np.all, "any": np.any, "argmax": np.argmax, "argmin": np.argmin, "argpartition": np.argpartition,
    "argsort": np.argsort, "cumprod": np.cumprod, "cumsum": np.cumsum,
    "dot": np.dot, "max": np.max, "min": np.min, "nonzero": np.nonzero, "prod": np.prod,
    "repeat": np.repeat, "round": np.round, "searchsorted": np.searchsorted, "sum": np.sum, "take": np.take,
    "trace": np.trace, "mean": np.mean, "std": np.std, "choose": np.choose,
}  # fmt: skip


def _of_scalar(made: Any) -> Any:
    """What a method of a NumPy scalar gives: a scalar also where an array would give one without axes, as with ``out=``."""
    return made[()] if isinstance(made, ndarray) and not made.ndim else made


def _function_method(name: str, function: Callable) -> Callable:
    @functools.wraps(getattr(ndarray, name))
    def method(self: TracedArray, *args: Any, **kwargs: Any) -> Any:
        made = call_function(function, (self, *args), kwargs)
        return made if type(self._bare) is ndarray else _of_scalar(made)

    return method


for _name, _function in _FUNCTIONS.items():
    setattr(TracedArray, _name, completing(_function_method(_name, _function)))


def _conjugated(name: str) -> Callable:
    @functools.wraps(getattr(ndarray, name))
    def method(self: TracedArray, out: Any = None, /) -> Any:
        if out is None and self.dtype.kind != "c":
            return self  # and no copy, as in NumPy
        made = np.conjugate(self, out=out)
        return made if type(self._bare) is ndarray else _of_scalar(made)

    return method


for _name in ("conj", "conjugate"):
    setattr(TracedArray, _name, _conjugated(_name))


def _numpys_method(name: str, code: Callable) -> Callable:
    """``x.var`` and its kin are Python code inside NumPy, which ``np.var`` calls in turn."""

    @functools.wraps(getattr(ndarray, name))
    def method(self: TracedArray, *args: Any, **kwargs: Any) -> Any:
        if recording() and tracking(traced_leaves([self, args, kwargs])):
            made = twin(code)(self, *args, **kwargs)
        else:
            made = compute_plain(code, (self, *args), kwargs)
        return made if type(self._bare) is ndarray else _of_scalar(made)

    return method


for _name in ("var", "clip"):
    setattr(TracedArray, _name, completing(_numpys_method(_name, getattr(array_methods(), f"_{_name}"))))


# np.put itself may be a name in place when the method is called.
_NUMPYS_PUT, _NUMPYS_COMPRESS = np.put, np.compress


@entry_point
def compress(self: TracedArray, condition: Any, axis: Any = None, out: Any = None) -> Any:
    return call_function(_NUMPYS_COMPRESS, (condition, self), {"axis": axis, "out": out})


# --- Views ---------------------------------------------------------------------------------------------------------


def as_view(self: TracedArray, r: Any, same_start: bool = False) -> Any:
    """The traced form of what a view method gave for the plain data."""
    if r is self._bare:
        return self
    if same_start and type(r) is ndarray and r.size:
        return view_of(self, r, True)
    if type(r) is ndarray and type(self._bare) is ndarray and (same_memory(r, self) or not r.size):
        return view_of(self, r)
    return self if isinstance(r, np.generic) and r.dtype == self.dtype else move(self, r)


@entry_point
def reshape(self: TracedArray, *shape: Any, order: str = "C", copy: bool | None = None) -> Any:
    bare = self._bare
    if type(bare) is not ndarray:
        return move(self, bare.reshape(*shape, order=order))
    keywords = {"order": order} if copy is None else {"order": order, "copy": copy}
    r = bare.reshape(*shape, **keywords)
    if same_memory(r, self) or not bare.size:
        return as_view(self, r, True)
    if order == "A":
        order = "F" if bare.flags.fnc else "C"
    if order == "F":
        return self.T.reshape(r.shape[::-1]).T
    return copied(self, "C").reshape(r.shape)


def _axes_in_memory(bare: ndarray) -> list[int]:
    """The axes by their steps, those that are stretched where they stand: the order "K"."""
    stretched = [axis for axis in range(bare.ndim) if not bare.strides[axis]]
    others = iter(sorted(set(range(bare.ndim)) - {*stretched}, key=lambda axis: -abs(bare.strides[axis])))
    return [axis if axis in stretched else next(others) for axis in range(bare.ndim)]


@entry_point
def ravel(self: TracedArray, order: Any = "C") -> Any:
    bare = self._bare
    if order == "K":
        axes = _axes_in_memory(bare) if bare.ndim > 1 else None
        return _contiguous((self if axes is None else self.transpose(axes)).reshape(-1))
    return _contiguous(self.reshape(-1, order=order))


def _contiguous(flat: Any) -> Any:
    """What NumPy's ravel gives: unlike reshape, it makes a copy of a row with steps."""
    if type(flat) is not TracedArray or type(flat._bare) is not ndarray or flat._bare.flags.c_contiguous:
        return flat
    return copied(flat) if recording() else flat._bare.copy()


@entry_point
def flatten(self: TracedArray, order: Any = "C") -> Any:
    flat: Any = self.ravel(order)
    return copied(flat) if recording() else unwrap(flat).copy()


@entry_point
def transpose(self: TracedArray, *axes: Any) -> Any:
    return as_view(self, self._bare.transpose(*axes), True)


@entry_point
def swapaxes(self: TracedArray, axis1: int, axis2: int) -> Any:
    return as_view(self, self._bare.swapaxes(axis1, axis2), True)


@entry_point
def squeeze(self: TracedArray, axis: Any = None) -> Any:
    return as_view(self, self._bare.squeeze(axis), True)


@entry_point
def diagonal(self: TracedArray, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return as_view(self, self._bare.diagonal(offset, axis1, axis2))


@entry_point
def _view_by(self: TracedArray, function: Callable, *args: Any, **kwargs: Any) -> Any:
    """The view that a function of NumPy makes of the array."""
    if type(self._bare) is not ndarray:
        self = move(self, np.asarray(self._bare))  # NumPy makes an array of a scalar first
        if not isinstance(self, TracedArray):
            return function(self, *args, **kwargs)
    result = function(self._bare, *args, **kwargs)
    root = root_of(self)
    first, end = byte_bounds(root) if root.size else (0, 0)  # of no elements, NumPy counts the memory backwards
    if result.size and not first <= byte_bounds(result)[0] <= byte_bounds(result)[1] <= end:
        raise NoRuleError(leak_message(f"{function.__name__} looks beyond the memory of the array", "Look at a part of it."))
    if any(step % result.itemsize for step, n in zip(result.strides, result.shape, strict=True) if n > 1):
        what = f"{function.__name__} makes elements of parts of two others"
        raise NoRuleError(leak_message(what, "Give it strides that are multiples of x.itemsize."))
    made = self if result is self._bare else view_of(self, result)  # also of no elements of it, as it may look beside them
    if made is not self and not result.flags.writeable:
        made.setflags(write=False)  # also where it is made from a NumPy scalar, so not a view
    return made


def _real(self: TracedArray) -> Any:
    bare = self._bare
    if type(bare) is ndarray or bare.dtype.kind != "c":
        return as_view(self, bare.real)
    return self[None].real[0]


def _imag(self: TracedArray) -> Any:
    bare = self._bare
    if bare.dtype.kind != "c":
        return adopt(bare.imag) if recording() else bare.imag
    return as_view(self, bare.imag) if type(bare) is ndarray else self[None].imag[0]


def _set_real(self: TracedArray, value: Any) -> None:
    self.real[...] = value


def _set_imag(self: TracedArray, value: Any) -> None:
    if self.dtype.kind != "c":
        ndarray.imag.__set__(self, value)  # type: ignore[attr-defined]  # raises NumPy's own error
    self.imag[...] = value


@completing
def _set_shape(self: TracedArray, shape: Any) -> None:
    bare = self._bare.reshape(shape)
    if not np.may_share_memory(bare, self._bare) and bare.size:
        raise AttributeError("Incompatible shape for in-place modification. Use `.reshape()` to make a copy.")
    view = view_of(self, bare)
    SET_SHAPE(self, shape)
    for record in owners(self._storage):
        record.mark_also(self._storage, self._view, view._view)
    self._bare, self._view = bare, view._view


def _refuse_attribute(self: TracedArray, value: Any) -> None:
    raise AttributeError("dtype and strides of a traced array are not set in place: use view, reshape or astype")


def _assign_shape(self: TracedArray, shape: Any) -> None:
    warn_of_set_shape(stacklevel=3)
    _set_shape(self, shape)


# NumPy 2.5 has methods for this as well.
setattr(TracedArray, "_set_shape", _set_shape)
setattr(TracedArray, "_set_dtype", _refuse_attribute)


for _name, _property in {
    "T": property(completing(lambda self: as_view(self, self._bare.T, True))),
    "mT": property(completing(lambda self: as_view(self, self._bare.mT, True))),
    "real": property(completing(_real), _set_real),
    "imag": property(completing(_imag), _set_imag),
    "shape": property(ndarray.shape.__get__, _assign_shape),  # type: ignore[attr-defined]
    "dtype": property(ndarray.dtype.__get__, _refuse_attribute),  # type: ignore[attr-defined]
    "strides": property(ndarray.strides.__get__, _refuse_attribute),  # type: ignore[attr-defined]
    "flags": property(completing(lambda self: self._bare.flags)),
    # The whole array that a view looks at is traced too, so that what is done to it is seen.
    "base": property(completing(whole_of)),
}.items():
    setattr(TracedArray, _name, _property)


@entry_point
def view(self: TracedArray, dtype: Any = None, type: Any = None) -> Any:
    if inspect.isclass(dtype) and issubclass(dtype, ndarray):
        dtype, type = None, dtype
    if type is not None and type is not TracedArray:
        return as_class(self, dtype, type)
    if dtype is None:
        return self[...] if isinstance(self._bare, ndarray) else self
    r = self._bare.view(dtype)
    if r.real.dtype == self.dtype.type(0).real.dtype.newbyteorder(self.dtype.byteorder):
        return as_view(self, r)
    records = tracked_by(self)
    if records:
        refuse(records, f"the bits of a traced array of {self.dtype} are viewed as {r.dtype}")
    return r


# --- Copies --------------------------------------------------------------------------------------------------------


@entry_point
def copy(self: TracedArray, order: Any = "C") -> Any:
    bare = self._bare
    return move(self, bare.copy(order) if type(bare) is ndarray else bare)


@entry_point
def astype(
    self: TracedArray, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True, copy: bool = True
) -> Any:
    bare, dtype = self._bare, unwrap(dtype)
    r = bare.astype(dtype, order=order, casting=casting, copy=copy)
    if r is bare and type(bare) is ndarray:
        return self
    wanted = np.dtype(dtype)  # of a Python number, where a scalar becomes an object
    return move(self, r) if is_inexact(wanted) else cast(self, r, wanted)


@entry_point
def to_device(self: TracedArray, device: Any, /, *, stream: Any = None) -> Any:
    self._bare.to_device(device, stream=stream)
    return self


# --- Writes --------------------------------------------------------------------------------------------------------


@entry_point
def fill(self: TracedArray, value: Any) -> None:
    if np.ndim(value):  # where NumPy takes one element only, its own error says so
        np.empty((), self.dtype).fill(unwrap(value))
    if type(self._bare) is ndarray:  # filling a NumPy scalar changes nothing
        write(self, ..., value, True)


@entry_point
def put(self: TracedArray, indices: Any, values: Any, mode: str = "raise") -> None:
    call_function(_NUMPYS_PUT, (self, indices, values), {"mode": mode})


def _in_order(self: TracedArray, in_place: Callable, order_of: Callable, axis: int) -> None:
    """Rearrange along an axis: the gather is recorded, the value is what NumPy's method gives."""
    exact = copy_alike(self)
    in_place(exact)
    if tracked_by(self):
        refuse_overlaps(self, "a method that puts elements in order")
        self[...] = np.take_along_axis(self, order_of(self._bare), int(axis))
        overwrite(self, exact)
    else:
        write(self, ..., exact, True)


@entry_point
def sort(self: TracedArray, axis: int = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> None:
    _in_order(
        self,
        lambda plain: plain.sort(axis=axis, kind=kind, order=order, stable=stable),
        lambda plain: plain.argsort(axis=axis, kind="stable"),
        axis,
    )


@entry_point
def partition(self: TracedArray, kth: Any, axis: int = -1, kind: str = "introselect", order: Any = None) -> None:
    normalize_axis_index(axis, self.ndim)  # argsort takes a 0-d array for one of length 1

    def in_place(plain: ndarray) -> None:
        plain.partition(kth, axis=axis, kind=kind, order=order)  # type: ignore[call-overload]

    def order_of(plain: ndarray) -> ndarray:
        # Which of several partitions NumPy chooses is not specified: each element is found by its rank.
        parted = plain.copy()
        in_place(parted)
        chosen = np.empty(plain.shape, np.intp)
        np.put_along_axis(chosen, parted.argsort(axis=axis, kind="stable"), plain.argsort(axis=axis, kind="stable"), axis)
        return chosen

    _in_order(self, in_place, order_of, axis)


def _refused_method(name: str, cure: str) -> Callable:
    @functools.wraps(getattr(ndarray, name))
    def method(self: TracedArray, *args: Any, **kwargs: Any) -> Any:
        if name == "byteswap" and not (args or kwargs or tracked_by(self)):  # of data read from a file
            return adopt(self._bare.byteswap())
        raise NotImplementedError(f"ndarray.{name} of a traced array is not followed; {cure}")

    return method


for _name, _cure in {
    "resize": "use np.resize, which makes a new array",
    "byteswap": "use astype with another byte order",
    "getfield": "use view or real and imag",
    "setfield": "use view or real and imag",
}.items():
    setattr(TracedArray, _name, _refused_method(_name, _cure))


@entry_point
def setflags(self: TracedArray, write: Any = None, align: Any = None, uic: Any = None) -> None:
    self._bare.setflags(write=write, align=align, uic=uic)  # its own memory stays sealed
