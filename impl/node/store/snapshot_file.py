"""Snapshot files: the state machine's bytes from offset 0, so that they can be mapped, and a footer that sums them.

Law: a file appears under its name whole and synced, or not at all, and never changes.  The footer holds magic,
version, index, length, the sum (crc32) of the bytes, and its own; what the database says of a file is compared with both.
"""

from __future__ import annotations

import mmap
import os
import secrets
import struct
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast
from zlib import crc32

from scrutator.impl.node.store.errors import corrupt, failure
from scrutator.impl.node.store.mark import sync_folder

PREFIX, TEMPORARY = "snapshot-", ".tmp"
_MAGIC, _VERSION = b"SCRSNAP\n", 1
_FOOTER = struct.Struct(">8sIQQI")  # magic, version, index, bytes, their sum
_SUM = struct.Struct(">I")
FOOTER_BYTES = _FOOTER.size + _SUM.size
_SYNC_BYTES = 8 << 20  # so much at once: the log's own syncs should not wait for a whole snapshot
_SUM_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Prepared:
    """A snapshot file, whole and durable, which no store counts upon yet.

    ``data`` is the file mapped (a `mmap` unless empty): it is sliced, measured and copied like bytes.
    """

    index: int
    name: str
    size: int  # bytes of data
    sum: int  # crc32 of data
    data: bytes


def write_snapshot(folder: Path, index: int, pieces: Iterable[bytes]) -> Prepared:
    """Write a snapshot; raises `StoreFull` or `StoreFailed`, and leaves no file behind then."""
    name = f"{PREFIX}{index:016d}-{secrets.token_hex(4)}"
    path = folder / name
    temporary = folder / (name + TEMPORARY)
    try:
        with temporary.open("xb") as file:
            size, total = _write(file, pieces)
            footer = _FOOTER.pack(_MAGIC, _VERSION, index, size, total)
            file.write(footer + _SUM.pack(crc32(footer)))
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
        sync_folder(folder)
        return Prepared(index, name, size, total, _mapped(path, size))
    except BaseException as error:
        for leftover in (temporary, path):
            with suppress(OSError):
                leftover.unlink()
        if isinstance(error, OSError):
            raise failure(error, path) from error
        raise


def open_snapshot(folder: Path, name: str, index: int, size: int, total: int) -> bytes:
    """The mapped bytes of a snapshot of which this is known; raises `CorruptStore`, `StoreFailed`."""
    path = folder / name
    try:
        if path.stat().st_size != size + FOOTER_BYTES:
            raise corrupt(path, f"the snapshot file has {path.stat().st_size:,} bytes, not {size + FOOTER_BYTES:,}")
        with path.open("rb") as file:
            file.seek(size)
            footer = file.read()
        data = _mapped(path, size)
        found = 0
        for offset in range(0, size, _SUM_BYTES):
            found = crc32(data[offset : offset + _SUM_BYTES], found)
    except FileNotFoundError:
        raise corrupt(path, "the snapshot file is missing") from None
    except OSError as error:
        raise failure(error, path) from error
    if found != total:
        raise corrupt(path, "the snapshot's bytes are not what was written")
    expected = _FOOTER.pack(_MAGIC, _VERSION, index, size, total)
    if footer != expected + _SUM.pack(crc32(expected)):
        raise corrupt(path, "the snapshot file's footer is not what was written")
    return data


def _write(file: BinaryIO, pieces: Iterable[bytes]) -> tuple[int, int]:
    """Write all pieces; how many bytes, and their sum."""
    size = total = synced = 0
    for piece in pieces:
        file.write(piece)
        size += len(piece)
        total = crc32(piece, total)
        if size - synced >= _SYNC_BYTES:
            file.flush()
            os.fdatasync(file.fileno())
            synced = size
    return size, total


def _mapped(path: Path, size: int) -> bytes:
    """The first bytes of a file.  Nobody does more with them than a mapping can; and it lives on when the file is unlinked."""
    if not size:
        return b""
    with path.open("rb") as file:
        return cast(bytes, mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ))
