"""Replication (sections 5.3 and 5.4.2): consistency, conflicts, commitment, and what may be lost on the way."""

from __future__ import annotations

import pytest
from cluster import PLAIN, Cluster, Disk

from scrutator.impl.raft import (
    ElectionTimeout,
    Entry,
    HeartbeatTimeout,
    Options,
    Raft,
    Received,
    Role,
    configuration,
)
from scrutator.impl.raft.messages import Appended, AppendEntries
from scrutator.impl.raft.state import Sending

ABC = configuration("abc")


def log_of(*terms: int) -> list[Entry]:
    return [Entry(term, index, data=b"%d.%d" % (term, index)) for index, term in enumerate(terms, 1)]


def follower(*terms: int) -> Raft:
    return Raft("a", ABC, PLAIN, term=terms[-1], entries=log_of(*terms))


def sent(core: Raft, prev: int, *terms: int, term: int = 9, commit: int = 0) -> Appended:
    """The answer to entries after ``prev``, from a leader whose log has these terms."""
    entries = log_of(*terms)
    prev_term = terms[prev - 1] if prev else 0
    message = AppendEntries("b", "a", term, prev, prev_term, tuple(entries[prev:]), commit, 1)
    (answer,) = [m for m in core.step(Received(message), 0.0).send_durable if isinstance(m, Appended)]
    return answer


def terms_of(core: Raft) -> list[int]:
    return [entry.term for entry in core.log.entries]


# --- followers ------------------------------------------------------------------------------


def test_entries_are_appended_and_answered_for() -> None:
    core = follower(1)
    answer = sent(core, 1, 1, 2, 2)
    assert (answer.match, answer.refused, terms_of(core)) == (3, None, [1, 2, 2])


def test_entries_without_their_predecessor_are_refused_with_a_hint() -> None:
    core = follower(1, 1)
    answer = sent(core, 4, 1, 1, 1, 5, 5)
    assert (answer.refused, answer.hint_index, answer.hint_term, terms_of(core)) == (4, 2, 1, [1, 1])


def test_a_conflicting_term_is_skipped_as_a_whole() -> None:
    core = follower(1, 2, 2, 2)
    answer = sent(core, 4, 1, 3, 3, 3, 3)
    assert (answer.refused, answer.hint_index, answer.hint_term) == (4, 1, 1)


def test_a_conflict_goes_with_all_that_follows_it() -> None:
    core = follower(1, 2, 2, 2)
    message = AppendEntries("b", "a", 9, 1, 1, (Entry(3, 2),), 0, 1)
    out = core.step(Received(message), 0.0)
    assert terms_of(core) == [1, 3]
    assert out.persist.truncate == 2 and [entry.index for entry in out.persist.entries] == [2]


def test_an_old_message_that_comes_late_drops_nothing() -> None:
    core = follower(1, 1, 1, 1)
    answer = sent(core, 1, 1, 1, term=1)
    assert (answer.match, terms_of(core)) == (2, [1, 1, 1, 1])


def test_the_commit_index_goes_only_as_far_as_the_message_vouches() -> None:
    core = follower(1, 1, 7)  # the last entry is not the leader's
    sent(core, 2, 1, 1, term=8, commit=3)
    assert core.commit == 2


def test_a_commit_index_never_goes_back() -> None:
    core = follower(1, 1, 1)
    sent(core, 3, 1, 1, 1, commit=3)
    sent(core, 1, 1, 1, commit=1)
    assert core.commit == 3


def test_entries_before_the_commit_index_are_not_looked_at() -> None:
    core = follower(1, 1, 1)
    sent(core, 3, 1, 1, 1, commit=3)
    answer = sent(core, 0, 1, 1, 1, 9)
    assert (answer.match, terms_of(core)) == (4, [1, 1, 1, 9])


def test_a_leader_of_an_earlier_term_is_told_so() -> None:
    core = follower(5)
    answer = sent(core, 0, 1, term=2)
    assert (answer.term, answer.refused, core.leader) == (5, 0, None)


def test_dropping_what_is_committed_is_our_own_bug() -> None:
    core = follower(1, 1)
    sent(core, 2, 1, 1, commit=2)
    with pytest.raises(AssertionError, match="would drop entry 2, which is committed"):
        core.truncate(2)


# --- leaders --------------------------------------------------------------------------------


def test_a_command_is_committed_by_a_majority_and_applied_once_everywhere() -> None:
    c = Cluster("abc")
    c.elect("a")
    c.propose("a", b"x", b"y")
    c.settle("a", "b")
    assert c.servers["a"].commit == 3 and c.commands("a") == [b"x", b"y"]
    assert c.commands("c") == []
    c.settle()
    c.beat("a")
    assert all(c.commands(name) == [b"x", b"y"] for name in "abc")


def test_a_leader_does_not_count_itself_before_its_own_disk_has_the_entry() -> None:
    c = Cluster("abc")
    c.elect("a")
    c.propose("a", b"x")
    (out,) = c.pending.pop("a")  # sent, but not yet written
    c.pending["a"] = []
    c.network += out.send
    c.settle("b")
    c.deliver("a")
    assert c.servers["a"].progress["b"].match == 2 and c.servers["a"].commit == 1
    c.settle("c")  # the other two are a majority without it
    c.deliver("a")
    assert c.servers["a"].commit == 2


def test_entries_of_earlier_terms_are_committed_only_with_one_of_the_leaders_own() -> None:
    """Figure 8: an entry on a majority may still be overwritten, until one of the new term follows it."""
    c = Cluster("abc")
    c.add("a", ABC, Disk(term=2, entries=log_of(1, 2)))
    c.add("b", ABC, Disk(term=2, entries=log_of(1, 2)))
    leader = c.servers["a"]
    c.step("a", ElectionTimeout())
    c.carry_out("a")
    c.deliver("b")
    c.carry_out("b")
    c.deliver("a")
    assert leader.role is Role.LEADER and leader.log.last == 3
    c.step("a", Received(Appended("b", "a", 3, 2, 0)))
    c.step("a", Received(Appended("a", "a", 3, 2, 0)))
    assert leader.commit == 0
    c.settle()
    assert leader.commit == 3


def test_who_is_not_the_leader_says_who_is() -> None:
    c = Cluster("abc")
    c.elect("a")
    c.propose("b", b"x")
    assert c.outputs["b"][-1].refused[0][1:] == ("a", "not the leader")


def test_lost_messages_are_made_up_for_by_the_heartbeat() -> None:
    c = Cluster("abc")
    c.elect("a")
    for command in (b"x", b"y", b"z"):
        c.propose("a", command)
        c.carry_out("a")
        c.take("bc")
    c.settle()
    assert c.servers["a"].commit == 1
    c.beat("a")
    c.beat("a")
    assert all(c.commands(name) == [b"x", b"y", b"z"] for name in "abc")


def test_a_probe_has_one_message_under_way_and_a_pipeline_many() -> None:
    c = Cluster("abc", Options(pre_vote=False, check_quorum=False, inflight=3))
    c.elect("a")
    progress = c.servers["a"].progress["b"]
    assert progress.sending is Sending.PIPELINE
    c.propose("a", *(b"%d" % k for k in range(9)))
    c.carry_out("a")
    assert len([m for m in c.network if m.dst == "b"]) == 3 and len(progress.inflight) == 3
    c.settle()
    c.beat("a")
    assert len(c.commands("b")) == 9 and not progress.inflight


def test_messages_are_no_larger_than_asked_for_but_hold_one_entry() -> None:
    c = Cluster("ab", Options(pre_vote=False, check_quorum=False, batch_bytes=200))
    c.elect("a")
    c.take("b")
    c.servers["a"].progress["b"].inflight.extend([0] * 16)  # nothing may be sent for now
    c.propose("a", b"1" * 50, b"2" * 50, b"3" * 500)
    c.carry_out("a")
    c.servers["a"].progress["b"].inflight.clear()
    c.step("a", HeartbeatTimeout())
    c.carry_out("a")
    sizes = [len(m.entries) for m in c.network if isinstance(m, AppendEntries)]
    assert sizes == [1, 1, 1]  # 114 and 114 bytes are more than 200


def test_a_follower_five_terms_behind_is_brought_up_in_few_messages() -> None:
    """One message a term that conflicts, not one an entry."""
    c = Cluster("abc")
    theirs = [1, 2, 2, 2, 2, 3, 3, 3, 3, 3]
    ours = [1, 4, 4, 4, 4, 4, 4, 5, 5, 5]
    for name, terms in (("a", ours), ("b", theirs), ("c", ours)):
        c.add(name, ABC, Disk(term=5, entries=log_of(*terms)))
    c.elect("a", "a", "c")
    c.settle()
    probes = [m for out in c.outputs["a"] for m in out.send if m.dst == "b"]
    assert c.log("b") == c.log("a")
    assert len(probes) <= 3


def test_answers_that_were_overtaken_do_no_harm() -> None:
    c = Cluster("abc")
    leader = c.elect("a")
    c.propose("a", b"x")
    c.settle()
    progress = leader.progress["b"]
    assert (progress.match, progress.next) == (2, 3)
    c.step("a", Received(Appended("b", "a", 1, 1, 0)))
    c.step("a", Received(Appended("b", "a", 1, 0, 0, refused=1)))
    assert (progress.match, progress.next, progress.sending) == (2, 3, Sending.PIPELINE)


def test_what_was_not_durable_is_lost_and_replicated_again() -> None:
    c = Cluster("abc")
    c.elect("a")
    c.propose("a", b"x")
    c.carry_out("a")
    c.deliver("b")  # but b crashes before it writes
    c.restart("b")
    assert c.log("b") == [(1, b"")]
    c.settle()
    c.beat("a")
    assert c.log("b") == [(1, b""), (1, b"x")]
