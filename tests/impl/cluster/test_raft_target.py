"""Our own node as a target: it serves, is broken in every way, goes on, and loses nothing that it acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from scrutator.impl.cluster.network import lacking
from scrutator.impl.cluster.resp import Error, Resp
from scrutator.impl.cluster.target import Refused, TargetError, Unknown
from scrutator.impl.cluster.targets._raft_client import RaftClient
from scrutator.impl.cluster.targets.raft import RaftTarget

LIMIT_S = 60.0


def with_cluster(folder: Path, target: RaftTarget, work: Callable[[RaftTarget], Awaitable[None]], nodes: int = 3) -> None:
    async def main() -> None:
        try:
            await target.start(folder, nodes, 0)
            await work(target)
        finally:
            await target.stop()

    asyncio.run(main())


async def done(client: RaftClient, op: str, *words: str | None) -> object:
    """Until it is carried out; for operations that may happen twice."""
    until = time.monotonic() + LIMIT_S
    while True:
        try:
            async with asyncio.timeout(2):
                return await getattr(client, op)(*words)
        except (Refused, Unknown, TimeoutError):
            assert time.monotonic() < until, "the cluster does not serve any more"
            await asyncio.sleep(0.02)


class Writers:
    """Clients that append numbers to keys of their own, and know which were acknowledged."""

    def __init__(self, target: RaftTarget) -> None:
        self.target = target
        self.acknowledged: dict[str, list[int]] = {}
        self.doubtful: dict[str, set[int]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    def __enter__(self) -> Writers:
        self._tasks = [asyncio.create_task(self._write(k)) for k in range(4)]
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True

    async def _write(self, k: int) -> None:
        key, number = f"k{k}", 0
        mine, doubtful = self.acknowledged.setdefault(key, []), self.doubtful.setdefault(key, set())
        client = self.target.connect(None if k % 2 else self.target.nodes[k % len(self.target.nodes)], k)
        while not self._stopping:
            number += 1
            try:
                async with asyncio.timeout(1.0):
                    await client.append(key, f"{number},")
                mine.append(number)
            except (Unknown, TimeoutError):
                doubtful.add(number)
            except Refused:
                await asyncio.sleep(0.02)
        await client.close()

    async def progress(self, count: int = 20) -> None:
        """Wait until so many more are acknowledged."""
        goal = sum(map(len, self.acknowledged.values())) + count
        async with asyncio.timeout(LIMIT_S):
            while sum(map(len, self.acknowledged.values())) < goal:
                await asyncio.sleep(0.01)

    async def check(self) -> None:
        """What was acknowledged is there once and in order; of the rest, nothing that was refused."""
        self._stopping = True
        await asyncio.gather(*self._tasks)
        client = self.target.connect(None, 0)
        held = {key: str(await done(client, "get", key)) for key in self.acknowledged}
        await client.close()
        for key, acknowledged in self.acknowledged.items():
            found = [int(word) for word in held[key].split(",") if word and word != "None"]
            assert [number for number in found if number not in self.doubtful[key]] == acknowledged
            assert len(found) == len(set(found))


async def leader_of(target: RaftTarget) -> str:
    async with asyncio.timeout(LIMIT_S):
        while (found := await target.leader()) is None:
            await asyncio.sleep(0.05)
    return found


def test_operations(tmp_path: Path) -> None:
    async def work(target: RaftTarget) -> None:
        for node in (*target.nodes, None):
            client = target.connect(node, 1)
            assert await done(client, "delete", "k") in (True, False)
            assert await client.get("k") is None
            assert not await client.delete("k")
            assert await client.cas("k", None, "1") and not await client.cas("k", None, "2")
            assert not await client.cas("k", "2", "3") and await client.cas("k", "1", "3")
            assert await client.incr("k") == 4
            await client.append("k", "x, ü")
            assert await client.get("k") == "4x, ü"
            with pytest.raises(Refused, match="not an integer"):
                await client.incr("k")
            await client.put("k", "")
            assert await client.get("k") == ""
            await client.close()
        assert target.versions()["sqlite"] and target.configuration()["partitions"] == "proxy"
        await target.clock("n1", 5.0, 0.5)
        await target.clock("n1", -0.1, 1.0)
        await target.kill("n2")
        nowhere = target.connect("n2", 0)
        with pytest.raises(Refused):
            await nowhere.get("k")
        with pytest.raises(TargetError, match="n2 did not turn its clock"):
            await target.clock("n2", 1.0, 1.0)
        assert target.problems() == []

    with_cluster(tmp_path, RaftTarget(election_timeout_s="0.3", heartbeat_s="0.05"), work)


@pytest.mark.parametrize("partitions", ["proxy", pytest.param("namespaces", marks=pytest.mark.slow)])
def test_nothing_acknowledged_is_lost(tmp_path: Path, partitions: str) -> None:
    if partitions == "namespaces" and lacking():
        pytest.skip(lacking())

    async def work(target: RaftTarget) -> None:
        with Writers(target) as writers:
            await writers.progress()
            killed = await leader_of(target)
            await target.kill(killed)
            await writers.progress()
            await target.restart(killed)
            paused = await leader_of(target)
            await target.pause(paused)
            await writers.progress()
            await target.resume(paused)
            alone = await leader_of(target)
            await target.partition(frozenset(way for other in target.nodes if other != alone for way in ((alone, other), (other, alone))))
            await writers.progress()
            await target.partition(frozenset())
            deaf = await leader_of(target)
            await target.partition(frozenset((other, deaf) for other in target.nodes if other != deaf))
            await writers.progress()
            await target.partition(frozenset())
            await writers.progress()
            for node in target.nodes:
                await target.kill(node)  # a power cut
            for node in target.nodes:
                await target.restart(node)
            await writers.progress()
            await writers.check()
        assert target.problems() == []

    with_cluster(tmp_path, RaftTarget(partitions=partitions, snapshot_every="50", election_timeout_s="0.3", heartbeat_s="0.05"), work)


@pytest.mark.slow
def test_a_power_cut_shows_a_node_that_answers_before_it_has_written(tmp_path: Path) -> None:
    async def work(target: RaftTarget) -> None:
        with Writers(target) as writers:
            for _ in range(3):
                await writers.progress(300)
                await asyncio.gather(*map(target.kill, target.nodes))
                for node in target.nodes:
                    await target.restart(node)
            await writers.progress()
            with pytest.raises(AssertionError):
                await writers.check()

    with_cluster(tmp_path, RaftTarget(mutant="reply_before_sync", election_timeout_s="0.3", heartbeat_s="0.05"), work)


@pytest.mark.slow
def test_a_cut_leader_does_not_answer_reads(tmp_path: Path) -> None:
    async def work(target: RaftTarget) -> None:
        client = target.connect(None, 0)
        await done(client, "put", "k", "old")
        leader = await leader_of(target)
        others = [node for node in target.nodes if node != leader]
        stale = target.connect(leader, 0)
        assert await stale.get("k") == "old"
        await target.partition(frozenset(way for other in others for way in ((leader, other), (other, leader))))
        fresh = target.connect(others[0], 0)
        await done(fresh, "put", "k", "new")
        with contextlib.suppress(Refused, Unknown, TimeoutError):
            async with asyncio.timeout(1):
                assert await stale.get("k") == "new"  # never the old one
        await target.partition(frozenset())
        assert await done(stale, "get", "k") == "new"
        for one in (client, stale, fresh):
            await one.close()

    with_cluster(tmp_path, RaftTarget(election_timeout_s="0.3", heartbeat_s="0.05"), work)


def test_a_node_that_cannot_start_says_why(tmp_path: Path) -> None:
    async def work(target: RaftTarget) -> None:
        raise AssertionError("it started")

    (tmp_path / "n1").mkdir()
    (tmp_path / "n1" / "data").write_text("no folder")
    with pytest.raises(TargetError, match=r"n1 exited with status 2: .*data cannot be used"):
        with_cluster(tmp_path, RaftTarget(), work)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reads": "maybe"}, "reads=maybe: write index or lease or log"),
        ({"heartbeat_s": "soon"}, "heartbeat_s=soon: write a number"),
        ({"heartbeat_s": "nan"}, "heartbeat_s=nan: write a number"),
        ({"snapshot_every": "nan"}, "snapshot_every=nan: write a whole number"),
        ({"snapshot_every": "inf"}, "snapshot_every=inf: write a whole number"),
        ({"partitions": "scissors"}, "write proxy or namespaces"),
        ({"mutant": "no_such"}, "there is no mutant 'no_such': write one of reply_before_sync"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, str], message: str) -> None:
    with pytest.raises(TargetError, match=message):
        RaftTarget(**options)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"-TRYAGAIN no leader is known: the command was not carried out\r\n", Refused),
        (b"-MOVED 12 127.0.0.1:1\r\n", Refused),
        (b"-ERR syntax error\r\n", Refused),
        (b"-UNKNOWN no answer in time: the command may or may not have been carried out\r\n", Unknown),
        (b"-NOSESSION there is no such session\r\n", Unknown),
        (b"", Unknown),
        (b"+OK", Unknown),
        (b"HTTP/1.1 400\r\n", Unknown),
        (b"$99999999999\r\n", Unknown),
    ],
)
def test_what_is_known_of_a_write(answer: bytes, expected: type[Exception]) -> None:
    async def main() -> None:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"v\r\n")
            writer.write(answer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

        async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
            client = RaftClient({"n1": server.sockets[0].getsockname()}, "n1", 0)
            with pytest.raises(expected):
                await client.put("k", "v")
            await client.close()

    asyncio.run(main())


def test_a_free_client_follows_to_the_leader(tmp_path: Path) -> None:
    async def work(target: RaftTarget) -> None:
        leader = await leader_of(target)
        follower = next(node for node in target.nodes if node != leader)
        pinned = target.connect(follower, 0)
        with pytest.raises(Refused, match="MOVED"):
            await pinned.put("k", "v")
        await pinned.close()
        for number in range(3):
            client = target.connect(None, number)
            await client.put("k", str(number))
            assert await client.get("k") == str(number)
            await client.close()

    with_cluster(tmp_path, RaftTarget(followers="moved", election_timeout_s="0.3", heartbeat_s="0.05"), work)


def test_answers_of_every_shape() -> None:
    async def main() -> None:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await reader.read(1 << 16):
                writer.write(b"*6\r\n$-1\r\n:-3\r\n+OK\r\n-ERR no\r\n$2\r\n\r\n\r\n*1\r\n*-1\r\n")
            writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        async with server, await Resp.connect(*server.sockets[0].getsockname()) as connection:
            for _ in range(2):
                assert await connection.call("PING") == [None, -3, "OK", Error("ERR no"), b"\r\n", [None]]

    asyncio.run(main())
