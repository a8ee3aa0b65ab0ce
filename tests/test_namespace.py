"""Names in place: what stands for np.zeros, np.array, math.sin ... while a tape records, where it acts, that it goes."""

import contextvars
import math
import pickle
import subprocess
import sys
import threading
import types
from builtins import type
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from comparisons import assert_same_bits

import npgrad as ng
from npgrad._traced import SeenArray

# Where nothing is swapped.
ORIGINALS = types.MappingProxyType(
    {**{("np", n): v for n, v in vars(np).items() if callable(v)}, **{("math", n): v for n, v in vars(math).items()}}
)


def assert_restored() -> None:
    for (module, name), value in ORIGINALS.items():
        assert vars(np if module == "np" else math)[name] is value, name


def test_restored_after_exit_and_exception() -> None:
    with ng.GradientTape():
        assert np.zeros is not ORIGINALS["np", "zeros"] and math.sin is not ORIGINALS["math", "sin"]
    assert_restored()
    with pytest.raises(ZeroDivisionError), ng.GradientTape():
        raise ZeroDivisionError
    assert_restored()
    with pytest.raises(KeyError):
        ng.grad(lambda x: {}["no such key"])(np.ones(2))
    assert_restored()


def test_nesting_keeps_them_until_the_last_tape_stops() -> None:
    with ng.GradientTape():
        with ng.GradientTape():
            pass
        assert np.zeros is not ORIGINALS["np", "zeros"]
        assert isinstance(np.zeros(2), ng.TracedArray)
    assert_restored()


def test_stopped_and_reset_tapes() -> None:
    with ng.GradientTape() as tape:
        with tape.stop_recording():
            assert type(np.zeros(2)) is np.ndarray
        assert isinstance(np.zeros(2), ng.TracedArray)
        tape.reset()
        assert isinstance(np.zeros(2), ng.TracedArray)
    assert_restored()


def test_tapes_left_in_another_order() -> None:
    first, second = ng.GradientTape(), ng.GradientTape()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert isinstance(np.ones(1), ng.TracedArray)
    second.__exit__(None, None, None)
    assert_restored()


def in_thread(function: Any) -> Any:
    results: list = []

    def call() -> None:
        try:
            results.append(function())
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    return results[0]


def test_other_threads_get_plain_arrays() -> None:
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([1.0, 2.0]))
        assert type(in_thread(lambda: np.zeros(2))) is np.ndarray
        assert type(in_thread(lambda: math.sin(0.5))) is float
        assert isinstance(in_thread(lambda: x + 1), ng.LeakError)
        context = contextvars.copy_context()
        assert isinstance(in_thread(lambda: context.run(lambda: np.zeros(2))), ng.TracedArray)


def test_threads_with_tapes_of_their_own() -> None:
    barrier, results, errors = threading.Barrier(6), {}, []

    def work(n: int) -> None:
        try:
            barrier.wait()
            for _ in range(30):
                with ng.GradientTape() as tape:
                    x = tape.watch(np.full(3, float(n)))
                    y = np.zeros(3)
                    y[:] = x * math.exp(x[0] * 0.0)
                    y[1:] *= y[:-1]
                results[n] = tape.gradient(y, x)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    for n in range(6):
        np.testing.assert_array_equal(results[n], [1 + n, 2 * n, n])
    assert_restored()


def test_numpys_own_code_gets_numpys_own_functions() -> None:
    with ng.GradientTape():
        assert type(np.broadcast_shapes((2,), (1,))) is tuple
        assert np.testing.assert_allclose(1.0, 1.0) is None
        assert type(np.random.default_rng(0).integers(5, size=3)) is SeenArray
        assert repr(np.poly1d([1.0, 2.0])) == repr(np.poly1d(ng.array([1.0, 2.0]))) == "poly1d([1., 2.])"
        assert type(np.linalg.inv(np.array([[2]], dtype="O").astype(int))) in (np.ndarray, ng.TracedArray)


def test_integer_and_boolean_results_are_seen() -> None:
    with ng.GradientTape():
        for made in (np.zeros(2, int), np.array([True]), np.arange(3), np.ones(1, "u1")):
            assert type(made) is SeenArray
        assert type(np.array(["1.5"])) is SeenArray  # numbers are made of it


def test_plain_arrays_of_the_user_stay_his() -> None:
    mine = np.arange(3.0)
    with ng.GradientTape():
        assert np.asarray(mine) is mine
        assert isinstance(np.array(mine), ng.TracedArray)
        assert np.shares_memory(np.asarray(mine[1:]), mine)


@pytest.mark.parametrize("name", ["zeros", "array", "full", "linspace", "eye"])
def test_signature_and_name_are_kept(name: str) -> None:
    with ng.GradientTape():
        held = getattr(np, name)
    assert held.__name__ == name and held.__doc__ == ORIGINALS["np", name].__doc__


def test_pickle_of_names_while_recording() -> None:
    with ng.GradientTape():
        for function in (np.zeros, np.array, math.sin, np.ones_like):
            assert callable(pickle.loads(pickle.dumps(function)))
        made = pickle.loads(pickle.dumps(np.zeros(2)))
    np.testing.assert_array_equal(made, [0.0, 0.0])


def test_captured_names_go_on_working() -> None:
    with ng.GradientTape() as tape:
        zeros, sine, array = np.zeros, math.sin, np.array
        x = tape.watch(np.array([0.5]))
    assert type(zeros(2)) is np.ndarray and type(sine(0.5)) is float and type(array([1.0])) is np.ndarray
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([0.5]))
        y = zeros(1)
        y[0] = sine(x[0])
    np.testing.assert_array_equal(tape.gradient(y, x), [math.cos(0.5)])


LEGACY = """
from math import sin
from numpy import zeros, array
import numpy.random
WORK = array([0.0, 0.0])
def f(x):
    y = zeros(2)
    y[0] = sin(x[0])
    WORK[1:] = x[0] * 3
    y[1] = WORK[1] * x[1]
    return y
"""


def legacy() -> types.ModuleType:
    module = types.ModuleType("a_legacy_module")
    exec(LEGACY, vars(module))
    return module


def test_names_bound_before_are_swapped_by_the_functional_api() -> None:
    module = legacy()
    before = dict(vars(module))
    rows = ng.jacobian(module.f)(np.array([0.5, 2.0]))
    np.testing.assert_allclose(rows, [[math.cos(0.5), 0.0], [6.0, 1.5]], rtol=1e-15)
    assert vars(module) == before and module.zeros is ORIGINALS["np", "zeros"] and type(module.WORK) is np.ndarray
    np.testing.assert_array_equal(module.WORK, [0.0, 1.5])


def test_names_bound_before_are_swapped_by_instrument() -> None:
    module = legacy()
    with ng.instrument(module), ng.GradientTape() as tape:
        x = tape.watch(np.array([0.5, 2.0]))
        y = module.f(x)
    np.testing.assert_allclose(tape.gradient(y, x), [math.cos(0.5) + 6.0, 1.5], rtol=1e-15)
    assert module.zeros is ORIGINALS["np", "zeros"] and type(module.WORK) is np.ndarray
    with pytest.raises(ZeroDivisionError), ng.instrument(module):
        raise ZeroDivisionError
    assert module.zeros is ORIGINALS["np", "zeros"]
    with pytest.raises(TypeError, match="modules"), ng.instrument(module.f):  # type: ignore[arg-type]
        pass


def test_names_bound_before_are_missed_by_a_bare_tape_and_said_so() -> None:
    module = legacy()
    with ng.GradientTape() as tape, pytest.raises(ng.LeakError):
        module.f(tape.watch(np.array([0.5, 2.0])))


def test_vectorize() -> None:
    def f(t: float, scale: float = 2.0) -> float:
        return math.sin(t) * scale if t > 0.4 else t * t

    point = np.array([[0.3, 0.5], [0.7, 0.1]])
    wanted = np.where(point > 0.4, 3 * np.cos(point), 2 * point)
    for vectorized in (np.vectorize(f), np.vectorize(f, otypes=[float])):
        with ng.GradientTape() as tape:
            x = tape.watch(point)
            y = vectorized(x, 3.0)
        np.testing.assert_array_equal(y, vectorized(point, 3.0))
        np.testing.assert_allclose(tape.gradient(y, x), wanted, rtol=1e-15)
    pair = np.vectorize(lambda a, b: (a * b, a - b))
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(point)
        product, difference = pair(x, x[0])
    np.testing.assert_allclose(tape.gradient(product, x), [[0.6 + 0.7, 1.0 + 0.1], [0.3, 0.5]], rtol=1e-15)
    np.testing.assert_allclose(tape.gradient(difference, x), [[-1.0, -1.0], [1.0, 1.0]], rtol=1e-15)


def test_vectorize_decorator_made_inside() -> None:
    with ng.GradientTape() as tape:

        @np.vectorize
        def cube(t: Any) -> Any:
            return t * t * t

        x = tape.watch(np.array([1.0, 2.0]))
        y = cube(x)
    np.testing.assert_array_equal(tape.gradient(y, x), [3.0, 12.0])


def test_frompyfunc() -> None:
    square = np.frompyfunc(lambda t: t * t, 1, 1)
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([1.0, 3.0]))
        y = square(x).sum() + np.frompyfunc(lambda a, b: a * b, 2, 1)(x, 2.0)[1]
    assert y == 1.0 + 9.0 + 6.0
    np.testing.assert_array_equal(tape.gradient(y, x), [2.0, 8.0])


def test_frequencies_are_traced() -> None:
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([2.0, 3.0]))
        buffer = np.fft.fftfreq(4)
        buffer[:2] = x
        y = buffer.sum() + np.abs(np.fft.rfftfreq(4, x[0])).sum()  # 0, 1/4 and 1/2, over x[0]
    np.testing.assert_allclose(tape.gradient(y, x), [1 - 0.75 / 4, 1.0], rtol=1e-15)


def test_lists_of_traced_numbers_reach_the_fft() -> None:
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([2.0, 3.0]))
        y = np.fft.fft([x[0], x[1]]).real
    np.testing.assert_array_equal(tape.jacobian(y, x), [[1.0, 1.0], [1.0, -1.0]])


@pytest.mark.parametrize("convert", ["array", "asarray"])
def test_conversions_of_flat(convert: str) -> None:
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([[1.0, 2.0], [3.0, 4.0]]))
        y = getattr(np, convert)(x.T.flat) * [1.0, 2.0, 3.0, 4.0]
    np.testing.assert_array_equal(tape.gradient(y, x), [[1.0, 3.0], [2.0, 4.0]])


def test_vectorize_outside_of_all_tapes() -> None:
    halved = np.vectorize(lambda t: t / 2 if t > 0 else 0.0)(ng.array([1.0, -2.0]))
    assert type(halved) is np.ndarray and halved.tolist() == [0.5, 0.0]


def test_fromiter_wants_as_many_as_it_is_told() -> None:
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([1.0, 2.0]))
        for items in ([x[0], x[1]], [1.0, 2.0]):
            with pytest.raises(ValueError, match="too short"):
                np.fromiter(items, float, 3)


def test_objects_that_are_indexed_stay_followed_over_many_tapes() -> None:
    """Some versions of Python call a class's former ``__getitem__`` once it has been changed often."""

    def columns(x: Any) -> Any:
        return np.c_[x, x]

    point = np.ones(3)
    for _ in range(1200):
        columns(point)
        with ng.GradientTape() as tape:
            x = tape.watch(point)
            total = columns(x).sum()
        np.testing.assert_array_equal(tape.gradient(total, x), [2.0, 2.0, 2.0])


@pytest.mark.parametrize(
    "program",
    [
        lambda x: np.c_[x, x],
        lambda x: np.c_[np.ones(2), x],
        lambda x: np.r_["0,2", x, 1j * x],
        lambda x: np.r_[x, 0.0, x[0] : x[1] : 3j, x[1]],
        lambda x: np.r_[x[0] : x[1] : 0.5],
        lambda x: np.mgrid[0 : x[0] : 3j, x[0] : x[1] : 2j],
        lambda x: np.mgrid[x[0] : x[1]],
        lambda x: np.ogrid[0 : x[0] : 3j, x[0] : x[1] : 2j],
        lambda x: np.c_[x.astype(np.float32), x],
    ],
)
def test_objects_that_are_indexed_give_plain_arrays_outside(program: Any) -> None:
    """Also while a tape is alive that has recorded what they are given."""
    point = np.array([1.0, 2.0])
    expected = program(point)
    assert_same_bits(program(ng.array(point)), expected)
    with ng.GradientTape() as tape:
        x = tape.watch(point)
        y = x * 1.0
        assert_same_bits(program(y), expected)
        with tape.stop_recording():
            found = program(y)
            assert not any(isinstance(f, ng.TracedArray) for f in found)
    found = program(y)
    assert_same_bits(found, expected)
    assert not isinstance(found, ng.TracedArray)


@pytest.mark.parametrize(("module", "name"), [(np, "load"), (np, "sum"), (math, "sqrt"), (np.linalg, "solve")])
def test_what_a_program_binds_in_a_module_stays(module: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a tape, while it records, and afterwards; what it takes out of there it may put back."""

    def mine(*args: Any) -> Any:
        return "mine"

    held = types.MappingProxyType({"original": getattr(module, name)})  # a variable would be swapped
    with ng.GradientTape():
        form = getattr(module, name)
        assert form is not held["original"]
        monkeypatch.setattr(module, name, mine)
        assert getattr(module, name) is mine
    assert getattr(module, name) is mine  # and now it is bound before the tape
    with ng.GradientTape() as tape:
        x = tape.watch(np.ones(2))
        assert getattr(module, name) is mine
        y = np.prod(x)
    np.testing.assert_array_equal(tape.gradient(y, x), [1.0, 1.0])
    monkeypatch.setattr(module, name, np.ones(3))
    with ng.GradientTape():
        assert isinstance(getattr(module, name), np.ndarray)
    setattr(module, name, held["original"])
    with ng.GradientTape():
        assert getattr(module, name) is form
        setattr(module, name, form)
    assert getattr(module, name) is held["original"] and type(module) is types.ModuleType
    monkeypatch.undo()
    setattr(module, name, held["original"])


@pytest.mark.parametrize("make", [lambda x: np.histogram2d(x, x, bins=2)[0], lambda x: np.histogramdd((x, x), bins=2)[0]])
def test_counts_are_followed_when_they_are_written(make: Any) -> None:
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([1.0, 2.0, 4.0]))
        counts = make(x)
        counts[0] = x[:2]
    np.testing.assert_array_equal(tape.gradient(counts, x), [1.0, 1.0, 0.0])


@pytest.mark.parametrize("module", [np, np.linalg, np.fft], ids=lambda module: module.__name__)
def test_each_name_gives_back_what_it_stands_for(module):
    """So that a name which is bound inside of a tape is put back, by whatever name the function goes."""
    inside: dict = {}
    with ng.GradientTape():
        exec(f"from {module.__name__} import *", inside)
    names = [name for name in module.__all__ if inside[name] is not getattr(module, name)]
    assert len(names) > 15
    found = {name: ng._namespace.original_of(inside[name]) for name in names if not isinstance(inside[name], type)}
    assert found == {name: getattr(module, name) for name in found}


LOADED_LATE = """
import sys
import numpy as np, npgrad as ng

with ng.GradientTape() as tape:
    tape.watch(np.ones(2))
    before = set(sys.modules)
    for name in dir(ng):
        getattr(ng, name)
    import scipy.special
    from npgrad import _command_line, _libraries
    _libraries.declare_loaded()
    forms = {id(form) for form in ng._namespace.IN_PLACE.values()}

def parts(value, depth=3):
    yield value
    items = [*value.keys(), *value.values()] if isinstance(value, dict) else value
    if depth and isinstance(value, (dict, list, tuple, set, frozenset)):
        for item in items:
            yield from parts(item, depth - 1)

late = [name for name in sys.modules if name.startswith("npgrad") and name not in before]
print("npgrad._compare" in late, "npgrad.rules.scipy_special" in late, len(forms) > 100)
print({
    f"{module}.{name}"
    for module in late
    for name, value in vars(sys.modules[module]).items()
    if not name.startswith("__") and any(id(p) in forms or isinstance(p, ng.TracedArray) for p in parts(value))
})
"""


def test_modules_of_ours_that_are_loaded_while_a_tape_records_bind_no_forms():
    pytest.importorskip("scipy.special")
    done = subprocess.run([sys.executable, "-c", LOADED_LATE], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["True True True", "set()"]


def taking(*args: Any, **kwargs: Any) -> tuple:
    return *args, *kwargs.values()


def inner(kind: Any, modules: Any = np) -> list:
    return [modules.ndarray, kind, *taking(modules.ndarray, 1)]


def test_the_class_of_arrays_is_itself_wherever_it_is_not_called() -> None:
    """Its form, which makes traced arrays, is handed out to a call alone: the instructions of the program tell it apart."""
    one = 1
    with ng.GradientTape() as tape:
        x = tape.watch(np.ones(2))
        from numpy import ndarray as imported

        class Derived(np.ndarray):
            kind: np.ndarray

        found = [
            np.ndarray, imported, getattr(np, "ndarray"), getattr(np, "ndarray", None), [np.ndarray, one][0],
            *taking(np.ndarray), *taking(one, np.ndarray)[1:], *taking(np.ndarray, one)[:1], *taking(kind=np.ndarray),
            *taking(np.ndarray, kind=one)[:1], *taking(*[one], kind=np.ndarray)[1:], *inner(np.ndarray)[:3],
            (lambda kind=np.ndarray: kind)(), {np.ndarray: np.ndarray}[np.ndarray], Derived.__mro__[1], np.ndarray or one,
            (np.ndarray if one else one), np.ndarray.sum.__objclass__, f"{np.ndarray}" and np.ndarray,
        ]  # fmt: skip
        assert [kind for kind in found if kind is not imported] == []
        assert isinstance(x, np.ndarray) and issubclass(type(x), np.ndarray) and isinstance(1, (int, np.ndarray))
        match x:
            case np.ndarray():
                made = np.ndarray((2,), dtype=float)
        numpy = np
        others = [np.ndarray(2), np.ndarray(shape=2), np.ndarray(*[2]), np.ndarray(np.ndarray(2).ndim + 1), numpy.ndarray(2)]
        for array in (made, *others):
            array[:] = x
        total = made.sum() + sum(array.sum() for array in others)
    assert tape.gradient(total, x).tolist() == [6.0, 6.0]


UNBOUND = """
import math
import numpy as np
class Model:
    make = sine = largest = None
    def run(self, x):
        if Model.make is None:
            Model.make, Model.sine, Model.largest = np.zeros, math.sin, max
        class Local:
            make = np.empty
        other = type("Other", (), {"make": np.array, "sine": math.cos})()
        w, v = self.make(4), Local().make(4)
        w[:] = x * self.sine(x[0])
        v[:] = other.make([x[1], x[0], 1.0, 2.0])
        return (w * v).sum() * self.largest(x[0], x[1]) * other.sine(x[2])
"""


def test_a_class_binds_no_form_of_what_it_does_not_bind(users_module: Callable) -> None:
    x, module, plain = np.array([0.9, 1.6, 0.35, 2.2]), users_module(UNBOUND), users_module(UNBOUND)
    expected = [(plain.Model().run(x + s) - plain.Model().run(x - s)) / 2e-6 for s in 1e-6 * np.eye(4)]
    for _ in range(2):
        np.testing.assert_allclose(ng.grad(module.Model().run)(x), expected, rtol=1e-8)
    own = vars(module.Model)
    assert own["make"] is np.zeros and own["sine"] is math.sin and own["largest"] is max
    by_hand = users_module(UNBOUND).Model()
    for _ in range(2):
        with ng.GradientTape() as tape:
            watched = tape.watch(x)
            value = by_hand.run(watched)
        np.testing.assert_allclose(tape.gradient(value, watched), expected, rtol=1e-8)
        assert by_hand.run(x) == plain.Model().run(x)


def test_a_form_of_a_builtin_function_passes_for_one() -> None:
    with ng.GradientTape():
        held = np.zeros, math.sin
        assert all(isinstance(form, types.BuiltinFunctionType) for form in held)
        assert repr(held[0]) == repr(ORIGINALS["np", "zeros"])
    for form, original in zip(held, (np.zeros, math.sin), strict=True):
        assert form is not original and pickle.loads(pickle.dumps(form)) is original
