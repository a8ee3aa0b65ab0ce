"""JSON while a tape records: numbers and lists that are traced are written as what they stand for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from ._record import recording
from ._traced import PythonNumber, SeenArray, unwrap


def json_methods() -> dict[tuple[type, str], Callable]:
    """What stands for methods of Python's encoder, which the program has loaded by then."""
    encoder: Any = sys.modules["json.encoder"]
    pythons_iterencode = encoder.JSONEncoder.iterencode

    def iterencode(self: Any, o: Any, *args: Any, **kwargs: Any) -> Any:
        if not recording():
            return pythons_iterencode(self, o, *args, **kwargs)
        given, default = vars(self).copy(), self.default
        vars(self)["default"] = lambda value: _values(default(value))
        try:
            return pythons_iterencode(self, _values(o), *args, **kwargs)  # which keeps `default`
        finally:
            vars(self).clear()
            vars(self).update(given)

    return {(encoder.JSONEncoder, "iterencode"): iterencode}


def _values(data: Any) -> Any:
    """What JSON is made of, with numbers in the place of traced ones."""
    if isinstance(data, SeenArray):
        bare = unwrap(data)
        return bare.item() if type(data) is PythonNumber else bare
    if isinstance(data, dict):
        return {key: _values(value) for key, value in data.items()}
    return [_values(item) for item in data] if isinstance(data, (list, tuple)) else data
