"""Refusals that the pages of the documentation promise. Whatever else is raised where plain NumPy runs is a failure."""

from __future__ import annotations

import re

import numpy as np

import npgrad as ng

# Part of the message, and the page that says so.
PROMISES = (
    ("turned into a plain float", "docs/leaks.md: float(x)"),
    ("turns traced values into plain numbers", "docs/leaks.md: x.item(), x.tolist()"),
    ("turns a traced value into a plain number", "docs/leaks.md: x.item(), x.tolist()"),
    ("turned into a plain complex", "docs/leaks.md: complex(x)"),
    ("written into a plain array", "docs/leaks.md: out=plain"),
    ("takes traced data into compiled code", "docs/errors.md: compiled code"),
    ("a method of a plain array takes traced data", "docs/leaks.md: plain.dot(x)"),
    ("made by compiled code", "docs/leaks.md: plain.dot(x)"),
    ("the bits of a traced array", "docs/leaks.md: x.view(np.int64)"),
    ("has no derivative rule", "docs/errors.md: NoRuleError"),
    ("as_strided, imported before the tape", "docs/leaks.md: as_strided"),
    ("writes into a view whose elements share memory", "docs/leaks.md: out= and += where elements share memory"),
    ("are written into the same memory", "docs/leaks.md: np.modf(x, a, a)"),
    ("is used as a key", "docs/leaks.md: {x[0]: 1}"),
    ("looks beyond the memory", "docs/leaks.md: as_strided"),
    ("reads the memory that it writes", "docs/leaks.md: np.concatenate([x[:3]], out=x[::2])"),
    ("reads what it has written", "docs/leaks.md: np.concatenate([x[:3]], out=x[::2])"),
    ("did not apply itself to one element after the other", "docs/errors.md: NoRuleError"),
    ("no derivative rule for", "docs/errors.md: NoRuleError"),
)


def stretches(text: str) -> bool:
    """Whether a program has arrays that NumPy lets it write into, though with a warning, and npgrad does not."""
    return re.search(r"broadcast_arrays|meshgrid", text) is not None


def promised(error: Exception, text: str) -> str | None:
    """The page that promises to refuse the program of this text with this error, None if there is none."""
    if isinstance(error, ng.DegenerateWarning):
        return "docs/kinks.md: equal eigenvalues"
    if isinstance(error, np.linalg.LinAlgError) and "linalg.qr" in text:
        return "docs/kinks.md: qr of columns that depend on each other"
    if isinstance(error, TypeError) and "Cannot construct a dtype from an array" in str(error):
        return "docs/leaks.md: np.zeros(3, x0)"
    if isinstance(error, NotImplementedError) and "of a traced array is not followed" in str(error):
        return "docs/leaks.md: x.setfield and its kin"
    if isinstance(error, ValueError) and "read-only" in str(error) and stretches(text):
        return "docs/leaks.md: writing into a stretched array"
    if not isinstance(error, (ng.LeakError, ng.NoRuleError)):
        return None
    message = str(error)
    page = next((page for part, page in PROMISES if part in message), None)
    if page and isinstance(error, ng.NoRuleError):
        named = re.search(r"(\S+) has no derivative rule|no derivative rule for (\S+)", message)
        return f"{page} ({named.group(1) or named.group(2) if named else '?'})"
    return page
