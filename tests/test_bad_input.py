"""What users give by mistake, and arrays of unusual make: the right answer or an error that says what to do."""

from builtins import type

import numpy as np
import pytest

import npgrad as ng
from npgrad._traced import SeenArray

X = np.array([1.0, 2.0, 3.0])


def cube(x):
    """Its gradient is 3 x**2; by writes, an alias and a reduction."""
    work = np.empty(x.shape, x.dtype)
    work[...] = x
    flat = work.reshape(-1)
    flat *= work.ravel() * x.ravel()
    return work.sum()


def in_fortran_order(x):
    return np.asfortranarray(x)


def backwards(x):
    return np.ascontiguousarray(x[..., ::-1])[..., ::-1]


def with_gaps(x):
    return np.repeat(x, 2, axis=-1)[..., ::2]


def transposed(x):
    return np.ascontiguousarray(x.T).T


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def byte_swapped(x):
    return x.astype(x.dtype.newbyteorder("S"))


def unaligned(x):
    memory = np.zeros(x.nbytes + 1, np.uint8)
    made = memory[1:].view(x.dtype).reshape(x.shape)
    made[...] = x
    return made


def broadcast(x):
    return np.broadcast_to(x, (2, *x.shape))


def field(x):
    records = np.zeros(x.shape, [("a", "i4"), ("u", x.dtype)])
    records["u"] = x
    return records["u"]


MAKES = [in_fortran_order, backwards, with_gaps, transposed, read_only, byte_swapped, unaligned, broadcast, field]
SHAPES = [(), (1,), (0,), (4,), (2, 3), (3, 0, 2), (1, 2, 1, 3)]


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("shape", SHAPES)
def test_arrays_of_any_make(make, shape):
    if make in (backwards, with_gaps) and not shape:
        shape = (2,)
    x = make(np.arange(1.0, 1.0 + np.prod(shape, dtype=int)).reshape(shape))
    before, flags = x.copy(), str(x.flags)
    value, gradient = ng.value_and_grad(cube)(x)
    assert value == (before**3).sum()
    np.testing.assert_array_equal(gradient, 3 * before**2)
    assert gradient.dtype == (x.dtype if shape else x.dtype.newbyteorder("="))  # as NumPy's scalars
    assert np.shape(gradient) == x.shape
    np.testing.assert_array_equal(x, before)
    assert str(x.flags) == flags
    size = x.size
    rows = ng.jacobian(lambda x: (x * x).ravel())(x)
    np.testing.assert_array_equal(rows.reshape(size, size), np.diag(2 * before.ravel()))


def test_0d_arrays_and_numbers_give_numbers():
    for x in (2.0, np.float64(2.0), np.array(2.0), np.float32(2.0)):
        gradient = ng.grad(lambda x: x**3)(x)
        assert gradient == 12.0
        assert isinstance(gradient, np.floating)
        assert gradient.dtype == getattr(x, "dtype", np.float64)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_data_that_is_not_finite_stays_where_it_is(bad):
    x = np.array([1.0, bad, 3.0])
    value, gradient = ng.value_and_grad(lambda x: (x * x)[[0, 2]].sum())(x)
    assert value == 10.0
    np.testing.assert_array_equal(gradient, [2.0, 0.0, 6.0])
    np.testing.assert_array_equal(ng.grad(lambda x: (x * x).sum())(x), 2 * x)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.ones((1, 2)).view(np.matrix), r"matrix.*np\.asarray"),
        (np.ma.array([1.0, 2.0], mask=[0, 1]), r"masked array.*filled"),
        (np.rec.array([(1.0,)], dtype=[("u", float)]), r"recarray.*np\.asarray"),
        (np.zeros(2, [("u", float)]), "fields one by one"),
        (np.array([1, 2]), r"int64.*astype\(float\)"),
        (np.array(["a", "b"]), "<U1"),
        (np.array([1.0, 2.0], dtype=object), "object"),
        (np.array([True, False]), r"bool.*astype\(float\)"),
        (np.array(["2020-01-01"], dtype="M8[D]"), "datetime64"),
        ("1.0", "a str"),
        (None, "a NoneType"),
        (7, r"int 7.*7\.0"),
    ],
)
def test_what_cannot_be_differentiated_by_is_refused_with_the_cure(x, words):
    with pytest.raises(TypeError, match=words):
        ng.grad(lambda x: 1.0)(x)
    with ng.GradientTape() as tape, pytest.raises(TypeError, match=words):
        tape.watch([X, x])


def test_a_refused_structure_is_not_half_watched():
    traced = ng.array(X)
    with ng.GradientTape() as tape:
        with pytest.raises(TypeError):
            tape.watch([traced, "text"])
        y = traced * 2
    assert tape.gradient(y, traced) is None


@pytest.mark.parametrize("source", ["x", object(), {1.0}, (1.0, "x"), len])
def test_sources_that_are_not_arrays(source):
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(X)
        y = x * x
    for derivative in (tape.gradient, tape.jacobian):
        with pytest.raises(TypeError, match="a source must be an array or a number, got"):
            derivative(y, source)
        with pytest.raises(TypeError, match="a target must be an array or a number, got"):
            derivative(source, x)


def test_plain_and_integer_sources_are_unconnected():
    with ng.GradientTape(persistent=True) as tape:
        y = tape.watch(X) * 2
    assert tape.gradient(y, [X.copy(), np.array([1, 2]), 3.0]) == [None, None, None]


def test_structured_arrays_beside_the_differentiated_ones_pass():
    records = np.zeros(3, [("name", "U3"), ("u", float)])
    records["u"] = X

    def program(x):
        return (x * records["u"]).sum()

    np.testing.assert_array_equal(ng.grad(program)(X), X)


def test_fixed_arguments_of_any_kind_pass():
    def program(x, *rest):
        assert [type(r) for r in rest] == [int, str, type(None), SeenArray, SeenArray, dict]
        return (x * rest[0]).sum() + x[rest[3]].sum()

    gradient = ng.grad(program)(X, 3, "text", None, np.array([0, 0]), np.array(["a"]), {"k": 1})
    np.testing.assert_array_equal(gradient, [5.0, 3.0, 3.0])


def test_errors_of_the_users_program_pass_as_they_are():
    for error in (IndexError, ZeroDivisionError, AttributeError, RecursionError):

        def program(x, error=error):
            raise error("the user's own words")

        with pytest.raises(error, match="the user's own words"):
            ng.grad(program)(X)
    with pytest.raises(IndexError, match="out of bounds"):
        ng.grad(lambda x: x[7])(X)
    with pytest.raises(ValueError, match="could not be broadcast"):
        ng.grad(lambda x: (x + np.ones(5)).sum())(X)


def test_floating_point_warnings_are_those_of_the_program_alone():
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        y, gradient = ng.value_and_grad(lambda x: np.log(x).sum())(np.array([0.0, 1.0]))
    assert y == -np.inf
    np.testing.assert_array_equal(gradient, [np.inf, 1.0])
    assert ng.grad(lambda x: np.sqrt(x))(0.0) == np.inf  # the sweep divides by zero in silence


@pytest.mark.parametrize("dtype", [">f8", "f4", "c8", "i8", "u1", "S8"])
def test_bits_of_a_traced_array_are_not_viewed_as_something_else(dtype):
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([1.0, 2.0]))
        with pytest.raises(ng.LeakError, match="bits of a traced array of float64"):
            x.view(dtype)


@pytest.mark.parametrize("swap", [False, True])
def test_complex_numbers_are_viewed_as_pairs_of_reals(swap):
    z = np.array([1 + 2j, 3 - 1j])
    z = z.astype(z.dtype.newbyteorder("S")) if swap else z

    def program(z):
        parts = z.copy().view(z.real.dtype)
        parts[1::2] *= 3.0
        return (parts**2).sum()

    np.testing.assert_array_equal(ng.grad(program)(z), 2 * z.real + 18j * z.imag)
