"""Asynchronous replication, as it runs: the master answers at once, and sends a copy to the replica.

A buyer who hears nothing complains to the operator, who asks whether the master is there; if no answer
comes, the other machine is master.  A machine that comes back asks the operator which one that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scrutator.impl.ladder.design import Design, Judged
from scrutator.impl.ladder.faults import Faults
from scrutator.impl.ladder.shop import Buy, Buyer, SoldTo, add_buyers, shop_is_open
from scrutator.impl.ladder.stage import Actor, Message, Operation, Stage
from scrutator.impl.ladder.variant import Variant

MACHINES = ("m1", "m2")
LAGS_MS = (0, 50, 150, 450)  # by which a replica may be behind
SILENCE_MS = 50  # longer than a question and its answer ever take


@dataclass(frozen=True, slots=True)
class Copy(Message):
    code: str | None


@dataclass(frozen=True, slots=True)
class Follow(Message):
    """Please send me what you have."""


@dataclass(frozen=True, slots=True)
class NoAnswer(Message):
    """A buyer complains."""


@dataclass(frozen=True, slots=True)
class AreYouThere(Message):
    pass


@dataclass(frozen=True, slots=True)
class IAmHere(Message):
    pass


@dataclass(frozen=True, slots=True)
class WhoIsMaster(Message):
    pass


@dataclass(frozen=True, slots=True)
class Master(Message):
    name: str


class Machine(Actor):
    durable: ClassVar[tuple[str, ...]] = ("sold_to",)
    sold_to: str | None = None

    def start(self) -> None:
        self.is_master = self.life == 0 and self.name == MACHINES[0]
        if self.life > 0:
            self.send("operator", WhoIsMaster())

    def receive(self, src: str, message: Message) -> None:
        match message:
            case Buy(code) if self.is_master:
                if self.sold_to is None or self.is_mutant("sells_without_looking"):
                    self.sold_to = code
                    self.after(self.stage.tape.pick(LAGS_MS), self._copy, code)
                self.send(src, SoldTo(self.sold_to))
            case Copy(sold_to) if not self.is_master:
                self.sold_to = sold_to
            case Follow() if self.is_master:
                self.send(src, Copy(self.sold_to))
            case AreYouThere():
                self.send(src, IAmHere())
            case Master(name):
                self.is_master = name == self.name
                if not self.is_master:
                    self.send(name, Follow())

    def _copy(self, code: str) -> None:
        if self.is_master:
            self.send(self._other, Copy(code))

    @property
    def _other(self) -> str:
        return next(m for m in MACHINES if m != self.name)


class Operator(Actor):
    """Never fails, and never mistakes: silence means that a machine is down."""

    def start(self) -> None:
        self.master = MACHINES[0]
        self.checks = 0
        self.is_checking = False
        self.waiting: set[str] = set()

    def receive(self, src: str, message: Message) -> None:
        match message:
            case NoAnswer():
                self.waiting.add(src)
                if not self.is_checking:
                    self.is_checking, self.checks = True, self.checks + 1
                    self.send(self.master, AreYouThere())
                    self.after(SILENCE_MS, self._switch, self.checks)
            case IAmHere() if src == self.master:
                self._settled()
            case WhoIsMaster():
                if src == self.master:
                    self._settled()
                self.send(src, Master(self.master))

    def _switch(self, check: int) -> None:
        if self.is_checking and check == self.checks:
            self.master = next(m for m in MACHINES if m != self.master)
            self.note("master", self.master)
            self.send(self.master, Master(self.master))
            self._settled()

    def _settled(self) -> None:
        self.is_checking = False
        self.send_all(sorted(self.waiting), Master(self.master))
        self.waiting.clear()


class Customer(Buyer):
    """A buyer who knows the master's name, and whom to complain to."""

    times: ClassVar[int] = 3
    pause_ms: ClassVar[int] = 300

    def start(self) -> None:
        super().start()
        self.master = self.machines[0]
        self.was_answered = True

    def ask(self, operation: Operation) -> None:
        if not self.was_answered:
            self.send("operator", NoAnswer())
        else:
            self.was_answered = False
            self.send(self.master, Buy(self.name))

    def receive(self, src: str, message: Message) -> None:
        self.was_answered = True
        if isinstance(message, Master):
            self.master = message.name
            if self.operation is not None:
                self.ask(self.operation)
        else:
            super().receive(src, message)


def cast(stage: Stage) -> None:
    for name in MACHINES:
        Machine(stage, name)
    Operator(stage, "operator")
    add_buyers(stage, MACHINES, Customer)


def faults(variant: Variant) -> Faults:
    return Faults(crashes=variant.number("failures"), nodes=MACHINES, repairs=variant.flag("repairs"))


DESIGN = Design(
    "asynchronous", cast, faults,
    {"no_phone_sold_twice": Judged.LINEARIZABLE, "acknowledged_sale_never_lost": Judged.LINEARIZABLE, "shop_is_open": shop_is_open},
)  # fmt: skip
