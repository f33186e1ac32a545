"""What other nodes send: the port they dial, and their connections, one from each.

Law: a message is handed on only if its connection said a proper hello, and it names the same sender and this
node.  Strangers cost little: few at a time, for two seconds, a few kilobytes and a log line now and then.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from typing import cast

from scrutator.impl.node.config import NodeConfig
from scrutator.impl.node.links.tls import Contexts, peer_names
from scrutator.impl.node.links.wire import VERSION, Decoder, Hello, NodeMessage, WireError, frame_bytes_max
from scrutator.impl.node.log import Log
from scrutator.impl.node.rarely import Rarely
from scrutator.impl.node.sockets import listen, tune

HELLO_TIMEOUT_S = 2.0  # for TLS and the hello together
STRANGERS_MAX = 128  # connections that have not said hello; one more ends the oldest
SHOWN_MAX = 64  # characters of what a stranger says about itself


class Connection(asyncio.Protocol):
    """One connection that was accepted; ``src`` is None until its hello was."""

    def __init__(self, incoming: Incoming) -> None:
        self.src: str | None = None
        self.greeted: asyncio.Future[None] = incoming.loop.create_future()
        self.lost: asyncio.Future[None] = incoming.loop.create_future()
        self.transport: asyncio.Transport | None = None
        self._incoming = incoming
        self._decoder = Decoder(incoming.frame_bytes_max)
        self._closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's do not derive from it
        if self._closed:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._closed:
            return
        try:
            messages = self._decoder.feed(data)
            if self.src is None:
                if self._decoder.hello is None:
                    return
                self._incoming.admit(self, self._decoder.hello)
            self._hand_on(messages)
        except WireError as error:
            self._incoming.refuse(self, str(error))

    def _hand_on(self, messages: list[NodeMessage]) -> None:
        src, here, receive = self.src, self._incoming.id, self._incoming.receive
        for message in messages:
            if self._closed:
                return  # by what the last message led to
            if message.src != src or message.dst != here:
                raise WireError(f"a message from {_shown(message.src)} to {_shown(message.dst)} came over the connection from {src} to {here}")
            self._incoming.received[message.src] += 1
            receive(message)

    def connection_lost(self, error: Exception | None) -> None:
        self._closed = True
        finish(self.greeted)
        finish(self.lost)
        self._incoming.forget(self, error)

    def abort(self) -> None:
        """End it at once; nothing more is handed on."""
        self._closed = True
        if self.transport is not None:
            self.transport.abort()


def finish(future: asyncio.Future[None]) -> None:
    """It is so; unless whoever waited gave up."""
    if not future.done():
        future.set_result(None)


class Incoming:
    """The port for other nodes.  ``receive`` is called for each message; ``received`` counts them by sender.

    ``met`` is told the name of each node whose connection was accepted.
    """

    def __init__(self, config: NodeConfig, receive: Callable[[NodeMessage], None], met: Callable[[str], None], log: Log, tls: Contexts | None) -> None:
        self.id = config.id
        self.receive = receive
        self.frame_bytes_max = frame_bytes_max(config)
        self.loop = asyncio.get_running_loop()
        self.received: Counter[str] = Counter()
        self._config, self._met, self._tls = config, met, tls
        self._strange, self._known = Rarely(log, 10.0), Rarely(log, 1.0)
        self._connections: dict[str, Connection] = {}  # by sender, after its hello
        self._strangers: dict[asyncio.Task[None], Connection] = {}  # oldest first
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Listen; raises `ConfigError` where that cannot be."""
        self._listener = listen(self._config.here.raft, f"nodes.{self.id}.raft")
        self._accepting = self.loop.create_task(self._accept(self._listener))

    def connected(self, src: str) -> bool:
        """Whether that node has a connection to this one."""
        return src in self._connections

    async def close(self) -> None:
        """Stop listening, and end every connection."""
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.wait([self._accepting])
        if self._listener is not None:
            self._listener.close()
        open_ = [*self._connections.values(), *self._strangers.values()]
        strangers = list(self._strangers)
        self._connections.clear()
        for task in strangers:
            task.cancel()
        for connection in open_:
            connection.abort()
        ends: list[asyncio.Future[None]] = [*strangers, *(connection.lost for connection in open_ if connection.transport is not None)]
        if ends:
            await asyncio.wait(ends, timeout=1.0)

    # --- strangers ------------------------------------------------------------------------

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = await self.loop.sock_accept(listener)
            except OSError as error:  # no more file descriptors, or gone before it was accepted
                self._strange("cannot accept connections", why=error.strerror or str(error))
                await asyncio.sleep(0.05)
                continue
            if len(self._strangers) >= STRANGERS_MAX:
                self._crowd_out()
            connection = Connection(self)
            task = self.loop.create_task(self._greet(sock, connection))
            self._strangers[task] = connection
            task.add_done_callback(lambda task, sock=sock, connection=connection: self._greeted(task, sock, connection))  # type: ignore[misc]

    def _crowd_out(self) -> None:
        """End the stranger that has been silent for longest: nodes say hello at once."""
        oldest = next(iter(self._strangers))
        self._strangers.pop(oldest).abort()
        oldest.cancel()
        self._strange("connection crowded out", why=f"more than {STRANGERS_MAX} connections have said no hello")

    async def _greet(self, sock: socket.socket, connection: Connection) -> None:
        """Take up a connection and wait for its hello."""
        try:
            async with asyncio.timeout(HELLO_TIMEOUT_S):
                tune(sock)
                await self.loop.connect_accepted_socket(lambda: connection, sock, ssl=None if self._tls is None else self._tls.server)
                await connection.greeted
        except TimeoutError:
            self._strange("connection refused", why=f"no hello within {HELLO_TIMEOUT_S} s")
        except OSError as error:  # of TLS too
            self._strange("connection refused", why=f"{type(error).__name__}: {error.strerror or error}")

    def _greeted(self, task: asyncio.Task[None], sock: socket.socket, connection: Connection) -> None:
        self._strangers.pop(task, None)
        if connection.src is not None:
            return
        connection.abort()
        if connection.transport is None:
            sock.close()
        if not task.cancelled() and task.exception() is not None:
            self.loop.call_exception_handler({"message": "a connection could not be taken up", "exception": task.exception()})

    # --- connections ----------------------------------------------------------------------

    def admit(self, connection: Connection, hello: Hello) -> None:
        """Let a connection speak, in place of an older one of the same node; raises `WireError` if it may not."""
        self._check(connection, hello)
        older = self._connections.pop(hello.src, None)
        if older is not None:
            older.abort()
        connection.src = hello.src
        self._connections[hello.src] = connection
        finish(connection.greeted)
        self._known("peer connected", hello.src)
        self._met(hello.src)

    def _check(self, connection: Connection, hello: Hello) -> None:
        if hello.version != VERSION:
            raise WireError(f"{_shown(hello.src)} speaks version {hello.version} of the protocol, this node {VERSION}: run the same release everywhere")
        if hello.cluster != self._config.cluster:
            raise WireError(f"{_shown(hello.src)} belongs to cluster {_shown(hello.cluster)}, not to {self._config.cluster}")
        if hello.dst != self.id:
            raise WireError(f"{_shown(hello.src)} wanted to reach {_shown(hello.dst)}, but this is {self.id}: check the addresses in its configuration")
        if hello.src == self.id or hello.src not in self._config.nodes:
            raise WireError(f"{_shown(hello.src)} is not one of the other nodes: {', '.join(name for name in self._config.nodes if name != self.id)}")
        if self._tls is not None:
            assert connection.transport is not None
            found = peer_names(connection.transport.get_extra_info("ssl_object"))
            if hello.src not in found:
                raise WireError(f"it claims to be {hello.src}, but its certificate is for {_shown(', '.join(sorted(found)))}")

    def refuse(self, connection: Connection, why: str) -> None:
        """End a connection that broke the rules."""
        if connection.src is None:
            self._strange("connection refused", why=why, address=_address(connection))
        else:
            self._connections.pop(connection.src, None)
            self._known("peer cut off", connection.src, why=why)
        connection.abort()

    def forget(self, connection: Connection, error: Exception | None) -> None:
        """A connection is gone; it may have been replaced before."""
        if connection.src is not None and self._connections.get(connection.src) is connection:
            del self._connections[connection.src]
            self._known("peer lost", connection.src, why=str(error) if error else "closed")


def _address(connection: Connection) -> str | None:
    """Where it came from, as host:port."""
    name = None if connection.transport is None else connection.transport.get_extra_info("peername")
    return f"{name[0]}:{name[1]}" if isinstance(name, tuple) else None


def _shown(said: str) -> str:
    return repr(said if len(said) <= SHOWN_MAX else said[:SHOWN_MAX] + "...")
