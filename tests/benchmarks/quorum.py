"""How long it takes to decide whether quorums meet, for families that other encodings do not finish.

    python tests/benchmarks/quorum.py [NAME ...]

Each is decided in a fresh process, twice: the table shows the seconds of the decision alone and those of
the whole process, interpreter start and imports included.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from scrutator.model.quorums import Expression, Node, choose, majority, nodes, parse, weighted

SIZE = 20


def named(count: int, prefix: str = "n") -> tuple[Node, ...]:
    return nodes(f"{prefix}{k}" for k in range(count))


def groups(count: int, size: int) -> str:
    return ", ".join("[" + ", ".join(f"n{g}_{k}" for k in range(size)) + "]" for g in range(count))


def random_weights(count: int, share: float, seed: int = 1) -> Expression:
    """Weights from 1 to 100, and a threshold just above a share of their sum."""
    rng = random.Random(seed)
    weights = [rng.randint(1, 100) for _ in range(count)]
    return weighted(int(sum(weights) * share) + 1, list(zip(weights, named(count), strict=True)))


def three_levels(regions: int, centres: int, racks: int) -> Expression:
    return majority(
        majority(majority(Node(f"n{r}_{c}_{k}") for k in range(racks)) for c in range(centres)) for r in range(regions)
    )


CASES: dict[str, Callable[[], Sequence[Expression]]] = {
    "majority of 201": lambda: (majority(named(201)),) * 2,
    "half of 200": lambda: (choose(100, named(200)),) * 2,
    "500 random weights, more than half": lambda: (random_weights(500, 0.5),) * 2,
    "500 random weights, 40 %": lambda: (random_weights(500, 0.4),) * 2,
    "grid 20 x 20, row and column": lambda: (parse(f"grid({groups(SIZE, SIZE)})"),) * 2,
    "grid 20 x 20, row x row": lambda: (parse(f"rows({groups(SIZE, SIZE)})"),) * 2,
    "grid 20 x 20, row x one of each": lambda: (parse(f"rows({groups(SIZE, SIZE)})"), parse(f"one_of_each({groups(SIZE, SIZE)})")),
    "hierarchy of 100 in 3 levels": lambda: (three_levels(4, 5, 5),) * 2,
    "hierarchy of 9 groups of 51": lambda: (parse(f"hierarchy({groups(9, 51)})"),) * 2,
    "geo 10 x 10, each x one": lambda: (
        parse(f"majority_of_each({groups(10, 10)})"),
        parse("any(" + ", ".join(f"majority([{', '.join(f'n{g}_{k}' for k in range(10))}])" for g in range(10)) + ")"),
    ),
    "fast paxos of 21, three quorums": lambda: (majority(named(21)), choose(16, named(21)), choose(16, named(21))),
    "projective plane of 91": lambda: (parse("plane(n1, ..., n91)"),) * 2,
    "tree of 63": lambda: (parse("tree(n1, ..., n63)"),) * 2,
    "majority of 1001": lambda: (majority(named(1001)),) * 2,
}


def decide_one(name: str) -> dict[str, object]:
    """The verdict on one case and the seconds it took."""
    from scrutator.checker.quorum.intersection import decide
    from scrutator.checker.quorum.smtlib import Question
    from scrutator.model.quorums import Rule

    quorums = tuple(CASES[name]())
    start = time.perf_counter()
    found = decide(Rule(tuple(f"role{k}" for k in range(len(quorums)))), Question(quorums))
    miss = found.miss
    return {
        "seconds": time.perf_counter() - start,
        "verdict": found.verdict.value,
        "miss": "" if miss is None else f"{sum(map(len, miss.quorums))} nodes{'' if miss.smallest else ', not proved fewest'}",
    }


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(decide_one(sys.argv[2])))
        return
    wanted = sys.argv[1:] or list(CASES)
    print(f"{'case':36} {'verdict':9} {'decided':>9} {'process':>9}")
    for name in (name for name in CASES if any(word in name for word in wanted)):
        best: tuple[float, float, dict[str, object]] | None = None
        for _ in range(2):
            start = time.perf_counter()
            done = subprocess.run([sys.executable, __file__, "--one", name], capture_output=True, text=True, check=True)
            whole = time.perf_counter() - start
            answer = json.loads(done.stdout)
            best = min(best or (1e9, 0.0, answer), (answer["seconds"], whole, answer), key=lambda b: b[0])
        assert best is not None
        print(f"{name:36} {best[2]['verdict']!s:9} {best[0]:8.3f}s {best[1]:8.3f}s  {best[2]['miss']}")


if __name__ == "__main__":
    main()
