"""Statements that make new variables: creation, arithmetic, reductions, views, indexing."""

from __future__ import annotations

import numpy as np

from npgrad._registry import RULES

from .pieces import axis, fitted, key, mask, operand, shaped
from .state import SHAPES, State

_UFUNCS = tuple(f for f in RULES if isinstance(f, np.ufunc) and getattr(np, f.__name__, None) is f)
UNARY = sorted(f.__name__ for f in _UFUNCS if f.nin == 1 and f.nout == 1)
BINARY = sorted(f.__name__ for f in _UFUNCS if f.nin == 2 and f.nout == 1 and f.signature is None)
FLOATS = ("np.float32", "float", "complex", "np.complex64", "np.longdouble", "np.float16")


def _kinds(g: State) -> tuple[str, ...]:
    if g.style == "plain":
        return ("float",)
    return ("float", "complex") if g.style == "complex" else FLOATS


# --- Creation ------------------------------------------------------------------------------------------------------


def create(g: State) -> str:
    shape = g.one_of(SHAPES)
    order = g.one_of(("", "", ', order="F"'))
    dtype = g.one_of(("", f", dtype={g.one_of(_kinds(g))}"))
    form = g.one_of(("zeros", "ones", "full", "like", "full_like", "empty"))
    if form == "full":
        return f"{g.new()} = np.full({shape}, {fitted(g, shape) if g.chance(0.6) else '0.5'}{dtype}{order})"
    if form == "empty":
        name = g.new()
        return f"{name} = np.empty({shape}{dtype}{order})\n{name}[...] = {fitted(g, shape)}"
    name = g.pick()
    if form in ("like", "full_like") and name:
        extra = dtype + g.one_of(("", ', order="F"', ', order="C"', ", subok=False"))
        if form == "full_like":
            return f"{g.new()} = np.full_like({name}, {fitted(g, g.env[name].shape)}{extra})"
        return f"{g.new()} = np.{g.one_of(('zeros_like', 'ones_like'))}({name}{extra})"
    return f"{g.new()} = np.{'zeros' if form == 'zeros' else 'ones'}({shape}{dtype}{order})"


def of_integers(g: State) -> str:
    """A buffer that begins as integers or truth values, and is then written into."""
    name = g.pick()
    shape = g.env[name].shape if name and g.chance(0.6) else g.one_of(SHAPES)
    forms = [
        "np.zeros({s}, int) * 0.5", "np.arange({n}).reshape({s}) / 2", "np.ones({s}, bool) + 0.5", "np.full({s}, 2) ** 0.5",
        "np.arange({n}).reshape({s}).astype(float)", "np.float64(1.5) * np.ones({s}, int)",
    ]  # fmt: skip
    if name and g.env[name].shape == shape:
        forms += [
            "1.0 + ({a}.real > 0.5)", "(0.7 < {a}.real).astype(float)", "np.isfinite({a}) * 1.0", "np.signbit({a}.real) / 2",
            "({a}.real > 0.5) * 1.5", "0.5 * ~({a}.real > 0.5)", "np.sqrt(np.ones_like({a}, dtype=int))",
        ]  # fmt: skip
    new = g.new()
    made = f"{new} = {g.one_of(tuple(forms)).format(s=shape, n=int(np.prod(shape)), a=name)}"
    if not shape:
        return made
    write = g.one_of(("{b}[...] = {v}", "{b}[1:] = {v}", "{b} += {v}", "np.copyto({b}, {v})", "{b}[{m}] = {w}", "{b}[{m}] *= {w}"))
    written = fitted(g, shape[:0] if "1:" in write else shape)
    return f"{made}\n{write.format(b=new, v=written, w=fitted(g, ()), m=mask(g, shape))}"


def assemble(g: State) -> str | None:
    """np.array of scalars and rows, as programs write matrices."""
    n = int(g.rng.integers(1, 4))
    arrays = [name for name in g.data() if g.env[name].size]
    if not arrays:
        return None

    def scalar() -> str:
        name = g.pick(arrays)
        value = g.env[name]
        if not value.ndim:
            return name
        index = tuple(int(g.rng.integers(k)) for k in value.shape)
        return g.one_of((f"{name}[{', '.join(map(str, index))}]", f"2 * {name}.flat[{int(g.rng.integers(value.size))}]", "0.5", "1"))

    rows = [[scalar() for _ in range(n)] for _ in range(int(g.rng.integers(1, 3)))]
    text = f"[{', '.join(rows[0])}]" if len(rows) == 1 else f"[{', '.join('[' + ', '.join(r) + ']' for r in rows)}]"
    return f"{g.new()} = np.{g.one_of(('array', 'array', 'asarray', 'stack', 'asfortranarray'))}({text})"


def copied(g: State) -> str | None:
    name = g.pick()
    form = g.one_of((
        "{}.copy()", "np.array({})", "np.asarray({})", 'np.array({}, order="F")', "np.ascontiguousarray({})", "{}.copy('F')",
        "np.copy({})", "np.asanyarray({})", "np.array({}, copy=False)", "np.array({}, ndmin=3)", "+{}", "np.require({}, requirements='C')",
        "{}.__copy__()", "np.asarray({}, order='F')", "np.array([{}, {}])", "np.asarray_chkfinite({})",
    ))  # fmt: skip
    return name and f"{g.new()} = {form.replace('{}', name)}"


def cast(g: State) -> str | None:
    name = g.pick()
    dtype = g.one_of(_kinds(g))
    form = g.one_of(("{n}.astype({d})", "np.asarray({n}, {d})", "np.array({n}, dtype={d})", "np.astype({n}, np.dtype({d}))",
                     "{n}.astype({d}, copy=False)", "{n}.astype({d}, order='F')"))  # fmt: skip
    return name and f"{g.new()} = {form.format(n=name, d=dtype)}"


# --- Arithmetic ----------------------------------------------------------------------------------------------------


def arithmetic(g: State) -> str | None:
    name = g.pick()
    if name is None:
        return None
    other = operand(g, name)
    operator = g.one_of(("+", "-", "*", "/", "*", "-", "**", "%", "//"))
    first, second = (name, other) if g.chance(0.7) else (other, name)
    return f"{g.new()} = {first} {operator} {second}"


def formula(g: State) -> str | None:
    """Some calls in one expression, with values that nobody keeps."""
    name = g.pick()
    if name is None:
        return None
    other = operand(g, name)
    return f"{g.new()} = " + g.one_of((
        f"np.sin({name}) * {other} + {name} ** 2", f"np.exp(-np.square({name})) - {other}", f"({name} + {other}) / (1 + {name} * {name})",
        f"np.sqrt(1 + {name} ** 2) * {other}", f"-{name} * 0.5 + np.tanh({other})", f"abs({name}) + {other}",
        f"np.where({name}.real > 0.6, {name} * 2, {other})", f"np.log(2 + np.cos({name})) @ np.atleast_1d({name}).T",
        f"{name} * {name} * {name} - {other}", f"np.maximum({name}, {other}) + np.minimum({name}, 0.9)",
        f"np.clip({name}, -0.55, {other})", f"divmod({name}, 0.37)[1] + {other}", f"pow({name}, 2) - {other}",
    ))  # fmt: skip


def unary(g: State) -> str | None:
    name = g.pick()
    return name and f"{g.new()} = np.{g.one_of(UNARY)}({name}{_settings(g, name)})"


def binary(g: State) -> str | None:
    name = g.pick()
    return name and f"{g.new()} = np.{g.one_of(BINARY)}({name}, {operand(g, name)}{_settings(g, name)})"


def _settings(g: State, name: str) -> str:
    shape = g.env[name].shape
    if g.chance(0.1):
        return f", where={mask(g, shape)}, out=np.{g.one_of(('zeros', 'ones'))}({shape}, dtype={name}.dtype)"
    if g.chance(0.05) and g.style != "plain":
        return f", dtype={g.one_of(_kinds(g))}"
    return g.one_of((f", out=np.empty({shape})", f", out={g.pick()}", ', order="F"')) if g.chance(0.08) else ""


def two_results(g: State) -> str | None:
    name = g.pick()
    form = g.one_of(("np.modf({})", "np.frexp({})", "divmod({}, 0.37)", "np.divmod({}, 0.7)", "({0}.real, {0}.imag)"))
    return name and f"{g.new()}, {g.new()} = {form.format(name)}"


def scalars(g: State) -> str | None:
    """Numbers as Python code treats them."""
    names = [name for name in g.data() if g.env[name].ndim == 0 and g.env[name].dtype.kind == "f"]
    name = g.pick(names)
    form = g.one_of((
        "math.sin({n})", "math.sqrt(1 + {n} * {n})", "math.exp(-abs({n}))", "math.hypot({n}, 0.5)", "math.pow(1 + abs({n}), 1.5)",
        "math.atan2({n}, 2.0)", "max({n}, 0.5)", "min({n}, {m})", "sum([{n}, {m}, 1.0])", "{n} if {n} > {m} else {m} * 2",
        "abs({n})", "math.fsum([{n}, {m}])", "math.log({n} * {n} + 1)", "math.fmod({n}, 0.3)", "math.copysign({n}, -1)",
        "round({n}, 1) + {n}", "math.prod([{n}, 2.0, {m}])", "{n} + int({n} * 3)", "np.float64({n})", "float({n})",
        "sorted([{n}, {m}, 0.4])[1]", "math.dist([{n}], [{m}])", "{n}.conjugate()", "math.cos({n}) ** 2", "complex({n}, 1.0)",
    ))  # fmt: skip
    return name and f"{g.new()} = np.asarray({form.format(n=name, m=g.pick(names))})[()]"


# --- Reductions ----------------------------------------------------------------------------------------------------

_METHODS = ("sum", "mean", "prod", "max", "min", "std", "var", "cumsum", "cumprod", "any", "argmax", "trace")
_NAMES = (
    "sum", "mean", "prod", "max", "min", "std", "var", "ptp", "median", "nansum", "nanmean", "cumsum", "cumprod",
    "amax", "nanmax", "nanvar", "linalg.norm", "average", "logaddexp.reduce", "add.reduce", "multiply.reduce",
    "maximum.reduce", "add.accumulate", "multiply.accumulate", "sort", "diff", "nanmedian", "flip", "cumulative_sum", "gradient",
    "trapezoid", "count_nonzero", "argsort", "hypot.reduce", "minimum.accumulate", "subtract.reduce", "divide.accumulate",
)  # fmt: skip
_OPTIONS = ("keepdims=True", "ddof=1", "initial=0.5", "dtype=float", "axis=(0, 1)", "where={m}", "out=np.empty({s})", "ord=3", "n=1")


def reduction(g: State) -> str | None:
    name = g.pick()
    if name is None:
        return None
    value = g.env[name]
    options = [f"axis={axis(g, value.ndim)}"] if g.chance(0.75) else []
    if g.chance(0.35):
        options.append(g.one_of(_OPTIONS).format(m=mask(g, value.shape), s=value.shape[1:]))
    if g.chance(0.5):
        return f"{g.new()} = {name}.{g.one_of(_METHODS)}({', '.join(options)})"
    return f"{g.new()} = np.{g.one_of(_NAMES)}({', '.join([name, *options])})"


def ufunc_method(g: State) -> str | None:
    name = g.pick(g.arrays())
    if name is None:
        return None
    ufunc = g.one_of(("add", "multiply", "maximum", "subtract", "minimum", "divide", "hypot", "logaddexp", "power"))
    n = g.env[name].shape[0]
    places = g.rng.integers(0, max(n, 1), g.one_of((1, 2, 3))).tolist()
    return f"{g.new()} = " + g.one_of((
        f"np.{ufunc}.outer({name}, {operand(g, name)})", f"np.{ufunc}.reduceat({name}, {places})",
        f"np.{ufunc}.accumulate({name}, axis={axis(g, g.env[name].ndim, False)})", f"np.add.reduceat({name}, {places}, axis=-1)",
        f"np.multiply.reduce({name}, axis={axis(g, g.env[name].ndim)}, keepdims=True)",
    ))  # fmt: skip


def product(g: State) -> str | None:
    name = g.pick(g.arrays())
    if name is None:
        return None
    value = g.env[name]
    other = shaped(g, (value.shape[-1],)) if g.chance(0.5) else f"{name}.T"
    constant = g.constant(g.random((value.shape[-1], 2)))
    letters = "ijklm"[: value.ndim]
    return f"{g.new()} = " + g.one_of((
        f"{name} @ {other}", f"np.dot({name}, {other})", f"{name}.dot({other})", f"{name} @ {constant}", f"np.inner({name}, {other})",
        f"{constant}.T @ {name}", f"np.einsum('{letters}->{letters[::-1]}', {name})", f"np.einsum('{letters},{letters}', {name}, {name})",
        f"np.tensordot({name}, {other}, 1)", f"np.vdot({name}, {name})", f"np.outer({name}, {other})", f"np.matmul({name}, {constant})",
        f"np.einsum('...{letters[-1]},{letters[-1]}', {name}, {other})", f"np.kron({name}, {g.number()})", f"np.vecdot({name}, {other})",
        f"{constant}.dot({name})", f"np.linalg.multi_dot([{name}.T, {name}, {constant}])", f"np.matvec({name}, {other})",
    ))  # fmt: skip


# --- Views and indexing --------------------------------------------------------------------------------------------


def view(g: State) -> str | None:
    name = g.pick(g.arrays())
    if name is None:
        return None
    value = g.env[name]
    n, size = value.ndim, value.size
    first, second = (int(a) for a in g.rng.integers(-n, n, 2))
    forms = [
        f"{name}.T", f"{name}.ravel('{g.one_of('CFAK')}')", f"{name}.reshape(-1)", f"{name}.reshape(-1, order='{g.one_of('CFA')}')",
        f"{name}.reshape({size // 2 if size % 2 == 0 else 1}, -1)", f"{name}.transpose()", f"np.swapaxes({name}, {first}, {second})",
        f"np.moveaxis({name}, {first}, {second})", f"{name}.squeeze()", f"np.expand_dims({name}, {first})", f"np.flip({name}, {first})",
        f"{name}.view()", f"{name}[...]", f"np.atleast_2d({name})", f"np.atleast_3d({name})", f"{name}.flatten('{g.one_of('CFAK')}')",
        f"np.broadcast_to({name}, (2, *{name}.shape))", f"{name}.real", f"{name}.imag", f"np.real({name})", f"np.fliplr({name})",
        f"np.lib.stride_tricks.sliding_window_view({name}, {g.one_of((1, 2))}, axis={first})", f"{name}.diagonal()", f"np.rot90({name})",
        f"np.diagonal({name}, {first})", f"np.diag({name})", f"np.split({name}, [{g.one_of((1, 2))}], axis={first})[{g.one_of((0, 1))}]",
        f"np.rollaxis({name}, {first})", f"{name}.mT", f"np.hsplit({name}, 2)[1]", f"{name}[{key(g, value.shape, True)}]",
        f"np.permute_dims({name}, {tuple(int(a) for a in g.rng.permutation(n))})", f"{name}.view({name}.dtype)", f"{name}.view(float)",
        f"np.triu({name})", f"np.unstack({name}, axis={first})[0]", f"np.broadcast_arrays({name}, 1.0)[0]", f"{name}.flat[:]",
        f"np.lib.stride_tricks.as_strided({name}, {value.shape}, {value.strides})", f"next(iter({name}))", f"list({name})[-1]",
        f"np.ravel({name}, 'K')", f"np.matrix_transpose({name})", f"{name}.swapaxes(0, -1)", f"np.nan_to_num({name}, copy=False)",
    ]  # fmt: skip
    return f"{g.new()} = {g.one_of(forms)}"


def indexing(g: State) -> str | None:
    name = g.pick(g.arrays())
    if name is None:
        return None
    value = g.env[name]
    n, size = value.shape[0], value.size
    numbers = g.rng.integers(-n, n, g.one_of((1, 3, 4))).tolist() if n else []
    flat = g.rng.integers(-size, size, 3).tolist() if size else []
    if g.chance(0.6):
        return f"{g.new()} = {name}[{key(g, value.shape)}]"
    return f"{g.new()} = " + g.one_of((
        f"np.take({name}, {numbers}, axis=0)", f"{name}.take({flat})", f"np.compress({mask(g, (n,))}, {name}, axis=0)",
        f"{name}[np.ix_(*[[-1, 0]] * {value.ndim})]", f"np.extract({mask(g, value.shape)}, {name})", f"{name}.repeat(2, axis=0)",
        f"np.take_along_axis({name}, np.argsort({name}.real, axis=-1), axis=-1)", f"{name}[np.nonzero({name}.real > 0.5)]",
        f"{name}[{name}.real > {g.number()}]", f"np.choose([1, 0], [{name}, 2 * {name}])", f"{name}.flat[{flat}]", f"np.roll({name}, 1)",
        f"{name}[np.argmax({name}.real) % {n or 1}]", f"np.where({mask(g, value.shape)}, {name}, {fitted(g, value.shape)})",
        f"{name}[{numbers}, ..., 0]", f"np.select([{name}.real > 0.5], [{name}], 0.5)", f"np.take({name}, {flat}, mode='wrap')",
        f"np.partition({name}, 0, axis=-1)", f"np.unique({name})", f"np.delete({name}, 0, axis=0)", f"np.pad({name}, 1, mode='reflect')",
        f"np.interp({name}.real, [0.0, 0.8, 2.0], [1.0, 0.3, 0.5])", f"np.tile({name}, 2)", f"np.array({name})[::-1]",
    ))  # fmt: skip


def join(g: State) -> str | None:
    first, second = g.pick(), g.pick()
    if first is None or second is None:
        return None
    other = shaped(g, g.env[first].shape) or second
    form = g.one_of((
        "np.concatenate([{a}, {b}])", "np.stack([{a}, {b}], axis=-1)", "np.hstack([{a}, {b}])", "np.vstack([{a}, {b}])",
        "np.concatenate([{a}, {b}], axis=None)", "np.concatenate(({a}.ravel(), {c}.ravel()))", "np.append({a}, {c})", "np.c_[{a}, {b}]",
        "np.r_[{a}, {c}]", "np.column_stack([{a}, {b}])", "np.block([[{a}, {b}]])", "np.array([{a}, {b}])", "np.dstack(({a}, {b}))",
        "np.meshgrid({a}, {c})[1]", "np.insert({a}, 0, {b})", "np.concatenate([{a}, {b}], axis=-1, dtype=complex)",
    ))  # fmt: skip
    return f"{g.new()} = {form.format(a=first, b=other, c=second)}"


KINDS = {
    create: 7, of_integers: 4, assemble: 4, copied: 6, cast: 3, arithmetic: 14, formula: 10, unary: 8, binary: 8, two_results: 2, scalars: 4,
    reduction: 9, ufunc_method: 3, product: 5, view: 14, indexing: 12, join: 5,
}  # fmt: skip
