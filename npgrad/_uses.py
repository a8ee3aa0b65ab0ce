"""How code uses what it looks up: whether it calls it, asks for one of its attributes, checks something by it
(``isinstance``, ``==``, as a dtype), compares it by ``is``, derives from it, or lets it go on.

Where code says at which places of its source it stands, that which takes a value is the first instruction after it whose
source contains the value's.
"""

from __future__ import annotations

import builtins
import dis
import enum
import functools
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from inspect import CO_OPTIMIZED
from types import CodeType, FrameType, ModuleType
from typing import Any

from ._bare_looks import is_ours
from ._leaks import is_users_code

Use = enum.Enum("Use", ["CALLED", "LOOKED_INTO", "CHECKED", "COMPARED", "DERIVED", "HELD", "UNKNOWN"])
# A name in code, with the attributes that follow it: ("np", "linalg", "norm"). Without names it is something else.
Path = tuple[str, ...]

_NAMES = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}
_ATTRIBUTES = {"LOAD_ATTR", "LOAD_METHOD"}
_LOOKUPS = {*_ATTRIBUTES, "IMPORT_FROM"}
_CALLS = {"CALL", "PRECALL", "CALL_KW", "CALL_FUNCTION_EX"}
_CONSTANTS = {"LOAD_CONST", "LOAD_SMALL_INT", "LOAD_COMMON_CONSTANT"}
_EQUALITIES = {"COMPARE_OP", "CONTAINS_OP"}
_SEEN = {Use.CALLED, Use.LOOKED_INTO, Use.CHECKED}
# Functions of NumPy's that call what they are given.
_CALLING = {"vectorize", "frompyfunc", "apply_along_axis", "apply_over_axes", "piecewise", "fromfunction"}
# Where functions call what they are given.
_CALLERS = {"npgrad", *sys.stdlib_module_names}
_IS = dis.opmap["IS_OP"]
# Functions whose call looks up what the code then uses: an attribute, a class.
_LOOKING_UP = {("getattr",), ("type",)}
# Attributes and functions that give the class of a value.
_TO_CLASSES = frozenset({"type", "__class__", "dtype"})
# What methods call their object and its class, which are the user's: no class of NumPy's.
_OWN = frozenset({"self", "cls"})
_UNKNOWN = object()


class _Instructions:
    """The instructions of code, and where in its source each begins and ends."""

    def __init__(self, code: CodeType) -> None:
        self.all = list(dis.get_instructions(code))
        self.kinds = [one.opname for one in self.all]
        places = [one.positions for one in self.all]
        self.spans = [
            None if p is None or p.end_col_offset is None else ((p.lineno, p.col_offset), (p.end_lineno, p.end_col_offset))
            for p in places
        ]  # fmt: skip

    def begins(self, n: int) -> Any:
        span = self.spans[n]
        return None if span is None else span[0]

    def use(self, n: int) -> Use | Path:
        """How what the instruction number n gives is used; the function that it is given to."""
        one, kind, span = self.all[n], self.kinds[n], self.spans[n]
        if kind == "LOAD_METHOD" or (kind == "LOAD_ATTR" and sys.version_info >= (3, 12) and (one.arg or 0) & 1):
            return Use.CALLED
        if span is None:
            return Use.CALLED if self._is_before_arguments(n) else Use.UNKNOWN
        begin, end = span
        for m in range(n + 1, len(self.all)):
            around: Any = self.spans[m]
            if around is not None and around[0] <= begin and end <= around[1] and around != span:
                return self._use_by(n, m)
        return Use.HELD

    def _is_before_arguments(self, n: int) -> bool:
        """Whether a call of what the instruction number n gives has begun, as the null beside it on the stack says: after
        it, or up to Python 3.12 before the name that it is looked up from."""
        following = self.kinds[n + 1] if n + 1 < len(self.kinds) else ""
        first = n
        while sys.version_info < (3, 13) and self.kinds[first] in _ATTRIBUTES:
            first -= 1
        has_null = self.kinds[first] == "LOAD_GLOBAL" and bool((self.all[first].arg or 0) & 1)
        if sys.version_info < (3, 13):
            return following not in _ATTRIBUTES and (has_null or self.kinds[first - 1] == "PUSH_NULL")
        return has_null or following == "PUSH_NULL"

    def _use_by(self, n: int, m: int) -> Use | Path:
        """How the instruction number m, or what is written at the same place, uses the value of that with number n."""
        around = self.spans[m]
        kinds = {kind for kind, span in zip(self.kinds[m:], self.spans[m:], strict=True) if span == around}
        if not kinds.isdisjoint(_CALLS):
            if self.begins(n) == self.begins(m):
                return Use.CALLED
            derives = any(kind == "LOAD_BUILD_CLASS" and self.spans[k] == around for k, kind in enumerate(self.kinds[:n]))
            return Use.DERIVED if derives else self.called(n, m) or Use.HELD
        if not kinds.isdisjoint(_ATTRIBUTES):
            return Use.COMPARED if self.use(m) in (Use.COMPARED, Use.CHECKED) else Use.LOOKED_INTO
        if "IS_OP" in kinds:
            return Use.COMPARED
        if not kinds.isdisjoint(_EQUALITIES):
            return Use.CHECKED
        inner = self.use(m) if "BUILD_TUPLE" in kinds else Use.HELD
        return inner if inner is Use.CHECKED or isinstance(inner, tuple) else Use.HELD

    def called(self, n: int, m: int) -> Path:
        """What is called by the call number m, of which the instruction number n is an argument."""
        begin = self.begins(m)
        found = [k for k in range(n) if self.begins(k) == begin and self.kinds[k] in _NAMES | _ATTRIBUTES]
        return self.path(found[-1]) if found and begin is not None else ()

    def path(self, n: int) -> Path:
        if self.kinds[n] in _NAMES:
            return (self.all[n].argval,)
        before = self.path(n - 1) if n and self.kinds[n] in _ATTRIBUTES else ()
        return (*before, self.all[n].argval) if before else ()

    def operands(self, n: int) -> list[Path | None]:
        """What the comparison number n compares, None for what is no class that a program may have been given; the right one
        alone where no more is known."""
        begin = self.begins(n - 1)
        ends = [span and span[1] for span in self.spans[: n - 1]]
        left = [m for m, end in enumerate(ends) if begin is not None and end is not None and end <= begin]
        both = (n - 1, *left[-1:])
        if len(both) == 2 and all(map(self._gives_class, both)):  # as in what `dataclasses` writes
            return [None, None]
        return [None if self.kinds[m] in _CONSTANTS or _is_own(self.all[m].argval) else self.path(m) for m in both]

    def use_of_class(self, n: int) -> Use | Path:
        """How the class that the instruction number n gives is used; by the variable that it goes to, if this is seen."""
        use = self.use(n)
        if use is Use.HELD and self.kinds[n + 1] == "STORE_FAST":
            name = self.all[n + 1].argval
            loads = [m for m, one in enumerate(self.all) if one.opname.startswith("LOAD_FAST") and _names(one.argval, name)]
            uses = {self.use(m) if self.all[m].argval == name else Use.HELD for m in loads}
            return Use.LOOKED_INTO if uses <= _SEEN and not uses <= {Use.CHECKED} else use
        return use

    def _gives_class(self, m: int) -> bool:
        """Whether the instruction number m gives the class of a value, for which nothing ever stands."""
        if self.kinds[m] in _ATTRIBUTES:
            return bool(self.all[m].argval == "__class__")
        begin = self.begins(m)
        named = [k for k in range(m) if self.kinds[k] in _NAMES and self.begins(k) == begin is not None]
        return self.kinds[m] in _CALLS and bool(named) and self.all[named[-1]].argval == "type"


def _is_own(name: Any) -> bool:
    """Whether an instruction loads what methods call their object or its class, which are the user's; one may load two."""
    return any(_names(name, own) for own in _OWN)


def _names(argument: Any, name: str) -> bool:
    """Whether an instruction that may have two names has this one."""
    return name in argument if isinstance(argument, tuple) else bool(argument == name)


_instructions = functools.lru_cache(4)(_Instructions)


def _value(path: Path, names: Mapping[str, Any]) -> Any:
    """What a path leads to, as far as modules say."""
    if not path:
        return _UNKNOWN
    value = names.get(path[0], vars(builtins).get(path[0], _UNKNOWN))
    for name in path[1:]:
        value = vars(value).get(name, _UNKNOWN) if isinstance(value, ModuleType) else _UNKNOWN
    return value


def _only_checks(called: Any) -> bool:
    """Whether a function does nothing with a class but ask it: one of an installed package takes it for a dtype, and may
    compare it by ``is``. The standard library calls what it is given, and so may functions of the user's."""
    if called is isinstance or called is issubclass:
        return True
    module = str(getattr(called, "__module__", None) or type(called).__module__)
    calls = module.partition(".")[0] in _CALLERS or getattr(called, "__name__", None) in _CALLING
    return not calls and not is_users_code(module)


def _resolved(use: Use | Path, names: Mapping[str, Any]) -> Use:
    if isinstance(use, tuple):
        return Use.CHECKED if _only_checks(_value(use, names)) else Use.HELD
    return use


def use_at(code: CodeType, place: int, names: Mapping[str, Any], is_class: bool = False) -> Use:
    """How code uses what the instruction at a place looks up; what that is called for may look up anything. Of the class of
    a value (``is_class``) also by a variable."""
    instructions = _Instructions(code)
    n = next((n for n, one in enumerate(instructions.all) if one.offset == place), 0)
    kind = instructions.kinds[n]
    is_lookup = kind in _LOOKUPS or (kind in _CALLS and instructions.called(n, n) in _LOOKING_UP)
    if not is_lookup:
        return Use.UNKNOWN
    return _resolved(instructions.use_of_class(n) if is_class else instructions.use(n), names)


class UseInFrame:
    """How a frame uses what its instruction gives, each instruction looked at once."""

    def __init__(self, look: Callable[[FrameType], Use]) -> None:
        self._look = look
        # (the identity of code, an instruction) -> the code, and the use.
        self._known: dict[tuple[int, int], tuple[CodeType, Use]] = {}

    def __call__(self, frame: FrameType) -> Use:
        key = id(frame.f_code), frame.f_lasti
        known = self._known.get(key)
        if known is None:
            if len(self._known) > 1000:  # of programs that make code without end
                self._known.clear()
            known = self._known[key] = frame.f_code, self._look(frame)
        return known[1]


def uses_of(code: CodeType, name: str, names: Mapping[str, Any]) -> set[Use]:
    """How code, and the code inside of it, uses a name of its module."""
    return {_resolved(use, names) for one in with_inner(code) if name in one.co_names for use in _uses(one, name)}


@functools.lru_cache(4096)
def _uses(code: CodeType, name: str) -> frozenset[Use | Path]:
    found = _instructions(code)
    kinds = enumerate(found.kinds)
    return frozenset([found.use(n) for n, kind in kinds if kind in _NAMES and found.all[n].argval == name])


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
    pairs = [pair for code in unit if _IS in code.co_code[::2] for pair in _comparisons(code)]
    mentions = bool(pairs) and not words.isdisjoint([name for code in unit for name in code.co_names])
    for pair in pairs:
        operands = [None if path is None else _value(path, names) for path in pair]
        if any((type(value) is type or is_ours(value)) and value in classes for value in operands):
            return True
        if mentions and all(value is _UNKNOWN for value in operands):
            return True
    return False


@functools.lru_cache(1024)
def _comparisons(code: CodeType) -> list[list[Path | None]]:
    found = _Instructions(code)
    return [found.operands(n) for n, kind in enumerate(found.kinds) if kind == "IS_OP"]
