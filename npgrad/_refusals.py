"""Functions without a derivative rule: how they are named, and refused."""

from __future__ import annotations

import sys
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
    "Ways out: write it with functions that have one (docs/coverage.md), declare a rule with npgrad.extend, or "
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


# From where on and until where the loops of scipy.special move the pointers that NumPy goes on with behind a gap.
_MOVES_POINTERS = (1, 15), (1, 18)


def refuse_gaps(ufunc: Any, mask: Any) -> None:
    """Raise for a mask with gaps and a ufunc that does not heed them: its values are wrong, and it writes past them."""
    name = ufunc.__name__
    if getattr(sys.modules.get("scipy.special._special_ufuncs"), name, None) is not ufunc or np.all(mask):
        return
    version, (first, mended) = sys.modules["scipy"].__version__, _MOVES_POINTERS
    if first <= tuple(map(int, version.split(".")[:2])) < mended:
        fault = "leaves out elements where where= has gaps, and writes past out"
        cure = f"Compute the chosen elements alone, out[mask] = scipy.special.{name}(x[mask]); SciPy 1.18 is right."
        raise NoRuleError(leak_message(f"scipy.special.{name} of SciPy {version} {fault}", cure))
