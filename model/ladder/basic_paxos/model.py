"""Basic Paxos: agree on one buyer with numbered proposals, of which a later one overrides what is undecided.

After Lamport, "Paxos made simple" (2001), made small; `scrutator.model.paxos` is the same with
every lemma.  A proposal has a number.  Acceptors promise a number to hear no lower one, and tell
what they accepted last; who has promises from a majority proposes the latest of that, and only
if there is none a buyer of its own.  Number 0 needs no promises: there is nothing before it.
Messages are never consumed: each may arrive late, twice or never.
"""

from __future__ import annotations

from scrutator.model.language import Array, Bound, Index, Maybe, Nat, Network, Record, Spec, require
from scrutator.model.quorums import Quorums

ACCEPTORS = Bound("acceptors", 3, "acceptors", low=1, high=16)
NUMBERS = Bound("numbers", 2, "the last number of a proposal, from 0")
BUYERS = Bound("buyers", 2, "buyers who all want the one phone", low=1, high=16)
FAILURES = Bound("failures", 0, "crashes of acceptors, each of which comes back")
ACCEPTOR = Index("acceptor", ACCEPTORS, interchangeable=True)
BUYER = Index("buyer", BUYERS, prefix="b", interchangeable=True)
NUMBER = Nat(NUMBERS)
PHASE1 = Quorums("phase1", ACCEPTOR, "majority", "acceptors whose promises allow a proposal")
PHASE2 = Quorums("phase2", ACCEPTOR, "majority", "acceptors whose acceptance decides")


class Proposal(Record):
    number = NUMBER
    buyer = BUYER


class Prepare(Record):
    """Who hears this should hear no lower number any more."""

    number = NUMBER


class Promise(Record):
    """The acceptor hears no lower number any more, and this is what it accepted last."""

    acceptor = ACCEPTOR
    number = NUMBER
    accepted = Maybe(Proposal)


class Propose(Record):
    """Please accept that this buyer has the phone."""

    number = NUMBER
    buyer = BUYER


class Accepted(Record):
    acceptor = ACCEPTOR
    number = NUMBER
    buyer = BUYER


class State(Record):
    promised = Array(ACCEPTOR, NUMBER)  # on disk: the acceptor hears no lower number
    accepted = Array(ACCEPTOR, Maybe(Proposal))  # on disk: the last one
    up = Array(ACCEPTOR, bool)
    failures = Nat(FAILURES)
    net = Network(Prepare, Promise, Propose, Accepted, ordering="set")


SPEC = Spec("ladder/basic_paxos", State)


@SPEC.initial
def number_0_is_promised(s: State) -> None:
    s.net.send(Prepare(number=0))
    for a in ACCEPTOR:
        s.up[a] = True
        s.net.send(Promise(acceptor=a, number=0, accepted=None))


@SPEC.action(n=NUMBER)
def prepare(s: State, n: int) -> None:
    """A proposer asks for promises of number n."""
    require(Prepare(number=n) not in s.net)
    s.net.send(Prepare(number=n))


def may_promise(s: State, a: int, n: int) -> bool:
    """Acceptor a has promised nothing as high as n."""
    return n > s.promised[a]


@SPEC.action(a=ACCEPTOR, m=Prepare)
def promise(s: State, a: int, m: Prepare) -> None:
    """Acceptor a promises to hear no lower number, and tells what it accepted last."""
    require(s.up[a] and may_promise(s, a, m.number))
    s.promised[a] = m.number
    s.net.send(Promise(acceptor=a, number=m.number, accepted=s.accepted[a]))


def last_number(m: Promise) -> int:
    """One more than the number that a promise tells of; 0 if it tells of none."""
    return 0 if m.accepted is None else m.accepted.number + 1


def have_promised(s: State, n: int, last: int) -> bool:
    """A majority promised n, and what it accepted was not numbered ``last`` or higher."""
    return {m.acceptor for m in s.net.of(Promise) if m.number == n and last_number(m) <= last} in PHASE1


def may_propose(s: State, n: int, b: int) -> bool:
    """A majority promised n; none of it has accepted anything, or b is the latest it accepted."""
    return have_promised(s, n, 0) or any(
        m.number == n and m.accepted is not None and m.accepted.buyer == b and have_promised(s, n, last_number(m)) for m in s.net.of(Promise)
    )


@SPEC.action(n=NUMBER, b=BUYER)
def propose(s: State, n: int, b: int) -> None:
    """The proposer of number n asks to accept that buyer b has the phone."""
    require(all(m.number != n for m in s.net.of(Propose)) and may_propose(s, n, b))
    s.net.send(Propose(number=n, buyer=b))


def may_accept(s: State, a: int, n: int) -> bool:
    """Acceptor a has promised nothing higher."""
    return n >= s.promised[a]


@SPEC.action(a=ACCEPTOR, m=Propose)
def accept(s: State, a: int, m: Propose) -> None:
    """Acceptor a accepts."""
    require(s.up[a] and may_accept(s, a, m.number) and s.accepted[a] != Proposal(number=m.number, buyer=m.buyer))
    s.promised[a] = m.number
    s.accepted[a] = Proposal(number=m.number, buyer=m.buyer)
    s.net.send(Accepted(acceptor=a, number=m.number, buyer=m.buyer))


@SPEC.fault(a=ACCEPTOR, when=FAILURES)
def crash(s: State, a: int) -> None:
    """Acceptor a goes down; its disk survives."""
    require(s.up[a] and s.failures < FAILURES)
    s.up[a] = False
    s.failures += 1


@SPEC.fault(a=ACCEPTOR, when=FAILURES)
def come_back(s: State, a: int) -> None:
    """Acceptor a is up again, with its disk."""
    require(not s.up[a])
    s.up[a] = True
