"""SciPy: which of its functions a tape follows, and how the others are refused.

Most of SciPy hands arrays to compiled code that asks no hook. Before it does, its Python code converts the arguments with a
creator of NumPy's, for which a name stands in place; also where a module of SciPy bound the name before. There is the last
chance to see traced data.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import FrameType, FunctionType
from typing import Any, cast

import numpy as np

from ._constants import plain_copy
from ._dispatch import tracking
from ._leaks import refuse
from ._scipy_held import is_sparse_code, leaves_of, records_on_the_way
from ._structure import map_structure
from ._traced import TracedArray, traced_leaves

# SciPy's Python code that does nothing but call functions with rules, and the user's. By the function that the user calls.
_FOLLOWED_PACKAGE = "scipy.special."
_FOLLOWED = {
    "scipy.integrate.trapezoid", "scipy.integrate.simpson", "scipy.integrate.cumulative_trapezoid",
    "scipy.integrate.cumulative_simpson", "scipy.integrate.romb", "scipy.integrate.fixed_quad", "scipy.integrate.cubature",
    "scipy.integrate.OdeSolution", "scipy.integrate.DenseOutput",
    "scipy.optimize.rosen", "scipy.optimize.rosen_der", "scipy.optimize.rosen_hess", "scipy.optimize.rosen_hess_prod",
    "scipy.optimize.newton", "scipy.optimize.fixed_point", "scipy.optimize.root_scalar", "scipy.optimize.approx_fprime",
    "scipy.optimize.check_grad", "scipy.stats.zscore", *(
        f"scipy.interpolate.{name}" for name in (
            "interp1d", "_Interpolator1D", "CubicSpline", "CubicHermiteSpline", "PchipInterpolator", "Akima1DInterpolator",
            "pchip_interpolate", "PPoly.derivative",
            *(f"{kind}{part}" for kind in ("_PPolyBase", "PPoly") for part in ("", ".construct_fast", ".c", ".x")),
            *(f"BSpline{part}" for part in ("", ".construct_fast", ".c", ".t", ".tck", ".derivative")),
            "UnivariateSpline.derivative", "UnivariateSpline.antiderivative", "BivariateSpline.ev",
            "RegularGridInterpolator.values",
        )
    ),
}  # fmt: skip
# Distributions; moments are not among it, as their code hands lists of parameters to ufuncs.
_FOLLOWED |= {
    f"scipy.stats.{kind}.{name}"
    for kind in ("rv_continuous", "rv_discrete", "rv_frozen", "rv_continuous_frozen", "rv_discrete_frozen")
    for name in ("pdf", "logpdf", "pmf", "logpmf", "cdf", "logcdf", "sf", "logsf", "ppf", "isf")
}
# Products of operators, which call those of matrices and the user's functions.
_FOLLOWED |= {
    f"scipy.sparse.linalg.LinearOperator{name}"
    for name in (
        "", ".matvec", ".matmat", ".rmatvec", ".rmatmat", ".dot", ".__mul__", ".__matmul__", ".__rmul__", ".__rmatmul__",
        ".adjoint", ".transpose",
    )
} | {"scipy.sparse.linalg._CustomLinearOperator"}  # fmt: skip
_FOLLOWED |= {
    f"scipy.spatial.distance.{name}"
    for name in (
        "euclidean", "sqeuclidean", "cityblock", "chebyshev", "minkowski", "cosine", "correlation", "braycurtis", "canberra",
        "mahalanobis", "seuclidean",
    )
}  # fmt: skip
# Of these, what hands a list of arrays to a ufunc, which asks no hook.
_NOT_FOLLOWED = {"scipy.special.multigammaln"}
_PACKAGES = (_FOLLOWED_PACKAGE, *{".".join(name.split(".")[:2]) + "." for name in _FOLLOWED})
# Creators whose call says that compiled code comes: traced data beside what they are given are about to be lost as well.
_BUFFERS = {np.zeros, np.empty, np.ones, np.full, np.zeros_like, np.empty_like, np.ones_like, np.full_like}
_CONVERTERS = {np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray, np.asarray_chkfinite}
# They only ask.
_ASKS = {np.isscalar}
_ON_THE_WAY = ("scipy.", "npgrad._scipy_doors", "npgrad._scipy_forms")
# In the last of these, the function by which SciPy computes on plain data alone, whoever has called.
_COMPUTING = "computed"
# Their compiled code takes memory only if it could write into it, which it does not.
_TAKES_WRITABLE = "scipy.spatial.transform."
# What other packages of SciPy call; no public name is in it.
_HELPERS = ("scipy._lib.", "scipy._external.")


def called_from(frame: FrameType) -> str:
    """The public name of the outermost function of SciPy on the way from the user's code, past what decorators put around
    it; of its package, where all are hidden."""
    name = package = ""
    first, outer = frame, cast("FrameType | None", frame)
    while outer is not None and (module := outer.f_globals.get("__name__") or "").startswith(_ON_THE_WAY):
        if outer.f_code.co_name == _COMPUTING:
            break
        if module.startswith("scipy."):
            package = module.partition("._")[0]
            function = outer.f_code.co_qualname
            hidden = outer.f_code.co_name.startswith("_") and not outer.f_code.co_name.startswith("__")
            if not hidden and "<" not in function and not module.startswith(_HELPERS):
                name = f"{package}.{function.removesuffix('.__init__').removesuffix('.__call__')}"
        first, outer = outer, outer.f_back
    return name or _decorated(first) or f"{package}.{frame.f_code.co_name}"


def public_name(function: Callable) -> str:
    """The name of a function or method of SciPy's, as `called_from` has it."""
    package = (function.__module__ or "").partition("._")[0]
    return f"{package}.{function.__qualname__.removesuffix('.__init__').removesuffix('.__call__')}"


def _decorated(wrapper: FrameType) -> str:
    """The name of the function that a decorator of SciPy's is put around, if it fails before it calls the function."""
    for value in wrapper.f_locals.values():
        module = value.__module__ if isinstance(value, FunctionType) else ""
        if module.startswith("scipy.") and not module.startswith(_HELPERS):
            return f"{module.partition('._')[0]}.{value.__name__}"
    return ""


def is_followed(creator: Callable, frame: FrameType, args: tuple, kwargs: dict) -> bool:
    """Whether a creator that SciPy's code calls gives traced arrays. Raises if traced data are about to be lost: those that
    it is given, or those that a function holds which makes a buffer, as a store into parts of it would ask no hook, or
    which converts another of its arguments, as functions with rules (``atleast_1d``, ``ravel``) may have led round this."""
    if creator in _ASKS:
        return True
    name = called_from(frame)
    if is_followed_by_name(name):
        return True
    if is_sparse_code(name):
        return bool(records_on_the_way(frame, [args, kwargs]))
    records = tracking(traced_leaves([args, kwargs]))
    if not records and (creator in _BUFFERS or creator in _CONVERTERS):
        records = tracking(_held(frame))
    if records:
        refuse_compiled(records, name)
    return False


def is_called_by_sparse_code(frame: FrameType) -> bool:
    """Whether Python code for sparse matrices calls, or, past a hook of ours, is where the call comes from."""
    outer = frame if (frame.f_globals.get("__name__") or "").startswith("scipy.") else frame.f_back
    module = (outer.f_globals.get("__name__") or "") if outer is not None else ""
    return module.startswith("scipy.") and is_sparse_code(called_from(cast("FrameType", outer)))


# Those that are followed in this call, as its arguments lead through Python code only.
_followed_here: ContextVar[frozenset[str]] = ContextVar("npgrad_followed_here", default=frozenset())


def is_followed_by_name(name: str) -> bool:
    """Whether the Python code of a public function of SciPy is followed like the user's."""
    return (
        name in _FOLLOWED
        or (name.startswith(_FOLLOWED_PACKAGE) and name not in _NOT_FOLLOWED)
        or name in _followed_here.get()
    )


@contextlib.contextmanager
def following(name: str, is_followed_now: bool) -> Iterator[None]:
    """Follow a function of SciPy's in this call, or not."""
    others = _followed_here.get() - {name}
    token = _followed_here.set(others | {name} if is_followed_now else others)
    try:
        yield
    finally:
        _followed_here.reset(token)


def has_followed_code(module: str) -> bool:
    """Whether there is such code in the package of a module of SciPy's."""
    return module.startswith(_PACKAGES)


def as_compiled_code_takes_it(frame: FrameType, given: Any) -> Any:
    """What a function that is not followed gives to a creator: arrays that npgrad holds cannot be written into."""
    return map_structure(plain_copy, given) if called_from(frame).startswith(_TAKES_WRITABLE) else given


def refuse_compiled(records: tuple, name: str, what: str = "traced data") -> None:
    refuse(
        records,
        f"{name} takes {what} into compiled code, where no tape can follow",
        "Use NumPy's function of the same purpose (docs/scipy.md has them one by one), declare the derivative with "
        "npgrad.custom_gradient, or take it out with npgrad.stop_gradient.",
    )


def _held(frame: FrameType) -> list[TracedArray]:
    """The traced arrays in the variables of the function that makes a buffer, be it by another name for the creator."""
    if ".array_api_compat." in (frame.f_globals.get("__name__") or "") and frame.f_back is not None:
        return _held(frame.f_back)
    return leaves_of(list(frame.f_locals.values()))
