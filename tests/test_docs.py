"""Every block of code of the README and the docs runs as it is printed: Python, what it prints, commands of the shell."""

from __future__ import annotations

import code
import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "examples" / "gallery" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Examples of docstrings run with the docstrings, and tests/test_api_page.py compares the page with them.
KINDS = {"python", "text", "text measured", "sh", "pycon"}
# Commands that make an environment, or run all checks: `.ci/run` does the same.
SETS_UP = re.compile(r"git clone|python3 -m venv|pre-commit|\.venv/bin/(pip|ruff|mypy|coverage|python -m pytest)")


class Block(NamedTuple):
    kind: str
    code: str
    line: int  # of its first line, counted from 0


def blocks(text: str) -> list[Block]:
    return [Block(found[1], found[2], text.count("\n", 0, found.start(2))) for found in FENCE.finditer(text)]


def with_kind(kind: str) -> list[Path]:
    return [page for page in PAGES if any(block.kind == kind for block in blocks(page.read_text()))]


def page_name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def promised(code: str) -> Iterator[str]:
    """What the comments behind calls of print say that they print."""
    yield from re.findall(r"^print\(.*\)  # (.*)$", code, re.MULTILINE)


def measured(text: str) -> list[list[str]]:
    """Lines as words, all figures alike: what is measured differs from run to run."""
    units = re.compile(r"\b(us|ms|s)\b")
    return [units.sub("", re.sub(r"[-+\d.]+(e[-+]\d+)?x?", "#", line)).split() for line in text.strip().splitlines()]


@pytest.mark.parametrize("page", with_kind("python"), ids=page_name)
def test_python_runs_and_prints_what_the_page_says(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One namespace per page. A block of text is what the Python block before it prints."""
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("NPGRAD_TRACEBACK", raising=False)  # as users have it
    namespace, said = {"__name__": "page"}, ""
    for block in blocks(page.read_text()):
        if block.kind == "python":
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(compile("\n" * block.line + block.code, page, "exec"), namespace)
            said = printed.getvalue()
            assert [line for line in promised(block.code) if line not in said.splitlines()] == []
        elif block.kind == "text":
            assert block.code == said
        elif block.kind == "text measured":
            shown = measured(block.code)  # packages that are not installed have rows there, too
            assert said and [line for line in measured(said) if line not in shown] == []


@pytest.mark.parametrize("page", ["README.md", "docs/index.md", "docs/getting-started.md"])
def test_first_pages_can_be_pasted_at_the_prompt(page: str) -> None:
    """Python's own prompt before 3.13 wants an empty line after what is indented, and none in it."""
    console = code.InteractiveConsole()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as complaints:
        for block in blocks((ROOT / page).read_text()):
            if block.kind == "python":
                for line in [*block.code.splitlines(), ""]:
                    console.push(line)
    assert complaints.getvalue() == ""


def commands() -> Iterator[tuple[Path, str]]:
    for page in with_kind("sh"):
        for block in blocks(page.read_text()):
            if block.kind == "sh":
                # The part behind && needs the environment that the part before it makes.
                yield from ((page, part) for line in block.code.splitlines() for part in line.split(" && "))


@pytest.mark.parametrize(("page", "command"), [pair for pair in commands() if not SETS_UP.match(pair[1])])
def test_commands_run(page: Path, command: str, tmp_path: Path) -> None:
    program, *words = shlex.split(command, comments=True)
    if program == "cd":
        return
    assert Path(program).name == "python"
    words = [str(ROOT / word) if (ROOT / word.partition(":")[0]).is_file() else word for word in words]
    done = subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"},
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_no_block_is_left_out(page: Path) -> None:
    """All code stands in fences that the tests above know: no other kinds, no tildes, no indented blocks or fences."""
    text = page.read_text()
    assert {block.kind for block in blocks(text)} <= KINDS
    assert text.count("```") == 2 * len(blocks(text))
    prose = FENCE.sub("", text)
    assert "~~~" not in prose
    assert re.findall(r"(?<=\n\n)(?:    |\t)\S.*", prose) == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", FENCE.sub("", page.read_text()))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_blocks_are_found() -> None:
    text = "a\n```python\nx = 1\n```\n```text\ny\n```\n```python\nz\n```\n"
    assert blocks(text) == [Block("python", "x = 1\n", 2), Block("text", "y\n", 5), Block("python", "z\n", 8)]


def test_the_checks_see() -> None:
    assert list(promised("print(f(1))  # 2\nx = 3  # not printed\n")) == ["2"]
    assert measured("npgrad  1.5e-3  12 us  3.4x") == measured("npgrad  7e+10  1.2 ms  0.1x") != measured("scipy 1 2 us 3x")
