"""Breadth-first search finds what a sequential one finds, with any number of workers."""

from __future__ import annotations

import itertools
import math
import os
import signal
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from native_models import NODES, TWO_PHASE_COUNTS, GraphModel, counters, explored, two_phase

from scrutator.checker.explore import control, native_model, run, search, table
from scrutator.checker.explore.exploration import Exploration, Fault, Options, Transition
from scrutator.checker.explore.options import Progress
from scrutator.checker.explore.search import explore

WORKERS = [1, 2, 4]
MASKS = st.integers(0, (1 << NODES) - 1)
SPARSE = st.tuples(MASKS, MASKS, MASKS).map(lambda m: m[0] & m[1] & m[2])
GRAPHS = st.builds(
    GraphModel,
    st.tuples(*[SPARSE] * NODES),
    st.fixed_dictionaries({"REFUSED": SPARSE, "BAD": SPARSE, "BAD2": SPARSE, "STEPS": MASKS, "GOAL": SPARSE, "WITHIN": st.just((1 << NODES) - 1) | MASKS}),
    st.lists(st.integers(0, NODES - 1), min_size=1, max_size=4, unique=True).map(tuple),
)  # fmt: skip
QUICK = settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))


def same(a: Exploration, b: Exploration) -> bool:
    """Whether two explorations found the same, cost aside."""
    names = [
        "distinct",
        "outside",
        "generated",
        "levels",
        "outside_levels",
        "fired",
        "reached",
        "invariants",
        "step_invariants",
        "predicates",
        "deadlock",
        "fault",
        "truncations",
        "exhaustive",
        "limit",
    ]
    return all(getattr(a, name) == getattr(b, name) for name in names)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches so small that even toy models have several, shared by all workers."""
    _small_batches(monkeypatch)


def _small_batches(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(native_model, "PART_STATES", 2)
    patch.setattr(native_model, "PARTS", 4)
    patch.setattr(native_model, "CHUNK_BYTES", 0)
    patch.setattr(search, "TOGETHER_PARTS", 1)
    patch.setattr(table, "ENTRIES_FIRST", 4)


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("managers", [3, 5, 7])
def test_two_phase_commit(managers: int, workers: int) -> None:
    e = explore(two_phase(managers), Options(workers=workers))
    assert (e.distinct, e.generated, e.depth) == TWO_PHASE_COUNTS[managers]
    assert e.exhaustive
    assert e.invariants == (None,)
    assert None not in e.predicates
    assert sum(e.levels) == e.distinct == 1 + sum(e.reached)
    assert e.generated == 1 + sum(e.fired)
    assert 0 < e.collision_odds < 1e-8


@QUICK
@given(GRAPHS)
def test_random_graphs(graph: GraphModel) -> None:
    expected = explored(graph)
    with pytest.MonkeyPatch.context() as patch:
        _small_batches(patch)
        for workers in WORKERS:
            e = explore(graph.native(), Options(workers=workers, stop_at_first=False))
            assert e.exhaustive
            assert (e.distinct, e.generated) == (len(expected.order), expected.generated)
            assert e.levels == tuple(Counter(expected.depth).values())
            assert (
                sum(e.outside_levels)
                == e.outside
                == sum(not graph.has("WITHIN", node) for node in expected.order)
            )
            assert (e.fired, e.reached) == (tuple(expected.fired), tuple(expected.reached))
            assert e.invariants == (expected.first(graph, "BAD"), expected.first(graph, "BAD2"))
            assert e.predicates == (expected.first(graph, "GOAL"), expected.first(graph, "GOAL2"))
            assert e.step_invariants == (None, None if expected.step is None else Transition(*expected.step))
            assert e.deadlock == expected.deadlock
            assert e.truncations == (expected.truncated,)
            last = len(expected.order) - 1
            rows = e.paths.rows_to(last).rows.view(np.int64)[:, 0].tolist()
            assert rows[-1] == expected.order[last]
            assert len(rows) == expected.depth[last]
            assert all(b in graph.successors(a) for a, b in itertools.pairwise(rows))


@QUICK
@given(GRAPHS, MASKS, st.booleans(), st.none() | st.integers(1, 6))
def test_stopping_does_not_depend_on_workers(
    graph: GraphModel, faulty: int, deadlock: bool, depth_max: int | None
) -> None:
    graph = replace(graph, labels={**graph.labels, "FAULTY": faulty & graph.labels["BAD2"]})
    with pytest.MonkeyPatch.context() as patch:
        _small_batches(patch)
        found = [
            explore(graph.native(), Options(workers=w, deadlock=deadlock, depth_max=depth_max))
            for w in WORKERS
        ]
    assert all(same(found[0], other) for other in found[1:])


@pytest.mark.parametrize("workers", WORKERS)
def test_violation_with_its_shortest_path(workers: int) -> None:
    e = explore(two_phase(6, guard=False), Options(workers=workers))
    one = explore(two_phase(6, guard=False), Options())
    assert same(e, one)
    assert e.invariants[0] is not None
    assert not e.exhaustive
    assert e.limit is None
    walked = e.paths.rows_to(e.invariants[0])
    # one prepares and is heard, another gives up, the coordinator commits, the first obeys
    assert sorted(walked.actions) == [0, 2, 3, 4, 5]
    assert e.paths.stepper.bits("invariants", walked.rows[-1]) == 1
    assert all(e.paths.stepper.bits("invariants", row) == 0 for row in walked.rows[:-1])


def test_one_word_rows_are_exact() -> None:
    e = explore(counters(4, 19), Options(workers=2))
    assert (e.distinct, e.depth, e.collision_odds) == (20**4, 4 * 19 + 1, 0.0)
    assert e.generated == 1 + 4 * 19 * 20**3
    assert e.truncations == (4 * 20**3,)


@pytest.mark.parametrize("bits", [64, 128])
@pytest.mark.parametrize("workers", [1, 2])
def test_symmetry(bits: int, workers: int) -> None:
    e = explore(counters(9, 6, symmetric=True), Options(workers=workers, fingerprint_bits=bits))
    assert (e.distinct, e.depth) == (math.comb(9 + 6, 6), 9 * 6 + 1)
    rows = e.paths.rows_to(e.distinct - 1).rows
    assert (np.diff(rows[:, :9].astype(int), axis=1) >= 0).all()
    assert rows[-1, :9].tolist() == [6] * 9


def test_wide_fingerprints() -> None:
    narrow, wide = (explore(two_phase(6), Options(workers=2, fingerprint_bits=bits)) for bits in (64, 128))
    assert same(narrow, wide)
    assert wide.collision_odds < 1e-28


def test_table_grows_and_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "ENTRIES_FIRST", 3)
    assert explore(two_phase(6), Options(workers=2)).distinct == 50_816
    e = explore(counters(4, 32), Options(workers=2))
    assert e.distinct == 33**4
    assert (e.table_bytes + e.parents_bytes) / e.distinct < 24


@pytest.mark.parametrize("workers", [1, 2])
def test_spilling_changes_nothing(workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = explore(two_phase(6), Options())
    monkeypatch.setattr(native_model, "CHUNK_BYTES", 0)
    monkeypatch.setattr(native_model, "PARTS", 2)
    monkeypatch.setattr(control, "PARENTS_SHIFT", 9)
    enough = explore(two_phase(6), Options(workers=workers)).memory_bytes_peak
    options = Options(workers=workers, memory_bytes_max=enough - 450_000, spill_folder=str(tmp_path))
    spilled = explore(two_phase(6), options)
    assert same(plain, spilled)
    assert spilled.disk_bytes > 100_000
    assert list(tmp_path.iterdir()) == []
    for state in (0, 1, 777, plain.distinct - 1):
        assert spilled.paths.path_to(state) == plain.paths.path_to(state)


@pytest.mark.parametrize("workers", [1, 2])
def test_limits(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model = two_phase(7)
    deep = explore(model, Options(workers=workers, depth_max=9))
    assert (deep.limit, deep.depth, deep.exhaustive) == ("depth", 9, False)
    many = explore(model, Options(workers=workers, states_max=50_000))
    assert (many.limit, many.exhaustive) == ("states", False)
    assert 50_000 <= many.distinct < 296_448
    assert same(many, explore(model, Options(states_max=50_000)))
    late = explore(model, Options(workers=workers, timeout_s=0))
    assert (late.limit, late.exhaustive) == ("time", False)
    small = explore(model, Options(workers=workers, memory_bytes_max=14 << 20))
    assert (small.limit, small.exhaustive) == ("memory", False)
    assert same(small, explore(model, Options(memory_bytes_max=14 << 20)))
    assert sum(small.levels) == small.distinct
    enough = explore(model, Options(workers=workers, states_max=296_448, depth_max=23))
    assert enough.limit in (None, "states", "depth")
    assert enough.distinct == 296_448


def test_a_limit_met_when_all_is_done_limits_nothing() -> None:
    e = explore(counters(2, 3), Options(states_max=17, depth_max=8))
    assert (e.limit, e.exhaustive, e.distinct) == (None, True, 16)


@pytest.mark.parametrize("workers", [1, 2])
def test_interrupt(workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PROGRESS_S", 0.0)
    seen: list[Progress] = []

    def interrupt(progress: Progress) -> None:
        seen.append(progress)
        if progress.distinct > 20_000:
            signal.raise_signal(signal.SIGINT)

    threads = threading.active_count()
    e = explore(two_phase(7), Options(workers=workers, spill_folder=str(tmp_path)), interrupt)
    assert (e.limit, e.exhaustive) == ("interrupted", False)
    assert seen[-1].distinct == e.distinct == sum(e.levels)
    assert e.generated == 1 + sum(e.fired)
    assert threading.active_count() == threads
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_of_the_caller_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PROGRESS_S", 0.0)

    def fail(progress: Progress) -> None:
        raise RuntimeError("no more")

    files, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    with pytest.raises(RuntimeError, match="no more"):
        explore(two_phase(5), Options(workers=3, memory_bytes_max=1 << 23, spill_folder=str(tmp_path)), fail)
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/fd")) == files


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("workers", WORKERS)
def test_faults(workers: int) -> None:
    line = GraphModel((*tuple(1 << k + 1 for k in range(NODES - 1)), 0), {"FAULTY": 1 << 7 | 1 << 9})
    e = explore(line.native(), Options(workers=workers))
    assert e.fault == Fault(7, None, 8)
    assert (e.distinct, e.exhaustive, e.limit) == (8, False, None)


def test_progress_goes_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PROGRESS_S", 0.0)
    seen: list[Progress] = []
    e = explore(two_phase(5), Options(), seen.append)
    assert [p.distinct for p in seen] == sorted(p.distinct for p in seen)
    assert seen[-1].distinct == e.distinct
    assert seen[-1].frontier == 0
    assert all(p.memory_bytes > 0 and p.states_per_second >= 0 for p in seen)


def test_many_initial_states() -> None:
    model = counters(2, 199)
    rows = np.zeros((200 * 200, 8), np.uint8)
    rows[:, 0], rows[:, 1] = np.divmod(np.arange(200 * 200), 200)
    e = explore(replace(model, initial=np.ascontiguousarray(rows)), Options(workers=2))
    assert (e.distinct, e.depth, e.exhaustive) == (40_000, 1, True)
    assert e.paths.rows_to(12_345).rows.tolist() == [rows[12_345].tolist()]


def test_refused_models() -> None:
    model = counters(2, 3)
    with pytest.raises(ValueError, match="multiple of 8"):
        replace(model, row_bytes=12)
    with pytest.raises(ValueError, match="successors_max"):
        replace(model, successors_max=0)
    with pytest.raises(ValueError, match="initial rows"):
        replace(model, initial=np.zeros((1, 16), np.uint8))
    with pytest.raises(ValueError, match="GROUP"):
        explore(replace(model, constants={**model.constants, "GROUP": 1}), Options())
    with pytest.raises(ValueError, match="workers"):
        Options(workers=0)
    with pytest.raises(ValueError, match="64 or 128"):
        Options(fingerprint_bits=32)
