"""Reads without the log (section 6.4 of Ongaro's dissertation): by rounds, by lease, through followers."""

from __future__ import annotations

import pytest
from cluster import PLAIN, Cluster

from scrutator.impl.raft import ElectionTimeout, Options, Read, Received, Role, configuration
from scrutator.impl.raft.messages import ReadReply, Vote

LEASES = Options(pre_vote=False, election_timeout_s=1.0, drift=0.1)


def led(options: Options = PLAIN) -> Cluster:
    """A cluster of three that a leads, with one command applied: its commit index is 2."""
    c = Cluster("abc", options)
    c.now_s = 1.0
    c.elect("a")
    c.propose("a", b"x")
    c.settle()
    return c


def reads(c: Cluster, name: str) -> list[tuple[int, int]]:
    return [read for out in c.outputs[name] for read in out.reads]


def refusals(c: Cluster, name: str) -> list[tuple[int, str | None, str]]:
    return [refused for out in c.outputs[name] for refused in out.refused]


def test_a_read_waits_for_a_round_of_a_majority() -> None:
    c = led()
    c.step("a", Read(1))
    assert reads(c, "a") == []
    c.settle("a")
    assert reads(c, "a") == []
    c.settle("a", "b")
    assert reads(c, "a") == [(1, 2)]


def test_a_server_alone_reads_after_a_round_with_itself() -> None:
    c = Cluster("a")
    c.elect("a")
    c.step("a", Read(1))
    c.settle()
    assert reads(c, "a") == [(1, 1)]


def test_answers_to_an_earlier_round_confirm_nothing() -> None:
    c = led()
    c.beat("a", "a", "b")  # c has yet to answer that round
    c.step("a", Read(1))
    c.carry_out("a")
    newest = [m for m in c.network if m.dst == "c"][-1]
    c.network.remove(newest)
    c.settle("a", "c")
    assert reads(c, "a") == []
    c.network.append(newest)
    c.settle("a", "c")
    assert reads(c, "a") == [(1, 2)]


def test_reads_that_come_during_a_round_share_the_next() -> None:
    c = led()
    rounds = c.servers["a"].round
    for number in range(5):
        c.step("a", Read(number))
    assert c.servers["a"].round == rounds + 1
    c.settle()
    assert reads(c, "a") == [(number, 2) for number in range(5)]
    assert c.servers["a"].round == rounds + 2


def test_a_refusal_confirms_the_leader_too() -> None:
    c = led()
    c.servers["b"].log.entries.clear()  # whatever the log, b knows who leads
    c.step("a", Read(1))
    c.settle("a", "b")
    assert reads(c, "a") == [(1, 2)]


def test_learners_confirm_nothing() -> None:
    c = Cluster(configuration("abc", "d"))
    c.elect("a")
    c.step("a", Read(1))
    c.settle("a", "d")
    assert reads(c, "a") == []


def test_a_new_leader_answers_once_it_has_committed_in_its_term() -> None:
    c = led()
    c.take("abc")
    c.step("b", ElectionTimeout())
    c.settle("b", "c")
    assert c.servers["b"].role is Role.LEADER
    fresh = Cluster("abc")
    fresh.step("a", ElectionTimeout())
    fresh.carry_out("a")
    fresh.step("a", Received(Vote("b", "a", 1, True)))
    fresh.step("a", Read(7))
    assert fresh.servers["a"].role is Role.LEADER and fresh.servers["a"].waiting_reads == []
    fresh.settle()
    assert reads(fresh, "a") == [(7, 1)]


def test_a_deposed_leader_refuses_what_still_waits() -> None:
    c = led()
    c.step("a", Read(1))
    c.step("a", Read(2))
    c.step("b", Read(3))
    c.carry_out("b")
    c.deliver("a")
    c.step("a", Received(Vote("b", "a", 9, False)))
    assert [(number, why) for number, _, why in refusals(c, "a")] == [(1, "no longer the leader"), (2, "no longer the leader")]
    c.settle()
    assert [number for number, _, _ in refusals(c, "b")] == [3]
    assert reads(c, "a") == reads(c, "b") == []


# --- followers ------------------------------------------------------------------------------


def test_a_follower_asks_its_leader_for_an_index() -> None:
    c = led()
    c.step("b", Read(1))
    c.settle()
    assert reads(c, "b") == [(1, 2)] and reads(c, "a") == []


def test_a_follower_without_a_leader_refuses() -> None:
    c = Cluster("abc")
    assert c.step("b", Read(1)).refused == [(1, None, "no leader is known")]


def test_who_is_asked_but_does_not_lead_says_so() -> None:
    c = led()
    c.step("b", Read(1))
    c.carry_out("b")
    c.servers["a"].follow(2, "c")
    c.deliver("a")
    c.carry_out("a")
    c.deliver("b")
    assert refusals(c, "b")[0][2] == "the server that was asked does not lead"


# --- leases ---------------------------------------------------------------------------------


def test_a_lease_answers_at_once_until_it_ends() -> None:
    c = led(LEASES)
    c.now_s = 2.0
    c.beat("a")
    c.now_s = 2.0 + LEASES.lease_s - 0.01
    assert c.step("a", Read(1, lease=True)).reads == [(1, 2)]
    c.now_s = 2.0 + LEASES.lease_s + 0.01
    assert c.step("a", Read(2, lease=True)).reads == []
    c.settle()
    assert reads(c, "a") == [(1, 2), (2, 2)]  # by a round, instead


def test_a_lease_begins_when_the_round_was_sent() -> None:
    c = led(LEASES)
    c.now_s = 2.0
    c.beat("a", "a")
    c.now_s = 2.5  # when the answers come
    c.settle()
    assert c.servers["a"].confirmed_s == 2.0


def test_no_leader_can_be_elected_during_a_lease_however_clocks_run() -> None:
    """The slowest leader's lease ends before the fastest voter's patience."""
    for drift in (0.0, 0.05, 0.3):
        options = Options(election_timeout_s=1.0, drift=drift)
        lease_in_real_time = options.lease_s / (1 - drift)
        assert lease_in_real_time <= options.election_timeout_s / (1 + drift) + 1e-12


def test_there_is_no_lease_without_check_quorum() -> None:
    c = led(PLAIN)
    c.beat("a")
    assert not c.servers["a"].has_lease()


@pytest.mark.parametrize("index", [None, 4])
def test_a_reply_is_handed_to_the_client(index: int | None) -> None:
    c = led()
    out = c.step("b", Received(ReadReply("a", "b", 1, 9, index)))
    assert out.reads == ([] if index is None else [(9, index)])
    assert bool(out.refused) == (index is None)
