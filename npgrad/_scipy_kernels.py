"""What stands for the compiled functions of ``scipy.sparse`` while a tape records.

Its Python code is followed where tracked data comes in: these functions, which read the arrays that it makes and write into
them, are the only ones that it hands data to.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import BuiltinFunctionType
from typing import Any

import numpy as np

from ._constants import plain_copy
from ._dispatch import check_outside, tracking
from ._following import KERNELS, Kernel
from ._functions import exactly
from ._made_once import made_once
from ._record import apart, recording
from ._scipy import called_from, refuse_compiled
from ._traced import TracedArray, adopt, complete, traced_leaves, unwrap

_HOME = "scipy.sparse._sparsetools"


def is_kernel(value: Any) -> bool:
    return type(value) is BuiltinFunctionType and value.__module__ == _HOME


@made_once
def kernel_form(function: Callable) -> Callable:
    @functools.wraps(function)
    def in_place(*args: Any) -> Any:
        given = list(args)
        if not recording():
            check_outside(*traced_leaves(given))
            return function(*args)
        complete(given)
        leaves = traced_leaves(given)
        if not leaves:
            return function(*args)
        plain = [unwrap(plain_copy(value)) for value in given]
        if records := tracking(leaves):
            if function not in KERNELS:
                refuse_compiled(records, called_from(sys._getframe(1)))
            elif (kernel := KERNELS[function]) is not None:
                return _recorded(kernel, function, given, plain)
        result = function(*plain)
        for a, b in zip(given, plain, strict=True):
            if isinstance(a, TracedArray) and not np.array_equal(a._bare, b, equal_nan=True):
                a[...] = b
        return result

    return in_place


def _recorded(kernel: Kernel, function: Callable, given: list, plain: list) -> Any:
    known, exact, result = apart(kernel.run, function, plain)
    with np.errstate(all="ignore"):
        made = exactly(adopt(kernel.made(given, known)), exact)
    if kernel.out is None:
        return (*result[:-1], made)
    target = given[kernel.out]
    if not isinstance(target, TracedArray):
        refuse_compiled(tracking(traced_leaves(given)), called_from(sys._getframe(2)))
    target[: len(made)] = made
    return result
