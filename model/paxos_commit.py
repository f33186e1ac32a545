"""Paxos Commit: one Paxos instance for each resource manager decides whether it prepared.

After Gray and Lamport, "Consensus on transaction commit", 2006, and its TLA+ specification
PaxosCommit.  Ballot 0 of an instance belongs to its resource manager, which skips phase 1;
leaders of higher ballots finish an instance whose manager or leader is slow, and abort it
if nobody voted.  It is two-phase commit without the process that must not fail.
"""

from __future__ import annotations

from enum import Enum

from scrutator.model.language import Array, Bound, Index, Maybe, Nat, Network, Record, Spec, require
from scrutator.model.quorums import Quorums

MANAGERS = Bound("managers", 2, "resource managers", low=1, high=16)
ACCEPTORS = Bound("acceptors", 3, "acceptors, the same for every instance", low=1, high=16)
MAX_BALLOT = Bound("max_ballot", 1, "the last ballot, from 0", low=1)
MANAGER = Index("manager", MANAGERS, prefix="rm", interchangeable=True)
ACCEPTOR = Index("acceptor", ACCEPTORS, interchangeable=True)
BALLOT = Nat(MAX_BALLOT)
LATER = Nat(MAX_BALLOT, low=1)  # ballots that have a leader
QUORUM = Quorums("quorum", ACCEPTOR, "majority", "acceptors that suffice in both phases")


class Resource(Enum):
    WORKING = 0
    PREPARED = 1
    COMMITTED = 2
    ABORTED = 3


class Prepare(Record):
    """Phase 1a of an instance."""

    instance = MANAGER
    ballot = LATER


class Promise(Record):
    """Phase 1b."""

    acceptor = ACCEPTOR
    instance = MANAGER
    ballot = LATER
    voted_ballot = Maybe(BALLOT)
    voted_prepared = bool  # False also where there was no vote


class Accept(Record):
    """Phase 2a; in ballot 0, the resource manager's own word."""

    instance = MANAGER
    ballot = BALLOT
    prepared = bool


class Accepted(Record):
    """Phase 2b."""

    acceptor = ACCEPTOR
    instance = MANAGER
    ballot = BALLOT
    prepared = bool


class Decision(Record):
    commit = bool


class Instance(Record):
    """An acceptor's state in one instance."""

    promised = BALLOT
    voted_ballot = Maybe(BALLOT)
    voted_prepared = bool


class State(Record):
    resource = Array(MANAGER, Resource)
    acceptor = Array(MANAGER, Array(ACCEPTOR, Instance))
    net = Network(Prepare, Promise, Accept, Accepted, Decision, ordering="set")


SPEC = Spec("paxos-commit", State)


# --- resource managers ----------------------------------------------------------------


@SPEC.action(r=MANAGER)
def prepare(s: State, r: int) -> None:
    """Manager r prepares, and proposes so in ballot 0 of its instance."""
    require(s.resource[r] == Resource.WORKING)
    s.resource[r] = Resource.PREPARED
    s.net.send(Accept(instance=r, ballot=0, prepared=True))


@SPEC.action(r=MANAGER)
def abort(s: State, r: int) -> None:
    """Manager r aborts before it has prepared, and proposes so."""
    require(s.resource[r] == Resource.WORKING)
    s.resource[r] = Resource.ABORTED
    s.net.send(Accept(instance=r, ballot=0, prepared=False))


@SPEC.action(r=MANAGER, m=Decision)
def obey(s: State, r: int, m: Decision) -> None:
    """Manager r learns the outcome."""
    s.resource[r] = Resource.COMMITTED if m.commit else Resource.ABORTED


# --- leaders --------------------------------------------------------------------------


@SPEC.action(r=MANAGER, b=LATER)
def begin_ballot(s: State, r: int, b: int) -> None:
    """Phase 1a: the leader of ballot b takes instance r up."""
    require(Prepare(instance=r, ballot=b) not in s.net)
    s.net.send(Prepare(instance=r, ballot=b))


def may_propose(s: State, r: int, b: int, prepared: bool) -> bool:
    """A quorum promised b whose highest vote was for that outcome; abort if it has not voted."""
    no_votes = {m.acceptor for m in s.net.of(Promise) if m.instance == r and m.ballot == b and m.voted_ballot is None}
    if not prepared and no_votes in QUORUM:
        return True
    return any(
        top.instance == r
        and top.ballot == b
        and top.voted_ballot is not None
        and top.voted_prepared == prepared
        and {
            m.acceptor
            for m in s.net.of(Promise)
            if m.instance == r and m.ballot == b and (m.voted_ballot is None or m.voted_ballot <= top.voted_ballot)
        }
        in QUORUM
        for top in s.net.of(Promise)
    )


@SPEC.action(r=MANAGER, b=LATER, prepared=bool)
def propose(s: State, r: int, b: int, prepared: bool) -> None:
    """Phase 2a: the leader of ballot b proposes an outcome of instance r."""
    require(all(m.instance != r or m.ballot != b for m in s.net.of(Accept)))
    require(may_propose(s, r, b, prepared))
    s.net.send(Accept(instance=r, ballot=b, prepared=prepared))


def is_decided(s: State, r: int, prepared: bool) -> bool:
    """Instance r has chosen that outcome."""
    return any(
        {a for a in ACCEPTOR if Accepted(acceptor=a, instance=r, ballot=b, prepared=prepared) in s.net} in QUORUM for b in BALLOT
    )


@SPEC.action()
def decide_commit(s: State) -> None:
    """Every instance has chosen `prepared`: anybody who sees it may say so."""
    require(all(is_decided(s, r, True) for r in MANAGER))
    s.net.send(Decision(commit=True))


@SPEC.action()
def decide_abort(s: State) -> None:
    """Some instance has chosen `aborted`."""
    require(any(is_decided(s, r, False) for r in MANAGER))
    s.net.send(Decision(commit=False))


# --- acceptors ------------------------------------------------------------------------


@SPEC.action(a=ACCEPTOR, m=Prepare)
def promise(s: State, a: int, m: Prepare) -> None:
    """Phase 1b: acceptor a votes in no lower ballot of the instance, and tells its last vote."""
    require(m.ballot > s.acceptor[m.instance][a].promised)
    s.acceptor[m.instance][a].promised = m.ballot
    s.net.send(
        Promise(
            acceptor=a,
            instance=m.instance,
            ballot=m.ballot,
            voted_ballot=s.acceptor[m.instance][a].voted_ballot,
            voted_prepared=s.acceptor[m.instance][a].voted_prepared,
        )
    )


def may_accept(s: State, a: int, m: Accept) -> bool:
    """Acceptor a has promised nothing that forbids this vote."""
    return m.ballot >= s.acceptor[m.instance][a].promised


@SPEC.action(a=ACCEPTOR, m=Accept)
def accept(s: State, a: int, m: Accept) -> None:
    """Phase 2b: acceptor a votes."""
    vote = Accepted(acceptor=a, instance=m.instance, ballot=m.ballot, prepared=m.prepared)
    require(may_accept(s, a, m) and vote not in s.net)
    s.acceptor[m.instance][a].promised = m.ballot
    s.acceptor[m.instance][a].voted_ballot = m.ballot
    s.acceptor[m.instance][a].voted_prepared = m.prepared
    s.net.send(vote)


# --- properties -----------------------------------------------------------------------


@SPEC.invariant
def consistent(s: State) -> bool:
    """No two resource managers end differently."""
    return not (
        any(s.resource[r] == Resource.COMMITTED for r in MANAGER) and any(s.resource[r] == Resource.ABORTED for r in MANAGER)
    )


@SPEC.invariant
def agreement(s: State) -> bool:
    """No instance chooses both outcomes."""
    return all(not (is_decided(s, r, True) and is_decided(s, r, False)) for r in MANAGER)


@SPEC.reachable
def all_committed(s: State) -> bool:
    """The transaction can commit everywhere."""
    return all(s.resource[r] == Resource.COMMITTED for r in MANAGER)


@SPEC.reachable
def aborted_for_a_silent_manager(s: State) -> bool:
    """The transaction can be aborted although one manager never said a word: it does not block."""
    return Decision(commit=False) in s.net and any(s.resource[r] == Resource.WORKING for r in MANAGER)


@SPEC.always_possible
def can_end(s: State) -> bool:
    """Whatever happened, every resource manager can still end."""
    return all(s.resource[r] in (Resource.COMMITTED, Resource.ABORTED) for r in MANAGER)


# --- mutants --------------------------------------------------------------------------


@SPEC.mutant(replaces=may_propose, breaks="agreement", source="a leader that takes silence for refusal")
def abort_anyway(s: State, r: int, b: int, prepared: bool) -> bool:
    """The leader of a higher ballot aborts an instance without asking for its votes."""
    return not prepared


@SPEC.mutant(replaces=may_accept, breaks="agreement", source="an acceptor that remembers votes and not promises")
def forget_promise(s: State, a: int, m: Accept) -> bool:
    """The acceptor's promise binds it to nothing: it votes in any ballot."""
    return True
