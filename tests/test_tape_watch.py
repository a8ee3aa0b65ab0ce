"""GradientTape.watch: items 6 to 9 of the contract."""

import numpy as np
import pytest

import npgrad as ng

X = np.array([1.0, 2.0, 3.0])


def test_item_06_watch_takes_structures_and_gives_what_to_use():
    traced, variable = ng.array(X), ng.Variable(2.0)
    with ng.GradientTape() as tape:
        watched = tape.watch({"a": [traced, variable], "b": (X, 1.5)})
        assert watched["a"][0] is traced
        assert watched["a"][1] is variable
        assert isinstance(watched["b"][0], ng.TracedArray)
        assert watched["b"][0] is not X
        y = (watched["a"][0] * variable * watched["b"][0] * watched["b"][1]).sum()
    gradient = tape.gradient(y, watched)
    np.testing.assert_array_equal(gradient["a"][0], 3 * X)
    assert gradient["a"][1] == 21.0
    np.testing.assert_array_equal(gradient["b"][0], 3 * X)
    assert gradient["b"][1] == 28.0


def test_item_06_a_plain_array_stands_for_its_copy():
    plain = X.copy()
    with ng.GradientTape() as tape:
        x = tape.watch(plain)
        assert tape.watch(plain) is x
        x *= x
    np.testing.assert_array_equal(plain, X)
    np.testing.assert_array_equal(tape.gradient(x, plain), 2 * X)


def test_item_06_a_plain_array_that_has_changed_is_copied_anew():
    plain = X.copy()
    with ng.GradientTape(persistent=True) as tape:
        first = tape.watch(plain)
        plain[0] = 10.0
        second = tape.watch(plain)
        y = first * second
    np.testing.assert_array_equal(y, [10.0, 4.0, 9.0])
    np.testing.assert_array_equal(tape.gradient(y, first), plain)
    np.testing.assert_array_equal(tape.gradient(y, second), X)
    with pytest.raises(ValueError, match=r"watched 2 times.*what watch returned"):
        tape.gradient(y, plain)


def test_item_06_watching_twice_and_watching_nothing_are_harmless():
    with ng.GradientTape() as tape:
        x = tape.watch(tape.watch(ng.array(X)))
        assert tape.watch([]) == []
        assert tape.watch({}) == {}
        y = x * x
    np.testing.assert_array_equal(tape.gradient(y, x), 2 * X)


def test_watching_a_view_and_its_whole():
    with ng.GradientTape(persistent=True) as tape:
        whole = ng.array(X)
        part = tape.watch(whole[1:])
        y = (whole * whole).sum()
        tape.watch(whole)
        z = (whole * part.sum()).sum()
    np.testing.assert_array_equal(tape.gradient(y, part), [4.0, 6.0])
    np.testing.assert_array_equal(tape.gradient(z, whole), [5.0, 11.0, 11.0])


def test_the_gradient_of_a_watched_array_is_by_its_value_when_it_was_watched():
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(ng.array(X))
        x *= x
        x[0] = 5.0
        y = x * 2
    np.testing.assert_array_equal(tape.gradient(y, x), [0.0, 8.0, 12.0])
    np.testing.assert_array_equal(tape.jacobian(y, x), np.diag([0.0, 8.0, 12.0]))
    np.testing.assert_array_equal(tape.jacobian(y, x, mode="forward"), np.diag([0.0, 8.0, 12.0]))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("text", "a str"), (None, "a NoneType"), (np.array(["a"]), "<U1"), (np.array([1.0, None]), "dtype object.*make it"),
        (object(), "an? object"), ({1.0}, "a set"), (range(3), "a range"), (iter([1.0]), "list_iterator"),
        ({"a": [X, None]}, r"NoneType at \['a'\]\[1\]"),
    ],
)  # fmt: skip
def test_item_07_wrong_types_are_named(value, words):
    with ng.GradientTape() as tape, pytest.raises(TypeError, match=words):
        tape.watch(value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.array([1, 2]), r"int64.*x\.astype\(float\)"), (np.array([True]), r"bool.*astype"), (3, r"int 3.*3\.0"),
        (True, r"bool True.*1\.0"), (np.int32(1), "int32"), (np.zeros(2, [("u", float)]), "fields one by one"),
        (np.array([1], "m8[s]"), "timedelta64"),
    ],
)  # fmt: skip
def test_item_08_what_is_not_floating_names_the_cure(value, words):
    with ng.GradientTape() as tape, pytest.raises(TypeError, match=words):
        tape.watch(value)


def test_item_09_watch_before_the_first_with_or_after_use():
    tape = ng.GradientTape()
    with pytest.raises(RuntimeError, match="enter the tape first"):
        tape.watch(X)
    with tape:
        x = tape.watch(X)
        y = x * x
    tape.gradient(y, x)
    with pytest.raises(RuntimeError, match="used up"):
        tape.watch(X)


def test_item_09_watch_between_two_contexts():
    tape = ng.GradientTape()
    with tape:
        pass
    x = tape.watch(X)
    with tape:
        y = x * x
    np.testing.assert_array_equal(tape.gradient(y, x), 2 * X)


@pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning")
@pytest.mark.parametrize("make", [ng.array, ng.Variable])
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_a_watched_array_of_another_shape_is_the_same_source(make, mode):
    x = make([1.0, 2.0, 3.0])
    with ng.GradientTape(persistent=True) as tape:
        tape.watch(x)
        x.shape = (3, 1)
        y = x * x
        x *= 5.0
        x.shape = (1, 3)
        z = x + 1.0
    np.testing.assert_array_equal(tape.jacobian(y, x, mode=mode).reshape(3, 3), np.diag([2.0, 4.0, 6.0]))
    np.testing.assert_array_equal(tape.jacobian(z, x, mode=mode).reshape(3, 3), 5 * np.eye(3))
    assert tape.gradient(z, x).shape == (1, 3)


@pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning")
def test_a_variable_of_another_shape_is_watched_in_it():
    v = ng.Variable([1.0, 2.0])
    v.shape = (2, 1)
    with ng.GradientTape(persistent=True) as tape:
        y = v * v
        v *= 5.0
    np.testing.assert_array_equal(tape.gradient([y, v], v), [[7.0], [9.0]])
    np.testing.assert_array_equal(tape.jacobian(y, v, mode="forward").ravel(), [2.0, 0.0, 0.0, 4.0])
