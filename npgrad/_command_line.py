"""The command line: the derivative of a function of a script, and how it compares with differences."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from . import __version__, finite_difference
from ._agreement import agreement
from ._compare import compare
from ._functional import value_and_grad, value_and_jacobian
from ._leak_search import verify
from ._leaks import LeakError
from ._run import Run
from ._scripts import UserError, function_of, read_point, read_value, split_target, user_errors
from ._structure import flatten, map_structure

AGREE, DISAGREE, FAILED = 0, 1, 2

_CRITERION = """\
The comparison: central differences, with step eps**(1/3) * max(1, |x|), are taken at two step sizes; how far they move
from one to the other, and the rounding of the function's values over the step, estimate their own error. An entry agrees
when it differs from the differences by at most 10 times that estimate, plus 1e-7 times the largest entry in its row or in
its column, whichever is less. The value must be that of a plain run, bit for bit. Where they disagree, the line at
which the derivative is lost is looked for and named.

Exit status: 0 when all entries agree; 1 when not; 2 when there is no derivative to compare, with one line on standard
error that says why.
"""

_EXAMPLES = """\
examples:
  python -m npgrad jacobian legacy.py:simulate --at "[1.0, 0.5]"
  python -m npgrad jacobian legacy.py:simulate --at start.npy --arg 100 --arg "'upwind'" --mode forward
  python -m npgrad grad fit.py:misfit --at 1.5 --argnum 1 --arg data.csv
  python -m npgrad compare legacy.py:simulate --at "[1.0, 0.5]" --plot errors.png
"""


_COMMANDS = {
    "jacobian": "derivatives of all values",
    "grad": "gradient of a scalar value",
    "compare": "accuracy and cost beside all ways of taking differences",
}


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m npgrad",
        description="Differentiate a function of a script that was never written for it, and compare with differences.",
        epilog=f"{_CRITERION}\n{_EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=f"npgrad {__version__} (NumPy {np.__version__})")
    commands = made.add_subparsers(dest="command", required=True, metavar=f"{{{','.join(_COMMANDS)}}}")
    for name, what in _COMMANDS.items():
        command = commands.add_parser(
            name,
            help=what,
            epilog=f"{_CRITERION}\n{_EXAMPLES}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_argument("target", metavar="SCRIPT.py:FUNCTION", help="imported by path; its __main__ part is not run")
        command.add_argument(
            "--at",
            required=True,
            metavar="VALUE",
            help="the point: a number, a JSON or Python list, or a .npy, .npz or .csv file",
        )
        command.add_argument(
            "--arg", action="append", default=[], metavar="VALUE", help="a further, fixed argument (repeat for more)"
        )
        command.add_argument("--argnum", type=int, default=0, help="position of the point among the arguments (default 0)")
        command.add_argument("--leaks", choices=("raise", "warn", "ignore"), default="raise", help="what to do about leaks")
        if name == "compare":
            command.add_argument("--step", metavar="VALUE", help="Richardson's first step, a number or one for each element")
            command.add_argument("--plot", metavar="FILE", help="draw error against step, and cost (needs matplotlib)")
            command.add_argument("--json", metavar="FILE", help="write all that was found")
        if name == "jacobian":
            command.add_argument(
                "--mode", choices=("auto", "forward", "reverse"), default="auto", help="which sweep (default: by sizes)"
            )
    return made


# --- Running -------------------------------------------------------------------------------------------------------


_LONG = 1.0  # seconds; what takes less is done once more, for a time without what is done only once


class _Result(NamedTuple):
    value: Any
    plain_value: Any
    derivative: Any
    seconds: float
    first_seconds: float  # of the first evaluation, which also looks at the program
    differences: finite_difference.Difference
    difference_seconds: float


def _timed(function: Callable, *args: Any) -> tuple[Any, float]:
    start = time.perf_counter()
    result = function(*args)
    return result, time.perf_counter() - start


def _copies(args: list) -> list:
    return [map_structure(lambda leaf: leaf.copy() if isinstance(leaf, ndarray) else leaf, arg) for arg in args]


def _check_value(value: Any, name: str, scalar: bool) -> None:
    leaves, _ = flatten(value)
    if not leaves:
        raise UserError(f"{name} returned an empty {type(value).__name__}: there is nothing to differentiate")
    numbers = (ndarray, np.generic, bool, int, float, complex)
    kinds = [np.asarray(leaf).dtype.kind if isinstance(leaf, numbers) else "" for leaf in leaves]
    for leaf, kind in zip(leaves, kinds, strict=True):
        if kind not in tuple("biufc"):
            raise UserError(f"{name} returned {type(leaf).__name__}: it must return numbers or arrays to have a derivative")
    if {"f", "c"}.isdisjoint(kinds):
        what = type(leaves[0]).__name__
        raise UserError(f"{name} returned integers ({what}): their derivative is zero wherever it exists")
    if scalar and (len(leaves) > 1 or np.size(value) != 1 or np.iscomplexobj(value)):
        raise UserError(f"{name} returned no real scalar, which grad needs: use jacobian")


def _run(options: argparse.Namespace, function: Callable, args: list) -> _Result:
    scalar = options.command == "grad"
    with user_errors():
        value = function(*_copies(args))
    _check_value(value, split_target(options.target)[1], scalar)
    plain_value = map_structure(np.array, value)
    if scalar:
        both = value_and_grad(function, options.argnum, leaks=options.leaks)
        differentiate = finite_difference.grad
    else:
        both = value_and_jacobian(function, options.argnum, mode=options.mode, leaks=options.leaks)
        differentiate = finite_difference.jacobian
    with user_errors():
        (value, derivative), first_seconds = _timed(both, *_copies(args))
        seconds = first_seconds if first_seconds > _LONG else _timed(both, *_copies(args))[1]
        differences, difference_seconds = _timed(differentiate(function, options.argnum, return_error=True), *args)
    return _Result(value, plain_value, derivative, seconds, first_seconds, differences, difference_seconds)


# --- Comparing -----------------------------------------------------------------------------------------------------


def _same_bits(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    same = a.shape == b.shape and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True)
    return same and all(np.array_equal(np.signbit(part(a)), np.signbit(part(b))) for part in (np.real, np.imag))


# --- Printing ------------------------------------------------------------------------------------------------------


def _text(array: Any) -> str:
    return np.array2string(np.asarray(array), precision=8, threshold=60, edgeitems=3, max_line_width=100, separator=", ")


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _report(options: argparse.Namespace, result: _Result) -> bool:
    """Print what was found; whether all of it agrees."""
    values, _ = flatten(result.value)
    columns = [flatten(part)[0] for part in (result.plain_value, result.derivative, *result.differences[:2])]
    agrees = True
    for number, (value, plain, derivative, differences, error) in enumerate(zip(values, *columns, strict=True)):
        which = f" {number}" if len(values) > 1 else ""
        print(f"value{which}\n{_text(value)}")
        if not _same_bits(value, plain):
            agrees = False
            print(f"DIFFERS from the plain run, {_text(plain)}: does the function keep state from call to call?")
        print(f"{options.command}{which}, shape {np.shape(derivative)}\n{_text(derivative)}")
        if np.iscomplexobj(differences) and not np.iscomplexobj(derivative):
            print("(of the real part, as always by a real point: docs/jacobians.md)")
            differences = np.real(differences)
        found = agreement(derivative, differences, error, np.ndim(value))
        agrees = agrees and found.agrees
        place = f" at {list(found.place)}" if found.place else ""
        verdict = "agrees" if found.agrees else "DISAGREES"
        error_found = f"largest error {found.difference:.2e}{place} of {found.allowed:.2e} allowed"
        print(f"{verdict} with central differences: {error_found}")
        if not found.agrees:
            print("(differences are wrong themselves where a kink or a switch lies within their step of the point)")
    print(f"npgrad       1 evaluation, {result.seconds:.4f} s ({result.first_seconds:.4f} s the first time)")
    count = _plural(result.differences.evaluations, "evaluation")
    print(f"differences  {count}, {result.difference_seconds:.4f} s (half of them for the error estimate)")
    return agrees


def _suspect(options: argparse.Namespace, function: Callable, args: list) -> None:
    """Name the line at which a derivative that differences contradict is lost, if there is one."""
    try:
        run = Run(function, tuple(_copies(args)), {}, options.argnum, False, options.leaks)
        verify(function, run, tuple(_copies(args)), {})
    except LeakError as error:
        print(f"npgrad: note: {error}", file=sys.stderr)


def _compared(options: argparse.Namespace, function: Callable, args: list) -> bool:
    """Measure, print, draw and write; whether npgrad agrees."""
    step = None if options.step is None else read_value(options.step, "--step")
    with user_errors():
        value = function(*_copies(args))
    _check_value(value, split_target(options.target)[1], scalar=False)
    with user_errors():
        report = compare(function, *args, argnums=options.argnum, step=step, leaks=options.leaks)
        print(report)
        if options.plot is not None:
            report.plot(options.plot)
        if options.json is not None:
            Path(options.json).write_text(report.to_json(indent=1) + "\n")
    return report.agrees


def run(options: argparse.Namespace) -> int:
    """Do what was asked; the exit status. Raises `UserError` where it cannot be done."""
    path, name = split_target(options.target)
    point, notes = read_point(options.at)
    args = [read_value(text, "--arg") for text in options.arg]
    if not 0 <= options.argnum <= len(args):
        raise UserError(f"--argnum {options.argnum}: with {_plural(len(args), '--arg')} it is from 0 to {len(args)}")
    args.insert(options.argnum, point)
    for note in notes:
        print(f"npgrad: note: {note}", file=sys.stderr)
    with function_of(Path(path), name) as function:
        if options.command == "compare":
            return AGREE if _compared(options, function, args) else DISAGREE
        result = _run(options, function, args)
        agrees = _report(options, result)
        if not agrees:
            _suspect(options, function, args)
    return AGREE if agrees else DISAGREE


def main(argv: list[str] | None = None) -> int:
    """Run the command line; the exit status."""
    try:
        options = parser().parse_args(argv)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    try:
        return run(options)
    except UserError as error:
        print(f"npgrad: error: {error}", file=sys.stderr)
        return FAILED
