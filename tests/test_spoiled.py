"""What functions that are not recorded leave behind besides their result: who needs its derivative is told, nobody else."""

from __future__ import annotations

import numpy as np
import pytest

import npgrad as ng

X = np.array([1.0, 2.0, 3.0])


class Model:
    def __init__(self):
        self.last, self.work, self.kept = None, np.zeros(3), []


def written(model, x):
    model.work[:] = x
    return model.work * 2


def in_place(model, x):
    model.work *= 0
    model.work += x
    return model.work * 2


def out(model, x):
    return np.multiply(x, 1.0, out=model.work) * 2


def attribute(model, x):
    model.last = x * 1
    return x * 2


def listed(model, x):
    model.kept.append(x)
    return x * 2


def left(model):
    """What has been left: x, by whichever of these."""
    return model.last if model.last is not None else model.kept[-1] if model.kept else model.work


def declared(f):
    made = ng.extend.differentiable(f)
    ng.extend.vjp(made, "x")(lambda ct: 2 * ct)
    ng.extend.jvp(made, "x")(lambda tangent: 2 * tangent)
    return made


UNSEEN = {
    "custom_gradient": lambda f: ng.custom_gradient(lambda x: (f(x), lambda ct: 2 * ct)),
    "differentiable": declared,
    "black_box": ng.black_box,
}
AGAIN = {
    "checkpoint": ng.checkpoint,
    "checkpoint_loop": lambda f: lambda x: ng.checkpoint_loop(lambda u, i: f(u), x, 1, 1),
}
CASES = [(w, f) for w in UNSEEN for f in (written, in_place, out)] + [(w, f) for w in AGAIN for f in (attribute, listed)]


@pytest.mark.parametrize(("wrapper", "leave"), CASES)
def test_who_uses_what_was_left_is_told(wrapper, leave):
    def f(x):
        model = Model()
        y = (UNSEEN | AGAIN)[wrapper](lambda x: leave(model, x))(x)
        return y * left(model)

    with pytest.raises(ng.LeakError, match="is not recorded, and has left data in an array"):
        ng.jacobian(f, mode="reverse")(X)
    if wrapper != "custom_gradient":
        assert not np.isfinite(ng.jacobian(f, mode="forward")(X)).any()


@pytest.mark.parametrize(("wrapper", "leave"), CASES)
def test_what_is_left_and_not_used_does_not_matter(wrapper, leave):
    def f(x):
        model = Model()
        call = (UNSEEN | AGAIN)[wrapper](lambda x: leave(model, x))
        for _ in range(2):
            x = call(x)
        made = left(model)
        if made.flags.writeable:
            made[:] = x
            return made * x
        return x * x

    modes = ["reverse"] if wrapper == "custom_gradient" else ["reverse", "forward"]
    for mode in modes:
        np.testing.assert_allclose(ng.jacobian(f, mode=mode)(X), np.diag(32 * X), 1e-6)
    np.testing.assert_allclose(ng.sparse_jacobian(f)(X).toarray(), np.diag(32 * X), 1e-6)


def test_memory_to_work_in_that_is_given_again():
    scaled = ng.custom_gradient(lambda x, work: (np.multiply(x, 2.0, out=work) * 1, lambda ct: (2 * ct, None)))
    reads = ng.custom_gradient(lambda x, work: (x * work, lambda ct: (work * ct, x * ct)))

    def f(x, last=scaled):
        work = np.zeros(3)
        return last(scaled(scaled(x, work), work), work).sum()

    np.testing.assert_allclose(ng.grad(f)(X), [8, 8, 8])
    with pytest.raises(ng.LeakError, match="has left data"):
        ng.grad(lambda x: f(x, reads))(X)


@pytest.mark.parametrize(
    "write",
    [
        lambda w, x: w.__imul__(x),
        lambda w, x: w.__setitem__(0, x[0]),
        lambda w, x: np.copyto(w, x),
        lambda w, x: np.add.at(w, [0], x[0]),
        lambda w, x: np.add(w, x, out=w),
    ],
)
def test_memory_that_gets_other_data_as_well(write):
    with ng.GradientTape() as tape:
        x, work = tape.watch(X), np.ones(3)
        ng.black_box(lambda x: np.multiply(x, 2.0, out=work) * 1)(x)
        write(work, x)
        with pytest.raises(ng.LeakError, match="not among its arguments"):
            ng.black_box(lambda x: x + work)(x)


def test_memory_to_work_in_that_is_read_afterwards():
    def f(x):
        work = np.zeros(3)
        y = ng.custom_gradient(lambda x, work: (np.multiply(x, 2.0, out=work), lambda ct: (2 * ct, None)))(x, work)
        return (y * work).sum()

    with pytest.raises(ng.LeakError, match="has left data"):
        ng.grad(f)(X)
