"""Paxos of the TLA+ examples, with every successor that TLC generates for it.

After ``specifications/Paxos/Paxos.tla`` (Lamport; the algorithm of "Paxos made simple", 2001).

Messages are sent again though they are there, and votes cast again; and one proposal is
generated once for each quorum and each vote that justify it.  State and properties are
those of the model that we ship.  Quorums are all acceptors but one: for three acceptors.
"""

from __future__ import annotations

from scrutator.model.language import Spec, require
from scrutator.model.paxos import (
    ACCEPTOR,
    BALLOT,
    VALUE,
    Accept,
    Accepted,
    Prepare,
    Promise,
    State,
    agreement,
    is_fresh,
    may_accept,
    record_vote,
)

SPEC = Spec("tla-paxos", State)
SPEC.invariant(agreement)


@SPEC.action(b=BALLOT)
def prepare(s: State, b: int) -> None:
    """Phase1a(b)."""
    s.net.send(Prepare(ballot=b))


@SPEC.action(a=ACCEPTOR, m=Prepare)
def promise(s: State, a: int, m: Prepare) -> None:
    """Phase1b(a)."""
    require(m.ballot > s.promised[a])
    s.promised[a] = m.ballot
    s.net.send(Promise(acceptor=a, ballot=m.ballot, voted_ballot=s.voted_ballot[a], voted_value=s.voted_value[a]))


def have_promised(s: State, b: int, absent: int) -> bool:
    """Everybody but one has promised b."""
    return all(a == absent or any(m.acceptor == a and m.ballot == b for m in s.net.of(Promise)) for a in ACCEPTOR)


def is_last_vote(s: State, b: int, absent: int, last: int) -> bool:
    """Nobody of the quorum has voted after ballot ``last``."""
    return all(m.acceptor == absent or m.ballot != b or m.voted_ballot <= last for m in s.net.of(Promise))


@SPEC.action(b=BALLOT, v=VALUE, absent=ACCEPTOR)
def propose_freely(s: State, b: int, v: int, absent: int) -> None:
    """Phase2a(b, v): the quorum has not voted."""
    require(is_fresh(s, b) and have_promised(s, b, absent) and is_last_vote(s, b, absent, 0))
    s.net.send(Accept(ballot=b, value=v))


@SPEC.action(v=VALUE, absent=ACCEPTOR, m=Promise)
def propose_again(s: State, v: int, absent: int, m: Promise) -> None:
    """Phase2a(b, v): v is the quorum's last vote."""
    require(is_fresh(s, m.ballot) and have_promised(s, m.ballot, absent))
    require(m.acceptor != absent and m.voted_ballot > 0 and m.voted_value == v)
    require(is_last_vote(s, m.ballot, absent, m.voted_ballot))
    s.net.send(Accept(ballot=m.ballot, value=v))


@SPEC.action(a=ACCEPTOR, m=Accept)
def accept(s: State, a: int, m: Accept) -> None:
    """Phase2b(a)."""
    require(may_accept(s, a, m.ballot))
    record_vote(s, a, m.ballot, m.value)
    s.net.send(Accepted(acceptor=a, ballot=m.ballot, value=m.value))
