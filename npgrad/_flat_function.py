"""A function as differences see it: of one flat real array, with flat values; structures are taken apart and rebuilt."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ._segments import refuse_tracked
from ._structure import flatten, leaf_paths, map_structure, path_text

GIVEN, RETURNED = "its arguments", "what the function returns"


def refuse_followed(name: str, what: str, *values: Any) -> None:
    """Differences are plain numbers: what a tape follows, of the arguments or from elsewhere, would end there."""
    refuse_tracked(
        f"{name} gives plain numbers, and a tape follows {what}",
        "Ways out: npgrad.grad, jacobian, hessian and jvp nest and are followed; npgrad.stop_gradient where the value is "
        "meant to be constant.",
        *values,
    )


_NAME = "npgrad.finite_difference"


class FlatFunction:
    """The function of what is differentiated by, its other arguments fixed; counts its calls.

    ``x`` is the point: the elements of all arrays one behind the other, of a complex array its real parts and then its
    imaginary parts. ``eps`` is the precision that each element has in its array.
    """

    def __init__(self, f: Callable, args: tuple, kwargs: dict, argnums: Any, has_aux: bool = False) -> None:
        refuse_followed(_NAME, GIVEN, args, kwargs)
        self.f, self.args, self.kwargs, self.has_aux = f, args, kwargs, has_aux
        self.several = isinstance(argnums, (tuple, list))
        self.numbers = [_position(number, args) for number in (argnums if self.several else (argnums,))]
        chosen = tuple([args[number] for number in self.numbers])
        self.sources = chosen if self.several else chosen[0]
        leaves, self._build_sources = flatten(self.sources)
        self.points = [
            _point(leaf, self.numbers[0], path, self.several)
            for leaf, path in zip(leaves, leaf_paths(self.sources), strict=True)
        ]
        self.x = np.concatenate([np.zeros(0, np.float16), *[_parts(point) for point in self.points]])
        self.eps = np.concatenate([np.full(len(_parts(p)), np.finfo(p.dtype).eps, self.x.dtype) for p in self.points])
        self.is_complex = any(point.dtype.kind == "c" for point in self.points)
        self.evaluations = 0
        self.values: Any = None
        self.aux: Any = None

    def __call__(self, flat: ndarray) -> ndarray:
        """The values; a complex ``flat`` gives the arrays the complex type of their precision."""
        moved = self._build_sources(self._leaves(flat))
        args = [map_structure(_copied, arg) for arg in self.args]
        for number, arg in zip(self.numbers, moved if self.several else (moved,), strict=True):
            args[number] = arg
        result = self.f(*args, **{name: map_structure(_copied, value) for name, value in self.kwargs.items()})
        if self.has_aux:
            if not isinstance(result, tuple) or len(result) != 2:
                raise TypeError("with has_aux=True the function must return a pair (value, auxiliary data)")
            result, aux = result
            self.aux = aux if self.evaluations == 0 else self.aux  # that of the point, where it is called first
        self.evaluations += 1
        leaves, self._build = flatten(result)
        refuse_followed(_NAME, RETURNED, leaves)
        values = [np.array(_numeric(leaf, self.f)) for leaf in leaves]
        if self.values is not None and [leaf.shape for leaf in values] != [leaf.shape for leaf in self.values]:
            raise ValueError(
                f"{getattr(self.f, '__name__', self.f)} returned values of other shapes near the point than at it: "
                "differences need the same everywhere"
            )
        self.values = values
        return np.concatenate([np.zeros(0, np.float16), *[leaf.ravel() for leaf in values]])

    @property
    def value_eps(self) -> float:
        """The precision of the values: that of the coarsest array of them."""
        return max([0.0, *[float(np.finfo(leaf.dtype).eps) for leaf in self.values if leaf.dtype.kind in "fc"]])

    def _leaves(self, flat: ndarray) -> list:
        made, start = [], 0
        for point in self.points:
            parts = flat[start : start + len(_parts(point))]
            start += len(parts)
            if point.dtype.kind == "c":
                parts = parts[: point.size] + 1j * parts[point.size :]
            dtype = np.result_type(point, np.complex64) if flat.dtype.kind == "c" else point.dtype
            array = parts.astype(dtype).reshape(point.shape)
            made.append(array if array.ndim else array[()])
        return made

    def held(self, moved: ndarray, members: ndarray) -> ndarray:
        """Values of some elements as the function's arrays hold them, in their own precision."""
        if all(point.real.dtype == self.x.dtype for point in self.points):
            return moved
        kinds = [point.real.dtype.type for point in self.points for _ in _parts(point)]
        return np.array([kinds[member](value) for value, member in zip(moved, members, strict=True)], self.x.dtype)

    def structured(self, columns: ndarray, join: Callable[[ndarray, ndarray], ndarray]) -> Any:
        """The derivative in the structure of the value, of the structure of what it is by, from an array of shape
        (values, elements). ``join`` makes one of the columns by real and by imaginary parts."""
        made, row = [], 0
        for value in self.values:
            rows, parts, start = columns[row : row + value.size], [], 0
            row += value.size
            for point in self.points:
                part = rows[:, start : start + point.size]
                start += point.size
                if point.dtype.kind == "c":
                    part = join(part, rows[:, start : start + point.size])
                    start += point.size
                parts.append(part.reshape(value.shape + point.shape)[()])
            made.append(self._build_sources(parts))
        return self._build(made)

    def twice_structured(self, square: ndarray) -> Any:
        """The second derivative in the structure of what it is by, of structures like it; for real arguments."""
        ends = np.cumsum([0, *[point.size for point in self.points]])
        made = []
        for own, start in zip(self.points, ends, strict=False):
            rows = square[start : start + own.size]
            blocks = [
                rows[:, other : other + point.size].reshape(own.shape + point.shape)[()]
                for point, other in zip(self.points, ends, strict=False)
            ]
            made.append(self._build_sources(blocks))
        return self._build_sources(made)

    def sizes(self) -> list[int]:
        """How many elements each of several arguments has."""
        return [sum(np.size(leaf) for leaf in flatten(source)[0]) for source in self.sources]

    def beside(self, given: Any, dtype: Any) -> ndarray:
        """Numbers for all elements, given as one, as an array, or in the structure of what is differentiated by."""
        refuse_followed(_NAME, GIVEN, given)
        parts = []
        for path, point in zip(leaf_paths(self.sources), self.points, strict=True):
            own = given
            for key in path:
                own = _item(own, key)
            part = np.broadcast_to(np.asarray(own, dtype), point.shape).ravel()
            parts += [part] * (2 if point.dtype.kind == "c" else 1)
        return np.concatenate([np.zeros(0, dtype), *parts])


def _position(number: Any, args: tuple) -> int:
    if not isinstance(number, (int, np.integer)):
        raise TypeError(f"argnums must be an int or a tuple of ints, got {number!r}")
    if not -len(args) <= number < len(args):
        raise ValueError(
            f"argnums {number}, but the function was called with {len(args)} positional arguments; "
            "give what is differentiated by position, not by keyword"
        )
    return int(number) % len(args)


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, ndarray) else value


def _point(leaf: Any, number: int, path: tuple, several: bool) -> ndarray:
    point = np.array(leaf)
    if point.dtype.kind not in "fc":
        where = path_text(path[1:] if several else path)
        raise TypeError(f"argument {number}{where} has dtype {point.dtype}; differences need a floating argument")
    return point


def _parts(point: ndarray) -> ndarray:
    flat = point.ravel()
    return np.concatenate([flat.real, flat.imag]) if point.dtype.kind == "c" else flat


def _numeric(leaf: Any, f: Callable) -> Any:
    if np.asarray(leaf).dtype.kind not in "biufc":
        raise TypeError(f"{getattr(f, '__name__', f)} returned {type(leaf).__name__}; differences need numbers or arrays")
    return leaf


def _item(given: Any, key: Any) -> Any:
    """One item of a structure; what is no structure is for all that is below."""
    if isinstance(given, (list, tuple, dict)):
        return given[key]
    return getattr(given, key) if dataclasses.is_dataclass(given) else given
