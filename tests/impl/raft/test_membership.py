"""Membership (section 6): single steps, joint consensus, learners, removal, and handing over."""

from __future__ import annotations

import pytest
from cluster import PLAIN, Cluster

from scrutator.impl.raft import (
    Change,
    Configuration,
    ElectionTimeout,
    Leave,
    Members,
    Options,
    Output,
    Propose,
    Read,
    Received,
    Role,
    Transfer,
    configuration,
)
from scrutator.impl.raft.messages import TimeoutNow

NOBODY = Configuration(Members(()))


def led(servers: str = "abc", spare: str = "", options: Options = PLAIN) -> Cluster:
    """A cluster that a leads; the spare servers know nothing."""
    c = Cluster(servers, options)
    c.now_s = 10.0  # long after they started
    for name in spare:
        c.add(name, NOBODY)
    c.elect("a")
    return c


def refusal(out: Output) -> str:
    return out.refused[0][2]


# --- changes --------------------------------------------------------------------------------


def test_one_voter_comes_in_a_single_step() -> None:
    c = led(spare="d")
    c.step("a", Change(1, configuration("abcd"), single=True))
    c.settle()  # no heartbeat is needed
    assert c.servers["a"].commit == 2 and c.servers["a"].log.last == 2
    c.beat("a")
    assert all(c.servers[name].configuration == configuration("abcd") for name in "abcd")


def test_many_come_and_go_by_joint_consensus() -> None:
    c = led(spare="de")
    c.step("a", Change(1, configuration("ade")))
    assert c.servers["a"].configuration.joint
    c.settle()
    c.beat("a")
    assert all(c.servers[name].configuration == configuration("ade") for name in "abcde")
    assert set(c.servers["a"].progress) == {"d", "e"}


def test_a_joint_configuration_needs_a_majority_of_both() -> None:
    c = led(spare="de")
    c.step("a", Change(1, configuration("ade")))
    c.settle("a", "b", "c")
    assert c.servers["a"].commit == 1  # d and e are silent
    c.settle("a", "d")
    assert c.servers["a"].configuration == configuration("ade")


def test_a_joint_configuration_may_wait_to_be_left() -> None:
    c = led(spare="d")
    c.step("a", Change(1, configuration("bcd"), auto_leave=False))
    assert refusal(c.step("a", Leave(2))) == "the joint configuration is not yet committed"
    c.settle()
    c.beat("a")
    assert all(s.configuration.joint for s in c.servers.values())
    assert refusal(c.step("a", Change(3, configuration("abc")))) == "another change is under way"
    c.step("a", Transfer("d"))
    c.settle()
    assert c.servers["d"].role is Role.LEADER
    c.step("d", Leave(4))
    c.settle()
    c.beat("d")
    assert all(s.configuration == configuration("bcd") for s in c.servers.values())
    assert refusal(c.step("d", Leave(5))) == "the configuration is not joint"
    assert refusal(c.step("b", Leave(6))) == "not the leader"


def test_a_new_leader_completes_a_change() -> None:
    c = led(spare="d")
    c.step("a", Change(1, configuration("bcd")))
    c.carry_out("a")
    c.deliver("b")
    c.deliver("d")
    c.settle("b", "d")
    c.take("abcd")
    c.elect("b", "b", "c", "d")
    c.settle()
    c.beat("b")
    assert all(c.servers[name].configuration == configuration("bcd") for name in "bcd")


def test_a_configuration_goes_with_its_entry() -> None:
    c = led()
    c.step("a", Change(1, configuration("ab"), single=True))
    assert c.servers["a"].configuration == configuration("ab")
    c.pending["a"].clear()
    c.elect("b", "b", "c")
    c.propose("b", b"x")
    c.settle()
    assert c.servers["a"].configuration == configuration("abc")


def test_no_change_before_an_entry_of_the_term_is_committed() -> None:
    """The bug of single-server changes: Ongaro, 2015."""
    c = Cluster("abc")
    c.elect("a", "a", "b")
    c.settle()
    c.step("b", ElectionTimeout())
    while c.servers["b"].role is not Role.LEADER:
        c.carry_out("b")
        c.settle("a", "c")
        c.deliver("b")
    change = Change(1, configuration("ab"), single=True)
    assert refusal(c.step("b", change)) == "the leader has not yet committed an entry of its own term"
    c.settle()
    assert c.step("b", change).proposed


def test_one_change_at_a_time() -> None:
    c = led()
    c.step("a", Change(1, configuration("ab"), single=True))
    assert refusal(c.step("a", Change(2, configuration("abc"), single=True))) == "another change is under way"


@pytest.mark.parametrize(
    ("target", "single", "why"),
    [
        (configuration("a"), True, "a single step changes one voter at most"),
        (configuration("abd", election="a*b*d"), False, None),
        (configuration("abc", election="a*b*c"), True, "leaves the quorums majorities"),
        (NOBODY, False, "at least one voter"),
        (Configuration(Members(("a", "b")), ("b",)), False, "b cannot be voter and learner at once"),
        (Configuration(Members(("a", "b"), election="a*c")), False, "c"),
    ],
)
def test_what_cannot_be_is_refused(target: Configuration, single: bool, why: str | None) -> None:
    c = led()
    out = c.step("a", Change(1, target, single))
    assert bool(out.proposed) == (why is None)
    if why is not None:
        assert why in refusal(out) and c.servers["a"].log.last == 1


def test_followers_do_not_change_anything() -> None:
    c = led()
    assert c.step("b", Change(1, configuration("ab"), single=True)).refused == [(1, "a", "not the leader")]


def test_a_learner_is_sent_the_log_and_promoted() -> None:
    c = led(spare="d")
    c.step("a", Change(1, c.servers["a"].configuration.with_learner("d"), single=True))
    c.propose("a", b"x")
    c.settle("a", "d")
    assert c.servers["a"].commit == 1 and c.servers["a"].progress["d"].match == 3  # it does not count
    c.settle()
    c.beat("a")
    assert c.commands("d") == [b"x"] and not c.servers["d"].is_voter
    c.step("a", Change(2, c.servers["a"].configuration.with_voter("d"), single=True))
    c.settle()
    c.beat("a")
    assert c.servers["d"].is_voter


def test_who_does_not_know_that_it_is_a_voter_votes_all_the_same() -> None:
    c = Cluster(configuration("ab", "c"))
    c.elect("a")
    c.step("a", Change(1, configuration("abc"), single=True))
    c.settle("a", "b")
    c.take("c")
    c.elect("b", "b", "c")
    assert c.servers["c"].configuration == configuration("abc")


# --- removal --------------------------------------------------------------------------------


def test_who_is_removed_is_told_and_stands_no_more() -> None:
    c = led()
    c.step("a", Change(1, configuration("ab"), single=True))
    c.settle()
    core = c.servers["c"]
    assert core.configuration == configuration("ab") and core.commit == 2
    c.step("c", ElectionTimeout())
    assert core.role is Role.FOLLOWER and core.term == 1
    c.propose("a", b"x")
    c.settle()
    assert core.log.last == 2  # it is sent no more


def test_who_is_removed_is_told_by_the_next_leader_too() -> None:
    c = led("abcd")
    c.step("a", Change(1, configuration("abc"), single=True))
    c.carry_out("a")
    c.settle("b", "d")
    c.take("a")
    c.elect("b", "b", "c")
    c.settle()
    assert c.servers["d"].configuration == configuration("abc")
    assert c.servers["d"].commit == c.servers["d"].log.last


def test_a_leader_that_is_removed_leads_until_that_is_committed() -> None:
    c = led()
    c.step("a", Change(1, configuration("bc"), single=True))
    assert c.servers["a"].role is Role.LEADER
    c.settle("a", "b")
    assert c.servers["a"].commit == 1  # it does not count itself
    c.settle()
    assert (c.servers["a"].role, c.servers["a"].commit) == (Role.FOLLOWER, 2)
    c.elect("b")
    c.step("a", ElectionTimeout())
    assert c.servers["a"].role is Role.FOLLOWER


def test_a_removal_that_is_not_committed_leaves_the_right_to_stand() -> None:
    """Of two servers, the one that appended its own removal may have the longer log."""
    c = led("ab")
    c.step("a", Change(1, configuration("b"), single=True))
    c.carry_out("a")
    c.take("b")
    c.restart("a")
    c.step("b", ElectionTimeout())
    c.settle()
    assert c.servers["b"].role is not Role.LEADER
    c.step("a", ElectionTimeout())
    c.settle()  # it wins, completes its removal, and steps down
    assert (c.servers["a"].commit, c.servers["a"].role) == (3, Role.FOLLOWER)
    c.elect("b")
    assert c.servers["b"].configuration == configuration("b")


# --- handing over ---------------------------------------------------------------------------


def test_leadership_is_handed_over() -> None:
    c = led(options=Options())
    c.step("a", Transfer("b"))
    c.settle()
    assert (c.servers["b"].role, c.servers["b"].term, c.servers["a"].leader) == (Role.LEADER, 2, "b")


def test_the_successor_is_brought_up_to_date_first() -> None:
    c = led()
    c.propose("a", b"x")
    c.settle("a", "c")
    out = c.step("a", Transfer("b"))
    assert not [m for m in out.send if isinstance(m, TimeoutNow)]
    c.settle()
    assert c.servers["b"].role is Role.LEADER and c.log("b")[1] == (1, b"x")


def test_who_hands_over_takes_no_requests_until_it_gives_up() -> None:
    c = led()
    c.step("a", Transfer("b"))
    assert c.step("a", Propose(1, b"x")).refused == [(1, "b", "leadership is being handed over")]
    assert refusal(c.step("a", Change(2, configuration("ab"), single=True))) == "leadership is being handed over"
    c.take("b")
    c.step("a", ElectionTimeout())
    assert c.step("a", Propose(3, b"x")).proposed


@pytest.mark.parametrize("to", ["a", "d", "x"])
def test_it_is_handed_to_other_voters_only(to: str) -> None:
    c = Cluster(configuration("abc", "d"))
    c.elect("a")
    assert not c.step("a", Transfer(to)).send and c.servers["a"].transfer is None


def test_a_lease_ends_where_leadership_is_handed_over() -> None:
    c = led(options=Options(pre_vote=False))
    c.beat("a")
    assert c.step("a", Read(1, lease=True)).reads
    c.step("a", Transfer("b"))
    assert not c.step("a", Read(2, lease=True)).reads


def test_a_call_to_stand_of_an_earlier_term_is_ignored() -> None:
    c = led()
    c.elect("b")
    c.step("c", Received(TimeoutNow("a", "c", 1)))
    assert c.servers["c"].role is Role.FOLLOWER and c.servers["c"].term == 2


def test_a_single_step_counts_the_new_voters_alone() -> None:
    c = led()
    c.beat("a")
    target = configuration("abc").entering(configuration("a").members)  # its old voters hide that two of them go
    assert "one voter at most" in refusal(c.step("a", Change(1, target, single=True)))
