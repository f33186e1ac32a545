"""A client's connection: many requests under way, answers in the order of the requests.

Law: each request is answered once, in order, and the connection is written to once for each turn of the event loop.
What is kept for a client is bounded: a connection that has too much under way, or does not read its answers, is
not read from until that is over.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from typing import TYPE_CHECKING, cast

from scrutator.impl.machine import Command
from scrutator.impl.node.clients.commands import Ask, Begin, Caller, Refusal, Render, called, written
from scrutator.impl.node.clients.resp import Parser, encode, encode_error
from scrutator.impl.node.requests import Outcome

if TYPE_CHECKING:
    from scrutator.impl.node.clients import ClientServer

PIPELINE_MAX = 1024  # requests under way on a connection before it is read no further,
PIPELINE_BYTES_MAX = 4 << 20  # and their bytes, together with those of answers that wait for earlier ones
UNSENT_BYTES_MAX = 1 << 18  # of answers, before no more are written
_PIECE_BYTES = 1 << 14  # of input that is taken apart at once
_LINGER_S = 1.0
_BUSY = encode_error("BUSY too much is under way at this node: the command was not carried out, ask again later")


class _Request:
    """A request that the replica has; called with its outcome."""

    __slots__ = ("bytes", "command", "connection", "outcome", "render", "resp3")

    def __init__(self, connection: Connection, command: Command | None, render: Render, size: int) -> None:
        self.connection, self.command, self.render, self.bytes = connection, command, render, size
        self.resp3 = connection.caller.resp3  # as it was when the request came
        self.outcome: Outcome | None = None

    def __call__(self, outcome: Outcome) -> None:
        if self.outcome is None:
            self.outcome = outcome
            connection = self.connection
            server = connection.server
            server.requests -= 1
            server.bytes -= self.bytes
            if not connection.woken:
                connection.wake()

    def answer(self) -> bytes:
        assert self.outcome is not None
        return written(self.outcome, self.command, self.render, self.connection.caller, self.resp3)


class Connection(asyncio.Protocol):
    """One client."""

    __slots__ = (
        "_backlog", "_bytes", "_choked", "_ending", "_failed", "_gone", "_held", "_parsed", "_parser", "_paused", "_queue", "_transport",
        "caller", "server", "woken",
    )  # fmt: skip

    def __init__(self, server: ClientServer) -> None:
        self.server = server
        self.woken = False  # answers are looked at in this turn of the event loop
        self._parser = Parser(server.bounds)
        self._held = 0  # bytes of the parser that were added to the server's
        self._backlog = bytearray()  # read, not yet taken apart
        self._parsed: deque[list[bytes]] = deque()  # taken apart, not yet begun
        self._queue: deque[_Request | bytes] = deque()  # begun, not yet answered, in order
        self._bytes = 0  # of the queue
        self._paused = self._choked = self._ending = self._failed = self._gone = False

    # --- the transport --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        server = self.server
        self._transport = transport = cast(asyncio.Transport, transport)  # those of uvloop only look like it
        server.accepted += 1
        self.caller = Caller(server, server.accepted, shown(transport.get_extra_info("peername")), shown(transport.get_extra_info("sockname")), time.monotonic())
        transport.set_write_buffer_limits(high=UNSENT_BYTES_MAX)
        connected = transport.get_extra_info("socket")
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if len(server.connections) >= server.config.limits.connections_max:
            server.rejected += 1
            transport.write(encode_error("ERR max number of clients reached"))
            transport.close()
            self._ending = True
        else:
            server.connections[self.caller.number] = self

    def connection_lost(self, error: Exception | None) -> None:
        self._ending = True
        self.server.connections.pop(self.caller.number, None)
        self._forget_input()
        self._queue.clear()

    def data_received(self, data: bytes) -> None:
        if self._ending:
            return
        self.caller.heard_s = time.monotonic()
        if len(data) <= _PIECE_BYTES and not self._backlog and not self._parsed and not self._full():
            self._take_apart(data)  # what nearly always happens
        else:
            self._backlog += data
        self._go_on()

    def eof_received(self) -> bool:
        if self._gone:
            return False  # it has read why, or does not care
        if not self._backlog and not self._parsed and self._parser.held and not self._ending:
            self._fail("Protocol error: the connection ended within a command")
        self.caller.leaving = True
        self._go_on()
        return True  # answers still go out

    def pause_writing(self) -> None:
        self._choked = True

    def resume_writing(self) -> None:
        self._choked = False
        self.wake()

    # --- requests in ----------------------------------------------------------------------

    def _full(self) -> bool:
        return self._choked or len(self._queue) >= PIPELINE_MAX or self._bytes >= PIPELINE_BYTES_MAX

    def _go_on(self) -> None:
        """Begin what was received, as far as may be; read on once there is room."""
        parsed, queue = self._parsed, self._queue
        while not self._ending:
            while parsed and len(queue) < PIPELINE_MAX and self._bytes < PIPELINE_BYTES_MAX and not self._ending:
                self._begin(parsed.popleft())
            if parsed or not self._backlog or self._full() or self._parser.error:
                break
            piece = bytes(memoryview(self._backlog)[:_PIECE_BYTES])
            del self._backlog[:_PIECE_BYTES]
            self._take_apart(piece)
        if not self._ending and not parsed and self._parser.error:
            self._fail(self._parser.error)
        if not self._ending and self.caller.leaving and not parsed and not self._backlog:
            self._ending = True
        full = not self._ending and (bool(parsed) or bool(self._backlog) or self._full())
        if full != self._paused and not self._transport.is_closing():
            self._paused = full
            (self._transport.pause_reading if full else self._transport.resume_reading)()
        if self._ending or (not self._choked and queue and (isinstance(queue[0], bytes) or queue[0].outcome is not None)):
            self.wake()

    def _take_apart(self, data: bytes) -> None:
        """Find the commands in what was received; a piece of one that is left over counts as held by the node."""
        parser, server = self._parser, self.server
        self._parsed.extend(parser.feed(data))
        held = parser.held
        if held != self._held:
            server.bytes += held - self._held
            self._held = held
            if held and server.bytes > server.config.limits.waiting_bytes_max:
                self._fail("Protocol error: too much of unfinished commands is held by this node")

    def _begin(self, words: list[bytes]) -> None:
        """Answer one request, or ask the replica."""
        server, caller = self.server, self.caller
        server.commands += 1
        try:
            answer = called(server.table, caller, words)
        except Refusal as refusal:
            self._answer(encode_error(str(refusal)))
            server.errors += 1
            return
        if isinstance(answer, Ask):
            size = sum(map(len, words))
            limits = server.config.limits
            if size + 8 * len(words) > server.command_bytes_max:  # as an entry of the log
                self._answer(encode_error(f"ERR a command of {size} bytes is too large: {server.command_bytes_max} can be replicated"))
                server.errors += 1
                return
            if server.requests >= limits.waiting_max or server.bytes + size > limits.waiting_bytes_max:
                self._answer(_BUSY)
                server.errors += 1
                return
            server.replica.submit(answer.command, self._asked(answer.command, answer.render, size))
        elif isinstance(answer, Begin):
            answer.start(self._asked(None, answer.render, sum(map(len, words))))
        else:
            self._answer(encode(answer, caller.resp3))
            if caller.leaving:
                self._ending = True

    def _asked(self, command: Command | None, render: Render, size: int) -> _Request:
        request = _Request(self, command, render, size)
        self._queue.append(request)
        self._bytes += size
        self.server.requests += 1
        self.server.bytes += size
        return request

    def _answer(self, data: bytes) -> None:
        self._queue.append(data)
        self._bytes += len(data)

    # --- answers out ----------------------------------------------------------------------

    def wake(self) -> None:
        """Write answers at the end of this turn of the event loop."""
        if not self.woken:
            self.woken = True
            self.server.loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Write the answers that are next, as many as the connection takes."""
        self.woken = False
        transport = self._transport
        if self._gone or transport.is_closing():
            return
        while not self._choked and (chunk := self._chunk()):
            transport.write(chunk)
            if transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
                self.wake()  # the transport may choke only after it has tried
                break
        if self._ending:
            if not self._queue:
                self._leave()
        elif self._parsed or self._backlog or self._paused:
            self._go_on()

    def _chunk(self) -> bytes:
        queue, size, parts = self._queue, 0, []
        while queue and size < UNSENT_BYTES_MAX:
            head = queue[0]
            if isinstance(head, bytes):
                part = head
                self._bytes -= len(head)
            elif head.outcome is None:
                break
            else:
                part = head.answer()
                self._bytes -= head.bytes
            queue.popleft()
            size += len(part)
            parts.append(part)
        return b"".join(parts)

    # --- the end --------------------------------------------------------------------------

    def end(self) -> None:
        """Begin nothing more, and close once everything under way is answered."""
        if self._gone:
            self.abort()
        self._ending = True
        self._forget_input()
        self.wake()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def _fail(self, why: str) -> None:
        """What came cannot be understood, or held; say so, and read no more of it."""
        self.server.say_bad_input(self.caller, why)
        self.server.errors += 1
        self._answer(encode_error(f"ERR {why}"))
        self._failed = True
        self.end()

    def _forget_input(self) -> None:
        self.server.bytes -= self._held
        self._held = 0
        self._parser = Parser(self.server.bounds)
        self._backlog.clear()
        self._parsed.clear()

    def _leave(self) -> None:
        """Close; after an error a little later, for closing on unread input would take the answer away from the client."""
        self._gone = True
        if not self._failed:
            self._transport.close()
            return
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self.server.loop.call_later(_LINGER_S, self._transport.abort)


def shown(address: tuple[str, int] | tuple[str, int, int, int] | None) -> str:
    """A socket's address as ``host:port``."""
    if not address:
        return "?:0"
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
