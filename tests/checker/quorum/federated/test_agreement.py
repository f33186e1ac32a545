"""Every answer about a federated system is that of its definition, tried on all sets of nodes."""

from __future__ import annotations

import federated_subsets as slow
from hypothesis import given, settings
from hypothesis import strategies as st

from scrutator.checker.quorum.federated import (
    Outcome,
    core_of,
    decide,
    disjoint_question,
    minimal_blocking_sets,
    minimal_quorums,
    smallest_blocking_set,
    smallest_quorum,
    smallest_splitting_set,
)
from scrutator.checker.quorum.federated.reduce import reduced
from scrutator.model.quorums.expression import QuorumError
from scrutator.model.quorums.federated import FederatedSystem

by_groups = st.dictionaries(st.sampled_from(slow.NAMES), st.sampled_from(["one", "two"]))
few = settings(max_examples=50, deadline=None)


def outcome(found: list[frozenset[str]]) -> Outcome:
    if not found:
        return Outcome.NO_QUORUM
    return Outcome.INTERSECTS if slow.smallest_pair(found) is None else Outcome.SPLIT


@few
@given(slow.systems())
def test_quorums_are_what_the_definition_says(system: FederatedSystem) -> None:
    found = slow.quorums(system)
    assert [chosen for chosen in slow.subsets(system.names()) if system.is_quorum(chosen)] == found
    assert system.greatest_quorum() == frozenset().union(*found)
    assert core_of(system).greatest >= core_of(system).nodes >= frozenset().union(*slow.minimal(found))


@few
@given(slow.systems())
def test_reduced_systems_have_the_same_quorums(system: FederatedSystem) -> None:
    part = reduced(system)
    for chosen in slow.subsets(system.names()):
        counts = tuple(sum(name in chosen for name in names) for names in part.classes)
        kept = part.greatest_quorum(counts)
        expected = system.greatest_quorum(chosen)
        assert kept == tuple(sum(name in expected for name in names) for names in part.classes)


@few
@given(slow.systems(), st.data())
def test_decisions(system: FederatedSystem, data: st.DataObject) -> None:
    faulty = data.draw(st.frozensets(st.sampled_from(system.names()), max_size=2))
    if len(faulty) == len(system.names()):
        return
    found = slow.quorums(system, faulty)
    result = decide(system, faulty=faulty)
    assert result.outcome is outcome(found)
    assert bool(result) == (result.outcome is Outcome.INTERSECTS)
    if result.outcome is Outcome.SPLIT:
        assert result.left in found and result.right in found and not result.left & result.right
        assert len(result.left) + len(result.right) == slow.smallest_pair(found)
        assert result.smallest and result.faulty == faulty


@few
@given(slow.systems(nodes=5), st.integers(1, 3))
def test_decisions_whoever_is_faulty(system: FederatedSystem, faulty: int) -> None:
    result = decide(system, any_faulty=faulty)
    found = slow.quorums(system)
    sizes = [len(chosen) for chosen in slow.splitting(system)]
    if not found:
        assert result.outcome is Outcome.NO_QUORUM
    elif min(sizes, default=faulty + 1) > faulty:
        assert result.outcome is Outcome.INTERSECTS
    else:
        assert result.outcome is Outcome.SPLIT
        assert len(result.faulty) == min(sizes)


@few
@given(slow.systems(), by_groups)
def test_smallest_quorums(system: FederatedSystem, by: dict[str, str]) -> None:
    found = slow.quorums(system)
    smallest, grouped = smallest_quorum(system), smallest_quorum(system, by=by)
    if not found:
        assert smallest is None and grouped is None
        return
    assert smallest is not None and smallest.nodes in found and smallest.proved
    assert smallest.size == len(smallest.nodes) == min(map(len, found))
    assert grouped is not None and grouped.nodes in found
    assert grouped.size == min(len(slow.touched(quorum, by)) for quorum in found)
    assert set(grouped.groups) == slow.touched(grouped.nodes, by)


@few
@given(slow.systems(), by_groups)
def test_smallest_blocking_sets(system: FederatedSystem, by: dict[str, str]) -> None:
    found = slow.blocking(system)
    smallest, grouped = smallest_blocking_set(system), smallest_blocking_set(system, by=by)
    assert smallest.nodes in found and smallest.size == len(smallest.nodes) == min(map(len, found))
    assert grouped.nodes in found
    assert grouped.size == min(len(slow.touched(chosen, by)) for chosen in found)


@few
@given(slow.systems(nodes=5), by_groups)
def test_smallest_splitting_sets(system: FederatedSystem, by: dict[str, str]) -> None:
    found = slow.splitting(system)
    smallest, grouped = smallest_splitting_set(system), smallest_splitting_set(system, by=by)
    if not found:
        assert smallest is None and grouped is None
        return
    assert smallest is not None and smallest.faulty.nodes in found
    assert smallest.faulty.size == min(map(len, found))
    assert grouped is not None and grouped.faulty.nodes in found
    assert grouped.faulty.size == min(len(slow.touched(chosen, by)) for chosen in found)


@few
@given(slow.systems(nodes=5))
def test_splitting_sets_of_the_core_are_those_of_the_core_alone(system: FederatedSystem) -> None:
    core = core_of(system).nodes
    found = smallest_splitting_set(system, core_only=True)
    alone = slow.splitting(system.within(core)) if core else []
    assert (found.faulty.size if found else None) == min(map(len, alone), default=None)


@few
@given(slow.systems(), by_groups)
def test_all_minimal_sets(system: FederatedSystem, by: dict[str, str]) -> None:
    found, others = slow.quorums(system), slow.blocking(system)
    pairs = [
        (minimal_quorums(system), slow.minimal(found)),
        (minimal_blocking_sets(system), slow.minimal(others)),
        (minimal_quorums(system, by=by), slow.minimal([*{slow.touched(one, by) for one in found}])),
        (minimal_blocking_sets(system, by=by), slow.minimal([*{slow.touched(one, by) for one in others}])),
    ]
    for everything, expected in pairs:
        assert everything.sets is not None
        assert sorted(map(sorted, everything.sets)) == sorted(map(sorted, expected))
        assert everything.count == len(expected) and everything.members == frozenset().union(*expected)
        assert dict(everything.sizes) == {size: sum(len(e) == size for e in expected) for size in sorted(set(map(len, expected)))}


@few
@given(slow.systems())
def test_other_solvers_are_asked_the_same(system: FederatedSystem) -> None:
    import z3

    pair = slow.smallest_pair(slow.quorums(system))
    for size_max, expected in ((None, pair is not None), (pair, pair is not None), ((pair or 1) - 1, False)):
        solver = z3.Solver()
        solver.from_string(disjoint_question(system, size_max=size_max))
        assert (solver.check() == z3.sat) == expected


def test_all_faulty_is_refused() -> None:
    system = FederatedSystem("one", {"a": None})
    try:
        decide(system, faulty=["a"])
    except QuorumError as error:
        assert "no nodes" in str(error)
    else:
        raise AssertionError
