"""Snapshots (section 7): taking, sending in pieces, installing."""

from __future__ import annotations

import pytest
from cluster import PLAIN, Cluster

from scrutator.impl.raft import (
    Compact,
    Entry,
    HeartbeatTimeout,
    Kind,
    Options,
    Raft,
    Received,
    Snapshot,
    configuration,
)
from scrutator.impl.raft.messages import Appended, AppendEntries, Installing, InstallSnapshot
from scrutator.impl.raft.state import Sending

ABC = configuration("abc")
SMALL = Options(pre_vote=False, check_quorum=False, chunk_bytes=4)


def behind(options: Options = SMALL, data: bytes = b"state of 5") -> Cluster:
    """Leader a has a snapshot of entries 1 to 5; c has nothing."""
    c = Cluster("abc", options)
    c.elect("a", "a", "b")
    c.propose("a", b"2", b"3", b"4", b"5", b"6")
    c.settle("a", "b")
    c.take("c")
    c.step("a", Compact(5, data))
    c.settle("a", "b")
    return c


def piece(core: Raft, offset: int, data: bytes, *, term: int = 1, index: int = 5, src: str = "b") -> Appended | Installing:
    """The answer to a piece of a snapshot of 8 bytes."""
    message = InstallSnapshot(src, core.id, term, index, 1, ABC, offset, data, 8, 1)
    (answer,) = core.step(Received(message), 0.0).send_durable
    assert isinstance(answer, Appended | Installing)
    return answer


def test_the_log_before_a_snapshot_goes() -> None:
    c = behind()
    log = c.servers["a"].log
    assert (log.base, log.last, log.snapshot) == (5, 6, Snapshot(5, 1, ABC, b"state of 5"))
    assert (c.disks["a"].snapshot, [e.index for e in c.disks["a"].entries]) == (log.snapshot, [6])
    assert c.restart("a").log.last == 6


def test_only_what_is_applied_can_be_compacted() -> None:
    c = behind()
    with pytest.raises(ValueError, match="only entries up to 6 are applied"):
        c.step("a", Compact(7, b""))
    assert not c.step("a", Compact(3, b"")).persist  # that is gone already


def test_who_lacks_the_beginning_is_sent_a_snapshot_in_pieces_then_the_rest() -> None:
    c = behind()
    c.beat("a")
    c.beat("a")
    assert [m.size for out in c.outputs["a"] for m in out.send if isinstance(m, InstallSnapshot)][:1] == [10]
    core = c.servers["c"]
    assert (core.log.base, core.log.last, core.commit) == (5, 6, 6)
    assert [out.restore.data for out in c.outputs["c"] if out.restore] == [b"state of 5"]
    assert c.commands("c") == [b"6"]
    assert c.servers["a"].progress["c"].sending is Sending.PIPELINE


def test_the_configuration_comes_with_the_snapshot() -> None:
    core = Raft("c", configuration("xyz"), PLAIN)
    piece(core, 0, b"8 bytes.")
    assert core.configuration == ABC and core.log.configured_at == 5


def test_a_lost_piece_is_sent_again_with_the_heartbeat() -> None:
    c = behind()
    c.step("a", HeartbeatTimeout())
    c.carry_out("a")
    for _ in range(6):
        c.take("c")  # lost
        c.step("a", HeartbeatTimeout())
        c.settle("a", "b")
    c.settle()
    c.beat("a")
    assert c.servers["c"].commit == 6


def test_pieces_that_come_twice_are_answered_but_do_not_multiply() -> None:
    c = behind()
    c.step("a", HeartbeatTimeout())
    while c.pending["a"] or c.pending["b"] or c.pending["c"] or c.network:
        for name in "abc":
            c.carry_out(name)
        c.network = [m for m in c.network for _ in range(2 if isinstance(m, InstallSnapshot | Installing) else 1)]
        for name in "abc":
            c.deliver(name)
    pieces = [m.offset for out in c.outputs["a"] for m in out.send if isinstance(m, InstallSnapshot)]
    assert pieces == [0, 4, 8]
    assert c.servers["c"].log.base == 5


def test_a_follower_that_restarts_meanwhile_begins_again() -> None:
    core = Raft("a", ABC, PLAIN)
    assert isinstance(piece(core, 0, b"1234"), Installing)
    core = Raft("a", ABC, PLAIN)
    answer = piece(core, 4, b"5678")
    assert isinstance(answer, Installing) and answer.offset == 0


def test_pieces_of_different_leaders_are_not_put_together() -> None:
    """Two servers may write the same state in different bytes."""
    core = Raft("a", ABC, PLAIN)
    piece(core, 0, b"aaaa", term=2)
    answer = piece(core, 4, b"bbbb", term=3, src="c")
    assert isinstance(answer, Installing) and answer.offset == 0
    piece(core, 0, b"bbbb", term=3, src="c")
    piece(core, 4, b"bbbb", term=3, src="c")
    assert core.log.snapshot is not None and core.log.snapshot.data == b"bbbbbbbb"


def test_a_newer_snapshot_begins_again() -> None:
    core = Raft("a", ABC, PLAIN)
    piece(core, 0, b"1234", index=5)
    answer = piece(core, 4, b"5678", index=6)
    assert isinstance(answer, Installing) and (answer.index, answer.offset) == (6, 0)


def test_a_snapshot_behind_the_commit_index_changes_nothing() -> None:
    core = Raft("a", ABC, PLAIN, entries=[Entry(1, k) for k in range(1, 8)])
    core.step(Received(AppendEntries("b", "a", 1, 7, 1, (), 7, 1)), 0.0)
    answer = piece(core, 0, b"8 bytes.", index=5)
    assert isinstance(answer, Appended) and answer.match == 7
    assert (core.log.base, core.log.last, core.commit) == (0, 7, 7)


def test_what_follows_a_snapshot_stays_where_the_log_agrees() -> None:
    core = Raft("a", ABC, PLAIN, entries=[Entry(1, k) for k in range(1, 8)])
    message = InstallSnapshot("b", "a", 1, 5, 1, ABC, 0, b"", 0, 1)
    out = core.step(Received(message), 0.0)
    assert (core.log.base, core.log.last, core.commit) == (5, 7, 5)
    assert not out.persist.reset and out.restore is not None


def test_nothing_stays_where_it_does_not() -> None:
    core = Raft("a", ABC, PLAIN, entries=[Entry(1, k) for k in range(1, 8)])
    message = InstallSnapshot("b", "a", 2, 5, 2, ABC, 0, b"", 0, 1)
    out = core.step(Received(message), 0.0)
    assert (core.log.base, core.log.last, core.log.last_term) == (5, 5, 2)
    assert out.persist.reset


def test_a_configuration_that_a_snapshot_replaces_is_forgotten() -> None:
    stray = Entry(1, 6, Kind.CONFIGURATION, configuration=configuration("ax"))
    core = Raft("a", ABC, PLAIN, entries=[*(Entry(1, k) for k in range(1, 6)), stray])
    core.step(Received(InstallSnapshot("b", "a", 2, 5, 2, ABC, 0, b"", 0, 1)), 0.0)
    assert core.configuration == ABC


def test_a_leader_of_an_earlier_term_cannot_install() -> None:
    core = Raft("a", ABC, PLAIN, term=5)
    answer = piece(core, 0, b"8 bytes.", term=2)
    assert isinstance(answer, Appended) and answer.term == 5 and answer.refused is not None
    assert core.log.base == 0


def test_the_snapshot_under_way_stays_the_same() -> None:
    c = behind()
    c.step("a", HeartbeatTimeout())
    c.carry_out("a")  # the first piece of the snapshot of 5
    c.step("a", Compact(6, b"a state of 6"))
    c.settle()
    assert [out.restore.index for out in c.outputs["c"] if out.restore][:1] == [5]
    c.beat("a")
    c.beat("a")
    assert c.servers["c"].log.last == 6
