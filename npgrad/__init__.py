"""Differentiate NumPy programs as they stand, with the interface of TensorFlow's GradientTape.

>>> import numpy as np, npgrad as ng
>>> with ng.GradientTape() as tape:
...     x = tape.watch(np.array([1.0, 2.0]))
...     y = np.sum(x ** 3)
>>> tape.gradient(y, x)
array([ 3., 12.])
>>> ng.grad(lambda x: np.sum(x ** 3))(np.array([1.0, 2.0]))
array([ 3., 12.])

Each name has help of its own, ``help(npgrad.grad)``:

- of a program: GradientTape, ForwardAccumulator, Variable, TracedArray, array, constant, stop_gradient, instrument,
  UnconnectedGradients
- of a function: grad, value_and_grad, jacobian, value_and_jacobian, hessian, jvp, vjp, hvp, linearize, for_solver
- sparse: sparse_jacobian, sparse_hessian, jacobian_sparsity, SparseMatrix, SparsityPattern
- derivatives of one's own: custom_gradient, npgrad.extend, implicit, black_box; less memory: checkpoint, checkpoint_loop
- is it right: compare, Comparison, MethodResult, check_leaks, npgrad.testing, npgrad.finite_difference
- errors and warnings: LeakError, NoRuleError, NonFiniteError, LeakWarning, DegenerateWarning, BlackBoxWarning
"""

import importlib as _importlib
import typing as _typing

if _typing.TYPE_CHECKING:
    from . import extend as extend, finite_difference as finite_difference, testing as testing
    from ._black_box import BlackBoxWarning as BlackBoxWarning, black_box as black_box
    from ._checkpoint import checkpoint as checkpoint, checkpoint_loop as checkpoint_loop
    from ._compare import Comparison as Comparison, MethodResult as MethodResult, compare as compare
    from ._constants import array as array, constant as constant, stop_gradient as stop_gradient
    from ._custom import custom_gradient as custom_gradient
    from ._endpoints import UnconnectedGradients as UnconnectedGradients
    from ._finite import NonFiniteError as NonFiniteError
    from ._forward import ForwardAccumulator as ForwardAccumulator
    from ._functional import (
        grad as grad,
        jacobian as jacobian,
        value_and_grad as value_and_grad,
        value_and_jacobian as value_and_jacobian,
    )
    from ._implicit import implicit as implicit
    from ._instrument import instrument as instrument
    from ._leak_search import check_leaks as check_leaks
    from ._leaks import (
        DegenerateWarning as DegenerateWarning,
        LeakError as LeakError,
        LeakWarning as LeakWarning,
        NoRuleError as NoRuleError,
    )
    from ._products import hessian as hessian, hvp as hvp, jvp as jvp, linearize as linearize, vjp as vjp
    from ._solvers import for_solver as for_solver
    from ._sparse import (
        jacobian_sparsity as jacobian_sparsity,
        sparse_hessian as sparse_hessian,
        sparse_jacobian as sparse_jacobian,
    )
    from ._sparse_matrix import SparseMatrix as SparseMatrix, SparsityPattern as SparsityPattern
    from ._tape import GradientTape as GradientTape
    from ._traced import TracedArray as TracedArray
    from ._variable import Variable as Variable

__version__ = "0.1.0"

# Where each name is, and loaded when it is first asked for, with all that recording needs: a program that takes gradients
# need not wait for the tools, and one that takes none in this run need not wait at all.
_WHERE = {
    name: module
    for module, names in {
        "": "extend finite_difference testing",
        "_black_box": "BlackBoxWarning black_box",
        "_checkpoint": "checkpoint checkpoint_loop",
        "_compare": "Comparison MethodResult compare",
        "_constants": "array constant stop_gradient",
        "_custom": "custom_gradient",
        "_endpoints": "UnconnectedGradients",
        "_finite": "NonFiniteError",
        "_forward": "ForwardAccumulator",
        "_functional": "grad jacobian value_and_grad value_and_jacobian",
        "_implicit": "implicit",
        "_instrument": "instrument",
        "_leak_search": "check_leaks",
        "_leaks": "DegenerateWarning LeakError LeakWarning NoRuleError",
        "_products": "hessian hvp jvp linearize vjp",
        "_solvers": "for_solver",
        "_sparse": "jacobian_sparsity sparse_hessian sparse_jacobian",
        "_sparse_matrix": "SparseMatrix SparsityPattern",
        "_tape": "GradientTape",
        "_traced": "TracedArray",
        "_variable": "Variable",
    }.items()
    for name in names.split()
}

if not _typing.TYPE_CHECKING:  # who reads the names above
    __all__ = sorted(_WHERE)


def __getattr__(name: str) -> _typing.Any:
    load = _importlib.import_module
    if name not in _WHERE:
        try:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        except AttributeError as error:
            load("._tracebacks", __name__).shorten(error)
            raise
    module = _WHERE[name]
    with load("._collector", __name__).seldom():
        load("._entry_points", __name__)
        found = load(f".{module or name}", __name__)
    value = globals()[name] = getattr(found, name) if module else found
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
