"""One machine, as it runs: a log on disk, written before the answer; snapshots; replay after a crash.

The log is a tuple of owners, one after each sale or return.  A replay takes time for every entry, and until it is
done nobody is answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scrutator.impl.ladder.actor import Actor
from scrutator.impl.ladder.client import Wish
from scrutator.impl.ladder.happening import Message, Operation
from scrutator.impl.ladder.shop import Buy, Buyer, SoldTo

MACHINE = "machine"
REPLAY_MS = 5  # an entry
SAVE_MS = 3  # how long after a log has its length


@dataclass(frozen=True, slots=True)
class GiveBack(Message):
    code: str


@dataclass(frozen=True, slots=True)
class TakenBack(Message):
    code: str


@dataclass(frozen=True, slots=True)
class Look(Message):
    pass


@dataclass(frozen=True, slots=True)
class Owner(Message):
    code: str | None


class Machine(Actor):
    durable: ClassVar[tuple[str, ...]] = ("log", "snapshot")
    log: tuple[str | None, ...] = ()
    snapshot: str | None = None

    def start(self) -> None:
        self.owner = self.snapshot
        self.replayed = 0
        self.is_open = False
        self._replay(None)

    def _replay(self, _: None) -> None:
        if self.replayed == len(self.log):
            self.is_open = True
            self.note("replayed", self.replayed)
            return
        self.owner = self.log[self.replayed]
        self.replayed += 1
        self.after(REPLAY_MS, self._replay, None)

    def receive(self, src: str, message: Message) -> None:
        if not self.is_open:
            return
        match message:
            case Buy(code):
                if self.owner is None:
                    self._write(code)
                assert self.owner is not None
                self.send(src, SoldTo(self.owner))
            case GiveBack(code):
                if self.owner == code:
                    self._write(None)
                self.send(src, TakenBack(code))
            case Look():
                self.send(src, Owner(self.owner))

    def _write(self, owner: str | None) -> None:
        """To disk, then to memory; what would make the log too long waits for a snapshot."""
        interval = self.variant.number("interval")
        if len(self.log) >= interval:
            self._save(None)
        self.owner = owner
        if not self.is_mutant("answers_before_writing"):
            self.log = (*self.log, owner)
        if len(self.log) >= interval:
            self.after(SAVE_MS, self._save, None)

    def _save(self, _: None) -> None:
        """The snapshot is what the memory holds, and a new log begins."""
        if self.is_mutant("never_snapshots"):
            return
        if not self.is_mutant("cuts_without_saving"):
            self.snapshot = self.owner
        self.log = ()


class Customer(Buyer):
    """Buys, looks, gives the phone back, and so on; never asks twice, so a code that was given up is not used again."""

    attempt_ms: ClassVar[int] = 80
    attempts_max: ClassVar[int] = 1

    def start(self) -> None:
        super().start()
        self.codes = 0
        self.has: str | None = None  # the code under which it has the phone

    def wishes(self) -> list[Wish]:
        return [("?", None)] * (2 + self.stage.tape.draw(5))

    def last_wish(self) -> Wish:
        self.codes += 1
        return "buy", f"{self.name}.{self.codes}"

    def call(self, wish: Wish) -> None:
        if wish[0] == "?":
            wish = ("look", None) if self.stage.tape.draw(4) == 3 else self.last_wish() if self.has is None else ("give_back", self.has)
        super().call(wish)

    def gave_up(self) -> None:
        self.has = None

    def ask(self, operation: Operation) -> None:
        code = operation.argument
        asks = {"buy": Buy, "give_back": GiveBack}
        self.send(MACHINE, Look() if code is None else asks[operation.method](code))

    def receive(self, src: str, message: Message) -> None:
        operation = self.operation
        if operation is None:
            return
        match message:
            case SoldTo(code) if operation.method == "buy":
                self.has = code if code == operation.argument else None
                self.answer(code)
            case TakenBack(code) if operation.method == "give_back":
                self.has = None
                self.answer(None)
            case Owner(code) if operation.method == "look":
                self.answer(code)
