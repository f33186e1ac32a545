"""Elections (sections 5.2 and 5.4.1), pre-votes, and who is not helped."""

from __future__ import annotations

from cluster import PLAIN, Cluster, Disk

from scrutator.impl.raft import (
    ElectionTimeout,
    Entry,
    Options,
    Raft,
    Received,
    Role,
    Snapshot,
    configuration,
)
from scrutator.impl.raft.messages import AppendEntries, RequestVote, Vote

ABC = configuration("abc")


def asked(core: Raft, term: int, src: str = "b", last: tuple[int, int] = (0, 0), *, pre: bool = False) -> Vote | None:
    """What a server answers to a request; ``last`` is the candidate's last (term, index)."""
    request = RequestVote(src, core.id, term, last[1], last[0], pre)
    answers = [m for m in core.step(Received(request), core.now_s).send_durable if isinstance(m, Vote)]
    return answers[0] if answers else None


def test_a_majority_elects_and_the_new_leader_adds_an_entry() -> None:
    c = Cluster("abc")
    leader = c.elect("a")
    assert leader.term == 1 and c.log("a") == [(1, b"")]
    assert all(s.leader == "a" and s.log.last == 1 for s in c.servers.values())


def test_a_server_alone_elects_itself_once_its_vote_is_durable() -> None:
    c = Cluster("a")
    c.step("a", ElectionTimeout())
    assert c.servers["a"].role is Role.CANDIDATE and c.disks["a"].term == 0
    c.carry_out("a")
    assert (c.disks["a"].term, c.disks["a"].vote) == (1, "a")
    assert c.servers["a"].role is Role.LEADER
    c.settle()
    assert c.servers["a"].commit == 1


def test_a_vote_is_given_once_a_term() -> None:
    core = Raft("a", ABC, PLAIN)
    first, again, other = asked(core, 1, "b"), asked(core, 1, "b"), asked(core, 1, "c")
    assert first and first.granted and again and again.granted
    assert other and not other.granted
    later = asked(core, 2, "c")
    assert later and later.granted and core.vote == "c"


def test_a_vote_is_remembered_over_a_crash() -> None:
    c = Cluster("abc")
    c.step("a", ElectionTimeout())
    c.carry_out("a")
    c.deliver("b")
    c.carry_out("b")
    again = asked(c.restart("b"), 1, "c")
    assert again and not again.granted


def test_logs_are_compared_by_term_then_by_length() -> None:
    def core() -> Raft:
        return Raft("a", ABC, PLAIN, term=5, entries=[Entry(1, 1), Entry(3, 2), Entry(3, 3)])

    outcomes = {last: asked(core(), 6, "b", last) for last in [(3, 3), (4, 1), (3, 9), (3, 2), (2, 9), (0, 0)]}
    granted = {last for last, vote in outcomes.items() if vote and vote.granted}
    assert granted == {(3, 3), (4, 1), (3, 9)}


def test_a_snapshot_counts_as_log() -> None:
    core = Raft("a", ABC, PLAIN, term=5, snapshot=Snapshot(7, 3, ABC, b""))
    behind, level = asked(core, 6, "b", (3, 6)), asked(core, 7, "c", (3, 7))
    assert behind and not behind.granted and level and level.granted


def test_votes_of_an_earlier_term_do_not_count() -> None:
    core = Raft("a", ABC, PLAIN, term=3)
    core.step(ElectionTimeout(), 0.0)
    core.step(Received(Vote("a", "a", 4, True)), 0.0)
    core.step(Received(Vote("b", "a", 3, True)), 0.0)
    assert core.role is Role.CANDIDATE
    core.step(Received(Vote("b", "a", 4, True)), 0.0)
    assert core.role is Role.LEADER


def test_votes_of_strangers_do_not_count() -> None:
    core = Raft("a", configuration("abc", "d"), PLAIN)
    core.step(ElectionTimeout(), 0.0)
    for voter in "adx":
        core.step(Received(Vote(voter, "a", 1, True)), 0.0)
    assert core.role is Role.CANDIDATE


def test_a_candidate_gives_up_once_it_cannot_win() -> None:
    core = Raft("a", ABC, PLAIN)
    core.step(ElectionTimeout(), 0.0)
    core.step(Received(Vote("b", "a", 1, False)), 0.0)
    assert core.role is Role.CANDIDATE
    core.step(Received(Vote("c", "a", 1, False)), 0.0)
    assert core.role is Role.FOLLOWER and core.term == 1


def test_a_candidate_follows_the_winner_of_its_term() -> None:
    core = Raft("a", ABC, PLAIN)
    core.step(ElectionTimeout(), 0.0)
    core.step(Received(AppendEntries("b", "a", 1, 0, 0, (), 0, 1)), 0.0)
    assert (core.role, core.leader, core.vote) == (Role.FOLLOWER, "b", "a")


def test_a_leader_that_hears_of_a_higher_term_follows_and_stops_its_heartbeat() -> None:
    c = Cluster("abc")
    leader = c.elect("a")
    out = c.step("a", Received(Vote("b", "a", 9, False)))
    assert (leader.role, leader.term, leader.leader) == (Role.FOLLOWER, 9, None)
    assert out.heartbeat_timer is False and (out.persist.term, out.persist.vote) == (9, None)


def test_learners_do_not_stand() -> None:
    c = Cluster(configuration("ab", "c"))
    c.step("c", ElectionTimeout())
    c.settle()
    assert c.servers["c"].role is Role.FOLLOWER and c.servers["a"].term == 0


def test_quorums_of_elections_are_those_of_the_configuration() -> None:
    c = Cluster(configuration("abc", election="a*b*c", commit="a+b+c"))
    c.step("a", ElectionTimeout())
    c.settle("a", "b")
    assert c.servers["a"].role is Role.CANDIDATE
    c.settle()
    assert c.servers["a"].role is Role.LEADER


# --- pre-votes ------------------------------------------------------------------------------


def test_a_pre_vote_changes_nothing_at_the_voter() -> None:
    core = Raft("a", ABC, Options(check_quorum=False), term=1, vote="c")
    vote = asked(core, 2, "b", pre=True)
    assert vote and vote.granted and vote.pre and vote.term == 2
    assert (core.term, core.vote, core.role) == (1, "c", Role.FOLLOWER)


def test_who_lost_touch_does_not_depose_the_leader() -> None:
    c = Cluster("abc", Options())
    c.now_s = 1.0
    c.elect("a")
    for _ in range(3):  # cut off, c asks in vain
        c.step("c", ElectionTimeout())
        c.carry_out("c")
        c.take("ab")
    assert (c.servers["c"].role, c.servers["c"].term) == (Role.PRE_CANDIDATE, 1)
    c.step("c", ElectionTimeout())  # back again
    c.settle()
    assert c.servers["a"].role is Role.LEADER and c.servers["a"].term == 1


def test_a_refused_pre_vote_tells_of_a_higher_term() -> None:
    c = Cluster("abc", Options(check_quorum=False))
    c.add("b", ABC, Disk(term=7))
    c.step("a", ElectionTimeout())
    c.settle("a", "b")
    assert (c.servers["a"].role, c.servers["a"].term) == (Role.FOLLOWER, 7)


# --- who heard of a leader -------------------------------------------------------------------


def test_nobody_helps_to_replace_a_leader_that_was_just_heard_of() -> None:
    options = Options(pre_vote=False, election_timeout_s=1.0)
    c = Cluster("abc", options)
    c.now_s = 1.0
    c.elect("a")
    c.now_s = 1.9
    assert asked(c.servers["b"], 5, "c", (1, 1)) is None  # c.now_s is the servers', too, since they stepped
    c.servers["b"].now_s = 2.1
    late = asked(c.servers["b"], 5, "c", (1, 1))
    assert late and late.granted


def test_who_restarts_waits_as_if_it_had_heard_of_a_leader() -> None:
    options = Options(pre_vote=False, election_timeout_s=1.0)
    core = Raft("a", ABC, options, now_s=10.0)
    core.now_s = 10.9
    assert asked(core, 5) is None
    core.now_s = 11.0
    assert asked(core, 5)


def test_a_leader_that_hears_of_no_quorum_steps_down() -> None:
    c = Cluster("abc", Options(pre_vote=False))
    c.now_s = 1.0
    leader = c.elect("a")
    c.step("a", ElectionTimeout())
    assert leader.role is Role.LEADER  # it had been heard while it was elected
    c.step("a", ElectionTimeout())
    assert leader.role is Role.FOLLOWER
