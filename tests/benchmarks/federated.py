"""How fast federated systems are decided: whether quorums meet, and what blocks and splits them.

    python tests/benchmarks/federated.py                          # networks made here, up to 200 nodes
    python tests/benchmarks/federated.py FILE ... [--only NAME]   # Stellar's files as well

Each network is read and decided in a process of its own.  ``whole`` is that process from start to
verdict, its interpreter included; the others are the functions alone, in one process, each of them once.
Figures are medians.  ``quorums`` and ``blocking`` are the numbers of minimal sets.  The targets: 0.5 s
for a verdict, 5 s for smallest blocking and splitting sets; a row that misses one says so.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DECIDE_S, SETS_S = 0.5, 5.0

OURS = """
import json, sys, time
from pathlib import Path
from scrutator.checker.quorum.federated import (decide, minimal_blocking_sets, minimal_quorums, smallest_blocking_set,
                                                smallest_quorum, smallest_splitting_set)
from scrutator.model.quorums.stellar import read_stellar
path, all_of_it, timeout_s = Path(sys.argv[1]), sys.argv[2] == "yes", float(sys.argv[3])
times, found = {}, {}
def timed(name, function, *arguments, **options):
    began = time.perf_counter()
    try:
        return function(*arguments, **options)
    except Exception as error:
        found[name] = type(error).__name__
    finally:
        times[name] = time.perf_counter() - began
system = timed("read", lambda: read_stellar(path, path.read_text()))
result = timed("decide", decide, system, timeout_s=timeout_s)
found |= {"nodes": len(system.nodes), "outcome": result.outcome.value}
if all_of_it:
    size = lambda one: None if one is None else one.size if one.proved else f"<={one.size}"
    found["quorum"] = size(timed("quorum", smallest_quorum, system, timeout_s=timeout_s))
    found["block"] = size(timed("block", smallest_blocking_set, system, timeout_s=timeout_s))
    split = timed("split", smallest_splitting_set, system, timeout_s=timeout_s)
    found["split"] = size(split and split.faulty)
    for name, function in (("quorums", minimal_quorums), ("blocking", minimal_blocking_sets)):
        every = timed(name, function, system, sets_max=0, timeout_s=timeout_s)
        found[name] = every.count if every else None
print(json.dumps({"times": times, "found": found}))
"""


def organisations(sizes: list[int], percent: int = 67) -> list[dict[str, object]]:
    """Nodes that name those of their own organisation and majorities of all others."""
    nodes = [[f"o{k}n{j}" for j in range(size)] for k, size in enumerate(sizes)]
    listed: list[dict[str, object]] = []
    for k, own in enumerate(nodes):
        inner = [{"threshold": len(other) // 2 + 1, "validators": other} for j, other in enumerate(nodes) if j != k]
        needed = 1 + ((len(own) + len(inner)) * percent - 1) // 100
        asked = {"threshold": needed, "validators": own, "innerQuorumSets": inner}
        listed += [{"publicKey": name, "quorumSet": asked} for name in own]
    return listed


def top_tier(sizes: list[int], watchers: int, percent: int = 67) -> list[dict[str, object]]:
    """Nodes that all need the same organisations, and watchers that nobody needs."""
    nodes = [[f"o{k}n{j}" for j in range(size)] for k, size in enumerate(sizes)]
    inner = [{"threshold": len(own) // 2 + 1, "validators": own} for own in nodes]
    asked = {"threshold": 1 + (len(inner) * percent - 1) // 100, "validators": [], "innerQuorumSets": inner}
    names = [*(name for own in nodes for name in own), *(f"w{k}" for k in range(watchers))]
    return [{"publicKey": name, "quorumSet": asked} for name in names]


def networks() -> dict[str, list[dict[str, object]]]:
    return {
        "8 organisations, each its own": organisations([3, 5] * 4),
        "10 organisations, each its own": organisations([3, 5] * 5),
        "16 organisations, each its own": organisations([3, 5] * 8),
        "7 organisations, 600 watchers": top_tier([3, 3, 3, 5, 3, 3, 3], 600),
        "40 organisations, all the same": top_tier([3, 5] * 20, 40),
    }


def ours(path: Path, everything: bool, timeout_s: float) -> tuple[float, dict[str, dict[str, object]]]:
    began = time.perf_counter()
    command = [sys.executable, "-c", OURS, path, "yes" if everything else "no", str(timeout_s)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return time.perf_counter() - began, json.loads(done.stdout)


def row(name: str, path: Path, repeat: int, timeout_s: float) -> str:
    whole = statistics.median(ours(path, False, timeout_s)[0] for _ in range(repeat))
    runs = [ours(path, True, timeout_s)[1] for _ in range(repeat)]
    found = runs[0]["found"]

    def took(what: str) -> float:
        return statistics.median(float(str(run["times"][what])) for run in runs)

    text = f"{name[-44:]:44} {found['nodes']:>5} {found['outcome']:10} {whole:6.2f} {took('read'):7.3f} {took('decide'):7.3f}"
    for what in ("quorum", "block", "split"):
        text += f" {found[what]!s:>5} {took(what):7.3f}"
    for what in ("quorums", "blocking"):
        text += f" {found[what]!s:>15} {took(what):7.3f}"
    missed = [what for what, limit in (("decide", DECIDE_S), ("block", SETS_S), ("split", SETS_S)) if took(what) > limit]
    missed += ["whole"] if whole > DECIDE_S else []
    return f"{text}  {'MISSED ' + ' '.join(missed) if missed else 'ok'}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="*", help="networks in Stellar's formats")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--timeout-s", type=float, default=30.0, help="for each question")
    parser.add_argument("--only", default="", help="networks whose name holds this")
    options = parser.parse_args()
    columns = f"{'quorum':>5} {'s':>6} {'block':>5} {'s':>7} {'split':>5} {'s':>7} {'quorums':>15} {'s':>7} {'blocking':>15} {'s':>7}"
    print(f"{'network':44} {'nodes':>5} {'outcome':10} {'whole':>6} {'read':>7} {'decide':>7} {columns}")
    with tempfile.TemporaryDirectory() as folder:
        work = {}
        for name, listed in networks().items():
            work[name] = Path(folder) / f"{name}.json"
            work[name].write_text(json.dumps(listed))
        work |= {str(path): path for path in options.files}
        for name, path in work.items():
            if options.only in name:
                print(row(name, path, options.repeat, options.timeout_s), flush=True)


if __name__ == "__main__":
    main()
