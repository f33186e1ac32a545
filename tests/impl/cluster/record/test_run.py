"""Whole recordings of systems in memory: what they leave behind, and what the checker makes of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal

import msgspec
import pytest
from fakes import Connection, Memory

from scrutator.checker.linear import History, check_linearizable
from scrutator.impl.cluster.record import run as run_module
from scrutator.impl.cluster.record.find import find, names
from scrutator.impl.cluster.record.nemesis import Struck
from scrutator.impl.cluster.record.run import Plan, Run, check, record
from scrutator.impl.cluster.target import TargetError


def plan_of(workload="kv", faults=(), **more):
    settings = {"target": "memory", "options": {}, "nodes": 5, "clients": 6, "seconds": 0.4, "seed": 1, "rate": 900.0, "limit_s": 0.5, **more}
    return Plan(workload=workload, faults=list(faults), **settings)


def recorded(plan, target, folder):
    said = []
    folder.mkdir(exist_ok=True)
    run = asyncio.run(record(plan, target, folder, said.append))
    assert not target.running and said[0].startswith("starting 5 nodes") and said[-1] == "stopping the nodes"
    history = History.read(folder / "history.jsonl")
    assert len(history) == run.counts.operations and history.pending == run.counts.unknown
    return run, check_linearizable(history, run.object, explain=False)


@pytest.mark.parametrize(
    ("workload", "has"),
    [("kv", "all"), ("register", "all"), ("set", "all"), ("queue", "all"), ("counter", "all"), ("set", "fewer"), ("queue", "fewer"), ("counter", "fewer")],
)
def test_a_good_system_holds(workload, has, tmp_path):
    run, found = recorded(plan_of(workload, ["kill", "partition"]), Memory(has=has), tmp_path)
    assert found.verdict.name == "HOLDS"
    assert run.counts.operations > 60 and sum(run.counts.by_method.values()) == run.counts.operations - run.counts.unknown
    assert sum(run.counts.faults.values()) >= 1 and run.fault_errors == [] and not run.interrupted
    assert run.counts.keys_not_read_at_the_end == 0
    if workload == "queue":
        lines = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()[1:]]
        put_in = {line["in"] for line in lines if line["f"] == "enqueue" and line["ret"] is not None}
        assert put_in <= {line["out"] for line in lines if line["f"] == "dequeue"} or run.counts.unknown


@pytest.mark.parametrize(("breaks", "faults", "workload"), [("stale", (), "register"), ("stale", (), "kv"), ("lossy", ("kill",), "set")])
def test_a_broken_system_is_violated(breaks, faults, workload, tmp_path):
    run, found = recorded(plan_of(workload, faults, seconds=0.8), Memory(breaks), tmp_path)
    assert found.verdict.name == "VIOLATED"
    assert breaks == "stale" or run.counts.faults["kill"] >= 1


def test_the_folder_says_everything(tmp_path):
    run, _ = recorded(plan_of("register", ["pause", "clock"]), Memory(), tmp_path)
    assert msgspec.json.decode((tmp_path / "run.json").read_bytes(), type=Run) == run
    assert run.versions["memory"] == "1" and run.plan.seed == 1 and run.host["processors"] == os.cpu_count()
    faults = [msgspec.json.decode(line, type=Struck) for line in (tmp_path / "faults.jsonl").read_bytes().splitlines()]
    assert sum(one.end is not None for one in faults) == sum(run.counts.faults.values()) >= 1
    assert all(one.begin < (one.end or one.begin + 1) < run.seconds * 1e9 for one in faults)


def test_unknown_outcomes_are_pending_and_of_another_process_from_then_on(tmp_path):
    run, found = recorded(plan_of("kv", ["pause"], seconds=1.0, limit_s=0.04), Memory(), tmp_path)
    history = History.read(tmp_path / "history.jsonl")
    assert run.counts.unknown > 0 and found.verdict.name == "HOLDS"
    assert len(set(history.process.tolist())) > 6
    assert run.client_errors["TimeoutError: no answer in time"] == run.counts.unknown


def test_an_interruption_ends_it_cleanly(tmp_path):
    class Interrupted(Memory):
        async def start(self, folder, nodes, seed):
            await super().start(folder, nodes, seed)
            asyncio.get_running_loop().call_later(0.4, os.kill, os.getpid(), signal.SIGINT)

    run, found = recorded(plan_of(seconds=600.0), Interrupted(), tmp_path)
    assert run.interrupted and run.counts.operations > 0 and run.seconds < 60 and found.verdict.name == "HOLDS"


def test_a_second_interruption_also_ends_a_target_that_cannot_be_stopped(tmp_path):
    class Hanging(Memory):
        async def start(self, folder, nodes, seed):
            await super().start(folder, nodes, seed)
            asyncio.get_running_loop().call_later(0.2, os.kill, os.getpid(), signal.SIGINT)

        async def stop(self):
            await super().stop()
            asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGINT)
            await asyncio.sleep(600)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        recorded(plan_of(seconds=600.0), Hanging(), tmp_path)
    assert signal.getsignal(signal.SIGINT) is before and (tmp_path / "history.jsonl").stat().st_size > 0


def test_what_no_history_holds_is_unknown_and_so_is_a_client_that_exits(tmp_path, monkeypatch):
    monkeypatch.setattr(run_module, "FINISH_S_MAX", 0.1)

    class Odd(Connection):
        async def get(self, key):
            return object()

        async def put(self, key, value):
            raise SystemExit(0)

    class Target(Memory):
        def __init__(self):
            super().__init__()
            self.operations = frozenset({"get", "put"})

        def connect(self, node, number):
            return Odd(self, "n1")

    run, _ = recorded(plan_of(seconds=1.0, faults=[]), Target(), tmp_path)
    assert run.counts.unknown == run.counts.operations > 0
    assert {said.partition(" object at")[0] for said in run.client_errors} == {"TypeError: get returned <object", "SystemExit: 0"}


def test_a_target_that_stops_too_slowly_is_told(tmp_path, monkeypatch):
    class Slow(Memory):
        async def stop(self):
            await super().stop()
            await asyncio.sleep(600)

    monkeypatch.setattr(run_module, "STOP_S_MAX", 0.05)
    run, _ = recorded(plan_of(seconds=1.0, faults=[]), Slow(), tmp_path)
    assert run.node_problems == ["the nodes could not be stopped: after 0.05 s they are still being stopped"]


def test_a_client_with_a_bug_or_a_cluster_that_does_not_start_leaves_nothing_running(tmp_path):
    class Stillborn(Memory):
        async def start(self, folder, nodes, seed):
            await super().start(folder, nodes, seed)
            raise TargetError("no disk")

    target = Stillborn()
    with pytest.raises(TargetError, match="no disk"):
        asyncio.run(record(plan_of(), target, tmp_path, lambda _: None))
    assert not target.running


def test_what_a_target_cannot_do_is_said_before():
    with pytest.raises(TargetError, match="knows no sabotage"):
        check(plan_of(faults=["sabotage"]), Memory())
    with pytest.raises(TargetError, match=r"no target nonsense: write one of .*redis"):
        find("nonsense", {})
    with pytest.raises(TargetError, match="knows nothing of 'mutant': its options are reads"):
        find("pysyncobj", {"mutant": "x"})
    assert {"redis", "pysyncobj"} <= set(names())


@pytest.mark.parametrize(
    ("text", "reference", "why"),
    [
        ("x = 1", "own.py:Mine", "has no class Mine"),
        ("class Mine: pass", "own.py:Mine", "has no start, stop, connect"),
        ("1 / 0", "own.py:Mine", "does not load: ZeroDivisionError"),
        ("", "own.txt:Mine", "is no file of Python"),
    ],
)
def test_a_file_that_is_no_target_is_refused(text, reference, why, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / reference.split(":")[0]).write_text(text)
    with pytest.raises(TargetError, match=why):
        find(reference, {})


def test_nodes_that_end_by_themselves_are_told(tmp_path):
    class Frail(Memory):
        def problems(self):
            return ["n2 exited with status 3 though nobody asked it to"] if self.running else []

    run, _ = recorded(plan_of(), Frail(), tmp_path)
    assert run.node_problems == ["n2 exited with status 3 though nobody asked it to"]


def test_a_cluster_that_stays_dead_does_not_hold_the_end_up(tmp_path, monkeypatch):
    class Dying(Memory):
        async def kill(self, node):
            await super().kill(node)
            self.restart = self.never

        async def never(self, node):
            raise OSError("out of disks")

    monkeypatch.setattr(run_module, "FINISH_S_MAX", 0.3)
    run, found = recorded(plan_of(faults=["kill"], nodes=5), Dying(), tmp_path)
    assert run.counts.keys_not_read_at_the_end > 0 and run.seconds < 60 and found.verdict.name == "HOLDS"
    assert any("out of disks" in error for error in run.fault_errors)


def test_a_target_with_bugs_is_told_as_one(tmp_path):
    class Unready(Memory):
        async def start(self, folder, nodes, seed):
            raise KeyError("port")

    with pytest.raises(TargetError, match="memory did not start: KeyError: 'port'"):
        asyncio.run(record(plan_of(), Unready(), tmp_path, lambda _: None))

    class Clinging(Memory):
        async def stop(self):
            await super().stop()
            raise OSError("still there")

    run, _ = recorded(plan_of(), Clinging(), tmp_path / "other")
    assert run.node_problems == ["the nodes could not be stopped: OSError: still there"]
