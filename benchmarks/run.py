"""Everything, into ``benchmarks/RESULTS.md``: ``python benchmarks/run.py``.

BLAS gets one thread, for figures that can be compared; it must be told before NumPy is imported, so this starts itself anew.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

_THREADS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
if any(os.environ.get(name) != value for name, value in _THREADS.items()):
    sys.exit(subprocess.run([sys.executable, __file__, *sys.argv[1:]], env=os.environ | _THREADS, check=False).returncode)

import core  # noqa: E402
import kernels  # noqa: E402
import numpy as np  # noqa: E402

RESULTS = Path(__file__).with_name("RESULTS.md")
PACKAGES = ("numpy", "autograd", "mygrad", "scipy")


def _versions() -> str:
    found = []
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{name} {importlib.metadata.version(name)}")
    return ", ".join([f"npgrad {kernels.ng.__version__}", *found])


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


def _table(size: str, timings: list[kernels.Timing], peers: list[str]) -> str:
    names = [peer for peer in peers if any(peer in t.ratios for t in timings)]
    lines = [f"| kernel | n | plain, us | {' | '.join(names)} |", "|---|---|---|" + "---|" * len(names)]
    for t in timings:
        cells = [kernels.cell(t.ratios[peer]) for peer in names]
        lines.append(
            f"| {t.kernel.family}: {t.kernel.name} | {t.kernel.sizes[size]} | {1e6 * t.plain:.1f} | {' | '.join(cells)} |"
        )
    numbers = {peer: [t.ratios[peer] for t in timings if not isinstance(t.ratios[peer], str)] for peer in names}
    means = [f"{kernels.geometric_mean(found):.1f}x of {len(found)}" for found in numbers.values()]
    lines.append(f"| **geometric mean** | | | {' | '.join(means)} |")
    for peer in names[1:]:
        both = [t for t in timings if not isinstance(t.ratios[peer], str)]
        ratio = kernels.geometric_mean([t.ratios["npgrad"] / t.ratios[peer] for t in both])
        lines.append(f"| npgrad over {peer}, where both work | | | {ratio:.2f} " + "| " * (len(names) - 1) + "|")
    return "\n".join(lines)


def main() -> None:
    """Measure all kernels and the parts of the core that are named, or a few, and write the page."""
    peers = kernels.installed()
    programs = kernels.kernels()
    parts = [
        "# Results\n",
        f"Written by `python benchmarks/run.py` on {time.strftime('%Y-%m-%d')}. {_versions()}.\n",
        f"Machine: {_shape()}.\n",
        "Ratios of value and gradient to the same program on plain NumPy, in processor time, the best of several rounds;\n"
        "each gradient was compared with finite differences first. *refuses*: raises. *wrong*: another gradient, silently.\n"
        "`npgrad` is `value_and_grad`, `npgrad tape` a bare tape, `2-point` finite differences with n + 1 evaluations.",
    ]
    for size in kernels.SIZES:
        timings = []
        for name, kernel in programs.items():
            print(f"{size} {name}", file=sys.stderr, flush=True)
            timings.append(kernels.measure(kernel, size, peers))
        parts.append(f"\n## Kernels, {size} sizes\n\n{_table(size, timings, list(peers))}")
    for name in sys.argv[1:] or ("chain", "elements", "rows", "memory", "functional"):
        print(name, file=sys.stderr, flush=True)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            core.PARTS[name]()
        head, *rest = printed.getvalue().splitlines()
        parts.append(f"\n## {head[0].upper()}{head[1:]}\n\n```\n" + "\n".join(rest) + "\n```")
    RESULTS.write_text("\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
