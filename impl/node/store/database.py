"""What a node must not forget: term, vote, log and snapshot, in a folder of its own.

    lock          held while a process uses the folder
    store.json    the mark (`mark`): whose store this is, and whether a write-ahead log belongs to it
    store.closed  the mark that will take its place
    raft.db       SQLite: a row for each entry, one for the state; raft.db-wal beside it while in use
    snapshot-*    the state machine's bytes (`snapshot_file`)

Law: `Store.write` returns once everything is durable, and `Store.load` returns exactly what was written, or all but a
last transaction that is torn (and says so), or raises.  To that end every row carries a running sum over the log up
to it, the state carries that of the last row and is written in every transaction, with a number that counts them.

What cannot be noticed: that the whole folder was replaced by an older copy of it, or emptied; and a last transaction
that vanished without a trace looks as if it had never been.  (Who is to notice that must ask the other nodes.)

SQLite checkpoints by itself inside a commit and ignores it when that fails; here it is done by hand, between commits.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from scrutator.impl.node.store.errors import RefusedStore, StoreFailed, failure
from scrutator.impl.node.store.mark import (
    Life,
    Mark,
    read_mark,
    sync_folder,
    use_spare,
    write_mark,
    write_spare,
)
from scrutator.impl.node.store.read import (
    DATABASE,
    FORMAT,
    WAL,
    Loaded,
    Meta,
    Row,
    State,
    create,
    encode_state,
    is_leftover,
    packed,
    read,
)
from scrutator.impl.node.store.snapshot_file import Prepared, write_snapshot
from scrutator.impl.node.store.wal_check import FRAME_HEADER_BYTES, HEADER_BYTES
from scrutator.impl.raft import Persist, Snapshot

PAGE_BYTES = 4096
WAL_BYTES = HEADER_BYTES + 1024 * (FRAME_HEADER_BYTES + PAGE_BYTES)  # made so long at once: to overwrite is faster than to append
_CHECKPOINT_BYTES = WAL_BYTES * 7 // 8  # written since the last checkpoint: one is due
_IDLE_CHECKPOINT_BYTES = WAL_BYTES // 8  # the same while there is nothing else to do
_PRAGMAS = ("locking_mode=EXCLUSIVE", "synchronous=FULL", "wal_autocheckpoint=0", "secure_delete=OFF", "cache_spill=OFF")
_ROW_BYTES = 24  # of a row beside its record, about


class Store:
    """The durable state of one node: `load` it once, then `write`.  One process, one thread; see `prepare_snapshot`.

    Raises `RefusedStore` if another process has the folder, or it is another node's; `identity` names cluster and node.
    """

    def __init__(self, folder: Path, *, identity: str) -> None:
        self.folder, self.identity = folder, identity
        self.path = folder / DATABASE
        try:
            if not folder.is_dir():
                folder.mkdir(parents=True)
                sync_folder(folder.parent)
            self._lock = _locked(folder)
        except OSError as error:
            raise failure(error, folder / "lock") from error
        self._unlock = weakref.finalize(self, os.close, self._lock)
        try:
            mark = read_mark(folder)
            if mark is not None and mark.identity != identity:
                raise RefusedStore(
                    f"{folder}: this is the store of {mark.identity!r}, not of {identity!r}: "
                    f"give each node a folder of its own. Members are changed by RAFT ADD and RAFT REMOVE, while `voters` in the file stays what it was"
                )
            if mark is not None and mark.format != FORMAT:
                raise RefusedStore(f"{folder}: written in format {mark.format}, and this program reads format {FORMAT}: use the program that wrote it")
        except BaseException:
            self._unlock()
            raise
        self._shut: Callable[[], object] | None = None
        self._failed = False
        self._first: int | None = None  # the first row of the table, if any
        self._unmerged = 0  # bytes written since the last checkpoint, about
        self._prepared: list[Prepared] = []  # written by `prepare_snapshot`, not yet recorded
        self._stale: list[str] = []  # names of files that nothing needs any more

    # --- opening and closing ------------------------------------------------------------

    def load(self) -> Loaded:
        """Everything that was written; nothing on disk changes before all of it was checked.

        Raises `CorruptStore`, `StoreFull`, `StoreFailed`.  100,000 entries of 50 bytes took 0.14 s here.
        """
        if self._shut is not None:
            raise AssertionError(f"{self.folder} is loaded already")
        try:
            mark = read_mark(self.folder)
            if mark is None or mark.life is Life.CREATING:
                mark = create(self.folder, self.identity, mark, PAGE_BYTES)
            loaded, self._state, self._number = read(self.folder, mark)
            self._marker = mark.marker
            self._open(mark)
        except (OSError, sqlite3.Error) as error:
            raise failure(error, self.path) from error
        return loaded

    def _open(self, mark: Mark) -> None:
        """Make the database ready for writing.

        A checkpoint comes first: it writes anew what a failed sync may have left in memory alone, and begins another
        round through the write-ahead log, so that torn frames are not taken for later ones.
        """
        write_spare(self.folder, Mark(mark.format, mark.identity, mark.created, Life.CLOSED))  # before there is a write-ahead log to lose
        self._db = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=rw&psow=1", uri=True, isolation_level=None, check_same_thread=False)
        self._shut = weakref.finalize(self, _shut, self._db, self.folder, os.getpid())
        for pragma in (*_PRAGMAS, f"journal_size_limit={4 * WAL_BYTES}"):
            self._db.execute(f"PRAGMA {pragma}")
        self._checkpoint()
        self._transaction(self._state, [])
        _lengthen(self.folder / WAL, WAL_BYTES)
        opened = Mark(mark.format, mark.identity, mark.created, Life.OPEN, WAL_BYTES)
        if mark != opened:
            write_mark(self.folder, opened)
        self._first = self._first_row()
        keep = self._state.snapshot.name if self._state.snapshot is not None else ""
        self._stale = [path.name for path in self.folder.iterdir() if is_leftover(path.name) and path.name != keep]

    def close(self) -> None:
        """Bring everything into the database, and let go of the folder.  Without it nothing is lost either."""
        if self._shut is not None:
            self._shut()
        self._unlock()

    # --- writing ------------------------------------------------------------------------

    def write(self, persists: Sequence[Persist]) -> None:
        """Make all of this durable, together and in order; see `Persist` for what its fields mean.

        Raises `StoreFull`, `StoreFailed`: then the process must exit.  `ValueError`: the entries do not follow the log.
        """
        self._usable()
        if not any(persists):
            return
        before = self._state
        try:
            if self._unmerged > _CHECKPOINT_BYTES:  # not after the commit: if it fails, nothing of this write counts
                self._checkpoint()
            metas = [None if persist.snapshot is None else self._meta(persist.snapshot) for persist in persists]
            self._db.execute("BEGIN IMMEDIATE")
            state, rows = self._state, list[Row]()
            for persist, meta in zip(persists, metas, strict=True):
                state, rows = self._absorb(state, rows, persist, meta)
            self._transaction(state, rows)
        except BaseException as error:
            self._give_up(error)
            raise
        if state.snapshot is not before.snapshot:
            self._let_go(before.snapshot, metas, state.snapshot)
        if self._first is None:
            self._first = before.base + 1

    def _absorb(self, state: State, rows: list[Row], persist: Persist, meta: Meta | None) -> tuple[State, list[Row]]:
        """What the state becomes, and the rows that are yet to be inserted."""
        if persist.term is not None:
            state = replace(state, term=persist.term, vote=persist.vote)
        if meta is not None:
            rows = self._insert(rows)
            state = self._compacted(state, meta, persist.reset)
        if persist.truncate is not None:
            rows = self._insert(rows)
            state = self._cut(state, persist.truncate)
        if persist.entries:
            first = persist.entries[0].index
            if first != state.last + 1:
                rows = self._insert(rows)
                state = self._cut(state, first)
            total = packed(persist.entries, state.last, state.sum, rows)
            state = replace(state, last=persist.entries[-1].index, sum=total)
        return state, rows

    def _compacted(self, state: State, meta: Meta, reset: bool) -> State:
        """A snapshot stands for the log up to its index; its rows are left to `trim`."""
        if meta.index < state.base:
            raise ValueError(f"snapshot {meta.index} comes before snapshot {state.base}")
        if reset or meta.index > state.last:
            self._db.execute("DELETE FROM entries WHERE i > ?", (meta.index,))
            return replace(state, snapshot=meta, base_sum=0, last=meta.index, sum=0)
        return replace(state, snapshot=meta, base_sum=self._sum_at(state, meta.index))

    def _cut(self, state: State, index: int) -> State:
        """Drop everything from an index on."""
        if not state.base < index <= state.last + 1:
            raise ValueError(f"entry {index} does not follow entries {state.base + 1} to {state.last}")
        self._db.execute("DELETE FROM entries WHERE i >= ?", (index,))
        return replace(state, last=index - 1, sum=self._sum_at(state, index - 1))

    def _first_row(self) -> int | None:
        row: tuple[int | None] = self._db.execute("SELECT min(i) FROM entries").fetchone()
        return row[0]

    def _pages_free(self) -> int:
        row: tuple[int] = self._db.execute("PRAGMA freelist_count").fetchone()
        return row[0]

    def _sum_at(self, state: State, index: int) -> int:
        if index == state.base:
            return state.base_sum
        row = self._db.execute("SELECT sum FROM entries WHERE i = ?", (index,)).fetchone()
        return int(row[0])

    def _insert(self, rows: list[Row]) -> list[Row]:
        if rows:
            self._db.executemany("INSERT INTO entries VALUES (?, ?, ?)", rows)
            self._unmerged += sum(len(row[2]) for row in rows) + _ROW_BYTES * len(rows) + PAGE_BYTES
        return []

    def _transaction(self, state: State, rows: list[Row]) -> None:
        """Finish a transaction, or make one of the state alone; durable on return."""
        self._insert(rows)
        self._db.execute("UPDATE state SET record = ? WHERE id = 1", (encode_state(state, self._marker, self._number + 1),))
        if self._db.in_transaction:
            self._db.execute("COMMIT")
        self._number += 1
        self._state = state
        self._unmerged += PAGE_BYTES

    def _give_up(self, error: BaseException) -> None:
        """Roll back, and write nothing any more; raises what an error of the disk means."""
        self._failed = True
        with suppress(sqlite3.Error):
            self._db.rollback()
        if isinstance(error, OSError | sqlite3.Error):
            raise failure(error, self.path) from error

    def _usable(self) -> None:
        if self._shut is None:
            raise AssertionError(f"{self.folder}: load() comes before anything else")
        if self._failed:
            raise StoreFailed(f"{self.path}: a write has failed before: start the node again")

    def _checkpoint(self) -> None:
        """Copy the write-ahead log into the database, synced, so that it can begin anew."""
        try:
            busy, _, _ = self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if busy:
                raise sqlite3.OperationalError("the database is locked: another program has opened it")
        except sqlite3.Error as error:
            self._give_up(error)
            raise
        self._unmerged = 0

    # --- snapshots ------------------------------------------------------------------------

    def prepare_snapshot(self, index: int, pieces: Iterable[bytes]) -> Prepared:
        """Write a snapshot's file, synced; a later `Persist` whose snapshot has the same ``data`` object records it.

        May run in another thread while `write` goes on.  Raises `StoreFull`, `StoreFailed`; then no file is left,
        and the log is as good as before.
        """
        prepared = write_snapshot(self.folder, index, pieces)
        self._prepared.append(prepared)
        return prepared

    def _meta(self, snapshot: Snapshot) -> Meta:
        """The file of a snapshot: one that was prepared, or one written now."""
        for prepared in self._prepared:
            if prepared.index == snapshot.index and prepared.data is snapshot.data:
                break
        else:
            prepared = self.prepare_snapshot(snapshot.index, _pieces(snapshot.data))
        return Meta(snapshot.index, snapshot.term, snapshot.configuration, prepared.name, prepared.size, prepared.sum)

    def _let_go(self, before: Meta | None, metas: Sequence[Meta | None], after: Meta | None) -> None:
        """Files that the recorded snapshot makes useless; `trim` removes them."""
        assert after is not None
        replaced = [meta.name for meta in (before, *metas) if meta is not None]
        abandoned = [prepared for prepared in self._prepared if prepared.index <= after.index]
        for prepared in abandoned:
            self._prepared.remove(prepared)
        names = dict.fromkeys([*replaced, *(prepared.name for prepared in abandoned)])
        self._stale += [name for name in names if name != after.name]

    def trim(self, rows_max: int = 2000) -> bool:
        """Do a small part of what can wait: remove an old file, delete rows that a snapshot replaced, or checkpoint.

        Whether there is more to do.  Called when idle; raises like `write`.
        """
        self._usable()
        if self._stale:
            with suppress(FileNotFoundError):
                (self.folder / self._stale.pop()).unlink()
            return True
        base = self._state.base
        if self._unmerged > _CHECKPOINT_BYTES:
            self._checkpoint()
        if self._first is None or self._first > base:
            if self._unmerged > _IDLE_CHECKPOINT_BYTES:
                self._checkpoint()
            return False
        try:
            self._db.execute("BEGIN IMMEDIATE")
            free = self._pages_free()
            self._db.execute("DELETE FROM entries WHERE i <= ?", (min(base, self._first + rows_max - 1),))
            self._unmerged += (self._pages_free() - free) * PAGE_BYTES  # they were written once more
            self._first = self._first_row()
            self._transaction(self._state, [])
        except BaseException as error:
            self._give_up(error)
            raise
        return self._first is not None and self._first <= base


def _pieces(data: bytes) -> Iterable[bytes]:
    piece_bytes = 1 << 20
    return (data[start : start + piece_bytes] for start in range(0, len(data), piece_bytes))


def _locked(folder: Path) -> int:
    """The descriptor of the lock's file; raises `RefusedStore`, `OSError`."""
    path = folder / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise RefusedStore(f"{folder}: another process (id {holder}) uses this folder: stop it, or give this node a folder of its own") from None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _lengthen(wal: Path, size: int) -> None:
    """Fill the write-ahead log up with zeros, which are no frames; raises `OSError`."""
    with wal.open("ab") as file:
        missing = size - file.tell()
        if missing > 0:
            file.write(bytes(missing))
            file.flush()
            os.fsync(file.fileno())


def _shut(db: sqlite3.Connection, folder: Path, process: int) -> None:
    """Close a database: SQLite then merges the write-ahead log and removes it, and the mark must say so."""
    if os.getpid() != process:
        return  # a forked child: none of this is its own
    with suppress(sqlite3.Error, OSError):
        if db.in_transaction:
            db.rollback()
        busy, log, merged = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if not busy and log == merged:
            use_spare(folder)
    with suppress(sqlite3.Error):
        db.close()
    with suppress(OSError):
        if not (folder / WAL).exists():  # SQLite has merged it after all
            use_spare(folder)  # unless it was used already
