"""Variable: a named array that tapes watch by themselves."""

from __future__ import annotations

import itertools
import weakref
from typing import Any

import numpy as np

from ._moves import copied, protect
from ._record import recording
from ._storage import NOTHING, Storage
from ._tracebacks import public
from ._traced import TracedArray, is_inexact, unwrap

_construction_order = itertools.count()


class VariableStorage(Storage):
    __slots__ = ("_variable", "watch_when_used")
    is_variable = True

    _variable: weakref.ref
    watch_when_used: bool

    @property
    def variable(self) -> Any:
        return self._variable()


class Variable(TracedArray):
    """An array of parameters: a recording tape that sees it used watches it.

    Parameters
    ----------
    value : array_like of a floating or complex dtype
        The initial value; it is copied.
    trainable : bool
        Whether tapes watch it by themselves. Otherwise only ``tape.watch(variable)`` does.
    name : str, optional
        For printing.
    dtype : dtype, optional
        A floating or complex dtype to cast the value to.

    Raises
    ------
    TypeError
        If the value is not floating or complex.

    Examples
    --------
    >>> import npgrad as ng
    >>> w = ng.Variable(3.0)
    >>> with ng.GradientTape() as tape:
    ...     loss = w * w
    >>> tape.gradient(loss, w)
    np.float64(6.0)
    """

    __slots__ = ("name", "number")

    name: str
    number: int

    def _class_for(self, frame: Any) -> type:
        """A Variable passes for nothing else."""
        return type(self)

    @public
    def __new__(cls, value: Any, trainable: bool = True, name: str | None = None, dtype: Any = None) -> Variable:
        plain = np.array(unwrap(value), dtype=dtype)
        if not is_inexact(plain.dtype):
            raise TypeError(f"a Variable must be floating or complex, got {plain.dtype}: use value.astype(float)")
        variable = plain.view(cls)
        storage = VariableStorage()
        storage.tracked = NOTHING
        storage.epoch = None
        storage.shape = plain.shape
        storage.dtype = plain.dtype
        storage.watch_when_used = trainable
        storage._variable = weakref.ref(variable)
        variable._bare = plain
        variable._storage = storage
        variable._view = None
        variable.number = next(_construction_order)
        variable.name = name if name is not None else f"Variable:{variable.number}"
        return variable

    @property
    def trainable(self) -> bool:
        """Whether tapes watch it by themselves."""
        return self._storage.watch_when_used  # type: ignore[attr-defined]

    @public
    def assign(self, value: Any) -> Variable:
        """Give it a new value. This is not differentiated: what was computed or copied from it before keeps its value.

        The values are written into the memory of the Variable, as by ``variable[...] = value`` but unrecorded. Views of it
        (``v[:1]``, ``v.T``, the rows of ``for row in v``) look at that memory, as NumPy's do, and show the new values:
        ``v[:1].copy()`` keeps the old ones.

        Parameters
        ----------
        value : array_like
            Of the variable's shape, or broadcast to it.

        Returns
        -------
        The variable.

        Raises
        ------
        TypeError
            For complex values of a real variable.
        ValueError
            For a shape that does not fit.

        Examples
        --------
        >>> import npgrad as ng
        >>> w = ng.Variable([1.0, 2.0])
        >>> with ng.GradientTape() as tape:
        ...     loss = (w * w).sum()
        >>> w.assign([5.0, 6.0]).numpy()
        array([5., 6.])
        >>> tape.gradient(loss, w)
        array([2., 4.])
        """
        new = np.asarray(unwrap(value))
        if not np.can_cast(new.dtype, self.dtype, "same_kind"):
            raise TypeError(
                f"cannot assign {new.dtype} values to the Variable {self.name!r} of dtype {self.dtype}: cast them first"
            )
        if new.ndim > self.ndim or any(n not in (1, m) for n, m in zip(new.shape[::-1], self.shape[::-1], strict=False)):
            raise ValueError(
                f"cannot assign shape {new.shape} to the Variable {self.name!r} of shape {self.shape}: make a new one"
            )
        protect(self)
        self._bare[...] = new
        return self

    @public
    def assign_add(self, delta: Any) -> Variable:
        """Add to the value; see `assign`.

        Examples
        --------
        >>> import npgrad as ng
        >>> ng.Variable(2.0).assign_add(1.0).numpy()
        array(3.)
        """
        return self.assign(self._bare + unwrap(delta))

    @public
    def assign_sub(self, delta: Any) -> Variable:
        """Subtract from the value; see `assign`.

        Examples
        --------
        >>> import npgrad as ng
        >>> ng.Variable(2.0).assign_sub(0.5).numpy()
        array(1.5)
        """
        return self.assign(self._bare - unwrap(delta))

    def numpy(self) -> np.ndarray:
        """A plain copy of the value.

        Examples
        --------
        >>> import npgrad as ng
        >>> ng.Variable([1.0, 2.0]).numpy()
        array([1., 2.])
        """
        return self._bare.copy()

    def __reduce__(self) -> tuple:
        return Variable, (self.numpy(), self.trainable, self.name)

    def __copy__(self) -> Any:
        # While a tape records, a new Variable would be cut off from this one: a followed copy then.
        return copied(self) if recording() else Variable(self, self.trainable, self.name)

    def __deepcopy__(self, memo: Any) -> Any:
        return self.__copy__()

    def __repr__(self) -> str:
        return f"<Variable {self.name!r} shape={self.shape} dtype={self.dtype}, value={self._bare}>"
