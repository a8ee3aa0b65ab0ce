"""Functions that need no derivative, and those that have none: which, and why."""

from __future__ import annotations

import numpy as np

from .._compat import numpy_ufuncs
from .._libraries import Library
from .._registry import RULES, unsupported, zero

# --- Zero: piecewise constant, or not numeric ----------------------------------------------------------------------

# Ufuncs that never make floating or complex numbers: comparisons, predicates, bits, integers, texts.
zero(*[
    ufunc
    for ufunc in numpy_ufuncs()
    if ufunc not in RULES and not any(set(loop.split("->")[1]) & set(np.typecodes["AllFloat"]) for loop in ufunc.types)
])  # fmt: skip

zero(
    np.floor, np.ceil, np.trunc, np.rint, np.fix, np.round, np.around, np.floor_divide, np.spacing,
    *[ufunc for ufunc in numpy_ufuncs() if ufunc.__name__ == "_ones_like"],
)  # fmt: skip
# Truth values.
zero(
    np.all, np.any, np.isposinf, np.isneginf, np.isreal, np.iscomplex, np.isrealobj, np.iscomplexobj, np.isin,
    np.allclose, np.isclose, np.array_equal, np.array_equiv, np.may_share_memory, np.shares_memory, np.can_cast,
    np.is_busday,
    *[function for name in ("in1d",) if (function := getattr(np, name, None))],  # until NumPy 2.3
)  # fmt: skip
# Numbers of elements, places of elements, orders.
zero(
    np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.argsort, np.argpartition, np.lexsort, np.searchsorted,
    np.digitize, np.nonzero, np.flatnonzero, np.argwhere, np.count_nonzero, np.unravel_index, np.ravel_multi_index,
    np.diag_indices_from, np.tril_indices_from, np.triu_indices_from, np.packbits, np.unpackbits, np.busday_count,
    np.busday_offset,
)  # fmt: skip
# New arrays of which only shape and type come from the argument.
zero(np.zeros_like, np.ones_like, np.empty_like)
# Shapes, types and plans.
zero(np.shape, np.ndim, np.size, np.result_type, np.min_scalar_type, np.common_type, np.einsum_path)
# Texts and files: they hold values.
zero(
    np.array2string, np.array_repr, np.array_str, np.datetime_as_string, np.save, np.savetxt, np.savez,
    np.savez_compressed,
)  # fmt: skip
for _module in ("numpy.char", "numpy.strings"):  # which NumPy loads when they are asked for
    Library(_module).all_dispatched(zero)

# --- Unsupported ---------------------------------------------------------------------------------------------------

_FIELDS = "fields of structured arrays are not followed"
Library("numpy.lib.recfunctions").all_dispatched(lambda *functions: unsupported(_FIELDS, *functions))
