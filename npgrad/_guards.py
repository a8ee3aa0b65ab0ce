"""Objects of NumPy that take numbers and that no tape follows: they refuse tracked data instead of dropping its derivative.

Masked arrays, matrices, record arrays and files mapped into memory hold plain memory; random generators read their
parameters in compiled code. While a tape records, the methods here stand in their classes, or a subclass for the class.
"""

from __future__ import annotations

import functools
import operator
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ._callers import is_for_program, of_plain_data
from ._holders import WRITTEN_BY_NAME, held, lent, refuse_tracked, written_by_name
from ._leaks import USE_PLAIN
from ._libraries import is_loaded
from ._made_once import made_once
from ._record import recording
from ._traced import adopt, unwrap
from ._users_classes import put_method


def refusing(original: Callable, what: str, cure: str, lends: bool = False) -> Callable:
    """The function, for arguments that no tape tracks; ``lends``: it gets these as plain arrays."""

    @functools.wraps(original)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        refuse_tracked([args, kwargs], what, cure)
        if lends and recording():
            args, kwargs = tuple([lent(a) for a in args]), {name: lent(value) for name, value in kwargs.items()}
        return original(*args, **kwargs)

    return guarded


# --- Arrays of other classes ---------------------------------------------------------------------------------------

_NO_MATRIX = "Use np.array in place of it, with @ for * and np.linalg.inv for .I."


# Classes whose arrays lend their memory: of what they hand out, what is new is traced and the rest takes no tracked data.
_HANDING_OUT: dict[str, tuple[str, ...]] = {
    "matrix": ("A", "A1", "view"),
    "memmap": ("__array_wrap__", "view"),
    "recarray": ("__getitem__", "__getattribute__", "view"),
}
_WRITTEN: dict[str, tuple[str, ...]] = {
    "matrix": ("__setitem__", "fill", "put"),
    "recarray": ("__setitem__", "__setattr__", "fill", "put"),
    "memmap": ("__setitem__", "fill", "put"),
}
# Of numpy.ma, which NumPy loads only where somebody asks for it.
_MASKED_HANDING_OUT = {"MaskedArray": ("filled", "compressed", "ravel", "view", "data", "_data")}
_MASKED_WRITTEN = {"MaskedArray": ("__setitem__", "put"), "core.MaskedIterator": ("__setitem__",)}


def _methods_of(module: types.ModuleType, table: dict[str, tuple[str, ...]]) -> list[tuple[type, str]]:
    return [(operator.attrgetter(kind)(module), name) for kind, names in table.items() for name in names]


def guarded_write(cls: type, name: str) -> Callable:
    return refusing(getattr(cls, name), f"traced data is written into a {cls.__name__}, which no tape follows", USE_PLAIN)


# Methods in which a class of the user's goes on to NumPy's own with plain arrays.
_PROTOCOLS = frozenset({"__array_ufunc__", "__array_function__", "__array_wrap__", "__array_finalize__", "__new__"})


def _goes_on(frame: types.FrameType) -> bool:
    callers = (frame, frame.f_back) if frame.f_code.co_name.startswith("<") else (frame,)  # a list in the method
    return any(caller is not None and caller.f_code.co_name in _PROTOCOLS for caller in callers)


def _handed_out(made: Any, frame: types.FrameType) -> Any:
    if type(made) is not ndarray or not recording() or not is_for_program(frame) or _goes_on(frame):
        return made
    return held(made) if isinstance(made.base, ndarray) or made.dtype.names is not None else adopt(made)


def _guarded_read(cls: type, name: str) -> Any:
    original: Any = getattr(cls, name)
    if isinstance(original, property):
        read: Any = original.fget
        return property(lambda self: _handed_out(read(self), sys._getframe(1)), original.fset)
    return _reading(original)


def _reading(original: Callable) -> Callable:
    @functools.wraps(original)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        return _handed_out(original(*args, **kwargs), sys._getframe(1))

    return guarded


def _guarded_operations(ma: types.ModuleType) -> dict[tuple[type, str], Any]:
    """The ufuncs of numpy.ma, which are objects."""
    kinds = {type(value) for value in list(vars(ma).values()) if callable(value)}
    kinds = {kind for kind in kinds if kind.__module__ == "numpy.ma.core"}
    return {
        (kind, name): refusing(vars(kind)[name], "numpy.ma makes an array that no tape follows", USE_PLAIN, lends=True)
        for ufuncs in kinds
        for kind in ufuncs.__mro__
        for name in ("__call__", "reduce", "outer", "accumulate")
        if kind.__module__ == "numpy.ma.core" and name in vars(kind)
    }


_FROM_ARCHIVE = np.lib.npyio.NpzFile.__getitem__


def _loaded(self: Any, key: str) -> Any:
    return of_plain_data(_FROM_ARCHIVE(self, key), (), sys._getframe(1)) if recording() else _FROM_ARCHIVE(self, key)


def guard_class(kind: type) -> None:
    """The same for a class of the user's, as long as a tape records."""
    for name in ("__setitem__", "fill", "put"):
        put_method(kind, name, guarded_write)
    for name in WRITTEN_BY_NAME:
        put_method(kind, name, _written_by_name)
    put_method(kind, "view", _guarded_read)


def _written_by_name(cls: type, name: str) -> property:
    return written_by_name(cls, name, lambda: bool(recording()) and is_for_program(sys._getframe(2)))


def _guarded_methods(module: types.ModuleType, written: dict, handing_out: dict) -> dict[tuple[type, str], Any]:
    guarded: dict[tuple[type, str], Any] = {
        (cls, name): guarded_write(cls, name) for cls, name in _methods_of(module, written)
    }
    for kind in {cls for cls, _ in guarded if cls.__module__ != "numpy.ma" and "flat" not in vars(cls)}:
        if issubclass(kind, ndarray):
            guarded |= {(kind, name): _written_by_name(kind, name) for name in WRITTEN_BY_NAME}
    return guarded | {(cls, name): _guarded_read(cls, name) for cls, name in _methods_of(module, handing_out)}


def methods_in_place() -> dict[tuple[type, str], Any]:
    """(class, method) -> what stands for it."""
    matrix = refusing(np.matrix.__new__, "numpy.matrix makes an array that no tape follows", _NO_MATRIX)
    return {
        **_guarded_methods(np, _WRITTEN, _HANDING_OUT),
        (np.matrix, "__new__"): staticmethod(matrix),
        (np.finfo, "__new__"): staticmethod(_finfo),
        (np.lib.npyio.NpzFile, "__getitem__"): _loaded,
    }


def masked_in_place(ma: Any) -> dict[tuple[type, str], Any]:
    """The same of numpy.ma."""
    masked = refusing(ma.MaskedArray.__new__, "numpy.ma makes an array that no tape follows", USE_PLAIN, lends=True)
    made: dict[tuple[type, str], Any] = {(ma.MaskedArray, "__new__"): staticmethod(masked)}
    return {**_guarded_methods(ma, _MASKED_WRITTEN, _MASKED_HANDING_OUT), **made, **_guarded_operations(ma)}


_NUMPYS_FINFO = np.finfo.__new__


def _finfo(cls: type, dtype: Any) -> np.finfo:
    """Of the type of a number, which is all that it asks the number for."""
    return _NUMPYS_FINFO(cls, unwrap(dtype))


# --- numpy.ma and numpy.rec ----------------------------------------------------------------------------------------

# They look at the mask or the shape, or hand back what they were given.
_HARMLESS = {
    "filled", "getdata", "getmask", "getmaskarray", "is_mask", "is_masked", "isMA", "isMaskedArray", "isarray", "make_mask",
    "make_mask_descr", "ndim", "shape", "size", "default_fill_value", "common_fill_value", "maximum_fill_value",
    "minimum_fill_value", "allclose", "allequal", "count", "count_masked", "argmax", "argmin", "argsort", "nonzero",
}  # fmt: skip


def guarded_functions(module: types.ModuleType) -> dict[Callable, Callable]:
    """The functions of a module that makes arrays of another class."""
    handing_out = [vars(module)[name] for name in ("getdata", "filled") if name in vars(module)]  # those of numpy.ma
    return {function: _reading(function) for function in handing_out} | {
        value: refusing(value, f"{module.__name__}.{name} makes an array that no tape follows", USE_PLAIN, lends=True)
        for name, value in list(vars(module).items())
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


def _random() -> Any:
    """numpy.random, which is an attribute of NumPy's only once it is loaded altogether."""
    return sys.modules["numpy.random"]


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


def generator_classes() -> frozenset[type]:
    """NumPy's, also while ours stand for them; none before NumPy has loaded them."""
    return _generator_classes() if is_loaded("numpy.random") else frozenset()


@made_once
def _generator_classes() -> frozenset[type]:
    return frozenset(random_in_place()[name].__mro__[1] for name in ("Generator", "RandomState"))


def guarded_generator(generator: Any) -> Any:
    """A generator with the same state, now and later, that refuses tracked parameters."""
    if isinstance(generator, _random().RandomState):
        return _guarded_state()(generator)
    made = random_in_place()["Generator"](generator.bit_generator)
    vars(made)["guarded"] = generator
    return made


def generator_behind(value: Any) -> Any:
    """The generator for which `guarded_generator` has made one; None for anything else."""
    if not generator_classes():
        return None
    if type(value) is random_in_place()["Generator"]:
        return vars(value).get("guarded")
    return object.__getattribute__(value, "_state") if type(value) is _guarded_state() else None


def is_guarded_method(method: types.MethodType) -> bool:
    """Whether it is what stands for a method of a RandomState, which is bound to that itself."""
    kind = type(method.__self__)
    own = vars(kind).get(method.__name__) if kind in generator_classes() else None
    return own is not None and getattr(method.__func__, "__wrapped__", None) is own


@made_once
def _guarded_state() -> Any:
    """A RandomState has more of a state than its bits, and so another one hands on what it is asked for."""
    guarded = random_in_place()["RandomState"]

    def asked(self: Any, name: str) -> Any:
        state = object.__getattribute__(self, "_state")
        return types.MethodType(vars(guarded)[name], state) if name in _SMOOTH else getattr(state, name)

    def init(self: Any, state: Any) -> None:
        object.__setattr__(self, "_state", state)

    return type(guarded)("RandomState", (guarded,), {"__init__": init, "__getattribute__": asked})


@made_once
def random_in_place() -> dict[str, Any]:
    """What stands for names of numpy.random while a tape records."""
    random = _random()
    numpys_default_rng = random.default_rng

    @functools.wraps(numpys_default_rng)
    def default_rng(seed: Any = None) -> Any:
        made = numpys_default_rng(seed)
        return made if made is seed else guarded_generator(made)

    return {
        **{name: _guarded_sample(getattr(random, name), name) for name in _SMOOTH if hasattr(random, name)},
        "default_rng": default_rng,
        "Generator": _guarded_class(random.Generator),
        "RandomState": _guarded_class(random.RandomState),
    }
