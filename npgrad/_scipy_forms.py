"""What stands for a function or method of SciPy's that has a rule or a body, while a tape records."""

from __future__ import annotations

import copy
import functools
import itertools
import sys
import weakref
from collections.abc import Callable
from types import BuiltinMethodType, FrameType
from typing import Any

import numpy as np

from ._callers import acts_for, of_plain_data
from ._compat import signature_of
from ._dispatch import call_rule, tracking
from ._following import ATTRIBUTES, FOLLOWED, FOLLOWED_OBJECTS, MAKERS, OPERATORS, Fields, LibraryBody, LibraryRule
from ._functions import exactly
from ._made_once import made_once
from ._record import apart, recording
from ._scipy import called_from, is_followed_by_name, public_name, refuse_compiled
from ._scipy_held import held_by, in_arrays, is_sparse_code, leaves_of
from ._scipy_kernels import is_kernel, kernel_form
from ._traced import TracedArray, adopt, complete, traced_leaves, unwrap

# Arguments that permit a function to spoil its input, which a tape may have saved.
_PERMISSION = "overwrite_"
# From SciPy 1.18 on, objects may have all that they hold in another one.
_INNER = "_delegate_to"


def following_form(value: Any) -> Any:
    """The form of a function that has a rule, or of an object whose methods have; None for anything else."""
    if has_stand_in(value):
        return stand_in(value)
    if is_kernel(value):
        return kernel_form(value)
    try:
        rules = FOLLOWED.get(value)
        if rules is None:
            return making_form(value) if value in MAKERS else None
    except TypeError:  # not hashable
        return None
    return recorded_by(value, rules)


@made_once
def recorded_by(function: Callable, rules: tuple[LibraryRule, ...]) -> Callable:
    """A function with its calls recorded by a rule; what it makes of plain data can be written into, too."""
    names = tuple(signature_of(function).parameters)

    @functools.wraps(function)
    def in_place(*args: Any, **kwargs: Any) -> Any:
        if not recording() or not is_heard(frame := _calling_frame(sys._getframe(1))):
            return function(*args, **kwargs)
        complete([args, kwargs])
        args = tuple([in_arrays(value) for value in args])
        held = [leaf for value in (*args, *kwargs.values()) for leaf in leaves_of([*held_by(value).values()])]
        leaves = traced_leaves([args, kwargs, held])

        def compute(**_: Any) -> Any:
            by_position = itertools.zip_longest(names[: len(args)], args, fillvalue="")  # a function may take any number
            plain = [_permitted(name, value) for name, value in by_position]
            return computed(function, plain, {name: _permitted(name, value) for name, value in kwargs.items()})

        if not leaves:
            return of_plain_data(compute(), args, frame)
        chosen = next(((rule, given) for rule in rules if (given := _covered(rule, args, kwargs, held)) is not None), None)
        if chosen is None:
            if not (records := tracking(leaves)):
                return of_plain_data(compute(), args, frame)
            # What objects hold SciPy does not see, nor what comes to compiled code of code that is followed.
            name = public_name(function)
            if is_sparse_code(name):
                return function(*args, **kwargs)
            inside = _is_scipys(frame) and all(isinstance(rule, LibraryBody) for rule in rules)
            if inside or tracking(held) or is_followed_by_name(name):
                refuse_compiled(records, called_from(frame) if inside else name)
            return function(*args, **kwargs)
        rule, given = chosen
        if isinstance(rule, LibraryBody):
            return _by_body(rule, compute, args, kwargs)
        return call_rule(rule, compute, (), given)

    return in_place


def computed(function: Callable, args: Any, kwargs: dict[str, Any]) -> Any:
    """What a function makes of plain data; its name says so to `called_from`."""
    return apart(function, *args, **kwargs)


def _permitted(name: str, value: Any) -> Any:
    return False if name.startswith(_PERMISSION) else _plain(value)


def _covered(rule: LibraryRule, args: tuple, kwargs: dict, held: list) -> dict[str, Any] | None:
    """What a rule gets of a call, if its maps are for all that is tracked; a body of ours looks into objects itself."""
    given = rule.arguments(args, kwargs)
    if given is None:
        return None
    known = {id(leaf) for name, value in given.items() if rule.knows(name) for leaf in traced_leaves(value)}
    inside = [] if isinstance(rule, LibraryBody) else held
    rest = [leaf for leaf in traced_leaves([args, kwargs, inside]) if id(leaf) not in known]
    return None if tracking(rest) else given


def _by_body(rule: LibraryBody, compute: Callable, args: tuple, kwargs: dict) -> Any:
    """What a body of ours makes, with SciPy's own bits; also in an object that it initialises."""
    before = held_by(args[0]) if args else {}
    exact = compute()
    own = held_by(args[0]) if args else {}
    with np.errstate(all="ignore"):  # SciPy has warned
        result = rule.function(*args, **kwargs, **({"ans": exact} if "ans" in rule.names else {}))
    for name in own:
        if own[name] is not before.get(name):
            setattr(args[0], name, _with_bits(getattr(args[0], name), own[name]))
    return _with_bits(result, exact)


def _with_bits(result: Any, exact: Any) -> Any:
    if isinstance(result, TracedArray):
        return exactly(result, exact)
    if isinstance(result, Fields):
        made = tuple.__new__(type(exact), _with_bits(result.items, tuple(exact)))
        vars(made).update(vars(exact))
        vars(made).update({name: _with_bits(value, getattr(exact, name)) for name, value in result.named.items()})
        return made
    if isinstance(result, (list, tuple)):
        return type(exact)([_with_bits(part, of) for part, of in zip(result, exact, strict=True)])
    if attributes := held_by(result):
        for name, value in attributes.items():
            setattr(result, name, _with_bits(value, getattr(exact, name)))
        return result
    return adopt(exact) if isinstance(exact, np.ndarray) and exact.dtype.kind in "fc" else exact


def _plain(value: Any) -> Any:
    """The plain data of an argument; of an object that holds traced arrays, another one that holds plain ones."""
    held = held_by(value)
    if not traced_leaves(held):
        return unwrap(value)
    made = apart(copy.copy, value)  # SciPy's objects say by arrays what they hold
    if hasattr(made, _INNER):
        setattr(made, _INNER, apart(copy.copy, getattr(made, _INNER)))
    for name, part in held.items():
        setattr(made, name, unwrap(part))
    return made


def _calling_frame(frame: FrameType) -> FrameType:
    """Who calls a method, past an operator that does nothing else."""
    return frame.f_back if frame.f_code in OPERATORS and frame.f_back is not None else frame


def is_heard(frame: FrameType) -> bool:
    """Whether the user's code calls, or code of SciPy's that is followed like it."""
    if _is_scipys(frame):
        name = called_from(frame)
        return is_followed_by_name(name) or is_sparse_code(name)
    return acts_for(frame.f_globals.get("__name__") or "", frame.f_code.co_filename)


def _is_scipys(frame: FrameType) -> bool:
    return (frame.f_globals.get("__name__") or "").startswith("scipy.")


# --- Objects of compiled code --------------------------------------------------------------------------------------


class StandIn:
    """What stands for an object of compiled code while a tape records, with methods that are followed. It may stay where the
    program has put it: where no tape records, its methods are those of the object."""

    def __init__(self, of: Any) -> None:
        self.__wrapped__ = of
        # What it has been made of, if this is tracked, and whether it is only nearly the same.
        self.matrix: Any = None
        self.is_near = False

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self.__wrapped__)

    def __getattr__(self, name: str) -> Any:
        of = self.__wrapped__
        rules = FOLLOWED_OBJECTS[type(of)].get(name)
        if rules is None:
            return getattr(of, name)
        kind: Any = type(of)
        made = functools.partial(recorded_by(_method(kind, name), rules), self)  # whose caller is the user's code
        made.__wrapped__ = getattr(of, name)  # type: ignore[attr-defined]
        setattr(self, name, made)
        return made

    def __deepcopy__(self, memo: Any) -> StandIn:
        return self  # such an object does not change


ATTRIBUTES[StandIn] = (("matrix",),)


@made_once
def _method(kind: Any, name: str) -> Callable:
    def call(stand_in: StandIn, *args: Any, **kwargs: Any) -> Any:
        return getattr(stand_in.__wrapped__, name)(*args, **kwargs)

    call.__module__, call.__qualname__ = "scipy.sparse.linalg", f"{kind.__name__}.{name}"
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


@made_once
def making_form(function: Callable) -> Callable:
    @functools.wraps(function)
    def in_place(*args: Any, **kwargs: Any) -> Any:
        if not recording() or not is_heard(sys._getframe(1)):
            return function(*args, **kwargs)
        is_tracked = tracking(leaves_of([*args, *kwargs.values()]))
        made = computed(function, [_plain(value) for value in args], {name: _plain(value) for name, value in kwargs.items()})
        if not has_stand_in(made):
            return made
        standing = stand_in(made)
        if is_tracked:
            owner = stand_in(made.__self__) if type(made) is BuiltinMethodType else standing
            owner.matrix, owner.is_near = next(iter([*args, *kwargs.values()])).copy(), MAKERS[function]
        return standing

    return in_place
