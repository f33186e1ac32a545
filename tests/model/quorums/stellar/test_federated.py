"""Federated systems as values."""

from __future__ import annotations

import pytest

from scrutator.model.quorums.expression import Node, QuorumError, all_of, any_of, majority, nodes
from scrutator.model.quorums.federated import FederatedSystem, Missing

A, B, C, D = nodes("a b c d")


def test_a_node_counts_for_itself() -> None:
    system = FederatedSystem("pair", {"a": B, "b": A})
    assert system.is_quorum({"a", "b"}) and not system.is_quorum({"a"})
    assert FederatedSystem("self", {"a": all_of([A]), "b": A}).is_quorum({"a"})
    assert not system.is_quorum(set())
    with pytest.raises(KeyError):
        system.is_quorum({"a", "x"})


def test_members_nobody_describes_are_nodes_without_a_quorum_set() -> None:
    system = FederatedSystem("some", {"a": all_of([A, B])})
    assert system.names() == ("a", "b") and system.without_set() == ("b",)
    assert not system.greatest_quorum()
    free = FederatedSystem("some", {"a": all_of([A, B])}, missing=Missing.FREE)
    assert free.greatest_quorum() == {"a", "b"} and not free.is_quorum({"b"})


def test_greatest_quorum_within() -> None:
    three = majority(nodes("a b c"))
    system = FederatedSystem("three", {"a": three, "b": three, "c": three, "d": all_of([A, B, C, D])})
    assert system.greatest_quorum() == set("abcd")
    assert system.greatest_quorum("abd") == set("ab")
    assert system.greatest_quorum("ad") == set()


def test_faulty_nodes_help_anyone() -> None:
    system = FederatedSystem("three", dict.fromkeys("abc", all_of([A, B, C])))
    honest = system.without({"c"})
    assert honest.names() == ("a", "b") and honest.is_quorum({"a", "b"}) and not honest.is_quorum({"a"})
    assert system.without({"b", "c"}).is_quorum({"a"})
    with pytest.raises(QuorumError, match="no nodes"):
        system.without({"a", "b", "c"})
    with pytest.raises(KeyError):
        system.without({"x"})


def test_absent_nodes_help_nobody() -> None:
    system = FederatedSystem("three", dict.fromkeys("abc", any_of([all_of([A, B]), C])))
    assert system.within({"a", "b"}).greatest_quorum() == {"a", "b"}
    assert system.within({"a"}).greatest_quorum() == set()


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(QuorumError, match="given twice"):
        FederatedSystem("x", {}, (A, A))
    with pytest.raises(QuorumError, match="not among the nodes"):
        FederatedSystem("x", {"b": A}, (A,))
    with pytest.raises(QuorumError, match="has no nodes"):
        FederatedSystem("x", {})
    with pytest.raises(KeyError):
        FederatedSystem("x", {"a": A}).node("b")


def test_values() -> None:
    one = FederatedSystem("x", {"a": A}, (Node("a", region="here"),))
    assert one == FederatedSystem("x", {"a": A}, (A,)) and one.regions() == {"a": "here"} and one.node("a") == A
    with pytest.raises(TypeError):
        one.slices["a"] = B  # type: ignore[index]
