"""TCP proxies between nodes: one for each ordered pair, all in the event loop of whoever runs the cluster.

Law: a dials b at the proxy of (a, b).  What a says on such a connection is traffic from a to b, what b answers is
traffic from b to a, and each is cut by itself: all at once, in one call.  A cut is a black hole, as a broken wire is:
nothing passes, nobody is told, what is written fills the writer's buffers, an end of a connection is not seen
either, and new connections reach nobody.

When a cut heals, the connections that it concerned are reset.  TCP would send again what was lost, but only after a
pause that doubles with each attempt, so that a link may stay silent for as long again as the cut had lasted; nodes
on real networks give connections up for that reason, and so does this.  What was under way is lost, never delivered
late.  Two things differ from a cut of packets (`network.py` has those): a new connection is accepted, and says
nothing, where a real one would hang before that; and a cut of one direction leaves the other one whole, where TCP
would fill one window for want of acknowledgements and then stall, too.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from functools import partial
from typing import cast

from scrutator.impl.cluster.ports import LOOPBACK

Pair = tuple[str, str]  # from, to
QUEUED_BYTES_MAX = 1 << 20  # of a delayed direction


class Proxies:
    """The proxies of a cluster; `address` says where one node finds another."""

    __slots__ = ("_cut", "_delay_s", "_paths", "_rate", "_servers", "_targets")

    def __init__(self) -> None:
        self._targets: dict[str, tuple[str, int]] = {}
        self._servers: dict[Pair, asyncio.Server] = {}
        self._paths: set[_Path] = set()
        self._cut: frozenset[Pair] = frozenset()
        self._delay_s: dict[Pair, float] = {}
        self._rate: dict[Pair, float] = {}

    async def open(self, targets: Mapping[str, tuple[str, int]]) -> None:
        """Listen for each pair of nodes, given where each node really is; raises OSError."""
        self._targets = dict(targets)
        loop = asyncio.get_running_loop()
        for src in targets:
            for dst in targets:
                if src != dst:
                    self._servers[src, dst] = await loop.create_server(partial(_Accepted, self, (src, dst)), LOOPBACK, 0)

    def address(self, src: str, dst: str) -> tuple[str, int]:
        """Host and port at which ``src`` dials ``dst``."""
        host, port = self._servers[src, dst].sockets[0].getsockname()[:2]
        return host, port

    def cut(self, pairs: Iterable[Pair]) -> None:
        """Cut these directions and heal all others."""
        before, self._cut = self._cut, frozenset(pairs)
        for path in list(self._paths):
            path.cut(before)

    def slow(self, pair: Pair, *, delay_s: float = 0.0, bytes_per_s: float = 0.0) -> None:
        """Delay what goes in this direction, and limit how much of it passes; zeros for neither."""
        self._delay_s[pair], self._rate[pair] = delay_s, bytes_per_s

    async def close(self) -> None:
        """Reset every connection and listen no more."""
        for server in self._servers.values():
            server.close()
        for path in list(self._paths):
            path.abort()
        self._servers.clear()
        await asyncio.sleep(0)  # lets transports be told that they are lost


class _Path:
    """One direction of one connection: from one transport to the other."""

    __slots__ = ("_blocked", "_ended", "_last", "_queue", "_queued", "_timer", "pair", "proxies", "read", "write")

    def __init__(self, proxies: Proxies, pair: Pair, read: asyncio.Transport) -> None:
        self.proxies, self.pair, self.read = proxies, pair, read
        self.write: asyncio.Transport | None = None  # until the other side is connected
        self._blocked = False  # the writing side has taken all it can
        self._ended = False  # the reading side is gone, and the writing side was not told yet
        self._queue: deque[tuple[float, bytes]] = deque()
        self._queued = 0
        self._last = 0.0  # when the last byte so far is due
        self._timer: asyncio.TimerHandle | None = None
        proxies._paths.add(self)

    @property
    def is_cut(self) -> bool:
        return self.pair in self.proxies._cut

    def connected(self, write: asyncio.Transport) -> None:
        self.write = write
        self._later()

    def settle(self) -> None:
        """Read exactly when what is read can go on."""
        if self.read.is_closing():
            return
        if self.write is None or self._blocked or self.is_cut or self._queued > QUEUED_BYTES_MAX:
            self.read.pause_reading()
        else:
            self.read.resume_reading()

    def blocked(self, is_so: bool) -> None:
        self._blocked = is_so
        self.settle()

    def received(self, data: bytes) -> None:
        if self.write is not None and self.write.is_closing():
            return  # that side is gone, and this one could not be told
        delay_s, rate = self.proxies._delay_s.get(self.pair, 0.0), self.proxies._rate.get(self.pair, 0.0)
        if self.write is not None and not (delay_s or rate or self._queue or self.is_cut):
            self.write.write(data)
            return
        now = asyncio.get_running_loop().time()
        self._last = max(now + delay_s, self._last) + (len(data) / rate if rate else 0.0)
        self._queue.append((self._last, data))
        self._queued += len(data)
        self._release()
        self.settle()

    def _release(self) -> None:
        """Pass on what is due, and come back for the next."""
        loop = asyncio.get_running_loop()
        while self._queue and not self.is_cut and self.write is not None and self._queue[0][0] <= loop.time():
            data = self._queue.popleft()[1]
            self._queued -= len(data)
            self.write.write(data)
        if self._queue and not self.is_cut and self.write is not None:
            self._timer = self._timer or loop.call_at(self._queue[0][0], self._later)
        elif self._ended and not self._queue:
            self.ended()

    def _later(self) -> None:
        self._timer = None
        self._release()
        self.settle()

    def ended(self) -> None:
        """The reading side is gone: so is the writing side, once it can be told."""
        self._ended = True
        if not self.is_cut and not self._queue:
            if self.write is not None:
                self.write.close()
            self.proxies._paths.discard(self)

    def cut(self, before: frozenset[Pair]) -> None:
        """The cut has changed: what was cut and is no longer is reset."""
        if self.is_cut:
            if not self.read.is_closing():
                self.read.pause_reading()
        elif self.pair in before or (self.write is None and self.pair[::-1] in before):
            self.abort()

    def abort(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._queue.clear()
        for transport in (self.read, self.write):
            if transport is not None:
                transport.abort()
        self.proxies._paths.discard(self)


class _End(asyncio.Protocol):
    """One end of a connection: ``reads`` carries what it says, ``writes`` what it is told."""

    reads: _Path | None = None
    writes: _Path | None = None

    def __init__(self, proxies: Proxies, pair: Pair) -> None:
        self._proxies, self._pair = proxies, pair

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Of a socket; uvloop's are no instances of the class.  It begins to read right after this whatever it is told
        # here, so that a path must be there, which keeps what it hears before it knows where to.
        self.reads = _Path(self._proxies, self._pair, cast(asyncio.Transport, transport))

    def data_received(self, data: bytes) -> None:
        if self.reads is not None:
            self.reads.received(data)

    def pause_writing(self) -> None:
        if self.writes is not None:
            self.writes.blocked(True)

    def resume_writing(self) -> None:
        if self.writes is not None:
            self.writes.blocked(False)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.reads is not None:
            self.reads.ended()


class _Accepted(_End):
    """The end of the node that dialled; dials the other one."""

    _dial: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert self.reads is not None
        if not self.reads.is_cut and self._pair[::-1] not in self._proxies._cut:
            self._dial = asyncio.get_running_loop().create_task(self._connect(self.reads))

    async def _connect(self, there: _Path) -> None:
        host, port = self._proxies._targets[self._pair[1]]
        try:
            _, end = await asyncio.get_running_loop().create_connection(partial(_End, self._proxies, self._pair[::-1]), host, port)
        except OSError:
            there.abort()  # nobody listens there: the dialler is told so
            return
        back = end.reads
        assert back is not None
        end.writes, self.writes = there, back
        if there.read.is_closing():
            there.abort()
            back.abort()
            return
        there.connected(back.read)
        back.connected(there.read)
