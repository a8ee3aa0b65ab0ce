"""np.vectorize over traced arrays: what samples of single calls do not show."""

import numpy as np

import npgrad as ng


def test_object_results_are_items_be_they_arrays():
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([1.0, 2.0]))
        rows = np.vectorize(lambda a: [a, a * a], otypes=[object])(x)
        arrays = np.vectorize(lambda a: np.arange(3) * 1.0, otypes=[object])(x[0])
        y = rows[0][1] * rows[1][1]
    assert rows.shape == (2,) and rows.dtype == object and isinstance(arrays.item(), np.ndarray)
    assert tape.gradient(y, x).tolist() == [8.0, 4.0]
