"""Semi-synchronous replication, as it runs: the master, and any one of two replicas, have a sale before the answer.

The operator is as in asynchronous replication; a new master goes on with what the two machines that are left
know.  If they have different buyers, a rule says which machine is trusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scrutator.impl.ladder.actor import Actor
from scrutator.impl.ladder.failover import (
    LAGS_MS,
    SILENCE_MS,
    AreYouThere,
    IAmHere,
    Master,
    WhoIsMaster,
)
from scrutator.impl.ladder.happening import Message
from scrutator.impl.ladder.shop import Buy, SoldTo

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
