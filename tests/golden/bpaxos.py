"""Basic Paxos for counting: messages only grow, and every step changes the state.

Each choice of an action's parameters gives at most one successor, so that the number of
generated states is reproducible too.  See ``test_counts.py``.
"""

from __future__ import annotations

from scrutator.model.language import Array, Bound, Index, Maybe, Nat, Network, Record, Spec, require
from scrutator.model.quorums import Quorums

ACCEPTORS = Bound("acceptors", 3, "acceptors", low=1, high=16)
BALLOTS = Bound("ballots", 2, "ballots, each with a proposer of its own", low=1)
VALUES = Bound("values", 2, "values that may be proposed", low=1, high=16)
ACCEPTOR = Index("acceptor", ACCEPTORS, interchangeable=True)
VALUE = Index("value", VALUES, interchangeable=True)
BALLOT = Nat(BALLOTS, low=1)
QUORUM = Quorums("quorum", ACCEPTOR, "majority", "acceptors that suffice in both phases")


class Prepare(Record):
    ballot = BALLOT


class Promise(Record):
    acceptor = ACCEPTOR
    ballot = BALLOT
    voted_ballot = Nat(BALLOTS)  # 0: has not voted
    voted_value = Maybe(VALUE)


class Accept(Record):
    ballot = BALLOT
    value = VALUE


class Accepted(Record):
    acceptor = ACCEPTOR
    ballot = BALLOT
    value = VALUE


class State(Record):
    promised = Array(ACCEPTOR, Nat(BALLOTS))
    voted_ballot = Array(ACCEPTOR, Nat(BALLOTS))
    voted_value = Array(ACCEPTOR, Maybe(VALUE))
    net = Network(Prepare, Promise, Accept, Accepted, ordering="set")


SPEC = Spec("golden-bpaxos", State)


@SPEC.action(b=BALLOT)
def prepare(s: State, b: int) -> None:
    require(Prepare(ballot=b) not in s.net)
    s.net.send(Prepare(ballot=b))


@SPEC.action(a=ACCEPTOR, b=BALLOT)
def promise(s: State, a: int, b: int) -> None:
    require(Prepare(ballot=b) in s.net and b > s.promised[a])
    s.promised[a] = b
    s.net.send(Promise(acceptor=a, ballot=b, voted_ballot=s.voted_ballot[a], voted_value=s.voted_value[a]))


def safe(s: State, b: int, v: int) -> bool:
    """A quorum promised b, and v is the value of its highest vote, if it has any."""
    if {m.acceptor for m in s.net.of(Promise) if m.ballot == b and m.voted_ballot == 0} in QUORUM:
        return True
    return any(
        m.ballot == b
        and m.voted_value == v
        and {n.acceptor for n in s.net.of(Promise) if n.ballot == b and n.voted_ballot <= m.voted_ballot} in QUORUM
        for m in s.net.of(Promise)
    )


@SPEC.action(b=BALLOT, v=VALUE)
def propose(s: State, b: int, v: int) -> None:
    require(all(m.ballot != b for m in s.net.of(Accept)) and safe(s, b, v))
    s.net.send(Accept(ballot=b, value=v))


@SPEC.action(a=ACCEPTOR, b=BALLOT, v=VALUE)
def accept(s: State, a: int, b: int, v: int) -> None:
    require(Accept(ballot=b, value=v) in s.net and b >= s.promised[a])
    require(Accepted(acceptor=a, ballot=b, value=v) not in s.net)
    s.promised[a] = b
    s.voted_ballot[a] = b
    s.voted_value[a] = v
    s.net.send(Accepted(acceptor=a, ballot=b, value=v))


def is_chosen(s: State, v: int) -> bool:
    return any({m.acceptor for m in s.net.of(Accepted) if m.ballot == b and m.value == v} in QUORUM for b in BALLOT)


@SPEC.invariant
def agreement(s: State) -> bool:
    return all(v == w or not (is_chosen(s, v) and is_chosen(s, w)) for v in VALUE for w in VALUE)


@SPEC.invariant
def one_value_per_ballot(s: State) -> bool:
    return all(m.ballot != n.ballot or m.value == n.value for m in s.net.of(Accepted) for n in s.net.of(Accepted))


@SPEC.reachable
def chosen(s: State) -> bool:
    return any(is_chosen(s, v) for v in VALUE)
