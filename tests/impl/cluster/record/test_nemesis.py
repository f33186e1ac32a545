"""Schedules and faults: drawn from the seed, each one ended, whatever happens in between."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from random import Random

import msgspec
import pytest
from fakes import Memory

from scrutator.impl.cluster.record.nemesis import Nemesis, Struck, cut_of
from scrutator.impl.cluster.record.schedule import AIMS, KINDS, Fault, schedule

NODES = ["n1", "n2", "n3", "n4", "n5"]


@pytest.mark.parametrize("seed", range(20))
def test_a_schedule_is_the_seeds(seed):
    faults = schedule(seed, KINDS, 60)
    assert faults == schedule(seed, KINDS, 60) != schedule(seed + 1, KINDS, 60)
    assert {fault.kind for fault in faults} == set(KINDS)
    assert all(0 < fault.begin_s < fault.end_s <= 60 for fault in faults)
    assert any(a.end_s > b.begin_s for a, b in pairwise(faults)) or len(faults) < 12
    for kind in KINDS:
        own = [fault for fault in faults if fault.kind == kind]
        assert all(a.end_s < b.begin_s for a, b in pairwise(own))


def test_every_aim_is_taken():
    for kind in KINDS:
        assert {fault.aim for fault in schedule(3, [kind], 120)} == set(AIMS[kind])


@pytest.mark.parametrize("aim", AIMS["partition"])
def test_cuts(aim):
    for draw in range(50):
        nodes, what, cut = cut_of(aim, NODES, "n2", Random(draw))
        assert nodes and what and cut
        if aim == "one way":
            assert nodes == ["n2"] and len(cut) == 4 and not {(b, a) for a, b in cut} & cut
        else:
            assert {(b, a) for a, b in cut} == cut
        if aim == "leader alone":
            assert len(cut) == 8 and all("n2" in pair for pair in cut)
        if aim == "bridge":
            assert len([n for n in NODES if not any(n in pair for pair in cut)]) == 1


def test_a_cut_of_a_single_node_is_none():
    assert cut_of("halves", ["a"], "a", Random(0))[2] == frozenset()


def carried_out(faults, memory, stop_after_s=None):
    """The lines that were written, and the nemesis."""
    lines = []

    async def run():
        memory.nodes = list(NODES)
        nemesis, stop = Nemesis(memory, time.monotonic_ns, lines.append), asyncio.Event()
        if stop_after_s is not None:
            asyncio.get_running_loop().call_later(stop_after_s, stop.set)
        await nemesis.run(faults, time.monotonic_ns(), stop)
        return nemesis

    nemesis = asyncio.run(run())
    return [msgspec.json.decode(line, type=Struck) for line in lines], nemesis


def is_well(memory):
    return not memory.down and not memory.paused and not memory.cut


def test_every_fault_begins_and_ends():
    memory = Memory()
    faults = [Fault(f.kind, f.aim, f.begin_s / 60, f.end_s / 60, f.draw) for f in schedule(5, KINDS, 60)]
    struck, nemesis = carried_out(faults, memory)
    assert is_well(memory) and nemesis.errors == [] and nemesis.counts.total() >= len(faults) - 2
    ended = {one.number for one in struck if one.end is not None}
    assert ended == {one.number for one in struck} and len(struck) == 2 * len(ended)
    assert all(one.end is None or one.begin < one.end for one in struck)
    assert {one.kind for one in struck} == set(KINDS)


def test_a_power_cut_takes_the_paused_along():
    memory = Memory()
    struck, nemesis = carried_out([Fault("pause", "one", 0, 0.2, 1), Fault("kill", "all", 0.05, 0.1, 2)], memory)
    assert is_well(memory) and nemesis.errors == []
    assert "resume" not in " ".join(memory.done)  # it was killed while it was paused
    assert next(one for one in struck if one.kind == "kill").nodes == NODES


def test_told_to_stop_it_ends_what_goes_on():
    memory = Memory()
    began = time.monotonic()
    struck, _ = carried_out([Fault("kill", "leader", 0, 600, 1), Fault("partition", "halves", 0, 600, 2), Fault("clock", "one", 300, 600, 3)], memory, 0.1)
    assert is_well(memory) and time.monotonic() - began < 60
    assert {one.kind for one in struck} == {"kill", "partition"}


def test_a_fault_that_goes_wrong_is_told():
    class Broken(Memory):
        async def kill(self, node):
            raise OSError("no such process")

    memory = Broken()
    struck, nemesis = carried_out([Fault("kill", "leader", 0, 0.05, 1)], memory)
    assert struck[-1].error == "OSError: no such process" and struck[-1].end is not None
    assert any("no such process" in error for error in nemesis.errors)


def test_who_leads_is_said_only_where_it_is_known():
    class Silent(Memory):
        async def leader(self):
            return None

    for memory, said in ((Memory(), "pause the leader"), (Silent(), "pause")):
        struck, _ = carried_out([Fault("pause", "leader", 0, 0.05, 1)], memory)
        assert struck[-1].what == said and len(struck[-1].nodes) == 1


def test_nodes_are_named_once():
    assert Struck(0, "partition", ["n1"], "n1 | n2 n3", 0).words() == "n1 | n2 n3"
    assert Struck(0, "pause", ["n1", "n2"], "pause", 0).words() == "pause n1 n2"
