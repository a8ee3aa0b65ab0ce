"""A program: points, constants from before the tape, and statements, all as text that stands for itself when printed."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special

HEAD = "import math\n\nimport numpy as np\nfrom scipy import special\n\n"


@dataclasses.dataclass
class Program:
    """``points`` and ``constants`` are expressions by name; each statement may have several lines."""

    points: dict[str, str]
    constants: dict[str, str]
    statements: list[str]
    returned: list[str]

    @property
    def function_text(self) -> str:
        lines = [line for statement in self.statements for line in statement.splitlines()]
        body = [*lines, f"return ({', '.join(self.returned)},)"]
        return f"def program({', '.join(self.points)}):\n" + "".join(f"    {line}\n" for line in body)

    @property
    def text(self) -> str:
        """The whole program, as a file that runs."""
        outside = "".join(f"{name} = {value}\n" for name, value in (self.constants | self.points).items())
        return f"{HEAD}{outside}\n\n{self.function_text}"

    def values(self, expressions: dict[str, str]) -> dict[str, Any]:
        return {name: eval(text, {"np": np}) for name, text in expressions.items()}

    def compile(self, text: str | None = None, modules: dict[str, Any] | None = None) -> Callable:
        """The function. Its constants are made anew before each run, as the program may write into them."""
        text = self.function_text if text is None else text
        scope: dict[str, Any] = {"np": np, "math": math, "special": scipy.special, "__name__": "fuzzed"} | (modules or {})
        name = f"<fuzzed {id(self)}>"
        exec(compile(text, name, "exec"), scope)
        kept = self.values(self.constants)
        program = scope["program"]

        def run(*points: Any) -> Any:
            for key, value in kept.items():
                scope[key] = value.copy()
            return program(*points)

        return run

    def without(self, statement: int) -> Program:
        rest = self.statements[:statement] + self.statements[statement + 1 :]
        return dataclasses.replace(self, statements=rest)


def parse(text: str) -> Program:
    """A program from its printed text."""
    outside, _, function = text.partition("def program(")
    names, _, body = function.partition("):\n")
    assigned = dict(line.split(" = ", 1) for line in outside.splitlines() if " = " in line)
    points = {name: assigned.pop(name) for name in names.split(", ")}
    lines = [line.removeprefix("    ") for line in body.splitlines() if line.strip()]
    returned = [name for name in lines.pop().removeprefix("return (").removesuffix(",)").split(", ") if name]
    statements: list[str] = []
    for line in lines:
        if line.startswith((" ", "else", "except", "elif", "finally")) and statements:
            statements[-1] += "\n" + line
        else:
            statements.append(line)
    return Program(points, assigned, statements, returned)


def array_text(values: np.ndarray) -> str:
    """An expression that gives the array, in its own order of memory."""
    order = ', order="F"' if values.flags.f_contiguous and not values.flags.c_contiguous else ""
    dtype = "" if values.dtype in (float, complex) and values.size else f", dtype=np.{values.dtype.name}"
    if not values.size:
        return f"np.zeros({values.shape}, dtype=np.{values.dtype.name})"
    return f"np.array({values.tolist()!r}{dtype}{order})"
