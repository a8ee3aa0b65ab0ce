"""Choosing elements, by index, by condition, in order; and writing them."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import A, C, D, S

_MASK = np.array([True, False, True])


def _changed(change: Any, *shape: int) -> Any:
    """A function of (value) that writes it into a new array made of it."""

    def f(x: Any, *rest: Any) -> Any:
        y = x * 2.0
        change(y, *rest)
        return y * y

    return f


CHOOSING = [
    S(np.take, A(3, 4), [0, 2, 2]),
    S(np.take, A(3), []),
    S(np.take, A(3, 4), [0, 2, 0], axis=0),
    S(np.take, A(3, 4), [[0, 1], [3, 3]], axis=1),
    S(np.take, A(4), [5, -7], mode="wrap"),
    S(np.take, A(4), [5, -7], mode="clip"),
    S(np.take, A(4), 2),
    S(np.take, A(3), f=lambda x: np.take(x, [0, 1], out=np.empty(2, x.dtype))),
    S(np.take, A(3, 4), f=lambda x: x.take([1, 2], axis=-1)),
    S(np.take_along_axis, A(3, 4), np.array([[0, 1, 1, 0]]), axis=0),
    S(np.take_along_axis, A(3, 4), np.array([5, 5, 0]), axis=None),
    S(np.take_along_axis, A(3, 4), np.array([[0], [3], [3]]), axis=-1),
    S(np.compress, [True, False, True], A(3, 4), axis=0),
    S(np.compress, [True, False, True], A(5)),
    S(np.compress, [False, True], A(2, 3), axis=-1),
    S(np.compress, A(4), f=lambda x: x.compress([0, 1, 1, 0])),
    S(np.extract, [[True, False], [False, True]], A(2, 2)),
    S(np.extract, A(4), f=lambda x: np.extract(x > 1, x)),
    S(np.choose, [0, 1, 1], [A(3), A(3, seed=1)]),
    S(np.choose, [0, 1, 0], [A(), 2.0]),
    S(np.choose, [[0, 1], [1, 0]], (A(2), A(2, 1))),
    S(np.choose, [0, 3, -1], [A(3), A(3)], mode="wrap"),
    S(np.choose, [0, 3, -1], [A(3), A(3)], mode="clip"),
    S(np.select, [[True, False, False], [True, True, False]], [A(3), A(3, seed=1)]),
    S(np.select, [[True, False, False], [True, True, False]], [A(3), A()], A()),
    S(np.select, [np.eye(2, dtype=bool)], [A(2)], default=A(2, 2)),
    S(np.where, _MASK, A(3), A(3)),
    S(np.where, _MASK, A(), A(2, 1)),
    S(np.where, _MASK, A(2, 3), 0.0),
    S(np.where, A(3), f=lambda x: np.where(x > 1, x, -x)),
    S(np.where, _MASK, A(3), C(3)),
    S(np.piecewise, A(4), [np.array([True, False, True, False])], [np.sin, np.cos]),
    S(np.piecewise, A(4), [np.array([True, False, True, False])], [7.0, lambda x: x**2]),
    S(np.piecewise, A(4), f=lambda x: np.piecewise(x, [x < 0.8, x > 1.3], [np.exp, lambda v: v * 3, lambda v: v**3])),
    S(np.piecewise, A(3), A(), f=lambda x, c: np.piecewise(x, [x < 1], [lambda v: v * c, lambda v: v + c])),
    S(np.piecewise, A(3), A(), f=lambda x, c: np.piecewise(x, [x < 1], [c, 0.5])),
    S(np.piecewise, A(), f=lambda x: np.piecewise(x, x > 0, [np.sin, np.cos])),
    S(np.piecewise, A(3), A(), f=lambda x, c: np.piecewise(x, [x < 1], [lambda v, k: v * k, 1.0], c)),
    S(np.clip, A(5), 0.6, 1.3),
    S(np.clip, A(5), D(0.6), D(1.3)),
    S(np.clip, A(2, 3), None, D([0.9, 1.0, 1.2])),
    S(np.clip, A(5), 0.8, None),
    S(np.clip, A(5), f=lambda x: np.clip(x, min=0.8, max=1.4)),
    S(np.clip, A(5), f=lambda x: x.clip(0.8)),
    S(np.clip, A(5), f=lambda x: np.clip(x, 0.8, 1.4, out=np.empty(5))),
    S(np.nan_to_num, A(3)),
    S(np.nan_to_num, A(3), f=lambda x: np.nan_to_num(x * [1, np.nan, np.inf])[:1]),
    S(np.nan_to_num, A(3), f=lambda x: np.nan_to_num(x, copy=False) * 2),
    S(np.nan_to_num, C(2)),
    S(np.nan_to_num, A()),
    S(np.real_if_close, C(3)),
    S(np.real_if_close, A(3), f=lambda x: np.real_if_close(x + 0j)),
    S(np.real_if_close, A(3)),
    S(np.ix_, A(3, 3), f=lambda x: x[np.ix_([0, 2], [1, 2])]),
    S(np.ix_, A(3, 4), f=lambda x: x[np.ix_(np.array([True, False, True]), [1, 1])]),
    S(np.ix_, A(2), A(3), f=lambda x, y: (lambda a, b: a * b)(*np.ix_(x, y))),
    S(np.tril_indices, A(3, 3), f=lambda x: x[np.tril_indices(3)]),
    S(np.diag_indices_from, A(3, 3), f=lambda x: x[np.diag_indices_from(x)]),
    S(np.nonzero, A(3), f=lambda x: x[np.nonzero(x > 0.6)]),
    S(np.apply_along_axis, A(3, 4), f=lambda x: np.apply_along_axis(np.sum, 0, x)),
    S(np.apply_along_axis, A(3, 4), f=lambda x: np.apply_along_axis(lambda row: row[::-1] * row[0], 1, x)),
    S(np.apply_along_axis, A(2, 2, 3), f=lambda x: np.apply_along_axis(lambda v: np.outer(v, v), -1, x)),
    S(np.apply_along_axis, A(2, 3), A(), f=lambda x, c: np.apply_along_axis(lambda v, k: v * k, 1, x, c)),
    S(np.apply_along_axis, A(3), f=lambda x: np.apply_along_axis(np.prod, 0, x)),
    S(np.apply_along_axis, A(3), f=lambda x: np.apply_along_axis(lambda i: i * x, 0, np.ones(3))),
    S(np.apply_over_axes, np.sum, A(2, 3, 2), [0, 2]),
    S(np.apply_over_axes, np.sum, A(2, 3), 1),
    S(np.apply_over_axes, A(2, 3), f=lambda x: np.apply_over_axes(np.prod, x, (0, 1))),
    S(np.vectorize, A(3), f=lambda x: np.vectorize(lambda v: v * v)(x)),
    S(np.vectorize, A(3), f=lambda x: np.vectorize(lambda v: v * v / 3, otypes=[complex], cache=True)(x)),
    S(np.vectorize, A(3), f=lambda x: np.vectorize(otypes=[x.dtype])(lambda v: np.sin(v))(x)),
    S(np.vectorize, A(3), f=lambda x: np.vectorize(lambda v, w: (v * w, v + w))(x, x[:, None])),
    S(np.vectorize, A(3), f=lambda x: np.vectorize(lambda p, v, k=0: p[0] * v + k[2], excluded=[0, "k"])(x, [1, 2], k=x)),
    S(np.vectorize, A(3), f=lambda x: np.vectorize(lambda i: x[int(i)] ** 2)(np.arange(3))),
    S(np.vectorize, A(2, 3), f=lambda x: np.vectorize(lambda v: v.sum() * v[0], signature="(n)->()")(x)),
    S(np.vectorize, A(2, 3), A(3), f=lambda a, b: np.vectorize(np.matmul, signature="(m,n),(n)->(m)")(a, b)),
    S(np.vectorize, A(2, 3), f=lambda x: np.vectorize(lambda v: (np.outer(v, v), v[0]), signature="(n)->(n,n),()")(x)),
    S(np.vectorize, A(2, 3), A(), f=lambda x, c: np.vectorize(np.multiply, None, "", {1}, signature="(n)->(n)")(x, c)),
    S(np.linspace, A(), A(), f=lambda a, b: np.linspace(a, b, 5)),
    S(np.linspace, A(3), 4.0, 4),
    S(np.linspace, 0.0, A(2), 3, axis=-1),
    S(np.linspace, A(), 3.0, 4, endpoint=False),
    S(np.linspace, A(), A(seed=5), 4, retstep=True),
    S(np.logspace, A(), A(seed=1), 4),
    S(np.logspace, 0.1, A(), 3, base=A()),
    S(np.geomspace, A(), 3.0, 4),
    S(np.geomspace, D(0.5), D([2.0, 4.0]), 3),
    S(np.choose, np.array([True, False]), [A(2), A(2, seed=1)]),
    S(np.arange, A(), f=lambda a: np.arange(a, a + 3.5)),
    S(np.arange, A(), f=lambda h: np.arange(0.0, 4.2 * h, h)),
    S(np.arange, D(0.0), f=lambda a: np.arange(a, 2.5)),
    S(np.arange, D(0.0), f=lambda a: np.arange(start=a, stop=2.5, step=None)),
    S(np.arange, A(), f=lambda h: np.arange(stop=4.2 * h, step=h)),
    S(np.arange, A(), f=lambda a: np.arange(3.2 * a, None, a)),
    S(np.unwrap, D([0.1, 3.0, -3.1, 0.2])),
    S(np.unwrap, A(3, 4), f=lambda x: np.unwrap(x * 7, axis=0)),
    S(np.unwrap, A(5), f=lambda x: np.unwrap(x * 3, period=2.0)),
    S(np.unwrap, A(5), f=lambda x: np.unwrap(x * 3, discont=1.0, period=2.0)),
    S(np.angle, C(3)),
    S(np.angle, C(3), deg=True),
    S(np.angle, A(3)),
]

WRITING = [
    S(np.copyto, A(3), A(), f=_changed(lambda y, v: np.copyto(y, v))),
    S(np.copyto, A(3), A(3), f=_changed(lambda y, v: np.copyto(y, v, where=_MASK))),
    S(np.copyto, A(2, 3), A(3), f=_changed(lambda y, v: np.copyto(y[1:], v, where=[[True, False, True]]))),
    S(np.put, A(4), A(2), f=_changed(lambda y, v: np.put(y, [0, 2], v))),
    S(np.put, A(2, 3), A(2), f=_changed(lambda y, v: np.put(y, [0, 5, 1], v))),
    S(np.put, A(3), A(2), f=_changed(lambda y, v: y.put([7, -1], v, mode="wrap"))),
    S(np.put, A(3), A(2), f=_changed(lambda y, v: y.put([7, -9], v, mode="clip"))),
    S(np.putmask, A(3), A(3), f=_changed(lambda y, v: np.putmask(y, _MASK, v))),
    S(np.putmask, A(3), A(2), f=_changed(lambda y, v: np.putmask(y, [0, 1, 1], v))),
    S(np.place, A(3), A(1), f=_changed(lambda y, v: np.place(y, _MASK, v))),
    S(np.place, A(2, 3), A(2), f=_changed(lambda y, v: np.place(y, y > 1.2, v))),
    S(np.put_along_axis, A(3, 4), A(3, 1), f=_changed(lambda y, v: np.put_along_axis(y, np.array([[0], [3], [1]]), v, 1))),
    S(np.put_along_axis, A(4), A(2), f=_changed(lambda y, v: np.put_along_axis(y, np.array([1, 0]), v, None))),
    S(np.put_along_axis, A(2, 2), A(), f=_changed(lambda y, v: np.put_along_axis(y, np.array([[1, 0]]), v, 0))),
    S(np.fill_diagonal, A(3, 3), A(), f=_changed(lambda y, v: np.fill_diagonal(y, v))),
    S(np.fill_diagonal, A(3, 3), A(2), f=_changed(lambda y, v: np.fill_diagonal(y, v))),
    S(np.fill_diagonal, A(5, 2), A(2), f=_changed(lambda y, v: np.fill_diagonal(y, v, wrap=True))),
    S(np.fill_diagonal, A(2, 2, 2), A(), f=_changed(lambda y, v: np.fill_diagonal(y, v))),
]

EMATH = [
    S(np.emath.sqrt, A(3)),
    S(np.emath.sqrt, D([-1.0, 2.0])),
    S(np.emath.log, A(3)),
    S(np.emath.log, D([-1.5, 2.0])),
    S(np.emath.log2, D([-1.5, 2.0])),
    S(np.emath.log10, D([-1.5, 2.0])),
    S(np.emath.logn, A(), A(3)),
    S(np.emath.logn, 2, D([-1.5, 2.0])),
    S(np.emath.power, A(3), 2.5),
    S(np.emath.power, D([-1.5, 2.0]), A(2)),
    S(np.emath.arccos, D([0.3, -0.5])),
    S(np.emath.arccos, D([1.5, -2.5])),
    S(np.emath.arcsin, D([0.3, -0.5])),
    S(np.emath.arcsin, D([1.5, -2.5])),
    S(np.emath.arctanh, D([0.3, -0.5])),
    S(np.emath.arctanh, D([1.5, -2.5])),
]

SAMPLES = [*CHOOSING, *WRITING, *EMATH]
