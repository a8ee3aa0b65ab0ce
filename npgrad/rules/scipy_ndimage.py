"""``scipy.ndimage``: filters and splines, which are linear in the image.

Most are products of filters along one axis, or sums of such products: their transposes are those of the factors. ``cval`` is
added to what is linear and takes no part.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from .._following import LibraryRule, constant, follow_by
from .._libraries import Library
from ._along import Along, along_axis, frozen
from ._helpers import negative_axis
from ._sparse_parts import sparse

ndimage = Library("scipy.ndimage")

# --- Along one axis ------------------------------------------------------------------------------------------------


def _gaussian(sigma: Any, order: Any, mode: Any, truncate: Any, radius: Any) -> Along:
    reach = int(truncate * float(sigma) + 0.5) if radius is None else int(radius)
    named = {} if radius is None else {"radius": radius}

    def call(v: Any, axis: int) -> Any:
        return ndimage.gaussian_filter1d(v, sigma, axis, order, None, mode, 0.0, truncate, **named)

    return Along(call, reach)


def _uniform(size: Any, mode: Any, origin: Any) -> Along:
    return Along(lambda v, axis: ndimage.uniform_filter1d(v, size, axis, None, mode, 0.0, origin), int(size))


def _weights(name: str, weights: Any, mode: Any, origin: Any = 0) -> Along:
    weights = constant(weights)
    return Along(
        lambda v, axis: getattr(ndimage, name)(v, weights, axis, None, mode, 0.0, origin), len(weights)
    )


def _of_axis(input: Any, axis: Any, output: Any, along: Callable) -> dict[str, Any] | None:
    known = output is None and np.ndim(input) and np.size(input)
    return {"x": input, "axis": axis, "along": along()} if known else None


def _gaussian_1d(
    input: Any, sigma: Any, axis: Any = -1, order: Any = 0, output: Any = None, mode: Any = "reflect", cval: Any = 0.0,
    truncate: Any = 4.0, *, radius: Any = None,
) -> dict[str, Any] | None:  # fmt: skip
    return _of_axis(input, axis, output, lambda: _gaussian(sigma, order, mode, truncate, radius))


def _uniform_1d(
    input: Any, size: Any, axis: Any = -1, output: Any = None, mode: Any = "reflect", cval: Any = 0.0, origin: Any = 0
) -> dict[str, Any] | None:
    return _of_axis(input, axis, output, lambda: _uniform(size, mode, origin))


def _weighted_1d(name: str) -> Callable:
    def parts(
        input: Any, weights: Any, axis: Any = -1, output: Any = None, mode: Any = "reflect", cval: Any = 0.0, origin: Any = 0
    ) -> dict[str, Any] | None:
        return _of_axis(input, axis, output, lambda: _weights(name, weights, mode, origin))

    return parts


follow_by(along_axis(_gaussian_1d), ndimage, "gaussian_filter1d")
follow_by(along_axis(_uniform_1d), ndimage, "uniform_filter1d")
for _name in ("correlate1d", "convolve1d"):
    follow_by(along_axis(_weighted_1d(_name)), ndimage, _name)

# --- Sums of products of these -------------------------------------------------------------------------------------


class Separable:
    """A function of images, with ``cval`` zero, as a sum of products of functions along axes, which count from the end."""

    def __init__(self, call: Callable, terms: list[dict[int, Along]]) -> None:
        self.call, self.terms = call, terms

    def __deepcopy__(self, memo: Any) -> Separable:
        return self

    def back(self, ct: Any, spec: Any) -> Any:
        found = [self._term_back(term, ct, spec) for term in self.terms]
        return sum(found[1:], found[0])

    @staticmethod
    def _term_back(term: dict[int, Along], ct: Any, spec: Any) -> Any:
        for axis, along in term.items():
            ct = along.back(ct, spec.shape[axis], axis)
        return ct


def _of_image(x: Any, image: Any) -> None:
    """The arguments of the rules here."""


def _rows(call: Callable, v: Any, spec: Any) -> Any:
    """A function of images, of each of a batch."""
    batch = v.shape[: v.ndim - spec.ndim]
    made = np.stack([call(row) for row in v.reshape((-1, *spec.shape))])
    return made.reshape((*batch, *made.shape[1:]))


def _declare(name: str, parts: Callable) -> None:
    rule = LibraryRule(_of_image, frozen(parts))
    follow_by(rule, ndimage, name)

    @rule.vjp("x")
    def vjp(ct: Any, x_spec: Any, image: Any) -> Any:
        return image.back(ct, x_spec)

    @rule.jvp("x")
    def jvp(tangent: Any, x_spec: Any, image: Any) -> Any:
        return _rows(image.call, tangent, x_spec)


def _each(value: Any, count: int) -> list:
    return [value] * count if isinstance(value, str) or np.ndim(value) == 0 else list(value)


def _chosen(axes: Any, ndim: int) -> list[int]:
    return list(range(-ndim, 0)) if axes is None else [negative_axis(axis, ndim) for axis in np.atleast_1d(axes)]


def _image(input: Any, output: Any, call: Callable, terms: Callable) -> dict[str, Any] | None:
    known = output is None and np.ndim(input) and np.size(input)
    return {"x": input, "image": Separable(call, terms(np.ndim(input)))} if known else None


def _given(**named: Any) -> dict[str, Any]:
    """Arguments of newer versions, where they are given."""
    return {name: value for name, value in named.items() if value is not None}


def _gaussian_filter(
    input: Any, sigma: Any, order: Any = 0, output: Any = None, mode: Any = "reflect", cval: Any = 0.0, truncate: Any = 4.0,
    *, radius: Any = None, axes: Any = None,
) -> dict[str, Any] | None:  # fmt: skip
    def call(v: Any) -> Any:
        named = _given(radius=radius, axes=axes)
        return ndimage.gaussian_filter(v, sigma, order, None, mode, 0.0, truncate, **named)

    def terms(ndim: int) -> list[dict[int, Along]]:
        chosen = _chosen(axes, ndim)
        each = [_each(value, len(chosen)) for value in (sigma, order, mode, radius)]
        all_of = zip(chosen, *each, strict=True)
        return [{axis: _gaussian(s, o, m, truncate, r) for axis, s, o, m, r in all_of if s > 1e-15}]

    return _image(input, output, call, terms)


def _gaussian_laplace(
    input: Any, sigma: Any, output: Any = None, mode: Any = "reflect", cval: Any = 0.0, *, axes: Any = None, **others: Any
) -> dict[str, Any] | None:
    if others or axes is not None or not isinstance(mode, str):
        return None

    def terms(ndim: int) -> list[dict[int, Along]]:
        each = _each(sigma, ndim)
        places = range(ndim)
        return [{n - ndim: _gaussian(each[n], 2 * int(n == m), mode, 4.0, None) for n in places} for m in places]

    return _image(input, output, lambda v: ndimage.gaussian_laplace(v, sigma, None, mode, 0.0), terms)


def _uniform_filter(
    input: Any, size: Any = 3, output: Any = None, mode: Any = "reflect", cval: Any = 0.0, origin: Any = 0, *,
    axes: Any = None,
) -> dict[str, Any] | None:  # fmt: skip
    def call(v: Any) -> Any:
        return ndimage.uniform_filter(v, size, None, mode, 0.0, origin, **_given(axes=axes))

    def terms(ndim: int) -> list[dict[int, Along]]:
        chosen = _chosen(axes, ndim)
        each = [_each(value, len(chosen)) for value in (size, mode, origin)]
        all_of = zip(chosen, *each, strict=True)
        return [{axis: _uniform(int(s), m, o) for axis, s, m, o in all_of if s > 1}]

    return _image(input, output, call, terms)


def _laplace(
    input: Any, output: Any = None, mode: Any = "reflect", cval: Any = 0.0, *, axes: Any = None
) -> dict[str, Any] | None:
    def terms(ndim: int) -> list[dict[int, Along]]:
        chosen = _chosen(axes, ndim)
        modes = _each(mode, len(chosen))
        return [{axis: _weights("correlate1d", [1.0, -2.0, 1.0], m)} for axis, m in zip(chosen, modes, strict=True)]

    return _image(input, output, lambda v: ndimage.laplace(v, None, mode, 0.0, **_given(axes=axes)), terms)


def _edges(name: str, across: list[float]) -> Callable:
    def parts(
        input: Any, axis: Any = -1, output: Any = None, mode: Any = "reflect", cval: Any = 0.0
    ) -> dict[str, Any] | None:
        def terms(ndim: int) -> list[dict[int, Along]]:
            along, modes = negative_axis(axis, ndim), _each(mode, ndim)
            weights = {n: [-1.0, 0.0, 1.0] if n == along else across for n in range(-ndim, 0)}
            return [{n: _weights("correlate1d", weights[n], modes[n]) for n in weights}]

        return _image(input, output, lambda v: getattr(ndimage, name)(v, axis, None, mode, 0.0), terms)

    return parts


_declare("gaussian_filter", _gaussian_filter)
_declare("gaussian_laplace", _gaussian_laplace)
_declare("uniform_filter", _uniform_filter)
_declare("laplace", _laplace)
_declare("sobel", _edges("sobel", [1.0, 2.0, 1.0]))
_declare("prewitt", _edges("prewitt", [1.0, 1.0, 1.0]))

# --- Splines -------------------------------------------------------------------------------------------------------


def _of_rows(function: Callable) -> Along:
    """A function of signals, one by one."""
    return Along(lambda v, axis: np.stack([function(row) for row in v]))


def _zoom(
    input: Any, zoom: Any, output: Any = None, order: Any = 3, mode: Any = "constant", cval: Any = 0.0,
    prefilter: Any = True, *, grid_mode: Any = False,
) -> dict[str, Any] | None:  # fmt: skip
    def call(v: Any, by: Any) -> Any:
        return ndimage.zoom(v, by, None, order, mode, 0.0, prefilter, grid_mode=grid_mode)

    def terms(ndim: int) -> list[dict[int, Along]]:
        each = _each(zoom, ndim)
        return [{n: _of_rows(lambda row, n=n: call(row, each[n])) for n in range(-ndim, 0)}]

    return _image(input, output, lambda v: call(v, zoom), terms)


def _shift(
    input: Any, shift: Any, output: Any = None, order: Any = 3, mode: Any = "constant", cval: Any = 0.0,
    prefilter: Any = True,
) -> dict[str, Any] | None:  # fmt: skip
    def call(v: Any, by: Any) -> Any:
        return ndimage.shift(v, by, None, order, mode, 0.0, prefilter)

    def terms(ndim: int) -> list[dict[int, Along]]:
        each = _each(shift, ndim)
        return [{n: _of_rows(lambda row, n=n: call(row, each[n])) for n in range(-ndim, 0)}]

    return _image(input, output, lambda v: call(v, shift), terms)


_declare("zoom", _zoom)
_declare("shift", _shift)

# So many elements of responses at once.
_AT_ONCE = 1 << 22


class _AtPlaces:
    """The values of a spline at places: each is a product of responses along the axes."""

    def __init__(self, coordinates: Any, options: tuple) -> None:
        self.coordinates, self.options = constant(coordinates), options

    def __deepcopy__(self, memo: Any) -> _AtPlaces:
        return self

    def call(self, v: Any) -> Any:
        order, mode, prefilter = self.options
        return ndimage.map_coordinates(v, self.coordinates, None, order, mode, 0.0, prefilter)

    def back(self, ct: Any, spec: Any) -> Any:
        places = self.coordinates.reshape((spec.ndim, -1))
        flat = ct.reshape((-1, places.shape[1]))
        step = max(1, _AT_ONCE // max(spec.shape[0], spec.size // spec.shape[0]))
        total: Any = 0
        for first in range(0, places.shape[1], step):
            part = slice(first, first + step)
            by_axis = [self._responses(n, line[part]) for n, line in zip(spec.shape, places, strict=True)]
            rest = by_axis[-1] if spec.ndim > 1 else np.ones((by_axis[0].shape[0], 1))
            for responses in reversed(by_axis[1:-1]):
                rest = (responses[:, :, None] * rest[:, None, :]).reshape((rest.shape[0], -1))
            total = total + np.swapaxes(by_axis[0][None] * flat[:, part, None], -1, -2) @ rest
        return total.reshape(ct.shape[: ct.ndim - self.coordinates.ndim + 1] + spec.shape)

    def _responses(self, n: int, line: Any) -> Any:
        """What each place sees of each element of a signal of this length."""
        order, mode, prefilter = self.options
        rows = [ndimage.map_coordinates(unit, line[None], None, order, mode, 0.0, prefilter) for unit in np.eye(n)]
        return np.stack(rows, axis=-1)


def _map_coordinates(
    input: Any, coordinates: Any, output: Any = None, order: Any = 3, mode: Any = "constant", cval: Any = 0.0,
    prefilter: Any = True,
) -> dict[str, Any] | None:  # fmt: skip
    if output is not None or not np.size(input) or not np.size(coordinates):
        return None
    return {"x": input, "image": _AtPlaces(coordinates, (order, mode, prefilter))}


_declare("map_coordinates", _map_coordinates)

# --- Weights of several axes ---------------------------------------------------------------------------------------

# As NumPy's ``pad`` calls what continues a signal; the others are continued by zeros.
_PAD = {"reflect": "symmetric", "grid-mirror": "symmetric", "mirror": "reflect", "nearest": "edge", "wrap": "wrap",
        "grid-wrap": "wrap"}  # fmt: skip


class _Window:
    """A correlation with weights of as many axes as the image, or a convolution."""

    def __init__(self, name: str, weights: Any, mode: str, origin: Any) -> None:
        self.name, self.weights, self.mode, self.origin = name, constant(weights), mode, origin

    def __deepcopy__(self, memo: Any) -> _Window:
        return self

    def call(self, v: Any) -> Any:
        return getattr(ndimage, self.name)(v, self.weights, None, self.mode, 0.0, self.origin)

    def back(self, ct: Any, spec: Any) -> Any:
        is_convolution = self.name == "convolve"
        # A correlation takes conjugate weights, and their conjugates flow back.
        weights = np.conjugate(np.flip(self.weights)) if is_convolution else self.weights
        origins = _each(self.origin, spec.ndim)
        batch, shape = ct.shape[: ct.ndim - spec.ndim], spec.shape
        sizes = [n + k - 1 for n, k in zip(shape, weights.shape, strict=True)]
        whole: Any = np.zeros((*batch, *sizes), np.result_type(ct, weights))
        for place in itertools.product(*map(range, weights.shape)):
            if weights[place]:
                whole[(..., *[slice(k, k + n) for k, n in zip(place, shape, strict=True)])] += weights[place] * ct
        for n in range(-spec.ndim, 0):
            size = weights.shape[n]
            origin = -origins[n] - (size % 2 == 0) if is_convolution else origins[n]
            whole = self._folded(whole, shape[n], size // 2 + origin, size, n)
        return whole

    def _folded(self, v: Any, n: int, before: int, size: int, axis: int) -> Any:
        """Sums over all places of a continued signal at which an element stands."""
        after = size - 1 - before
        how: dict[str, Any] = {"mode": _PAD[self.mode]} if self.mode in _PAD else {"constant_values": -1}
        element = np.pad(np.arange(n), (before, after), **how)
        there = np.flatnonzero(element >= 0)
        fold = sparse.csr_array((np.ones(len(there)), (there, element[there])), shape=(n + size - 1, n))
        moved = np.moveaxis(v, axis, -1)
        flat = moved.reshape((-1, moved.shape[-1])) @ fold
        return np.moveaxis(flat.reshape((*moved.shape[:-1], n)), -1, axis)


def _window(name: str) -> Callable:
    def parts(
        input: Any, weights: Any, output: Any = None, mode: Any = "reflect", cval: Any = 0.0, origin: Any = 0, *,
        axes: Any = None,
    ) -> dict[str, Any] | None:  # fmt: skip
        known = output is None and axes is None and np.ndim(input) == np.ndim(weights) > 0 and np.size(input)
        return {"x": input, "image": _Window(name, weights, mode, origin)} if known else None

    return parts


_declare("correlate", _window("correlate"))
_declare("convolve", _window("convolve"))
