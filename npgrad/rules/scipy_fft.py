"""``scipy.fft``: NumPy's transforms by other names, those of several axes, and real ones by cosines and sines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .._following import LibraryRule, follow, numpys
from .._libraries import Library
from ._helpers import fit, negative_axis

fft = Library("scipy.fft")

# --- Of one axis ---------------------------------------------------------------------------------------------------

for _name in ("fft", "ifft", "rfft", "irfft"):
    follow(fft, _name).same_as(numpys(np.fft, _name), a="x", n="n", axis="axis", norm="norm")

_OTHER_SCALE = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}
_irfft, _rfft = numpys(np.fft, "irfft"), numpys(np.fft, "rfft")
_hfft, _ihfft = follow(fft, "hfft"), follow(fft, "ihfft")


@_hfft.vjp("x")
def hfft_vjp(ct: Any, x_spec: Any, n: Any, axis: Any, norm: Any) -> Any:
    return np.conjugate(_irfft.vjps["a"][0](ct, x_spec, n, axis, _OTHER_SCALE[norm]))


@_ihfft.vjp("x")
def ihfft_vjp(ct: Any, x_spec: Any, n: Any, axis: Any, norm: Any) -> Any:
    return _rfft.vjps["a"][0](np.conjugate(ct), x_spec, n, axis, _OTHER_SCALE[norm])


def _declare_tangents(rule: LibraryRule, name: str) -> None:
    @rule.jvp("x")
    def jvp(tangent: Any, x_spec: Any, n: Any, axis: Any, norm: Any) -> Any:
        return getattr(fft, name)(tangent, n, negative_axis(axis, x_spec.ndim), norm)


_declare_tangents(_hfft, "hfft")
_declare_tangents(_ihfft, "ihfft")

# --- Of several axes -----------------------------------------------------------------------------------------------


class _Shape(NamedTuple):
    shape: tuple[int, ...]

    @property
    def ndim(self) -> int:
        return len(self.shape)


def _pairs(s: Any, axes: Any, ndim: int) -> list[tuple[int, int | None]]:
    """Axes from the end, and the length of each, None where that is the signal's."""
    lengths = None if s is None else [int(n) for n in np.atleast_1d(s)]
    if axes is None:
        chosen = list(range(-ndim if lengths is None else -len(lengths), 0))
    else:
        chosen = [negative_axis(axis, ndim) for axis in np.atleast_1d(axes)]
    given: list[int | None] = [None] * len(chosen) if lengths is None else [n if n >= 0 else None for n in lengths]
    return list(zip(chosen, given, strict=True))


class _Step(NamedTuple):
    """A transform of one axis: the name of NumPy's, the axis, and the length that was given."""

    name: str
    axis: int
    n: int | None


# How SciPy goes over the axes: by which transform the last one of them, and by which the others, before or after it.
_KINDS = {"fft": ("fft", "fft", False), "ifft": ("ifft", "ifft", False), "rfft": ("rfft", "fft", False),
          "irfft": ("irfft", "ifft", True)}  # fmt: skip


def _steps(kind: str, pairs: list[tuple[int, int | None]]) -> list[_Step]:
    last, others, others_first = _KINDS[kind]
    first = [_Step(last, *pairs[-1])] if pairs else []
    rest = [_Step(others, *pair) for pair in pairs[:-1]]
    return rest + first if others_first else first + rest


def _declare_axes(name: str, kind: str) -> None:
    rule = follow(fft, name)

    @rule.vjp("x")
    def vjp(ct: Any, x_spec: Any, ans_spec: Any, s: Any, axes: Any, norm: Any) -> Any:
        steps, shapes = _steps(kind, _pairs(s, axes, x_spec.ndim)), [_Shape(x_spec.shape)]
        for step in steps:  # each gives its axis the length of the result
            shape = list(shapes[-1].shape)
            shape[step.axis] = ans_spec.shape[step.axis]
            shapes.append(_Shape(tuple(shape)))
        for step, shape_before in zip(reversed(steps), reversed(shapes[:-1]), strict=True):
            ct = numpys(np.fft, step.name).vjps["a"][0](ct, shape_before, step.n, step.axis, norm)
        return ct

    @rule.jvp("x")
    def jvp(tangent: Any, x_spec: Any, s: Any, axes: Any, norm: Any) -> Any:
        pairs = _pairs(s, axes, x_spec.ndim)
        lengths = None if s is None else [-1 if n is None else n for _, n in pairs]
        return getattr(fft, name)(tangent, lengths, [axis for axis, _ in pairs], norm)


for _kind in _KINDS:
    _declare_axes(f"{_kind}2", _kind)
    _declare_axes(f"{_kind}n", _kind)

# --- By cosines and sines ------------------------------------------------------------------------------------------
#
# A transform is ``scale * left * O * right`` with the orthogonal one O, whose transpose is that of the other type, and
# weights of single elements: those here, which are left out where SciPy is asked for orthogonal transforms.


class _Family(NamedTuple):
    """Of transforms by cosines, or by sines: the offset in the length of the first type, and for each type the elements that
    have a weight of sqrt(2) after it, and of its inverse before it."""

    offset: int
    left: dict[int, list[int]]
    right: dict[int, list[int]]


_FAMILIES = {"dct": _Family(-1, {1: [0, -1], 2: [0]}, {1: [0, -1], 3: [0]}), "dst": _Family(1, {2: [-1]}, {3: [-1]})}
_OTHER_TYPE = {1: 1, 2: 3, 3: 2, 4: 4}


def _weighted(v: Any, places: list[int], weight: float, axis: int) -> Any:
    if not places:
        return v
    weights = np.ones(v.shape[axis], v.real.dtype)
    weights[places] = weight
    return v * weights.reshape((-1,) + (1,) * (-1 - axis))


def _transposed(family: str, v: Any, type: int, axis: int, norm: Any, orthogonalize: Any) -> Any:
    of, n = _FAMILIES[family], v.shape[axis]
    squared = 2 * (n + of.offset if type == 1 else n)  # of the scale that makes it orthogonal
    scale = {None: 1.0, "backward": 1.0, "ortho": squared**-0.5, "forward": 1 / squared}[norm] * squared**0.5
    is_plain = norm != "ortho" if orthogonalize is None else not orthogonalize
    left, right = (of.left.get(type, []), of.right.get(type, [])) if is_plain else ([], [])
    v = _weighted(v, left, 2**0.5, axis)
    made = getattr(fft, family)(v, _OTHER_TYPE[type], None, axis, "ortho", orthogonalize=True)
    return v.real.dtype.type(scale) * _weighted(made, right, 0.5**0.5, axis)


def _transpose(name: str) -> Callable:
    """The transpose of a transform of one axis. An inverse is the transform of the other type with the other scale."""
    inverse, family = name.startswith("i"), name.removeprefix("i")[:3]

    def transpose(ct: Any, spec: Any, type: Any, n: Any, axis: int, norm: Any, orthogonalize: Any) -> Any:
        if inverse:
            type, norm = _OTHER_TYPE[type], _OTHER_SCALE[norm]
        return fit(_transposed(family, ct, type, axis, norm, orthogonalize), spec.shape[axis], axis)

    return transpose


def _rule(name: str, *names: str) -> LibraryRule:
    """Of complex signals SciPy 1.17 ignores ``orthogonalize``, against its own word: such calls are not followed."""
    order = ("x", "type", *names, "norm", "overwrite_x", "workers", "orthogonalize")

    def parts(*args: Any, **kwargs: Any) -> dict[str, Any] | None:
        given = {**dict(zip(order, args, strict=False)), **kwargs}
        return None if given.get("orthogonalize") is not None and np.iscomplexobj(given["x"]) else given

    rule = follow(fft, name)
    rule.parts_of = parts
    return rule


def _declare_real(name: str) -> None:
    rule, transpose = _rule(name, "n", "axis"), _transpose(name)

    @rule.vjp("x")
    def vjp(ct: Any, x_spec: Any, type: Any, n: Any, axis: Any, norm: Any, orthogonalize: Any) -> Any:
        return transpose(ct, x_spec, type, n, negative_axis(axis, x_spec.ndim), norm, orthogonalize)

    @rule.jvp("x")
    def jvp(tangent: Any, x_spec: Any, type: Any, n: Any, axis: Any, norm: Any, orthogonalize: Any) -> Any:
        axis = negative_axis(axis, x_spec.ndim)
        return getattr(fft, name)(tangent, type, n, axis, norm, orthogonalize=orthogonalize)


def _declare_real_axes(name: str) -> None:
    rule, transpose = _rule(name, "s", "axes"), _transpose(name)

    @rule.vjp("x")
    def vjp(ct: Any, x_spec: Any, type: Any, s: Any, axes: Any, norm: Any, orthogonalize: Any) -> Any:
        for axis, n in _pairs(s, axes, x_spec.ndim):
            ct = transpose(ct, x_spec, type, n, axis, norm, orthogonalize)
        return ct

    @rule.jvp("x")
    def jvp(tangent: Any, x_spec: Any, type: Any, s: Any, axes: Any, norm: Any, orthogonalize: Any) -> Any:
        chosen = [axis for axis, _ in _pairs(s, axes, x_spec.ndim)]
        return getattr(fft, name)(tangent, type, s, chosen, norm, orthogonalize=orthogonalize)


for _name in ("dct", "idct", "dst", "idst"):
    _declare_real(_name)
    _declare_real_axes(f"{_name}n")
