"""Asynchronous replication, as it runs: the master answers at once, and sends a copy to the replica.

A buyer who hears nothing complains to the operator, who asks whether the master is there; if no answer
comes, the other machine is master.  A machine that comes back asks the operator which one that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scrutator.impl.ladder.actor import Actor
from scrutator.impl.ladder.design import Design, Judged
from scrutator.impl.ladder.failover import (
    LAGS_MS,
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
from scrutator.impl.ladder.stage import Stage
from scrutator.impl.ladder.variant import Variant

MACHINES = ("m1", "m2")


@dataclass(frozen=True, slots=True)
class Copy(Message):
    code: str | None


@dataclass(frozen=True, slots=True)
class Follow(Message):
    """Please send me what you have."""


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


class Supervisor(Operator):
    def start(self) -> None:
        super().start()
        self.master = MACHINES[0]

    def is_silent(self) -> None:
        self.master = next(m for m in MACHINES if m != self.master)
        self.note("master", self.master)
        self.send(self.master, Master(self.master))
        self.settled()


def cast(stage: Stage) -> None:
    for name in MACHINES:
        Machine(stage, name)
    Supervisor(stage, "operator")
    add_buyers(stage, MACHINES, Customer)


def faults(variant: Variant) -> Faults:
    return Faults(crashes=variant.number("failures"), nodes=MACHINES, repairs=variant.flag("repairs"))


DESIGN = Design(
    "asynchronous", cast, faults,
    {"no_phone_sold_twice": Judged.LINEARIZABLE, "acknowledged_sale_never_lost": Judged.LINEARIZABLE, "shop_is_open": shop_is_open},
)  # fmt: skip
