"""The store against the simulator's twin of it, and what it refuses to open."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scrutator.impl.node.store import CorruptStore, Loaded, RefusedStore, Store, StoreFailed, StoreFull
from scrutator.impl.node.store import database as store_module
from scrutator.impl.node.store import mark as store_mark
from scrutator.impl.raft import Entry, Persist, Snapshot, configuration
from scrutator.impl.raft.messages import Kind
from scrutator.impl.sim.disk import Image

ABC = configuration("abc")


def opened(folder: Path) -> tuple[Store, Loaded]:
    store = Store(folder, identity="c/a")
    try:
        return store, store.load()
    except BaseException:
        store.close()
        raise


def entries(first: int, count: int, term: int = 1, size: int = 10) -> list[Entry]:
    return [Entry(term, first + k, Kind.COMMAND, b"%d" % (first + k) * size) for k in range(count)]


def copied(folder: Path, name: str = "copy") -> Path:
    """What a process that is killed now would leave behind."""
    other = folder.parent / name
    shutil.rmtree(other, ignore_errors=True)
    return shutil.copytree(folder, other)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "lock"}


def same(loaded: Loaded, image: Image) -> bool:
    one, other = loaded.snapshot, image.snapshot
    if (one is None) != (other is None) or (loaded.term, loaded.vote, loaded.entries) != (image.term, image.vote, image.entries):
        return False
    return one is None or other is None or (one.index, one.term, one.configuration, one.data[:]) == (other.index, other.term, other.configuration, other.data)


# --- what is written is read ---------------------------------------------------------------


def test_a_new_store_is_empty(tmp_path: Path) -> None:
    store, loaded = opened(tmp_path / "deep" / "a")
    store.close()
    assert loaded == Loaded(0, None, None, [], "")


def test_entries_of_all_kinds_come_back(tmp_path: Path) -> None:
    joint = ABC.entering(configuration("bcd", election="b*c", commit="b+c").members, ("e",))
    written = [Entry(1, 1, Kind.NOOP), Entry(1, 2, Kind.COMMAND, bytes(range(256)) * 300), Entry(2, 3, Kind.CONFIGURATION, b"", joint)]
    store, _ = opened(tmp_path)
    store.write([Persist(term=2, vote="a", entries=written)])
    store.close()
    store, loaded = opened(tmp_path)
    store.close()
    assert (loaded.term, loaded.vote, loaded.entries) == (2, "a", written)


@st.composite
def persists(draw: st.DrawFn, image: Image) -> Persist:
    """What a core may ask for next; the image follows."""
    persist = Persist()
    if draw(st.integers(0, 3)) == 0:
        persist.term, persist.vote = image.term + 1, draw(st.sampled_from([None, "a", "b"]))
    what = draw(st.sampled_from(["entries", "entries", "replace", "truncate", "snapshot", "reset", "nothing"]))
    if what in ("snapshot", "reset"):
        last = image.last if what == "snapshot" else image.last + 5
        index = draw(st.integers(image.base, last))
        if index:
            at = image.term_at(index)
            term = image.term if at is None else at
            persist.snapshot = Snapshot(index, term, ABC, draw(st.binary(max_size=50)))
            persist.reset = what == "reset"
    elif what == "truncate":
        persist.truncate = draw(st.integers(image.base + 1, image.last + 1))
    if what in ("entries", "replace", "reset"):
        twin = Image()
        twin.absorb(image.record())
        twin.absorb(persist)
        first = twin.last + 1 if what != "replace" else draw(st.integers(twin.base + 1, twin.last + 1))
        term = max(twin.term, twin.term_at(first - 1) or 0)
        size = draw(st.sampled_from([0, 10, 3000]))
        persist.entries = [Entry(term, first + k, Kind.COMMAND, bytes([k]) * size) for k in range(draw(st.integers(0, 5)))]
    image.absorb(persist)
    return persist


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_it_holds_what_the_twin_holds(tmp_path: Path, data: st.DataObject) -> None:
    folder = tmp_path / "a"
    shutil.rmtree(folder, ignore_errors=True)
    image = Image()
    store, _ = opened(folder)
    try:
        for _ in range(data.draw(st.integers(1, 12))):
            step = data.draw(st.sampled_from(["write", "write", "write", "trim", "close", "kill"]))
            if step == "write":
                store.write([data.draw(persists(image)) for _ in range(data.draw(st.integers(1, 3)))])
            elif step == "trim":
                store.trim(data.draw(st.integers(1, 4)))
            else:
                killed = copied(folder) if step == "kill" else folder
                store.close()
                if step == "kill":
                    shutil.rmtree(folder)
                    killed.rename(folder)
                store, loaded = opened(folder)
                assert same(loaded, image) and not loaded.dropped
    finally:
        store.close()
    store, loaded = opened(folder)
    store.close()
    assert same(loaded, image)


def test_several_persists_are_one_transaction(tmp_path: Path) -> None:
    store, _ = opened(tmp_path / "a")
    store.write([Persist(term=1, vote="a", entries=entries(1, 5))])
    with pytest.raises(ValueError, match="entry 9 does not follow entries 1 to 6"):
        store.write([Persist(entries=entries(6, 1)), Persist(entries=entries(9, 1))])
    with pytest.raises(StoreFailed, match="failed before"):
        store.write([Persist(entries=entries(6, 1))])
    store.close()
    store, loaded = opened(tmp_path / "a")
    store.close()
    assert loaded.entries == entries(1, 5)


def test_what_does_not_follow_is_refused(tmp_path: Path) -> None:
    for name, persist, why in [
        ("a", Persist(entries=[*entries(6, 1), *entries(8, 1)]), "entry 8 does not follow entry 6"),
        ("b", Persist(truncate=2), "entry 2 does not follow entries 3 to 5"),
        ("c", Persist(snapshot=Snapshot(1, 1, ABC, b"")), "snapshot 1 comes before snapshot 2"),
    ]:
        store, _ = opened(tmp_path / name)
        store.write([Persist(entries=entries(1, 5), term=1, vote=None), Persist(snapshot=Snapshot(2, 1, ABC, b"x"))])
        with pytest.raises(ValueError, match=why):
            store.write([persist])
        store.close()


# --- snapshots and trimming ----------------------------------------------------------------


def test_a_snapshot_prepared_beside_writes_is_recorded_without_writing_it_again(tmp_path: Path) -> None:
    store, _ = opened(tmp_path)
    store.write([Persist(term=1, vote="a", entries=entries(1, 100))])
    prepared = []

    def pieces() -> Iterator[bytes]:
        for k in range(300):
            yield bytes([k % 256]) * 1000

    thread = threading.Thread(target=lambda: prepared.append(store.prepare_snapshot(60, pieces())))
    thread.start()
    for first in range(101, 301, 10):
        store.write([Persist(entries=entries(first, 10))])
    thread.join()
    store.write([Persist(snapshot=Snapshot(60, 1, ABC, prepared[0].data))])
    assert [path.name for path in tmp_path.glob("snapshot-*")] == [prepared[0].name]
    store.close()
    store, loaded = opened(tmp_path)
    store.close()
    assert loaded.snapshot is not None and loaded.snapshot.data[:] == b"".join(pieces())
    assert loaded.entries == entries(61, 240)


def test_files_that_nothing_needs_go(tmp_path: Path) -> None:
    store, _ = opened(tmp_path)
    store.write([Persist(term=1, vote=None, entries=entries(1, 9))])
    store.write([Persist(snapshot=Snapshot(2, 1, ABC, b"old"))])
    abandoned, later = store.prepare_snapshot(3, [b"abandoned"]), store.prepare_snapshot(7, [b"later"])
    store.write([Persist(snapshot=Snapshot(4, 1, ABC, b"a")), Persist(snapshot=Snapshot(5, 1, ABC, b"b"))])
    while store.trim():
        pass
    names = {path.name for path in tmp_path.glob("snapshot-*")}
    assert later.name in names and abandoned.name not in names and len(names) == 2
    (tmp_path / "snapshot-0000000000000009-aaaaaaaa.tmp").write_bytes(b"half")
    (tmp_path / "store.tmp").write_bytes(b"half")
    store.close()
    store, loaded = opened(tmp_path)
    while store.trim():
        pass
    store.close()
    assert loaded.snapshot is not None and loaded.snapshot.data[:] == b"b"
    assert {path.name for path in tmp_path.iterdir()} == {"lock", "store.json", "raft.db", *(n for n in names if n != later.name)}


def test_trimming_goes_by_slices_and_keeps_the_rest(tmp_path: Path) -> None:
    store, _ = opened(tmp_path)
    store.write([Persist(term=1, vote=None, entries=entries(1, 100))])
    store.write([Persist(snapshot=Snapshot(60, 1, ABC, b""))])
    rows = lambda: store._db.execute("SELECT count(*) FROM entries").fetchone()[0]  # noqa: E731
    counts = [rows()]
    while store.trim(25):
        counts.append(rows())
    assert [*counts, rows()] == [100, 75, 50, 40]
    store.write([Persist(snapshot=Snapshot(500, 1, ABC, b""), reset=True, entries=entries(501, 5))])
    while store.trim(25):
        pass
    assert rows() == 5
    store.close()
    store, loaded = opened(tmp_path)
    store.close()
    assert loaded.entries == entries(501, 5)


def test_the_write_ahead_log_stays_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "WAL_BYTES", 32 + 64 * 4120)
    monkeypatch.setattr(store_module, "_CHECKPOINT_BYTES", 56 * 4120)
    store, _ = opened(tmp_path)
    last = 0
    for k in range(400):
        count = 1 + 13 * (k % 5)
        store.write([Persist(term=k + 1, vote=None, entries=entries(last + 1, count, 1, 1 + k % 50))])
        last += count
        if k % 100 == 99:
            store.write([Persist(snapshot=Snapshot(last - 5, 1, ABC, b""))])
        if k % 7 == 0:
            store.trim(200)
    size = (tmp_path / "raft.db-wal").stat().st_size
    store.close()
    assert 64 * 4120 < size < 3 * 64 * 4120
    assert not (tmp_path / "raft.db-wal").exists()
    store, loaded = opened(tmp_path)
    store.close()
    assert (loaded.term, len(loaded.entries)) == (400, 5)


# --- who may open it -----------------------------------------------------------------------


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    store, _ = opened(tmp_path)
    code = f"from pathlib import Path; from scrutator.impl.node.store import Store; Store(Path({str(tmp_path)!r}), identity='c/a')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode and f"another process (id {os.getpid()}) uses this folder" in done.stderr
    with pytest.raises(RefusedStore, match="another process"):
        Store(tmp_path, identity="c/a")
    store.close()
    opened(tmp_path)[0].close()


def test_a_folder_of_another_node_is_refused(tmp_path: Path) -> None:
    opened(tmp_path)[0].close()
    with pytest.raises(RefusedStore, match="'c/a', not of 'c/b'"):
        Store(tmp_path, identity="c/b")
    opened(tmp_path)[0].close()  # the lock was let go


def test_a_store_that_is_not_closed_loses_nothing(tmp_path: Path) -> None:
    store, _ = opened(tmp_path)
    store.write([Persist(term=3, vote="b", entries=entries(1, 5))])
    del store
    store, loaded = opened(tmp_path)
    assert (loaded.term, loaded.entries) == (3, entries(1, 5))
    code = f"""
from pathlib import Path
from scrutator.impl.node.store import Store
from scrutator.impl.raft import Persist
store = Store(Path({str(tmp_path)!r}), identity="c/a")
store.load()
store.write([Persist(term=4, vote="c")])
raise SystemExit(7)
"""
    store.close()
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 7
    store, loaded = opened(tmp_path)
    store.close()
    assert (loaded.term, loaded.vote) == (4, "c")


def test_a_store_is_loaded_once_and_before_it_is_written(tmp_path: Path) -> None:
    store = Store(tmp_path, identity="c/a")
    with pytest.raises(AssertionError, match="load"):
        store.write([Persist(term=1, vote=None)])
    store.load()
    with pytest.raises(AssertionError, match="loaded already"):
        store.load()
    store.close()


# --- disks that are full, or fail ------------------------------------------------------------


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


# --- what is missing -------------------------------------------------------------------------


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """What a process left that was killed; all of its kinds of files are there."""
    store, _ = opened(tmp_path / "a")
    store.write([Persist(term=1, vote="a", entries=entries(1, 30))])
    store.write([Persist(snapshot=Snapshot(10, 1, ABC, b"state"))])
    store.write([Persist(term=2, vote="b")])
    folder = copied(tmp_path / "a", "killed")
    store.close()
    return folder


def refused(folder: Path, why: str) -> None:
    """It is refused twice with the same words, and nothing has changed on disk."""
    before = contents(folder)
    for _ in range(2):
        with pytest.raises(CorruptStore, match=rf"{folder}.*{why}.*Never start an emptied node under its old name"):
            opened(folder)
        assert contents(folder) == before


def test_nothing_is_missing(killed: Path) -> None:
    store, loaded = opened(killed)
    store.close()
    assert (loaded.term, len(loaded.entries), loaded.dropped) == (2, 20, "")


@pytest.mark.parametrize(("name", "why"), [
    ("raft.db", "database is missing"), ("raft.db-wal", "write-ahead log is missing"),
    ("snapshot-*", "snapshot file is missing"), ("store.json", "file is missing, but .* is there"),
])  # fmt: skip
def test_a_deleted_file_is_missed(killed: Path, name: str, why: str) -> None:
    next(killed.glob(name)).unlink()
    refused(killed, why)


@pytest.mark.parametrize("name", ["raft.db", "raft.db-wal", "snapshot-*", "store.json"])
@pytest.mark.parametrize("part", [0.0, 0.3, 0.999])
def test_a_file_cut_off_is_refused(killed: Path, name: str, part: float) -> None:
    if name == "raft.db":
        opened(killed)[0].close()  # else the pages may be in the write-ahead log as well
    path = next(killed.glob(name))
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * part))
    refused(killed, "")


@pytest.mark.parametrize("name", ["raft.db", "snapshot-*", "store.json"])
def test_after_closing_too(killed: Path, name: str) -> None:
    opened(killed)[0].close()
    assert not (killed / "raft.db-wal").exists()
    next(killed.glob(name)).unlink()
    refused(killed, "missing")


def test_a_database_of_another_store_is_refused(killed: Path, tmp_path: Path) -> None:
    opened(tmp_path / "other")[0].close()
    opened(killed)[0].close()
    shutil.copy(tmp_path / "other" / "raft.db", killed / "raft.db")
    refused(killed, "another store")


def test_an_older_page_of_the_log_is_noticed(tmp_path: Path) -> None:
    """A write that the disk lost: every row in the old page is whole, but they do not belong to this log."""
    folder = tmp_path / "a"
    store, _ = opened(folder)
    store.write([Persist(term=1, vote=None, entries=entries(1, 20, 1))])
    store.close()
    old = (folder / "raft.db").read_bytes()
    store, _ = opened(folder)
    store.write([Persist(term=2, vote=None, entries=entries(20, 1, 2))])
    store.close()
    with (folder / "raft.db").open("r+b") as file:
        file.seek(4096)
        file.write(old[4096:8192])
    refused(folder, "log ends with entry 20|not what was written")


def test_a_creation_that_was_cut_short_is_begun_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from scrutator.impl.node.store import read as store_read

    def sync(folder: Path) -> None:
        raise OSError(errno.EIO, "bad")

    with monkeypatch.context() as patch:
        patch.setattr(store_read, "sync_folder", sync)
        with pytest.raises(StoreFailed):
            opened(tmp_path)
    store, loaded = opened(tmp_path)
    store.close()
    assert loaded == Loaded(0, None, None, [], "")
