"""GradientTape.gradient: items 18 to 28 of the contract, with its numbers."""

import warnings

import numpy as np
import pytest

import npgrad as ng

X = np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize("first", ["gradient", "jacobian"])
@pytest.mark.parametrize("second", ["gradient", "jacobian"])
def test_item_18_a_tape_that_is_not_persistent_is_used_once(first, second):
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = x * x
    getattr(tape, first)(y, x)
    with pytest.raises(RuntimeError, match=r"non-persistent GradientTape can only be used.*persistent=True"):
        getattr(tape, second)(y, x)


def test_item_18_a_wrong_call_does_not_use_the_tape_up():
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = x * x
    with pytest.raises(TypeError):
        tape.gradient(None, x)
    with pytest.raises(ValueError, match="shape"):
        tape.gradient(y, x, output_gradients=np.ones(5))
    np.testing.assert_array_equal(tape.gradient(y, x), 2 * X)


def test_item_18_a_tape_that_was_never_entered():
    with pytest.raises(RuntimeError, match="recorded nothing"):
        ng.GradientTape().gradient(X, X)


def test_item_19_inside_its_own_context_a_persistent_tape_records_the_sweep_and_warns_once():
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(X)
        work = np.empty(3)
        work[:] = x
        work *= x * x
        with pytest.warns(UserWarning, match="leave the context first") as caught:
            slope = tape.gradient(work, x)
            curvature = tape.gradient(slope, x)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(slope, 3 * X**2)
    np.testing.assert_array_equal(curvature, 6 * X)
    np.testing.assert_array_equal(tape.gradient(curvature, x), [6, 6, 6])


def test_item_20_structures_repeated_targets_and_sources():
    with ng.GradientTape(persistent=True) as tape:
        x, w = tape.watch((X, 2.0))
        y, z = x * x, x * w
    found = tape.gradient({"y": y, "z": [z, z]}, [x, {"x": x, "w": w}])
    expected = 2 * X + 2 * 2.0
    np.testing.assert_array_equal(found[0], expected)
    np.testing.assert_array_equal(found[1]["x"], expected)
    assert found[1]["w"] == 12.0
    assert tape.gradient(y, []) == []
    assert tape.gradient([], [x, w]) == [None, None]
    np.testing.assert_array_equal(tape.gradient([], x, unconnected_gradients="zero"), np.zeros(3))


def test_item_21_target_is_source():
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(X)
        y = x * x
    np.testing.assert_array_equal(tape.gradient(x, x), np.ones(3))
    np.testing.assert_array_equal(tape.gradient(y, y), np.ones(3))
    np.testing.assert_array_equal(tape.jacobian(y, y), np.eye(3))
    np.testing.assert_array_equal(tape.gradient([x, y], [x, y])[0], 1 + 2 * X)


def test_item_21_intermediates_are_sources_and_do_not_block_the_flow():
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = x * x
        z = y * x
    by_y, by_x = tape.gradient(z, [y, x])
    np.testing.assert_array_equal(by_y, X)
    np.testing.assert_array_equal(by_x, 3 * X**2)


def test_item_21_an_intermediate_buffer_counts_by_its_current_value():
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(X)
        buffer = np.zeros(3)
        buffer[:] = x
        early = buffer * 2
        buffer[1:] = x[1:] ** 2
        late = buffer**2
    # d late / d buffer: by the value that it has now; early reached the second and third element before.
    np.testing.assert_array_equal(tape.gradient(late, buffer), 2 * np.array([1.0, 4.0, 9.0]))
    np.testing.assert_array_equal(tape.gradient(early, buffer), [2.0, 0.0, 0.0])
    np.testing.assert_array_equal(tape.gradient(late, buffer[1:]), 2 * np.array([4.0, 9.0]))
    np.testing.assert_array_equal(tape.jacobian(late, buffer), np.diag([2.0, 8.0, 18.0]))


def test_item_22_none_as_target():
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(X)
        y = x * x
    with pytest.raises(TypeError, match=r"Target should be an array.*got None"):
        tape.gradient(None, x)
    with pytest.raises(TypeError, match=r"got None at \['b'\]\[0\]"):
        tape.jacobian({"a": y, "b": [None]}, x)
    with pytest.raises(TypeError, match=r"a source must be .* got str"):
        tape.gradient(y, "x")
    with pytest.raises(TypeError, match=r"a target must be .* got str"):
        tape.gradient("y", x)


def test_item_22_plain_targets_are_unconnected():
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(X)
    assert tape.gradient(np.ones(3), x) is None
    assert tape.gradient(3.0, x) is None
    np.testing.assert_array_equal(tape.gradient(3.0, x, unconnected_gradients="zero"), np.zeros(3))
    assert tape.jacobian(np.ones(2), x) is None


def test_item_23_seeds():
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(X)
        y, s = x * x, x.sum()
    seed = np.array([1.0, -1.0, 0.5])
    np.testing.assert_array_equal(tape.gradient(y, x, seed), 2 * X * seed)
    np.testing.assert_array_equal(tape.gradient(y, x, 3), 6 * X)
    np.testing.assert_array_equal(tape.gradient(y, x, [1, 2, 3] * np.array([True])), 2 * X * X)
    np.testing.assert_array_equal(tape.gradient([y, s], x, [seed, None]), 2 * X * seed + 1)
    np.testing.assert_array_equal(tape.gradient({"y": y, "s": s}, x, {"s": 2.0, "y": seed}), 2 * X * seed + 2)
    np.testing.assert_array_equal(seed, [1.0, -1.0, 0.5])


@pytest.mark.parametrize(
    ("seed", "words"),
    [
        (np.ones(2), r"shape \(2,\).*shape \(3,\)"), (np.ones((1, 3)), r"shape \(1, 3\)"), (1j, "complex128.*float64"),
        (np.array(["a"] * 3), "<U1"), ([1.0, 2.0, 3.0], "structure of the target"), (np.nan, "NaN"),
        ({"y": 1.0}, "structure of the target"), (np.array([None] * 3), "object"),
    ],
)  # fmt: skip
def test_item_23_seeds_that_do_not_fit(seed, words):
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = x * x
    with pytest.raises(ValueError, match=words):
        tape.gradient(y, x, seed)


def test_item_24_unconnected():
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(X)
        w = ng.array(np.ones((2, 1), np.float32))
        y = x * x
        whole = np.floor(x).astype(int) * 2.0
        rounded, compared, stopped = np.floor(x), (x > 1) * 1.0, ng.stop_gradient(x) * 2
    with ng.GradientTape() as other:
        elsewhere = other.watch(x) * 2
    for target in (whole, stopped, elsewhere, compared):
        assert tape.gradient(target, x) is None
    assert tape.gradient(y, w) is None
    for zero in ("zero", ng.UnconnectedGradients.ZERO):
        given = tape.gradient(y, w, unconnected_gradients=zero)
        assert (given.shape, given.dtype, given.any()) == ((2, 1), np.float32, False)
    assert tape.gradient(y, w, unconnected_gradients=ng.UnconnectedGradients.NONE) is None
    found = tape.gradient(rounded, x, unconnected_gradients="zero")
    np.testing.assert_array_equal(found, np.zeros(3))
    for wrong in ("nothing", None, 0, X):
        with pytest.raises(ValueError, match='"none" or "zero"'):
            tape.gradient(y, x, unconnected_gradients=wrong)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, np.complex64, np.complex128, ">f8"])
def test_item_25_the_gradient_has_the_sources_dtype(dtype):
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(np.array([1.0, 2.0], dtype))
        y = x.astype(np.complex128 if x.dtype.kind == "c" else np.float64) * np.float64(3)
        number = tape.watch(np.dtype(dtype).type(2.0))
        z = number * 3.0
    assert tape.gradient(y, x).dtype == np.dtype(dtype)
    assert tape.jacobian(y, x).dtype == np.dtype(dtype)
    assert tape.gradient(z, number).dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(tape.gradient(y, x), [3.0, 3.0])


def test_item_25_a_cast_to_integer_cuts():
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = x.astype(np.int64) * x
    np.testing.assert_array_equal(tape.gradient(y, x), X)


def test_item_26_equal_values_are_distinct_sources():
    with ng.GradientTape() as tape:
        x, w = tape.watch((ng.array(X), ng.array(X)))
        same, one, y = x + 0, x * 1, x * w * w
    by_x, by_w, by_same, by_one = tape.gradient(y, [x, w, same, one])
    np.testing.assert_array_equal(by_x, X**2)
    np.testing.assert_array_equal(by_w, 2 * X**2)
    assert by_same is None
    assert by_one is None


Z = 1 + 2j


@pytest.mark.parametrize(
    ("f", "seed", "expected"),
    [
        (lambda z: z**2, None, 2 - 4j),
        (np.abs, None, Z / abs(Z)),
        (np.real, None, 1),
        (np.imag, None, 1j),
        (np.angle, None, -0.4 + 0.2j),
        (lambda z: z**2, 1j, 4 + 2j),
        (np.conj, None, 1),
        (np.conj, 1j, -1j),
        (lambda z: (z * np.conj(z)).real, None, 2 * Z),
    ],
)
@pytest.mark.parametrize("shape", [(), (1,), (2,), (1, 1)])
def test_item_28_complex(f, seed, expected, shape):
    with ng.GradientTape() as tape:
        z = tape.watch(np.full(shape, Z)[()])
        y = f(z)
    np.testing.assert_allclose(tape.gradient(y, z, seed), np.full(shape, expected), rtol=1e-14)


def test_item_28_a_real_source_of_complex_code_has_a_real_gradient():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with ng.GradientTape() as tape:
            x = tape.watch(X)
            work = np.zeros(3, complex)
            work[:] = x
            work *= np.exp(1j * x)
            y = np.abs(work) ** 2 + work.real
        gradient = tape.gradient(y, x)
    assert gradient.dtype == np.float64
    np.testing.assert_allclose(gradient, 2 * X + np.cos(X) - X * np.sin(X), rtol=1e-14)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("look", [lambda u: u.T, lambda u: u[::-1], lambda u: u.T[1:], lambda u: u[1]])
def test_a_view_of_any_layout_as_a_source_between_writes(order, look):
    """By its current value: what was read before an element was last written is no function of that."""
    with ng.GradientTape() as tape:
        x = tape.watch(np.arange(1.0, 7.0).reshape(2, 3))
        u = (2 * x).copy(order=order)
        view = look(u)
        before = (u**2).sum()
        u[1, 0] = x[0, 0]
        z = before + (u**3).sum()
    by_elements = 2 * np.asarray(u._bare) * (np.arange(6).reshape(2, 3) != 3) + 3 * np.asarray(u._bare) ** 2
    np.testing.assert_allclose(tape.gradient(z, view), look(by_elements.copy(order=order)), rtol=1e-15)


def test_gradients_share_no_memory() -> None:
    """Neither with each other, nor with seeds, constants and what the next gradient of the same tape needs."""
    constant, seed, point = np.array([1.0, 2.0, 3.0]), np.array([5.0, 6.0, 7.0]), np.ones(3)
    with ng.GradientTape(persistent=True) as tape:
        x, y = tape.watch((point, point.copy()))
        both, product, square = x + y, x * constant, x * x

    def taken() -> list[np.ndarray]:
        return [*tape.gradient(both, [x, y, x], seed), tape.gradient(product, x), tape.gradient(square, [x])[0]]

    first = taken()
    expected = [array.copy() for array in first]
    for n, array in enumerate(first):
        assert not any(np.shares_memory(array, other) for other in [*first[:n], *first[n + 1 :], constant, seed, point])
        array[:] = np.nan
    np.testing.assert_array_equal(taken(), expected)
