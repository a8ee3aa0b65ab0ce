"""Statements that change memory: assignments, ``out=``, and functions that write."""

from __future__ import annotations

import numpy as np

from .pieces import fitted, key, mask, operand
from .reads import BINARY, UNARY
from .state import State

TWO_RESULTS = ("modf", "special.sici", "special.fresnel", "special.shichi", "special.sici")
_OPERATORS = ("+=", "-=", "*=", "/=", "+=", "*=", "**=", "%=", "@=", "//=")


def _target(g: State) -> str | None:
    return g.pick(g.arrays(writeable=True))


def _shape_of(g: State, text: str) -> tuple | None:
    try:
        return np.shape(g.eval(text))
    except (IndexError, ValueError, TypeError):
        return None


def assign(g: State) -> str | None:
    name = _target(g)
    if name is None:
        return None
    where = key(g, g.env[name].shape)
    shape = _shape_of(g, f"{name}[{where}]")
    if shape is None:
        return None
    value = g.one_of((fitted(g, shape), fitted(g, shape), fitted(g, shape) + " * 0.5", g.number(), f"{name}[{where}] ** 2"))
    return f"{name}[{where}] = {value}"


def assign_operator(g: State) -> str | None:
    name = _target(g)
    if name is None:
        return None
    where = key(g, g.env[name].shape)
    shape = _shape_of(g, f"{name}[{where}]")
    return None if shape is None else f"{name}[{where}] {g.one_of(_OPERATORS)} {fitted(g, shape) if g.chance(0.8) else g.number()}"


def operator(g: State) -> str | None:
    """In place where the variable is an array, a new value where it is a number."""
    name = g.pick(g.arrays(writeable=True) + [n for n in g.data() if g.env[n].ndim == 0])
    return name and f"{name} {g.one_of(_OPERATORS)} {operand(g, name)}"


def into(g: State) -> str | None:
    """``out=`` of ufuncs and functions, an array or a part of one, perhaps among the inputs."""
    name = _target(g)
    if name is None:
        return None
    where = f"[{key(g, g.env[name].shape, basic=True)}]" if g.chance(0.4) else ""
    shape = _shape_of(g, name + where)
    if not shape:
        return None  # an element of an array is no array to write into
    out = f"out={name}{where}" if g.chance(0.9) else f"out=({name}{where},)"
    first, second = fitted(g, shape), fitted(g, shape)
    where = f", where={mask(g, shape)}" if g.chance(0.25) else ""
    running = first if shape and _shape_of(g, first) == shape else name
    call = g.one_of((
        f"{g.one_of(UNARY)}({first}, {out}{where})", f"{g.one_of(BINARY)}({first}, {second}, {out}{where})",
        f"cumsum({running}, axis=-1, out={running})", f"multiply({first}, {g.number()}, {out}{where})",
        f"add({name}, {second}, {out})", f"sum({first}, axis=0, {out})", f"clip({first}, -0.6, 1.1, {out})",
        f"{g.one_of(BINARY)}({first}, {second}, {out})", f"take({first}, [0], axis=0, {out})", f"concatenate([{first}], {out})",
        f"matmul({first}, {second}, {out})", f"add.accumulate({running}, out={running})", f"dot({first}, {second}, {out})",
        f"mean({first}, axis=0, {out})", f"maximum.reduce({first}, axis=0, {out})", f"einsum('...->...', {first}, {out})",
        f"stack([{first}, {first}], {out})", f"choose([0, 1], [{first}, {second}], {out})",
        f"{g.one_of(TWO_RESULTS)}({first}, {first}, {name})", f"modf({first}, out=({name}, None))", f"{g.one_of(UNARY)}({first}, {name})",
        f"divmod({first}, 0.37, {name}, {first})", f"logaddexp.outer({first}, {second}, {out})", f"power({first}, 2, {name})",
    ))  # fmt: skip
    call = call if call.startswith("special") else f"np.{call}"
    return (f"{g.new()} = " if g.chance(0.2) and "modf" not in call else "") + call


def method(g: State) -> str | None:
    name = _target(g)
    if name is None:
        return None
    value = g.env[name]
    size, n = value.size, value.shape[0]
    flat = g.rng.integers(-size, size, 3).tolist() if size else []
    rows = g.rng.integers(-n, n, 3).tolist() if n else []
    other = g.pick() or "0.5"
    part = f"{name}[{key(g, value.shape, basic=True)}]" if g.chance(0.3) else name
    return g.one_of((
        f"{part}.sort(axis=-1)", f"{part}.fill({fitted(g, ())})", f"{name}.put({flat}, {other})", f"{part}.partition(0, axis=-1)",
        f"np.put({part}, {flat}, {other})", f"np.copyto({part}, {fitted(g, value.shape)}, where={mask(g, value.shape)})",
        f"np.copyto({part}, {fitted(g, value.shape)})", f"np.putmask({name}, {mask(g, value.shape)}, {other})",
        f"np.place({name}, {mask(g, value.shape)}, {other})", f"np.fill_diagonal({name}, {fitted(g, ())})",
        f"np.{g.one_of(('add', 'subtract', 'multiply', 'divide', 'maximum'))}.at({part}, {rows}, {fitted(g, (3, *value.shape[1:]))})",
        f"np.add.at({name}, ({rows}, 0), {fitted(g, (3,))})", f"{name}.flat[{g.one_of(('::2', '1:', '0', flat))}] = {other}",
        f"{name}.flat = {other}", f"{name}.real = {fitted(g, value.shape)}", f"{name}.imag = {fitted(g, value.shape)}",
        f"{name}.real[...] *= {fitted(g, value.shape)}", f"np.put_along_axis({name}, np.argsort({name}.real, axis=-1)[..., :1], {fitted(g, ())}, -1)",
        f"np.sin.at({name}, {rows})", f"np.multiply.at({name}, {mask(g, value.shape)}, {fitted(g, ())})", f"np.negative.at({name}, {rows})",
        f"np.nan_to_num({part}, copy=False)", f"np.random.default_rng(0).shuffle({name})", f"{name}.T[...] += {fitted(g, value.shape[::-1])}",
        f"{name}.setfield({fitted(g, ())}, {name}.dtype)", f"{name}.reshape(-1)[1:] *= {fitted(g, ())}",
        f"np.real({name})[...] = 0.5", f"{name}[[0, -1]] = {name}[[-1, 0]]", f"{name}[1:] += {name}[:-1]", f"{name}[:] = {name}[::-1]",
        f"{name}.ravel()[:1] = {fitted(g, (1,))}", f"np.copyto({name}, 0.3, where={name}.real > 0.8)",
        f"{name}[{name}.real > 0.7] -= 0.3", f"{name}[...], {name}[::-1] = {fitted(g, value.shape)}, {fitted(g, value.shape)}",
    ))  # fmt: skip


def constant_changed(g: State) -> str | None:
    """A plain array from before the tape, changed by plain data after it was used."""
    names = [name for name in g.env if name[0] in "KP" and isinstance(g.env[name], np.ndarray) and g.env[name].ndim and g.env[name].size]
    name = g.pick(names)
    if name is None:
        return None
    forms = ("{}[...] *= 2", "{}[0] = 3", "{}[...] = 1", "np.add({0}, 1, out={0})", "{}.sort(axis=0)", "{}.fill(1)", "{}[::2] += 1", "{}[:] = 1")
    return g.one_of(forms).format(name)


def forget(g: State) -> str | None:
    """A name that is given to something else, or deleted: the memory may go on in views."""
    name = g.pick()
    if name is None or len(g.data()) < 4:
        return None
    return g.one_of((f"del {name}", f"{name} = {name} * 1.5", f"{name} = {fitted(g, g.env[name].shape)}", f"{g.new()} = {name}"))


KINDS = {assign: 16, assign_operator: 12, operator: 8, into: 12, method: 14, constant_changed: 2, forget: 3}
