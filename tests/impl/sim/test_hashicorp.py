"""The fuzzy tests by which hashicorp judges its Raft, as scenarios of the simulator.

Names are those of the list.  Time is virtual, faults and choices come from a seed, the invariants are looked at after
every step, and `Lab.finish` compares logs and states at the end.
"""

from __future__ import annotations

import pytest
from lab import TIMEOUT_S, Lab

SEEDS = (1, 2, 3)
EVERY = 10  # entries to a snapshot
seeded = pytest.mark.parametrize("seed", SEEDS)


@seeded
def test_fuzzy_leader_partitions(seed: int) -> None:
    """The leader is cut off with too few others, again and again, under load."""
    lab = Lab(seed, 5)
    lab.load(every_ms=20, seconds=15)
    for _ in range(10):
        leader = lab.one_leader()
        with_it = lab.random.sample(lab.followers(), lab.random.randrange(2))
        rest = [name for name in lab.names if name not in (leader, *with_it)]
        links = [(a, b) for x in (leader, *with_it) for y in rest for a, b in ((x, y), (y, x))]
        lab.network.cut(links)
        lab.wait(lab.random.uniform(0.5, 2.5))
        lab.network.mend(links)
        lab.wait(0.1)
    lab.finish()


@seeded
def test_fuzzy_slow_send_vote(seed: int) -> None:
    slow_votes(seed, sends=True)


@seeded
def test_fuzzy_slow_recv_vote(seed: int) -> None:
    slow_votes(seed, sends=False)


def slow_votes(seed: int, *, sends: bool) -> None:
    """One server's requests for votes and votes are late, or those to it; leaders come and go."""
    lab = Lab(seed, 5)
    lab.load(every_ms=20, seconds=12)
    slow = lab.names[0]
    lab.network.slow_from, lab.network.slow_to = (slow, None) if sends else (None, slow)
    for _ in range(6):
        leader = lab.one_leader()
        lab.disconnect(leader)
        lab.wait(2 * TIMEOUT_S)
        lab.connect(leader)
    lab.finish()


@seeded
def test_fuzzy_add_remove_nodes(seed: int) -> None:
    """Three servers become five, and three again, under load."""
    lab = Lab(seed, 3, spares=2, snapshot_every=EVERY)
    lab.load(every_ms=20, seconds=10)
    three, five = lab.names[:3], lab.names
    for single in (True, False):
        lab.wait(1)
        if single:
            lab.change(lab.names[:4], single=True)
            lab.change(five, single=True)
        else:
            lab.change(five)
        assert lab.agree(5)
        lab.wait(1)
        if single:
            lab.change(lab.names[:4], single=True)
            lab.change(three, single=True)
        else:
            lab.change(three)
        assert lab.agree(3)
    lab.finish()


@seeded
def test_fuzzy_remove_leader(seed: int) -> None:
    lab = Lab(seed, 5)
    lab.load(every_ms=20, seconds=6)
    leader = lab.one_leader()
    lab.wait(1)
    rest = [name for name in lab.names if name != leader]
    lab.change(rest, single=True)
    assert lab.one_leader() != leader
    lab.wait(3 * TIMEOUT_S)
    assert lab.leading()[-1].id in rest
    lab.finish()


@seeded
def test_fuzzy_remove_partitioned_node(seed: int) -> None:
    """A server is removed while it is cut off; back again, it disturbs nobody."""
    lab = Lab(seed, 5)
    lab.load(every_ms=20, seconds=6)
    away = lab.followers()[0]
    lab.disconnect(away)
    lab.wait(1)
    rest = [name for name in lab.names if name != away]
    lab.change(rest)
    leader, terms = lab.one_leader(), {lab.hosts[name].raft.term for name in rest}  # type: ignore[union-attr]
    lab.connect(away)
    lab.wait(5 * TIMEOUT_S)
    assert lab.one_leader() == leader
    assert {lab.hosts[name].raft.term for name in rest} == terms  # type: ignore[union-attr]
    lab.finish()


@seeded
def test_fuzzy_leadership_transfer(seed: int) -> None:
    """Leadership is handed over ten times under load; hardly a write is refused for longer."""
    lab = Lab(seed, 5)
    lab.load(every_ms=10, seconds=10)
    lab.one_leader()
    elections = 0
    for _ in range(10):
        leader = lab.one_leader()
        to = lab.random.choice(lab.followers())
        lab.transfer(to)
        lab.wait(0.3)
        elections += lab.one_leader() == to != leader
    assert elections >= 9
    lab.finish()
