"""What a session at a prompt, an editor or a notebook sees: text, pictures, names to complete, help."""

from __future__ import annotations

import inspect
import pydoc
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from test_api_page import NAMES, generate_api

import npgrad as ng
from npgrad._notebook import MAX_SQUARES, pattern_picture, table

X = np.array([1.0, 2.0])
METHODS = {
    f"{name}.{method}": function
    for name, value in NAMES.items()
    if inspect.isclass(value)
    for method, function in generate_api.methods(value).items()
}


# --- Text ----------------------------------------------------------------------------------------------------------------


def test_a_traced_array_says_what_it_is():
    x = ng.array(X)
    assert repr(x) == "TracedArray([1., 2.])"
    assert repr(ng.array(X.astype(np.float32))) == "TracedArray([1., 2.], dtype=float32)"
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        assert repr(x) == "TracedArray([1., 2.], tracked)"
        assert repr(x[0]) == "TracedArray(1., tracked)"
        assert repr(np.zeros(2)) == "TracedArray([0., 0.])"
    # As text among other text it is NumPy's.
    assert str(x) == str(X) and f"{x[0]:.2f}" == "1.00" and f"{x}" == f"{X}"


def test_a_tape_says_what_it_is():
    tape = ng.GradientTape()
    assert repr(tape) == "<GradientTape: 0 calls, stopped>"
    with tape:
        x = tape.watch(X)
        y = np.sin(x) * x
        assert repr(tape) == "<GradientTape: 2 calls, recording>"
    assert repr(tape) == "<GradientTape: 2 calls, stopped>"
    tape.gradient(y, x)
    assert repr(tape) == "<GradientTape: 0 calls, used up>"


# --- Notebooks -----------------------------------------------------------------------------------------------------------


def parsed(html: str) -> ElementTree.Element:
    return ElementTree.fromstring(f"<div>{html}</div>")


def squares(html: str) -> set[tuple[int, int]]:
    """Row and column of each square of a picture."""
    path = parsed(html).find(".//path").get("d")
    corners = [part.removesuffix("h1v1h-1").split() for part in path.replace("M", "").split("z") if part]
    return {(int(row), int(column)) for column, row in corners}


def test_a_pattern_is_a_picture():
    pattern = ng.jacobian_sparsity(np.diff, np.ones(4))
    html = pattern._repr_html_()
    assert squares(html) == {(0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 3)}
    picture = parsed(html).find(".//svg")
    assert picture.get("viewBox") == "0 0 4 3" and picture.get("width") == "240" and picture.get("height") == "180"
    assert parsed(html).find(".//figcaption").text == "SparsityPattern of shape 3x4 with 6 elements"


def test_a_sparse_matrix_is_a_picture():
    matrix = ng.sparse_jacobian(np.diff)(np.ones(4))
    assert squares(matrix._repr_html_()) == squares(ng.jacobian_sparsity(np.diff, np.ones(4))._repr_html_())
    assert "SparseMatrix of shape 3x4" in matrix._repr_html_()


def test_a_large_pattern_is_a_picture_of_blocks():
    n = 1000
    rows, columns = np.arange(n), np.arange(n) // 2
    html = pattern_picture("title", rows, columns, (n, n))
    block = -(-n // MAX_SQUARES)
    assert squares(html) == set(zip((rows // block).tolist(), (columns // block).tolist(), strict=True))
    assert len(html) < 10_000
    assert f"a square is a block of {block}x{block}" in html


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (2, 2)])
def test_an_empty_pattern_is_an_empty_picture(shape):
    nothing = np.zeros(0, int)
    assert squares(pattern_picture("nothing", nothing, nothing, shape)) == set()


def test_a_comparison_is_a_table():
    def kinked(x):
        return np.abs(x) & 1 if np.iscomplexobj(x) else x * x

    report = ng.compare(kinked, X, methods=["npgrad reverse", "3-point", "complex-step"])
    html = parsed(report._repr_html_())
    head, *rows = [[cell.text for cell in row] for row in html.iter("tr")]
    assert head[0] == "method" and len(head) == 8
    assert [row[0] for row in rows] == ["npgrad reverse", "3-point", "complex-step"]
    assert len(rows[0]) == 8 and len(rows[2]) == 2 and rows[2][1].startswith("refuses: TypeError")
    told = [paragraph.text for paragraph in html.iter("p")]
    assert told[0].startswith("kinked: 2 elements -> 2 values") and told[-1] == report.verdict
    assert all(cell in str(report) for row in rows for cell in row)


def test_text_in_tables_is_escaped():
    cells = [cell.text for cell in parsed(table(["<a>", "b"], [["x < y", "&"]])).iter() if cell.tag in ("th", "td")]
    assert cells == ["<a>", "b", "x < y", "&"]


# --- Names and help ------------------------------------------------------------------------------------------------------


def test_names_to_complete():
    """After ``ng.`` in a fresh session: what the API page has, the public modules, and nothing that an import left over."""
    program = "import npgrad; print(*[name for name in dir(npgrad) if not name.startswith('_')])"
    offered = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    known = {name.removeprefix("npgrad.") for name in NAMES if name.count(".") == 1}
    modules = {module.__name__.removeprefix("npgrad.") for module in generate_api.modules()} | {"rules", "constant"}
    assert known - set(offered) == set()
    assert set(offered) - known - modules == set()


def test_names_of_a_tape_and_an_array():
    tape = {name for name in dir(ng.GradientTape) if not name.startswith("_")}
    assert tape == {
        "batch_jacobian", "calls", "explain", "gradient", "jacobian", "reset", "stop_recording", "summary", "watch",
        "watched_variables",
    }  # fmt: skip
    assert set(dir(np.ndarray)) <= set(dir(ng.array(X)))


def test_help_of_the_package_names_all() -> None:
    """pydoc lists no functions of a package that it imports from its modules; so the docstring has them."""
    words = set(re.findall(r"\w+", ng.__doc__ or ""))
    assert {name.split(".")[1] for name in NAMES} - words == set()


@pytest.mark.parametrize("name", [*NAMES, *METHODS])
def test_help(name):
    """The signature with its parameters' own names, and the docstring."""
    value = {**NAMES, **METHODS}[name]
    text = pydoc.plain(pydoc.render_doc(value))
    head, first, _ = text.partition(inspect.cleandoc(value.__doc__).splitlines()[0])
    assert first
    if not inspect.isclass(value):
        head = head.partition("\n")[2]
        assert all(re.search(rf"\b{parameter}\b", head) for parameter in inspect.signature(value).parameters)
        assert not re.search(r"(?<!\w)_\w|\bobject at 0x", head), "a private name, or an address"
