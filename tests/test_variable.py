"""Variable: items 10 to 13 of the tape's contract, and its own methods."""

import copy
import pickle

import numpy as np
import pytest

import npgrad as ng


def test_item_10_a_trainable_variable_is_watched_when_it_is_used():
    v, unused = ng.Variable(3.0), ng.Variable(1.0)
    with ng.GradientTape() as tape:
        y = v * v
    assert tape.watched_variables() == (v,)
    assert tape.gradient(y, [v, unused]) == [6.0, None]


@pytest.mark.parametrize(
    "use",
    [
        lambda v: v + 1,
        lambda v: np.exp(v),
        lambda v: v[0],
        lambda v: v[[0, 1]],
        lambda v: v.reshape(2, 1) + 1,
        lambda v: -v.T,
        lambda v: np.sum(v),
        lambda v: v.copy(),
        lambda v: np.array([v[1], 2.0]),
        lambda v: np.asarray(v) * 2,
        lambda v: np.concatenate([v, v]),
        lambda v: sum(v),
        lambda v: next(iter(v)),
        lambda v: np.zeros(2).__iadd__(v),
        lambda v: v @ np.ones(2),
        lambda v: np.ones(2) @ v,
        lambda v: v.T,
        lambda v: v[:1],
        lambda v: v[::-1][1:],
        lambda v: v.reshape(2, 1),
        lambda v: v.ravel(),
        lambda v: v.view(),
        lambda v: np.expand_dims(v, 0),
        lambda v: np.broadcast_to(v, (3, 2)),
    ],
)
def test_item_10_any_use_watches(use):
    v = ng.Variable([1.0, 2.0])
    with ng.GradientTape() as tape:
        y = use(v)
    assert tape.watched_variables() == (v,)
    assert tape.gradient(y, v) is not None


def test_item_10_what_is_not_trainable_is_watched_only_explicitly():
    v = ng.Variable(3.0, trainable=False)
    with ng.GradientTape() as tape:
        y = v * v
    assert tape.gradient(y, v) is None
    with ng.GradientTape() as tape:
        assert tape.watch(v) is v
        y = v * v
    assert tape.watched_variables() == (v,)
    assert tape.gradient(y, v) == 6.0


def test_item_10_a_use_before_the_tape_or_in_stop_recording_does_not_watch():
    v = ng.Variable(3.0)
    y, view = v * v, v.T
    with ng.GradientTape() as tape, tape.stop_recording():
        z = v * v
        v.reshape(1)
    assert tape.watched_variables() == ()
    assert tape.gradient([y, view], v) is None
    assert type(y) is np.float64
    assert z == 9.0


def test_item_11_without_automatic_watching_nested_tapes_decide_separately():
    v, w = ng.Variable(2.0), ng.Variable(5.0)
    with ng.GradientTape() as outer, ng.GradientTape(watch_accessed_variables=False) as inner:
        inner.watch(w)
        y = v * v * w
    assert inner.watched_variables() == (w,)
    assert outer.watched_variables() == (v, w)
    assert inner.gradient(y, [v, w]) == [None, 4.0]
    assert outer.gradient(y, [v, w]) == [20.0, 4.0]


def test_item_12_watched_variables_come_in_order_of_construction():
    first, second, third = ng.Variable(1.0), ng.Variable(2.0), ng.Variable(3.0)
    with ng.GradientTape() as tape:
        y = third * first
        assert tape.watched_variables() == (first, third)
        y = y * second * second
        assert tape.watched_variables() == (first, second, third)
    assert tape.watched_variables() == (first, second, third)
    tape.gradient(y, [first])
    assert tape.watched_variables() == (first, second, third)
    with tape:
        assert tape.watched_variables() == ()


def test_item_12_reset_forgets_them():
    v, w = ng.Variable(1.0), ng.Variable(2.0)
    with ng.GradientTape() as tape:
        v * 2
        tape.reset()
        assert tape.watched_variables() == ()
        w * 2
    assert tape.watched_variables() == (w,)


def test_item_12_a_variable_that_is_gone_is_not_named():
    part = ng.Variable([1.0, 2.0])[:1]
    with ng.GradientTape() as tape:
        y = part * part
    assert tape.watched_variables() == ()
    np.testing.assert_array_equal(tape.gradient(y, part), [2.0])


def test_item_13_assignment_is_not_differentiated():
    v = ng.Variable(2.0)
    with ng.GradientTape() as tape:
        y = v * v
        v.assign_add(1.0)
        z = y * v
    assert (y, z) == (4.0, 12.0)
    assert tape.gradient(z, v) == 16.0


@pytest.mark.parametrize("copied", [lambda v: v[:1].copy(), lambda v: v[[0]], lambda v: v[0], lambda v: np.array(v)[:1]])
def test_item_13_copies_read_before_keep_their_value(copied):
    v = ng.Variable([1.0, 2.0])
    with ng.GradientTape() as tape:
        before = copied(v)
        v.assign([3.0, 5.0])
        y = (before**2).sum()
    assert y == 1.0
    assert tape.gradient(y, v).tolist() == [2.0, 0.0]


@pytest.mark.parametrize(
    ("view", "value", "slope"),
    [
        (lambda v: v[:1], 9.0, [6.0, 0.0]),
        (lambda v: v[::-1][1:], 9.0, [6.0, 0.0]),
        (lambda v: v.T, 34.0, [6.0, 10.0]),
        (lambda v: v.reshape(2, 1), 34.0, [6.0, 10.0]),
    ],
)
def test_views_show_what_is_assigned_as_numpys_do(view, value, slope):
    v = ng.Variable([1.0, 2.0])
    with ng.GradientTape() as tape:
        part = view(v)
        old = part * 10.0
        v.assign([3.0, 5.0])
        y = (part**2).sum()
        z = old.sum()
    assert y == value
    assert z == 10 * view(np.array([1.0, 2.0])).sum()
    assert tape.gradient(y, v).tolist() == slope


def test_rows_of_a_loop_are_views():
    """The second row has been raised by the time it is read."""
    v = ng.Variable([[1.0], [2.0]])
    with ng.GradientTape() as tape:
        y = 0.0
        for row in v:
            y = y + (row**2).sum()
            v.assign_add(1.0)
    assert y == 1.0 + 3.0**2
    assert tape.gradient(y, v).tolist() == [[2.0], [6.0]]


def test_parts_of_one_vector_of_parameters_are_trained():
    """2 x - 1 by views that were taken once, of a vector that is assigned in each step."""
    inputs = np.linspace(-1.0, 1.0, 9)
    parameters = ng.Variable(np.zeros(2))
    weight, offset = parameters[:1], parameters[1:]
    for _ in range(200):
        with ng.GradientTape() as tape:
            loss = np.mean((inputs * weight + offset - (2.0 * inputs - 1.0)) ** 2)
        parameters.assign_sub(0.5 * tape.gradient(loss, parameters))
    np.testing.assert_allclose(parameters.numpy(), [2.0, -1.0], rtol=1e-8)
    np.testing.assert_allclose([*weight, *offset], [2.0, -1.0], rtol=1e-8)


def test_item_13_second_derivatives_see_the_values_of_their_time():
    v = ng.Variable(2.0)
    with ng.GradientTape() as outer:
        with ng.GradientTape() as inner:
            y = v * v * v
            v.assign(10.0)
        slope = inner.gradient(y, v)
    assert slope == 12.0
    assert outer.gradient(slope, v) == 12.0


def test_assign():
    v = ng.Variable(np.ones((2, 2), np.float32), name="w")
    assert v.assign(3) is v
    assert v.assign_add(np.eye(2)) is v
    assert v.assign_sub(np.array([1.0, 0.0])) is v
    np.testing.assert_array_equal(v.numpy(), [[3.0, 3.0], [2.0, 4.0]])
    assert v.numpy().dtype == np.float32
    assert type(v.numpy()) is np.ndarray
    assert not np.shares_memory(v.numpy(), v)


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [(np.ones(3), ValueError, r"shape \(3,\).*'w'.*\(2,\)"), (1j, TypeError, "complex128.*'w'.*float64"),
     (np.ones((1, 2)), ValueError, r"\(1, 2\)"), ("text", TypeError, "'w'")],
)  # fmt: skip
def test_assign_refuses_what_does_not_fit_and_changes_nothing(value, error, words):
    v = ng.Variable([1.0, 2.0], name="w")
    with pytest.raises(error, match=words):
        v.assign(value)
    np.testing.assert_array_equal(v.numpy(), [1.0, 2.0])


def test_its_value_is_its_own():
    plain = np.array([1.0, 2.0])
    v = ng.Variable(plain)
    v.assign_add(1.0)
    np.testing.assert_array_equal(plain, [1.0, 2.0])
    plain[0] = 7.0
    np.testing.assert_array_equal(v.numpy(), [2.0, 3.0])


def test_it_is_an_array():
    v = ng.Variable([[1.0, 2.0]], dtype=np.complex64, name="z")
    assert isinstance(v, np.ndarray)
    assert (v.shape, v.dtype, v.trainable, v.name) == ((1, 2), np.complex64, True, "z")
    assert type(v + 1) is np.ndarray
    assert repr(ng.Variable(1.5, name="b")) == "<Variable 'b' shape=() dtype=float64, value=1.5>"
    with pytest.raises(AttributeError):
        v.trainable = False


@pytest.mark.parametrize("value", [1, [1, 2], np.array([True]), "text", np.array([object()])])
def test_what_it_does_not_take(value):
    with pytest.raises(TypeError, match=r"floating or complex.*astype"):
        ng.Variable(value)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))])
def test_copies_and_pickles_are_variables_of_their_own(duplicate):
    v = ng.Variable([1.0, 2.0], trainable=False, name="w")
    other = duplicate(v)
    assert type(other) is ng.Variable
    assert (other.name, other.trainable) == ("w", False)
    other.assign(0.0)
    np.testing.assert_array_equal(v.numpy(), [1.0, 2.0])


def test_a_copy_made_while_a_tape_records_is_followed():
    v = ng.Variable([1.0, 2.0])
    with ng.GradientTape() as tape:
        y = copy.deepcopy(v) ** 2
    np.testing.assert_array_equal(tape.gradient(y, v), [2.0, 4.0])


def test_an_in_place_write_is_differentiated_unlike_assign():
    v = ng.Variable([1.0, 2.0])
    with ng.GradientTape() as tape:
        v *= v
        y = v.sum()
    np.testing.assert_array_equal(tape.gradient(y, v), [2.0, 4.0])
    np.testing.assert_array_equal(v.numpy(), [1.0, 4.0])


def test_item_40_a_training_step_with_a_list_of_gradients():
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(20, 2))
    outputs = inputs @ [2.0, -1.0] + 0.5
    w, b = ng.Variable(np.zeros(2)), ng.Variable(0.0)
    for _ in range(300):
        with ng.GradientTape() as tape:
            loss = np.mean((inputs @ w + b - outputs) ** 2)
        for variable, slope in zip([w, b], tape.gradient(loss, [w, b]), strict=True):
            variable.assign_sub(0.2 * slope)
    np.testing.assert_allclose(w.numpy(), [2.0, -1.0], rtol=1e-8)
    np.testing.assert_allclose(b.numpy(), 0.5, rtol=1e-8)


def test_the_base_of_a_view_is_the_variable():
    v = ng.Variable([1.0, 2.0, 3.0])
    assert v[1:].base is v and v[1:][1:].base is v and v.reshape(3, 1).base is v
