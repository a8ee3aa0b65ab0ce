"""What a generator knows while it writes a program: the plain run so far, and choices from it."""

from __future__ import annotations

import re
import warnings
from builtins import type
from typing import Any

import numpy as np

from .program import MODULES, Program, array_text, values

MAX_SIZE = 48
MAX_VALUE = 40.0
MIN_VALUE = 1e-40
SHAPES = ((), (1,), (3,), (4,), (5,), (2, 3), (3, 3), (3, 1), (1, 4), (2, 2, 2), (4, 2), (0,), (0, 3), (2, 0))
# NumPy 2.4 writes past the end of an ``out`` of a wrong shape here (np.add.accumulate and what is made of it).
NUMPY_CRASHES = re.compile(r"(accumulate|cum\w+)\(.*out=(?!a|x)")
ERRORS = "(ValueError, TypeError, IndexError, ZeroDivisionError)"


def is_data(value: Any) -> bool:
    """Arrays and scalars that have derivatives."""
    return isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "fc"


class State:
    """The program so far and its variables."""

    def __init__(self, rng: np.random.Generator, style: str) -> None:
        self.rng = rng
        self.style = style
        self.program = Program({}, {}, [], [])
        self.env: dict[str, Any] = dict(MODULES)
        self.count = 0
        self.dropped: dict[str, int] = {}

    # --- Choices ---------------------------------------------------------------------------------------------------

    def one_of(self, options: Any) -> Any:
        return options[self.rng.integers(len(options))]

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def number(self) -> str:
        """A number of the program's text."""
        return self.one_of(("0.5", "2.0", "-1.3", "0.7", "2", "-1", "1e-1", "0.25", "np.float64(1.5)", "3"))

    def data(self) -> list[str]:
        """Names of variables with floating or complex data; later ones first, as their history is longer."""
        return [name for name, value in reversed(self.env.items()) if name[0] in "xa" and is_data(value)]

    def arrays(self, writeable: bool = False) -> list[str]:
        values = self.env
        names = [name for name in self.data() if isinstance(values[name], np.ndarray) and values[name].ndim]
        return [name for name in names if values[name].flags.writeable] if writeable else names

    def pick(self, names: list[str] | None = None) -> str | None:
        """One of the names, rather a later one."""
        names = self.data() if names is None else names
        if not names:
            return None
        return names[min(int(self.rng.exponential(3.0)), len(names) - 1)] if self.chance(0.7) else self.one_of(names)

    def new(self) -> str:
        self.count += 1
        return f"a{self.count}"

    def constant(self, values: np.ndarray, plain: bool = False) -> str:
        """The name of a constant array; a plain one from before the tape must meet traced data where it is used."""
        name = f"{'P' if plain else 'K'}{len(self.program.constants)}"
        self.program.constants[name] = array_text(values)
        self.env[name] = eval(self.program.constants[name], {"np": np})
        return name

    def random(self, shape: tuple, kind: str = "f") -> np.ndarray:
        """Distinct values between 0.3 and 1.7, some of them negative."""
        values = self.rng.uniform(0.3, 1.7, shape)
        if self.chance(0.3):
            values = values * self.one_of(np.array([-1.0, 1.0])) * np.where(self.rng.random(shape) < 0.3, -1, 1)
        if kind == "c":
            values = values + 1j * self.rng.uniform(0.2, 1.2, shape)
        return np.round(np.asarray(values), 3)

    def eval(self, text: str) -> Any:
        if NUMPY_CRASHES.search(text):
            raise ValueError("NumPy crashes")
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return eval(text, self.env)

    # --- Writing the program -----------------------------------------------------------------------------------------

    def point(self, values: Any) -> None:
        name = f"x{len(self.program.points)}"
        values = np.round(values, 3) if isinstance(values, np.ndarray) else values
        if isinstance(values, np.generic):
            text = f"np.{type(values).__name__}({values.item()!r})"
        else:
            text = array_text(values)
        self.program.points[name] = text
        self.env[name] = eval(text, {"np": np})

    def try_(self, statement: str) -> bool:
        """Add a statement if the plain program runs with it and stays finite and small; sometimes also if it fails."""
        if NUMPY_CRASHES.search(statement):
            return False
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self._run(statement)
            except Exception as error:
                expected = isinstance(error, (ValueError, TypeError, IndexError, ZeroDivisionError))
                if not (expected and "\n" not in statement and self.chance(0.04)):
                    return self._drop(f"NumPy refuses: {type(error).__name__}")
                statement = f"try:\n    {statement}\n    e{self.count} = 'nothing'\nexcept {ERRORS} as error:\n"
                statement += f"    e{self.count} = type(error).__name__"
                self.restart()
                self._run(statement)
        reason = self._unfit()
        if reason:
            return self._drop(reason)
        self.program.statements.append(statement)
        return True

    def _run(self, statement: str) -> None:
        exec(statement, self.env)

    def _drop(self, reason: str) -> bool:
        self.dropped[reason] = self.dropped.get(reason, 0) + 1
        self.restart()
        return False

    def restart(self) -> None:
        """The variables as they were before the last statement, which may have written into some of them."""
        self.env = MODULES | values(self.program.constants | self.program.points)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._run("\n".join(self.program.statements))

    def _unfit(self) -> str | None:
        for name in list(self.env):
            value = self.env[name]
            if not isinstance(value, (np.ndarray, np.generic)):
                continue
            if value.dtype.kind not in "fciub":
                return "not numeric"
            if value.size > MAX_SIZE or value.ndim > 5:
                return "too large an array"
            if value.dtype.kind in "fc" and value.size:
                sizes = np.abs(value)
                largest = sizes.max()
                if np.min(sizes, where=sizes > 0, initial=1.0) < MIN_VALUE:
                    return "too small a value"
                if not largest <= MAX_VALUE:
                    return "not finite" if not np.isfinite(largest) else "too large a value"
        return None

    def finish(self) -> Program:
        self.program.returned = [n for n, v in self.env.items() if n[0] in "xae" and isinstance(v, (np.ndarray, np.generic, str))]
        return self.program
