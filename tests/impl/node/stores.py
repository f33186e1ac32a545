"""Stores in folders: opened, written, killed, and compared with the simulator's twin of a store."""

from __future__ import annotations

import shutil
from pathlib import Path

from scrutator.impl.node.store import Loaded, Store
from scrutator.impl.raft import Entry, configuration
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
