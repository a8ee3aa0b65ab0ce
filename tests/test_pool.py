"""Memory that goes from one tape to the next: nobody's array may change by it."""

import gc
import weakref

import numpy as np
import pytest

import npgrad as ng
from npgrad import _pool
from npgrad._partials import Factor
from npgrad._sweep import ReverseSweep

N = 20_000
X = np.random.default_rng(0).uniform(0.5, 1.5, N)
Y = np.random.default_rng(1).uniform(0.5, 1.5, N)


@pytest.fixture(autouse=True)
def empty_pool():
    _pool.free.clear()
    yield
    _pool.free.clear()


def program(x, y):
    for _ in range(3):
        x = np.sin(x * y + y) / (2.0 + x * x)
        x = -x + np.exp(x - y) * 0.5
    return x


def expected(x, y):
    """Elementwise, so one complex step gives all derivatives."""
    return program(x + 1e-30j, y).imag / 1e-30


def differentiated(persistent=False):
    with ng.GradientTape(persistent=persistent) as tape:
        x = tape.watch(X)
        value = program(x, Y)
    return tape.gradient(value, x), value


def test_later_tapes_compute_the_same_bits_in_memory_of_earlier_ones():
    first, value = differentiated()
    np.testing.assert_allclose(first, expected(X, Y), rtol=1e-12, atol=1e-14)
    plain = program(X, Y)
    np.testing.assert_array_equal(value, plain)
    del value
    assert sum(map(len, _pool.free.values())) > 5
    for _ in range(3):
        again, value = differentiated()
        np.testing.assert_array_equal(again, first)
        np.testing.assert_array_equal(value, plain)


def test_what_the_user_holds_is_not_used_again():
    held = {}
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        inner = x * Y + Y
        held["traced"] = inner
        value = np.sin(inner)
        square = value * value
        held["view"] = np.asarray(square)[10:20]
        held["memory"] = memoryview(np.asarray(np.exp(square)))
        result = np.cos(np.exp(square) * inner)
    before = {name: np.array(part) for name, part in held.items()}
    gradient = tape.gradient(result, x)
    kept = gradient.copy()
    del inner, value, square, result, tape, x
    for _ in range(3):
        differentiated()
    for name, part in held.items():
        np.testing.assert_array_equal(np.array(part), before[name])
    np.testing.assert_array_equal(gradient, kept)


def test_an_array_that_is_weakly_referred_to_is_freed():
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        inner = x * x
        value = np.sin(inner)
    bare = weakref.ref(inner._bare)
    tape.gradient(value, x)
    del inner, value, x, tape
    gc.collect()
    assert bare() is None


def test_a_persistent_tape_keeps_what_it_needs():
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(X)
        value = program(x, Y)
    first = tape.gradient(value, x)
    differentiated()
    np.testing.assert_array_equal(tape.gradient(value, x), first)
    differentiated()
    np.testing.assert_array_equal(tape.gradient(value, x), first)


def test_the_pool_is_bounded_and_forgets(monkeypatch):
    monkeypatch.setattr(_pool, "MAX_BYTES", 3 * X.nbytes)
    differentiated()
    assert sum(len(arrays) for arrays in _pool.free.values()) == 3
    small = X[: N // 2].copy()
    with ng.GradientTape() as tape:
        x = tape.watch(small)
        value = np.sin(x * x)
    tape.gradient(value, x)
    del x, value, tape
    assert set(_pool.free) == {small.shape}


def test_other_layouts_and_dtypes_are_left_alone():
    for x in (X.astype(np.float32), X.reshape(100, 200).T, X[::-1], X.astype(">f8"), X + 1j):
        differentiated()
        plain = np.sin(x * x) + x
        with ng.GradientTape() as tape:
            source = tape.watch(x)
            value = np.sin(source * source) + source
        assert value.dtype == plain.dtype and value.strides == plain.strides
        np.testing.assert_array_equal(value, plain)
        ct = tape.gradient(value, source)
        np.testing.assert_allclose(np.conj(ct), 2 * x * np.cos(x * x) + 1, rtol=1e-4)


FACTORS = [2, 2.5, True, 1.5 - 0.5j, np.float32(1.5), np.float64(2.5), np.complex128(1j), np.array(3.0), np.arange(N)]


@pytest.mark.parametrize("factor", FACTORS, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_cotangents_times_factors_of_every_kind(factor, dtype):
    x = X.astype(dtype)
    with ng.GradientTape() as tape:
        source = tape.watch(x)
        value = (source * factor) * factor
    seed = np.linspace(0.1, 1.0, N).astype(value.dtype)
    ct = tape.gradient(value, source, seed)
    wanted = seed * np.conj(np.asarray(factor, complex)) ** 2
    assert ct.dtype == x.dtype
    wanted = wanted if x.dtype.kind == "c" else wanted.real
    np.testing.assert_allclose(ct, wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max(initial=1.0))
    np.testing.assert_array_equal(seed, np.linspace(0.1, 1.0, N).astype(value.dtype))


def test_batched_sweeps_use_spare_memory_and_stay_right():
    """Parts, overlaps and repeated use of one cotangent, with shadows that are large only because of the batch."""
    n = 90

    def program(u):
        d = np.zeros_like(u)
        d[1:-1] = u[2:] - 2 * u[1:-1] + u[:-2]
        for _ in range(3):
            d *= 0.9
            d += 0.1 * np.sin(u) * u
            d[1:] -= 0.05 * d[:-1] * u[1:]
            d[2:] += d[:-2]
            d[:-1] += u[1:] * 2
            d[::2] += d[1::2]
        return d * d + d - u * d

    u = np.random.default_rng(2).random(n)
    columns = np.array([program(u + 1e-30j * e).imag / 1e-30 for e in np.eye(n)]).T
    for mode in ("reverse", "forward"):
        for _ in range(2):
            np.testing.assert_allclose(ng.jacobian(program, mode=mode)(u), columns, rtol=1e-12, atol=1e-14)
    with ng.GradientTape(persistent=True) as tape:
        source = tape.watch(u)
        value = program(source)
    rows = np.array([tape.gradient(value, source, e) for e in np.eye(n)])
    np.testing.assert_allclose(rows, columns, rtol=1e-12, atol=1e-14)


def test_a_partial_that_is_a_saved_value_is_not_written():
    """Whether an array may be written is asked of the array, not of the rule that gave it."""
    kept = Y.copy()
    factor = Factor(lambda _, x, y, z, ans: kept, np.multiply)
    ct = X.copy()
    product = ReverseSweep((), False).product(ct, factor, None, None, None, False)
    np.testing.assert_array_equal(product, X * Y)
    np.testing.assert_array_equal(kept, Y)
    np.testing.assert_array_equal(ct, X)


def test_many_gradients_of_one_tape_take_no_more_memory():
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(X)
        buffer = x * 1.0
        value = np.sin(buffer[1:]) * buffer[:-1]
        buffer *= 2.0  # what was saved of it is a copy now, looked at anew in each sweep
        value = value * np.exp(buffer[1:])
    first = tape.gradient(value, x)
    met = len(tape._record.large)
    for _ in range(5):
        np.testing.assert_array_equal(tape.gradient(value, x), first)
    assert len(tape._record.large) == met
