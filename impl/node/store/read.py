"""What lies in a store, and how it is read again: rows, state, and everything that is checked before they are believed.

Law: reading changes nothing on disk.  Nothing is believed that is not covered by a sum; and whatever SQLite would
leave out in silence is looked for (`wal_check`).
"""

from __future__ import annotations

import secrets
import sqlite3
import struct
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import msgspec
from msgspec import Struct

from scrutator.impl.node.store.errors import corrupt
from scrutator.impl.node.store.mark import MARK, Life, Mark, sync_folder, write_mark
from scrutator.impl.node.store.snapshot_file import PREFIX, open_snapshot
from scrutator.impl.node.store.wal_check import BadHeader, Wal, examine, numbered
from scrutator.impl.raft import Configuration, Entry, Snapshot

FORMAT = 1
DATABASE, WAL, SHARED = "raft.db", "raft.db-wal", "raft.db-shm"
SCHEMA = (
    "CREATE TABLE entries (i INTEGER PRIMARY KEY, sum INTEGER NOT NULL, record BLOB NOT NULL)",
    "CREATE TABLE state (id INTEGER PRIMARY KEY, record BLOB NOT NULL)",
)
_SUM = struct.Struct(">I")

Row = tuple[int, int, bytes]  # index, running sum, the entry in msgpack


@dataclass(slots=True)
class Loaded:
    """What a store holds; ``dropped`` says what torn end was left out, '' if nothing was."""

    term: int
    vote: str | None
    snapshot: Snapshot | None
    entries: list[Entry]
    dropped: str


class Meta(Struct, frozen=True, array_like=True):
    """A snapshot and its file."""

    index: int
    term: int
    configuration: Configuration
    name: str
    size: int
    sum: int


class State(Struct, frozen=True, array_like=True):
    """The row of the state.  ``sum`` is the running sum at ``last``, ``base_sum`` that at the snapshot's index."""

    format: int
    identity: str
    term: int = 0
    vote: str | None = None
    last: int = 0
    sum: int = 0
    base_sum: int = 0
    snapshot: Meta | None = None

    @property
    def base(self) -> int:
        return 0 if self.snapshot is None else self.snapshot.index


_ENCODE = msgspec.msgpack.Encoder().encode
_ENTRY = msgspec.msgpack.Decoder(Entry)
_STATE = msgspec.msgpack.Decoder(State)


def packed(entries: Sequence[Entry], last: int, total: int, rows: list[Row]) -> int:
    """Append the rows of entries that follow ``last``, and return the running sum; raises `ValueError`."""
    for entry in entries:
        last += 1
        if entry.index != last:
            raise ValueError(f"entry {entry.index} does not follow entry {last - 1}")
        record = _ENCODE(entry)
        total = crc32(record, total)
        rows.append((last, total, record))
    return total


def encode_state(state: State, marker: bytes, number: int) -> bytes:
    """The state as written by the transaction of that number."""
    record = numbered(marker, number) + _ENCODE(state)
    return record + _SUM.pack(crc32(record))


def is_leftover(name: str) -> bool:
    """Whether a file is one of those that come and go."""
    return name.startswith(PREFIX) or name == f"{Path(MARK).stem}.tmp"


def create(folder: Path, identity: str, mark: Mark | None, page_bytes: int) -> Mark:
    """Make an empty store, closed, in a folder that has none, or whose making was cut short; raises `CorruptStore`."""
    if mark is None:
        remains = sorted(path.name for path in folder.iterdir() if path.name in (DATABASE, WAL) or path.name.startswith(PREFIX))
        if remains:
            raise corrupt(folder / MARK, f"the file is missing, but {remains[0]} is there")
        mark = Mark(FORMAT, identity, secrets.token_hex(16), Life.CREATING)
        write_mark(folder, mark)
    for name in (DATABASE, WAL, SHARED, f"{DATABASE}-journal"):
        with suppress(FileNotFoundError):
            (folder / name).unlink()
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as db:
        for pragma in (f"page_size={page_bytes}", "auto_vacuum=NONE", "journal_mode=WAL", "synchronous=FULL"):
            db.execute(f"PRAGMA {pragma}").fetchall()
        db.execute("BEGIN")
        for table in SCHEMA:
            db.execute(table)
        db.execute("INSERT INTO state VALUES (1, ?)", (encode_state(State(FORMAT, identity), mark.marker, 1),))
        db.execute("COMMIT")
    sync_folder(folder)
    closed = Mark(mark.format, mark.identity, mark.created, Life.CLOSED)
    write_mark(folder, closed)
    return closed


def read(folder: Path, mark: Mark) -> tuple[Loaded, State, int]:
    """Check and read a store that nobody has open: also its state, and the number of its last transaction.

    Raises `CorruptStore`, `OSError`.
    """
    path = folder / DATABASE
    if not path.exists():
        raise corrupt(path, "the database is missing")
    if not path.stat().st_size:
        raise corrupt(path, "the database is empty")
    wal = _examined(folder, mark)
    way = "mode=ro" if wal is not None else "mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{way}", uri=True, isolation_level=None)) as db:
            db.text_factory = bytes
            state, number = _state(db, path, mark)
            if wal is not None:
                _compare(wal, number, folder)
            _sound(db, path)
            entries = _entries(db, path, state)
    except UnicodeDecodeError:
        raise corrupt(path, "the names of its tables are not those of a store") from None  # SQLite names them as it complains
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM) and path.stat().st_size:
            raise OSError(f"{error} ({error.sqlite_errorname})") from error
        raise corrupt(path, f"the database cannot be read: {error}") from error
    finally:
        with suppress(FileNotFoundError):
            (folder / SHARED).unlink()  # an index of the write-ahead log in memory shared with others: there are none
    snapshot = None
    if (meta := state.snapshot) is not None:
        data = open_snapshot(folder, meta.name, meta.index, meta.size, meta.sum)
        snapshot = Snapshot(meta.index, meta.term, meta.configuration, data)
    dropped = ""
    if wal is not None and wal.torn + max(0, wal.newest - number):
        dropped = f"{folder / WAL}: a last transaction of {max(1, wal.torn)} pages was torn, and is left out: it was not promised to anybody"
    return Loaded(state.term, state.vote, snapshot, entries, dropped), state, number


def _examined(folder: Path, mark: Mark) -> Wal | None:
    """The write-ahead log, None if SQLite has none to read; it must be there if the store was not closed."""
    path = folder / WAL
    must = mark.life is Life.OPEN
    if not path.exists():
        if must:
            raise corrupt(path, "the write-ahead log is missing, though the store was not closed")
        return None
    size = path.stat().st_size
    if must and size < mark.wal_bytes:
        raise corrupt(path, f"the write-ahead log has {size:,} bytes, and was made with {mark.wal_bytes:,}")
    try:
        return examine(path, mark.marker)
    except BadHeader as error:
        if must:
            raise corrupt(path, f"SQLite would ignore the write-ahead log: {error}") from None
        return None  # the store was closed: everything is in the database


def _compare(wal: Wal, number: int, folder: Path) -> None:
    """What SQLite has read is what stands in the write-ahead log, but for a torn transaction at most."""
    path = folder / WAL
    if wal.number and wal.number != number:
        raise corrupt(path, f"it ends with transaction {wal.number}, but the database says {number}")
    lost = wal.lost(number)
    if lost > 1:
        raise corrupt(path, f"page {wal.frames + 1} of the write-ahead log has changed, and at least {lost} transactions from there on would be lost")


def _state(db: sqlite3.Connection, path: Path, mark: Mark) -> tuple[State, int]:
    """The row of the state, and the number of the transaction that wrote it."""
    tables = db.execute("SELECT sql FROM sqlite_schema ORDER BY rowid").fetchall()
    if tables != [(table.encode(),) for table in SCHEMA]:
        raise corrupt(path, "its tables are not those of a store")
    rows = db.execute("SELECT id, record FROM state").fetchall()
    if len(rows) != 1 or rows[0][0] != 1 or not isinstance(rows[0][1], bytes) or len(rows[0][1]) < 32:
        raise corrupt(path, "the row of the state is missing")
    record: bytes = rows[0][1]
    number = int.from_bytes(record[16:24], "big")
    head = numbered(mark.marker, number)
    if crc32(record[: -_SUM.size]) != _SUM.unpack(record[-_SUM.size :])[0]:
        raise corrupt(path, "the row of the state is not what was written")
    if not record.startswith(head):
        raise corrupt(path, f"the row of the state is that of another store than {MARK} speaks of")
    try:
        state = _STATE.decode(record[len(head) : -_SUM.size])
    except msgspec.DecodeError as error:
        raise corrupt(path, f"the row of the state cannot be read: {error}") from None
    if (state.identity, state.format) != (mark.identity, mark.format):
        raise corrupt(path, f"the database is that of {state.identity!r}, format {state.format}")
    return state, number


def _sound(db: sqlite3.Connection, path: Path) -> None:
    """SQLite's own structures hold together, so that what is written next cannot harm what is there."""
    found = db.execute("PRAGMA quick_check(1)").fetchall()
    if found != [(b"ok",)]:
        raise corrupt(path, f"SQLite's check finds: {found[0][0].decode(errors='replace')}")


def _entries(db: sqlite3.Connection, path: Path, state: State) -> list[Entry]:
    """The log after the snapshot, every entry of it."""
    entries: list[Entry] = []
    last, total = state.base, state.base_sum
    term = 0 if state.snapshot is None else state.snapshot.term
    decode, append = _ENTRY.decode, entries.append
    for index, stored, record in db.execute("SELECT i, sum, record FROM entries WHERE i > ? ORDER BY i", (last,)):
        if index != last + 1:
            raise corrupt(path, f"entry {last + 1} is missing")
        if not isinstance(record, bytes) or (total := crc32(record, total)) != stored:
            raise corrupt(path, f"entry {index} is not what was written after entry {last}")
        try:
            entry = decode(record)
        except msgspec.DecodeError as error:
            raise corrupt(path, f"entry {index} cannot be read: {error}") from None
        if entry.index != index or entry.term < term:
            raise corrupt(path, f"entry {entry.index} of term {entry.term} stands at {index}, after one of term {term}")
        last, term = index, entry.term
        append(entry)
    if (last, total) != (state.last, state.sum):
        raise corrupt(path, f"the log ends with entry {last}, not with entry {state.last} as it was written")
    return entries
