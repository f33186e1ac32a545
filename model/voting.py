"""Voting: what Paxos does, without messages.

After Lamport's TLA+ specification Voting, which Paxos implements: acceptors raise the
ballot below which they vote no more, and vote where it is safe.  `agreement` rests on
two lemmas: every vote is safe, and no ballot has votes for two values.
"""

from __future__ import annotations

from scrutator.model.language import Array, Bound, Index, Maybe, Mutant, Nat, Record, Spec, require
from scrutator.model.quorums import Quorums

ACCEPTORS = Bound("acceptors", 3, "acceptors", low=1, high=16)
BALLOTS = Bound("ballots", 3, "ballots, numbered from 1", low=1)
VALUES = Bound("values", 2, "values to choose from", low=1, high=16)
ACCEPTOR = Index("acceptor", ACCEPTORS, interchangeable=True)
VALUE = Index("value", VALUES, interchangeable=True)
BALLOT = Nat(BALLOTS, low=1)
PHASE1 = Quorums("phase1", ACCEPTOR, "majority", "acceptors that show a value safe")
PHASE2 = Quorums("phase2", ACCEPTOR, "majority", "acceptors whose votes choose a value")


class State(Record):
    promised = Array(ACCEPTOR, Nat(BALLOTS))  # the acceptor votes in no ballot below
    vote = Array(ACCEPTOR, Array(BALLOT, Maybe(VALUE)))


SPEC = Spec("voting", State)


@SPEC.action(a=ACCEPTOR, b=BALLOT)
def promise(s: State, a: int, b: int) -> None:
    """Acceptor a will not vote in ballots below b."""
    require(b > s.promised[a])
    s.promised[a] = b


def is_silent(s: State, a: int, b: int, last: int) -> bool:
    """Acceptor a has promised b, and cast no vote after ballot ``last`` and before b."""
    return s.promised[a] >= b and all(s.vote[a][d] is None for d in BALLOT if last < d and d < b)


def shows_safe(s: State, b: int, v: int, last: int) -> bool:
    """A phase-1 quorum has promised b, and its last vote, if any, was for v in ballot ``last``."""
    for_v = last == 0 or any(is_silent(s, a, b, last) and s.vote[a][last] == v for a in ACCEPTOR)
    return for_v and {a for a in ACCEPTOR if is_silent(s, a, b, last)} in PHASE1


def is_safe(s: State, b: int, v: int) -> bool:
    """No other value than v has been chosen in a ballot below b, or will be."""
    return shows_safe(s, b, v, 0) or any(shows_safe(s, b, v, last) for last in BALLOT if last < b)


def may_vote(s: State, a: int, b: int, v: int) -> bool:
    """It is not too late, and all votes of the ballot are for one value."""
    return s.promised[a] <= b and s.vote[a][b] is None and all(s.vote[c][b] in (None, v) for c in ACCEPTOR)


@SPEC.action(a=ACCEPTOR, b=BALLOT, v=VALUE)
def vote(s: State, a: int, b: int, v: int) -> None:
    """Acceptor a votes for v in ballot b."""
    require(may_vote(s, a, b, v) and is_safe(s, b, v))
    s.promised[a] = b
    s.vote[a][b] = v


def is_chosen(s: State, v: int) -> bool:
    """In some ballot, a phase-2 quorum has voted for v."""
    return any({a for a in ACCEPTOR if s.vote[a][b] == v} in PHASE2 for b in BALLOT)


def is_settled(s: State, a: int, b: int, v: int) -> bool:
    """Acceptor a voted for v in ballot b, or did not vote in it and never will."""
    return s.vote[a][b] == v or (s.vote[a][b] is None and s.promised[a] > b)


@SPEC.invariant
def agreement(s: State) -> bool:
    """At most one value is chosen."""
    return all(v == w or not (is_chosen(s, v) and is_chosen(s, w)) for v in VALUE for w in VALUE)


@SPEC.invariant
def votes_safe(s: State) -> bool:
    """Where somebody voted for v, nothing else was or will be chosen in a lower ballot."""
    return all(
        {c for c in ACCEPTOR if is_settled(s, c, d, v)} in PHASE1
        for a in ACCEPTOR
        for b in BALLOT
        for v in VALUE
        if s.vote[a][b] == v
        for d in BALLOT
        if d < b
    )


@SPEC.invariant
def one_value_per_ballot(s: State) -> bool:
    """All votes of a ballot are for one value."""
    return all(
        s.vote[a][b] is None or s.vote[c][b] is None or s.vote[a][b] == s.vote[c][b]
        for b in BALLOT
        for a in ACCEPTOR
        for c in ACCEPTOR
    )


@SPEC.reachable
def something_chosen(s: State) -> bool:
    """A value can be chosen."""
    return any(is_chosen(s, v) for v in VALUE)


@SPEC.mutant(replaces=is_safe, breaks="agreement", bounds={"ballots": 2}, source="the lemma left out")
def vote_anyhow(s: State, b: int, v: int) -> bool:
    """Nobody asks whether a vote is safe."""
    return True


@SPEC.mutant(replaces=may_vote, breaks="agreement", bounds={"ballots": 2}, source="the other lemma left out")
def split_ballot(s: State, a: int, b: int, v: int) -> bool:
    """Votes of one ballot may be for different values."""
    return s.promised[a] <= b and s.vote[a][b] is None


SPEC.add_mutant(
    Mutant(
        "quorums_miss",
        "Two acceptors show a value safe and one chooses: their quorums need not meet.",
        breaks="agreement",
        source="flexible quorums that were not checked before use",
        bounds={"ballots": 2, "phase1": "2", "phase2": "1"},
    )
)
