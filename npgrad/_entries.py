"""The kinds of record entry: one per recorded call or write. Calls are here, moves in ``_move_entries``.

An entry is a tuple whose first item is its kind, an object of this module; plain tuples because a tape makes one per
call. A kind knows its layout, its reverse and forward map, what the entry reads and writes (`ins`, `outs`, `written`), what
it keeps (`values`), its `name`, and how to leave out what no source reaches (`prune`). Storages and views say
where shadows are; saved values come with the `Epoch` that protects them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._move_entries import COPY
from ._traced import over


def lift(bare: Any, epoch: Any, storage: Any, view: Any, traced: bool) -> Any:
    """A saved value: as plain data, or as the traced array it was when an outer tape follows the sweep."""
    if epoch is not None and epoch.copy is not None:
        return epoch.restore(view, traced)
    if traced and storage is not None and bare is not None:
        return over(bare, storage, view)
    return bare


def _kept(*saved: tuple) -> list:
    """(storage, value) of what an entry keeps; the storage is None for constants."""
    return [(s, lift(bare, epoch, s, v, False)) for s, v, bare, epoch in saved if bare is not None]


def without_singular(ct: Any, g: Any, partial: Callable | None = None) -> Any:
    """A zero cotangent (or tangent) times a singular partial derivative is zero; so is a singular one times a zero that
    ``partial`` gives exactly. A zero of finite factors stays as it is, for it may have a derivative."""
    finite = np.isfinite(g)
    if np.all(finite):
        return g
    g = np.where(finite | (ct != 0), g, 0)
    return g if partial is None else np.where(finite | (partial(np.ones_like(ct)) != 0), g, 0)


def _times(careful: bool, selection: Any, derivative: Callable, ct: Any, *values: Any) -> Any:
    """The reverse or forward map of a function of two inputs."""
    g = derivative(ct, *values)
    if not careful:
        return g
    is_exact = selection.bits.bit_count() <= selection.rule.exact_zeros
    return without_singular(ct, g, (lambda one: derivative(one, *values)) if is_exact else None)


class _Computes:
    moves = False


class Unary(_Computes):
    """(kind, selection, out, out_view, s, v, x, epoch_x, ans, epoch_ans): an elementwise function of one input, whose
    output is always new (out_view is None). `ReverseSweep.run` has the reverse map for plain data written out."""

    def reverse(self, sweep: Any, e: tuple) -> None:
        _, selection, out, ov, s, v, x, ex, ans, ea = e
        ct = sweep.take(out, ov)
        if ct is None:
            return
        x, ans = lift(x, ex, s, v, sweep.traced), lift(ans, ea, out, ov, sweep.traced)
        g = selection.vjp_x(ct, x, None, None, ans)
        sweep.add(s, v, without_singular(ct, g) if sweep.careful else g)

    def forward(self, sweep: Any, e: tuple) -> None:
        _, selection, out, ov, s, v, x, ex, ans, ea = e
        tangent = sweep.get(s, v)
        if tangent is not None:
            x, ans = lift(x, ex, s, v, sweep.traced), lift(ans, ea, out, ov, sweep.traced)
            t = selection.jvps[0](tangent, x, None, None, ans)
            tangent = without_singular(tangent, t) if sweep.careful else t
        sweep.put(out, ov, tangent)

    def written(self, e: tuple) -> tuple:
        return e[3], None, None

    def outs(self, e: tuple) -> tuple:
        return (e[2],)

    def ins(self, e: tuple) -> tuple:
        return (e[4],)

    def reads(self, e: tuple) -> tuple:
        return ((e[4], e[5]),)

    def values(self, e: tuple) -> list:
        return _kept((e[4], e[5], e[6], e[7]), (e[2], e[3], e[8], e[9]))

    def name(self, e: tuple) -> str:
        return e[1].rule.name

    def prune(self, e: tuple, active: set) -> tuple | None:
        if e[4] in active:
            active.add(e[2])
            return e
        return (COPY, e[2], e[3], None, None) if e[2] in active else None


class Binary(_Computes):
    """(kind, selection, out, out_view, sx, vx, sy, vy, x, epoch_x, y, epoch_y, ans, epoch_ans): two inputs; in place where
    there is an out_view or out is sx. `ReverseSweep.run` has the reverse map for plain data written out."""

    def reverse(self, sweep: Any, e: tuple) -> None:
        _, selection, out, ov, sx, vx, sy, vy, x, ex, y, ey, ans, ea = e
        ct = sweep.take(out, ov)
        if ct is None:
            return
        traced = sweep.traced
        x, y, ans = lift(x, ex, sx, vx, traced), lift(y, ey, sy, vy, traced), lift(ans, ea, out, ov, traced)
        for vjp, s, v in ((selection.vjp_x, sx, vx), (selection.vjp_y, sy, vy)):
            if vjp is not None:
                sweep.add(s, v, _times(sweep.careful, selection, vjp, ct, x, y, None, ans))

    def forward(self, sweep: Any, e: tuple) -> None:
        _, selection, out, ov, sx, vx, sy, vy, x, ex, y, ey, ans, ea = e
        jvp_x, jvp_y = selection.jvps
        shape = out.shape if ov is None else ov.shape
        traced, careful = sweep.traced, sweep.careful
        # x last: looking at y may give the shadow another layout.
        ty = None if jvp_y is None else sweep.peek(sy, vy)
        tx = None if jvp_x is None else sweep.peek(sx, vx)
        in_place = ov is not None and sx is out and vx is ov and not traced
        tangent: Any = None
        own, lender = False, None
        for t, s, v, jvp in ((tx, sx, vx, jvp_x), (ty, sy, vy, jvp_y)):
            if t is None:
                continue
            if tangent is None:
                x, y, ans = lift(x, ex, sx, vx, traced), lift(y, ey, sy, vy, traced), lift(ans, ea, out, ov, traced)
            aligned = sweep.align(t, len(shape))
            part = _times(careful, selection, jvp, aligned, x, y, None, ans)
            is_own = part is not aligned and not traced and part.base is None
            if tangent is None:
                tangent, own, lender = part, is_own, (s, v)
            elif tangent.shape != part.shape or tangent.dtype != part.dtype:
                tangent, own = tangent + part, True
            elif own or (in_place and tangent is tx):
                tangent += part
            elif is_own:
                part += tangent
                tangent, own = part, True
            else:
                tangent, own = tangent + part, True
        if in_place and tangent is tx is not None:
            return
        if lender is not None and ov is None and not own:
            # What is not new is a part of the input's tangent, which may be written into later.
            if lender[1] is None:
                sweep.owned.discard(lender[0])
            else:
                tangent = tangent.copy()
        sweep.put(out, ov, tangent)

    def written(self, e: tuple) -> tuple:
        return e[3], None, None

    def outs(self, e: tuple) -> tuple:
        return (e[2],)

    def ins(self, e: tuple) -> tuple:
        return tuple([e[4 + 2 * i] for i in (0, 1) if e[1].bits >> i & 1])

    def reads(self, e: tuple) -> tuple:
        return tuple([(e[4 + 2 * i], e[5 + 2 * i]) for i in (0, 1) if e[1].bits >> i & 1])

    def values(self, e: tuple) -> list:
        return _kept((e[4], e[5], e[8], e[9]), (e[6], e[7], e[10], e[11]), (e[2], e[3], e[12], e[13]))

    def name(self, e: tuple) -> str:
        return e[1].rule.name

    def prune(self, e: tuple, active: set) -> tuple | None:
        selection = e[1]
        bits = selection.bits
        wanted = bits & ((e[4] in active) | (e[6] in active) << 1)
        if wanted:
            active.add(e[2])
            return e if wanted == bits else (e[0], selection.table[wanted], *e[2:])
        return (COPY, e[2], e[3], None, None) if e[2] in active else None


def _exact_partial(call: Any, derivative: Callable, env: dict, names: tuple, of: str) -> Callable | None:
    if len(call.operands) > call.rule.exact_zeros:
        return None
    return lambda one: derivative(*[one if name == of else env[name] for name in names])


class CallEntry(_Computes):
    """(kind, call): any other function with a rule; see `Call`."""

    def reverse(self, sweep: Any, e: tuple) -> None:
        call = e[1]
        take, mask = sweep.take, call.mask
        if call.several:
            ct: Any = tuple([None if o is None else take(o[0], o[1], mask) for o in call.outs])
            if all(c is None for c in ct):
                return
        else:
            out = call.outs[0]
            ct = None if out is None else take(out[0], out[1], mask)
            if ct is None:
                return
        env = call.environment(sweep.traced)
        env["ct"] = ct
        careful = sweep.careful and call.is_elementwise
        vjps = call.rule.vjps
        outers = call.rule.outers if sweep.outer is not None else {}
        last, results = None, ()
        for name, item, storage, view in call.operands:
            if name in outers:
                outer, names = outers[name]
                pair = outer(*[env[n] for n in names])
                if pair is not None:
                    sweep.add_outer(storage, view, pair)
                    continue
            if name != last:  # the items of a sequence follow one another
                vjp, names = vjps[name]
                results = vjp(*[env[n] for n in names])
                last = name
            g = results if item is None else results[item]
            if g is None:
                continue
            if careful:
                g = without_singular(ct, g, _exact_partial(call, vjp, env, names, "ct"))
            sweep.add(storage, view, g)

    def forward(self, sweep: Any, e: tuple) -> None:
        call = e[1]
        env = call.environment(sweep.traced)
        totals: Any = None
        for name, storage_items in call.by_name().items():
            tangents = [sweep.get(storage, view) for _, storage, view in storage_items]
            if all(t is None for t in tangents):
                continue
            if storage_items[0][0] is None:
                env["tangent"] = tangents[0]
            else:
                spec = env[name + "_spec"]
                filled = [sweep.zeros(s.shape, s.dtype) for s in spec]
                for (item, _, _), t in zip(storage_items, tangents, strict=True):
                    if t is not None:
                        filled[item] = t
                env["tangent"] = filled
            jvp, names = call.rule.jvps[name]
            if call.is_elementwise:
                env["tangent"] = sweep.align(env["tangent"], len(env["ans_spec"].shape))
            part = jvp(*[env[n] for n in names])
            if sweep.careful and call.is_elementwise:
                part = without_singular(env["tangent"], part, _exact_partial(call, jvp, env, names, "tangent"))
            parts = part if call.several else (part,)
            totals = parts if totals is None else tuple(
                b if a is None else a if b is None else a + b for a, b in zip(totals, parts, strict=True)
            )  # fmt: skip
        for position, out in enumerate(call.outs):
            if out is not None:
                sweep.put(out[0], out[1], None if totals is None else totals[position], call.mask)

    def written(self, e: tuple) -> tuple:
        call = e[1]
        return call.outs[0][1] if len(call.outs) == 1 else None, None, call.mask

    def outs(self, e: tuple) -> tuple:
        return tuple([out[0] for out in e[1].outs if out is not None])

    def ins(self, e: tuple) -> tuple:
        return tuple([operand[2] for operand in e[1].operands])

    def reads(self, e: tuple) -> tuple:
        return tuple([operand[2:] for operand in e[1].operands])

    def values(self, e: tuple) -> list:
        saved = [item for value in e[1].saved.values() for item in (value if isinstance(value, list) else [value])]
        return _kept(*[(storage, view, bare, epoch) for bare, epoch, storage, view in saved])

    def name(self, e: tuple) -> str:
        return e[1].rule.name

    def prune(self, e: tuple, active: set) -> tuple | None:
        call = e[1]
        outs = self.outs(e)
        operands = [operand for operand in call.operands if operand[2] in active]
        if operands:
            active.update(outs)
            return e if len(operands) == len(call.operands) else (e[0], call.with_operands(operands))
        return None if active.isdisjoint(outs) else (e[0], call.with_operands([]))


def _lifted(saved: tuple, traced: bool) -> Any:
    bare, epoch, storage, view = saved
    return lift(bare, epoch, storage, view, traced)


class Call:
    """One call of a function with a rule.

    ``outs`` holds (storage, view) per output, None where it carries no derivative; ``operands`` the tracked arguments
    as (name, item in a sequence or None, storage, view); ``saved`` the protected values as name: (bare, epoch, storage,
    view) or a list of these; ``constants`` everything else that the rule asks for. ``mask`` is the ``where=`` of a write.
    """

    __slots__ = ("rule", "outs", "operands", "saved", "constants", "mask", "several")

    def __init__(
        self, rule: Any, outs: list, operands: list, saved: dict, constants: dict, mask: Any, several: bool
    ) -> None:
        self.rule = rule
        self.outs = outs
        self.operands = operands
        self.saved = saved
        self.constants = constants
        self.mask = mask
        self.several = several

    @property
    def is_elementwise(self) -> bool:
        return self.rule.is_elementwise

    def with_operands(self, operands: list) -> Call:
        return Call(self.rule, self.outs, operands, self.saved, self.constants, self.mask, self.several)

    def environment(self, traced: bool) -> dict[str, Any]:
        env = {**self.rule.defaults, **self.constants}
        for name, value in self.saved.items():
            if type(value) is list:
                env[name] = [_lifted(item, traced) for item in value]
            else:
                bare, epoch, _storage, _view = value
                env[name] = bare if not traced and (epoch is None or epoch.copy is None) else _lifted(value, traced)
        return env

    def by_name(self) -> dict[str, list]:
        names: dict[str, list] = {}
        for name, item, storage, view in self.operands:
            names.setdefault(name, []).append((item, storage, view))
        return names


UNARY, BINARY, CALL = (kind() for kind in (Unary, Binary, CallEntry))
