"""For all tests."""

from __future__ import annotations

import gc
import itertools
import os
import sys
import textwrap
import types
from collections.abc import Callable, Iterator

import pytest
from alone import alone
from thinning import thinned

import npgrad._entry_points  # noqa: F401  # tests look into modules that say little before all of them are there

# Those who work on npgrad see its frames in tracebacks; tests/test_tracebacks.py has what users see.
os.environ.setdefault("NPGRAD_TRACEBACK", "full")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--one-in", type=int, default=1, metavar="N", help="of tests with many cases, run one case in N")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    runs = thinned([item.nodeid for item in items], config.getoption("--one-in"))
    config.hook.pytest_deselected(items=[item for item, does in zip(items, runs, strict=True) if not does])
    items[:] = [item for item, does in zip(items, runs, strict=True) if does]


def pytest_collection_finish() -> None:
    """Tens of thousands of tests are objects that the collector need not look at again, each time a test calls it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def _alone(request: pytest.FixtureRequest) -> Iterator[None]:
    with alone(request.module):
        yield


_numbers = itertools.count()


@pytest.fixture
def users_module() -> Iterator[Callable[[str], types.ModuleType]]:
    """Makes a module of the user's of its source."""
    made = []

    def load(source: str) -> types.ModuleType:
        module = types.ModuleType(f"legacy_{next(_numbers)}")
        sys.modules[module.__name__] = module
        made.append(module.__name__)
        exec(compile(textwrap.dedent(source), module.__name__, "exec"), vars(module))
        return module

    yield load
    for name in made:
        del sys.modules[name]


def pytest_sessionfinish() -> None:
    """Write what coverage has seen: a worker is ended before it comes to that by itself."""
    coverage = sys.modules.get("coverage")
    measuring = None if coverage is None else coverage.Coverage.current()
    if measuring is not None:
        measuring.save()
