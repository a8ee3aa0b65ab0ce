"""Everything, into ``benchmarks/RESULTS.md``: ``python benchmarks/run.py``. Parts that are named are only printed.

BLAS and the peers get one thread, for figures that can be compared; they must be told before NumPy is imported, so this
starts itself anew. Each part runs in a process of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import multiprocessing
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
if any(os.environ.get(name) != value for name, value in _ENVIRONMENT.items()):
    command = [sys.executable, __file__, *sys.argv[1:]]
    sys.exit(subprocess.run(command, env=os.environ | _ENVIRONMENT, check=False).returncode)

import core  # noqa: E402
import differences  # noqa: E402
import jacobians  # noqa: E402
import kernels  # noqa: E402
import numpy as np  # noqa: E402
import plots  # noqa: E402
import sparse_jacobians  # noqa: E402
from loading import SIZES  # noqa: E402
from peers import PEERS, installed  # noqa: E402
from tables import Table  # noqa: E402
from timing import geometric_mean  # noqa: E402

RESULTS = Path(__file__).with_name("RESULTS.md")


def _versions() -> str:
    names = dict.fromkeys(["numpy", *[peer.package for peer in PEERS.values() if peer.package], "tensorflow_cpu", "jacobi"])
    found = [f"npgrad {core.ng.__version__}"]
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{name} {importlib.metadata.version(name)}")
    return ", ".join(found)


def _commit() -> str:
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        command = ["git", "-C", str(RESULTS.parent), "rev-parse", "--short", "HEAD"]
        return f" at commit {subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()}"
    return ""


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _shape() -> str:
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    memory = ""
    with contextlib.suppress(AttributeError, ValueError, OSError):
        memory = f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
    load = f"; load when it began {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{_processor()}, {os.cpu_count()} cores{memory}, {platform.system()}, Python {platform.python_version()}; "
        f"{blas['name']} {blas['version']}, one thread{load}"
    )


# --- Kernels -------------------------------------------------------------------------------------------------------


def _kernel_table(size: str, timings: list[kernels.Timing]) -> Table:
    names = [name for name in PEERS if any(name in t.ratios for t in timings)]
    rows = [
        (
            f"{t.kernel.family}: {t.kernel.name}", str(t.kernel.sizes[size]), f"{1e6 * t.plain:.1f}",
            *[kernels.cell(t, name) for name in names],
        )
        for t in timings
    ]  # fmt: skip

    def working(name: str) -> list[kernels.Timing]:
        return [t for t in timings if isinstance(t.ratios.get(name), float)]

    def mean(name: str, found: list[kernels.Timing]) -> str:
        return f"{geometric_mean([float(t.ratios[name]) for t in found]):.1f}x"

    rows.append(("**geometric mean**", "", "", *[f"{mean(name, working(name))} of {len(working(name))}" for name in names]))
    rows.append(("npgrad on the same", "", "", *[mean("npgrad", working(name)) for name in names]))
    notes = []
    for name in names:
        if reasons := kernels.refusals(timings, name):
            notes.append(f"{name} refuses with {reasons}.")
    ratios = {t.kernel.name: t.ratios for t in timings}
    return Table(f"Kernels, {size} sizes", ("kernel", "n", "plain, us", *names), rows, " ".join(notes), ratios)


def kernel_part(size: str) -> Callable[[], Table]:
    return lambda: _kernel_table(size, kernels.measured(size, [], installed()))


PARTS: dict[str, Callable[[], Table]] = {
    **{f"kernels-{size}": kernel_part(size) for size in SIZES},
    **core.PARTS,
    **jacobians.PARTS,
    **sparse_jacobians.PARTS,
    **differences.PARTS,
}


def _made(name: str) -> Table:
    return PARTS[name]()


def _apart(name: str) -> Table:
    """The table of a part, made in a process of its own: what one part loads and compiles takes the caches of another."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_made, name).result()


# --- The page ------------------------------------------------------------------------------------------------------

_HEAD = """\
# Results

Written by `python benchmarks/run.py` on {date}{commit}, in {minutes:.0f} minutes. {versions}.

Machine: {shape}.

Ratios of value and gradient to the same program on plain NumPy, in processor time, the best of several rounds in turn. Each
gradient of npgrad was compared with finite differences first, and those of the others with npgrad's. *refuses*: raises.
*wrong*: another gradient, silently. A dash: differences by too many elements. `npgrad` is `value_and_grad`, `npgrad tape` a
bare tape, `2-point` our finite differences with n + 1 evaluations, SciPy its `approx_fprime`, numdifftools its `Gradient`.
JAX jit is without the first call, whose seconds stand in brackets; *long*: more than 400 operations to compile, not tried.
How each package gets the programs stands in `benchmarks/README.md`."""


def _page(tables: dict[str, Table], seconds: float) -> str:
    head = _HEAD.format(
        date=time.strftime("%Y-%m-%d"), commit=_commit(), minutes=seconds / 60, versions=_versions(), shape=_shape()
    )
    pictures = {
        SIZES[-1]: "![Ratios of all kernels](plots/kernels.png)",
        "chain": "![The chain against the number of elements](plots/chain.png)",
    }
    parts = [head]
    for name, table in tables.items():
        parts.append(table.markdown())
        picture = pictures.get(name.removeprefix("kernels-"))
        parts += [picture] if picture else []
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", help=f"among {', '.join(PARTS)}; printed, and RESULTS.md stays as it is")
    wanted = parser.parse_args().part
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        parser.error(f"unknown part {', '.join(unknown)}: parts are {', '.join(PARTS)}")
    start, tables = time.perf_counter(), {}
    for name in wanted or PARTS:
        print(f"{name}, after {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
        tables[name] = _apart(name)
        if wanted:
            print(tables[name].text(), flush=True)
    if not wanted:
        plots.kernels({size: tables[f"kernels-{size}"].points for size in SIZES})
        plots.chain(tables["chain"].points)
        RESULTS.write_text(_page(tables, time.perf_counter() - start))


if __name__ == "__main__":
    main()
