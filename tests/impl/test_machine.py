"""The replicated store: its commands, its sessions, and what survives a snapshot."""

from __future__ import annotations

import mmap
import tempfile
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrutator.impl import pieces
from scrutator.impl.machine import INTEGER_MAX, INTEGER_MIN, Command, KeyValue, Reply, encoded, is_read
from scrutator.model.objects.kv import KV


@dataclass(frozen=True)
class Applied:
    index: int
    data: bytes


def play(machine: KeyValue, commands: list[Command], first: int = 1) -> list[Reply]:
    return [machine.apply(Applied(index, encoded(command))) for index, command in enumerate(commands, first)]


KEYS = st.sampled_from([b"a", b"b"])
VALUES = st.sampled_from([b"", b"0", b"1", b"-7", b"x"])
READS = ("get", "mget", "exists", "strlen", "size")
OPS = (
    "register", "put", "append", "delete", "cas", "incr", "what", "put_present", "mset", "append_length", "delete_all",
    "getdel", "getset", "getset_present", "getset_equal", *READS,
)  # fmt: skip
COMMANDS = st.builds(
    Command, st.sampled_from(OPS), KEYS, st.none() | VALUES, st.none() | VALUES, st.integers(0, 4), st.integers(0, 4),
    st.lists(KEYS | VALUES, max_size=5).map(tuple),
)  # fmt: skip


class Small(KeyValue):
    sessions_max = 2


def test_a_retry_is_answered_and_not_applied_again():
    machine = KeyValue()
    replies = play(machine, [Command("register"), *[Command("append", b"k", b"x", None, 1, 1)] * 3])
    assert replies == [Reply(1), Reply(), Reply(), Reply()]
    assert machine.get(b"k") == b"x" and machine.executed is None


def test_what_a_later_command_overtook_is_not_applied():
    machine = KeyValue()
    replies = play(machine, [Command("register"), Command("put", b"k", b"2", None, 1, 2), Command("put", b"k", b"1", None, 1, 1)])
    assert replies[-1] == Reply(error="stale") and machine.get(b"k") == b"2"


def test_the_session_used_least_recently_expires():
    machine = Small()
    play(machine, [Command("register"), Command("register"), Command("incr", b"n", None, None, 1, 1), Command("register")])
    replies = play(machine, [Command("incr", b"n", None, None, s, 9) for s in (1, 2, 4)], 5)
    assert replies == [Reply(2), Reply(error="expired"), Reply(3)]


def test_numbers():
    assert play(KeyValue(), [Command("incr", b"n"), Command("incr", b"n")]) == [Reply(1), Reply(2)]
    for text in (b"x", b"", b"-", b"1" * 30, b"07", b"-0", b"+1", b" 1", b"1 ", b"9223372036854775808", b"\xb2"):
        assert play(KeyValue(), [Command("put", b"n", text), Command("incr", b"n")])[1] == Reply(error="type")
        if text:
            assert play(KeyValue(), [Command("incr", b"n", text)]) == [Reply(error="type")]


@given(st.integers(INTEGER_MIN, INTEGER_MAX), st.integers(INTEGER_MIN, INTEGER_MAX))
def test_numbers_stay_within_64_bits(held, amount):
    machine = KeyValue()
    reply = play(machine, [Command("put", b"n", b"%d" % held), Command("incr", b"n", b"%d" % amount)])[1]
    if INTEGER_MIN <= held + amount <= INTEGER_MAX:
        assert reply == Reply(held + amount) and machine.get(b"n") == b"%d" % (held + amount)
    else:
        assert reply == Reply(error="overflow") and machine.get(b"n") == b"%d" % held


def test_puts_on_condition_and_what_was_held():
    machine = KeyValue()
    commands = [
        Command("put_present", b"k", b"1"), Command("cas", b"k", b"1"), Command("put_present", b"k", b"2"), Command("getset", b"k", b"3"),
        Command("getset_equal", b"k", b"4", b"x"), Command("getset_equal", b"k", b"4", b"3"), Command("getset_present", b"k", b"5"),
        Command("getdel", b"k"), Command("getdel", b"k"), Command("getset_present", b"k", b"6"), Command("getset", b"k", b"7"),
        Command("strlen", b"k"), Command("append_length", b"k", b"8"),
    ]  # fmt: skip
    results = [reply.result for reply in play(machine, commands)]
    assert results == [False, True, True, b"2", b"3", b"3", b"4", b"5", None, None, None, 1, 2]
    assert machine.data == {b"k": b"78"}


def test_several_keys_at_once():
    machine = KeyValue()
    commands = [
        Command("mset", more=(b"a", b"1", b"b", b"2", b"a", b"3")), Command("mget", more=(b"a", b"x", b"b")),
        Command("exists", more=(b"a", b"a", b"x")), Command("size"), Command("delete_all", more=(b"a", b"x", b"a", b"b")),
    ]  # fmt: skip
    assert [reply.result for reply in play(machine, commands)] == [None, (b"3", None, b"2"), 2, 2, 2]


def test_values_and_replies_have_a_limit():
    machine = KeyValue()
    machine.value_bytes_max, machine.reply_bytes_max = 3, 5
    replies = play(machine, [Command("append", b"k", b"abc"), Command("append", b"k", b"d"), Command("append_length", b"k", b"d"), Command("mget", more=(b"k", b"k"))])
    assert [reply.error for reply in replies] == ["", "large", "large", "large"] and machine.get(b"k") == b"abc"


def test_commands_of_old_logs_are_the_same_bytes():
    assert encoded(Command("put", b"k", b"v", None, 3, 4)) == msgspec.msgpack.encode(["put", b"k", b"v", None, 3, 4])
    assert play(KeyValue(), [Command("mget", more=(b"k",))]) == [Reply((None,))]


@given(COMMANDS, st.dictionaries(KEYS, VALUES))
def test_what_is_a_read_is_answered_without_the_log(command, data):
    machine = KeyValue()
    machine.data = dict(data)
    if is_read(command):
        assert machine.query(command) == machine.apply_command(1, command) and machine.data == data
    elif command.op not in READS:
        assert machine.query(command) == Reply(error="unknown") and machine.data == data
    assert is_read(command) == (command.op in READS and not command.session)


@given(st.dictionaries(st.binary(max_size=40), st.binary(max_size=40), max_size=40), st.integers(1, 200))
def test_an_image_is_frozen_when_it_is_taken_and_its_pieces_are_one_encoding(data, piece_bytes):
    machine = Small()
    machine.data = dict(data)
    play(machine, [Command("register"), Command("get", b"a", session=1, sequence=1)])
    expected = msgspec.msgpack.encode(([*data.items()], [(1, (1, (data.get(b"a"), "")))]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "PIECE_BYTES", piece_bytes)
        image = machine.image()
        machine.data.clear()
        play(machine, [Command("incr", b"n", session=1, sequence=2)])
        assert b"".join(image) == expected


def test_many_keys_and_large_values_are_many_pieces():
    machine = KeyValue()
    machine.data = {b"%d" % number: b"v" for number in range(70_000)} | {b"large": b"x" * (1 << 20)}
    parts = list(machine.image())
    assert max(map(len, parts)) < (1 << 20) + pieces.PIECE_BYTES and len(parts) > 20
    with tempfile.TemporaryFile() as file:
        file.write(b"".join(parts))
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            after = KeyValue()
            after.restore(mapped)
    assert after.data == machine.data and list(after.data) == list(machine.data)


def test_bytes_that_are_no_command_are_refused_alike():
    machine = KeyValue()
    assert machine.apply(Applied(1, b"\xff")) == Reply(error="unknown")
    assert machine.apply(Applied(2, b"")) == Reply()


@given(st.lists(COMMANDS, max_size=30), st.integers(0, 30))
def test_a_restored_snapshot_goes_on_like_the_original(commands, cut):
    machine = Small()
    expected = play(machine, commands)
    before = Small()
    replies = play(before, commands[:cut])
    after = Small()
    after.restore(before.snapshot())
    assert replies + play(after, commands[cut:], len(replies) + 1) == expected
    assert after.snapshot() == machine.snapshot()


@given(st.lists(COMMANDS, max_size=60))
def test_it_is_the_store_that_histories_are_checked_against(commands):
    machine, states = KeyValue(), {}
    for command in commands:
        if command.op not in ("get", "put", "append", "delete", "cas") or command.value is None:
            continue
        value = text(command.value)
        argument = {"get": None, "delete": None, "cas": (text(command.expected), value)}.get(command.op, value)
        method = KV.find(command.op)
        assert method is not None
        ((result, states[command.key]),) = method.outcomes(states.get(command.key), argument)
        reply = machine.apply_command(1, Command(command.op, command.key, command.value, command.expected))
        assert (text(reply.result) if isinstance(reply.result, bytes) else reply.result) == result


def text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()
