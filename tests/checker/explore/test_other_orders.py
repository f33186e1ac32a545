"""Depth-first search and random walks find what is there, and say how they got there."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from native_models import NODES, TWO_PHASE_COUNTS, GraphModel, counters, explored, two_phase
from test_search import GRAPHS, WORKERS

from scrutator.checker.explore import control, table
from scrutator.checker.explore.depth_first import explore_depth_first
from scrutator.checker.explore.exploration import Exploration, Fault, Options
from scrutator.checker.explore.walk import Walk, WalkOptions, Walks, simulate

QUICK = settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
LINE = (*tuple(1 << k + 1 for k in range(NODES - 1)), 0)


def nodes(e: Exploration, state: int) -> list[int]:
    return e.paths.rows_to(state).rows.view(np.int64)[:, 0].tolist()


@pytest.mark.parametrize("managers", [3, 5, 7])
def test_depth_first_finds_all(managers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "PARENTS_SHIFT", 10)
    e = explore_depth_first(two_phase(managers), Options())
    assert (e.distinct, e.generated) == TWO_PHASE_COUNTS[managers][:2]
    assert e.exhaustive
    assert not e.shortest
    assert sum(e.levels) == e.distinct


@QUICK
@given(GRAPHS)
def test_depth_first_on_random_graphs(graph: GraphModel) -> None:
    expected = explored(graph)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "ENTRIES_FIRST", 1)
        e = explore_depth_first(graph.native(), Options(stop_at_first=False))
    assert e.exhaustive
    assert (e.distinct, e.generated, e.fired) == (
        len(expected.order),
        expected.generated,
        tuple(expected.fired),
    )
    assert e.truncations == (expected.truncated,)
    assert (e.deadlock is None) == (expected.deadlock is None)
    for name, state in (("BAD", e.invariants[0]), ("BAD2", e.invariants[1]), ("GOAL", e.predicates[0])):
        assert (state is None) == (expected.first(graph, name) is None)
        if state is not None:
            path = nodes(e, state)
            assert graph.has(name, path[-1])
            assert path[0] in graph.initial
            assert all(b in graph.successors(a) for a, b in itertools.pairwise(path))
    assert (e.step_invariants[1] is None) == (expected.step is None)


def test_depth_first_goes_deep_first_and_obeys_bounds() -> None:
    fork = GraphModel((1 << 1 | 1 << 20, *LINE[1:20], 0, 0, 0, 0), {"BAD": 1 << 19 | 1 << 20})
    deep = explore_depth_first(fork.native(), Options())
    assert nodes(deep, deep.invariants[0] or 0)[-1] == 20  # met, though not yet expanded
    cut = explore_depth_first(counters(3, 5), Options(depth_max=4))
    assert (cut.limit, cut.depth, cut.exhaustive) == ("depth", 4, False)
    many = explore_depth_first(two_phase(7), Options(states_max=1000))
    assert (many.limit, many.exhaustive) == ("states", False)
    assert explore_depth_first(two_phase(7), Options(timeout_s=0)).limit == "time"
    assert explore_depth_first(two_phase(7), Options(memory_bytes_max=1 << 20)).limit == "memory"
    faulty = GraphModel(LINE, {"FAULTY": 1 << 7})
    assert explore_depth_first(faulty.native(), Options()).fault == Fault(7, None, 8)
    with pytest.raises(ValueError, match="always_possible"):
        explore_depth_first(two_phase(3), Options(edges=True))


def same(a: Walks, b: Walks) -> bool:
    names = [
        "walks",
        "steps",
        "fired",
        "invariants",
        "step_invariants",
        "predicates",
        "deadlock",
        "fault",
        "fault_what",
        "truncations",
        "limit",
    ]
    return all(getattr(a, name) == getattr(b, name) for name in names)


@pytest.mark.parametrize("stop_at_first", [True, False])
def test_walks_do_not_depend_on_workers(stop_at_first: bool) -> None:
    model = two_phase(6, guard=False)
    found = [
        simulate(model, WalkOptions(walks=3000, seed=5, depth_max=40, workers=w, stop_at_first=stop_at_first))
        for w in WORKERS
    ]
    assert same(found[0], found[1])
    assert same(found[0], found[2])
    assert sum(found[0].fired) == found[0].steps
    walk = found[2].invariants[0]
    assert walk is not None
    assert stop_at_first == (found[0].walks == walk.number + 1)
    walked = found[2].stepper.walk(found[2].path(walk), canonical=False)
    assert len(walked.actions) == walk.length
    assert [found[2].stepper.bits("invariants", row) for row in walked.rows] == [0] * walk.length + [1]


def test_other_seeds_walk_elsewhere() -> None:
    paths = set()
    for seed in range(20):
        found = simulate(two_phase(5), WalkOptions(walks=3, seed=seed, depth_max=20))
        paths |= {found.path(Walk(number, 20)).ordinals for number in range(3)}
    assert len(paths) == 60


def test_walks_draw_uniformly() -> None:
    fan = GraphModel((0b111110, *[0] * (NODES - 1)))
    found = simulate(fan.native(), WalkOptions(walks=10_000, seed=1))
    counts = [0] * 6
    for number in range(10_000 // 20):
        counts[1 + found.path(Walk(number, 1)).ordinals[0]] += 1
    assert found.steps == 10_000
    assert all(60 < count < 140 for count in counts[1:])


def test_walks_meet_deadlocks_faults_constraints_and_limits() -> None:
    line = GraphModel(LINE, {"GOAL": 1 << 4}, initial=(0,))
    found = simulate(line.native(), WalkOptions(walks=10))
    assert (found.deadlock, found.predicates[0], found.walks) == (Walk(0, NODES - 1), Walk(0, 4), 10)
    found = simulate(line.native(), WalkOptions(walks=10, deadlock=True))
    assert (found.deadlock, found.walks) == (Walk(0, NODES - 1), 1)
    found = simulate(replace(line, labels={"FAULTY": 1 << 7}).native(), WalkOptions(walks=10))
    assert (found.fault, found.fault_what, found.walks) == (Walk(0, 7), 8, 1)
    found = simulate(replace(line, labels={"WITHIN": 0b11111}).native(), WalkOptions(walks=10))
    assert found.steps == 50
    found = simulate(replace(line, labels={"STEPS": 0b11 << 8}).native(), WalkOptions(walks=10))
    assert (found.step_invariants[1], found.walks) == (Walk(0, 9), 1)
    found = simulate(two_phase(5), WalkOptions(walks=None, timeout_s=0.05, workers=2))
    assert found.limit == "time"
    with pytest.raises(ValueError, match="without end"):
        WalkOptions(walks=None, stop_at_first=False)
    with pytest.raises(ValueError, match="walks of 0 steps"):
        WalkOptions(depth_max=0)
