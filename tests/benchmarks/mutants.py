"""How many seeds each broken core, host, machine and client takes to be found, and how small its run becomes.

    python tests/benchmarks/mutants.py [NAME ...] [--shrink-s 20]

A setup aimed at the bug is taken where the swarm would need long (see tests/impl/sim/test_mutants.py).  The scenario
is the tape that still breaks the same invariant: its choices that are not the most benign ones.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

from scrutator.checker.commands.simulate_seeds import judge
from scrutator.impl.sim.mutants import LINEARIZABILITY, MUTANTS
from scrutator.impl.sim.run import Run, run
from scrutator.impl.sim.setup import Setup
from scrutator.impl.sim.shrink import shrink

sys.path.insert(0, str(Path(__file__).parents[1] / "impl" / "sim"))
from test_mutants import AIMED, HARD

SEEDS_MAX = 4000


def harm(done: Run) -> int:
    """How many choices are not the most benign."""
    return sum(choice != 0 for choice in done.tape)


def row(name: str, shrink_s: float) -> str:
    """A mutant's line of the table."""
    setup = MUTANTS[name].setup({**AIMED, **HARD}.get(name, Setup()))
    begin = time.monotonic()
    for seed in range(SEEDS_MAX):
        judged = judge(run(seed, setup))
        if judged.violation is not None:
            break
    else:
        return f"{name:30} not found in {SEEDS_MAX} seeds"
    took, broken = time.monotonic() - begin, judged.violation.invariant

    def fails(candidate: Run) -> bool:
        violation = judge(candidate).violation if broken == LINEARIZABILITY else candidate.violation
        return violation is not None and violation.invariant == broken

    small = shrink(replace(judged.run, violation=judged.violation), setup, timeout_s=shrink_s, fails=fails).run
    return f"{name:30} {seed + 1:6,} {took:7.1f} s  {harm(judged.run):6,} -> {harm(small):5,}  {broken}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--shrink-s", type=float, default=20.0)
    given = parser.parse_args()
    print(f"{'mutant':30} {'seeds':>6} {'found':>9}  {'choices':>15}  breaks", flush=True)
    for name in given.names or MUTANTS:
        print(row(name, given.shrink_s), flush=True)


if __name__ == "__main__":
    main()
