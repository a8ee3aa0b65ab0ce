"""Random programs of views, writes, aliases, copies and reductions: the value of the plain program to the last bit, and
derivatives in both modes against differences of it.

A program is a list of steps; a step is the name of an operation and numbers that it takes its choices from, so that every
list is a valid program and hypothesis can shrink it.
"""

from typing import Any

import numpy as np
import pytest
from agreement import check_program, plain
from hypothesis import HealthCheck, given, settings, strategies as st

Numbers = list[int]


class Program:
    """Steps over a pool of arrays, which share memory as they may."""

    def __init__(self, steps: list[tuple[str, Numbers]]) -> None:
        self.steps = steps
        self.decisions: list[bool] = []

    def __repr__(self) -> str:
        return f"Program({self.steps})"

    def __call__(self, x: Any) -> Any:
        pool = Pool([x, np.zeros(x.shape), x * 0.5], self.decisions)
        for name, numbers in self.steps:
            made = OPERATIONS[name](pool, list(numbers))
            if made is not None and made.size and made.size <= 40:
                pool.append(made)
        return np.concatenate([np.sin(array).ravel() for array in pool[-4:] + [pool[0]]])


class Pool(list):
    """The arrays of one run, and decisions that depend on values. They are made in the first run and kept in those that
    follow: a derivative is that of the branch taken."""

    def __init__(self, arrays: list, decisions: list[bool]) -> None:
        super().__init__(arrays)
        self.made = decisions
        self.given = iter(list(decisions))

    def decide(self, condition: Any) -> bool:
        decision = next(self.given, None)
        if decision is None:
            decision = bool(condition)
            self.made.append(decision)
        return decision


def choose(pool: Pool, numbers: Numbers) -> Any:
    return pool[numbers.pop() % len(pool)]


def writeable(pool: Pool, numbers: Numbers) -> Any:
    return choose([array for array in pool if array.flags.writeable], numbers)


def basic_key(array: Any, numbers: Numbers) -> Any:
    """A basic index that keeps at least one element."""
    key: list = []
    for n in array.shape:
        kind, place = numbers.pop() % 6, numbers.pop() % n
        forms = (place, *map(slice, (0, place, 0), (n, n, place + 1)), slice(None, None, -1), slice(place, None, -2))
        key.append(forms[kind])
    if numbers.pop() % 5 == 0:
        key.insert(0, None)
    return tuple(key)


def fitted(value: Any, shape: tuple, numbers: Numbers) -> Any:
    """A value that can be written into an array of this shape: itself, a part, or one of its elements."""
    if value.ndim <= len(shape) and all(a in (1, b) for a, b in zip(value.shape[::-1], shape[::-1], strict=False)):
        return value
    flat = value.reshape(-1)
    if shape and flat.size >= shape[-1]:
        return flat[flat.size - shape[-1] :][::-1]
    return flat[numbers.pop() % flat.size]


def indices(n: int, count: int, numbers: Numbers) -> np.ndarray:
    return np.array([numbers.pop() % (2 * n) - n for _ in range(count)])


def calm(pool: Pool, array: Any) -> None:
    """Keep numbers small, so that differences stay accurate."""
    if pool.decide(np.abs(array).max() > 3):
        array *= 0.25


# --- Views and copies ------------------------------------------------------------------------------------------------


def index_(pool: Pool, numbers: Numbers) -> Any:
    array = choose(pool, numbers)
    return array[basic_key(array, numbers)]


def transpose(pool: Pool, numbers: Numbers) -> Any:
    return choose(pool, numbers).T


def reshape(pool: Pool, numbers: Numbers) -> Any:
    array = choose(pool, numbers)
    return array.reshape((-1, 2) if array.size % 2 == 0 else -1, order="CFA"[numbers.pop() % 3])


def ravel(pool: Pool, numbers: Numbers) -> Any:
    return choose(pool, numbers).ravel("CFAK"[numbers.pop() % 4])


def diagonal(pool: Pool, numbers: Numbers) -> Any:
    array = choose(pool, numbers)
    return array.diagonal() if array.ndim == 2 else None


def broadcast(pool: Pool, numbers: Numbers) -> Any:
    array = choose(pool, numbers)
    return np.broadcast_to(array, (2, *array.shape))




def copy_(pool: Pool, numbers: Numbers) -> Any:
    return choose(pool, numbers).copy("CFAK"[numbers.pop() % 4])


def gather(pool: Pool, numbers: Numbers) -> Any:
    array = choose(pool, numbers)
    return array[indices(array.shape[0], 3, numbers)] if array.ndim else None


def gather_separated(pool: Pool, numbers: Numbers) -> Any:
    array = choose(pool, numbers)
    if array.ndim < 2:
        return None
    return array[indices(array.shape[0], 2, numbers), None, indices(array.shape[1], 2, numbers)]


def gather_mask(pool: Pool, numbers: Numbers) -> Any:
    array = choose(pool, numbers)
    return array[mask_of(array, numbers)]


def mask_of(array: Any, numbers: Numbers) -> np.ndarray:
    return (np.arange(array.size) * (numbers.pop() % 7 + 1) % 3 > 0).reshape(array.shape)


def reduction(pool: Pool, numbers: Numbers) -> Any:
    array = choose(pool, numbers)
    return (np.sum, np.mean, np.cumsum, np.prod)[numbers.pop() % 4](array, axis=0) if array.ndim else None


def arithmetic(pool: Pool, numbers: Numbers) -> Any:
    array = choose(pool, numbers)
    other = fitted(choose(pool, numbers), array.shape, numbers)
    return (array * other, array - other, np.sin(array), array * array, np.exp(-np.abs(array)) + other)[numbers.pop() % 5]


# --- Writes ----------------------------------------------------------------------------------------------------------


def assign(pool: Pool, numbers: Numbers) -> None:
    array = writeable(pool, numbers)
    key = basic_key(array, numbers)
    array[key] = fitted(choose(pool, numbers), array[key].shape, numbers)


def assign_operator(pool: Pool, numbers: Numbers) -> None:
    array = writeable(pool, numbers)
    key = basic_key(array, numbers)
    value = fitted(choose(pool, numbers), array[key].shape, numbers)
    kind = numbers.pop() % 3
    if kind == 0:
        array[key] += value
    elif kind == 1:
        array[key] *= value
    else:
        array[key] -= value
    calm(pool, array)


def in_place(pool: Pool, numbers: Numbers) -> None:
    array = writeable(pool, numbers)
    value = fitted(choose(pool, numbers), array.shape, numbers)
    kind = numbers.pop() % 3
    if not array.ndim:
        return
    if kind == 0:
        array += value
    elif kind == 1:
        array *= value
    else:
        array /= value * value + 1.0
    calm(pool, array)


def out(pool: Pool, numbers: Numbers) -> None:
    array = writeable(pool, numbers)
    if array.ndim:
        a, b = (fitted(choose(pool, numbers), array.shape, numbers) for _ in range(2))
        where = mask_of(array, numbers) if numbers.pop() % 2 else True
        (np.add, np.multiply, np.hypot, np.subtract)[numbers.pop() % 4](a, b + 0.1, out=array, where=where)
        calm(pool, array)


def out_unary(pool: Pool, numbers: Numbers) -> None:
    array = writeable(pool, numbers)
    if array.ndim:
        (np.sin, np.negative, np.tanh)[numbers.pop() % 3](fitted(choose(pool, numbers), array.shape, numbers), out=array)


def out_function(pool: Pool, numbers: Numbers) -> None:
    array = writeable(pool, numbers)
    other = choose(pool, numbers)
    if array.ndim and other.ndim and other.shape == array.shape:
        np.cumsum(other, axis=0, out=array)
        calm(pool, array)


def scatter(pool: Pool, numbers: Numbers) -> None:
    array = writeable(pool, numbers)
    if array.ndim:
        key = indices(array.shape[0], 3, numbers)
        array[key] = fitted(choose(pool, numbers), (3, *array.shape[1:]), numbers)


def scatter_mask(pool: Pool, numbers: Numbers) -> None:
    array = writeable(pool, numbers)
    if array.ndim:
        mask = mask_of(array, numbers)
        array[mask] = fitted(choose(pool, numbers), (int(mask.sum()),), numbers)


def scatter_operator(pool: Pool, numbers: Numbers) -> None:
    array = writeable(pool, numbers)
    if array.ndim:
        array[indices(array.shape[0], 3, numbers)] *= fitted(choose(pool, numbers), (3, *array.shape[1:]), numbers)
        calm(pool, array)


def add_at(pool: Pool, numbers: Numbers) -> None:
    array = writeable(pool, numbers)
    if array.ndim:
        key = indices(array.shape[0], 3, numbers)
        ufunc = (np.add, np.subtract, np.multiply)[numbers.pop() % 3]
        ufunc.at(array, key, fitted(choose(pool, numbers), (3, *array.shape[1:]), numbers))
        calm(pool, array)


def swap(pool: Pool, numbers: Numbers) -> None:
    array = writeable(pool, numbers)
    if array.ndim and array.shape[0] > 1:
        array[[0, -1]] = array[[-1, 0]]


def shifted(pool: Pool, numbers: Numbers) -> None:
    array = writeable(pool, numbers)
    if array.ndim and array.shape[0] > 1:
        array[1:] += array[:-1]
        calm(pool, array)


def fill(pool: Pool, numbers: Numbers) -> None:
    array = writeable(pool, numbers)
    if array.ndim:
        array[: 1 + array.shape[0] // 2].fill(choose(pool, numbers).sum() * 0.1)


def flat(pool: Pool, numbers: Numbers) -> None:
    array = writeable(pool, numbers)
    if array.ndim:
        array.flat[:: 1 + numbers.pop() % 3] = choose(pool, numbers).reshape(-1)[:2]


def copyto(pool: Pool, numbers: Numbers) -> None:
    array = writeable(pool, numbers)
    if array.ndim:
        np.copyto(array, fitted(choose(pool, numbers), array.shape, numbers), where=mask_of(array, numbers))


def put(pool: Pool, numbers: Numbers) -> None:
    array = writeable(pool, numbers)
    if array.ndim:
        np.put(array, indices(array.size, 3, numbers), choose(pool, numbers).reshape(-1)[:2])


def sort(pool: Pool, numbers: Numbers) -> None:
    array = writeable(pool, numbers)
    # Near ties have no differences to compare with.
    if array.ndim and pool.decide(np.min(np.diff(np.sort(plain(array), axis=None)), initial=1.0) > 0.2):
        array.sort(axis=0)


OPERATIONS = {
    function.__name__: function
    for function in (
        index_, transpose, reshape, ravel, diagonal, broadcast, copy_, gather, gather_separated,
        gather_mask, reduction, arithmetic, assign, assign_operator, in_place, out, out_unary, out_function, scatter,
        scatter_mask, scatter_operator, add_at, swap, shifted, fill, flat, copyto, put, sort,
    )
}  # fmt: skip

STEPS = st.lists(
    st.tuples(st.sampled_from(sorted(OPERATIONS)), st.lists(st.integers(0, 97), min_size=16, max_size=16)),
    min_size=2,
    max_size=9,
)
SHAPES = st.sampled_from([(3,), (5,), (2, 3), (3, 3), (2, 2, 2)])


def start(shape: tuple) -> np.ndarray:
    size = int(np.prod(shape))
    return np.random.default_rng(size).permutation(np.linspace(0.31, 1.63, size)).reshape(shape)




PROGRAMS = {"derandomize": True, "deadline": None, "database": None, "suppress_health_check": [HealthCheck.too_slow]}


@pytest.mark.once
@settings(max_examples=300, **PROGRAMS)
@given(shape=SHAPES, steps=STEPS)
def test_random_programs(shape: tuple, steps: list) -> None:
    check_program(Program(steps), start(shape))


@pytest.mark.once
@settings(max_examples=75, **PROGRAMS)
@given(shape=SHAPES, steps=STEPS)
def test_second_derivatives_of_random_programs(shape: tuple, steps: list) -> None:
    check_program(Program(steps), start(shape), second=True)
