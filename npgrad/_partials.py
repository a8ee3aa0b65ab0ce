"""Elementwise functions: their partial derivatives as declared, and the maps made of them.

A partial is declared once per input; vjp and jvp, for real and for complex results, follow from it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import CodeType
from typing import Any

import numpy as np

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


def parameters(function: Any) -> tuple[str, ...]:
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
    return eval(_code(f"lambda {head}, x, y, z, ans, w=None: {source}"), scope)


@functools.cache  # most partials are one of a few lines
def _code(source: str) -> CodeType:
    # Named after this file, so that it does not pass for the user's code.
    return compile(source, __file__, "eval")


class Factor:
    """A partial derivative as the factor or divisor of a cotangent: its value as a function of ``(x, y, z, ans)``, and the
    ufunc that applies it."""

    __slots__ = ("value", "apply")

    def __init__(self, value: Callable, apply: np.ufunc) -> None:
        self.value = value
        self.apply = apply


def _factor(operator: str, template: str, partial: Any, names: tuple[str, ...]) -> Factor:
    return Factor(_compile("_", template, partial, names), np.multiply if operator == "*" else np.divide)


Maps = tuple[Callable, Callable, Callable, frozenset[str], "Factor | None", "Factor | None"]


def _elementwise_maps(partial: Any) -> Maps:
    """(vjp for real results, vjp for complex results, jvp, what they need) of one declared partial derivative, and where it
    is a product the `Factor` for real and for complex results."""
    if isinstance(partial, Custom):
        vjp_names, jvp_names = parameters(partial.vjp), parameters(partial.jvp)
        vjp = _compile("ct", "{call}", partial.vjp, vjp_names)
        jvp = _compile("tangent", "{call}", partial.jvp, jvp_names)
        return vjp, vjp, jvp, frozenset(vjp_names + jvp_names) - {"ct", "tangent"}, None, None
    if partial in (1, -1):
        sign = "" if partial == 1 else "-"
        vjp = _compile("ct", f"{sign}ct", None, ())
        return vjp, vjp, _compile("tangent", f"{sign}tangent", None, ()), frozenset(), None, None
    operator = "*"
    if isinstance(partial, Over):
        operator, partial = "/", partial.divisor
    if isinstance(partial, np.ufunc):
        names: tuple[str, ...] = ("x",)
    else:
        names = (partial,) if isinstance(partial, str) else parameters(partial)
    vjp = _compile("ct", f"ct {operator} {{call}}", partial, names)
    complex_vjp = _compile("ct", f"ct {operator} conjugate({{call}})", partial, names)
    jvp = _compile("tangent", f"tangent {operator} {{call}}", partial, names)
    factors = _factor(operator, "{call}", partial, names), _factor(operator, "conjugate({call})", partial, names)
    return vjp, complex_vjp, jvp, frozenset(names), *factors


class Selection:
    """An elementwise rule for one set of tracked inputs: its maps (None for the others) and what must be saved."""

    __slots__ = (
        "rule", "vjps", "vjp_x", "vjp_y", "jvps", "needs", "keep_x", "keep_y", "keep_ans", "passes_x", "bits", "table",
        "factor_x", "factor_y",
    )  # fmt: skip

    def __init__(self, rule: Elementwise, mask: tuple[bool, ...], complex_result: bool, table: list[Selection]) -> None:
        chosen = [maps if tracked else None for maps, tracked in zip(rule.maps, mask, strict=True)]
        needs: frozenset[str] = frozenset().union(*(maps[3] for maps in chosen if maps))
        self.rule = rule
        self.vjps = tuple(None if maps is None else maps[1 if complex_result else 0] for maps in chosen)
        self.vjp_x, self.vjp_y = (*self.vjps, None, None)[:2]
        factors = tuple(None if maps is None else maps[5 if complex_result else 4] for maps in chosen)
        self.factor_x, self.factor_y = (*factors, None, None)[:2]
        self.jvps = tuple(None if maps is None else maps[2] for maps in chosen)
        self.bits = sum(tracked << i for i, tracked in enumerate(mask))
        # The selections for all masks, in the order of their bits.
        self.table = table
        self.needs = needs
        self.keep_x = "x" in needs
        self.keep_y = "y" in needs
        self.keep_ans = "ans" in needs
        # The cotangent goes on to the first input as it is: sums and differences.
        self.passes_x = self.vjp_x is not None and not needs and type(rule.partials[0]) is int and rule.partials[0] == 1


class Elementwise:
    """A rule for a ufunc: one partial derivative per input, of which everything else follows.

    ``exact_zeros``: with so many inputs or fewer differentiated by, an input whose partial is zero is not looked at, so that
    nothing flows back to it, be the cotangent infinite.
    """

    def __init__(self, function: Any, partials: tuple, output: int, exact_zeros: int = 0) -> None:
        self.exact_zeros = exact_zeros
        self.function = function
        self.name: str = getattr(function, "__name__", "constant")
        self.partials = partials
        self.nin = len(partials)
        # The rules of all outputs that carry a derivative; this one is the first that was declared.
        self.by_output = {output: self}

    # Made when first asked for: most programs use few ufuncs, and all pay for the import.

    @functools.cached_property
    def maps(self) -> list[tuple]:
        return [_elementwise_maps(partial) for partial in self.partials]

    @functools.cached_property
    def real(self) -> list[Selection]:
        """For results that are real: the selection for each mask of tracked inputs, in the order of their bits."""
        return self._selections(False)

    @functools.cached_property
    def complex(self) -> list[Selection]:
        return self._selections(True)

    def _selections(self, complex_result: bool) -> list[Selection]:
        masks = [tuple(bool(n >> i & 1) for i in range(self.nin)) for n in range(1 << self.nin)]
        table: list[Selection] = []
        table += [Selection(self, mask, complex_result, table) for mask in masks]
        return table
