"""A store of which something is missing, cut off, older or another's: it is refused, and nothing on disk changes."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest
from stores import ABC, contents, copied, entries, opened

from scrutator.impl.node.store import CorruptStore, Loaded, StoreFailed
from scrutator.impl.node.store import read as store_read
from scrutator.impl.raft import Persist, Snapshot


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
    def sync(folder: Path) -> None:
        raise OSError(errno.EIO, "bad")

    with monkeypatch.context() as patch:
        patch.setattr(store_read, "sync_folder", sync)
        with pytest.raises(StoreFailed):
            opened(tmp_path)
    store, loaded = opened(tmp_path)
    store.close()
    assert loaded == Loaded(0, None, None, [], "")
