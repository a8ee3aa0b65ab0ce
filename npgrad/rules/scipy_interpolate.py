"""``scipy.interpolate``: curves by the place where they are evaluated, and by the values that they go through.

The constructors of curves made of cubic polynomials, and `interp1d`, are Python code that is followed as it is. What is here
is what they hand to compiled code.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from .._following import LibraryBody, LibraryRule, follow_by, follow_method, holding
from .._libraries import Library
from ._bsplines import coefficients_of, part_of, sum_of_basis

interpolate = Library("scipy.interpolate")


def _along(y: Any, ndim: int, axis: int) -> Any:
    """Values with the axes of the points where those of the curve had its own axis."""
    return np.moveaxis(y, tuple(range(ndim)), tuple(range(axis, axis + ndim))) if axis and ndim else y


def _is_outside(x: Any, first: Any, last: Any, y: Any) -> Any:
    """Which values are of points beyond the ends; of a curve that runs downwards, the first is the larger."""
    outside = (x < np.minimum(first, last)) | (x > np.maximum(first, last))
    return outside.reshape(outside.shape + (1,) * (y.ndim - x.ndim))


# --- Piecewise polynomials --------------------------------------------------------------------------------------------


def _piecewise(self: Any, x: Any, nu: Any = 0, extrapolate: Any = None) -> Any:
    """By Horner's scheme from the left end of each piece."""
    c, knots = part_of(self, "c"), part_of(self, "x")
    extrapolate = self.extrapolate if extrapolate is None else extrapolate
    x = np.asarray(x, float)
    if extrapolate == "periodic":
        x = knots[0] + (x - knots[0]) % (knots[-1] - knots[0])
        extrapolate = False
    sign = 1 if knots[-1] > knots[0] else -1
    piece = np.clip(np.searchsorted(sign * knots, sign * x, "right") - 1, 0, len(knots) - 2)
    s = x - knots[piece]
    s = s.reshape(s.shape + (1,) * (c.ndim - 2))
    y = np.zeros(x.shape + c.shape[2:], c.dtype) + 0 * s
    degree = len(c) - 1
    for n in range(degree + 1 - nu):
        y = y * s + np.prod(np.arange(degree - n - nu + 1.0, degree - n + 1)) * c[n][piece]
    if not extrapolate:
        y = np.where(_is_outside(x, knots[0], knots[-1], y), np.nan, y)
    return _along(y, x.ndim, self.axis)


def _antiderivative(self: Any, nu: Any = 1) -> Any:
    if nu <= 0:
        return self.derivative(-nu)
    c, knots = part_of(self, "c"), part_of(self, "x")
    for _ in range(nu):
        over = (-1,) + (1,) * (c.ndim - 1)
        c = c / np.arange(len(c), 0.0, -1).reshape(over)
        powers = np.diff(knots)[:-1] ** np.arange(len(c), 0.0, -1)[:, None]
        whole = np.cumsum(np.sum(c[:, :-1] * powers.reshape(powers.shape + over[2:]), axis=0), axis=0)
        c = np.concatenate([c, np.concatenate([np.zeros((1, 1, *c.shape[2:])), whole[None]], axis=1)])
    return self.construct_fast(c, knots, self.extrapolate != "periodic" and self.extrapolate, self.axis)


def _integrate(self: Any, a: Any, b: Any, extrapolate: Any = None) -> Any:
    """The difference of the antiderivative, which grows by the same in each period."""
    primitive, knots = self.antiderivative(), part_of(self, "x")
    if (self.extrapolate if extrapolate is None else extrapolate) != "periodic":
        return primitive(b, 0, extrapolate) - primitive(a, 0, extrapolate)
    ends = [np.asarray(end) - knots[0] for end in (a, b)]
    period = knots[-1] - knots[0]
    low, high = [np.floor(end / period) * primitive(knots[-1]) + primitive(knots[0] + end % period) for end in ends]
    return high - low


def _is_of_powers(self: Any) -> bool:
    return isinstance(self, interpolate.PPoly)


for _name in ("PPoly", "BPoly"):
    holding(interpolate, _name, ("_c", "c"), ("_x", "x"))
_polynomials = [interpolate.PPoly]
for _name, _body in (("__call__", _piecewise), ("antiderivative", _antiderivative), ("integrate", _integrate)):
    follow_method(LibraryBody(_body, when=_is_of_powers), _polynomials, _name)
follow_method(None, _polynomials, "solve", "roots", "extend")
follow_method(None, [interpolate.BPoly], "__call__", "derivative", "antiderivative", "integrate", "extend")

# --- B-splines --------------------------------------------------------------------------------------------------------


def _bspline(self: Any, x: Any, nu: Any = 0, extrapolate: Any = None) -> Any:
    t, c, k = part_of(self, "t"), part_of(self, "c"), self.k
    extrapolate = self.extrapolate if extrapolate is None else extrapolate
    x = np.asarray(x, float)
    first, last = t[k], t[len(t) - k - 1]
    if extrapolate == "periodic":
        x = first + (x - first) % (last - first)
        extrapolate = False
    y = sum_of_basis([(t, k, nu, x)], c)
    if not extrapolate:
        y = np.where(_is_outside(x, first, last, y), np.nan, y)
    return _along(y, x.ndim, self.axis)


def _splev(x: Any, tck: Any, der: Any = 0, ext: Any = 0) -> Any:
    t, c, k = tck.tck if isinstance(tck, interpolate.BSpline) else tck
    t, x = np.asarray(t), np.asarray(x, float)
    if not isinstance(tck, interpolate.BSpline) and np.ndim(c[0]):
        return [_splev(x, (t, each, k), der, ext) for each in c]
    c, first, last = np.asarray(c), t[k], t[len(t) - k - 1]
    y = sum_of_basis([(t, k, der, np.clip(x, first, last) if ext == 3 else x)], c)
    return np.where(_is_outside(x, first, last, y), 0.0, y) if ext == 1 else y


def _is_whole(tck: Any) -> bool:
    """Whether there are knots enough; FITPACK takes less, and says nothing."""
    return isinstance(tck, interpolate.BSpline) or len(tck[0]) > 2 * tck[2] + 1


_MODES = {"extrapolate": 0, "zeros": 1, "raise": 2, "const": 3}


def _univariate(self: Any, x: Any, nu: Any = 0, ext: Any = None) -> Any:
    ext = self.ext if ext is None else ext
    return _splev(x, self._eval_args, nu, _MODES.get(ext, ext))


def _univariate_made(
    self: Any, x: Any, y: Any, w: Any = None, bbox: Any = (None, None), k: Any = 3, s: Any = None, ext: Any = 0,
    check_finite: Any = False,
) -> None:  # fmt: skip
    t, c, k = self._eval_args
    self._eval_args = (t, _padded(coefficients_of(x, np.asarray(y), t, k, None), c), k)


def _interpolated_made(
    self: Any, x: Any, y: Any, w: Any = None, bbox: Any = (None, None), k: Any = 3, ext: Any = 0, check_finite: Any = False
) -> None:
    _univariate_made(self, x, y)


def _splrep(
    x: Any, y: Any, w: Any = None, xb: Any = None, xe: Any = None, k: Any = 3, task: Any = 0, s: Any = None, t: Any = None,
    full_output: Any = 0, per: Any = 0, quiet: Any = 1, *, ans: Any,
) -> Any:  # fmt: skip
    return ans[0], _padded(coefficients_of(x, np.asarray(y), ans[0], k, None), ans[1]), k


def _padded(c: Any, like: Any) -> Any:
    """FITPACK has as many coefficients as knots."""
    return np.concatenate([c, np.zeros(len(like) - len(c))])


def _bivariate(self: Any, x: Any, y: Any, dx: Any = 0, dy: Any = 0, grid: Any = True) -> Any:
    """Beyond the ends the values are those at the ends."""
    (tx, ty, c), (kx, ky) = self.tck, self.degrees
    x, y = np.asarray(x, float), np.asarray(y, float)
    if grid:
        x, y = x[..., :, None], y[..., None, :]
    x, y = np.broadcast_arrays(x, y)
    c = np.asarray(c).reshape(len(tx) - kx - 1, len(ty) - ky - 1)
    return sum_of_basis(
        [(tx, kx, dx, np.clip(x, tx[kx], tx[-kx - 1])), (ty, ky, dy, np.clip(y, ty[ky], ty[-ky - 1]))], c
    )


def _interpolating(
    x: Any, y: Any, k: Any = 3, t: Any = None, bc_type: Any = None, axis: Any = 0, check_finite: Any = True, *, ans: Any
) -> Any:
    """The coefficients are linear in the values, of which ends with given derivatives are none."""
    y = np.moveaxis(np.asarray(y), axis, 0)
    c = y + 0.0 if k < 2 and t is None else coefficients_of(x, y, part_of(ans, "t"), ans.k, bc_type)
    return interpolate.BSpline.construct_fast(part_of(ans, "t"), c, ans.k, ans.extrapolate, ans.axis)


holding(interpolate, "BSpline", ("_c", "c"), ("_t", "t"))
_splines = [interpolate.BSpline]
follow_method(LibraryBody(_bspline), _splines, "__call__")
follow_method(None, _splines, "antiderivative", "integrate", "insert_knot")
follow_by(LibraryBody(_splev, when=_is_whole), interpolate, "splev")
# Those that go through the values.
follow_by(
    LibraryBody(_splrep, ("x",), w=(None,), s=(None, 0, 0.0), t=(None,), task=(0,), full_output=(0,), per=(0,)),
    interpolate,
    "splrep",
)
holding(interpolate, "UnivariateSpline", ("_eval_args",))
_fitted = [interpolate.UnivariateSpline]
follow_method(LibraryBody(_univariate_made, ("x", "w"), when=lambda s: s == 0), _fitted, "__init__")
follow_method(LibraryBody(_interpolated_made, ("x", "w")), [interpolate.InterpolatedUnivariateSpline], "__init__")
follow_method(LibraryBody(_univariate), _fitted, "__call__")
follow_method(None, _fitted, "get_coeffs", "get_residual", "integral", "derivatives", "roots", "set_smoothing_factor")
follow_method(LibraryBody(_bivariate), [interpolate.RectBivariateSpline], "__call__")
follow_by(
    LibraryBody(_interpolating, ("x", "t", "bc_type"), bc_type=(None, "not-a-knot", "natural", "clamped")),
    interpolate,
    "make_interp_spline",
)

# --- Values on a grid -------------------------------------------------------------------------------------------------


def _grid_made(
    self: Any, points: Any, values: Any, method: Any = "linear", bounds_error: Any = True, fill_value: Any = np.nan,
    **kwargs: Any,
) -> None:  # fmt: skip
    """The object, made of plain data before, gets the values."""
    values = np.asarray(values) + 0.0
    name = "_values" if hasattr(self, "_values") else "values"
    setattr(self, name, np.flip(values, self._descending_dimensions) if self._descending_dimensions else values)


def _grid_points(xi: Any, ndim: int) -> Any:
    """The places as SciPy takes them: an array with their coordinates last, or an array for each coordinate."""
    xi = np.asarray(np.stack(np.broadcast_arrays(*xi), axis=-1) if isinstance(xi, tuple) else xi, float)
    return xi if xi.ndim > 1 else xi.reshape((-1, 1) if ndim == 1 else (1, -1))


def _on_grid(self: Any, xi: Any, method: Any = None, *, nu: Any = None) -> Any:
    """Between the corners of the cells in which the places are."""
    grid, values = part_of(self, "grid"), part_of(self, "values")
    xi = _grid_points(xi, len(grid))
    cells, shares, outside = [], [], np.zeros(xi.shape[:-1], bool)
    for n, nodes in enumerate(grid):
        x = xi[..., n]
        cell = np.clip(np.searchsorted(nodes, x, "right") - 1, 0, len(nodes) - 2)
        cells.append(cell)
        shares.append((x - nodes[cell]) / (nodes[cell + 1] - nodes[cell]))
        outside = outside | (x < nodes[0]) | (x > nodes[-1])
    trailing = (1,) * (values.ndim - len(grid))
    if (self.method if method is None else method) == "nearest":
        y = values[tuple([np.where(share <= 0.5, cell, cell + 1) for cell, share in zip(cells, shares, strict=True)])]
    else:
        y = 0.0
        for corner in itertools.product((0, 1), repeat=len(grid)):
            weight = 1.0
            for share, upper in zip(shares, corner, strict=True):
                weight = weight * (share if upper else 1 - share)
            where = tuple([cell + upper for cell, upper in zip(cells, corner, strict=True)])
            y = y + np.reshape(weight, np.shape(weight) + trailing) * values[where]
    if self.bounds_error or self.fill_value is None:
        return y
    return np.where(outside.reshape(outside.shape + trailing), self.fill_value, y)


_METHODS = ("linear", "nearest")


def _goes_by_cells(self: Any, method: Any) -> bool:
    return (self.method if method is None else method) in _METHODS


def _spline_parts(self: Any, xi: Any, method: Any = None, *, nu: Any = None) -> Any:
    is_plain = isinstance(xi, np.ndarray) and xi.ndim > 1 and xi.dtype == np.float64
    if not is_plain or not _goes_by_splines(self, method):
        return None
    return {"xi": xi, "curve": self, "nu": (0,) * xi.shape[-1] if nu is None else tuple(nu)}


def _goes_by_splines(self: Any, method: Any) -> bool:
    return self._spline is not None and method in (None, self.method)


def _as_array(self: Any, xi: Any, method: Any = None, *, nu: Any = None) -> Any:
    """For places in other forms than `_spline_parts` takes."""
    return self(_grid_points(xi, len(part_of(self, "grid"))), nu=nu)


def _on_splines(xi: Any, curve: Any, nu: Any) -> None:
    """The arguments of the rule."""


def _slopes(xi: Any, curve: Any, nu: Any, ndim: int) -> list[Any]:
    """The derivative by each coordinate, none beyond the ends; with axes for the values of each point, of which there may
    be fewer than of the results."""
    grid, outside = part_of(curve, "grid"), np.zeros(xi.shape[:-1], bool)
    if not curve.bounds_error and curve.fill_value is not None:
        for n, nodes in enumerate(grid):
            outside = outside | (xi[..., n] < nodes[0]) | (xi[..., n] > nodes[-1])
    outside = outside.reshape(outside.shape + (1,) * (ndim + 1 - xi.ndim))
    orders = [tuple(int(order) + (n == m) for m, order in enumerate(nu)) for n in range(len(grid))]
    return [np.where(outside, 0.0, curve(xi, nu=each)) for each in orders]


_grid_splines = LibraryRule(_on_splines, _spline_parts)


@_grid_splines.vjp("xi")
def grid_splines_vjp(ct: Any, xi: Any, curve: Any, nu: Any, ans_spec: Any) -> Any:
    values = tuple(range(xi.ndim - 1 - ans_spec.ndim, 0))
    slopes = _slopes(xi, curve, nu, ans_spec.ndim)
    return np.stack([np.sum(np.real(ct * np.conjugate(slope)), axis=values) for slope in slopes], axis=-1)


@_grid_splines.jvp("xi")
def grid_splines_jvp(tangent: Any, xi: Any, curve: Any, nu: Any, ans_spec: Any) -> Any:
    more = (1,) * (ans_spec.ndim + 1 - xi.ndim)
    slopes = _slopes(xi, curve, nu, ans_spec.ndim)
    parts = [tangent[..., n] for n in range(len(slopes))]
    return sum(part.reshape(part.shape + more) * slope for part, slope in zip(parts, slopes, strict=True))


holding(interpolate, "RegularGridInterpolator", ("_values", "values"))
_grids = [interpolate.RegularGridInterpolator]
follow_method(LibraryBody(_grid_made, ("points", "fill_value"), method=_METHODS), _grids, "__init__")
follow_method(LibraryBody(_on_grid, when=_goes_by_cells), _grids, "__call__")
follow_method(_grid_splines, _grids, "__call__")
follow_method(LibraryBody(_as_array, when=_goes_by_splines), _grids, "__call__")
