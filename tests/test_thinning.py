"""One case in so many, of tests that have many."""

from __future__ import annotations

import pytest
from thinning import MANY, thinned

TESTS = ("a.py::test_x", "a.py::test_y", "a.py::test_z", "b.py::test_x")


@pytest.mark.once
def test_each_case_runs_in_one_of_so_many_tests_of_a_file() -> None:
    ids = [f"{test}[{case}]" for test in TESTS for case in range(MANY)]
    runs = [id for id, does in zip(ids, thinned(ids, 3), strict=True) if does]
    for case in range(MANY):
        assert len([id for id in runs if id.startswith("a.py") and id.endswith(f"[{case}]")]) == 1
    for test in TESTS:
        assert len([id for id in runs if id.startswith(test)]) in (MANY // 3, MANY // 3 + 1)


@pytest.mark.once
def test_tests_with_few_cases_run_whole() -> None:
    ids = ["a.py::test_alone", *[f"a.py::test_x[{case}]" for case in range(MANY - 1)]]
    assert all(thinned(ids, 3))


@pytest.mark.once
def test_all_run_where_one_in_one_is_asked_for() -> None:
    assert all(thinned([f"a.py::test_x[{case}]" for case in range(2 * MANY)], 1))
