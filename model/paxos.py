"""Paxos: acceptors agree on one value, whoever proposes, however messages travel.

After Lamport's TLA+ specifications Paxos and Voting ("Paxos made simple", 2001): every
ballot has one proposer, and messages are never consumed, so that each may arrive late,
twice or never.  A ballot begins once a phase-1 quorum has promised to vote in no lower
one; a value is chosen once a phase-2 quorum has voted for it in one ballot.  Only every
phase-1 quorum and every phase-2 quorum need to meet (Howard, Malkhi and Spiegelman,
"Flexible Paxos", 2016).
"""

from __future__ import annotations

from scrutator.model.language import (
    Array,
    Bound,
    Index,
    Maybe,
    Mutant,
    Nat,
    Network,
    Option,
    Record,
    Spec,
    require,
)
from scrutator.model.quorums import Quorums
from scrutator.model.voting import SPEC as VOTING
from scrutator.model.voting import State as VotingState

ACCEPTORS = Bound("acceptors", 3, "acceptors", low=1, high=16)
BALLOTS = Bound("ballots", 3, "ballots, numbered from 1, each with a proposer of its own", low=1)
VALUES = Bound("values", 2, "values that may be proposed", low=1, high=16)
CRASHES = Option("crashes", False, "acceptors crash and restart")
ACCEPTOR = Index("acceptor", ACCEPTORS, interchangeable=True)
VALUE = Index("value", VALUES, interchangeable=True)
BALLOT = Nat(BALLOTS, low=1)
PHASE1 = Quorums("phase1", ACCEPTOR, "majority", "acceptors whose promises begin a ballot")
PHASE2 = Quorums("phase2", ACCEPTOR, "majority", "acceptors whose votes choose a value")


class Prepare(Record):
    """Phase 1a: who votes in lower ballots should stop now."""

    ballot = BALLOT


class Promise(Record):
    """Phase 1b: the acceptor has stopped, and this was its last vote."""

    acceptor = ACCEPTOR
    ballot = BALLOT
    voted_ballot = Nat(BALLOTS)  # 0: it has not voted
    voted_value = Maybe(VALUE)


class Accept(Record):
    """Phase 2a: the value to vote for in this ballot."""

    ballot = BALLOT
    value = VALUE


class Accepted(Record):
    """Phase 2b: the acceptor's vote."""

    acceptor = ACCEPTOR
    ballot = BALLOT
    value = VALUE


class State(Record):
    promised = Array(ACCEPTOR, Nat(BALLOTS))  # the acceptor votes in no ballot below
    voted_ballot = Array(ACCEPTOR, Nat(BALLOTS))  # its last vote; 0: none
    voted_value = Array(ACCEPTOR, Maybe(VALUE))
    net = Network(Prepare, Promise, Accept, Accepted, ordering="set")


SPEC = Spec("paxos", State)


# --- phase 1 --------------------------------------------------------------------------


@SPEC.action(b=BALLOT)
def prepare(s: State, b: int) -> None:
    """Phase 1a: the proposer of ballot b asks for promises."""
    require(Prepare(ballot=b) not in s.net)
    s.net.send(Prepare(ballot=b))


@SPEC.action(a=ACCEPTOR, m=Prepare)
def promise(s: State, a: int, m: Prepare) -> None:
    """Phase 1b: acceptor a promises to vote in no lower ballot, and tells its last vote."""
    require(m.ballot > s.promised[a])
    s.promised[a] = m.ballot
    s.net.send(Promise(acceptor=a, ballot=m.ballot, voted_ballot=s.voted_ballot[a], voted_value=s.voted_value[a]))


# --- phase 2 --------------------------------------------------------------------------


def has_promises(s: State, b: int, last: int) -> bool:
    """A phase-1 quorum promised b, and none of it has voted after ballot ``last``."""
    return {m.acceptor for m in s.net.of(Promise) if m.ballot == b and m.voted_ballot <= last} in PHASE1


def may_propose(s: State, b: int, v: int) -> bool:
    """Some phase-1 quorum has not voted at all, or its highest vote was for v."""
    return has_promises(s, b, 0) or any(
        m.ballot == b and m.voted_value == v and has_promises(s, b, m.voted_ballot) for m in s.net.of(Promise)
    )


def is_fresh(s: State, b: int) -> bool:
    """Nothing has been proposed in ballot b."""
    return all(m.ballot != b for m in s.net.of(Accept))


@SPEC.action(b=BALLOT, v=VALUE)
def propose(s: State, b: int, v: int) -> None:
    """Phase 2a: the proposer of ballot b asks for votes for v."""
    require(is_fresh(s, b) and may_propose(s, b, v))
    s.net.send(Accept(ballot=b, value=v))


def may_accept(s: State, a: int, b: int) -> bool:
    """Acceptor a has promised nothing that forbids to vote in ballot b."""
    return b >= s.promised[a]


def record_vote(s: State, a: int, b: int, v: int) -> None:
    """A vote is also a promise."""
    s.promised[a] = b
    s.voted_ballot[a] = b
    s.voted_value[a] = v


@SPEC.action(a=ACCEPTOR, m=Accept)
def accept(s: State, a: int, m: Accept) -> None:
    """Phase 2b: acceptor a votes for the ballot's value."""
    require(may_accept(s, a, m.ballot) and not voted_for(s, a, m.ballot, m.value))
    record_vote(s, a, m.ballot, m.value)
    s.net.send(Accepted(acceptor=a, ballot=m.ballot, value=m.value))


@SPEC.fault(a=ACCEPTOR, when=CRASHES)
def restart(s: State, a: int) -> None:
    """Acceptor a crashes and comes back; promise and vote are on disk, so nothing changes."""


# --- properties -----------------------------------------------------------------------


def voted_for(s: State, a: int, b: int, v: int) -> bool:
    """Acceptor a has voted for v in ballot b."""
    return Accepted(acceptor=a, ballot=b, value=v) in s.net


def is_chosen_in(s: State, b: int, v: int) -> bool:
    """A phase-2 quorum has voted for v in ballot b."""
    return {a for a in ACCEPTOR if voted_for(s, a, b, v)} in PHASE2


def is_chosen(s: State, v: int) -> bool:
    """Value v has been chosen."""
    return any(is_chosen_in(s, b, v) for b in BALLOT)


def is_settled(s: State, a: int, b: int, v: int) -> bool:
    """Acceptor a voted for v in ballot b, or did not vote in it and never will."""
    return voted_for(s, a, b, v) or (s.promised[a] > b and not any(voted_for(s, a, b, w) for w in VALUE))


@SPEC.invariant
def agreement(s: State) -> bool:
    """At most one value is chosen."""
    return all(v == w or not (is_chosen(s, v) and is_chosen(s, w)) for v in VALUE for w in VALUE)


@SPEC.invariant
def validity(s: State) -> bool:
    """Votes are for what was proposed in their ballot."""
    return all(Accept(ballot=m.ballot, value=m.value) in s.net for m in s.net.of(Accepted))


@SPEC.invariant
def one_value_per_ballot(s: State) -> bool:
    """All votes of a ballot are for one value (the proof's first lemma)."""
    return all(m.ballot != n.ballot or m.value == n.value for m in s.net.of(Accepted) for n in s.net.of(Accepted))


@SPEC.invariant
def votes_safe(s: State) -> bool:
    """Where somebody voted for v, nothing else was or will be chosen in a lower ballot (the proof's second lemma)."""
    return all(
        {a for a in ACCEPTOR if is_settled(s, a, b, m.value)} in PHASE1
        for m in s.net.of(Accepted)
        for b in BALLOT
        if b < m.ballot
    )


@SPEC.step_invariant
def promises_kept(before: State, after: State) -> bool:
    """No acceptor takes a promise back."""
    return all(after.promised[a] >= before.promised[a] for a in ACCEPTOR)


@SPEC.reachable
def something_chosen(s: State) -> bool:
    """A value can be chosen."""
    return any(is_chosen(s, v) for v in VALUE)


@SPEC.reachable
def chosen_later(s: State) -> bool:
    """A value can be chosen in a later ballot than the first."""
    return any(b > 1 and is_chosen_in(s, b, v) for b in BALLOT for v in VALUE)


@SPEC.reachable
def values_compete(s: State) -> bool:
    """Acceptors can vote for different values in different ballots."""
    return any(m.value != n.value and m.ballot != n.ballot for m in s.net.of(Accepted) for n in s.net.of(Accepted))


# --- what it refines ------------------------------------------------------------------


@SPEC.refines(VOTING)
def votes(s: State, voting: VotingState) -> None:
    """The promises and votes of the acceptors: which ballots were begun and what was proposed does not show."""
    voting.promised = s.promised
    for m in s.net.of(Accepted):
        voting.vote[m.acceptor][m.ballot] = m.value


# --- mutants --------------------------------------------------------------------------


@SPEC.mutant(
    replaces=may_propose, breaks="agreement", bounds={"ballots": 2},
    source="a proposer that reads promises as permission only",
)  # fmt: skip
def ignore_votes(s: State, b: int, v: int) -> bool:
    """The proposer takes any value, whatever votes the promises tell of."""
    return has_promises(s, b, BALLOTS)


@SPEC.mutant(replaces=has_promises, breaks="agreement", bounds={"ballots": 2}, source="N2Paxos, found by Specula")
def count_messages(s: State, b: int, last: int) -> bool:
    """The proposer counts messages and not their senders: one promise, delivered often enough, is a quorum."""
    return any(m.ballot == b and m.voted_ballot <= last for m in s.net.of(Promise))


@SPEC.mutant(replaces=is_fresh, breaks="agreement", bounds={"ballots": 1}, source="Tencent/phxpaxos/issues/145, where it was refuted")
def reuse_ballot(s: State, b: int) -> bool:
    """The proposer restarts, forgets that it has used its ballot, and proposes something else in it."""
    return True


@SPEC.mutant(
    replaces=may_accept, breaks="agreement", bounds={"ballots": 2},
    source="an acceptor that remembers votes and not promises",
)  # fmt: skip
def forget_promise(s: State, a: int, b: int) -> bool:
    """The acceptor votes unless it has voted in a higher ballot: its promise binds it to nothing."""
    return b >= s.voted_ballot[a]


@SPEC.mutant(
    replaces=record_vote, breaks="agreement", bounds={"ballots": 3},
    source="Brooker, 'The bug in Paxos made simple', 2021; apache/cassandra/pull/1327 (not affected)",
)  # fmt: skip
def vote_without_promise(s: State, a: int, b: int, v: int) -> None:
    """A vote does not count as a promise: the acceptor later votes in a lower ballot, and tells of that vote only."""
    s.voted_ballot[a] = b
    s.voted_value[a] = v


@SPEC.mutant(
    replaces=restart, breaks="agreement", bounds={"ballots": 2, "crashes": True},
    source="Chandra, Griesemer and Redstone, 'Paxos made live', 2007, section 5.1",
)  # fmt: skip
def lose_disk(s: State, a: int) -> None:
    """An acceptor that lost its disk votes again at once, having forgotten promise and vote."""
    s.promised[a] = 0
    s.voted_ballot[a] = 0
    s.voted_value[a] = None


SPEC.add_mutant(
    Mutant(
        "quorums_miss",
        "Two acceptors begin a ballot and one chooses: a phase-1 and a phase-2 quorum need not meet.",
        breaks="agreement",
        source="flexible quorums that were not checked before use",
        bounds={"ballots": 2, "phase1": "2", "phase2": "1"},
    )
)
