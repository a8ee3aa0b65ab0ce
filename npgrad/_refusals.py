"""Functions without a derivative rule: how they are named, and refused."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._leaks import NoRuleError, leak_message
from ._registry import UNSUPPORTED, Custom

# The module of a function that does not know it.
HOMES: dict[Any, str] = {}


def lacking(reason: str) -> Custom:
    """For an input by which no derivative is known: raises when one is asked for."""

    def refuse(ct: Any) -> Any:
        raise NoRuleError(leak_message(f"no derivative rule {reason}", _WITHOUT_RULE))

    return Custom(refuse, lambda tangent: refuse(tangent))


def name_of(function: Any) -> str:
    name = getattr(function, "__name__", str(function))
    module = getattr(function, "__module__", None) or HOMES.get(function) or ("numpy" if hasattr(np, name) else None)
    return f"{module}.{name}" if module else name


_WITHOUT_RULE = (
    "Ways out: write it with functions that have one (docs/coverage.md), declare a rule with npgrad.custom_gradient, or "
    "take the derivative out with npgrad.stop_gradient."
)


def refuse_function(function: Any, reason: str = "no rule yet") -> None:
    """Raise for a function without a derivative rule."""
    reason = UNSUPPORTED.get(function, reason)
    raise NoRuleError(
        leak_message(
            f"{name_of(function)} has no derivative rule for a tracked array ({reason})",
            _WITHOUT_RULE,
        )
    )
