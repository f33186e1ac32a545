"""Asks quoracle one question, given as JSON; prints its answer and how long it took, imports apart.

    PYTHONPATH=quoracle python run.py '{"kind": "optimal", ...}'
"""

from __future__ import annotations

import datetime
import json
import sys
import time

began = time.perf_counter()
import quoracle  # noqa: E402
from quoracle import expr  # noqa: E402

imported_s = time.perf_counter() - began


def seconds(value):
    return None if value is None else datetime.timedelta(seconds=value)


def expression(tree, nodes):
    """A node's name, or [how many are needed, member, member, ...]."""
    if isinstance(tree, str):
        return nodes[tree]
    return expr.choose(tree[0], [expression(member, nodes) for member in tree[1:]])


def answer(question):
    nodes = {
        name: quoracle.Node(name, read_capacity=read, write_capacity=write, latency=seconds(latency))
        for name, read, write, latency in question["nodes"]
    }
    reads = {float(fraction): weight for fraction, weight in question["reads"]}
    metric = question["optimise"]
    options = {
        "optimize": metric,
        "load_limit": question["limits"][0],
        "network_limit": question["limits"][1],
        "latency_limit": seconds(question["limits"][2]),
        "read_fraction": reads,
        "f": question["spare"],
    }
    if question["kind"] == "search":
        _, strategy = quoracle.search(nodes=list(nodes.values()), resilience=question["resilience"],
                                      timeout=seconds(question["timeout_s"] or 0), **options)
    else:
        strategy = quoracle.QuorumSystem(reads=expression(question["tree"], nodes)).strategy(**options)
    if metric == "load":
        return strategy.load(read_fraction=reads)
    if metric == "network":
        return strategy.network_load(read_fraction=reads)
    return strategy.latency(read_fraction=reads).total_seconds()


def main():
    question = json.loads(sys.argv[1])
    times = []
    for _ in range(question["repeat"]):
        start = time.perf_counter()
        value = answer(question)
        times.append(time.perf_counter() - start)
    print(json.dumps({"value": value, "times_s": times, "import_s": imported_s}))


main()
