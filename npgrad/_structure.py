"""Nested structures of arrays: list, tuple, namedtuple, dict, dataclass."""

from __future__ import annotations

import copy
import dataclasses
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

Path = tuple[Any, ...]

# What is compared of the fields that a dataclass makes itself.
_COMPARED = (ndarray, np.generic, bool, int, float, complex, str)

# Kinds of leaves that are known at once.
_LEAVES = frozenset([ndarray, float, int, bool, complex, str, type(None), np.float64])

_only = operator.itemgetter(0)


def _children(structure: Any) -> list[tuple[Any, Any]] | None:
    """The (key, item) pairs of one level of a structure, None for a leaf."""
    if isinstance(structure, ndarray) or type(structure) in _LEAVES:  # said at once; a traced one answers each question
        return None
    if isinstance(structure, (list, tuple)):
        return list(enumerate(structure))
    if isinstance(structure, dict):
        return list(structure.items())
    if dataclasses.is_dataclass(structure) and not isinstance(structure, type):
        return [(field.name, getattr(structure, field.name)) for field in dataclasses.fields(structure) if field.init]
    return None


def _rebuilt(structure: Any, items: list[tuple[Any, Any]]) -> Any:
    """One level of the same structure with other items."""
    if isinstance(structure, (list, tuple)):
        kind = type(structure)
        values = [value for _, value in items]
        return kind(*values) if hasattr(structure, "_fields") else kind(values)
    if isinstance(structure, dict):
        made = copy.copy(structure)
        made.update(items)
        return made
    _check_remade(structure)
    return dataclasses.replace(structure, **dict(items))


def _check_remade(structure: Any) -> None:
    """Raise if a dataclass made of the same fields would not be the same: it has been changed since it was made."""
    derived = [field.name for field in dataclasses.fields(structure) if not field.init and hasattr(structure, field.name)]
    if not derived:
        return
    remade = dataclasses.replace(structure)
    for name in derived:
        before, after = getattr(structure, name), getattr(remade, name, None)
        if isinstance(before, _COMPARED) and not _same(before, after):
            raise ValueError(
                f"{type(structure).__name__}.{name} is not what making the dataclass anew gives, which npgrad does for "
                "copies of it: make it a field that is given (init=True)"
            )


def _same(before: Any, after: Any) -> bool:
    if not isinstance(after, _COMPARED) or np.shape(before) != np.shape(after):
        return False
    return bool(np.all((before == after) | (before != before)))


def flatten(structure: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The leaves of a structure in order, and a function that builds the same structure from other leaves."""
    kind = type(structure)
    if (kind is tuple or kind is list) and _LEAVES.issuperset(map(type, structure)):
        return list(structure), kind
    children = _children(structure)
    if children is None:
        return [structure], _only
    parts = [(key, *flatten(item)) for key, item in children]
    leaves = [leaf for _, found, _ in parts for leaf in found]

    def build(new: list[Any]) -> Any:
        items, start = [], 0
        for key, found, rebuild in parts:
            items.append((key, rebuild(new[start : start + len(found)])))
            start += len(found)
        return _rebuilt(structure, items)

    return leaves, build


def leaf_paths(structure: Any, above: Path = ()) -> list[Path]:
    """Where each leaf lies: the keys, positions and field names on the way to it."""
    children = _children(structure)
    if children is None:
        return [above]
    return [path for key, item in children for path in leaf_paths(item, (*above, key))]


def path_text(path: Path) -> str:
    """A path for an error message, empty for a structure that is a single leaf."""
    return f" at {''.join([f'[{key!r}]' for key in path])}" if path else ""


def map_structure(function: Callable[[Any], Any], structure: Any) -> Any:
    """The structure with the function applied to its leaves; the very same object if no leaf changes."""
    if isinstance(structure, ndarray):
        return function(structure)
    leaves, build = flatten(structure)
    made = [function(leaf) for leaf in leaves]
    if all(new is old for new, old in zip(made, leaves, strict=True)):
        return structure
    return build(made)
