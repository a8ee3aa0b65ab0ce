"""Derivative rules, by family. Each module declares rules in the registry when it is imported; none knows of tapes,
storages or the array class."""

from .._libraries import rules_of
from . import (
    calculus as calculus,
    decompositions as decompositions,
    einsum as einsum,
    elementwise as elementwise,
    factorizations as factorizations,
    fft as fft,
    indexing as indexing,
    joining as joining,
    linalg as linalg,
    norms as norms,
    polynomial as polynomial,
    products as products,
    quantiles as quantiles,
    reductions as reductions,
    setops as setops,
    statistics as statistics,
    tensors as tensors,
    variances as variances,
    windows as windows,
    without as without,
    without_nan as without_nan,
)

rules_of(
    "scipy.special",
    *[f"{__name__}.scipy_{family}" for family in ("bessel", "elliptic", "equations", "gamma", "special", "without")],
)
rules_of("scipy.sparse", f"{__name__}.scipy_sparse", f"{__name__}.scipy_sparse_kernels")
rules_of("scipy.optimize", "npgrad._roots")
rules_of("scipy.integrate", "npgrad._integrals")
rules_of("scipy.linalg", *[f"{__name__}.scipy_{family}" for family in ("linalg", "systems", "pencils")])
rules_of("scipy.fft", f"{__name__}.scipy_fft")
rules_of("scipy.sparse.linalg", f"{__name__}.scipy_solvers")
rules_of("scipy.signal", f"{__name__}.scipy_signal", f"{__name__}.scipy_filters", f"{__name__}.scipy_windows")
rules_of("scipy.interpolate", f"{__name__}.scipy_interpolate")
rules_of("scipy.ndimage", f"{__name__}.scipy_ndimage")
rules_of("scipy.spatial.distance", f"{__name__}.scipy_spatial")
rules_of("scipy.stats", f"{__name__}.scipy_stats")
