"""What npgrad knows of each function: six collections, and the declarations that fill them.

Every public NumPy function is in exactly one of

* ``RULES``: own derivative, declared with `elementwise`, `custom`, `vjp` and `jvp`;
* ``COMPOSITES``: NumPy's own Python code (or a body of ours) decomposes into recorded calls;
* ``VIEWS``: the result looks at the argument's memory; its shadow is the same view;
* ``WRITES``: changes an argument in place;
* ``ZERO``: piecewise constant or not numeric, the result carries no derivative;
* ``UNSUPPORTED``: raises for tracked arguments, with the reason.

``tests/test_completeness.py`` proves it. A rule sees plain NumPy arrays (or traced ones, when an outer tape records);
never a tape, a storage or a view.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from ._compat import signature_of
from ._leaks import (
    warn_chosen as warn_chosen,
    warn_completed as warn_completed,
    warn_degenerate as warn_degenerate,
    warn_told_apart as warn_told_apart,
)
from ._limits import Parts as Parts
from ._partials import (
    INPUTS as INPUTS,
    Custom as Custom,
    Elementwise as Elementwise,
    custom as custom,
    over as over,
    parameters,
)

RULES: dict[Any, Any] = {}
COMPOSITES: dict[Any, Any] = {}
VIEWS: dict[Any, Callable] = {}
WRITES: dict[Any, Callable] = {}
ZERO: set[Any] = set()
UNSUPPORTED: dict[Any, str] = {}
CALLING_BACK: set[Any] = set()

COLLECTIONS: dict[str, Any] = {
    "own rule": RULES,
    "composite": COMPOSITES,
    "view": VIEWS,
    "write": WRITES,
    "zero": ZERO,
    "unsupported": UNSUPPORTED,
}

def elementwise(ufunc: Any, *partials: Any, output: int = 0, exact_zeros: int = 0) -> None:
    """Declare the partial derivatives of a ufunc, one per input.

    A partial is 1, -1, one of the names ``x y z ans``, a ufunc of x, a function whose parameter names say what it needs (and
    so what a tape saves), ``over(name or function)`` for one over it, or ``custom(vjp, jvp)``. ``output`` says which of
    several outputs carries the derivative (declare each that does); the others are piecewise constant. ``exact_zeros``: see
    `Elementwise`.
    """
    rule = Elementwise(ufunc, partials, output, exact_zeros)
    RULES.setdefault(ufunc, rule).by_output[output] = rule


class Spec:
    """Shape and dtype of an array, free to keep."""

    __slots__ = ("shape", "dtype")

    def __init__(self, array: Any) -> None:
        try:
            self.shape, self.dtype = array.shape, array.dtype
        except AttributeError:
            array = np.asarray(array)
            self.shape, self.dtype = array.shape, array.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)


class Maps:
    """What a `Call` goes by: maps by argument name, each with the names of what it needs."""

    __slots__ = ()

    # The values of arguments that are not given.
    defaults: Mapping[str, Any] = MappingProxyType({})
    # Reverse maps as pairs of factors: see `outer`.
    outers: Mapping[str, tuple[Callable, tuple[str, ...]]] = MappingProxyType({})
    is_elementwise = False


_METHODS: dict[Any, Callable] = {
    function: getattr(np.ndarray, function.__name__) for function in (np.sum, np.prod, np.max, np.min, np.cumsum, np.cumprod)
}


class Rule(Maps):
    """A declared rule."""

    def __init__(self, function: Any) -> None:
        self.function = function
        # The method of the array that computes the same without NumPy's Python code in between.
        self.method = _METHODS.get(function)
        self.name: str = getattr(function, "__name__", type(function).__name__)
        self.vjps: dict[str, tuple[Callable, tuple[str, ...]]] = {}
        self.jvps: dict[str, tuple[Callable, tuple[str, ...]]] = {}
        self.outers: dict[str, tuple[Callable, tuple[str, ...]]] = {}
        # Reverse maps as they were declared: one for several arguments comes with the place of each in its result.
        self.shared: dict[str, tuple[Callable, int | None]] = {}
        # What a call's arguments say, by which are given: see `GivenArguments`.
        self.given: dict[Any, GivenArguments | None] = {}
        # Arguments of which the result is piecewise constant. A tracked argument that is in neither table is refused.
        self.steps: set[str] = set()
        # Arguments that must have one of these values for the rule to hold.
        self.only: dict[str, tuple] = {}
        # Which result has values whose vectors are arbitrary where they are equal: see `parts`.
        self.parts: Callable | None = None
        # How such values are found together with their vectors: see `by_vectors`.
        self.by_vectors: Callable | None = None
        self._needs: dict[tuple[str, ...], Needs] = {}

    def flows_back(self, map_: Callable, names: tuple[str, ...], arguments: tuple[str, ...]) -> None:
        """Set the reverse map by one argument or by several; ``names`` is what it asks for."""
        for position, argument in enumerate(arguments):
            one = map_ if len(arguments) == 1 else _nth(map_, position)
            self.vjps[argument] = (one, names)
            self.shared[argument] = (map_, None if len(arguments) == 1 else position)
        self.forget()

    def flows_on(self, map_: Callable, names: tuple[str, ...], argument: str) -> None:
        self.jvps[argument] = (map_, names)
        self.forget()

    def forget(self) -> None:
        """Forget what was made of maps that were declared before."""
        self.given.clear()
        self._needs.clear()

    # What the signature says is read at the first call: to read all of NumPy's would be half of npgrad's import.

    @functools.cached_property
    def signature(self) -> inspect.Signature:
        return signature_of(self.function)

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(self.signature.parameters)

    @functools.cached_property
    def defaults(self) -> dict[str, Any]:  # type: ignore[override]
        return {
            name: parameter.default
            for name, parameter in self.signature.parameters.items()
            if parameter.default is not inspect.Parameter.empty
        }

    @functools.cached_property
    def variadic(self) -> str | None:
        kinds = {name: parameter.kind for name, parameter in self.signature.parameters.items()}
        return next((name for name, kind in kinds.items() if kind is inspect.Parameter.VAR_POSITIONAL), None)

    @functools.cached_property
    def sequence(self) -> str | None:
        """The argument that is a sequence of arrays."""
        return self.variadic or next((name for name in ("arrays", "tup") if name in self.names), None)

    @functools.cached_property
    def may_overwrite(self) -> bool:
        """Whether it has an argument that permits it to spoil its input."""
        return "overwrite_input" in self.names

    @functools.cached_property
    def out_position(self) -> int | None:
        return self.names.index("out") if "out" in self.names and not self.variadic else None

    def given_arguments(self, args: tuple, kwargs: dict) -> GivenArguments | None:
        """What calls with these arguments have in common; None if they are of a kind that no plan is made for."""
        key = (len(args), *kwargs) if kwargs else len(args)
        try:
            return self.given[key]
        except KeyError:
            names = (*self.names[: len(args)], *kwargs)
            plain = self.sequence is None and not self.only and "out" not in names and len(set(names)) == len(names)
            known = plain and len(args) <= len(self.names) and set(kwargs) <= set(self.names)
            made = self.given[key] = GivenArguments(names, self.vjps) if known else None
            return made

    def bind(self, args: tuple, kwargs: dict) -> dict[str, Any]:
        """The given arguments by name."""
        if self.variadic:
            before = self.names.index(self.variadic)
            bound = dict(zip(self.names[:before], args[:before], strict=False))
            bound[self.variadic] = args[before:]
        else:
            bound = dict(zip(self.names, args, strict=False))
        if kwargs:
            bound.update(kwargs)
        return bound

    def needs(self, tracked: tuple[str, ...]) -> Needs:
        """What the maps by these arguments ask for, besides the cotangent or tangent."""
        known = self._needs.get(tracked)
        if known is None:
            names: set[str] = set()
            for table in (self.vjps, self.jvps):
                for name in tracked:
                    if name in table:
                        names.update(table[name][1])
            if self.sequence in tracked:
                names.add(f"{self.sequence}_spec")
            specs = {name for name in names if name.endswith("_spec")}
            known = self._needs[tracked] = Needs(
                frozenset(names - specs - {"ct", "tangent", "ans"}),
                tuple([(name, name[:-5]) for name in sorted(specs - {"ans_spec"})]),
                "ans" in names,
                "ans_spec" in names,
            )
        return known


class GivenArguments:
    """The names of the arguments that are given in a call, which of them are differentiable (as bits), and the plans for its
    tracked ones."""

    __slots__ = ("names", "differentiable", "plans", "general")

    def __init__(self, names: tuple[str, ...], differentiable: Mapping[str, Any]) -> None:
        self.names = names
        self.differentiable = sum(1 << i for i, name in enumerate(names) if name in differentiable)
        self.plans: dict[int, Any] = {}
        # Whether such calls have given several results, or one that lies in memory in another way than a copy.
        self.general = False


class Needs(NamedTuple):
    """What the maps by some arguments ask for: values of arguments, (name, of which argument) of `Spec`, the result, its
    `Spec`."""

    values: frozenset[str]
    specs: tuple[tuple[str, str], ...]
    answer: bool
    answer_spec: bool


def _rule_for(function: Any) -> Rule:
    rule = RULES.get(function)
    if rule is None:
        rule = RULES[function] = Rule(function)
    return rule


def vjp(function: Any, *arguments: str) -> Callable:
    """Declare the reverse map of a function by the named arguments; the decorated function's parameter names are what
    it gets: ``ct``, ``ans``, arguments by NumPy's names, ``a_spec`` for shape and dtype only. For several arguments it
    returns one cotangent each; for an argument that is a sequence of arrays, a sequence of cotangents. Cotangents come
    with any number of extra leading axes, and go back with them."""

    def declare(map_: Callable) -> Callable:
        _rule_for(function).flows_back(map_, parameters(map_), arguments)
        return map_

    return declare


def _nth(map_: Callable, position: int) -> Callable:
    return lambda *args: map_(*args)[position]


def outer(function: Any, argument: str) -> Callable:
    """Declare what flows back into a matrix of shape (m, n) as two matrices of shapes (k, m) and (k, n), whose product it is
    when the first is transposed: of many calls the sweep makes one product. The map has the parameters of that of `vjp`, and
    returns None where it does not hold or is not worth it."""

    def declare(map_: Callable) -> Callable:
        _rule_for(function).outers[argument] = (map_, parameters(map_))
        return map_

    return declare


def steps(function: Any, *arguments: str) -> None:
    """Declare that the result is piecewise constant in these arguments (thresholds, conditions)."""
    _rule_for(function).steps.update(arguments)


def only(function: Any, argument: str, *values: Any) -> None:
    """Declare that there is a rule for these values of an argument only; others are refused at the call."""
    _rule_for(function).only[argument] = values


def jvp(function: Any, argument: str) -> Callable:
    """Declare the forward map of a function by one argument: parameters as for `vjp`, with ``tangent`` for ``ct``."""

    def declare(map_: Callable) -> Callable:
        _rule_for(function).flows_on(map_, parameters(map_), argument)
        return map_

    return declare


def parts(function: Any) -> Callable:
    """Declare which values among the results have arbitrary vectors where they are equal, by a map from the results and the
    arguments to a `Parts`, or to None if none are equal."""

    def declare(map_: Callable) -> Callable:
        _rule_for(function).parts = map_
        return map_

    return declare


def by_vectors(function: Any) -> Callable:
    """Declare how values that are found without their vectors are found with them, by a map from the result and the
    arguments to the values, or to None if none are equal."""

    def declare(map_: Callable) -> Callable:
        _rule_for(function).by_vectors = map_
        return map_

    return declare


def composite(*functions: Any, calls_back: bool = False) -> None:
    """NumPy's own Python code of these functions decomposes into recorded calls (see ``_twins``).

    ``calls_back`` says that they call a function of the user, which may bring in tracked data that no argument shows.
    """
    COMPOSITES.update(dict.fromkeys(functions))
    if calls_back:
        CALLING_BACK.update(functions)


def body(function: Any) -> Callable:
    """Declare a Python body that computes what ``function`` does by recorded calls, with the same parameters. The value
    the user sees is NumPy's own."""

    def declare(replacement: Callable) -> Callable:
        COMPOSITES[function] = replacement
        return replacement

    return declare


class ByIndex:
    """A function whose result is its argument, perhaps flattened, at an index; ``key`` gives both."""

    def __init__(self, key: Callable) -> None:
        self.key = key


def by_index(function: Any) -> Callable:
    """Declare at which index of which array a function finds its elements, by a map of NumPy's parameters."""

    def declare(key: Callable) -> Callable:
        COMPOSITES[function] = ByIndex(key)
        return key

    return declare


def view(function: Any) -> Callable:
    """Declare how a function that returns a view is reached by a method of the array."""

    def declare(method: Callable) -> Callable:
        VIEWS[function] = method
        return method

    return declare


def write(function: Any) -> Callable:
    """Declare what a function that changes its argument does, by recorded writes."""

    def declare(replacement: Callable) -> Callable:
        WRITES[function] = replacement
        return replacement

    return declare


def zero(*functions: Any) -> None:
    ZERO.update(functions)


def unsupported(reason: str, *functions: Any) -> None:
    UNSUPPORTED.update(dict.fromkeys(functions, reason))
