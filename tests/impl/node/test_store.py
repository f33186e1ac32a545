"""The store against the simulator's twin of it: what is written is read, what nothing needs goes, and one process has it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stores import ABC, copied, entries, opened, same

from scrutator.impl.node.store import Loaded, RefusedStore, Store, StoreFailed
from scrutator.impl.node.store import database as store_module
from scrutator.impl.raft import Entry, Persist, Snapshot, configuration
from scrutator.impl.raft.messages import Kind
from scrutator.impl.sim.disk import Image

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
