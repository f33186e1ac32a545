"""Pictures as browsers give them, taken apart without a library."""

from __future__ import annotations

import struct
import zlib
from collections import Counter

Colour = tuple[int, ...]


def colours(png: bytes) -> Counter[Colour]:
    """How many pixels of a picture have each colour (red, green, blue): PNG of 8 bits, not interlaced."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", png[16:29])
    size = {2: 3, 6: 4}[kind]
    assert depth == 8 and not interlaced
    at, packed = 8, b""
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            packed += png[at + 8 : at + 8 + length]
        at += length + 12
    raw, row, found = zlib.decompress(packed), bytearray(width * size), Counter[Colour]()
    for y in range(height):
        start = y * (width * size + 1)
        row = _unfiltered(raw[start], raw[start + 1 : start + 1 + width * size], row, size)
        found.update(zip(row[0::size], row[1::size], row[2::size], strict=True))
    return found


def _unfiltered(how: int, line: bytes, above: bytearray, size: int) -> bytearray:
    """A row of bytes, of which the file holds differences from a prediction (PNG, section 9)."""
    row = bytearray(line)
    if how == 0:
        return row
    for k in range(len(row)):
        left = row[k - size] if k >= size else 0
        corner = above[k - size] if k >= size else 0
        guess = (0, left, above[k], (left + above[k]) // 2, 0)[how]
        if how == 4:
            guess = min(left, above[k], corner, key=lambda p, s=left + above[k] - corner: abs(s - p))  # type: ignore[misc]
        row[k] = (row[k] + guess) & 255
    return row
