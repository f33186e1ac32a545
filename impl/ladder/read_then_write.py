"""Read, then write, as it runs: a buyer asks all nodes, and with "free" from a majority writes to all.

With locks, a node that said "free" says so to nobody else until that buyer lets go.  Attempts are numbered: who
has let go of one gets no lock by a question that comes late.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scrutator.impl.ladder.actor import Actor
from scrutator.impl.ladder.design import Design, Judged
from scrutator.impl.ladder.faults import Faults
from scrutator.impl.ladder.happening import Message, Operation
from scrutator.impl.ladder.shop import Buyer, add_buyers, names, somebody_gets_the_phone
from scrutator.impl.ladder.stage import Stage
from scrutator.impl.ladder.variant import Variant


@dataclass(frozen=True, slots=True)
class Read(Message):
    attempt: int


@dataclass(frozen=True, slots=True)
class Free(Message):
    attempt: int


@dataclass(frozen=True, slots=True)
class Sold(Message):
    code: str


@dataclass(frozen=True, slots=True)
class Write(Message):
    attempt: int


@dataclass(frozen=True, slots=True)
class Written(Message):
    attempt: int


@dataclass(frozen=True, slots=True)
class LetGo(Message):
    attempt: int


class Node(Actor):
    durable: ClassVar[tuple[str, ...]] = ("sold_to", "lock")
    sold_to: str | None = None
    lock: str | None = None

    def start(self) -> None:
        self.let_go: dict[str, int] = {}  # the last attempt that each buyer gave up
        self.locks = self.variant.flag("locks")

    def receive(self, src: str, message: Message) -> None:
        match message:
            case Read(attempt) if self.sold_to in (None, src):
                if not self.locks or (self.lock in (None, src) and attempt > self.let_go.get(src, 0)):
                    self.lock = src
                    self.send(src, Free(attempt))
            case Read():
                assert self.sold_to is not None
                self.send(src, Sold(self.sold_to))
            case Write(attempt) if not self.locks or self.lock == src or self.is_mutant("does_not_wait_for_locks"):
                self.sold_to = src
                self.send(src, Written(attempt))
            case LetGo(attempt):
                self.let_go[src] = max(attempt, self.let_go.get(src, 0))
                if self.lock == src:
                    self.lock = None


class Customer(Buyer):
    """Asks, then writes; a buyer who has begun to write goes on, with its locks."""

    attempt_ms: ClassVar[int] = 60
    attempts_max: ClassVar[int] = 12

    def start(self) -> None:
        super().start()
        self.read_suffices = self.variant.quorum("read", self.machines)
        self.write_suffices = self.variant.quorum("write", self.machines)
        self.is_writing = False
        self.free: set[str] = set()
        self.written: set[str] = set()
        self.sold: dict[str, str] = {}

    def ask(self, operation: Operation) -> None:
        if self.is_writing:
            self.send_all(self.machines, Write(self.attempt))
            return
        if self.free:
            self.gave_up()
            self.after(self.stage.tape.draw(40), self._read, self.attempt)  # so that buyers do not lock each other out for ever
        else:
            self._read(self.attempt)

    def gave_up(self) -> None:
        if not self.is_writing:
            self.send_all(self.machines, LetGo(self.attempt - 1))
            self.free = set()

    def _read(self, attempt: int) -> None:
        if not self.is_idle and attempt == self.attempt:
            self.send_all(self.machines, Read(attempt))

    def receive(self, src: str, message: Message) -> None:
        if self.is_idle:
            return
        match message:
            case Free(attempt) if attempt == self.attempt and not self.is_writing:
                self.free.add(src)
                if self.read_suffices(self.free) or self.is_mutant("does_not_wait_for_locks"):
                    self.is_writing = True
                    self.send_all(self.machines, Write(attempt))
            case Written():
                self.written.add(src)
                if self.write_suffices(self.written):
                    self.answer(self.name)
            case Sold(code):
                self.sold[src] = code
                if self.write_suffices(node for node, other in self.sold.items() if other == code):
                    self.answer(code)


def cast(stage: Stage) -> None:
    nodes = names("n", stage.variant.number("nodes"))
    for name in nodes:
        Node(stage, name)
    add_buyers(stage, nodes, Customer)


def faults(variant: Variant) -> Faults:
    return Faults(clients=variant.number("failures"))


DESIGN = Design(
    "read_then_write", cast, faults,
    {"no_phone_sold_twice": Judged.LINEARIZABLE, "somebody_gets_the_phone": somebody_gets_the_phone},
)  # fmt: skip
