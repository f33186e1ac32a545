"""Basic Paxos, as it runs: buyers are proposers, and go on until they know who has the phone.

Numbers go round among the proposers, so that no two use one; number 0 is the first buyer's, and needs no
promises.  A proposer that is refused tries again with a number beyond the one that it was refused for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scrutator.impl.ladder.actor import Actor
from scrutator.impl.ladder.happening import Message, Operation
from scrutator.impl.ladder.shop import Buyer


@dataclass(frozen=True, slots=True)
class Prepare(Message):
    number: int


@dataclass(frozen=True, slots=True)
class Promise(Message):
    """To hear no lower number; and what was accepted last."""

    number: int
    accepted_number: int | None
    accepted: str | None


@dataclass(frozen=True, slots=True)
class Propose(Message):
    number: int
    code: str


@dataclass(frozen=True, slots=True)
class Accepted(Message):
    number: int
    code: str


@dataclass(frozen=True, slots=True)
class Refused(Message):
    """This number is too low for what was promised."""

    number: int
    promised: int


class Acceptor(Actor):
    durable: ClassVar[tuple[str, ...]] = ("promised", "accepted_number", "accepted")
    promised: int = 0
    accepted_number: int | None = None
    accepted: str | None = None

    def receive(self, src: str, message: Message) -> None:
        match message:
            case Prepare(number) if number > self.promised:
                self.promised = number
                self.send(src, Promise(number, self.accepted_number, self.accepted))
            case Propose(number, code) if self._may_accept(number):
                self.promised, self.accepted_number, self.accepted = number, number, code
                self.note("accepts", number, code)
                self.send(src, Accepted(number, code))
            case Prepare(number) | Propose(number, _):
                if isinstance(message, Propose):
                    self.note("overtaken", number)
                self.send(src, Refused(number, self.promised))

    def _may_accept(self, number: int) -> bool:
        if self.is_mutant("no_promise"):
            return self.accepted_number is None or number >= self.accepted_number
        return number >= self.promised


class Proposer(Buyer):
    """A buyer; it proposes itself, unless somebody else may already have been decided on."""

    attempts_max: ClassVar[int] = 20

    def start(self) -> None:
        super().start()
        self.others = self.variant.number("buyers")
        self.promises_suffice = self.variant.quorum("phase1", self.machines)
        self.acceptances_suffice = self.variant.quorum("phase2", self.machines)
        self.number = -1  # of the proposal under way
        self.highest = -1  # that was heard of
        self.code: str | None = None  # once proposed
        self.promises: dict[str, Promise] = {}
        self.accepted: set[str] = set()

    def ask(self, operation: Operation) -> None:
        own = int(self.name[1:]) - 1
        after = max(self.number, self.highest) + 1
        self.number = after + (own - after) % self.others  # the next of its own
        self.code, self.promises, self.accepted = None, {}, set()
        if self.number == 0:
            self._propose(self.name)
        else:
            self.send_all(self.machines, Prepare(self.number))

    def receive(self, src: str, message: Message) -> None:
        match message:
            case Promise(number) if number == self.number and self.code is None and not self.is_idle:
                self.promises[src] = message
                if self.promises_suffice(self.promises):
                    self._propose(self._choice())
            case Accepted(number, code) if number == self.number and not self.is_idle:
                self.accepted.add(src)
                if self.acceptances_suffice(self.accepted):
                    self.answer(code)
            case Refused(number, promised) if number == self.number and promised > self.highest and not self.is_idle:
                self.highest = promised
                self.again()

    def _choice(self) -> str:
        """The latest that a promise tells of, or else itself."""
        told = [p for p in self.promises.values() if p.accepted_number is not None]
        if self.is_mutant("keeps_own_value") or not told:
            return self.name
        latest = told[0] if self.is_mutant("takes_any_accepted") else max(told, key=lambda p: p.accepted_number or 0)
        assert latest.accepted is not None
        return latest.accepted

    def _propose(self, code: str) -> None:
        self.code = code
        self.note("proposes", self.number, code)
        self.send_all(self.machines, Propose(self.number, code))
