"""A small client of the Redis protocol (RESP2), for asking nodes how they are and for clients of workloads.

Law: sizes read from outside are limited; an error that the server answers is a value of type `Error`, so that
whoever called decides what it means.  `NotConnected` says that nothing was sent; any other OSError or
EOFError may have come after the server had read the command.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from types import TracebackType

BULK_BYTES_MAX = 64 << 20
ARRAY_MAX = 1 << 20
DEPTH_MAX = 8


class NotConnected(ConnectionError):
    """No connection could be had: nothing was sent."""


class Malformed(ConnectionError):
    """The other side does not speak the Redis protocol."""


class Error(str):
    """An error that the server answered, such as ``TRYAGAIN no leader is known``."""

    __slots__ = ()

    @property
    def kind(self) -> str:
        """Its first word."""
        return self.partition(" ")[0]


Value = Error | bytes | str | int | None | list["Value"]


class Resp:
    """One connection; commands go one after the other.  A context that closes it."""

    __slots__ = ("_reader", "_writer")

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def connect(cls, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> Resp:
        """Raises `NotConnected`."""
        try:
            return cls(*await asyncio.open_connection(host, port, ssl=tls))
        except OSError as error:
            raise NotConnected(f"{host}:{port}: {error.strerror or error}") from error

    async def call(self, *words: str | bytes | int | float) -> Value:
        """Send a command and return its answer; raises OSError or EOFError when the connection is lost."""
        self._writer.write(encode(words))
        await self._writer.drain()
        return await self._value(0)

    async def _value(self, depth: int) -> Value:
        try:
            line = await self._reader.readuntil(b"\r\n")
        except asyncio.LimitOverrunError:
            raise Malformed("an answer's first line does not end: this is no Redis protocol") from None
        kind, text = line[:1], line[1:-2].decode(errors="replace")
        if kind == b"+":
            return text
        if kind == b"-":
            return Error(text)
        if kind not in b":$*" or not text.removeprefix("-").isdigit():
            raise Malformed(f"an answer begins with {line[:40]!r}: this is no Redis protocol")
        number = int(text)
        if kind == b":":
            return number
        if number < 0:
            return None
        if number > (BULK_BYTES_MAX if kind == b"$" else ARRAY_MAX) or depth > DEPTH_MAX:
            raise Malformed(f"an answer of size {number:,} at depth {depth} is refused")
        if kind == b"*":
            return [await self._value(depth + 1) for _ in range(number)]
        return (await self._reader.readexactly(number + 2))[:-2]

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        self._writer.transport.abort()

    async def __aenter__(self) -> Resp:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()


def encode(words: tuple[str | bytes | int | float, ...]) -> bytes:
    r"""A command as the protocol has it.

    >>> encode(("GET", "k"))
    b'*2\r\n$3\r\nGET\r\n$1\r\nk\r\n'
    """
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(parts)


async def ask(host: str, port: int, *words: str | bytes | int | float, timeout_s: float) -> Value:
    """One command on a connection of its own; raises OSError, EOFError or TimeoutError."""
    async with asyncio.timeout(timeout_s), await Resp.connect(host, port) as connection:
        return await connection.call(*words)
