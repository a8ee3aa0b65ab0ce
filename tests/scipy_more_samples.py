"""Sample calls of SciPy's functions that are followed by bodies or by rules of linear maps, as in scipy_samples.py."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

pytest.importorskip("scipy", reason="scipy is not installed: its functions are not tested")
interpolate, distance, stats, signal, ndimage = map(
    importlib.import_module,
    ("scipy.interpolate", "scipy.spatial.distance", "scipy.stats", "scipy.signal", "scipy.ndimage"),
)

# Nodes, values there, and places between and beyond them.
NODES, ORDINATES = np.array([0.0, 1.0, 2.5, 3.0, 4.2]), np.cos([0.0, 1.3, 2.1, 3.3, 5.0])
PAIRS, HEIGHTS = np.stack([ORDINATES, ORDINATES[::-1] ** 2], -1), np.cos(np.arange(15.0) ** 1.5).reshape(5, 3)
WITHIN, BEYOND = np.array([0.3, 1.2, 2.7, 4.1, 0.9]), np.array([[0.3, 2.2], [4.5, -0.6]])
COLUMNS = np.array([0.0, 1.4, 3.0])
PLACES = np.stack([WITHIN, WITHIN[::-1] * 0.6], -1)
KNOTS, DOUBLE_KNOTS = np.arange(12.0), np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 2.0])
POSITIVE, ROWS = 1 + 0.5 * np.cos(np.arange(6.0) ** 2), HEIGHTS + 0.3
ESTIMATE = stats.gaussian_kde(ORDINATES, weights=POSITIVE[:5])
COVARIANCE = np.eye(3) + 0.2 * HEIGHTS[:3]

SAMPLES: dict[str, dict[str, tuple[Any, ...]]] = {
    "interpolate": {
        **{f"interp1d {k}": (lambda y, t, k=k: interpolate.interp1d(NODES, y, kind=k)(t), ORDINATES, WITHIN)
           for k in ("linear", "slinear", "quadratic", "cubic")},
        **{f"interp1d {k}": (lambda y, k=k: interpolate.interp1d(NODES, y, kind=k)(WITHIN), ORDINATES)
           for k in ("zero", "nearest", "nearest-up", "previous", "next")},
        "interp1d, beyond": (lambda y, t: interpolate.interp1d(NODES, y, fill_value="extrapolate")(t), ORDINATES, BEYOND),
        "interp1d, filled": (
            lambda y, t: interpolate.interp1d(NODES, y, bounds_error=False, fill_value=(0.0, y[0]))(t), ORDINATES, BEYOND),
        "interp1d, nodes": (lambda x, y, t: interpolate.interp1d(x, y)(t), NODES, ORDINATES, WITHIN),
        "interp1d, axis": (lambda y, t: interpolate.interp1d(NODES, y, axis=0)(t), PAIRS, WITHIN),
        **{f"{c} {what}": (lambda *a, c=c, f=f: f(getattr(interpolate, c), *a), *points)
           for c in ("CubicSpline", "PchipInterpolator", "Akima1DInterpolator") for what, f, *points in (
               ("by all", lambda curve, x, y, t: curve(x, y)(t), NODES, ORDINATES, WITHIN),
               ("axis", lambda curve, y, t: curve(NODES, y, axis=1)(t), PAIRS.T, WITHIN),
               ("slope", lambda curve, y, t: curve(NODES, y)(t, 1), ORDINATES, WITHIN),
               ("derivative", lambda curve, y, t: curve(NODES, y).derivative()(t), ORDINATES, WITHIN),
               ("antiderivative", lambda curve, y, t: curve(NODES, y).antiderivative(2)(t), ORDINATES, WITHIN),
               ("integrate", lambda curve, y, t: curve(NODES, y).integrate(0.3, t[0]), PAIRS, np.array([2.2])),
               ("constant", lambda curve, t: curve(NODES, ORDINATES)(t[1]), WITHIN),
           )},
        **{f"CubicSpline {bc}": (lambda y, t, bc=bc: interpolate.CubicSpline(NODES, y, bc_type=bc)(t), ORDINATES, BEYOND)
           for bc in ("natural", "clamped", ((1, 0.3), (2, 0.1)))},
        **{f"CubicSpline periodic {what}": (lambda y, t, f=f: f(
            interpolate.CubicSpline(NODES, np.concatenate([y[:-1], y[:1]]), bc_type="periodic"), t), ORDINATES, place)
           for what, f, place in (("", lambda curve, t: curve(t), BEYOND),
                                  ("integrate", lambda curve, t: curve.integrate(-2.3, t[0]), np.array([11.2])))},
        "PPoly": (lambda c, x, t: interpolate.PPoly(c, x)(t), PAIRS, COLUMNS, WITHIN),
        "PPoly, downwards": (lambda c, x, t: interpolate.PPoly(c, x)(t), PAIRS, COLUMNS[::-1], BEYOND),
        "PPoly, complex": (lambda c, t: interpolate.PPoly(c, COLUMNS)(t), PAIRS * (1 + 1j), BEYOND),
        "PPoly, not beyond": (
            lambda c, t: np.nan_to_num(interpolate.PPoly(c, COLUMNS, extrapolate=False)(t)), PAIRS, BEYOND),
        **{f"BSpline {k}": (
            lambda t, c, x, k=k: interpolate.BSpline(t, c, k)(x), KNOTS, HEIGHTS.reshape(-1, 1)[: 11 - k], BEYOND + 3.75)
           for k in (3, 4, 5)},
        **{f"BSpline {k}": (lambda c, x, k=k: interpolate.BSpline(KNOTS, c, k)(x), HEIGHTS.ravel()[: 11 - k], BEYOND + 3.75)
           for k in (1, 2)},
        "BSpline, slope": (lambda c, x: interpolate.BSpline(DOUBLE_KNOTS, c, 3)(x, 1), HEIGHTS.ravel()[:6], WITHIN / 2.1),
        "BSpline, derivative": (
            lambda c, x: interpolate.BSpline(KNOTS, c, 4).derivative()(x), HEIGHTS.ravel()[:7], WITHIN + 3.15),
        "BSpline, complex": (
            lambda c, x: interpolate.BSpline(KNOTS, c, 3)(x), HEIGHTS.ravel()[:8] * (1 + 1j), WITHIN + 2.15),
        "BSpline, periodic": (
            lambda c, x: interpolate.BSpline(KNOTS, c, 3, extrapolate="periodic")(x), HEIGHTS.ravel()[:8], WITHIN * 5),
        **{f"make_interp_spline {k}": (lambda y, t, k=k: interpolate.make_interp_spline(NODES, y, k)(t), ORDINATES, WITHIN)
           for k in (1, 2, 3)},
        **{f"make_interp_spline {bc}": (
            lambda y, t, bc=bc: interpolate.make_interp_spline(NODES, y, bc_type=bc, axis=1)(t), PAIRS.T, BEYOND)
           for bc in ("natural", "clamped", None)},
        **{f"splev {ext}": (
            lambda y, t, ext=ext: interpolate.splev(t, interpolate.splrep(NODES, y), ext=ext), ORDINATES, BEYOND)
           for ext in (0, 1, 3)},
        "splev, coefficients": (
            lambda t, c: interpolate.splev(t, (KNOTS, c, 3), 1), WITHIN + 3.15, HEIGHTS.ravel()[:12]),
        "splev, a curve": (lambda t: interpolate.splev(t, interpolate.splprep([NODES, ORDINATES], s=0)[0]), WITHIN / 5),
        "UnivariateSpline": (lambda t: interpolate.UnivariateSpline(NODES, ORDINATES, k=2, ext="const")(t), WITHIN),
        "UnivariateSpline, values": (lambda y, t: interpolate.UnivariateSpline(NODES, y, s=0)(t), ORDINATES, BEYOND),
        **{f"InterpolatedUnivariateSpline {what}": (
            lambda y, t, f=f: f(interpolate.InterpolatedUnivariateSpline(NODES, y, k=3), t), ORDINATES, WITHIN)
           for what, f in (("slope", lambda s, t: s(t, 1)), ("derivative", lambda s, t: s.derivative()(t)),
                           ("antiderivative", lambda s, t: s.antiderivative()(t)))},
        "RectBivariateSpline": (
            lambda x, y: interpolate.RectBivariateSpline(NODES, COLUMNS, HEIGHTS, ky=2)(x, y),
            np.sort(WITHIN), COLUMNS[:2] + 0.2),
        "RectBivariateSpline.ev": (
            lambda x, y: interpolate.RectBivariateSpline(NODES, COLUMNS, HEIGHTS, kx=2, ky=1).ev(x, y, dx=1),
            WITHIN, PLACES[:, 1]),
        **{f"RegularGridInterpolator {m}": (
            lambda v, p, m=m: interpolate.RegularGridInterpolator((NODES, COLUMNS), v, m)(p), HEIGHTS, PLACES)
           for m in ("linear", "nearest")},
        "RegularGridInterpolator, filled": (lambda v, p: interpolate.RegularGridInterpolator(
            (NODES, COLUMNS), v, bounds_error=False, fill_value=0.0)(p), HEIGHTS[..., None] * [1.0, 2.0], PLACES - 0.5),
        "RegularGridInterpolator, beyond": (lambda v, p: interpolate.RegularGridInterpolator(
            (NODES[::-1], COLUMNS), v, bounds_error=False, fill_value=None)((p[:, 0], p[:, 1])), HEIGHTS, PLACES - 0.5),
        "RegularGridInterpolator, slinear": (
            lambda p: interpolate.RegularGridInterpolator((NODES, COLUMNS), HEIGHTS, "slinear")(p), PLACES),
        "RegularGridInterpolator, cubic": (lambda p: interpolate.RegularGridInterpolator(
            (NODES, NODES), np.outer(ORDINATES, ORDINATES), "cubic", bounds_error=False, fill_value=1.0)(p), PLACES - 0.5),
    },
    "spatial": {
        **{f"{f} {m}": (lambda *a, f=f, m=m: getattr(distance, f)(*a, m), ROWS, *more)
           for f, more in (("cdist", (HEIGHTS[:4] ** 2,)), ("pdist", ()))
           for m in ("euclidean", "sqeuclidean", "cityblock", "chebyshev", "cosine", "correlation", "braycurtis")},
        "cdist, the same": (lambda x: distance.cdist(x, x)[np.triu_indices(5, 1)], ROWS),
        **{f: (lambda x, y, f=f: getattr(distance, f)(x, y), ORDINATES, WITHIN)
           for f in ("euclidean", "sqeuclidean", "cityblock", "chebyshev", "minkowski", "cosine", "correlation",
                     "braycurtis", "canberra")},
        "mahalanobis": (lambda x, y, v: distance.mahalanobis(x, y, v + v.T), ROWS[0], ROWS[1], COVARIANCE),
    },
    "stats": {
        **{f: (lambda x, f=f: getattr(stats, f)(x), POSITIVE) for f in ("gmean", "hmean", "skew", "kurtosis", "sem")},
        **{f"{f}, axes": (lambda x, f=f: (getattr(stats, f)(x, axis=1, keepdims=True), getattr(stats, f)(x, axis=None)),
                          1.5 + ROWS.T) for f in ("gmean", "hmean", "skew", "kurtosis", "sem")},
        "gmean, weights": (lambda x, w: stats.gmean(x, weights=w), POSITIVE, POSITIVE[::-1] ** 2),
        "pmean": (lambda x: stats.pmean(x, 2.5), POSITIVE),
        "skew, unbiased": (lambda x: stats.skew(x, bias=False), POSITIVE),
        "kurtosis, unbiased": (lambda x: stats.kurtosis(x, fisher=False, bias=False), POSITIVE),
        "pearsonr": (lambda x, y: (*(r := stats.pearsonr(x, y)), r.correlation), ORDINATES, WITHIN),
        "linregress": (lambda x, y: (*(r := stats.linregress(x, y)), r.slope, r.intercept_stderr), ORDINATES, WITHIN),
        "multivariate_normal": (lambda x, m, c: stats.multivariate_normal.logpdf(x, m, c @ c.T), ROWS, ROWS[0], COVARIANCE),
        "gaussian_kde": (lambda x: ESTIMATE(x), WITHIN),
        "gaussian_kde, rows": (
            lambda x: [getattr(stats.gaussian_kde(ROWS.T), f)(x) for f in ("evaluate", "pdf", "logpdf")], ROWS[:2].T + 0.1),
        "gaussian_kde, one place": (lambda x: stats.gaussian_kde(ROWS.T)(x), ROWS[0]),
        "multivariate_normal, one": (
            lambda x, m, c: stats.multivariate_normal.pdf(x, m, c @ c.T), ROWS[1], ROWS[0], COVARIANCE),
        "multivariate_normal, a line": (
            lambda x, m, c: stats.multivariate_normal.logpdf(x, m[0], c[0]), WITHIN, WITHIN, WITHIN),
        "multivariate_normal, diagonal": (lambda x, c: stats.multivariate_normal.logpdf(x, ROWS[0], c), ROWS, POSITIVE[:3]),
    },
    "windows": {
        **{f"{f} {mode} {boundary}": (
            lambda a, k, f=f, m=mode, b=boundary: getattr(signal, f)(a, k, m, b, 0.5), HEIGHTS, HEIGHTS[:3, :2] ** 2)
           for f in ("convolve2d", "correlate2d") for mode in ("full", "same", "valid")
           for boundary in ("fill", "wrap", "symm")},
        **{f"{f}, complex": (
            lambda a, k, f=f: getattr(signal, f)(a, k, "same"), HEIGHTS * (1 + 2j), HEIGHTS[:2, :3] + 1j * HEIGHTS[2:4])
           for f in ("convolve2d", "correlate2d")},
        "convolve2d, larger": (lambda a, k: signal.convolve2d(a, k, "same"), HEIGHTS[:2, :2], HEIGHTS),
        "medfilt": (lambda x: signal.medfilt(x), POSITIVE),
        "medfilt2d": (lambda x: signal.medfilt2d(x, [3, 1]), HEIGHTS),
        **{f"{f} {mode}": (lambda x, f=f, m=mode: getattr(ndimage, f)(x, (3, 2), mode=m), HEIGHTS)
           for f in ("median_filter", "maximum_filter", "minimum_filter")
           for mode in ("reflect", "mirror", "nearest", "wrap", "constant")},
    },
}
