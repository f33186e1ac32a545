"""A client of etcd over its JSON gateway (/v3/kv), which needs nothing but HTTP/1.1 on one connection.

Law: an error counts as refused only where etcd had not begun to propose, or says that what it proposed was
dropped; why is said beside each.  Whatever happens after a request was written, other than an answer, is unknown.
A read changes nothing, so that one without an answer counts as refused.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec
from msgspec import Struct

from scrutator.impl.cluster.target import Refused, Unknown

Address = tuple[str, int]
T = TypeVar("T")

HEAD_BYTES_MAX = 16 << 10
BODY_BYTES_MAX = 8 << 20  # etcd takes requests of 1.5 MiB, and base64 is a third longer
ATTEMPTS_MAX = 20  # of a read and a transaction that depends on it

# Sources: etcdserver/v3_server.go, processInternalRaftRequestOnce; etcdserver/apply.go; raft/node.go.
DEFINITE = {
    "etcdserver: too many requests": "too much is committed and not applied: said before proposing",
    "etcdserver: request is too large": "said before proposing",
    "etcdserver: no leader": "said to whoever asks for a leader, before the request is handled",
    "etcdserver: not capable": "the cluster's version is unknown yet: said before the request is handled",
    "etcdserver: mvcc: database space exceeded": "said before proposing; or all members alike applied nothing",
    "raft proposal dropped": "this node's Raft took nothing into its log, and passed nothing on",
}
INVALID_ARGUMENT = 3  # gRPC's code for a request that cannot be understood

# Not among them, and therefore unknown: "etcdserver: request timed out", also "possibly due to previous leader
# failure" and "connection lost" (the proposal may still be committed), "etcdserver: server stopped" and
# "etcdserver: leader changed" (said while waiting for what was begun), and "context deadline exceeded".


class _Pair(Struct):
    value: bytes = b""  # JSON holds base64, which msgspec decodes
    mod_revision: str = "0"


class _Ranged(Struct):
    kvs: list[_Pair] = []


class _Written(Struct):
    pass


class _Tried(Struct):
    succeeded: bool = False


class _Deleted(Struct):
    deleted: str = "0"


class _Failure(Struct):
    error: str = ""
    code: int = 0


class NotSent(Exception):
    """The request never left: there is nobody to connect to."""


class Http:
    """One connection that is kept, and opened again where it ended.  Requests come one after the other."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer.  Raises `NotSent`, or `Unknown` once anything was written."""
        reader, writer = await self._connected()
        host, port = self.address
        try:
            writer.write(b"POST %s HTTP/1.1\r\nHost: %s:%d\r\nContent-Length: %d\r\n\r\n" % (path.encode(), host.encode(), port, len(body)) + body)
            await writer.drain()
            return await self._answer(reader)
        except (OSError, EOFError, KeyError, ValueError, asyncio.LimitOverrunError) as error:
            await self.close()
            raise Unknown(f"{host}:{port}: the connection ended, or made no sense, after {path} was sent: {error!r}") from error
        except BaseException:  # cancelled: an answer that still comes must not be taken for the next one's
            await self.close()
            raise

    async def close(self) -> None:
        """End the connection, if there is one."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].transport.abort()
            with contextlib.suppress(OSError):
                await streams[1].wait_closed()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None and self._streams[0].at_eof():
            await self.close()
        if self._streams is None:
            try:
                self._streams = await asyncio.open_connection(*self.address, limit=HEAD_BYTES_MAX)
            except OSError as error:
                raise NotSent(f"{self.address[0]}:{self.address[1]}: {error.strerror or error}") from error
        return self._streams

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        version, status, *_ = first.split(" ")
        if not version.startswith("HTTP/1."):
            raise ValueError(f"not HTTP: {first[:60]!r}")
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if fields.get("transfer-encoding", "").lower() == "chunked":  # Go does so from 2 KiB on
            body = await _chunks(reader)
        else:
            body = await reader.readexactly(_length(fields["content-length"], 10))
        if fields.get("connection", "").lower() == "close":
            await self.close()
        return int(status), body


class EtcdClient:
    """A `Client`; of several addresses it stays with one until that fails it."""

    def __init__(self, addresses: Sequence[Address], first: int, *, serializable: bool) -> None:
        self._https = [Http(address) for address in addresses]
        self.addresses = tuple(addresses)
        self._at = first % len(addresses)
        self._serializable = serializable

    async def get(self, key: str) -> str | None:
        found = await self._read(key, serializable=self._serializable)
        return None if found is None else found.value.decode(errors="replace")

    async def put(self, key: str, value: str) -> None:
        await self._write("put", {"key": _b64(key), "value": _b64(value)}, _Written)

    async def delete(self, key: str) -> bool:
        return (await self._write("deleterange", {"key": _b64(key)}, _Deleted)).deleted != "0"

    async def cas(self, key: str, expected: str | None, value: str) -> bool:
        """In one transaction; an absent key is one of version 0."""
        if expected is None:
            return await self._put_if(key, {"target": "VERSION", "version": "0"}, value)
        return await self._put_if(key, {"target": "VALUE", "value": _b64(expected)}, value)

    async def append(self, key: str, value: str) -> None:
        """By a read and a transaction that asks whether the key is still of that revision."""
        await self._change(key, lambda held: (held or "") + value)

    async def incr(self, key: str) -> int:
        """In the same way."""
        return int(await self._change(key, lambda held: str(int(held or "0") + 1)))

    async def close(self) -> None:
        for http in self._https:
            await http.close()

    # --- requests -------------------------------------------------------------------------------

    async def _change(self, key: str, change: Callable[[str | None], str]) -> str:
        for attempt in range(ATTEMPTS_MAX):
            held = await self._read(key, serializable=False)
            value = change(None if held is None else held.value.decode(errors="replace"))
            revision = "0" if held is None else held.mod_revision
            if await self._put_if(key, {"target": "MOD", "mod_revision": revision}, value):
                return value
            await asyncio.sleep(0.001 * attempt)
        raise Refused(f"others came in between {ATTEMPTS_MAX} times")

    async def _put_if(self, key: str, compare: dict[str, str], value: str) -> bool:
        put = {"requestPut": {"key": _b64(key), "value": _b64(value)}}
        body = {"compare": [{"key": _b64(key), "result": "EQUAL", **compare}], "success": [put]}
        return (await self._write("txn", body, _Tried)).succeeded

    async def _read(self, key: str, *, serializable: bool) -> _Pair | None:
        try:
            found = await self._write("range", {"key": _b64(key), "serializable": serializable}, _Ranged)
        except Unknown as error:
            raise Refused(f"not read: {error}") from error
        return found.kvs[0] if found.kvs else None

    async def _write(self, what: str, body: object, kind: type[T]) -> T:
        status, answer = await self._sent(lambda http: http.post(f"/v3/kv/{what}", msgspec.json.encode(body)))
        try:
            if status == 200:
                return msgspec.json.decode(answer, type=kind)
            failure = msgspec.json.decode(answer, type=_Failure)
        except msgspec.DecodeError as error:
            raise Unknown(f"{what}: status {status}, {answer[:80]!r}: {error}") from error
        if failure.error in DEFINITE or failure.code == INVALID_ARGUMENT:
            raise Refused(failure.error)
        self._at += 1  # perhaps another node does better
        raise Unknown(failure.error)

    async def _sent(self, send: Callable[[Http], Awaitable[tuple[int, bytes]]]) -> tuple[int, bytes]:
        """To the node it stays with, or to the next one that takes it at all."""
        why = ""
        for _ in self._https:
            try:
                return await send(self._https[self._at % len(self._https)])
            except NotSent as error:
                why = str(error)
            except BaseException:
                self._at += 1
                raise
            self._at += 1
        raise Refused(f"not sent: {why}")


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := _length((await reader.readuntil(b"\r\n")).decode("latin-1").partition(";")[0], 16, len(body)):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass  # trailers
    return body


def _length(text: str, base: int, before: int = 0) -> int:
    length = int(text, base)
    if not 0 <= length <= BODY_BYTES_MAX - before:
        raise ValueError(f"an answer of {before + length} bytes, where {BODY_BYTES_MAX} are the limit")
    return length


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
