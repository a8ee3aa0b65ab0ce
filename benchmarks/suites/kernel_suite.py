"""The legacy kernels for airspeed velocity: plain time, and value and gradient."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import loading

import npgrad as ng

_PROGRAMS = loading.kernels()


class Kernels:
    """One parameter is the kernel, the other the size."""

    params = (list(_PROGRAMS), list(loading.SIZES))
    param_names = ("kernel", "size")

    def setup(self, name, size):
        self.kernel = _PROGRAMS[name]
        self.args = self.kernel.args(size)
        self.both = ng.value_and_grad(self.kernel.function)

    def _fresh(self):
        return [a.copy() for a in self.args]

    def time_plain(self, name, size):
        self.kernel.function(*self._fresh())

    def time_value_and_gradient(self, name, size):
        self.both(*self._fresh())

    def peakmem_value_and_gradient(self, name, size):
        self.both(*self._fresh())
