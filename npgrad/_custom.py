"""custom_gradient: a function whose derivative the user writes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy import ndarray

from ._dispatch import append, tracking
from ._entries import CALL, Call
from ._leaks import LeakError
from ._maps import in_reach, is_followed, stacked
from ._moves import assemble, saved_operand
from ._record import Record, apart, recording, token_set
from ._registry import Maps, Spec
from ._run import name_of
from ._segments import check_repeated, check_results, marks, read_only, unshared
from ._spoiled import Watched
from ._surroundings import Surroundings
from ._tracebacks import public
from ._traced import PythonNumber, TracedArray, adopt, complete, fresh, is_inexact, standing_for, traced_leaves, unwrap
from ._unswapped import Unswapped

P = ParamSpec("P")
R = TypeVar("R")


class _Argument:
    """An array among the arguments: what is saved of it, and what the function is handed for it."""

    def __init__(self, given: ndarray, is_tracked: bool) -> None:
        self.saved = saved_operand(given)
        self.kind, self.is_tracked = type(given), is_tracked
        # What is not tracked is handed on as it is: the function may use it as memory to work in.
        self.handed = self.again(self.saved[0]) if is_tracked else given

    def is_as_handed(self, value: Any) -> bool:
        """Whether the gradient function, which may refer to what was handed on, still finds the saved value there."""
        bare = unwrap(value)
        if bare is not self.saved[0]:  # a traced array was overwritten
            return False
        return issubclass(self.kind, TracedArray) or bare is self.handed or bare.tobytes() == self.handed.tobytes()

    def again(self, value: Any) -> Any:
        """A saved value in the form of the argument. What is tracked cannot be written into."""
        if self.kind is PythonNumber:
            return standing_for(PythonNumber, value) if isinstance(value, TracedArray) else fresh(value.item())
        if isinstance(value, TracedArray):
            return value
        bare = read_only(value) if self.is_tracked else np.array(value)
        return fresh(bare) if issubclass(self.kind, TracedArray) else bare


class _CustomRule(Maps):
    """A `Call` rule whose reverse map is the user's function."""

    def __init__(self, function: Callable, args: tuple, kwargs: dict, tracked: list[int]) -> None:
        self.function, self.name = function, name_of(function)
        self.arguments = {**dict(enumerate(args)), **kwargs}
        self.count, self.keywords = len(args), list(kwargs)
        self.shapes = [np.shape(a) for a in args]
        self.arrays = {
            key: _Argument(value, key in tracked and isinstance(value, TracedArray) and bool(value._storage.tracked))
            for key, value in self.arguments.items()
            if isinstance(value, ndarray)
        }
        self.arguments.update(dict.fromkeys(self.arrays))
        handed = [argument.handed for argument in self.arrays.values()]
        self.values, self.several, self.pullback = apart(self._computed, Unswapped(), handed)
        self.marks = marks(self.values)
        self.surroundings = Surroundings([self.pullback], handed)

    @property
    def vjps(self) -> dict:
        return {"args": (self._vjp, ("ct", "ans_spec", "arrays"))}

    @property
    def jvps(self) -> dict:
        raise NotImplementedError(f"{self.name} has a custom gradient, which forward mode cannot use: use reverse mode")

    def _computed(self, form: Unswapped, arrays: list) -> tuple[list, bool, Callable]:
        """What `_values_and_pullback` gives for these arrays among the arguments."""
        others = {key: form(value) for key, value in self.arguments.items()}
        given = {**others, **dict(zip(self.arrays, arrays, strict=True))}
        args, kwargs = [given[n] for n in range(self.count)], {name: given[name] for name in self.keywords}
        return _values_and_pullback(form(self.function), self.name, args, kwargs)

    def _pullback_at(self, form: Unswapped, arrays: list) -> Callable:
        """The gradient function for the saved values, as they are lifted in a sweep.

        That of the first call, unless its own derivative is wanted, or what it refers to has been overwritten.
        """
        known = self.arrays.values()
        followed = is_followed(arrays)
        if not followed and all(map(_Argument.is_as_handed, known, arrays)):
            return form(self.pullback)
        again = [argument.again(value) for argument, value in zip(known, arrays, strict=True)]
        if followed:
            try:
                values, _, pullback = self._computed(form, again)
            except LeakError as error:
                error.add_note(f"{self.name} has a custom gradient, and is followed here for the derivative of that.")
                raise
        else:
            values, _, pullback = apart(self._computed, form, again)
        check_repeated(self.name, self.marks, values)
        return pullback

    def _vjp(self, ct: Any, ans_spec: Any, arrays: list) -> list:
        self.surroundings.check(f"the gradient function of {self.name}")
        with in_reach([ct, *arrays], self.function, self.pullback, *self.arguments.values()) as form:
            return self._pulled(self._pullback_at(form, arrays), ct, ans_spec)

    def _pulled(self, pullback: Callable, ct: Any, ans_spec: Any) -> list:
        cts = ct if self.several else (ct,)
        specs = ans_spec if self.several else [ans_spec]
        batch = next(c.shape[: c.ndim - s.ndim] for c, s in zip(cts, specs, strict=True) if c is not None)
        filled = [np.zeros(batch + s.shape, s.dtype) if c is None else c for c, s in zip(cts, specs, strict=True)]
        if not batch:
            return self._pull(pullback, filled)
        rows = [self._pull(pullback, [c[index] for c in filled]) for index in np.ndindex(batch)]
        return [stacked(column, batch) for column in zip(*rows, strict=True)]

    def _pull(self, pullback: Callable, cts: list) -> list:
        given = pullback(*cts)
        given = list(given) if isinstance(given, (tuple, list)) else [given]
        if len(given) != len(self.shapes):
            raise ValueError(
                f"the gradient function of {self.name} returned {len(given)} values for {len(self.shapes)} arguments: "
                "it must return one per positional argument, None for none"
            )
        for number, (value, shape) in enumerate(zip(given, self.shapes, strict=True)):
            if value is not None and np.shape(value) != shape:
                raise ValueError(
                    f"the gradient function of {self.name} returned shape {np.shape(value)} for argument {number}, "
                    f"whose shape is {shape}: a cotangent has the shape of its argument"
                )
        return [None if v is None else v if isinstance(v, ndarray) else assemble(v) for v in given]


@public
def custom_gradient(f: Callable[P, tuple[R, Callable[..., Any]]]) -> Callable[P, R]:
    """A function with a derivative of the user's own.

    Parameters
    ----------
    f : callable
        Takes arrays, returns ``(y, grad_fn)``: the value (an array or a tuple of arrays) and a function that takes one
        cotangent per value and returns one per positional argument (None for none). It must depend on its arguments
        only, and not write into tracked ones. Nothing inside ``f`` is recorded; for second derivatives it is called once
        more, while the outer tape follows it and ``grad_fn``.

    Returns
    -------
    callable
        With the same arguments; returns ``y``, with and without a tape as a copy, which shares no memory with an argument.

    Raises
    ------
    TypeError, ValueError
        If ``f`` does not return a pair, or ``grad_fn`` the right number of arrays of the right shapes; if something tracked
        is given by keyword or in a list.
    LeakError
        If ``f`` uses a tracked array that is not among its arguments; for second derivatives, if it cannot be followed.
    RuntimeError
        From the tape: if ``f`` gives other values the second time.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> @ng.custom_gradient
    ... def log1pexp(x):
    ...     e = np.exp(x)
    ...     return np.log(1 + e), lambda ct: ct * (1 - 1 / (1 + e))
    >>> ng.grad(log1pexp)(100.0)
    np.float64(1.0)
    """

    @public
    @functools.wraps(f)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> Any:
        complete([args, kwargs])
        name = name_of(f)
        if not recording():
            values, several, _ = _values_and_pullback(f, name, args, kwargs)
            values = [unshared(value) for value in values]
            return tuple(values) if several else values[0]
        tracked = [n for n, a in enumerate(args) if isinstance(a, TracedArray) and tracking([a])]
        records = tracking([leaf for n in tracked for leaf in traced_leaves(args[n])])
        others = [a for n, a in enumerate(args) if n not in tracked]
        if tracking([*traced_leaves(others), *traced_leaves(kwargs)]):
            raise TypeError(
                f"{name} has a custom gradient: give what is differentiated by position, as arrays and numbers (not by "
                "keyword, and not in lists)"
            )
        if not records:
            values, several, _ = apart(_values_and_pullback, f, name, args, kwargs)
            return tuple(map(_adopted, values)) if several else _adopted(values[0])
        watched = Watched([f], [*args, *kwargs.values()])
        with watched:
            rule = _CustomRule(f, args, kwargs, tracked)
        made = _recorded(rule, args, tracked, records)
        watched.spoil(name, traced_leaves([args[n] for n in tracked]))
        return made

    return wrapped


def _adopted(value: Any) -> Any:
    return adopt(np.array(unwrap(value)) if isinstance(value, ndarray) else value)


def _recorded(rule: _CustomRule, args: tuple, tracked: list[int], records: tuple[Record, ...]) -> Any:
    made = [_adopted(value) for value in rule.values]
    rule.values = []
    outs: list = [(m._storage, None) if isinstance(m, TracedArray) and is_inexact(m.dtype) else None for m in made]
    for out in outs:
        if out is not None:
            out[0].tracked = token_set(records)
    specs = [Spec(unwrap(m)) for m in made]
    constants = {"ans_spec": specs if rule.several else specs[0], "args_spec": [Spec(unwrap(a)) for a in args]}
    operands = [("args", number, args[number]._storage, args[number]._view) for number in tracked]
    saved = {"arrays": [argument.saved for argument in rule.arrays.values()]}
    append(records, (CALL, Call(rule, outs, operands, saved, constants, None, rule.several)))
    return tuple(made) if rule.several else made[0]


def _values_and_pullback(function: Callable, name: str, args: Any, kwargs: dict) -> tuple[list, bool, Callable]:
    """The values that a function gives, whether they are several, and its gradient function."""
    pair = function(*args, **kwargs)
    if not isinstance(pair, tuple) or len(pair) != 2 or not callable(pair[1]):
        raise TypeError(f"{name} must return (value, gradient function), got {type(pair).__name__}")
    value, pullback = pair
    several = isinstance(value, tuple)
    values = list(value) if several else [value]
    check_results(name, values)
    try:
        inspect.signature(pullback).bind(*[None] * len(values))
    except TypeError as error:
        raise TypeError(f"the gradient function of {name} must take {len(values)} cotangents: {error}") from None
    except ValueError:  # one of compiled code that does not tell
        pass
    return values, several, pullback
