"""Nested structures of arrays: list, tuple, namedtuple, dict, dataclass."""

from __future__ import annotations

import copy
import dataclasses
import operator
from collections.abc import Callable
from typing import Any

from numpy import ndarray

Path = tuple[Any, ...]

_only = operator.itemgetter(0)


def _children(structure: Any) -> list[tuple[Any, Any]] | None:
    """The (key, item) pairs of one level of a structure, None for a leaf."""
    if isinstance(structure, ndarray):  # the commonest leaf: said at once, for a traced one answers each further question
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
    return dataclasses.replace(structure, **dict(items))


def flatten(structure: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The leaves of a structure in order, and a function that builds the same structure from other leaves."""
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
