"""The shop's one phone: what buyers and machines say to each other, and what can be seen of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scrutator.impl.ladder.client import Client, Wish
from scrutator.impl.ladder.design import Run
from scrutator.impl.ladder.happening import Message, Operation
from scrutator.impl.ladder.stage import Stage


@dataclass(frozen=True, slots=True)
class Buy(Message):
    code: str


@dataclass(frozen=True, slots=True)
class SoldTo(Message):
    """The phone belongs to whoever has this code: "yours", or "sold"."""

    code: str


def names(prefix: str, count: int) -> tuple[str, ...]:
    """``b1``, ``b2``, ..."""
    return tuple(f"{prefix}{k + 1}" for k in range(count))


class Buyer(Client):
    """Wants the phone, and asks one machine after the other; the code is its name.  Some ask ``times``, to be sure."""

    attempt_ms: ClassVar[int] = 120
    times: ClassVar[int] = 1
    machines: tuple[str, ...] = ()

    def wishes(self) -> list[Wish]:
        return [self.last_wish()] * self.times

    def last_wish(self) -> Wish:
        return "buy", self.name

    def ask(self, operation: Operation) -> None:
        self.send(self.machines[self._asked_before % len(self.machines)], Buy(self.name))

    @property
    def _asked_before(self) -> int:
        return self.attempt - 1

    def receive(self, src: str, message: Message) -> None:
        if isinstance(message, SoldTo) and not self.is_idle:
            self.answer(message.code)


class Visitor(Buyer):
    """A buyer who begins with any machine."""

    attempt_ms: ClassVar[int] = 150

    def start(self) -> None:
        super().start()
        self.attempt = self.stage.tape.draw(len(self.machines))


def add_buyers(stage: Stage, machines: tuple[str, ...], kind: type[Buyer] = Buyer) -> None:
    """As many buyers as the variant has, who know these machines."""
    for name in names("b", stage.variant.number("buyers")):
        buyer = kind(stage, name)
        buyer.machines = machines


# --- what a run shows -----------------------------------------------------------------------


def shop_is_open(run: Run) -> bool:
    """When all has healed, somebody is answered; or nobody is left who could ask."""
    return any(run.asked_last.values()) or not run.asked_last


def somebody_gets_the_phone(run: Run) -> bool:
    """Somebody heard who has it; or nobody is left who could ask."""
    return any(o.method == "buy" and o.returned_us is not None for o in run.operations) or not run.asked_last
