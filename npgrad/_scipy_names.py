"""Names that SciPy's modules bound when they were loaded: for NumPy's creators, for functions of SciPy's with a rule, and
for NumPy itself.

Its compiled modules (Cython) call ``np.array`` like Python code, but no frame says so: the call seems to come from the
user's line. They write into the memory of what they get, so their ``np`` is a NumPy that makes plain arrays.
"""

from __future__ import annotations

import functools
import importlib.machinery
import operator
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from ._constants import plain_copy
from ._dispatch import tracking
from ._following import FOLLOWED
from ._libraries import NONE_LOADED, declare_loaded, modules_state
from ._made_once import made_once
from ._record import recording
from ._scipy import called_from, has_followed_code, refuse_compiled
from ._scipy_forms import following_form
from ._structure import map_structure
from ._traced import traced_leaves

# Names by which SciPy's Python code chooses its way, and what they are while a tape records. The short way for single
# elements of a matrix of lists turns them into plain numbers.
_SWITCHES: dict[str, dict[str, Any]] = {"scipy.sparse._lil": {"INT_TYPES": ()}}


@made_once
def _for_compiled(function: Callable, package: str) -> Callable:
    """A function of NumPy's as the compiled modules of a package call it."""

    @functools.wraps(function)
    def in_place(*args: Any, **kwargs: Any) -> Any:
        if recording() and (leaves := traced_leaves([args, kwargs])):
            if records := tracking(leaves):
                frame = sys._getframe(1)
                by_python = (frame.f_globals.get("__name__") or "").startswith("scipy.")
                refuse_compiled(records, called_from(frame) if by_python else package)
            args, kwargs = map_structure(plain_copy, (args, kwargs))
        return function(*args, **kwargs)

    return in_place


class _PlainNumPy(ModuleType):
    """NumPy without names in place."""

    def __init__(self, package: str, originals: dict[Any, Callable]) -> None:
        super().__init__("numpy")
        self._package, self._originals = package, originals

    def __getattr__(self, name: str) -> Any:
        value = getattr(np, name)
        original = _found_in(value, self._originals)
        return value if original is None else _for_compiled(original, self._package)


def _found_in(value: Any, names: dict[Any, Callable]) -> Callable | None:
    try:
        return names.get(value) if callable(value) else None
    except TypeError:  # not hashable
        return None


def _is_compiled(module: ModuleType) -> bool:
    return (getattr(module, "__file__", None) or "").endswith(tuple(importlib.machinery.EXTENSION_SUFFIXES))


class CapturedNames:
    """What stands for these names while a tape records."""

    def __init__(self) -> None:
        # The state of modules, and how many functions of SciPy's have a rule.
        self._known = NONE_LOADED, 0
        self._seen: set[str] = set()
        # For each module: the `update` of its names, what they are bound to, and what stands for that; and these by column.
        self._swaps: list[tuple[Callable[[dict], None], dict, dict]] = []
        self._updates: tuple[Callable[[dict], None], ...] = ()
        self._bound: tuple[dict, ...] = ()
        self._forms: tuple[dict, ...] = ()
        self._originals: dict[Any, Callable] = {}

    def put(self, state: tuple, creators: dict[Any, Callable], in_place: dict[Any, Callable]) -> None:
        """``state`` is that of the modules."""
        if (state, len(FOLLOWED)) != self._known:
            self._originals = {form: original for original, form in in_place.items()}
            self._find(creators)
        any(map(operator.call, self._updates, self._forms))  # a loop in C; an update gives None

    def take_away(self) -> None:
        any(map(operator.call, self._updates, self._bound))

    def _find(self, creators: dict[Any, Callable]) -> None:
        declare_loaded()
        known = modules_state(), len(FOLLOWED)
        if known[1] != self._known[1]:  # rules may be declared one by one, while modules are known already
            self.take_away()
            self._swaps, self._seen = [], set()
        for name, module in list(sys.modules.items()):
            if name in self._seen or not name.startswith("scipy.") or module is None:
                continue
            if getattr(getattr(module, "__spec__", None), "_initializing", False):
                known = NONE_LOADED, 0
                continue
            forms = self._forms_of(module, creators)
            if forms:
                self._swaps.append((vars(module).update, {key: vars(module)[key] for key in forms}, forms))
            self._seen.add(name)
        self._updates, self._bound, self._forms = zip(*self._swaps, strict=True) if self._swaps else ((), (), ())
        self._known = known  # last: after an interrupt the search begins again

    def _forms_of(self, module: ModuleType, creators: dict[Any, Callable]) -> dict[str, Any]:
        held = list(vars(module).items())
        if not _is_compiled(module):
            found = {key: _found_in(value, creators) for key, value in held}
            if has_followed_code(module.__name__):  # the forms act in no other
                found |= {key: form for key, value in held if (form := following_form(value)) is not None}
            found |= _SWITCHES.get(module.__name__, {})
            return {key: form for key, form in found.items() if form is not None}
        package = module.__name__.partition("._")[0]
        forms: dict[str, Any] = {
            key: _for_compiled(value, package) for key, value in held if _found_in(value, creators) is not None
        }
        plain = _PlainNumPy(package, self._originals)
        return {**forms, **{key: plain for key, value in held if value is np}}


captured = CapturedNames()
