"""Synchronous replication, as it runs: two sites, the buyer waits for both, and somebody switches when one is silent.

An operator is at a site, acts when the other site does not answer its machine, and fails with the site; an
arbiter is asked instead.  A site that goes on alone tells the other so as soon as it hears from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scrutator.impl.ladder.actor import Actor
from scrutator.impl.ladder.happening import Message
from scrutator.impl.ladder.shop import Buy, SoldTo, Visitor

SITES = ("s1", "s2")
ARBITER = "arbiter"
SILENCE_MS = 50  # longer than a question and its answer ever take


@dataclass(frozen=True, slots=True)
class Copy(Message):
    code: str | None


@dataclass(frozen=True, slots=True)
class Copied(Message):
    code: str | None


@dataclass(frozen=True, slots=True)
class AreYouThere(Message):
    pass


@dataclass(frozen=True, slots=True)
class IAmHere(Message):
    pass


@dataclass(frozen=True, slots=True)
class IGoOnAlone(Message):
    code: str | None


@dataclass(frozen=True, slots=True)
class MayIGoOn(Message):
    """The other site is silent."""


@dataclass(frozen=True, slots=True)
class GoOn(Message):
    pass


class Site(Actor):
    """A machine, with its operator if there is one at this site."""

    durable: ClassVar[tuple[str, ...]] = ("sold_to", "alone", "left_behind")
    sold_to: str | None = None
    alone: bool = False
    left_behind: bool = False

    def start(self) -> None:
        self.waiting: dict[str, None] = {}  # buyers, in order
        self.asked = 0  # the last question to the other site that is open
        self.other = next(s for s in SITES if s != self.name)

    @property
    def is_master(self) -> bool:
        return self.alone or (self.name == SITES[0] and not self.left_behind)

    def receive(self, src: str, message: Message) -> None:
        match message:
            case Buy(code):
                self._sell(src, code)
            case Copy() | AreYouThere() if self.alone:
                self.send(src, IGoOnAlone(self.sold_to))
            case Copy(code):
                self.sold_to = code
                self.send(src, Copied(code))
            case AreYouThere():
                self.send(src, IAmHere())
            case IAmHere():
                self.asked += 1
            case Copied(code):
                self.asked += 1  # what is not answered by now no longer counts
                if code == self.sold_to:
                    self._answer_all()
            case IGoOnAlone(code) if not self.alone:
                self.left_behind, self.sold_to = True, code
                self.asked += 1
            case GoOn():
                self._go_alone()

    def _sell(self, buyer: str, code: str) -> None:
        """A master sells, and asks the other to copy; a replica asks whether the master is there."""
        if self.left_behind and not self.alone:
            return
        if self.is_master:
            if self.sold_to is None:
                self.sold_to = code
            self.waiting[buyer] = None
            if self.alone or self.is_mutant("answers_too_soon"):
                self._answer_all()
        if not self.alone:
            self.asked += 1
            self.send(self.other, Copy(self.sold_to) if self.is_master else AreYouThere())
            self.after(SILENCE_MS, self._is_silent, self.asked)

    def _answer_all(self) -> None:
        if self.is_master and self.sold_to is not None:
            self.send_all(self.waiting, SoldTo(self.sold_to))
            self.waiting = {}

    def _is_silent(self, asked: int) -> None:
        """The other site has not answered: somebody may have this one go on alone."""
        if asked != self.asked or self.alone or self.left_behind:
            return
        if SITES.index(self.name) < self.variant.number("operators"):
            self._go_alone()
        elif self.variant.flag("arbiter"):
            self.send(ARBITER, MayIGoOn())

    def _go_alone(self) -> None:
        self.alone = True
        self.note("goes on alone")
        self._answer_all()


class Arbiter(Actor):
    durable: ClassVar[tuple[str, ...]] = ("chose",)
    chose: str | None = None

    def receive(self, src: str, message: Message) -> None:
        if isinstance(message, MayIGoOn) and (self.chose in (None, src) or self.is_mutant("arbiter_forgets")):
            self.chose = src
            self.send(src, GoOn())


class Customer(Visitor):
    times: ClassVar[int] = 3
    pause_ms: ClassVar[int] = 300
