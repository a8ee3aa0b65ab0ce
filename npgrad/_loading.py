"""Modules that are loaded while a tape records, as by an import inside a function.

What a library makes as it is loaded, constants and tables, is its own and stays plain, for its compiled code writes into it
and it outlives the tape. The names of NumPy that a module has bound meanwhile, which are forms, are put back, and then
swapped like those of modules that were loaded before.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from ._leaks import is_users_code
from ._record import recording, set_recording

# Whether a module is being loaded in this context, inside of which others are.
_loading: ContextVar[bool] = ContextVar("npgrad_loading", default=False)


class Finder:
    """What stands before Python's finders of modules while a tape records.

    ``settle`` is called with each module that has been loaded, ``refresh`` when no more are being loaded.
    """

    def __init__(self, settle: Callable[[ModuleType], None], refresh: Callable[[], None]) -> None:
        self.settle, self.refresh = settle, refresh

    def put(self) -> None:
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)  # type: ignore[arg-type]

    def take_away(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)  # type: ignore[arg-type]

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """What the other finders find, with a loader that is heard."""
        if not recording() and not _loading.get():
            return None
        finders = [finder for finder in sys.meta_path if finder is not self and hasattr(finder, "find_spec")]
        found = (finder.find_spec(name, path, target) for finder in finders)
        spec = next((one for one in found if one is not None), None)
        if spec is not None and hasattr(spec.loader, "exec_module") and not isinstance(spec.loader, type):
            heard: Any = _Loader(spec.loader, self)
            spec.loader = heard
        return spec


class _Loader:
    """A loader that says when it begins and ends; the module gets the loader itself."""

    def __init__(self, loader: Any, finder: Finder) -> None:
        self._loader, self._finder = loader, finder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        with _as_its_own(spec):  # some compiled modules are made and filled in one step
            made: ModuleType | None = self._loader.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        module.__loader__ = self._loader
        if spec is not None:
            spec.loader = self._loader
        inside = _loading.get()
        token = _loading.set(True)
        try:
            with _as_its_own(spec):
                self._loader.exec_module(module)
        finally:
            _loading.reset(token)
            self._finder.settle(module)
            if not inside:
                if spec is not None:
                    vars(spec)["_initializing"] = False  # as importlib says next: `refresh` asks whether it is loaded
                self._finder.refresh()


@contextlib.contextmanager
def _as_its_own(spec: ModuleSpec | None) -> Iterator[None]:
    """Record nothing while a library is loaded."""
    before = recording()
    if spec is not None and not is_users_code(spec.name, spec.origin or ""):
        set_recording(())
    try:
        yield
    finally:
        set_recording(tuple([record for record in before if record.open]))
