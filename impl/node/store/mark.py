"""The mark of a store: a small file that says whose it is, and whether a write-ahead log belongs to it.

Law: the mark is first made and last removed, and always whole.  SQLite takes a missing database for a new one and
a missing write-ahead log for an empty one; the mark knows better.  While it says OPEN, a write-ahead log must be there,
and be no shorter than it was made.  The mark of a closed store is written when it is opened, and only renamed when it is
closed: a full disk must not keep the mark from saying that SQLite has removed the write-ahead log.
"""

from __future__ import annotations

import os
from contextlib import suppress
from enum import Enum
from pathlib import Path
from zlib import crc32

import msgspec
from msgspec import Struct

from scrutator.impl.node.store.errors import corrupt

MARK = "store.json"
SPARE = "store.closed"  # takes the mark's place when the store is closed
_BYTES_MAX = 1 << 16


class Life(Enum):
    """Where a store is in its life."""

    CREATING = "creating"  # nothing was ever promised: begin again
    CLOSED = "closed"  # everything is in the database
    OPEN = "open"  # in use, or killed: the write-ahead log is part of it


class Mark(Struct, frozen=True, forbid_unknown_fields=True):
    """``created``: 32 hexadecimal digits, drawn when the store was made; its pages carry them.

    ``wal_bytes``: the least size of the write-ahead log while the store is open.
    """

    format: int
    identity: str
    created: str
    life: Life
    wal_bytes: int = 0

    @property
    def marker(self) -> bytes:
        """What is found in the page of the state: 16 bytes."""
        return bytes.fromhex(self.created)


class _Summed(Struct, frozen=True, forbid_unknown_fields=True):
    mark: Mark
    sum: int


def read_mark(folder: Path) -> Mark | None:
    """The mark, None if there is none; raises `CorruptStore`."""
    path = folder / MARK
    try:
        with path.open("rb") as file:
            text = file.read(_BYTES_MAX)
    except FileNotFoundError:
        return None
    try:
        summed = msgspec.json.decode(text, type=_Summed)
        whole = summed.sum == _sum(summed.mark) and len(summed.mark.marker) == 16
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        whole = False
    if not whole:
        raise corrupt(path, "the store's mark is not what was written")
    return summed.mark


def write_mark(folder: Path, mark: Mark) -> None:
    """Put a mark in the place of the old one, durably; raises `OSError`."""
    temporary = (folder / MARK).with_suffix(".tmp")
    _write(temporary, mark)
    temporary.rename(folder / MARK)
    sync_folder(folder)


def write_spare(folder: Path, mark: Mark) -> None:
    """Lay ready the mark of the store once it is closed; raises `OSError`."""
    path = folder / SPARE
    if not path.exists() or path.read_bytes() != _encoded(mark):
        _write(path, mark)
        sync_folder(folder)


def use_spare(folder: Path) -> None:
    """The store is closed: takes no room on the disk; raises `OSError`."""
    (folder / SPARE).rename(folder / MARK)
    sync_folder(folder)


def _write(path: Path, mark: Mark) -> None:
    with suppress(FileNotFoundError):
        path.unlink()
    with path.open("xb") as file:
        file.write(_encoded(mark))
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make names durable: a file that was synced may still be lost with its name."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _encoded(mark: Mark) -> bytes:
    return msgspec.json.encode(_Summed(mark, _sum(mark)))


def _sum(mark: Mark) -> int:
    return crc32(msgspec.json.encode(mark))
