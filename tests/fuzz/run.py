"""Fuzz: ``python tests/fuzz/run.py --programs 100000 --seed 0`` prints counts, and each failure as a program that runs."""

from __future__ import annotations

import argparse
import collections
import re
import sys
import time
import warnings
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from fuzz.generator import generate
from fuzz.oracle import Outcome, check
from fuzz.program import Program
from fuzz.shrink import shrink

# One program of so many has its second derivatives checked.
SECOND = 4


class Counts:
    """What came of the programs."""

    def __init__(self) -> None:
        self.kinds: collections.Counter = collections.Counter()
        self.reasons: collections.Counter = collections.Counter()
        self.dropped: collections.Counter = collections.Counter()
        self.calls: collections.Counter = collections.Counter()
        self.statements = 0
        self.second = 0

    def add(self, program: Program, outcome: Outcome) -> None:
        self.kinds[outcome.kind] += 1
        if outcome.reason:
            self.reasons[f"{outcome.kind}: {outcome.reason}"] += 1
        self.statements += len(program.statements)
        self.calls.update(set(re.findall(r"(?:np|special|math)\.[\w.]+(?=\()|\.\w+(?=\()", "\n".join(program.statements))))

    def text(self) -> str:
        total = sum(self.kinds.values())
        lines = [f"{total} programs, {self.statements} statements, {len(self.calls)} functions and methods by name"]
        lines += [f"  {count:7d}  {100 * count / total:6.3f} %  {kind}" for kind, count in self.kinds.most_common()]
        lines += ["reasons:"] + [f"  {count:7d}  {100 * count / total:6.3f} %  {what}" for what, count in self.reasons.most_common()]
        lines += ["statements that the generator dropped:"]
        lines += [f"  {count:7d}  {what}" for what, count in self.dropped.most_common()]
        return "\n".join(lines)


def run(first: int, last: int, seed: int, most: int) -> Counts:
    """The programs number ``first`` to ``last`` of a seed; failures are printed as they are found, ``most`` of one kind."""
    counts = Counts()
    for number in range(first, last):
        program, state = generate((seed, number))
        second = number % SECOND == 0
        outcome = check(program, number, second)
        counts.add(program, outcome)
        counts.dropped.update(state.dropped)
        if outcome.kind == "wrong" and counts.reasons[f"wrong: {outcome.reason}"] <= most:
            small = shrink(program, outcome, number, second)
            detail = check(small, number, second).detail
            print(f"# --- seed {seed}, program {number}: {outcome.reason}: {detail[:300]!r}\n{small.text}", flush=True)
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--most", type=int, default=5, help="failures of one kind that are printed")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    start = time.time()
    counts = run(options.first, options.first + options.programs, options.seed, options.most)
    print(counts.text())
    print(f"{time.time() - start:.0f} s")
    return int(counts.kinds["wrong"] > 0)


if __name__ == "__main__":
    sys.exit(main())
