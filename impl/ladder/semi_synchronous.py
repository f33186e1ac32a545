"""Semi-synchronous replication, as it runs: the master, and any one of two replicas, have a sale before the answer.

The operator is as in asynchronous replication; a new master goes on with what the two machines that are left
know.  If they have different buyers, a rule says which machine is trusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scrutator.impl.ladder.design import Design, Judged
from scrutator.impl.ladder.failover import (
    LAGS_MS,
    SILENCE_MS,
    AreYouThere,
    Customer,
    IAmHere,
    Master,
    Operator,
    WhoIsMaster,
)
from scrutator.impl.ladder.faults import Faults
from scrutator.impl.ladder.happening import Message
from scrutator.impl.ladder.shop import Buy, SoldTo, add_buyers, shop_is_open
from scrutator.impl.ladder.stage import Actor, Stage
from scrutator.impl.ladder.variant import Variant

MACHINES = ("m1", "m2", "m3")


@dataclass(frozen=True, slots=True)
class Copy(Message):
    code: str


@dataclass(frozen=True, slots=True)
class Copied(Message):
    code: str


@dataclass(frozen=True, slots=True)
class WhatDoYouHave(Message):
    check: int


@dataclass(frozen=True, slots=True)
class IHave(Message):
    check: int
    code: str | None


@dataclass(frozen=True, slots=True)
class YouAreMaster(Message):
    """Go on with this."""

    code: str | None


@dataclass(frozen=True, slots=True)
class IAmMaster(Message):
    """And have on disk what to go on with."""


class Machine(Actor):
    durable: ClassVar[tuple[str, ...]] = ("sold_to",)
    sold_to: str | None = None

    def start(self) -> None:
        self.master: str | None = None
        self.order: str | None = None  # whom it is selling to, as master
        self.copied: set[str] = set()  # replicas that have the order
        self.waiting: dict[str, None] = {}
        self._ask_operator(None)

    def _ask_operator(self, _: None) -> None:
        if self.master is None:
            self.send("operator", WhoIsMaster())
            self.after(2 * SILENCE_MS, self._ask_operator, None)

    def receive(self, src: str, message: Message) -> None:
        match message:
            case Buy(code) if self.master == self.name:
                self.waiting[src] = None
                self.order = code if self.order is None else self.order
                if not self.variant.flag("replica_first"):
                    self.sold_to = self.order
                for replica in MACHINES:
                    if replica != self.name and replica not in self.copied:
                        self.after(self.stage.tape.pick(LAGS_MS), self._copy, replica)
                self._answer_all()
            case Copy(code) if src == self.master:
                self.sold_to = code
                self.send(src, Copied(code))
            case Copied(code) if self.master == self.name and code == self.order:
                self.sold_to = code
                self.copied.add(src)
                self._answer_all()
            case AreYouThere():
                self.send(src, IAmHere())
            case WhatDoYouHave(check):
                self.send(src, IHave(check, self.sold_to))
            case YouAreMaster(code):
                self.master, self.sold_to, self.order, self.copied = self.name, code, code, set()
                self.note("is master")
                self.send(src, IAmMaster())
            case Master(name) if name != self.master:
                self.master = name
                self.order = self.sold_to if name == self.name else None
                if name == self.name:
                    self.note("is master")

    def _copy(self, replica: str) -> None:
        if self.master == self.name and self.order is not None:
            self.send(replica, Copy(self.order))

    def _answer_all(self) -> None:
        if self.order is not None and (self.copied or self.is_mutant("master_suffices")):
            self.sold_to = self.order
            self.send_all(self.waiting, SoldTo(self.order))
            self.waiting = {}


class Supervisor(Operator):
    def start(self) -> None:
        super().start()
        self.master = self.stage.tape.pick(MACHINES)
        self.next: str | None = None  # who was told to be master, and has not said so
        self.have: dict[str, str | None] = {}  # what the two machines that are left know

    def receive(self, src: str, message: Message) -> None:
        match message:
            case IHave(check, code) if self.is_checking and check == self.checks:
                self.have[src] = code
                if len(self.have) == 2:
                    self._switch()
            case IAmMaster() if src == self.next:
                self.master = src
                self.send_all((m for m in MACHINES if m != src), Master(src))
                self.settled()
            case WhoIsMaster() if self.next is not None:
                pass
            case _:
                super().receive(src, message)

    def is_silent(self) -> None:
        self.have = {}
        self.send_all((m for m in MACHINES if m != self.master), WhatDoYouHave(self.checks))
        self.after(SILENCE_MS, self._too_few, self.checks)

    def _too_few(self, check: int) -> None:
        """Not two machines have answered, or the one that was to be master: this time nobody can be."""
        if self.is_checking and check == self.checks:
            self.settled()

    def settled(self) -> None:
        self.next = None
        super().settled()

    def _switch(self) -> None:
        one, other = sorted(self.have)
        known = self._known(one, other)
        self.next = (one, other)[self.stage.tape.draw(2)]
        self.note("makes master", self.next, known)
        self.send(self.next, YouAreMaster(known))
        self.after(SILENCE_MS, self._too_few, self.checks)

    def _known(self, one: str, other: str) -> str | None:
        """What one of them has, or by the rule, if both have something."""
        first, second = self.have[one], self.have[other]
        if first is None or second is None:
            return second if first is None else first
        return first if self.variant.flag(f"{one}_over_{other}") else second


def cast(stage: Stage) -> None:
    Supervisor(stage, "operator")
    for name in MACHINES:
        Machine(stage, name)
    add_buyers(stage, MACHINES, Customer)


def faults(variant: Variant) -> Faults:
    return Faults(crashes=variant.number("failures"), nodes=MACHINES, aim="is master", repairs=variant.flag("repairs"))


DESIGN = Design("semi_synchronous", cast, faults, {"no_phone_sold_twice": Judged.LINEARIZABLE, "shop_is_open": shop_is_open})
