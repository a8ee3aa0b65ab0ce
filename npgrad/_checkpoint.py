"""checkpoint and checkpoint_loop: recompute in the sweep what would be too much to store."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar

from ._instrument import instrumented
from ._record import recording
from ._run import check_callable, name_of
from ._segments import (
    Recorded,
    Segment,
    as_recorded,
    check_repeated,
    copies,
    is_array,
    is_tracked,
    marks,
    owned,
    read_only,
    record_segment,
    repeats,
    unrecorded,
    unshared,
    watched_apart,
    writes_told,
)
from ._structure import flatten, map_structure
from ._tracebacks import public
from ._traced import fresh, unwrap
from ._unswapped import Unswapped

P = ParamSpec("P")
R = TypeVar("R")


class _Again(Segment):
    """A segment whose function is recorded when a sweep needs it."""

    needs_value = False

    def __init__(self, function: Callable, arguments: tuple[tuple, dict]) -> None:
        super().__init__(name_of(function), arguments, function)
        self.function = function
        self.marks: list = []

    def compute(self, arguments: tuple[tuple, dict]) -> Any:
        value = watched_apart(name_of(self.function), self.function, *arguments[0], **arguments[1])
        self.marks = marks(value)
        return value

    def _recorded(self, moved: list, fixed: list) -> Recorded:
        with instrumented(self.function, *self.holders) as form:
            again = Recorded(form(self.function), lambda sources: self.arguments(sources, fixed, form), moved)
        check_repeated(name_of(self.function), self.marks, again.value)
        return again

    def reverse(self, cts: list, ans: Any, moved: list, fixed: list, batch: tuple) -> list:
        return self._recorded(moved, fixed).gradients(cts, batch)

    def forward(self, tangents: list, ans: Any, moved: list, fixed: list, batch: tuple) -> list:
        return self._recorded(moved, fixed).tangents(tangents, batch)


@public
def checkpoint(f: Callable[P, R]) -> Callable[P, R]:
    """A function of which a tape keeps the arguments only: it is computed again when a sweep comes to it.

    Parameters
    ----------
    f : callable
        Plain NumPy code that depends on its arguments only and does not write into them. It may call other checkpointed
        functions.

    Returns
    -------
    callable
        With the same arguments. Its value is a copy, with and without a tape: it shares no memory with an argument, nor with
        what ``f`` keeps elsewhere.

    Raises
    ------
    ValueError
        When called: if ``f`` uses a tracked array that is not among its arguments, or writes into an argument.
    RuntimeError
        From the tape: if ``f`` gives other values the second time.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> @ng.checkpoint
    ... def many_steps(u):
    ...     for _ in range(1000):
    ...         u = u + 0.001 * np.sin(u)
    ...     return u
    >>> ng.grad(lambda x: many_steps(many_steps(x)))(0.0).round(3)
    np.float64(7.382)
    """
    check_callable(f)

    @public
    @functools.wraps(f)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        if not is_tracked(args, kwargs):
            return as_recorded(f(*args, **kwargs))
        segment = _Again(f, (args, kwargs))
        return record_segment(segment, segment.compute)

    return wrapped


# --- Loops -----------------------------------------------------------------------------------------------------------


def furthest(steps: int, snapshots: int) -> int:
    """How many of some steps to go before the next snapshot is taken, one being there at the start: the binomial schedule
    of Griewank and Walther (2000), algorithm 799. At least two steps and two snapshots."""
    repeats = 1
    while math.comb(snapshots + repeats, snapshots) < steps:
        repeats += 1
    return min(math.comb(snapshots + repeats - 1, snapshots), steps - math.comb(snapshots + repeats - 2, snapshots - 1))


Advance = Callable[[Any, int, int], Any]


def first_pass(steps: int, snapshots: int, initial: Any, advance: Advance) -> tuple[list[tuple[int, Any]], Any]:
    """The snapshots to be kept on the way, the last working state after them, and the final state."""
    low, state = 0, initial
    taken: list[tuple[int, Any]] = []
    while steps - low > 1 and len(taken) + 1 < snapshots:
        ahead = furthest(steps - low, snapshots - len(taken))
        state = advance(state, low, low + ahead)
        low += ahead
        taken.append((low, state))
    if steps - low > 1:
        state = advance(state, low, steps - 1)
        taken.append((steps - 1, state))
    return taken, advance(state, max(steps - 1, 0), steps)


def backwards(
    steps: int, snapshots: int, initial: Any, advance: Advance, taken: list[tuple[int, Any]]
) -> Iterator[tuple[int, Any]]:
    """The number of each step and the state before it, from the last to the first. Uses up what was ``taken``."""
    stack = taken
    stack.insert(0, (0, initial))
    for high in range(steps, 0, -1):
        while stack[-1][0] >= high:
            stack.pop()
        low, state = stack[-1]
        while high - low > 1:
            room = snapshots > len(stack)
            ahead = furthest(high - low, snapshots - len(stack) + 1) if room else high - 1 - low
            state = advance(state, low, low + ahead)
            low += ahead
            if room:
                stack.append((low, state))
        yield low, state


class _Loop(Segment):
    """A loop of which snapshots are kept, and whose steps are recorded one at a time, last step first."""

    needs_value = False

    def __init__(self, step: Callable, state: Any, first: int, steps: int, snapshots: int, args: tuple) -> None:
        super().__init__(name_of(step), ((state, *args), {}), step)
        self.step = step
        self.first, self.steps, self.snapshots = first, steps, snapshots
        self.places = len(flatten(state)[0])
        self.taken: list[tuple[int, Any]] = []
        self.marks: list = []

    def compute(self, arguments: tuple[tuple, dict]) -> Any:
        state, *args = arguments[0]
        before = flatten(state)[0]

        def advance(state: Any, low: int, high: int) -> Any:
            return self._run(state, low, high, args, lambda leaf: fresh(owned(leaf)) if is_array(leaf) else owned(leaf))

        self.taken, value = watched_apart(name_of(self.step), first_pass, self.steps, self.snapshots, state, advance)
        if [type(leaf) for leaf in flatten(value)[0]] != [type(leaf) for leaf in before]:
            raise ValueError(
                f"{name_of(self.step)} must return a state like the one it is given; a number that comes to depend on what "
                "is differentiated begins as np.float64(...)"
            )
        self.marks = marks(value)
        return value

    def _run(self, state: Any, low: int, high: int, args: Any, own: Callable) -> Any:
        if low < high:
            state = copies(state, own)  # a step may work in place
        for i in range(low, high):
            state = self.step(state, self.first + i, *args)
        return state

    def _states(self, moved: list, fixed: list) -> Iterator[tuple[int, Any]]:
        (initial, *args), _ = self.arguments(moved, fixed)
        taken, self.taken = self.taken, []

        def followed(state: Any, low: int, high: int) -> Any:
            return checkpointed_loop(self.step, state, self.first + low, high - low, self.snapshots, tuple(args))

        def plain(state: Any, low: int, high: int) -> Any:
            return unrecorded(self._run, state, low, high, [map_structure(read_only, a) for a in args], owned)

        if recording():
            return backwards(self.steps, self.snapshots, initial, followed, [])
        return backwards(self.steps, self.snapshots, map_structure(unwrap, initial), plain, taken)

    def _recorded(self, form: Unswapped, number: int, state: Any, moved: list, fixed: list) -> tuple[Recorded, list[int]]:
        """A step recorded at a state; the leaves moved are the arrays of the state, and then the moved arguments."""
        leaves, build = flatten(state)
        again = repeats(leaves)
        inner = [n for n, leaf in enumerate(leaves) if is_array(leaf) and n not in again]
        outer = [m for m, n in enumerate(self.moved) if n >= self.places]

        def arguments(sources: list) -> tuple[tuple, dict]:
            now = [leaf if is_array(leaf) else form(owned(leaf)) for leaf in leaves]
            for n, source in zip(inner, sources, strict=False):
                now[n] = source
            for n, earlier in again.items():
                now[n] = now[earlier]
            tracked = list(moved)
            for m, source in zip(outer, sources[len(inner) :], strict=True):
                tracked[m] = source
            (_, *args), _ = self.arguments(tracked, fixed, form)
            return (build(now), self.first + number, *args), {}

        return Recorded(form(self.step), arguments, [leaves[n] for n in inner] + [moved[m] for m in outer]), inner

    def reverse(self, cts: list, ans: Any, moved: list, fixed: list, batch: tuple) -> list:
        outer = [m for m, n in enumerate(self.moved) if n >= self.places]
        totals: dict[int, Any] = {}
        cts, after = list(cts), self.marks
        with instrumented(self.step, *self.holders) as form:
            for number, state in self._states(moved, fixed):
                before = marks(state)
                again, inner = self._recorded(form, number, state, moved, fixed)
                check_repeated(name_of(self.step), after, again.value)
                after = before
                found = again.gradients(cts, batch)
                cts = [None] * self.places
                for n, ct in zip(inner, found, strict=False):
                    cts[n] = ct
                for m, ct in zip(outer, found[len(inner) :], strict=True):
                    totals[m] = ct if totals.get(m) is None else totals[m] if ct is None else totals[m] + ct
        return [totals.get(m) if n >= self.places else cts[n] for m, n in enumerate(self.moved)]

    def forward(self, tangents: list, ans: Any, moved: list, fixed: list, batch: tuple) -> list:
        (state, *_), _ = self.arguments(moved, fixed)
        given = dict(zip(self.moved, tangents, strict=True))
        flow = [given.get(n) for n in range(self.places)]
        outer = [t for n, t in given.items() if n >= self.places]
        with instrumented(self.step, *self.holders) as form:
            for number in range(self.steps):
                again, inner = self._recorded(form, number, state, moved, fixed)
                flow = again.tangents([flow[n] for n in inner] + outer, batch)
                state = again.value if recording() else map_structure(unwrap, again.value)
        check_repeated(name_of(self.step), self.marks, state)
        return flow


def checkpointed_loop(step: Callable, state: Any, first: int, steps: int, snapshots: int, args: tuple) -> Any:
    if not steps or not is_tracked(state, args):
        state = copies(state, unshared)
        with writes_told(name_of(step)):
            for i in range(first, first + steps):
                state = step(state, i, *args)
        return as_recorded(state)
    loop = _Loop(step, state, first, steps, snapshots, args)
    return record_segment(loop, loop.compute)


@public
def checkpoint_loop(step: Callable[..., Any], state: R, n: int, snapshots: int, *args: Any) -> R:
    """The state after n steps, of which a tape keeps a few snapshots only.

    Between them the sweep computes steps again, as few as can be: the binomial schedule of Griewank and Walther (2000). With
    10 snapshots a loop of 1000 steps takes 3.64 times its steps besides those that are recorded.

    Parameters
    ----------
    step : callable
        ``step(state, i, *args)`` gives the state after step ``i``; it may change the arrays of the state in place, but not
        those of ``args``, and must depend on these only.
    state : array or structure of arrays
        The state before step 0.
    n : int
        The number of steps.
    snapshots : int
        How many states may be kept, the first one among them.
    *args
        What all steps share, and may be differentiated by.

    Returns
    -------
    The state after step ``n - 1``, a copy that shares no memory with ``state`` and ``args``.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> def step(u, i, k):
    ...     u[1:-1] += k * (u[2:] - 2 * u[1:-1] + u[:-2])
    ...     return u
    >>> def heat(k):
    ...     u = np.zeros(5)
    ...     u[2] = 1.0
    ...     return ng.checkpoint_loop(step, u, 100, 5, k)[2]
    >>> ng.grad(heat)(0.01).round(4)
    np.float64(-21.8509)
    """
    check_callable(step)
    if n < 0 or snapshots < 1:
        raise ValueError(f"checkpoint_loop needs n >= 0 and snapshots >= 1, got n = {n} and snapshots = {snapshots}")
    return checkpointed_loop(step, state, 0, n, snapshots, args)
