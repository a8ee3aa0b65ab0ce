"""Calling a NumPy function with traced arguments: which collection it is in decides how."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ._compat import BLOCK_TAKES_SUBCLASSES, clip_ufunc, signature_of
from ._destinations import check_target, refuse_plain_target, written, written_by_numpy
from ._dispatch import call_rule, check_outside, tracking, write_records
from ._handed_out import handed_out, with_handed_out
from ._leaks import NoRuleError, called_by_numpy, leak_message
from ._libraries import declare_loaded
from ._move_entries import COPY
from ._moves import arrays_of, assemble, gather, overwrite, protect
from ._objects import ObjectArray, as_objects
from ._overlaps import may_meet, reads_itself, refuse_overlaps
from ._poly1d import OF_POLYNOMIALS, of_polynomials
from ._record import note_cut, noting, recording
from ._refusals import refuse_function
from ._registry import CALLING_BACK, COMPOSITES, RULES, VIEWS, WRITES, ZERO, ByIndex, Rule
from ._storage import has_overlaps
from ._traced import SeenArray, TracedArray, adopt, new_array, same_memory, traced_leaves, unwrap
from ._twins import FORMS, twin

# What these do to arrays where nothing is left out is one ufunc; NumPy's own code around it takes longer than that.
_ONE_UFUNC = {np.clip: clip_ufunc()}


def call_function(function: Callable, args: tuple, kwargs: dict) -> Any:
    """The result of ``function(*args, **kwargs)``, recorded where a tape tracks an argument."""
    ufunc = _ONE_UFUNC.get(function)
    if ufunc is not None and len(args) == ufunc.nin and type(args[0]) is TracedArray:
        is_whole = not kwargs and not any(a is None for a in args)
        if is_whole and recording():
            return ufunc(*args)
    rule = RULES.get(function)
    if type(rule) is Rule:
        if rule.may_overwrite:
            args, kwargs = _without_permission(function, args, kwargs)
        return call_rule(rule, function, args, kwargs)
    if function in OF_POLYNOMIALS and any(isinstance(a, np.poly1d) for a in (*args, *kwargs.values())):
        return of_polynomials(call_function, function, args, kwargs)
    args, kwargs = taken(function, args, kwargs)
    if function in VIEWS:
        return VIEWS[function](*args, **kwargs)
    if function in WRITES:
        return _call_write(function, args, kwargs)
    leaves = traced_leaves(list(args)) + traced_leaves(kwargs)
    args, kwargs = _without_permission(function, args, kwargs)
    if not recording():
        check_outside(*leaves)
        return compute_plain(function, args, kwargs)
    if function not in CALLING_BACK and not tracking(leaves):
        return compute_plain(function, args, kwargs)
    if function in COMPOSITES:
        body = COMPOSITES[function]
        if body is None:
            args, kwargs = assembled(function, args, kwargs)
            return _new_is_traced(twin(function)(*args, **kwargs), (*args, *kwargs.values()))
        if type(body) is ByIndex:
            return _at_index(body, function, args, kwargs)
        return _run_body(body, function, args, kwargs)
    if function in ZERO:
        return compute_plain(function, args, kwargs)
    if declare_loaded():
        return call_function(function, args, kwargs)
    refuse_function(function)


# Twins of matrix_norm and vector_norm hand it their order, at which its dispatch does not look.
_NUMPYS_NORM = np.linalg.norm
FORMS[_NUMPYS_NORM] = lambda *args, **kwargs: call_function(_NUMPYS_NORM, args, kwargs)

# Parameters that are sequences, of numbers or of arrays at which NumPy's dispatch looks one by one, or no data. All other
# lists are arrays in the making, and traced arrays inside would be lost.
_SEQUENCES = {"condlist", "funclist", "sample", "indices", "ind", "obj", "filt", "n", "tol", "range", "out"}
# Arguments by position that NumPy's code makes arrays of in its own way: in the type of the array that is written into, each
# item for itself, or only after it has looked at a list, which is an error then, or split by its length, or returned.
_AS_GIVEN = {
    2: {"put", "place", "putmask"},
    6: {"cov"},
    0: {"split", "array_split", "hsplit", "vsplit", "dsplit", "unstack", "rollaxis", "astype", "diff"},
    1: {"apply_over_axes"},
}
# Sequences of arrays, each of which may be a list.
_OF_LISTS = {"arrays", "tup", "choices", "choicelist"}
# Lists in lists are rows.
_OF_ROWS = {np.block}


def taken(function: Callable, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """The arguments as NumPy takes them, with what objects hand out in their place."""
    if function in CALLING_BACK:
        return args, kwargs  # the user's function gets what the user gives
    if function in _OF_ROWS:
        return tuple([_rows(a) for a in args]), {name: _rows(a) for name, a in kwargs.items()}
    return with_handed_out(args, kwargs)


def _rows(value: Any) -> Any:
    """Nested lists of arrays: what is no list is an array."""
    if type(value) is list or (BLOCK_TAKES_SUBCLASSES and isinstance(value, list)):
        return [_rows(item) for item in value]
    made = handed_out(value)
    return made if made is value else assemble(made)


class _Lists(NamedTuple):
    """What is made of lists with traced arrays inside: of those given by position, by name, and of all further ones."""

    of: dict[int | str, Callable | None]
    further: Callable | None

    def make(self, key: int | str) -> Callable | None:
        return self.of.get(key, self.further if isinstance(key, int) else None)


@functools.cache
def _lists(function: Any) -> _Lists:
    of: dict[int | str, Callable | None] = {}
    further = None
    if function in _OF_ROWS:
        return _Lists(of, further)
    for n, p in enumerate(signature_of(function).parameters.values()):
        if p.kind is p.VAR_POSITIONAL:
            further = None if function in CALLING_BACK else assemble  # the user's function gets what the user gives
        elif p.kind is not p.VAR_KEYWORD:
            as_it_is = p.name in _SEQUENCES or isinstance(p.default, bool) or function.__name__ in _AS_GIVEN.get(n, ())
            of[p.name] = arrays_of if p.name in _OF_LISTS else None if as_it_is else assemble
            if p.kind is not p.KEYWORD_ONLY:
                of[n] = of[p.name]
    return _Lists(of, further)


def looks_into(function: Callable, key: int | str) -> bool:
    """Whether NumPy takes the items of an argument for arrays, each of which may have an answer of its own."""
    return function in _OF_ROWS or _lists(function).make(key) is arrays_of


def _new_is_traced(made: Any, args: tuple) -> Any:
    """What a twin made of plain data alone (counts of integers) is new data, too, into which traced data may be written."""
    if isinstance(made, (tuple, list)):
        return _rebuilt(made, [_new_is_traced(part, args) for part in made])
    if type(made) is not np.ndarray or any(isinstance(a, np.ndarray) and np.may_share_memory(unwrap(a), made) for a in args):
        return made
    return new_array(made)


def _rebuilt(parts: Any, made: list) -> Any:
    if all(a is b for a, b in zip(parts, made, strict=True)):
        return parts
    return type(parts)(*made) if hasattr(parts, "_fields") else type(parts)(made)


def assembled(function: Callable, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """The arguments, with an array for each list that has traced arrays inside and stands for an array."""
    lists = [(key, a) for key, a in (*enumerate(args), *kwargs.items()) if type(a) is list or type(a) is tuple]
    if not lists:
        return args, kwargs
    makers = _lists(function)
    made = {}
    for key, a in lists:
        make = makers.make(key)
        if make is not None and traced_leaves(a):
            try:
                made[key] = make(a)
            except ValueError:  # of rows that differ
                function(*unwrap(args), **unwrap(kwargs))  # raises NumPy's own error, or does not look at this argument
    return tuple([made.get(n, a) for n, a in enumerate(args)]), {k: made.get(k, a) for k, a in kwargs.items()}


def _call_write(function: Callable, args: tuple, kwargs: dict) -> Any:
    target = args[0] if args else next(iter(kwargs.values()))
    if isinstance(target, TracedArray):
        if type(target._bare) is not np.ndarray and not called_by_numpy():
            function(*unwrap(args), **unwrap(kwargs))  # a scalar: NumPy's own error
        args, kwargs = assembled(function, args, kwargs)
        is_ordered = len(args) <= _AS_ASSIGNED.get(function, -1) and "where" not in kwargs
        if not is_ordered and may_meet(target, ..., True):
            return _write_where_elements_meet(function, args, kwargs, target)
        if not any(reads_itself(target, value) for value in (*args[1:], *kwargs.values())):
            return WRITES[function](*args, **kwargs)
        exact = written_by_numpy(function, args, kwargs, target)
        WRITES[function](*args, **kwargs)
        if exact is not None and not np.array_equal(target._bare, exact, equal_nan=True):
            what = f"{function.__name__} reads what it has written"
            raise NoRuleError(leak_message(what, "Give it a copy of the values."))
        return None
    records = tracking(traced_leaves(list(args)) + traced_leaves(kwargs))
    if records and type(target) is ObjectArray:  # which keeps traced elements as they are
        return function(*as_objects(args), **as_objects(kwargs))
    if records:
        refuse_plain_target(records, (target,))
    return function(*[unwrap(a) for a in args], **{k: unwrap(v) for k, v in kwargs.items()})


# Functions that write as an assignment does, called with so many arguments. All others write into a copy first where memory
# has gaps, or in an order of their own.
_AS_ASSIGNED = {np.copyto: 3, np.fill_diagonal: 3, np.put_along_axis: 4}


def _write_where_elements_meet(function: Callable, args: tuple, kwargs: dict, target: TracedArray) -> None:
    if tracking(traced_leaves(list(args)) + traced_leaves(kwargs)):
        refuse_overlaps(target, function.__name__)
    exact = written_by_numpy(function, args, kwargs, target)
    if exact is None:
        function(*unwrap(args), **unwrap(kwargs))  # its own error
    target[...] = exact


def _run_body(body: Callable, function: Callable, args: tuple, kwargs: dict) -> Any:
    """A body of ours, with NumPy's own value in its result."""
    args, kwargs = _named_from_out(function, args, kwargs)
    out = kwargs.pop("out", None)
    plain = {k: unwrap(v) for k, v in kwargs.items()}
    if out is not None:
        plain["out"] = _like_target(out)
    exact = function(*[unwrap(a) for a in args], **plain)
    args, kwargs = assembled(function, args, kwargs)
    with np.errstate(all="ignore"):  # NumPy has warned
        result = body(*args, **kwargs)
    if isinstance(result, (tuple, list)):
        for part, exact_part in zip(result, exact, strict=True):
            if isinstance(part, TracedArray) and part._view is None:
                overwrite(part, exact_part)
        result = _adopted(result, [])
    elif isinstance(result, TracedArray):
        result = exactly(result, exact, out is None)
    return result if out is None else _into(out, result, exact)


def exactly(result: Any, exact: Any, as_it_lies: bool = True) -> Any:
    """The result of a body with the bits of the function's own; also with its order in memory, if that is to be seen."""
    if result.shape != np.shape(exact) or result.dtype != exact.dtype:
        shape = np.shape(exact)  # that of ``out``, if there is one, into which NumPy may broadcast
        result = result.reshape(shape) if result.size == exact.size else np.broadcast_to(result, shape)
        result = result.astype(exact.dtype)
        if not isinstance(result, TracedArray):
            return exact  # integers
    if isinstance(exact, np.generic) and isinstance(result._bare, np.ndarray):
        result = result[()]
    made_scalar = isinstance(exact, np.ndarray) and not isinstance(result._bare, np.ndarray)
    if result._view is not None or made_scalar or (as_it_lies and result.strides != exact.strides):
        result = laid_out(result, exact)
    overwrite(result, exact)
    return result


def _like_target(out: Any) -> Any:
    """A plain array like the destination: its dtype may decide in what precision NumPy computes."""
    check_target(out)
    if type(out) is tuple:
        raise TypeError("output must be an array")
    return np.array(unwrap(out))


def _into(out: Any, result: Any, exact: Any) -> Any:
    if not isinstance(out, TracedArray):
        refuse_plain_target(recording(), (out,))
        out[...] = exact
        return out
    refuse_overlaps(out, "a function with out=")
    out[...] = result
    return written(out, exact)


def _at_index(body: ByIndex, function: Callable, args: tuple, kwargs: dict) -> Any:
    """A function that only looks for elements: the value is NumPy's own, and where it was found is recorded."""
    args, kwargs = _named_from_out(function, args, kwargs)
    out = kwargs.pop("out", None)
    plain = {} if out is None else {"out": _like_target(out)}
    exact = function(*unwrap(args), **unwrap(kwargs), **plain)
    args, kwargs = assembled(function, args, kwargs)
    array, key = body.key(*args, **kwargs)
    result = gather(array, key, exact) if isinstance(array, TracedArray) else adopt(exact)
    return result if out is None else _into(out, result, exact)


def laid_out(result: TracedArray, like: Any) -> TracedArray:
    """The same elements in the memory order of NumPy's result, which a later ``order="K"`` or ``shape =`` goes by."""
    made = adopt(np.empty_like(like))
    made[...] = result
    return made


def _named_from_out(function: Callable, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """Arguments from ``out`` on by name: bodies have no ``out``."""
    position = _position(function, "out")
    if position is None or position >= len(args):
        return args, dict(kwargs)
    names = list(signature_of(function).parameters)[position:]
    return args[:position], {**kwargs, **dict(zip(names, args[position:], strict=False))}


@functools.cache
def _position(function: Callable, name: str) -> int | None:
    try:
        names = list(signature_of(function).parameters)
    except (TypeError, ValueError):
        return None
    return names.index(name) if name in names else None


def _without_permission(function: Callable, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """Arguments without the permission to spoil the input: a tape may have saved it."""
    if "overwrite_input" in kwargs:
        return args, {**kwargs, "overwrite_input": False}
    position = _position(function, "overwrite_input")
    if position is None or position >= len(args):
        return args, kwargs
    return args[:position] + (False,) + args[position + 1 :], kwargs


def compute_plain(function: Callable, args: tuple, kwargs: dict) -> Any:
    """A call whose result carries no derivative: on plain data; a traced ``out=`` is written as a constant."""
    if noting and function in ZERO:
        note_cut([t._storage for t in traced_leaves([args, kwargs])], f"{function.__name__} is piecewise constant")
    position = _position(function, "out")
    out = kwargs.get("out")
    if out is None and position is not None and position < len(args):
        out = args[position]
    targets = [t for t in (out if type(out) is tuple else (out,)) if isinstance(t, TracedArray)]
    for target in targets:
        protect(target)
    result = function(*[unwrap(a) for a in args], **{k: unwrap(v) for k, v in kwargs.items()})
    for target in targets:
        for record in write_records(target, ()):
            record.append((COPY, target._storage, target._view, None, None))
    if isinstance(out, TracedArray) and (result is out._bare or isinstance(result, np.generic)):
        return written(out, result)  # and not what functions of np.fft make beside it
    if type(out) is SeenArray:
        return out
    if not recording():
        return result
    arguments = [a for a in (*args, *kwargs.values()) if isinstance(a, (np.ndarray, list, tuple))]
    return _adopted(result, arguments)


def _adopted(result: Any, arguments: list) -> Any:
    """New data is traced from here on. What looks at the memory of an argument goes on doing so."""
    if isinstance(result, (tuple, list)):
        return _rebuilt(result, [_adopted(part, arguments) for part in result])
    if any(result is a for a in arguments):
        return result
    if type(result) is np.ndarray:
        for leaf in traced_leaves(arguments):
            if result is leaf._bare:
                return leaf
            if same_memory(result, leaf):
                if has_overlaps(result):
                    result.flags.writeable = False  # what is stretched is only read
                return leaf._part(result)
    return new_array(result)
