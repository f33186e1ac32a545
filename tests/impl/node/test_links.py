"""Links over real sockets: nodes find each other again, strangers and liars get nowhere, and nothing is left behind."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress

import pytest

from scrutator.impl.node.config import ConfigError, Limits, NodeConfig, Place
from scrutator.impl.node.links import Links, LinkStatus, incoming
from scrutator.impl.node.links.wire import (
    VERSION,
    Forward,
    Hello,
    NodeMessage,
    encode,
    encode_hello,
    frame_bytes_max,
)
from scrutator.impl.node.log import Log
from scrutator.impl.node.rarely import Rarely
from scrutator.impl.node.sockets import tune

LOOPS = ["asyncio", "uvloop"]
Run = Callable[[Coroutine[object, object, None]], None]


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a test in an event loop, in which nothing may go wrong unnoticed or be left running."""
    factory = None if request.param == "asyncio" else pytest.importorskip("uvloop").new_event_loop

    async def watched(test: Coroutine[object, object, None]) -> None:
        wrong: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: wrong.append(context))
        await asyncio.wait_for(test, 10)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        gc.collect()  # what was left open warns now
        assert not wrong

    def runs(test: Coroutine[object, object, None]) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(watched(test))

    return runs


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


class Lab:
    """Nodes a, b, ... of which links can be opened; what each received and logged."""

    def __init__(self, names: str = "ab", **limits: int) -> None:
        self.names = names
        self.places = {name: Place(f"127.0.0.1:{port}", "127.0.0.1:1") for name, port in zip(names, free_ports(len(names)), strict=True)}
        self.limits = Limits(**limits)
        self.got: dict[str, list[NodeMessage]] = {name: [] for name in names}
        self.logs = {name: io.StringIO() for name in names}

    def config(self, name: str, **changes: object) -> NodeConfig:
        fields = {"cluster": "c", "data": "-", "nodes": self.places, "limits": self.limits, **changes}
        return NodeConfig(name, **fields)  # type: ignore[arg-type]

    @asynccontextmanager
    async def links(self, name: str, **changes: object) -> AsyncIterator[Links]:
        links = Links(self.config(name, **changes), self.got[name].append, Log(name, self.logs[name]))
        await links.start()
        try:
            yield links
        finally:
            await links.close()

    def events(self, name: str) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.logs[name].getvalue().splitlines()]

    def why(self, name: str, event: str) -> str:
        return " / ".join(str(line["why"]) for line in self.events(name) if line["event"] == event)

    def port(self, name: str) -> int:
        return int(self.places[name].raft.rpartition(":")[2])

    async def dial(self, name: str, first: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port(name))
        writer.write(first)
        return reader, writer


async def until(condition: Callable[[], object]) -> None:
    """Wait for it; whoever waits for ever is ended by the test's time limit."""
    while not condition():
        await asyncio.sleep(0.002)


async def closed(reader: asyncio.StreamReader) -> bool:
    with suppress(ConnectionError):
        return await reader.read(1) == b""
    return True


async def ended(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        writer.close()
    for writer in writers:
        with suppress(ConnectionError):
            await writer.wait_closed()


def message(src: str, dst: str, number: int = 1, size: int = 10) -> Forward:
    return Forward(src, dst, number, bytes(size))


def hello(src: str, dst: str, cluster: str = "c", version: int = VERSION) -> bytes:
    return encode_hello(Hello(version, cluster, src, dst))


async def is_served(lab: Lab, a: Links, number: int) -> None:
    """A message from a reaches b."""
    await until(lambda: a.connected()["b"].to)
    a.send("b", [message("a", "b", number)])
    await until(lambda: message("a", "b", number) in lab.got["b"])


# --- peers ------------------------------------------------------------------------------


def test_messages_arrive_in_order_and_are_counted(run: Run) -> None:
    async def test() -> None:
        lab = Lab("abc")
        async with lab.links("a") as a, lab.links("b") as b, lab.links("c"):
            await until(lambda: all(status.to and status.back for links in (a, b) for status in links.connected().values()))
            sent = [message("a", "b", number) for number in range(300)]
            for at in range(0, 300, 3):
                a.send("b", sent[at : at + 3])
                a.send("c", [message("a", "c", at)])
            b.send("a", [message("b", "a")])
            await until(lambda: len(lab.got["b"]) == 300 and len(lab.got["c"]) == 100 and lab.got["a"])
            assert lab.got["b"] == sent and lab.got["a"] == [message("b", "a")]
            assert a.connected()["b"] == LinkStatus(True, True, 300, 1, 0, 0, 0)
            assert b.connected()["a"] == LinkStatus(True, True, 1, 300, 0, 0, 0)

    run(test())


def test_a_peer_that_comes_late_or_comes_back_is_found(run: Run) -> None:
    async def test() -> None:
        lab = Lab()
        async with lab.links("a") as a:
            a.send("b", [message("a", "b"), message("a", "b")])
            assert a.connected()["b"].dropped == 2
            await until(lambda: lab.why("a", "cannot reach peer"))
            for number in (1, 2, 3):
                async with lab.links("b"):
                    await is_served(lab, a, number)
                await until(lambda: not a.connected()["b"].to)
            assert a.connected()["b"].reconnects == 2
            events = [line["event"] for line in lab.events("a")]
            assert events[0] == "cannot reach peer" and "link up" in events and "link lost" in events

    run(test())


def test_a_large_batch_goes_in_several_frames(run: Run) -> None:
    async def test() -> None:
        lab = Lab(value_bytes_max=1000, key_bytes_max=10)
        sent = [message("a", "b", number, 100_000) for number in range(40)]
        assert frame_bytes_max(lab.config("a")) < 4_000_000
        async with lab.links("a") as a, lab.links("b"):
            await until(lambda: a.connected()["b"].to)
            a.send("b", sent)
            await until(lambda: len(lab.got["b"]) == 40)
            assert lab.got["b"] == sent

    run(test())


def test_one_message_too_large_stops_no_other(run: Run) -> None:
    async def test() -> None:
        lab = Lab(value_bytes_max=1000, key_bytes_max=10)
        async with lab.links("a") as a, lab.links("b"):
            await until(lambda: a.connected()["b"].to)
            a.send("b", [message("a", "b", 1), message("a", "b", 2, 5_000_000), message("a", "b", 3)])
            await until(lambda: len(lab.got["b"]) == 2)
            assert lab.got["b"] == [message("a", "b", 1), message("a", "b", 3)]
            assert (a.connected()["b"].sent, a.connected()["b"].dropped) == (2, 1)
            assert "5,000," in lab.why("a", "message too large to send")

    run(test())


def test_a_node_without_address_is_nobody_to_send_to(run: Run) -> None:
    async def test() -> None:
        lab = Lab()
        async with lab.links("a") as a:
            for _ in range(100):
                a.send("z", [message("a", "z")])
            assert [line["why"] for line in lab.events("a") if line["event"] == "no such node"] == [
                "nothing can be sent to 'z': the configuration does not say where it is"
            ]

    run(test())


def test_a_peer_that_does_not_read_costs_no_more_than_its_limit(run: Run) -> None:
    async def test() -> None:
        lab = Lab("ab", link_bytes_max=1 << 20)
        reading = asyncio.Event()
        seen = bytearray()

        async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reading.wait()
            while data := await reader.read(1 << 16):
                seen.extend(data)
            writer.close()

        server = await asyncio.start_server(slow, "127.0.0.1", lab.port("b"))
        async with server, lab.links("a") as a:
            await until(lambda: a.connected()["b"].to)
            for number in range(400):
                a.send("b", [message("a", "b", number, 100_000)])
                await asyncio.sleep(0)
            status = a.connected()["b"]
            assert status.dropped and status.unsent_bytes < 1_300_000
            assert [line["event"] for line in lab.events("a") if "full" in str(line["event"])] == ["link is full, messages are dropped"]
            reading.set()
            await until(lambda: a.connected()["b"].unsent_bytes == 0)
            a.send("b", [message("a", "b", 1000)])
            await until(lambda: seen.endswith(encode([message("a", "b", 1000)], 1000)))
            assert lab.events("a")[-1]["event"] == "link has room again"
            assert lab.events("a")[-1]["dropped"] == status.dropped

    run(test())


def test_one_who_answers_on_the_link_is_left(run: Run) -> None:
    async def test() -> None:
        lab = Lab()

        async def chatty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"-ERR unknown command\r\n")
            await closed(reader)
            with suppress(ConnectionError):
                await reader.read()
            await ended(writer)

        server = await asyncio.start_server(chatty, "127.0.0.1", lab.port("b"))
        async with server, lab.links("a"):
            await until(lambda: "is it a node?" in lab.why("a", "link lost"))

    run(test())


def test_an_address_that_is_taken_is_told(run: Run) -> None:
    async def test() -> None:
        lab = Lab()
        with socket.create_server(("127.0.0.1", lab.port("a"))):
            links = Links(lab.config("a"), lab.got["a"].append, Log("a", lab.logs["a"]))
            with pytest.raises(ConfigError, match=r"nodes.a.raft: cannot listen on 127.0.0.1:\d+: Address already in use"):
                await links.start()
            await links.close()

    run(test())


def test_names_that_do_not_fit_are_told(run: Run) -> None:
    async def test() -> None:
        with pytest.raises(ConfigError, match="choose shorter"):
            Links(Lab().config("a", cluster="c" * 5000), lambda _: None, Log("a", io.StringIO()))

    run(test())


# --- hellos -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (hello("a", "b", cluster="other"), "'a' belongs to cluster 'other', not to c"),
        (hello("z", "b"), "'z' is not one of the other nodes: a"),
        (hello("b", "b"), "'b' is not one of the other nodes: a"),
        (hello("a", "c"), "'a' wanted to reach 'c', but this is b"),
        (hello("a", "b", version=VERSION + 1), f"speaks version {VERSION + 1} of the protocol, this node {VERSION}"),
        (hello("x" * 3000, "b"), "x..."),
        (b"*1\r\n$4\r\nPING\r\n", "does something else than a node speak to this port?"),
        (encode([message("a", "b")], 1000), "does not hold a hello"),
    ],
)
def test_a_hello_that_is_wrong(run: Run, said: bytes, why: str) -> None:
    async def test() -> None:
        lab = Lab()
        async with lab.links("b"):
            reader, writer = await lab.dial("b", said + encode([message("a", "b", 66)], 1000))
            assert await closed(reader)
            await ended(writer)
            assert why in lab.why("b", "connection refused")
            assert len(lab.logs["b"].getvalue()) < 1500
            assert lab.got["b"] == []

    run(test())


def test_two_that_do_not_belong_together_stay_apart(run: Run) -> None:
    async def test() -> None:
        lab = Lab()
        async with lab.links("a", cluster="other") as a, lab.links("b") as b:
            await until(lambda: "cluster 'other'" in lab.why("b", "connection refused") and "its log may say why" in lab.why("a", "link lost"))
            a.send("b", [message("a", "b")])
            await asyncio.sleep(0.05)
            assert not b.connected()["a"].back and lab.got["b"] == []

    run(test())


def test_a_link_that_is_refused_again_and_again_does_not_fill_the_log(run: Run) -> None:
    async def test() -> None:
        lab = Lab()
        async with lab.links("a", cluster="other") as a, lab.links("b"):
            await until(lambda: a.connected()["b"].reconnects >= 4)
            assert len(lab.events("a")) <= 5 and len(lab.events("b")) <= 5  # twice up and lost, once refused

    run(test())


def test_a_peer_that_is_down_is_said_once(run: Run) -> None:
    async def test() -> None:
        lab = Lab()
        async with lab.links("a"):
            await until(lambda: lab.events("a"))
            await asyncio.sleep(0.4)
            assert [line["event"] for line in lab.events("a")] == ["cannot reach peer"]

    run(test())


def test_a_second_connection_replaces_the_first(run: Run) -> None:
    async def test() -> None:
        lab = Lab()
        async with lab.links("b") as b:
            one_reader, one = await lab.dial("b", hello("a", "b") + encode([message("a", "b", 1)], 1000))
            await until(lambda: len(lab.got["b"]) == 1)
            _, two = await lab.dial("b", hello("a", "b") + encode([message("a", "b", 2)], 1000))
            assert await closed(one_reader)
            await until(lambda: len(lab.got["b"]) == 2)
            assert b.connected()["a"].back
            two.write(encode([message("a", "b", 3)], 1000))
            await until(lambda: len(lab.got["b"]) == 3)
            await ended(one, two)
            await until(lambda: not b.connected()["a"].back)

    run(test())


@pytest.mark.parametrize(
    "lie", [message("c", "b"), message("b", "b"), message("a", "c"), message("a", "a")], ids=lambda lie: lie.src + lie.dst
)
def test_a_message_in_the_name_of_another(run: Run, lie: Forward) -> None:
    async def test() -> None:
        lab = Lab("abc")
        async with lab.links("b"):
            reader, writer = await lab.dial("b", hello("a", "b") + encode([message("a", "b"), lie, message("a", "b", 2)], 1000))
            assert await closed(reader)
            await ended(writer)
            assert lab.got["b"] == [message("a", "b")]
            assert f"a message from '{lie.src}' to '{lie.dst}' came over the connection from a to b" in lab.why("b", "peer cut off")

    run(test())


# --- hostile ----------------------------------------------------------------------------

GOOD = encode([message("a", "b", 1, 1000)], 10_000)
SPOILT = [
    b"\xff" * 100, b"GET / HTTP/1.1\r\n\r\n", bytes(1000), hello("a", "b")[:-1] + b"\x00",
    hello("a", "b") + b"\xff\xff\xff\xff\x00\x00\x00\x00", hello("a", "b") + bytes(8),
    hello("a", "b") + GOOD[:50] + b"\x01" + GOOD[51:], hello("a", "b") + hello("a", "b"),
]  # fmt: skip


@pytest.mark.parametrize("said", SPOILT)
def test_spoilt_bytes_end_their_connection_alone(run: Run, said: bytes) -> None:
    async def test() -> None:
        lab = Lab("abc")
        async with lab.links("b"), lab.links("c") as c:
            reader, writer = await lab.dial("b", said)
            assert await closed(reader)
            await ended(writer)
            await until(lambda: c.connected()["b"].to)
            c.send("b", [message("c", "b")])
            await until(lambda: lab.got["b"])
            assert lab.got["b"] == [message("c", "b")]

    run(test())


def test_truncated_frames_are_never_handed_on(run: Run) -> None:
    async def test() -> None:
        lab = Lab("ab")
        async with lab.links("b"):
            for cut in (1, 7, 8, 9, len(GOOD) - 1):
                _, writer = await lab.dial("b", hello("a", "b") + GOOD[:cut])
                await ended(writer)
            _, writer = await lab.dial("b", hello("a", "b") + GOOD)
            await until(lambda: lab.got["b"])
            await ended(writer)
            assert len(lab.got["b"]) == 1

    run(test())


def test_who_dribbles_is_ended_and_holds_nobody_up(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "HELLO_TIMEOUT_S", 0.3)

    async def test() -> None:
        lab = Lab()
        async with lab.links("a") as a, lab.links("b"):
            reader, writer = await lab.dial("b")

            async def dribble() -> None:
                with suppress(ConnectionError):
                    for byte in hello("a", "b") * 100:
                        writer.write(bytes([byte]))
                        await asyncio.sleep(0.02)

            dribbling = asyncio.create_task(dribble())
            await is_served(lab, a, 1)
            assert await closed(reader)
            dribbling.cancel()
            await asyncio.wait([dribbling])
            await ended(writer)
            assert "no hello within 0.3 s" in lab.why("b", "connection refused")
            await is_served(lab, a, 2)

    run(test())


def test_a_thousand_silent_connections(run: Run) -> None:
    async def test() -> None:
        lab = Lab()
        silent: list[socket.socket] = []
        async with lab.links("b"):
            try:
                loop = asyncio.get_running_loop()
                for _ in range(1000):
                    sock = socket.socket()
                    silent.append(sock)
                    sock.setblocking(False)
                    await loop.sock_connect(sock, ("127.0.0.1", lab.port("b")))
                async with lab.links("a") as a:
                    await is_served(lab, a, 1)
                assert lab.why("b", "connection crowded out").count("128") == 1  # one line for hundreds of them
            finally:
                for sock in silent:
                    sock.close()

    run(test())


def test_a_flood_of_garbage_does_not_fill_the_log(run: Run) -> None:
    async def test() -> None:
        lab = Lab()
        async with lab.links("a") as a, lab.links("b"):
            for _ in range(200):
                reader, writer = await lab.dial("b", b"garbage!" * 10)
                assert await closed(reader)
                await ended(writer)
            await is_served(lab, a, 1)
            assert len([line for line in lab.events("b") if line["event"] == "connection refused"]) <= 3

    run(test())


def test_rarely_says_how_much_it_left_out() -> None:
    file, now_s = io.StringIO(), [0.0]
    rarely = Rarely(Log("a", file), 10.0, lambda: now_s[0])
    for now_s[0] in (0.0, 1.0, 9.9, 10.0, 11.0, 25.0):
        rarely("refused", why=now_s[0])
        rarely("refused", "b", why=now_s[0])
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert [(line["why"], line.get("left_out")) for line in lines if "peer" not in line] == [(0.0, None), (10.0, 2), (25.0, 1)]
    assert len(lines) == 6


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux has these options")
def test_sockets_notice_a_way_that_is_cut_without_a_word(run: Run) -> None:
    async def test() -> None:
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            sock = writer.get_extra_info("socket")
            tune(sock)
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 3000
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) and sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) + 1 <= sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) / 1000
            await ended(writer)

    run(test())


# --- the end ----------------------------------------------------------------------------


def test_close_in_the_midst_of_everything(run: Run) -> None:
    """The fixture looks for tasks, sockets and errors that were left behind."""

    async def test() -> None:
        lab = Lab("abcd")
        writers = []
        async with lab.links("a") as a, lab.links("b"):
            await until(lambda: a.connected()["b"].to)
            for first in (b"", b"\x00", hello("c", "a"), hello("d", "a") + GOOD[:20]):
                writers.append((await lab.dial("a", first))[1])
            for number in range(50):
                a.send("b", [message("a", "b", number, 100_000)])
        await ended(*writers)

    run(test())


def test_close_from_within_a_message(run: Run) -> None:
    async def test() -> None:
        lab = Lab()
        closing: list[Awaitable[None]] = []
        got: list[NodeMessage] = []

        def receive(message: NodeMessage) -> None:
            got.append(message)
            closing.append(asyncio.ensure_future(b.close()))

        b = Links(lab.config("b"), receive, Log("b", lab.logs["b"]))
        await b.start()
        async with lab.links("a") as a:
            await until(lambda: a.connected()["b"].to)
            a.send("b", [message("a", "b", 1)])
            await until(lambda: closing)
            await closing[0]
            assert got == [message("a", "b", 1)]

    run(test())
