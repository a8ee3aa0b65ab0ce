"""check_leaks finds what reads or writes memory past every hook, and names the line; it finds nothing where nothing is."""

from __future__ import annotations

import array
import ctypes
import functools
import importlib.util
import pickle
import struct
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import test_idioms
import test_leaks
from numpy import asarray as bound_before

import npgrad as ng
from npgrad import _leak_search

_EXAMPLES = Path(__file__).parents[1] / "examples"
_spec = importlib.util.spec_from_file_location("run_all", _EXAMPLES / "run_all.py")
assert _spec is not None and _spec.loader is not None
run_all: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(run_all)


class Buffers:
    """Plain work arrays, made past the names in place as a C library would."""


    @staticmethod
    def array() -> np.ndarray:
        kind = np.ndarray  # what calls it by this name is followed
        return kind(2, float, bytearray(16))


def slice_store(x: Any) -> Any:
    work = Buffers.array()
    work[:] = np.sin(x)  # leak
    return x * work


def buffer_reader(x: Any) -> Any:
    y = x * 2
    z = np.frombuffer(memoryview(y))  # leak
    return (x + z).sum()


def unbound_method(x: Any) -> Any:
    total = 0.0
    for _ in range(3):
        y = np.ndarray.view(x * x, np.ndarray)  # leak
        total = total + (y * x).sum()
    return total


def inside_a_call(x: Any) -> Any:
    y = np.exp(x)
    y[0] = ctypes.c_double.from_buffer_copy(memoryview(x)).value  # leak
    return y * x


def at_the_return(x: Any) -> Any:
    y = np.cos(x)
    return y * np.ndarray.__array__(x)  # leak


def in_a_callee(x: Any) -> Any:
    y = np.sqrt(x)
    return y + buffer_reader(x)


RECORDS = np.ndarray(2, [("a", float), ("b", float)], bytearray(32))
HIDDEN = ctypes.py_object(
    {"work": Buffers.array(), "asarray": np.asarray, "exp": np.exp, "add": np.add, "multiply": np.multiply,
     "records": RECORDS, "objects": np.array([None, None])}
)
del RECORDS


def state_of_earlier_runs(x: Any) -> Any:
    work = HIDDEN.value["work"]
    before = work * 1.0
    y = np.sin(x) + 0.0 * before
    work[...] = y  # leak
    return y * work


def argument_of_a_call(x: Any) -> Any:
    y = np.exp(x)
    return square(np.ndarray.view(y, np.ndarray)) * x  # leak


def square(z: Any) -> Any:
    return z * z


def function_kept_in_a_table(x: Any) -> Any:
    kept = HIDDEN.value["asarray"](x * 3.0)  # leak
    return kept * x


def list_for_a_ufunc(x: Any) -> Any:
    y = x * x
    both = HIDDEN.value["exp"]([x, y])  # leak
    return both * 2.0


def lists_for_a_method_of_a_ufunc(x: Any) -> Any:
    y = HIDDEN.value["add"].reduce([x, x * x])  # leak
    return y * 2.0


def complex_numbers_in_a_list(x: Any) -> Any:
    both = HIDDEN.value["multiply"]([x[0] * 1j, 2j], 1j)  # leak
    return both.real * 2.0


def objects_that_become_complex(x: Any) -> Any:
    elements = HIDDEN.value["objects"]
    elements[:] = list(x)
    return np.abs(elements.astype(complex)) * x  # leak


def fields_from_before(x: Any) -> Any:
    records = HIDDEN.value["records"]
    y = x * x
    records["a"] = y  # leak
    return records["a"] * x


def objects_from_before(x: Any) -> Any:
    objects = HIDDEN.value["objects"]
    objects[:] = x * x  # leak
    y = x * 1.0
    return objects.astype(float) * y


def object_that_gives_an_array(x: Any) -> Any:
    return HIDDEN.value["exp"](_Giving(x))  # leak


class _Giving:
    def __init__(self, given: Any) -> None:
        self.given = given

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.given


@pytest.mark.parametrize(
    ("function", "leaking"),
    [
        *[(f, f) for f in (
            slice_store, buffer_reader, unbound_method, inside_a_call, at_the_return, state_of_earlier_runs,
            argument_of_a_call, function_kept_in_a_table, list_for_a_ufunc, lists_for_a_method_of_a_ufunc,
            complex_numbers_in_a_list, objects_that_become_complex, fields_from_before, objects_from_before,
            object_that_gives_an_array)],
        (in_a_callee, buffer_reader),
    ],
)
def test_the_line_is_named(function: Callable, leaking: Callable) -> None:
    code = leaking.__code__
    lines = Path(__file__).read_text().splitlines()
    line = next(n for n in range(code.co_firstlineno, len(lines)) if lines[n - 1].endswith("# leak"))
    with pytest.raises(ng.LeakError) as caught:
        ng.check_leaks(function, np.array([0.4, 0.7]))
    assert str(caught.value).startswith(f"{__file__}:{line}: ")


@pytest.mark.parametrize("run", run_all.runs(), ids=lambda run: run["script"])
def test_no_false_alarm_on_the_examples(run: Any) -> None:
    ng.check_leaks(getattr(run_all.load(run["script"]), run["function"]), *run_all.arguments(run))


@pytest.mark.parametrize(("program", "point", "method"), test_idioms.PROGRAMS, ids=lambda row: getattr(row, "__name__", ""))
@pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning")
def test_no_false_alarm_on_the_programs_of_the_tests(program: Callable, point: np.ndarray, method: str) -> None:
    ng.check_leaks(program, point.copy())


# --- Those who read memory: each is found at its own line, or refused there -----------------------------------------------


def _array_module(x: Any) -> Any:
    return x * np.array(array.array("d", memoryview(x)))  # leak


def _struct_reader(x: Any) -> Any:
    numbers = struct.unpack_from("2d", memoryview(x))  # leak
    return x * np.array(numbers)


def _ctypes_reader(x: Any) -> Any:
    block = (ctypes.c_double * 2).from_buffer_copy(memoryview(x))  # leak
    return x * np.array(block)


def _memoryview_elements(x: Any) -> Any:
    y = x + 1.0
    second = memoryview(y)[1]  # leak
    return y * second


def _asarray_bound_before(x: Any) -> Any:
    y = HIDDEN.value["asarray"](np.sin(x))  # leak
    return y * x


def _plain_buffer_from_before(x: Any) -> Any:
    work = HIDDEN.value["work"]
    work[:] = np.exp(x)  # leak
    return work * x


def _buffer_of_compiled_code(x: Any) -> Any:
    ndimage = pytest.importorskip("scipy.ndimage")
    return ndimage.generic_filter1d(np.arange(3.0), lambda i, o: o.__setitem__(..., i[1:-1] * x[0]), 3)  # leak


def _scipy(name: str) -> Callable:
    module, function = name.rsplit(".", 1)
    return getattr(pytest.importorskip("scipy" + module), function)


def _compiled_linalg(x: Any) -> Any:
    return _scipy(".linalg.lu")(np.eye(2) + x)[2]  # leak


def _compiled_interpolate(x: Any) -> Any:
    return _scipy(".interpolate.BarycentricInterpolator")([0.0, 1.0, 2.0], [1.0, 0.0, 3.0])(x)  # leak


def _compiled_spatial(x: Any) -> Any:
    return _scipy(".spatial.distance.cdist")(x[None], np.ones((1, 2)), "canberra")  # leak


def _compiled_lapack(x: Any) -> Any:
    return _scipy(".linalg.lapack.dgesv")(np.eye(2), x)[2]  # leak


@pytest.mark.parametrize(
    "function",
    [
        _array_module, _struct_reader, _ctypes_reader, _memoryview_elements, _asarray_bound_before,
        _plain_buffer_from_before, _buffer_of_compiled_code, _compiled_linalg, _compiled_interpolate, _compiled_spatial,
        _compiled_lapack,
    ],
)  # fmt: skip
def test_consumers_are_named(function: Callable) -> None:
    lines = Path(__file__).read_text().splitlines()
    line = next(n for n in range(function.__code__.co_firstlineno, len(lines)) if lines[n - 1].endswith("# leak"))
    with pytest.raises(ng.LeakError) as caught:
        ng.check_leaks(function, np.array([0.4, 0.7]))
    assert str(caught.value).startswith(f"{__file__}:{line}: ")


# --- The ways out that reach no hook -----------------------------------------------------------------------------------

SILENT = [code for verdict, code in test_leaks.ROWS if verdict == "silent"]
# What they leave in `r` is no array of numbers, which is refused as a result; `setfield` is refused where it is followed.
RETURNED = {"st": "r['a']", "po": "r.astype(float)", "rec": "r.a"}
_FILE = str(Path(__file__).with_name("a silent row"))


def _row(code: str, names: dict) -> Callable:
    result = next((text for word, text in RETURNED.items() if f"r = {word}" in code or f"np.{word}" in code), "r")
    source = f"def row(x, y, m, x0, y0, xc):\n    {code}\n    return {result}"
    exec(compile(source, _FILE, "exec"), names)
    return names["row"]


def _seeded(row: Callable, names: dict, fixed: Callable) -> Callable:
    def program(*args: Any) -> Any:
        np.random.seed(0)
        names.update(fixed())
        return row(*args)

    return program


def _made_past_the_names_in_place() -> Callable[[], dict]:
    """What makes the arrays of the rows as a C library would: nobody sees that they are new. To make them in Python is to
    let each evaluation search the modules of the tests, with all their tables."""
    return functools.partial(pickle.loads, pickle.dumps(test_leaks.constants()))


@pytest.mark.parametrize("code", [code for code in SILENT if "old_" not in code])
def test_silent_rows_are_found(code: str) -> None:
    names: dict[str, Any] = dict(test_leaks.MODULES)
    row = _row(code, names)
    with pytest.raises(ng.LeakError) as caught:
        ng.check_leaks(_seeded(row, names, _made_past_the_names_in_place()), *test_leaks.POINT.values())
    assert str(caught.value).startswith(f"{_FILE}:2: ")


_REACHED = ("plain", "P[", "pc", "old_")


@pytest.mark.parametrize("code", [code for code in SILENT if any(name in code for name in _REACHED)])
def test_what_the_functional_interface_reaches_is_followed(code: str) -> None:
    names: dict[str, Any] = {**test_leaks.MODULES, **test_leaks.OLD, **test_leaks.constants(), "__name__": "a_program"}
    row = _row(code, names)
    try:
        found = ng.jacobian(row, tuple(range(6)))(*test_leaks.POINT.values())
    except (ng.LeakError, NotImplementedError):
        assert "setfield" in code or "broadcast" in code
        return
    assert found is not None


def test_evaluations_that_a_check_costs() -> None:
    count = 0

    def f(x: Any) -> Any:
        nonlocal count
        count += 1
        return np.sin(x) * x.sum()

    ng.check_leaks(f, np.array([0.3, 0.4]))
    assert count == 3
    ng.jacobian(f, check=True)(np.array([0.3, 0.4]))
    assert count == 6


def test_what_is_constant_by_right_is_no_leak() -> None:
    ng.check_leaks(lambda x: x * np.floor(x) + bound_before([1.0, 2.0]) * int(x[0]), np.array([1.5, 2.5]))
    ng.check_leaks(lambda x, n: np.sum(x**n), 1.5, 3)


def _reads_memory(x: np.ndarray, scale: float = 1.0) -> np.ndarray:
    hidden = np.frombuffer(memoryview(x))
    return scale * x * hidden


@pytest.mark.parametrize("make", [ng.jacobian, ng.value_and_jacobian], ids=["jacobian", "value_and_jacobian"])
def test_check_finds_a_leak_at_the_call(make: Any) -> None:
    with pytest.raises(ng.LeakError, match=rf"{__file__}:\d+: hidden is traced data made from plain data"):
        make(_reads_memory, check=True)(np.array([1.0, 2.0]), scale=2.0)


def test_check_of_gradients() -> None:
    with pytest.raises(ng.LeakError, match="hidden"):
        ng.grad(lambda x: _reads_memory(x).sum(), check=True)(np.array([1.0, 2.0]))


def test_check_passes_what_is_right() -> None:
    point = {"a": np.array([0.3, 0.8]), "b": (np.array(2.0), np.array([1 + 2j]))}

    def f(p: dict, work: np.ndarray, n: int = 2) -> tuple:
        work[:] = p["a"] * n
        return (work.sum() * p["b"][0] * np.abs(p["b"][1][0]), "text")

    work = np.ones(2)
    expected, _ = ng.grad(f, has_aux=True)(point, work, n=3)
    found, aux = ng.grad(f, has_aux=True, check=True)(point, work, n=3)
    assert aux == "text"
    assert np.array_equal(work, np.ones(2))
    np.testing.assert_array_equal(found["a"], expected["a"])


def test_check_is_for_the_outermost_derivative() -> None:
    second = ng.grad(lambda x: ng.grad(lambda y: np.sin(y).sum(), check=True)(x).sum(), check=True)
    np.testing.assert_allclose(second(np.array([0.4])), -np.sin([0.4]))


# --- The observer by itself: what it says of frames, which no coverage can see while it is the trace function --------------


class Box:
    def __init__(self, value: Any) -> None:
        self.value, self.method = value, lambda: None


def a_frame(line: int, names: dict[str, Any], module: str = "program", back: Any = None) -> Any:
    def f(x: Any) -> None:
        work  # type: ignore[name-defined]  # noqa: B018, F821

    code = f.__code__.replace(co_filename=f"/home/user/{module}.py")
    variables = {"__name__": module, "work": np.array([7.0])}
    return types.SimpleNamespace(f_code=code, f_globals=variables, f_locals=names, f_lineno=line, f_back=back)


def noted(observer: _leak_search._Observer) -> list[tuple[int, str, float]]:
    found = [(seen.line, seen.name, seen.number.real) for seen in observer.seen]
    observer.seen.clear()
    return found


def test_what_changes_in_variables_is_noted_at_the_line_that_changed_it() -> None:
    observer = _leak_search._Observer()
    frame = a_frame(3, {"x": np.array([2.0])})
    assert observer(frame, "call", None) is observer
    assert noted(observer) == [(3, "x", 2.0)]  # an argument is new, the module's array is not
    frame.f_lineno = 4
    observer(frame, "line", None)
    assert noted(observer) == []
    frame.f_locals |= {"pair": [1.5, "text"], "table": {"k": 2.5}, "box": Box(3.5), "count": 4, "nothing": np.zeros(0)}
    frame.f_globals["work"][0] = 8.0
    frame.f_lineno = 5
    observer(frame, "line", None)
    assert noted(observer) == [
        (4, "work", 8.0), (4, "pair[0]", 1.5), (4, "table['k']", 2.5), (4, "box.value", 3.5), (4, "nothing", 0.0),
    ]  # fmt: skip
    observer(frame, "return", np.array([0.5]))
    assert noted(observer) == [(5, "the value returned", 0.5)]
    assert observer._known == observer._lines == {}


def test_arguments_are_of_the_line_that_calls() -> None:
    observer = _leak_search._Observer()
    outer = a_frame(10, {"x": np.array([1.0])})
    observer(outer, "call", None)
    called = a_frame(3, {"x": np.array([2.0])}, back=outer)
    observer(called, "call", None)
    installed = a_frame(20, {}, "numpy")
    observer(a_frame(3, {"x": np.array([4.0])}, back=installed), "call", None)
    assert noted(observer) == [(10, "x", 1.0), (10, "x", 2.0), (3, "x", 4.0)]


def test_installed_code_is_not_observed() -> None:
    assert _leak_search._Observer()(a_frame(3, {}, "numpy"), "call", None) is None


@pytest.mark.parametrize("point", [np.array([1.0, 2.0]), np.array([1.0 + 2j, 0.5 - 1j])])
def test_functions_without_forward_mode(point):
    right = ng.custom_gradient(lambda x: (x * x, lambda ct: ct * np.conj(2 * x)))
    wrong = ng.custom_gradient(lambda x: (x * x, lambda ct: ct * np.conj(2.1 * x)))
    ng.check_leaks(lambda x: np.sin(right(x)) * x, point)
    ng.grad(lambda x: np.real(right(x)).sum(), check=True)(point)
    with pytest.raises(ng.LeakError):
        ng.check_leaks(lambda x: np.sin(wrong(x)) * x, point)
    with pytest.raises(ng.LeakError):
        ng.grad(lambda x: np.real(wrong(x)).sum(), check=True)(point)
    with pytest.raises(ng.LeakError):
        ng.jacobian(wrong, check=True)(point)
