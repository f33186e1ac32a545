"""Any order of events, losses and crashes: what is durable is what the core holds, and nothing committed is lost.

Hypothesis draws the events and shortens what fails.  The simulator does far more; this is the core alone.
"""

from __future__ import annotations

import pytest
from cluster import PLAIN, Cluster
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from scrutator.impl.raft import (
    Change,
    Compact,
    Configuration,
    ElectionTimeout,
    Event,
    HeartbeatTimeout,
    Members,
    Options,
    Propose,
    Raft,
    Read,
    Received,
    Role,
    Transfer,
    configuration,
)
from scrutator.impl.raft.mutants import MUTANTS

NAMES = "abcd"
TARGETS = [
    configuration(voters, learners)
    for voters, learners in [("abc", ""), ("abcd", ""), ("ab", ""), ("bcd", "a"), ("d", "ab")]
]
SMALL = Options(pre_vote=False, check_quorum=False, inflight=2, batch_bytes=100, chunk_bytes=3)
SETTLE, DELIVER, LOSE, TWICE, RESTART, LEADER = "settle", "deliver", "lose", "twice", "restart", "leader"

# Where a server is drawn, LEADER stands for one that leads: most moves mean nothing to others.
ONE = (*NAMES, LEADER, LEADER, LEADER)
ONES = ("timeout", "timeout", "beat", "beat", "propose", "propose", "propose", "read", "compact", "carry out", RESTART)
SOME = ("abc", "abd", "acd", "bcd", "ab", "ac", "bc", "cd", NAMES, NAMES)

moves = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(ONES), st.sampled_from(ONE)),
        st.tuples(st.sampled_from(ONES), st.sampled_from(ONE)),
        st.tuples(st.just(SETTLE), st.sampled_from(SOME)),
        st.tuples(st.just(SETTLE), st.sampled_from(SOME)),
        st.tuples(st.sampled_from([DELIVER, LOSE, TWICE]), st.integers(0, 7)),
        st.tuples(st.sampled_from(["change", "single", "transfer"]), st.integers(0, 4)),
    ),
    min_size=30,
    max_size=80,
)


class Walk:
    """A cluster that is driven by moves, and what was seen so far."""

    def __init__(self, options: Options = SMALL, raft: type[Raft] = Raft) -> None:
        self.cluster = Cluster("abc", options, raft)
        self.cluster.add("d", Configuration(Members(())))
        self.leaders: dict[int, str] = {}
        self.committed: list[tuple[int, bytes]] = []
        self.asked: list[int] = []  # for each read, how much was committed when it was asked for
        self.seen = dict.fromkeys(NAMES, 0)  # how many outputs of each server were looked at
        self.next = dict.fromkeys(NAMES, 1)  # the position that each is to apply next
        self.cluster.elect("a")
        self.look()

    def move(self, what: str, argument: str | int) -> None:
        c = self.cluster
        if argument == LEADER:
            argument = self.leader()
        if isinstance(argument, int):
            self.of_number(what, argument)
        elif what == SETTLE:
            c.settle(*argument)
        elif what == "carry out":
            c.carry_out(argument)
        elif what == RESTART:
            self.look()
            core = c.add(argument, Configuration(Members(())) if argument == "d" else c.first, c.disks[argument])
            self.seen[argument], self.next[argument] = 0, core.log.base + 1
        else:
            c.step(argument, self.event(what, c.servers[argument]))
        self.look()

    def leader(self) -> str:
        """Who leads, in the newest term if several do; the first server if nobody does."""
        servers = self.cluster.servers.values()
        leaders = [core for core in servers if core.role is Role.LEADER]
        return max(leaders, key=lambda core: core.term).id if leaders else NAMES[0]

    def event(self, what: str, core: Raft) -> Event:
        if what == "read":
            self.asked.append(len(self.committed))
        return {
            "timeout": ElectionTimeout(),
            "beat": HeartbeatTimeout(),
            "propose": Propose(0, b"%d.%d" % (core.term, core.log.last)),
            "read": Read(len(self.asked) - 1),
            "compact": Compact(core.applied, b"state of %d" % core.applied),
        }[what]

    def of_number(self, what: str, number: int) -> None:
        c = self.cluster
        if what in (DELIVER, LOSE, TWICE):
            if c.network:
                at = number % len(c.network)
                message = c.network[at] if what == TWICE else c.network.pop(at)
                if what != LOSE:
                    c.step(message.dst, Received(message))
            return
        event = Transfer(NAMES[number % 4]) if what == "transfer" else Change(0, TARGETS[number], what == "single")
        c.step(self.leader(), event)

    def look(self) -> None:
        """The invariants."""
        for name, core in self.cluster.servers.items():
            for out in self.cluster.outputs[name][self.seen[name] :]:
                if out.restore is not None:
                    assert out.restore.data == b"state of %d" % out.restore.index
                    self.next[name] = out.restore.index + 1
                for entry in out.apply:
                    assert entry.index == self.next[name]
                    self.next[name] += 1
                    self.agree(entry.index, (entry.term, entry.data))
                for number, index in out.reads:
                    assert index >= self.asked[number], "a read of the past"
            self.seen[name] = len(self.cluster.outputs[name])
            if core.role is Role.LEADER:
                assert self.leaders.setdefault(core.term, name) == name, "two leaders of a term"
            if not self.cluster.pending[name]:
                disk = self.cluster.disks[name]
                assert (disk.term, disk.vote) == (core.term, core.vote)
                assert (disk.entries, disk.snapshot) == (core.log.entries, core.log.snapshot)

    def agree(self, index: int, what: tuple[int, bytes]) -> None:
        if index > len(self.committed):
            assert index == len(self.committed) + 1
            self.committed.append(what)
        assert self.committed[index - 1] == what, "two entries at one place"


def walked(steps: list[tuple[str, str | int]], options: Options = SMALL, raft: type[Raft] = Raft) -> Walk:
    walk = Walk(options, raft)
    for what, argument in steps:
        walk.move(what, argument)
    return walk


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(moves)
def test_nothing_committed_is_lost(steps: list[tuple[str, str | int]]) -> None:
    walked(steps)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(moves)
def test_all_is_well_in_the_end(steps: list[tuple[str, str | int]]) -> None:
    """Whatever happened: once nothing more is lost, somebody who may stand wins, and what it commits reaches all."""
    walk = walked(steps, PLAIN)
    c = walk.cluster
    leader = recovered(c)
    c.step(leader.id, ElectionTimeout())  # who was to succeed it has had its time
    c.propose(leader.id, b"the last")
    c.settle()
    walk.look()
    assert b"the last" in [data for _, data in walk.committed]
    leader = recovered(c)  # another one, if that also committed its removal
    assert all(c.servers[name].commit == leader.log.last for name in leader.configuration.servers)


def recovered(c: Cluster) -> Raft:
    """The leader that there is, or that is elected now, once everybody has heard of it."""
    for name in NAMES * 4:
        c.settle()
        leaders = [core for core in c.servers.values() if core.role is Role.LEADER]
        c.step(leaders[0].id if leaders else name, HeartbeatTimeout() if leaders else ElectionTimeout())
    c.settle()
    (leader,) = [core for core in c.servers.values() if core.role is Role.LEADER]
    return leader


@pytest.mark.parametrize("mutant", ["commit_alone", "elect_anybody", "vote_in_memory"])
def test_a_broken_core_is_found(mutant: str) -> None:
    @settings(max_examples=1000, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
    @given(moves)
    def search(steps: list[tuple[str, str | int]]) -> None:
        walked(steps, raft=MUTANTS[mutant].raft)

    with pytest.raises(AssertionError):
        search()
