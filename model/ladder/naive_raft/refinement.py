"""Naive Raft is Basic Paxos in other words: a term is a proposal's number, election is prepare, replication is accept."""

from __future__ import annotations

from scrutator.model.ladder.basic_paxos import SPEC as BASIC_PAXOS
from scrutator.model.ladder.basic_paxos.model import Accepted, Prepare, Promise, Proposal, Propose
from scrutator.model.ladder.basic_paxos.model import State as PaxosState
from scrutator.model.ladder.naive_raft.model import (
    COMMIT,
    ELECTION,
    SERVER,
    SERVERS,
    TERMS,
    Replicate,
    RequestVote,
    State,
    Stored,
    Vote,
)
from scrutator.model.ladder.naive_raft.mutants import SPEC


@SPEC.refines(BASIC_PAXOS, bounds={"acceptors": SERVERS, "numbers": TERMS, "phase1": ELECTION, "phase2": COMMIT})
def as_proposals(s: State, paxos: PaxosState) -> None:
    """A term is a proposal's number, election is prepare, replication is accept; who it is that leads does not show."""
    paxos.failures = s.failures
    for i in SERVER:
        paxos.promised[i] = s.term[i]
        paxos.up[i] = s.up[i]
        if s.entry[i] is not None:
            paxos.accepted[i] = Proposal(number=s.entry[i].term, buyer=s.entry[i].buyer)
    paxos.net.send(Prepare(number=0))
    for m in s.net.of(RequestVote):
        paxos.net.send(Prepare(number=m.term))
    for m in s.net.of(Vote):
        if m.entry is None:
            paxos.net.send(Promise(acceptor=m.voter, number=m.term, accepted=None))
        else:
            paxos.net.send(Promise(acceptor=m.voter, number=m.term, accepted=Proposal(number=m.entry.term, buyer=m.entry.buyer)))
    for m in s.net.of(Replicate):
        paxos.net.send(Propose(number=m.term, buyer=m.buyer))
    for m in s.net.of(Stored):
        paxos.net.send(Accepted(acceptor=m.server, number=m.term, buyer=m.buyer))
