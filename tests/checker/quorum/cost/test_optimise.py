"""The best strategies: column generation against all quorums at once, certificates, limits, spare nodes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from scrutator.checker.quorum.cost import pricing
from scrutator.checker.quorum.cost.optimise import METRICS, Infeasible, Limits, optimal, verify
from scrutator.checker.quorum.cost.strategy import latency_s
from scrutator.checker.quorum.cost.workloads import Workload, workload
from scrutator.model.quorums import AtLeast, Expression, Node, QuorumSystem

NAMES = "abcdef"


@st.composite
def nodes(draw: st.DrawFn, count: int = 5) -> tuple[Node, ...]:
    amounts = st.sampled_from([0.5, 1.0, 2.0, 100.0])
    return tuple(
        Node(name, read_capacity=draw(amounts), write_capacity=draw(amounts), latency_s=draw(st.sampled_from([0.5, 1.0, 3.0])))
        for name in NAMES[:count]
    )


def expressions(leaves: tuple[Node, ...]) -> st.SearchStrategy[Expression]:
    def gates(members: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        weighed = st.lists(st.tuples(st.integers(1, 3), members), min_size=2, max_size=4)
        return weighed.flatmap(
            lambda m: st.integers(1, sum(w for w, _ in m)).map(lambda needed: AtLeast(needed, tuple(m)))
        )

    return st.recursive(st.sampled_from(leaves), gates, max_leaves=7)


@st.composite
def cases(draw: st.DrawFn) -> tuple[QuorumSystem, Workload]:
    leaves = draw(nodes())
    read = draw(expressions(leaves))
    write = draw(st.one_of(st.just(read.dual()), expressions(leaves)))
    fractions = draw(st.dictionaries(st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0]), st.sampled_from([1.0, 2.0]), min_size=1, max_size=3))
    return QuorumSystem("random", {"read": read, "write": write}, nodes=leaves), workload(fractions)


def oracle(system: QuorumSystem, work: Workload, metric: str, limits: Limits, spare: int) -> float | None:
    """The optimum over every set of nodes that is spare enough, minimal or not; None where there is none."""
    names = [node.name for node in system.nodes]
    every = [frozenset(c) for k in range(len(names) + 1) for c in combinations(names, k)]
    latencies = {node.name: node.latency_s for node in system.nodes}
    columns: list[list[float]] = []
    for role, share, capacity in ((work.read, 1.0, "read_capacity"), (work.write, -1.0, "write_capacity")):
        expression = system.roles[role]
        for asked in every:
            if all(expression.is_quorum(asked - set(f)) for f in combinations(asked, min(spare, len(asked)))):
                loads = [
                    (fraction if share > 0 else 1 - fraction) / getattr(node, capacity) * (node.name in asked)
                    for fraction, _ in work.fractions
                    for node in system.nodes
                ]
                mean = work.mean if share > 0 else 1 - work.mean
                columns.append([share, mean * len(asked), mean * latency_s(expression, asked, latencies), *loads])
    if {column[0] for column in columns} != {1.0, -1.0}:
        return None  # a role without such sets
    matrix = np.array(columns).T
    kinds = len(work.fractions)
    load = np.concatenate([np.zeros(len(columns)), [chance for _, chance in work.fractions]])
    rows = {"load": load, "network": np.append(matrix[1], [0.0] * kinds), "latency": np.append(matrix[2], [0.0] * kinds)}
    above = np.hstack([matrix[3:], -np.repeat(np.eye(kinds), len(names), axis=0)])
    caps = [0.0] * len(above)
    for row, limit in zip(rows.values(), limits.listed(), strict=True):
        if limit is not None:
            above, caps = np.vstack([above, row]), [*caps, limit]
    sums = np.array([np.append(matrix[0] == side, [0.0] * kinds) for side in (1.0, -1.0)])
    found = linprog(rows[metric], A_ub=above, b_ub=caps, A_eq=sums, b_eq=[1.0, 1.0])
    return float(found.fun) if found.status == 0 else None


@contextmanager
def nothing_listed() -> Iterator[None]:
    """No system is small enough for its quorums to be listed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pricing, "NODES_MAX", -1)
        patch.setattr(pricing, "count_at_most", lambda expression: float("inf"))
        yield


def agrees(system: QuorumSystem, work: Workload, metric: str, limits: Limits, spare: int) -> None:
    expected = oracle(system, work, metric, limits, spare)
    try:
        found = optimal(system, work, optimise=metric, limits=limits, spare=spare)
    except Infeasible:
        assert expected is None
        return
    assert expected is not None
    assert found.value == pytest.approx(expected, rel=1e-7)
    assert found.gap <= 1e-8 and found.bound <= found.value * (1 + 1e-9)
    assert verify(system, found, limits, spare) == pytest.approx(found.bound, rel=1e-9)
    for cost, limit in zip((found.costs.load, found.costs.network, found.costs.latency_s), limits.listed(), strict=True):
        assert limit is None or cost <= limit * (1 + 1e-8)
    for role, chances in (("read", found.strategy.reads), ("write", found.strategy.writes)):
        assert sum(chances.values()) == pytest.approx(1)
        for asked in chances:
            assert all(system.roles[role].is_quorum(asked - set(f)) for f in combinations(asked, spare))


METRIC, SPARE = st.sampled_from(METRICS), st.sampled_from([0, 0, 0, 1, 2])
Case = tuple[QuorumSystem, Workload]


@given(cases(), METRIC, SPARE)
@settings(max_examples=60, deadline=None)
def test_listing_finds_the_optimum_over_all_sets(case: Case, metric: str, spare: int) -> None:
    agrees(*case, metric, Limits(), spare)


@given(cases(), METRIC, SPARE)
@settings(max_examples=60, deadline=None)
def test_column_generation_finds_the_optimum_over_all_sets(case: Case, metric: str, spare: int) -> None:
    with nothing_listed():
        agrees(*case, metric, Limits(), spare)


@given(cases(), METRIC, st.sampled_from([0, 0, 1]), st.sampled_from([0.6, 0.9, 1.0, 1.2]), st.booleans())
@settings(max_examples=60, deadline=None)
def test_limits_are_kept_or_cannot_be(case: Case, metric: str, spare: int, factor: float, listed: bool) -> None:
    try:
        costs = optimal(*case, optimise=metric, spare=spare).costs
    except Infeasible:
        return
    values = (costs.load * factor, costs.network * factor, costs.latency_s)
    if not all(values):
        return
    limits = Limits(*(None if name == metric else value for name, value in zip(METRICS, values, strict=True)))
    with nullcontext() if listed else nothing_listed():
        agrees(*case, metric, limits, spare)
