"""Nested structures: taken apart and put together again."""

import collections
import dataclasses
from typing import Any

import numpy as np
import pytest

import npgrad as ng
from npgrad._structure import flatten, leaf_paths, map_structure, path_text

Pair = collections.namedtuple("Pair", "first second")


@dataclasses.dataclass(frozen=True)
class Layer:
    weights: object
    bias: object
    size: object = dataclasses.field(init=False, default=7)


class Items(list):
    pass


STRUCTURES = [
    3.0,
    [1, 2, 3],
    (1, (2,), []),
    {"b": 1, "a": {"c": 2}},
    Pair(1, [2, 3]),
    Layer(1, (2, 3)),
    collections.OrderedDict(x=1, y=2),
    collections.defaultdict(list, x=1, y=[2]),
    Items([1, 2]),
    [],
    {},
    (),
    [Pair(Layer({"k": (1,)}, 2), 3), None],
]


@pytest.mark.parametrize("structure", STRUCTURES, ids=repr)
def test_a_structure_is_built_again_as_it_was(structure):
    leaves, build = flatten(structure)
    again = build(leaves)
    assert again == structure
    assert type(again) is type(structure)


@pytest.mark.parametrize("structure", STRUCTURES, ids=repr)
def test_there_is_one_path_for_each_leaf(structure):
    assert len(leaf_paths(structure)) == len(flatten(structure)[0])


def test_paths():
    structure = {"layers": [Layer(1, 2), Pair(3, 4)]}
    assert leaf_paths(structure) == [
        ("layers", 0, "weights"), ("layers", 0, "bias"), ("layers", 1, 0), ("layers", 1, 1),
    ]  # fmt: skip
    assert path_text(("layers", 0, "bias")) == " at ['layers'][0]['bias']"
    assert path_text(()) == ""


def test_map_structure_leaves_the_original_alone():
    original = {"a": [1, 2], "b": Pair(3, Layer(4, 5))}
    mapped = map_structure(lambda leaf: leaf * 10, original)
    assert mapped == {"a": [10, 20], "b": Pair(30, Layer(40, 50))}
    assert original == {"a": [1, 2], "b": Pair(3, Layer(4, 5))}


def test_map_structure_gives_the_same_object_where_nothing_changes():
    original = [1, {"a": "text"}]
    assert map_structure(lambda leaf: leaf, original) is original


def test_a_dataclass_that_cannot_be_rebuilt_passes_where_nothing_changes():
    @dataclasses.dataclass
    class Config:
        size: int
        seed: dataclasses.InitVar[int]

        def __post_init__(self, seed):
            self.state = seed

    config = Config(3, seed=4)
    assert map_structure(lambda leaf: leaf, {"config": config})["config"] is config


def test_arrays_are_leaves():
    leaves, _ = flatten([np.ones((2, 2)), "text", {1}])
    assert len(leaves) == 3


def test_a_dataclass_that_has_been_changed_since_it_was_made_is_no_structure():
    @dataclasses.dataclass
    class Model:
        a: Any
        twice: Any = dataclasses.field(init=False)
        name: Any = dataclasses.field(init=False, default="model")

        def __post_init__(self):
            self.twice = self.a * 2

    x = np.array([1.0, 2.0])

    def f(model):
        return (model.a * model.twice).sum()

    model = Model(x)
    np.testing.assert_array_equal(ng.grad(f)(model).a, 4 * x)
    np.testing.assert_array_equal(ng.grad(lambda x: ng.checkpoint(f)(Model(x)))(x), 4 * x)
    model.twice = 5 * x
    with pytest.raises(ValueError, match=r"Model.twice is not what making the dataclass anew gives"):
        ng.grad(f)(model)
    with pytest.raises(ValueError, match=r"Model.name is not what"):
        other = Model(x)
        other.name = "other"
        ng.grad(f)(other)
    with pytest.raises(ValueError, match=r"Model.twice"):

        def changed(x):
            model = Model(x)
            model.twice = x * 5
            return ng.checkpoint(f)(model)

        ng.grad(changed)(x)
