"""Quorums that are not majorities, as they run: a first seller for buyer 1, and a second one who takes over.

A seller is one with its buyer.  The first sends its sale to all nodes; the second asks them, and each that is
asked takes nothing from the first any more; then it goes on with what it heard of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scrutator.impl.ladder.actor import Actor
from scrutator.impl.ladder.design import Design, Judged, Run
from scrutator.impl.ladder.faults import Faults
from scrutator.impl.ladder.happening import Message, Operation
from scrutator.impl.ladder.shop import Buyer, somebody_gets_the_phone
from scrutator.impl.ladder.stage import Stage
from scrutator.impl.ladder.variant import Variant

FIRST, SECOND = "b1", "b2"


@dataclass(frozen=True, slots=True)
class FirstSale(Message):
    code: str


@dataclass(frozen=True, slots=True)
class SecondSale(Message):
    code: str


@dataclass(frozen=True, slots=True)
class Stored(Message):
    code: str


@dataclass(frozen=True, slots=True)
class Ask(Message):
    pass


@dataclass(frozen=True, slots=True)
class Told(Message):
    """What the node has from the first seller."""

    code: str | None


class Node(Actor):
    durable: ClassVar[tuple[str, ...]] = ("first", "stopped", "second")
    first: str | None = None
    stopped: bool = False
    second: str | None = None

    def receive(self, src: str, message: Message) -> None:
        match message:
            case FirstSale(code):
                if not self.stopped or self.is_mutant("reads_without_stopping"):
                    self.first = code
                if self.first is not None:
                    self.send(src, Stored(code))
            case Ask():
                self.stopped = True
                self.send(src, Told(self.first))
            case SecondSale(code):
                self.stopped, self.second = True, code
                self.send(src, Stored(code))


class Seller(Buyer):
    """What both sellers do: wait until a write quorum has stored the sale."""

    attempt_ms: ClassVar[int] = 80

    def start(self) -> None:
        super().start()
        self.write_suffices = self.variant.quorum("write", self.machines)
        self.read_suffices = self.variant.quorum("read", self.machines)
        self.stored: set[str] = set()
        self.told: dict[str, str | None] = {}
        self.code: str | None = None  # that the second seller has settled on

    def ask(self, operation: Operation) -> None:
        self.send_all(self.machines, FirstSale(self.name))

    def receive(self, src: str, message: Message) -> None:
        if isinstance(message, Stored) and not self.is_idle:
            self.stored.add(src)
            if self.write_suffices(self.stored):
                self.answer(message.code)


class SecondSeller(Seller):
    """Asks first."""

    def ask(self, operation: Operation) -> None:
        self.send_all(self.machines, Ask() if self.code is None else SecondSale(self.code))

    def receive(self, src: str, message: Message) -> None:
        super().receive(src, message)
        if isinstance(message, Told) and self.code is None:
            self.told[src] = message.code
            if self.read_suffices(self.told):
                self.code = next((code for code in self.told.values() if code is not None), self.name)
                self.note("settles", self.code)
                self.send_all(self.machines, SecondSale(self.code))


def node_names(variant: Variant) -> tuple[str, ...]:
    """As in the expressions of quorums."""
    return tuple(chr(ord("a") + k) for k in range(variant.number("nodes")))


def cast(stage: Stage) -> None:
    nodes = node_names(stage.variant)
    for name in nodes:
        Node(stage, name)
    for seller in (Seller(stage, FIRST), SecondSeller(stage, SECOND)):
        seller.machines = nodes


def faults(variant: Variant) -> Faults:
    nodes = node_names(variant)
    lines = tuple((seller, node) for seller in (FIRST, SECOND) for node in nodes)
    return Faults(variant.number("failures"), nodes, repairs=False, cuts=3, lines=lines, lossy=True, late_ms=100)


# --- what a run shows -----------------------------------------------------------------------


def sold_by_the_second(run: Run) -> bool:
    """Buyer 2 hears "yours"."""
    return any(o.client == SECOND and o.result == SECOND for o in run.operations)


def sale_taken_over(run: Run) -> bool:
    """The second seller finishes the first one's sale."""
    return any(o.client == SECOND and o.result == FIRST for o in run.operations)


DESIGN = Design(
    "quorums", cast, faults,
    {
        "no_phone_sold_twice": Judged.LINEARIZABLE, "somebody_gets_the_phone": somebody_gets_the_phone,
        "sold_by_the_second": sold_by_the_second, "sale_taken_over": sale_taken_over,
    },
)  # fmt: skip
