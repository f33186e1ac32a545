"""Naive Raft: what should hold, and what should be possible."""

from __future__ import annotations

from scrutator.model.ladder.naive_raft.model import (
    BUYER,
    COMMIT,
    SERVER,
    SPEC,
    TERM,
    TERMS,
    Replicate,
    State,
    Stored,
    Vote,
    have_voted,
)


def is_committed(s: State, b: int) -> bool:
    """A majority has stored an entry for buyer b in one term."""
    return any({m.server for m in s.net.of(Stored) if m.term == t and m.buyer == b} in COMMIT for t in TERM)


@SPEC.invariant
def agreement(s: State) -> bool:
    """At most one buyer is committed: the phone is not sold twice."""
    return all(b == c or not (is_committed(s, b) and is_committed(s, c)) for b in BUYER for c in BUYER)


@SPEC.invariant
def one_leader_a_term(s: State) -> bool:
    """No two servers are elected in one term."""
    return all(
        i == j or not (have_voted(s, i, t, TERMS + 1) and have_voted(s, j, t, TERMS + 1)) for t in TERM for i in SERVER for j in SERVER
    )


@SPEC.reachable
def committed_later(s: State) -> bool:
    """What a later leader says can be committed."""
    return any(is_committed(s, b) for b in BUYER) and all(m.term > 0 for m in s.net.of(Stored))


@SPEC.reachable
def entry_taken_over(s: State) -> bool:
    """A later leader can begin again with an entry that a vote carried."""
    return any(
        v.candidate == m.leader and v.term == m.term and v.entry is not None and v.entry.buyer == m.buyer
        for m in s.net.of(Replicate)
        for v in s.net.of(Vote)
    )


@SPEC.reachable
def nobody_elected(s: State) -> bool:
    """All have voted in term 1, each for another candidate: the term stays without a leader."""
    return all(any(m.voter == i and m.candidate == i and m.term == 1 for m in s.net.of(Vote)) for i in SERVER)
