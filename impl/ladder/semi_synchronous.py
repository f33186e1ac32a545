"""Semi-synchronous replication, as it runs: the master, and any one of two replicas, have a sale before the answer.

The operator is as in asynchronous replication; a new master goes on with what the two machines that are left
know.  If they have different buyers, a rule says which machine is trusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scrutator.impl.ladder.asynchronous import AreYouThere, Customer, IAmHere, Master, NoAnswer, WhoIsMaster
from scrutator.impl.ladder.design import Design, Judged
from scrutator.impl.ladder.faults import Faults
from scrutator.impl.ladder.shop import Buy, SoldTo, add_buyers, shop_is_open
from scrutator.impl.ladder.stage import Actor, Message, Stage
from scrutator.impl.ladder.variant import Variant

MACHINES = ("m1", "m2", "m3")
SILENCE_MS = 50


@dataclass(frozen=True, slots=True)
class Copy(Message):
    code: str


@dataclass(frozen=True, slots=True)
class Copied(Message):
    code: str


@dataclass(frozen=True, slots=True)
class WhatDoYouHave(Message):
    pass


@dataclass(frozen=True, slots=True)
class IHave(Message):
    code: str | None


@dataclass(frozen=True, slots=True)
class YouAreMaster(Message):
    """Go on with this."""

    code: str | None


class Machine(Actor):
    durable: ClassVar[tuple[str, ...]] = ("sold_to",)
    sold_to: str | None = None

    def start(self) -> None:
        self.master: str | None = None
        self.order: str | None = None  # whom it is selling to, as master
        self.is_copied = False
        self.waiting: dict[str, None] = {}
        self.send("operator", WhoIsMaster())

    def receive(self, src: str, message: Message) -> None:
        match message:
            case Buy(code) if self.master == self.name:
                self.waiting[src] = None
                self.order = code if self.order is None else self.order
                if not self.variant.flag("replica_first"):
                    self.sold_to = self.order
                self.send_all((m for m in MACHINES if m != self.name), Copy(self.order))
                self._answer_all()
            case Copy(code) if src == self.master:
                self.sold_to = code
                self.send(src, Copied(code))
            case Copied(code) if self.master == self.name and code == self.order:
                self.sold_to, self.is_copied = code, True
                self._answer_all()
            case AreYouThere():
                self.send(src, IAmHere())
            case WhatDoYouHave():
                self.send(src, IHave(self.sold_to))
            case YouAreMaster(code):
                self.master, self.sold_to, self.order = self.name, code, code
            case Master(name):
                self.master = name
                self.order = self.sold_to if name == self.name else None

    def _answer_all(self) -> None:
        if self.order is not None and (self.is_copied or self.is_mutant("master_suffices")):
            self.sold_to = self.order
            self.send_all(self.waiting, SoldTo(self.order))
            self.waiting = {}


class Operator(Actor):
    """Never fails, and never mistakes: silence means that a machine is down."""

    def start(self) -> None:
        self.master = self.stage.tape.pick(MACHINES)
        self.note("master", self.master)
        self.checks = 0
        self.is_checking = False
        self.waiting: dict[str, None] = {}
        self.have: dict[str, str | None] = {}  # what the two machines that are left know

    def receive(self, src: str, message: Message) -> None:
        match message:
            case NoAnswer():
                self.waiting[src] = None
                if not self.is_checking:
                    self.is_checking, self.checks, self.have = True, self.checks + 1, {}
                    self.send(self.master, AreYouThere())
                    self.after(SILENCE_MS, self._ask_others, self.checks)
            case IAmHere() if src == self.master:
                self._settled()
            case IHave(code) if self.is_checking and src != self.master:
                self.have[src] = code
                if len(self.have) == 2:
                    self._switch()
            case WhoIsMaster():
                self.send(src, Master(self.master))
                if src == self.master:
                    self._settled()

    def _ask_others(self, check: int) -> None:
        if self.is_checking and check == self.checks:
            self.send_all((m for m in MACHINES if m != self.master), WhatDoYouHave())
            self.after(SILENCE_MS, self._too_few, check)

    def _too_few(self, check: int) -> None:
        if self.is_checking and check == self.checks:
            self._settled()

    def _switch(self) -> None:
        one, other = sorted(self.have)
        known = self._known(one, other)
        self.master = (one, other)[self.stage.tape.draw(2)]
        self.note("master", self.master, known)
        self.send(self.master, YouAreMaster(known))
        self.send(other if self.master == one else one, Master(self.master))
        self._settled()

    def _known(self, one: str, other: str) -> str | None:
        """What one of them has, or by the rule, if both have something."""
        first, second = self.have[one], self.have[other]
        if first is None or second is None:
            return second if first is None else first
        return first if self.variant.flag(f"{one}_over_{other}") else second

    def _settled(self) -> None:
        self.is_checking = False
        self.send_all(self.waiting, Master(self.master))
        self.waiting = {}


def cast(stage: Stage) -> None:
    Operator(stage, "operator")
    for name in MACHINES:
        Machine(stage, name)
    add_buyers(stage, MACHINES, Customer)


def faults(variant: Variant) -> Faults:
    return Faults(crashes=variant.number("failures"), nodes=MACHINES, repairs=variant.flag("repairs"))


DESIGN = Design("semi_synchronous", cast, faults, {"no_phone_sold_twice": Judged.LINEARIZABLE, "shop_is_open": shop_is_open})
