"""PaxosCommit of the TLA+ examples, with every successor that TLC generates for it.

After ``specifications/transaction_commit/PaxosCommit.tla`` (Gray and Lamport, "Consensus on
transaction commit", 2006).

Messages are sent again though they are there, and one proposal or decision is generated
once for each majority, and where it matters each ballot, that justifies it.  State and
properties are those of the model that we ship.  It is for three acceptors, so that
majorities are all but one, and for two managers.
"""

from __future__ import annotations

from scrutator.model.language import Spec, require
from scrutator.model.paxos_commit import (
    ACCEPTOR,
    BALLOT,
    LATER,
    MANAGER,
    Accept,
    Accepted,
    Decision,
    Prepare,
    Promise,
    Resource,
    State,
    consistent,
    may_accept,
)

SPEC = Spec("tla-paxos-commit", State)
SPEC.invariant(consistent)


@SPEC.action(r=MANAGER)
def rm_prepare(s: State, r: int) -> None:
    """RMPrepare(rm)."""
    require(s.resource[r] == Resource.WORKING)
    s.resource[r] = Resource.PREPARED
    s.net.send(Accept(instance=r, ballot=0, prepared=True))


@SPEC.action(r=MANAGER)
def rm_choose_to_abort(s: State, r: int) -> None:
    """RMChooseToAbort(rm)."""
    require(s.resource[r] == Resource.WORKING)
    s.resource[r] = Resource.ABORTED
    s.net.send(Accept(instance=r, ballot=0, prepared=False))


@SPEC.action(r=MANAGER, m=Decision)
def rm_receive(s: State, r: int, m: Decision) -> None:
    """RMRcvCommitMsg(rm) and RMRcvAbortMsg(rm)."""
    s.resource[r] = Resource.COMMITTED if m.commit else Resource.ABORTED


@SPEC.action(r=MANAGER, b=LATER)
def phase1a(s: State, r: int, b: int) -> None:
    """Phase1a(bal, rm)."""
    s.net.send(Prepare(instance=r, ballot=b))


@SPEC.action(r=MANAGER, b=LATER, prepared=bool, absent=ACCEPTOR)
def phase2a(s: State, r: int, b: int, prepared: bool, absent: int) -> None:
    """Phase2a(bal, rm): the majority's last vote, or abort if it has not voted."""
    require(all(m.instance != r or m.ballot != b for m in s.net.of(Accept)))
    require(
        all(
            a == absent or any(m.acceptor == a and m.instance == r and m.ballot == b for m in s.net.of(Promise))
            for a in ACCEPTOR
        )
    )
    voted = any(
        m.acceptor != absent and m.instance == r and m.ballot == b and m.voted_ballot is not None for m in s.net.of(Promise)
    )
    last_was = any(
        top.acceptor != absent
        and top.instance == r
        and top.ballot == b
        and top.voted_ballot is not None
        and top.voted_prepared == prepared
        and all(
            m.acceptor == absent
            or m.instance != r
            or m.ballot != b
            or m.voted_ballot is None
            or m.voted_ballot <= top.voted_ballot
            for m in s.net.of(Promise)
        )
        for top in s.net.of(Promise)
    )
    require(last_was if voted else not prepared)
    s.net.send(Accept(instance=r, ballot=b, prepared=prepared))


def has_decided(s: State, r: int, prepared: bool, b: int, absent: int) -> bool:
    """Decided(rm, v), by one majority in one ballot."""
    return all(a == absent or Accepted(acceptor=a, instance=r, ballot=b, prepared=prepared) in s.net for a in ACCEPTOR)


@SPEC.action(b=BALLOT, absent=ACCEPTOR, c=BALLOT, missing=ACCEPTOR)
def decide_commit(s: State, b: int, absent: int, c: int, missing: int) -> None:
    """PCDecide: both instances prepared."""
    require(has_decided(s, 0, True, b, absent) and has_decided(s, 1, True, c, missing))
    s.net.send(Decision(commit=True))


@SPEC.action(r=MANAGER, b=BALLOT, absent=ACCEPTOR)
def decide_abort(s: State, r: int, b: int, absent: int) -> None:
    """PCDecide: an instance aborted."""
    require(has_decided(s, r, False, b, absent))
    s.net.send(Decision(commit=False))


@SPEC.action(a=ACCEPTOR, m=Prepare)
def phase1b(s: State, a: int, m: Prepare) -> None:
    """Phase1b(acc)."""
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


@SPEC.action(a=ACCEPTOR, m=Accept)
def phase2b(s: State, a: int, m: Accept) -> None:
    """Phase2b(acc)."""
    require(may_accept(s, a, m))
    s.acceptor[m.instance][a].promised = m.ballot
    s.acceptor[m.instance][a].voted_ballot = m.ballot
    s.acceptor[m.instance][a].voted_prepared = m.prepared
    s.net.send(Accepted(acceptor=a, instance=m.instance, ballot=m.ballot, prepared=m.prepared))
