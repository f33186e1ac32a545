"""Nodes as processes that are killed, paused and stopped: nothing acknowledged is lost, nothing is applied twice."""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from real_nodes import LIMIT_S, Limits, Nodes, Writers, with_nodes

from scrutator.impl.cluster.resp import Error, Resp, Value, encode


async def kill_again_and_again(nodes: Nodes, writers: Writers, kills: int, dice: random.Random) -> list[float]:
    """Kill one node, the leader, all, or one that recovers; how long each recovery took, in seconds."""
    took_s = []
    while nodes.kills < kills:
        await asyncio.sleep(dice.random() * 0.4)
        kind = dice.choice(("one", "leader", "two", "all"))
        if kind == "all":
            victims = list(nodes.names)
        elif kind == "leader":
            victims = [await nodes.leader()]
        else:
            victims = dice.sample(nodes.names, 1 if kind == "one" else 2)
        await nodes.kill(*victims)
        if dice.random() < 0.5:
            await asyncio.sleep(dice.random() * 0.5)
        began_s = time.monotonic()
        nodes.start(*victims)
        while dice.random() < 0.3 and nodes.kills < kills:  # while it recovers
            await asyncio.sleep(dice.random() * 0.8)
            await nodes.kill(victims[0])
            nodes.start(victims[0])
        await nodes.served()
        took_s.append(time.monotonic() - began_s)
        await writers.check()
        await writers.progress(5)
    return took_s


def kills_lose_nothing(folder: Path, kills: int, seed: int, mutant: str = "") -> None:
    async def work(nodes: Nodes) -> None:
        nodes.start()
        await nodes.served()
        writers = Writers(nodes, 6)
        try:
            await writers.progress(200)
            took_s = await kill_again_and_again(nodes, writers, kills, random.Random(seed))
        finally:
            await writers.stop()
        for name in nodes.names:
            await writers.check(name)
        snapshots = sum(len(nodes.events(name, "took a snapshot")) + len(nodes.events(name, "installed a snapshot")) for name in nodes.names)
        print(f"{nodes.kills} kills, {writers.total} acknowledged, {writers.retries} sent again, {snapshots} snapshots, "
              f"worst recovery {max(took_s):.1f} s, longest without an acknowledgement {writers.worst_s:.1f} s, answers {writers.answers}")  # fmt: skip
        assert snapshots

    with_nodes(Nodes(folder, mutant=mutant), work)


def test_kills_lose_nothing(tmp_path: Path) -> None:
    kills_lose_nothing(tmp_path, 6, 1)


@pytest.mark.slow
def test_two_hundred_kills_lose_nothing(tmp_path: Path) -> None:
    kills_lose_nothing(tmp_path, 200, 2)


def test_what_was_not_sent_to_a_dead_leader_is_not_in_doubt(tmp_path: Path) -> None:
    """A follower that has lost the leader keeps commands for the next one, instead of sending them to nobody."""

    async def work(nodes: Nodes) -> None:
        nodes.start()
        leader = await nodes.served()
        follower = next(name for name in nodes.names if name != leader)
        await nodes.kill(leader)
        async with asyncio.timeout(LIMIT_S):
            while not any(line.get("peer") == leader for line in nodes.events(follower, "link lost")):
                await asyncio.sleep(0.01)
        answers = [await nodes.ask(follower, "INCR", "n") for _ in range(3)]
        told = [answer.kind for answer in answers if isinstance(answer, Error)]
        assert set(told) <= {"TRYAGAIN"}, answers
        assert [answer for answer in answers if not isinstance(answer, Error)] == list(range(1, 4 - len(told)))

    with_nodes(Nodes(tmp_path), work)


# --- paused ------------------------------------------------------------------------------------------


async def across_a_pause(nodes: Nodes, leader: str, connections: Sequence[Resp], number: int) -> list[Value]:
    """The answers of a leader that stands still for three seconds while another acknowledges a new value, and then it is asked."""
    for connection in connections:
        assert await connection.call("GET", "k") == b"old %d" % number
    nodes.processes[leader].pause()
    stopped_s = time.monotonic()
    other = await nodes.leader(other_than=leader)
    assert await nodes.done("SET", "k", f"new {number}", at=other) == "OK"
    reading = [asyncio.create_task(connection.call("GET", "k")) for connection in connections]
    await asyncio.sleep(max(0.1, 3.0 - (time.monotonic() - stopped_s)))
    nodes.processes[leader].resume()
    return await asyncio.gather(*reading)


@pytest.mark.parametrize(("reads", "rounds"), [("lease", 1), *(pytest.param(reads, 10, marks=pytest.mark.slow) for reads in ("index", "lease"))])
def test_a_leader_that_was_paused_answers_nothing_old(tmp_path: Path, reads: str, rounds: int) -> None:
    paused_leaders(Nodes(tmp_path, reads=reads), rounds)


def paused_leaders(nodes: Nodes, rounds: int) -> None:
    """What is asked of a leader while it stands still, after another has acknowledged a newer value."""

    async def work(nodes: Nodes) -> None:
        nodes.start()
        leader = await nodes.served()
        answers: Counter[str] = Counter()
        for number in range(rounds):
            assert await nodes.done("SET", "k", f"old {number}") == "OK"
            connections = [await Resp.connect(*nodes.address(leader)) for _ in range(5)]
            try:
                for answer in await across_a_pause(nodes, leader, connections, number):
                    assert answer == b"new %d" % number or isinstance(answer, Error), answer
                    answers[answer.kind if isinstance(answer, Error) else "new"] += 1
            finally:
                for connection in connections:
                    connection.abort()
            leader = await nodes.served()
        print(f"{nodes.configs[leader].reads}: {dict(answers)}")

    with_nodes(nodes, work)


@pytest.mark.slow
def test_pauses_lose_nothing(tmp_path: Path) -> None:
    async def work(nodes: Nodes) -> None:
        nodes.start()
        await nodes.served()
        writers = Writers(nodes, 4)
        await writers.progress()
        for _ in range(2):
            leader = await nodes.leader()
            nodes.processes[leader].pause()
            await nodes.leader(other_than=leader)
            nodes.processes[leader].resume()
            await writers.progress()
        await nodes.served()
        await writers.stop()
        await writers.check()

    with_nodes(Nodes(tmp_path), work)


# --- told to stop -----------------------------------------------------------------------------------


def test_told_to_stop(tmp_path: Path) -> None:
    """Exit status 0 and nothing left undone that was promised; what was asked just before is answered, or said to be unknown."""

    async def work(nodes: Nodes) -> None:
        nodes.start()
        await nodes.served()
        writers = Writers(nodes, 4)
        worst_s = 0.0
        for name in (await nodes.leader(), "n1"):
            await writers.progress(30)
            reader, writer = await asyncio.open_connection(*nodes.address(name))
            writer.write(encode(("INCR", "n")) * 50)
            await writer.drain()
            await asyncio.sleep(0.002)
            began_s = time.monotonic()
            nodes.terminate(name)
            answers = (await reader.read(-1)).splitlines()
            assert all(answer[:1] == b":" or answer.split()[0] in (b"-UNKNOWN", b"-TRYAGAIN") for answer in answers), answers
            writer.close()
            assert await nodes.ended(name) == 0
            worst_s = max(worst_s, time.monotonic() - began_s)
            assert nodes.log(name)[-1]["why"] == "told to"
            nodes.start(name)
            await nodes.served()
        await writers.stop()
        await writers.check()
        print(f"stopped within {worst_s:.2f} s; {writers.answers}")

    with_nodes(Nodes(tmp_path), work)


@pytest.mark.parametrize("kills", [pytest.param(20, marks=pytest.mark.slow)])
def test_killed_while_it_stops(tmp_path: Path, kills: int) -> None:
    async def work(nodes: Nodes) -> None:
        dice = random.Random(4)
        nodes.start()
        await nodes.served()
        writers = Writers(nodes, 4)
        ends: Counter[int | None] = Counter()
        for _ in range(kills):
            name = dice.choice(nodes.names)
            await writers.progress(20)
            nodes.terminate(name)
            await asyncio.sleep(dice.random() * 0.03)
            await nodes.kill(name)
            ends[nodes.processes[name].status] += 1
            nodes.start(name)
            await nodes.served()
        await writers.stop()
        await writers.check()
        print(f"exit statuses {dict(ends)}")

    with_nodes(Nodes(tmp_path), work)


# --- far behind --------------------------------------------------------------------------------------


async def load(nodes: Nodes, writes: int, size: int) -> float:
    """Write so many keys in batches, each until it is acknowledged; the seconds it took."""
    began_s, batch = time.monotonic(), 500
    for first in range(0, writes, batch):
        words: list[str] = []
        for k in range(first, first + batch):
            words += (f"key {k}", str(k).ljust(size, "."))
        assert await nodes.done("MSET", *words[: batch], at=await nodes.leader()) == "OK"
        assert await nodes.done("MSET", *words[batch:], at=await nodes.leader()) == "OK"
    return time.monotonic() - began_s


async def singly(nodes: Nodes, writes: int) -> None:
    """So many entries of the log, a thousand under way at a time."""
    reader, writer = await asyncio.open_connection(*nodes.address(await nodes.leader()))
    for _ in range(0, writes, 1000):
        writer.write(encode(("INCR", "count")) * 1000)
        for _ in range(1000):
            assert (await reader.readline())[:1] == b":"
    writer.close()


async def complete(nodes: Nodes, name: str, writes: int, size: int) -> None:
    """A node that was behind has everything: it alone with one other answers."""
    for k in (0, 1, writes // 2, writes - 1):
        assert await nodes.done("GET", f"key {k}", at=name) == str(k).ljust(size, ".").encode()


def test_a_node_far_behind_gets_a_snapshot_in_pieces(tmp_path: Path) -> None:
    async def work(nodes: Nodes) -> None:
        nodes.start()
        await nodes.served()
        await nodes.kill("n3")
        await load(nodes, 4000, 1000)  # 4 MB: eight pieces
        await singly(nodes, 20_000)
        began_s = time.monotonic()
        nodes.start("n3")
        await nodes.served()
        goal = (await nodes.standing(await nodes.leader())).commit
        await nodes.until("n3", lambda found: found.applied >= goal)
        installed = nodes.events("n3", "installed a snapshot")
        assert installed
        print(f"after 20,000 writes it had caught up {time.monotonic() - began_s:.1f} s after it was started, snapshot of {installed[-1]['bytes']:,} bytes")
        await complete(nodes, "n3", 4000, 1000)
        assert await nodes.done("GET", "count", at="n3") == b"20000"

    with_nodes(Nodes(tmp_path, limits=Limits(snapshot_every=2000)), work)


@pytest.mark.slow
def test_leaders_that_die_while_they_send_a_snapshot(tmp_path: Path) -> None:
    async def work(nodes: Nodes) -> None:
        dice = random.Random(6)
        nodes.start()
        await nodes.served()
        writes, size, midst = 30_000, 2000, 0
        await nodes.kill("n3")
        await load(nodes, writes, size)  # 60 MB
        for number in range(8):
            await singly(nodes, 3000)
            nodes.start("n3")
            leader = await nodes.leader(other_than="n3")
            await nodes.until("n3", lambda found: found.leader != "")
            await asyncio.sleep(dice.random() * 0.5)
            before = len(nodes.events("n3", "installed a snapshot"))
            await nodes.kill(leader)
            if number % 2:
                await nodes.leader()  # n3 cannot be: the other one, with n3's vote
            nodes.start(leader)
            await nodes.served()
            goal = (await nodes.standing(await nodes.leader())).commit
            await nodes.until("n3", lambda found, goal=goal: found.applied >= goal)  # type: ignore[misc]
            midst += len(nodes.events("n3", "installed a snapshot")) > before
            await complete(nodes, "n3", writes, size)
            assert await nodes.done("GET", "count", at="n3") == b"%d" % (3000 * (number + 1))
            if number < 7:
                await nodes.kill("n3")
        print(f"{midst} of 8 leaders were killed before the snapshot was installed, {nodes.memory_bytes('n3') / (1 << 20):.0f} MiB used")
        assert midst

    with_nodes(Nodes(tmp_path, limits=Limits(snapshot_every=1000)), work)


# --- usual clients, and tests that can fail ----------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("redis-benchmark") is None, reason="redis-benchmark is not installed")
@pytest.mark.parametrize("whose", ["the leader's port", "a follower's port"])
def test_redis_benchmark_ends_when_the_leader_is_killed(tmp_path: Path, whose: str) -> None:
    async def work(nodes: Nodes) -> None:
        nodes.start()
        leader = await nodes.served()
        port = nodes.address(leader if whose == "the leader's port" else next(name for name in nodes.names if name != leader))[1]
        words = ("redis-benchmark", "-p", str(port), "-t", "set", "-n", "1000000", "-c", "20", "-q")
        benchmark = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
        try:
            await nodes.until(leader, lambda found: found.commit > 1000)
            await nodes.kill(leader)
            said, _ = await asyncio.wait_for(benchmark.communicate(), LIMIT_S)
        finally:
            if benchmark.returncode is None:
                benchmark.kill()
                await benchmark.wait()
        last = said.replace(b"\r", b"\n").strip().splitlines()[-1].decode()
        print(f"{whose}: exit status {benchmark.returncode}: {last}")
        assert benchmark.returncode == 1
        assert "Server closed the connection" in last or "UNKNOWN" in last or "TRYAGAIN" in last

    with_nodes(Nodes(tmp_path), work)


@pytest.mark.slow
def test_a_node_that_answers_too_soon_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        kills_lose_nothing(tmp_path, 30, 3, mutant="reply_before_sync")


@pytest.mark.slow
def test_a_node_that_reads_by_itself_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="old 0"):
        paused_leaders(Nodes(tmp_path, mutant="local_reads"), 1)
