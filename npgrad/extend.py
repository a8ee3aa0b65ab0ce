"""The door for the user's own rules: for functions that npgrad cannot see into, and for the ufuncs of other libraries.

A function of one's own becomes `differentiable`, and its derivatives are declared with `vjp` (reverse mode) and `jvp`
(forward mode), as those of NumPy's functions are in npgrad itself. A ufunc of another library gets its partial derivatives
by `elementwise`. See `npgrad.custom_gradient` for a function with a gradient function that refers to what it has computed,
and `npgrad.black_box` for one whose derivative nobody knows.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy import ndarray

from ._dispatch import call_generally, tracking
from ._elementwise import plain_calls, unary_calls
from ._libraries import rule_of
from ._maps import ForwardMap, Partial, ReverseMap, asked_by, check_asked, named
from ._partials import INPUTS
from ._record import apart, recording
from ._refusals import name_of as full_name
from ._registry import RULES, UNSUPPORTED, ZERO, Rule, elementwise as _elementwise
from ._run import check_callable
from ._segments import check_results, read_only
from ._spoiled import Watched
from ._tracebacks import public
from ._traced import complete, traced_leaves

__all__ = ["differentiable", "elementwise", "jvp", "steps", "vjp"]

P = ParamSpec("P")
R = TypeVar("R")
Map = TypeVar("Map", bound=Callable[..., Any])

@public
def differentiable(f: Callable[P, R]) -> Callable[P, R]:
    """A function that tapes record as one call, with the derivatives that `vjp` and `jvp` declare for it.

    Parameters
    ----------
    f : callable
        Takes and returns arrays and numbers, always the same for the same arguments, and has named parameters. It gets plain
        data, into which it must not write, and is not looked into: compiled code may be behind it.

    Returns
    -------
    callable
        With the same arguments; what `vjp`, `jvp` and `steps` take.

    Raises
    ------
    NoRuleError
        When called: for a tracked argument that nothing has been declared for.
    LeakError
        When called: if ``f`` uses a tracked array that is not among its arguments.
    TypeError
        For a function that does not tell the names of its arguments.

    Examples
    --------
    >>> import math, numpy as np, npgrad as ng
    >>> @ng.extend.differentiable
    ... def length(x):
    ...     return math.hypot(*memoryview(x))
    >>> @ng.extend.vjp(length, "x")
    ... def by_x(ct, ans, x):
    ...     return ct * x / ans
    >>> ng.grad(length)(np.array([3.0, 4.0]))
    array([0.6, 0.8])
    >>> ng.hessian(length)(np.array([3.0, 4.0])).round(3)
    array([[ 0.128, -0.096],
           [-0.096,  0.072]])
    """
    check_callable(f)
    rule = Rule(f)
    try:
        rule.names  # noqa: B018 (read here, so that it is said here)
    except ValueError as error:
        raise TypeError(f"{error}: wrap it in a function with named parameters") from None

    @public
    @functools.wraps(f)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> Any:
        complete([args, kwargs])
        leaves = traced_leaves([args, kwargs])
        given = {id(leaf._bare) for leaf in leaves}

        def unseen(*args: Any, **kwargs: Any) -> Any:
            made = apart(f, *[_handed(a, given) for a in args], **{name: _handed(a, given) for name, a in kwargs.items()})
            check_results(rule.name, list(made) if isinstance(made, tuple) else [made])
            return tuple(map(_own, made)) if isinstance(made, tuple) else _own(made)

        followed = functools.update_wrapper(unseen, f)
        if not recording() or not tracking(leaves):
            return call_generally(rule, followed, args, kwargs)
        watched = Watched([f])
        with watched:
            made = call_generally(rule, followed, args, kwargs)
        watched.spoil(rule.name, leaves)
        return made

    wrapped.__npgrad_rule__ = rule  # type: ignore[attr-defined]
    return wrapped


def _handed(value: Any, traced: set[int]) -> Any:
    """An argument as the function gets it. Memory of traced arrays is read-only: no tape would see a write."""
    if type(value) in (list, tuple):
        return type(value)([_handed(item, traced) for item in value])
    return read_only(value) if id(value) in traced else value


def _own(result: Any) -> Any:
    """A result in memory of its own: as a part of an argument it would pass for a view of it, whose derivative is known."""
    return np.array(result) if isinstance(result, ndarray) else result


@public
def vjp(function: Callable, *arguments: str, batch: bool = False) -> Callable[[Map], Map]:
    """Declare how cotangents of a `differentiable` function flow back to some of its arguments: a decorator of that map.

    Parameters
    ----------
    function : callable
        What `differentiable` has made.
    *arguments : str
        By name.
    batch : bool
        Whether the map takes cotangents with any number of extra leading axes, and returns them with the same. If not, it is
        called for one cotangent at a time, which makes Jacobians slower.

    Returns
    -------
    callable
        The decorator. The map's parameters say what it gets, and what a tape keeps: ``ct``, the cotangent, of the shape of
        the result (a tuple for several results); ``ans``, the result; arguments of the function by name; ``x_spec`` for
        shape and dtype of the argument ``x``, ``ans_spec`` for those of the result. It returns one cotangent per argument,
        each of the argument's shape, None for none. It is plain NumPy code that may be followed for second derivatives.

    Raises
    ------
    TypeError, ValueError
        For a map that asks for what there is not; from a tape, for cotangents that do not fit.
    NotImplementedError
        From a tape: in forward mode, if no `jvp` is declared.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> @ng.extend.differentiable
    ... def scaled(x, k=2.0):
    ...     return x * k
    >>> @ng.extend.vjp(scaled, "x", "k")
    ... def by_both(ct, x, k):
    ...     return ct * k, np.sum(ct * x)
    >>> ng.grad(lambda x: scaled(x, k=3.0).sum())(np.array([1.0, 2.0]))
    array([3., 3.])
    """
    rule = _rule_of(function, arguments)

    @public
    def declare(map_: Map) -> Map:
        one = ReverseMap(rule, map_, arguments, batch)
        rule.flows_back(one.__call__ if len(arguments) > 1 else one.single, one.names, arguments)
        rule.steps.difference_update(arguments)
        for argument in arguments:
            rule.jvps.setdefault(argument, (_lacking(rule, "jvp", "forward", "reverse"), ()))
        return map_

    return declare


@public
def jvp(function: Callable, argument: str, batch: bool = False) -> Callable[[Map], Map]:
    """Declare how tangents of an argument flow on to the result of a `differentiable` function: a decorator of that map.

    Parameters
    ----------
    function, argument, batch
        As for `vjp`.

    Returns
    -------
    callable
        The decorator. Parameters of the map as for `vjp`, with ``tangent`` for ``ct``; it returns a tangent of the shape of
        the result (a tuple for several results).

    Raises
    ------
    TypeError, ValueError
        As for `vjp`.
    NotImplementedError
        From a tape: in reverse mode, if no `vjp` is declared.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> @ng.extend.differentiable
    ... def cube(x):
    ...     return x ** 3
    >>> @ng.extend.jvp(cube, "x", batch=True)
    ... def along_x(tangent, x):
    ...     return 3 * x ** 2 * tangent
    >>> ng.jacobian(cube, mode="forward")(np.array([1.0, 2.0]))
    array([[ 3.,  0.],
           [ 0., 12.]])
    """
    rule = _rule_of(function, (argument,))

    @public
    def declare(map_: Map) -> Map:
        one = ForwardMap(rule, map_, (argument,), batch)
        rule.flows_on(one.__call__, one.names, argument)
        rule.steps.discard(argument)
        if argument not in rule.vjps:
            rule.flows_back(_lacking(rule, "vjp", "reverse", "forward"), (), (argument,))
        return map_

    return declare


@public
def steps(function: Callable, *arguments: str) -> None:
    """Declare that the result of a `differentiable` function is piecewise constant in some arguments, as in thresholds.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> @ng.extend.differentiable
    ... def above(x, threshold):
    ...     return np.where(x > threshold, x, 0.0)
    >>> @ng.extend.vjp(above, "x", batch=True)
    ... def by_x(ct, x, threshold):
    ...     return np.where(x > threshold, ct, 0.0)
    >>> ng.extend.steps(above, "threshold")
    >>> ng.grad(lambda x: above(x, x.mean()).sum())(np.array([1.0, 2.0, 6.0]))
    array([0., 0., 1.])
    """
    rule = _rule_of(function, arguments)
    for table in (rule.vjps, rule.jvps, rule.shared):
        for argument in arguments:
            table.pop(argument, None)
    rule.steps.update(arguments)
    rule.forget()


_declared: set[Any] = set()


@public
def elementwise(ufunc: np.ufunc, *partials: Any, output: int = 0) -> None:
    """Declare the partial derivatives of a ufunc of another library, one per input.

    Parameters
    ----------
    ufunc : numpy.ufunc
        With at most four inputs, and without a rule of npgrad's.
    *partials : callable, str, 1 or -1
        A function of the values that it needs, by the names of its parameters: ``x``, ``y``, ``z``, ``w`` for the inputs,
        ``ans`` for the result. Or one of these names; or a ufunc of ``x``. Broadcasting, ``out=``, ``where=`` and both modes
        follow; complex numbers too, if the function is holomorphic.
    output : int
        Which of several results it is for; those without a declaration have no derivative.

    Raises
    ------
    TypeError, ValueError
        For what is no elementwise ufunc, another number of partials than of inputs, a ufunc that has a rule.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> ng.extend.elementwise(np.exp, "ans")
    Traceback (most recent call last):
    ...
    ValueError: numpy.exp has a rule already
    """
    if not isinstance(ufunc, np.ufunc) or ufunc.signature is not None:
        what = "the ufunc has a signature" if isinstance(ufunc, np.ufunc) else f"got {type(ufunc).__name__}"
        raise TypeError(f"elementwise takes a ufunc that goes by elements, {what}: use npgrad.extend.differentiable")
    if len(partials) != ufunc.nin or ufunc.nin > len(INPUTS) or not 0 <= output < ufunc.nout:
        raise ValueError(
            f"{ufunc.__name__} has {ufunc.nin} inputs and {ufunc.nout} outputs, got {len(partials)} partial derivatives for "
            f"output {output}: give one for each of up to {len(INPUTS)} inputs"
        )
    for partial in partials:
        if not isinstance(partial, np.ufunc) and partial not in (1, -1, "ans"):
            check_asked(partial, asked_by(partial), {*INPUTS[: ufunc.nin], "ans"}, ufunc.__name__)
    if not any(signature.rpartition("->")[2][output : output + 1] in "efdgFDG" for signature in ufunc.types):
        raise TypeError(
            f"{ufunc.__name__} gives no floating numbers: use npgrad.extend.differentiable, or np.vectorize for Python code"
        )
    if ufunc not in _declared and (rule_of(ufunc) is not None or ufunc in ZERO):
        raise ValueError(f"{full_name(ufunc)} has a rule already")
    if output in getattr(RULES.get(ufunc), "by_output", ()):  # declared again, as cells of notebooks are
        del RULES[ufunc]
        for calls in (plain_calls, unary_calls):
            calls.pop(ufunc, None)
    _declared.add(ufunc)
    UNSUPPORTED.pop(ufunc, None)
    _elementwise(ufunc, *[Partial(p) if hasattr(p, "__code__") else p for p in partials], output=output)


def _rule_of(function: Any, arguments: tuple[str, ...]) -> Rule:
    rule = getattr(function, "__npgrad_rule__", None)
    if not isinstance(rule, Rule):
        raise TypeError(
            f"{full_name(function)} is not what npgrad.extend.differentiable has made: give that, not the function itself"
        )
    for argument in arguments:
        if argument not in named(rule):
            raise ValueError(f"{rule.name} has no argument {argument!r}: its arguments are {', '.join(named(rule))}")
    return rule


def _lacking(rule: Rule, decorator: str, mode: str, other: str) -> Callable:
    def refuse() -> None:
        raise NotImplementedError(
            f"{rule.name} has no derivative in {mode} mode: declare it with npgrad.extend.{decorator}, or use {other} mode"
        )

    return refuse
