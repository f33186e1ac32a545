"""A replicated key-value store that answers a client's retry instead of applying it again.

The law: `KeyValue` is a function of the entries applied to it, of nothing else.  Sessions are part of that
state (section 6.3 of Ongaro's dissertation): a client registers through the log, numbers its commands, and
the last reply of each session is kept, in snapshots too.  So a command is applied once, whoever leads.
"""

from __future__ import annotations

from typing import Protocol

import msgspec
from msgspec import Struct

SESSIONS_MAX = 64


class Command(Struct, frozen=True, array_like=True):
    """What a client asks for; ``session`` 0 stands for no session, and then a retry is applied again."""

    op: str  # register, get, put, append, delete, cas, incr
    key: bytes = b""
    value: bytes | None = None
    expected: bytes | None = None  # of a cas; None: the key holds nothing
    session: int = 0
    sequence: int = 0


class Reply(Struct, frozen=True, array_like=True):
    """The answer.  An ``error`` means that nothing was changed by this command at this place of the log."""

    result: bytes | int | bool | None = None
    error: str = ""  # expired, stale, type, unknown


class Session(Struct, array_like=True):
    """The last command of a client that was applied, and what it was answered."""

    sequence: int
    reply: Reply


class _Image(Struct, frozen=True, array_like=True):
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
_IMAGE = msgspec.msgpack.Decoder(_Image)
_DONE = Reply()


def encoded(command: Command) -> bytes:
    """The bytes that go into the log.

    >>> KeyValue().apply_command(1, Command("incr", b"n")).result
    1
    """
    return _ENCODER.encode(command)


class KeyValue:
    """The store.  ``executed`` names the (session, sequence) that the last entry changed it with, if it did."""

    sessions_max = SESSIONS_MAX

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
        except msgspec.DecodeError:
            return Reply(error="unknown")  # the same at every server
        return self.apply_command(entry.index, command)

    def apply_command(self, index: int, command: Command) -> Reply:
        """Apply a command at its place of the log; the place names a new session."""
        if command.op == "register":
            return self._register(index)
        if not command.session:
            return self._execute(command)
        session = self.sessions.get(command.session)
        if session is None:
            return Reply(error="expired")
        self._touch(command.session, session)
        if command.sequence <= session.sequence:
            return self._repeated(session, command)
        reply = self._execute(command)
        session.sequence, session.reply = command.sequence, reply
        return reply

    def get(self, key: bytes) -> bytes | None:
        """What a key holds, for reads that do not pass through the log."""
        return self.data.get(key)

    def snapshot(self) -> bytes:
        """The whole state; equal states give equal bytes."""
        return _ENCODER.encode(_Image(sorted(self.data.items()), self._sessions_of_snapshot()))

    def restore(self, snapshot: bytes) -> None:
        """Become what `snapshot` was taken of; raises `msgspec.DecodeError` where it is none."""
        image = _IMAGE.decode(snapshot)
        self.data, self.sessions = dict(image.data), dict(image.sessions)
        self.executed = None

    # --- sessions ---------------------------------------------------------------------

    def _register(self, index: int) -> Reply:
        self.sessions[index] = Session(0, _DONE)
        if len(self.sessions) > self.sessions_max:
            del self.sessions[next(iter(self.sessions))]
        return Reply(index)

    def _touch(self, number: int, session: Session) -> None:
        del self.sessions[number]
        self.sessions[number] = session

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

    def _put(self, command: Command) -> Reply:
        self.data[command.key] = command.value or b""
        return _DONE

    def _append(self, command: Command) -> Reply:
        self.data[command.key] = self.data.get(command.key, b"") + (command.value or b"")
        return _DONE

    def _delete(self, command: Command) -> Reply:
        return Reply(self.data.pop(command.key, None) is not None)

    def _cas(self, command: Command) -> Reply:
        if self.data.get(command.key) != command.expected:
            return Reply(False)
        self.data[command.key] = command.value or b""
        return Reply(True)

    def _incr(self, command: Command) -> Reply:
        held = self.data.get(command.key, b"0")
        if not held.removeprefix(b"-").isdigit() or len(held) > 20:
            return Reply(error="type")
        number = int(held) + 1
        self.data[command.key] = b"%d" % number
        return Reply(number)


_METHODS = {
    "get": KeyValue._get, "put": KeyValue._put, "append": KeyValue._append, "delete": KeyValue._delete,
    "cas": KeyValue._cas, "incr": KeyValue._incr,
}  # fmt: skip
