"""How fast the simulator runs: simulated seconds and events a second, by fault.

    python tests/benchmarks/simulate.py [runs]

Each line is so many seeds of a cluster of five under the load of `Setup`, and how often something happened.
"""

from __future__ import annotations

import sys
import time

from scrutator.impl.sim.run import run
from scrutator.impl.sim.setup import FAULTS, Setup


def measure(faults: str, runs: int, *, vary: bool) -> str:
    """One line of the table."""
    simulated = events = messages = elections = crashes = 0.0
    begin = time.perf_counter()
    for seed in range(runs):
        r = run(seed, Setup(faults=faults, vary=vary))
        simulated += r.simulated_s
        events += r.events
        messages += r.messages
        elections += r.counts.get("elections won", 0)
        crashes += r.counts.get("crashes", 0)
    took = time.perf_counter() - begin
    return (
        f"{faults + (', varied' if vary else ''):16} {simulated / took:8.0f} {events / took:10.0f} "
        f"{events / simulated:8.0f} {messages / simulated:10.0f} {elections / runs:10.1f} {crashes / runs:8.1f}"
    )


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    print(f"{'faults':16} {'sim s/s':>8} {'events/s':>10} {'events/s':>8} {'messages/s':>10} {'elections':>10} {'crashes':>8}")
    print(f"{'':16} {'':8} {'real':>10} {'sim':>8} {'sim':>10} {'a run':>10} {'a run':>8}")
    for faults in ("none", *FAULTS, "swarm"):
        print(measure(faults, runs, vary=False))
    print(measure("swarm", runs, vary=True))


if __name__ == "__main__":
    main()
