"""From an entry point to the record: compute on plain arrays, save what the rule needs, append an entry.

The operators and plain ufunc calls of one and two inputs have a short way of their own (`unary_operator`,
`binary_operator`), everything else goes through `call_rule` and `call_ufunc`. Moving data (copies, reads, writes) is in
``_moves``.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ._compat import is_given
from ._destinations import check_target, loses_parts, memory, refuse_plain_target, with_out
from ._entries import CALL, Call
from ._handed_out import IMMUTABLE, with_handed_out
from ._leaks import NoRuleError, leak_message
from ._moves import assemble, copied, overwrite, protect, saved_operand
from ._objects import as_objects, holds_objects
from ._overlaps import refuse_overlaps
from ._parting import part
from ._plans import AGAIN, NO_PLAN, call_by_plan
from ._record import Record, owners, recording, refuse_foreign, single, token_set, track, tracking_records
from ._refusals import refuse_function, refuse_gaps
from ._registry import INPUTS, Elementwise, Maps, Rule, Spec
from ._traced import TracedArray, adopt, completing, new_array, same_memory, traced_leaves, unwrap


@completing
def check_outside(*arguments: Any) -> None:
    """No tape records here: fine, unless one records these arrays elsewhere."""
    for argument in arguments:
        if isinstance(argument, TracedArray) and (argument._storage.tracked or argument._storage.is_variable):
            refuse_foreign(argument._storage)


def tracking(arrays: list[TracedArray]) -> tuple[Record, ...]:
    """The tapes that record here and track one of the arrays."""
    record = single()
    if record is not None:
        found = False
        for array in arrays:
            storage = array._storage
            tokens = storage.tracked
            if tokens is record.alone or ((tokens or storage.is_variable) and record.tracks(storage)):
                found = True  # and on: each Variable must hear of its use
        return (record,) if found else ()
    return tracking_records(tuple([array._storage for array in arrays]))


def append(records: tuple[Record, ...], entry: tuple) -> None:
    for record in records:
        record.append(entry)


# --- Ufuncs with out=, where= and other arguments; ufuncs of three inputs or several outputs ------------------------


def call_ufunc(rule: Elementwise, ufunc: Any, inputs: tuple, out: tuple, kwargs: dict, op: Callable | None = None) -> Any:
    """An elementwise ufunc with all its arguments. ``op`` computes the value where it is not ``ufunc`` itself."""
    traced = [a for a in inputs if isinstance(a, TracedArray)]
    where = kwargs.get("where", True)
    where = where if is_given(where) else True
    if where is not True:
        kwargs["where"] = where = unwrap(where)
    targets = [o for o in out if isinstance(o, TracedArray)]
    for target in targets:
        check_target(target)
    records = tracking(traced)
    if records and not out and holds_objects(inputs):
        return ufunc(*as_objects(inputs), **kwargs)
    if records and where is not True:
        refuse_gaps(ufunc, where)
    # Outputs that are piecewise constant (the exponents of frexp) may go anywhere.
    carriers = [out[position] for position in rule.by_output] if out else []
    if records and any(c is not None and not isinstance(c, TracedArray) for c in carriers):
        if holds_objects(out):
            return ufunc(*as_objects(inputs), out=out, **kwargs)
        refuse_plain_target(records, out)
        if not targets:
            kwargs["out"] = out
            return ufunc(*[unwrap(a) for a in inputs], **kwargs)
    bare_inputs = [unwrap(a) for a in inputs]
    if records and kwargs.get("dtype") is not None:
        # NumPy computes in this type: below zero a logarithm of a real number is NaN, that of a complex one is not. What
        # there is to warn of, the call itself says.
        with np.errstate(all="ignore"):
            inputs = in_type(ufunc, inputs, kwargs)
    mask_bits = [bool(records) and isinstance(a, TracedArray) and bool(tracking([a])) for a in inputs]
    bits = sum(bit << i for i, bit in enumerate(mask_bits))
    needs = frozenset().union(*[part.real[bits].needs for part in rule.by_output.values()])
    # Saved before the write: the destination may be one of the inputs.
    kept = [
        saved_operand(a) if records and name in needs else (None, None, None, None)
        for name, a in zip(INPUTS, inputs, strict=False)
    ]
    for position, by in rule.by_output.items() if records and targets else ():
        o = out[position]
        is_real = by.real[bits].keep_ans and o is not None and o.dtype.kind != "c"
        if is_real and _computes_complex(ufunc, inputs, position, o):
            # What is written is not the result by which the derivative is known.
            refuse_function(ufunc, "with an out that takes the real parts of complex numbers")
    for target in targets:
        if records:
            refuse_overlaps(target, ufunc.__name__)
        protect(target)
    if len(targets) > 0 and ufunc.nout > 1 and records:
        # Each output is an entry of its own: a later one reads inputs that an earlier one may have written.
        for n, target in enumerate(targets):
            if any(np.shares_memory(target._bare, other._bare) for other in targets[:n]):
                what = f"two results of {ufunc.__name__} are written into the same memory"
                raise NoRuleError(leak_message(what, "Give each its own out."))
        inputs = tuple([copied(a) if isinstance(a, TracedArray) and _is_written(a, targets) else a for a in inputs])
    if out:
        kwargs["out"] = tuple(memory(o) for o in out)
        result = ufunc(*bare_inputs, **kwargs)
        for target in targets:
            if type(target._bare) is not ndarray:
                target._bare = memory(target)[()]
    else:
        result = (op or ufunc)(*bare_inputs, **kwargs)
    results = result if isinstance(result, tuple) else (result,)
    given = []
    for position, r in enumerate(results):
        destination = out[position] if out else None
        part = rule.by_output.get(position)
        sources = [a for a, bit in zip(inputs, mask_bits, strict=True) if bit] if part is not None else []
        selection = (part or rule).real[bits]
        is_complex = bool(sources) and _computes_complex(ufunc, inputs, position, r)
        given.append(_ufunc_output(selection, is_complex, inputs, mask_bits, kept, sources, destination, r, where))
    if where is not True:
        for target in targets:
            if loses_parts(ufunc, inputs, target, kwargs):
                left = ~np.broadcast_to(np.array(where, bool), target.shape)
                target[left] = target.real[left]
    return given[0] if len(given) == 1 else tuple(given)


def _computes_complex(ufunc: Any, inputs: tuple, position: int, result: Any) -> bool:
    """Whether the numbers of a result are complex where they are computed: with ``casting="unsafe"`` a real destination
    takes their real parts."""
    if result.dtype.kind == "c" or not any(isinstance(a, TracedArray) and a.dtype.kind == "c" for a in inputs):
        return result.dtype.kind == "c"
    loop = ufunc.resolve_dtypes((*_types(inputs), *(None,) * ufunc.nout))
    return loop[ufunc.nin + position].kind == "c"


def _types(inputs: tuple) -> list:
    return [type(a) if type(a) in (int, float, complex) else np.asarray(unwrap(a)).dtype for a in inputs]


def in_type(ufunc: Any, inputs: tuple, kwargs: dict) -> tuple:
    """The arguments as a ufunc with ``dtype=`` casts them, where they are traced."""
    signature = (None,) * ufunc.nin + (np.dtype(kwargs["dtype"]),) * ufunc.nout
    casting = kwargs.get("casting", "same_kind")
    try:
        loop = ufunc.resolve_dtypes((*_types(inputs), *(None,) * ufunc.nout), signature=signature, casting=casting)
    except TypeError:
        return inputs  # the call raises NumPy's own error
    return tuple([_cast(a, kind) for a, kind in zip(inputs, loop, strict=False)])


def _cast(a: Any, kind: np.dtype) -> Any:
    if not isinstance(a, TracedArray) or a.dtype == kind or kind.kind not in "fc":
        return a
    return (a.real if kind.kind == "f" else a).astype(kind)


def _is_written(a: TracedArray, targets: list[TracedArray]) -> bool:
    return any(a._storage is t._storage for t in targets)


def _ufunc_output(
    selection: Any, is_complex: bool, inputs: tuple, bits: list, kept: list, sources: list, target: Any, r: Any, where: Any
) -> Any:
    if target is not None and not isinstance(target, TracedArray):
        return target
    mask = None if where is True else np.array(where, bool)
    involved = tracking(sources + ([target] if target is not None else []))
    if target is None:
        made = adopt(r) if recording() else r
        if not isinstance(made, TracedArray) or not (involved and sources):
            return made
        made._storage.tracked = token_set(involved)
        target_view = None
    else:
        made = target
        target_view = target._view
    if not recording() and target is None:
        return made
    reach = write_records(made, involved) if target is not None else involved
    if not reach:
        return made
    operands = [
        (name, None, a._storage, a._view)
        for name, a, bit in zip(INPUTS, inputs, bits, strict=False)
        if bit and sources
    ]  # fmt: skip
    saved: dict[str, Any] = dict(zip(INPUTS, kept, strict=False))
    saved["ans"] = (None, None, None, None)
    constants: dict[str, Any] = {name: None for name in INPUTS if name not in saved}
    constants["ans_spec"] = Spec(made._bare)
    call = Call(
        ElementwiseCall(selection, is_complex),
        [(made._storage, target_view)],
        operands,
        saved,
        constants,
        mask,
        False,
    )
    append(reach, (CALL, call))
    if selection.keep_ans and operands:
        saved["ans"] = saved_operand(made)  # now: it may be a recorded copy, which must come after the call
    return made


class ElementwiseCall(Maps):
    """An elementwise rule in the form that `Call` takes."""

    __slots__ = ("name", "vjps", "jvps", "exact_zeros")
    is_elementwise = True

    def __init__(self, selection: Any, complex_result: bool) -> None:
        self.name = selection.rule.name
        self.exact_zeros = selection.rule.exact_zeros
        chosen = (selection.rule.complex if complex_result else selection.rule.real)[selection.bits]
        needs = ("x", "y", "z", "ans", "w")
        self.vjps = {n: (f, ("ct", *needs)) for n, f in zip(INPUTS, chosen.vjps, strict=False) if f}
        self.jvps = {n: (f, ("tangent", *needs)) for n, f in zip(INPUTS, chosen.jvps, strict=False) if f}


def write_records(target: TracedArray, involved: tuple[Record, ...]) -> tuple[Record, ...]:
    """The tapes that must hear of a write: those that track the value or the destination, also if paused."""
    storage = target._storage
    extra = tuple([record for record in owners(storage) if record not in involved])
    if involved:
        track(storage, token_set(involved))
    return involved + extra


# --- All other functions with a rule -------------------------------------------------------------------------------


def call_rule(rule: Rule, function: Callable, args: tuple, kwargs: dict) -> Any:
    """Call a function that has a rule; record it for the tapes that track one of its differentiable arguments."""
    record = single()
    if record is not None:
        given = rule.given_arguments(args, kwargs)
        if given is not None and not given.general:
            made = call_by_plan(rule, given, function, args, kwargs, record)
            if made is AGAIN:
                with np.errstate(all="ignore"):
                    return call_generally(rule, function, args, kwargs)
            if made is not NO_PLAN:
                return made
    return call_generally(rule, function, args, kwargs)


def call_generally(rule: Rule, function: Callable, args: tuple, kwargs: dict) -> Any:
    args, kwargs = with_handed_out(args, kwargs)
    out = kwargs.get("out")
    position = rule.out_position
    if out is None and position is not None and position < len(args):
        out = args[position]
        kwargs = {**kwargs, **dict(zip(rule.names[position + 1 :], args[position + 1 :], strict=False))}
        args = args[:position]
    if "out" in kwargs:
        kwargs = {k: v for k, v in kwargs.items() if k != "out"}
    bound = rule.bind(args, kwargs)
    arguments: list[tuple[str, Any, TracedArray]] = []
    for name, value in bound.items():
        kind = type(value)
        if name not in rule.vjps:
            leaves = traced_leaves(value)
            if leaves and name not in rule.steps and tracking(leaves):
                refuse_function(function, f"by its argument {name}")
            if leaves and kind is not TracedArray:
                bound[name] = unwrap(value)
        elif kind is TracedArray:
            arguments.append((name, None, value))
        elif kind is list or kind is tuple:
            value = bound[name] = _each_followed(value) if name == rule.sequence else assemble(value)
            if isinstance(value, (list, tuple)):
                arguments += [(name, n, leaf) for n, leaf in enumerate(value) if isinstance(leaf, TracedArray)]
            elif isinstance(value, TracedArray):
                arguments.append((name, None, value))
        elif isinstance(value, TracedArray):
            arguments.append((name, None, value))
    records = tracking([leaf for _, _, leaf in arguments])
    if rule.only and records:
        for name, values in rule.only.items():
            if name in bound and bound[name] not in values:
                refuse_function(function, f"with {name}={bound[name]!r}")
    if out is not None:
        return with_out(function, args, kwargs, out, records, functools.partial(call_rule, rule, function))
    if records and holds_objects(bound.values()):
        return function(*as_objects(args), **as_objects(kwargs))
    plain = [a._bare if type(a) is TracedArray else a if a is None else unwrap(a) for a in args]
    if kwargs:
        result = function(*plain, **{k: unwrap(v) for k, v in kwargs.items()})
    elif rule.method is not None and type(plain[0]) is ndarray:
        result = rule.method(*plain)
    else:
        result = function(*plain)
    if not recording():
        check_outside(*[leaf for _, _, leaf in arguments])
        return result
    if type(result) is ndarray:
        for _, _, leaf in arguments:
            if result is leaf._bare:
                return leaf  # np.diff(x, n=0)
            if result.base is not None and same_memory(result, leaf):
                return leaf._part(result)
    if isinstance(result, tuple):
        made = [new_array(r) for r in result]
        if records:
            _append_call(rule, bound, arguments, records, made, True)
            if rule.parts is not None:
                part(rule.parts, made, bound, records)
        cls = type(result)
        return cls(*made) if hasattr(result, "_fields") else cls(made)
    if records and rule.by_vectors is not None and len(recording()) > 1:  # vectors come in with second derivatives
        made = rule.by_vectors(result, bound)
        if made is not None:
            overwrite(made, result)
            return made
    one = new_array(result)
    if records:
        _append_call(rule, bound, arguments, records, [one], False)
    return one


def _followed(value: Any) -> Any:
    """A list of numbers and traced arrays where an array is expected, as the array that NumPy makes of it."""
    return assemble(value) if traced_leaves(value) else value


def _each_followed(values: Any) -> Any:
    return type(values)([_followed(v) if type(v) in (list, tuple) else v for v in values])


def _kept(value: Any) -> Any:
    """An argument as it is now, of which the program may change the items."""
    kind = type(value)
    if kind in IMMUTABLE or (kind is tuple and IMMUTABLE.issuperset(map(type, value))):
        return value
    return np.array(value) if kind is memoryview else copy.deepcopy(value)


def _append_call(rule: Rule, bound: dict, arguments: list, records: tuple, made: list, several: bool) -> None:
    tracked = token_set(records)
    operands = []
    for name, item, leaf in arguments:
        storage = leaf._storage
        if storage.tracked is tracked or not tracked.isdisjoint(storage.tracked):
            operands.append((name, item, storage, leaf._view))
    saved: dict[str, Any] = {}
    constants: dict[str, Any] = {}
    needs = rule.needs(tuple([operand[0] for operand in operands]))
    for name, value in bound.items():
        if name not in needs.values:
            continue
        kind = type(value)
        if value is None or kind is int or kind is bool:
            constants[name] = value
        elif isinstance(value, ndarray):
            saved[name] = saved_operand(value)
        elif (kind is list or kind is tuple) and traced_leaves(value):
            saved[name] = [saved_operand(v if isinstance(v, ndarray) else _kept(v)) for v in value]
        else:
            constants[name] = _kept(value)
    for name, of in needs.specs:
        value = bound[of] if of in bound else rule.defaults[of]
        kind = type(value)
        if kind is TracedArray:
            constants[name] = Spec(value._bare)
        else:
            is_sequence = (kind is list or kind is tuple) and bool(traced_leaves(value))
            constants[name] = [Spec(unwrap(v)) for v in value] if is_sequence else Spec(unwrap(value))
    if needs.answer:
        saved["ans"] = [saved_operand(m) for m in made] if several else saved_operand(made[0])
    if needs.answer_spec:
        constants["ans_spec"] = [Spec(unwrap(m)) for m in made] if several else Spec(unwrap(made[0]))
    outs: list = []
    for m in made:
        if isinstance(m, TracedArray):
            m._storage.tracked = tracked
            outs.append((m._storage, m._view))
        else:
            outs.append(None)
    append(records, (CALL, Call(rule, outs, operands, saved, constants, None, several)))
