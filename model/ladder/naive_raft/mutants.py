"""Naive Raft, with one mistake each: what breaks which property."""

from __future__ import annotations

from scrutator.model.ladder.naive_raft.model import (
    TERMS,
    State,
    Vote,
    have_voted,
    may_replicate,
    may_store,
    may_vote,
)
from scrutator.model.ladder.naive_raft.properties import SPEC


@SPEC.mutant(replaces=may_vote, breaks="agreement", bounds={"terms": 1, "candidates": 2}, source="a server that does not remember its vote")
def votes_twice(s: State, i: int, term: int) -> bool:
    """A server votes for everybody who stands in its term."""
    return term >= s.term[i]


@SPEC.mutant(replaces=may_replicate, breaks="agreement", bounds={"terms": 1, "candidates": 2}, source="a leader that reads votes as permission only")
def leader_keeps_own_value(s: State, i: int, term: int, b: int) -> bool:
    """The new leader sells to a buyer of its own, whatever entries its votes carry."""
    return have_voted(s, i, term, TERMS + 1)


@SPEC.mutant(replaces=may_replicate, breaks="agreement", bounds={"terms": 2, "candidates": 2}, source="a leader that takes the first vote's entry")
def takes_any_entry(s: State, i: int, term: int, b: int) -> bool:
    """The new leader takes over any entry that a vote carries, not the latest."""
    carried = any(m.candidate == i and m.term == term and m.entry is not None and m.entry.buyer == b for m in s.net.of(Vote))
    return have_voted(s, i, term, 0) or (carried and have_voted(s, i, term, TERMS + 1))


@SPEC.mutant(replaces=may_store, breaks="agreement", bounds={"terms": 1, "candidates": 2}, source="a follower that does not compare terms")
def obeys_old_leader(s: State, i: int, term: int) -> bool:
    """A server also stores what the leader of an earlier term than its own sends, until a later one has sent something."""
    return s.entry[i] is None or term > s.entry[i].term
