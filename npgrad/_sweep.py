"""Going over a record backwards, with cotangents; and what this has in common with going forwards (``_forward_sweep``).

Both sweeps are loops. A shadow has the shape of its storage behind any number of extra leading axes, the *batch*; so
one sweep gives a gradient or a whole Jacobian. When an outer tape records, shadows and saved values are traced arrays,
and the sweep is one more NumPy program that is followed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from sys import getrefcount
from typing import Any

import numpy as np
from numpy import ndarray

from ._entries import BINARY, UNARY
from ._fitting import project
from ._move_entries import READ, WRITE
from ._outer_products import OuterProducts
from ._plain_values import begin_sweep
from ._pool import FROM_BYTES, HELD_BY_TWO, HELD_ONCE, fits
from ._storage import IndexView, Layout, Shape, Storage, View, batched_key, empty_with_order, native
from ._traced import TracedArray, fresh


class Sweep:
    """Shadows of storages, and what both directions do with them."""

    __slots__ = ("shadows", "owned", "batch", "batch_ndim", "traced", "careful")

    def __init__(self, batch: Shape, traced: bool, careful: bool = False) -> None:
        begin_sweep()
        self.shadows: dict[Storage, Any] = {}
        # Storages whose shadow nobody else refers to, so that it may be added to in place.
        self.owned: set[Storage] = set()
        self.batch = batch
        self.batch_ndim = len(batch)
        self.traced = traced
        # A zero cotangent times a singular partial derivative is zero: see `is_clean`.
        self.careful = careful

    def zeros(self, shape: Shape, dtype: np.dtype) -> Any:
        zeros = np.zeros(self.batch + shape, native(dtype))
        return fresh(zeros) if self.traced else zeros

    def buffer(self, storage: Storage, layout: Layout | None) -> Any:
        """The shadow of a storage, made if there is none, as an array to write into; with the memory layout that
        strided views of the storage need."""
        shadow = self.shadows.get(storage)
        fits = layout is None or (
            isinstance(shadow, ndarray) and layout.matches(getattr(shadow, "_bare", shadow), self.batch_ndim)
        )
        if shadow is not None and fits and storage in self.owned and isinstance(shadow, ndarray):
            return shadow
        if layout is None and shadow is None:
            made = self.zeros(storage.shape, storage.dtype)
        else:
            order = tuple(range(len(storage.shape))) if layout is None else layout.order
            made = empty_with_order(storage.shape, native(storage.dtype), order, self.batch)
            if self.traced:
                made = fresh(np.empty_like(made))  # of the same layout, but owner of its memory: see `root_of`
            made[...] = 0 if shadow is None else shadow
        self.shadows[storage] = made
        self.owned.add(storage)
        return made

    def forget(self, storages: list[Storage]) -> None:
        for storage in storages:
            self.shadows.pop(storage, None)
            self.owned.discard(storage)


class ReverseSweep(Sweep):
    """Cotangents: `add` what flows back into an input, `take` what has arrived at an output."""

    __slots__ = ("large", "spare", "outer")

    def __init__(self, batch: Shape, traced: bool, careful: bool = False, large: dict[int, Any] | None = None) -> None:
        super().__init__(batch, traced, careful)
        # What calls like ``A @ v`` add to matrices, until these are asked for.
        self.outer = None if batch or traced or careful else OuterProducts()
        # Large saved values that this sweep meets, by identity: see ``_pool``.
        self.large = {} if large is None else large
        # Memory of large cotangents that have arrived, by shape and dtype: for those that come.
        self.spare: dict[tuple, list[ndarray]] = {}

    def add(self, storage: Storage, view: View | None, ct: Any) -> None:
        spec = storage if view is None else view
        if ct.shape != (self.batch + spec.shape if self.batch_ndim else spec.shape) or ct.dtype is not spec.dtype:
            ct = project(ct, spec.shape, spec.dtype, self.batch)
        if view is not None:
            if type(view) is IndexView and view.parent is None and storage in self.owned:
                # The commonest views, written out: what `IndexView.add_into` does.
                n = self.batch_ndim
                part = self.shadows[storage][batched_key(view.key, n) if n else view.key]
                part += ct
            else:
                view.add_into(self.buffer(storage, view.layout), ct, self.batch_ndim)
            if ct.nbytes > FROM_BYTES and getrefcount(ct) <= HELD_BY_TWO:
                self.keep_spare(ct)
            return
        old = self.shadows.get(storage)
        if old is None:
            self.shadows[storage] = ct
        elif storage in self.owned:
            old += ct
            self.shadows[storage] = old
            if ct.nbytes > FROM_BYTES and getrefcount(ct) <= HELD_BY_TWO:
                self.keep_spare(ct)
        else:
            free = ct.nbytes > FROM_BYTES and getrefcount(ct) <= HELD_BY_TWO and fits(ct, old)
            self.shadows[storage] = total = np.add(old, ct, ct) if free else old + ct
            # To be written into: no scalar, which is what the sum of 0-d arrays is, and no sum of plain seeds under an outer
            # tape, which would not see what is written there.
            if total.ndim and (not self.traced or isinstance(total, TracedArray)):
                self.owned.add(storage)

    def add_outer(self, storage: Storage, view: View | None, pair: tuple[Any, Any]) -> None:
        """Add the product of the transpose of a matrix with another one, at the latest when it is asked for."""
        assert self.outer is not None
        if self.outer.collect(storage, view, *pair):
            self.settle(storage)

    def settle(self, storage: Storage) -> None:
        """Add what has been collected for a storage."""
        if self.outer is not None and storage in self.outer.found:
            for view, total in self.outer.sums(storage):
                self.add(storage, view, total)

    def meet(self, *saved: Any) -> None:
        """Note large saved values, whose memory the next tape may use when this one is gone."""
        for value in saved:
            if type(value) is ndarray and value.base is None:
                self.large[id(value)] = value

    def keep_spare(self, array: Any) -> None:
        """Keep the memory of a cotangent that only the caller's variables still refer to."""
        if type(array) is ndarray and array.base is None and array.flags.carray:
            kept = self.spare.setdefault((array.shape, array.dtype), [])
            if len(kept) < 4:
                kept.append(array)

    def copy(self, part: Any) -> Any:
        if part.nbytes > FROM_BYTES and type(part) is ndarray and (spare := self.spare.get((part.shape, part.dtype))):
            made = spare.pop()
            made[...] = part
            return made
        return part.copy()

    def product(self, ct: Any, factor: Any, x: Any, y: Any, ans: Any, ct_is_free: bool) -> Any:
        """A large cotangent times its partial derivative, in memory that is there already: fresh memory costs as much as the
        multiplication."""
        value = factor.value(None, x, y, None, ans)
        if getrefcount(value) <= HELD_ONCE and type(value) is ndarray and value.shape == ct.shape and fits(value, ct):
            return factor.apply(ct, value, value)
        if fits(ct, value):
            if ct_is_free:
                return factor.apply(ct, value, ct)
            if spare := self.spare.get((ct.shape, ct.dtype)):
                return factor.apply(ct, value, spare.pop())
        return factor.apply(ct, value)

    def take(self, storage: Storage, view: View | None, mask: Any = None) -> Any:
        """The cotangent of what was written here, which is cleared for what was there before."""
        if view is None and mask is None:
            self.owned.discard(storage)
            return self.shadows.pop(storage, None)
        if storage not in self.shadows:
            return None
        shadow = self.buffer(storage, None if view is None else view.layout)
        part = shadow if view is None else view.of(shadow, self.batch_ndim)
        if mask is not None:
            ct = np.where(mask, part, 0)
            np.copyto(part, 0, where=np.broadcast_to(mask, part.shape))
            return ct
        ct = self.copy(part)
        part[...] = 0
        return ct

    def peek(self, storage: Storage, view: View | None) -> Any:
        """A copy of the cotangent that has arrived, None if there is none."""
        self.settle(storage)
        if storage not in self.shadows:
            return None
        if view is None:
            # What is not owned is not written, so a plain shadow need not be copied.
            self.owned.discard(storage)
            return self.shadows[storage] + 0 if self.traced else self.shadows[storage]
        part = view.of(self.buffer(storage, view.layout), self.batch_ndim)
        return part.copy()

    def run(self, entries: list, low: int, high: int) -> None:
        if self.traced or self.careful:
            for e in reversed(entries[low:high]):
                if e is not None:
                    e[0].reverse(self, e)
            return
        # The same for plain data, with the commonest entries written out: what the ``reverse`` of these kinds does.
        shadows, owned, add = self.shadows, self.owned, self.add
        collected = {} if self.outer is None else self.outer.found
        is_single = not self.batch_ndim
        for e in reversed(entries[low:high]):
            if e is None:
                continue
            kind = e[0]
            if kind is BINARY:
                _, selection, out, ov, sx, vx, sy, vy, x, ex, y, ey, ans, ea = e
                if out in collected:
                    self.settle(out)
                if ov is None:
                    ct = shadows.pop(out, None)
                    if ct is None:
                        continue
                    if owned:
                        owned.discard(out)
                    shape = out.shape
                elif selection.passes_x and ov is vx and out is sx:
                    # `u[...] += y`: the cotangent stays where it is, and goes to y besides.
                    if out in shadows and selection.vjp_y is not None:
                        ct = ov.of(self.buffer(out, ov.layout), self.batch_ndim)
                        g = selection.vjp_y(ct, None, None, None, None)
                        # A copy, if it would become the shadow itself.
                        add(sy, vy, self.copy(ct) if g is ct and vy is None and sy not in owned else g)
                    continue
                else:
                    ct = self.take(out, ov)
                    if ct is None:
                        continue
                    shape = None
                if ex is not None and ex.copy is not None:
                    x = ex.restore(vx, False)
                if ey is not None and ey.copy is not None:
                    y = ey.restore(vy, False)
                if ea is not None and ea.copy is not None:
                    ans = ea.restore(ov, False)
                vjp = selection.vjp_x
                if vjp is not None:
                    if selection.factor_x is not None and ct.nbytes > FROM_BYTES:
                        g = None  # the last one may be this cotangent
                        last = selection.vjp_y is None and getrefcount(ct) <= HELD_ONCE
                        self.meet(None if sy is None else y, ans)
                        g = self.product(ct, selection.factor_x, x, y, ans, last)
                    else:
                        g = vjp(ct, x, y, None, ans)
                    # The first contribution is taken over as it is.
                    if vx is None and shape is sx.shape and g.dtype is sx.dtype and sx not in shadows:
                        shadows[sx] = g
                    else:
                        add(sx, vx, g)
                vjp = selection.vjp_y
                if vjp is not None:
                    if selection.factor_y is not None and ct.nbytes > FROM_BYTES:
                        g = None
                        self.meet(None if sx is None else x, ans)
                        g = self.product(ct, selection.factor_y, x, y, ans, getrefcount(ct) <= HELD_ONCE)
                    else:
                        g = vjp(ct, x, y, None, ans)
                    if vy is None and shape is sy.shape and g.dtype is sy.dtype and sy not in shadows:
                        shadows[sy] = g
                    else:
                        add(sy, vy, g)
            elif kind is UNARY:
                _, selection, out, ov, sx, vx, x, ex, ans, ea = e
                if out in collected:
                    self.settle(out)
                ct = shadows.pop(out, None)
                if ct is None:
                    continue
                if owned:
                    owned.discard(out)
                if ex is not None and ex.copy is not None:
                    x = ex.restore(vx, False)
                if ea is not None and ea.copy is not None:
                    ans = ea.restore(ov, False)
                if selection.factor_x is not None and ct.nbytes > FROM_BYTES:
                    g = None
                    self.meet(x, ans)
                    g = self.product(ct, selection.factor_x, x, None, ans, getrefcount(ct) <= HELD_ONCE)
                else:
                    g = selection.vjp_x(ct, x, None, None, ans)
                if vx is None and out.shape is sx.shape and g.dtype is sx.dtype and sx not in shadows:
                    shadows[sx] = g
                else:
                    add(sx, vx, g)
            elif kind is READ and is_single:
                _, out, sx, vx, key = e
                ct = shadows.pop(out, None)
                if ct is None:
                    continue
                if vx is not None:
                    target = vx.of(self.buffer(sx, vx.layout), 0)
                else:
                    target = shadows[sx] if sx in owned else self.buffer(sx, None)
                target[key] += ct
            elif kind is WRITE and is_single:
                _, out, ov, key, sx, vx = e
                if out in collected:
                    self.settle(out)
                if out not in shadows:
                    continue
                if ov is not None:
                    target = ov.of(self.buffer(out, ov.layout), 0)
                else:
                    target = shadows[out] if out in owned else self.buffer(out, None)
                if sx is not None:
                    # A copy: what was written may be a part of the destination itself, which is cleared first.
                    g = target[key]
                    g = g.copy() if isinstance(g, ndarray) else g
                target[key] = 0
                if sx is not None:
                    if vx is None and g.shape == sx.shape and g.dtype is sx.dtype and sx not in shadows:
                        shadows[sx] = g
                    else:
                        add(sx, vx, g)
            else:
                if collected:
                    for out in kind.outs(e):
                        if out in collected:
                            self.settle(out)
                kind.reverse(self, e)


def prune(entries: list, sources: Iterable[Storage]) -> list:
    """The entries with all left out that the sources do not reach; None where nothing remains."""
    active = set(sources)
    return [e[0].prune(e, active) for e in entries]


Event = tuple[int, Callable[[ReverseSweep], None]]


def reverse(entries: list, sweep: ReverseSweep, events: list[Event]) -> None:
    """Run backwards over all entries, stopping before position p for each event (p, action)."""
    high = len(entries)
    if len(events) > 1:
        events = sorted(events, key=lambda event: -event[0])
    for position, action in events:
        sweep.run(entries, position, high)
        high = position
        action(sweep)
    if high:
        sweep.run(entries, 0, high)


def is_clean(result: Any) -> bool:
    """Whether all numbers are finite. If so, no product of zero and infinity has occurred that mattered, and the sweep
    need not be repeated with care."""
    bare = result._bare if isinstance(result, TracedArray) else result
    # A sum of squares is faster; it is not finite either where the numbers are large.
    return math.isfinite(abs(np.vdot(bare, bare))) or bool(np.isfinite(bare).all())
