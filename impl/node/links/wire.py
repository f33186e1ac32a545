"""Messages as bytes: frames with a length and a checksum, whose payloads are msgpack.

Law: what is decoded is what was encoded, however the bytes were cut on their way; anything else raises
`WireError`, and no more than one frame is kept in memory meanwhile.  A frame is 4 bytes of length and 4 of
CRC-32, both of the payload and big-endian, then the payload: a list of messages.  The first frame of a
connection is a `Hello` instead, which says who speaks.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from mmap import mmap
from struct import Struct as Layout

import msgspec
from msgspec import Struct

from scrutator.impl.machine import REPLY_BYTES_MAX, Reply
from scrutator.impl.node.config import Limits, NodeConfig
from scrutator.impl.raft.messages import AnyMessage

VERSION = 1  # of this format; nodes of different versions do not talk to each other
HELLO_BYTES_MAX = 4096  # what a stranger can make a node keep
SLACK_BYTES = 64 * 1024  # what surrounds commands and pieces: names, numbers, a configuration
HEADER = Layout(">II")


class WireError(Exception):
    """These bytes are no frame, or this message does not fit into one; the message says why."""


class Hello(Struct, frozen=True, forbid_unknown_fields=True):
    """The first frame of a connection: who speaks to whom, and in which cluster."""

    version: int
    cluster: str
    src: str
    dst: str


class Addressed(Struct, frozen=True, tag=True):
    """What nodes say to each other beside Raft's messages, addressed like these."""

    src: str
    dst: str


class Forward(Addressed, frozen=True):
    """A follower asks the leader to propose a client's ``command``, encoded by `scrutator.impl.machine.encoded`.

    ``number`` comes back in `Forwarded`.
    """

    number: int
    command: bytes


class Forwarded(Addressed, frozen=True):
    """What became of a `Forward`: a reply; or none, and why; ``unknown`` if it may or may not happen."""

    number: int
    reply: Reply | None
    why: str = ""
    leader: str | None = None
    unknown: bool = False


NodeMessage = AnyMessage | Forward | Forwarded


def command_bytes_max(limits: Limits) -> int:
    """Bytes that an encoded command may have: a key and two values (a cas has both), and what surrounds them."""
    return limits.key_bytes_max + 2 * limits.value_bytes_max + SLACK_BYTES


def frame_bytes_max(config: NodeConfig) -> int:
    """Bytes that the payload of a frame may have: one large command or reply, a batch of small ones, or a piece of a snapshot."""
    options = config.options
    return max(command_bytes_max(config.limits), REPLY_BYTES_MAX, options.batch_bytes, options.chunk_bytes) + SLACK_BYTES


# --- sending ----------------------------------------------------------------------------


def _whole(value: object) -> bytes:
    """What msgspec does not encode by itself: a snapshot that lies in a file."""
    if isinstance(value, mmap):
        return value[:]
    raise NotImplementedError(f"{type(value).__name__} has no place in a message")


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_whole)
_HELLO = msgspec.msgpack.Decoder(Hello)
_MESSAGES = msgspec.msgpack.Decoder(list[NodeMessage])


def encode(messages: Sequence[NodeMessage], payload_bytes_max: int) -> bytes:
    """Frames with these messages, in order: one, unless they are too large together.

    Raises `WireError` where one alone is too large, and encodes none then.

    >>> decoder = Decoder(1000)
    >>> decoder.feed(encode_hello(Hello(VERSION, "c", "a", "b"))), decoder.hello.src
    ([], 'a')
    >>> decoder.feed(encode([Forward("a", "b", 1, b"command")], 1000))
    [Forward(src='a', dst='b', number=1, command=b'command')]
    """
    payload = _ENCODER.encode(messages)
    if len(payload) <= payload_bytes_max:
        return _framed(payload)
    if len(messages) == 1:
        what = type(messages[0]).__name__
        raise WireError(f"{what} has {len(payload):,} bytes, more than the {payload_bytes_max:,} of a frame")
    half = len(messages) // 2
    return encode(messages[:half], payload_bytes_max) + encode(messages[half:], payload_bytes_max)


def encode_hello(hello: Hello) -> bytes:
    """The first frame of a connection; raises `WireError` where the names are too long."""
    payload = _ENCODER.encode(hello)
    if len(payload) > HELLO_BYTES_MAX:
        raise WireError(f"the names of the cluster and its nodes have more than {HELLO_BYTES_MAX:,} bytes: choose shorter ones")
    return _framed(payload)


def _framed(payload: bytes) -> bytes:
    return HEADER.pack(len(payload), zlib.crc32(payload)) + payload


# --- receiving --------------------------------------------------------------------------


class Decoder:
    """Turns the bytes of one connection into messages; ``hello`` is None until the first frame was whole.

    After a `WireError` it is of no use: nobody can tell where the next frame begins.
    """

    __slots__ = ("_buffer", "_payload_bytes_max", "_wanted", "hello")

    def __init__(self, payload_bytes_max: int) -> None:
        self.hello: Hello | None = None
        self._payload_bytes_max = payload_bytes_max
        self._buffer = bytearray()  # the beginning of a frame
        self._wanted = HEADER.size  # bytes without which there is nothing to do

    def feed(self, data: bytes) -> list[NodeMessage]:
        """The messages of the frames that these bytes complete; raises `WireError`."""
        if not self._buffer:
            taken, messages = self._frames(data)
            self._buffer += data if not taken else data[taken:]
            return messages
        self._buffer += data
        if len(self._buffer) < self._wanted:
            return []
        taken, messages = self._frames(self._buffer)
        del self._buffer[:taken]
        return messages

    def _frames(self, data: bytes | bytearray) -> tuple[int, list[NodeMessage]]:
        """How many bytes the whole frames at the beginning take, and their messages."""
        messages: list[NodeMessage] = []
        at, end = 0, len(data)
        with memoryview(data) as view:
            while end - at >= HEADER.size:
                size, checksum = HEADER.unpack_from(view, at)
                self._check_size(size)
                start, after = at + HEADER.size, at + HEADER.size + size
                if after > end:
                    self._wanted = after - at
                    return at, messages
                with view[start:after] as payload:
                    messages += self._messages(payload, checksum)
                at = after
        self._wanted = HEADER.size
        return at, messages

    def _check_size(self, size: int) -> None:
        allowed = HELLO_BYTES_MAX if self.hello is None else self._payload_bytes_max
        if 0 < size <= allowed:
            return
        if self.hello is None:
            raise WireError(f"the first frame claims {size:,} bytes instead of a hello: does something else than a node speak to this port?")
        raise WireError(f"a frame claims {size:,} bytes, but has from 1 to {allowed:,}: do all nodes have the same limits?")

    def _messages(self, payload: memoryview, checksum: int) -> list[NodeMessage]:
        if zlib.crc32(payload) != checksum:
            raise WireError(f"a frame of {len(payload):,} bytes has another checksum than it claims")
        try:
            if self.hello is not None:
                return _MESSAGES.decode(payload)
            self.hello = _HELLO.decode(payload)
            return []
        except (msgspec.DecodeError, ValueError, RecursionError) as error:  # ValueError: a text that is not UTF-8
            what = "messages" if self.hello is not None else "a hello"
            raise WireError(f"a frame of {len(payload):,} bytes does not hold {what}: {error}") from None
