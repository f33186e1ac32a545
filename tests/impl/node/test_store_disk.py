"""A store on disks that are full, or fail: what it says, and that everything acknowledged is there afterwards."""

from __future__ import annotations

import errno
import resource
import sqlite3
import subprocess
from pathlib import Path

import pytest
from stores import copied, entries, opened

from scrutator.impl.node.store import Store, StoreFailed, StoreFull
from scrutator.impl.node.store import database as store_module
from scrutator.impl.node.store import mark as store_mark
from scrutator.impl.raft import Entry, Persist
from scrutator.impl.raft.messages import Kind


def filled(store: Store, size: int) -> int:
    """Write until it fails; the index of the last entry for which `write` returned."""
    last = 0
    while True:
        store.write([Persist(term=1, vote="a", entries=[Entry(1, last + 1, Kind.COMMAND, bytes(size))])])
        last += 1
        if last > 10_000:
            raise AssertionError("the disk never fills up")
        store.last = last  # type: ignore[attr-defined]


def test_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", disk], capture_output=True, check=False).returncode:
        pytest.skip("no small file system can be mounted here")
    try:
        store, _ = opened(disk / "a")
        with pytest.raises(StoreFull, match=rf"{disk}/a/raft.db: the disk is full .*Make room"):
            filled(store, 20_000)
        with pytest.raises(StoreFull):
            store.prepare_snapshot(3, (bytes(100_000) for _ in range(100)))
        with pytest.raises(StoreFailed):
            store.write([Persist(term=9, vote="a")])
        assert not list((disk / "a").glob("snapshot-*"))
        last: int = store.last  # type: ignore[attr-defined]
        killed = copied(disk / "a", "../killed")
        store.close()
        subprocess.run(["mount", "-o", "remount,size=40m", disk], check=True)
        for folder in (disk / "a", killed):
            store, loaded = opened(folder)
            store.write([Persist(term=2, vote=None)])
            store.close()
            assert len(loaded.entries) == last and loaded.term == 1
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_disk_that_is_full_when_the_store_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite removes the write-ahead log as it closes, and the mark must say so though nothing can be written."""
    store, _ = opened(tmp_path)
    store.write([Persist(term=1, vote=None, entries=entries(1, 9))])

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(store_mark, "_write", full)
        store.close()
        assert not (tmp_path / "raft.db-wal").exists()
        store = Store(tmp_path, identity="c/a")
        with pytest.raises(StoreFull, match="Make room"):
            store.load()
        store.close()
    store, loaded = opened(tmp_path)
    store.close()
    assert loaded.entries == entries(1, 9)


def test_a_full_database(tmp_path: Path) -> None:
    store, _ = opened(tmp_path)
    store._db.execute("PRAGMA max_page_count=50")
    with pytest.raises(StoreFull):
        filled(store, 2000)
    last: int = store.last  # type: ignore[attr-defined]
    store.close()
    store, loaded = opened(tmp_path)
    store.close()
    assert len(loaded.entries) == last > 10


def test_a_write_that_fails(tmp_path: Path) -> None:
    """The system refuses to let files grow: an error of writing that is not a full disk."""
    store, _ = opened(tmp_path / "a")
    store.write([Persist(term=1, vote="a", entries=entries(1, 3))])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (store_module.WAL_BYTES, limits[1]))
    try:
        with pytest.raises(StoreFailed, match=r"raft.db: .*unknown until it is read again.*dmesg"):
            store.write([Persist(entries=[Entry(1, 4, Kind.COMMAND, bytes(2 * store_module.WAL_BYTES))])])
        with pytest.raises(StoreFailed):
            store.trim()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    killed = copied(tmp_path / "a")
    store.close()
    for folder in (tmp_path / "a", killed):
        store, loaded = opened(folder)
        store.close()
        assert loaded.entries == entries(1, 3)


class Failing:
    """A connection on which one statement fails as it does when a sync fails."""

    def __init__(self, db: sqlite3.Connection, statement: str) -> None:
        self.db, self.statement = db, statement

    def __getattr__(self, name: str) -> object:
        return getattr(self.db, name)

    def execute(self, statement: str, *arguments: object) -> sqlite3.Cursor:
        if statement.startswith(self.statement):
            raise sqlite3.OperationalError("disk I/O error")
        return self.db.execute(statement, *arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("statement", ["COMMIT", "PRAGMA wal_checkpoint"])
def test_a_sync_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str) -> None:
    store, _ = opened(tmp_path)
    store.write([Persist(term=1, vote="a", entries=entries(1, 3))])
    monkeypatch.setattr(store_module, "_CHECKPOINT_BYTES", 0)
    monkeypatch.setattr(store, "_db", Failing(store._db, statement))
    with pytest.raises(StoreFailed, match="disk I/O error"):
        store.write([Persist(entries=entries(4, 3))])
    with pytest.raises(StoreFailed, match="failed before"):
        store.write([Persist(entries=entries(7, 3))])
    store.close()
    store, loaded = opened(tmp_path)
    store.close()
    assert loaded.entries in (entries(1, 3), entries(1, 6))


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreFailed, match=r"Not a directory|File exists"):
        Store(tmp_path / "file" / "a", identity="c/a")
