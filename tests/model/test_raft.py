"""Raft, step by step: each rule of figure 2 where it acts, and where it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from scrutator.model.raft import SPEC, Role

Steps = Any


@pytest.fixture
def raft(stepper: Any) -> Steps:
    return stepper(SPEC, max_term=3, max_log=2, messages=3)


def deliver(raft: Steps, kind: str, **fields: Any) -> None:
    """Deliver the one message in flight that has these fields."""
    found = [m for (m,) in raft.enabled(f"receive_{kind}") if all(getattr(m, f) == v for f, v in fields.items())]
    assert len(found) == 1, f"{kind} {fields}: {found}"
    raft.step(f"receive_{kind}", found[0])


def elect(raft: Steps, leader: int, voter: int) -> None:
    """Take a server through an election that one voter decides."""
    raft.step("timeout", leader)
    raft.step("request_vote", leader, voter)
    deliver(raft, "request_vote", src=leader, dst=voter)
    deliver(raft, "vote", dst=leader)
    assert raft.state.role[leader] == Role.LEADER


def replicate(raft: Steps, leader: int, follower: int, prev: int, count: int = 1) -> None:
    raft.step("append_entries", leader, follower, prev, count)
    deliver(raft, "append_entries", src=leader, dst=follower)


def test_a_majority_elects_a_leader(raft: Steps) -> None:
    raft.step("timeout", 0)
    assert raft.state.role[0] == Role.CANDIDATE
    assert (raft.state.term[0], raft.state.voted_for[0], set(raft.state.votes[0])) == (1, 0, {0})
    assert not raft.can("request_vote", 0, 0), "it has its own vote already"
    raft.step("request_vote", 0, 1)
    deliver(raft, "request_vote")
    assert (raft.state.term[1], raft.state.voted_for[1]) == (1, 0)
    deliver(raft, "vote")
    assert raft.state.role[0] == Role.LEADER
    assert raft.state.elected[1] == 0
    assert raft.holds("leader_elected")
    assert not raft.can("timeout", 0), "a leader does not time out"


def test_a_server_votes_once_in_a_term(raft: Steps) -> None:
    raft.step("timeout", 0)
    raft.step("timeout", 1)
    raft.step("request_vote", 0, 2)
    raft.step("request_vote", 1, 2)
    deliver(raft, "request_vote", src=1)
    deliver(raft, "request_vote", src=0)
    assert raft.state.voted_for[2] == 1
    assert [m.dst for (m,) in raft.enabled("receive_vote")] == [1]


def test_a_vote_survives_a_restart_and_its_count_does_not(raft: Steps) -> None:
    raft.step("timeout", 0)
    raft.step("request_vote", 0, 1)
    deliver(raft, "request_vote")
    raft.step("restart", 0)
    raft.step("restart", 1)
    assert (raft.state.term[0], raft.state.voted_for[0], raft.state.voted_for[1]) == (1, 0, 0)
    assert raft.state.role[0] == Role.FOLLOWER
    deliver(raft, "vote")
    assert raft.state.role[0] == Role.FOLLOWER, "nobody counts votes any more"
    assert len(raft.state.votes[0]) == 0


def test_a_server_behind_in_its_log_gets_no_vote(raft: Steps) -> None:
    elect(raft, 0, 1)
    raft.step("client_request", 0, 0)
    replicate(raft, 0, 1, prev=0)
    raft.step("timeout", 2)
    raft.step("timeout", 2)
    raft.step("request_vote", 2, 1)
    deliver(raft, "request_vote")
    assert (raft.state.term[1], raft.state.voted_for[1]) == (2, None)
    assert raft.enabled("receive_vote") == []


def test_a_request_of_an_old_term_is_refused_aloud(raft: Steps) -> None:
    raft.step("timeout", 0)
    raft.step("request_vote", 0, 1)
    raft.step("timeout", 1)
    raft.step("timeout", 1)
    deliver(raft, "request_vote")
    assert raft.state.voted_for[1] == 1
    deliver(raft, "refused", dst=0)
    assert (raft.state.term[0], raft.state.role[0], raft.state.voted_for[0]) == (2, Role.FOLLOWER, None)


def test_an_entry_is_committed_once_a_majority_stores_it(raft: Steps) -> None:
    elect(raft, 0, 1)
    raft.step("client_request", 0, 0)
    assert raft.state.commit[0] == 0
    replicate(raft, 0, 1, prev=0)
    assert (len(raft.state.log[1]), raft.state.commit[1]) == (1, 0)
    deliver(raft, "stored")
    assert (raft.state.commit[0], raft.state.match[0][1]) == (1, 1)
    assert raft.state.committed[0].by == 1
    replicate(raft, 0, 1, prev=1, count=0)
    assert raft.state.commit[1] == 1, "the heartbeat tells"
    deliver(raft, "stored")
    assert raft.violated() == []


def test_a_gap_is_refused(raft: Steps) -> None:
    elect(raft, 0, 1)
    raft.step("client_request", 0, 0)
    raft.step("client_request", 0, 0)
    replicate(raft, 0, 1, prev=1)
    assert len(raft.state.log[1]) == 0
    assert raft.enabled("receive_stored") == []


def conflicting_logs(raft: Steps) -> None:
    """Server 0 stores two entries of term 1 alone; server 2 leads term 2 with one entry."""
    elect(raft, 0, 1)
    raft.step("client_request", 0, 0)
    raft.step("client_request", 0, 0)
    raft.step("timeout", 2)
    elect(raft, 2, 1)
    raft.step("client_request", 2, 0)


def test_conflicting_entries_go_and_all_that_follow(raft: Steps) -> None:
    conflicting_logs(raft)
    assert raft.holds("two_leaders") and raft.holds("logs_conflict")
    replicate(raft, 2, 0, prev=0)
    assert [e.term for e in raft.state.log[0]] == [2]
    assert raft.state.role[0] == Role.FOLLOWER
    assert raft.violated() == []


def test_a_heartbeat_does_not_truncate(raft: Steps) -> None:
    elect(raft, 0, 1)
    raft.step("client_request", 0, 0)
    replicate(raft, 0, 1, prev=0)
    replicate(raft, 0, 1, prev=0, count=0)
    assert len(raft.state.log[1]) == 1


def test_a_follower_commits_no_further_than_the_message_vouches(raft: Steps) -> None:
    """Server 1 stores two entries of term 1 and hears of a commit at 2, by a message that reaches to 1."""
    elect(raft, 0, 1)
    raft.step("client_request", 0, 0)
    raft.step("client_request", 0, 0)
    replicate(raft, 0, 1, prev=0)
    deliver(raft, "stored")
    replicate(raft, 0, 1, prev=1)
    deliver(raft, "stored")
    assert raft.state.commit[0] == 2
    replicate(raft, 0, 2, prev=0)
    assert raft.state.commit[2] == 1


def test_an_entry_of_an_old_term_is_not_committed_by_counting(raft: Steps) -> None:
    elect(raft, 0, 1)
    raft.step("client_request", 0, 0)
    raft.step("restart", 0)
    elect(raft, 0, 1)
    replicate(raft, 0, 1, prev=0)
    deliver(raft, "stored")
    assert (raft.state.match[0][1], raft.state.commit[0]) == (1, 0)
    raft.step("client_request", 0, 0)
    replicate(raft, 0, 1, prev=1)
    deliver(raft, "stored")
    assert raft.state.commit[0] == 2, "an entry of its own term commits all before it"


def test_a_restart_keeps_term_vote_and_log_only(raft: Steps) -> None:
    elect(raft, 0, 1)
    raft.step("client_request", 0, 0)
    replicate(raft, 0, 1, prev=0)
    deliver(raft, "stored")
    raft.step("restart", 0)
    s = raft.state
    assert (s.term[0], s.voted_for[0], len(s.log[0])) == (1, 0, 1)
    assert (s.role[0], s.commit[0], list(s.match[0])) == (Role.FOLLOWER, 0, [0, 0, 0])


def test_a_new_leader_appends_a_no_op_if_asked(stepper: Any) -> None:
    raft = stepper(SPEC, noop=True, max_log=1)
    elect(raft, 0, 1)
    assert [(e.term, e.value) for e in raft.state.log[0]] == [(1, None)]
    assert not raft.can("client_request", 0, 0), "the log is full"


def test_a_lost_message_leaves_the_rest_as_it_was(stepper: Any) -> None:
    raft = stepper(SPEC, loss=True)
    raft.step("timeout", 0)
    raft.step("request_vote", 0, 1)
    raft.step("lose_from_net")
    assert len(raft.state.net) == 0
    assert raft.state.term[1] == 0


def test_a_lone_server_leads_and_commits_at_once(stepper: Any) -> None:
    raft = stepper(SPEC, servers=1)
    raft.step("timeout", 0)
    raft.step("client_request", 0, 0)
    assert (raft.state.role[0], raft.state.commit[0]) == (Role.LEADER, 1)
