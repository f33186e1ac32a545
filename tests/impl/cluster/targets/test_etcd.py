"""etcd as it is installed: what its clients may conclude, and what cuts and kills do to it."""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from scrutator.checker.linear import History, check_linearizable
from scrutator.checker.verdict import Verdict
from scrutator.impl.cluster.record.run import Plan, record
from scrutator.impl.cluster.target import Refused, TargetError, Unknown
from scrutator.impl.cluster.targets import etcd
from scrutator.impl.cluster.targets._etcd_client import BODY_BYTES_MAX, EtcdClient
from scrutator.impl.cluster.targets.etcd import EtcdTarget

needs_etcd = pytest.mark.skipif(shutil.which("etcd") is None, reason="etcd is not installed")


def with_cluster(folder: Path, do: Callable[[EtcdTarget], Awaitable[None]], **options: str) -> None:
    async def run() -> None:
        target = EtcdTarget(heartbeat_ms="50", election_ms="500", **options)
        try:
            await target.start(folder, 3, 1)
            await do(target)
        finally:
            await target.stop()

    asyncio.run(run())


async def until(found: Callable[[], Awaitable[bool]], timeout_s: float = 30.0) -> None:
    end = time.monotonic() + timeout_s
    while not await found():
        assert time.monotonic() < end, "it did not come to pass"
        await asyncio.sleep(0.05)


async def got(client: EtcdClient, key: str) -> str | None:
    """What a read says, if it says something soon."""
    try:
        async with asyncio.timeout(0.5):
            return await client.get(key)
    except (Refused, TimeoutError) as error:
        return type(error).__name__


@needs_etcd
def test_operations_kills_and_pauses(tmp_path):
    async def use(target: EtcdTarget) -> None:
        first, other = target.connect("n1", 1), target.connect("n2", 2)
        assert await first.get("k") is None
        assert not await first.cas("k", "a", "b")
        assert await first.cas("k", None, "a") and not await other.cas("k", None, "b")
        assert await other.cas("k", "a", "ä;")
        await first.append("k", "c")
        assert await other.get("k") == "ä;c"
        assert await other.delete("k") and not await other.delete("k")
        assert [await first.incr("n"), await other.incr("n")] == [1, 2]
        await first.append("new", "x" * 5000)  # an answer that comes in chunks
        assert await other.get("new") == "x" * 5000

        assert await target.leader() in target.nodes
        await target.kill("n1")
        with pytest.raises((Refused, Unknown)):
            await first.put("k", "lost")
        with pytest.raises(Refused, match="not sent"):
            await first.put("k", "lost")
        free = target.connect(None, 0)  # begins at n1, and goes on

        async def put() -> bool:
            try:
                async with asyncio.timeout(1.0):
                    await free.put("k", "free")
            except (Refused, Unknown, TimeoutError):
                return False
            return True

        await until(put)
        assert target.problems() == []  # it was asked for
        await target.restart("n1")

        async def is_back() -> bool:
            return await got(first, "k") == "free"

        await until(is_back)
        await target.pause("n2")
        assert await got(other, "k") == "TimeoutError"
        await target.resume("n2")
        await until(put)
        for client in (first, other, free):
            await client.close()

    with_cluster(tmp_path, use)


@needs_etcd
@pytest.mark.slow
@pytest.mark.parametrize("hears", [True, False])
def test_one_direction_can_be_cut_by_itself(hears, tmp_path):
    """A leader that nobody hears is overthrown and learns by whom; one that hears nobody is overthrown and never learns."""

    async def use(target: EtcdTarget) -> None:
        async def led_by(node: str) -> str | None:
            """Whom a node holds to be the leader."""
            status = await target._ask(node, "/v3/maintenance/status", etcd._Status)
            return None if status is None else target._doors.ids.get(f"{int(status.leader):x}")

        leader = await target.leader()
        assert leader is not None
        others = [node for node in target.nodes if node != leader]
        await target.partition(frozenset((leader, other) if hears else (other, leader) for other in others))

        async def is_overthrown() -> bool:
            return await led_by(others[0]) in others

        async def knows() -> bool:
            return await led_by(leader) in others

        await until(is_overthrown)
        if hears:
            await until(knows)
        else:
            for _ in range(20):
                assert not await knows()
                await asyncio.sleep(0.05)
        await target.partition(frozenset())

        async def agree() -> bool:
            return len({await led_by(node) for node in target.nodes} - {None}) == 1

        await until(agree)

    with_cluster(tmp_path, use)


@needs_etcd
def test_a_leader_that_is_cut_off_serves_stale_reads_if_asked_for_them(tmp_path):
    """Which also shows that the doors cut what passes between peers, and let it pass once they are healed."""

    async def use(target: EtcdTarget) -> None:
        leader = await target.leader()
        assert leader is not None
        others = [node for node in target.nodes if node != leader]
        alone, majority = target.connect(leader, 1), target.connect(others[0], 2)
        strict = EtcdClient(alone.addresses, 0, serializable=False)
        await alone.put("k", "old")
        await target.partition(frozenset(pair for other in others for pair in ((leader, other), (other, leader))))

        async def put() -> bool:
            try:
                async with asyncio.timeout(1.0):
                    await majority.put("k", "new")
            except (Refused, Unknown, TimeoutError):
                return False
            return True

        await until(put)
        assert await target.leader() != leader
        assert await got(alone, "k") == "old"  # a serializable read of a value that was overwritten
        assert await got(strict, "k") in ("Refused", "TimeoutError")
        with pytest.raises((TimeoutError, Unknown)):
            async with asyncio.timeout(0.5):
                await alone.put("l", "alone")
        await target.partition(frozenset())

        async def has_caught_up() -> bool:
            return await got(strict, "k") == await got(alone, "k") == "new"

        await until(has_caught_up)
        for client in (alone, majority, strict):
            await client.close()

    with_cluster(tmp_path, use, reads="serializable")


@needs_etcd
@pytest.mark.slow
@pytest.mark.parametrize(
    ("reads", "faults", "verdict"),
    [
        ("linearizable", ["kill", "pause", "partition"], Verdict.HOLDS),
        ("serializable", ["partition"], Verdict.VIOLATED),
    ],
)
def test_verdicts(tmp_path, reads, faults, verdict):
    plan = Plan(target="etcd", options={}, workload="kv", nodes=3, clients=6, seconds=20.0, faults=faults, seed=3, rate=200.0)
    run = asyncio.run(record(plan, EtcdTarget(reads=reads), tmp_path, lambda text: None))
    assert run.counts.operations > 1000 and not run.fault_errors
    assert check_linearizable(History.read(tmp_path / "history.jsonl"), run.object).verdict is verdict


# --- what an answer means, by a server that gives any answer ----------------------------------------


def answered(answer: bytes, do: Callable[[EtcdClient], Awaitable[object]]) -> object:
    """What a client makes of it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async def run() -> object:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        client = EtcdClient([server.sockets[0].getsockname()[:2]], 0, serializable=False)
        try:
            async with asyncio.timeout(10):
                return await do(client)
        finally:
            await client.close()
            server.close()

    return asyncio.run(run())


def failure(text: str, code: int = 14) -> bytes:
    body = b'{"error":"%s","message":"%s","code":%d}' % (text.encode(), text.encode(), code)
    return b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (failure("etcdserver: too many requests", 8), Refused),
        (failure("etcdserver: request is too large", 3), Refused),
        (failure("raft proposal dropped", 2), Refused),
        (failure("etcdserver: request timed out"), Unknown),
        (failure("etcdserver: request timed out, possibly due to previous leader failure"), Unknown),
        (failure("etcdserver: leader changed"), Unknown),
        (failure("etcdserver: server stopped"), Unknown),
        (failure("context deadline exceeded", 4), Unknown),
        (b"", Unknown),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", Unknown),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", Unknown),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", Unknown),
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (BODY_BYTES_MAX + 1), Unknown),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n", Unknown),
        (b"HTTP/1.1 200 OK\r\n\r\n", Unknown),
        (b"SSH-2.0\r\n\r\n", Unknown),
        (b"x" * 100_000, Unknown),
    ],
)
def test_what_an_error_of_a_write_means(answer, outcome):
    with pytest.raises(outcome):
        answered(answer, lambda client: client.put("k", "v"))
    with pytest.raises(Refused):  # whatever it was, a read changes nothing
        answered(answer, lambda client: client.get("k"))


def test_answers_in_one_piece_and_in_chunks():
    body = b'{"count":"1","kvs":[{"key":"aw==","value":"dg==","mod_revision":"3"}]}'
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (body[:5], len(body) - 5, body[5:])
    for answer in (whole, chunks):
        assert answered(answer, lambda client: client.get("k")) == "v"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"reads": "fast"}, "reads=fast: write linearizable or serializable"),
        ({"heartbeat_ms": "soon"}, "heartbeat_ms=soon"),
        ({"heartbeat_ms": "500"}, "at least 5 times"),
        ({"fsync": "perhaps"}, "fsync=perhaps"),
        ({"program": "no-such-etcd"}, "apt install etcd-server"),
        ({"program": "true"}, "is that etcd"),
    ],
)
def test_options_that_cannot_be_used(options, said):
    with pytest.raises(TargetError, match=said):
        EtcdTarget(**options)


def test_a_clock_is_not_among_its_faults(monkeypatch):
    monkeypatch.setattr(etcd, "_program", lambda program: program)
    monkeypatch.setattr(etcd, "_version", lambda program: "3.4")
    target = EtcdTarget()
    assert target.faults == {"kill", "pause", "partition"}
    with pytest.raises(TargetError, match="libfaketime"):
        asyncio.run(target.clock("n1", 1.0, 1.0))
