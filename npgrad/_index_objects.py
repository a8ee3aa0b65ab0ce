"""``np.r_``, ``np.c_``, ``np.mgrid`` and ``np.ogrid``, which take traced arrays and numbers in an index."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ._dispatch import check_outside
from ._record import recording
from ._traced import traced_leaves, unwrap
from ._twins import twin


def _index_class(kind: Any) -> type:
    """The class of np.r_ and its like from the first tape on. Also where none records it must stand: NumPy's own code copies
    traced arrays past all hooks, and what it makes would look as if it had lost a derivative."""
    original = kind.__getitem__

    @functools.wraps(original)
    def in_place(self: Any, key: Any) -> Any:
        if recording():
            return twin(original)(self, key)
        check_outside(*traced_leaves(_parts(key)))
        return original(self, _plain_key(key))

    return type(kind.__name__, (kind,), {"__slots__": (), "__getitem__": in_place})


def _parts(key: Any) -> list:
    keys = key if type(key) is tuple else (key,)
    return [part for k in keys for part in ((k.start, k.stop, k.step) if type(k) is slice else (k,))]


def _plain_key(key: Any) -> Any:
    if type(key) is tuple:
        return tuple([_plain_key(k) for k in key])
    return slice(*unwrap((key.start, key.stop, key.step))) if type(key) is slice else unwrap(key)


INDEX_OBJECTS = [(made, _index_class(type(made))) for made in (np.r_, np.c_, np.mgrid, np.ogrid)]
