"""NumPy's own Python code, run on traced arrays.

Many NumPy functions are Python programs that would decompose into recorded calls, were it not for an ``asarray`` or an
``empty`` inside, which drop the subclass. A *twin* of such a function is the same code with the same values bit for bit,
in a copy of its module's namespace where the names of NumPy's creators stand for our traced ones.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from ._compat import calling_first_argument, implementation_of
from ._creators import TRACED_CREATORS
from ._traced import TracedArray

# Marks the namespace of a twin: names in place act for it although its module is NumPy's.
TWIN_PREFIX = "npgrad-twin-of-"


def _traced_form(value: Any) -> Any:
    """What stands for an object of NumPy in a twin: itself, unless it is a creator."""
    try:
        return TRACED_CREATORS.get(value) or FORMS.get(value, value)
    except TypeError:  # not hashable
        return value


def _is_numpys(value: Any) -> bool:
    """Whether this is Python code of NumPy; among the functions of its modules are also names in place, which are ours."""
    return isinstance(value, types.FunctionType) and value.__globals__["__name__"].startswith("numpy.")


def _written_in_python(function: Callable) -> types.FunctionType:
    implementation = implementation_of(function)
    assert implementation is not None, f"{function} is not written in Python"
    return implementation


_asarray = TRACED_CREATORS[np.asarray]


def _makearray(a: Any) -> tuple[Any, Callable]:
    """numpy.linalg's way to give results the class of its first argument, which may be plain where another is traced."""
    return _asarray(a), lambda result: result


_call_first = calling_first_argument()


def _wrapfunc(obj: Any, method: str, *args: Any, **kwargs: Any) -> Any:
    """A method of a NumPy scalar makes a plain scalar of what it gives, also where another argument is traced; that of the
    array of it does not."""
    call = twin(_call_first)
    if not issubclass(type(obj), np.generic):  # elements of traced arrays say that they are scalars
        return call(obj, method, *args, **kwargs)
    made = call(np.asarray(obj), method, *args, **kwargs)
    return made if kwargs.get("out") is None or made.ndim else made[()]


# What else stands for an object of NumPy in twins.
FORMS: dict[Any, Callable] = {
    vars(sys.modules["numpy.linalg._linalg"])["_makearray"]: _makearray,
    _call_first: _wrapfunc,
}


# Modules whose code must see that an element of an array is no array (np.piecewise). Elsewhere it must not: what is no array
# becomes a NumPy scalar there (``ret.dtype.type(ret / n)``), which no tape can follow.
_TELL_ELEMENTS_APART = {_written_in_python(np.piecewise).__globals__["__name__"]}


def _isinstance(value: Any, kind: Any) -> bool:
    """To such code an element of a traced array is the NumPy scalar behind it."""
    is_element = issubclass(type(value), TracedArray) and isinstance(value._bare, np.generic)
    return isinstance(value._bare if is_element else value, kind)


class _TwinUfunc:
    """A ufunc as a twin sees it. ``out=...`` asks for an array where there would be a scalar; NumPy does not show it to
    ``__array_ufunc__``."""

    def __init__(self, ufunc: np.ufunc) -> None:
        self._ufunc = ufunc

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("out") is not ...:
            return self._ufunc(*args, **kwargs)
        del kwargs["out"]
        return _asarray(self._ufunc(*args, **kwargs))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ufunc, name)


def _as_twin_sees(value: Any) -> Any:
    if isinstance(value, np.ufunc):
        return _TwinUfunc(value)
    return _traced_form(value)


class _TwinModule:
    """A module of NumPy as a twin sees it: ``_nx.array`` is the traced creator, ``fnb._ureduce`` a twin."""

    def __init__(self, module: types.ModuleType) -> None:
        self._module = module
        # What a name was bound to when it was last asked for, and what stands for that.
        self._seen: dict[str, tuple[Any, Any]] = {}

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._module, name)
        seen = self._seen.get(name)
        if seen is None or seen[0] is not value:
            traced = _as_twin_sees(value)
            seen = self._seen[name] = value, twin(value) if traced is value and _is_numpys(value) else traced
        return seen[1]


@functools.cache
def _twin_namespace(module: str) -> dict[str, Any]:
    original = sys.modules[module].__dict__
    namespace = dict(original)
    namespace["__name__"] = TWIN_PREFIX + module
    if module in _TELL_ELEMENTS_APART:
        namespace["isinstance"] = _isinstance
    for name, value in original.items():
        replacement = _as_twin_sees(value)
        if replacement is not value:
            namespace[name] = replacement
        elif isinstance(value, types.ModuleType) and value.__name__.startswith("numpy"):
            namespace[name] = _TwinModule(value)
        elif isinstance(value, types.FunctionType) and value.__globals__ is original:
            namespace[name] = _rebind(value, namespace)
    return namespace


def _rebind(function: types.FunctionType, namespace: dict[str, Any]) -> types.FunctionType:
    copy = types.FunctionType(
        function.__code__, namespace, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


@functools.cache
def twin(function: Callable) -> Callable:
    """The twin of a NumPy function that is written in Python."""
    implementation = _written_in_python(function)
    return _rebind(implementation, _twin_namespace(implementation.__globals__["__name__"]))
