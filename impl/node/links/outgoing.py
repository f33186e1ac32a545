"""The way to one other node: dialled again for ever, and never waited for.

Law: `Outgoing.send` returns at once; what cannot go now, or would make too much wait, is dropped and counted,
for Raft sends again whatever matters.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import cast

from scrutator.impl.node.config import NodeConfig, split_address
from scrutator.impl.node.links.tls import Contexts, peer_names
from scrutator.impl.node.links.wire import (
    VERSION,
    Hello,
    NodeMessage,
    WireError,
    encode,
    encode_hello,
    frame_bytes_max,
)
from scrutator.impl.node.log import Log
from scrutator.impl.node.rarely import Rarely
from scrutator.impl.node.sockets import tune

DIAL_TIMEOUT_S = 2.0  # for TLS too
PAUSE_MIN_S, PAUSE_MAX_S = 0.05, 1.0  # between dials
STEADY_S = 1.0  # a connection that lasted so long was a good one: the next pause is short


class Line(asyncio.Protocol):
    """One connection that was dialled; ``lost`` tells why it ended."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.lost: asyncio.Future[str] = loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._why = "the other side closed it: its log may say why"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's do not derive from it

    def data_received(self, data: bytes) -> None:
        self._why = "the other side sent something, which nodes do not do: is it a node?"
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(str(error) if error else self._why)


class Outgoing:
    """Sends to one node.  ``sent`` and ``dropped`` count messages, ``connects`` connections."""

    def __init__(self, config: NodeConfig, peer: str, log: Log, tls: Contexts | None) -> None:
        self.sent = self.dropped = self.connects = 0
        self._peer, self._tls, self._log = peer, tls, log
        self._host, self._port = split_address(config.nodes[peer].raft, f"nodes.{peer}.raft")
        self._hello = encode_hello(Hello(VERSION, config.cluster, config.id, peer))
        self._frame_bytes_max = frame_bytes_max(config)
        self._unsent_bytes_max = config.limits.link_bytes_max
        self._rarely = Rarely(log, 10.0)
        self._trouble = ""  # why it cannot be reached: said once
        self._steady = True  # whether the last connection was a good one: each that is not is said rarely
        self._transport: asyncio.Transport | None = None
        self._overflowing = False
        self._dropped_before = 0  # messages, before the buffer was full
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """Whether messages may go now."""
        return self._transport is not None

    @property
    def unsent_bytes(self) -> int:
        """What waits in this process for the network."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def start(self) -> None:
        """Dial, now and whenever the connection is lost."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def wake(self) -> None:
        """The other node is there: dial soon if it was thought to be down."""
        self._woken.set()

    async def close(self) -> None:
        """End the connection, and dial no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    # --- sending --------------------------------------------------------------------------

    def send(self, messages: Sequence[NodeMessage]) -> None:
        """Send these in one frame, as far as they fit; or drop them."""
        transport = self._transport
        if transport is None or transport.is_closing() or self._is_full(transport):
            self.dropped += len(messages)
            return
        try:
            frames = encode(messages, self._frame_bytes_max)
        except WireError as error:
            self._send_what_fits(messages, error)
            return
        self.sent += len(messages)
        transport.write(frames)

    def _send_what_fits(self, messages: Sequence[NodeMessage], error: WireError) -> None:
        if len(messages) > 1:
            for message in messages:
                self.send((message,))
            return
        self.dropped += 1
        self._rarely("message too large to send", self._peer, why=str(error))

    def _is_full(self, transport: asyncio.Transport) -> bool:
        """Whether too much waits; said once, and once more when that is over."""
        full = transport.get_write_buffer_size() > self._unsent_bytes_max
        if full != self._overflowing:
            self._overflowing = full
            if full:
                self._dropped_before = self.dropped
                self._log("link is full, messages are dropped", peer=self._peer, unsent_bytes_max=self._unsent_bytes_max)
            else:
                self._log("link has room again", peer=self._peer, dropped=self.dropped - self._dropped_before)
        return full

    # --- dialling -------------------------------------------------------------------------

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        pause_s = PAUSE_MIN_S
        while True:
            lasted_s = await self._connection(loop)
            if lasted_s >= STEADY_S:
                pause_s = PAUSE_MIN_S
            self._woken.clear()
            await asyncio.sleep(PAUSE_MIN_S * random.uniform(0.5, 1))  # also if woken: nobody makes this node dial without end
            try:
                async with asyncio.timeout(pause_s * random.uniform(0.5, 1)):
                    await self._woken.wait()
            except TimeoutError:
                pause_s = min(2 * pause_s, PAUSE_MAX_S)

    async def _connection(self, loop: asyncio.AbstractEventLoop) -> float:
        """Dial and stay until the connection is lost; the seconds it lasted."""
        line = Line(loop)
        try:
            async with asyncio.timeout(DIAL_TIMEOUT_S):
                transport = await self._dial(loop, line)
        except TimeoutError:
            return self._unreachable(f"no answer within {DIAL_TIMEOUT_S} s")
        except (OSError, UnicodeError) as error:  # of TLS too; a host's name that cannot be one
            return self._unreachable(getattr(error, "strerror", None) or str(error))
        try:
            self._check(transport)
            transport.write(self._hello)
            return await self._connected(transport, line, loop)
        except WireError as error:
            return self._unreachable(str(error))
        finally:
            transport.abort()
            if not line.lost.done():
                await asyncio.wait([line.lost], timeout=1.0)  # the transport closes its socket in the next turn of the loop

    def _unreachable(self, why: str) -> float:
        """Say what is wrong, unless it is what was wrong before."""
        if why != self._trouble:
            self._trouble = why
            self._log("cannot reach peer", peer=self._peer, why=why)
        return 0.0

    async def _dial(self, loop: asyncio.AbstractEventLoop, line: Line) -> asyncio.Transport:
        context = None if self._tls is None else self._tls.client
        transport, _ = await loop.create_connection(lambda: line, self._host, self._port, ssl=context)
        tune(transport.get_extra_info("socket"))
        return transport

    def _check(self, transport: asyncio.Transport) -> None:
        """The other side is the node that was meant, as far as TLS tells."""
        if self._tls is None:
            return
        found = peer_names(transport.get_extra_info("ssl_object"))
        if self._peer not in found:
            raise WireError(f"the certificate there is for {', '.join(sorted(found))[:64] or 'nobody'}: check nodes.{self._peer}.raft")

    async def _connected(self, transport: asyncio.Transport, line: Line, loop: asyncio.AbstractEventLoop) -> float:
        self.connects += 1
        began_s = loop.time()
        self._transport, self._overflowing, self._trouble = transport, False, ""
        (self._log if self._steady else self._rarely)("link up", peer=self._peer)
        try:
            why = await line.lost
        finally:
            self._transport = None
        lasted_s = loop.time() - began_s
        (self._log if self._steady else self._rarely)("link lost", peer=self._peer, why=why)
        self._steady = lasted_s >= STEADY_S
        return lasted_s
