"""Where clients connect to a node: who is connected, and how much is under way in all.

Law: what is kept for all clients together is bounded; what would be too much is refused before anything happens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from scrutator.impl.node.clients import commands_cluster, commands_keys, commands_server
from scrutator.impl.node.clients.commands import Caller, Table
from scrutator.impl.node.clients.connection import Connection, shown
from scrutator.impl.node.clients.resp import Bounds
from scrutator.impl.node.config import NodeConfig
from scrutator.impl.node.links.wire import command_bytes_max
from scrutator.impl.node.log import Log
from scrutator.impl.node.rarely import Rarely
from scrutator.impl.node.sockets import BACKLOG, listen

if TYPE_CHECKING:
    from scrutator.impl.node.replica import Replica

GRACE_S = 1.0  # for answers at the end


class ClientServer:
    """Listens for clients of one node.  Counters are since the start, ``requests`` and ``bytes`` are under way."""

    def __init__(self, config: NodeConfig, replica: Replica, log: Log) -> None:
        self.config, self.replica = config, replica
        self.loop = asyncio.get_running_loop()
        self.table: Table = Table((*commands_keys.ENTRIES, *commands_server.ENTRIES, *commands_cluster.ENTRIES))
        limits = config.limits
        self.bounds = Bounds(
            limits.arguments_max,
            max(limits.key_bytes_max, limits.value_bytes_max),
            max(4 * command_bytes_max(limits), 1 << 16),
        )
        self.command_bytes_max = command_bytes_max(limits)
        self.connections: dict[int, Connection] = {}
        self.requests = self.bytes = 0
        self.accepted = self.rejected = self.commands = self.errors = self.garbled = 0
        self._server: asyncio.Server | None = None
        self._rarely = Rarely(log, 1.0)

    @property
    def address(self) -> str:
        """Where it listens, as ``host:port``."""
        if self._server is None or not self._server.sockets:
            return self.config.here.client
        return shown(self._server.sockets[0].getsockname())

    async def start(self) -> None:
        """Listen; raises `ConfigError` where that is not possible."""
        sock = listen(self.config.here.client, f"nodes.{self.config.id}.client")
        self._server = await self.loop.create_server(lambda: Connection(self), sock=sock, backlog=BACKLOG)

    async def close(self) -> None:
        """Accept and begin nothing more, answer what is answered within a second, end all connections."""
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections.values()):
            connection.end()
        due_s = self.loop.time() + GRACE_S
        while self.connections and self.loop.time() < due_s:
            await asyncio.sleep(0.01)
        for connection in list(self.connections.values()):
            connection.abort()
        while self.connections:
            await asyncio.sleep(0)
        if self._server is not None:
            await self._server.wait_closed()

    def callers(self) -> Iterator[Caller]:
        """All connections, as commands know them."""
        return (connection.caller for connection in self.connections.values())

    def say_bad_input(self, caller: Caller, why: str) -> None:
        """Count and log it, unless there was such a line within a second."""
        self.garbled += 1
        self._rarely("bad input", client=caller.address, why=why)
