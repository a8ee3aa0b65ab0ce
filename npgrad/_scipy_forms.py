"""What stands for a function or method of SciPy's that has a rule, while a tape records."""

from __future__ import annotations

import functools
import itertools
import sys
import weakref
from collections.abc import Callable
from types import BuiltinMethodType, FrameType
from typing import Any

from ._callers import acts_for, of_plain_data
from ._compat import signature_of
from ._dispatch import call_rule, tracking
from ._following import FOLLOWED, FOLLOWED_OBJECTS, MAKERS, LibraryRule
from ._record import recording
from ._scipy import called_from, is_followed_by_name
from ._traced import complete, traced_leaves, unwrap

# Arguments that permit a function to spoil its input, which a tape may have saved.
_PERMISSION = "overwrite_"


def following_form(value: Any) -> Any:
    """The form of a function that has a rule, or of an object whose methods have; None for anything else."""
    if has_stand_in(value):
        return stand_in(value)
    try:
        rules = FOLLOWED.get(value)
        if rules is None:
            return making_form(value) if value in MAKERS else None
    except TypeError:  # not hashable
        return None
    return recorded_by(value, rules)


@functools.lru_cache(2048)
def recorded_by(function: Callable, rules: tuple[LibraryRule, ...]) -> Callable:
    """A function with its calls recorded by a rule; what it makes of plain data can be written into, too."""
    names = tuple(signature_of(function).parameters)

    @functools.wraps(function)
    def in_place(*args: Any, **kwargs: Any) -> Any:
        if not recording() or not _is_heard(sys._getframe(1)):
            return function(*args, **kwargs)
        complete([args, kwargs])
        if not traced_leaves([args, kwargs]):
            return of_plain_data(computed(function, args, kwargs), args, sys._getframe(1))
        chosen = next(((rule, given) for rule in rules if (given := _covered(rule, args, kwargs)) is not None), None)
        if chosen is None:
            return function(*args, **kwargs)

        def compute(**_: Any) -> Any:
            by_position = itertools.zip_longest(names[: len(args)], args, fillvalue="")  # a function may take any number
            plain = [_permitted(name, value) for name, value in by_position]
            return computed(function, plain, {name: _permitted(name, value) for name, value in kwargs.items()})

        rule, given = chosen
        return call_rule(rule, compute, (), given)

    return in_place


def computed(function: Callable, args: Any, kwargs: dict[str, Any]) -> Any:
    """What a function makes of plain data; its name says so to `called_from`."""
    return function(*args, **kwargs)


def _permitted(name: str, value: Any) -> Any:
    return False if name.startswith(_PERMISSION) else unwrap(value)


def _covered(rule: LibraryRule, args: tuple, kwargs: dict) -> dict[str, Any] | None:
    """What a rule gets of a call, if its maps are for all that is tracked."""
    given = rule.arguments(args, kwargs)
    if given is None:
        return None
    known = {id(leaf) for name, value in given.items() if rule.knows(name) for leaf in traced_leaves(value)}
    rest = [leaf for leaf in traced_leaves([args, kwargs]) if id(leaf) not in known]
    return None if tracking(rest) else given


def _is_heard(frame: FrameType) -> bool:
    """Whether the user's code calls, or code of SciPy's that is followed like it."""
    caller = frame.f_globals.get("__name__") or ""
    if caller.startswith("scipy."):
        return is_followed_by_name(called_from(frame))
    return acts_for(caller, frame.f_code.co_filename)


# --- Objects of compiled code --------------------------------------------------------------------------------------


class StandIn:
    """What stands for an object of compiled code while a tape records, with methods that are followed. It may stay where the
    program has put it: where no tape records, its methods are those of the object."""

    def __init__(self, of: Any) -> None:
        self.__wrapped__ = of

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self.__wrapped__)

    def __getattr__(self, name: str) -> Any:
        of = self.__wrapped__
        rules = FOLLOWED_OBJECTS[type(of)].get(name)
        if rules is None:
            return getattr(of, name)
        made = functools.partial(recorded_by(_method(name), rules), self)  # whose caller is the user's code
        made.__wrapped__ = getattr(of, name)  # type: ignore[attr-defined]
        setattr(self, name, made)
        return made

    def __deepcopy__(self, memo: Any) -> StandIn:
        return self  # such an object does not change


@functools.cache
def _method(name: str) -> Callable:
    def call(stand_in: StandIn, *args: Any, **kwargs: Any) -> Any:
        return getattr(stand_in.__wrapped__, name)(*args, **kwargs)

    return call


# By the identity of the object, which is held by what stands for it.
_stand_ins: weakref.WeakValueDictionary[int, StandIn] = weakref.WeakValueDictionary()


def has_stand_in(value: Any) -> bool:
    """Whether it is an object of compiled code with methods that are followed, or such a method."""
    kind = type(value)
    return kind in FOLLOWED_OBJECTS or (kind is BuiltinMethodType and type(value.__self__) in FOLLOWED_OBJECTS)


def stand_in(value: Any) -> Any:
    """What stands for such an object or method: the same one, as long as it is used."""
    if type(value) is BuiltinMethodType:
        return getattr(stand_in(value.__self__), value.__name__)
    made = _stand_ins.get(id(value))
    if made is None:
        made = _stand_ins[id(value)] = StandIn(value)
    return made


@functools.lru_cache(16)
def making_form(function: Callable) -> Callable:
    @functools.wraps(function)
    def in_place(*args: Any, **kwargs: Any) -> Any:
        made = function(*args, **kwargs)
        return stand_in(made) if has_stand_in(made) and recording() and _is_heard(sys._getframe(1)) else made

    return in_place
