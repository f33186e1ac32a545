"""A replicated key-value store that answers a client's retry instead of applying it again.

The law: `KeyValue` is a function of the entries applied to it, of nothing else: the order of its keys, too, so
that snapshots taken at the same place of the log are the same bytes.  Sessions are part of that state
(section 6.3 of Ongaro's dissertation): a client registers through the log, numbers its commands, and
the last reply of each session is kept, in snapshots too.  So a command is applied once, whoever leads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from mmap import mmap
from typing import Protocol

import msgspec
from msgspec import Struct

from scrutator.impl.pieces import array_header, elements

SESSIONS_MAX = 64
VALUE_BYTES_MAX = 1 << 20  # no setting: servers that differed in it would come to differ in their states
REPLY_BYTES_MAX = 2 << 20  # a reply passes through a link if it was asked for at another server
INTEGER_MAX = (1 << 63) - 1  # as Redis has it
INTEGER_MIN = -(1 << 63)


class Command(Struct, frozen=True, array_like=True):
    """What a client asks for; ``session`` 0 stands for no session, and then a retry is applied again.

    ``value`` of an incr is what to add, as decimal digits; None: one.  ``more`` holds the keys of commands on
    several, all at once: mget, exists, delete_all; keys and values in turns for mset.
    """

    op: str
    key: bytes = b""
    value: bytes | None = None
    expected: bytes | None = None  # of a cas and a getset_equal; None: the key holds nothing
    session: int = 0
    sequence: int = 0
    more: tuple[bytes, ...] = ()


class Reply(Struct, frozen=True, array_like=True):
    """The answer.  An ``error`` means that nothing was changed by this command at this place of the log."""

    result: bytes | int | bool | tuple[bytes | None, ...] | None = None
    error: str = ""  # expired, stale, type, overflow, large, unknown


class Session(Struct, frozen=True, array_like=True):
    """The last command of a client that was applied, and what it was answered."""

    sequence: int
    reply: Reply


class Image(Struct, frozen=True, array_like=True):
    """A snapshot; lists, because their order is state: the first session is the next to expire."""

    data: list[tuple[bytes, bytes]]
    sessions: list[tuple[int, Session]]


class Applied(Protocol):
    """What the store reads of an entry."""

    @property
    def index(self) -> int: ...
    @property
    def data(self) -> bytes: ...


_ENCODER = msgspec.msgpack.Encoder()
_COMMAND = msgspec.msgpack.Decoder(Command)
_IMAGE = msgspec.msgpack.Decoder(Image)
_DONE = Reply()


def encoded(command: Command) -> bytes:
    """The bytes that go into the log: without ``more`` where it is empty, as logs had it before there was any.

    >>> KeyValue().apply_command(1, Command("incr", b"n")).result
    1
    """
    if command.more:
        return _ENCODER.encode(command)
    return _ENCODER.encode((command.op, command.key, command.value, command.expected, command.session, command.sequence))


def image_of(snapshot: bytes | memoryview | mmap) -> Image:
    """What the bytes of a snapshot say; raises `msgspec.DecodeError` where they are none."""
    try:
        return _IMAGE.decode(snapshot)
    except UnicodeDecodeError as error:  # in a text
        raise msgspec.DecodeError(str(error)) from None


def is_read(command: Command) -> bool:
    """Whether a command changes nothing: `KeyValue.query` answers it.  In a session it does: it is remembered."""
    return command.op in _READS and not command.session


class KeyValue:
    """The store.  ``executed`` names the (session, sequence) that the last entry changed it with, if it did.

    The limits must be the same at all servers: how many sessions are kept, how long a value may grow by appending,
    and how much one reply may hold.
    """

    sessions_max = SESSIONS_MAX
    value_bytes_max = VALUE_BYTES_MAX
    reply_bytes_max = REPLY_BYTES_MAX

    def __init__(self) -> None:
        self.data: dict[bytes, bytes] = {}
        self.sessions: dict[int, Session] = {}  # least recently used first
        self.executed: tuple[int, int] | None = None

    def apply(self, entry: Applied) -> Reply:
        """Apply a committed command; an entry without data (a leader's first) changes nothing."""
        self.executed = None
        if not entry.data:
            return _DONE
        try:
            command = _COMMAND.decode(entry.data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Reply(error="unknown")  # the same at every server
        return self.apply_command(entry.index, command)

    def apply_command(self, index: int, command: Command) -> Reply:
        """Apply a command at its place of the log; the place names a new session."""
        if command.op == "register":
            return self._register(index)
        if not command.session:
            return self._execute(command)
        session = self.sessions.pop(command.session, None)
        if session is None:
            return Reply(error="expired")
        self.sessions[command.session] = session  # now the one used last
        if command.sequence <= session.sequence:
            return self._repeated(session, command)
        reply = self._execute(command)
        self.sessions[command.session] = Session(command.sequence, reply)
        return reply

    def get(self, key: bytes) -> bytes | None:
        """What a key holds, for reads that do not pass through the log."""
        return self.data.get(key)

    def query(self, command: Command) -> Reply:
        """Answer a command that `is_read`, without a place in the log."""
        method = _READS.get(command.op)
        return Reply(error="unknown") if method is None else method(self, command)

    # --- snapshots --------------------------------------------------------------------

    def image(self) -> Iterator[bytes]:
        """The whole state as it is now, in pieces of some 64 KiB, or of one value.

        Later changes do not show, so that another thread may ask for the pieces.
        """
        return _pieces(dict(self.data), self._sessions_of_snapshot())

    def snapshot(self) -> bytes:
        """The whole state."""
        return b"".join(self.image())

    def restore(self, snapshot: bytes | memoryview | mmap) -> None:
        """Become what `snapshot` was taken of; raises `msgspec.DecodeError` where it is none."""
        self.become(image_of(snapshot))

    def become(self, image: Image) -> None:
        """Hold what an image says."""
        self.data, self.sessions = dict(image.data), dict(image.sessions)
        self.executed = None

    # --- sessions ---------------------------------------------------------------------

    def _register(self, index: int) -> Reply:
        self.sessions[index] = Session(0, _DONE)
        if len(self.sessions) > self.sessions_max:
            del self.sessions[next(iter(self.sessions))]
        return Reply(index)

    def _repeated(self, session: Session, command: Command) -> Reply:
        """The answer to a command that was applied before, or overtaken by a later one of its client."""
        return session.reply if command.sequence == session.sequence else Reply(error="stale")

    def _sessions_of_snapshot(self) -> list[tuple[int, Session]]:
        return list(self.sessions.items())

    # --- commands ---------------------------------------------------------------------

    def _execute(self, command: Command) -> Reply:
        method = _METHODS.get(command.op)
        if method is None:
            return Reply(error="unknown")
        if command.session:
            self.executed = (command.session, command.sequence)
        return method(self, command)

    def _get(self, command: Command) -> Reply:
        return Reply(self.data.get(command.key))

    def _mget(self, command: Command) -> Reply:
        held = tuple(map(self.data.get, command.more))
        if sum(len(value) for value in held if value is not None) > self.reply_bytes_max:
            return Reply(error="large")
        return Reply(held)

    def _exists(self, command: Command) -> Reply:
        return Reply(sum(key in self.data for key in command.more))

    def _strlen(self, command: Command) -> Reply:
        return Reply(len(self.data.get(command.key, b"")))

    def _size(self, command: Command) -> Reply:
        return Reply(len(self.data))

    def _put(self, command: Command) -> Reply:
        self.data[command.key] = command.value or b""
        return _DONE

    def _put_present(self, command: Command) -> Reply:
        if command.key not in self.data:
            return Reply(False)
        self.data[command.key] = command.value or b""
        return Reply(True)

    def _mset(self, command: Command) -> Reply:
        self.data.update(zip(command.more[::2], command.more[1::2], strict=False))
        return _DONE

    def _append(self, command: Command) -> Reply:
        """Answers nothing: what recorded histories and the simulator ask for; see `_append_length`."""
        reply = self._append_length(command)
        return reply if reply.error else _DONE

    def _append_length(self, command: Command) -> Reply:
        value = self.data.get(command.key, b"") + (command.value or b"")
        if len(value) > self.value_bytes_max:
            return Reply(error="large")
        self.data[command.key] = value
        return Reply(len(value))

    def _delete(self, command: Command) -> Reply:
        return Reply(self.data.pop(command.key, None) is not None)

    def _delete_all(self, command: Command) -> Reply:
        return Reply(sum(self.data.pop(key, None) is not None for key in command.more))

    def _getdel(self, command: Command) -> Reply:
        return Reply(self.data.pop(command.key, None))

    def _cas(self, command: Command) -> Reply:
        if self.data.get(command.key) != command.expected:
            return Reply(False)
        self.data[command.key] = command.value or b""
        return Reply(True)

    def _getset(self, command: Command) -> Reply:
        held = self.data.get(command.key)
        self.data[command.key] = command.value or b""
        return Reply(held)

    def _getset_present(self, command: Command) -> Reply:
        return self._getset(command) if command.key in self.data else Reply(None)

    def _getset_equal(self, command: Command) -> Reply:
        """What it held tells whether it was changed."""
        held = self.data.get(command.key)
        return self._getset(command) if held == command.expected else Reply(held)

    def _incr(self, command: Command) -> Reply:
        held, amount = integer(self.data.get(command.key, b"0")), integer(command.value or b"1")
        if held is None or amount is None:
            return Reply(error="type")
        number = held + amount
        if not INTEGER_MIN <= number <= INTEGER_MAX:
            return Reply(error="overflow")
        self.data[command.key] = b"%d" % number
        return Reply(number)


_Method = Callable[[KeyValue, Command], Reply]
_READS: dict[str, _Method] = {
    "get": KeyValue._get, "mget": KeyValue._mget, "exists": KeyValue._exists, "strlen": KeyValue._strlen, "size": KeyValue._size,
}  # fmt: skip
_METHODS: dict[str, _Method] = {
    **_READS, "put": KeyValue._put, "append": KeyValue._append, "delete": KeyValue._delete, "cas": KeyValue._cas, "incr": KeyValue._incr,
    "put_present": KeyValue._put_present, "mset": KeyValue._mset, "append_length": KeyValue._append_length,
    "delete_all": KeyValue._delete_all, "getdel": KeyValue._getdel, "getset": KeyValue._getset,
    "getset_present": KeyValue._getset_present, "getset_equal": KeyValue._getset_equal,
}  # fmt: skip


def integer(text: bytes) -> int | None:
    """A number of 64 bits as Redis writes it: no leading zeros, spaces or plus; None for anything else."""
    if not text.removeprefix(b"-").isdigit() or len(text) > 20:
        return None
    number = int(text)
    return number if INTEGER_MIN <= number <= INTEGER_MAX and b"%d" % number == text else None


def _pieces(data: dict[bytes, bytes], sessions: list[tuple[int, Session]]) -> Iterator[bytes]:
    """An `Image` in msgpack; the lists are written element by element, behind headers of our own."""
    yield array_header(2) + array_header(len(data))
    yield from elements(data.items(), lambda pair: len(pair[0]) + len(pair[1]))
    yield array_header(len(sessions))
    yield from elements(sessions, lambda pair: _reply_bytes(pair[1].reply))


def _reply_bytes(reply: Reply) -> int:
    result = reply.result
    if isinstance(result, tuple):
        return sum(len(value) for value in result if value is not None)
    return len(result) if isinstance(result, bytes) else 0
