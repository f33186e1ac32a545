"""What a client may ask for: from the words of a request to its answer, or to the command it stands for.

Law: nothing here waits or sends.  A handler gives the answer at once, or says what the replica is to be asked and
how its reply is written.  Names, numbers of arguments and errors are those of Redis where Redis has them.
An error says what is known: only UNKNOWN leaves open whether the command was carried out.
"""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from scrutator.impl import machine
from scrutator.impl.machine import INTEGER_MIN, Command
from scrutator.impl.node.clients.resp import OK, Value, encode, encode_error
from scrutator.impl.node.requests import Done, Outcome

if TYPE_CHECKING:
    from scrutator.impl.node.clients import ClientServer

SLOTS = 16384

Render = Callable[[Value, bool], bytes]  # (result, whether in RESP3)


class Refusal(Exception):
    """The request cannot be carried out as it is; the message is the answer's error, its first word a code."""


class Ask(Struct, frozen=True):
    """The replica is asked for a command, and its result is written so."""

    command: Command
    render: Render = encode


class Begin(Struct, frozen=True):
    """Something else that the replica is asked for, with a callback."""

    start: Callable[[Done], None]
    render: Render = encode


Answer = Value | Ask | Begin


class Caller:
    """A connection, as far as commands know it."""

    __slots__ = ("address", "began_s", "discarding", "heard_s", "leaving", "library", "library_version", "local", "name", "number", "resp3", "said", "server")

    def __init__(self, server: ClientServer, number: int, address: str, local: str, now_s: float) -> None:
        self.server, self.number, self.address, self.local = server, number, address, local
        self.began_s = self.heard_s = now_s
        self.name = self.library = self.library_version = ""
        self.resp3 = False
        self.said = ""  # the last command
        self.discarding = False  # between a MULTI, which is refused, and its EXEC
        self.leaving = False  # wants the connection to end after the answer


Handler = Callable[[Caller, list[bytes]], Answer]


class Entry(Struct, frozen=True):
    """A command of the table.  ``arity`` counts the name; negative: at least so many.  ``keys``: first, last, step."""

    name: str
    arity: int
    flags: tuple[str, ...]
    keys: tuple[int, int, int]
    handler: Handler
    summary: str


class Table:
    """Commands by name, in any case of letters."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = {entry.name: entry for entry in entries}
        self._found = {spelt: entry for name, entry in self.entries.items() for spelt in (name.encode(), name.upper().encode())}

    def find(self, arguments: list[bytes]) -> Entry:
        """The command that these words call, if they are as many as it takes; raises `Refusal`."""
        name = arguments[0]
        entry = self._found.get(name) or self._found.get(name.lower())
        if entry is None:
            began = " ".join(f"'{word[:128].decode(errors='replace')}'" for word in arguments[1:8])
            raise Refusal(f"ERR unknown command '{name[:128].decode(errors='replace')}', with args beginning with: {began}")
        if len(arguments) != entry.arity and (entry.arity > 0 or len(arguments) < -entry.arity):
            raise Refusal(f"ERR wrong number of arguments for '{entry.name}' command")
        return entry


def called(table: Table, caller: Caller, arguments: list[bytes]) -> Answer:
    """What a request stands for; raises `Refusal`."""
    entry = table.find(arguments)
    if caller.discarding and entry.name not in ("exec", "discard", "reset", "quit"):
        raise Refusal("ERR MULTI is not supported: the command was not carried out")
    first, last, step = entry.keys
    if first:
        key_bytes_max = caller.server.config.limits.key_bytes_max
        for key in arguments[first : (last + 1) or None : step] if last != first else (arguments[first],):
            if len(key) > key_bytes_max:
                raise Refusal(f"ERR a key of {len(key)} bytes is too long: this node takes {key_bytes_max}")
    caller.said = entry.name
    return entry.handler(caller, arguments)


def subcommands(name: str, handlers: dict[str, tuple[int, Handler]]) -> Handler:
    """A handler that goes by the second word; arities count both words."""

    def handler(caller: Caller, arguments: list[bytes]) -> Answer:
        word = arguments[1].decode(errors="replace").lower()
        arity, chosen = handlers.get(word, (0, None))
        if chosen is None:
            raise Refusal(f"ERR unknown subcommand '{word[:128]}'. Try one of: {', '.join(handlers).upper()}")
        if len(arguments) != arity and (arity > 0 or len(arguments) < -arity):
            raise Refusal(f"ERR wrong number of arguments for '{name}|{word}' command")
        return chosen(caller, arguments)

    return handler


# --- what words mean ------------------------------------------------------------------------


def integer(word: bytes, least: int = INTEGER_MIN) -> int:
    """A number as Redis reads it; raises `Refusal`."""
    number = machine.integer(word)
    if number is None or number < least:
        raise Refusal(_ERRORS["type"])
    return number


def node_named(caller: Caller, word: bytes) -> str:
    """A node of the configuration; raises `Refusal`."""
    name, nodes = word.decode(errors="replace"), caller.server.config.nodes
    if name not in nodes:
        raise Refusal(f"ERR no node is called {name[:64]!r}: there are {', '.join(nodes)}")
    return name


def slot_of(key: bytes) -> int:
    """The slot of a key in Redis's clusters; only what is between braces counts, if anything is.

    >>> slot_of(b"123456789"), slot_of(b"{user}.a") == slot_of(b"user")
    (12739, True)
    """
    begin = key.find(b"{")
    if begin >= 0:
        end = key.find(b"}", begin + 1)
        if end > begin + 1:
            key = key[begin + 1 : end]
    return crc_hqx(key, 0) % SLOTS


# --- how results are written ----------------------------------------------------------------


def as_ok(result: Value, resp3: bool) -> bytes:
    """Done, whatever the result."""
    return OK


def as_ok_or_null(result: Value, resp3: bool) -> bytes:
    """Done, or the condition did not hold."""
    return OK if result is True else encode(None, resp3)


def as_number(result: Value, resp3: bool) -> bytes:
    """A truth value as 1 or 0, in RESP3 too."""
    return encode(int(result) if isinstance(result, bool) else result, resp3)


_ERRORS = {
    "type": "ERR value is not an integer or out of range",
    "overflow": "ERR increment or decrement would overflow",
    "large": "ERR string exceeds maximum allowed size: the value, or the answer, would be too large",
    "expired": "NOSESSION there is no such session, or it has expired: whether an earlier attempt was carried out is not known",
    "stale": "STALE a later command of this session was carried out: whether an earlier attempt of this one was is not known",
    "unknown": "ERR the store does not know this command",
}


def written(outcome: Outcome, command: Command | None, render: Render, caller: Caller, resp3: bool) -> bytes:
    """The answer to a request that ended so."""
    reply = outcome.reply
    if reply is not None:
        return encode_error(_ERRORS.get(reply.error, f"ERR {reply.error}")) if reply.error else render(reply.result, resp3)
    if outcome.unknown:
        return encode_error(f"UNKNOWN {outcome.why}: the command may or may not have been carried out")
    nodes = caller.server.config.nodes
    if outcome.leader in nodes and outcome.leader != caller.server.config.id:
        key = b"" if command is None else command.key or (command.more[0] if command.more else b"")
        return encode_error(f"MOVED {slot_of(key)} {nodes[outcome.leader].client}")
    return encode_error(f"TRYAGAIN {outcome.why}: the command was not carried out")
