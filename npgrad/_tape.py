"""GradientTape: the user's contract."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Protocol, TypeVar, overload

import numpy as np
from numpy import ndarray

from ._compression import Learned
from ._derivatives import given, gradients_of, recorded_on
from ._endpoints import UnconnectedGradients, check_watchable, checked_leaves, gives_zeros, paired, seeds_for
from ._inspection import Inspection
from ._jacobians import batch_jacobian_of, jacobians_of
from ._lifecycle import Lifecycle, Sweeping
from ._structure import flatten, leaf_paths, path_text
from ._tracebacks import public
from ._traced import TracedArray
from ._variable import Variable

Array = TypeVar("Array", bound=ndarray)


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


Structure = list[Any] | tuple[Any, ...] | Mapping[Any, Any] | _Dataclass


class GradientTape(Lifecycle, Inspection):
    """Record NumPy operations, and differentiate them.

    Parameters
    ----------
    persistent : bool
        Whether more than one gradient or Jacobian may be taken.
    watch_accessed_variables : bool
        Whether trainable `Variable` objects are watched when they are used.
    leaks : {"raise", "warn", "ignore"}
        What happens when traced data goes where no tape can follow: see `LeakError`.
    locations : bool
        Whether the line of each call is kept, for `explain`, `summary` and `calls`. Recording takes longer.
    check_nan : bool
        Whether a derivative that is not finite raises `NonFiniteError` with the call and line where it became so. Implies
        ``locations``.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> with ng.GradientTape() as tape:
    ...     x = tape.watch(np.array([1.0, 2.0, 3.0]))
    ...     y = np.empty(3)
    ...     y[0] = x[0]
    ...     for i in range(1, 3):
    ...         y[i] = y[i - 1] * x[i]
    >>> tape.jacobian(y, x)
    array([[1., 0., 0.],
           [2., 1., 0.],
           [6., 3., 2.]])
    """

    # --- Watching

    @overload
    def watch(self, tensor: Array) -> Array: ...
    @overload
    def watch(self, tensor: complex | np.inexact | Structure) -> Any: ...
    @public
    def watch(self, tensor: Any) -> Any:
        """Track an array, or a structure of arrays, from here on.

        Parameters
        ----------
        tensor : array, number, Variable, or list, tuple, dict or dataclass of these
            Floating or complex.

        Returns
        -------
        The same structure, to be used from here on: traced arrays and Variables themselves; for plain arrays and numbers a
        traced copy. The plain array itself is accepted as a source of this tape, too.

        Raises
        ------
        TypeError
            For anything that is not a floating or complex array or number.
        RuntimeError
            Before the tape's first ``with``, or after the tape is used up.

        Examples
        --------
        >>> import numpy as np, npgrad as ng
        >>> parameters = {"w": np.array([1.0, 2.0]), "b": 0.5}
        >>> with ng.GradientTape() as tape:
        ...     p = tape.watch(parameters)
        ...     loss = p["b"] * p["w"].sum()
        >>> tape.gradient(loss, p)
        {'w': array([0.5, 0.5]), 'b': np.float64(3.0)}
        """
        if self._record is None:
            if self._consumed:
                raise RuntimeError("This tape is used up; enter it again, or make a new GradientTape, before watch.")
            raise RuntimeError("watch was called before the tape's first `with`: enter the tape first.")
        if isinstance(tensor, ndarray):
            check_watchable(tensor, "")
            return self._watch_one(tensor)
        leaves, build = flatten(tensor)
        for leaf, path in zip(leaves, leaf_paths(tensor), strict=True):
            check_watchable(leaf, path_text(path))
        return build([self._watch_one(leaf) for leaf in leaves])

    def _watch_one(self, value: Any) -> TracedArray:
        assert self._record is not None
        if isinstance(value, TracedArray):
            traced = value
            if isinstance(value, Variable) and not any(v is value for v in self._variables):
                self._variables.append(value)
        else:
            traced = self._copies.copy_of(value)
        self._record.watch(traced._storage, traced._view)
        return traced

    def watched_variables(self) -> tuple[Variable, ...]:
        """The watched Variables, in order of construction.

        Examples
        --------
        >>> import npgrad as ng
        >>> w, b = ng.Variable(2.0, name="w"), ng.Variable(1.0, name="b")
        >>> with ng.GradientTape() as tape:
        ...     y = b + 3 * w
        >>> [variable.name for variable in tape.watched_variables()]
        ['w', 'b']
        """
        return tuple(sorted(self._variables, key=lambda variable: variable.number))

    @public
    def stop_recording(self) -> AbstractContextManager[None]:
        """Pause this tape only: what is computed inside is constant to it.

        Raises
        ------
        RuntimeError
            If the tape is not recording here, or paused already.

        Examples
        --------
        >>> import numpy as np, npgrad as ng
        >>> with ng.GradientTape() as tape:
        ...     x = tape.watch(np.array([1.0, 2.0]))
        ...     with tape.stop_recording():
        ...         scale = x.sum()
        ...     y = x * scale
        >>> tape.gradient(y, x)
        array([3., 3.])
        """
        record = self._record
        if record is None or not record.records_here:
            raise RuntimeError("Tape is not recording here: stop_recording is for use inside its `with`, and not twice.")
        return record.paused()

    @public
    def reset(self) -> None:
        """Forget everything recorded and watched, and go on recording.

        Raises
        ------
        ValueError
            If the tape is not recording here.

        Examples
        --------
        >>> import npgrad as ng
        >>> with ng.GradientTape() as tape:
        ...     x = tape.watch(ng.array([1.0, 2.0]))
        ...     loss = (x ** 3).sum()
        ...     tape.reset()
        ...     x = tape.watch(x)
        ...     loss = (x ** 2).sum()
        >>> tape.gradient(loss, x)
        array([2., 4.])
        """
        if self._record is None or not self._record.records_here:
            raise ValueError("Tape is not recording, so it cannot be reset; make a new GradientTape.")
        self._stop()
        self._renew()
        self._start()

    # --- Derivatives

    @public
    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
    ) -> Any:
        """The gradient of a target, or of the sum of several, by each source.

        Parameters
        ----------
        target : array or structure of arrays
            What is differentiated; an array that is not a scalar stands for its sum.
        sources : array or structure of arrays
            Watched arrays (differentiated by their value when they were watched) or arrays computed from them
            (by their current value).
        output_gradients : structure like target, optional
            Cotangents to start from instead of ones; a scalar is broadcast.
        unconnected_gradients : {"none", "zero"} or UnconnectedGradients
            What stands for a source that the target does not depend on.

        Returns
        -------
        The structure of ``sources``; each array has the source's shape and dtype. Complex: the direction of steepest ascent,
        dL/dRe + i dL/dIm. Plain arrays, or traced ones while an outer tape records.

        Raises
        ------
        RuntimeError
            If a tape that is not persistent is used twice.
        ValueError, TypeError
            For seeds that do not fit the target, targets or sources that are not arrays.
        LeakError
            If a leak was noted while recording and swallowed by compiled code.

        Examples
        --------
        >>> import numpy as np, npgrad as ng
        >>> with ng.GradientTape(persistent=True) as tape:
        ...     x = tape.watch(np.array([1.0, 2.0]))
        ...     y = x ** 2
        >>> tape.gradient(y, x)
        array([2., 4.])
        >>> tape.gradient(y, x, output_gradients=np.array([10.0, 1.0]))
        array([20.,  4.])
        """
        zero = gives_zeros(unconnected_gradients)
        targets, _ = checked_leaves(target, "target")
        seeds = seeds_for(target, output_gradients)
        source_list, build = checked_leaves(sources, "source")
        with Sweeping(self) as record:
            traced = [self._copies.traced(source) for source in source_list]
            pairs = [(t, s) for t, s in zip(targets, seeds, strict=True) if recorded_on(record, t)]
            results = gradients_of(record, pairs, traced, ())
        return build(given(results, source_list, (), zero))

    @public
    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
        *,
        mode: str = "auto",
        max_bytes: int | None = None,
    ) -> Any:
        """The Jacobian of a target by each source, of shape ``target.shape + source.shape``.

        Parameters
        ----------
        target : array or structure of arrays
            A structure gives a structure of results.
        sources, unconnected_gradients
            As for `gradient`.
        mode : {"auto", "forward", "reverse"}
            Batched sweeps in either direction; ``"auto"`` takes what costs less. Forward needs watched sources.
        max_bytes : int, optional
            A bound on the memory that sweeps take besides the result, by default 256 MiB: rows are split into as many
            sweeps as that needs, of at least one row.

        Returns
        -------
        Arrays of the source's dtype; a target of several elements of which one does not depend on the source has a row of
        zeros, a target of which none does is unconnected.

        Examples
        --------
        >>> import numpy as np, npgrad as ng
        >>> with ng.GradientTape() as tape:
        ...     x = tape.watch(np.array([1.0, 2.0, 3.0]))
        ...     y = np.cumsum(x)[1:]
        >>> tape.jacobian(y, x)
        array([[1., 1., 0.],
               [1., 1., 1.]])
        """
        return self._jacobian(target, sources, gives_zeros(unconnected_gradients), mode, max_bytes, None)

    def _jacobian(
        self, target: Any, sources: Any, zero: bool, mode: str, max_bytes: int | None, learned: Learned | None
    ) -> Any:
        if mode not in ("auto", "forward", "reverse"):
            raise ValueError(f'mode must be "auto", "forward" or "reverse", got {mode!r}')
        targets, build_targets = checked_leaves(target, "target")
        source_list, build = checked_leaves(sources, "source")
        with Sweeping(self) as record:
            traced = [self._copies.traced(source) for source in source_list]
            made = jacobians_of(record, targets, traced, mode, max_bytes, learned)
        return build_targets(
            [build(given(rows, source_list, np.shape(t), zero)) for t, rows in zip(targets, made, strict=True)]
        )

    @public
    def batch_jacobian(
        self, target: Any, source: Any, unconnected_gradients: UnconnectedGradients | str = "none", *,
        check: bool = True, max_bytes: int | None = None,
    ) -> Any:  # fmt: skip
        """The Jacobians of each row of a target by the same row of a source, of shape ``[rows, target..., source...]``.

        Parameters
        ----------
        target, source : arrays
            With equal first dimensions; row i of the target must depend on row i of the source only.
        unconnected_gradients, max_bytes
            As for `jacobian`.
        check : bool
            Whether one more sweep, with a random cotangent, makes sure of that: ValueError if not.

        Examples
        --------
        >>> import numpy as np, npgrad as ng
        >>> with ng.GradientTape() as tape:
        ...     x = tape.watch(np.array([[1.0, 2.0], [3.0, 4.0]]))
        ...     y = x.prod(axis=1)
        >>> tape.batch_jacobian(y, x)
        array([[2., 1.],
               [4., 3.]])
        """
        blank = paired(target, source, gives_zeros(unconnected_gradients))
        with Sweeping(self) as record:
            made = batch_jacobian_of(record, target, self._copies.traced(source), check, max_bytes)
        return blank if made is None else given([made], [source], (), False)[0]
