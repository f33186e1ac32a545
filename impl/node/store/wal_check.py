"""What SQLite will silently leave out of a write-ahead log.

Recovery reads frames up to the first whose salts or running sum are wrong, and keeps whole transactions only
(https://www.sqlite.org/fileformat2.html#walformat, section 4).  It says nothing of what follows: a torn transaction that nobody
was promised, frames of earlier rounds through the file, or, behind one rotten byte, thousands of synced transactions.

Law: each transaction is synced before the next one begins.  So at most one can be torn; if there is a trace of a
second one behind the break, something that was synced is lost.  There are two kinds of traces: frames that end a
transaction and carry the log's salts, and pages with the state of the store, which is in every transaction and numbered.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from operator import mul
from pathlib import Path
from zlib import crc32

HEADER_BYTES, FRAME_HEADER_BYTES = 32, 24
_BIG_ENDIAN, _LITTLE_ENDIAN = 0x377F0683, 0x377F0682  # how the sums read the words; everything else is big-endian
_VERSION = 3007000
_NUMBERED = struct.Struct(">QI")  # after the marker: the number of the transaction, and the sum of both


@dataclass(frozen=True, slots=True)
class Wal:
    """What a write-ahead log holds."""

    number: int  # of the newest transaction seen among those that will be recovered; 0 for none
    frames: int  # that will be recovered
    torn: int  # frames of this round behind those
    commits: int  # of these, such as end a transaction
    newest: int  # the highest number of a transaction seen behind those recovered; 0 for none

    def lost(self, recovered: int) -> int:
        """How many transactions at least are lost, given the number of the last that was recovered."""
        return max(self.commits, self.newest - recovered, 1 if self.torn else 0)


class BadHeader(Exception):
    """SQLite would ignore the whole file."""


def numbered(marker: bytes, number: int) -> bytes:
    """How a transaction's number stands in the page of the state, for `examine` to find."""
    return marker + _NUMBERED.pack(number, crc32(marker + number.to_bytes(8, "big")))


def examine(path: Path, marker: bytes) -> Wal:
    """Read a write-ahead log as SQLite will, and then what it will not; raises `BadHeader`, `OSError`."""
    file = path.read_bytes()
    page_bytes, salts, sums, order = _header(file)
    frame_bytes = FRAME_HEADER_BYTES + page_bytes
    count = (len(file) - HEADER_BYTES) // frame_bytes
    view = memoryview(file)
    whole = 0  # frames up to the last end of a transaction
    for k in range(count):
        frame = view[HEADER_BYTES + k * frame_bytes : HEADER_BYTES + (k + 1) * frame_bytes]
        page, end = struct.unpack_from(">II", frame)
        stored = struct.unpack_from(">II", frame, 16)
        if frame[8:16] != salts or not page:
            break
        sums = _sums(bytes(frame[:8]) + bytes(frame[FRAME_HEADER_BYTES:]), sums, order)
        if sums != stored:
            break
        if end:
            whole = k + 1
    torn = commits = 0
    border = HEADER_BYTES + whole * frame_bytes
    for start in range(border, len(file), frame_bytes):
        if file[start + 8 : start + 16] == salts or start + frame_bytes > len(file):
            torn += 1
            commits += file[start + 4 : start + 8] != bytes(4)
    return Wal(_newest(file[:border], marker), whole, torn, commits, _newest(file[border:], marker))


def _header(file: bytes) -> tuple[int, bytes, tuple[int, int], str]:
    """Bytes of a page, salts, first sums, and the order of bytes within words."""
    if len(file) < HEADER_BYTES:
        raise BadHeader(f"its header is cut off: {len(file)} of {HEADER_BYTES} bytes")
    magic, version, page_bytes = struct.unpack_from(">III", file)
    order = {_BIG_ENDIAN: ">", _LITTLE_ENDIAN: "<"}.get(magic)
    if order is None or version != _VERSION or not 512 <= page_bytes <= 65536 or page_bytes & (page_bytes - 1):
        raise BadHeader("its header is none")
    sums = _sums(file[:24], (0, 0), order)
    if sums != struct.unpack_from(">II", file, 24):
        raise BadHeader("its header's sum is wrong")
    return page_bytes, file[16:24], sums, order


def _sums(data: bytes, before: tuple[int, int], order: str) -> tuple[int, int]:
    """The running sums s0 += x[i] + s1, s1 += x[i+1] + s0, for pairs of words: linear, hence a product with Fibonacci numbers.

    >>> _sums(struct.pack("<4I", 1, 2, 3, 4), (0, 0), "<")
    (7, 14)
    """
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    first, second, (a, b, c) = _weights(len(words))
    s0, s1 = before
    return (
        (sum(map(mul, words, first)) + a * s0 + b * s1) & 0xFFFFFFFF,
        (sum(map(mul, words, second)) + b * s0 + c * s1) & 0xFFFFFFFF,
    )


@lru_cache(maxsize=8)
def _weights(words: int) -> tuple[list[int], list[int], tuple[int, int, int]]:
    """What each word counts in either sum, modulo 2**32, and what the sums before count: ((a, b), (b, c))."""
    # A pair of words turns (s0, s1) into (s0 + s1 + x, s0 + 2*s1 + x + y); from the last pair backwards:
    first, second = [0] * words, [0] * words
    a, b, c = 1, 0, 1  # the power of ((1, 1), (1, 2)) for the pairs that follow
    for k in range(words - 2, -1, -2):
        first[k], first[k + 1] = (a + b) & 0xFFFFFFFF, b
        second[k], second[k + 1] = (b + c) & 0xFFFFFFFF, c
        a, b, c = (a + b) & 0xFFFFFFFF, (a + 2 * b) & 0xFFFFFFFF, (b + 2 * c) & 0xFFFFFFFF
    return first, second, (a, b, c)


def _newest(pages: bytes, marker: bytes) -> int:
    """The highest number that stands behind a marker."""
    newest = 0
    start = pages.find(marker)
    while start >= 0:
        behind = pages[start + len(marker) : start + len(marker) + _NUMBERED.size]
        if len(behind) == _NUMBERED.size:
            number, total = _NUMBERED.unpack(behind)
            if crc32(marker + behind[:8]) == total:
                newest = max(newest, number)
        start = pages.find(marker, start + 1)
    return newest
