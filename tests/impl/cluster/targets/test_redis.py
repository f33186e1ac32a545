"""Redis: clients, failover, and that acknowledged writes are lost where the primary is cut off; skipped without Redis."""

from __future__ import annotations

import asyncio
import shutil

import pytest

from scrutator.checker.linear import History, check_linearizable
from scrutator.impl.cluster.processes import eventually
from scrutator.impl.cluster.record.run import Plan, record
from scrutator.impl.cluster.target import Refused, TargetError, Unknown
from scrutator.impl.cluster.targets import redis
from scrutator.impl.cluster.targets.redis import Redis

needs_redis = pytest.mark.skipif(shutil.which("redis-server") is None, reason="there is no redis-server")


def running(tmp_path, scenario, nodes=3):
    async def run():
        target = Redis()
        try:
            await target.start(tmp_path, nodes, 0)
            await scenario(target)
        finally:
            await target.stop()
        assert not any(process.running for process in target._processes.values())

    asyncio.run(run())


def test_without_redis_it_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(redis, "PROGRAM", "redis-server-of-nobody")
    with pytest.raises(TargetError, match="install Redis"):
        running(tmp_path, None)


@needs_redis
def test_what_clients_can_do(tmp_path):
    async def scenario(target):
        client = target.connect(None, 1)
        assert await client.get("a") is None
        await client.put("a", "1")
        await client.append("a", "2;")
        assert await client.get("a") == "12;"
        assert [await client.cas("a", "no", "x"), await client.cas("a", "12;", "y"), await client.cas("b", None, "z")] == [False, True, True]
        assert [await client.cas("b", None, "w"), await client.delete("b"), await client.delete("b")] == [False, True, False]
        assert [await client.incr("n"), await client.incr("n")] == [1, 2]
        await client.sadd("s", "e")
        assert await client.smembers("s") == ["e"]
        await client.rpush("q", "first")
        await client.rpush("q", "second")
        assert [await client.lpop("q") for _ in range(3)] == ["first", "second", None]
        with pytest.raises(Refused, match="WRONGTYPE"):
            await client.append("s", "x")
        await client.close()
        assert target.versions()["redis"][0].isdigit()

    running(tmp_path, scenario)


@needs_redis
def test_a_write_is_lost_where_the_primary_is_cut_off(tmp_path):
    async def scenario(target):
        others = [("n1", "n2"), ("n1", "n3"), ("n2", "n1"), ("n3", "n1")]
        old, new = target.connect("n1", 1), target.connect("n2", 2)
        await old.put("k", "before")
        await target.partition(frozenset(others))
        await old.put("k", "acknowledged")
        assert await eventually(lambda: target.believes["n2"] != "n1", 20)
        assert await new.get("k") == "before"
        await new.put("k", "after")
        await target.partition(frozenset())
        assert await eventually(lambda: target.believes["n1"] == target.primary != "n1", 20)
        last = target.connect("n1", 3)
        assert await last.get("k") == "after"
        for client in (old, new, last):
            await client.close()

    running(tmp_path, scenario)


@needs_redis
def test_a_killed_primary_is_replaced_and_comes_back_as_a_replica(tmp_path):
    async def scenario(target):
        client = target.connect("n1", 1)
        await client.put("k", "v")
        await target.kill("n1")
        with pytest.raises((Refused, Unknown)):
            await client.get("k")
        await client.close()
        assert await eventually(lambda: target.primary != "n1", 20)
        await target.restart("n1")
        for _ in range(200):
            if (await target._info("n1")).get("role") == "slave":
                break
            await asyncio.sleep(0.05)
        else:
            raise AssertionError("it never became a replica")
        assert await client.get("k") == "v"
        await client.close()

    running(tmp_path, scenario)


@needs_redis
@pytest.mark.slow
def test_recorded_under_partitions_it_is_violated(tmp_path):
    plan = Plan(
        target="redis", options={}, workload="set", nodes=5, clients=10, seconds=20, faults=["partition", "kill"], seed=1, rate=300,
    )  # fmt: skip
    run = asyncio.run(record(plan, Redis(), tmp_path, lambda _: None))
    assert run.configuration["failovers"]
    assert check_linearizable(History.read(tmp_path / "history.jsonl"), "set", explain=False).verdict.name == "VIOLATED"
