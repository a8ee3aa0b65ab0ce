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
from ._record import recording, set_recording, token_set
from ._registry import Maps, Spec
from ._tracebacks import public
from ._traced import TracedArray, adopt, complete, is_inexact, unwrap

P = ParamSpec("P")
R = TypeVar("R")


class _CustomRule(Maps):
    """A `Call` rule whose reverse map is the user's function."""

    def __init__(self, name: str, pullback: Callable, several: bool, shapes: list) -> None:
        self.name = name
        self.pullback = pullback
        self.several = several
        self.shapes = shapes
        self.vjps = {"args": (self._vjp, ("ct", "ans_spec"))}

    @property
    def jvps(self) -> dict:
        raise NotImplementedError(f"{self.name} has a custom gradient, which forward mode cannot use: use reverse mode")

    def _vjp(self, ct: Any, ans_spec: Any) -> list:
        cts = ct if self.several else (ct,)
        specs = ans_spec if self.several else [ans_spec]
        batch = next(c.shape[: c.ndim - s.ndim] for c, s in zip(cts, specs, strict=True) if c is not None)
        filled = [np.zeros(batch + s.shape, s.dtype) if c is None else c for c, s in zip(cts, specs, strict=True)]
        if not batch:
            return self._pull(filled)
        rows = [self._pull([c[index] for c in filled]) for index in np.ndindex(batch)]
        return [
            None if column[0] is None else np.stack([np.asarray(c) for c in column]).reshape(batch + shape)
            for column, shape in zip(zip(*rows, strict=True), self.shapes, strict=True)
        ]

    def _pull(self, cts: list) -> list:
        given = self.pullback(*cts)
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
        return [None if v is None else v if isinstance(v, ndarray) else np.asarray(v) for v in given]


@public
def custom_gradient(f: Callable[P, tuple[R, Callable[..., Any]]]) -> Callable[P, R]:
    """A function with a derivative of the user's own.

    Parameters
    ----------
    f : callable
        Takes arrays, returns ``(y, grad_fn)``: the value (an array or a tuple of arrays) and a function that takes one
        cotangent per value and returns one per positional argument (None for none). Nothing inside ``f`` is recorded;
        ``grad_fn`` is, when an outer tape follows the sweep.

    Returns
    -------
    callable
        With the same arguments; returns ``y``.

    Raises
    ------
    TypeError, ValueError
        If ``f`` does not return a pair, or ``grad_fn`` the right number of arrays of the right shapes.

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
        arrays: tuple[Any, ...] = args
        leaves = [a for a in arrays if isinstance(a, TracedArray)]
        records = tracking(leaves)
        stack = recording()
        set_recording(())
        try:
            pair: Any = f(*args, **kwargs)
        finally:
            set_recording(stack)
        if not isinstance(pair, tuple) or len(pair) != 2 or not callable(pair[1]):
            raise TypeError(f"{f.__name__} must return (value, gradient function), got {type(pair).__name__}")
        value, pullback = pair
        several = isinstance(value, tuple)
        values = list(value) if several else [value]
        if not stack:
            return value
        made = [adopt(np.array(unwrap(v)) if isinstance(v, ndarray) else v) for v in values]
        if records:
            _check_arity(f, pullback, len(values))
            rule = _CustomRule(f.__name__, pullback, several, [np.shape(a) for a in arrays])
            tokens = token_set(records)
            operands = [
                ("args", number, a._storage, a._view)
                for number, a in enumerate(arrays)
                if isinstance(a, TracedArray) and tokens & a._storage.tracked
            ]
            outs: list = []
            for m in made:
                if isinstance(m, TracedArray) and is_inexact(m.dtype):
                    m._storage.tracked = tokens
                    outs.append((m._storage, None))
                else:
                    outs.append(None)
            specs = [Spec(unwrap(m)) for m in made]
            constants = {"ans_spec": specs if several else specs[0], "args_spec": [Spec(unwrap(a)) for a in arrays]}
            append(records, (CALL, Call(rule, outs, operands, {}, constants, None, several)))
        return tuple(made) if several else made[0]

    return wrapped


def _check_arity(f: Callable, pullback: Callable, outputs: int) -> None:
    try:
        signature = inspect.signature(pullback)
        signature.bind(*[None] * outputs)
    except TypeError as error:
        raise TypeError(f"the gradient function of {f.__name__} must take {outputs} cotangents: {error}") from None
    except ValueError:
        return
