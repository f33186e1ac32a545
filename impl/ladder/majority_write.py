"""Majority write, as it runs: a buyer asks all nodes, and each tells whose name it has; the first to come stays."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import ClassVar

from scrutator.impl.ladder.actor import Actor
from scrutator.impl.ladder.design import Design, Judged
from scrutator.impl.ladder.faults import Faults
from scrutator.impl.ladder.happening import Message, Operation
from scrutator.impl.ladder.shop import Buy, Buyer, add_buyers, names, somebody_gets_the_phone
from scrutator.impl.ladder.stage import Stage
from scrutator.impl.ladder.variant import Variant


@dataclass(frozen=True, slots=True)
class First(Message):
    """Who came first to this node."""

    code: str


class Node(Actor):
    durable: ClassVar[tuple[str, ...]] = ("first",)
    first: str | None = None

    def receive(self, src: str, message: Message) -> None:
        if isinstance(message, Buy):
            if self.first is None or self.is_mutant("changes_its_mind"):
                self.first = message.code
            self.send(src, First(self.first))


class Voter(Buyer):
    """A buyer who counts the nodes that have one name."""

    def start(self) -> None:
        super().start()
        self.is_quorum = self.variant.quorum("quorum", self.machines)
        self.first: dict[str, str] = {}  # by node

    def ask(self, operation: Operation) -> None:
        self.send_all(self.machines, Buy(self.name))

    def receive(self, src: str, message: Message) -> None:
        if isinstance(message, First):
            self.first[src] = message.code
            if not self.is_idle and self.is_quorum(node for node, code in self.first.items() if code == message.code):
                self.answer(message.code)


def cast(stage: Stage) -> None:
    nodes = names("n", stage.variant.number("nodes"))
    for name in nodes:
        Node(stage, name)
    add_buyers(stage, nodes, Voter)


def faults(variant: Variant) -> Faults:
    nodes = names("n", variant.number("nodes"))
    lines = tuple(product(names("b", variant.number("buyers")), nodes))
    return Faults(variant.number("failures"), nodes, repairs=variant.flag("repairs"), cuts=2, lines=lines, lossy=True, late_ms=100)


DESIGN = Design(
    "majority_write", cast, faults,
    {"no_phone_sold_twice": Judged.LINEARIZABLE, "somebody_gets_the_phone": somebody_gets_the_phone},
)  # fmt: skip
