"""What stands for NumPy's classes while a tape records, where a program calls them, keeps them or looks up their methods.

A program does more with a class than call it: it asks ``isinstance``, derives from it, gives it for a dtype. So what stands
for one is a class derived from it, and equal to it in all of this, but not the same: where ``is`` might tell them apart
(`_comparisons`) the class stays itself. Instances of it are never made.

A type of numbers may go wherever the type goes. ``np.ndarray``, of which compiled code would make instances
(``x.view(np.ndarray)``), only stands where its use is seen: it is called, asked, or one of its methods is looked up.
"""

from __future__ import annotations

import copyreg
import functools
import operator
import types
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy import ndarray

from ._broadcast import broadcast
from ._comparisons import codes_of, compared
from ._creators import INEXACT_TYPES, of_memory, of_type
from ._dispatch import check_outside
from ._doors import Maker
from ._record import recording
from ._traced import SeenArray, completing, traced_leaves
from ._uses import Use, uses_of


class FormOfClass(type):
    """The class of these classes."""

    original: type
    call: Callable

    def __new__(cls, name: str, bases: tuple, namespace: dict, **kwargs: Any) -> Any:
        """A class that a program derives is derived from the original."""
        bases = tuple([base.original if issubclass(type(base), FormOfClass) else base for base in bases])
        return types.new_class(name, bases, kwargs, lambda names: names.update(namespace))

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if recording():
            return cls.call(*args, **kwargs)
        check_outside(*traced_leaves(args))
        return cls.original(*args, **kwargs)

    def __eq__(cls, other: object) -> Any:
        return other is cls.original or super().__eq__(other)

    def __hash__(cls) -> int:
        return hash(cls.original)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.original)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.original)


def reduced(form: FormOfClass) -> tuple[Callable, tuple]:
    return operator.itemgetter(0), ((form.original,),)


copyreg.pickle(FormOfClass, reduced)


def _form(kind: Any, call: Callable) -> FormOfClass:
    own = {"__module__": kind.__module__, "__doc__": kind.__doc__, "original": kind, "call": staticmethod(completing(call))}
    bases = (object,) if kind is np.broadcast else (kind,)  # from which no class may be derived
    made: FormOfClass = type.__new__(FormOfClass, kind.__name__, bases, {**own, **(_METHODS if kind is ndarray else {})})
    return made


# Methods of plain arrays in which compiled code takes traced data without a hook; the functions of these names see it.
_UNHEARD = {"choose", "dot", "put"}


def _heard(name: str, original: Any) -> Callable:
    """A method of ndarray that is called by the class: of a traced array, its own."""

    @functools.wraps(original, (*functools.WRAPPER_ASSIGNMENTS, "__objclass__"))
    def method(array: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(array, SeenArray):
            return getattr(array, name)(*args, **kwargs)
        if name in _UNHEARD and recording() and traced_leaves([args, kwargs]):
            choices = name == "choose" and len(args) > 1  # given one by one
            return getattr(np, name)(array, *((args,) if choices else args), **kwargs)
        return original(array, *args, **kwargs)

    return method


_METHODS = {
    name: _heard(name, value)
    for name, value in list(vars(ndarray).items())
    if isinstance(value, (types.MethodDescriptorType, types.WrapperDescriptorType))
}
_CALLS: dict[Any, Callable] = {
    ndarray: of_memory, np.broadcast: broadcast, **{kind: of_type(kind) for kind in INEXACT_TYPES}
}  # fmt: skip
_FORMS = {kind: _form(kind, call) for kind, call in _CALLS.items()}
_KINDS = {type, FormOfClass}  # of which NumPy's classes are, and what stands for them; those of a user's may run code


def form_of_type(value: Any) -> Any:
    """What stands for a type of numbers where nothing compares it; None for anything else."""
    return _FORMS[value] if type(value) in _KINDS and value in INEXACT_TYPES else None


def held_form(value: Any, modules: Iterable[dict[str, Any]]) -> Any:
    """What stands for a type of numbers that may go anywhere from some modules, if nothing compares it; else None."""
    form = form_of_type(value)
    return None if form is None or any(map(compared, modules)) else form


_SEEN = {Use.CALLED, Use.LOOKED_INTO, Use.CHECKED}


def forms_of_names(classes: dict[str, Any], names: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What stands for classes by names of a user's module, as (the original, what stands for it): where code of the module
    never hands them on; and of types of numbers, where it does."""
    seen, held = {}, {}
    uses: dict[str, set[Use]] = {name: set() for name in classes}
    for code in codes_of(names) if classes else []:
        for name in classes:
            uses[name] |= uses_of(code, name, names)
    for name, kind in classes.items():
        if uses[name] <= _SEEN:
            seen[name] = kind, _FORMS[kind]
        elif kind in INEXACT_TYPES and Use.COMPARED not in uses[name]:
            held[name] = kind, _FORMS[kind]
    return seen, held


def form_of_class(kind: Any) -> Any:
    """What stands for a class where its use is seen, the class itself if nothing does."""
    return _FORMS.get(kind, kind)


def has_class_form(value: Any) -> bool:
    return type(value) in _KINDS and value in _FORMS


def _held(kind: type) -> Callable[[types.FrameType], Any]:
    form = _FORMS[kind] if kind in INEXACT_TYPES else kind
    return lambda frame: kind if compared(frame.f_globals) else form


def class_makers(in_place: Callable[[Callable, Callable], Callable]) -> dict[str, Maker]:
    """What NumPy's door hands out for its classes."""
    return {
        name: Maker(in_place(kind, _CALLS[kind]), _FORMS[kind] if kind is ndarray else kind, _held(kind))
        for name, kind in list(vars(np).items())
        if isinstance(kind, type) and kind in _CALLS
    }
