"""How fast the best strategies and systems are found, beside quoracle on the same questions at the same time.

    python tests/benchmarks/quorum_cost.py                                        # ours alone
    python tests/benchmarks/quorum_cost.py --quoracle CHECKOUT --python VENV/bin/python

The checkout may also be named by the environment variable QUORACLE; without one, quoracle is left
out.  Each run is a process of its own, the two in turn.  Figures are seconds: ``call`` the median of
a few calls in one process after a first (searches: of one), ``wall`` the whole process with its imports.  "> limit" is a
process that was ended.  The ratios compare calls and walls.  The values found must agree up to
quoracle's eight digits; else the row says which is better.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

DRIVER = Path(__file__).parent / "peers" / "quoracle" / "run.py"
Tree = object  # a node's name, or [how many are needed, member, member, ...]

OURS = """
import json, sys, time
began = time.perf_counter()
import numpy
from scrutator.checker.quorum.cost import Limits, optimal, search, workload
from scrutator.model.quorums import Node, choose, with_rules
imported_s = time.perf_counter() - began
question = json.loads(sys.argv[1])

def expression(tree, nodes):
    return nodes[tree] if isinstance(tree, str) else choose(tree[0], [expression(m, nodes) for m in tree[1:]])

def answer():
    nodes = {n: Node(n, read_capacity=r, write_capacity=w, latency_s=t) for n, r, w, t in question["nodes"]}
    work, limits = workload(dict(question["reads"])), Limits(*question["limits"])
    options = {"optimise": question["optimise"], "limits": limits, "spare": question["spare"], "timeout_s": question["timeout_s"]}
    if question["kind"] == "search":
        found = search(tuple(nodes.values()), work, resilience=question["resilience"], **options)
        return found.optimum.value, found.optimum.gap
    reads = expression(question["tree"], nodes)
    system = with_rules("bench", {"read": reads, "write": reads.dual()}, ("read-write",))
    found = optimal(system, work, **options)
    return found.value, found.gap

times = []
for _ in range(question["repeat"]):
    start = time.perf_counter()
    value, gap = answer()
    times.append(time.perf_counter() - start)
print(json.dumps({"value": value, "gap": gap, "times_s": times, "import_s": imported_s}))
"""


@dataclass(frozen=True)
class Question:
    """What both are asked; nodes are (name, read capacity, write capacity, latency in seconds)."""

    name: str
    nodes: list[tuple[str, float, float, float]]
    reads: list[tuple[float, float]]
    tree: Tree = None
    kind: str = "optimal"
    optimise: str = "load"
    limits: tuple[float | None, float | None, float | None] = (None, None, None)
    spare: int = 0
    resilience: int = 0
    timeout_s: float | None = None
    repeat: int = field(default=5, compare=False)

    def text(self) -> str:
        return json.dumps({name: getattr(self, name) for name in self.__dataclass_fields__})


STUDY = [("a", 4000, 2000, 1), ("b", 2000, 1000, 1), ("c", 4000, 2000, 3), ("d", 2000, 1000, 4), ("e", 4000, 2000, 5)]
STUDY_READS = [(0.9, 10), (0.8, 20), (0.7, 100), (0.6, 100), (0.5, 100), (0.4, 60), (0.3, 30), (0.2, 30), (0.1, 20)]
TUTORIAL = [(n, 10000 - 5000 * (k % 2), 1000 - 500 * (k % 2), k + 1) for k, n in enumerate("abcdef")]


def unit(count: int) -> list[tuple[str, float, float, float]]:
    return [(f"n{k}", 1, 1, 1) for k in range(count)]


def majority(count: int) -> Question:
    names = [f"n{k}" for k in range(count)]
    return Question(f"majority of {count}", unit(count), [(0.5, 1)], [count // 2 + 1, *names], repeat=3 if count > 11 else 5)


def grid(side: int) -> Question:
    rows = [[side, *(f"n{side * r + c}" for c in range(side))] for r in range(side)]
    return Question(f"grid {side}x{side}, rows", unit(side * side), [(0.5, 1)], [1, *rows], repeat=3 if side > 4 else 5)


def questions(long: bool) -> list[Question]:
    two_rows: Tree = [1, [3, "a", "b", "c"], [3, "d", "e", "f"]]
    bridge: Tree = [1, [2, "a", "b"], [3, "a", "c", "e"], [2, "d", "e"], [3, "d", "c", "b"]]
    return [
        Question("tutorial: load", TUTORIAL, [(0.25, 1)], two_rows),
        Question("tutorial: load, two fractions", TUTORIAL, [(0.1, 1), (0.75, 1)], two_rows),
        Question("tutorial: load, 1 spare", TUTORIAL, [(0.5, 1)], two_rows, spare=1),
        Question("tutorial: latency", TUTORIAL, [(0.5, 1)], two_rows, optimise="latency", limits=(1 / 1500, None, None)),
        Question("tutorial: load, latency <= 4 s", TUTORIAL, [(0.5, 1)], two_rows, limits=(None, None, 4)),
        Question("tutorial: network", TUTORIAL, [(0.5, 1)], two_rows, optimise="network", limits=(1 / 2000, None, 4)),
        Question("study: majority", STUDY, STUDY_READS, [3, *"abcde"]),
        Question("study: grid", STUDY, STUDY_READS, [1, [2, "a", "b"], [3, "c", "d", "e"]]),
        Question("study: paths", STUDY, STUDY_READS, bridge),
        Question("study: majority, latency", STUDY, STUDY_READS, [3, *"abcde"], optimise="latency", limits=(1 / 2000, None, None)),
        Question("study: search", STUDY, STUDY_READS, kind="search", resilience=1, repeat=1),
        Question("study: search, 1 spare", STUDY, STUDY_READS, kind="search", resilience=1, spare=1, repeat=1),
        Question("study: search, latency", STUDY, STUDY_READS, kind="search", resilience=1, optimise="latency", limits=(1 / 2000, None, None), repeat=1),
        Question("tutorial: search, 60 s", TUTORIAL, [(0.75, 1)], kind="search", resilience=1, spare=1, limits=(None, 4, 4), timeout_s=60, repeat=1),
        *(majority(count) for count in (9, 11, 13, 15, 51, 101, 201)),
        *(grid(side) for side in (3, 4, 5, 6, 10, 20)),
        *([Question("search, 7 like nodes", unit(7), [(0.5, 1)], kind="search", resilience=1, repeat=1)] if long else []),
    ]  # fmt: skip


def run(command: list[str | Path], question: Question, limit_s: float, env: dict[str, str]) -> dict[str, object] | None:
    """None if the process was ended for its time."""
    began = time.perf_counter()
    try:
        done = subprocess.run([*command, question.text()], capture_output=True, text=True, timeout=limit_s, env=env, check=False)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        raise SystemExit(f"{question.name}: {done.stderr[-2000:]}")
    return {**json.loads(done.stdout.splitlines()[-1]), "wall_s": time.perf_counter() - began}


def call_s(found: dict[str, object]) -> float:
    times: list[float] = found["times_s"]  # type: ignore[assignment]
    return statistics.median(times[1:] or times)


def row(question: Question, options: argparse.Namespace) -> str:
    mine = run([sys.executable, "-c", OURS], question, 1000, dict(os.environ))
    assert mine is not None
    text = f"{question.name:32} {mine['value']:>14.8g} {mine['gap']:8.1e} {call_s(mine):9.4f} {mine['wall_s']:7.2f}"
    if options.quoracle is None:
        return text
    env = {**os.environ, "PYTHONPATH": str(options.quoracle), "MPLBACKEND": "agg"}
    peer = run([options.python, DRIVER], question, options.limit_s, env)
    if peer is None:
        return f"{text} | {'> limit':>14} {options.limit_s:9.0f}           > {options.limit_s / call_s(mine):8.0f}x"
    ratio, walls = call_s(peer) / call_s(mine), float(peer["wall_s"]) / float(mine["wall_s"])  # type: ignore[arg-type]
    close = abs(float(mine["value"]) / float(peer["value"]) - 1) < 1e-6  # type: ignore[arg-type]
    better = float(mine["value"]) < float(peer["value"]) * (1 - 1e-6)  # type: ignore[arg-type]
    mark = "" if close else " BETTER" if better else " WORSE"
    return f"{text} | {peer['value']:>14.8g} {call_s(peer):9.4f} {peer['wall_s']:7.2f} {ratio:9.1f}x {walls:6.1f}x{mark}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quoracle", type=Path, default=os.environ.get("QUORACLE"), help="a checkout of quoracle")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="an interpreter that has pulp and matplotlib")
    parser.add_argument("--limit-s", type=float, default=120.0, help="the longest a process of quoracle may take")
    parser.add_argument("--only", default="", help="questions whose name contains this")
    parser.add_argument("--long", action="store_true", help="searches that take minutes as well")
    options = parser.parse_args()
    print(f"{'':32} {'ours':>14} {'gap':>8} {'call s':>9} {'wall s':>7}" + (
        f" | {'quoracle':>14} {'call s':>9} {'wall s':>7} {'call':>10} {'wall':>7}" if options.quoracle else ""))  # fmt: skip
    for question in questions(options.long):
        if options.only in question.name:
            print(row(question, options), flush=True)


if __name__ == "__main__":
    main()
