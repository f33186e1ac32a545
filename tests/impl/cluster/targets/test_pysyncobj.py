"""PySyncObj: clients, restarts on its journal, and that its local reads are not linearizable; skipped where it is missing."""

from __future__ import annotations

import asyncio
import importlib.util

import pytest

from scrutator.checker.linear import History, check_linearizable
from scrutator.impl.cluster.record.run import Plan, record
from scrutator.impl.cluster.target import Refused, TargetError, Unknown
from scrutator.impl.cluster.targets.pysyncobj import PySyncObj

needs_pysyncobj = pytest.mark.skipif(importlib.util.find_spec("pysyncobj") is None, reason="there is no pysyncobj")


def test_it_is_said_when_it_is_missing(tmp_path, monkeypatch):
    async def start():
        target = PySyncObj()
        try:
            await target.start(tmp_path, 3, 0)
        finally:
            await target.stop()

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(TargetError, match="pip install pysyncobj"):
        asyncio.run(start())


def test_reads_are_local_or_of_the_log():
    with pytest.raises(TargetError, match=r"write reads=local.* or reads=log"):
        PySyncObj("quick")


async def until_it_answers(do, *arguments):
    """Ask until a leader is there; what was asked may happen more than once."""
    for _ in range(200):
        try:
            return await do(*arguments)
        except (Refused, Unknown):
            await asyncio.sleep(0.1)
    raise AssertionError("it never answered")


@needs_pysyncobj
def test_clients_and_a_power_cut(tmp_path):
    async def run():
        target = PySyncObj("log")
        try:
            await target.start(tmp_path, 3, 0)
            client = target.connect("n2", 1)
            await until_it_answers(client.put, "a", "1")
            await until_it_answers(client.put, "b", "x")
            assert [await client.cas("a", "no", "x"), await client.cas("a", "1", "2"), await client.delete("b")] == [False, True, True]
            assert await target.leader() in target.nodes
            for node in target.nodes:
                await target.kill(node)
            with pytest.raises((Refused, Unknown)):
                await client.get("a")
            await client.close()
            await asyncio.gather(*map(target.restart, target.nodes))
            assert await until_it_answers(client.get, "a") == "2"
            assert await client.get("b") is None
            await client.close()
        finally:
            await target.stop()
        assert not any(process.running for process in target._processes.values())

    asyncio.run(run())


@needs_pysyncobj
@pytest.mark.slow
def test_local_reads_are_violated(tmp_path):
    plan = Plan(
        target="pysyncobj", options={"reads": "local"}, workload="register", nodes=5, clients=10, seconds=15, faults=["kill"], seed=1, rate=300,
    )  # fmt: skip
    asyncio.run(record(plan, PySyncObj("local"), tmp_path, lambda _: None))
    assert check_linearizable(History.read(tmp_path / "history.jsonl"), "register", explain=False).verdict.name == "VIOLATED"
