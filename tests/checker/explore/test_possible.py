"""`always possible` on graphs of states against brute force."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from native_models import NODES, GraphModel, counters, explored
from test_search import GRAPHS, WORKERS, _small_batches

from scrutator.checker.explore.exploration import Options
from scrutator.checker.explore.possible import Possibility
from scrutator.checker.explore.search import explore

QUICK = settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))


def leading_to(edges: dict[int, set[int]], goals: set[int]) -> set[int]:
    """States from which some path leads to a goal."""
    marked = set(goals)
    while more := {s for s, targets in edges.items() if s not in marked and targets & marked}:
        marked |= more
    return marked


def brute_force(graph: GraphModel, depth_max: int | None, goal: str) -> Possibility:
    found = explored(graph, depth_max)
    index = {node: k for k, node in enumerate(found.order)}
    open_states = {
        k
        for k, node in enumerate(found.order)
        if found.depth[k] == depth_max or not graph.has("WITHIN", node)
    }
    edges = {
        k: set() if k in open_states else {index[t] for t in graph.successors(node)}
        for k, node in enumerate(found.order)
    }
    goals = {k for k, node in enumerate(found.order) if graph.has(goal, node)}
    surely = leading_to(edges, goals)
    maybe = leading_to(edges, goals | open_states)
    stuck = sorted(set(edges) - maybe)
    return Possibility(stuck[0] if stuck else None, len(surely) == len(edges))


@QUICK
@given(GRAPHS, st.none() | st.integers(1, 5), st.sampled_from(WORKERS), st.sampled_from([64, 128]))
def test_against_brute_force(graph: GraphModel, depth_max: int | None, workers: int, bits: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        _small_batches(patch)
        options = Options(
            workers=workers, edges=True, stop_at_first=False, depth_max=depth_max, fingerprint_bits=bits
        )
        e = explore(graph.native(), options)
    assert e.graph is not None
    assert e.graph.can_reach(0) == brute_force(graph, depth_max, "GOAL")
    assert e.graph.can_reach(1) == brute_force(graph, depth_max, "GOAL2")


def test_a_trap() -> None:
    adjacent = [1 << (k + 1) % NODES for k in range(NODES)]
    ring = GraphModel(tuple(adjacent), {"GOAL": 1 << 5})
    e = explore(ring.native(), Options(edges=True))
    assert e.graph is not None
    assert e.graph.can_reach(0) == Possibility(None, True)
    adjacent[9] = 1 << 9
    e = explore(GraphModel(tuple(adjacent), {"GOAL": 1 << 5}).native(), Options(edges=True))
    assert e.graph is not None
    assert e.graph.can_reach(0) == Possibility(6, False)


@pytest.mark.parametrize("workers", [1, 2])
def test_keeping_the_graph_changes_no_counts(workers: int) -> None:
    model = counters(5, 8)
    with_graph, without = explore(model, Options(workers=workers, edges=True)), explore(model, Options())
    assert (with_graph.distinct, with_graph.generated, with_graph.levels) == (
        without.distinct,
        without.generated,
        without.levels,
    )
