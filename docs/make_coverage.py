"""Write docs/coverage.md: what npgrad knows of every function of NumPy, from the registry and the samples of the tests.

    python docs/make_coverage.py

The counts of other packages are taken anew where they are installed, and from the page where they are not. The last section,
on the tests of NumPy itself, is written by hand in the page, and kept.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.fft
import numpy.lib.recfunctions
import numpy.linalg
import numpy.polynomial

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from samples import Differentiated, S, all_samples  # noqa: E402

import npgrad._entry_points  # noqa: E402, F401
from npgrad._compat import signature_of  # noqa: E402
from npgrad._libraries import declare_loaded  # noqa: E402
from npgrad._refusals import HOMES  # noqa: E402
from npgrad._registry import COLLECTIONS, RULES, UNSUPPORTED, Elementwise, Rule  # noqa: E402

declare_loaded()

PAGE = ROOT / "docs" / "coverage.md"
BY_HAND = "## NumPy's own tests\n"
MODULES = (np, np.linalg, np.fft)
DIFFERENTIABLE = ("own rule", "composite", "view", "write")
# Column -> whether a sample tests it.
TESTED: dict[str, Callable[[S], bool]] = {
    "vjp": lambda s: "reverse" not in s.leave_out,
    "jvp": lambda s: "forward" not in s.leave_out,
    "second": lambda s: s.order > 1 and "second_order" not in s.leave_out,
    "complex": lambda s: any(np.iscomplexobj(p) for p in s.points),
    "batch": lambda s: "batch" not in s.leave_out,
}


def full_name(function: Any) -> str:
    """The shortest public name, as users write it."""
    name = getattr(function, "__name__", str(function))
    homes = [*MODULES, sys.modules.get("scipy.special")]  # which has loaded the rules for it, if samples use it
    module = next((m for m in homes if getattr(m, name, None) is function), None)
    if module is None and function in HOMES:
        return f"{HOMES[function]}.{name}"
    home = module.__name__ if module else getattr(function, "__module__", None) or "numpy"
    return re.sub(r"^numpy\b", "np", home) + "." + name


def arguments(function: Any, samples: list[S]) -> list[str]:
    """What is differentiated by: declared by a rule, shown by the samples of others."""
    rule = RULES.get(function)
    if isinstance(rule, Elementwise):
        return list("xyz"[: rule.nin])
    if isinstance(rule, Rule):
        return list(rule.vjps)
    found: dict[str, None] = {}
    for sample in samples:
        if sample.place is not None:  # called by its own name, not by a program
            given = signature_of(function).bind(*sample.args, **sample.kwargs).arguments
            found.update({name: None for name, value in given.items() if _is_differentiated(value)})
    return list(found)


def _is_differentiated(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(_is_differentiated(v) for v in value)
    return isinstance(value, Differentiated)


def rows(collection: Iterable[Any], samples: dict[Any, list[S]]) -> list[str]:
    lines = []
    for function in sorted(collection, key=full_name):
        of_it = samples.get(function, [])
        marks = " | ".join("yes" if any(test(s) for s in of_it) else "" for test in TESTED.values())
        lines.append(f"| `{full_name(function)}` | {', '.join(arguments(function, of_it))} | {marks} |")
    return lines


# --- Counts: names of np, np.linalg and np.fft -----------------------------------------------------------------------


def names() -> dict[str, Any]:
    """Every public function, by its names."""
    return {
        f"{module.__name__}.{name}": value
        for module in MODULES
        for name, value in vars(module).items()
        if not name.startswith("_") and callable(value) and not inspect.isclass(value)
    }


def ours() -> int:
    known = {f for collection in DIFFERENTIABLE for f in COLLECTIONS[collection]}
    return sum(type(value).__hash__ is not None and value in known for value in names().values())


def autograds() -> int:
    """Names of autograd.numpy that have a vjp."""
    with_vjp = importlib.import_module("autograd.core").primitive_vjps
    homes = {m.__name__: importlib.import_module(m.__name__.replace("numpy", "autograd.numpy", 1)) for m in MODULES}
    pairs = [name.rpartition(".") for name in names()]
    found = [getattr(homes[module], name, None) for module, _, name in pairs]
    return sum(type(f).__hash__ is not None and f in with_vjp for f in found)


def mygrads() -> int:
    """Names that NumPy passes on to MyGrad's tensors and that carry a derivative there."""
    base = importlib.import_module("mygrad.tensor_base")
    known = {*base._REGISTERED_UFUNC, *base._REGISTERED_DIFFERENTIABLE_NUMPY_FUNCS}
    known -= {*base._REGISTERED_BOOL_ONLY_UFUNC, *base._REGISTERED_CONST_ONLY_UFUNC}
    return sum(type(value).__hash__ is not None and value in known for value in names().values())


def counts(page: str) -> list[str]:
    lines = [f"| npgrad | {ours()} |"]
    for package, count in (("HIPS autograd", autograds), ("MyGrad", mygrads)):
        try:
            lines.append(f"| {package} | {count()} |")
        except ImportError:
            lines += re.findall(rf"^\| {package} \|.*$", page, re.MULTILINE)
    return lines


def text(page: str) -> str:
    samples: dict[Any, list[S]] = {}
    for sample in all_samples():
        samples.setdefault(sample.function, []).append(sample)
    version = ".".join(np.__version__.split(".")[:2])
    sizes = [f"| {name} | {len(collection)} |" for name, collection in COLLECTIONS.items()]
    head = "| function | by | " + " | ".join(TESTED) + " |"
    lines = [
        "# Coverage",
        "",
        f"Written by `python docs/make_coverage.py` for NumPy {version}; a test holds it to the registry. Names of `np`,",
        f"`np.linalg` and `np.fft` with a derivative, of {len(names())} functions:",
        "",
        "| package | differentiable names |",
        "|---|---|",
        *counts(page),
        "",
        "Functions by collection, with those of other modules. How NumPy's own tests do on traced arrays stands at the end.",
        "",
        "| collection | functions |",
        "|---|---|",
        *sizes,
        "",
        "A column says whether a sample tests it: reverse and forward mode, second derivatives, complex arguments, batched",
        "sweeps. *by* are the arguments that are differentiated, as the rule declares or direct samples show.",
    ]
    for name in DIFFERENTIABLE:
        lines += ["", f"## {name.capitalize()}", "", head, "|---" * (2 + len(TESTED)) + "|"]
        lines += rows(COLLECTIONS[name], samples)
    lines += ["", "## Zero", "", "Piecewise constant or not numeric: the result carries no derivative.", ""]
    zero = sorted(full_name(f) for f in COLLECTIONS["zero"] if not f.__name__.startswith("_"))
    lines += [", ".join(f"`{name}`" for name in zero) + "."]
    lines += ["", "## Unsupported", "", "Raises for a tracked array.", "", "| function | reason |", "|---|---|"]
    lines += [f"| `{full_name(f)}` | {UNSUPPORTED[f]} |" for f in sorted(UNSUPPORTED, key=full_name)]
    return "\n".join(lines) + "\n\n" + page[page.index(BY_HAND) :]


if __name__ == "__main__":
    PAGE.write_text(text(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
