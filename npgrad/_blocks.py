"""What the block of a ``with`` statement mentions, read from the code of the frame that enters it.

A tape cares for what its block uses, and not for what the program does around it. The block is found by what Python does
where it is left by an error: all its instructions lead to the same end of the ``with``, at once or by way of handlers of
their own.
"""

from __future__ import annotations

import bisect
import dis
import functools
import types
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from ._mentions import names_in


class Block:
    """The names in code: globals, attributes and modules; and the variables of the function that it is in. ``memory`` is for
    who has been there."""

    __slots__ = ("names", "variables", "memory")

    def __init__(self, names: Iterable[str], variables: Iterable[str]) -> None:
        self.names = frozenset(names)
        self.variables = frozenset(variables)
        self.memory: Any = None


_blocks: dict[tuple[int, int], tuple[Callable, Block]] = {}


def block_at(code: types.CodeType, position: int) -> Block:
    """The block that code enters at an instruction; all of the code where it is no ``with`` statement that does."""
    key = id(code), position
    known = _blocks.get(key)
    if known is not None and known[0]() is code:
        return known[1]
    made = _read(code, position)
    _blocks[key] = weakref.ref(code, functools.partial(_forget, _blocks, key)), made
    return made


def _forget(blocks: dict, key: tuple[int, int], code: Any) -> None:
    """A code object is gone; at the end of the process the names of this module may be so, too."""
    blocks.pop(key, None)


def _read(code: types.CodeType, position: int) -> Block:
    inside = [i for i in dis.get_instructions(code) if i.opname != "CACHE"]
    start, end = _end_of_with(code, inside, position)
    if end is not None:
        spans = _spans_before(code, end)
        inside = [i for i in inside if start <= i.offset and any(a <= i.offset < b for a, b in spans)]
    names: set[str] = set()
    variables: set[str] = set()
    for instruction in _without_watched(inside):
        if instruction.opcode in _NAMING:
            names.add(instruction.argval)
        elif instruction.opcode in _VARIABLES:  # one that loads two has a tuple
            argument = instruction.argval
            variables.update(argument if isinstance(argument, tuple) else [argument])
        elif isinstance(instruction.argval, types.CodeType):
            names |= names_in(instruction.argval)
    return Block(names, variables)


def _without_watched(inside: list) -> list:
    """The instructions without those that load what is only given to `watch` of the tape whose block it is."""
    if not inside or not inside[0].opname.startswith("STORE_"):
        return inside
    tape = inside[0].argval
    if sum(i.opname.startswith("STORE_") and i.argval == tape for i in inside) > 1:
        return inside
    calls = zip(inside, inside[1:], inside[2:], inside[3:], strict=False)
    watched = {
        value.offset
        for tape_loaded, method, value, call in calls
        if tape_loaded.argval == tape and method.opcode in _NAMING and method.argval == "watch"
        if value.opname.startswith("LOAD_") and call.opname in ("PRECALL", "CALL") and call.arg == 1
    }
    return [i for i in inside if i.offset not in watched]


_NAMING = frozenset(dis.hasname)
_VARIABLES = frozenset([*dis.haslocal, *dis.hasfree])


def _end_of_with(code: types.CodeType, instructions: list, position: int) -> tuple[int, int | None]:
    """Where the block begins that is entered at an instruction, and the place of what Python does where it fails."""
    offsets = [i.offset for i in instructions]
    following = bisect.bisect_right(offsets, position)
    for entry in _handled(code):
        at = bisect.bisect_left(offsets, entry.target)
        is_with = [i.opname for i in instructions[at : at + 2]] == ["PUSH_EXC_INFO", "WITH_EXCEPT_START"]
        if is_with and entry.start in offsets[following : following + 1]:
            return entry.start, entry.target
    return 0, None


def _handled(code: types.CodeType) -> list[Any]:
    """From where to where which handler is for errors."""
    return dis.Bytecode(code).exception_entries  # type: ignore[attr-defined]


def _spans_before(code: types.CodeType, end: int) -> list[tuple[int, int]]:
    """The instructions from which an error leads there: also those of handlers of errors inside of the block."""
    spans: list[tuple[int, int]] = []
    entries = _handled(code)
    known = -1
    while known < (known := len(spans)):
        spans = [
            (e.start, e.end) for e in entries if e.target == end or any(start <= e.target < stop for start, stop in spans)
        ]
    return spans
