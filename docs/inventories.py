"""What the site links to in the pages of Python and NumPy, known without asking their servers.

An inventory is made of the installed package itself: NumPy's reference has one page per name, Python's has all exceptions
and built-in functions on one page each.
"""

from __future__ import annotations

import builtins
import inspect
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).with_name("generated")
PYTHON = "https://docs.python.org/3/"
NUMPY = "https://numpy.org/doc/stable/"


def python_names() -> Iterator[tuple[str, str, str]]:
    """Name, role and address of each built-in exception and function."""
    for name, value in vars(builtins).items():
        if inspect.isclass(value) and issubclass(value, BaseException):
            yield name, "py:exception", "library/exceptions.html#$"
        elif inspect.isclass(value):
            yield name, "py:class", "library/functions.html#$"
        elif inspect.isbuiltin(value):
            yield name, "py:function", "library/functions.html#$"


def numpy_names() -> Iterator[tuple[str, str, str]]:
    """Name, role and address of each function and class of NumPy's main parts."""
    for prefix, module in {"numpy": np, "numpy.linalg": np.linalg, "numpy.fft": np.fft}.items():
        for name in module.__all__:
            value = getattr(module, name)
            full = f"{prefix}.{name}"
            if inspect.isclass(value):
                yield full, "py:class", "reference/generated/$.html#$"
            elif callable(value):
                yield full, "py:function", "reference/generated/$.html#$"


def inventory(project: str, names: Iterator[tuple[str, str, str]]) -> bytes:
    """An inventory as Sphinx reads it, version 2."""
    head = f"# Sphinx inventory version 2\n# Project: {project}\n# Version: \n# The remainder is compressed using zlib.\n"
    lines = "".join(f"{name} {role} 1 {address} -\n" for name, role, address in sorted(names))
    return head.encode() + zlib.compress(lines.encode())


def mapping() -> dict[str, tuple[str, str]]:
    """For `intersphinx_mapping`: where the pages are, and the file that names them."""
    FOLDER.mkdir(exist_ok=True)
    made = {"python": (PYTHON, python_names()), "numpy": (NUMPY, numpy_names())}
    for project, (_, names) in made.items():
        (FOLDER / f"{project}.inv").write_bytes(inventory(project, names))
    return {project: (address, str(FOLDER / f"{project}.inv")) for project, (address, _) in made.items()}
