"""Naive Raft: its model, and what is claimed of it."""

from __future__ import annotations

from scrutator.model.ladder.naive_raft.refinement import SPEC
from scrutator.model.ladder.rung import Claim, Rung

__all__ = ["RUNG", "SPEC"]

RUNG = Rung(
    order=10, name="naive_raft", title="Naive Raft",
    idea="One leader sells, and the others only follow it, so that nobody duels while it lives. When it falls silent, a server stands for election in "
    "the next term. Votes carry what the voter has stored; the new leader begins again with the latest of that.",
    notice="It is Basic Paxos in other words: a term is a proposal's number, an election is prepare, replication is accept.",
    keeps="agreement", breaks="one value only; a split vote costs a term",
    next="A log of many entries, of which the votes need not carry the whole: Raft.",
    claims=(
        Claim("agreement", "Three servers, two buyers, two crashes: never two sales.", "holds", "agreement", {"terms": 1, "failures": 2}),
        Claim("third_term", "Leaders of three terms in a row agree.", "holds", "agreement", {"terms": 2, "candidates": 2}),
        Claim("one_leader_a_term", "A term has at most one leader, because a server votes once in it.",
              "holds", "one_leader_a_term", {"terms": 2, "candidates": 2}),
        Claim("taken_over", "A later leader can begin again with what an earlier one had stored.", "holds", "entry_taken_over", {"terms": 1}),
        Claim("split_vote", "An election may have no winner; the next term is there for that.", "holds", "nobody_elected", {"terms": 1}),
        Claim("is_basic_paxos", "Every step of Naive Raft is a step of Basic Paxos or none: to stand is to prepare, to vote is to promise, "
              "to replicate is to propose, to store is to accept.", "holds", "as_proposals", {"terms": 1, "failures": 2}),
        Claim("is_basic_paxos_for_three_terms", "The same with three terms.", "holds", "as_proposals", {"terms": 2, "candidates": 2}),
        Claim("votes_twice", "Where servers vote twice, a term has two leaders, who sell to two buyers.",
              "violated", "agreement", {"terms": 1, "candidates": 2}, mutant="votes_twice", steps=12),
        Claim("leader_keeps_own_value", "A new leader that ignores what its votes carry contradicts what was committed.",
              "violated", "agreement", {"terms": 1, "candidates": 2}, mutant="leader_keeps_own_value", steps=9),
        Claim("takes_any_entry", "The new leader must take the latest entry that its votes carry, not any.",
              "violated", "agreement", {"terms": 2, "candidates": 2}, mutant="takes_any_entry", steps=14),
        Claim("obeys_old_leader", "A follower that obeys the old leader beside the new one lets both commit.",
              "violated", "agreement", {"terms": 1, "candidates": 2}, mutant="obeys_old_leader", steps=9),
        Claim("votes_twice_is_none", "A second vote in a term that tells of what was stored since is no step of Basic Paxos: an acceptor "
              "promises a number once.", "violated", "as_proposals", {"terms": 1, "candidates": 2}, mutant="votes_twice", steps=6),
    ),
)  # fmt: skip
