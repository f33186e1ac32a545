"""Long lists in msgpack, encoded piece by piece, so that a thread that does so lets others run in between.

Law: joined, the pieces are the bytes that one call of the encoder would have given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import msgspec

PIECE_BYTES = 1 << 16
T = TypeVar("T")
_ENCODER = msgspec.msgpack.Encoder()


def array_header(length: int) -> bytes:
    """What an array of so many elements begins with.

    >>> array_header(2) + _ENCODER.encode(1) + _ENCODER.encode(2) == _ENCODER.encode((1, 2))
    True
    """
    if length < 16:
        return bytes((0x90 | length,))
    return b"\xdc" + length.to_bytes(2, "big") if length < 1 << 16 else b"\xdd" + length.to_bytes(4, "big")


def elements(values: Iterable[T], size: Callable[[T], int]) -> Iterator[bytes]:
    """The elements of an array, without its header, in pieces of some 64 KiB; ``size`` estimates one's bytes."""
    batch: list[T] = []
    held = 0
    for value in values:
        batch.append(value)
        held += 16 + size(value)
        if held >= PIECE_BYTES:
            yield _encode(batch)
            batch, held = [], 0
    yield _encode(batch)


def _encode(batch: list[T]) -> bytes:
    return _ENCODER.encode(batch)[len(array_header(len(batch))) :]
