"""Doors to SciPy's functions with rules, and to its compiled code that no creator of NumPy's stands before: its solvers,
which read what the user's functions return, and the functions of BLAS and LAPACK.

While a tape records, the modules of `_MODULES` hand out forms of their functions that see what goes in, and so do the names
that a user's module has bound for these functions. A form acts only where a tape records.
"""

from __future__ import annotations

import copy
import functools
import sys
import types
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

from ._constants import plain_copy
from ._dispatch import tracking
from ._doors import Door, door
from ._following import ANSWERING, FOLLOWED_METHODS
from ._libraries import NONE_LOADED, declare_loaded, modules_state
from ._made_once import made_once
from ._mentions import is_opaque
from ._record import Record, recording
from ._scipy import called_from, following, is_followed_by_name, refuse_compiled
from ._scipy_elements import (
    by_rows,
    getting,
    in_coordinates,
    keeping_zeros,
    of_dict,
    of_rows,
    setting_in_dict,
    setting_in_rows,
    setting_several,
)
from ._scipy_forms import following_form, is_heard, recorded_by
from ._scipy_held import leaves_of
from ._structure import map_structure
from ._surroundings import arrays_around
from ._traced import TracedArray, traced_leaves
from ._ufunc_forms import ufunc_form

# Their functions call the user's; the last is where one of them looks for others.
_CALLING = ("scipy.optimize", "scipy.integrate", "scipy.differentiate", "scipy.optimize._zeros_py")
# They hold compiled functions, or find them.
_COMPILED = ("scipy.linalg", "scipy.linalg.blas", "scipy.linalg.lapack", "scipy.signal")
# Its functions read the arrays of sparse matrices.
_OF_GRAPHS, _CALLED = "scipy.sparse.csgraph.", ("cython_function_or_method", "function")
# Some of their functions have rules.
_FOLLOWED = (
    "scipy.linalg", "scipy.sparse.linalg", "scipy.fft", "scipy.interpolate", "scipy.signal", "scipy.ndimage",
    "scipy.spatial.distance", "scipy.stats", "scipy.sparse._sparsetools",
    "scipy.sparse.csgraph",
)  # fmt: skip
_UFUNCS = ("scipy.special",)
_MODULES = tuple(dict.fromkeys((*_CALLING, *_COMPILED, *_FOLLOWED, *_UFUNCS)))
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType)
_FINDERS = {"get_blas_funcs", "get_lapack_funcs"}
_RETURNED = "what a function returns to it, which is traced,"

# The tapes that have lost what the user's functions returned to the call that goes on, which raises when it ends: in the
# middle of it, compiled code may go on after an exception.
_lost: ContextVar[list[Record] | None] = ContextVar("npgrad_lost", default=None)


def form_of(value: Any) -> Callable | None:
    """What stands for a function of SciPy's, a ufunc, or a function of the user's compiled by f2py; None for others."""
    if type(value) is np.ufunc and not is_opaque(value):
        return ufunc_form(value)
    if (form := following_form(value)) is not None:
        return form
    kind = type(value).__name__
    if kind == "fortran" or (kind in _CALLED and str(value.__module__).startswith(_OF_GRAPHS)):
        return _refusing(value)
    if type(value) not in _FUNCTIONS or not (value.__module__ or "").startswith("scipy."):
        return None
    door = ".".join(value.__module__.split(".")[:2])
    if type(value) is types.BuiltinFunctionType:
        return _refusing(value) if door in _COMPILED else None
    if value.__name__ in _FINDERS:
        return _finding(value)
    if door in _CALLING and not value.__name__.startswith("_"):
        return _calling(value, f"{door}.{value.__name__}")
    return None


class _Compiled:
    """A compiled function that refuses traced data."""

    def __init__(self, function: Any) -> None:
        self._function = self.__wrapped__ = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        records = tracking(leaves_of([*args, *kwargs.values()])) if recording() else ()
        if records:
            name = getattr(self._function, "__name__", "function made by f2py").removeprefix("function ")
            refuse_compiled(records, f"the compiled {name}")
        return self._function(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)


_refusing = made_once(_Compiled)


@made_once
def _finding(function: Callable) -> Callable:
    """The form of a function that gives compiled functions."""

    @functools.wraps(function)
    def in_place(*args: Any, **kwargs: Any) -> Any:
        found = function(*args, **kwargs)
        return map_structure(_refusing, found) if recording() else found

    return in_place


def _steps_in_python(
    fun: Any = None, t_span: Any = None, y0: Any = None, method: Any = "RK45", *_: Any, **options: Any
) -> bool:
    """Whether the method of ``solve_ivp`` does nothing but call NumPy and the user's functions. LSODA is compiled, Radau
    multiplies with arrays of its module, and sparse matrices, which ``jac`` may return, are not followed."""
    name = getattr(method, "__name__", method)
    if name == "BDF":
        return options.get("jac") is None and options.get("jac_sparsity") is None
    return name in ("RK23", "RK45", "DOP853")


def _all_around(values: list) -> list[TracedArray]:
    """The traced arrays among arguments, and those that functions among them refer to."""
    found = traced_leaves(values)
    for value in values:
        if _is_function(value):
            found += arrays_around(value)
    return found


# Functions that are followed where tracked data comes in, and their arguments lead through Python code only: with what tells
# this of a call.
_PARTLY_FOLLOWED: dict[str, Callable[..., bool]] = {"scipy.integrate.solve_ivp": _steps_in_python}


@made_once
def _calling(function: Callable, name: str) -> Callable:
    """The form of a function that calls the user's: those are heard."""
    if is_followed_by_name(name):
        return function

    in_python = _PARTLY_FOLLOWED.get(name)

    @functools.wraps(function)
    def in_place(*args: Any, **kwargs: Any) -> Any:
        if name in ANSWERING and recording() and is_heard(sys._getframe(1)):
            return ANSWERING[name](function, args, kwargs)
        if recording() and in_python is not None:
            followed = in_python(*args, **kwargs) and bool(tracking(_all_around([*args, *kwargs.values()])))
            with following(name, followed):
                return function(*args, **kwargs) if followed else listening(*args, **kwargs)
        return listening(*args, **kwargs)

    def listening(*args: Any, **kwargs: Any) -> Any:
        if not recording() or _lost.get() is not None:
            return function(*args, **kwargs)
        lost: list[Record] = []
        heard = [_heard(arg, name) for arg in args], {key: _heard(arg, name) for key, arg in kwargs.items()}
        calls = any(a is not b for a, b in zip([*args, *kwargs.values()], [*heard[0], *heard[1].values()], strict=True))
        if calls and (records := tracking(traced_leaves([args, kwargs]))):
            refuse_compiled(records, name)
        outer = _lost.set(lost)
        try:
            result = function(*heard[0], **heard[1])
        finally:
            _lost.reset(outer)
        if lost:
            refuse_compiled(tuple(dict.fromkeys(lost)), name, _RETURNED)
        return result

    return in_place


def _heard(value: Any, name: str) -> Any:
    """An argument with the user's functions in it such that what they return is seen."""
    kind = type(value)
    if _is_function(value):
        return _Heard(value, name)
    if kind is list or kind is tuple:
        items = [_heard(item, name) for item in value]
        return value if all(a is b for a, b in zip(items, value, strict=True)) else kind(items)
    if kind is dict:
        return {key: _heard(item, name) for key, item in value.items()}
    if kind.__module__.startswith("scipy.optimize.") and isinstance(getattr(value, "__dict__", None), dict):
        functions = {key: _heard(item, name) for key, item in list(vars(value).items()) if _is_function(item)}
        if functions:
            value = copy.copy(value)
            vars(value).update(functions)
    return value


def _is_function(value: Any) -> bool:
    bases = type(value).__mro__
    return callable(value) and not isinstance(value, type) and not any(b.__module__.startswith("scipy.") for b in bases)


class _Heard:
    """A function of the user's, called by SciPy. Another process gets the function itself."""

    def __init__(self, function: Callable, name: str) -> None:
        self._function = function
        self._name = name
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        result = self._function(*args, **kwargs)
        leaves = traced_leaves(result)
        if records := tracking(leaves):
            lost = _lost.get()
            if lost is None:
                refuse_compiled(records, self._name, _RETURNED)
            else:
                lost += records
        return map_structure(plain_copy, result) if leaves else result

    def __reduce__(self) -> tuple:
        return functools.partial, (self._function,)


def _integrating(method: Callable) -> Callable:
    return _calling(method, "scipy.integrate.ode.integrate")


def _multiplying(method: Callable) -> Callable:
    """The form of a product of an operator, which the user may have made: SciPy's solvers store it into their buffers."""

    @functools.wraps(method)
    def in_place(operator: Any, x: Any) -> Any:
        result = method(operator, x)
        records = tracking(traced_leaves(result)) if recording() else ()
        frame = sys._getframe(1)
        caller = frame.f_globals.get("__name__") or ""
        if records and caller.startswith("scipy.") and caller != method.__module__:
            refuse_compiled(records, called_from(frame))
        return result

    return in_place


# Methods that get the user's functions, or call them: the module, the class, the method, and what makes its form.
_METHODS = (
    *(("scipy.integrate._ode", integrator, "run", _integrating) for integrator in ("vode", "dopri5", "lsoda")),
    ("scipy.integrate._ode", "complex_ode", "__init__", _integrating),
    *(
        ("scipy.sparse.linalg._interface", "LinearOperator", product, _multiplying)
        for product in ("matvec", "matmat", "rmatvec", "rmatmat")
    ),
    ("scipy.sparse._coo", "_coo_base", "eliminate_zeros", keeping_zeros),
    ("scipy.sparse._dia", "_dia_base", "tocoo", in_coordinates),
    ("scipy.sparse._lil", "_lil_base", "_get_intXint", getting),
    ("scipy.sparse._lil", "_lil_base", "_set_intXint", setting_in_rows),
    ("scipy.sparse._lil", "_lil_base", "_set_arrayXarray", setting_several),
    ("scipy.sparse._lil", "_lil_base", "tocsr", of_rows),
    ("scipy.sparse._lil", "_lil_base", "toarray", by_rows),
    ("scipy.sparse._dok", "_dok_base", "_set_intXint", setting_in_dict),
    ("scipy.sparse._dok", "_dok_base", "_set_arrayXarray", setting_several),
    ("scipy.sparse._dok", "_dok_base", "tocoo", of_dict),
)


class ScipyDoors:
    """The modules of SciPy that hand out forms while a tape records, and its methods that are heard from then on."""

    def __init__(self) -> None:
        self._known = NONE_LOADED
        self._doors: list[Door] = []
        # What SciPy has for a method, of which rules its form is, and the form.
        self._methods: dict[tuple[type, str], tuple[Callable, Any, Callable]] = {}

    def put(self, state: tuple) -> None:
        """``state`` is that of the modules."""
        if state != self._known:
            self._find()
        for module, kind in self._doors:
            module.__class__ = kind

    def take_away(self) -> None:
        for module, _ in self._doors:
            module.__class__ = types.ModuleType

    def _find(self) -> None:
        self.take_away()
        declare_loaded()
        known = modules_state()
        loaded = {name: sys.modules[name] for name in _MODULES if name in sys.modules}
        ready = [m for m in loaded.values() if not getattr(m.__spec__, "_initializing", False)]
        self._doors = []
        for module in ready:
            if type(module) is types.ModuleType:
                forms = {name: form_of(value) for name, value in list(vars(module).items())}
                self._doors.append(door(module, {name: form for name, form in forms.items() if form is not None}))
        makers: dict[tuple[type, str], tuple[Any, Callable]] = {}
        for home, class_name, name, make in _METHODS:
            kind = getattr(sys.modules.get(home), class_name, None)
            if kind is not None and name in vars(kind):
                makers[kind, name] = (), make
        for place, rules in FOLLOWED_METHODS.items():
            makers[place] = rules, lambda original, rules=rules: recorded_by(original, rules)
        for place, (rules, make) in makers.items():
            self._put_method(*place, rules, make)
        self._known = known if len(ready) == len(loaded) else NONE_LOADED

    def _put_method(self, kind: type, name: str, rules: Any, make: Callable) -> None:
        now = vars(kind)[name]
        original, before, form = self._methods.get((kind, name), (now, None, now))
        if now is not form:  # somebody has put another one there
            original, before = now, None
        if before != rules:
            form = make(original)
            self._methods[kind, name] = original, rules, form
            setattr(kind, name, form)


scipy_doors = ScipyDoors()
