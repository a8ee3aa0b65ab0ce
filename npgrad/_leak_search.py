"""check_leaks: whether a program lets traced data go where no hook sees it, and at which line.

Reading memory calls nothing, so such a leak can only be found by what it does: what the program computes then moves with the
arguments as no recorded call says it should. The program is run once on a tape and twice on plain arrays, shifted to either
side; the values that each line leaves in its variables are compared with their tangents.
"""

from __future__ import annotations

import array
import ctypes
import functools
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from ._derivatives import tangents_of, transposed
from ._directional import difference_along, inexact_leaves
from ._endpoints import checked_leaves
from ._forward_sweep import ForwardSweep
from ._leaks import LeakError, is_users_code
from ._record import Record, recording
from ._run import Run, check_callable
from ._structure import flatten, map_structure
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


# What Python and C hold numbers in.
_SEQUENCES = (list, tuple, array.array, ctypes.Array)


def _variables(names: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Floating data in variables, also one level inside lists, tuples, dicts, objects, and arrays of records or objects."""
    for name, value in names.items():
        if isinstance(value, _SEQUENCES):
            yield from ((f"{name}[{i}]", item) for i, item in enumerate(value))
        elif isinstance(value, dict):
            yield from ((f"{name}[{key!r}]", item) for key, item in value.items())
        elif isinstance(value, ndarray) and value.dtype.names:
            yield from ((f"{name}[{field!r}]", value[field]) for field in value.dtype.names)
        elif isinstance(value, ndarray) and value.dtype.kind == "O":
            yield from ((f"{name}.flat[{i}]", item) for i, item in enumerate(value.ravel().tolist()))
        elif isinstance(getattr(value, "__dict__", None), dict) and not isinstance(value, (type, ndarray)):
            yield from ((f"{name}.{key}", item) for key, item in list(vars(value).items()) if not callable(value))
        else:
            yield name, value


class _Observer:
    """A trace function for `sys.settrace` that notes what changes in the variables of the user's code, also those of its
    module that it names. What a call finds there, an earlier run may have left; only its arguments are new."""

    def __init__(self) -> None:
        self.seen: list[_Seen] = []
        self._known: dict[int, dict[str, complex]] = {}
        self._lines: dict[int, int] = {}

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        if event == "call" and not is_users_code(frame.f_globals.get("__name__"), code.co_filename):
            return None
        found = {name: frame.f_globals[name] for name in code.co_names if name in frame.f_globals} | frame.f_locals
        if event == "call":
            self._known[id(frame)] = {name: number for name, _, number in _numbers(found)}
            names = code.co_varnames[: code.co_argcount]
            given = {name: found[name] for name in names if isinstance(found.get(name), ndarray)}
            self._note({}, given, self._caller(frame))
        else:
            if event == "return":
                found["the value returned"] = argument
            self._note(self._known[id(frame)], found, (code.co_filename, self._lines[id(frame)]))
        self._lines[id(frame)] = frame.f_lineno
        if event == "return":
            del self._known[id(frame)], self._lines[id(frame)]
        return self

    def _caller(self, frame: FrameType) -> tuple[str, int]:
        """Where the arguments of a call were made, if that is in the user's code too."""
        outer = frame.f_back
        by_user = outer is not None and id(outer) in self._known
        frame = outer if by_user and outer is not None else frame
        return frame.f_code.co_filename, frame.f_lineno

    def _note(self, known: dict[str, complex], found: dict[str, Any], place: tuple[str, int]) -> None:
        records = recording()
        position = len(records[-1].entries) if records else 0
        for name, value, number in _numbers(found):
            if known.get(name) != number:
                known[name] = number
                size = float(np.sum(np.abs(unwrap(value))))
                traced = value if isinstance(value, TracedArray) else None
                self.seen.append(_Seen(*place, name, number, size, traced, position))


def _numbers(names: dict[str, Any]) -> Iterator[tuple[str, Any, complex]]:
    """The variables that hold floating data, and one number for all of it."""
    for name, value in _variables(names):
        if not isinstance(value, (ndarray, np.generic, float, complex)):
            continue
        bare = unwrap(value)
        is_number = isinstance(bare, (ndarray, np.floating, np.complexfloating, float, complex))
        if is_number and is_inexact(np.asarray(bare).dtype):
            yield name, value, _weighted(bare)


def _observed(call: Callable[[], Any]) -> tuple[Any, list[_Seen]]:
    observer, before = _Observer(), sys.gettrace()
    sys.settrace(observer)
    try:
        result = call()
    finally:
        sys.settrace(before)
    return result, observer.seen


def _by_turn(seen: list[_Seen]) -> dict[tuple, _Seen]:
    """What was seen, by its place, its name and its turn there."""
    turns: dict[tuple, int] = {}
    found = {}
    for item in seen:
        turn = turns[item.step] = turns.get(item.step, -1) + 1
        found[*item.step, turn] = item
    return found


def _first_wrong(record: Record, moved: list, traced: list[_Seen], ahead: list[_Seen], behind: list[_Seen]) -> _Seen | None:
    """The first value whose differences are not its tangent."""
    sweep, done = ForwardSweep((), False), 0
    for source, tangent in moved:
        sweep.put(source._storage, source._view, tangent)
    highs, lows = _by_turn(ahead), _by_turn(behind)
    for turn, seen in _by_turn(traced).items():
        if turn not in highs or turn not in lows:
            continue
        sweep.run(record.entries, done, max(done, seen.position), None)
        done = max(done, seen.position)
        array = seen.traced
        tangent = None if array is None else sweep.peek(array._storage, array._view)
        expected = 0.0 if tangent is None else _weighted(tangent)
        slope = (highs[turn].number - lows[turn].number) / (2 * _STEP)
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
        The point. Floating and complex arrays and numbers are differentiated by, all else is fixed.

    Raises
    ------
    LeakError
        With file, line and variable.
    TypeError
        If the function returns neither arrays nor numbers.

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
    check_callable(f)
    numbers = tuple([i for i, arg in enumerate(args) if _is_point(arg)])
    run = Run(f, args, {}, numbers, False, "raise")
    leaves = [leaf for leaf in flatten(run.value)[0] if isinstance(leaf, (ndarray, np.generic, int, float, complex))]
    if not leaves:
        name = getattr(f, "__name__", type(f).__name__)
        raise TypeError(f"{name} returned {type(run.value).__name__}; check_leaks needs arrays or numbers")
    checked_leaves(leaves, "target")
    verify(f, run, args, {})


def _is_point(value: Any) -> bool:
    is_number = isinstance(value, (float, complex, np.inexact))
    return is_number or (isinstance(value, ndarray) and is_inexact(value.dtype))


class _Line:
    """A function along a random line through its arguments, those that a run differentiated by."""

    def __init__(self, f: Callable, run: Run, args: tuple, kwargs: dict, has_aux: bool) -> None:
        self.f, self.args, self.kwargs, self.numbers, self.has_aux = f, args, kwargs, run.numbers, has_aux
        self.leaves, self.build = flatten(tuple([args[i] for i in run.numbers]))
        rng = np.random.default_rng(0)
        self.directions = [self._direction(rng, np.asarray(leaf)) for leaf in self.leaves]

    @staticmethod
    def _direction(rng: np.random.Generator, leaf: ndarray) -> Any:
        """Each element moves by its own size, so that positive ones stay so."""
        size = np.abs(leaf)
        size = np.where(size > 0, size, np.max(size, initial=0) or 1.0)
        real = rng.standard_normal(leaf.shape)
        return size * (real + 1j * rng.standard_normal(leaf.shape) if leaf.dtype.kind == "c" else real)

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
        try:
            tangents = tangents_of(run.record(), leaves, line.moved(run), ())
        except NotImplementedError:  # a custom gradient has no forward mode
            tangents = transposed(run.record(), leaves, line.moved(run), ())
    found = [np.zeros(np.shape(v)) if t is None else np.asarray(unwrap(t)) for t, v in zip(tangents, leaves, strict=True)]
    values = [np.asarray(unwrap(leaf)) for leaf in leaves]
    if _agrees_at_once(line, values, found) or not _contradicted(line, values, found):
        return
    raise LeakError(_place(line))


def _values(line: _Line, t: Any, like: list[ndarray]) -> list[ndarray]:
    """The values at a point of the line; NaN where they have another form there."""
    made = [np.asarray(leaf) for leaf in inexact_leaves(line.value(t))]
    if [leaf.shape for leaf in made] != [leaf.shape for leaf in like]:
        return [np.full_like(leaf, np.nan) for leaf in like]
    return made


def _agrees_at_once(line: _Line, values: list[ndarray], tangents: list[ndarray]) -> bool:
    """Whether a central difference, two evaluations, has the tangents to six digits in each element."""
    eps = max([float(np.finfo(np.asarray(a).dtype).eps) for a in [*values, *line.leaves]], default=0.0)
    h = eps ** (1 / 3)
    with np.errstate(all="ignore"):
        ahead, behind = _values(line, h, values), _values(line, -h, values)
        for high, low, value, tangent in zip(ahead, behind, values, tangents, strict=True):
            slope = (high - low) / (2 * h)
            allowed = max(1e-6, 100 * h * h) * np.maximum(np.abs(slope), np.abs(tangent)) + 10 * h * h * np.abs(value)
            if not np.all(np.abs(slope - tangent) <= allowed):
                return False
    return True


def _contradicted(line: _Line, values: list[ndarray], tangents: list[ndarray]) -> bool:
    """Whether differences disagree with the tangents by more than their own error: extrapolated from a large step, and from
    a small one, as a kink may lie within the larger. At a kink they say nothing."""
    wrong = False
    for step in (1e-2, 1e-5):
        slopes, error = difference_along(
            lambda t: _values(line, t, values), [np.array(0.0)], [np.array(1.0)], step=step
        )
        scale = max([float(np.max(np.abs(s), initial=0)) for s in [*slopes, *tangents]], default=0.0)
        off = [float(np.max(np.abs(s - t), initial=0)) for s, t in zip(slopes, tangents, strict=True)]
        wrong = np.isfinite(error) and not all(w <= (10 * error + 1e-6) * scale for w in off)
        if np.isfinite(error) and not wrong:
            return False
    return wrong


def _place(line: _Line) -> str:
    def observed(call: Callable[[], Any]) -> tuple[Any, list[_Seen]]:
        line.value(0.01)  # so that what a run finds of an earlier one is always the same, and not what it leaves
        return _observed(call)

    run, traced = observed(line.again)
    ahead, behind = (observed(functools.partial(line.value, step))[1] for step in (_STEP, -_STEP))
    try:
        seen = _first_wrong(run.record(), line.moved(run), traced, ahead, behind)
    except NotImplementedError:
        seen = None
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
