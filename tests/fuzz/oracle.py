"""Is a program right? Plain NumPy says what its values are, differences of plain runs what its derivatives are."""

from __future__ import annotations

import re
import warnings
from builtins import type
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import npgrad as ng
from npgrad.testing import Linearised, derivative_along, random_direction, random_like

from . import jax_oracle
from .differences import Differences, along_line, joined
from .program import Program, Runner, parse, values
from .promises import promised, stretches
from .ways import WAYS

ADJOINT = 1e-12
# Relative tolerance against differences, by the least precise dtype that the program names.
PRECISIONS = (("float16", 8e-2), ("float32", 4e-3), ("complex64", 4e-3))
# SciPy computes some functions to fewer digits.
FEWER_DIGITS = ("special.itairy",)
WIDER = {"float16": "float64", "float32": "float64", "complex64": "complex128"}


class Outcome(NamedTuple):
    """``kind`` is right, refused, skipped or wrong; ``reason`` groups, ``detail`` is for reading."""

    kind: str
    reason: str = ""
    detail: str = ""


class Wrong(Exception):
    """A number, a dtype, an error that is not as it must be."""


class Skipped(Exception):
    """No differences can judge the program here."""


def check(program: Program, seed: int = 0, second: bool = False, jax: bool = False) -> Outcome:
    """Run the program in every way; with ``jax``, JAX judges it first."""
    notes: set[str] = set()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", ng.DegenerateWarning)
        try:
            Check(program, seed, notes).all(second, jax)
        except Wrong as error:
            what, _, detail = str(error).partition(": ")
            return Outcome("wrong", what, detail)
        except Skipped as error:
            return Outcome("skipped", str(error))
        except Exception as error:
            reason = promised(error, program.text)
            text = f"{type(error).__name__}: {error}"
            return Outcome("refused", reason) if reason else Outcome("wrong", f"raised {type(error).__name__}", text)
    return Outcome("right", ", ".join(sorted(notes)))


class Check:
    def __init__(self, program: Program, seed: int, notes: set[str]) -> None:
        self.program = program
        self.plainly = Runner(program)
        self.run = self.plainly.followed
        self.points = list(values(program.points).values())
        self.given = _copies(self.points)
        self.plain = self.plainly(*self.given)
        self.constants = self.plainly.constants()
        self.rng = np.random.default_rng([seed, len(program.text)])
        self.seed = seed
        self.notes = notes
        self.numbers = [n for n, v in enumerate(self.plain) if _is_data(v)]
        self.names = [program.returned[n] for n in self.numbers]

    def all(self, second: bool, jax: bool) -> None:
        before = (np.zeros, np.array, np.asarray)
        self.linear = Linearised(self.run, self.points)
        if (np.zeros, np.array, np.asarray) != before:
            raise Wrong("names left in place: ")
        if self.linear.record.noted_leaks:
            raise ng.LeakError(self.linear.record.noted_leaks[0])
        self.values()
        if not self.numbers:
            return
        self.directions = [random_direction(self.rng, p) for p in self.points]
        self.cotangents = self.linear.random_cotangents(self.rng)
        self.pushed = [np.asarray(t) for t in self.linear.push(self.directions)]
        self.pulled = [np.asarray(g) for g in self.linear.pull(self.cotangents)]
        if not (jax and self.judged_by_jax()):
            self.slopes()
        self.adjoint()
        self.batches()
        if self.seed % 2:
            way = WAYS[self.seed // 2 % len(WAYS)]
            for what, found, wanted in way(self):
                self.close(f"{way.__name__}, {what}", found, wanted, 1e-11)
        if second:
            self.second_order()

    # --- Values ------------------------------------------------------------------------------------------------------

    def values(self) -> None:
        for name, plain, traced in zip(self.program.returned, self.plain, self.linear.value, strict=True):
            found = traced._bare if isinstance(traced, ng.TracedArray) else traced
            for what, a, b in _sides(found, plain):
                if a != b and not (what == "writeable" and stretches(self.program.text)):
                    raise Wrong(f"{what}: of {name}: {a} and not {b}")
        fresh = list(values(self.program.points).values())
        if any(_bits(a) != _bits(b) for a, b in zip(self.points, fresh, strict=True)):
            raise Wrong("the user's arrays changed: ")
        for a, b in zip(self.plainly.constants(), self.constants, strict=True):
            if type(a) is not np.ndarray or _bits(a) != _bits(b):
                raise Wrong(f"arrays of the module: {a!r} and not {b!r}")

    # --- First order -------------------------------------------------------------------------------------------------

    def judged_by_jax(self) -> bool:
        """Whether JAX has the same values and the same derivatives: to more digits than differences have."""
        made = jax_oracle.derivatives(self.program, self.directions, self.numbers)
        if made is None or not jax_oracle.agrees(made[0], [self.plain[n] for n in self.numbers], 1e-9):
            return False
        agrees = jax_oracle.agrees(self.pushed, made[1], 1e-9)
        self.notes.add("judged by JAX" if agrees else "JAX differs, differences decide")
        return agrees

    def reference(self) -> tuple[Callable, list, float]:
        """The program in double precision, its points, and the tolerance that its own precision calls for."""
        text = self.program.text
        tolerance = next((t for dtype, t in PRECISIONS if dtype in text), 1e-7)
        if tolerance == 1e-7:
            return self.plainly, self.points, 1e-5 if any(name in text for name in FEWER_DIGITS) else tolerance
        wide = parse(re.sub("|".join(WIDER), lambda m: WIDER[m.group()], text))
        return Runner(wide), list(values(wide.points).values()), tolerance

    def slopes(self) -> None:
        run, points, tolerance = self.reference()
        kinds = [self.plain[n].dtype.kind for n in self.numbers]
        line = along_line(run, points, self.directions, self.numbers, kinds)
        differences = Differences(line, 1)
        value = joined([self.plain[n] for n in self.numbers])
        if differences.middle.shape != value.shape:
            raise Skipped("double precision takes another path")
        if run is not self.plainly and np.max(np.abs(differences.middle - value), initial=0) > tolerance / 4:
            raise Skipped("single precision is too coarse")
        self.compare("forward", joined(self.pushed), differences, tolerance)

    def compare(self, what: str, found: np.ndarray, differences: Differences, tolerance: float) -> None:
        wanted, error = differences.value, differences.error
        # Rounding and truncation enter by the largest numbers of the program.
        scale = max(float(np.max(np.abs(wanted), initial=0)), 1e-2 * float(np.max(np.abs(differences.middle), initial=0)), 1e-3)
        off = np.abs(found - wanted)
        if _agree(off, tolerance * scale, error, scale):
            return
        if tolerance <= 1e-5:
            finer = differences.finer()
            if finer.value.shape == found.shape and _agree(np.abs(found - finer.value), tolerance * scale, finer.error, scale):
                return
        if not np.isfinite(error).all():
            raise Skipped(f"{what}: no differences (another path or no value nearby)")
        worst = int(np.argmax(np.where(np.isnan(off), np.inf, off)))
        if float(np.max(error)) > 1e-4 * scale or differences.bent[worst]:
            raise Skipped(f"{what}: a kink, by the differences' own estimate")
        if self.singular():
            raise Skipped(f"{what}: a statement stands at a singular point of its own")
        raise Wrong(f"{what} and differences: {self.owner(worst)}: {found[worst]!r} and {wanted[worst]!r}")

    def owner(self, element: int) -> str:
        ends = np.cumsum([np.size(self.plain[n]) for n in self.numbers])
        return self.names[int(np.searchsorted(ends, element, side="right"))]

    def singular(self) -> bool:
        """Whether one statement is at a kink or pole for independent changes of all data that it finds."""
        from .singular import singular_statement

        return singular_statement(self.program) is not None

    def adjoint(self) -> None:
        """u . (J v) is (J^T u) . v."""
        a, b = _inner(self.cotangents, self.pushed), _inner(self.pulled, self.directions)
        size = _sizes(self.cotangents, self.pushed) + _sizes(self.pulled, self.directions)
        tolerance = {2: 5e-2, 4: 2e-4, 8: ADJOINT, 16: ADJOINT}[self.precision()]
        if not np.isfinite(size) and self.singular():
            raise Skipped("reverse: a statement stands at a singular point of its own")
        if not abs(a - b) <= tolerance * max(size, self.floor()):
            if self.singular():
                raise Skipped("the adjoint identity: a statement stands at a singular point of its own")
            raise Wrong(f"the adjoint identity: {a!r} and {b!r}, off by {abs(a - b) / size:.1e} of the terms")

    def floor(self) -> float:
        """Where terms cancel, what is left is the rounding of the values that they were made of."""
        return 1.0 + max([float(np.max(np.abs(v), initial=0)) for v in (self.plain[n] for n in self.numbers)])

    def precision(self) -> int:
        text = self.program.text
        return 2 if "float16" in text else 4 if "float32" in text or "complex64" in text else 8

    def close(self, what: str, found: list, wanted: list, tolerance: float) -> None:
        tolerance = {2: 8e-2, 4: 1e-3}.get(self.precision(), tolerance)
        for a, b in zip(found, wanted, strict=True):
            a, b = np.asarray(a), np.asarray(b)
            if a.shape != b.shape:
                raise Wrong(f"{what}: shapes {a.shape} and {b.shape}")
            if not bool((np.abs(a - b) <= tolerance * max(float(np.max(np.abs(b), initial=0)), 1e-3, self.largest())).all()):
                raise Wrong(f"{what}: {a!r} and {b!r}")

    def largest(self) -> float:
        # Where all that is left is rounding, it is that of the seeds.
        parts = [*self.pushed, *self.pulled, *self.directions, *self.cotangents]
        return max([float(np.max(np.abs(part), initial=0)) for part in parts])

    def batches(self) -> None:
        """Sweeps with leading axes give what single ones give; one seed of each batch is known already."""
        tangents = [np.stack([0 * np.asarray(d), d, -2 * np.asarray(d)]) for d in self.directions]
        self.close("many tangents", self.linear.push(tangents, (3,)), [np.stack([0 * t, t, -2 * t]) for t in self.pushed], 1e-12)
        cotangents = [np.stack([random_like(self.rng, c), c]) for c in self.cotangents]
        rows = self.linear.pull(cotangents, (2,))
        self.close("many cotangents", [np.asarray(r)[1] for r in rows], self.pulled, 1e-12)

    # --- Second order ------------------------------------------------------------------------------------------------

    def second_order(self) -> None:
        run, points, tolerance = self.reference()
        if tolerance > 1e-7:
            return  # single precision has no second differences
        differences = Differences(along_line(run, points, self.directions, self.numbers, None), 2)
        scale = max(float(np.max(np.abs(differences.value), initial=0)), self.largest(), 1e-2)
        if not float(np.max(differences.error, initial=0)) <= 1e-5 * scale:
            self.notes.add("second order unsettled")
            return
        seed = self.seed + 1
        fixed = np.random.default_rng(seed)
        cotangents = Linearised(self.run, self.points).random_cotangents(fixed)
        wanted = float(np.real(np.vdot(joined(cotangents), differences.value)))
        others = [random_like(self.rng, p) for p in self.points]
        gradient = Linearised(self._copied(derivative_along(self.run, "reverse", seed)), self.points)
        moved = [np.asarray(t) for t in gradient.push(self.directions)]
        turned = [np.asarray(g) for g in gradient.pull(self.directions)]
        allowed = 1e-6 * scale * max(1.0, float(np.sum(np.abs(joined(cotangents)))))
        for what, found in (
            ("forward over reverse", _inner(moved, self.directions)),
            ("reverse over reverse", _inner(turned, self.directions)),
        ):
            if not abs(found - wanted) <= allowed:
                self._second_wrong(f"{what} and differences: {found!r} and {wanted!r}")
        a, b = _inner(moved, others), _inner(turned, others)
        if not abs(a - b) <= 1e-10 * (_sizes(moved, others) + _sizes(turned, others) + 1):
            self._second_wrong(f"the two modes over reverse: {a!r} and {b!r}")
        tangent = Linearised(self._copied(self._pushing), self.points)
        again = joined([np.asarray(t) for t in tangent.push(self.directions)])
        if not bool((np.abs(again - differences.value) <= 1e-6 * scale + 20 * differences.error).all()):
            self._second_wrong(f"forward over forward and differences: {again!r} and {differences.value!r}")
        back = tangent.pull(cotangents)
        if not abs(_inner(back, self.directions) - _inner(cotangents, [again])) <= 1e-10 * (_sizes(cotangents, [again]) + scale):
            self._second_wrong(f"reverse over forward: {_inner(back, self.directions)!r}")

    def _second_wrong(self, message: str) -> None:
        if self.singular():
            self.notes.add("second order singular")
        else:
            raise Wrong(message)

    def _pushing(self, *xs: Any) -> list:
        return Linearised(self.run, list(xs)).push(self.directions)

    def _copied(self, f: Callable) -> Callable:
        """The program may overwrite its arguments, the derivatives by which are still wanted."""
        return lambda *xs: f(*[x.copy(order="K") if isinstance(x._bare, np.ndarray) else x for x in xs])


def _copies(points: list) -> list:
    return [np.array(p, order="K") if isinstance(p, np.ndarray) else p for p in points]


def _is_data(value: Any) -> bool:
    return isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "fc"


def _bits(value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype.kind in "fc":
        array = np.where(np.isnan(array), np.array(np.nan, array.dtype), array)
        return [array.tolist().__repr__(), np.signbit(array.real).tolist(), array.dtype.str]
    return [array.tolist(), array.dtype.str]


def _sides(found: Any, plain: Any) -> list[tuple[str, Any, Any]]:
    """What must be the same of a traced value and of NumPy's."""
    if not isinstance(plain, (np.ndarray, np.generic)):
        return [("value", found, plain)]
    if not isinstance(found, (np.ndarray, np.generic)):
        return [("type", type(found).__name__, type(plain).__name__)]
    a, b = np.asarray(found), np.asarray(plain)
    sides = [("dtype", a.dtype, b.dtype), ("shape", a.shape, b.shape), ("bits", _bits(a), _bits(b))]
    sides.append(("a scalar", isinstance(found, np.generic), isinstance(plain, np.generic)))
    if b.size:
        sides.append(("order of strides", _order(a), _order(b)))
        if 0 not in plain.strides:
            sides.append(("writeable", found.flags.writeable, plain.flags.writeable))
    return sides


def _agree(off: np.ndarray, allowed: float, error: np.ndarray, scale: float) -> bool:
    return bool((off <= allowed + 20 * error).all()) and float(np.max(error, initial=0)) <= 1e-4 * scale


def _order(array: np.ndarray) -> list[int]:
    """The axes longer than 1 by their steps in memory."""
    steps = [(abs(s), axis) for axis, (s, n) in enumerate(zip(array.strides, array.shape, strict=True)) if n > 1]
    return [axis for _, axis in sorted(steps)]


def _inner(a: list, b: list) -> float:
    return float(np.real(np.vdot(joined(a), joined(b))))


def _sizes(a: list, b: list) -> float:
    return float(np.abs(joined(a)) @ np.abs(joined(b)))
