"""Majority write: every node takes the first buyer who comes, and a majority of nodes sells the phone.

Nobody is in charge.  A buyer asks all nodes; each writes down the first name it hears, for good;
who is written down by a majority is told "yours".  Two majorities share a node, so there are never
two buyers.  But the nodes' votes may split, and no node may change its mind.
"""

from __future__ import annotations

from scrutator.model.ladder.rung import Claim, Rung
from scrutator.model.language import (
    Array,
    Bound,
    Ghost,
    Index,
    Maybe,
    Mutant,
    Nat,
    Option,
    Record,
    Set,
    Spec,
    require,
)
from scrutator.model.quorums import Quorums

NODES = Bound("nodes", 3, "nodes", low=1, high=16)
BUYERS = Bound("buyers", 3, "buyers who all want the one phone", low=1, high=8)
FAILURES = Bound("failures", 2, "crashes of nodes")
REPAIRS = Option("repairs", True, "nodes that crashed come back")
NODE = Index("node", NODES, prefix="n", interchangeable=True)
BUYER = Index("buyer", BUYERS, prefix="b", interchangeable=True)
QUORUM = Quorums("quorum", NODE, "majority", "nodes that must have written a buyer down")


class State(Record):
    first = Array(NODE, Maybe(BUYER))  # on each node's disk: who came first
    up = Array(NODE, bool)
    failures = Nat(FAILURES)
    told_yours = Ghost(Set(BUYER))  # who heard "yours"


SPEC = Spec("ladder/majority_write", State)


@SPEC.initial
def all_up(s: State) -> None:
    for n in NODE:
        s.up[n] = True


def may_write(s: State, n: int) -> bool:
    """Nobody has come to node n before."""
    return s.first[n] is None


@SPEC.action(n=NODE, b=BUYER)
def write_down(s: State, n: int, b: int) -> None:
    """Buyer b is the first to come to node n."""
    require(s.up[n] and may_write(s, n) and s.first[n] != b)
    s.first[n] = b


@SPEC.action(b=BUYER)
def say_yours(s: State, b: int) -> None:
    """A majority has written buyer b down, and says so."""
    require({n for n in NODE if s.up[n] and s.first[n] == b} in QUORUM)
    s.told_yours.add(b)


@SPEC.fault(n=NODE, when=FAILURES)
def crash(s: State, n: int) -> None:
    """Node n goes down; its disk survives."""
    require(s.up[n] and s.failures < FAILURES)
    s.up[n] = False
    s.failures += 1


@SPEC.fault(n=NODE, when=REPAIRS)
def come_back(s: State, n: int) -> None:
    """Node n is up again, with its disk."""
    require(not s.up[n])
    s.up[n] = True


@SPEC.invariant
def no_phone_sold_twice(s: State) -> bool:
    """At most one buyer was told that the phone is theirs."""
    return len(s.told_yours) <= 1


@SPEC.always_possible
def somebody_gets_the_phone(s: State) -> bool:
    """Whatever happened, the phone can still be sold."""
    return len(s.told_yours) > 0


@SPEC.reachable
def sold(s: State) -> bool:
    """The phone can be sold."""
    return len(s.told_yours) > 0


@SPEC.mutant(replaces=may_write, breaks="no_phone_sold_twice", bounds={"failures": 0}, source="a node that writes down the last to come")
def changes_its_mind(s: State, n: int) -> bool:
    """A node crosses out the first buyer's name when the next one comes."""
    return True


SPEC.add_mutant(
    Mutant(
        "half_suffices", "Half of four nodes may sell: two halves need not meet.",
        breaks="no_phone_sold_twice", source="n / 2 written for n / 2 + 1", bounds={"nodes": 4, "quorum": "half", "failures": 0},
    )
)  # fmt: skip

RUNG = Rung(
    order=5, name="majority_write", title="Write to many, majority wins",
    idea="No master any more. A buyer asks every node, each node keeps the first name it hears, and whoever has a majority has the phone.",
    notice="Nothing is lost and nobody lies: each node has promised itself to another buyer, and none can take it back.",
    keeps="never two buyers", breaks="split votes: nobody can ever win",
    next="Let a buyer look first, and write only where nobody else is.",
    claims=(
        Claim("never_two_buyers", "Three nodes, three buyers, two crashes: the phone is never sold twice.",
              "holds", "no_phone_sold_twice"),
        Claim("votes_split", "Each of three buyers comes first at one node: the phone cannot be sold any more, although nothing failed.",
              "violated", "somebody_gets_the_phone", {"failures": 0, "repairs": False}, steps=3),
        Claim("one_crash_splits", "With two buyers, one crash does the same, unless the node is repaired.",
              "violated", "somebody_gets_the_phone", {"buyers": 2, "failures": 1, "repairs": False}, steps=3),
        Claim("two_buyers_cannot_split", "Two buyers cannot split three nodes that are all up.",
              "holds", "somebody_gets_the_phone", {"buyers": 2, "failures": 0, "repairs": False}),
        Claim("changes_its_mind", "A node that lets the last buyer win sells twice.",
              "violated", "no_phone_sold_twice", {"buyers": 2, "failures": 0, "repairs": False}, mutant="changes_its_mind", steps=6),
        Claim("half_suffices", "Half of four nodes is not a majority: two halves sell to two buyers.",
              "violated", "no_phone_sold_twice", {"buyers": 2, "failures": 0, "repairs": False}, mutant="half_suffices", steps=6),
    ),
)  # fmt: skip
