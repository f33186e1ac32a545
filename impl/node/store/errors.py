"""Why a store does not go on, in words that name the file, the cause and the next step.

Law: a store never goes on after one of these.  What a system call or SQLite says is turned into one of them here.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

RESTORE = (
    "the node must not start: what it promised to others may be lost. Restore the whole folder from a copy made after the node "
    "stopped for the last time; or remove the node from the cluster and add it anew, under a new name, with an empty folder. "
    "Never start an emptied node under its old name"
)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_ROOM_BYTES = 1 << 15  # with less than this, what fails to be written fails for want of room


class RefusedStore(Exception):
    """The folder cannot be used: another process has it, or it belongs to another node."""


class CorruptStore(RefusedStore):
    """Something that was durable is lost or changed."""


class StoreFull(Exception):
    """There is no room: nothing of what was being written counts."""


class StoreFailed(Exception):
    """Writing or syncing failed: only reading the disk anew tells what is durable."""


def corrupt(path: Path, why: str) -> CorruptStore:
    """What is wrong with a file, and what to do."""
    return CorruptStore(f"{path}: {why}: {RESTORE}")


def failure(error: OSError | sqlite3.Error, path: Path) -> StoreFull | StoreFailed | RefusedStore:
    """What an error means that came up while writing."""
    if isinstance(error, PermissionError):
        return RefusedStore(f"{path}: {error.strerror}: let the node's user write there, or name another folder as data")
    if isinstance(error, OSError):
        why, full, rotten = error.strerror or str(error), error.errno in _FULL, False
    else:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        why, full = f"{error} ({getattr(error, 'sqlite_errorname', 'SQLite')})", code == sqlite3.SQLITE_FULL
        rotten = code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    full = full or 0 <= _free_bytes(path) < _ROOM_BYTES  # SQLite does not always say so
    if rotten:
        return corrupt(path, why)
    if full:
        return StoreFull(f"{path}: the disk is full ({_free(path)}): nothing of the last write counts. Make room, then start the node again")
    return StoreFailed(f"{path}: {why}: what is durable is unknown until it is read again. Look for errors of the disk (dmesg), then start the node again")


def _free(path: Path) -> str:
    free = _free_bytes(path)
    return f"{free / 1e6:,.1f} MB free" if free >= 0 else "free space unknown"


def _free_bytes(path: Path) -> int:
    """What there is room for on that disk, -1 where that cannot be known."""
    try:
        system = os.statvfs(path.parent)
    except OSError:
        return -1
    return system.f_bavail * system.f_frsize
