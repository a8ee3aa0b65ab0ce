"""Nonlinear regression against NIST's certified values (Statistical Reference Datasets), with npgrad's Jacobians.

Each model is written as legacy code: module-level data, a preallocated residual buffer, loops. The fits start from both of
NIST's starting points and must reach 8 certified digits of the parameters and 7 of their standard deviations.
"""

import os
from math import exp
from pathlib import Path

import numpy as np
import pytest

import npgrad as ng

pytestmark = pytest.mark.once

DATA = Path(os.environ.get("NPGRAD_NIST_STRD", Path(__file__).parents[2] / "shared" / "data" / "nist_strd"))

# --- The legacy programs: they read the data of the current problem from the module -------------------------------

x = y = residual = None


def load(observed, predictor):
    global x, y, residual
    x, y = predictor, observed
    residual = np.zeros(len(y))


def boxbod(b):
    """Misra1a has the same model."""
    for i in range(len(x)):
        residual[i] = y[i] - b[0] * (1.0 - exp(-b[1] * x[i]))
    return residual


def chwirut(b):
    out = np.empty_like(y)
    np.multiply(x, -b[0], out=out)
    np.exp(out, out=out)
    out /= b[1] + b[2] * x
    np.subtract(y, out, out=out)
    return out


def danwood(b):
    i = 0
    while i < x.size:
        residual[i] = y[i] - b[0] * x[i] ** b[1]
        i += 1
    return residual


def gauss(b):
    residual[:] = y
    residual[:] -= b[0] * np.exp(-b[1] * x)
    for amplitude, centre, width in b[2:].reshape(2, 3):
        bump = x - centre
        bump /= width
        bump **= 2
        np.negative(bump, out=bump)
        residual[...] -= amplitude * np.exp(bump)
    return residual


def horner(coefficients, at):
    total = np.zeros_like(at)
    for c in coefficients[::-1]:
        total *= at
        total += c
    return total


def rational(b, top):
    below = np.ones(1 + len(b) - top)
    below[1:] = b[top:]
    residual[:] = horner(b[:top], x)
    residual[:] /= horner(below, x)
    residual[:] -= y
    np.multiply(residual, -1.0, residual)
    return residual


def hahn(b):
    """Thurber has the same model."""
    return rational(b, 4)


def kirby(b):
    return rational(b, 3)


def lanczos(b):
    r = y.copy()
    for k in range(0, 6, 2):
        r -= b[k] * np.exp(-b[k + 1] * x)
    return r


def mgh17(b):
    for i, (xi, yi) in enumerate(zip(x, y, strict=True)):
        residual[i] = b[0]
        residual[i] += b[1] * exp(-xi * b[3])
        residual[i] += b[2] * exp(-xi * b[4])
        residual[i] = yi - residual[i]
    return residual


PROGRAMS = {
    "BoxBOD": boxbod,
    "Chwirut2": chwirut,
    "DanWood": danwood,
    "Gauss1": gauss,
    "Hahn1": hahn,
    "Kirby2": kirby,
    "Lanczos3": lanczos,
    "MGH17": mgh17,
    "Misra1a": boxbod,
    "Thurber": hahn,
}

# --- NIST's files --------------------------------------------------------------------------------------------------


def read(path):
    """Starting points, certified parameters and standard deviations, observations and predictor of one file."""
    lines = path.read_text().splitlines()
    parameters = np.array([line.split("=")[1].split() for line in lines[40:60] if line.strip().startswith("b")], float)
    observed, predictor = np.array([line.split() for line in lines[60:] if line.strip()], float).T
    return parameters[:, :2].T, parameters[:, 2], parameters[:, 3], observed.copy(), predictor.copy()


def digits(found, certified):
    """NIST's measure: the log relative error, counted in digits."""
    wrong = np.max(np.abs(found - certified) / np.abs(certified))
    return np.inf if wrong == 0 else -np.log10(wrong)


# --- The fit -------------------------------------------------------------------------------------------------------


def squares(program, b):
    """The sum of squares at a point that may lie anywhere; infinite where the model overflows."""
    try:
        with np.errstate(all="ignore"):
            r = program(b)
            return r @ r
    except OverflowError:
        return np.inf


def levenberg_marquardt(program, b):
    """Scaled steps by QR factors, until Gauss-Newton steps no longer change the parameters.

    Scales that remember the steepest columns so far (Moré 1978) keep a far start in hand; scales of the present columns
    (Marquardt 1963) converge fast.
    """
    linearise = ng.value_and_jacobian(program)
    r, J = linearise(b)
    for memory in (1.0, 0.0):
        scale = np.linalg.norm(J, axis=0)
        damping = 1e-2
        for _ in range(5000):
            scale = np.maximum(np.linalg.norm(J, axis=0), memory * scale)
            Q, R = np.linalg.qr(np.vstack([J / scale, np.sqrt(damping) * np.eye(b.size)]))
            step = -np.linalg.solve(R, Q[: r.size].T @ r) / scale
            if np.all(np.abs(step) <= 1e-11 * np.abs(b)):
                break
            # Close to the minimum the sum of squares is flat to rounding: small steps are taken all the same.
            if squares(program, b + step) < r @ r or (np.all(np.abs(step) <= 1e-6 * np.abs(b)) and damping < 1e-6):
                b = b + step
                r, J = linearise(b)
                damping = max(damping / 5, 1e-20)
            else:
                damping *= 4
    inverse = np.linalg.inv(np.linalg.qr(J / scale, mode="r")) / scale[:, None]
    deviation = np.sqrt(r @ r / (r.size - b.size)) * np.linalg.norm(inverse, axis=1)
    return b, deviation


FILES = sorted(DATA.glob("*.dat"))


@pytest.mark.skipif(not FILES, reason=f"no NIST StRD files in {DATA} (set NPGRAD_NIST_STRD)")
def test_every_file_has_a_program():
    assert {path.stem for path in FILES} == set(PROGRAMS)


@pytest.mark.skipif(not FILES, reason=f"no NIST StRD files in {DATA} (set NPGRAD_NIST_STRD)")
@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("name", PROGRAMS)
def test_certified_values(name, start):
    starts, parameters, deviations, observed, predictor = read(DATA / f"{name}.dat")
    load(observed, predictor)
    found, deviation = levenberg_marquardt(PROGRAMS[name], starts[start])
    assert digits(found, parameters) >= 8
    assert digits(deviation, deviations) >= 7
    assert type(residual) is np.ndarray
