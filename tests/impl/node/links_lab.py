"""Links of nodes over real sockets, what each received and logged, and what a stranger may say to them."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from loops import free_ports, until

from scrutator.impl.node.config import Limits, NodeConfig, Place
from scrutator.impl.node.links import Links
from scrutator.impl.node.links.wire import VERSION, Forward, Hello, NodeMessage, encode, encode_hello
from scrutator.impl.node.log import Log

LIMIT_S = 10.0  # for a test


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


GOOD = encode([message("a", "b", 1, 1000)], 10_000)
