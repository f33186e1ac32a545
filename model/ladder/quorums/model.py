"""Quorums that are not majorities: whoever reads and whoever writes must meet, and nothing else matters.

The first seller sells the phone to buyer 1, and is done once a write quorum has stored that.  Then a
second seller takes over: each node that it asks tells what it has stored, and takes nothing from the
first seller any more; with a read quorum of answers the second seller goes on with the sale that it heard
of, and only if it heard of none sells to buyer 2.  This is one step from a number to the next of Basic Paxos,
whatever the quorums.  Nodes are a, b, c, ... in quorums, and n1, n2, n3, ... in counterexamples.
"""

from __future__ import annotations

from scrutator.model.language import Array, Bound, Ghost, Index, Maybe, Nat, Record, Set, Spec, require
from scrutator.model.quorums import Quorums

NODES = Bound("nodes", 3, "nodes", low=1, high=16)
FAILURES = Bound("failures", 0, "nodes that fail for good")
NODE = Index("node", NODES, prefix="n")
BUYER = Index("buyer", 2, prefix="b")  # one for each seller
READ = Quorums("read", NODE, "majority", "nodes that the second seller must ask")
WRITE = Quorums("write", NODE, "majority", "nodes that must store a sale")


class State(Record):
    first_stored = Array(NODE, bool)  # the node has stored the first seller's sale
    stopped = Array(NODE, bool)  # the node was asked by the second seller, and takes nothing from the first
    second_sells_to = Maybe(BUYER)  # what the second seller has settled on
    second_stored = Array(NODE, bool)
    up = Array(NODE, bool)
    failures = Nat(FAILURES)
    told_yours = Ghost(Set(BUYER))  # who heard "yours"


SPEC = Spec("ladder/quorums", State)


@SPEC.initial
def all_up(s: State) -> None:
    for n in NODE:
        s.up[n] = True


def may_store(s: State, n: int) -> bool:
    """Node n has not been asked by the second seller."""
    return not s.stopped[n]


@SPEC.action(n=NODE)
def store_first_sale(s: State, n: int) -> None:
    """Node n stores that the first seller has sold the phone to buyer 1."""
    require(s.up[n] and not s.first_stored[n] and may_store(s, n))
    s.first_stored[n] = True


@SPEC.action
def first_says_yours(s: State) -> None:
    """A write quorum has stored the first sale: buyer 1 has the phone."""
    require({n for n in NODE if s.first_stored[n]} in WRITE)
    s.told_yours.add(0)


@SPEC.action(n=NODE)
def ask(s: State, n: int) -> None:
    """The second seller asks node n what it has stored."""
    require(s.up[n] and not s.stopped[n])
    s.stopped[n] = True


@SPEC.action
def settle(s: State) -> None:
    """A read quorum has answered: the second seller goes on with the first sale if it heard of it, and else sells to buyer 2."""
    require(s.second_sells_to is None and {n for n in NODE if s.stopped[n]} in READ)
    s.second_sells_to = 0 if any(s.stopped[n] and s.first_stored[n] for n in NODE) else 1


@SPEC.action(n=NODE)
def store_second_sale(s: State, n: int) -> None:
    """Node n stores what the second seller has settled on."""
    require(s.up[n] and s.second_sells_to is not None and not s.second_stored[n])
    s.second_stored[n] = True
    s.stopped[n] = True


@SPEC.action(b=BUYER)
def second_says_yours(s: State, b: int) -> None:
    """A write quorum has stored the second sale: its buyer has the phone."""
    require(s.second_sells_to == b and {n for n in NODE if s.second_stored[n]} in WRITE)
    s.told_yours.add(b)


@SPEC.fault(n=NODE, when=FAILURES)
def fail(s: State, n: int) -> None:
    """Node n is gone for good."""
    require(s.up[n] and s.failures < FAILURES)
    s.up[n] = False
    s.failures += 1


@SPEC.invariant
def no_phone_sold_twice(s: State) -> bool:
    """At most one buyer was told that the phone is theirs."""
    return len(s.told_yours) <= 1


@SPEC.always_possible
def somebody_gets_the_phone(s: State) -> bool:
    """Whatever happened, the phone is sold or can still be."""
    return len(s.told_yours) > 0


@SPEC.reachable
def sold_by_the_second(s: State) -> bool:
    """The second seller can sell to its own buyer."""
    return 1 in s.told_yours


@SPEC.reachable
def sale_taken_over(s: State) -> bool:
    """The second seller can finish the first one's sale."""
    return s.second_sells_to == 0 and 0 in s.told_yours
