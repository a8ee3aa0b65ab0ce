"""Calls for airspeed velocity: overhead per call, sizes from 1 to 10^7, memory per call, loops, a small gradient."""

import tracemalloc

import numpy as np

import npgrad as ng


def gradient(program, x):
    with ng.GradientTape() as tape:
        source = tape.watch(x)
        target = program(source)
    return tape.gradient(target, source)


class Chain:
    """Calls on arrays of one to ten million elements."""

    params = (1, 100, 10_000, 100_000, 1_000_000, 10_000_000)
    param_names = ("elements",)

    def setup(self, n):
        self.x, self.y = np.random.default_rng(0).uniform(0.5, 1.5, (2, n))
        self.steps = 20 if n < 1_000_000 else 3

    def program(self, x):
        for _ in range(self.steps):
            x = np.sin(x * self.y + self.y)
        return x

    def time_plain(self, n):
        self.program(self.x)

    def time_record(self, n):
        with ng.GradientTape() as tape:
            self.program(tape.watch(self.x))

    def time_gradient(self, n):
        gradient(self.program, self.x)

    def peakmem_gradient(self, n):
        gradient(self.program, self.x)


CALLS = {
    "multiply": lambda x: x * x,
    "ufunc": np.sin,
    "out": lambda x: np.sin(x, out=np.empty(3)),
    "method": lambda x: x.sum(),
    "function": lambda x: np.concatenate([x, x]),
    "read": lambda x: x[1],
    "gather": lambda x: x[[0, 2]],
    "matmul": lambda x: x @ x,
}


class Overhead:
    """One call on three elements, recorded: by kind of entry point."""

    params = tuple(CALLS)
    param_names = ("call",)

    def setup(self, name):
        self.call, self.x = CALLS[name], np.array([0.5, 1.0, 1.5])

    def time_plain(self, name):
        for _ in range(100):
            self.call(self.x)

    def time_recorded(self, name):
        with ng.GradientTape() as tape:
            x = tape.watch(self.x)
            for _ in range(100):
                self.call(x)

    def track_bytes_per_call(self, name):
        with ng.GradientTape() as tape:
            x = tape.watch(self.x)
            self.call(x)
            tracemalloc.start()
            for _ in range(1000):
                self.call(x)
            used = tracemalloc.get_traced_memory()[0]
            tracemalloc.stop()
        return used / 1000

    track_bytes_per_call.unit = "bytes"


class Functional:
    """What one derivative of a tiny function costs."""

    def setup(self):
        self.x = np.linspace(0.1, 1.0, 5)
        self.gradient = ng.grad(lambda x: np.sum(np.sin(x) * x))
        self.jacobian = ng.jacobian(lambda x: np.sin(x) * x)

    def time_empty_tape(self):
        with ng.GradientTape():
            pass

    def time_grad(self):
        self.gradient(self.x)

    def time_jacobian(self):
        self.jacobian(self.x)
