"""The shop's sign, which says what the phone costs: nodes that keep the latest write, and their readers and writers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scrutator.impl.ladder.actor import Actor
from scrutator.impl.ladder.client import Client, Wish
from scrutator.impl.ladder.design import Run
from scrutator.impl.ladder.happening import Message, Operation

Stamp = tuple[int, str]  # a time or a number, then the writer's name, so that no two are alike
BEGINNING: Stamp = (-1, "")
READS_EACH = 3


@dataclass(frozen=True, slots=True)
class Ask(Message):
    attempt: int


@dataclass(frozen=True, slots=True)
class Latest(Message):
    """What the node has."""

    attempt: int
    stamp: Stamp
    price: str | None


@dataclass(frozen=True, slots=True)
class Store(Message):
    attempt: int
    stamp: Stamp
    price: str | None


@dataclass(frozen=True, slots=True)
class Stored(Message):
    attempt: int


class Node(Actor):
    """Keeps the write with the latest timestamp."""

    durable: ClassVar[tuple[str, ...]] = ("stamp", "price")
    stamp: Stamp = BEGINNING
    price: str | None = None

    def receive(self, src: str, message: Message) -> None:
        match message:
            case Ask(attempt):
                self.send(src, Latest(attempt, self.stamp, self.price))
            case Store(attempt, stamp, price):
                if stamp > self.stamp or self.is_mutant("keeps_last_to_arrive"):
                    self.stamp, self.price = stamp, price
                self.send(src, Stored(attempt))


class Reader(Client):
    """Whoever reads or writes the sign; what is written is the writer's name with a number."""

    attempt_ms: ClassVar[int] = 80
    attempts_max: ClassVar[int] = 60
    nodes: tuple[str, ...] = ()

    def start(self) -> None:
        super().start()
        self.reads_suffice = self.variant.quorum("read", self.nodes)
        self.writes_suffice = self.variant.quorum("write", self.nodes)
        self.latest: dict[str, Latest] = {}
        self.stored: set[str] = set()

    def wishes(self) -> list[Wish]:
        return [("read", None)] * READS_EACH

    def last_wish(self) -> Wish:
        return "read", None

    def ask(self, operation: Operation) -> None:
        """Ask all nodes what they have."""
        self.latest, self.stored = {}, set()
        self.send_all(self.nodes, Ask(self.attempt))

    def store(self, stamp: Stamp, price: str | None) -> None:
        """Have all nodes store this."""
        self.send_all(self.nodes, Store(self.attempt, stamp, price))

    def receive(self, src: str, message: Message) -> None:
        match message:
            case Latest(attempt) if attempt == self.attempt and not self.is_idle:
                before = self.reads_suffice(self.latest)
                self.latest[src] = message
                if not before and self.reads_suffice(self.latest):
                    self.heard(max(self.latest.values(), key=lambda found: found.stamp))
            case Stored(attempt) if attempt == self.attempt and not self.is_idle:
                self.stored.add(src)
                if self.writes_suffice(self.stored):
                    self.is_stored()

    def heard(self, found: Latest) -> None:
        """Enough nodes have told what they have; this is the latest of it."""
        self.answer(found.price)

    def is_stored(self) -> None:
        """Enough nodes have stored what was sent."""
        raise NotImplementedError


# --- what a run shows -----------------------------------------------------------------------


def stamps(run: Run) -> dict[str | None, Stamp]:
    """The timestamp of each price: the latest, if its writer took several; the one at the beginning is None."""
    found: dict[str | None, Stamp] = {None: BEGINNING}
    for _, (price, stamp) in run.notes("stamp"):
        assert isinstance(price, str) and isinstance(stamp, tuple)
        found[price] = stamp
    return found


def reads(run: Run) -> list[Operation]:
    """Reads that returned."""
    return [o for o in run.operations if o.method == "read" and o.returned_us is not None]


def writes(run: Run) -> list[Operation]:
    """Writes that finished."""
    return [o for o in run.operations if o.method == "write" and o.returned_us is not None]


def price(read: Operation) -> str | None:
    """What a read returned; None is the price at the beginning."""
    return read.result if isinstance(read.result, str) else None


def precedes(one: Operation, other: Operation) -> bool:
    """One returned before the other was called."""
    return one.returned_us is not None and one.returned_us < other.called_us
