"""The house rules that a parser can check: which file may import which, where private names stand, how long files are."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

PACKAGE = Path(__file__).parents[1] / "npgrad"
DOCS = PACKAGE.with_name("docs")
MODULES = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in sorted(PACKAGE.rglob("*.py"))}
IDS = sorted(MODULES)

# From the bottom to the top; a module imports only what stands before it, in its own layer or a lower one. All modules of
# ``rules`` stand at one place, and see only what `RULES_MAY_IMPORT` says.
LAYERS = {
    "words": [
        "_bare_looks", "_leaks", "_pythons_functions", "_tracebacks", "_notebook", "_structure", "_compat", "_made_once",
        "_collector",
    ],
    "what functions are": ["_limits", "_partials", "_registry", "_refusals", "_libraries", "_following", "rules"],
    "memory": ["_pool", "_storage", "_plain_values", "_fitting", "_outer_products"],
    "the record": ["_record", "_traced", "_handed_out", "_own_answers", "_move_entries", "_entries"],
    "recording": [
        "_elements", "_overlaps", "_moves", "_constants", "_flat", "_objects", "_plans", "_parting", "_destinations",
        "_dispatch", "_elementwise", "_variable",
    ],
    "functions": [
        "_holders", "_callers", "_ufunc_forms", "_seen", "_users_classes", "_guards", "_nditer", "_broadcast", "_creators",
        "_math_names", "_twins", "_poly1d", "_functions", "_asked_objects", "_vectorize", "_index_objects",
    ],
    "names in place": [
        "_warning_places", "_uses", "_doors", "_mentions", "_comparisons", "_class_forms", "_surroundings",
        "_scipy_held", "_scipy", "_scipy_kernels", "_scipy_elements", "_scipy_forms", "_scipy_doors", "_scipy_names",
        "_series", "_json_text", "_while_recording", "_type_questions", "_wrappers",
        "_namespace", "_loading", "_carriers", "_kept", "_held_names", "_held_values", "_variables_around", "_bound_names",
        "_memory",
        "_iterators", "_unswapped", "_named_modules", "_swaps", "_leftovers", "_instrument", "_forking",
    ],
    "entry points": [
        "_foreign", "_operators", "_ufunc_methods", "_conversions", "_indexing", "_methods", "_scalar_methods", "_protocols",
        "_python_numbers", "_entry_points",
    ],
    "sweeping": [
        "_sweep", "_forward_sweep", "_sources", "_course", "_endpoints", "_trails", "_inspection", "_finite", "_derivatives",
    ],
    "patterns": [
        "_index_sets", "_pattern_rules", "_pattern_products", "_pattern_matrices", "_pattern", "_coloring", "_compression",
        "_jacobians",
    ],
    "what users hold": [
        "_lifecycle", "_tape", "_forward", "_arguments", "_run", "_directional", "_leak_search", "_functional", "_products",
        "_maps", "_spoiled", "_segments", "_custom", "_checkpoint", "_implicit", "_roots", "_integrals", "_solvers",
    ],
    "sparse derivatives": ["_sparse_matrix", "_sparse"],
    "tools on the public interface": [
        "extend",
        "_flat_function", "testing", "_difference_methods", "_difference_problem", "finite_difference", "_black_box",
        "_agreement", "_progress", "_measured_methods", "_measurement",
        "_judge", "_probes", "_behaviour", "_compare_output", "_compare",
    ],
    "the door": ["__init__"],
    "the command line": ["_scripts", "_command_line", "__main__"],
}  # fmt: skip
PLACE = {name: number for number, name in enumerate(name for layer in LAYERS.values() for name in layer)}
# Reductions that pass NaN over are made of the maps of the others.
RULES_MAY_IMPORT = {
    "_limits", "_registry", "_refusals", "_libraries", "_following", "_compat", "rules._helpers", "rules._degenerate",
    "rules._vectors", "rules._sparse_parts", "rules._along", "rules._bsplines", "rules.reductions",
}  # fmt: skip
MAX_LINES = 400


def imported(module: str, tree: ast.AST) -> Iterator[str]:
    """The modules of npgrad that a module imports, named from the package."""
    package = module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ["npgrad", *package[: len(package) + 1 - node.level]] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{start}.{alias.name}" for alias in node.names] if start in _PACKAGES else [start]
        else:
            continue
        inner = [name.removeprefix("npgrad").removeprefix(".") for name in names if name.split(".")[0] == "npgrad"]
        yield from (name if name in MODULES or name == "rules" else _holder(name) for name in inner)


_PACKAGES = {"npgrad", "npgrad.rules"}


def _holder(name: str) -> str:
    """The package file that a name which is not a module comes from."""
    return "rules.__init__" if name.startswith("rules.") else "__init__"


def upward_imports(module: str, tree: ast.AST) -> list[str]:
    """Imports of modules that do not stand before this one."""
    if module.startswith("rules."):
        family = module != "rules.__init__"
        return [name for name in imported(module, tree) if family and name not in RULES_MAY_IMPORT]
    return [name for name in imported(module, tree) if PLACE.get(name.split(".")[0], len(PLACE)) >= PLACE[module]]


# Imports inside functions, of what is not needed to take a gradient: to import npgrad is to wait for the core alone.
WAITING = {"_functional": ["_leak_search"]}


def inner_imports(tree: ast.AST) -> list[str]:
    """The modules that are imported inside functions."""
    return [
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    ]


def loops_over_live_names(tree: ast.AST) -> list[str]:
    """Loops over the names of a module or class themselves, which another thread may add to meanwhile, and not a list."""
    loops = [node.iter for node in ast.walk(tree) if isinstance(node, (ast.For, ast.comprehension))]
    return [text for loop in loops if re.fullmatch(r"(vars\(.*\)|sys\.modules)(\.\w+\(\))?", text := ast.unparse(loop))]


def private_names(tree: ast.AST) -> list[str]:
    """Names that NumPy keeps for itself."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if _is_private(alias.name)]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found += [f"{node.module}.{a.name}" for a in node.names if _is_private(f"{node.module}.{a.name}")]
        elif isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            head = ast.unparse(node.value)
            if head.split(".")[0] in ("np", "numpy"):
                found.append(f"{head}.{node.attr}")
    return found


def _is_private(name: str) -> bool:
    first, *rest = name.split(".")
    return first == "numpy" and any(part.startswith("_") and not part.startswith("__") for part in rest)


def tree_of(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text())


def test_every_module_has_a_place() -> None:
    named = {module for module in MODULES if not module.startswith("rules.")}
    assert named | {"rules"} == set(PLACE), "add the module to LAYERS, at the lowest place that it can have"


@pytest.mark.parametrize("module", IDS)
def test_imports_go_one_way(module: str) -> None:
    assert upward_imports(module, tree_of(module)) == []


@pytest.mark.parametrize("module", IDS)
def test_imports_stand_at_the_top(module: str) -> None:
    assert inner_imports(tree_of(module)) == WAITING.get(module, [])


@pytest.mark.parametrize("module", IDS)
def test_no_loop_goes_over_names_that_may_change(module: str) -> None:
    assert loops_over_live_names(tree_of(module)) == []


@pytest.mark.parametrize("module", [module for module in IDS if module != "_compat"])
def test_private_names_of_numpy_are_in_one_file(module: str) -> None:
    assert private_names(tree_of(module)) == []


@pytest.mark.parametrize("module", IDS)
def test_files_have_one_topic(module: str) -> None:
    text = MODULES[module].read_text()
    assert ast.get_docstring(ast.parse(text)), "say in a docstring what the file is about"
    assert len(text.splitlines()) <= MAX_LINES


def test_the_picture_of_imports_is_current() -> None:
    spec = importlib.util.spec_from_file_location("make_imports_picture", DOCS / "make_imports_picture.py")
    drawing = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(drawing)
    assert (DOCS / "imports.svg").read_text() == drawing.picture(), "run python docs/make_imports_picture.py"


@pytest.mark.parametrize(
    ("module", "source", "found"),
    [
        ("_record", "from ._tape import GradientTape", ["_tape"]),
        ("_record", "from . import _tape, _storage", ["_tape"]),
        ("_record", "import npgrad.testing", ["testing"]),
        ("_record", "from npgrad import GradientTape", ["__init__"]),
        ("_record", "from ._record import Record", ["_record"]),
        ("_record", "from ._storage import Storage", []),
        ("rules.linalg", "from .._traced import TracedArray", ["_traced"]),
        ("rules.linalg", "from . import products", ["rules.products"]),
        ("rules.linalg", "from .products import outer", ["rules.products"]),
        ("rules.linalg", "from .._registry import vjp\nfrom ._helpers import mT", []),
        ("_moves", "from .rules._helpers import mT", []),
        ("_leaks", "from .rules._helpers import mT", ["rules._helpers"]),
    ],
)
def test_the_check_of_imports_sees(module: str, source: str, found: list[str]) -> None:
    assert upward_imports(module, ast.parse(source)) == found


def test_the_other_checks_see() -> None:
    assert inner_imports(ast.parse("import os\ndef f():\n    import sys\n    from ._a import b\n")) == ["sys", "_a"]
    loops = "for a in vars(b).items(): pass\n[c for c in list(vars(d))]\n{e for e in sys.modules}\n[f for f in g.values()]"
    assert loops_over_live_names(ast.parse(loops)) == ["vars(b).items()", "sys.modules"]
    private = "from numpy._core import umath\nimport numpy.lib._impl\nnp._core.umath\nnumpy.linalg._linalg\nnp.linalg.norm"
    assert sorted(private_names(ast.parse(private))) == [
        "np._core", "numpy._core.umath", "numpy.lib._impl", "numpy.linalg._linalg",
    ]  # fmt: skip


# What stands at the top, each with a job; notes and results of a session are none.
TOP = {
    "npgrad", "tests", "benchmarks", "docs", "examples", ".ci", "setup.cfg", "pyproject.toml", "README.md", "LICENSE",
    "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "MANIFEST.in", "asv.conf.json", ".gitignore",
    ".pre-commit-config.yaml",
}  # fmt: skip


def test_nothing_else_stands_at_the_top() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=DOCS.parent, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("these are no files of a repository")
    assert {name.partition("/")[0] for name in tracked.stdout.splitlines()} == TOP
