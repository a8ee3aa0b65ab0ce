"""Functions and methods of other libraries that tapes record, one entry a call: the value is the library's own, and the
derivative a rule, with maps like those of NumPy's functions.

A rule of NumPy's serves again where the function is the same by other names (`LibraryRule.same_as`). Where a call has other
arguments than its rule, as for a method of an object whose arrays a tape must keep, the declared `parts` translate them.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from ._libraries import Library
from ._partials import parameters
from ._registry import RULES, Rule

# Function -> its rules, of which a call goes by the first that covers it.
FOLLOWED: dict[Any, tuple[LibraryRule, ...]] = {}
# The same for methods, by class and name.
FOLLOWED_METHODS: dict[tuple[type, str], tuple[LibraryRule, ...]] = {}
# The same for methods of objects that compiled code holds, in whose class no other can be put.
FOLLOWED_OBJECTS: dict[type, dict[str, tuple[LibraryRule, ...]]] = {}
# The code of operators that do nothing but call a followed method: who called them is taken for its caller.
OPERATORS: set[CodeType] = set()
# Functions that make such objects of a matrix -> whether they are only nearly what they stand for.
MAKERS: dict[Any, bool] = {}
# Compiled functions that write into arrays they are given -> what they write, as recorded calls; None, if this has no
# derivative.
KERNELS: dict[Any, Kernel | None] = {}
# Functions that call the user's, by name -> what gives their result with its derivative, of the function and its arguments.
ANSWERING: dict[str, Callable[[Callable, tuple, dict], Any]] = {}
# What comes with a cotangent or tangent, and no argument of the function is.
_OF_CALL = ("ct", "tangent", "ans", "ans_spec")


class LibraryRule(Rule):
    """A rule for functions of a library. A call is followed if ``parts`` gives arguments for it, these have the values that
    ``only`` allows, and all tracked data is in arguments with a map; all others go to the library as they are, which refuses
    them by name."""

    def __init__(self, function: Callable, parts: Callable | None = None, **only: tuple) -> None:
        super().__init__(function)
        self.parts_of = parts
        self.accepted = only

    def vjp(self, *arguments: str) -> Callable[[Callable], Callable]:
        """As `npgrad._registry.vjp`."""

        def declare(map_: Callable) -> Callable:
            self.flows_back(map_, self._known(parameters(map_)), arguments)
            return map_

        return declare

    def jvp(self, *arguments: str) -> Callable[[Callable], Callable]:
        """As `npgrad._registry.jvp`; the same map may be for several arguments."""

        def declare(map_: Callable) -> Callable:
            for argument in arguments:
                self.flows_on(map_, self._known(parameters(map_)), argument)
            return map_

        return declare

    def same_as(self, rule: Rule, **named: Any) -> None:
        """Let the rule of a function of NumPy's be this one's. ``named`` says for each argument that its maps ask for which
        argument of ours it is, or how it is computed from some of ours: a function with their names for parameters."""
        ours = {theirs: name for theirs, name in named.items() if isinstance(name, str)}
        arguments = tuple([theirs for theirs in rule.vjps if theirs in ours])
        for map_ in dict.fromkeys(rule.shared[argument][0] for argument in arguments):
            together = tuple([argument for argument in arguments if rule.shared[argument][0] is map_])
            made, asked = self._renamed(map_, rule.vjps[together[0]][1], named)
            self.flows_back(made, asked, tuple([ours[name] for name in together]))
        for argument in arguments:
            map_, names = rule.jvps[argument]
            made, asked = self._renamed(map_, names, named)
            self.flows_on(made, asked, ours[argument])
        self.parts = rule.parts
        if (by_vectors := rule.by_vectors) is not None:
            self.by_vectors = lambda ans, bound: by_vectors(ans, _translated(bound, named, self.defaults))

    def _renamed(self, map_: Callable, names: tuple[str, ...], named: dict[str, Any]) -> tuple[Callable, tuple[str, ...]]:
        """A map with arguments of NumPy's names as one that asks for ours."""
        sources: list[Any] = []
        for name in names:
            of, suffix = (name[:-5], "_spec") if name.endswith("_spec") and name != "ans_spec" else (name, "")
            source = name if name in _OF_CALL else named[of]
            sources.append(source + suffix if isinstance(source, str) else source)
        makers = [(parameters(source) if callable(source) else (source,), source) for source in sources]
        asked = self._known(tuple(dict.fromkeys(name for wanted, _ in makers for name in wanted)))
        places = [([asked.index(name) for name in wanted], source) for wanted, source in makers]

        def translated(*values: Any) -> Any:
            given = [
                source(*[values[n] for n in where]) if callable(source) else values[where[0]] for where, source in places
            ]
            return map_(*given)

        return translated, asked

    def _known(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Names that maps ask for; an argument that the installed version does not have is None."""
        for name in names:
            of = name.removesuffix("_spec")
            if of not in _OF_CALL and of not in self.names:
                self.defaults.setdefault(of, None)
        return names

    def knows(self, argument: str) -> bool:
        """Whether there is a derivative by an argument, be it zero."""
        return argument in self.vjps or argument in self.steps

    def arguments(self, args: tuple, kwargs: dict) -> dict[str, Any] | None:
        """What the rule gets of a call, by name; None if such calls are not followed."""
        if self.parts_of is not None:
            bound: dict[str, Any] | None = self.parts_of(*args, **kwargs)
        else:
            bound = self.bind(args, kwargs)
        if bound is None:
            return None
        given = [(bound[name], values) for name, values in self.accepted.items() if name in bound]
        return bound if all(_is_one_of(value, values) for value, values in given) else None


class LibraryBody(LibraryRule):
    """A body of ours for functions of a library, with their parameters: it computes the same by recorded calls. The value is
    the library's own, which a body that asks for ``ans`` is given. A call is followed if no tracked data is in ``constant``
    arguments, and if ``when`` says so, a function of some arguments by name."""

    def __init__(self, body: Callable, constant: tuple[str, ...] = (), when: Callable | None = None, **only: tuple) -> None:
        super().__init__(body, None, **only)
        self.constant = constant
        self.when = when

    def knows(self, argument: str) -> bool:
        return argument not in self.constant

    def arguments(self, args: tuple, kwargs: dict) -> dict[str, Any] | None:
        bound = super().arguments(args, kwargs)
        if bound is None or self.when is None:
            return bound
        values = {**self.defaults, **bound}
        return bound if self.when(*[values[name] for name in parameters(self.when)]) else None


class Kernel(NamedTuple):
    """What a compiled function does with data. ``run(function, plain)`` runs it on plain arrays and says what the recorded
    calls need to know, what it has written where, and its result; ``made(args, known)`` writes the same by recorded calls.
    ``out`` is the argument that is written, from its beginning; None where the last result is new."""

    run: Callable[[Callable, list], tuple[Any, Any, Any]]
    made: Callable[[list, Any], Any]
    out: int | None


class Fields:
    """What a body returns for a result with names: the items of a tuple in their order, and its further attributes."""

    def __init__(self, items: tuple, **named: Any) -> None:
        self.items, self.named = items, named


def _is_one_of(value: Any, values: tuple) -> bool:
    kind = type(value)
    return any(value is one or (kind is type(one) and kind in (str, int, float) and value == one) for one in values)


def _translated(bound: dict[str, Any], named: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    values = {**defaults, **bound}
    return {
        theirs: values[source] if isinstance(source, str) else source(*[values[name] for name in parameters(source)])
        for theirs, source in named.items()
    }


# Class -> the attributes of its objects in which they hold data that may be tracked, each with its names in all versions.
ATTRIBUTES: dict[type, tuple[tuple[str, ...], ...]] = {}
# The same for classes that hold it in an array of lists, one number for each entry.
LISTS: dict[type, str] = {}


@functools.cache
def attributes_of(kind: type) -> tuple[tuple[str, ...], ...]:
    """Where objects of a class hold data that may be tracked."""
    return next((ATTRIBUTES[base] for base in kind.__mro__ if base in ATTRIBUTES), ())


def holding(library: Library, name: str, *attributes: tuple[str, ...]) -> None:
    """Let objects of a class hold tracked data."""
    ATTRIBUTES[getattr(library, name)] = attributes
    attributes_of.cache_clear()


def _of_old(*args: Any, **kwargs: Any) -> None:
    """Stands for a function that the installed version does not have."""


def constant(value: Any) -> Any:
    """A plain copy of an argument without derivative, which maps give to compiled code."""
    return np.array(value, subok=False)


def numpys(module: ModuleType, name: str) -> Rule:
    """The rule of a function of NumPy's, also while another function stands for it by name."""
    rule: Rule = RULES[vars(module)[name]]
    return rule


def follow(library: Library, name: str, **only: tuple) -> LibraryRule:
    """A rule for a function, without maps yet; ``only`` has the values that arguments must have."""
    function = vars(sys.modules[library.name]).get(name)
    rule = LibraryRule(_of_old if function is None else function, None, **only)
    follow_by(rule, library, name)
    return rule


def follow_by(rule: LibraryRule, library: Library, *names: str) -> None:
    """Let functions be followed by a rule that has arguments of its own."""
    for name in names:
        function = vars(sys.modules[library.name]).get(name)
        if function is not None:
            FOLLOWED[function] = (*FOLLOWED.get(function, ()), rule)


def follow_method(rule: LibraryRule | None, kinds: list[type], *names: str) -> None:
    """Let methods be followed by a rule, in the classes where these have them from; by none, refused where their object
    holds tracked data."""
    for kind in kinds:
        for name in names:
            owner = next((one for one in kind.__mro__ if name in vars(one)), None)
            if owner is not None and owner is not object:
                rules = () if rule is None else (rule,)
                FOLLOWED_METHODS[owner, name] = tuple(dict.fromkeys(FOLLOWED_METHODS.get((owner, name), ()) + rules))


def follow_operators(rule: LibraryRule, kinds: list[type], method: str, *operators: str) -> None:
    """Let a method be followed which operators call: the caller of these counts as its caller."""
    follow_method(rule, kinds, method)
    OPERATORS.update(getattr(kind, operator).__code__ for kind in kinds for operator in operators)


def follow_object(rule: LibraryRule, library: Library, kind: str, *names: str) -> None:
    """Let methods of a class of compiled code be followed by a rule, whose ``parts`` get the object first."""
    made = vars(sys.modules[library.name]).get(kind)
    if made is not None:
        FOLLOWED_OBJECTS[made] = dict.fromkeys(names, (rule,))


def follow_maker(library: Library, *names: str, nearly: bool = False) -> None:
    """Let functions make objects with methods that are followed, or give such a method."""
    held = vars(sys.modules[library.name])
    MAKERS.update({held[name]: nearly for name in names if name in held})
