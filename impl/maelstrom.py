"""What lines of Maelstrom's protocol are made of, for whoever speaks it from either side.

Law: nothing here decides; it says how a line is read and written, and what its errors are called.
Source: https://github.com/jepsen-io/maelstrom/blob/main/doc/protocol.md
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct, field

TIMEOUT, NODE_NOT_FOUND, NOT_SUPPORTED, TEMPORARILY_UNAVAILABLE = 0, 1, 10, 11
ABORT, KEY_DOES_NOT_EXIST, PRECONDITION_FAILED = 14, 20, 22


class Envelope(Struct):
    """A line."""

    src: str
    dest: str
    body: Raw


class Request(Struct):
    """What is read of a request to a key-value store, depending on its type; keys and values are any JSON."""

    type: str
    msg_id: int | None = None
    key: object = None
    value: object = None
    from_: object = field(default=None, name="from")
    to: object = None
    create_if_not_exists: bool = False


_ENVELOPE = msgspec.json.Decoder(Envelope)


def envelope_of(line: bytes) -> Envelope:
    """Raises `msgspec.DecodeError`, a ValueError, and RecursionError."""
    return _ENVELOPE.decode(line)


def line_of(src: str, dest: str, body: object) -> bytes:
    """A line.

    >>> line_of("c1", "n1", {"type": "read", "key": 1, "msg_id": 7})
    b'{"src":"c1","dest":"n1","body":{"type":"read","key":1,"msg_id":7}}\\n'
    """
    return msgspec.json.encode({"src": src, "dest": dest, "body": body}) + b"\n"
