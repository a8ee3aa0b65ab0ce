"""The packages beside npgrad: which module a program gets as ``np``, and how value and gradient are taken of it.

A program is differentiated as the user of each package would do it. Those that imitate NumPy get it with ``np`` bound to
their own module, PyTorch with ``np`` bound to ``torch``, npgrad, MyGrad and differences as it stands. Nothing is rewritten:
what does not run refuses. Arguments come as NumPy arrays; turning them into tensors costs next to nothing and is included.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import npgrad as ng
from npgrad import finite_difference


class Refused(Exception):
    """A package that cannot do a program."""


class Peer(NamedTuple):
    """``numpy()`` is what the programs get as ``np`` and raises ImportError where the package is not there;
    ``value_and_gradient(f)`` gives a function of the program's arguments. The value is None where it is not offered.

    ``accuracy`` is what can be asked of its gradients, ``most`` the number of elements up to which it is measured, as it
    takes an evaluation or more for each. ``operations`` says that the first call compiles, and how many operations.
    """

    numpy: Callable[[], Any]
    value_and_gradient: Callable[[Callable], Callable]
    package: str = ""
    accuracy: float = 1e-6
    most: float = float("inf")
    operations: Callable[[Callable, tuple], int] | None = None


def _numpy() -> Any:
    return np


# --- npgrad --------------------------------------------------------------------------------------------------------


def _tape(f: Callable) -> Callable:
    """The tape by itself, without the search for work arrays that the functional API makes at each call."""

    def both(x: Any, *rest: Any) -> tuple[Any, Any]:
        with ng.GradientTape() as tape:
            source = tape.watch(x)
            value = f(source, *rest)
        return value, tape.gradient(value, source, unconnected_gradients="zero")

    return both


# --- Others that record --------------------------------------------------------------------------------------------


def _autograd(f: Callable) -> Callable:
    return importlib.import_module("autograd").value_and_grad(f)


def _mygrad_numpy() -> Any:
    importlib.import_module("mygrad")
    return np


def _mygrad(f: Callable) -> Callable:
    mygrad = importlib.import_module("mygrad")

    def both(x: Any, *rest: Any) -> tuple[Any, Any]:
        source = mygrad.tensor(x)
        value = f(source, *rest)
        if not isinstance(value, mygrad.Tensor):
            raise Refused("the value has lost its gradient on the way")
        value.backward()
        return value.data, np.zeros_like(x) if source.grad is None else source.grad

    return both


def _jax_numpy() -> Any:
    importlib.import_module("jax").config.update("jax_enable_x64", True)
    return importlib.import_module("jax.numpy")


def _jax(f: Callable) -> Callable:
    jax = importlib.import_module("jax")
    return lambda *args: jax.block_until_ready(jax.value_and_grad(f)(*args))


def _jax_jit(f: Callable) -> Callable:
    jax = importlib.import_module("jax")
    compiled = jax.jit(jax.value_and_grad(f))
    return lambda *args: jax.block_until_ready(compiled(*args))


def _jax_operations(f: Callable, args: tuple) -> int:
    jax = importlib.import_module("jax")
    return len(jax.make_jaxpr(jax.value_and_grad(f))(*args).jaxpr.eqns)


def _torch_numpy() -> Any:
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    return torch


def _torch(f: Callable) -> Callable:
    torch = importlib.import_module("torch")

    def both(x: Any, *rest: Any) -> tuple[Any, Any]:
        source = torch.from_numpy(x).requires_grad_()
        value = f(source, *[torch.from_numpy(part) for part in rest])
        if not isinstance(value, torch.Tensor) or not value.requires_grad:
            raise Refused("the value has lost its gradient on the way")
        value.backward()
        return value.detach(), torch.zeros_like(source) if source.grad is None else source.grad

    return both


def _tensorflow_numpy() -> Any:
    tensorflow = importlib.import_module("tensorflow")
    try:  # only before its first use
        tensorflow.config.threading.set_intra_op_parallelism_threads(1)
        tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        pass
    tensorflow.experimental.numpy.experimental_enable_numpy_behavior()
    return tensorflow.experimental.numpy


def _tensorflow(f: Callable) -> Callable:
    tensorflow = importlib.import_module("tensorflow")

    def both(x: Any, *rest: Any) -> tuple[Any, Any]:
        source, *others = [tensorflow.convert_to_tensor(part) for part in (x, *rest)]
        with tensorflow.GradientTape() as tape:
            tape.watch(source)
            value = f(source, *others)
        gradient = tape.gradient(value, source)
        if gradient is None:
            raise Refused("the value has lost its gradient on the way")
        return value, tensorflow.convert_to_tensor(gradient)

    return both


# --- Differences ---------------------------------------------------------------------------------------------------


def _two_point(f: Callable) -> Callable:
    gradient = finite_difference.grad(f, method="2-point")
    return lambda *args: (None, gradient(*args))


def _flat(f: Callable, x: Any, rest: tuple) -> Callable:
    """As these packages want it, of one flat array; the rest anew, for a program may write into it."""
    return lambda flat: f(flat.reshape(x.shape), *[part.copy() for part in rest])


def _scipy_numpy() -> Any:
    importlib.import_module("scipy.optimize")
    return np


def _scipy(f: Callable) -> Callable:
    optimize = importlib.import_module("scipy.optimize")
    return lambda x, *rest: (None, optimize.approx_fprime(x.ravel(), _flat(f, x, rest)).reshape(x.shape))


def _numdifftools_numpy() -> Any:
    importlib.import_module("numdifftools")
    return np


def _numdifftools(f: Callable) -> Callable:
    tools = importlib.import_module("numdifftools")
    return lambda x, *rest: (None, np.reshape(tools.Gradient(_flat(f, x, rest))(x.ravel()), x.shape))


PEERS = {
    "npgrad": Peer(_numpy, ng.value_and_grad),
    "npgrad tape": Peer(_numpy, _tape),
    "HIPS autograd": Peer(lambda: importlib.import_module("autograd.numpy"), _autograd, "autograd"),
    "MyGrad": Peer(_mygrad_numpy, _mygrad, "mygrad"),
    "JAX": Peer(_jax_numpy, _jax, "jax"),
    "JAX jit": Peer(_jax_numpy, _jax_jit, "jax", operations=_jax_operations),
    "PyTorch": Peer(_torch_numpy, _torch, "torch"),
    "TensorFlow": Peer(_tensorflow_numpy, _tensorflow, "tensorflow"),
    "2-point": Peer(_numpy, _two_point, "", 1e-4, most=200),
    "SciPy": Peer(_scipy_numpy, _scipy, "scipy", 1e-4, most=200),
    "numdifftools": Peer(_numdifftools_numpy, _numdifftools, "numdifftools", most=12),
}


def installed(names: list[str] | None = None) -> dict[str, Peer]:
    """The peers that are there, or those of them that are named."""
    found = {}
    for name in PEERS if names is None else names:
        try:
            PEERS[name].numpy()
        except ImportError:
            continue
        found[name] = PEERS[name]
    return found
