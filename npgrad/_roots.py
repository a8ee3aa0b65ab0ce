"""The answers of SciPy's solvers of equations, with the derivative that the equation gives them.

The solver runs as it is, on plain values. Then the user's function is recorded at the answer x once for each tape that
tracks what it brings in, and each time x becomes x - F(x) / F'(x), with the slope F'(x) as a constant and the value of F
taken off. One such step makes the first derivative right, two the second, and so on; the value stays SciPy's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._compat import signature_of
from ._dispatch import tracking
from ._following import ANSWERING
from ._functions import exactly
from ._moves import assemble
from ._run import name_of
from ._segments import unrecorded
from ._surroundings import arrays_around
from ._tape import GradientTape
from ._traced import PythonNumber, TracedArray, standing_for, traced_leaves, unwrap


def arguments_of(function: Callable, args: tuple, kwargs: dict) -> dict[str, Any]:
    """The arguments of a call by name."""
    return {**dict(zip(signature_of(function).parameters, args, strict=False)), **kwargs}


def as_given(made: TracedArray, exact: Any) -> Any:
    """A result with SciPy's bits; a Python number where SciPy gives one."""
    if type(exact) is float:
        return standing_for(PythonNumber, exactly(made, np.float64(exact)))
    return exactly(made, exact)


def orders_of(values: Any) -> int:
    """How many derivatives the tapes that record may take of traced values: one each. In its own context a tape could take
    more, and is told that it must not."""
    records = tracking([values]) if isinstance(values, TracedArray) else ()
    for record in records:
        record.takes_one = True
    return len(records)


def _answered(function: Callable, args: tuple, kwargs: dict) -> Any:
    found = unrecorded(function, *unwrap(args), **unwrap(kwargs))
    given = arguments_of(function, args, kwargs)
    f = given[next(iter(signature_of(function).parameters))]
    extra = given.get("args", ())
    extra = extra if isinstance(extra, tuple) else (extra,)
    remembers = type(f).__name__ == _REMEMBERING
    first_only = remembers or given.get("jac") is True
    called = f.fun if remembers else f

    def residual(x: Any) -> Any:
        value = called(x, *extra)
        value = value[0] if first_only else value
        return value if isinstance(value, TracedArray) else assemble(value)

    x = next(get(found) for kind, get in _ANSWER.items() if hasattr(found, kind) or kind == "")
    brought = tracking([*traced_leaves(extra), *arrays_around(called)])
    made = _moving_with(residual, x, name_of(function), name_of(called), bool(brought))
    return found if made is None else _with_answer(found, made)


# A class of SciPy's that remembers the last value of a function, which gives its derivatives as well.
_REMEMBERING = "MemoizeDer"


# Where the answer is in what a solver returns, which may have much beside it.
_ANSWER: dict[str, Callable[[Any], Any]] = {
    "x": lambda result: result.x,
    "": lambda result: result[0] if type(result) is tuple else result,
}


def _with_answer(found: Any, x: Any) -> Any:
    if type(found) is tuple:
        for part in found[1:]:
            if hasattr(part, "root"):
                part.root = x
        return (x, *found[1:])
    if hasattr(found, "x"):
        found.x = x
        return found
    return x


def _moving_with(residual: Callable, answer: Any, solver: str, name: str, is_brought: bool) -> Any:
    """The answer as a function of what the residual brings in; None if that is nothing. What is brought in may only have
    decided where the residual jumps: an answer there is no root, and moves unseen."""
    with GradientTape(watch_accessed_variables=False) as tape:
        point = tape.watch(np.array(answer) if isinstance(answer, np.ndarray) else answer)
        values = residual(point)
    assert tape._record is not None
    orders = orders_of(values)
    if not orders and not is_brought:
        return None
    if not isinstance(values, TracedArray) or tape._record.token not in values._storage.tracked:
        raise np.linalg.LinAlgError(f"{name} does not change with the answer of {solver}, which has no derivative")
    slope = unrecorded(tape.jacobian, values, point, "zero")
    size = np.size(answer)
    if np.size(slope) != size * size:
        raise ValueError(f"{name} must have as many values as {solver} finds, {size}, got {values.size}")
    slope = np.array(slope, float).reshape(size, size)
    if not np.all(np.isfinite(slope)) or (size == 1 and slope[0, 0] == 0):
        raise np.linalg.LinAlgError(f"{name} has the slope {slope[0, 0]} at the answer of {solver}, which has no derivative")
    step = np.abs(np.linalg.solve(slope, np.reshape(unwrap(values), size))).max(initial=0)
    if step > 0.01 * np.abs(answer).max(initial=0) + 1e-6:
        raise RuntimeError(
            f"the answer of {solver} does not solve {name}: a step of Newton's method would move it by {step:.1e}, and the "
            "derivative would be wrong"
        )
    if not orders:
        return None
    x: Any = answer
    for order in range(orders):
        values = residual(x) if order else values
        change = (values - np.array(unwrap(values))).reshape(size)
        x = x - np.linalg.solve(slope, change).reshape(np.shape(answer))
    return as_given(x, answer)


ANSWERING |= dict.fromkeys(
    [f"scipy.optimize.{name}" for name in ("brentq", "brenth", "bisect", "ridder", "toms748", "fsolve", "root")], _answered
)
