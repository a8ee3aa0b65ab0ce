"""One table of sample calls; every generic test of tests/test_rules.py reads it.

A sample is a NumPy call with differentiable arguments at positions of its arguments: ``S(np.take, A(3, 4), [0, 1])``.
Arrays made with `A` (and `C` for complex) are differentiated, everything else is fixed. Each module of this package holds
the samples of the rule family of the same name.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Differentiated:
    """An argument to differentiate by."""

    value: np.ndarray


def A(*shape: int, low: float = 0.3, high: float = 1.7, seed: int = 0, spread: bool = True) -> Differentiated:
    """A real array of distinct values (so that there are no ties) between ``low`` and ``high``."""
    rng = np.random.default_rng([seed, *shape])
    size = int(np.prod(shape))
    values = np.linspace(low, high, max(size, 1))[:size] if spread else rng.uniform(low, high, size)
    values = values + rng.uniform(-0.2, 0.2, size) * (high - low) / max(size, 1)
    return Differentiated(rng.permutation(values).reshape(shape))


def C(*shape: int, seed: int = 0) -> Differentiated:
    """A complex array away from zero and from the branch cuts on the axes."""
    return Differentiated(A(*shape, seed=seed).value + 1j * A(*shape, seed=seed + 100).value)


def D(values: Any) -> Differentiated:
    """Given values."""
    return Differentiated(np.array(values, dtype=float if not np.iscomplexobj(values) else complex))


class S:
    """One sample call.

    ``order`` is the highest order that is checked, ``complex_step`` says that the complex step is exact for it; ``f`` gives
    another way to call (a method, an operator, an in-place program) when ``function`` only names what is sampled; ``tests``
    leaves out generic tests by name, with the reason in ``why``.
    """

    def __init__(
        self,
        function: Callable,
        *args: Any,
        f: Callable | None = None,
        order: int = 2,
        leave_out: tuple[str, ...] = (),
        why: str = "",
        **kwargs: Any,
    ) -> None:
        if leave_out and not why:
            raise ValueError("say why a test is left out")
        # Kept where a tape does not look for functions and types to put others in place of: with thousands of samples in
        # the tables of many modules, that was most of what a tape took.
        kept = (function, f if f is not None else function, args, kwargs)
        self._kept = lambda: kept
        self.place = None if f is not None else _place(function)
        self.order = order
        self.leave_out = leave_out

    @property
    def function(self) -> Callable:
        return self._kept()[0]

    @property
    def call(self) -> Callable:
        """What is called, unless the function is looked up by its name."""
        return self._kept()[1]

    @property
    def args(self) -> tuple:
        return self._kept()[2]

    @property
    def kwargs(self) -> dict[str, Any]:
        return self._kept()[3]

    @property
    def points(self) -> list[np.ndarray]:
        leaves: list[np.ndarray] = []
        _collect([*self.args, *self.kwargs.values()], leaves)
        return leaves

    def __call__(self, *points: Any) -> Any:
        """The call, with other values for its differentiated arguments."""
        rest = list(points)
        args = [filled(a, rest) for a in self.args]
        kwargs = {name: filled(value, rest) for name, value in self.kwargs.items()}
        call = self.call if self.place is None else getattr(*self.place)
        return call(*args, **kwargs)

    def __repr__(self) -> str:
        name = getattr(self.function, "__name__", type(self.function).__name__)
        module = (getattr(self.function, "__module__", None) or "").replace("numpy", "np")
        text = ",".join([_text(a) for a in self.args] + [f"{k}={_text(v)}" for k, v in self.kwargs.items()])
        return f"{module}.{name}({text})" + (f"-{_label(self.call)}" if self.call is not self.function else "")


def _place(function: Any) -> tuple[Any, str] | None:
    """Where users find the function: by its name, at which a tape puts others while it records."""
    module = sys.modules[getattr(function, "__module__", None) or "numpy"]
    name = getattr(function, "__name__", "")
    return (module, name) if getattr(module, name, None) is function else None


def _label(call: Any) -> str:
    """A name for another way to call, the same in every process: tests are told apart by it."""
    name = getattr(call, "__qualname__", None) or repr(call)
    return type(call).__name__ if " at 0x" in name else name.replace("<locals>.", "").replace("<lambda>", "lambda")


def _collect(values: Any, leaves: list) -> None:
    for value in values:
        if isinstance(value, Differentiated):
            leaves.append(value.value)
        elif isinstance(value, (list, tuple)):
            _collect(value, leaves)


def filled(value: Any, rest: list) -> Any:
    if isinstance(value, Differentiated):
        return rest.pop(0)
    if isinstance(value, (list, tuple)) and _has_points(value):
        return type(value)([filled(v, rest) for v in value])
    return value


def _has_points(value: Any) -> bool:
    leaves: list = []
    _collect([value], leaves)
    return bool(leaves)


def _text(value: Any) -> str:
    if isinstance(value, Differentiated):
        return f"{value.value.dtype.char}{'x'.join(map(str, value.value.shape))}"
    if isinstance(value, np.ndarray):
        return f"array{value.shape}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(_text(v) for v in value) + "]"
    return getattr(value, "__name__", None) or repr(value)[:30]


def all_samples() -> list[S]:
    """The samples of all families."""
    import importlib
    import pkgutil

    return [
        sample
        for module in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name)
        for sample in importlib.import_module(f"{__name__}.{module.name}").SAMPLES
    ]
