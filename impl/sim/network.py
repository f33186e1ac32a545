"""The network: late, reordered, lost and doubled messages, and links that are cut in one direction.

The law: one choice of the tape per message, and 0 delivers it after the shortest delay.  What is on its way
when its link is cut is lost, and so may be what a server sent just before it crashed; nothing is ever
changed on the way, nor made up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from scrutator.impl.sim.tape import Tape
from scrutator.impl.sim.world import MILLISECOND, World

M = TypeVar("M")
Link = tuple[str, str]  # from, to
Letter = tuple[int, Link, Callable[[M], None], M]  # when it was sent

_PARTS = 1024  # that a message's choice is one of


@dataclass(frozen=True, slots=True)
class Quality:
    """How many of 1024 messages are lost, doubled, or late by up to ``late_ms``; the others take from
    ``shortest_us`` to ``spread_us`` more."""

    lost: int = 0
    doubled: int = 0
    late: int = 0
    late_ms: int = 1000
    shortest_us: int = MILLISECOND
    spread_us: int = 10 * MILLISECOND


class Network:
    """Carries messages from one name to another."""

    def __init__(self, world: World, tape: Tape) -> None:
        self.quality = Quality()
        self.sent = self.lost = self.doubled = self.late = self.stopped = 0
        self._world, self._tape = world, tape
        self._cuts: dict[Link, int] = {}  # by how many partitions
        self._crashed: dict[str, int] = {}  # what was sent up to then is lost

    def cut(self, links: Iterable[Link]) -> None:
        """Stop what is sent over these links from now on, until each is mended as often as it was cut."""
        for link in links:
            self._cuts[link] = self._cuts.get(link, 0) + 1

    def mend(self, links: Iterable[Link]) -> None:
        """Undo a `cut`."""
        for link in links:
            count = self._cuts.get(link, 0) - 1
            if count > 0:
                self._cuts[link] = count
            else:
                self._cuts.pop(link, None)

    def mend_all(self) -> None:
        """Undo every `cut`, for good."""
        self._cuts.clear()

    def lose_sent(self, src: str) -> None:
        """Lose all that a server has sent and that has not arrived."""
        self._crashed[src] = self._world.now

    def send(self, src: str, dst: str, deliver: Callable[[M], None], message: M, *, once: bool = False) -> None:
        """Have ``deliver(message)`` called never, once, or twice; ``once``: never twice, as over a connection."""
        self.sent += 1
        world, quality = self._world, self.quality
        link = (src, dst)
        if self._cuts and link in self._cuts:
            self.stopped += 1
            return
        choice = self._tape.draw(_PARTS)
        delay = quality.shortest_us + choice * quality.spread_us // _PARTS
        trouble = choice - _PARTS + quality.lost + quality.doubled + quality.late
        letter = (world.now, link, deliver, message)
        if trouble >= 0:  # the greater, the worse: late, doubled, lost
            if trouble >= quality.late + quality.doubled:
                self.lost += 1
                return
            later = delay + self._tape.draw(quality.late_ms) * MILLISECOND
            if trouble < quality.late or once:
                self.late += 1
                delay = later
            else:
                self.doubled += 1
                world.at(world.now + later, self._arrive, letter)
        world.at(world.now + delay, self._arrive, letter)

    def _arrive(self, letter: Letter[M]) -> None:
        sent, link, deliver, message = letter
        if (self._cuts and link in self._cuts) or (self._crashed and sent <= self._crashed.get(link[0], -1)):
            self.stopped += 1
        else:
            deliver(message)
