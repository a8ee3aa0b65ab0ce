"""NumPy's creators and conversions on traced data: what makes a new array traced, and keeps a traced one.

They reach no protocol of an array; ``_namespace`` puts these forms in place of them for users, ``_twins`` for NumPy's
own Python code.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ._compat import array_converter, forbids_copy, wants_copy
from ._handed_out import handed_out
from ._holders import HOLDING, held_like, refuse_tracked, structured
from ._moves import arrays_of, assemble, check_boxes, copied, move, overwrite
from ._nditer import nditer, nested_iters
from ._objects import ObjectArray, as_objects, cast_to_objects
from ._storage import RowStorage
from ._traced import SeenArray, TracedArray, adopt, fresh, is_inexact, traced_leaves, unwrap, view_of

# --- Conversions: np.array, np.asarray and their kin ---------------------------------------------------------------


def _from_plain(obj: Any, result: Any) -> Any:
    """A new array is traced, so that a later write of tracked data into it is seen; the user's own array stays his."""
    if type(result) is not ndarray or result is obj:
        return result
    if type(obj) is SeenArray:
        same = (result.shape, result.strides, result.dtype) == (obj.shape, obj.strides, obj.dtype)
        return obj if same and np.may_share_memory(result, obj) else adopt(result)
    if isinstance(obj, ndarray) and np.may_share_memory(result, obj):
        return held_like(obj, result)
    holding = HOLDING.get(result.dtype.kind)
    if holding is not None:
        return result.view(holding)
    if result.base is None or isinstance(result.base, ndarray) or not is_inexact(result.dtype):
        return adopt(result)
    # The memory of a buffer, in which its owner may write: as a view that is copied when a rule needs it.
    whole = fresh(result)
    whole._storage.__class__ = RowStorage
    return view_of(whole, result)


def _converted(obj: TracedArray, dtype: Any, order: Any, copy: bool, ndmin: int = 0) -> Any:
    bare = obj._bare
    wanted = obj.dtype if dtype is None else np.dtype(dtype)
    check_boxes(obj, wanted)
    if wanted.kind == "O":
        return cast_to_objects(obj, np.array(bare, object, order=order, ndmin=ndmin))
    if type(bare) is not ndarray:
        plain = np.array(bare, dtype=wanted, order=order, ndmin=ndmin)  # a NumPy scalar becomes an array
        return move(obj, plain)
    if not is_inexact(wanted):
        return np.array(bare, dtype=wanted, order=order, ndmin=ndmin)
    if wanted != obj.dtype:
        made = obj.astype(wanted, order="K" if order is None else order)
    elif copy or (order == "C" and not bare.flags.c_contiguous) or (order == "F" and not bare.flags.f_contiguous):
        made = copied(obj, "K" if order is None else order)
    else:
        made = obj
    return made.reshape((1,) * (ndmin - made.ndim) + made.shape) if ndmin > made.ndim else made


def _assembled(obj: Any, dtype: Any, order: Any) -> Any:
    made = assemble(obj, dtype)
    if made.dtype.kind == "O":
        made = made.view(ObjectArray)
    if order != "F" or made.ndim < 2:
        return made
    return copied(made, "F") if isinstance(made, TracedArray) else _np_asarray(made, order="F")


def _check_copy(obj: Any, dtype: Any, copy: Any, order: Any) -> None:
    """NumPy's error where a copy is forbidden and needed."""
    if forbids_copy(copy):
        _np_array(unwrap(obj), dtype=dtype, copy=False, order=order)


def _items(obj: Any, dtype: Any) -> Any:
    """The items of an array of objects, some traced, that shall be numbers."""
    if type(obj) in (ndarray, ObjectArray) and obj.dtype.kind == "O" and dtype is not None and is_inexact(np.dtype(dtype)):
        return obj.tolist() if obj.ndim else obj
    return obj


def _array(
    obj: Any, dtype: Any = None, *, copy: Any = True, order: Any = "K", subok: bool = False, ndmin: int = 0, like: Any = None
) -> Any:
    given = _items(obj, dtype)
    obj = handed_out(given)
    _check_copy(obj, dtype, copy, order)
    if isinstance(obj, TracedArray):
        return _converted(obj, dtype, order, wants_copy(copy), ndmin)
    if type(obj) in (list, tuple) and traced_leaves(obj):
        made = _assembled(given, dtype, order)
        return made.reshape((1,) * (ndmin - made.ndim) + made.shape) if ndmin > made.ndim else made
    return _from_plain(obj, _np_array(obj, dtype=dtype, copy=copy, order=order, subok=subok, ndmin=ndmin))


def _asarray(obj: Any, dtype: Any = None, order: Any = None, *, copy: Any = None, **_: Any) -> Any:
    given = _items(obj, dtype)
    obj = handed_out(given)
    _check_copy(obj, dtype, copy, order)
    if isinstance(obj, TracedArray):
        return _converted(obj, dtype, order, wants_copy(copy))
    if type(obj) in (list, tuple) and traced_leaves(obj):
        return _assembled(given, dtype, order)
    return _from_plain(obj, _np_asarray(obj, dtype=dtype, order=order, copy=copy))


def _ascontiguousarray(obj: Any, dtype: Any = None, *, like: Any = None) -> Any:
    made = _asarray(obj, dtype, "C")
    return made.reshape(1) if np.ndim(made) == 0 else made


def _asfortranarray(obj: Any, dtype: Any = None, *, like: Any = None) -> Any:
    made = _asarray(obj, dtype, "F")
    return made.reshape(1) if np.ndim(made) == 0 else made


def _asarray_chkfinite(obj: Any, dtype: Any = None, order: Any = None) -> Any:
    made = _asarray(obj, dtype, order)
    if made.dtype.kind in "fc" and not np.isfinite(made).all():
        raise ValueError("array must not contain infs or NaNs")
    return made


_np_array, _np_asarray, _np_arange = np.array, np.asarray, np.arange

# --- Creators ------------------------------------------------------------------------------------------------------


def _adopting(original: Callable, convert: Callable = arrays_of, count: int | None = None) -> Callable:
    """A creator whose results are new arrays; ``convert`` is for arguments (the first ``count`` of them, and those that are
    given by name) that are lists with traced arrays inside."""

    def converted(a: Any) -> Any:
        a = handed_out(a)
        return convert(a) if type(a) in (list, tuple) and traced_leaves(a) else a

    @functools.wraps(original)
    def creator(*args: Any, **kwargs: Any) -> Any:
        made = [converted(a) for a in args[:count]]
        result = original(*made, *args[len(made) :], **{name: converted(a) for name, a in kwargs.items()})
        if type(result) is tuple or type(result) is list:
            return type(result)([_from_plain(None, r) for r in result])
        return result if result is kwargs.get("out") else _from_plain(None, result)

    return creator


def _like(original: Callable) -> Callable:
    """A creator that takes of an array what it looks like, and nothing of what it holds."""

    def plain(a: Any) -> Any:
        return a._bare if type(a) is TracedArray else unwrap(handed_out(a))

    @functools.wraps(original)
    def creator(*args: Any, **kwargs: Any) -> Any:
        return _from_plain(None, original(*map(plain, args), **{name: plain(a) for name, a in kwargs.items()}))

    return creator


def _repeating(original: Callable) -> Callable:
    adopting = _adopting(original, assemble)

    @functools.wraps(original)
    def creator(*args: Any, **kwargs: Any) -> Any:
        counts = {name: value if name in ("a", "A") else unwrap(value) for name, value in kwargs.items()}
        return adopting(*args[:1], *unwrap(args[1:]), **counts)

    return creator


def _full(shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C", **kwargs: Any) -> Any:
    fill_value = handed_out(fill_value)
    plain = _NUMPYS_FULL(shape, unwrap(fill_value), dtype, order, **kwargs)
    made = _from_plain(None, plain)
    if plain.dtype.kind == "O" and traced_leaves(fill_value):
        plain[...] = as_objects(assemble(fill_value))
    elif isinstance(made, TracedArray) and traced_leaves(fill_value):
        with np.errstate(all="ignore"):  # NumPy has warned, here and below
            made[...] = assemble(fill_value)
        overwrite(made, plain)
    return made


_NUMPYS_FULL = np.full


def _full_like(a: Any, fill_value: Any, *args: Any, **kwargs: Any) -> Any:
    fill_value = handed_out(fill_value)
    plain = _NUMPYS_FULL_LIKE(unwrap(a), unwrap(fill_value), *args, **kwargs)
    made = _from_plain(None, plain)
    if plain.dtype.kind == "O" and traced_leaves(fill_value):
        plain[...] = as_objects(assemble(fill_value))
    elif isinstance(made, TracedArray) and traced_leaves(fill_value):
        with np.errstate(all="ignore"):  # NumPy has warned, here and below
            made[...] = assemble(fill_value)
        overwrite(made, plain)
    return made


_NUMPYS_FULL_LIKE = np.full_like


def _arange(*args: Any, **kwargs: Any) -> Any:
    plain = _np_arange(*unwrap(args), **unwrap(kwargs))
    if not traced_leaves([args, kwargs]) or not is_inexact(plain.dtype):
        return adopt(plain)
    names = dict(zip(("start", "stop", "step"), args, strict=False), **kwargs)
    if names.get("stop") is None:
        names["start"] = None  # what was given is where it stops
    start, step = [default if names.get(n) is None else names[n] for n, default in (("start", 0.0), ("step", 1.0))]
    with np.errstate(all="ignore"):
        made = start + _np_arange(plain.size) * step
    if not isinstance(made, TracedArray):
        return adopt(plain)  # the stop only says how many there are
    made = made.reshape(plain.shape)  # NumPy takes an array of one number, too
    overwrite(made, plain)
    return made


def _fromiter(iterable: Any, dtype: Any, count: int = -1, *, like: Any = None) -> Any:
    items = list(iterable if count < 0 else itertools.islice(iterable, count))
    plain = adopt(_NUMPYS_FROMITER(unwrap(items), dtype, count))
    if plain.dtype.names is not None:
        return structured(plain, items)
    if not isinstance(plain, TracedArray) or not traced_leaves(items):
        return plain
    if plain.ndim == 1:
        return assemble([i.reshape(()) if isinstance(i, ndarray) else i for i in items], plain.dtype)
    for row, item in zip(plain, items, strict=True):
        row[...] = item
    return plain


_NUMPYS_FROMITER = np.fromiter


def _require(a: Any, dtype: Any = None, requirements: Any = None, *, like: Any = None) -> Any:
    if not isinstance(a, TracedArray):
        return _from_plain(a, np.require(_asarray(a), dtype, requirements))
    plain = np.require(a._bare, dtype, requirements)
    if plain is a._bare or not is_inexact(plain.dtype):
        return a if plain is a._bare else plain
    return _converted(a, plain.dtype, "F" if plain.flags.fnc else "C", True)


def _kaiser(M: Any, beta: Any) -> Any:
    plain = _NUMPYS_KAISER(M, unwrap(beta))
    if not traced_leaves(beta):
        return adopt(plain)
    middle = (M - 1) / 2.0
    height = np.sqrt(1 - ((_np_arange(plain.size) - middle) / middle) ** 2.0) if plain.size > 1 else np.ones(plain.size)
    with np.errstate(all="ignore"):
        made: Any = np.i0(beta * height) / np.i0(beta)
    overwrite(made, plain)
    return made


_NUMPYS_KAISER = np.kaiser


class _TracedConverter:
    """What NumPy's Python code converts its arguments with, keeping traced arrays."""

    def __init__(self, *args: Any) -> None:
        self._args = args
        self._arrays = [_asarray(a) for a in args]
        plain = [unwrap(a) for a in args]
        scalars = tuple([np.ndim(a) == 0 and not isinstance(a, ndarray) for a in plain])
        self.scalar_input = scalars if len(scalars) > 1 else scalars[0]

    def as_arrays(self, *, subok: bool = True, pyscalars: Any = None) -> tuple:
        if pyscalars == "preserve":
            kept = (bool, int, float, complex)
            return tuple([a if type(a) in kept else b for a, b in zip(self._args, self._arrays, strict=True)])
        return tuple(self._arrays)

    def __getitem__(self, position: int) -> Any:
        return self._arrays[position]

    def result_type(self, **kwargs: Any) -> Any:
        return array_converter()(*[unwrap(a) for a in self._args]).result_type(**kwargs)

    def wrap(self, arr: Any, /, to_scalar: Any = None) -> Any:
        return arr


def _frombuffer(buffer: Any, *args: Any, **kwargs: Any) -> Any:
    refuse_tracked([buffer], "np.frombuffer takes the bits of a traced array", "Use reshape(-1) or view(dtype).")
    return _from_plain(None, _NUMPYS_FROMBUFFER(unwrap(buffer), *args, **kwargs))


def of_memory(shape: Any, dtype: Any = float, buffer: Any = None, *args: Any, **kwargs: Any) -> Any:
    """``np.ndarray(...)``: new memory, or a look at that of a buffer."""
    made: Any = ndarray(shape, dtype, unwrap(buffer), *args, **kwargs)
    if not isinstance(buffer, TracedArray):
        return _from_plain(buffer, made)
    if made.dtype != buffer.dtype:
        refuse_tracked([buffer], "np.ndarray takes the bits of a traced array", "Use view(dtype).")
    return buffer._part(made)


# NumPy's types of numbers that carry derivatives.
INEXACT_TYPES = {kind for kind in np.sctypeDict.values() if issubclass(kind, np.inexact)}


def of_type(kind: Any) -> Callable:
    """``np.float32(x)``: a number of this type, or an array."""

    def made(*args: Any, **kwargs: Any) -> Any:
        value = args[0] if len(args) == 1 and not kwargs else None
        if not traced_leaves(value):
            return _from_plain(value, kind(*args, **kwargs))
        converted = _asarray(value, kind)
        return converted if converted.ndim else converted[()]

    return made


def _ndenumerate(arr: Any) -> Any:
    made: Any = _NUMPYS_NDENUMERATE(unwrap(arr))
    if isinstance(arr, TracedArray):
        made.iter = arr.flat
    return made


_NUMPYS_FROMBUFFER, _NUMPYS_NDENUMERATE = np.frombuffer, np.ndenumerate


def _isscalar(element: Any) -> bool:
    if isinstance(element, TracedArray):
        return isinstance(element._bare, np.generic)
    return _NUMPYS_ISSCALAR(element)


_NUMPYS_ISSCALAR = np.isscalar

_OWN_FORM: dict[Callable, Callable] = {
    np.array: _array,
    np.asarray: _asarray,
    np.asanyarray: _asarray,
    np.ascontiguousarray: _ascontiguousarray,
    np.asfortranarray: _asfortranarray,
    np.asarray_chkfinite: _asarray_chkfinite,
    np.full: _full,
    np.full_like: _full_like,
    np.arange: _arange,
    np.fromiter: _fromiter,
    np.require: _require,
    np.kaiser: _kaiser,
    np.isscalar: _isscalar,
    np.frombuffer: _frombuffer,
    np.nditer: nditer,
    np.nested_iters: nested_iters,
    np.ndenumerate: _ndenumerate,
    array_converter(): _TracedConverter,
}
_CREATORS = (
    np.zeros, np.ones, np.empty, np.eye, np.identity, np.tri, np.concatenate, np.hstack, np.vstack, np.stack,
    np.column_stack, np.fromfunction, np.loadtxt, np.genfromtxt, np.fromstring, np.hanning, np.hamming, np.blackman,
    np.bartlett, np.indices, np.triu_indices, np.tril_indices, np.diag_indices, np.mask_indices, np.fromfile, np.fromregex,
    np.load, np.fft.fftfreq, np.fft.rfftfreq,
)  # fmt: skip

# New arrays made of one array, or of two, of which each may be a list with traced arrays inside.
_OF_ONE = (np.copy, np.tril, np.triu, np.diag, np.diagflat, np.vander)
_LIKE = (np.zeros_like, np.ones_like, np.empty_like)
_TRANSFORMS = (np.linspace, np.logspace, np.geomspace, np.append, np.outer, np.kron, np.meshgrid)
# New arrays made of the first argument; the others say how often.
_REPEATS = (np.tile, np.repeat)

# NumPy's function -> what it does with traced data; twins use it directly, users through the names in place.
TRACED_CREATORS: dict[Any, Callable] = {
    **{f: _adopting(f) for f in _CREATORS},
    **{f: _adopting(f, assemble, 1) for f in _OF_ONE},
    **{f: _like(f) for f in _LIKE},
    **{f: _adopting(f, assemble) for f in _TRANSFORMS},
    **{f: _repeating(f) for f in _REPEATS},
    **_OWN_FORM,
}
