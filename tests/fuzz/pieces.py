"""Parts of statements: keys, axes, masks, and expressions that fit a shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from .state import State


def key(g: State, shape: tuple, basic: bool = False) -> str:
    """An index of an array of this shape that is valid, as a rule."""
    if not basic and shape and g.chance(0.12):
        return mask(g, shape)
    items: list[str] = []
    fancy = 0 if basic else int(g.chance(0.3)) + int(g.chance(0.1))
    length = g.one_of((1, 2, 3))
    count = int(g.rng.integers(1, len(shape) + 1)) if shape else 0
    for n in shape[:count]:
        place = int(g.rng.integers(-n, n)) if n else 0
        if fancy and n and g.chance(0.6):
            fancy -= 1
            numbers = g.rng.integers(-n, n, length).tolist()
            items.append(g.one_of((repr(numbers), f"np.array({numbers})", mask(g, (n,)))))
        else:
            other = int(g.rng.integers(0, n + 1))
            items.append(
                g.one_of((str(place), ":", "::-1", f"{place}:", f":{other}", "::2", f"{place}::-1", "1:-1", f"{other}:{other + 1}"))
            )
    if g.chance(0.15) or not items:
        items.insert(int(g.rng.integers(len(items) + 1)), "None" if g.chance(0.6) and items else "...")
    if count == len(shape) and g.chance(0.1) and "..." not in items:
        items.insert(int(g.rng.integers(len(items) + 1)), "...")
    return ", ".join(items)


def mask(g: State, shape: tuple) -> str:
    values = g.rng.random(shape) < 0.6
    return f"np.array({values.tolist()}, dtype=bool)" + (f".reshape({shape})" if values.size == 0 else "")


def axis(g: State, ndim: int, several: bool = True) -> str:
    if not ndim or g.chance(0.15):
        return "None"
    if several and ndim > 1 and g.chance(0.2):
        return repr(tuple(int(a) for a in g.rng.permutation(ndim)[:2]))
    return str(int(g.rng.integers(-ndim, ndim)))


def fits(shape: tuple, target: tuple) -> bool:
    return len(shape) <= len(target) and all(a in (1, b) for a, b in zip(shape[::-1], target[::-1], strict=False))


def fitted(g: State, target: tuple, names: list[str] | None = None) -> str:
    """An expression of a variable that can be written into an array of this shape."""
    name = g.pick(names)
    if name is None:
        return g.number()
    value = g.env[name]
    if fits(value.shape, target):
        return name
    if value.shape[::-1] == target:
        return f"{name}.T"
    size = int(np.prod(target))
    if value.size == size:
        return f"{name}.reshape({target})"
    last = target[-1] if target else 1
    if target and value.size >= last > 0:
        return g.one_of((f"{name}.ravel()[:{last}]", f"{name}.reshape(-1)[-{last}:][::-1]", f"{name}.flat[:{last}]"))
    if value.size:
        return f"{name}.reshape(-1)[{int(g.rng.integers(value.size))}]"
    return g.number()


def shaped(g: State, target: tuple) -> str | None:
    """An expression of a variable that has exactly this shape."""
    name = g.pick()
    if name is None:
        return None
    value = g.env[name]
    size = int(np.prod(target))
    if value.shape == target:
        return name
    if value.size >= size and target:
        return f"{name}.ravel()[:{size}].reshape({target})"
    if fits(value.shape, target):
        return f"np.broadcast_to({name}, {target})"
    if value.size:
        return f"np.resize({name}, {target})" if g.chance(0.3) else f"np.full({target}, {name}.ravel()[0])"
    return None


def operand(g: State, like: str) -> str:
    """Something that goes with a variable in a binary call."""
    shape: Any = g.env[like].shape
    kind = g.rng.random()
    if kind < 0.5:
        return fitted(g, shape)
    if kind < 0.62:
        return g.pick() or "1.5"
    if kind < 0.72:
        return g.number()
    if kind < 0.82:
        part = shape[len(shape) - int(g.rng.integers(len(shape) + 1)) :]
        return g.constant(g.random(part, "c" if g.style == "complex" and g.chance(0.3) else "f"), plain=True)
    if kind < 0.87:
        return g.constant(g.rng.integers(1, 5, shape), plain=True)
    if kind < 0.93 and len(shape):
        return f"{like}[{key(g, shape)}]"
    return like
