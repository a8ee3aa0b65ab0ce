"""A failing program made small: no statement, name, point or constant that the failure does without."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from .oracle import Outcome, check
from .program import Program


def shrink(program: Program, outcome: Outcome, seed: int, second: bool) -> Program:
    """The smallest program found that is wrong for the same reason."""
    smaller = True
    while smaller:
        smaller = False
        for candidate in _candidates(program):
            if _fails(candidate, outcome, seed, second):
                program, smaller = candidate, True
                break
    return program


def _fails(program: Program, outcome: Outcome, seed: int, second: bool) -> bool:
    try:
        again = check(program, seed, second)
    except Exception:  # plain NumPy does not run it
        return False
    return (again.kind, again.reason) == (outcome.kind, outcome.reason)


def _candidates(program: Program) -> Iterator[Program]:
    for number in reversed(range(len(program.statements))):
        yield _tidied(program.without(number))
        yield from _unwrapped(program, number)
    for name in program.returned:
        yield _tidied(dataclasses.replace(program, returned=[n for n in program.returned if n != name]))


def _unwrapped(program: Program, number: int) -> Iterator[Program]:
    """A block without one of its lines, or with its body alone."""
    lines = program.statements[number].splitlines()
    if len(lines) < 2:
        return
    body = [line.removeprefix("    ") for line in lines[1:] if line.startswith("    ")]
    shorter = [lines[:n] + lines[n + 1 :] for n in range(1, len(lines))]
    for kept in [body, *shorter]:
        yield _tidied(_with(program, number, "\n".join(kept)))


def _with(program: Program, number: int, statement: str) -> Program:
    return dataclasses.replace(program, statements=[*program.statements[:number], statement, *program.statements[number + 1 :]])


def _tidied(program: Program) -> Program:
    """Without returned names that nothing makes, and without points and constants that nothing uses."""
    text = "\n".join(program.statements)
    words = set(re.findall(r"\w+", text))
    made = {word for line in text.splitlines() for word in re.findall(r"\w+", line.split("=")[0])} | program.points.keys()
    returned = [name for name in program.returned if name in made]
    used = words | set(returned)
    points = {name: value for name, value in program.points.items() if name in used} or dict(list(program.points.items())[:1])
    constants = {name: value for name, value in program.constants.items() if name in words}
    return dataclasses.replace(program, returned=returned, points=points, constants=constants)
