"""docs/api.md says what the docstrings say, and every public name has one, with an example."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import npgrad as ng

pytestmark = pytest.mark.once

DOCS = Path(__file__).parents[1] / "docs"
_spec = importlib.util.spec_from_file_location("generate_api", DOCS / "generate_api.py")
generate_api = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(generate_api)
NAMES = {
    f"{module.__name__}.{name}": value
    for module in generate_api.modules()
    for name, value in generate_api.members(module).items()
}


def test_the_page_is_current():
    assert (DOCS / "api.md").read_text() == generate_api.page(), "run python docs/generate_api.py"


METHODS = {
    f"{name}.{method}": value
    for name, owner in NAMES.items()
    if inspect.isclass(owner)
    for method, value in generate_api.methods(owner).items()
}


@pytest.mark.parametrize("name", METHODS)
def test_every_public_method_has_an_example(name):
    assert "\nExamples\n---" in inspect.cleandoc(METHODS[name].__doc__)


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_has_an_example(name):
    """Its own, or that of the function which makes it."""
    doc = inspect.cleandoc(NAMES[name].__doc__ or "")
    maker = re.search(r"[Mm]ade by `(\w+)`", doc)
    if maker:
        doc = inspect.cleandoc(getattr(ng, maker.group(1)).__doc__)
    assert "\nExamples\n---" in doc


def test_no_name_is_a_function_and_a_module():
    """What `npgrad.name` is does not depend on what else was imported."""
    for found in pkgutil.iter_modules(ng.__path__):
        public = getattr(ng, found.name, None)
        assert found.name.startswith("_") or public is None or inspect.ismodule(public), found.name
    assert inspect.isfunction(ng.compare) and inspect.isclass(ng.Comparison)
    assert ng.finite_difference is importlib.import_module("npgrad.finite_difference")


def test_the_generator_reads_docstrings():
    """The parts of a page, on a docstring made for it."""

    def example(a, b=2):
        """Do it.

        Parameters
        ----------
        a : int
            The first,
            in ``two`` lines.

        Examples
        --------
        >>> 1 + 1
        2
        """

    text = generate_api.entry("example", example, "###")
    assert text == (
        "### `example(a, b=2)`\n\nDo it.\n\n**Parameters**\n\n- `a : int`: The first, in `two` lines.\n\n"
        "**Examples**\n\n```pycon\n>>> 1 + 1\n2\n```"
    )
    assert "GradientTape" in generate_api.members(ng) and "gradient" in generate_api.methods(ng.GradientTape)
