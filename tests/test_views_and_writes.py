"""In-place programs on aliased arrays: the value to the last bit, Jacobians in both modes and second derivatives."""

import re
from builtins import type
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from agreement import check_program
from samples import all_samples

import npgrad as ng
from npgrad.testing import check_gradients

V = np.array([0.7, 1.3, 0.4, 1.1, 0.9])
M = np.array([[0.7, 1.3, 0.4], [1.1, 0.9, 1.6], [0.5, 1.2, 0.8]])
T = np.linspace(0.4, 1.7, 12).reshape(2, 3, 2)

PROGRAMS: list[tuple[Callable, np.ndarray]] = []


def program(point: np.ndarray) -> Callable:
    def add(function: Callable) -> Callable:
        PROGRAMS.append((function, point))
        return function

    return add


# --- Views of views --------------------------------------------------------------------------------------------------


@program(V)
def view_of_view(x: Any) -> Any:
    a = x[1:]
    b = a[::-2]
    b *= x[0]
    a[0] = b[1] * b[0]
    return x * x


@program(M)
def transpose_written(x: Any) -> Any:
    t = x.T
    t[0] *= t[1]
    x[0] += t[2]
    return t * x


@program(T)
def axes_permuted(x: Any) -> Any:
    t = x.transpose(2, 0, 1)
    t[1, :, ::2] *= x[:, 1:, 0]
    s = t.swapaxes(0, 2)[1:]
    s[0] = s[1] ** 2
    return x * x[::-1]


@program(M)
def reshape_view_written(x: Any) -> Any:
    flat = x.reshape(-1)
    flat[2:7] *= flat[:5]
    x[1] += flat[6:]
    return x**2


@program(M)
def reshape_copy_not_written(x: Any) -> Any:
    copy = x.T.reshape(-1)
    copy *= 3.0
    return copy * x.reshape(-1)


@program(M)
def ravel_orders(x: Any) -> Any:
    f = x.T.ravel("F")  # a view
    f[0] = f[4] * f[5]
    k = x.T.ravel("K")
    k[1] *= 2
    c = x.ravel("F")  # a copy
    c *= 5
    return x * x[0, 0] + c.reshape(3, 3)


@program(M)
def column_of_fortran_copy(x: Any) -> Any:
    f = x.copy(order="F")
    column = f[:, 1]
    column *= f[:, 0]
    f.T[2] -= column
    return f * f


@program(M)
def diagonal_read(x: Any) -> Any:
    d = x.diagonal()
    x[0, 0] *= x[1, 1]
    return d * d + x.diagonal(1).sum()


@program(M)
def newaxis_and_squeeze(x: Any) -> Any:
    column = x[:, None, 1]
    column *= 2
    row = np.expand_dims(x, 0)
    row[0, 2] = x[0] * x[2]
    return np.squeeze(row) * x


@program(V)
def reversed_overlap(x: Any) -> Any:
    x[:] = x[::-1]
    x *= x[::-1]
    return x


@program(M)
def moved_axes(x: Any) -> Any:
    view = np.moveaxis(x[None], 0, -1)[..., 0]
    view[0] *= view[1]
    other = np.rot90(x)
    y = other * x
    x[2] = 0
    return y + x + np.flip(x, 0)


@program(M)
def splits_are_views(x: Any) -> Any:
    top, middle, bottom = x[:1], x[1:2], x[2:]
    top *= middle
    bottom -= top
    left, right = np.hsplit(x, [1])
    right *= left
    return x * x


@program(V)
def shape_set(x: Any) -> Any:
    y = x * x
    y.shape = (5, 1)
    y[1:, 0] *= x[:-1]
    y.shape = (1, 5)
    return y * y.T


@program(V)
def base_is_the_whole(x: Any) -> Any:
    view = x[1:3]
    view *= 2.0
    whole = x * 1.0
    part = whole[::2]
    part.base[0] = part[1] * 3.0
    return whole * x


# --- Overwritten values that were needed -----------------------------------------------------------------------------


@program(V)
def square_in_place(x: Any) -> Any:
    x *= x
    x *= x
    return x


@program(V)
def saved_then_overwritten(x: Any) -> Any:
    y = np.exp(x)
    z = y * x
    y[1:] = x[:-1]
    x[0] = 7.0
    y *= z
    return y + x


@program(M)
def rows_saved_one_by_one(x: Any) -> Any:
    y = np.ones((3, 3))
    for i in range(3):
        y[i] *= x[i]
        for j in range(i):
            y[i] *= y[j]
    return y


@program(M)
def view_saved_whole_written(x: Any) -> Any:
    row = x[1]
    p = row * row[::-1]
    x *= 2.0
    q = row * p
    x.fill(1.0)
    return p * q + x[0]


@program(V)
def written_by_constant(x: Any) -> Any:
    y = x * 2
    y[1] = 3.0
    y[2:4] = 0.5
    return y * y


@program(V)
def divides_itself(x: Any) -> Any:
    x /= x[::-1]
    x **= 2
    x -= x.mean()
    return x


@program(V)
def remainder_in_place(x: Any) -> Any:
    y = x * 2.0
    y %= 0.75
    z = y.copy()
    y //= 0.2
    x *= z
    return y + x


# --- Overlapping reads and writes ------------------------------------------------------------------------------------


@program(V)
def shifted_sum(u: Any) -> Any:
    u[1:] += u[:-1]
    return u


@program(V)
def shifted_product_backwards(u: Any) -> Any:
    u[:-1] *= u[1:]
    u[1:] = u[:-1]
    return u


@program(V)
def smoothing(u: Any) -> Any:
    for _ in range(3):
        u[1:-1] = u[1:-1] + 0.1 * u[1:-1] * (u[2:] - 2 * u[1:-1] + u[:-2])
    return u


@program(V)
def chained(u: Any) -> Any:
    a = b = np.zeros(5)
    a[:] = c = u * u
    b += c
    c += a
    return a * c


@program(M)
def swapped_rows(a: Any) -> Any:
    a[[0, 1]] = a[[1, 0]]
    a[:, [0, 2]] = a[:, [2, 0]]
    a[0] *= a[1]
    return a


@program(V)
def tuple_swap(x: Any) -> Any:
    x[0], x[1] = x[1] * 2, x[0] * x[1]
    x[[2, 3]], x[4] = x[[3, 2]], x[2]
    return x * x


@program(V)
def mask_reads_what_it_writes(x: Any) -> Any:
    # NumPy makes no copy here: later elements read what earlier ones have written.
    x[np.array([True, True, True, True, False])] = x[:0:-1]
    return x * x


@program(V)
def mask_moves_a_block(x: Any) -> Any:
    x[np.array([False, True, True, True, False])] = x[:3]
    return x * x


@program(M)
def flat_reads_what_it_writes(x: Any) -> Any:
    x.flat[1:7] = x.reshape(-1)[6:0:-1]
    x.flat[[0, 8]] = x[1, ::2]
    return x * x


# --- Advanced indices ------------------------------------------------------------------------------------------------


@program(V)
def duplicated_indices_last_wins(x: Any) -> Any:
    y = np.zeros(4)
    y[[0, 0, 2, 0]] = x[:4]
    y[[1, 1]] += x[2:4]
    return y * y


@program(V)
def read_duplicates(x: Any) -> Any:
    return x[[0, 0, 3]] * x[[-1, 0, 2]]


@program(M)
def separated_indices(x: Any) -> Any:
    y = np.zeros((2, 3, 2))
    y[0, :, [1, 0]] = x[:2] * x[1:]
    y[[1, 1], 2:, [0, 1]] = x[1, 1]
    return y[:, [0, 2], :] * y[[[0]], :2, [0, 1]].sum()


@program(M)
def broadcast_indices(x: Any) -> Any:
    y = x[[[0], [2]], [0, 1]]
    x[np.ix_([0, 1], [2, 0])] *= y
    return x * x


@program(M)
def masks(x: Any) -> Any:
    mask = x > 0.85
    x[mask] *= x[mask]
    x[mask[0]] += x[~mask[0]][0]
    x[:, [True, False, True]] = x[:, [0, 0]]
    return x * x


@program(M)
def mask_with_none_chosen(x: Any) -> Any:
    x[x > 9] = x[0, 0]
    x[[]] = 3.0
    return x * x[x > 9].sum() + x


@program(V)
def zero_dimensional_keys(x: Any) -> Any:
    i = np.array(2)
    x[i] = x[i - 1] * x[()][0]
    x[np.True_] *= 2.0
    return x * x[np.int8(4)]


# --- Writing functions -----------------------------------------------------------------------------------------------


@program(M)
def fill_with_traced(x: Any) -> Any:
    x[1:].fill(x[0, 0] * x[2, 2])
    return x * x


@program(M)
def flat_writes(x: Any) -> Any:
    x.flat[1] = x.flat[0] * 2
    x.T.flat[[3, 5]] = x[2, :2]
    y = np.zeros((2, 2))
    y.flat = x[0, :2]
    return x * x * y.sum()


@program(M)
def sorted_in_place(x: Any) -> Any:
    x.sort(axis=0)
    x[0] *= 2
    x.sort()
    return x * x[0, 0]


@program(V)
def partitioned_in_place(x: Any) -> Any:
    x.partition(2)
    return x[:2].sum() * x[2] + x[2] * x[3:].sum() ** 2


@program(V)
def put_and_kin(x: Any) -> Any:
    y = x * x
    np.put(y, [0, -1, 0], x[1:3])
    y.put([1, 7], x[0], mode="wrap")
    np.putmask(y, [0, 0, 1, 1, 0], x * 3)
    np.place(y, np.array([1, 0, 0, 0, 1], bool), x[3:4])
    return y * y


@program(M)
def copyto_and_kin(x: Any) -> Any:
    y = np.zeros((3, 3))
    np.copyto(y, x[0])
    np.copyto(y, x * 2, where=[[True], [False], [True]])
    np.put_along_axis(y, np.array([[0], [2], [1]]), x[:, :1], axis=1)
    np.fill_diagonal(y[:, ::-1], x[0])
    return y * y


@program(V)
def ufunc_at(x: Any) -> Any:
    y = np.ones(3)
    np.add.at(y, [0, 0, 2, 0], x[:4])
    np.multiply.at(y, [1, 1, 0], x[2:])
    np.subtract.at(y, slice(1, 3), y[:2])
    np.maximum.at(y, [0, 1], x[3:])
    return y * y


@program(V)
def at_on_itself(x: Any) -> Any:
    np.add.at(x, [0, 1, 1], x[2:])
    np.multiply.at(x, [0, 0, 1], x[:3])
    return x


@program(V)
def out_arguments(x: Any) -> Any:
    y = np.empty((2, 5))
    np.sin(x, out=y[0])
    np.multiply(y[0], x, y[1])
    np.add(y[0], y[1], out=y[0], where=np.array([1, 0, 1, 0, 1], bool))
    y.sum(axis=0, out=x)
    np.cumsum(x, out=x)
    np.dot(y, x, out=y[:, 0].copy())
    return x * y


@program(M)
def out_is_an_input(x: Any) -> Any:
    np.multiply(x, x.T, out=x)
    np.subtract(x[1:], x[:-1], out=x[1:])
    np.negative(x, out=x)
    return x * x


@program(M)
def matmul_out(x: Any) -> Any:
    y = np.zeros((3, 3))
    np.matmul(x, x.T, out=y)
    y @= x
    return y


@program(M)
def broadcasting_writes(x: Any) -> Any:
    y = np.ones((2, 3, 3))
    y *= x
    y[:, 0] = x[:, 0][None]
    y[..., 1] = x[0, 0]
    y[:, :, 2:] += x[1][:, None]
    return y


@program(M)
def broadcast_of_something_written_later(x: Any) -> Any:
    b = np.broadcast_to(x[0], (3, 3))
    y = b * x
    x[0] *= 3.0
    return y + b * x


@program(V)
def repeated_broadcast_gathered(x: Any) -> Any:
    b = np.broadcast_to(x, (3, 5))
    return b[np.arange(15).reshape(3, 5) % 2 == 0] * b[[0, 1, 2] * 4 + [0], [0, 1, 2] * 4 + [1]].sum()


@program(V)
def loop_with_branches(x: Any) -> Any:
    y = np.zeros_like(x)
    total = 0.0
    for i, value in enumerate(x):
        if value > 0.8:
            y[i] = value * total
        elif i:
            y[i] = y[i - 1] + value
        total += value
    return y


@program(V)
def elements_are_copies(x: Any) -> Any:
    t = x[0]
    x[0] = 5.0
    s = x[1]
    s += 1.0
    return np.array([t * s, x[1] * t, x[0]])


@program(V)
def nested_lists(x: Any) -> Any:
    rows = [[x[i] * x[j] for j in range(3)] for i in range(2)]
    y = np.array(rows)
    y[0] = [x[4], 2.0, x[3] ** 2]
    return y


@program(V)
def real_of_real(x: Any) -> Any:
    x.real[1] = x[0] * 2
    x.real = x[::-1].copy()
    return x * x.conj() + x.imag


@program(V)
def complex_parts(x: Any) -> Any:
    z = np.zeros(5, complex)
    z.real = x
    z.imag[1:] = x[:-1] ** 2
    z *= 1j + x[0]
    parts = z.view(float)
    parts[2:4] *= x[1:3]
    w = z[::2].conj()
    z.imag = z.real
    return np.concatenate([z.real * z.imag, w.real, w.imag])


@program(V)
def viewed_as_complex(x: Any) -> Any:
    z = x[:4].view(complex)
    z *= 2 + 1j
    z[1] = z[0].real
    return x * x


@program(V)
def object_containers(x: Any) -> Any:
    state = {"u": x * 1.0, "history": []}
    for _ in range(2):
        state["u"][1:] *= state["u"][:-1]
        state["history"].append(state["u"].copy())
        state["u"] = state["u"] + 0.1
    return np.stack(state["history"]) * state["u"]


# NumPy 2.5 would have `reshape` instead; older programs do not.
@pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning")
# --- Found by random programs (tests/fuzz) ----------------------------------------------------------------------------


@program(V)
def row_over_itself_with_other_steps(x: Any) -> Any:
    """NumPy makes no copy here: later elements read what earlier ones have written."""
    x[::2] = x[:3]
    y = x * x
    y[3::-1] = y[1:]
    return x * y


@program(V)
def ravel_of_steps_is_a_copy(x: Any) -> Any:
    a = x[::-1]
    a.ravel()[:2] = 7.0
    a.reshape(-1)[1] *= x[0]
    return a * x


@program(V)
def flat_from_its_own_reverse(x: Any) -> Any:
    y = x * 2
    y.flat = y[::-1]
    x.flat[1:] = x
    return y + x


@program(V)
def numbers_in_no_dimension(x: Any) -> Any:
    a = np.empty(())
    a[...] = x[0]
    a -= a * a
    b = np.full((), a * x[1], order="F")
    out = np.empty(())
    np.min(x, out=out)
    return abs(b) + b * a + out * -out


@program(V)
def results_over_their_own_argument(x: Any) -> Any:
    whole = np.empty(5)
    np.modf(x * 3, out=(x, whole))
    y = x + 0.3
    np.divmod(y, 0.7, whole, y)
    return x * y


@program(M)
def real_results_in_complex_arrays(x: Any) -> Any:
    z = x * (1 + 2j)
    np.absolute(z[0], out=z[1])
    return np.concatenate([z.real, z.imag])


@program(M)
def values_with_more_dimensions(x: Any) -> Any:
    x[0, :1] = x[None, None, 1, 2:]
    x[2] = (x * x)[None, :1, :].reshape(1, 1, 3)
    return x * x[::-1]


@pytest.mark.parametrize(("function", "point"), PROGRAMS, ids=lambda v: getattr(v, "__name__", ""))
def test_program(function: Callable, point: np.ndarray) -> None:
    check_program(function, point, second=True)


# --- Other dtypes ----------------------------------------------------------------------------------------------------


def test_writes_cast_to_the_dtype_of_the_destination() -> None:
    x0 = np.array([0.1, 0.7, 1.9])
    for dtype in ("f4", "f2", "c16", "c8", "g"):
        with ng.GradientTape() as tape:
            x = tape.watch(x0)
            y = np.zeros(3, dtype)
            y[:] = x
            y[1] *= 2
            y += x.astype("f2")[::-1]
            z = y.real.astype(float).sum()
        plain = np.zeros(3, dtype)
        plain[:] = x0
        plain[1] *= 2
        plain += x0.astype("f2")[::-1]
        assert y.dtype == plain.dtype
        assert np.array_equal(y, plain)
        gradient = tape.gradient(z, x)
        assert gradient.dtype == np.float64
        np.testing.assert_allclose(gradient, [2.0, 3.0, 2.0], rtol=1e-6)


def test_integer_destination_is_piecewise_constant() -> None:
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([1.7, 2.2]))
        n = np.zeros(2, int)
        n[0] = int(x[0])
        y = x * n[0]
    np.testing.assert_array_equal(tape.gradient(y, x), [1.0, 1.0])


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("part", [np.s_[::2, 1:], np.s_[::-1, ::-1], np.s_[1], np.s_[:, 2], np.s_[..., None, 0]])
def test_watched_view(order: str, part: Any) -> None:
    """A watched part of a traced array: the gradient is that of the part."""
    whole = ng.array(np.arange(12.0).reshape(3, 4, order=order) / 7)
    plain = np.array(whole)
    with ng.GradientTape() as tape:
        view = tape.watch(whole[part])
        y = view * view
        y *= 3
    np.testing.assert_allclose(tape.gradient(y, view), 6 * plain[part], rtol=1e-15)


@pytest.mark.skipif(not hasattr(np.ndarray, "_set_shape"), reason="a method since NumPy 2.5")
def test_shape_by_method() -> None:
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([1.0, 2.0, 3.0, 4.0]))
        y = x * x
        y._set_shape((2, 2))
        total = (y @ y)[0, 1]  # y00 y01 + y01 y11
    assert tape.gradient(total, x).tolist() == [2 * 4.0, 4 * (1.0 + 16.0), 0.0, 8 * 4.0]


def test_an_update_of_a_view_is_one_entry():
    """``u[1:] += v`` ends with a write of the part to itself, which changes nothing."""
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(np.array([1.0, 2.0, 3.0]))
        u = x * 2.0
        before = len(tape._record.entries)
        u[1:] += x[:-1]
        u[0:1][...] += x[2:]
        assert len(tape._record.entries) == before + 2
        u[1:] = u[:-1]
        assert len(tape._record.entries) == before + 3
    assert u.tolist() == [5.0, 5.0, 5.0]
    for mode in ("forward", "reverse"):
        assert tape.jacobian(u, x, mode=mode).tolist() == [[2.0, 0.0, 1.0], [2.0, 0.0, 1.0], [1.0, 2.0, 0.0]]


@pytest.mark.parametrize("name", ["conj", "conjugate"])
def test_the_conjugate_of_a_real_array_is_the_array(name: str) -> None:
    def program(x: Any) -> Any:
        y = x * 2.0
        z = getattr(y, name)()
        z[0] = x[1] ** 2
        return y

    x = np.array([1.0, 3.0])
    assert np.array_equal(program(x), [9.0, 6.0])
    value, rows = ng.value_and_jacobian(program)(x)
    assert np.array_equal(value, program(x)) and np.array_equal(rows, [[0.0, 6.0], [0.0, 2.0]])
    z = np.array([1 + 2j, 3 - 1j])
    with ng.GradientTape() as tape:
        source = tape.watch(z)
        made = getattr(source, name)()
    assert made is not source and np.array_equal(made, getattr(z, name)())


def _views_of_arguments() -> list:
    """Samples whose result looks at the memory of their first argument."""
    found = []
    for sample in all_samples():
        points = sample.points
        if not points or sample.call is not sample.function:
            continue
        parts = sample(*points)
        parts = [p for p in (parts if isinstance(parts, (tuple, list)) else [parts]) if type(p) is np.ndarray and p.size]
        if parts and all(np.may_share_memory(p, points[0]) and p.dtype == points[0].dtype for p in parts):
            found.append(sample)
    return found


@pytest.mark.parametrize("tracked", [True, False])
@pytest.mark.parametrize("sample", _views_of_arguments(), ids=repr)
def test_a_view_by_a_function_is_a_view(sample: Any, tracked: bool) -> None:
    """Also of an array that no derivative depends on yet: what is written through either is seen through the other."""
    points = sample.points
    plain = sample(*points)
    with ng.GradientTape() as tape:
        given = [tape.watch(p) if tracked else np.array(p) for p in points]
        found = sample(*given)
    many = isinstance(plain, (tuple, list))
    for a, b in zip(found if many else [found], plain if many else [plain], strict=True):
        assert np.may_share_memory(a._bare, given[0]._bare)
        assert a._storage is given[0]._storage
        assert a.strides == b.strides


@pytest.mark.parametrize("part", [np.real, np.imag])
def test_parts_written_by_mask_or_flat_over_what_they_look_at(part: Any) -> None:
    """Nothing is read after it was written, so it is as if the value were a copy; where it is read, it is refused."""

    def by_mask(z: Any) -> Any:
        z = z * 1
        part(z)[np.array([True, False, True])] = z.imag[::2]
        return z

    def by_flat(z: Any) -> Any:
        z = z * 1
        z.flat = part(z)
        return z

    z, t, step = np.array([1 + 2j, 0, 0.3 + 0.7j]), np.array([0.5 + 1j, 2 - 1j, 1j]), 1e-3
    for f in (by_mask, by_flat):
        value, moved = ng.jvp(f, (z,), (t,))
        np.testing.assert_array_equal(value, f(z))
        np.testing.assert_allclose(moved, (f(z + step * t) - f(z - step * t)) / (2 * step), rtol=1e-10)

    def read_late(z: Any) -> Any:
        z = z * 1
        z[np.array([True, True, False])] = z.view(float)[:2]
        return z

    with pytest.raises(ng.NoRuleError, match="reads the memory that it writes"):
        ng.jvp(read_late, (np.zeros(3, complex),), (t,))


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
def test_a_masked_destination_that_an_argument_looks_at_loses_imaginary_parts() -> None:
    """NumPy copies it in the type that is computed in, and copies all of it back: also what where= leaves alone."""

    def overlapping(z: Any) -> Any:
        z = z * 1
        np.cos(z.view(float)[4:5], out=z, where=np.array([False, True, True]))
        return z

    def apart(z: Any) -> Any:
        y = z * 1
        np.cos(z.real, out=y, where=np.array([False, True, True]))
        return y

    z, t, step = np.array([1 + 0j, 0.2, 0.3 + 0.7j]), np.array([0.5 + 1j, 2 - 1j, 1j]), 1e-4
    for f in (overlapping, apart):
        value, moved = ng.jvp(f, (z,), (t,))
        np.testing.assert_array_equal(value, f(z))
        np.testing.assert_allclose(moved, (f(z + step * t) - f(z - step * t)) / (2 * step), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("part", ["real", "imag"])
def test_complex_numbers_written_over_their_own_parts(part: str) -> None:
    """Of them NumPy takes the real parts, with a warning: one by one, so that some are read after they were written."""

    def f(z: Any) -> Any:
        z = z * 1
        setattr(z[::2], part, z[:2])
        return z

    z, t, step = np.array([1 + 2j, 0, 0.3 + 0.7j, 2j]), np.array([0.5 + 1j, 2 - 1j, 1j, 3]), 1e-3
    with pytest.warns(np.exceptions.ComplexWarning):
        expected = f(z)
    with pytest.warns(np.exceptions.ComplexWarning) as seen:
        value, moved = ng.jvp(f, (z,), (t,))
    assert len(seen) == 1
    np.testing.assert_array_equal(value, expected)
    with pytest.warns(np.exceptions.ComplexWarning):
        slope = (f(z + step * t) - f(z - step * t)) / (2 * step)
    np.testing.assert_allclose(moved, slope, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("value", [np.ones(0), np.ones(1), np.ones((1, 1)), np.ones(2), [], [3.0]])
def test_an_element_of_flat_is_no_sequence(value: Any) -> None:
    for x in (np.ones((2, 2)), ng.array(np.ones((2, 2)))):
        with ng.GradientTape(), pytest.raises(ValueError, match="Error setting single item of array"):
            x.flat[0] = value


# --- Casts of what is written ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", ["putmask", "place", "put", "copyto"])
@pytest.mark.parametrize("target", [np.float64, np.float32])
@pytest.mark.parametrize(
    "value",
    [
        np.complex128(1 + 2j), np.array(1 + 2j), np.array([1 + 2j]), np.float64(3.0), np.array(3.0), np.array([3.0]),
        np.longdouble(2.0), np.array(2.0, "g"), np.float32(2.0), np.array(2.0, "f4"),
    ],
    ids=repr,
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
def test_numbers_and_arrays_without_axes_are_cast_as_by_numpy(write: str, target: type, value: Any) -> None:
    def written(value: Any) -> Any:
        made = np.zeros(3, target)
        places = {"put": ([1],), "copyto": ()}.get(write, ([True, False, True],))
        try:
            getattr(np, write)(made, *places, value)
        except TypeError as error:
            return str(error)
        return made

    with ng.GradientTape() as tape:
        found = written(tape.watch(value))
    np.testing.assert_array_equal(found, written(value))


def test_a_view_from_a_part_without_elements() -> None:
    def program(x: Any) -> Any:
        u = x * 2.0
        return np.lib.stride_tricks.as_strided(u[1:-1], (2,), (8,)) ** 2  # of two rows, none: it begins at the second

    check_gradients(program, np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    with ng.GradientTape() as tape:
        x = tape.watch(np.zeros(0))
        with pytest.raises(ng.NoRuleError, match="beyond the memory"):
            np.lib.stride_tricks.as_strided(x, (1,), (8,))


REAL_PARTS: dict[str, Callable] = {
    "flat": lambda x: x.real.flat.__setitem__(slice(1, None), x),
    "flat of a row": lambda x: x.view(float)[1:5].flat.__setitem__(slice(None), x),
    "reversed flat": lambda x: x.real[::-1].flat.__setitem__(slice(None), x),
    "all of flat": lambda x: setattr(x.view(float)[2:6], "flat", x[::-1]),
    "diagonal": lambda x: np.fill_diagonal(x.view(float)[2:6].reshape(2, 2), x),
    "mask": lambda x: x.real.__setitem__([True, False, True, True], x[:3]),
    "positions": lambda x: x.real.__setitem__([1, 2, 3], x[:3]),
    "slice": lambda x: x.real.__setitem__(slice(1, None), x[:3]),
    "copyto": lambda x: np.copyto(x.imag, x[::-1], casting="unsafe"),
    "put": lambda x: np.put(x.real, [1, 2, 3], x),
}  # fmt: skip


@pytest.mark.parametrize("name", REAL_PARTS)
@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
def test_complex_numbers_into_real_parts_of_themselves(name: str) -> None:
    """What NumPy casts on the way it may copy first: then nothing is read that was written before."""

    def program(x: Any) -> Any:
        x = x * 1.0
        REAL_PARTS[name](x)
        return x

    point, direction = np.array([-1.4 + 0.7j, -1.6 + 0.3j, -1.3 + 1.2j, 0.3 - 2j]), np.array([1j, 2 - 1j, 0.5, 1 + 1j])
    value, tangent = ng.jvp(program, (point,), (direction,))
    np.testing.assert_array_equal(value, program(point))
    slope = (program(point + 1e-6 * direction) - program(point - 1e-6 * direction)) / 2e-6
    np.testing.assert_allclose(tangent, slope, atol=1e-8)


MASKS = [[1, 0, 1], [True, False, True], [[1], [0]], 1, 0, "ab", np.array([1, 0, 1]), np.ones(3), [0.5, 0.0, 0.0]]


@pytest.mark.parametrize("mask", MASKS, ids=str)
@pytest.mark.parametrize(
    "write",
    [
        lambda b, x, mask: np.copyto(b, x, where=mask),
        lambda b, x, mask: np.putmask(b, mask, x),
        lambda b, x, mask: np.place(b, mask, x),
        lambda b, x, mask: np.add(b, x, out=b, where=mask),
        lambda b, x, mask: b.__setitem__(0, np.sum(x, where=mask)),
    ],
)
def test_masks_that_are_no_truth_values_are_taken_as_numpy_takes_them(write, mask) -> None:
    def program(x):
        b = np.zeros((2, 3))
        write(b, x, mask)
        return b

    x = np.array([1.0, 2.0, 4.0])
    try:
        expected = program(x)
    except (TypeError, ValueError) as error:
        with pytest.raises(type(error), match=re.escape(str(error))):
            ng.jacobian(program)(x)
        return
    found, jacobian = ng.value_and_jacobian(program)(x)
    np.testing.assert_array_equal(found, expected, strict=True)
    np.testing.assert_array_equal(jacobian, np.stack([program(e) for e in np.eye(3)], -1))  # it is linear


VIEWS = {
    "index": lambda x: x[:],
    "part of a part": lambda x: x[1:][1:],
    "reshape": lambda x: x.reshape(2, 2),
    "transpose": lambda x: x.reshape(2, 2).T[0],
    "ravel": lambda x: x.ravel(),
    "view": lambda x: x.view(),
    "flip": np.flip,
    "atleast_2d": np.atleast_2d,
    "diagonal": lambda x: np.diagonal(x.reshape(2, 2)),
    "broadcast": lambda x: np.broadcast_to(x, (2, 4)),
}


@pytest.mark.parametrize("look", VIEWS)
def test_a_program_that_asks_whether_it_has_a_view(look):
    def f(x):
        y = VIEWS[look](x)
        assert x.base is None and x.copy().base is None and (2 * x)[1:].base is not x
        z = 3 * x
        assert VIEWS[look](z).base is z
        y = y.copy() if y.base is x else y
        y *= 2
        return x.sum()

    x = np.array([1.0, 2.0, 3.0, 4.0])
    assert f(x) == 10.0
    value, gradient = ng.value_and_grad(f)(x)
    assert value == 10.0 and gradient.tolist() == [1.0] * 4
