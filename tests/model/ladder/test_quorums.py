"""Quorum systems drawn at random, for every rung that votes: the phone is sold once exactly where the rules say that quorums meet.

The rules are decided by the quorum verifier, and know no model; the model is explored, and knows no rules.  So which
rules a rung needs is itself tested: one too few, and a drawn system holds the rules and sells twice; one too many, and
one breaks them and sells once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scrutator.checker.explore.check import check
from scrutator.checker.explore.options import CheckOptions
from scrutator.checker.quorum.verify import verify
from scrutator.checker.verdict import Verdict
from scrutator.model.ladder import specs
from scrutator.model.quorums import Node, QuorumSystem, Rule, parse


@dataclass(frozen=True)
class Voting:
    """A rung that votes: what must not be violated within which bounds, and which of its quorums must meet."""

    rung: str
    property: str
    nodes: str  # the bound that counts them
    roles: tuple[str, str] | tuple[str]
    rules: tuple[tuple[str, str], ...]
    bounds: Mapping[str, object] = field(default_factory=dict)


VOTING = (
    Voting("majority_write", "no_phone_sold_twice", "nodes", ("quorum",), (("quorum", "quorum"),), {"buyers": 2, "failures": 0, "repairs": False}),
    Voting("registers", "finished_writes_are_seen", "nodes", ("read", "write"), (("read", "write"),), {"reads": 1, "failures": 0}),
    Voting("abd", "follows_real_time", "nodes", ("read", "write"), (("read", "write"),), {"failures": 0, "crashes": 0}),
    # Whoever sells has locked a read quorum and a write quorum at once.  That a read quorum misses a write quorum is
    # harmless as long as those two together cannot be had by two buyers.
    Voting("read_then_write", "no_phone_sold_twice", "nodes", ("read", "write"), (("both", "both"),), {"locks": True}),
    Voting("basic_paxos", "agreement", "acceptors", ("phase1", "phase2"), (("phase1", "phase2"),), {"numbers": 1}),
    # A term is led by one only if elections meet each other.  In Paxos numbers are the proposers' own, so there two
    # quorums of promises may miss each other.
    Voting("naive_raft", "agreement", "servers", ("election", "commit"), (("election", "commit"), ("election", "election")), {"terms": 1, "candidates": 2}),
    Voting("quorums", "no_phone_sold_twice", "nodes", ("read", "write"), (("read", "write"),)),
)
each_rung = pytest.mark.parametrize("voting", VOTING, ids=lambda voting: voting.rung)


def systems(nodes: int) -> st.SearchStrategy[str]:
    """Any quorum system of so many nodes, as the quorums that have no smaller one within."""
    names = "abcd"[:nodes]
    sets = ["*".join(s) for size in range(1, nodes + 1) for s in combinations(names, size)]
    return st.sets(st.sampled_from(sets), min_size=1, max_size=4).map(lambda chosen: " + ".join(sorted(chosen)))


def rules_hold(voting: Voting, nodes: int, quorums: Mapping[str, str]) -> bool:
    """What the quorum verifier says."""
    leaves = [Node(name) for name in "abcd"[:nodes]]
    texts = {**quorums, "both": " * ".join(f"({text})" for text in quorums.values())}
    roles = {role: parse(texts[role], everyone=leaves, named={n.name: n for n in leaves}) for rule in voting.rules for role in rule}
    verdict = verify(QuorumSystem("drawn", roles, tuple(Rule(rule) for rule in voting.rules))).verdict
    assert verdict is not Verdict.UNKNOWN
    return verdict is Verdict.HOLDS


def model_holds(voting: Voting, nodes: int, quorums: Mapping[str, str], **more: object) -> bool:
    """What exploring every state says."""
    bounds = {**voting.bounds, voting.nodes: nodes, **quorums, **more}
    result = check(specs()[f"ladder/{voting.rung}"], bounds=bounds, properties=(voting.property,), options=CheckOptions(workers=1))
    assert result.verdict is Verdict.VIOLATED or result.exhaustive
    return result.verdict is Verdict.HOLDS


def agree(voting: Voting, nodes: int, one: str, other: str) -> None:
    quorums = dict(zip(voting.roles, (one, other), strict=False))
    assert model_holds(voting, nodes, quorums) == rules_hold(voting, nodes, quorums), quorums


@each_rung
@example(one="a*b + b*c + a*c", other="a*b + b*c + a*c")
@example(one="a", other="b*c")
@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(one=systems(3), other=systems(3))
def test_the_phone_is_sold_once_exactly_where_quorums_meet(voting: Voting, one: str, other: str) -> None:
    agree(voting, 3, one, other)


@pytest.mark.slow
@each_rung
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(nodes=st.sampled_from([3, 3, 4]), data=st.data())
def test_so_it_is_with_four_nodes(voting: Voting, nodes: int, data: st.DataObject) -> None:
    agree(voting, nodes, data.draw(systems(nodes)), data.draw(systems(nodes)))


def test_without_locks_no_quorums_help() -> None:
    """Both buyers read before either writes: that quorums meet is not enough."""
    voting = next(v for v in VOTING if v.rung == "read_then_write")
    for system in ("a*b*c", "a", "a*b + b*c + a*c"):
        assert rules_hold(voting, 3, {"read": system, "write": system})
        assert not model_holds(voting, 3, {"read": system, "write": system}, locks=False)
