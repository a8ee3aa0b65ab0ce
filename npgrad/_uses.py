"""How code uses what it looks up: whether it calls it, asks for one of its attributes, checks something by it
(``isinstance``, ``==``), compares it by ``is``, or lets it go on.

Where code says at which places of its source it stands, that which takes a value is the first instruction after it whose
source contains the value's.
"""

from __future__ import annotations

import builtins
import dis
import enum
import sys
from collections.abc import Collection, Iterator, Mapping
from inspect import CO_OPTIMIZED
from types import CodeType, ModuleType
from typing import Any

Use = enum.Enum("Use", ["CALLED", "LOOKED_INTO", "CHECKED", "COMPARED", "HELD", "UNKNOWN"])

_NAMES = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}
_ATTRIBUTES = {"LOAD_ATTR", "LOAD_METHOD"}
_LOOKUPS = {*_ATTRIBUTES, "IMPORT_FROM"}
_CALLS = {"CALL", "PRECALL", "CALL_KW", "CALL_FUNCTION_EX"}
_CONSTANTS = {"LOAD_CONST", "LOAD_SMALL_INT", "LOAD_COMMON_CONSTANT"}
_CHECKS = {"isinstance", "issubclass"}
_EQUALITIES = {"COMPARE_OP", "CONTAINS_OP"}
_IS = dis.opmap["IS_OP"]
# Attributes and functions that give the class of a value.
_TO_CLASSES = frozenset({"type", "__class__", "dtype"})
_UNKNOWN = object()


def _span(one: dis.Instruction) -> tuple[Any, Any]:
    where = one.positions
    if where is None or where.end_col_offset is None:
        return None, None
    return (where.lineno, where.col_offset), (where.end_lineno, where.end_col_offset)


def use_at(code: CodeType, place: int) -> Use:
    """How code uses what the instruction at a place looks up; what that is called for may look up anything."""
    instructions = list(dis.get_instructions(code))
    n = next(n for n, one in enumerate(instructions) if one.offset == place)
    by_name = instructions[n].opname in _CALLS and _calls(instructions, n, {"getattr"})
    return _use(instructions, n) if by_name or instructions[n].opname in _LOOKUPS else Use.UNKNOWN


def uses_of(code: CodeType, name: str) -> Iterator[Use]:
    """How code, and the code inside of it, uses a name of its module."""
    for inner in with_inner(code):
        if name in inner.co_names:
            instructions = list(dis.get_instructions(inner))
            for n, one in enumerate(instructions):
                if one.opname in _NAMES and one.argval == name:
                    yield _use(instructions, n)


def _use(instructions: list[dis.Instruction], n: int) -> Use:
    one = instructions[n]
    if one.opname == "LOAD_METHOD" or (one.opname == "LOAD_ATTR" and sys.version_info >= (3, 12) and (one.arg or 0) & 1):
        return Use.CALLED
    begin, end = span = _span(one)
    if begin is None:
        return Use.UNKNOWN
    for m in range(n + 1, len(instructions)):
        first, last = around = _span(instructions[m])
        if first is not None and first <= begin and end <= last and around != span:
            return _use_by(instructions, n, m)
    return Use.HELD


def _use_by(instructions: list[dis.Instruction], n: int, m: int) -> Use:
    """How the instruction number m, or what is written at the same place, uses the value of that with number n."""
    around = _span(instructions[m])
    names = {one.opname for one in instructions[m:] if _span(one) == around}
    at_front = _span(instructions[n])[0] == around[0]
    if not names.isdisjoint(_CALLS):
        if at_front:
            return Use.CALLED
        return Use.CHECKED if _calls(instructions, m, _CHECKS) else Use.HELD
    if not names.isdisjoint(_ATTRIBUTES):
        return Use.COMPARED if _use(instructions, m) in (Use.COMPARED, Use.CHECKED) else Use.LOOKED_INTO
    if "IS_OP" in names:
        return Use.COMPARED
    if not names.isdisjoint(_EQUALITIES):
        return Use.CHECKED
    if "BUILD_TUPLE" in names and _use(instructions, m) is Use.CHECKED:
        return Use.CHECKED
    return Use.HELD


def _calls(instructions: list[dis.Instruction], n: int, functions: set[str]) -> bool:
    """Whether the call number n is one of these functions, by their names."""
    begin = _span(instructions[n])[0]
    return any(one.argval in functions for one in instructions[:n] if one.opname in _NAMES and _span(one)[0] == begin)


def with_inner(code: CodeType) -> Iterator[CodeType]:
    """Code, and that of the functions and classes that it makes."""
    yield code
    for constant in code.co_consts:
        if type(constant) is CodeType:
            yield from with_inner(constant)


def may_compare(code: CodeType, names: Mapping[str, Any], classes: Collection[Any], words: frozenset[str]) -> bool:
    """Whether code may compare one of some classes by ``is``: by their names, which are among the words, or with what it got
    from a value. What is compared with a constant, or with a name that stands for something else, is none of them."""
    return any(_compares(unit, names, classes, words | _TO_CLASSES) for unit in _units(code))


def _units(code: CodeType) -> Iterator[list[CodeType]]:
    """Functions with all code inside of them; modules and classes alone."""
    if code.co_flags & CO_OPTIMIZED:
        yield list(with_inner(code))
    else:
        yield [code]
        for constant in code.co_consts:
            if type(constant) is CodeType:
                yield from _units(constant)


def _compares(unit: list[CodeType], names: Mapping[str, Any], classes: Collection[Any], words: frozenset[str]) -> bool:
    mentions = not words.isdisjoint([name for code in unit for name in code.co_names])
    for code in unit:
        if _IS not in code.co_code[::2]:
            continue
        instructions = list(dis.get_instructions(code))
        for n, one in enumerate(instructions):
            if one.opname == "IS_OP":
                operands = [_value(instructions, m, names) for m in _operands(instructions, n)]
                if any(isinstance(value, type) and value in classes for value in operands):
                    return True
                if mentions and all(value is _UNKNOWN for value in operands):
                    return True
    return False


def _operands(instructions: list[dis.Instruction], n: int) -> list[int]:
    """Where the last instructions of the two operands stand; of the right one alone where that is all that is known."""
    begin = _span(instructions[n - 1])[0]
    ends = [_span(one)[1] for one in instructions[: n - 1]]
    left = [m for m, end in enumerate(ends) if begin is not None and end is not None and end <= begin]
    return [n - 1, *left[-1:]]


def _value(instructions: list[dis.Instruction], n: int, names: Mapping[str, Any]) -> Any:
    """What an instruction loads, as far as names of the module say."""
    one = instructions[n]
    if one.opname in _CONSTANTS:
        return None
    if one.opname in _NAMES:
        return names.get(one.argval, vars(builtins).get(one.argval, _UNKNOWN))
    if one.opname in _ATTRIBUTES and n and isinstance(module := _value(instructions, n - 1, names), ModuleType):
        return vars(module).get(one.argval, _UNKNOWN)
    return _UNKNOWN
