"""A file of tests runs as if it were run alone: the other files, and what only they import, are not among the modules.

A tape looks through all of the user's modules. With two hundred of them, which pytest loads before it runs the first test,
that was most of what a small test cost; and what a tape finds is not to depend on which files are run beside it.
"""

from __future__ import annotations

import ast
import functools
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

_ROOT = Path(__file__).parent.parent
_WORDS = re.compile(r"\w+")


@functools.cache
def _of_tests(path: str) -> str | None:
    """What a file of tests/ or benchmarks/ is known by to those that import it: its own name, or that of the package."""
    parts = Path(path).relative_to(_ROOT).parts if path.startswith(f"{_ROOT}{os.sep}") else ()
    return Path(parts[1]).stem if len(parts) > 1 and parts[0] in ("tests", "benchmarks") else None


@functools.cache
def _words(path: str) -> frozenset[str]:
    """What a file imports, and all words of its texts: it may import a helper by its name, as by a loop over names, or in a
    program that it writes; `tests/fuzz/run.py` is `fuzz`."""
    said: list[str] = []
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            said += [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
        elif isinstance(node, ast.Expr):
            docstrings.add(id(node.value))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            said.append(node.value)
    return frozenset(word for text in said for word in _WORDS.findall(text))


@contextmanager
def alone(own: ModuleType) -> Iterator[None]:
    """Leave out the modules of tests/ and benchmarks/ that neither the file names nor one that it names."""
    files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
    helpers = {name: file for name, file in files.items() if file and _of_tests(file) not in (None, "conftest", "__init__")}
    needed: set[str] = set()
    todo = set(_words(own.__file__ or ""))
    while todo:
        needed |= todo
        met = (_words(file) for file in helpers.values() if _of_tests(file) in todo)
        todo = set().union(*met) - needed
    # pytest loads a file of tests as `tests.test_name`, one that imports it as `test_name`.
    hidden = {
        name: sys.modules[name]
        for name, file in helpers.items()
        if name != own.__name__ and (name.startswith("tests.") or _of_tests(file) not in needed)
    }
    for name in hidden:
        del sys.modules[name]
    try:
        yield
    finally:
        sys.modules.update(hidden)
