"""The disk: what is synced survives, torn tails are dropped at any byte, and rot is never taken for a tear."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrutator.impl.raft import Entry, Kind, Persist, Snapshot, configuration
from scrutator.impl.sim.disk import Corrupt, Disk, DiskFull, Image, SyncFailed, framed, unframed
from scrutator.impl.sim.tape import Tape

MEMBERS = configuration("abc")


def entries(first: int, last: int, term: int = 1) -> list[Entry]:
    return [Entry(term, index, Kind.COMMAND, b"%d" % index) for index in range(first, last + 1)]


def written(*records: Persist) -> Disk:
    disk = Disk()
    for record in records:
        disk.append(record)
    disk.sync(len(records))
    return disk


def state(image: Image) -> tuple[object, ...]:
    return image.term, image.vote, image.snapshot, image.entries


THREE = (Persist(term=1, vote="a"), Persist(entries=entries(1, 3)), Persist(truncate=3), Persist(term=2, entries=entries(3, 5, 2)))


def test_records_add_up():
    image, torn = written(*THREE).recover()
    assert state(image) == (2, None, None, [*entries(1, 2), *entries(3, 5, 2)]) and torn == 0
    assert [image.term_at(k) for k in (0, 2, 3, 5, 6)] == [0, 1, 2, 2, None]


@pytest.mark.parametrize(("reset", "left"), [(False, entries(3, 5, 2)), (True, [])])
def test_a_snapshot_replaces_the_log_up_to_its_index(reset, left):
    snapshot = Snapshot(2, 1, MEMBERS, b"data")
    image, _ = written(*THREE, Persist(snapshot=snapshot, reset=reset)).recover()
    assert image.snapshot == snapshot and image.entries == left and image.last == 2 + len(left)


def test_a_file_written_anew_says_the_same():
    disk = written(*THREE, Persist(snapshot=Snapshot(2, 1, MEMBERS, b"data")))
    image, _ = disk.recover()
    disk.replace(image)
    disk.append(Persist(term=9, vote="b"))
    disk.sync(2)
    again, _ = disk.recover()
    assert state(again) == (9, "b", image.snapshot, image.entries)


def test_a_record_torn_at_any_byte_is_dropped_whole():
    whole = written(*THREE).durable
    before = written(*THREE[:-1])
    for end in range(len(before.durable), len(whole)):
        disk = Disk()
        disk.durable = whole[:end]
        image, torn = disk.recover()
        assert state(image) == state(before.recover()[0]) and torn == end - len(before.durable)
        assert disk.durable == before.durable


@settings(max_examples=60)
@given(st.data())
def test_rot_of_any_bit_is_found_even_at_the_end(data):
    disk = written(*THREE)
    assert disk.rot(Tape(recorded=[data.draw(st.integers(0, 10**4)), data.draw(st.integers(0, 7))]))
    with pytest.raises(Corrupt):
        disk.recover()
    disk.repair()
    assert state(disk.recover()[0]) == state(written(*THREE).recover()[0])


def test_a_record_at_another_place_is_found():
    file = framed(b"one", 0) + framed(b"two", 19)
    with pytest.raises(Corrupt, match="byte 15"):
        unframed(file)


@given(st.integers(0, 2**32), st.booleans(), st.integers(0, 4))
def test_a_crash_keeps_what_was_synced_and_a_prefix_of_the_rest(seed, torn, synced):
    disk = Disk()
    for record in THREE:
        disk.append(record)
    disk.sync(synced)
    disk.crash(Tape(seed), torn=torn)
    image, dropped = disk.recover()
    assert not dropped or torn
    prefixes = [state(written(*THREE[:k]).recover()[0]) for k in range(synced, 5)]
    assert state(image) in prefixes


def test_a_crash_in_the_midst_of_replacing_keeps_the_old_file():
    disk = written(*THREE)
    image, _ = disk.recover()
    disk.replace(image)
    disk.crash(Tape(recorded=[5]), torn=True)
    assert state(disk.recover()[0]) == state(image)


def test_full_disks_and_failing_syncs_say_so():
    disk = Disk()
    disk.full = True
    with pytest.raises(DiskFull):
        disk.append(THREE[0])
    disk.full, disk.failing = False, True
    disk.append(THREE[0])
    with pytest.raises(SyncFailed):
        disk.sync(1)
