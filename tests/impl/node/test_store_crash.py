"""Stores after crashes, torn writes and rot: exactly what was written, all but a torn end, or a refusal.

The law of every test here: never anything else.  Rot is put into copies of what a killed process leaves behind.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from stores import ABC, same

from scrutator.impl.node.store import CorruptStore, Store
from scrutator.impl.node.store import database as store_module
from scrutator.impl.node.store.mark import read_mark
from scrutator.impl.node.store.read import read
from scrutator.impl.node.store.wal_check import BadHeader, examine
from scrutator.impl.raft import Entry, Persist, Snapshot
from scrutator.impl.raft.messages import Kind
from scrutator.impl.sim.disk import Image

FRAME = 24 + 4096


def entries(first: int, count: int, term: int) -> list[Entry]:
    return [Entry(term, first + k, Kind.COMMAND, b"%d of %d " % (first + k, term) * 5) for k in range(count)]


def persist_of(n: int, image: Image) -> Persist:
    """The n-th thing to be written, for an image of the first n - 1: grows, replaces, votes, compacts."""
    persist = Persist(term=n, vote="abc"[n % 3])
    if n % 7 == 3 and image.last - image.base > 30:
        index = image.last - 25
        persist.snapshot = Snapshot(index, image.term_at(index) or 0, ABC, b"state %d " % index * 40)
    if n % 5 == 2 and image.last - image.base > 3:
        persist.truncate = image.last - 2
        persist.entries = entries(image.last - 2, n % 4, n)
    elif n % 3:
        persist.entries = entries(image.last + 1, 1 + n % 11, n)
    return persist


def image_of(count: int) -> Image:
    image = Image()
    for n in range(1, count + 1):
        image.absorb(persist_of(n, image))
    return image


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short write-ahead log, so that little of it is padding and rounds are short."""
    monkeypatch.setattr(store_module, "WAL_BYTES", 32 + 40 * FRAME)
    monkeypatch.setattr(store_module, "_CHECKPOINT_BYTES", 60 * FRAME)
    monkeypatch.setattr(store_module, "_IDLE_CHECKPOINT_BYTES", 5 * FRAME)


@dataclass
class Wreck:
    """What a killed process left, and what should be found there."""

    folder: Path
    image: Image  # everything
    before: Image  # everything but the last transaction
    seen: dict[str, int] = field(default_factory=dict)  # outcomes

    def judge(self, where: str) -> str:
        """Read the store, which must keep the law: 'whole', 'torn' or 'refused'."""
        try:
            mark = read_mark(self.folder)
            assert mark is not None
            loaded, _, _ = read(self.folder, mark)
        except CorruptStore as error:
            assert str(self.folder) in str(error)
            outcome = "refused"
        else:
            if same(loaded, self.image):
                outcome = "whole"
            else:
                assert same(loaded, self.before), f"{where}: neither whole nor refused"
                assert loaded.dropped, f"{where}: the last transaction is dropped in silence"
                outcome = "torn"
        self.seen[outcome] = self.seen.get(outcome, 0) + 1
        return outcome


def wreck(folder: Path, writes: int, kind: str) -> Wreck:
    """The wreck of a store after so many writes; ``kind`` says what its write-ahead log is like."""
    home = folder / "home"
    store = Store(home, identity="c/a")
    store.load()
    image, before = Image(), Image()
    for n in range(1, writes + 1):
        persist = persist_of(n, image)
        store.write([persist])
        image.absorb(persist)
        if n < writes:
            before.absorb(persist)
        if kind == "rounds" and n == writes - 4:
            store._checkpoint()
    if kind == "merged":
        store._checkpoint()
    if kind == "closed":
        store.close()
    other = shutil.copytree(home, folder / "wreck")
    store.close()
    return Wreck(other, image, before)


KINDS = ("first round", "rounds", "merged", "closed")


def used(path: Path) -> int:
    """Where the padding of a file begins that nobody reads, and a little more."""
    whole = path.read_bytes()
    return min(len(whole), len(whole.rstrip(b"\0")) + 600)


def rot(found: Wreck, step: int, seed: int) -> None:
    """Change about every ``step``-th byte of every file, one at a time."""
    chance = random.Random(seed)
    for path in sorted(found.folder.iterdir()):
        if path.name == "lock":
            continue
        with path.open("r+b", buffering=0) as file:
            for position in [start + chance.randrange(step) for start in range(0, used(path) - step, step)]:
                file.seek(position)
                byte = file.read(1)[0]
                for rotten in {byte ^ (1 << chance.randrange(8)), 0, 255} - {byte}:
                    file.seek(position)
                    file.write(bytes([rotten]))
                    found.judge(f"{path.name}, byte {position} {byte} -> {rotten}, seed {seed}")
                file.seek(position)
                file.write(bytes([byte]))
    assert found.judge("repaired") == "whole"


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("kind", KINDS)
def test_rot_is_found(tmp_path: Path, kind: str) -> None:
    found = wreck(tmp_path, 9, kind)
    rot(found, 409, seed=1)
    assert found.seen["refused"] > 10 and found.seen["whole"] > 10


@pytest.mark.slow
@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("writes", [1, 6, 9, 25])
def test_rot_is_found_anywhere(tmp_path: Path, kind: str, writes: int) -> None:
    rot(wreck(tmp_path, writes, kind), 17, seed=writes)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("kind", ["first round", "rounds"])
def test_the_frames_that_matter_byte_by_byte(tmp_path: Path, kind: str) -> None:
    """Every byte of the headers of the write-ahead log and of its frames."""
    found = wreck(tmp_path, 6, kind)
    path = found.folder / "raft.db-wal"
    mark = read_mark(found.folder)
    assert mark is not None
    frames = examine(path, mark.marker).frames
    with path.open("r+b", buffering=0) as file:
        for position in [*range(32), *(32 + k * FRAME + byte for k in range(frames + 1) for byte in range(24))]:
            file.seek(position)
            byte = file.read(1)[0]
            for rotten in {byte ^ 1, byte ^ 128, 0} - {byte}:
                file.seek(position)
                file.write(bytes([rotten]))
                outcome = found.judge(f"byte {position} {byte} -> {rotten}")
                assert outcome == "refused" or position >= 32
            file.seek(position)
            file.write(bytes([byte]))
    assert {"refused", "torn", "whole"} <= found.seen.keys()


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("size", [512, 4096])
@pytest.mark.parametrize("kind", KINDS)
def test_lost_sectors_are_found(tmp_path: Path, kind: str, size: int) -> None:
    """A sector or page full of zeros, of noise, or of what stood elsewhere in the file."""
    found = wreck(tmp_path, 9, kind)
    chance = random.Random(size)
    for path in sorted(found.folder.iterdir()):
        if path.name in ("lock", "store.json"):
            continue
        whole = path.read_bytes()
        for start in range(0, used(path), size):
            stray = chance.randrange(0, used(path), size)
            for content in (bytes(size), chance.randbytes(size), whole[stray : stray + size]):
                path.write_bytes(whole[:start] + content[: len(whole) - start] + whole[start + size :])
                found.judge(f"{path.name} from {start}")
        path.write_bytes(whole)
    assert found.judge("repaired") == "whole"
    assert found.seen["refused"] > 5


@pytest.mark.usefixtures("short")
def test_transactions_are_missed_by_their_ends_alone(tmp_path: Path) -> None:
    """The pages of the last two are noise, so that no number is left; that two have ended still shows."""
    found = wreck(tmp_path, 9, "first round")
    path = found.folder / "raft.db-wal"
    file = bytearray(path.read_bytes())
    chance = random.Random(1)
    behind = last_transaction(found)[1]
    for k in range(last_transaction(found)[0] - 1, behind):
        file[32 + k * FRAME + 24 : 32 + (k + 1) * FRAME] = chance.randbytes(4096)
    path.write_bytes(file)
    with pytest.raises(CorruptStore, match="at least 2 transactions"):
        Store(found.folder, identity="c/a").load()


def test_a_rotten_list_of_free_pages_is_found(tmp_path: Path) -> None:
    """No row is in it, but the next ones would be written over others."""
    store = Store(tmp_path / "home", identity="c/a")
    store.load()
    store.write([Persist(term=1, vote=None, entries=entries(1, 2000, 1))])
    store.write([Persist(snapshot=Snapshot(1900, 1, ABC, b""))])
    while store.trim():
        pass
    store.close()
    path = tmp_path / "home" / "raft.db"
    file = bytearray(path.read_bytes())
    trunk = int.from_bytes(file[32:36], "big")
    assert trunk and int.from_bytes(file[36:40], "big") > 5
    at = (trunk - 1) * 4096 + 8  # the first free page it names; 2 is the root of the entries
    file[at : at + 4] = (2).to_bytes(4, "big")
    path.write_bytes(file)
    with pytest.raises(CorruptStore, match="SQLite's check finds"):
        Store(tmp_path / "home", identity="c/a").load()


# --- torn ends -----------------------------------------------------------------------------


def last_transaction(found: Wreck) -> tuple[int, int]:
    """Its first frame, and the one after its last."""
    mark = read_mark(found.folder)
    assert mark is not None
    path = found.folder / "raft.db-wal"
    wal = examine(path, mark.marker)
    assert wal.torn == wal.commits == 0
    file = path.read_bytes()
    ends = [k for k in range(wal.frames) if file[32 + k * FRAME + 4 : 32 + k * FRAME + 8] != bytes(4)]
    return ends[-2] + 1, wal.frames


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("writes", [4, 5, 7, 8, 12])
@pytest.mark.parametrize("kind", ["first round", "rounds"])
def test_a_torn_end_is_dropped_and_said(tmp_path: Path, writes: int, kind: str) -> None:
    """Of the last transaction's frames any may have reached the disk, and the others hold what stood there before."""
    found = wreck(tmp_path, writes, kind)
    path = found.folder / "raft.db-wal"
    whole = path.read_bytes()
    first, behind = last_transaction(found)
    assert 1 <= behind - first <= 8
    for subset in range(1, (1 << (behind - first)) - 1):
        torn = bytearray(whole)
        for k in range(first, behind):
            if not subset >> (k - first) & 1:
                torn[32 + k * FRAME : 32 + (k + 1) * FRAME] = bytes(FRAME)
        path.write_bytes(torn)
        assert found.judge(f"frames {subset:b}") == "torn"
    for cut in range(32 + first * FRAME, 32 + behind * FRAME, 97):
        path.write_bytes(whole[:cut].ljust(len(whole), b"\0"))
        if cut - (32 + first * FRAME) >= 16:  # before that there is no trace of it
            assert found.judge(f"zeros from {cut}") == "torn"


def test_a_write_ahead_log_cut_off_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has grown beyond its first size ends where the system had got to."""
    monkeypatch.setattr(store_module, "WAL_BYTES", 32 + FRAME)
    found = wreck(tmp_path, 8, "first round")
    path = found.folder / "raft.db-wal"
    whole = path.read_bytes()
    first, behind = last_transaction(found)
    assert len(whole) == 32 + behind * FRAME
    for cut in [*range(first, behind), *(behind - 1 + part / 7 for part in range(1, 7)), *(first + part / 7 for part in range(1, 7))]:
        path.write_bytes(whole[: 32 + int(cut * FRAME)])
        if cut == first:  # nothing is left of the last transaction: as if it had never been
            found.image = found.before
            assert found.judge("all of it") == "whole"
            found.image = image_of(8)
        else:
            assert found.judge(f"cut at frame {cut}") == "torn"


@pytest.mark.usefixtures("short")
def test_writing_goes_on_behind_a_torn_end(tmp_path: Path) -> None:
    """What is left of a torn transaction is not taken for a part of later ones, whenever the node is killed."""
    found = wreck(tmp_path, 8, "first round")
    path = found.folder / "raft.db-wal"
    first, behind = last_transaction(found)
    with path.open("r+b") as file:
        file.seek(32 + first * FRAME)
        file.write(bytes(FRAME))
    folder, image = found.folder, found.before
    for n in range(8, 16):
        store = Store(folder, identity="c/a")
        loaded = store.load()
        assert same(loaded, image) and bool(loaded.dropped) == (n == 8 and behind - first > 1)
        persist = persist_of(n, image)
        store.write([persist])
        image.absorb(persist)
        folder = shutil.copytree(folder, tmp_path / f"killed {n}")
        store.close()


@pytest.mark.usefixtures("short")
def test_every_write_ends_one_transaction(tmp_path: Path) -> None:
    """What the check of the write-ahead log rests upon: one end of a transaction, one number, for each write."""
    store = Store(tmp_path, identity="c/a")
    store.load()
    mark = read_mark(tmp_path)
    assert mark is not None
    image, number = Image(), store._number
    for n in range(1, 60):
        persist = persist_of(n, image)
        store.write([persist, Persist(term=n, vote="c")])
        image.absorb(persist)
        wal = examine(tmp_path / "raft.db-wal", mark.marker)
        number += 1
        assert (wal.number, wal.torn, wal.commits) == (number, 0, 0) and wal.newest < number
        if n % 20 == 0:
            store.trim()
            number = store._number
    store.close()


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("kind", ["first round", "rounds"])
def test_the_check_sees_what_sqlite_sees(tmp_path: Path, kind: str) -> None:
    """As many frames as SQLite recovers, whatever has rotted."""
    found = wreck(tmp_path, 9, kind)
    mark = read_mark(found.folder)
    assert mark is not None
    wal = (found.folder / "raft.db-wal").read_bytes()
    chance = random.Random(3)
    used = 32 + examine(found.folder / "raft.db-wal", mark.marker).frames * FRAME
    seen = set()
    for _ in range(80):
        position = chance.randrange(32) if chance.random() < 0.2 else chance.randrange(used)
        rotten = bytearray(wal)
        rotten[position] ^= 1 << chance.randrange(8)
        copy = tmp_path / "copy"
        copy.mkdir()
        shutil.copy(found.folder / "raft.db", copy)
        (copy / "raft.db-wal").write_bytes(rotten)
        try:
            frames = examine(copy / "raft.db-wal", mark.marker).frames
        except BadHeader:
            frames = 0
        with closing(sqlite3.connect(copy / "raft.db")) as db:
            recovered = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1]
        assert frames == recovered, f"byte {position}"
        seen.add(frames)
        shutil.rmtree(copy)
    assert len(seen) > 3


# --- killed processes ------------------------------------------------------------------------

CHILD = """
import sys, threading
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import test_store_crash as t
from scrutator.impl.node.store import database as store_module
from scrutator.impl.raft import Persist
store_module.WAL_BYTES = 32 + 60 * t.FRAME
store_module._CHECKPOINT_BYTES = 50 * t.FRAME
store = t.Store(Path(sys.argv[1]), identity="c/a")
loaded = store.load()
n = loaded.term
image = t.image_of(n)
print("starts", n, flush=True)
def prepared(snapshot):
    return store.prepare_snapshot(snapshot.index, (snapshot.data[k : k + 7] for k in range(0, len(snapshot.data), 7)))
while True:
    n += 1
    persist = t.persist_of(n, image)
    image.absorb(persist)
    threads = []
    if persist.snapshot is not None:
        snapshot = persist.snapshot
        file = prepared(snapshot)
        persist.snapshot = t.Snapshot(snapshot.index, snapshot.term, snapshot.configuration, file.data)
        threads = [threading.Thread(target=prepared, args=(snapshot,))]  # one that nobody will record
        threads[0].start()
    store.write([persist])
    print(n, flush=True)
    for thread in threads:
        thread.join()
    if n % 4 == 0:
        store.trim(5)
"""


def killed_again_and_again(folder: Path, times: int, until: Callable[[random.Random], float]) -> int:
    """Start a writer in the folder so often, kill it, and look for all that it said was written; how much that was."""
    chance = random.Random(times)
    count = 0
    for _ in range(times):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(folder), str(Path(__file__).parent)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert child.stdout is not None and child.stderr is not None
        with child, child.stdout, child.stderr:
            line = child.stdout.readline()
            assert line.startswith("starts"), child.stderr.read()
            time.sleep(until(chance))
            os.kill(child.pid, signal.SIGKILL)
            said = child.stdout.read().splitlines()
            assert child.wait() == -signal.SIGKILL, child.stderr.read()
        last = int(said[-1]) if said else int(line.split()[1])
        kept = shutil.copytree(folder, folder.parent / "kept", dirs_exist_ok=False)
        store = Store(kept, identity="c/a")
        loaded = store.load()
        store.close()
        assert last <= loaded.term <= last + 1, f"{last} was written, {loaded.term} is there"
        assert same(loaded, image_of(loaded.term))
        shutil.rmtree(kept)
        count = loaded.term
    return count


def test_killed_writers_lose_nothing(tmp_path: Path) -> None:
    assert killed_again_and_again(tmp_path / "a", 12, lambda chance: chance.random() * 0.03) > 30


@pytest.mark.slow
def test_killed_writers_lose_nothing_many_times(tmp_path: Path) -> None:
    for k in range(8):
        killed_again_and_again(tmp_path / str(k), 30, lambda chance: chance.random() * chance.choice([0.003, 0.03, 0.1]))


def test_killed_while_a_store_is_made(tmp_path: Path) -> None:
    """At any call that reaches the disk: a store is there, or is begun again."""
    code = """
import os, sys
from pathlib import Path
from scrutator.impl.node.store import database as store, mark as store_mark, read as store_read
left = int(sys.argv[2])
def count(real):
    def counted(*arguments, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)
        return real(*arguments, **named)
    return counted
for name in ("fsync", "open", "unlink", "rename"):
    setattr(os, name, count(getattr(os, name)))
for name in ("unlink", "rename"):
    setattr(Path, name, count(getattr(Path, name)))
store.write_mark = store_read.write_mark = count(store_mark.write_mark)
opened = store.Store(Path(sys.argv[1]), identity="c/a")
opened.load()
opened.write([store.Persist(term=1, vote="a")])
print("written", flush=True)
opened.close()
"""
    ended = False
    for left in range(0, 200, 7):
        folder = tmp_path / str(left)
        done = subprocess.run([sys.executable, "-c", code, str(folder), str(left)], capture_output=True, text=True, check=False)
        assert done.returncode in (0, -9), done.stderr
        ended = ended or done.returncode == 0
        store = Store(folder, identity="c/a")
        loaded = store.load()
        store.close()
        assert loaded.vote == "a" or not done.stdout
        if ended:
            break
    assert ended and left > 9
