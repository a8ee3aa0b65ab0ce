"""SciPy with traced data, row by row (scipy_rows.txt): followed with the right derivative, refused by the function's name,
or silent and listed in docs/leaks.md. With plain data SciPy works while a tape records as it does without."""

import importlib
import pathlib
import types

import numpy as np
import pytest
import test_leaks
from test_leaks import verdict_of

import npgrad as ng

pytest.importorskip("scipy", reason="scipy is not installed: its functions are not tested")
linalg, signal, sparse, stats, special, distributions = map(
    importlib.import_module,
    ("scipy.linalg", "scipy.signal", "scipy.sparse", "scipy.stats", "scipy.special", "scipy.stats._distn_infrastructure"),
)
spatial, interpolate, csgraph = map(importlib.import_module, ("scipy.spatial", "scipy.interpolate", "scipy.sparse.csgraph"))

ROWS = [
    tuple(line.split(" | ", 1))
    for line in (pathlib.Path(__file__).parent / "scipy_rows.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]

TREE = spatial.cKDTree(np.array([[0.1, 0.2], [0.7, 0.3], [0.4, 0.9]]))
LONG = np.cos(np.arange(24.0))


@pytest.fixture
def _long_array(monkeypatch):
    monkeypatch.setitem(test_leaks.POINT, "big", np.linspace(0.1, 2.0, 16) ** 2)
    monkeypatch.setitem(test_leaks.DIRECTION, "big", np.cos(np.arange(16.0)))


@pytest.mark.usefixtures("_long_array")
@pytest.mark.parametrize(("expected", "code"), ROWS, ids=lambda text: text[:60])
def test_row(expected, code):
    verdict = verdict_of(code)
    # What compiled code makes of a refusal differs from version to version.
    loud = verdict.partition(" ")[0] in ("raises", "refused")
    assert loud if expected == "raises" else verdict in expected.split("/")


def test_silent_rows_are_documented():
    text = (pathlib.Path(__file__).parents[1] / "docs" / "leaks.md").read_text(encoding="utf-8")
    assert not [code for verdict, code in ROWS if "silent" in verdict and f"`{code}`" not in text]


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: linalg.solve(np.eye(3), x, assume_a="banded"), "scipy.linalg.solve"),
        (lambda x: linalg.companion(x), "scipy.linalg.companion"),
        (lambda x: signal.lfilter(x, [1.0, 0.5], np.ones(3), zi=[0.0, 0.0]), "scipy.signal.lfilter"),
        (lambda x: sparse.diags_array(x).tocsr().maximum(sparse.eye_array(3)), "scipy.sparse._spbase.maximum"),
        (lambda x: stats.norm.entropy(0.0, x[0]), "scipy.stats.rv_generic.entropy"),
        (lambda x: linalg.ldl(np.outer(x, x)), "scipy.linalg.ldl"),
        (lambda x: linalg.schur(np.outer(x, x)), "scipy.linalg.schur"),
    ],
)
def test_refusal_names_the_function_and_the_line(call, name):
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([0.3, 0.5, 0.7]))
        with pytest.raises(ng.LeakError) as caught:
            call(x)
    line = f"{__file__}:{call.__code__.co_firstlineno}"
    assert str(caught.value).startswith(f"{line}: {name} takes traced data")
    with pytest.raises(ng.LeakError, match="takes traced data"):
        tape.gradient(x.sum(), x)


@pytest.mark.parametrize(
    "program",
    [
        lambda p: sparse.csr_array(np.eye(3)) @ p,
        lambda p: sparse.csr_array((p, ([0, 1, 2], [2, 1, 0]))).toarray(),
        lambda p: linalg.expm(np.outer(p, p)),
        lambda p: stats.norm.logpdf(p),
        lambda p: stats.gaussian_kde(p)(p),
        lambda p: signal.welch(LONG, nperseg=8)[1],
        # Cython, which writes into the arrays that it makes and is given.
        lambda p: spatial.cKDTree(_pairs(p)).query([0.2, 0.3])[0],
        lambda p: TREE.query(_pairs(p))[0],
        lambda p: TREE.count_neighbors(TREE, 0.5),
        lambda p: spatial.Delaunay(_pairs(p)).find_simplex([[0.2, 0.3]]),
        lambda p: spatial.ConvexHull([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)]).area,
        lambda p: spatial.Voronoi(_pairs(p)).vertices,
        lambda p: csgraph.dijkstra(np.outer(p, p)),
        lambda p: interpolate.LinearNDInterpolator(_pairs(p), [1.0, 2.0, 3.0, 4.0])([[0.3, 0.4]]),
    ],
)
def test_plain_data_in_a_tape(program):
    """Made before the tape, and while it records, where NumPy's creators give traced arrays."""
    plain = np.array([0.3, 0.5, 0.8])
    expected = program(plain)
    with ng.GradientTape() as tape:
        tape.watch(np.ones(2))
        found = [program(plain), program(np.array([0.3, 0.5, 0.8]))]
    for each in found:
        np.testing.assert_array_equal(each, expected)


def _pairs(p):
    return np.array([[0.0, 0.0], [p[2], 0.1], [0.2, p[1]], [p[0], p[0]]])


def test_captured_names_are_put_back():
    """scipy.stats binds np.asarray by itself; what stands for it while a tape records goes again, also after an error."""
    compiled = importlib.import_module("scipy.spatial._ckdtree")
    assert distributions.asarray is np.asarray
    held = types.MappingProxyType({"asarray": np.asarray})  # a variable would be swapped
    with pytest.raises(ZeroDivisionError), ng.GradientTape():
        assert distributions.asarray is np.asarray is not held["asarray"]
        assert compiled.np is not np
        raise ZeroDivisionError
    assert distributions.asarray is held["asarray"]
    assert compiled.np is np


@pytest.mark.parametrize("n", [2, 3])
def test_second_derivative_through_python_code_of_special(n):
    x = np.array([0.4, 1.3])
    with ng.GradientTape() as outer:
        z = outer.watch(x)
        with ng.GradientTape() as inner:
            inner.watch(z)
            y = special.polygamma(n, z)
        slope = inner.gradient(y, z)
    np.testing.assert_allclose(outer.gradient(slope, z), special.polygamma(n + 2, x), rtol=1e-12)
