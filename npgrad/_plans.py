"""Calls of rules with one result, recorded by a plan: what is known of all calls of a function with the same arguments given
and the same of them tracked is worked out once, and a call only fills it in.

An entry is ``(PLANNED, plan, out, operands, kept, specs)``: the storage of the result; (storage, view) of each tracked
argument; the values that the maps need as (plain data, epoch, storage, view); and what has shape and dtype of the result and
of the arguments of which the maps need these. What is not hot sees such an entry as the `Call` that says the same by names.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ._entries import CALL, Call, lift
from ._leaks import user_location
from ._moves import keep
from ._outer_products import COLLECTED_FROM
from ._plain_values import save_constant
from ._record import Record, single
from ._registry import INPUTS, Elementwise, GivenArguments, Rule, Spec
from ._storage import NOTHING
from ._traced import SeenArray, TracedArray, adopt, is_spread, same_memory


def _joined(head: str, function: Callable, names: tuple[str, ...], where: dict[str, str], defaults: dict) -> Callable:
    """``function`` as a function of ``(head, kept, specs)``: one generated lambda, so that nothing is looked up or packed
    when it runs."""
    scope: dict[str, Any] = {"f": function}
    arguments = []
    for number, name in enumerate(names):
        if name not in where:
            scope[f"d{number}"] = Spec(defaults[name[:-5]]) if name.endswith("_spec") else defaults[name]
        arguments.append(where.get(name, f"d{number}"))
    source = f"lambda {head}, kept, specs: f({', '.join(arguments)})"
    # Named after this file, so that it does not pass for the user's code.
    return eval(compile(source, __file__, "eval"), scope)


class _Plainly(Rule):
    """What an elementwise rule says of calls with nothing but their inputs and with a real result, in the form of others."""

    is_elementwise = True

    def __init__(self, rule: Elementwise) -> None:
        super().__init__(rule.function)
        names = INPUTS[: rule.nin]
        vars(self).update(names=names, defaults={}, variadic=None, sequence=None, out_position=None)
        self.exact_zeros = rule.exact_zeros
        for n, (name, maps) in enumerate(zip(names, rule.maps, strict=True)):
            asked = tuple([value for value in (*names, "ans") if value in maps[3]])
            given = ", ".join([value if value in asked else "None" for value in ("x", "y", "z", "ans", "w")])
            for table, head, of in ((self.vjps, "ct", "vjps"), (self.jvps, "tangent", "jvps")):
                source = f"lambda {', '.join([head, *asked])}: selection.{of}[{n}]({head}, {given})"
                map_ = eval(compile(source, __file__, "eval"), {"selection": rule.real[1 << n]})
                table[name] = map_, (head, *asked)
            self.shared[name] = self.vjps[name][0], None


_plainly = functools.lru_cache(None)(_Plainly)


def call_plainly(rule: Elementwise, ufunc: np.ufunc, inputs: tuple) -> Any:
    """The call of a ufunc with nothing but its inputs, if it is one of the commonest kind; `NO_PLAN` or `AGAIN` if not."""
    record = single()
    if record is None or ufunc.nout > 1 or "c" in map(_kind, inputs):
        return NO_PLAN
    made = _plainly(rule)
    given = made.given_arguments(inputs, {})
    return NO_PLAN if given is None else call_by_plan(made, given, ufunc, inputs, {}, record)


def _kind(value: Any) -> str:
    return value.dtype.kind if isinstance(value, (ndarray, np.generic)) else "c" if type(value) is complex else ""


class Plan:
    """What all calls of a rule with the same arguments given, ``names``, and the same of them tracked have in common.

    ``vjps`` has, for each map, its function, that for its result as outer products if there is one, and the operands it is
    for, with their places in its result; ``jvps`` one function for each operand.
    """

    __slots__ = ("rule", "names", "tracked", "kept", "answer", "specs", "spec_names", "kept_names", "vjps", "jvps")

    def __init__(self, rule: Rule, names: tuple[str, ...], bits: int) -> None:
        self.rule = rule
        self.names = names
        self.tracked = tuple([i for i in range(len(names)) if bits >> i & 1])
        operands = tuple([names[i] for i in self.tracked])
        needs = rule.needs(operands)
        self.kept = tuple([i for i, name in enumerate(names) if name in needs.values])
        self.answer = needs.answer
        self.kept_names = (*[names[i] for i in self.kept], *(["ans"] if self.answer else []))
        given = [(name, names.index(of)) for name, of in needs.specs if of in names]
        self.specs = tuple([position for _, position in given])
        self.spec_names = ("ans_spec", *[name for name, _ in given])
        where = {"ct": "ct", "tangent": "tangent"}
        where |= {name: f"kept[{n}]" for n, name in enumerate(self.kept_names)}
        where |= {name: f"specs[{n}]" for n, name in enumerate(self.spec_names)}
        shared: dict[Callable, list[tuple[int, int | None]]] = {}
        for n, name in enumerate(operands):
            map_, place = rule.shared[name]
            shared.setdefault(map_, []).append((n, place))
        self.vjps = []
        for map_, places in shared.items():
            name = operands[places[0][0]]
            outer = _joined("ct", *rule.outers[name], where, rule.defaults) if name in rule.outers else None
            self.vjps.append((_joined("ct", map_, rule.vjps[name][1], where, rule.defaults), outer, tuple(places)))
        self.jvps = [_joined("tangent", *rule.jvps[name], where, rule.defaults) for name in operands]


class PlannedCall:
    """The kind of these entries."""

    moves = False

    def reverse(self, sweep: Any, e: tuple) -> None:
        _, plan, out, operands, kept, specs = e
        if sweep.careful and plan.rule.is_elementwise:
            CALL.reverse(sweep, self.general(e))
            return
        sweep.owned.discard(out)
        ct = sweep.shadows.pop(out, None)
        if ct is None:
            return
        values = self._values(kept, sweep.traced)
        for vjp, outer, places in plan.vjps:
            if outer is not None and sweep.outer is not None and ct.size >= COLLECTED_FROM:
                pair = outer(ct, values, specs)
                if pair is not None:
                    sweep.add_outer(*operands[places[0][0]], pair)
                    continue
            found = vjp(ct, values, specs)
            for n, place in places:
                g = found if place is None else found[place]
                if g is not None:
                    storage, view = operands[n]
                    sweep.add(storage, view, g)

    def forward(self, sweep: Any, e: tuple) -> None:
        _, plan, out, operands, kept, specs = e
        if plan.rule.is_elementwise:
            CALL.forward(sweep, self.general(e))
            return
        values = self._values(kept, sweep.traced)
        total: Any = None
        for (storage, view), jvp in zip(operands, plan.jvps, strict=True):
            tangent = sweep.get(storage, view)
            if tangent is not None:
                part = jvp(tangent, values, specs)
                total = part if total is None else total if part is None else total + part
        sweep.put(out, None, total)

    @staticmethod
    def _values(kept: list, traced: bool) -> list:
        if traced:
            return [lift(bare, epoch, storage, view, True) for bare, epoch, storage, view in kept]
        return [
            bare if epoch is None or epoch.copy is None else epoch.restore(view, False)
            for bare, epoch, _, view in kept
        ]

    def general(self, e: tuple) -> tuple:
        """The same entry in the general form."""
        _, plan, out, operands, kept, specs = e
        saved: dict[str, Any] = {}
        constants: dict[str, Any] = {name: Spec(spec) for name, spec in zip(plan.spec_names, specs, strict=True)}
        for name, quad in zip(plan.kept_names, kept, strict=True):
            if quad[2] is None and not isinstance(quad[0], ndarray):
                constants[name] = quad[0]
            else:
                saved[name] = quad
        named = [(plan.names[i], None, *place) for i, place in zip(plan.tracked, operands, strict=True)]
        return CALL, Call(plan.rule, [(out, None)], named, saved, constants, None, False)

    def written(self, e: tuple) -> tuple:
        return None, None, None

    def outs(self, e: tuple) -> tuple:
        return (e[2],)

    def ins(self, e: tuple) -> tuple:
        return tuple([storage for storage, _ in e[3]])

    def reads(self, e: tuple) -> tuple:
        return tuple(e[3])

    def values(self, e: tuple) -> list:
        return CALL.values(self.general(e))

    def name(self, e: tuple) -> str:
        return e[1].rule.name

    def prune(self, e: tuple, active: set) -> tuple | None:
        for storage, _ in e[3]:
            if storage not in active:
                return CALL.prune(self.general(e), active)
        active.add(e[2])
        return e


PLANNED = PlannedCall()

# What an argument may be in a call that goes by a plan, besides a traced array.
_PLAIN_ARGUMENTS = frozenset([ndarray, bool, int, float, complex, str, type(None), slice, *np.sctypeDict.values()])
_INTEGERS = {int}
NO_PLAN = object()
# NumPy has computed it, and has warned, but the call is of another kind.
AGAIN = object()


def call_by_plan(rule: Rule, given: GivenArguments, function: Callable, args: tuple, kwargs: dict, record: Record) -> Any:
    """A call of a rule on the one tape that records here, if it is of the commonest kind; `NO_PLAN` or `AGAIN` if not."""
    values = (*args, *kwargs.values()) if kwargs else args
    alone = record.alone
    plain: list[Any] = []
    bits, bit = 0, 1
    for value in values:
        kind = type(value)
        if kind is TracedArray:
            plain.append(value._bare)
            storage = value._storage
            tokens = storage.tracked
            if tokens is alone or ((tokens or storage.is_variable) and record.tracks(storage)):
                bits |= bit
        elif kind in _PLAIN_ARGUMENTS or (kind is tuple and _INTEGERS.issuperset(map(type, value))):
            plain.append(value)
        elif kind is SeenArray:
            plain.append(value.view(ndarray))
        else:
            return NO_PLAN
        bit <<= 1
    if bits & ~given.differentiable:
        return NO_PLAN
    compute = rule.method if rule.method is not None and args and type(plain[0]) is ndarray else function
    if kwargs:
        n = len(args)
        result = compute(*plain[:n], **dict(zip(kwargs, plain[n:], strict=True)))
    else:
        result = compute(*plain)
    if type(result) is ndarray:
        if result.base is not None:
            for value in values:
                if type(value) is TracedArray and same_memory(result, value):
                    return value._part(result)
            if is_spread(result):
                given.general = True
                return AGAIN
        for value in plain:
            if value is result:
                return AGAIN  # the argument itself, as np.diff(x, n=0) gives it
    elif type(result) is TracedArray:
        return AGAIN  # of an array of objects
    elif not isinstance(result, np.generic):
        given.general = True  # found once for each kind of call, which is then repeated the general way
        return AGAIN
    made = adopt(result, alone if bits else NOTHING)
    if not bits or type(made) is not TracedArray:
        return AGAIN if bits and result.dtype.kind == "O" else made
    plan = given.plans.get(bits)
    if plan is None:
        plan = given.plans[bits] = Plan(rule, given.names, bits)
    kept: list[tuple] = []
    for position in plan.kept:
        value = values[position]
        kind = type(value)
        if kind is TracedArray:
            kept.append((*keep(value), value._storage, value._view))
        elif kind is ndarray or kind is SeenArray:
            kept.append((*save_constant(value, user_location), None, None))
        else:
            kept.append((value, None, None, None))
    storage = made._storage
    if plan.answer:
        kept.append((*keep(made), storage, None))
    operands: list[tuple] = []
    for position in plan.tracked:
        value = values[position]
        operands.append((value._storage, value._view))
    specs: list[Any] = [storage]
    for position in plan.specs:
        value = values[position]
        if type(value) is TracedArray:
            view = value._view
            specs.append(value._storage if view is None else view)
        else:
            specs.append(Spec(value))
    record.append((PLANNED, plan, storage, operands, kept, specs))
    return made
