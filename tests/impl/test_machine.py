"""The replicated store: its commands, its sessions, and what survives a snapshot."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from scrutator.impl.machine import Command, KeyValue, Reply, encoded
from scrutator.model.objects.kv import KV


@dataclass(frozen=True)
class Applied:
    index: int
    data: bytes


def play(machine: KeyValue, commands: list[Command], first: int = 1) -> list[Reply]:
    return [machine.apply(Applied(index, encoded(command))) for index, command in enumerate(commands, first)]


KEYS = st.sampled_from([b"a", b"b"])
VALUES = st.sampled_from([b"", b"0", b"1", b"-7", b"x"])
COMMANDS = st.builds(
    Command, st.sampled_from(["register", "get", "put", "append", "delete", "cas", "incr", "what"]), KEYS,
    st.none() | VALUES, st.none() | VALUES, st.integers(0, 4), st.integers(0, 4),
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
    for text in (b"x", b"", b"-", b"1" * 30):
        assert play(KeyValue(), [Command("put", b"n", text), Command("incr", b"n")])[1] == Reply(error="type")


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
