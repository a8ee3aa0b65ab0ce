"""scipy.special: every ufunc has a rule or a reason, rules come with the library and not before it."""

import subprocess
import sys

import numpy as np
import pytest

import npgrad as ng
from npgrad._libraries import declare_loaded
from npgrad._registry import COLLECTIONS
from npgrad.testing import check_gradients

special = pytest.importorskip("scipy.special", reason="scipy is not installed: its rules and their samples are not tested")
declare_loaded()

UFUNCS = {ufunc: name for name, ufunc in vars(special).items() if isinstance(ufunc, np.ufunc)}


@pytest.mark.parametrize("ufunc", UFUNCS, ids=UFUNCS.get)
def test_every_ufunc_is_somewhere(ufunc):
    assert sum(ufunc in collection for collection in COLLECTIONS.values()) == 1


def _gradient(f, x):
    with ng.GradientTape() as tape:
        x = tape.watch(x)
        y = f(x)
    return tape.gradient(y, x)


def test_samples_are_there():
    from samples.special import SAMPLES

    assert len(SAMPLES) > 250


def test_rules_come_with_the_library():
    """npgrad does not import SciPy; what is loaded after it, and in the middle of a tape, has its rules."""
    program = """
import sys, numpy as np, npgrad as ng
assert not any(name.partition(".")[0] == "scipy" for name in sys.modules)
with ng.GradientTape() as tape:
    x = tape.watch(np.array([0.5, 1.0]))
    assert (x < 1).tolist() == [True, False]
    from scipy.special import erf
    y = erf(x)
print(tape.gradient(y, x).tolist())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    np.testing.assert_allclose(eval(done.stdout), 2 / np.sqrt(np.pi) * np.exp([-0.25, -1.0]), rtol=1e-15)


def test_an_input_without_a_derivative_is_refused_when_asked_for():
    with ng.GradientTape(persistent=True) as tape:
        v, x = tape.watch(1.5), tape.watch(0.7)
        y = special.jv(v, x)
    np.testing.assert_allclose(tape.gradient(y, x), special.jvp(1.5, 0.7), rtol=1e-14)
    with pytest.raises(ng.NoRuleError, match=r"scipy\.special\.jv by its argument v"):
        tape.gradient(y, v)


@pytest.mark.parametrize("name", ["zetac", "kolmogorov", "mathieu_a"])
def test_unsupported_functions_say_their_name(name):
    function = getattr(special, name)
    with ng.GradientTape() as tape:
        x = tape.watch(1.5)
        with pytest.raises(ng.NoRuleError, match=rf"scipy\.special\.{name} has no derivative rule"):
            function(*[1.0] * (function.nin - 1), x)


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        # Digamma and trigamma at 1: DLMF 5.4.12, 5.4.14 with zeta(2).
        (special.gamma, 1.0, -np.euler_gamma),
        (special.psi, 1.0, np.pi**2 / 6),
        (special.lambertw, 0.0, 1.0),
        (special.rgamma, -2.0, 2.0),
        (special.exprel, 0.0, 0.5),
        (special.ellipk, 0.0, np.pi / 8),
        (special.ellipe, 0.0, -np.pi / 8),
        (special.spence, 1.0, -1.0),
        (special.j1, 0.0, 0.5),
        (lambda x: special.sici(x)[0], 0.0, 1.0),
        (lambda x: special.xlogy(0.0, x), 0.0, 0.0),
        (lambda x: special.boxcox(np.e, x), 0.0, 0.5),
        (special.i0e, 0.0, 0.0),
    ],
)
def test_published_values_and_limits(f, x, expected):
    np.testing.assert_allclose(_gradient(f, x), expected, rtol=1e-14)


def test_complex_digamma_by_recurrence():
    """psi'(z) = psi'(z + 1) + 1 / z^2 (DLMF 5.5.2) far from where the series is taken, and psi' is real on the axis."""
    z = np.array([0.3 + 0.4j, -2.6 - 0.7j, 4.0 + 9.0j])
    np.testing.assert_allclose(_gradient(special.psi, z), _gradient(special.psi, z + 1) + 1 / np.conj(z) ** 2, rtol=1e-13)
    np.testing.assert_allclose(_gradient(special.psi, 1.5 + 0j), special.polygamma(1, 1.5), rtol=1e-13)


def test_second_outputs_go_into_buffers():
    def both(x):
        sine, cosine = np.empty_like(x), np.empty_like(x)
        special.sici(x, out=(sine, cosine))
        return sine * cosine

    check_gradients(both, np.array([0.4, 1.3]))


def check_itairy(mode):
    """By a wide difference, as SciPy's sums are rough."""
    x, h = 1.2, 1e-3
    found = ng.jacobian(lambda t: np.array(special.itairy(t)), mode=mode)(x)
    np.testing.assert_allclose(found, (np.array(special.itairy(x + h)) - special.itairy(x - h)) / (2 * h), rtol=1e-5)


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_rough_sums(mode):
    check_itairy(mode)


# --- Points where a formula may have 0 / 0, though the function is smooth -------------------------------------------------

_VALUES = [-2.0, -1.0, 0.0, 0.5, 1.0, 2.0]


def _awkward_samples():
    from samples import Differentiated
    from samples.special import SAMPLES

    known = {}
    for sample in SAMPLES:
        points = [n for n, a in enumerate(sample.args) if isinstance(a, Differentiated)]
        real = all(not np.iscomplexobj(sample.args[n].value) for n in points)
        if isinstance(sample.function, np.ufunc) and sample.call is sample.function and not sample.kwargs and real:
            known.setdefault((sample.function.__name__, *points), (sample, points))
    return list(known.values())


@pytest.mark.parametrize(("sample", "points"), _awkward_samples(), ids=lambda value: repr(value).replace("special.", ""))
def test_derivative_at_whole_numbers_is_that_of_differences_where_the_function_is_smooth(sample, points):
    grid = [np.ravel(axis) for axis in np.meshgrid(*[_VALUES] * len(points), indexing="ij")]

    def values(*moved):
        args = [np.ravel(a)[0] if isinstance(a, np.ndarray) else a for a in sample.args]
        for n, value in zip(points, moved, strict=True):
            args[n] = value
        result = sample.function(*args)
        return [np.real(r) for r in (result if isinstance(result, tuple) else (result,))]

    with np.errstate(all="ignore"):
        for output, value in enumerate(values(*grid)):
            with ng.GradientTape() as tape:
                sources = [tape.watch(axis) for axis in grid]
                target = values(*sources)[output]
            if not isinstance(target, ng.TracedArray):
                continue
            gradients = tape.gradient(target, sources, unconnected_gradients="zero")
            smooth, slopes, h = np.isfinite(value), [], 1e-5
            for n, axis in enumerate(grid):
                moved = [values(*grid[:n], axis + k * h / 2, *grid[n + 1 :])[output] for k in (-2, -1, 1, 2)]
                wide, narrow = (moved[3] - moved[0]) / (2 * h), (moved[2] - moved[1]) / h
                bend = np.abs(moved[3] + moved[0] - 2 * value) / h
                scale = np.maximum(1, np.abs(narrow))
                slopes.append((narrow, (np.abs(wide - narrow) < 1e-4 * scale) & (bend < 1e-2 * scale)))
                smooth &= ~(scale > 1e8)  # next to a jump
            for gradient, (slope, here) in zip(gradients, slopes, strict=True):
                here &= smooth
                np.testing.assert_allclose(gradient[here], slope[here], rtol=1e-4, atol=1e-4)
