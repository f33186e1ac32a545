"""Links over real sockets: nodes find each other again, slow and chatty peers are borne, and nothing is left behind."""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import Awaitable
from contextlib import suppress

import pytest
from links_lab import GOOD, LIMIT_S, Lab, closed, ended, hello, is_served, message
from loops import Run, running, until

from scrutator.impl.node.config import ConfigError
from scrutator.impl.node.links import Links, LinkStatus
from scrutator.impl.node.links.wire import NodeMessage, encode, frame_bytes_max
from scrutator.impl.node.log import Log

run = running(LIMIT_S)


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


def test_a_peer_that_is_down_is_said_once(run: Run) -> None:
    async def test() -> None:
        lab = Lab()
        async with lab.links("a"):
            await until(lambda: lab.events("a"))
            await asyncio.sleep(0.4)
            assert [line["event"] for line in lab.events("a")] == ["cannot reach peer"]

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
