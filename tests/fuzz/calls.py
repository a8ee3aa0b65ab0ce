"""Calls of any function of the registry: from the samples table with arguments of the program, and blindly."""

from __future__ import annotations

import functools
import re
import sys
from typing import Any

import numpy as np
import scipy.special
from samples import Differentiated, S, all_samples

from npgrad._compat import signature_of
from npgrad._registry import COLLECTIONS

from .pieces import axis, mask, shaped
from .state import State

# Files, printing, settings, sizes that grow, and what returns no data.
_NO_PROGRAM = frozenset(
    ["save", "savez", "savez_compressed", "savetxt", "load", "loadtxt", "fromfile", "genfromtxt", "tofile", "fromregex", "set_printoptions", "seterr", "seterrcall", "setbufsize", "info", "show_config", "show_runtime", "test", "get_include", "asmatrix", "bmat", "matrix", "memmap", "printoptions", "errstate", "array2string", "array_repr", "array_str", "base_repr", "binary_repr", "format_float_positional", "format_float_scientific", "fromfunction", "vander", "mask_indices", "indices", "einsum_path", "may_share_memory", "shares_memory", "nditer", "nested_iters", "datetime_as_string", "busday_count", "busday_offset", "is_busday", "empty", "empty_like", "tri", "isnat", "isfortran", "byte_bounds"]
)


# Below zero SciPy 1.17 gives values that are not the integrals that they are defined as; of spheroidal wave functions outside
# of their domain it computes for minutes.
_WRONG_IN_SCIPY = frozenset(
    ["modfresnelm", "modfresnelp", *[f"{kind}_{form}{n}{cv}" for kind in ("obl", "pro") for form in ("ang", "rad") for n in "12" for cv in ("", "_cv")]]
)


# Of what is none of these, a ufunc makes a plain array (docs/leaks.md).
_DATA = re.compile(r"\b[axK]\d")


@functools.cache
def path_of(function: Any) -> str | None:
    """How a program names the function."""
    name = getattr(function, "__name__", "")
    module = sys.modules.get(getattr(function, "__module__", None) or "numpy")
    places = (("np", np), ("special", scipy.special), ("np.linalg", np.linalg), ("np.fft", np.fft))
    for path, place in places:
        if getattr(place, name, None) is function:
            return f"{path}.{name}"
    path = getattr(module, "__name__", "").replace("numpy", "np", 1)
    return f"{path}.{name}" if path.startswith("np.") and getattr(module, name, None) is function and "._" not in path else None


@functools.cache
def samples() -> list[S]:
    """Samples that can be said in a program and compared with differences."""
    fit = [s for s in all_samples() if s.call is s.function and path_of(s.function) and not {"value", "reverse"} & set(s.leave_out)]
    fit = [s for s in fit if s.points and max(p.size for p in s.points) <= 48 and s.function.__name__ not in _WRONG_IN_SCIPY]
    return [s for s in fit if all(np.isfinite(p).all() for p in s.points)]


@functools.cache
def samples_by_function() -> list[list[S]]:
    """Each function as likely as any other, however many samples it has."""
    table: dict[Any, list[S]] = {}
    for sample in samples():
        table.setdefault(sample.function, []).append(sample)
    return list(table.values())


def _literal(g: State, value: Any) -> str | None:
    if isinstance(value, Differentiated):
        return _argument(g, value.value)
    if isinstance(value, (list, tuple)):
        parts = [_literal(g, v) for v in value]
        if None in parts:
            return None
        inside = ", ".join(parts)  # type: ignore[arg-type]
        return f"[{inside}]" if isinstance(value, list) else f"({inside},)"
    if isinstance(value, np.ndarray):
        return g.constant(value) if value.dtype.kind in "fciub" else None
    if value is Ellipsis:
        return "..."
    if isinstance(value, (int, float, complex, str, bool, type(None), slice)):
        return repr(value)
    if isinstance(value, type):
        return f"np.dtype('{np.dtype(value).name}')" if value in (float, complex, int, bool) or issubclass(value, np.generic) else None
    return path_of(value) if callable(value) else None


def _argument(g: State, values: np.ndarray) -> str:
    """Data of the program, or near the sample's own, in one of several layouts."""
    kind = g.rng.random()
    same = [name for name in g.data() if g.env[name].shape == values.shape and g.env[name].dtype.kind == values.dtype.kind]
    if kind < 0.3 and same:
        text = g.pick(same)
    elif kind < 0.88 and (expression := shaped(g, values.shape)):
        own = g.constant(values) if values.ndim else repr(values.item())
        part = f"({expression}).real" if g.style == "complex" and values.dtype.kind == "f" else expression
        text = f"({own} + {g.one_of(('0.05', '0.02', '0.1'))} * {part})"
    else:
        text = g.constant(values) if values.ndim else repr(values.item())
    if values.ndim > 1 and g.chance(0.1):
        text = g.one_of((f"np.asfortranarray({text})", f"({text})[::-1][::-1]", f"np.array({text}, order='F')"))
    return text  # type: ignore[return-value]


@functools.cache
def _parameters(function: Any) -> frozenset[str]:
    if isinstance(function, np.ufunc):
        # SciPy's ufuncs write past the end of memory with where=.
        masked = {"where"} if getattr(np, function.__name__, None) is function else set()
        # NumPy 2.4's vecmat leaves a part of its result as it was with order="F".
        ordered = {"order"} if function is not getattr(np, "vecmat", None) else set()
        return frozenset({"out", "dtype", "casting"} | ordered | ({"axis", "keepdims"} if function.signature else masked))
    try:
        return frozenset(signature_of(function).parameters)
    except (TypeError, ValueError):
        return frozenset()


def _settings(g: State, function: Any, given: dict[str, str], shape: tuple) -> dict[str, str]:
    """Settings that the function has, at random; NumPy says which fit."""
    options = {
        "axis": axis(g, max(len(shape), 1)), "keepdims": "True", "ddof": "1", "initial": "0.5", "order": repr(g.one_of("CFAK")),
        "where": mask(g, shape), "dtype": "complex" if g.style == "complex" else "float", "out": f"np.zeros({shape})",
        "casting": "'unsafe'", "side": "'right'", "n": "2", "k": "1", "mode": repr(g.one_of(("same", "valid", "wrap", "clip"))),
        "axes": "(-1,)", "norm": "'ortho'", "edge_order": "2", "unique": "True", "subok": "True", "return_index": "True",
        "equal_nan": "False", "hermitian": "True", "UPLO": "'U'", "compute_uv": "False", "full_matrices": "False",
    }  # fmt: skip
    fit = sorted(_parameters(function) & options.keys() - given.keys())
    if not fit or not g.chance(0.25):
        return given
    name = g.one_of(fit)
    # Where a ufunc is told not to write, a new array holds whatever was there.
    other = {"out": options["out"]} if name == "where" and isinstance(function, np.ufunc) else {}
    return given | {name: options[name]} | other


def sample(g: State) -> str | None:
    """A call of the samples table."""
    chosen = g.one_of(g.one_of(samples_by_function())) if g.chance(0.7) else g.one_of(samples())
    if g.style != "complex" and any(p.dtype.kind == "c" for p in chosen.points) and g.chance(0.8):
        return None
    args = [_literal(g, a) for a in chosen.args]
    kwargs = {k: _literal(g, v) for k, v in chosen.kwargs.items()}
    if None in args or None in kwargs.values():
        return None
    if isinstance(chosen.function, np.ufunc) and not _DATA.search(" ".join(map(str, args))):
        return None
    given = _settings(g, chosen.function, kwargs, chosen.points[0].shape)  # type: ignore[arg-type]
    return _call(g, path_of(chosen.function), [*args, *[f"{k}={v}" for k, v in given.items()]])  # type: ignore[list-item]


@functools.cache
def everything() -> list[Any]:
    """All functions of the registry that a program may call."""
    functions = [f for table in COLLECTIONS.values() for f in table if path_of(f) and f.__name__ not in _NO_PROGRAM | _WRONG_IN_SCIPY]
    return sorted(functions, key=lambda f: path_of(f) or "")


def blind(g: State) -> str | None:
    """Any function at all, with variables as its arguments."""
    function = g.one_of(everything())
    arguments = [name for name in (g.pick() for _ in range(g.one_of((1, 1, 2, 2, 3)))) if name]
    if not arguments:
        return None
    if g.chance(0.3):
        arguments[-1] = g.one_of((g.number(), "0", "1", "[0, 1]", "-1", f"[{arguments[0]}, {arguments[-1]}]", "(0, 1)", f"list({arguments[0]})"))
    if isinstance(function, np.ufunc) and arguments[-1].startswith(("list", "[a", "[x")):
        return None  # docs/leaks.md: a ufunc that is handed a list of arrays reaches no hook
    if isinstance(function, np.ufunc) and not _DATA.search(" ".join(arguments)):
        return None
    shape = np.shape(g.env.get(arguments[0], 0))
    given = _settings(g, function, {}, shape)
    return _call(g, path_of(function) or "", [*arguments, *[f"{k}={v}" for k, v in given.items()]])


# Of arrays without elements along an axis they give memory as NumPy (2.4) found it, or that is not theirs.
_UNSET_WHERE_EMPTY = ("np.fft.irfft", "np.fft.hfft", "np.lib.stride_tricks.as_strided")


def _call(g: State, path: str, arguments: list[str]) -> str | None:
    """The call; what it gives has as many names as it has arrays."""
    if path.startswith(_UNSET_WHERE_EMPTY) and any(np.size(g.env.get(name, 1)) == 0 for name in arguments):
        return None
    name = g.new()
    text = f"{path}({', '.join(arguments)})"
    try:
        result = g.eval(text)
    except Exception:
        return f"{name} = {text}"
    g.restart()
    if isinstance(result, (tuple, list)) and result and all(isinstance(r, (np.ndarray, np.generic)) for r in result):
        return f"{', '.join(g.new() for _ in result)}, = {text}" if len(result) < 6 else f"{name} = {text}[0]"
    if isinstance(result, (bool, int, float, complex)):
        return f"{name} = np.asarray({text})[()]"
    return f"{name} = {text}" if isinstance(result, (np.ndarray, np.generic)) else text


KINDS = {sample: 34, blind: 8}
