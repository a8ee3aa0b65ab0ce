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

import inspect
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from ._compat import signature_of
from ._leaks import warn_degenerate as warn_degenerate

RULES: dict[Any, Any] = {}
COMPOSITES: dict[Any, Callable | None] = {}
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

# --- Elementwise functions -----------------------------------------------------------------------------------------

INPUTS = ("x", "y", "z", "w")


class Over:
    """A partial derivative ``1 / divisor``, declared so that the sweep divides once."""

    def __init__(self, divisor: Callable | str) -> None:
        self.divisor = divisor


class Custom:
    """The vjp and jvp of a function by one input, where they are not products with a partial derivative."""

    def __init__(self, vjp: Callable, jvp: Callable) -> None:
        self.vjp = vjp
        self.jvp = jvp


over = Over
custom = Custom


def _parameters(function: Any) -> tuple[str, ...]:
    """What a map asks for; a parameter with a default value is its own affair."""
    return tuple(function.__code__.co_varnames[: function.__code__.co_argcount - len(function.__defaults__ or ())])


def _conjugate(factor: Any) -> Any:
    return np.conjugate(factor) if np.iscomplexobj(factor) else factor


def _compile(head: str, template: str, function: Callable | str | None, names: tuple[str, ...]) -> Callable:
    """A function of ``(head, x, y, z, ans, w)`` from a declared one of some of these names.

    The declaration names what it needs; the sweep passes everything by position. One generated lambda joins the two,
    so that nothing is looked up or packed when it runs.
    """
    source = template.format(call=function if isinstance(function, str) else f"f({', '.join(names)})")
    scope = {"f": function, "conjugate": _conjugate}
    return eval(f"lambda {head}, x, y, z, ans, w=None: {source}", scope)


def _elementwise_maps(partial: Any) -> tuple[Callable, Callable, Callable, frozenset[str]]:
    """(vjp for real results, vjp for complex results, jvp, what they need) of one declared partial derivative."""
    if isinstance(partial, Custom):
        vjp_names, jvp_names = _parameters(partial.vjp), _parameters(partial.jvp)
        vjp = _compile("ct", "{call}", partial.vjp, vjp_names)
        jvp = _compile("tangent", "{call}", partial.jvp, jvp_names)
        return vjp, vjp, jvp, frozenset(vjp_names + jvp_names) - {"ct", "tangent"}
    if partial in (1, -1):
        sign = "" if partial == 1 else "-"
        vjp = _compile("ct", f"{sign}ct", None, ())
        return vjp, vjp, _compile("tangent", f"{sign}tangent", None, ()), frozenset()
    operator = "*"
    if isinstance(partial, Over):
        operator, partial = "/", partial.divisor
    if isinstance(partial, np.ufunc):
        names: tuple[str, ...] = ("x",)
    else:
        names = (partial,) if isinstance(partial, str) else _parameters(partial)
    vjp = _compile("ct", f"ct {operator} {{call}}", partial, names)
    complex_vjp = _compile("ct", f"ct {operator} conjugate({{call}})", partial, names)
    jvp = _compile("tangent", f"tangent {operator} {{call}}", partial, names)
    return vjp, complex_vjp, jvp, frozenset(names)


class Selection:
    """An elementwise rule for one set of tracked inputs: its maps (None for the others) and what must be saved."""

    __slots__ = (
        "rule", "vjps", "vjp_x", "vjp_y", "jvps", "needs", "keep_x", "keep_y", "keep_ans", "bits", "table",
    )  # fmt: skip

    def __init__(self, rule: Elementwise, mask: tuple[bool, ...], complex_result: bool, table: list[Selection]) -> None:
        chosen = [maps if tracked else None for maps, tracked in zip(rule.maps, mask, strict=True)]
        needs: frozenset[str] = frozenset().union(*(maps[3] for maps in chosen if maps))
        self.rule = rule
        self.vjps = tuple(None if maps is None else maps[1 if complex_result else 0] for maps in chosen)
        self.vjp_x, self.vjp_y = (*self.vjps, None, None)[:2]
        self.jvps = tuple(None if maps is None else maps[2] for maps in chosen)
        self.bits = sum(tracked << i for i, tracked in enumerate(mask))
        # The selections for all masks, in the order of their bits.
        self.table = table
        self.needs = needs
        self.keep_x = "x" in needs
        self.keep_y = "y" in needs
        self.keep_ans = "ans" in needs


class Elementwise:
    """A rule for a ufunc: one partial derivative per input, of which everything else follows."""

    __slots__ = ("function", "name", "maps", "nin", "real", "complex", "by_output")

    def __init__(self, function: Any, partials: tuple, output: int) -> None:
        self.function = function
        self.name: str = getattr(function, "__name__", "constant")
        self.nin = len(partials)
        # The rules of all outputs that carry a derivative; this one is the first that was declared.
        self.by_output = {output: self}
        self.maps = [_elementwise_maps(partial) for partial in partials]
        masks = [tuple(bool(n >> i & 1) for i in range(self.nin)) for n in range(1 << self.nin)]
        self.real: list[Selection] = []
        self.complex: list[Selection] = []
        self.real += [Selection(self, mask, False, self.real) for mask in masks]
        self.complex += [Selection(self, mask, True, self.complex) for mask in masks]


def elementwise(ufunc: Any, *partials: Any, output: int = 0) -> None:
    """Declare the partial derivatives of a ufunc, one per input.

    A partial is 1, -1, one of the names ``x y z ans``, a ufunc of x, a function whose parameter names say what it needs (and
    so what a tape saves), ``over(name or function)`` for one over it, or ``custom(vjp, jvp)``. ``output`` says which of
    several outputs carries the derivative (declare each that does); the others are piecewise constant.
    """
    rule = Elementwise(ufunc, partials, output)
    RULES.setdefault(ufunc, rule).by_output[output] = rule


# --- Other functions -----------------------------------------------------------------------------------------------


class Spec:
    """Shape and dtype of an array, free to keep."""

    __slots__ = ("shape", "dtype")

    def __init__(self, array: Any) -> None:
        try:
            self.shape = array.shape
            self.dtype = array.dtype
        except AttributeError:
            array = np.asarray(array)
            self.shape = array.shape
            self.dtype = array.dtype

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
    is_elementwise = False


_METHODS: dict[Any, Callable] = {
    function: getattr(np.ndarray, function.__name__)
    for function in (np.sum, np.prod, np.max, np.min, np.cumsum, np.cumprod)
}


class Rule(Maps):
    """A declared rule."""

    def __init__(self, function: Any) -> None:
        self.function = function
        # The method of the array that computes the same without NumPy's Python code in between.
        self.method = _METHODS.get(function)
        self.name: str = getattr(function, "__name__", type(function).__name__)
        self.signature = signature_of(function)
        self.names = tuple(self.signature.parameters)
        self.defaults = {
            name: parameter.default
            for name, parameter in self.signature.parameters.items()
            if parameter.default is not inspect.Parameter.empty
        }
        self.variadic = next(
            (n for n, p in self.signature.parameters.items() if p.kind is inspect.Parameter.VAR_POSITIONAL), None
        )
        # The argument that is a sequence of arrays.
        self.sequence = self.variadic or ("arrays" if "arrays" in self.names else None)
        self.vjps: dict[str, tuple[Callable, tuple[str, ...]]] = {}
        self.jvps: dict[str, tuple[Callable, tuple[str, ...]]] = {}
        # Arguments of which the result is piecewise constant. A tracked argument that is in neither table is refused.
        self.steps: set[str] = set()
        # Arguments that must have one of these values for the rule to hold.
        self.only: dict[str, tuple] = {}
        self.out_position = self.names.index("out") if "out" in self.names and not self.variadic else None
        self._needs: dict[tuple[str, ...], Needs] = {}

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
        rule = _rule_for(function)
        for position, argument in enumerate(arguments):
            one = map_ if len(arguments) == 1 else _nth(map_, position)
            rule.vjps[argument] = (one, _parameters(map_))
        return map_

    return declare


def _nth(map_: Callable, position: int) -> Callable:
    return lambda *args: map_(*args)[position]


def steps(function: Any, *arguments: str) -> None:
    """Declare that the result is piecewise constant in these arguments (thresholds, conditions)."""
    _rule_for(function).steps.update(arguments)


def only(function: Any, argument: str, *values: Any) -> None:
    """Declare that there is a rule for these values of an argument only; others are refused at the call."""
    _rule_for(function).only[argument] = values


def jvp(function: Any, argument: str) -> Callable:
    """Declare the forward map of a function by one argument: parameters as for `vjp`, with ``tangent`` for ``ct``."""

    def declare(map_: Callable) -> Callable:
        _rule_for(function).jvps[argument] = (map_, _parameters(map_))
        return map_

    return declare


def composite(*functions: Any, calls_back: bool = False) -> None:
    """NumPy's own Python code of these functions decomposes into recorded calls (see ``_twins``).

    ``calls_back`` says that they call a function of the user, which may bring in tracked data that no argument shows.
    """
    for function in functions:
        COMPOSITES[function] = None
    if calls_back:
        CALLING_BACK.update(functions)


def body(function: Any) -> Callable:
    """Declare a Python body that computes what ``function`` does by recorded calls, with the same parameters. The value
    the user sees is NumPy's own."""

    def declare(replacement: Callable) -> Callable:
        COMPOSITES[function] = replacement
        return replacement

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
    for function in functions:
        UNSUPPORTED[function] = reason
