"""Entry points: NumPy's two protocols, ``__array_ufunc__`` and ``__array_function__``."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from numbers import Number
from typing import Any

import numpy as np
from numpy import ndarray

from ._dispatch import call_rule, call_ufunc, check_outside, in_type, tracking
from ._elementwise import ACCEPTED, plain_ufunc_call, unary_calls
from ._functions import call_function
from ._holders import HOLDERS, is_foreign, lent, nothing_tracked
from ._leaks import LeakError, leak_message
from ._libraries import rule_of
from ._moves import assemble, overwrite
from ._objects import ObjectArray, is_of_objects, objects
from ._own_answers import answers_ufuncs, handed_back
from ._plans import AGAIN, NO_PLAN, call_plainly
from ._record import note_cut, noting, recording
from ._refusals import refuse_function
from ._registry import CALLING_BACK, ZERO, Elementwise, Rule
from ._scalar_methods import ONE_SIDED, heard_of
from ._seen import given_back, without_seen
from ._traced import SeenArray, TracedArray, adopt, again, complete, short_entry_point, traced_leaves, unwrap
from ._ufunc_forms import followed
from ._ufunc_methods import METHODS


@short_entry_point
def __array_ufunc__(self: TracedArray, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    try:
        if method != "__call__":
            if any(map(answers_ufuncs, inputs)):
                return NotImplemented
            return METHODS[method](ufunc, *[followed(v) for v in inputs], **kwargs)
        if not kwargs:
            one = unary_calls.get(ufunc)
            if one is not None:
                return one(self)
        for value in inputs:
            if type(value) is not TracedArray and type(value) not in ACCEPTED:
                if any(is_foreign(v) for v in inputs) and "out" not in kwargs and nothing_tracked(inputs):
                    return ufunc(*[lent(v) for v in inputs], **kwargs)
                accepted = tuple([_accepted(v) for v in inputs])
                if any(v is NotImplemented for v in accepted):
                    return NotImplemented
                return handed_back(ufunc, inputs, kwargs, _with_accepted(ufunc, accepted, kwargs))
        if not kwargs:
            call = plain_ufunc_call(ufunc)
            if call is not None:
                made = call(*inputs)
                return made if type(inputs[0]) is TracedArray or ufunc not in ONE_SIDED else heard_of(made)
        return heard_of(_ufunc(ufunc, inputs, {**kwargs}))
    except AttributeError:
        return again(__array_ufunc__, self, ufunc, method, *inputs, **kwargs)


def _with_accepted(ufunc: Any, inputs: tuple, kwargs: dict) -> Any:
    call = None if kwargs else plain_ufunc_call(ufunc)
    return heard_of(_ufunc(ufunc, inputs, {**kwargs})) if call is None else call(*inputs)


def _accepted(value: Any) -> Any:
    """An operand in a form that the rules know."""
    if type(value) in ACCEPTED or isinstance(value, TracedArray):
        return value
    if type(value) in (list, tuple):
        return assemble(value)
    if isinstance(value, HOLDERS):
        return ndarray.view(value, ndarray)
    if isinstance(value, ndarray):
        if recording() and type(value) is not ndarray:
            raise LeakError(
                leak_message(
                    f"a traced array meets a {type(value).__name__}, whose arithmetic no tape follows",
                    "Convert it with np.asarray first.",
                )
            )
        return value
    foreign = getattr(type(value), "__array_ufunc__", ndarray.__array_ufunc__)
    if foreign is not ndarray.__array_ufunc__:
        return NotImplemented
    made = followed(value)
    if made is not value or isinstance(value, (Number, str, bytes)):
        return made
    plain = np.asarray(value)  # of what gives an array, a buffer, or items
    return plain if plain.dtype.kind in "biufc" else value


# For ufuncs whose results carry no derivative.
_CONSTANT = Elementwise(None, (), -1)


def _ufunc(ufunc: Any, inputs: tuple, kwargs: dict) -> Any:
    rule = rule_of(ufunc)
    out = kwargs.pop("out", ())
    out = out if type(out) is tuple else (out,)
    if type(rule) is Rule:
        if out and out[0] is not None:
            kwargs["out"] = out[0]
        if kwargs.get("dtype") is not None and recording():
            return _product_in_type(rule, ufunc, inputs, kwargs)
        return call_rule(rule, ufunc, inputs, kwargs)
    if isinstance(rule, Elementwise):
        if not recording():
            check_outside(*traced_leaves(list(inputs)))
        made = call_plainly(rule, ufunc, inputs) if ufunc.nin > 2 and not out and not kwargs else NO_PLAN
        if made is NO_PLAN:
            return call_ufunc(rule, ufunc, inputs, out, kwargs)
        if made is AGAIN:
            with np.errstate(all="ignore"):
                return call_ufunc(rule, ufunc, inputs, out, kwargs)
        return made
    if recording() and ufunc not in ZERO and tracking(traced_leaves(list(inputs))):
        if is_of_objects(ufunc):  # the user's function gets the elements, and its results are kept as they are
            return ufunc(*[objects(v) if isinstance(v, TracedArray) else v for v in inputs], **kwargs)
        refuse_function(ufunc)
    if noting:
        note_cut([t._storage for t in traced_leaves(list(inputs))], f"{ufunc.__name__} is piecewise constant")
    if not any(isinstance(o, TracedArray) for o in out):
        plain = {k: unwrap(v) for k, v in kwargs.items()}
        result = ufunc(*unwrap(inputs), **plain, **({"out": out} if out else {}))
        if not recording() or out:
            return result
        return tuple([adopt(r) for r in result]) if type(result) is tuple else adopt(result)
    return call_ufunc(_CONSTANT, ufunc, unwrap(inputs), out, kwargs)


def _product_in_type(rule: Rule, ufunc: Any, inputs: tuple, kwargs: dict) -> Any:
    """A product with ``dtype=``: what is cast in advance has its derivative, the value is that of NumPy's own call, which
    may add in another order."""
    cast = in_type(ufunc, inputs, kwargs)
    made = call_rule(rule, ufunc, cast, kwargs)
    if isinstance(made, TracedArray) and "out" not in kwargs and any(a is not b for a, b in zip(cast, inputs, strict=True)):
        with np.errstate(all="ignore"):  # it has warned
            overwrite(made, ufunc(*unwrap(inputs), **kwargs))
    return made


_NUMPYS_FUNCTION = ndarray.__array_function__


@short_entry_point
def __array_function__(self: TracedArray, func: Callable, types: Any, args: tuple, kwargs: dict) -> Any:
    for kind in types:
        if kind is not ObjectArray and not issubclass(kind, SeenArray) and kind.__array_function__ is not _NUMPYS_FUNCTION:
            return NotImplemented
    if SeenArray in types:
        views: list = []
        return given_back(__array_function__(self, func, (), without_seen(args, views), without_seen(kwargs, views)), views)
    if not (args and isinstance(args[0], (TracedArray, list, tuple))) and not traced_leaves((args, kwargs)):
        args = tuple([_in_a_list(a) for a in args])
    try:
        return call_function(func, args, {**kwargs})
    except (AttributeError, TypeError, ValueError, IndexError) as error:
        if isinstance(error, AttributeError) and complete([args, kwargs]):
            return call_function(func, args, kwargs)
        if func not in CALLING_BACK:
            _raise_numpys_error(func, args, kwargs)
        raise


def _raise_numpys_error(func: Callable, args: tuple, kwargs: dict) -> None:
    """The same call on plain data: where NumPy refuses it, its own error says why."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        func(*_copied(args), **_copied(kwargs))


def _copied(value: Any) -> Any:
    """The plain data of arguments, which the call may overwrite."""
    if isinstance(value, (list, tuple)):
        items = [_copied(item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    bare = unwrap(value)
    return np.array(bare, order="K", subok=True) if isinstance(bare, ndarray) else bare


def _in_a_list(value: Any) -> Any:
    """A list or an array for an array of objects that holds traced arrays or numbers."""
    if not isinstance(value, ndarray) or value.dtype.kind != "O":
        return value
    items = list(value)
    leaves = traced_leaves(items)
    if not leaves:
        return value
    return items if leaves[0].ndim else assemble(items)
