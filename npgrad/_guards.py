"""Objects of NumPy that take numbers and that no tape follows: they refuse tracked data instead of dropping its derivative.

Masked arrays, matrices, record arrays and files mapped into memory hold plain memory; random generators read their
parameters in compiled code. While a tape records, the methods here stand in their classes, or a subclass for the class.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ._callers import of_plain_data
from ._dispatch import tracking
from ._leaks import refuse
from ._objects import ObjectArray
from ._record import recording
from ._traced import adopt, traced_leaves, unwrap


def refuse_tracked(arguments: Any, what: str, cure: str) -> None:
    records = tracking(traced_leaves(arguments)) if recording() else ()
    if records:
        refuse(records, what, cure)


def refusing(original: Callable, what: str, cure: str) -> Callable:
    """The function, for arguments that no tape tracks."""

    @functools.wraps(original)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        refuse_tracked([args, kwargs], what, cure)
        return original(*args, **kwargs)

    return guarded


# --- Arrays of other classes ---------------------------------------------------------------------------------------

_USE_PLAIN = "Use an array of numbers with np.where or a field's own array in place of it."
_NO_MATRIX = "Use np.array in place of it, with @ for * and np.linalg.inv for .I."


def _guarded_write(cls: type, name: str) -> Callable:
    return refusing(getattr(cls, name), f"traced data is written into a {cls.__name__}, which no tape follows", _USE_PLAIN)


@functools.cache
def methods_in_place() -> dict[tuple[type, str], Any]:
    """(class, method) -> what stands for it while a tape records."""
    classes: dict[type, tuple[str, ...]] = {
        np.ma.MaskedArray: ("__setitem__", "put"),
        np.matrix: ("__setitem__",),
        np.recarray: ("__setitem__", "__setattr__"),
        np.memmap: ("__setitem__",),
    }
    guarded = {(cls, name): _guarded_write(cls, name) for cls, names in classes.items() for name in names}
    matrix = refusing(np.matrix.__new__, "numpy.matrix makes an array that no tape follows", _NO_MATRIX)
    return {**guarded, (np.matrix, "__new__"): staticmethod(matrix), (np.finfo, "__new__"): staticmethod(_finfo)}


_NUMPYS_FINFO = np.finfo.__new__


def _finfo(cls: type, dtype: Any) -> np.finfo:
    """Of the type of a number, which is all that it asks the number for."""
    return _NUMPYS_FINFO(cls, unwrap(dtype))


class StructuredArray(ndarray):
    """A structured array that was made while a tape records, and its fields: plain arrays that take no tracked data."""

    __slots__ = ()

    def __setitem__(self, key: Any, value: Any) -> None:
        refuse_tracked([value], "traced data is written into a structured array, whose fields no tape follows", _USE_PLAIN)
        ndarray.__setitem__(self, key, unwrap(value))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        result = getattr(ufunc, method)(*_plain(inputs), **_plain(kwargs))
        if kwargs.get("out") is not None:
            return kwargs["out"][0]
        return adopt(result) if recording() else result

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return func(*_plain(args), **_plain(kwargs))

    def __repr__(self) -> str:
        return repr(self.view(ndarray))


# Arrays of other classes that hold what no tape follows by itself.
HOLDERS = frozenset([StructuredArray, ObjectArray])


def _plain(value: Any) -> Any:
    if type(value) is StructuredArray:
        return value.view(ndarray)
    if type(value) in (tuple, list):
        return type(value)([_plain(item) for item in value])
    return {name: _plain(item) for name, item in value.items()} if type(value) is dict else value


# --- numpy.ma and numpy.rec ----------------------------------------------------------------------------------------

# They look at the mask or the shape, or hand back what they were given.
_HARMLESS = {
    "filled", "getdata", "getmask", "getmaskarray", "is_mask", "is_masked", "isMA", "isMaskedArray", "isarray", "make_mask",
    "make_mask_descr", "ndim", "shape", "size", "default_fill_value", "common_fill_value", "maximum_fill_value",
    "minimum_fill_value", "allclose", "allequal", "count", "count_masked", "argmax", "argmin", "argsort", "nonzero",
}  # fmt: skip


def guarded_functions(module: types.ModuleType) -> dict[Callable, Callable]:
    """The functions of a module that makes arrays of another class."""
    return {
        value: refusing(value, f"{module.__name__}.{name} makes an array that no tape follows", _USE_PLAIN)
        for name, value in vars(module).items()
        if isinstance(value, types.FunctionType)
        and value.__module__.startswith(module.__name__)
        and not name.startswith("_")
        and name not in _HARMLESS
    }


# --- Text ----------------------------------------------------------------------------------------------------------


def of_values(*functions: Callable) -> dict[Callable, Callable]:
    """Functions that make text of numbers, which has no derivative."""

    def form(original: Callable) -> Callable:
        return functools.wraps(original)(lambda *args, **kwargs: original(*unwrap(args), **unwrap(kwargs)))

    return {function: form(function) for function in functions}


# --- Random numbers ------------------------------------------------------------------------------------------------

# Distributions whose samples change smoothly with parameters.
_SMOOTH = (
    "beta", "chisquare", "dirichlet", "exponential", "f", "gamma", "gumbel", "laplace", "logistic", "lognormal",
    "noncentral_chisquare", "noncentral_f", "normal", "pareto", "power", "rayleigh",
    "standard_gamma", "standard_t", "triangular", "uniform", "vonmises", "wald", "weibull",
)  # fmt: skip
_REPARAMETERISE = "Draw standard samples and transform them: loc + scale * rng.standard_normal(n)."


def _guarded_sample(original: Callable, name: str) -> Callable:
    guarded = refusing(original, f"{name} of a random generator reads its parameters unseen", _REPARAMETERISE)

    @functools.wraps(original)
    def sample(*args: Any, **kwargs: Any) -> Any:
        made = guarded(*args, **kwargs)
        return of_plain_data(made, args, sys._getframe(1)) if recording() else made

    return sample


class _StandsFor(type):
    """The class of a subclass that stands for its base: instances of the base are its instances."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.__mro__[1])


def _guarded_class(cls: type) -> type:
    methods = {name: _guarded_sample(getattr(cls, name), name) for name in _SMOOTH if hasattr(cls, name)}
    return _StandsFor(cls.__name__, (cls,), {**methods, "__module__": cls.__module__, "__doc__": cls.__doc__})


@functools.cache
def generator_class() -> type:
    """NumPy's, also while ours stands for it."""
    return random_in_place()["Generator"].__mro__[1]


def guarded_generator(generator: Any) -> Any:
    """A generator with the same state, now and later, that refuses tracked parameters."""
    return random_in_place()["Generator"](generator.bit_generator)


@functools.cache
def random_in_place() -> dict[str, Any]:
    """What stands for names of numpy.random while a tape records."""
    numpys_default_rng = np.random.default_rng

    @functools.wraps(numpys_default_rng)
    def default_rng(seed: Any = None) -> Any:
        made = numpys_default_rng(seed)
        return made if made is seed else guarded_generator(made)

    return {
        **{name: _guarded_sample(getattr(np.random, name), name) for name in _SMOOTH if hasattr(np.random, name)},
        "default_rng": default_rng,
        "Generator": _guarded_class(np.random.Generator),
        "RandomState": _guarded_class(np.random.RandomState),
    }
