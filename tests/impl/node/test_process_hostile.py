"""Nodes as processes among strangers: whatever comes to their ports, they serve their clients, in bounded memory, with few words."""

from __future__ import annotations

import asyncio
import contextlib
import random
import resource
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from real_nodes import Limits, Nodes, Writers, with_nodes

from scrutator.impl.cluster.resp import Error, Resp, encode
from scrutator.impl.node.links.wire import VERSION, Forward, Hello, encode_hello
from scrutator.impl.node.links.wire import encode as encode_messages
from scrutator.impl.raft import configuration
from scrutator.impl.raft.messages import (
    Appended,
    AppendEntries,
    Entry,
    InstallSnapshot,
    ReadReply,
    Vote,
)

MIB = 1 << 20
GROWTH_BYTES_MAX = 150 * MIB  # of one node, under everything that follows


@contextlib.asynccontextmanager
async def serving(nodes: Nodes) -> AsyncIterator[str]:
    """Writers work meanwhile; in the end nothing is lost, no node has died or grown, and little was said."""
    nodes.start()
    leader = await nodes.served()
    writers = Writers(nodes, 2)
    await writers.progress(20)
    before = {name: nodes.memory_bytes(name) for name in nodes.names}
    lines = {name: len(nodes.log(name)) for name in nodes.names}
    yield leader
    await writers.progress(20)
    await writers.stop()
    await writers.check()
    for name in nodes.names:
        assert nodes.processes[name].running, nodes.processes[name].problem
        grown, said = nodes.memory_bytes(name) - before[name], len(nodes.log(name)) - lines[name]
        print(f"{name}: {grown / MIB:+.0f} MiB, {said} lines, longest without an acknowledgement {writers.worst_s:.1f} s")
        assert grown < GROWTH_BYTES_MAX
        assert said < 60, nodes.log(name)[lines[name] :]
        assert not nodes.events(name, "bug")


async def pour(address: tuple[str, int], data: bytes, *, wait_s: float = 0.3) -> bytes:
    """Send bytes, and return what comes back until the other side closes, or a while later."""
    got = b""
    try:
        reader, writer = await asyncio.open_connection(*address)
    except OSError:
        return got
    try:
        writer.write(data)
        async with asyncio.timeout(wait_s):
            await writer.drain()
            while piece := await reader.read(1 << 16):
                got += piece
    except (OSError, TimeoutError):
        pass
    finally:
        writer.transport.abort()
    return got


def noises(dice: random.Random) -> list[bytes]:
    """Bytes that are no request, or one too many, or too large, or cut off."""
    request = encode(("SET", "k", "v" * 100))
    return [
        dice.randbytes(2000), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + dice.randbytes(500),
        b"*1000000000\r\n", b"*-5\r\n", b"*1\r\n$99999999999\r\n", b"*1\r\n$-7\r\n", b"*2\r\n$3\r\nGET\r\n:5\r\n", b"$" * 100_000, b"\r\n" * 50_000,
        b"*10001\r\n" + b"$1\r\nx\r\n" * 10_001, encode(("MGET", *("k" * 5,) * 10_000)), encode(("SET", "k", b"v" * (MIB + 1))), request[: dice.randrange(len(request))],
        encode(("SET", "k" * (1 << 17), "v")), b"\x00" * MIB, b"*1\r\n" * 5000, b"\xff\xff\xff\xff" * 4, b"\x00\x00\x00\x00\x00\x00\x00\x00", b"\x00\x00\x0f\xff" + dice.randbytes(3000),
    ]  # fmt: skip


def hello(nodes: Nodes, *, cluster: str = "tested", src: str = "n1", dst: str = "n2", version: int = VERSION) -> bytes:
    return encode_hello(Hello(version, cluster, src, dst))


def test_garbage_on_both_ports(tmp_path: Path) -> None:
    async def work(nodes: Nodes) -> None:
        dice = random.Random(1)
        async with serving(nodes) as leader:
            for _ in range(3):
                ports = (nodes.address(leader), nodes.raft_address(leader), nodes.address("n1"), nodes.raft_address("n1"))
                await asyncio.gather(*(pour(port, noise) for port in ports for noise in noises(dice)))
            frames = [hello(nodes, dst=leader, src=next(name for name in nodes.names if name != leader)) + noise for noise in noises(dice)]
            await asyncio.gather(*(pour(nodes.raft_address(leader), frame) for frame in frames))

    with_nodes(Nodes(tmp_path), work)


@pytest.mark.slow
def test_a_crowd_that_says_nothing_and_one_that_dribbles(tmp_path: Path) -> None:
    """2,000 idle connections to one node, and some that send a byte at a time."""
    count = min(2000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200)

    async def dribble(address: tuple[str, int], data: bytes) -> None:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(*address)
            for k in range(40):
                writer.write(data[k : k + 1])
                await asyncio.sleep(0.02)
            writer.transport.abort()

    async def work(nodes: Nodes) -> None:
        async with serving(nodes) as leader:
            idle: list[socket.socket] = []
            try:
                for k in range(count):
                    sock = socket.create_connection(nodes.raft_address(leader) if k % 4 == 0 else nodes.address(leader), 10.0)
                    idle.append(sock)
                    if k % 200 == 0:
                        await asyncio.sleep(0)
                data = encode(("SET", "k", "v" * 100))
                await asyncio.gather(*(dribble(nodes.address(leader), data) for _ in range(30)), *(dribble(nodes.raft_address(leader), hello(nodes, dst=leader)) for _ in range(30)))
                others = [name for name in nodes.names if name != leader]
                assert await nodes.done("GET", "k0", at=others[0])
                assert (await nodes.standing(others[0])).leader == leader, "the crowd has overthrown the leader"
            finally:
                for sock in idle:
                    sock.close()

    # Writers choose any node, and the crowd takes all the connections that the leader allows: they go elsewhere.
    with_nodes(Nodes(tmp_path, limits=Limits(snapshot_every=200, connections_max=1024)), work)


@pytest.mark.slow
def test_pipelines_whose_answers_nobody_reads(tmp_path: Path) -> None:
    async def flood(address: tuple[str, int], piece: bytes) -> int:
        """Send without reading for two seconds; how many bytes the node took."""
        loop, sock, sent = asyncio.get_running_loop(), socket.create_connection(address), 0
        try:
            sock.setblocking(False)
            async with asyncio.timeout(2.0):
                while True:
                    await loop.sock_sendall(sock, piece)
                    sent += len(piece)
        except (OSError, TimeoutError):
            return sent
        finally:
            sock.close()

    async def work(nodes: Nodes) -> None:
        async with serving(nodes) as leader:
            await nodes.done("SET", "large", b"x" * MIB)
            follower = next(name for name in nodes.names if name != leader)
            gets, sets = encode(("GET", "large")) * 1000, encode(("SET", "flood", "y" * 200)) * 100
            at_most = encode(("SET", "flood", b"z" * MIB))
            taken = await asyncio.gather(
                *(flood(nodes.address(name), piece) for name in (leader, follower) for piece in (gets, sets, at_most, encode(("PING",)) * 1000)),
            )
            print(f"{sum(taken) / MIB:.0f} MiB were taken from those who do not read")

    with_nodes(Nodes(tmp_path), work)


def test_values_at_the_limits(tmp_path: Path) -> None:
    async def work(nodes: Nodes) -> None:
        async with serving(nodes) as leader:
            follower = next(name for name in nodes.names if name != leader)
            limits = nodes.configs[leader].limits
            for name in (leader, follower):
                async with await Resp.connect(*nodes.address(name)) as client:
                    largest = b"v" * limits.value_bytes_max
                    assert await client.call("SET", b"k" * limits.key_bytes_max, largest) == "OK"
                    assert await client.call("GET", b"k" * limits.key_bytes_max) == largest
                    assert await client.call("CAS", b"k" * limits.key_bytes_max, largest, b"w" * limits.value_bytes_max) == 1
                    assert await client.call("MSET", *(b"a", b"b") * ((limits.arguments_max - 2) // 2)) == "OK"
                    answer = await client.call("SET", b"k" * (limits.key_bytes_max + 1), b"v")
                    assert isinstance(answer, Error) and answer.kind == "ERR"
                answer = Error((await pour(nodes.address(name), encode(("DEL", *("k",) * 10_000)))).decode())
                assert "Protocol error" in answer, answer
                answer = Error((await pour(nodes.address(name), encode(("SET", "k", b"v" * (limits.value_bytes_max + 1))))).decode())
                assert "Protocol error" in answer, answer

    with_nodes(Nodes(tmp_path), work)


def test_strangers_who_claim_to_be_nodes(tmp_path: Path) -> None:
    """Those of another cluster, of another name or version are sent away, whatever they say then."""

    async def work(nodes: Nodes) -> None:
        async with serving(nodes) as leader:
            other = next(name for name in nodes.names if name != leader)
            for said in (
                hello(nodes, cluster="another", src=other, dst=leader), hello(nodes, src="n9", dst=leader), hello(nodes, src=leader, dst=leader),
                hello(nodes, src=other, dst=other), hello(nodes, src=other, dst=leader, version=99),
            ):  # fmt: skip
                overthrow = encode_messages([AppendEntries("n9", leader, 1 << 40, 0, 0, (), 0, 1)], MIB)
                await asyncio.gather(*(pour(nodes.raft_address(leader), said + overthrow) for _ in range(20)))
            assert (await nodes.standing(leader)).term < 1 << 30
            refused = [line for line in nodes.log(leader) if line["event"] == "connection refused"]
            assert refused and len(refused) < 5

    with_nodes(Nodes(tmp_path), work)


@pytest.mark.slow
def test_an_impostor_who_talks_nonsense(tmp_path: Path) -> None:
    """Without TLS anybody can claim to be a node.  What it says must be possible at least: nothing else harms."""
    far, trio = 1 << 61, configuration(["n1", "n2", "n3"])

    def nonsense(src: str, dst: str, term: int) -> list[object]:
        return [
            AppendEntries(src, dst, term, far, term, (), far, far), AppendEntries(src, dst, term, -5, -5, (), -5, -5),
            AppendEntries(src, dst, term, 0, 0, (Entry(term, 7), Entry(term, 3), Entry(term, far)), far, 1),
            AppendEntries(src, dst, (1 << 63) - 1, 0, 0, (), 0, 1), Vote(src, dst, (1 << 64) - 1, True),
            Appended(src, dst, term, far, far), Appended(src, dst, term, -1, -1, -1, -1, -1), ReadReply(src, dst, term, 5, far),
            InstallSnapshot(src, dst, term, far, term, trio, 0, b"x" * 1000, 1 << 50, 1), InstallSnapshot(src, dst, term, far, term, trio, 1 << 40, b"x", 1 << 41, 1),
            InstallSnapshot(src, dst, term, far, term, trio, 0, b"no snapshot", 11, 1), InstallSnapshot(src, dst, term, far, term, trio, 0, b"", 0, 1),
            Forward(src, dst, 1, b"\xff" * 100), Forward(src, dst, -1, msgspec.msgpack.encode(("get", b"k", None, None, 0, 0)).replace(b"\xa3get", b"\xa3\xff\xff\xff")),
        ]  # fmt: skip

    async def work(nodes: Nodes) -> None:
        async with serving(nodes) as leader:
            for _ in range(5):
                for dst in nodes.names:
                    src = next(name for name in nodes.names if name not in (dst, leader))
                    term = (await nodes.standing(dst)).term
                    for message in nonsense(src, dst, term):
                        await pour(nodes.raft_address(dst), hello(nodes, src=src, dst=dst) + encode_messages([message], MIB), wait_s=0.02)  # type: ignore[list-item]
            await nodes.served()
            assert max([(await nodes.standing(name)).term for name in nodes.names]) < 1 << 30
            assert any(nodes.events(name, "absurd message") for name in nodes.names)
            await nodes.kill(*nodes.names)  # and what they stored can be read again
            nodes.start()
            await nodes.served()

    with_nodes(Nodes(tmp_path), work)
