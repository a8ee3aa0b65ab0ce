"""Python's own objects that hold what users put there: in their attributes, or unseen, as iterators and caches do.

What they hold can mostly be replaced for the length of a call. Where it cannot (in the frame of a generator), arrays are
read-only for that time: a write raises, in place of going past all tapes.
"""

from __future__ import annotations

import collections
import contextlib
import contextvars
import functools
import gc
import itertools
import operator
import types
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy import ndarray

from ._bare_looks import filled_slots, has_names, is_a, names_of
from ._leaks import LeakError
from ._mentions import contents_of, is_iterator
from ._objects import is_of_objects
from ._tracebacks import users_place
from ._traced import unwrap

# Classes whose objects have what users put there among their attributes; by name, as most of these modules are not loaded.
_CARRIERS = frozenset({
    "types.SimpleNamespace", "argparse.Namespace", "collections.UserDict", "collections.UserList", "collections.ChainMap",
    "_thread._local", "functools.partialmethod", "contextlib.nullcontext", "contextlib.ExitStack", "queue.Queue",
    "queue.LifoQueue", "queue.PriorityQueue", "weakref.WeakKeyDictionary", "weakref.WeakValueDictionary",
    "_weakrefset.WeakSet", "numpy.vectorize", "collections.OrderedDict", "collections.Counter", "optparse.Values",
    "numpy.poly1d", "numpy.polynomial.polynomial.Polynomial",
    "numpy.polynomial.chebyshev.Chebyshev", "numpy.polynomial.legendre.Legendre", "numpy.polynomial.laguerre.Laguerre",
    "numpy.polynomial.hermite.Hermite", "numpy.polynomial.hermite_e.HermiteE",
})  # fmt: skip
# And those whose objects have it where Python's collector of garbage alone finds it.
_HIDING = frozenset({
    "builtins.mappingproxy", "builtins.generator", "builtins.coroutine", "builtins.async_generator", "builtins.cell",
    "builtins.method-wrapper", "builtins.builtin_function_or_method", "builtins.dict_keys", "builtins.dict_values",
    "builtins.dict_items", "_queue.SimpleQueue",
})  # fmt: skip


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def carries(kind: type) -> bool:
    """Whether attributes of a class's objects hold what users put there, though the class is not theirs."""
    return _name(kind) in _CARRIERS or issubclass(kind, (collections.defaultdict, BaseException))


# What objects of Python's own classes hold that is looked at as it is; so do those of classes derived from these.
_SHOWN: dict[type, Callable[[Any], Iterable]] = {
    set: set.__iter__,
    frozenset: frozenset.__iter__,
    staticmethod: lambda value: [vars(staticmethod)["__func__"].__get__(value)],
    classmethod: lambda value: [vars(classmethod)["__func__"].__get__(value)],
    property: lambda value: [vars(property)[name].__get__(value) for name in ("fget", "fset", "fdel")],
}


def shown_by(value: Any, most: int | None = None) -> list:
    """What an object of such a class holds."""
    kind = type(value)
    for base, show in _SHOWN.items():
        if issubclass(kind, base):
            return list(itertools.islice(show(value), most))
    return []


def hidden_in(value: Any) -> list:
    """What an object of Python's holds that none of its attributes shows."""
    if is_a(value, weakref.ref):
        return [value()]
    if not is_iterator(type(value)) and _name(type(value)) not in _HIDING:
        return []
    return _flat(gc.get_referents(value))


def _flat(values: Iterable) -> list:
    """Values, and in place of tuples what these hold."""
    found: list = []
    for value in values:
        found += _flat(value) if type(value) is tuple else [value]
    return found


def _tuple_of(value: Any, form: Callable[[Any], Any]) -> Any:
    before = list(tuple.__iter__(value))
    items = [form(item) for item in before]
    if all(map(operator.is_, items, before)):
        return value
    try:
        return _with_names_of(value, tuple.__new__(type(value), items))
    except TypeError:  # a class of C's, as `os.stat_result`
        return type(value)(items)


def _partial_of(value: Any, form: Callable[[Any], Any]) -> Any:
    before = [value.func, *value.args, *value.keywords.values()]
    after = [form(part) for part in before]
    if all(map(operator.is_, after, before)):
        return value
    function, *parts = after
    count = len(value.args)
    keywords = dict(zip(value.keywords, parts[count:], strict=True))
    return _with_names_of(value, functools.partial.__new__(type(value), function, *parts[:count], **keywords))


def _frozenset_of(value: Any, form: Callable[[Any], Any]) -> Any:
    before = list(frozenset.__iter__(value))
    items = [form(item) for item in before]
    if all(map(operator.is_, items, before)):
        return value
    return _with_names_of(value, frozenset.__new__(type(value), items))


def _method_of(value: types.MethodType, form: Callable[[Any], Any]) -> types.MethodType:
    before = value.__func__, value.__self__
    after = form(before[0]), form(before[1])
    return value if all(map(operator.is_, after, before)) else types.MethodType(*after)


def _builtin_method_of(value: Any, form: Callable[[Any], Any]) -> Any:
    """What a kept ``array.copy`` copies is what stands for the array."""
    after = form(value.__self__)
    return value if after is value.__self__ else getattr(after, value.__name__)


def _ufunc_of(value: np.ufunc, form: Callable[[Any], Any]) -> np.ufunc:
    """What calls the form of the function that a ufunc of np.frompyfunc calls."""
    if not is_of_objects(value):
        return value
    (before,) = [part for part in gc.get_referents(value) if type(part) is not dict]
    after = form(before)
    identity = {} if value.identity is None else {"identity": value.identity}
    return value if after is before else np.frompyfunc(after, value.nin, value.nout, **identity)


def _with_names_of(value: Any, made: Any) -> Any:
    """What stands for a value with its attributes: what a program sets on the one, the other has."""
    if has_names(value):
        object.__setattr__(made, "__dict__", names_of(value))
    return made


_REMADE: dict[type, Callable[[Any, Callable[[Any], Any]], Any]] = {
    tuple: _tuple_of,
    frozenset: _frozenset_of,
    functools.partial: _partial_of,
    types.MethodType: _method_of,
    types.BuiltinMethodType: _builtin_method_of,
    types.MethodWrapperType: _builtin_method_of,
    np.ufunc: _ufunc_of,
}


def remaking(kind: Any) -> Callable[[Any, Callable[[Any], Any]], Any] | None:
    """What makes, of an object for good and of what stands for its parts, what stands for it: the object itself if nothing
    does; None for classes whose objects can be changed."""
    for base, make in _REMADE.items():
        if issubclass(kind, base):
            return make
    return None


def iterator_of(value: Any, form: Callable[[Any], Any], form_now: Callable[[Any], Any]) -> Any:
    """An iterator that goes on where another one is, with what stands for what comes; the same one if nothing that it holds
    has a form, and where code of the user's is between: a generator, or what `itertools.accumulate` calls."""
    kind: Any = type(value)
    if not is_iterator(kind) or kind in _RUNNING or all(map(operator.is_, map(form, held := hidden_in(value)), held)):
        return value
    if kind is map or kind is itertools.starmap:
        # Since Python 3.13 an iterator refers to its class, too.
        *iterators, function = [held for held in _flat(gc.get_referents(value)) if held is not kind]
        return kind(form(function), *map(form, iterators))
    return map(form_now, value)


_RUNNING = {types.GeneratorType, itertools.accumulate}


# What makes methods and the like of functions, and holds nothing else.
_WRAPPING = {staticmethod, classmethod, property}


def given_back(value: Any, form: Callable[[Any], Any]) -> Any:
    """An iterator of Python's that goes on where another one is, or what makes a method of a function, of the same class,
    with ``form`` of what it holds for good; the same one if that is the same."""
    kind: Any = type(value)
    if kind in _WRAPPING:
        parts = list(map(form, before := shown_by(value)))
        text = [value.__doc__] if kind is property else []
        return value if all(map(operator.is_, parts, before)) else kind(*parts, *text)
    if kind is itertools.repeat:
        (before,) = [held for held in gc.get_referents(value) if held is not kind]
        after = form(before)
        try:
            return value if after is before else kind(after, value.__length_hint__())
        except TypeError:  # it never ends
            return kind(after)
    make, arguments, *state = value.__reduce__()
    parts = [form(part) for part in arguments]
    if all(map(operator.is_, parts, arguments)):
        return value
    made = make(*parts)
    for one in state:
        made.__setstate__(one)
    return made


def can_be_given_back(kind: Any) -> bool:
    """Whether `given_back` knows a class: Python's own iterators say what they are made of."""
    if kind in _WRAPPING or kind is itertools.repeat:
        return True
    return kind.__module__ == "builtins" and is_iterator(kind) and kind not in _RUNNING


def reference_to(value: Any, form: Callable[[Any], Any], called: Any = None) -> weakref.ref:
    """A weak reference to what stands for the array that another one refers to; ``called`` is told when that is gone."""
    before = value()
    after = form(before)
    if after is before or not is_a(after, ndarray):
        return value
    return weakref.ref(after, called) if type(value) is weakref.ref else weakref.KeyedRef(after, called, value.key)


# What refers to an object without keeping it alive, and can be made anew.
REFERENCES = {weakref.ref, weakref.KeyedRef}


CACHED = type(functools.lru_cache(len))


def results_of(cached: Any) -> dict | None:
    """The table of the results that `functools.lru_cache` keeps, if it keeps all; else nothing can be replaced in it."""
    if cached.cache_parameters()["maxsize"] is not None:
        return None
    own = names_of(cached)
    return next((held for held in gc.get_referents(cached) if type(held) is dict and held is not own), None)


def cached_anew(cached: Any, function: Callable) -> Callable:
    """Another function with the results of one that keeps all; the same one if it keeps but a few."""
    results = results_of(cached)
    if results is None:
        return cached
    made = functools.lru_cache(**cached.cache_parameters())(function)
    held = results_of(made)
    assert held is not None
    held.update(results)
    return made


def with_results(cached: Any, form: Callable[[Any], Any]) -> Callable:
    """A function with `functools.lru_cache`, with what stands for the results that it has kept."""

    @functools.wraps(cached)
    def called(*args: Any, **kwargs: Any) -> Any:
        return form(cached(*args, **kwargs))

    for name in ("cache_info", "cache_clear", "cache_parameters"):
        setattr(called, name, getattr(cached, name))
    return called


# Objects say whose memory they look at as they like: Cython's name each other, and others might be made at each question.
_LONGEST_CHAIN = 64


def behind(array: ndarray) -> Iterator[Any]:
    """The objects at whose memory an array looks, each through the one before."""
    met: list = [array]
    one = array.base
    while one is not None and len(met) <= _LONGEST_CHAIN and not any(one is other for other in met):
        yield one
        met.append(one)
        try:
            one = getattr(one, "base", None) if hasattr(one, "base") else getattr(one, "obj", None)
        except Exception:  # a released memoryview, or what code of another library does
            return


def owner_of(array: ndarray) -> Any:
    """The array at whose memory another one looks, also where NumPy has an object between them."""
    return next((one for one in behind(array) if type(one) is ndarray), None)


def _function_of(attribute: Any) -> Any:
    return attribute.__func__ if type(attribute) is staticmethod else attribute


class Attributes:
    """The attributes of a class, with the functions of its static methods."""

    def __init__(self, kind: type) -> None:
        self._kind = kind
        self._before = dict(vars(kind))
        self.items = [(name, _function_of(value)) for name, value in self._before.items()]

    def get(self, name: str) -> Any:
        return _function_of(vars(self._kind)[name])

    def put(self, name: str, value: Any) -> None:
        """What stands for a function is a method where that itself is one, and nowhere else: ``make = np.zeros`` is none."""
        before = self._before[name]
        if value is _function_of(before):
            value = before
        elif type(before) is staticmethod and callable(value):
            value = staticmethod(value)  # one of NumPy's functions, too, may be a method of a class that has it
        elif isinstance(value, types.FunctionType) and not hasattr(before, "__get__"):
            value = staticmethod(value)
        type.__setattr__(self._kind, name, value)  # not what a metaclass of the user's does


def values_of(variable: contextvars.ContextVar) -> list:
    """The value of a context variable, if it has one."""
    with contextlib.suppress(LookupError):
        return [variable.get()]
    return []


def parts_of_function(function: types.FunctionType) -> list:
    """What a function has besides its module's names."""
    own: list = [function.__code__, function.__defaults__, function.__kwdefaults__, getattr(function, "__wrapped__", None)]
    own += function.__dict__.values()
    for cell in function.__closure__ or ():
        own += contents_of(cell)
    return own


def parts_of(value: Any) -> list:
    """What an object consists of."""
    return [names_of(value), type(value), *[part for _, part in filled_slots(value)]]


_STILL = (
    "{place}: an array is written that is held where npgrad cannot follow it, by an iterator or a generator. Keep it in a "
    "variable, a list or an attribute, or make it while the tape records."
)


def _may_write(error: BaseException, arrays: list[ndarray]) -> bool:
    """Whether code that wrote into an array that is read-only had one of these, and not only others of the program's."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return True
    frame = trace.tb_frame
    held = [*frame.f_locals.values(), *[frame.f_globals.get(name) for name in frame.f_code.co_names]]
    held += [part for value in held for part in names_of(value).values()]
    found = [unwrap(value) for value in held if is_a(value, ndarray)]
    found = [array for array in found if is_a(array, ndarray) and not array.flags.writeable]
    return not found or any(np.may_share_memory(one, array) for one in found for array in arrays)


@contextlib.contextmanager
def still(arrays: list[ndarray]) -> Iterator[None]:
    """Let nobody write into these arrays."""
    arrays = sorted([array for array in arrays if array.flags.writeable], key=lambda array: array.base is None)
    for array in arrays:
        array.flags.writeable = False
    try:
        yield
    except ValueError as error:
        if arrays and "read-only" in str(error) and _may_write(error, arrays):
            raise LeakError(_STILL.format(place=users_place(error))) from error
        raise
    finally:
        for array in reversed(arrays):  # what owns its memory first
            array.flags.writeable = True
