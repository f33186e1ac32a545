"""Systems made to be hard: without alike nodes, with far more minimal quorums than could be listed."""

from __future__ import annotations

import pytest
from networks import organisations, scattered

from scrutator.checker.quorum.federated import (
    Outcome,
    core_of,
    decide,
    minimal_blocking_sets,
    minimal_quorums,
    smallest_blocking_set,
    smallest_quorum,
    smallest_splitting_set,
)
from scrutator.checker.quorum.federated.reduce import reduced
from scrutator.checker.quorum.programme import TimedOut
from scrutator.model.quorums.expression import choose, majority, nodes
from scrutator.model.quorums.federated import FederatedSystem


def same(count: int, needed: int) -> FederatedSystem:
    asked = choose(needed, nodes(f"n{k}" for k in range(count)))
    return FederatedSystem("same", dict.fromkeys(asked.names(), asked))


def test_eight_of_ten() -> None:
    """The published numbers of a network of ten nodes that all need eight."""
    system = same(10, 8)
    assert dict(minimal_quorums(system).sizes) == {8: 45}
    assert dict(minimal_blocking_sets(system).sizes) == {3: 120}
    splitting = smallest_splitting_set(system)
    assert splitting is not None and splitting.faulty.size == 6
    assert decide(system, any_faulty=5).outcome is Outcome.INTERSECTS
    assert decide(system, any_faulty=6).outcome is Outcome.SPLIT


def test_sets_are_counted_where_they_cannot_be_listed() -> None:
    found = minimal_quorums(same(60, 31))
    assert found.count == 114449595062769120 and found.sets is None and len(found.members) == 60


def test_a_majority_of_each_other_without_alike_nodes() -> None:
    system = scattered(31, 1, 16)
    assert len(reduced(system).classes) > 25
    assert decide(system).outcome is Outcome.INTERSECTS


def test_sixteen_organisations() -> None:
    system = organisations([3, 5] * 8)
    assert len(reduced(system, core_of(system).nodes).classes) == 16
    assert decide(system).outcome is Outcome.INTERSECTS
    found = smallest_quorum(system)
    assert found is not None and found.proved


def test_the_smallest_quorum_is_that_of_any_component() -> None:
    large, small = majority(nodes("a b c d e")), majority(nodes("x y z"))
    slices = {**dict.fromkeys("abcde", large), **dict.fromkeys("xyz", small)}
    found = smallest_quorum(FederatedSystem("two", slices))
    assert found is not None and found.size == 2
    assert smallest_blocking_set(FederatedSystem("two", slices)).size == 3 + 2


def test_time_is_limited() -> None:
    system = scattered(41, 9, 21, seed=3)
    assert decide(system, timeout_s=0.2).outcome in (Outcome.UNKNOWN, Outcome.SPLIT, Outcome.INTERSECTS)
    with pytest.raises(TimedOut):
        minimal_quorums(system, timeout_s=0.2)
    with pytest.raises(TimedOut):
        minimal_blocking_sets(system, timeout_s=0.2)
    with pytest.raises(TimedOut):
        smallest_blocking_set(system, timeout_s=0.1)


def test_scopes_say_by_which_conventions() -> None:
    system = FederatedSystem("some", {"a": majority(nodes("a b c")), "b": None})
    scope = decide(system, faulty=["c"], any_faulty=1).scope
    for words in ("3 nodes of some", "2 of which have no quorum set", "in no quorum", "1 are faulty", "whichever 1", "counts twice"):
        assert words in scope
