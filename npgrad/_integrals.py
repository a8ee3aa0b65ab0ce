"""``scipy.integrate.quad`` with the derivative of the integral: by what its function brings in, and by the ends.

SciPy integrates plain values, and says into which parts it has divided the interval. The integral over each is a sum of
values of the function, by Gauss's rule; these are recorded. Parts are divided further until a division changes nothing, so
that the sums of derivatives are as good. Where the function jumps its place may move, which no sum of values tells: that is
refused, and so is a second derivative where it bends. By an end the derivative is the function there; further derivatives
are made as far as the tapes may ask for them.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ._compat import signature_of
from ._dispatch import tracking
from ._following import ANSWERING
from ._moves import assemble
from ._roots import arguments_of, as_given, orders_of
from ._scipy import refuse_compiled
from ._segments import unrecorded
from ._surroundings import arrays_around
from ._traced import TracedArray, traced_leaves, unwrap

_NAME = "scipy.integrate.quad"
_RULE = list(zip(*(part.tolist() for part in unwrap(np.polynomial.legendre.leggauss(21))), strict=True))
_MOST_PARTS = 200
# What a division may change, relative to all of it and to the part; how narrow a part is where the function is not smooth,
# and at least, relative to its distance from the ends; what tells a jump, and a bend, relative to the largest value.
_CHANGE, _PART, _WIDTH, _NARROWEST, _JUMP, _BEND = 1e-13, 1e-10, 1e-5, 1e-9, 1e-3, 1e-7
# How often in a row a division may be no better, as it is of values that are not exact themselves.
_IN_VAIN = 3
Part = tuple[float, float]
# What changes the sum that is taken.
_OTHER_SUMS = ("weight", "complex_func")


def _answered(function: Callable, args: tuple, kwargs: dict) -> Any:
    found = unrecorded(function, *unwrap(args), **unwrap(kwargs))
    given = arguments_of(function, args, kwargs)
    f, ends, extra = given["func"], (given["a"], given["b"]), given.get("args", ())
    extra = extra if isinstance(extra, tuple) else (extra,)
    if any(given.get(name) for name in _OTHER_SUMS):
        if records := tracking([*traced_leaves([ends, extra]), *arrays_around(f)]):
            refuse_compiled(records, _NAME)
        return found
    low, high = sorted(float(unwrap(end)) for end in ends)
    sign = 1.0 if unwrap(ends[0]) <= unwrap(ends[1]) else -1.0
    division = _Division(lambda t: unwrap(f(t, *extra)), low, high)
    if low != high:
        unrecorded(division.begin, function, unwrap(given))
    made: Any = _by_end(f, extra, ends[1]) - _by_end(f, extra, ends[0])
    values = assemble([f(t, *extra) for t, _ in division.points()] or [0.0]).reshape(-1)
    orders = orders_of(values)
    if orders or tracking([*traced_leaves(extra), *arrays_around(f)]):
        division.check(sign * found[0], orders)
    if orders:
        made = made + np.sum(values * [sign * weight for _, weight in division.points()])
    return (as_given(made, found[0]), *found[1:]) if tracking(traced_leaves([made])) else found


class _Division:
    """The parts of an interval, those of an infinite one on (0, 1], onto which SciPy maps it."""

    def __init__(self, f: Callable[[float], Any], low: float, high: float) -> None:
        self.f, self.low, self.high = f, low, high
        self.ends = (low, high) if math.isfinite(low) and math.isfinite(high) else (0.0, 1.0)
        self.tolerance = 0.0
        # Of each part the sum, and by how much the function changes across it.
        self.parts: dict[Part, tuple[float, float]] = {}
        self.rounding = float(np.finfo(float).eps)
        self.known: dict[Part, tuple[float, float, float]] = {}
        self.largest = 0.0
        self.jumps = self.bends = False

    def begin(self, function: Callable, given: dict[str, Any]) -> None:
        """Take the parts that SciPy has made, and divide them further."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = function(**{**given, "full_output": 1})
        defaults = signature_of(function).parameters
        absolute, relative = (given.get(name, defaults[name].default) for name in ("epsabs", "epsrel"))
        self.tolerance = 10 * max(absolute, relative * abs(result[0]), result[1])
        count = result[2]["last"]
        begun = sorted(zip(*(result[2][name][:count].tolist() for name in ("alist", "blist")), strict=True))
        size = sum(abs(self._over(part)[0]) for part in begun)
        todo = [(part, 0) for part in begun]
        while todo:
            part, in_vain = todo.pop()
            total, spread, weight = self._over(part)
            change = self._change(part)
            most = max(min(_CHANGE * size, _PART * self.largest * weight), 8 * self.rounding * self.largest * weight)
            is_wide = part[1] - part[0] > _NARROWEST * self._distance(part)
            if change > most and is_wide and in_vain < _IN_VAIN and len(self.parts) + len(todo) < _MOST_PARTS:
                left = sum(map(self._change, _halves(part)))
                todo += [(half, in_vain + 1 if left > 0.9 * change else 0) for half in _halves(part)]
            else:
                self.parts[part] = total, spread
        self._look_between(set(given.get("points") or ()))

    def _look_between(self, breaks: set[float]) -> None:
        """Find out whether the function jumps or bends where parts meet, or inside of narrow parts."""
        narrow = [s for part, (_, s) in self.parts.items() if part[1] - part[0] < _WIDTH * self._distance(part)]
        self.jumps = any(spread > _JUMP * self.largest for spread in narrow)
        self.bends = bool(narrow)
        for (first, middle), (_, last) in itertools.pairwise(sorted(self.parts)):
            step = _WIDTH * min(middle - first, last - middle)
            if middle not in breaks and step > np.spacing(abs(middle)):
                around = zip(*[self._mapped(middle + n * step) for n in (-2, -1, 1, 2)], strict=True)
                for a, b, c, d in [[float(self._value(t)) for t, _ in places] for places in around]:
                    self.jumps |= abs(c - b) > _JUMP * self.largest
                    self.bends |= abs((d - c) - (b - a)) > _BEND * self.largest

    def _distance(self, part: Part) -> float:
        """Of a part from the ends."""
        return min(abs(end - place) for end in self.ends for place in part)

    def _change(self, part: Part) -> float:
        """By how much a division changes the sum."""
        return abs(sum(self._over(half)[0] for half in _halves(part)) - self._over(part)[0])

    def _value(self, t: float) -> Any:
        value = self.f(t)
        if getattr(value, "dtype", None) in (np.float16, np.float32):
            self.rounding = float(np.finfo(value.dtype).eps)
        return value

    def _over(self, part: Part) -> tuple[float, float, float]:
        """The sum over a part, by how much the function changes across it, and the sum of the weights."""
        if part not in self.known:
            values = [(float(self._value(t)), weight) for t, weight in self._points_of(part)]
            found = [value for value, _ in values]
            self.largest = max(self.largest, *map(abs, found))
            total = sum(value * weight for value, weight in values)
            self.known[part] = total, max(found) - min(found), sum(weight for _, weight in values)
        return self.known[part]

    def points(self) -> Iterator[tuple[float, float]]:
        """The points of all parts with their weights."""
        for part in sorted(self.parts):
            yield from self._points_of(part)

    def _points_of(self, part: Part) -> Iterator[tuple[float, float]]:
        first, last = part
        for point, weight in _RULE:
            for t, factor in self._mapped(0.5 * (first + last) + 0.5 * (last - first) * point):
                yield t, factor * weight * 0.5 * (last - first)

    def _mapped(self, u: float) -> list[tuple[float, float]]:
        """The places that SciPy maps onto a place of the interval, with factors for their weights."""
        if math.isfinite(self.low) and math.isfinite(self.high):
            return [(u, 1.0)]
        begin = self.low if math.isfinite(self.low) else self.high if math.isfinite(self.high) else 0.0
        signs = (1.0, -1.0) if begin not in (self.low, self.high) else (1.0,) if begin == self.low else (-1.0,)
        return [(begin + sign * (1 - u) / u, u**-2) for sign in signs]

    def check(self, integral: float, orders: int) -> None:
        """Raise where the sums of derivatives would not be the derivative of the integral. That the function jumps at a
        place which moves may be all that it depends on."""
        differs = abs(sum(total for total, _ in self.parts.values()) - integral) > self.tolerance
        if self.jumps or (orders and differs) or (orders > 1 and self.bends):
            raise RuntimeError(
                f"the derivative of {_NAME} cannot be found as exactly as the integral of a function that jumps, bends or "
                "is singular inside of the interval: integrate its parts one by one"
            )


def _halves(part: Part) -> tuple[Part, Part]:
    middle = 0.5 * (part[0] + part[1])
    return (part[0], middle), (middle, part[1])


def _by_end(f: Callable, extra: tuple, end: Any) -> Any:
    """The integral from the value of a tracked end to the end itself: zero, with its derivatives."""
    if not isinstance(end, TracedArray) or not math.isfinite(unwrap(end)):
        return 0.0
    orders = orders_of(end)
    if not orders:
        return 0.0
    change = end - unwrap(end)
    points, weights = unwrap(np.polynomial.legendre.leggauss((orders + 1) // 2))
    values = [f(unwrap(end) + 0.5 * (1 + point) * change, *extra) for point in points.tolist()]
    return change * np.sum(0.5 * weights * assemble(values).reshape(-1))


ANSWERING[_NAME] = _answered
