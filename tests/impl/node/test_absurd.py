"""Messages that decode and cannot be right: none harms the core, the store or the state machine; and no right one is refused."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from scrutator.impl.machine import Command, KeyValue, encoded, image_of
from scrutator.impl.node.config import Limits
from scrutator.impl.node.links.absurd import Guard, absurd
from scrutator.impl.node.log import Log
from scrutator.impl.node.store import Store
from scrutator.impl.raft import (
    Configuration,
    ElectionTimeout,
    Entry,
    HeartbeatTimeout,
    Options,
    Propose,
    Raft,
    Received,
    Role,
    configuration,
)
from scrutator.impl.raft.configuration import Members
from scrutator.impl.raft.messages import (
    AnyMessage,
    Appended,
    AppendEntries,
    Installing,
    InstallSnapshot,
    Kind,
    ReadReply,
    ReadRequest,
    RequestVote,
    TimeoutNow,
    Vote,
)
from scrutator.impl.sim.run import run
from scrutator.impl.sim.setup import Setup

ABC = configuration("abc")
ODD = (-(1 << 63), -1, 1 << 32, (1 << 62) - 1, 1 << 62, (1 << 63) - 1, (1 << 64) - 1)
LIMITS = Limits(snapshot_bytes_max=1000)


class Silent(Log):
    def __init__(self) -> None:
        super().__init__("b")
        self.said = 0

    def __call__(self, event: str, **fields: object) -> None:
        self.said += 1


class Checked(Raft):
    """Every message that arrives in the simulator is one that may be."""

    def receive(self, m: AnyMessage) -> None:
        if m.src != self.id:
            why = absurd(m, self, Limits())
            assert not why, why
        super().receive(m)


def test_what_right_nodes_send_passes() -> None:
    counts: Counter[str] = Counter()
    for seed in range(12):
        found = run(seed, Setup(raft=Checked))
        assert found.holds, f"seed {seed}: {found.violation}"
        counts.update(found.counts)
    assert counts["snapshots installed"] and counts["joint change"]


def number(dice: random.Random) -> int:
    """Mostly of a size that occurs."""
    return dice.choice(ODD) if dice.random() < 0.1 else dice.randrange(9)


def members(dice: random.Random) -> Configuration:
    wrong = (Members(()), Members(("a", "a")), Members(("a",), "nobody"), Members(("a", "b", "c"), "a*(("))
    made = dice.choice(wrong) if dice.random() < 0.2 else ABC.members
    return Configuration(made, ("a",) if dice.random() < 0.05 else (), dice.choice(wrong) if dice.random() < 0.05 else None)


def entry(dice: random.Random, index: int) -> Entry:
    kind = dice.choice(list(Kind))
    data = dice.choice((b"", b"\xff", encoded(Command("put", b"k", b"v")), b"\x96\xa3\xff\xff\xff\xc4\x01k\xc0\xc0\x00\x00"))
    there = dice.random() < 0.1 or kind is Kind.CONFIGURATION
    return Entry(number(dice), index if dice.random() < 0.9 else number(dice), kind, data, members(dice) if there else None)


def message(dice: random.Random, raft: Raft) -> AnyMessage:
    src, term = dice.choice("ac"), max(0, raft.term + dice.choice((-1, 0, 0, 0, 0, 1))) if dice.random() < 0.95 else number(dice)
    led = (AppendEntries, AppendEntries, InstallSnapshot, InstallSnapshot, RequestVote, Vote, TimeoutNow, ReadReply)
    answers = (Appended, Appended, Appended, Installing, ReadRequest, Vote)  # a leader hears these mostly
    kind = dice.choice(answers if dice.random() < (0.95 if raft.role is Role.LEADER else 0.1) else led)
    n = number
    if kind is AppendEntries:
        prev = n(dice) if dice.random() < 0.3 else raft.log.last - dice.randrange(3)
        prev_term = n(dice) if dice.random() < 0.3 else raft.log.term_at(prev) or 0
        entries = tuple(entry(dice, prev + 1 + k) for k in range(dice.randrange(4)) if -9 < prev < 1 << 50)
        return AppendEntries(src, "b", term, prev, prev_term, entries, n(dice) if dice.random() < 0.5 else raft.log.last, n(dice))
    if kind is InstallSnapshot:
        data = KeyValue().snapshot() if dice.random() < 0.7 else dice.randbytes(dice.randrange(5))
        cut = dice.randrange(len(data) + 1)
        offset, piece = dice.choice(((0, data), (0, data[:cut]), (cut, data[cut:]), (n(dice), data)))
        size = len(data) if dice.random() < 0.8 else dice.choice((0, 1001, n(dice)))
        index = raft.log.last + dice.randrange(-2, 3) if dice.random() < 0.5 else n(dice)
        return InstallSnapshot(src, "b", term, index, min(term, n(dice)), members(dice), offset, piece, size, n(dice))
    if kind is Appended:
        return Appended(src, "b", term, n(dice), n(dice), dice.choice((None, n(dice))), n(dice), n(dice))
    if kind is Installing:
        return Installing(src, "b", term, n(dice), n(dice), n(dice))
    if kind is RequestVote:
        return RequestVote(src, "b", term, n(dice), n(dice), dice.random() < 0.5, dice.random() < 0.5)
    if kind is Vote:
        return Vote(src, "b", term, dice.random() < 0.8, dice.random() < 0.5)
    if kind is TimeoutNow:
        return TimeoutNow(src, "b", term)
    if kind is ReadRequest:
        return ReadRequest(src, "b", term, n(dice))
    return ReadReply(src, "b", term, n(dice), dice.choice((None, n(dice))))


class Node:
    """A core behind its guard, with a store and a state machine, as a replica has them."""

    def __init__(self, folder: Path, refusing: bool = True) -> None:
        self.folder, self.refusing = folder, refusing
        self.refused: Counter[str] = Counter()
        self.passed: Counter[str] = Counter()
        self.led = 0
        self.open(0.0)

    def open(self, now_s: float) -> None:
        self.store, self.machine = Store(self.folder, identity="c/b"), KeyValue()
        loaded = self.store.load()
        if loaded.snapshot is not None:
            self.machine.restore(loaded.snapshot.data)
        self.raft = Raft("b", ABC, Options(pre_vote=False), term=loaded.term, vote=loaded.vote, snapshot=loaded.snapshot, entries=loaded.entries, now_s=now_s)
        self.guard = Guard(self.raft, LIMITS, Silent())

    def step(self, event: object, now_s: float) -> None:
        if isinstance(event, Received) and event.message.src != "b":
            kind = type(event.message).__name__
            if self.refusing and self.guard.refuses(event.message):
                self.refused[kind] += 1
                return
            self.passed[kind] += 1
        out = self.raft.step(event, now_s)  # type: ignore[arg-type]
        self.store.write([out.persist])
        if out.restore is not None:
            self.machine.become(self.guard.take_image(out.restore.index) or image_of(out.restore.data))
        for one in out.apply:
            self.machine.apply(one)
        for sent in (*out.send, *out.send_durable):
            assert msgspec.msgpack.encode(sent)
            if sent.dst == "b":
                self.step(Received(sent), now_s)
        self.led += self.raft.role is Role.LEADER
        assert self.raft.incoming is None or len(self.raft.incoming[2]) <= LIMITS.snapshot_bytes_max


def attack(folder: Path, seed: int, steps: int, *, refusing: bool = True) -> Node:
    dice, now_s = random.Random(seed), 0.0
    node = Node(folder, refusing)
    try:
        for _ in range(steps):
            now_s += dice.random()
            what = dice.random()
            if what < 0.05:
                node.step(ElectionTimeout(), now_s)
            elif what < 0.1:
                node.step(HeartbeatTimeout(), now_s)
            elif what < 0.15:
                node.step(Propose(1, encoded(Command("incr", b"n"))), now_s)
            elif what < 0.16:
                node.store.close()
                node.open(now_s)
            else:
                node.step(Received(message(dice, node.raft)), now_s)
    finally:
        node.store.close()
    return node


def test_nothing_that_passes_does_harm(tmp_path: Path) -> None:
    refused: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    led = 0
    for seed in range(12):
        node = attack(tmp_path / str(seed), seed, 250)
        refused, passed, led = refused + node.refused, passed + node.passed, led + node.led
    assert len(passed) == 9 and led > 50, (passed, led)
    assert len(refused) >= 7, refused


@pytest.mark.slow
def test_nothing_that_passes_does_harm_in_many_attempts(tmp_path: Path) -> None:
    for seed in range(100, 500):
        attack(tmp_path / str(seed), seed, 600)


def test_without_the_guard_much_would(tmp_path: Path) -> None:
    harmed = 0
    for seed in range(5):
        try:
            attack(tmp_path / str(seed), seed, 250, refusing=False)
        except Exception:
            harmed += 1
    assert harmed == 5


def test_a_snapshot_in_pieces_is_looked_at_with_its_last(tmp_path: Path) -> None:
    held = KeyValue()
    held.apply_command(1, Command("put", b"k", b"v" * 300))
    data = held.snapshot()
    rotten = bytes([data[0] ^ 0x40]) + data[1:]
    for sent, installed in ((rotten, False), (data, True)):
        node = Node(tmp_path / str(installed))
        try:
            for offset in range(0, len(sent), 100):
                piece = sent[offset : offset + 100]
                node.step(Received(InstallSnapshot("a", "b", 1, 9, 1, ABC, offset, piece, len(sent), 1)), 1.0)
            assert node.machine.data == (held.data if installed else {})
            assert (node.raft.log.snapshot is not None) == installed
        finally:
            node.store.close()


def test_poison_in_the_log_is_an_unknown_command() -> None:
    poison = msgspec.msgpack.encode(("get", b"k", None, None, 0, 0)).replace(b"\xa3get", b"\xa3\xff\xff\xff")
    assert KeyValue().apply(Entry(1, 1, Kind.COMMAND, poison)).error == "unknown"
