"""The proof that a statement stands at a kink or a pole: its own results, as all that it finds moves independently."""

from __future__ import annotations

import dataclasses
import re
import textwrap
from typing import Any

import numpy as np

from .differences import Differences, joined
from .program import MODULES, Program, values


def singular_statement(program: Program) -> str | None:
    """The first statement whose results have no derivative by its own inputs, along one of some random directions or of their
    sums, or one that is not linear in these (``np.copysign`` at 0 is smooth along each line)."""
    program = dataclasses.replace(program, statements=[s for statement in program.statements for s in _unrolled(statement)])
    for number, statement in enumerate(program.statements):
        for form, copies in ((statement, {}), *_apart(program, number)):
            for pair in ((0, 1), (2, 3), (4, 5)):
                directions = ((pair[0],), (pair[1],), pair)
                if not _is_linear([_slope(program, number, seeds, form, copies) for seeds in directions]):
                    return statement
    return None


def _apart(program: Program, number: int) -> list[tuple[str, dict[str, str]]]:
    """The statement with a copy, by name, for each argument but the first, if that says the same: each is then moved by itself,
    also views of one array. ``np.clip(x, c, x)`` is x, but where x is c its maximum and its minimum each stand at a kink."""
    statement = program.statements[number]
    target, _, expression = statement.partition(" = ")
    copies: dict[str, str] = {}

    def copy(match: re.Match) -> str:
        copies[f"{match.group()}_{len(copies)}"] = match.group()
        return list(copies)[-1]

    argument = re.compile(r"\b[ax][0-9]+\b(?![=(])")
    first = argument.search(expression)
    end = first.end() if first else len(expression)
    form = f"{target} = {expression[:end]}{argument.sub(copy, expression[end:])}"
    if not copies or "\n" in statement:
        return []
    ways = [_values(program, number, *way, 0.0, (0,)) for way in ((statement, copies), (form, copies))]
    return [(form, copies)] if ways[0].tobytes() == ways[1].tobytes() else []


def _unrolled(statement: str) -> list[str]:
    """A loop as the statements that it runs, each of which may be the singular one."""
    head, _, body = statement.partition(":\n")
    counted = re.fullmatch(r"for (\w) in range\((?:(\d+), )?(\d+)\)", head)
    repeated = re.fullmatch(r"(\w+ = 0)\nwhile (.*)", head)
    parts = _parts(body)
    if counted and "continue" not in body:
        name, first, last = counted.groups()
        return [s for i in range(int(first or 0), int(last)) for s in (f"{name} = {i}", *parts)]
    if repeated:
        condition = f"going = {repeated.group(2)}"
        guarded = [f"if going:\n{textwrap.indent(part, '    ')}" for part in parts]
        return [repeated.group(1), *[s for _ in range(7) for s in (condition, *guarded)]]
    return [statement]


def _parts(body: str) -> list[str]:
    """The statements of an indented block."""
    parts: list[str] = []
    for line in textwrap.dedent(body).splitlines():
        if parts and line.startswith((" ", "else", "elif", "except")):
            parts[-1] += "\n" + line
        else:
            parts.append(line)
    return parts


def _values(program: Program, number: int, statement: str, copies: dict[str, str], t: float, seeds: tuple) -> np.ndarray:
    """All data after a statement, before which all was moved."""
    with np.errstate(all="ignore"):
        try:
            env = MODULES | values(program.constants | program.points)
            for before in program.statements[:number]:
                exec(before, env)
            env |= {copy: np.array(env[name], order="K")[()] for copy, name in copies.items()}
            _move(env, t, seeds)
            exec(statement, env)
        except Exception:
            return np.full(1 << 20, np.nan)
    return joined([value for name, value in env.items() if name[0] in "xatur" and _is_data(value)])


def _slope(program: Program, number: int, seeds: tuple, statement: str, copies: dict[str, str]) -> Differences:
    return Differences(lambda t: _values(program, number, statement, copies, t, seeds), 1)


def _is_linear(slopes: list[Differences]) -> bool:
    """Whether the slopes along two directions and along their sum settle, and add up."""
    for found in slopes:
        scale = max(1e-2, float(np.max(np.abs(found.value), initial=0)))
        if not (found.error <= 1e-4 * scale).all() or found.bent.any():
            return False
    first, second, both = [found.value for found in slopes]
    scale = max(1e-2, float(np.max(np.abs(both), initial=0)))
    return bool((np.abs(first + second - both) <= 1e-3 * scale).all())


def _move(env: dict[str, Any], t: float, seeds: tuple) -> None:
    """Add fixed random directions, times t, to every block of memory and every number."""
    rngs = [np.random.default_rng(seed) for seed in seeds]
    moved: set[int] = set()
    for name in list(env):
        value = env[name]
        if not _is_data(value):
            continue
        if isinstance(value, np.generic):
            env[name] = value + value.dtype.type(t * sum(_direction(rng, value) for rng in rngs)[()])
            continue
        root = value
        while isinstance(root.base, np.ndarray):
            root = root.base
        if id(root) not in moved and root.flags.writeable and root.dtype.kind in "fc":
            moved.add(id(root))
            root += (t * sum(_direction(rng, root) for rng in rngs)).astype(root.dtype)


def _direction(rng: np.random.Generator, value: Any) -> np.ndarray:
    """Imaginary parts move, too: where all are zero, each order of them stands at a kink."""
    real = rng.standard_normal(value.shape)
    return np.asarray(real + 1j * rng.standard_normal(value.shape) if value.dtype.kind == "c" else real)


def _is_data(value: Any) -> bool:
    return isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "fc"
