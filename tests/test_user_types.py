"""The gallery and the blocks of the docs, which have few annotations, checked by mypy and pyright against the package's.

`.ci/run` has both; they are the extra `lint`, and what is not installed is left out here.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_docs import ROOT, blocks, page_name, with_kind

pytestmark = pytest.mark.once

CHECKERS = {
    "mypy": [
        *("--config-file=", "--check-untyped-defs", "--follow-imports=silent", "--ignore-missing-imports"),
        "--cache-dir=.mypy_cache/users",
    ],
    "pyright": ["--pythonpath", sys.executable],
}


def python_of(page: Path) -> str:
    """The blocks of a page as one module, each at the lines that it has there."""
    lines: list[str] = []
    for block in blocks(page.read_text()):
        if block.kind == "python":
            lines += [""] * (block.line - len(lines)) + block.code.splitlines()
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("blocks")
    for page in with_kind("python"):
        (folder / page_name(page).replace("/", "_").replace("-", "_").replace(".md", ".py")).write_text(python_of(page))
    return [*folder.glob("*.py"), *sorted((ROOT / "examples" / "gallery").glob("*.py"))]


def complaints(checker: str, programs: list[Path]) -> str:
    if importlib.util.find_spec(checker) is None:
        pytest.skip(f"{checker} is not installed")
    done = subprocess.run(
        [sys.executable, "-m", checker, *CHECKERS[checker], *programs],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": str(ROOT)},
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("checker", CHECKERS)
def test_programs_of_users_have_right_types(checker: str, programs: list[Path]) -> None:
    assert complaints(checker, programs) == ""


@pytest.mark.parametrize("checker", CHECKERS)
def test_a_wrong_call_is_seen(checker: str, tmp_path: Path) -> None:
    program = tmp_path / "wrong.py"
    calls = ["ng.grad(3.0)", "ng.grad(lambda x: x**2, sideways=True)", "ng.GradientTape().watch('text')"]
    program.write_text("\n".join(["import npgrad as ng", *calls, ""]))
    found = complaints(checker, [program])
    assert all(f"wrong.py:{line}" in found for line in (2, 3, 4)), found
