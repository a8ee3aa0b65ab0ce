"""GradientTape.batch_jacobian (items 33 and 34 of the contract), and the options of Jacobians: memory, several sources,
complex derivatives."""

import numpy as np
import pytest

import npgrad as ng

X = np.random.default_rng(0).uniform(0.5, 1.5, (4, 3))


def model(x):
    y = np.empty((len(x), 2))
    y[:, 0] = x[:, 0] * x[:, 1]
    y[:, 1] = np.sin(x[:, 2]) / x[:, 0]
    return y


def test_item_33_each_row_by_its_own():
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(X)
        y = model(x)
    found, full = tape.batch_jacobian(y, x), tape.jacobian(y, x)
    assert found.shape == (4, 2, 3)
    np.testing.assert_array_equal(found, np.stack([full[i, :, i] for i in range(4)]))
    np.testing.assert_array_equal(tape.batch_jacobian(y, x, max_bytes=1), found)
    np.testing.assert_array_equal(tape.batch_jacobian(y, X), found)


def test_item_33_against_the_derivative_written_out():
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = x**3
    np.testing.assert_allclose(tape.batch_jacobian(y, x), 3 * X[:, :, None] ** 2 * np.eye(3), rtol=1e-14)


@pytest.mark.parametrize(("target", "source"), [((3,), (4, 3)), ((), (4, 3)), ((4,), ())])
def test_item_33_shapes_that_do_not_fit(target, source):
    with ng.GradientTape() as tape:
        x = tape.watch(np.ones(source))
        y = np.zeros(target) + x.sum()
    with pytest.raises(ValueError, match="equal first dimensions, got shapes") as error:
        tape.batch_jacobian(y, x)
    assert str(y.shape) in str(error.value) and str(x.shape) in str(error.value)


def test_item_33_structures_are_refused():
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(X)
    with pytest.raises(TypeError, match="must be one array, got list"):
        tape.batch_jacobian([x], x)
    with pytest.raises(ValueError, match=r"equal first dimensions, got shapes \(4, 3\) and \(\)"):
        tape.batch_jacobian(x, 1.0)


def test_item_33_no_rows():
    with ng.GradientTape() as tape:
        x = tape.watch(np.empty((0, 3)))
        y = x * 2
    assert tape.batch_jacobian(y, x).shape == (0, 3, 3)


@pytest.mark.parametrize(
    "mixes", [np.cumsum, lambda x: x / x.sum(), lambda x: x[::-1], lambda x: x + 1e-6 * np.roll(x, 1)], ids=range(4)
)
def test_item_34_mixed_rows_are_found(mixes):
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(X[:, 0])
        y = mixes(x)
    with pytest.raises(ValueError, match="mixes rows: use jacobian"):
        tape.batch_jacobian(y, x)
    np.testing.assert_allclose(
        tape.batch_jacobian(y, x, check=False), tape.jacobian(y, x).sum(axis=0), rtol=1e-12, atol=1e-15
    )


def test_item_34_rows_of_different_sizes():
    """Rows that mix are found beside a row that is much larger, and rows that do not are none."""
    sizes = np.array([1e12, 1.0, 1e-9, 1e6])[:, None]
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(X)
        apart = np.sin(x) * sizes
        mixed = apart + 1e-3 * np.array([[0.0], [1.0], [1.0], [0.0]]) * x[::-1]
    np.testing.assert_allclose(tape.batch_jacobian(apart, x), (np.cos(X) * sizes)[..., None] * np.eye(3), rtol=1e-14)
    with pytest.raises(ValueError, match="mixes rows"):
        tape.batch_jacobian(mixed, x)


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("shape", [(5,), (5, 3), (5, 2, 3), (1, 4), (5, 0), (0, 3)])
def test_dtypes_and_shapes(dtype, shape):
    rng = np.random.default_rng(4)
    points = (rng.uniform(0.5, 1.5, shape) + (1j * rng.uniform(0.5, 1.5, shape) if dtype[0] == "c" else 0)).astype(dtype)
    for f in (lambda x: np.sin(x) * x, lambda x: np.stack([x, x * x], axis=1), lambda x: np.abs(x) ** 2):
        with ng.GradientTape(persistent=True) as tape:
            x = tape.watch(points)
            y = f(x)
        found, full = tape.batch_jacobian(y, x), tape.jacobian(y, x)
        assert found.shape == y.shape + shape[1:] and found.dtype == dtype
        rows = [full[(i, *[slice(None)] * (y.ndim - 1), i)] for i in range(len(points))]
        np.testing.assert_allclose(found, np.reshape(rows, found.shape), rtol=100 * np.finfo(dtype).eps)


def test_item_34_unconnected():
    with ng.GradientTape(persistent=True) as tape:
        x, w = tape.watch((X, X[:, 0].copy()))
        y = model(x)
    assert tape.batch_jacobian(y, w) is None
    np.testing.assert_array_equal(tape.batch_jacobian(y, w, "zero"), np.zeros((4, 2)))
    with pytest.raises(ValueError, match="unconnected_gradients"):
        tape.batch_jacobian(y, w, "nothing")


def test_batch_jacobian_is_followed():
    with ng.GradientTape() as outer:
        x = outer.watch(X)
        with ng.GradientTape() as inner:
            inner.watch(x)
            y = x**3
        rows = inner.batch_jacobian(y, x)
    np.testing.assert_allclose(outer.gradient(rows, x), 6 * X, rtol=1e-14)


# --- Memory ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("max_bytes", [1, 2000, None])
def test_rows_in_several_sweeps(mode, max_bytes):
    def f(x, s):
        return np.cumsum(x * x) * s

    rows = ng.jacobian(f, (0, 1), mode=mode, max_bytes=max_bytes)(X[:, 0], 2.0)
    np.testing.assert_allclose(rows[0], np.tril(4 * np.ones((4, 1)) * X[:, 0]), rtol=1e-14)
    np.testing.assert_allclose(rows[1], np.cumsum(X[:, 0] ** 2), rtol=1e-14)
    hessian = ng.hessian(lambda x: (x**3).sum(), mode=mode, max_bytes=max_bytes)(X[:, 0])
    np.testing.assert_allclose(hessian, np.diag(6 * X[:, 0]), rtol=1e-14)


def test_no_memory_is_refused():
    with pytest.raises(ValueError, match="max_bytes must be a positive number of bytes, got 0"):
        ng.jacobian(np.sin, max_bytes=0)(X)


# --- Several sources in one forward sweep ----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_sources_that_share_memory_or_depend_on_each_other(mode):
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(np.array([1.0, 2.0, 3.0]))
        part = tape.watch(x[:2])
        y = tape.watch(x * x)
        z = y * y * x[0] + part[1]
    by_x, by_part, by_y, again, unused = tape.jacobian(z, [x, part, y, x, tape.watch(ng.array(1.0))], mode=mode)
    x0 = np.array([1.0, 2.0, 3.0])
    wanted = np.diag(4 * x0**3)
    wanted[:, 0] += x0**4
    wanted[:, 1] += 1
    np.testing.assert_allclose(by_x, wanted)
    np.testing.assert_array_equal(again, by_x)
    np.testing.assert_allclose(by_y, np.diag(2 * x0**2))
    np.testing.assert_allclose(by_part, wanted[:, :2])
    assert unused is None


# --- Complex derivatives ---------------------------------------------------------------------------------------------

Z = np.array([0.3 + 0.4j, -0.2 + 1.1j])


@pytest.mark.parametrize("f", [np.exp, lambda z: z**3 / (1 + z), lambda z: np.cumprod(np.sin(z)), lambda z: z * z.sum()])
def test_holomorphic(f):
    h = 1e-5
    wanted = np.stack([(f(Z + h * e) - f(Z - h * e)) / (2 * h) for e in np.eye(2)], axis=-1)
    np.testing.assert_allclose(ng.jacobian(f, holomorphic=True)(Z), wanted, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(ng.jacobian(f)(Z), np.conj(wanted), rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(ng.grad(lambda z: f(z).sum(), holomorphic=True)(Z), wanted.sum(axis=0), rtol=1e-8, atol=1e-9)


def test_holomorphic_second_derivative():
    second = ng.grad(ng.grad(lambda z: z**4, holomorphic=True), holomorphic=True)
    np.testing.assert_allclose(second(0.3 + 0.4j), 12 * (0.3 + 0.4j) ** 2, rtol=1e-14)


def test_holomorphic_hessian():
    def f(z, w):
        return np.sum(z**3) * w[0] + np.exp(z[1] * w[1])

    def gradient(z, w):
        step, units = 1e-6, np.eye(2)
        return np.array([(f(z + step * e, w) - f(z - step * e, w)) / (2 * step) for e in units])

    z, w, step = Z[:2], np.array([0.5 - 1j, 0.2 + 0.3j]), 1e-4
    wanted = np.array([(gradient(z + step * e, w) - gradient(z - step * e, w)) / (2 * step) for e in np.eye(2)])
    found = ng.hessian(f, holomorphic=True)(z, w)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)
    (both, _), _ = ng.hessian(f, (0, 1), holomorphic=True)(z, w)
    np.testing.assert_allclose(both, found, rtol=1e-12)
    with pytest.raises(ValueError, match="conjugate"):
        ng.hessian(lambda z: np.sum(z * np.conj(z)) * z[0], holomorphic=True)(z)


@pytest.mark.parametrize("f", [np.conj, lambda z: z * np.abs(z), lambda z: z.real + 0j, lambda z: z + 1e-6 * np.conj(z)])
def test_not_holomorphic(f):
    with pytest.raises(ValueError, match="depends on the conjugate"):
        ng.jacobian(f, holomorphic=True)(Z)


def test_holomorphic_is_for_complex_arrays():
    for f, x in ((np.sin, X), (np.abs, Z), (lambda x: x * 1j, X)):
        with pytest.raises(TypeError, match="complex values of complex arguments"):
            ng.jacobian(f, holomorphic=True)(x)
