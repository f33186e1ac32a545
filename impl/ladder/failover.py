"""Failover by an operator: buyers complain when the master is silent, and the operator asks it and switches.

The operator never fails, and never mistakes: silence means that a machine is down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scrutator.impl.ladder.actor import Actor
from scrutator.impl.ladder.happening import Message, Operation
from scrutator.impl.ladder.shop import Buy, Buyer

LAGS_MS = (0, 50, 150, 450)  # by which a replica may be behind
SILENCE_MS = 50  # longer than a question and its answer ever take


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


class Operator(Actor):
    """Asks the master whether it is there whenever a buyer complains; subclasses say what to do if ``is_silent``."""

    master: str  # set by subclasses when they start

    def start(self) -> None:
        self.checks = 0
        self.is_checking = False
        self.waiting: dict[str, None] = {}  # buyers who have complained

    def receive(self, src: str, message: Message) -> None:
        match message:
            case NoAnswer():
                self.waiting[src] = None
                if not self.is_checking:
                    self.is_checking, self.checks = True, self.checks + 1
                    self.send(self.master, AreYouThere())
                    self.after(SILENCE_MS, self._time_out, self.checks)
            case IAmHere() if src == self.master:
                self.settled()
            case WhoIsMaster():
                self.send(src, Master(self.master))
                if src == self.master:
                    self.settled()

    def is_silent(self) -> None:
        """The master has not answered."""
        raise NotImplementedError

    def settled(self) -> None:
        """This check is over: tell who is master."""
        self.is_checking = False
        self.send_all(self.waiting, Master(self.master))
        self.waiting = {}

    def _time_out(self, check: int) -> None:
        if self.is_checking and check == self.checks:
            self.is_silent()


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
