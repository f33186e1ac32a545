"""How fast the explicit-state engine is, on work that other checkers were measured on.

    python tests/benchmarks/explore.py            # a few minutes
    python tests/benchmarks/explore.py --repeat 5

Prints, for each piece of work, the median and the range of our figure, the mark it is
held to, and what the other checkers take.  Each run is a process of its own.  The marks
are from one kind of machine; on another, compare the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"

RUN = """
import json, sys, time
from scrutator.checker.explore.check import CheckOptions, check
model, bounds, options = json.loads(sys.argv[1])
check(model, bounds=bounds, options=CheckOptions(**{**options, "states_max": 1}))  # compile apart
began, cpu = time.perf_counter(), time.process_time()
r = check(model, bounds=bounds, options=CheckOptions(**options))
print(json.dumps({"distinct": r.distinct, "generated": r.generated, "seconds": r.seconds, "cpu": time.process_time() - cpu,
                  "wall": time.perf_counter() - began, "index_bytes": r.index_bytes, "memory": r.memory_bytes_peak}))
"""


def measured(model: str, bounds: dict[str, object], **options: object) -> dict[str, float]:
    """One exploration in a process of its own."""
    asked = json.dumps([model, bounds, options])
    done = subprocess.run([sys.executable, "-c", RUN, asked], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def command(*arguments: str, cold: bool = False) -> float:
    """Wall seconds of the command, from being typed to its exit."""
    with tempfile.TemporaryDirectory() as empty:
        env = {**os.environ, **({"SCRUTATOR_CACHE": empty} if cold else {})}
        began = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", "scrutator", *arguments], env=env, capture_output=True, text=True)
        seconds = time.perf_counter() - began
    if done.returncode not in (0, 3):  # 3: the bound that keeps the exploration out of the figure
        raise RuntimeError(done.stdout + done.stderr)
    return seconds


@dataclass(frozen=True)
class Work:
    name: str
    figure: Callable[[], float]
    unit: str
    mark: str
    peers: str


SMALL_RAFT = (str(GOLDEN / "small_raft.py"), {"max_term": 2, "max_log": 1, "messages": 3})
BPAXOS = (str(GOLDEN / "bpaxos.py"), {"acceptors": 3, "ballots": 4, "values": 1})


def small_raft(workers: int) -> dict[str, float]:
    return measured(*SMALL_RAFT, workers=workers, states_max=20_000_000)


def rate(found: dict[str, float]) -> float:
    return found["distinct"] / found["seconds"] / 1e6


def scaling() -> float:
    return rate(small_raft(2)) / rate(small_raft(1))


def bpaxos_rate() -> float:
    found = measured(*BPAXOS, workers=1)
    return found["distinct"] / found["cpu"] / 1e6


WORKS = (
    Work("small Raft (2, 1, 3), first 20 M states, 2 workers", lambda: rate(small_raft(2)), "M states/s", "at least 1.2", "TLC 0.03"),
    Work("the same, from 1 to 2 workers", scaling, "times", "at least 1.8", ""),
    Work("Basic Paxos (3, 4, 1), 1 worker", bpaxos_rate, "M states/CPU s", "at least 1.1", "SPIN 1.10, TLC 0.027"),
    Work("two-phase commit, 9 managers, 1 worker", lambda: measured("two-phase-commit", {"managers": 9}, workers=1)["cpu"], "CPU s", "under 18", "Stateright 36.4"),
    Work("two-phase commit, 7 managers, symmetry", lambda: measured("two-phase-commit", {"managers": 7}, workers=1, symmetry=True)["seconds"], "s", "under 0.2", "TLC 30"),
    Work("fingerprints and parents, small Raft, 20 M states", lambda: (lambda f: f["index_bytes"] / f["distinct"])(small_raft(2)), "bytes a state", "at most 24", ""),
    Work("scrutator check raft, warm, less its exploration", lambda: command("check", "raft") - measured("raft", {})["seconds"], "s", "under 1.5", ""),
    Work("scrutator check raft --states-max 1, cold cache", lambda: command("check", "raft", "--states-max", "1", cold=True), "s", "under 15", ""),
    Work("scrutator --help", lambda: command("--help"), "s", "under 0.3", ""),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3, help="runs of each (3)")
    parser.add_argument("--only", default="", help="a part of the name of the work to do")
    arguments = parser.parse_args()
    print(f"{'work':58} {'median':>8} {'least':>8} {'most':>8}  {'unit':16} {'mark':14} peers")
    for work in WORKS:
        if arguments.only in work.name:
            figures = [work.figure() for _ in range(arguments.repeat)]
            median, least, most = statistics.median(figures), min(figures), max(figures)
            print(f"{work.name:58} {median:8.3f} {least:8.3f} {most:8.3f}  {work.unit:16} {work.mark:14} {work.peers}", flush=True)


if __name__ == "__main__":
    main()
