"""A program: points, constants, and statements, all as text that stands for itself when printed."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import scipy.special

from npgrad._instrument import instrumented

HEAD = "import math\n\nimport numpy as np\nfrom scipy import special\n\n"
MODULES: dict[str, Any] = {"np": np, "math": math, "special": scipy.special}


@dataclasses.dataclass
class Program:
    """``points`` and ``constants`` are expressions by name; each statement may have several lines.

    Constants named K are made by the program itself or, if ``outside``, in its module, which the functional API then follows.
    Those named P are always plain arrays from before the tape.
    """

    points: dict[str, str]
    constants: dict[str, str]
    statements: list[str]
    returned: list[str]
    outside: bool = False

    @property
    def inner(self) -> dict[str, str]:
        return {} if self.outside else {name: text for name, text in self.constants.items() if name[0] == "K"}

    @property
    def outer(self) -> dict[str, str]:
        return {name: text for name, text in self.constants.items() if name not in self.inner}

    @property
    def function_text(self) -> str:
        lines = [f"{name} = {text}" for name, text in self.inner.items()]
        lines += [line for statement in self.statements for line in statement.splitlines()]
        body = [*lines, f"return ({', '.join(self.returned)},)"]
        return f"def program({', '.join(self.points)}):\n" + "".join(f"    {line}\n" for line in body)

    @property
    def text(self) -> str:
        """The whole program, as a file that runs."""
        outside = "".join(f"{name} = {value}\n" for name, value in (self.outer | self.points).items())
        return f"{HEAD}{outside}\n\n{self.function_text}"

    def without(self, statement: int) -> Program:
        rest = self.statements[:statement] + self.statements[statement + 1 :]
        return dataclasses.replace(self, statements=rest)


def values(expressions: dict[str, str]) -> dict[str, Any]:
    return {name: eval(text, {"np": np}) for name, text in expressions.items()}


class Runner:
    """The function of a program. The arrays of its module are made anew before each run, as the program may change them."""

    def __init__(self, program: Program) -> None:
        self.scope: dict[str, Any] = {**MODULES, "__name__": "fuzzed"}
        exec(compile(program.function_text, "<fuzzed>", "exec"), self.scope)
        self.function = self.scope["program"]
        self.outside = program.outside
        self.outer = values(program.outer)

    def __call__(self, *points: Any) -> Any:
        self.reset()
        return self.function(*points)

    def followed(self, *points: Any) -> Any:
        """A run as the functional API does it."""
        self.reset()
        if not self.outside:
            return self.function(*points)
        with instrumented(self.function) as form:
            return form(self.function)(*points)

    def reset(self) -> None:
        for name, value in self.outer.items():
            self.scope[name] = value.copy(order="K")  # stays plain while a tape records

    def constants(self) -> list:
        """The arrays of the module as they are now."""
        return [self.scope[name] for name in self.outer]


def parse(text: str) -> Program:
    """A program from its printed text."""
    head, _, function = text.partition("def program(")
    names, _, body = function.partition("):\n")
    assigned = _assigned(head.splitlines())
    points = {name: assigned.pop(name) for name in names.split(", ")}
    lines = [line.removeprefix("    ") for line in body.splitlines() if line.strip()]
    returned = [name for name in lines.pop().removeprefix("return (").removesuffix(",)").split(", ") if name]
    inner = _assigned([line for line in lines if line[0] == "K" and line.partition(" = ")[0].isalnum()])
    statements: list[str] = []
    for line in lines:
        if line.startswith((" ", "else", "except", "elif", "finally")) and statements:
            statements[-1] += "\n" + line
        elif line.partition(" = ")[0] not in inner:
            statements.append(line)
    return Program(points, assigned | inner, statements, returned, any(name[0] == "K" for name in assigned))


def _assigned(lines: list[str]) -> dict[str, str]:
    return dict(line.split(" = ", 1) for line in lines if " = " in line)


def array_text(values: np.ndarray) -> str:
    """An expression that gives the array, in its own order of memory."""
    order = ', order="F"' if values.flags.f_contiguous and not values.flags.c_contiguous else ""
    dtype = "" if values.dtype in (float, complex) and values.size else f", dtype=np.{values.dtype.name}"
    if not values.size:
        return f"np.zeros({values.shape}, dtype=np.{values.dtype.name})"
    return f"np.array({values.tolist()!r}{dtype}{order})"
