"""Strangers at the port for nodes: garbage, dribbles, silence and floods cost them their connection, and nobody else."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import pytest
from links_lab import GOOD, LIMIT_S, Lab, closed, ended, hello, is_served, message
from loops import Run, running, until

from scrutator.impl.node.links import incoming

run = running(LIMIT_S)

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
