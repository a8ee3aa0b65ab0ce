"""What a function's code names: the globals through which it may reach arrays, other functions and modules.

Most functions name all that they use of their module. Where one may reach more, by a name that it computes or through an
object that hides functions, all of the module counts as named.
"""

from __future__ import annotations

import functools
import sys
import types
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np

from ._bare_looks import is_a, names_of, table_of
from ._objects import is_of_objects

# Names in code that looks other names up, in its own module or in frames; and in objects, which may be modules.
_IN_MODULE = frozenset({
    "globals", "eval", "exec", "compile", "__import__", "import_module", "modules", "__globals__", "f_globals", "f_locals",
    "_getframe", "currentframe", "__subclasses__", "get_objects", "get_referrers", "get_referents",
})  # fmt: skip
_IN_OBJECTS = frozenset({"getattr", "attrgetter", "vars", "__dict__"})

_FUNCTIONS = (types.FunctionType, types.MethodType, functools.partial)
# Libraries whose objects hide no function of the user, or have it among their attributes: see `held_functions`.
_OPEN = frozenset([*sys.stdlib_module_names, "numpy", "npgrad", "scipy", "matplotlib"])
_HIDING = (types.GeneratorType, types.CoroutineType, types.MappingProxyType, weakref.ref, weakref.WeakMethod)


@functools.lru_cache(maxsize=1024)
def names_in(code: types.CodeType) -> frozenset[str]:
    """The names that code uses: globals, attributes, modules; with the code inside of it."""
    inner = [names_in(constant) for constant in code.co_consts if type(constant) is types.CodeType]
    return frozenset(code.co_names).union(*inner)


def looks_up(names: frozenset[str]) -> bool:
    """Whether code with these names may reach more of its module than it names."""
    return not _IN_MODULE.isdisjoint(names)


def looks_into(names: frozenset[str]) -> bool:
    """Whether code with these names may reach more than it names of modules that it has."""
    return not _IN_OBJECTS.isdisjoint(names)


def is_opaque(value: Any) -> bool:
    """Whether an object may call a function of the user that nobody can see."""
    kind = type(value)
    if kind is np.ufunc:
        return is_of_objects(value)
    if issubclass(kind, type) or kind in (np.ndarray, types.BuiltinFunctionType):
        return False
    if kind in _HIDING or is_iterator(kind):
        return True
    return kind.__module__.partition(".")[0] not in _OPEN


def is_iterator(kind: type) -> bool:
    """Whether a class is one of Python's iterators."""
    return kind.__module__ in ("builtins", "itertools") and hasattr(kind, "__next__")


def held_functions(value: Any) -> Iterator[Any]:
    """The functions in an object of a library, or behind one of its functions."""
    if type(value) is types.FunctionType:
        parts = [part for cell in value.__closure__ or () for part in contents_of(cell)]
    else:
        parts = list(names_of(value).values())
    for part in parts:
        if is_a(part, _FUNCTIONS):
            yield part
        else:
            table = table_of(part)
            bases = [base for base in (tuple, set, frozenset) if is_a(part, base)]  # by Python's own way, as a table
            items = table.values() if table is not None else bases[0].__iter__(part) if bases else ()
            yield from [item for item in items if is_a(item, _FUNCTIONS)]


def contents_of(cell: types.CellType) -> list:
    try:
        return [cell.cell_contents]
    except ValueError:  # still empty
        return []


class Named:
    """What has been named of a module."""

    def __init__(self, names: dict) -> None:
        self.names = names
        self.mentioned: frozenset[str] = frozenset()
        # What those that there are stood for before they were swapped.
        self.before: dict[str, Any] = {}
        self.is_whole = False

    def now(self) -> list:
        return [self.names[name] for name in self.before]

    def absent(self) -> frozenset[str]:
        """Names that may come."""
        return frozenset() if self.is_whole else self.mentioned.difference(self.before)
