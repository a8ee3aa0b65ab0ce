"""check_leaks: whether a program lets traced data go where no hook sees it, and at which line.

Reading memory calls nothing, so such a leak can only be found by what it does: what the program computes then moves with the
arguments as no recorded call says it should. The program is run once on a tape and twice on plain arrays, shifted to either
side; the values that each line leaves in its variables are compared with their tangents.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from ._derivatives import tangents_of
from ._directional import directional_difference
from ._leaks import LeakError, is_internal
from ._record import Record, recording
from ._run import Run
from ._structure import flatten, map_structure
from ._sweep import ForwardSweep
from ._tracebacks import public
from ._traced import TracedArray, is_inexact, unwrap

_STEP = 1e-6
_RELATIVE, _ROUNDING = 1e-3, 1e-7


class _Seen(NamedTuple):
    """What a line left in a variable: a weighted sum of it, and where its tangent is."""

    file: str
    line: int
    name: str
    number: complex
    size: float
    traced: TracedArray | None
    position: int

    @property
    def step(self) -> tuple:
        return self.file, self.line, self.name


def _weighted(array: Any) -> complex:
    bare = np.asarray(array)
    return complex(np.dot(bare.ravel(), np.cos(np.arange(bare.size)))) if bare.size else 0j


def _variables(names: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Floating data in variables, also one level inside lists, tuples, dicts and objects."""
    for name, value in names.items():
        if isinstance(value, (list, tuple)):
            yield from ((f"{name}[{i}]", item) for i, item in enumerate(value))
        elif isinstance(value, dict):
            yield from ((f"{name}[{key!r}]", item) for key, item in value.items())
        elif isinstance(getattr(value, "__dict__", None), dict) and not isinstance(value, (type, ndarray)):
            yield from ((f"{name}.{key}", item) for key, item in vars(value).items() if not callable(value))
        else:
            yield name, value


class _Observer:
    """A trace function for `sys.settrace` that notes what changes in the variables of the user's code."""

    def __init__(self) -> None:
        self.seen: list[_Seen] = []
        self._known: dict[tuple[int, str], complex] = {}
        self._lines: dict[int, int] = {}

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        name, file = frame.f_globals.get("__name__") or "", frame.f_code.co_filename
        if event == "call" and (is_internal(name, file) or "site-packages" in file or file.startswith("<frozen")):
            return None
        found = dict(frame.f_locals)
        if event == "return":
            found["the value returned"] = argument
        if event != "call":
            self._note(frame, found)
        self._lines[id(frame)] = frame.f_lineno
        return self

    def _note(self, frame: FrameType, found: dict[str, Any]) -> None:
        records = recording()
        position = len(records[-1].entries) if records else 0
        for name, value in _variables(found):
            bare = unwrap(value)
            if not isinstance(bare, (ndarray, np.floating, np.complexfloating, float, complex)):
                continue
            if not is_inexact(np.asarray(bare).dtype):
                continue
            number = _weighted(bare)
            if self._known.get((id(frame), name)) == number:
                continue
            self._known[id(frame), name] = number
            size = float(np.sum(np.abs(bare)))
            line = self._lines.get(id(frame), frame.f_lineno)
            traced = value if isinstance(value, TracedArray) else None
            self.seen.append(_Seen(frame.f_code.co_filename, line, name, number, size, traced, position))


def _observed(call: Callable[[], Any]) -> tuple[Any, list[_Seen]]:
    observer, before = _Observer(), sys.gettrace()
    sys.settrace(observer)
    try:
        result = call()
    finally:
        sys.settrace(before)
    return result, observer.seen


def _first_wrong(record: Record, moved: list, traced: list[_Seen], ahead: list[_Seen], behind: list[_Seen]) -> _Seen | None:
    """The first value whose differences are not its tangent, as long as the three runs go the same way."""
    sweep, done = ForwardSweep((), False), 0
    for source, tangent in moved:
        sweep.put(source._storage, source._view, tangent)
    for seen, high, low in zip(traced, ahead, behind, strict=False):
        if not seen.step == high.step == low.step:
            return None
        sweep.run(record.entries[done : max(done, seen.position)])
        done = max(done, seen.position)
        array = seen.traced
        tangent = None if array is None else sweep.peek(array._storage, array._view)
        expected = 0.0 if tangent is None else _weighted(tangent)
        slope = (high.number - low.number) / (2 * _STEP)
        if abs(slope - expected) > _RELATIVE * max(abs(slope), abs(expected)) + _ROUNDING * seen.size:
            return seen
    return None


@public
def check_leaks(f: Callable, *args: Any) -> None:
    """Raise if a derivative of a function is lost where no hook sees it, naming the line.

    The derivative along one random direction is compared with differences; where they disagree, the program is run again to
    find the first line whose result moves with the arguments as no recorded call says.

    Parameters
    ----------
    f : callable
        Plain NumPy code that returns an array, a number, or a structure of these; always the same for the same arguments.
    *args
        The point. Floating arrays and numbers are differentiated by, all else is fixed.

    Raises
    ------
    LeakError
        With file, line and variable.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> def f(x):
    ...     return x * np.frombuffer(memoryview(x))
    >>> try:
    ...     ng.check_leaks(f, np.array([1.0, 2.0]))
    ... except ng.LeakError:
    ...     print("found")
    found
    """
    numbers = tuple([i for i, arg in enumerate(args) if isinstance(arg, (float, np.floating)) or _is_point(arg)])
    verify(f, Run(f, args, {}, numbers, False, "raise"), args, {})


def _is_point(value: Any) -> bool:
    return isinstance(value, ndarray) and value.dtype.kind == "f"


class _Line:
    """A function along a random line through its arguments, those that a run differentiated by."""

    def __init__(self, f: Callable, run: Run, args: tuple, kwargs: dict, has_aux: bool) -> None:
        self.f, self.args, self.kwargs, self.numbers, self.has_aux = f, args, kwargs, run.numbers, has_aux
        self.leaves, self.build = flatten(tuple([args[i] for i in run.numbers]))
        rng = np.random.default_rng(0)
        self.directions = [self._direction(rng, np.asarray(leaf)) for leaf in self.leaves]

    @staticmethod
    def _direction(rng: np.random.Generator, leaf: ndarray) -> Any:
        real = rng.standard_normal(leaf.shape)
        return real + 1j * rng.standard_normal(leaf.shape) if leaf.dtype.kind == "c" else real

    def at(self, t: float) -> tuple[tuple, dict]:
        """The arguments of a call, copied, so that a function may write into them."""
        moved = [
            (leaf + t * d).astype(np.asarray(leaf).dtype)[()] for leaf, d in zip(self.leaves, self.directions, strict=True)
        ]
        call = [map_structure(_copy, arg) for arg in self.args]
        for i, part in zip(self.numbers, self.build(moved), strict=True):
            call[i] = part
        return tuple(call), {name: map_structure(_copy, value) for name, value in self.kwargs.items()}

    def value(self, t: Any) -> Any:
        args, kwargs = self.at(float(t))
        result = self.f(*args, **kwargs)
        return result[0] if self.has_aux else result

    def again(self) -> Run:
        args, kwargs = self.at(0.0)
        return Run(self.f, args, kwargs, self.numbers, self.has_aux, "raise")

    def moved(self, run: Run) -> list:
        return list(zip(flatten(run.sources)[0], self.directions, strict=True))


def _copy(leaf: Any) -> Any:
    return leaf.copy() if isinstance(leaf, ndarray) else leaf


def verify(f: Callable, run: Run, args: tuple, kwargs: dict, has_aux: bool = False) -> None:
    """Raise unless the derivative of a run along one random direction agrees with differences."""
    line = _Line(f, run, args, kwargs, has_aux)
    leaves = [leaf for leaf in flatten(run.value)[0] if is_inexact(np.asarray(unwrap(leaf)).dtype)]
    with np.errstate(all="ignore"):
        tangents = tangents_of(run.record(), leaves, line.moved(run), ())
    found = [np.zeros(np.shape(v)) if t is None else np.asarray(unwrap(t)) for t, v in zip(tangents, leaves, strict=True)]
    for step in (1e-2, 1e-5):  # a kink may lie within the larger one
        slopes, error = directional_difference(line.value, [np.array(0.0)], [np.array(1.0)], step=step)
        scale = max([float(np.max(np.abs(s), initial=0)) for s in [*slopes, *found]], default=0.0)
        wrong = [float(np.max(np.abs(s - t), initial=0)) for s, t in zip(slopes, found, strict=True)]
        if not np.isfinite(error) or all(w <= (10 * error + 1e-6) * scale for w in wrong):
            return
    raise LeakError(_place(line))


def _place(line: _Line) -> str:
    run, traced = _observed(line.again)
    ahead, behind = (_observed(functools.partial(line.value, step))[1] for step in (_STEP, -_STEP))
    seen = _first_wrong(run.record(), line.moved(run), traced, ahead, behind)
    cure = (
        "Make the buffer while the tape records or wrap it in npgrad.array; use NumPy's function for a compiled one, "
        "npgrad.custom_gradient or npgrad.black_box for its derivative; npgrad.stop_gradient where a constant is meant."
    )
    if seen is None:
        name = getattr(line.f, "__name__", line.f)
        return f"the derivative of {name} differs from differences; no single line was found. {cure}"
    kind = "plain data" if seen.traced is None else "traced data made from plain data"
    return (
        f"{seen.file}:{seen.line}: {seen.name} is {kind} that depends on the arguments as no recorded call says: "
        f"something in this line read or wrote memory past every hook. {cure}"
    )
