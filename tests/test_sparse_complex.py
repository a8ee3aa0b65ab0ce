"""Sparse Jacobians of complex functions: what `jacobian` gives for them, and complex differences for holomorphic ones."""

import numpy as np
import pytest

import npgrad as ng

RNG = np.random.default_rng(3)
Z = RNG.normal(size=12) + 1j * RNG.normal(size=12)
X = RNG.uniform(0.5, 1.5, 12)


def waves(z):
    """Schrödinger's equation on a line, in place."""
    out = np.zeros_like(z)
    out[1:-1] = 1j * (z[2:] - 2 * z[1:-1] + z[:-2])
    out -= 1j * z * z * z[::-1]
    return out


def conjugates(z):
    out = np.empty(len(z) + 2, complex)
    out[:-2] = np.conj(z) * np.roll(z, 1)
    out[-2:] = np.abs(z[:2]) ** 2 * z[2:4]
    return out


def parts(z):
    w = z.copy()
    w.real[1:] += z.imag[:-1] ** 2
    w.imag[3] = z.real[4]
    return w * 2


CASES = {
    "C to C, holomorphic": (waves, Z),
    "C to C": (conjugates, Z),
    "C to C by parts": (parts, Z),
    "C to R": (lambda z: np.abs(z[1:]) ** 2 * z[:-1].real, Z),
    "C to one number": (lambda z: np.abs(z).sum(), Z),
    "R to C": (lambda x: x[1:] * np.exp(1j * x[:-1]), X),
    "R to C to R": (lambda x: np.abs(x[1:] + 1j * x[:-1]), X),
    "single precision": (conjugates, Z.astype(np.complex64)),
    "two dimensions": (lambda z: (z.reshape(3, 4).T[1:] ** 2 * [1, 1j, 2]), Z),
    "a constant matrix": (lambda z: (np.eye(12) + 1j * np.eye(12, k=2)) @ z * z, Z),
    "few rows": (lambda z: np.array([z[:6].sum(), (z[6:] ** 2).sum()]), Z),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_what_the_dense_one_is(name):
    f, x = CASES[name]
    derivative = ng.sparse_jacobian(f)
    pattern = ng.jacobian_sparsity(f, x).toarray()
    for scale in (1.0, 0.7):
        found, expected = derivative(x * x.dtype.type(scale)), ng.jacobian(f)(x * x.dtype.type(scale))
        assert found.data.dtype == expected.dtype
        eps = np.finfo(expected.dtype).eps
        dense = expected.reshape(pattern.shape)
        np.testing.assert_allclose(found.toarray(), dense, rtol=1e2 * eps, atol=1e2 * eps)
        assert not dense[~pattern].any()


@pytest.mark.parametrize("f", [waves, lambda z: np.exp(z[1:]) * z[:-1], lambda z: (z.reshape(3, 4) ** 2).sum(axis=0)])
def test_holomorphic(f):
    derivative = ng.sparse_jacobian(f, holomorphic=True)
    for z in (Z, Z * 1j + 0.1):
        found = derivative(z)
        h = 1e-5
        units = np.eye(len(z))
        differences = np.stack([(f(z + h * u) - f(z - h * u)) / (2 * h) for u in units], axis=-1)
        turned = np.stack([(f(z + 1j * h * u) - f(z - 1j * h * u)) / (2j * h) for u in units], axis=-1)
        np.testing.assert_allclose(found.toarray(), differences, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(found.toarray(), turned, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(found @ z, differences @ z, rtol=1e-8)


def test_what_is_not_holomorphic_is_refused():
    for f in (conjugates, parts, lambda z: z.real + 0j):
        with pytest.raises(ValueError, match="conjugate of its argument"):
            ng.sparse_jacobian(f, holomorphic=True)(Z)
    for f, x in ((lambda z: np.abs(z), Z), (lambda x: x * 1j, X), (np.sin, X)):
        with pytest.raises(TypeError, match="complex values of complex arguments"):
            ng.sparse_jacobian(f, holomorphic=True)(x)


def test_real_and_complex_arguments_side_by_side():
    def f(x, z):
        return {"a": x[1:] * z[:-1], "b": np.abs(z) * x}

    by_x, by_z = ng.sparse_jacobian(f, (0, 1))(X, Z)
    expected = ng.jacobian(f, (0, 1))(X, Z)
    assert by_x.data.dtype == float and by_z.data.dtype == complex
    for place, matrix in enumerate((by_x, by_z)):
        dense = np.concatenate([expected["a"][place], expected["b"][place]])
        np.testing.assert_allclose(matrix.toarray(), dense, rtol=1e-14, atol=1e-14)


def test_a_custom_gradient_has_no_forward_mode():
    @ng.custom_gradient
    def doubled(z):
        return 2 * z, lambda ct: 2 * ct

    f = lambda z: doubled(z[:1]) * z
    np.testing.assert_allclose(ng.sparse_jacobian(f)(Z).toarray(), ng.jacobian(f)(Z), rtol=1e-14)


def test_an_outer_tape_follows_the_data():
    def size(make):
        return lambda x: np.sum(np.abs(make(x + 1j * x[::-1])) ** 2)

    sparse = ng.sparse_jacobian(waves)
    dense = ng.jacobian(waves)
    one, other = (ng.grad(size(make))(X) for make in (lambda z: sparse(z).data, dense))
    np.testing.assert_allclose(one, other, rtol=1e-12)


def test_one_argument_twice():
    f = lambda x, y: x[1:] * y + x[:-1] ** 2
    y = np.float64(2.0)
    found = ng.sparse_jacobian(f, (0, 1, 0))(X, y)
    expected = ng.jacobian(f, (0, 1))(X, y)
    for matrix, dense in zip(found, (expected[0], expected[1][:, None], expected[0]), strict=True):
        np.testing.assert_allclose(matrix.toarray(), dense, rtol=1e-14)


def test_spsolve_takes_it():
    linalg = pytest.importorskip("scipy.sparse.linalg")
    matrix = ng.sparse_jacobian(lambda z: z**3 + np.roll(z, 1) * 0.1, holomorphic=True)(Z)
    solution = linalg.spsolve(matrix.to_scipy().tocsc(), Z)
    np.testing.assert_allclose(matrix.toarray() @ solution, Z, rtol=1e-10)
