"""Doors before the peer ports of an etcd cluster, which send each connection through the proxy of its pair.

etcd's nodes all dial a node at the one address that it advertises, so that a port alone does not tell who dials.
But the first request of a connection says so itself: its header X-Server-From is the dialler's member id
(etcdserver/api/rafthttp), which follows from its address and the cluster's token (membership.NewMember).

Law: what names its sender passes through the proxy of that pair, and is cut there; what names nobody (GET /version
and /members, which are no part of Raft) goes straight to the node.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Coroutine, Mapping
from functools import partial

from scrutator.impl.cluster.ports import LOOPBACK
from scrutator.impl.cluster.proxy import Pair, Proxies

HEAD_BYTES_MAX = 16 << 10
CHUNK_BYTES = 64 << 10
HEAD_S_MAX = 10.0


def member_id(peer_url: str, token: str) -> int:
    """The id that etcd gives to a member of a new cluster that has one peer address.

    >>> member_id("http://127.0.0.1:23801", "etcd-cluster")
    13668033151171901709
    """
    return int.from_bytes(hashlib.sha1(peer_url.encode() + token.encode(), usedforsecurity=False).digest()[:8], "big")


def sender_of(head: bytes) -> str | None:
    """The id, in hexadecimal digits, that the head of a request names as its sender.

    >>> sender_of(b"GET /raft/stream/message/1 HTTP/1.1\\r\\nHost: x\\r\\nX-Server-From: 8e9e05c5\\r\\n\\r\\n")
    '8e9e05c5'
    """
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"x-server-from":
            return value.strip().decode("latin-1").lower()
    return None


class Doors:
    """A listening port before each node's peer port; ``ids`` names nodes by member id in hexadecimal digits."""

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}
        self._proxies = Proxies()
        self._targets: dict[str, tuple[str, int]] = {}
        self._servers: dict[str, asyncio.Server] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, targets: Mapping[str, tuple[str, int]]) -> dict[str, int]:
        """Listen; where each node really is -> the port that it is to advertise."""
        self._targets = dict(targets)
        await self._proxies.open(targets)
        for node in targets:
            self._servers[node] = await asyncio.start_server(partial(self._accept, node), LOOPBACK, 0, limit=HEAD_BYTES_MAX)
        return {node: server.sockets[0].getsockname()[1] for node, server in self._servers.items()}

    def cut(self, pairs: frozenset[Pair]) -> None:
        """Cut these directions and heal all others."""
        self._proxies.cut(pairs)

    async def close(self) -> None:
        """End every connection and listen no more."""
        for server in self._servers.values():
            server.close()
        self._servers.clear()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._proxies.close()

    def _accept(self, node: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(node, reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, node: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward: asyncio.StreamWriter | None = None
        # Whatever goes wrong with a connection ends this connection, and etcd dials again.
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            try:
                async with asyncio.timeout(HEAD_S_MAX):
                    head = await reader.readuntil(b"\r\n\r\n")
                back, onward = await asyncio.open_connection(*self._way(head, node))
                onward.write(head)
                await _until_either_ends(_pump(reader, onward), _pump(back, writer))
            finally:
                for end in (writer, onward):
                    if end is not None:
                        end.transport.abort()

    def _way(self, head: bytes, node: str) -> tuple[str, int]:
        dialler = self.ids.get(sender_of(head) or "")
        return self._targets[node] if dialler is None or dialler == node else self._proxies.address(dialler, node)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK_BYTES):
        writer.write(data)
        await writer.drain()


async def _until_either_ends(*ways: Coroutine[None, None, None]) -> None:
    tasks = [asyncio.ensure_future(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
