"""Objects of NumPy that no tape follows: used as ever with plain data, and refused with tracked data."""

from __future__ import annotations

import collections
import copy
import json
import pickle
import pprint
import types
from builtins import type
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import npgrad as ng
from npgrad.testing import check_gradients

RNG = np.random.default_rng(3)
STATE = np.zeros(3, dtype=[("position", float), ("speed", float)])
X = np.array([0.3, 0.5, 0.7])


def test_generators_made_inside_draw_what_numpys_draw() -> None:
    expected = [np.random.default_rng(1).normal(2.0, 3.0, 4), np.random.RandomState(1).gamma(2.0, size=3)]
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        made = np.random.default_rng(1), np.random.RandomState(1)
        found = [made[0].normal(2.0, 3.0, 4), made[1].gamma(2.0, size=3)]
        assert np.random.default_rng(made[0]) is made[0]
        assert isinstance(RNG, np.random.Generator)
        assert isinstance(made[1], np.random.RandomState)
        y = x * made[0].standard_normal(3)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.isfinite(tape.gradient(y, x)).all()
    assert isinstance(made[0], np.random.Generator)
    for other in (pickle.loads(pickle.dumps(made[0])), copy.deepcopy(made[0])):
        assert other.normal() == copy.deepcopy(made[0]).normal()


def test_a_generator_of_the_module_is_refused_and_goes_on_with_its_stream() -> None:
    reference = copy.deepcopy(RNG)

    def draws(x: Any) -> Any:
        return x * RNG.standard_normal(3)

    gradient = ng.grad(lambda x: draws(x).sum())(X)
    np.testing.assert_array_equal(gradient, reference.standard_normal(3))
    assert type(RNG) is np.random.Generator
    assert RNG.normal() == reference.normal()
    with pytest.raises(ng.LeakError, match="random generator"):
        ng.grad(lambda x: RNG.normal(x).sum())(X)


def test_a_structured_array_of_the_module_is_followed_by_its_fields() -> None:
    def step(x: Any) -> Any:
        STATE["position"] = x**2
        return STATE["position"].sum()

    np.testing.assert_array_equal(ng.grad(step)(X), 2 * X)
    assert type(STATE) is np.ndarray
    np.testing.assert_array_equal(STATE["position"], X**2)


def test_structured_arrays_with_plain_data_are_numpys() -> None:
    def program(x: Any) -> Any:
        s = np.zeros(3, dtype=[("a", float), ("b", int)])
        s["a"] = [1.0, 2.0, 3.0]
        s["a"] *= 2.0
        s[1] = (7.0, 4)
        np.add(s["a"], 1.0, out=s["a"])
        texts.append(repr(s))
        return [x * s["a"], np.sort(s["a"])[::-1] * x, s["b"].sum() * x, np.exp(s["a"]), x @ s["a"]]

    texts: list[str] = []
    expected = program(X)
    with ng.GradientTape() as tape:
        found = program(tape.watch(X))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    assert texts[0] == texts[1]


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.parametrize(
    "program",
    [
        lambda x: np.matrix([[x[0], 1.0], [0.0, 1.0]]),
        lambda x: np.matrix(x).T,
        lambda x: np.bmat([[np.outer(x, x), np.eye(3)]]),
        lambda x: x[0] * np.asmatrix(np.outer(x, x)),
        lambda x: np.matrix(np.eye(3)) * x[0],
    ],
)
def test_matrices_are_refused_by_their_name(program: Any) -> None:
    before = vars(np.matrix)["__new__"]
    with pytest.raises(ng.LeakError, match=r"test_guards.py:\d+: numpy.matrix makes .* np.array in place"):
        ng.jacobian(program)(X)
    assert vars(np.matrix)["__new__"] is before


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_classes_do_what_they_did_after_a_tape() -> None:
    """Methods that are heard stay where the first tape has put them: a class that changes each time loses its caches."""
    kinds = (np.ma.MaskedArray, np.matrix, np.recarray, np.memmap, np.poly1d, np.vectorize, np.finfo, json.JSONEncoder)
    with ng.GradientTape():
        during = [dict(vars(kind)) for kind in kinds]
    assert [dict(vars(kind)) for kind in kinds] == during
    assert np.poly1d.__call__.__qualname__ == "poly1d.__call__"
    assert np.random.default_rng.__module__ != "npgrad._guards"
    assert type(np.random.default_rng()) is np.random.Generator
    masked = np.ma.masked_array(np.zeros(3), [True, False, False])
    masked[1] = 2.0
    matrix = np.matrix(np.zeros((2, 2)))
    matrix[0, 0] = 1.0
    assert masked.sum() + matrix.sum() == 3.0


def test_types_that_compiled_modules_look_for_are_numpys_own() -> None:
    """A module of Cython that is loaded while a tape records compares the sizes of NumPy's types, and keeps the types."""
    types = {name: getattr(np, name) for name in ("broadcast", "dtype", "flatiter", "ndarray", "generic", "ufunc")}
    with ng.GradientTape():
        assert all(getattr(np, name) is value for name, value in types.items())


DRAWS: dict[str, Any] = {
    "beta": (1.0, 2.0, 3), "chisquare": (2.0, 3), "dirichlet": ([1.0, 2.0, 3.0],), "exponential": (1.0, 3),
    "f": (2.0, 3.0, 3),
    "gamma": (2.0, 1.0, 3), "gumbel": (0.0, 1.0, 3), "laplace": (0.0, 1.0, 3), "logistic": (0.0, 1.0, 3),
    "lognormal": (0.0, 1.0, 3), "multivariate_normal": (np.zeros(3), np.eye(3)), "noncentral_chisquare": (2.0, 1.0, 3),
    "noncentral_f": (2.0, 3.0, 1.0, 3), "normal": (0.0, 1.0, 3), "pareto": (2.0, 3), "permutation": (X,), "power": (2.0, 3),
    "rand": (3,), "randn": (3,), "random": (3,), "random_sample": (3,), "rayleigh": (1.0, 3), "standard_cauchy": (3,),
    "standard_exponential": (3,), "standard_gamma": (2.0, 3), "standard_normal": (3,), "standard_t": (2.0, 3),
    "triangular": (0.0, 1.0, 2.0, 3), "uniform": (0.0, 1.0, 3), "vonmises": (0.0, 1.0, 3), "wald": (1.0, 2.0, 3),
    "weibull": (2.0, 3), "choice": (X, 3), "permuted": (X,),
}  # fmt: skip
SOURCES = ("default_rng", "RandomState", "")


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", DRAWS)
def test_samples_may_be_written_into(name: str, source: str) -> None:
    def draw() -> Any:
        np.random.seed(1)
        return getattr(getattr(np.random, source)(1) if source else np.random, name)(*DRAWS[name])

    def program(x: Any) -> Any:
        sample = draw()
        sample *= x
        product = sample * 1.0
        sample[...] = x * x
        return product + sample

    try:
        draw()
    except AttributeError:
        return  # no such distribution there
    check_gradients(program, X)


# --- JSON ----------------------------------------------------------------------------------------------------------


class Encoder(json.JSONEncoder):
    """As programs write it."""

    def default(self, o: Any) -> Any:
        if isinstance(o, np.ndarray):
            return o.tolist()
        return float(o) if isinstance(o, np.floating) else super().default(o)


def settings(x: Any) -> types.SimpleNamespace:
    return types.SimpleNamespace(rate=x[0], grid=x[1:])


JSON: list[Callable[[Any], str]] = [
    lambda x: json.dumps(x.tolist()),
    lambda x: json.dumps({"a": x[0].item(), "b": (x[1].item(), [1.5])}, indent=1),
    lambda x: json.dumps({"a": x, "b": [x[0], x.sum()], "c": list(x)}, cls=Encoder),
    lambda x: json.dumps(collections.OrderedDict(a=x[0].item())),
    lambda x: json.dumps({"a": x, "b": x[0]}, default=lambda o: o.tolist()),
    lambda x: json.dumps({"a": x[0], "b": [x[1]]}, default=str),
    lambda x: json.dumps(settings(x), default=lambda o: vars(o) if hasattr(o, "__dict__") else list(o)),
    lambda x: json.dumps(np.arange(3).tolist()),
    lambda x: repr(x.tolist()) + pprint.pformat({"a": x[0].item()}) + f"{x.tolist()}",
]


@pytest.mark.parametrize("text", JSON)
def test_json_and_text_of_pythons_numbers_are_those_of_the_plain_program(text: Any) -> None:
    before = vars(json.JSONEncoder).copy()
    found = []
    gradient = ng.grad(lambda x: (found.append(text(x)), x.sum())[1])(X)
    np.testing.assert_array_equal(gradient, np.ones(3))
    assert found == [text(X)]
    assert vars(json.JSONEncoder) == before


def test_what_json_does_not_know_is_refused_as_ever() -> None:
    for data in ({1.0j: 2}, lambda x: x, X):
        with pytest.raises(TypeError) as plain:
            json.dumps(data)
        with ng.GradientTape(), pytest.raises(TypeError) as traced:
            json.dumps(data)
        assert str(traced.value) == str(plain.value)
