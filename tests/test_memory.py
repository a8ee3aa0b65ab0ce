"""Arrays from before a tape that look at memory which belongs to no array of numbers: fields of structured arrays, integers
seen as numbers, buffers."""

from __future__ import annotations

import contextlib
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import npgrad as ng

X = np.array([1.0, 2.0, 3.0, 4.0])
FIELDS = np.dtype([("x", "f8"), ("m", "f8")])
MANY = np.dtype([("p", "f8", (3,)), ("id", "i8"), ("z", "c16"), ("w", ">f8")])


class Particles:
    """As programs hold them."""

    def __init__(self, n: int) -> None:
        self.data = np.zeros(n, FIELDS)
        self.pos, self.vel = (self.data[name] for name in FIELDS.names or ())


def by_fields() -> Any:
    px = np.zeros(4, FIELDS)["x"]

    def f(x: Any) -> Any:
        px[:] = x**2
        return px.sum()

    return f


def two_views_of_a_field() -> Any:
    rec = np.zeros(4, FIELDS)
    px, tail = rec["x"], rec["x"][1:]

    def f(x: Any) -> Any:
        px[:] = x**2
        tail[0] *= 5.0
        return (px * px).sum() + tail.sum()

    return f


def a_field_and_the_records() -> Any:
    rec = np.zeros(4, FIELDS)
    px = rec["x"]

    def f(x: Any) -> Any:
        px[:] = x**2
        rec["m"] = 2.0 * x
        rec["x"][1:] += rec["m"][:-1]
        rec[1:]["m"] *= 3.0
        rec["x"].flat[0] = x[3]
        return (px * rec["m"]).sum() + rec.view(float).reshape(4, 2)[:, 1].sum()

    return f


def records_of_constants() -> Any:
    rec = np.zeros(4, FIELDS)
    px = rec["x"]

    def f(x: Any) -> Any:
        px[:], rec["m"] = 1.0, 2.0
        y = (x * rec["m"] * px).sum() + (x * rec["m"]).sum()
        rec[0] = (5.0, 7.0)
        rec[1] = rec[0]
        for one in rec:
            y = y + one["m"] * x[0]
            one["m"] = 9.0
        px[2:] = 0.0
        return y + rec.copy()["m"].sum() * np.sort(rec, order="m")["x"].sum() * x[1]

    return f


def an_object_of_the_users() -> Any:
    def f(x: Any) -> Any:
        particles.pos[:] = x**2
        particles.vel[:] = particles.pos * x
        particles.data["x"][0] = x[3]
        return particles.vel.sum() + particles.pos[0] ** 2

    particles = Particles(4)
    return f


def a_record_array() -> Any:
    px = np.rec.array(np.zeros(4, FIELDS)).x

    def f(x: Any) -> Any:
        px[:] = x**2
        return px.sum()

    return f


def integers_seen_as_numbers() -> Any:
    odd, overlapping = (lambda raw: (raw.view(float)[::2], raw.view(float)[1:5]))(np.zeros(8, np.int64))

    def f(x: Any) -> Any:
        odd[:] = x**2
        overlapping[0] = 0.0
        return odd.sum() + (overlapping**2).sum()

    return f


def a_buffer() -> Any:
    memory = bytearray(64)
    odd, whole = np.frombuffer(memory)[::2], np.frombuffer(memory)

    def f(x: Any) -> Any:
        odd[:] = x**2
        return (whole * whole).sum()

    return f


def fields_of_many_types() -> Any:
    rec = np.zeros(4, MANY)
    p, number, z, w = (rec[name] for name in MANY.names or ())

    def f(x: Any) -> Any:
        number[:] = 3
        p[:, 1] = x**2
        z[:] = x * (1 + 2j)
        w[:] = 3 * x
        return (p.sum(1) * rec["id"]).sum() + (z * z).imag.sum() + (rec["w"] * w).sum()

    return f


def what_may_only_be_read() -> Any:
    rec = np.zeros(4, FIELDS)
    px, seen = rec["x"], rec["x"][:]
    seen.flags.writeable = False

    def f(x: Any) -> Any:
        px[:] = x**2
        return seen.sum()

    return f


def an_owner_in_another_order() -> Any:
    a = np.zeros((2, 2, 3)).transpose(1, 0, 2).copy("K")

    def f(x: Any) -> Any:
        a[1, 1] = x[:3]
        return (a**2).sum()

    assert not a.flags.forc and a.base is None
    return f


FOLLOWED: list[Callable[[], Any]] = [
    by_fields, two_views_of_a_field, a_field_and_the_records, records_of_constants, an_object_of_the_users, a_record_array,
    integers_seen_as_numbers, a_buffer, fields_of_many_types, what_may_only_be_read, an_owner_in_another_order,
]  # fmt: skip


@pytest.mark.parametrize("make", FOLLOWED)
def test_what_is_written_there_is_followed(make: Any) -> None:
    value, expected = make()(X), ng.finite_difference.jacobian(make())(X)
    f = ng.value_and_grad(make())
    for found, gradient in (f(X), ng.value_and_grad(make())(X)):
        assert found == value
        np.testing.assert_allclose(gradient, expected, rtol=1e-6)
    np.testing.assert_allclose(ng.jvp(make(), (X,), (np.ones(4),))[1], expected.sum(), rtol=1e-6)
    found, again = make(), ng.grad(found_function := make())(X)
    np.testing.assert_allclose(again, expected, rtol=1e-6)
    assert type(found(X)) is type(found_function(X)) is np.float64


@contextlib.contextmanager
def as_module(**names: Any) -> Iterator[Any]:
    module = types.ModuleType("particles")
    vars(module).update(names)
    yield module


def test_they_are_followed_with_instrument_on_a_tape_by_hand() -> None:
    rec = np.zeros(4, FIELDS)
    with as_module(rec=rec, px=rec["x"]) as module:
        with ng.instrument(module), ng.GradientTape() as tape:
            x = tape.watch(X)
            module.px[:] = x**2
            y = module.rec["x"].sum()
        np.testing.assert_array_equal(tape.gradient(y, x), 2 * X)
        np.testing.assert_array_equal(rec["x"], X**2)
        assert type(module.px) is type(module.rec) is np.ndarray


def records(use: Callable[[Any], Any]) -> Any:
    rec = np.zeros(4, FIELDS)
    px = rec["x"]

    def f(x: Any) -> Any:
        px[:] = x
        return use(rec)

    return f


def _copied_within(rec: Any) -> Any:
    rec[0] = rec[1]
    return rec["x"].sum()


def _written(rec: Any) -> Any:
    rec[0] = (3.0, 4.0)
    return rec["x"].sum()


def _kept(rec: Any) -> Any:
    one = rec[0]
    return one["x"]


WHOLE = {
    "copied within": _copied_within,
    "written": _written,
    "one": _kept,
    "copy": lambda rec: rec.copy()["x"].sum(),
    "iterated": lambda rec: sum(one["x"] for one in rec),
    "sorted": lambda rec: np.sort(rec, order="x")["x"].sum(),
    "asarray": lambda rec: np.asarray(rec)[:2].tolist()[0][0],
    "mask": lambda rec: rec[np.array([True, False, True, False])]["x"].sum(),
    "function": lambda rec: np.concatenate([rec, rec])["x"].sum(),
    "text": lambda rec: float(str(rec[0]).strip("(").split(",")[0]),
}


@pytest.mark.parametrize("name", WHOLE)
def test_whole_records_with_tracked_fields_are_refused(name: str) -> None:
    with pytest.raises(ng.LeakError, match=r"test_memory.py:\d+: whole records are (read|written).*field by field"):
        ng.grad(records(WHOLE[name]))(X)


def test_a_record_that_is_kept_hears_of_no_later_write() -> None:
    rec = np.zeros(4, FIELDS)

    def f(x: Any) -> Any:
        one = rec[0]
        rec["x"] = x
        return one["x"] * x[1]

    with pytest.raises(ng.LeakError, match=r"test_memory.py:\d+"):
        ng.grad(f)(X)


def test_what_looks_at_the_same_memory_in_another_way_lets_nothing_be_lost() -> None:
    raw = np.zeros(8, np.int64)
    numbers = raw.view(float)[::2]
    packed = np.zeros(4, [("id", "i4"), ("x", "f8")])
    beside = packed["x"]
    foreign = np.rec.array(np.zeros(4, FIELDS))
    field = foreign.x
    halves, wholes = (lambda raw: (raw.view("f4")[::2], raw.view("f8")))(np.zeros(8, np.uint64))

    def through_integers(x: Any) -> Any:
        numbers[:] = x
        return raw.view(float).sum()

    def across(x: Any) -> Any:
        beside[:] = x
        return packed["x"].sum()

    def through_records(x: Any) -> Any:
        field[:] = x
        return foreign.x.sum()

    def in_two_precisions(x: Any) -> Any:
        halves[:4] = x
        return wholes.sum()

    def an_argument(x: Any, rec: Any) -> Any:
        rec["x"][:] = x
        return rec["x"].sum()

    for f, others in [
        (through_integers, ()), (across, ()), (through_records, ()), (in_two_precisions, ()),
        (an_argument, (np.zeros(4, FIELDS),)),
    ]:  # fmt: skip
        g = ng.grad(f)
        for _ in range(2):  # the second time, nothing is searched for
            with pytest.raises(ng.LeakError, match=r"test_memory.py:\d+"):
                g(X, *others)


def test_an_array_of_another_class_is_found_again_by_the_next_call() -> None:
    class Vector(np.ndarray):
        pass

    u = np.zeros(4)
    seen = u.view(Vector)

    def f(x: Any) -> Any:
        u[:] = x
        return float(np.asarray(seen).sum()) * x[0]

    g = ng.grad(f)
    for _ in range(2):
        with pytest.raises(ng.LeakError, match="another class"):
            g(X)
