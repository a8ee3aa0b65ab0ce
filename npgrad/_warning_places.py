"""Where NumPy's warnings point to while a tape records: the user's line.

NumPy's C code warns at the innermost frame of Python, which is npgrad's. Filters by module would not apply to it, and of two
lines of the user's that warn of the same the second would be silent, as having been shown before.
"""

from __future__ import annotations

import sys
import warnings
from types import FrameType
from typing import Any

from ._leaks import OWN_CODE, is_internal

# What the interpreter calls for a warning that has passed the filters.
_show: Any = getattr(warnings, "_showwarnmsg", None)


def _show_at_the_users_line(message: Any) -> None:
    """Decide anew, by the filters and for the place of the user's code, what is done with a warning of npgrad's frames."""
    frame: FrameType | None = sys._getframe(1) if message.filename.startswith(OWN_CODE) else None
    while frame is not None and is_internal(frame.f_globals.get("__name__") or "", frame.f_code.co_filename):
        if frame.f_code.co_filename.startswith(OWN_CODE):
            frame.f_globals.pop("__warningregistry__", None)  # where it is noted as having been shown
        frame = frame.f_back
    if frame is None:
        _show(message)
        return
    getattr(warnings, "onceregistry", {}).pop((str(message.message), message.category), None)
    names = frame.f_globals
    registry = names.setdefault("__warningregistry__", {})
    module = names.get("__name__") or "<unknown>"
    warnings.warn_explicit(
        message.message, message.category, frame.f_code.co_filename, frame.f_lineno, module, registry, source=message.source
    )


def put() -> None:
    if _show is not None:
        warnings._showwarnmsg = _show_at_the_users_line  # type: ignore[attr-defined]


def take_away() -> None:
    if _show is not None:
        warnings._showwarnmsg = _show  # type: ignore[attr-defined]
