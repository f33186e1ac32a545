"""The operator of semi-synchronous replication: what the two machines that are left know, and which rule decides.

If both have a buyer, and not the same, a rule says which machine is trusted.
"""

from __future__ import annotations

from scrutator.impl.ladder.failover import SILENCE_MS, Master, Operator, WhoIsMaster
from scrutator.impl.ladder.happening import Message
from scrutator.impl.ladder.semi_synchronous.nodes import (
    MACHINES,
    IAmMaster,
    IHave,
    WhatDoYouHave,
    YouAreMaster,
)


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
