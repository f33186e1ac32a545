"""The tests by which MIT's 6.5840 judges a Raft, parts 3A to 3D, as scenarios of the simulator.

Names are those of the suite.  Time is virtual, faults and choices come from a seed, and beside what each test
asks for, the invariants are looked at after every step, and `Lab.finish` compares logs and states at the end.
"""

from __future__ import annotations

import pytest
from lab import REORDERED, TIMEOUT_S, UNRELIABLE, Lab

from scrutator.impl.raft import Options
from scrutator.impl.raft.mutants import MUTANTS
from scrutator.impl.sim.host import Status
from scrutator.impl.sim.invariants import Violated
from scrutator.impl.sim.network import Quality

SEEDS = (1, 2, 3)
seeded = pytest.mark.parametrize("seed", SEEDS)

# --- 6.5840, 3A: leader election --------------------------------------------------------------


@seeded
def test_3a_initial_election(seed: int) -> None:
    lab = Lab(seed, 3)
    leader = lab.one_leader()
    lab.wait(0.3)
    terms = lab.terms()
    assert len(terms) == 1 and min(terms) >= 1
    lab.wait(2 * TIMEOUT_S)
    assert lab.terms() == terms and lab.one_leader() == leader
    lab.finish()


@seeded
def test_3a_reelection(seed: int) -> None:
    lab = Lab(seed, 3)
    first = lab.one_leader()
    lab.disconnect(first)
    second = lab.one_leader()
    lab.connect(first)  # the old leader disturbs nobody
    lab.wait(TIMEOUT_S)
    assert lab.one_leader() == second
    other = lab.followers()[0]
    lab.disconnect(second, other)
    lab.wait(2 * TIMEOUT_S)
    lab.no_leader()
    lab.connect(other)
    third = lab.one_leader()
    lab.connect(second)
    lab.wait(TIMEOUT_S)
    assert lab.one_leader() == third
    lab.finish()


@seeded
def test_3a_many_elections(seed: int) -> None:
    lab = Lab(seed, 7)
    lab.one_leader()
    for _ in range(10):
        away = lab.random.sample(lab.names, 3)
        lab.disconnect(*away)
        lab.one_leader()  # there are four left
        lab.connect(*away)
    lab.one_leader()
    lab.finish()


# --- 6.5840, 3B: the log ----------------------------------------------------------------------


@seeded
def test_3b_basic_agree(seed: int) -> None:
    lab = Lab(seed, 3)
    lab.one_leader()
    first = lab.agree(3)
    assert [lab.agree(3), lab.agree(3)] == [first + 1, first + 2]
    lab.finish()


@seeded
def test_3b_rpc_bytes(seed: int) -> None:
    """Each command is sent to each peer just once."""
    lab = Lab(seed, 3)
    lab.one_leader()
    lab.agree(3)
    before = lab.network.data_bytes
    indexes = [lab.agree(3, size=5000) for _ in range(10)]
    sent = sum(len(lab.watch.committed[k - 1].data) for k in indexes)
    assert lab.network.data_bytes - before == 2 * sent
    assert set(lab.network.entries.values()) == {1}
    lab.finish()


@seeded
def test_3b_follower_failure(seed: int) -> None:
    lab = Lab(seed, 3)
    lab.agree(3)
    one, other = lab.followers()
    lab.disconnect(one)
    lab.agree(2)
    lab.wait(TIMEOUT_S)
    lab.agree(2)
    leader = lab.one_leader()
    lab.disconnect(other)
    writes = [lab.ask(name) for name in (leader, one, other)]
    lab.wait(2 * TIMEOUT_S)
    assert not any(map(lab.is_committed, writes))
    lab.finish()


@seeded
def test_3b_leader_failure(seed: int) -> None:
    lab = Lab(seed, 3)
    lab.agree(3)
    lab.disconnect(lab.one_leader())
    lab.agree(2)
    lab.wait(TIMEOUT_S)
    lab.agree(2)
    lab.disconnect(lab.one_leader())
    writes = [lab.ask(name) for name in lab.names]
    lab.wait(2 * TIMEOUT_S)
    assert not any(map(lab.is_committed, writes))
    lab.finish()


@seeded
def test_3b_fail_agree(seed: int) -> None:
    lab = Lab(seed, 3)
    lab.agree(3)
    away = lab.followers()[0]
    lab.disconnect(away)
    for _ in range(4):
        lab.agree(2)
        lab.wait(TIMEOUT_S / 4)
    lab.connect(away)
    lab.agree(3)
    lab.wait(TIMEOUT_S)
    lab.agree(3)
    lab.finish()


@seeded
def test_3b_fail_no_agree(seed: int) -> None:
    lab = Lab(seed, 5)
    index = lab.agree(5)
    leader, away = lab.one_leader(), lab.followers()[:3]
    lab.disconnect(*away)
    write = lab.ask(leader)
    lab.wait(2 * TIMEOUT_S)
    assert not lab.is_committed(write)
    lab.connect(*away)
    leader = lab.one_leader()
    assert index + 2 <= lab.agree(5) <= index + 4  # the write may still be in the log, and leaders' own entries are
    lab.finish()


@seeded
def test_3b_concurrent_starts(seed: int) -> None:
    lab = Lab(seed, 3)
    leader = lab.one_leader()
    term = max(lab.terms())
    writes = [lab.ask(leader) for _ in range(5)]
    lab.until(lambda: all(write.index for write in writes), 2, "writes of one moment are not all acknowledged")
    assert max(lab.terms()) == term
    assert len({write.index for write in writes}) == 5
    lab.finish()


@seeded
def test_3b_rejoin(seed: int) -> None:
    lab = Lab(seed, 3)
    lab.agree(3)
    first = lab.one_leader()
    lab.disconnect(first)
    lost = [lab.ask(first) for _ in range(3)]
    lab.agree(2)
    second = lab.one_leader()
    lab.disconnect(second)
    lab.connect(first)
    lab.agree(2)
    lab.connect(second)
    lab.agree(3)
    assert not any(map(lab.is_committed, lost))
    lab.finish()


@seeded
def test_3b_backup(seed: int) -> None:
    """A leader backs up over wrong logs of followers, faster than one entry a message."""
    lab = Lab(seed, 5)
    lab.agree(5)
    first, others = lab.one_leader(), lab.followers()
    lab.disconnect(*others[1:])
    for _ in range(50):
        lab.ask(first)  # which nobody commits
    lab.wait(TIMEOUT_S / 2)
    lab.disconnect(first, others[0])
    lab.connect(*others[1:])
    lab.one_leader()
    for _ in range(50):
        lab.agree(3)
    second = lab.one_leader()
    third = next(name for name in others[1:] if name != second)
    lab.disconnect(third)
    for _ in range(50):
        lab.ask(second)  # nor these
    lab.wait(TIMEOUT_S / 2)
    lab.disconnect(*lab.names)
    lab.connect(first, others[0], third)
    refusals = lab.network.refusals
    for _ in range(50):
        lab.agree(3)
    lab.connect(*lab.names)
    lab.agree(5)
    assert lab.network.refusals - refusals <= 10  # 50 wrong entries each of four servers
    lab.finish()


@seeded
def test_3b_count(seed: int) -> None:
    """Not too many requests: at most 30 to elect, few for each agreement, bounded when idle."""
    lab = Lab(seed, 3)
    lab.one_leader()
    assert lab.network.requests <= 30
    lab.wait(0.1)
    leader, before = lab.one_leader(), lab.network.requests
    writes = [lab.ask(leader) for _ in range(10)]
    lab.until(lambda: all(write.index for write in writes), 2, "writes are not acknowledged")
    assert lab.network.requests - before <= (10 + 1 + 3) * 3
    lab.wait(0.1)
    before = lab.network.requests
    lab.wait(1)
    assert lab.network.requests - before <= 3 * 20
    lab.finish()


# --- 6.5840, 3C: persistence ------------------------------------------------------------------


def restart(lab: Lab, *names: str) -> None:
    lab.crash(*names)
    lab.start(*names)


@seeded
def test_3c_persist_1(seed: int) -> None:
    lab = Lab(seed, 3)
    lab.agree(3)
    restart(lab, *lab.names)
    lab.agree(3)
    leader = lab.one_leader()
    restart(lab, leader)
    lab.agree(3)
    leader = lab.one_leader()
    lab.crash(leader)
    lab.agree(2)
    lab.start(leader)
    lab.agree(3)
    follower = lab.followers()[0]
    lab.crash(follower)
    lab.agree(2)
    lab.start(follower)
    lab.agree(3)
    lab.finish()


@seeded
def test_3c_persist_2(seed: int) -> None:
    lab = Lab(seed, 5)
    for _ in range(5):
        lab.agree(5)
        leader, others = lab.one_leader(), lab.followers()
        lab.disconnect(*others[:2])
        lab.agree(3)
        away = (leader, *others[2:])
        lab.disconnect(*away)
        restart(lab, *others[:2])
        lab.connect(*others[:2])
        lab.wait(TIMEOUT_S)
        restart(lab, others[2])
        lab.connect(others[2])
        lab.agree(3)
        lab.connect(*away)
    lab.agree(5)
    lab.finish()


@seeded
def test_3c_persist_3(seed: int) -> None:
    lab = Lab(seed, 3)
    lab.agree(3)
    leader, others = lab.one_leader(), lab.followers()
    lab.disconnect(others[1])
    lab.agree(2)
    lab.crash(leader, others[0])
    lab.connect(others[1])
    lab.start(leader)
    lab.agree(2)
    lab.start(others[0])
    lab.agree(3)
    lab.finish()


# Leaders follow each other fast, and send one entry a message, so that they often leave in the midst of it.
HASTY = Options(election_timeout_s=0.1, heartbeat_s=0.03, pre_vote=False, check_quorum=False, batch_bytes=1)


def a_while(lab: Lab) -> float:
    """Mostly shorter than a write takes, sometimes longer than an election."""
    return lab.random.uniform(0, 0.25) if lab.random.random() < 0.1 else lab.random.uniform(0, 0.03)


@seeded
def test_3c_figure_8(seed: int) -> None:
    """Leaders crash soon after they have been asked, and others take their place."""
    lab = Lab(seed, 5, options=HASTY)
    lab.agree(1)
    for _ in range(1000):
        leading = lab.leading()
        for host in leading:
            lab.ask(host.id)
        lab.wait(a_while(lab))
        if leading:
            lab.crash(leading[-1].id)
        if sum(host.status is Status.UP for host in lab.hosts.values()) < 3:
            lab.start(lab.random.choice(lab.names))
    lab.finish()
    assert lab.watch.counts["elections won"] > 50


@seeded
def test_3c_unreliable_agree(seed: int) -> None:
    lab = Lab(seed, 5, quality=UNRELIABLE)
    for _ in range(50):
        leader = lab.one_leader()
        for _ in range(4):
            lab.ask(leader)
        lab.agree(1)
    lab.network.quality = Quality()
    lab.agree(5)
    lab.finish()


@seeded
def test_3c_figure_8_unreliable(seed: int) -> None:
    """Leaders are cut off soon after they have been asked, and messages overtake each other."""
    lab = Lab(seed, 5, quality=UNRELIABLE, options=HASTY)
    lab.agree(1)
    for k in range(1000):
        if k == 200:
            lab.network.quality = REORDERED
        leading = lab.leading()
        for host in lab.hosts.values():
            lab.ask(host.id)
        lab.wait(a_while(lab))
        if leading and lab.random.random() < 0.5:
            lab.disconnect(leading[-1].id)
        if len(lab.off) > 2:
            lab.connect(lab.random.choice(sorted(lab.off)))
    lab.finish()
    assert lab.watch.counts["elections won"] > 10


def churn(lab: Lab) -> None:
    """Clients write while servers are cut off, crash and come back."""
    lab.load(every_ms=30, seconds=30)
    for _ in range(40):
        name = lab.random.choice(lab.names)
        if lab.random.random() < 0.2:
            lab.disconnect(name)
        if lab.random.random() < 0.5:
            lab.start(lab.random.choice(lab.names))
            lab.connect(lab.random.choice(lab.names))
        if lab.random.random() < 0.2:
            lab.crash(lab.random.choice(lab.names))
        lab.wait(0.7 * TIMEOUT_S)
    lab.finish()
    assert sum(write.index is not None and write.index > 0 for write in lab.writes) > 5


@seeded
def test_3c_reliable_churn(seed: int) -> None:
    churn(Lab(seed, 5))


@seeded
def test_3c_unreliable_churn(seed: int) -> None:
    churn(Lab(seed, 5, quality=UNRELIABLE))


# --- 6.5840, 3D: snapshots --------------------------------------------------------------------

EVERY = 10  # entries to a snapshot


def snapshots(seed: int, *, disconnect: bool = False, crash: bool = False, quality: Quality | None = None) -> None:
    """A follower, or the leader, is away while others take snapshots, and catches up from them."""
    lab = Lab(seed, 3, quality=quality, snapshot_every=EVERY, options=Options(chunk_bytes=100))
    lab.agree(3)
    for k in range(10):
        leader = lab.one_leader()
        victim, asked = (leader, lab.followers()[0]) if k % 3 == 1 else (lab.followers()[0], leader)
        if disconnect:
            lab.disconnect(victim)
            lab.agree(2)
        if crash:
            lab.crash(victim)
            lab.agree(2)
        asked = lab.one_leader()
        for _ in range(EVERY // 2 + lab.random.randrange(EVERY)):
            lab.ask(asked)
        lab.agree(2)
        if disconnect:
            lab.connect(victim)
        if crash:
            lab.start(victim)
        lab.agree(3)
    assert lab.watch.counts["snapshots taken"] >= 10
    if disconnect or crash:
        assert lab.watch.counts["snapshots installed"] > 0
    lab.finish()


@seeded
def test_3d_snapshot_basic(seed: int) -> None:
    snapshots(seed)


@seeded
def test_3d_snapshot_install(seed: int) -> None:
    snapshots(seed, disconnect=True)


@seeded
def test_3d_snapshot_install_unreliable(seed: int) -> None:
    snapshots(seed, disconnect=True, quality=UNRELIABLE)


@seeded
def test_3d_snapshot_install_crash(seed: int) -> None:
    snapshots(seed, crash=True)


@seeded
def test_3d_snapshot_install_uncrash(seed: int) -> None:
    """InstallSnapshotUnCrash: with an unreliable network, too."""
    snapshots(seed, crash=True, quality=UNRELIABLE)


@seeded
def test_3d_snapshot_all_crash(seed: int) -> None:
    lab = Lab(seed, 3, snapshot_every=EVERY)
    lab.agree(3)
    for _ in range(5):
        leader = lab.one_leader()
        for _ in range(EVERY // 2 + lab.random.randrange(EVERY)):
            lab.ask(leader)
        index = lab.agree(3)
        restart(lab, *lab.names)
        assert lab.agree(3) > index
    lab.finish()


@seeded
def test_3d_snapshot_init(seed: int) -> None:
    """A snapshot survives a second restart, and so does what comes after it."""
    lab = Lab(seed, 3, snapshot_every=EVERY)
    lab.agree(3)
    for _ in range(EVERY + 1):
        lab.agree(3)
    restart(lab, *lab.names)
    lab.agree(3)
    restart(lab, *lab.names)
    lab.agree(3)
    assert all(host.raft is not None and host.raft.log.base >= EVERY for host in lab.hosts.values())
    lab.finish()


# --- the lab itself ---------------------------------------------------------------------------

# Broken cores, and a test of the suites that tells them from the core with one of the seeds.
SHOWN = {
    "commit_alone": test_3b_leader_failure,
    "compare_logs_by_parts": test_3b_rejoin,
    "elect_anybody": test_3c_figure_8,
    "pre_vote_bumps_term": test_3a_initial_election,
    "skip_consistency_check": test_3b_rejoin,
    "truncate_always": test_3c_unreliable_agree,
    "trust_commit_index": test_3c_figure_8_unreliable,
    "vote_twice": test_3c_figure_8,
}


@pytest.mark.parametrize("mutant", SHOWN)
def test_a_broken_core_shows(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lab, "raft", MUTANTS[mutant].raft)
    shown = 0
    for seed in SEEDS:
        try:
            SHOWN[mutant](seed)
        except (Violated, AssertionError):
            shown += 1
    assert shown


def test_a_lab_is_deterministic() -> None:
    def life(seed: int) -> tuple[int, int, list[int | None]]:
        lab = Lab(seed, 5, quality=UNRELIABLE)
        churn(lab)
        return lab.world.now, lab.world.events, [write.index for write in lab.writes]

    assert life(1) == life(1) != life(2)
