"""Loops, branches, early exits, functions, lists and buffers around statements of the other kinds."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import numpy as np

from . import reads, writes
from .pieces import fitted, operand
from .state import State

_INNER: list[Callable] = [
    writes.assign, writes.assign_operator, writes.operator, writes.into, writes.method, reads.arithmetic, reads.formula,
    reads.reduction, reads.view, reads.indexing,
]  # fmt: skip


def _block(g: State, most: int = 3) -> str:
    parts = [g.one_of(_INNER)(g) for _ in range(int(g.rng.integers(1, most + 1)))]
    return textwrap.indent("\n".join(p for p in parts if p) or "pass", "    ")


def _condition(g: State) -> str | None:
    name = g.pick()
    bound = g.number()
    forms = ("np.sum({n}).real > {b}", "np.abs({n}).max() < {b}", "{n}.size > 3", "(np.abs({n}) > {b}).any()", "{n}.flat[0].real > {b}",
             "np.all(np.isfinite({n}))", "not np.allclose({n}, {b})", "len({n}.shape) == 2 and {n}.mean().real > {b}",
             "float(np.asarray(np.argmax({n}))) > 0", "{n}.ravel()[-1:].real > {b}", "int(np.max({n}.real)) == 0")  # fmt: skip
    return name and g.one_of(forms).format(n=name, b=bound)


def for_loop(g: State) -> str:
    return f"for i in range({g.one_of((2, 3))}):\n{_block(g)}"


def loop_over_rows(g: State) -> str | None:
    """Element by element, row by row: the loops of programs that were Fortran once."""
    name = g.pick(g.arrays(writeable=True))
    if name is None:
        return None
    n, other = g.env[name].shape[0], g.pick()
    scalar = fitted(g, ())
    inner = g.one_of((
        "{u}[i] = {u}[i - 1] * 0.5 + {s}", "{u}[i] += {s} * i", "{u}[i] = np.sin({u}[i]) + {o}.flat[i % max({o}.size, 1)]",
        "{u}[i, ...] *= {u}[-1 - i]", "total = {u}[i].sum() * 0.3\n    {u}[i] -= total", "{u}[i:] *= 0.9\n    {u}[: i + 1] += {s}",
        "row = {u}[i]\n    row[...] = row * row\n    row += 0.1", "{u}[i] = max({s}, 0.4)", "if i == 1:\n        continue\n    {u}[i] /= 2 + {s} ** 2",
        "{u}[i], {u}[0] = {u}[0], {u}[i]", "for j in range(i):\n        {u}[i] += 0.3 * {u}[j]", "{u}[i] = {u}[i - 1 : i + 1].sum(axis=0) * 0.5",
    )).format(u=name, s=scalar, o=other)  # fmt: skip
    return f"for i in range({g.one_of((0, 1))}, {n}):\n    {inner}"


def while_loop(g: State) -> str | None:
    name = g.pick([n for n in g.data() if g.env[n].size])
    if name is None:
        return None
    step = g.one_of(("{n} *= 0.7", "{n} = {n} * 0.6 + 0.01", "{n} -= 0.3 * {n}", "{n} = {n} / (1 + np.abs({n}))")).format(n=name)
    count = f"n{g.count}"
    condition = f"np.abs({name}).max() > {g.one_of((0.31, 0.72))} and {count} < 6"
    return f"{count} = 0\nwhile {condition}:\n    {count} += 1\n    {step}" + g.one_of(("", f"\n{_block(g, 1)}"))


def branch(g: State) -> str | None:
    condition = _condition(g)
    other = f"\nelse:\n{_block(g, 2)}" if g.chance(0.6) else ""
    return condition and f"if {condition}:\n{_block(g, 2)}{other}"


def function(g: State) -> str | None:
    """A helper with an early exit, perhaps one that writes into its argument or has a plain buffer as a default."""
    name = g.pick(g.arrays())
    if name is None:
        return None
    helper = f"f{g.count}"
    body = g.one_of((
        "for i in range(4):\n        u = u * 0.6 + c\n        if np.abs(u).max() < 0.4:\n            return u\n    return u - c",
        "u = np.array(u)\n    u[:1] *= c\n    return u", "v = u[::-1]\n    v = v + c * u\n    return v", "u[...] = u * c\n    return u[1:]",
        "out = np.zeros(u.shape)\n    for i in range(len(u)):\n        out[i] = u[i] * c\n    return out",
        "return [u * c, u + c][1 if u.size > 2 else 0]", "out = []\n    for row in u:\n        out.append(row * c)\n    return np.array(out)",
        "parts = [c * v for v in u if np.sum(v).real > 0.5]\n    return np.stack(parts) if parts else u",
        "table = {'a': u, 'b': c * u}\n    return sum(table.values())", "return np.fromiter((v * c for v in u.ravel()), float)",
        "def inner(v):\n        return v * c\n    return inner(inner(u))", "return np.vectorize(lambda t: t * c if t > 0.6 else t)(u)",
        "return np.apply_along_axis(lambda r: r * r[:1] + c, -1, u)", "return np.piecewise(u, [u > 0.7], [lambda t: t * c, 0.5])",
        "return np.array([[v * c, 1.0] for v in u.flat])", "w = np.empty_like(u)\n    w[:] = u\n    w[-1] = c\n    return w",
        "it = iter(u)\n    first = next(it)\n    return first * c + sum(it)", "return np.asarray([np.sin(t) * c for t in u.ravel()[:3]])",
        "try:\n        u[0] = [1, 2, 3, 4, 5, 6, 7, 8, 9]\n    except (ValueError, TypeError):\n        u = u * c\n    return u",
    ))  # fmt: skip
    given = g.one_of(("", ", " + fitted(g, ()), ", c=1.2"))
    if "vectorize" in body and any(np.dtype(g.env[n].dtype).itemsize < 8 for n in g.data()):
        given = ""  # docs/leaks.md: the elements are scalars of NumPy's, which do not give way to single precision
    return f"def {helper}(u, c=0.8):\n    {body}\n{g.new()} = {helper}({name}{given})"


def steps(g: State) -> str | None:
    """A state that is advanced into a buffer of all times."""
    name = g.pick([n for n in g.arrays() if g.env[n].ndim == 1 and g.env[n].size > 1])
    if name is None:
        return None
    buffer, rate = g.new(), operand(g, name) if g.chance(0.3) else fitted(g, ())
    lines = g.one_of((
        "{b}[k + 1] = {b}[k] - 0.1 * {r} * {b}[k] ** 2", "np.multiply({b}[k], 0.9, out={b}[k + 1])\n    {b}[k + 1, 1:] -= 0.1 * {b}[k, :-1]",
        "u = {b}[k].copy()\n    u[1:-1] += 0.2 * (u[2:] - 2 * u[1:-1] + u[:-2])\n    {b}[k + 1] = u + 0.1 * {r}",
    )).format(b=buffer, r=rate)  # fmt: skip
    return f"{buffer} = np.zeros((4, {g.env[name].size}))\n{buffer}[0] = {name}\nfor k in range(3):\n    {lines}"


KINDS = {for_loop: 5, loop_over_rows: 6, while_loop: 2, branch: 5, function: 6, steps: 2}
