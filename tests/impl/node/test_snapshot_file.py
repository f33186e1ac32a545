"""Snapshot files: whole or not at all, and nothing else is taken for one."""

from __future__ import annotations

import errno
import mmap
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from scrutator.impl.node.store import snapshot_file
from scrutator.impl.node.store.errors import CorruptStore, StoreFailed, StoreFull
from scrutator.impl.node.store.snapshot_file import Prepared, open_snapshot, write_snapshot


def again(folder: Path, prepared: Prepared) -> bytes:
    return open_snapshot(folder, prepared.name, prepared.index, prepared.size, prepared.sum)


def test_written_pieces_are_read_as_one(tmp_path: Path) -> None:
    prepared = write_snapshot(tmp_path, 7, [b"ab", b"", b"cde"])
    assert isinstance(prepared.data, mmap.mmap)
    assert (prepared.index, prepared.size, prepared.data[:], len(prepared.data), prepared.data[1:3]) == (7, 5, b"abcde", 5, b"bc")
    assert again(tmp_path, prepared)[:] == b"abcde"
    assert [path.name for path in tmp_path.iterdir()] == [prepared.name]


def test_the_empty_state_has_a_snapshot(tmp_path: Path) -> None:
    prepared = write_snapshot(tmp_path, 1, [])
    assert prepared.data == again(tmp_path, prepared) == b""


def test_a_mapping_outlives_its_file(tmp_path: Path) -> None:
    prepared = write_snapshot(tmp_path, 1, [b"x" * 10_000])
    (tmp_path / prepared.name).unlink()
    assert prepared.data[:] == b"x" * 10_000


def test_many_pieces_are_synced_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    monkeypatch.setattr(snapshot_file, "_SYNC_BYTES", 1000)
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    prepared = write_snapshot(tmp_path, 1, [bytes([k]) * 300 for k in range(10)])
    assert synced == [1200, 2400]
    assert again(tmp_path, prepared)[:] == b"".join(bytes([k]) * 300 for k in range(10))


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    prepared = write_snapshot(tmp_path, 7, [b"state of the machine"])
    path = tmp_path / prepared.name
    whole = path.read_bytes()
    for position in range(len(whole)):
        for bit in range(8):
            path.write_bytes(whole[:position] + bytes([whole[position] ^ (1 << bit)]) + whole[position + 1 :])
            with pytest.raises(CorruptStore, match="not what was written"):
                again(tmp_path, prepared)


@pytest.mark.parametrize("change", [lambda b: b[:-1], lambda b: b + b"\0", lambda b: b""])
def test_another_length_is_noticed(tmp_path: Path, change: object) -> None:
    prepared = write_snapshot(tmp_path, 7, [b"state"])
    path = tmp_path / prepared.name
    path.write_bytes(change(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(CorruptStore, match="bytes, not"):
        again(tmp_path, prepared)


def test_a_missing_file_and_that_of_another_index_are_noticed(tmp_path: Path) -> None:
    prepared, other = write_snapshot(tmp_path, 7, [b"state"]), write_snapshot(tmp_path, 8, [b"state"])
    with pytest.raises(CorruptStore, match="footer"):
        open_snapshot(tmp_path, other.name, 7, prepared.size, prepared.sum)
    (tmp_path / prepared.name).unlink()
    with pytest.raises(CorruptStore, match=r"missing.*add it anew"):
        again(tmp_path, prepared)


@pytest.mark.parametrize(("number", "kind"), [(errno.EIO, StoreFailed), (errno.ENOSPC, StoreFull), (errno.EDQUOT, StoreFull)])
def test_a_sync_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception]) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(kind, match=f"{tmp_path}.*then start the node again"):
        write_snapshot(tmp_path, 7, [b"state"])
    assert not list(tmp_path.iterdir())


def test_a_folder_whose_sync_fails_keeps_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def sync(folder: Path) -> None:
        raise OSError(errno.EIO, "bad")

    monkeypatch.setattr(snapshot_file, "sync_folder", sync)
    with pytest.raises(StoreFailed):
        write_snapshot(tmp_path, 7, [b"state"])
    assert not list(tmp_path.iterdir())


def test_a_state_machine_that_fails_leaves_no_file(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise KeyError("bug")

    with pytest.raises(KeyError):
        write_snapshot(tmp_path, 7, pieces())
    assert not list(tmp_path.iterdir())
