"""Every message of npgrad: what, where and the cure.

error_rows.txt has a program for each, and the text that it must raise, in full. Sites that raise are found by reading the
package, and the tracebacks of the rows tell which were reached: none may be left out.
"""

from __future__ import annotations

import ast
import operator
import re
import traceback
from pathlib import Path

import error_programs
import numpy as np
import pytest

import npgrad as ng

PACKAGE = Path(ng.__file__).parent
X = error_programs.X

WAYS_OUT = (
    "Ways out: make the buffer inside the tape (np.zeros, np.empty ... are followed there) or wrap it in npgrad.array; "
    "put `with npgrad.instrument(module):` around the tape if a module made the buffer before; "
    "use npgrad.stop_gradient where the value is meant to be constant; "
    'or pass leaks="warn" or leaks="ignore" to the tape or the functional API.'
)


def read_rows() -> list[tuple[str, str]]:
    """Programs, and below each, indented, what it must raise."""
    lines = (Path(__file__).parent / "error_rows.txt").read_text().splitlines()
    return list(zip(lines[::2], [line.strip() for line in lines[1::2]], strict=True))


ROWS = read_rows()

# What plain NumPy says, traced arrays say too.
SAME = [
    lambda x: hash(x),
    lambda x: iter(x[0]),
    lambda x: iter(x[0].astype(np.float32)),
    lambda x: iter(np.asarray(x[0:1].reshape(()))),
    lambda x: x.__delitem__(0),
    lambda x: operator.setitem(x[0], (), 1.0),
    lambda x: setattr(x, "shape", (3,)),
    lambda x: setattr(x, "imag", 1.0),
    lambda x: x @ np.ones(3),
    lambda x: x[5],
    lambda x: x.reshape(3),
    lambda x: np.concatenate([x, np.ones((2, 2))]),
    lambda x: np.delete(x, 7),
    lambda x: np.linalg.inv(x),
    lambda x: np.copyto(x, np.array([1j, 2.0])),
    lambda x: np.copyto(x, 1j * x),
    lambda x: np.copyto(x, [1, 2], casting="no"),
    lambda x: np.place(x, [True, True], []),
    lambda x: np.place(x, [True], 0.0),
    lambda x: np.putmask(x, [True], 0.0),
    lambda x: np.putmask(x[:0], [True], 0.0),
    lambda x: np.putmask(x[0], [True], 0.0),
    lambda x: np.put(x[:0], [0], []),
    lambda x: np.put_along_axis(x, [0], 0.0, 0),
    lambda x: np.put_along_axis(x, np.array([0]), x, None),
    lambda x: np.copy(x, []),
    lambda x: np.copy(x[0], x),
    lambda x: np.matrix_transpose(x[0]),
    lambda x: np.nan_to_num(x[0], 0),
    lambda x: np.broadcast_to(x, 2, x),
    lambda x: np.clip(x, 0.0, 1.0, x[0]),
    lambda x: np.quantile(x, [2, 0], 0, x[0]),
    # From NumPy 2.5 on np.tri asks for an index first, and a traced array says that its bits are taken.
    *([lambda x: np.tril(np.outer(x, x), [x, x])] if np.lib.NumpyVersion(np.__version__) < "2.5.0" else []),
    lambda x: np.fill_diagonal(x, 0.0),
    lambda x: np.fill_diagonal(np.multiply.outer(x, np.ones((3, 4))), 0.0),
    lambda x: np.fromiter([x[0]], float, 3),
    lambda x: np.asarray_chkfinite(x * np.inf),
    lambda x: x.flat.__delitem__(0),
]


def said(error: Exception) -> str:
    """Kind and message, without what changes: places, the ways out that all leaks have, and numbers of Variables."""
    text = re.sub(r"\S+\.py:\d+: ", "<here>: ", str(error)).replace(WAYS_OUT, "<ways out>")
    text = text.replace(error_programs.directory(), "<directory>")
    return f"{type(error).__name__}: " + re.sub(r"Variable:\d+", "Variable:<n>", text)


def row(program: str):
    """A row as a function; places in it are called after a file that the user could have written."""
    return lambda: eval(compile(program, "program.py", "eval"), vars(error_programs))


def caught(program) -> Exception:
    try:
        program()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(("program", "message"), ROWS, ids=[program for program, _ in ROWS])
def test_messages(program: str, message: str) -> None:
    assert said(caught(row(program))) == message


@pytest.mark.parametrize("program", SAME, ids=range(len(SAME)))
@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")
def test_numpys_own_messages(program):
    """NumPy's error, or none where this version has none."""

    def outcome(run):
        try:
            run()
        except Exception as error:
            return type(error), str(error)

    expected = outcome(lambda: program(X.copy()))
    assert outcome(lambda: error_programs.recorded(program)) == expected
    assert expected is not None or np.lib.NumpyVersion(np.__version__) < "2.3.0"


def raise_sites(path: Path) -> set[int]:
    """The lines of a module on which a new error is raised; the end of an iterator is none."""
    raised = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Raise) and node.exc is not None]
    return {node.lineno for node in raised if ast.unparse(node.exc) != "StopIteration"}


def frames(error: BaseException | None):
    while error is not None:
        yield from traceback.extract_tb(error.__traceback__)
        error = error.__cause__ or error.__context__


def test_no_site_is_left_out():
    """A `raise` that no row of error_rows.txt comes to has no message that anybody has read; a row that comes to none has a
    message that is not npgrad's."""
    reached = {program: {(frame.filename, frame.lineno) for frame in frames(caught(row(program)))} for program, _ in ROWS}
    sites = {(str(path), line) for path in PACKAGE.rglob("*.py") for line in raise_sites(path)}
    missed = sorted(f"{Path(file).relative_to(PACKAGE)}:{line}" for file, line in sites - set().union(*reached.values()))
    assert missed == []
    assert [program for program, places in reached.items() if not places & sites] == []


def test_the_page_has_all_kinds():
    page = (PACKAGE.parent / "docs" / "errors.md").read_text()
    kinds = {message.partition(":")[0] for _, message in ROWS} - {"UserError"}  # of the command line, one line of text
    assert [kind for kind in sorted(kinds) if f"`{kind}`" not in page and f".{kind}`" not in page] == []


def test_sites_are_found(tmp_path):
    module = tmp_path / "module.py"
    module.write_text("def f():\n    raise ValueError('no')\n\n\ntry:\n    f()\nexcept ValueError:\n    raise\n")
    assert raise_sites(module) == {2}
