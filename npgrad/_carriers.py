"""Python's own objects that hold what users put there: in their attributes, or unseen, as iterators and caches do.

What they hold can mostly be replaced for the length of a call. Where it cannot (in the frame of a generator), arrays are
read-only for that time: a write raises, in place of going past all tapes.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import operator
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from numpy import ndarray

from ._bare_looks import filled_slots, has_names, is_a, names_of
from ._leaks import LeakError
from ._mentions import is_iterator
from ._tracebacks import users_place

# Classes whose objects have what users put there among their attributes; by name, as most of these modules are not loaded.
_CARRIERS = frozenset({
    "types.SimpleNamespace", "argparse.Namespace", "collections.UserDict", "collections.UserList", "collections.ChainMap",
    "_thread._local", "functools.partialmethod", "contextlib.nullcontext", "contextlib.ExitStack", "queue.Queue",
    "queue.LifoQueue", "queue.PriorityQueue", "weakref.WeakKeyDictionary", "weakref.WeakValueDictionary",
    "_weakrefset.WeakSet", "numpy.vectorize",
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
    return _name(kind) in _CARRIERS


def hidden_in(value: Any) -> list:
    """What an object of Python's holds that none of its attributes shows."""
    if is_a(value, weakref.ref):
        return [value()]
    if not is_iterator(type(value)) and _name(type(value)) not in _HIDING:
        return []
    found: list = []
    todo = gc.get_referents(value)
    while todo:  # a tuple shows what it holds, but that cannot be replaced there
        held = todo.pop()
        (todo if type(held) is tuple else found).extend(held if type(held) is tuple else [held])
    return found


def tuple_of(value: Any, form: Callable[[Any], Any]) -> Any:
    """A tuple of what stands for its items, of the same class; the same one if nothing does."""
    before = list(tuple.__iter__(value))
    items = [form(item) for item in before]
    if all(map(operator.is_, items, before)):
        return value
    try:
        return _with_names_of(value, tuple.__new__(type(value), items))
    except TypeError:  # a class of C's, as `os.stat_result`
        return type(value)(items)


def partial_of(value: Any, form: Callable[[Any], Any]) -> Any:
    """The same for a partial function."""
    before = [value.func, *value.args, *value.keywords.values()]
    after = [form(part) for part in before]
    if all(map(operator.is_, after, before)):
        return value
    function, *parts = after
    count = len(value.args)
    keywords = dict(zip(value.keywords, parts[count:], strict=True))
    return _with_names_of(value, functools.partial.__new__(type(value), function, *parts[:count], **keywords))


def method_of(value: types.MethodType, form: Callable[[Any], Any]) -> types.MethodType:
    """The same for a method of an object for which another one stands."""
    before = value.__self__
    after = form(before)
    return value if after is before else types.MethodType(value.__func__, after)


def _with_names_of(value: Any, made: Any) -> Any:
    """What stands for a value with its attributes: what a program sets on the one, the other has."""
    if has_names(value):
        object.__setattr__(made, "__dict__", names_of(value))
    return made


CACHED = type(functools.lru_cache(len))


def with_results(cached: Any, form: Callable[[Any], Any]) -> Callable:
    """A function with `functools.lru_cache`, with what stands for the results that it has kept."""

    @functools.wraps(cached)
    def called(*args: Any, **kwargs: Any) -> Any:
        return form(cached(*args, **kwargs))

    for name in ("cache_info", "cache_clear", "cache_parameters"):
        setattr(called, name, getattr(cached, name))
    return called


def owner_of(array: ndarray) -> Any:
    """The array at whose memory another one looks, also where NumPy has an object between them."""
    owner = array.base
    while owner is not None and type(owner) is not ndarray:
        owner = getattr(owner, "base", getattr(owner, "obj", None))
    return owner


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
        elif isinstance(value, types.FunctionType) and (type(before) is staticmethod or not hasattr(before, "__get__")):
            value = staticmethod(value)
        type.__setattr__(self._kind, name, value)  # not what a metaclass of the user's does


def parts_of(value: Any) -> list:
    """What an object consists of."""
    return [names_of(value), type(value), *[part for _, part in filled_slots(value)]]


_STILL = (
    "{place}: an array is written that is held where npgrad cannot follow it, by an iterator or a generator. Keep it in a "
    "variable, a list or an attribute, or make it while the tape records."
)


@contextlib.contextmanager
def still(arrays: list[ndarray]) -> Iterator[None]:
    """Let nobody write into these arrays."""
    arrays = sorted([array for array in arrays if array.flags.writeable], key=lambda array: array.base is None)
    for array in arrays:
        array.flags.writeable = False
    try:
        yield
    except ValueError as error:
        if arrays and "read-only" in str(error):
            raise LeakError(_STILL.format(place=users_place(error))) from error
        raise
    finally:
        for array in reversed(arrays):  # what owns its memory first
            array.flags.writeable = True
