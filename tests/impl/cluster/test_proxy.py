"""Proxies pass bytes on, in order; a cut is a black hole, and what it held back never arrives."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from scrutator.impl.cluster.ports import LOOPBACK
from scrutator.impl.cluster.proxy import Proxies

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

InLab = Callable[[Callable[["Lab"], Awaitable[None]]], None]


class Lab:
    """Servers a and b, each behind proxies; the server b answers what it reads, in capitals."""

    def __init__(self) -> None:
        self.proxies = Proxies()
        self.heard = {"a": bytearray(), "b": bytearray()}
        self.servers: dict[str, asyncio.Server] = {}
        self.accepted = {"a": 0, "b": 0}
        self.writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Lab:
        for name in self.heard:
            self.servers[name] = await asyncio.start_server(self._handler(name), LOOPBACK, 0)
        await self.proxies.open({name: server.sockets[0].getsockname() for name, server in self.servers.items()})
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.proxies.close()
        for server in self.servers.values():
            server.close()
        for writer in self.writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        await asyncio.sleep(0.01)

    def _handler(self, name: str) -> Handler:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.accepted[name] += 1
            self.writers.append(writer)
            with contextlib.suppress(OSError):
                while data := await reader.read(1 << 16):
                    self.heard[name] += data
                    writer.write(data.upper())
                    await writer.drain()
                writer.close()

        return handle

    async def dial(self, src: str, dst: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(*self.proxies.address(src, dst))
        self.writers.append(writer)
        return reader, writer

    async def hears(self, name: str, data: bytes, timeout_s: float = 20) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while bytes(self.heard[name]) != data:
                    await asyncio.sleep(0.005)
        return bytes(self.heard[name]) == data


@pytest.fixture(params=["asyncio", "uvloop"])
def in_lab(request: pytest.FixtureRequest) -> InLab:
    factory = asyncio.new_event_loop if request.param == "asyncio" else pytest.importorskip("uvloop").new_event_loop

    def run(work: Callable[[Lab], Awaitable[None]]) -> None:
        async def main() -> None:
            async with Lab() as lab:
                await work(lab)

        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(main())

    return run


def test_bytes_pass_both_ways_and_in_order(in_lab: InLab) -> None:
    async def work(lab: Lab) -> None:
        reader, writer = await lab.dial("a", "b")
        data = b"".join(b"%07d," % k for k in range(200_000))
        writer.write(data)
        assert await reader.readexactly(len(data)) == data and bytes(lab.heard["b"]) == data and not lab.heard["a"]
        writer.close()
        assert await reader.read() == b""

    in_lab(work)


def test_a_cut_is_a_black_hole_and_healing_resets(in_lab: InLab) -> None:
    async def work(lab: Lab) -> None:
        reader, writer = await lab.dial("a", "b")
        writer.write(b"before")
        assert await reader.readexactly(6) == b"BEFORE"
        lab.proxies.cut({("a", "b"), ("b", "a")})
        writer.write(b"lost")
        later_reader, later_writer = await lab.dial("a", "b")  # accepted, as by a wire: nobody is behind it
        later_writer.write(b"lost too")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.1)
        assert bytes(lab.heard["b"]) == b"before" and lab.accepted["b"] == 1
        lab.proxies.cut(())
        for old in (reader, later_reader):
            with contextlib.suppress(ConnectionResetError):
                assert await old.read() == b""
        reader, writer = await lab.dial("a", "b")
        writer.write(b" after")
        assert await reader.readexactly(6) == b" AFTER"
        assert bytes(lab.heard["b"]) == b"before after"  # nothing old floods in

    in_lab(work)


def test_each_direction_is_cut_by_itself(in_lab: InLab) -> None:
    async def work(lab: Lab) -> None:
        reader, writer = await lab.dial("a", "b")
        other, back = await lab.dial("b", "a")
        writer.write(b"1")
        back.write(b"1")
        await reader.readexactly(1)
        await other.readexactly(1)
        lab.proxies.cut({("b", "a")})
        writer.write(b"2")  # passes; what b answers does not
        assert await lab.hears("b", b"12")
        back.write(b"2")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.1)
        assert bytes(lab.heard["a"]) == b"1"

    in_lab(work)


def test_a_cut_hides_that_a_node_has_died_and_a_whole_wire_tells(in_lab: InLab) -> None:
    async def work(lab: Lab) -> None:
        reader, writer = await lab.dial("a", "b")
        writer.write(b"x")
        await reader.readexactly(1)
        lab.proxies.cut({("b", "a")})
        lab.writers[-1].close()  # b's end of the connection
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.1)
        writer.write(b"into nowhere")
        lab.proxies.cut(())
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""

    in_lab(work)


def test_one_direction_heals_while_the_other_stays_cut(in_lab: InLab) -> None:
    async def work(lab: Lab) -> None:
        lab.proxies.cut({("a", "b"), ("b", "a")})
        _, writer = await lab.dial("a", "b")
        writer.write(b"x")
        lab.proxies.cut({("b", "a")})
        await asyncio.sleep(0.05)
        reader, writer = await lab.dial("a", "b")  # no connection comes about with one direction only
        writer.write(b"y")
        assert not await lab.hears("b", b"y", 0.1) and not lab.heard["b"]
        lab.proxies.cut(())
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""

    in_lab(work)


def test_a_node_that_does_not_listen_refuses(in_lab: InLab) -> None:
    async def work(lab: Lab) -> None:
        lab.servers["b"].close()
        reader, _ = await lab.dial("a", "b")
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""

    in_lab(work)


def test_a_slow_direction_keeps_order_and_waits(in_lab: InLab) -> None:
    async def work(lab: Lab) -> None:
        loop = asyncio.get_running_loop()
        lab.proxies.slow(("a", "b"), delay_s=0.05)
        reader, writer = await lab.dial("a", "b")
        start = loop.time()
        for k in range(10):
            writer.write(b"%d" % k)
            await asyncio.sleep(0.002)
        assert await reader.readexactly(10) == b"0123456789"
        assert loop.time() - start >= 0.05
        data = b"".join(b"%05d" % k for k in range(2000))
        for k in range(0, len(data), 500):
            writer.write(data[k : k + 500])
            await asyncio.sleep(0)
        assert await reader.readexactly(len(data)) == data
        lab.proxies.slow(("a", "b"), bytes_per_s=2e6)
        start = loop.time()
        writer.write(bytes(400_000))
        await reader.readexactly(400_000)
        assert loop.time() - start >= 0.15
        lab.proxies.slow(("a", "b"))
        writer.write(b"fast")
        assert await reader.readexactly(4) == b"FAST"

    in_lab(work)


def test_a_writer_is_held_back_rather_than_stored_for(in_lab: InLab) -> None:
    async def work(lab: Lab) -> None:
        lab.proxies.cut({("a", "b"), ("b", "a")})
        _, writer = await lab.dial("a", "b")
        writer.write(bytes(64 << 20))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(writer.drain(), 0.2)
        assert lab.accepted["b"] == 0
        writer.transport.abort()

    in_lab(work)
