"""Every public function of NumPy is in exactly one collection of the registry, and every method of an array is ours or
known to need nothing: the day NumPy adds a name, a test here fails."""

from __future__ import annotations

import itertools
import types
from typing import Any

import numpy as np
import numpy.char
import numpy.fft
import numpy.lib.recfunctions
import numpy.lib.stride_tricks
import numpy.linalg
import numpy.polynomial
import numpy.strings
import pytest
from numpy.testing.overrides import get_overridable_numpy_array_functions, get_overridable_numpy_ufuncs

import npgrad as ng
from npgrad._compat import implementation_of
from npgrad._creators import TRACED_CREATORS
from npgrad._libraries import declare_loaded
from npgrad._registry import CALLING_BACK, COLLECTIONS, COMPOSITES, RULES, UNSUPPORTED, Rule
from npgrad._traced import TracedArray

declare_loaded()
DISPATCHED = type(np.concatenate)
MODULES = (np, np.linalg, np.fft, np.emath, np.lib.stride_tricks)

# Plain functions that reach no protocol, by why they need no rule. Creators are not among them: those have a name in
# place. A name here that NumPy does not have (in this version) does no harm.
WITHOUT_ARRAYS = {
    "settings and information": {
        "get_include", "get_printoptions", "getbufsize", "geterr", "geterrcall", "info", "printoptions",
        "set_printoptions", "setbufsize", "seterr", "seterrcall", "show_config", "show_runtime", "test",
    },
    "types": {
        "datetime_data", "isdtype", "issubdtype", "mintypecode", "promote_types", "typename", "iterable", "isfortran",
    },
    "text of a number": {"base_repr", "binary_repr", "format_float_positional", "format_float_scientific"},
    "sizes and shapes, given as integers": {"broadcast_shapes"},
    "Python code that only calls functions with rules": {"row_stack", "trapz"},
    "makes a function of the user's, which is followed": {"frompyfunc"},
    "refused when the array is asked for its memory": {"asmatrix", "bmat", "from_dlpack"},
}  # fmt: skip


def _public_functions() -> dict[Any, str]:
    """Every callable with a public name but classes, and everything that NumPy says can be overridden."""
    found: dict[Any, str] = {}
    for module in MODULES:
        for name in dir(module):
            value = getattr(module, name)
            if not name.startswith("_") and isinstance(value, (DISPATCHED, np.ufunc, types.FunctionType, type(len))):
                found.setdefault(value, f"{module.__name__}.{name}")
    for function in get_overridable_numpy_ufuncs() | get_overridable_numpy_array_functions():
        found.setdefault(function, f"{getattr(function, '__module__', 'numpy')}.{function.__name__}")
    return found


FUNCTIONS = _public_functions()


def _is_creator(function: Any) -> bool:
    """Whether a name in place stands for it; ``like=`` forms of creators have the creator's name."""
    return function in TRACED_CREATORS or getattr(np, function.__name__, None) in TRACED_CREATORS


def _places(function: Any) -> list[str]:
    return [name for name, collection in COLLECTIONS.items() if function in collection]


@pytest.mark.parametrize("function", sorted(FUNCTIONS, key=FUNCTIONS.get), ids=FUNCTIONS.get)
def test_every_function_is_somewhere(function: Any) -> None:
    plain = set().union(*WITHOUT_ARRAYS.values())
    known = _places(function) or _is_creator(function) or function in CALLING_BACK
    reaches_a_protocol = isinstance(function, (DISPATCHED, np.ufunc))
    assert known or (not reaches_a_protocol and function.__name__ in plain)


def test_no_function_is_in_two_collections() -> None:
    for (one, first), (other, second) in itertools.combinations(COLLECTIONS.items(), 2):
        assert not set(first) & set(second), f"both {one} and {other}"


def test_plain_functions_are_not_also_in_the_registry() -> None:
    for reason, names in WITHOUT_ARRAYS.items():
        for function, full_name in FUNCTIONS.items():
            if full_name.rpartition(".")[2] in names:
                assert not _places(function) and not _is_creator(function), (full_name, reason)


def test_every_creator_with_like_has_a_name_in_place() -> None:
    creators = [f for f in get_overridable_numpy_array_functions() if not isinstance(f, DISPATCHED) or _has_like(f)]
    assert len(creators) >= 20
    for function in creators:
        assert _is_creator(function) or _places(function), function


def _has_like(function: Any) -> bool:
    return "like : array_like" in (function.__doc__ or "")


def test_reasons_are_given() -> None:
    assert all(len(reason) > 5 for reason in UNSUPPORTED.values())


def test_composites_are_written_in_python() -> None:
    for function, body in COMPOSITES.items():
        assert body is not None or implementation_of(function) is not None, function


# --- Methods -------------------------------------------------------------------------------------------------------

INHERITED = {
    "sizes and types": {"itemsize", "nbytes", "ndim", "size", "device", "__sizeof__", "__array_namespace__"},
    "writes the values": {"dump", "dumps", "tofile"},
    "hands out the memory, as for any array": {
        "data", "ctypes", "__array_interface__", "__array_struct__", "__buffer__", "__release_buffer__",
        "__dlpack_device__",
    },
    "an unset slot shows what NumPy made behind our back": {"__array_finalize__", "__array_wrap__", "__array_priority__"},
    "operators that NumPy turns into ufuncs": {
        f"__{form}{name}__"
        for form in ("", "i", "r")
        for name in ("and", "or", "xor", "lshift", "rshift", "matmul", "floordiv", "divmod", "mod")
    } | {"__invert__"},
    "Python's own": set(dir(object)) | {"__class_getitem__"},
    "only say that they were removed, until NumPy 2.2": {"itemset", "newbyteorder", "ptp"},
}  # fmt: skip


@pytest.mark.parametrize("name", dir(np.ndarray))
def test_every_method_is_ours_or_needs_nothing(name: str) -> None:
    assert name in vars(TracedArray) or any(name in names for names in INHERITED.values())


@pytest.mark.parametrize("name", sorted(n for n in INHERITED["operators that NumPy turns into ufuncs"] if "matmul" in n))
def test_operators_of_ufuncs_are_recorded(name: str) -> None:
    value, other = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.5, 1.0], [2.0, -1.0]])
    with ng.GradientTape() as tape:
        x = tape.watch(value)
        y = getattr(x * 1.0, name)(other).sum()
    expected = other.sum(axis=1) if name != "__rmatmul__" else other.sum(axis=0)[:, None]
    np.testing.assert_array_equal(tape.gradient(y, x), np.broadcast_to(expected, (2, 2)))


# Arguments that are settings: no number that a result could depend on smoothly.
_SETTINGS = {
    "axes", "axis", "axis1", "axis2", "axisa", "axisb", "axisc", "casting", "compute_uv", "copy", "device", "dtype",
    "endpoint", "equal_nan", "full_matrices", "hermitian", "include_initial", "interpolation", "keepdims", "kind", "kth",
    "like", "method", "minlength", "mode", "n", "norm", "num", "offset", "optimize", "order", "out", "overwrite_input",
    "reps", "retstep", "return_counts", "return_index", "return_inverse", "shift", "signature", "sorted", "stable",
    "subok", "UPLO", "upper", "where", "x",
}  # fmt: skip


# In an order that all processes of a parallel run agree on.
OWN_RULES = sorted([rule for rule in RULES.values() if type(rule) is Rule], key=lambda rule: rule.name)


@pytest.mark.parametrize("rule", OWN_RULES, ids=lambda rule: rule.name)
def test_every_argument_of_a_rule_is_declared(rule: Rule) -> None:
    """What is neither followed, nor a step function, nor a setting is refused when it is tracked."""
    for name in set(rule.names) - set(rule.vjps) - rule.steps - _SETTINGS:
        with ng.GradientTape() as tape:
            x = tape.watch(np.array(1.5))
            with pytest.raises(ng.NoRuleError, match=f"by its argument {name}"):
                rule.function(np.ones((2, 2)), **{name: x})
