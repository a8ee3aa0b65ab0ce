"""Maps as users declare them with ``extend``, and as a sweep calls them: with or without a batch, and checked. Where a tape
follows them, for second derivatives, what they reach is swapped."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy import ndarray

from ._dispatch import tracking
from ._instrument import instrumented
from ._moves import assemble
from ._partials import parameters
from ._record import recording
from ._registry import Rule
from ._traced import traced_leaves
from ._unswapped import Unswapped


def asked_by(map_: Any) -> tuple[str, ...]:
    """The names of what a map asks for."""
    if isinstance(map_, str):
        return (map_,)
    try:
        return parameters(map_)
    except AttributeError:
        raise TypeError(
            f"a derivative must be a Python function with named parameters, got {type(map_).__name__}: use a lambda"
        ) from None


def named(rule: Rule) -> list[str]:
    """The arguments of a function that its maps may ask for."""
    parameters = rule.signature.parameters.values()
    return [parameter.name for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD]


def check_asked(map_: Any, names: tuple[str, ...], known: set[str], function: str) -> None:
    unknown = [name for name in names if name not in known]
    if unknown:
        raise TypeError(
            f"a derivative of {function} asks for {', '.join(unknown)}: there is {', '.join(sorted(known))}; give its own "
            "parameters default values"
        )


def is_followed(values: list) -> bool:
    """Whether a tape that records here hears of what is done with these values."""
    return bool(recording()) and bool(tracking(traced_leaves(values)))


def in_reach(values: list, *reached: Any) -> contextlib.AbstractContextManager[Unswapped]:
    """Swap what a map of the user's reaches if a tape follows what it does with these values. A search from the program does
    not come to it."""
    return instrumented(*reached) if is_followed(values) else _UNSWAPPED


_UNSWAPPED = contextlib.nullcontext(Unswapped())


class Partial:
    """A partial derivative of the user's, in its reach where it is followed; to be asked for names as the function is."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.__code__, self.__defaults__ = function.__code__, function.__defaults__

    def __call__(self, *values: Any) -> Any:
        with in_reach(list(values), self.function) as form:
            return form(self.function)(*values)


class DeclaredMap(ABC):
    """A declared map, called for one cotangent or tangent at a time unless it takes a batch; what it gives is checked."""

    head: str  # the name of what flows

    def __init__(self, rule: Rule, map_: Any, arguments: tuple[str, ...], batch: bool) -> None:
        self.rule_name, self.map, self.arguments, self.batch = rule.name, map_, arguments, batch
        self.asked = asked_by(map_)
        names = named(rule)
        known = {self.head, "ans", "ans_spec", *names, *[f"{name}_spec" for name in names]}
        check_asked(map_, self.asked, known, rule.name)
        self.names = tuple(dict.fromkeys((*self.asked, self.head, "ans_spec", *[f"{name}_spec" for name in arguments])))

    def rows(self, env: dict[str, Any], flows: Any, batch: tuple) -> list:
        """What the map gives for each of several flows, put together."""
        with in_reach([*env.values(), flows], self.map) as form:
            map_ = form(self.map)
            if self.batch or not batch:
                return self.once(map_, env, flows, batch)
            found = [self.once(map_, env, _at(flows, index), ()) for index in np.ndindex(batch)]
            return [_together(column, batch) for column in zip(*found, strict=True)]

    def once(self, map_: Any, env: dict[str, Any], flows: Any, batch: tuple) -> list:
        given = {**env, self.head: flows}
        made = map_(**{name: given[name] for name in self.asked})
        return self.checked(made, env, batch)

    @abstractmethod
    def checked(self, made: Any, env: dict[str, Any], batch: tuple) -> list:
        """What the map has given, by argument or by result; raises if it does not fit."""

    def check(self, what: str, made: Any, spec: Any, batch: tuple) -> Any:
        if made is None:
            return None
        if isinstance(spec, list):
            if not isinstance(made, (list, tuple)) or len(made) != len(spec):
                raise ValueError(f"the {self.head} of {self.rule_name} {what} must be a sequence of {len(spec)} arrays")
            return [self.check(what, one, of, batch) for one, of in zip(made, spec, strict=True)]
        if np.shape(made) != (*batch, *spec.shape):
            raise ValueError(
                f"the {self.head} of {self.rule_name} {what} has shape {np.shape(made)}, and must have shape "
                f"{(*batch, *spec.shape)}{' (with the batch)' if batch else ''}"
            )
        return made if isinstance(made, ndarray) else assemble(made)


class ReverseMap(DeclaredMap):
    head = "ct"

    def __call__(self, *values: Any) -> list:
        env = dict(zip(self.names, values, strict=True))
        ct, spec = env["ct"], env["ans_spec"]
        if not isinstance(ct, tuple):
            return self.rows(env, ct, ct.shape[: ct.ndim - spec.ndim])
        batch = next(c.shape[: c.ndim - s.ndim] for c, s in zip(ct, spec, strict=True) if c is not None)
        filled = [np.zeros(batch + s.shape, s.dtype) if c is None else c for c, s in zip(ct, spec, strict=True)]
        return self.rows(env, tuple(filled), batch)

    def single(self, *values: Any) -> Any:
        return self(*values)[0]

    def checked(self, made: Any, env: dict[str, Any], batch: tuple) -> list:
        several = len(self.arguments) > 1
        parts = made if several else (made,)
        if not isinstance(parts, (tuple, list)) or len(parts) != len(self.arguments):
            raise ValueError(
                f"a vjp of {self.rule_name} by {', '.join(self.arguments)} must return {len(self.arguments)} cotangents, "
                "None for none"
            )
        return [
            self.check(f"by {name}", part, env[f"{name}_spec"], batch)
            for name, part in zip(self.arguments, parts, strict=True)
        ]


class ForwardMap(DeclaredMap):
    head = "tangent"

    def __call__(self, *values: Any) -> Any:
        env = dict(zip(self.names, values, strict=True))
        tangent, spec = env["tangent"], env[f"{self.arguments[0]}_spec"]
        first, of = (tangent[0], spec[0]) if isinstance(tangent, list) else (tangent, spec)
        made = self.rows(env, tangent, first.shape[: first.ndim - of.ndim])
        return tuple(made) if isinstance(env["ans_spec"], list) else made[0]

    def checked(self, made: Any, env: dict[str, Any], batch: tuple) -> list:
        spec = env["ans_spec"]
        what = f"by {self.arguments[0]}"
        return self.check(what, made, spec, batch) if isinstance(spec, list) else [self.check(what, made, spec, batch)]


def _at(flows: Any, index: tuple) -> Any:
    return type(flows)([flow[index] for flow in flows]) if isinstance(flows, (tuple, list)) else flows[index]


def _together(column: tuple, batch: tuple) -> Any:
    first = next((row for row in column if row is not None), None)
    if isinstance(first, list):
        rows = [[None] * len(first) if row is None else row for row in column]
        return [_together(items, batch) for items in zip(*rows, strict=True)]
    return stacked(column, batch)


def stacked(rows: Any, batch: tuple) -> Any:
    """What a map has given for each flow of a batch, as one array; None where it is nothing for all of them."""
    first = next((row for row in rows if row is not None), None)
    if first is None:
        return None
    made = np.stack([np.zeros_like(first) if row is None else row for row in rows])
    return made.reshape(batch + made.shape[1:])
