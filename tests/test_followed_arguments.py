"""What the public interface is given by a program that an outer tape follows stays followed, in each form in which NumPy
takes data: arrays, lists of numbers, objects that give arrays, sequences of the user's."""

from __future__ import annotations

import types
from builtins import type
from typing import Any

import numpy as np
import pytest

import npgrad as ng

X = np.array([1.0, 2.0, 3.0])


class Gives:
    def __init__(self, x: Any) -> None:
        self.x = x

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.x


class Items:
    def __init__(self, x: Any) -> None:
        self.x = x

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, position: int) -> Any:
        return self.x[position]


FORMS = [lambda x: x, list, lambda x: [x[0], x[1], x[2]], Gives, Items]


def by_tape(form):
    with ng.GradientTape() as tape:
        a = tape.watch(X)
        y = a**2
    return tape.gradient(y, a, output_gradients=form)


def by_accumulator(form):
    a = ng.array(X)
    with ng.ForwardAccumulator([a], [form]) as accumulator:
        y = a**2
    return accumulator.jvp(y)


def sparse(form):
    return ng.sparse_jacobian(lambda x: x**2)(X) @ form


# All give 2 X times what they are given.
USES = {
    "array": lambda form: 2 * X * ng.array(form),
    "array of single precision": lambda form: 2 * X * ng.array(form, dtype=np.float32),
    "output_gradients": by_tape,
    "accumulator": by_accumulator,
    "jvp": lambda form: ng.jvp(lambda a: a**2, (X,), (form,))[1],
    "vjp": lambda form: ng.vjp(lambda a: a**2, X)[1](form)[0],
    "hvp": lambda form: ng.hvp(lambda a: (a**3).sum() / 3, (X,), (form,))[0],
    "sparse product": sparse,
}
STRUCTURES = {"output_gradients", "accumulator", "jvp", "vjp", "hvp"}  # a list of theirs is a structure


@pytest.mark.parametrize("form", FORMS, ids=["array", "list", "list of items", "object", "sequence"])
@pytest.mark.parametrize("use", USES)
def test_what_is_given_in_any_form_is_followed(use, form):
    if use in STRUCTURES and form(X).__class__ is list:
        pytest.skip("a list is a structure here")
    np.testing.assert_allclose(ng.jacobian(lambda x: USES[use](form(x * x)))(X), np.diag(4 * X**2), 1e-6)
    np.testing.assert_allclose(ng.jacobian(lambda x: USES[use](form(x * x)), mode="forward")(X), np.diag(4 * X**2), 1e-6)


def test_a_traced_copy_is_another_array():
    def f(x):
        copy = ng.array(x)
        copy *= 3.0
        return copy * x

    np.testing.assert_allclose(ng.jacobian(f)(X), np.diag(6 * X))
    assert type(ng.array(X)) is ng.TracedArray and ng.array(2).dtype == float


@pytest.mark.parametrize(
    "hidden", [lambda x: types.SimpleNamespace(x=x), lambda x: iter([x]), lambda x: (v for v in [x]), Gives]
)
def test_stop_gradient_of_what_hides_arrays_is_refused(hidden):
    with ng.GradientTape() as tape, pytest.raises(TypeError, match="give it the arrays inside"):
        ng.stop_gradient({"a": hidden(tape.watch(X))})


def test_stop_gradient_leaves_other_objects_alone():
    other = types.SimpleNamespace(x=1.0)
    assert ng.stop_gradient([other, "text", None, len])[0] is other
