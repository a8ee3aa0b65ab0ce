"""Fuzz: ``python tests/fuzz/run.py --programs 100000 --seed 0`` prints counts, and each failure as a program that runs."""

from __future__ import annotations

import argparse
import collections
import re
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from fuzz.generator import generate
from fuzz.oracle import Outcome, check
from fuzz.program import Program
from fuzz.shrink import shrink
from fuzz.workers import in_chunks

# One program of so many has its second derivatives checked.
SECOND = 5


class Counts:
    """What came of the programs."""

    def __init__(self) -> None:
        self.kinds: collections.Counter = collections.Counter()
        self.reasons: collections.Counter = collections.Counter()
        self.dropped: collections.Counter = collections.Counter()
        self.calls: collections.Counter = collections.Counter()
        self.failures: list[tuple[str, int, str, str]] = []
        self.wrong: list[int] = []
        self.statements = 0

    def add(self, program: Program, outcome: Outcome) -> None:
        self.kinds[outcome.kind] += 1
        if outcome.reason:
            self.reasons[f"{outcome.kind}: {outcome.reason}"] += 1
        self.statements += len(program.statements)
        self.calls.update(set(re.findall(r"(?:np|special|math)\.[\w.]+(?=\()|\.\w+(?=\()", "\n".join(program.statements))))

    def join(self, other: Counts) -> None:
        for name in ("kinds", "reasons", "dropped", "calls"):
            getattr(self, name).update(getattr(other, name))
        self.statements += other.statements

    @property
    def judged(self) -> int:
        """How many programs JAX has found right."""
        return sum(count for reason, count in self.reasons.items() if "judged by JAX" in reason)

    def text(self) -> str:
        total = sum(self.kinds.values())
        lines = [
            f"{total} programs, {self.kinds['wrong']} wrong, {self.kinds['crashed']} crashed",
            f"{self.statements} statements, {len(self.calls)} functions and methods by name; {self.judged} judged by JAX",
        ]
        for title, counter in (("", self.kinds), ("reasons:", self.reasons)):
            lines += [title] + [f"  {count:7d}  {100 * count / total:7.3f} %  {what}" for what, count in counter.most_common()]
        lines += ["statements that the generator dropped:"]
        return "\n".join(lines + [f"  {count:7d}  {what}" for what, count in self.dropped.most_common()])


def run(seed: int, first: int, last: int, tell: Callable[[int], None], jax: int = 0) -> Counts:
    """The programs number ``first`` to ``last`` of a seed; one in ``jax`` of them is judged by JAX where it runs it."""
    warnings.simplefilter("ignore")
    counts = Counts()
    for number in range(first, last):
        tell(number)
        program, state = generate((seed, number))
        second = number % SECOND == 0
        outcome = check(program, number, second, bool(jax) and number % jax == 0)
        counts.add(program, outcome)
        counts.dropped.update(state.dropped)
        if outcome.kind == "wrong":
            counts.wrong.append(number)
        if outcome.kind == "wrong" and counts.reasons[f"wrong: {outcome.reason}"] <= 1:
            small = shrink(program, outcome, number, second)
            counts.failures.append((outcome.reason, number, check(small, number, second).detail[:300], small.text))
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--jax", type=int, default=10, help="one program in so many is judged by JAX where it runs it; 0: none")
    parser.add_argument("--most", type=int, default=5, help="failures of one kind that are printed")
    options = parser.parse_args()
    start, counts = time.time(), Counts()
    shown: collections.Counter = collections.Counter()

    def work(first: int, last: int, tell: Callable[[int], None]) -> Counts:
        return run(options.seed, first, last, tell, options.jax)

    for part, number in in_chunks(work, options.first, options.first + options.programs, options.jobs):
        if part is None:
            counts.kinds["crashed"] += 1
            print(f"# --- seed {options.seed}, program {number}: the interpreter crashed or hung", flush=True)
            continue
        counts.join(part)
        for reason, failed, detail, text in part.failures:
            shown[reason] += 1
            if shown[reason] <= options.most:
                print(f"# --- seed {options.seed}, program {failed}: {reason}: {detail!r}\n{text}", flush=True)
        if part.wrong:
            print(f"# wrong: {part.wrong}", flush=True)
        print(f"# up to {number}: {dict(counts.kinds)}, {time.time() - start:.0f} s", file=sys.stderr, flush=True)
    print(counts.text())
    print(f"{time.time() - start:.0f} s")
    return int(counts.kinds["wrong"] + counts.kinds["crashed"] > 0)


if __name__ == "__main__":
    sys.exit(main())
