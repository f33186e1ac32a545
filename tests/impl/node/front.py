"""A client server over a replica that is none: it applies what it is asked at once, later, or never."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from msgspec.structs import replace as changed

from scrutator.impl.machine import Command, KeyValue, is_read
from scrutator.impl.node.clients import ClientServer
from scrutator.impl.node.config import Limits, NodeConfig, Place
from scrutator.impl.node.log import Log
from scrutator.impl.node.requests import Done, Outcome
from scrutator.impl.node.status import Status
from scrutator.impl.raft import Configuration, configuration

STATUS = Status(
    id="n1", cluster="c", role="leader", term=3, leader="n1", voters=("n1", "n2", "n3"), learners=(), joint=False, commit=9, applied=9,
    last=10, base=4, snapshot_bytes=100, log_bytes=50, waiting=0, keys=0, sessions=0, followers={"n2": (10, 0), "n3": (7, 3)},
)  # fmt: skip


class Core:
    def __init__(self, members: Configuration) -> None:
        self.configuration = members


class FakeReplica:
    """``manner`` decides what becomes of a request: by default it is carried out at once."""

    def __init__(self) -> None:
        self.id, self.machine, self.index = "n1", KeyValue(), 0
        self.now: Status = STATUS
        self.raft = Core(configuration(("n1", "n2", "n3")))
        self.manner: Callable[[Command, Done], None] = lambda command, done: done(self.carried_out(command))
        self.asked: list[tuple[object, ...]] = []

    def carried_out(self, command: Command) -> Outcome:
        if is_read(command):
            return Outcome(self.machine.query(command))
        self.index += 1
        return Outcome(self.machine.apply_command(self.index, command))

    def submit(self, command: Command, done: Done) -> None:
        self.manner(command, done)

    def change(self, wanted: Configuration, done: Done, *, single: bool) -> None:
        self.asked.append(("change", wanted, single))
        self.raft.configuration = wanted
        done(Outcome(self.machine.query(Command("size"))))

    def transfer(self, to: str) -> None:
        self.asked.append(("transfer", to))

    def compact(self) -> None:
        self.asked.append(("compact",))

    def set_clock(self, offset_s: float, rate: float) -> None:
        self.asked.append(("clock", offset_s, rate))

    def status(self) -> Status:
        return replace(self.now, keys=len(self.machine.data), sessions=len(self.machine.sessions))


class Kept(Log):
    """A log that keeps its lines."""

    def __init__(self) -> None:
        super().__init__("n1")
        self.lines: list[tuple[str, dict[str, object]]] = []

    def __call__(self, event: str, **fields: object) -> None:
        self.lines.append((event, fields))


def config(limits: Limits | None = None, **changes: object) -> NodeConfig:
    places = {name: Place(f"127.0.0.1:{7000 + number}", f"127.0.0.1:{7100 + number}") for number, name in enumerate(("n1", "n2", "n3"), 1)}
    places["n1"] = Place("127.0.0.1:7001", "127.0.0.1:0")
    return changed(NodeConfig(id="n1", cluster="c", data="", nodes=places, limits=limits or Limits()), **changes)


class Wire:
    """A raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, data: bytes, size: int = 0) -> bytes:
        """Send, and return an answer of one line, or of so many bytes."""
        self.writer.write(data)
        return await asyncio.wait_for(self.reader.readexactly(size) if size else self.reader.readline(), 20)

    async def rest(self) -> bytes:
        """Everything until the connection ends."""
        try:
            return await asyncio.wait_for(self.reader.read(), 20)
        except ConnectionResetError:
            return b""


class Front:
    """A client server and its fake replica."""

    def __init__(self, server: ClientServer, replica: FakeReplica, log: Kept) -> None:
        self.server, self.replica, self.log = server, replica, log
        self.port = int(server.address.rpartition(":")[2])

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Wire]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Wire(reader, writer)
        finally:
            writer.transport.abort()
            await asyncio.sleep(0)


@asynccontextmanager
async def front(limits: Limits | None = None, **changes: object) -> AsyncIterator[Front]:
    replica, log = FakeReplica(), Kept()
    server = ClientServer(config(limits, **changes), replica, log)
    await server.start()
    try:
        yield Front(server, replica, log)
    finally:
        await server.close()
