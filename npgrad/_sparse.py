"""Sparse Jacobians and Hessians: the pattern from the record, colours for it, and few sweeps for all elements."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, overload

import numpy as np
from numpy import ndarray

from ._coloring import color_symmetric
from ._compression import Colored, Compression, Known, beside, parted
from ._course import Course
from ._derivatives import gradients_of, recorded_on, tangents_of
from ._fitting import cast
from ._functional import check_complex, check_holomorphic, grad
from ._instrument import Reach
from ._pattern import pattern_of, structure
from ._run import Run, check_callable
from ._sparse_matrix import SparseMatrix, SparsityPattern
from ._structure import flatten
from ._tracebacks import public
from ._traced import unwrap

P = ParamSpec("P")

# Shadows of up to this many elements are swept with many colours at once; larger ones would leave the processor's cache.
BATCH_ELEMENTS = 1 << 16


class _Point:
    """One record of a function, with its sources and targets one behind the other."""

    def __init__(self, run: Run, several: bool) -> None:
        self.record = run.record()
        groups = run.sources if several else (run.sources,)
        self.groups = [flatten(group)[0] for group in groups]
        self.sources = [leaf for group in self.groups for leaf in group]
        self.targets = flatten(run.value)[0]
        if any(target is None for target in self.targets):
            raise TypeError("the function returned None; a Jacobian needs arrays or numbers")
        self.is_complex = any(map(np.iscomplexobj, self.sources))

    @functools.cached_property
    def _course(self) -> Course:
        here = [t._storage for t in self.targets if recorded_on(self.record, t)]
        return Course(self.record, [s._storage for s in self.sources], here)

    def structure(self) -> list:
        return structure(self.record, self.targets, self.sources)

    def pattern(self) -> SparsityPattern:
        return SparsityPattern(*pattern_of(self.record, self.targets, self.sources))

    def products(self, seeds: ndarray) -> Any:
        """The Jacobian times each row of ``seeds``: that of the real part of the values, by a complex source along its real
        axis plus i times along its imaginary one."""
        if not self.is_complex and not any(map(np.iscomplexobj, self.targets)):
            return self._in_batches(seeds, self._products)
        along = np.real(self._in_batches(seeds, self._products))
        return along + 1j * np.real(self._in_batches(1j * seeds, self._products)) if self.is_complex else along

    def adjoint_products(self, seeds: ndarray) -> Any:
        """Each row of ``seeds`` times the Jacobian."""
        return self._in_batches(seeds, self._adjoint_products)

    def _in_batches(self, seeds: ndarray, sweep: Callable) -> Any:
        most = max(1, BATCH_ELEMENTS // max(1, *map(np.size, self.sources), *map(np.size, self.targets)))
        parts = np.array_split(seeds, max(1, -(-len(seeds) // most)))
        with np.errstate(all="ignore"):
            return np.concatenate([sweep(part) for part in parts])

    def _products(self, seeds: ndarray) -> Any:
        batch = (len(seeds),)
        moved = [
            (source, cast(part.reshape(*batch, *source.shape), source.dtype))
            for source, part in zip(self.sources, parted(seeds, self.sources), strict=True)
        ]
        return beside(tangents_of(self.record, self.targets, moved, batch, self._course), self.targets, batch)

    def _adjoint_products(self, seeds: ndarray) -> Any:
        batch = (len(seeds),)
        pairs = [
            (target, cast(part.reshape(*batch, *target.shape), target.dtype))
            for target, part in zip(self.targets, parted(seeds, self.targets), strict=True)
            if recorded_on(self.record, target)
        ]
        return beside(gradients_of(self.record, pairs, self.sources, batch), self.sources, batch)


class _JacobianPlan:
    """The pattern of a program, and its compression."""

    def __init__(self, point: _Point) -> None:
        self.pattern = pattern = point.pattern()
        made = Compression(pattern.indices, pattern.indptr, pattern.shape)
        self.forward, self.reverse = made.forward, made.reverse
        self.is_forward = len(self.forward.seeds) * (2 if point.is_complex else 1) <= len(self.reverse.seeds)

    def data(self, point: _Point) -> Any:
        if not self.pattern.nnz:
            return np.zeros(0)
        if self.is_forward:
            try:
                return self.forward.elements(point.products)
            except NotImplementedError:  # a custom gradient has no forward mode
                self.is_forward = False
        return self.reverse.elements(point.adjoint_products)


class _HessianPlan:
    """The same for a symmetric matrix, the Jacobian of a gradient."""

    def __init__(self, point: _Point) -> None:
        made = point.pattern()
        n = made.shape[0]
        # Each element and its mirror image: the pattern may have too many elements, on one side only.
        cells = np.unique(np.concatenate([made.rows() * n + made.indices, made.indices * n + made.rows()]))
        rows, columns = cells // max(n, 1), cells % max(n, 1)
        indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])
        self.pattern = SparsityPattern(columns, indptr, (n, n))
        colors = np.where(np.diff(indptr) > 0, color_symmetric(columns, indptr), -1)
        # An element is alone in its place of the products, or its mirror image is: both are read where the upper one is.
        counts = np.bincount(rows + colors[columns] * n, minlength=1)
        low, high = np.minimum(rows, columns), np.maximum(rows, columns)
        alone = counts[low + colors[high] * n] == 1
        self.colored = Colored(colors, np.where(alone, high, low), np.where(alone, low, high), n)

    def data(self, point: _Point) -> Any:
        if not self.pattern.nnz:
            return np.zeros(0)
        try:
            return self.colored.elements(point.products)
        except NotImplementedError:  # the Hessian is its own transpose
            return self.colored.elements(point.adjoint_products)


def _holomorphic(point: _Point, matrix: SparseMatrix) -> Any:
    """The elements of a complex derivative dy/dz, after a check that there is one."""
    check_complex([*point.sources, *point.targets])
    seed = np.exp(1j * np.random.default_rng(0).uniform(0, 6, matrix.shape[0]))
    bare = unwrap(matrix.data)
    back = unwrap(point.adjoint_products(seed[None]))[0]
    product = np.zeros(matrix.shape[1], bare.dtype)
    np.add.at(product, matrix.indices, seed[matrix.rows()] * bare)
    check_holomorphic(product, back, np.abs(bare).sum())
    return np.conjugate(matrix.data)


def _planned(point: _Point, known: Known, make: Callable[[_Point], Any]) -> Any:
    """The plan for the structure of a point's record."""
    structure = point.structure()
    return known.get(structure) or known.put(structure, make(point))


@public
def jacobian_sparsity(
    f: Callable, *args: Any, argnums: int | tuple[int, ...] = 0, leaks: str = "raise", **kwargs: Any
) -> SparsityPattern:
    """The pattern of the Jacobian of a function, from one recorded evaluation.

    Parameters
    ----------
    f : callable
        Plain NumPy code that returns an array, a number, or a structure of these.
    *args, **kwargs
        Where to evaluate it.
    argnums : int or tuple of int
        Which positional arguments to differentiate by.
    leaks : {"raise", "warn", "ignore"}
        See `GradientTape`.

    Returns
    -------
    SparsityPattern
        With ``indices``, ``indptr``, ``shape``, ``toarray()`` and ``to_scipy()``. Rows are the elements of the value,
        columns those of the arguments, in C order; structures and several arguments stand one behind the other.

        It holds for all points at which the program runs through the same calls and indices. It has no element too few. It
        is exact for elementwise functions of real arrays, views, reads, writes, sums and products, where exact zeros of
        plain matrices count as structure; it has both branches of ``where`` and all arguments of ``maximum``; functions
        without a pattern of their own are dense.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> ng.jacobian_sparsity(np.diff, np.ones(4)).toarray().astype(int)
    array([[1, 1, 0, 0],
           [0, 1, 1, 0],
           [0, 0, 1, 1]])
    """
    check_callable(f)
    return _Point(Run(f, args, kwargs, argnums, False, leaks), isinstance(argnums, (tuple, list))).pattern()


@overload
def sparse_jacobian(
    f: Callable[P, Any],
    argnums: tuple[int, ...],
    *,
    holomorphic: bool = False,
    leaks: str = "raise",
    check_nan: bool = False,
) -> Callable[P, tuple[SparseMatrix, ...]]: ...
@overload
def sparse_jacobian(
    f: Callable[P, Any],
    *at: Any,
    argnums: int = 0,
    holomorphic: bool = False,
    leaks: str = "raise",
    check_nan: bool = False,
) -> Callable[P, SparseMatrix]: ...
@overload
def sparse_jacobian(
    f: Callable[P, Any],
    *at: Any,
    argnums: tuple[int, ...],
    holomorphic: bool = False,
    leaks: str = "raise",
    check_nan: bool = False,
) -> Callable[P, tuple[SparseMatrix, ...]]: ...
@public
def sparse_jacobian(
    f: Callable,
    *at: Any,
    argnums: int | tuple[int, ...] = 0,
    holomorphic: bool = False,
    leaks: str = "raise",
    check_nan: bool = False,
) -> Callable[..., Any]:
    """The Jacobian of a function as a sparse matrix, from a few compressed sweeps.

    The pattern (see `jacobian_sparsity`) and its colours are found at the arguments ``at``, or else by the first call. Later
    calls use both again, after a check that the program has run through the same calls and indices. Where it has taken
    another path, the pattern of that path is found and kept as well.

    Parameters
    ----------
    f : callable
        Plain NumPy code that returns an array, a number, or a structure of these.
    *at
        Arguments of ``f`` to prepare the derivative for. Whole numbers alone are ``argnums``, as for `jacobian`.
    argnums : int or tuple of int
        Which positional arguments to differentiate by.
    holomorphic : bool
        For complex values of complex arguments: the complex derivative dy/dz, where the elements are else what `jacobian`
        gives, conj(dy/dz). That there is one is checked by a random cotangent.
    leaks : {"raise", "warn", "ignore"}
    check_nan : bool
        See `GradientTape`.

    Returns
    -------
    callable
        Gives a `SparseMatrix` with ``data``, ``indices``, ``indptr``, ``shape``, ``toarray()``, ``to_scipy()`` and ``@``; a
        tuple of them for a tuple of ``argnums``. Rows are the elements of the value, columns those of the argument.

    Raises
    ------
    TypeError
        When called: for an argument that is not floating or complex.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> def laplacian(u):
    ...     out = np.zeros_like(u)
    ...     out[1:-1] = u[2:] - 2 * u[1:-1] + u[:-2]
    ...     return out * u
    >>> derivative = ng.sparse_jacobian(laplacian, np.ones(4))
    >>> derivative(np.array([1.0, 2.0, 4.0, 8.0]))
    <SparseMatrix of shape 4x4 with 8 elements>
    >>> derivative(np.array([1.0, 2.0, 4.0, 9.0])).toarray()
    array([[ 0.,  0.,  0.,  0.],
           [ 2., -3.,  2.,  0.],
           [ 0.,  4., -5.,  4.],
           [ 0.,  0.,  0.,  0.]])
    """
    check_callable(f)
    at, argnums = _prepared_at(at, argnums)
    known, reach = Known(), Reach()
    several = isinstance(argnums, (tuple, list))

    def derive(run: Run) -> Any:
        point = _Point(run, several)
        plan = _planned(point, known, _JacobianPlan)
        pattern = plan.pattern
        whole = SparseMatrix(plan.data(point), pattern.indices.copy(), pattern.indptr.copy(), pattern.shape)
        if holomorphic:
            whole.data = _holomorphic(point, whole)
        if not several:
            return whole
        parts, first = [], 0
        for group in point.groups:
            end = first + sum([int(leaf.size) for leaf in group])
            parts.append(part := columns_between(whole, first, end))
            if not any(map(np.iscomplexobj, group)):
                part.data = np.real(part.data)
            first = end
        return tuple(parts)

    @public
    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return Run(f, args, kwargs, argnums, False, leaks, check_nan, reach, derive).derived

    if at:
        wrapped(*at)
    return wrapped


def _prepared_at(at: tuple, argnums: Any) -> tuple[tuple, Any]:
    """The arguments to prepare for, and the numbers of those to differentiate by, which may stand in their place."""
    if len(at) == 1:
        numbers = at[0] if isinstance(at[0], (tuple, list)) and at[0] else at
        if all(isinstance(number, (int, np.integer)) for number in numbers):
            return (), at[0]
    return at, argnums


def columns_between(matrix: SparseMatrix, first: int, end: int) -> SparseMatrix:
    """A matrix of some of the columns."""
    chosen = (matrix.indices >= first) & (matrix.indices < end)
    before = np.concatenate([[0], np.cumsum(chosen)])
    shape = matrix.shape[0], end - first
    return SparseMatrix(matrix.data[chosen], matrix.indices[chosen] - first, before[matrix.indptr], shape)


@public
def sparse_hessian(
    f: Callable[P, Any], *at: Any, argnums: int = 0, leaks: str = "raise", check_nan: bool = False
) -> Callable[P, SparseMatrix]:
    """The Hessian of a scalar function as a sparse symmetric matrix, from forward sweeps over the record of its gradient.

    As `sparse_jacobian`: the pattern and a star colouring of it are found at the arguments ``at``, or else by the first
    call, and used again.

    Parameters
    ----------
    f : callable
        Plain NumPy code that returns a real scalar.
    *at
        Arguments of ``f`` to prepare the derivative for. A whole number alone is ``argnums``.
    argnums : int
        Which positional argument to differentiate by.
    leaks : {"raise", "warn", "ignore"}
    check_nan : bool
        See `GradientTape`.

    Returns
    -------
    callable
        Gives a `SparseMatrix`, both triangles.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> def rosenbrock(x):
    ...     return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)
    >>> ng.sparse_hessian(rosenbrock)(np.ones(4)).toarray()
    array([[ 802., -400.,    0.,    0.],
           [-400., 1002., -400.,    0.],
           [   0., -400., 1002., -400.],
           [   0.,    0., -400.,  200.]])
    """
    check_callable(f)
    at, argnums = _prepared_at(at, argnums)
    known, reach = Known(), Reach()
    gradient = grad(f, argnums, leaks=leaks, check_nan=check_nan)

    def derive(run: Run) -> SparseMatrix:
        point = _Point(run, False)
        if point.is_complex:
            raise TypeError("sparse_hessian is for real arguments; use npgrad.hessian for complex ones")
        plan = _planned(point, known, _HessianPlan)
        pattern = plan.pattern
        return SparseMatrix(plan.data(point), pattern.indices.copy(), pattern.indptr.copy(), pattern.shape)

    @public
    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> SparseMatrix:
        return Run(gradient, args, kwargs, argnums, False, leaks, check_nan, reach, derive).derived

    if at:
        wrapped(*at)
    return wrapped
