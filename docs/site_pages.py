"""What the site has and Markdown has not: one page per public name, the tree of pages, pages from outside of docs/."""

from __future__ import annotations

import functools
import inspect
import os
import re
from pathlib import Path
from typing import Any

import generate_api
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxRole

HERE = Path(__file__).parent
ROOT = HERE.parent
GENERATED = HERE / "generated"

# Files of the repository that are pages of the site, and their names there.
PAGES = {
    "CONTRIBUTING.md": "generated/contributing.md",
    "CHANGELOG.md": "generated/changelog.md",
    "benchmarks/RESULTS.md": "generated/results.md",
    "examples/gallery/README.md": "gallery/index.rst",
}


# --- One page per public name


@functools.cache
def public_names() -> dict[str, Any]:
    """Full names of all functions and classes of the API."""
    return {
        f"{module.__name__}.{name}": value
        for module in generate_api.modules()
        for name, value in generate_api.members(module).items()
    }


def reference_page(full: str, value: Any) -> str:
    """The page of one name, with the methods of classes and the programs of the gallery that use it."""
    module, _, name = full.rpartition(".")
    directive = "function"
    if inspect.isclass(value):
        directive = "exception" if issubclass(value, BaseException) else "class"
    parts = [full, "=" * len(full), "", f".. currentmodule:: {module}", "", f".. auto{directive}:: {name}", ""]
    if directive == "class":
        parts += [line for method in generate_api.methods(value) for line in (f"   .. automethod:: {method}", "")]
    parts += [f".. minigallery:: {full}", "   :add-heading: Programs that use it", "   :heading-level: -", ""]
    return "\n".join(parts)


def api_page(_: str) -> str:
    """In place of docs/api.md, which has all of it on one page: tables that lead to the pages of the names."""
    parts = ["# API", "", "Every public name. The examples run as tests.", ""]
    names = list(public_names())
    for module in generate_api.modules():
        own = [name for name in names if name.rpartition(".")[0] == module.__name__]
        summary = generate_api.prose((module.__doc__ or "").split("\n\n")[0])
        parts += [f"## {module.__name__}", "", summary, "", "```{eval-rst}", f".. currentmodule:: {module.__name__}", ""]
        parts += [".. autosummary::", "   :nosignatures:", "", *(f"   {name.rpartition('.')[2]}" for name in own), "```", ""]
    return "\n".join([*parts, "```{toctree}", ":hidden:", "", *(f"generated/{name}" for name in names), "```", ""])


class CodeOrLink(SphinxRole):
    """Single backquotes in docstrings: a link if they name something public, else code."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        here = self.env.ref_context.get("py:module")
        known = [full for full in (self.text, f"{here}.{self.text}", f"npgrad.{self.text}") if full in public_names()]
        if not known:
            return [nodes.literal(self.rawtext, self.text)], []
        role = self.env.domains.python_domain.role("obj")
        return role("obj", self.rawtext, f"{self.text} <{known[0]}>", self.lineno, self.inliner)  # type: ignore[misc]


# --- The tree of pages


def with_trees(index: str) -> str:
    """The first page, with a tree of the pages that it links to under each of its headings."""
    _, *sections = re.split(r"^## (.*)$", index, flags=re.MULTILINE)
    trees = [
        "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *re.findall(r"\]\(([^)#]+)\)", text), "```"])
        for caption, text in zip(sections[::2], sections[1::2], strict=True)
    ]
    return "\n\n".join([index, *trees]) + "\n"


def gallery_place(script: str) -> int:
    """Programs stand in the gallery as in the table of its README."""
    return (ROOT / "examples" / "gallery" / "README.md").read_text().index(f"| {Path(script).name} |")


# --- Pages from outside


def relinked(text: str, at: str) -> str:
    """Markdown from the folder ``at`` of the repository, its links as they are on a page of ``generated`` or of docs/."""
    into = HERE if at == "docs" else GENERATED

    def link(found: re.Match[str]) -> str:
        path = os.path.normpath(os.path.join(at, found[1]))
        if not (ROOT / path).exists():
            return found[0]
        return f"]({os.path.relpath(HERE / PAGES[path] if path in PAGES else ROOT / path, into)}"

    return re.sub(r"\]\(([^)#\s]+)", link, text)


# --- What Sphinx calls


def write_pages(app: Sphinx, config: Config) -> None:
    """Write the pages that are made."""
    GENERATED.mkdir(exist_ok=True)
    made = {f"{full}.rst": reference_page(full, value) for full, value in public_names().items()}
    for path, page in PAGES.items():
        if page.startswith("generated/"):
            made[page.removeprefix("generated/")] = relinked((ROOT / path).read_text(), os.path.dirname(path) or ".")
    for file in GENERATED.glob("*.rst"):
        if file.name not in made:  # of a name that is gone
            file.unlink()
    for name, text in made.items():
        file = GENERATED / name
        if not file.exists() or file.read_text() != text:
            file.write_text(text)


def change_source(app: Sphinx, name: str, source: list[str]) -> None:
    """What a page has only in the site."""
    if "/" not in name:
        source[0] = relinked(source[0], "docs")
    if name in RICH:
        source[0] = RICH[name](source[0])


RICH = {"index": with_trees, "api": api_page}


def setup(app: Sphinx) -> None:
    app.connect("config-inited", write_pages)
    app.connect("source-read", change_source)
    app.add_role("code-or-link", CodeOrLink())
