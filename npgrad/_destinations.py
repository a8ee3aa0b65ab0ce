"""Where results go: ``out=`` of functions that have a rule, and what may not be written into."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ._leaks import WAYS_OUT, NoRuleError, called_by_numpy, leak_message, refuse
from ._overlaps import copy_alike, refuse_overlaps
from ._record import Record
from ._storage import memory_order
from ._traced import TracedArray, root_of, traced_leaves, unwrap


def memory(target: Any) -> Any:
    """What ``out=`` writes to. NumPy's own Python code writes into 0-d arrays, for which a NumPy scalar may stand here."""
    if isinstance(target, TracedArray) and type(target._bare) is not ndarray:
        return ndarray.view(target, ndarray)
    return unwrap(target)


def refuse_plain_target(records: tuple[Record, ...], out: tuple) -> None:
    """Not integers and truth values: what is cast to them is constant."""
    plain = [o for o in out if o is not None and not isinstance(o, TracedArray) and np.result_type(o).kind not in "biu"]
    if plain:
        shapes = ", ".join([str(np.shape(o)) for o in plain])
        cure = getattr(plain[0], "_cure", WAYS_OUT)
        refuse(records, f"traced data is written into a plain array of shape {shapes}, which no tape can follow", cure)


def check_target(out: Any) -> None:
    """NumPy's error where a scalar is to be written into. Its own Python code may do so, as it knows 0-d arrays there."""
    if isinstance(out, TracedArray) and type(out._bare) is not ndarray and not called_by_numpy():
        raise TypeError("return arrays must be of ArrayType")


# With ``keepdims`` these leave all but the first elements of a longer destination as they are; others broadcast.
_FILL_A_PART = frozenset([np.median, np.percentile, np.quantile, np.nanmedian, np.nanpercentile, np.nanquantile])


def with_out(function: Callable, args: tuple, kwargs: dict, out: Any, records: tuple, without: Callable) -> Any:
    """A function with ``out=``: the call ``without`` it, then a write. The value is what the function itself writes."""
    if not isinstance(out, TracedArray):
        if records:
            refuse_plain_target(records, (out,))
        return function(*[unwrap(a) for a in args], **{k: unwrap(v) for k, v in kwargs.items()}, out=out)
    check_target(out)
    if records:
        refuse_overlaps(out, getattr(function, "__name__", "a function"))
    # The function's own errors, and its bits, come from a destination of the same layout.
    bare = memory(out)
    exact = copy_alike(out) if bare is out._bare else bare.copy()
    if exact.flags.c_contiguous and not bare.flags.c_contiguous:
        exact = np.empty((*bare.shape, 2), bare.dtype)[..., 0]
        exact[...] = bare
    plain = {k: unwrap(v) for k, v in kwargs.items()}
    given = function(*[unwrap(a) for a in args], **plain, out=exact)
    if out.size and any(a._storage is out._storage for a in traced_leaves(list(args))):
        _check_overlap(function, args, plain, out, exact)
    if records:
        with np.errstate(all="ignore"):  # it has warned
            result = without(args, kwargs)
        if isinstance(result, TracedArray) and result._storage is out._storage:
            result = result.copy()  # np.einsum gives views, too, and a write would read what it has written
        in_part = function in _FILL_A_PART and bool(kwargs.get("keepdims"))
        part: Any = (*[slice(n) for n in result.shape], ...) if in_part else ...
        out[part] = result
        out._bare[...] = exact
    else:
        out[...] = exact
    return written(out, given)


def written(out: Any, given: Any) -> Any:
    """What a call with ``out=`` gives: the destination, or its value as a scalar where NumPy itself has ``given`` one."""
    return out[()] if isinstance(given, np.generic) else out


def loses_parts(ufunc: Any, inputs: tuple, out: TracedArray, kwargs: dict) -> bool:
    """Whether NumPy takes the imaginary parts of what ``where=`` leaves alone: a destination that an argument looks at is
    copied in the type that is computed in, and copied back as a whole. NumPy itself says, in other memory."""
    if out.dtype.kind != "c" or not any(isinstance(a, TracedArray) and a._storage is out._storage for a in inputs):
        return False
    in_the_copy = _mirrored(out, np.full_like(root_of(out), 1 + 1j if root_of(out).dtype.kind == "c" else 1))
    target = in_the_copy(out)
    others = [target if o is out._bare else None if o is None else np.array(o) for o in kwargs["out"]]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has warned
        ufunc(*[in_the_copy(a) for a in inputs], **{**kwargs, "out": tuple(others)})
    return bool(np.any(target.imag[~np.broadcast_to(kwargs["where"], target.shape)] != 1))


def _mirrored(out: TracedArray, root: ndarray) -> Callable[[Any], Any]:
    """Arrays as they look at the memory of ``out``, looking at ``root`` instead; all others as they are."""
    block = root.transpose(memory_order(root))
    start = root_of(out).__array_interface__["data"][0]

    def mirrored(a: Any) -> Any:
        if type(a) in (list, tuple):
            return type(a)([mirrored(part) for part in a])
        bare = unwrap(a)
        if not isinstance(a, TracedArray) or a._storage is not out._storage or type(bare) is not ndarray or not bare.size:
            return bare
        offset = bare.__array_interface__["data"][0] - start
        return ndarray(bare.shape, bare.dtype, block, offset, bare.strides)

    return mirrored


def _check_overlap(function: Callable, args: tuple, kwargs: dict, out: TracedArray, exact: ndarray) -> None:
    """Raise where NumPy reads what it has written: its result is then not that of the arguments as they were."""
    in_the_copy = _mirrored(out, np.array(root_of(out), order="K"))
    target = in_the_copy(out)
    with np.errstate(all="ignore"):  # it has warned
        function(*[in_the_copy(a) for a in args], **kwargs, out=target)
    if not np.array_equal(target, exact, equal_nan=True):
        name = getattr(function, "__name__", function)
        raise NoRuleError(leak_message(f"{name} reads what it has written into out=", "Give it a copy of the argument."))


def written_by_numpy(function: Callable, args: tuple, kwargs: dict, target: TracedArray) -> ndarray | None:
    """What NumPy's own write of values that look at the memory of the target leaves in it, as it may read what it has
    written; None if NumPy refuses it."""
    in_the_copy = _mirrored(target, np.array(root_of(target), order="K"))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the write itself warns
        try:
            function(*[in_the_copy(a) for a in args], **{name: in_the_copy(value) for name, value in kwargs.items()})
        except Exception:
            return None
    return in_the_copy(target)
