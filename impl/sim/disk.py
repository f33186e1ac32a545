"""A server's disk: a file of records, each framed and summed, which survives crashes as far as it was synced.

The law: a crash keeps what was synced, and of the rest a prefix, cut at any byte.  So a record that ends
early was never promised to anybody, and is dropped; a record that is whole but whose sum is wrong was
promised and has rotted, and then the server must not start as if it had never been there.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from zlib import crc32

import msgspec
from msgspec import Struct

from scrutator.impl.raft import Entry, Persist, Snapshot
from scrutator.impl.sim.tape import Tape

_HEADER = struct.Struct(">III")  # length, sum of the length and the position, sum of the payload
_SUMMED = struct.Struct(">IQ")


class Corrupt(Exception):
    """The file holds what was never written."""


class DiskFull(Exception):
    """There is no room for another record."""


class SyncFailed(Exception):
    """The system could not sync, and what it then holds is unknown."""


class Record(Struct, frozen=True, array_like=True):
    """A `Persist` on disk."""

    term: int | None
    vote: str | None
    snapshot: Snapshot | None
    reset: bool
    truncate: int | None
    entries: Sequence[Entry]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Record)


class Image:
    """What a server's records add up to."""

    __slots__ = ("entries", "snapshot", "term", "vote")

    def __init__(self) -> None:
        self.term = 0
        self.vote: str | None = None
        self.snapshot: Snapshot | None = None
        self.entries: list[Entry] = []

    @property
    def base(self) -> int:
        """The position that the snapshot stands for; 0 without one."""
        return 0 if self.snapshot is None else self.snapshot.index

    @property
    def last(self) -> int:
        return self.base + len(self.entries)

    def term_at(self, index: int) -> int | None:
        """The term of an entry, 0 before the first; None for what is not there."""
        base = self.base
        if index == base:
            return 0 if self.snapshot is None else self.snapshot.term
        return self.entries[index - base - 1].term if base < index <= self.last else None

    def absorb(self, record: Record | Persist) -> None:
        """Change as the record says; raises `Corrupt` where it does not follow what came before."""
        if record.term is not None:
            self.term, self.vote = record.term, record.vote
        if record.snapshot is not None:
            self.entries = [] if record.reset else self.entries[max(0, record.snapshot.index - self.base) :]
            self.snapshot = record.snapshot
        base = self.base
        if record.truncate is not None:
            self._check(record.truncate)
            del self.entries[record.truncate - base - 1 :]
        if record.entries:
            first = record.entries[0].index
            self._check(first)
            del self.entries[first - base - 1 :]
            self.entries.extend(record.entries)

    def record(self) -> Record:
        """One record for the whole."""
        return Record(self.term, self.vote, self.snapshot, True, None, self.entries)

    def _check(self, index: int) -> None:
        if not self.base < index <= self.last + 1:
            raise Corrupt(f"entry {index} does not follow entries {self.base + 1} to {self.last}")


class Disk:
    """The file, what was written to it but not synced, and what is wrong with it."""

    def __init__(self) -> None:
        self.durable = bytearray()
        self.full = False
        self.failing = False  # the next sync fails
        self.slowness = 1  # times the usual time of a sync
        self._pending: list[tuple[bool, bytes]] = []  # (replaces the whole file, bytes)
        self._end = 0  # of the file once all is synced
        self._rotten: list[tuple[int, int]] = []  # (position, bit)

    def append(self, record: Persist) -> None:
        """Write a record at the end; raises `DiskFull`."""
        payload = _ENCODER.encode(
            Record(record.term, record.vote, record.snapshot, record.reset, record.truncate, record.entries)
        )
        self._write(False, framed(payload, self._end))

    def replace(self, image: Image) -> None:
        """Write a file anew, and put it in the place of the old one; raises `DiskFull`."""
        self._end = 0
        self._write(True, framed(_ENCODER.encode(image.record()), 0))

    def _write(self, replaces: bool, data: bytes) -> None:
        if self.full:
            raise DiskFull
        self._pending.append((replaces, data))
        self._end += len(data)

    @property
    def writes(self) -> int:
        """How many records are not yet synced."""
        return len(self._pending)

    def sync(self, count: int) -> None:
        """Make the first so many unsynced records durable; raises `SyncFailed`."""
        if self.failing:
            self.failing = False
            raise SyncFailed
        for replaces, data in self._pending[:count]:
            self._keep(replaces, data)
        del self._pending[:count]

    def forget(self, count: int) -> None:
        """Drop the first so many unsynced records, as a system may after a sync that failed."""
        del self._pending[:count]

    def crash(self, tape: Tape, *, torn: bool) -> int:
        """Lose what was not synced, but for a drawn prefix; how many bytes of it were kept.

        Unless ``torn``, records are kept whole or not at all.
        """
        kept = tape.draw(1 + sum(len(data) for _, data in self._pending)) if self._pending else 0
        left = kept
        for replaces, data in self._pending:
            if len(data) > left and (replaces or not torn):
                break
            self._keep(replaces, data[:left])
            left -= len(data)
            if left <= 0:
                break
        self._pending.clear()
        self._end = len(self.durable)
        return kept

    def _keep(self, replaces: bool, data: bytes) -> None:
        if replaces:
            self.durable = bytearray(data)
            self._rotten.clear()
        else:
            self.durable += data

    def rot(self, tape: Tape) -> bool:
        """Turn a bit of what is durable; whether there was one."""
        if not self.durable:
            return False
        flip = tape.draw(len(self.durable)), 1 << tape.draw(8)
        self.durable[flip[0]] ^= flip[1]
        self._rotten.append(flip)
        return True

    @property
    def is_rotten(self) -> bool:
        return bool(self._rotten)

    def repair(self) -> None:
        """Undo what rotted, as from a mirror; there is room again, and syncs are fast and true."""
        for position, bit in self._rotten:
            self.durable[position] ^= bit
        self._rotten.clear()
        self.full = self.failing = False
        self.slowness = 1

    def wipe(self) -> None:
        """Lose everything."""
        self.durable.clear()
        self._rotten.clear()
        self._end = 0

    def recover_up_to_rot(self) -> tuple[Image, int]:
        """What the records before the first rotten one say; the others are dropped.  Nobody should do that."""
        whole = bytes(self.durable)
        for end in range(len(whole)):
            try:
                unframed(whole[: end + 1])
            except Corrupt:
                self.durable = bytearray(whole[:end])
                break
        return self.recover()

    def recover(self) -> tuple[Image, int]:
        """What the file says, and how many bytes of a torn record were dropped; raises `Corrupt`."""
        image = Image()
        payloads, end = unframed(bytes(self.durable))
        for payload in payloads:
            try:
                image.absorb(_DECODER.decode(payload))
            except msgspec.DecodeError as error:
                raise Corrupt(f"a record cannot be read: {error}") from None
        torn = len(self.durable) - end
        del self.durable[end:]
        self._end = end
        self._rotten = [flip for flip in self._rotten if flip[0] < end]
        return image, torn


def framed(payload: bytes, position: int) -> bytes:
    """A record as it lies in the file, from that position on."""
    length = len(payload)
    return _HEADER.pack(length, crc32(_SUMMED.pack(length, position)), crc32(payload)) + payload


def unframed(file: bytes) -> tuple[list[bytes], int]:
    """The payloads of all whole records, and where they end; what follows is torn.  Raises `Corrupt`."""
    payloads = []
    position = 0
    while len(file) - position >= _HEADER.size:
        length, sum_of_length, sum_of_payload = _HEADER.unpack_from(file, position)
        if crc32(_SUMMED.pack(length, position)) != sum_of_length:
            raise Corrupt(f"the header at byte {position} has rotted, or belongs elsewhere")
        begin = position + _HEADER.size
        if begin + length > len(file):
            break
        payload = file[begin : begin + length]
        if crc32(payload) != sum_of_payload:
            raise Corrupt(f"the record at byte {position} has rotted")
        payloads.append(payload)
        position = begin + length
    return payloads, position
