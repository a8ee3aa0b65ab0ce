"""Errors, and where in the user's code they happened.

A *leak* is traced data going where no hook sees it. This module knows how to say so; it does not decide what
is a leak (``_conversions``, ``_dispatch`` and ``_namespace`` do).
"""

from __future__ import annotations

import functools
import os
import sys
import warnings
from typing import NamedTuple, NoReturn

from ._bare_looks import names_of

_STDLIB = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
OWN_CODE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_INTERNAL = ("numpy.", "scipy.", "npgrad-twin-of-numpy.", "contextlib")


class LeakError(RuntimeError):
    """Traced data is about to go where its derivative cannot follow.

    The message names the file and line of the user's code, what would be lost, and the ways out.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> buffer = np.zeros(2)                       # made before the tape
    >>> with ng.GradientTape() as tape:
    ...     x = tape.watch(np.array([1.0, 2.0]))
    ...     try:
    ...         buffer[0] = x[0]
    ...     except ng.LeakError as error:
    ...         print("refused")
    refused
    """

    __module__ = "npgrad"  # where users find it


class LeakWarning(UserWarning):
    """What `LeakError` says, on a tape made with ``leaks="warn"``.

    Examples
    --------
    >>> import warnings, numpy as np, npgrad as ng
    >>> with warnings.catch_warnings(record=True) as seen, ng.GradientTape(leaks="warn") as tape:
    ...     warnings.simplefilter("always")
    ...     constant = float(tape.watch(2.0))
    >>> [warning.category.__name__ for warning in seen]
    ['LeakWarning']
    """

    __module__ = "npgrad"  # where users find it


class DegenerateWarning(RuntimeWarning):
    """A derivative that does not exist or lacks terms: of equal eigenvalues or singular values, or of trimmed coefficients.

    Where values are equal their vectors are arbitrary. A result that does not depend on the choice (a projection on the
    space that they span, a matrix function ``(v * f(w)) @ v.T``, a sum of the values) has a derivative, which is found. This
    is said where a result does depend on it, where equal values count in different ways, and where it cannot be followed how
    values part: inside a `checkpoint`, for instance.

    Series of numpy.polynomial lose leading coefficients that are exactly zero, and the derivatives of these.

    Examples
    --------
    >>> import warnings, numpy as np, npgrad as ng
    >>> with warnings.catch_warnings(record=True) as seen:
    ...     warnings.simplefilter("always")
    ...     rows = ng.jacobian(lambda a: np.linalg.eigh(a)[1])(np.eye(2))
    >>> seen[0].category.__name__
    'DegenerateWarning'
    """

    __module__ = "npgrad"  # where users find it


class NoRuleError(NotImplementedError):
    """A tracked array reached a function that has no derivative rule.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> from numpy.lib.recfunctions import merge_arrays
    >>> with ng.GradientTape() as tape:
    ...     x = tape.watch(np.array([3.0, 1.0]))
    ...     try:
    ...         merge_arrays((x, x))
    ...     except ng.NoRuleError as error:
    ...         print("no rule")
    no rule
    """

    __module__ = "npgrad"  # where users find it


def is_internal(module_name: str, file_name: str) -> bool:
    """Whether a frame belongs to NumPy, SciPy or npgrad rather than to the user."""
    return (
        module_name == "numpy"
        or module_name.startswith(_INTERNAL)
        or (file_name.startswith(OWN_CODE) and file_name != OWN_CODE + "__main__.py")
    )


@functools.lru_cache(4096)
def is_users_code(module: str | None, file: str = "") -> bool:
    """Whether code is the user's own. Installed packages are left as they are, unless `instrument` names them."""
    module = module if isinstance(module, str) else ""  # classes of Cython have a descriptor there
    top = module.partition(".")[0]
    if is_internal(module, file) or top == "npgrad":
        return False
    origin = file or _origin(module)
    elsewhere = os.path.isabs(origin) and not origin.startswith(_STDLIB)  # a program of the user's called calendar.py
    if top in sys.stdlib_module_names and top != "__main__" and not elsewhere:
        return False
    return "site-packages" not in origin and "dist-packages" not in origin


def _origin(module: str) -> str:
    """Where a module comes from, or the nearest package around it that says so: one without an ``__init__`` has no file, but
    a path."""
    while module:
        known = names_of(sys.modules.get(module))
        file = known.get("__file__") or next(iter(known.get("__path__") or ()), None)
        if isinstance(file, str):
            return file
        module = module.rpartition(".")[0]
    return ""


class Place(NamedTuple):
    """Where in the user's code something happened."""

    file: str
    line: int
    scope: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.file else "<unknown>"


def user_place() -> Place:
    """The line of the innermost frame that is neither NumPy's, SciPy's, npgrad's nor, if there is another, Python's own."""
    frame = sys._getframe(1)
    found = Place("", 0, "")
    while frame is not None:
        code = frame.f_code
        file = code.co_filename
        if not is_internal(frame.f_globals.get("__name__") or "", file):
            if not is_pythons_file(file):
                return Place(file, frame.f_lineno, code.co_qualname)
            found = found if found.file else Place(file, frame.f_lineno, code.co_qualname)
        frame = frame.f_back  # type: ignore[assignment]
    return found


def is_pythons_file(file: str) -> bool:
    """Whether a file is of the standard library (``statistics.mean(x)``)."""
    return (file.startswith(_STDLIB) and "-packages" not in file) or file.startswith("<frozen ")


def called_by_numpy() -> bool:
    """Whether the code that called npgrad is Python code of NumPy."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(OWN_CODE):
        frame = frame.f_back  # type: ignore[assignment]
    return frame is not None and (frame.f_globals.get("__name__") or "").startswith(("numpy", "npgrad-twin-of-numpy"))


def user_location() -> str:
    """``file:line`` of the user's code."""
    return str(user_place())


WAYS_OUT = (
    "Ways out: make the buffer inside the tape (np.zeros, np.empty ... are followed there) or wrap it in npgrad.array; "
    "put `with npgrad.instrument(module):` around the tape if a module made the buffer before; "
    "use npgrad.stop_gradient where the value is meant to be constant; "
    'or pass leaks="warn" or leaks="ignore" to the tape or the functional API.'
)

USE_PLAIN = "Use an array of numbers for each field, and np.where in place of a mask."


def warn(message: str, category: type[Warning]) -> None:
    """Warn at the line of the user's code."""
    place = user_place()
    warnings.warn_explicit(message, category, place.file or "<unknown>", place.line)


def leak_message(what: str, cure: str = WAYS_OUT) -> str:
    return f"{user_location()}: {what}. {cure}"


def refuse(records: tuple, what: str, cure: str = WAYS_OUT) -> None:
    """Raise, warn or let pass, as the strictest of the recording tapes wants; note it for ``gradient``."""
    message = leak_message(what, cure)
    modes = {record.leaks for record in records}
    if "raise" in modes:
        for record in records:
            record.noted_leaks.append(message)
        raise LeakError(message)
    place = user_place()
    for record in records:
        if record.cuts is not None:
            record.cuts.append((None, f"{what} (a leak that was let pass)", place))
    if "warn" in modes:
        warn(message, LeakWarning)


def warn_degenerate(what: str) -> None:
    warn(
        f"The derivative goes through {what} of equal values, and how they part cannot be followed here. It is right if the "
        "result depends only on the space that they span; a function of the values between them, as (v * f(w)) @ v.T, lacks "
        "terms. Compute matrix functions by products, solve or inv, or move the values apart (docs/kinks.md).",
        DegenerateWarning,
    )


def warn_chosen(what: str) -> None:
    warn(
        f"The result depends on the choice of {what} of equal values, which is arbitrary: it has no derivative, and that of "
        "the choice as it is, is taken. What depends on the space that they span has one (docs/kinks.md).",
        DegenerateWarning,
    )


def warn_further() -> None:
    warn(
        "A tape takes more than one derivative of its own sweeps through vectors of equal values. These lack terms: take "
        "each with a tape of its own (docs/kinks.md).",
        DegenerateWarning,
    )


def warn_told_apart(what: str) -> None:
    warn(
        f"Equal {what} have different shares in the derivative. One by one they have no derivative, and that of an "
        "arbitrary choice of vectors is taken. What depends on them in the same way, as their sum, has one (docs/kinks.md).",
        DegenerateWarning,
    )


def warn_completed(what: str) -> None:
    warn(
        f"The columns that complete the basis of {what} have a share in the derivative of their own. They are arbitrary, "
        "and the derivative holds for functions of the space that they span (docs/kinks.md).",
        DegenerateWarning,
    )


def warn_trimmed() -> None:
    warn(
        "numpy.polynomial takes off leading coefficients that are zero, and with them their derivatives. It is right "
        "if they are meant to stay zero; else move them off zero, or multiply with np.convolve (docs/kinks.md).",
        DegenerateWarning,
    )


def refuse_unrecorded() -> NoReturn:
    """An array of our class that no hook of ours has made (``plain.dot(traced)`` and the like)."""
    raise LeakError(
        leak_message(
            "this array was made by compiled code from traced data, so its derivative is lost (plain.dot(traced), "
            "numpy.ma and solve of SciPy's splu do that)",
            "Write plain @ traced or np.dot(plain, traced), make the plain array traced with npgrad.array, use np.where for "
            "a mask, or factorise inside of the tape.",
        )
    )
