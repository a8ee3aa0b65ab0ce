"""What the command line reads: points, arguments, and functions of scripts."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import json
import os
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from ._leaks import LeakError, NoRuleError, is_internal


class UserError(Exception):
    """What went wrong on the user's side, in one line."""


# --- Points and arguments ------------------------------------------------------------------------------------------


def _npz(path: str) -> Any:
    with np.load(path, allow_pickle=False) as archive:
        if len(archive.files) != 1:
            raise ValueError(f"holds {len(archive.files)} arrays, one is needed")
        return archive[archive.files[0]]


_READERS: dict[str, Callable[[str], Any]] = {
    ".npy": lambda path: np.load(path, allow_pickle=False),
    ".npz": _npz,
    ".csv": lambda path: np.loadtxt(path, delimiter=",", ndmin=1),
}


def read_value(text: str, option: str) -> Any:
    """A value from the command line: a file that NumPy reads, or a JSON or Python literal; lists of numbers as arrays."""
    reader = _READERS.get(Path(text).suffix)
    if reader is not None:
        try:
            return reader(text)
        except (OSError, ValueError, EOFError) as error:
            raise UserError(f"{option} {text}: {one_line(error)}") from error
    value = _literal(text, option)
    if isinstance(value, (list, tuple)):
        try:
            array = np.array(value)
        except ValueError as error:
            raise UserError(f"{option} {text}: the rows have different lengths") from error
        return array if array.dtype.kind in "biufc" else value
    return value


def _literal(text: str, option: str) -> Any:
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
    raise UserError(
        f"{option} {text}: neither a number, a JSON or Python literal, nor a .npy, .npz or .csv file "
        f"(text needs quotes of its own: {option} '\"{text}\"')"
    )


def read_point(text: str) -> tuple[Any, list[str]]:
    """The point to differentiate at, and notes on what was done to it."""
    value = read_value(text, "--at")
    array = np.asarray(value) if isinstance(value, (int, float, complex, ndarray)) else None
    if array is None or array.dtype.kind not in "iuf" or isinstance(value, bool):
        raise UserError(f"--at {text}: the point must be a real number or an array of real numbers")
    if array.size == 0:
        raise UserError(f"--at {text}: the point is empty")
    if array.dtype.kind == "f":
        return value, []
    return array.astype(float) if array.ndim else float(value), ["the integer point was converted to float"]


# --- Functions of scripts ------------------------------------------------------------------------------------------


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def describe(error: BaseException) -> str:
    """An exception of the user's code in one line, with the innermost place in that code."""
    message = one_line(error)
    if isinstance(error, (LeakError, NoRuleError)):
        return f"{type(error).__name__}: {message}"
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        name = frame.f_globals.get("__name__") or ""
        if not is_internal(name, frame.f_code.co_filename) and not name.startswith("importlib"):
            return f"{frame.f_code.co_filename}:{line}: {type(error).__name__}: {message}"
    return f"{type(error).__name__}: {message}"


@contextlib.contextmanager
def user_errors() -> Iterator[None]:
    """Whatever the user's code raises becomes one line; an interrupt passes."""
    try:
        yield
    except SystemExit as error:
        raise UserError(f"{describe(error)} (the code called exit)") from error
    except Exception as error:
        raise UserError(describe(error)) from error


def split_target(target: str) -> tuple[Path, str]:
    path, colon, function = target.rpartition(":")
    if not colon or not path or not function:
        raise UserError(f"{target}: name a function as path/to/script.py:function")
    return Path(path), function


@contextlib.contextmanager
def function_of(path: Path, name: str) -> Iterator[Callable]:
    """A function of a script, imported by its path under its own module name while the context lasts."""
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    directory, module_name = str(path.resolve().parent), path.stem
    before, words = sys.modules.get(module_name), sys.argv
    sys.path.insert(0, directory)
    sys.argv = [os.fspath(path)]  # npgrad's own words are none of the script's
    try:
        yield _attribute(_imported(path, module_name), path, name)
    finally:
        sys.argv = words
        with contextlib.suppress(ValueError):
            sys.path.remove(directory)
        if before is None:
            sys.modules.pop(module_name, None)
        else:
            sys.modules[module_name] = before


def _imported(path: Path, name: str) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(name, os.fspath(path))
    if spec is None or spec.loader is None:
        raise UserError(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with user_errors():
            spec.loader.exec_module(module)
    except UserError as error:
        cause = error.__cause__
        if isinstance(cause, SyntaxError):
            raise UserError(f"{cause.filename}:{cause.lineno}: {type(cause).__name__}: {cause.msg}") from cause
        raise
    return module


def _attribute(module: types.ModuleType, path: Path, name: str) -> Callable:
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is None:
        functions = [(n, v) for n, v in list(vars(module).items()) if isinstance(v, types.FunctionType)]
        own = [n for n, v in functions if v.__module__ == module.__name__]
        raise UserError(f"{path}: no function {name} (there are: {', '.join(own) or 'none'})")
    if not callable(found):
        raise UserError(f"{path}: {name} is not a function but {type(found).__name__}")
    return found
