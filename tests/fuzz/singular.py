"""The proof that a statement stands at a kink or a pole: its own results, as all that it finds moves independently."""

from __future__ import annotations

from typing import Any

import numpy as np

from .differences import Differences, joined
from .program import MODULES, Program, values


def singular_statement(program: Program) -> str | None:
    """The first statement whose results have no derivative by its own inputs, along one of two random directions."""
    for number, statement in enumerate(program.statements):
        for seed in (0, 1):
            if not _settles(program, number, seed):
                return statement
    return None


def _settles(program: Program, number: int, seed: int) -> bool:
    def at(t: float) -> np.ndarray:
        with np.errstate(all="ignore"):
            try:
                env = MODULES | values(program.constants | program.points)
                for statement in program.statements[:number]:
                    exec(statement, env)
                _move(env, t, seed)
                exec(program.statements[number], env)
            except Exception:
                return np.full(1 << 20, np.nan)
        return joined([env[name] for name in env if name in program.returned and _is_data(env[name])])

    found = Differences(at, 1)
    scale = max(1e-2, float(np.max(np.abs(found.value), initial=0)))
    return bool((found.error <= 1e-4 * scale).all()) and not found.bent.any()


def _move(env: dict[str, Any], t: float, seed: int) -> None:
    """Add a fixed random direction, times t, to every block of memory and every number."""
    rng = np.random.default_rng(seed)
    moved: set[int] = set()
    for name in list(env):
        value = env[name]
        if not _is_data(value):
            continue
        if isinstance(value, np.generic):
            env[name] = value + t * value.dtype.type(rng.standard_normal())
            continue
        root = value
        while isinstance(root.base, np.ndarray):
            root = root.base
        if id(root) not in moved and root.flags.writeable and root.dtype.kind in "fc":
            moved.add(id(root))
            root += (t * rng.standard_normal(root.shape)).astype(root.dtype)


def _is_data(value: Any) -> bool:
    return isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "fc"
