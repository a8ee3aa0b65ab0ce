"""Names in place: what stands for ``np.zeros``, ``np.array``, ``math.sin`` ... while a tape records.

NumPy's creators and Python's ``math`` and ``cmath`` reach no protocol of an array. While at least one tape of the process
records, thin wrappers stand in their place; a wrapper acts only where a tape records in this thread or task, and only when
it is called neither by NumPy's own code nor by npgrad's core. Twins of NumPy's functions (see ``_twins``) use the same
traced creators.
"""

from __future__ import annotations

import builtins
import cmath
import functools
import math
import operator
import sys
import threading
from collections.abc import Callable, Mapping
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
from numpy.lib import stride_tricks

from . import _warning_places
from ._bare_looks import has_odd_class, is_a, is_hashed_by_code, is_ours
from ._class_forms import FormOfClass, class_makers
from ._creators import TRACED_CREATORS
from ._doors import Door, Names, door
from ._guards import guarded_functions, masked_in_place, methods_in_place, of_values, random_in_place
from ._index_objects import INDEX_OBJECTS
from ._json_text import json_methods
from ._libraries import OnceLoaded, modules_state
from ._math_names import OPERATOR_FORMS, cmath_forms, math_forms, math_in_place
from ._poly1d import OF_POLYNOMIALS, POLY1D_METHODS
from ._registry import CALLING_BACK, ZERO
from ._scipy_doors import form_of, scipy_doors
from ._scipy_forms import StandIn, has_stand_in
from ._scipy_names import captured
from ._series import series_forms
from ._ufunc_forms import ufunc_forms
from ._users_classes import put_back_methods
from ._vectorize import vectorize_call
from ._wrappers import (
    asking_creator_in_place,
    called,
    calling_in_place,
    creator_in_place,
    of_lists_in_place,
    of_polynomials_in_place,
    operator_in_place,
    seen_first_in_place,
    seen_in_place,
    unbound,
)


def _as_it_is(original: Callable, traced: Callable) -> Callable:
    return traced


def _hashable_in(value: Any, forms: dict) -> bool:
    return type(value).__hash__ is not None and value in forms


def _is_followed(value: Any) -> bool:
    """Whether it is a dispatched function that traced data must reach, be it to be refused."""
    return isinstance(value, type(np.mean)) and value not in ZERO


def _followed_in(module: ModuleType) -> dict[Callable, Callable]:
    return {function: called(function) for function in list(vars(module).values()) if _is_followed(function)}


_ASKING_CREATORS = {creator: form for creator, form in TRACED_CREATORS.items() if isinstance(creator, type(np.mean))}


def _zero_in(module: ModuleType) -> dict[Callable, Callable]:
    dispatched = [value for value in list(vars(module).values()) if isinstance(value, type(np.mean))]
    return {function: function for function in dispatched if function in ZERO}


def _forms() -> dict[ModuleType, list[tuple[dict[Any, Callable], Callable]]]:
    """Per module: NumPy's or Python's function -> what follows it, and how that is called; later ones count."""
    return {
        builtins: [(OPERATOR_FORMS, operator_in_place)],
        operator: [(OPERATOR_FORMS, operator_in_place)],
        math: [(math_forms(), math_in_place)],
        cmath: [(cmath_forms(), math_in_place)],
        np: [
            (_zero_in(np), of_lists_in_place),
            (_followed_in(np), seen_in_place),
            ({function: called(function) for function in OF_POLYNOMIALS}, of_polynomials_in_place),
            (TRACED_CREATORS, creator_in_place),
            (_ASKING_CREATORS, asking_creator_in_place),
            ({function: called(function) for function in CALLING_BACK}, calling_in_place),
            (of_values(np.format_float_positional, np.format_float_scientific), _as_it_is),
            (ufunc_forms(np), _as_it_is),
        ],
        np.linalg: [
            (_zero_in(np.linalg), of_lists_in_place),
            (_followed_in(np.linalg), seen_in_place),
        ],
        np.emath: [(_followed_in(np.emath), seen_in_place)],
        np.fft: [(_followed_in(np.fft), seen_in_place), (TRACED_CREATORS, creator_in_place)],
        stride_tricks: [
            (_followed_in(stride_tricks), seen_in_place),
            ({stride_tricks.as_strided: called(stride_tricks.as_strided)}, seen_first_in_place),
        ],
    }


# Python's own names, which are no module's that could be a door, and functions that take less time than a door.
_NAMED_IN_LOOPS = {builtins, math}
_MAKERS = {np: class_makers(creator_in_place)}
_names: list[Names] = []
_doors: list[Door] = []
# The original object -> what stands for it: also for names that a user's module bound before (`from numpy import zeros`).
IN_PLACE: dict[Any, Callable] = {}
# For classes the other way round; a function that stands for another says which.
_CLASSES: dict[Any, Any] = {}


def _add(module: ModuleType, makers: list[tuple[dict[Any, Callable], Callable]]) -> None:
    originals: dict[str, Any] = {}
    made: dict[Any, Callable] = {}  # one for all names of a function
    for forms, make in makers:
        found = {name: value for name, value in list(vars(module).items()) if callable(value) and _hashable_in(value, forms)}
        originals.update(found)
        made.update({value: unbound(make(value, forms[value]), value) for value in dict.fromkeys(found.values())})
    names = {name: made[value] for name, value in originals.items()}
    IN_PLACE.update(made)
    _CLASSES.update({form: original for original, form in made.items() if isinstance(original, type)})
    if module in _NAMED_IN_LOOPS:
        _names.append(Names(module, originals, names))
    else:
        _doors.append(door(module, {**names, **_MAKERS.get(module, {})}))


def may_have_form(value: Any) -> bool:
    """Whether something might stand for a value while a tape records, or be what stands for one."""
    if has_odd_class(value):
        return False
    if callable(value):
        return not is_hashed_by_code(value) or is_ours(value) or has_stand_in(value)
    return type(value) is StandIn or has_stand_in(value)


def form_in_place(value: Any) -> Callable | None:
    """What stands for a function while a tape records, None for anything else."""
    try:
        return IN_PLACE.get(value) or form_of(value)
    except TypeError:  # not hashable
        return None


def original_of(value: Any) -> Any:
    """What a form stands for, None for anything else."""
    if issubclass(type(value), FormOfClass):
        return value.original
    kind = type(value)
    # A partial is what stands for a method of an object of SciPy's compiled code.
    inner = getattr(value, "__wrapped__", None) if kind in (FunctionType, functools.partial) or is_ours(value) else None
    if kind is functools.partial and not has_stand_in(inner):
        return None
    if inner is not None and form_in_place(inner) is value:
        return inner
    return _CLASSES.get(value) if is_a(value, type) and not is_hashed_by_code(value) else None


# What SciPy's modules bound is swapped where no protocol shows it.
_CREATORS_IN_PLACE: dict[Any, Callable] = {}

# (class, method) -> what stands for it from the first tape on.
_METHODS: dict[tuple[type, str], Callable] = {
    (np.vectorize, "__call__"): vectorize_call,
    **{(np.poly1d, name): method for name, method in POLY1D_METHODS.items()},
}


def _put_methods(methods: Mapping[tuple[type, str], Callable]) -> None:
    """Let methods of classes be heard from here on; where no tape records they do nothing but call what they stand for. They
    are not taken away with each tape: Python gives up its caches for a class that is changed a thousand times, and 3.13 goes
    on calling the former ``__setitem__`` then."""
    for (cls, name), method in methods.items():
        if isinstance(method, FunctionType) and not hasattr(method, "__wrapped__"):
            functools.update_wrapper(method, getattr(cls, name))
        setattr(cls, name, method)


@functools.cache
def _load_at_first() -> None:
    for module, makers in _forms().items():
        _add(module, makers)
    for made, kind in INDEX_OBJECTS:
        made.__class__ = kind
    _CREATORS_IN_PLACE.update({original: form for original, form in IN_PLACE.items() if original in TRACED_CREATORS})
    _put_methods({**_METHODS, **methods_in_place()})


def _adding(module: str, forms: Callable[[ModuleType], dict], make: Callable = _as_it_is) -> Callable[[], None]:
    return lambda: _add(sys.modules[module], [(forms(sys.modules[module]), make)])


def _load_masked() -> None:
    _adding("numpy.ma", guarded_functions)()
    _put_methods(masked_in_place(sys.modules["numpy.ma"]))  # an attribute of NumPy's only once it is loaded altogether


# The same for modules that few programs load.
_later = OnceLoaded(
    {
        "numpy.random": _adding("numpy.random", lambda random: {vars(random)[n]: f for n, f in random_in_place().items()}),
        "numpy.rec": _adding("numpy.rec", guarded_functions),
        "numpy.ma": _load_masked,
        "numpy.polynomial": _adding("numpy.polynomial.polyutils", lambda _: series_forms(), calling_in_place),
        "json.encoder": lambda: _put_methods(json_methods()),
    }
)


# Several threads may be the first to use a tape.
lock = threading.RLock()


def _load_names() -> None:
    """Make what stands for names: at the first tape, not at npgrad's import; it takes a while, and loads parts of NumPy."""
    with lock:
        _load_at_first()
        _later.do()


def put() -> None:
    state = modules_state()
    if state != _later.known:
        _load_names()
    for names in _names:
        names.put()
    for module, kind in _doors:
        module.__class__ = kind
    captured.put(state, _CREATORS_IN_PLACE, IN_PLACE)
    scipy_doors.put(state)
    _warning_places.put()


def take_away() -> None:
    for names in _names:
        names.take_away()
    for module, _ in _doors:
        module.__class__ = ModuleType
    put_back_methods()
    captured.take_away()
    scipy_doors.take_away()
    _warning_places.take_away()
