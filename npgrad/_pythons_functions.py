"""Functions of Python's standard library, in Python code, that ask for plain numbers: which one a program has called, and
what to write in its place."""

from __future__ import annotations

import sys
from types import FrameType

from ._leaks import OWN_CODE, is_pythons_file

_WITH_NUMPY = "Write it with NumPy's functions, or use npgrad.stop_gradient where the value is meant to be constant."
_BY_REJECTION = "Which numbers it rejects depends on its parameters: give it npgrad.stop_gradient of them."
_DENSITY = (
    "With z = (x - mu) / sigma the density is np.exp(-0.5 * z * z) / (sigma * np.sqrt(2 * np.pi)), "
    "and scipy.special.ndtr(z) the distribution function."
)
_CURES = {
    "random.lognormvariate": "Write math.exp(random.normalvariate(mu, sigma)), which is what it computes.",
    "random.triangular": (
        "With u = random.random() and c = (mode - low) / (high - low) write low + (high - low) * math.sqrt(u * c) if u <= c "
        "else high - (high - low) * math.sqrt((1 - u) * (1 - c))."
    ),
    "random.betavariate": _BY_REJECTION,
    "random.gammavariate": _BY_REJECTION,
    "random.vonmisesvariate": _BY_REJECTION,
    "random.binomialvariate": "It gives integers: give it npgrad.stop_gradient of its parameters.",
    "random.choices": "What is chosen is constant: choices(population, weights=npgrad.stop_gradient(weights)).",
    "statistics.mean": "Use np.mean.",
    "statistics.fmean": "Use np.mean, or np.average with weights.",
    "statistics.stdev": "Use np.std(x, ddof=1).",
    "statistics.variance": "Use np.var(x, ddof=1).",
    "statistics.pstdev": "Use np.std.",
    "statistics.pvariance": "Use np.var.",
    "statistics.NormalDist": _DENSITY,
}


def called_function() -> tuple[str, str] | None:
    """The name of the library's function that a program has called and that asks for a number now, and the way out; None
    where the program itself, or compiled code, asks."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(OWN_CODE):
        frame = frame.f_back
    called = None
    while frame is not None and is_pythons_file(frame.f_code.co_filename):
        called, frame = frame, frame.f_back
    if called is None or frame is None:
        return None
    module = called.f_globals.get("__name__") or ""
    name = called.f_code.co_qualname.removesuffix(".__init__")
    name = f"{module}.{name.removeprefix('Random.') if module == 'random' else name}"
    return name, _CURES.get(name, _DENSITY if name.startswith("statistics.NormalDist") else _WITH_NUMPY)
