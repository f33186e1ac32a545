"""The network: late, reordered, lost and doubled messages, and links that are cut in one direction.

The law: one choice of the tape per message, and 0 delivers it after the shortest delay.  A message on its
way when its link is cut still arrives; nothing is ever changed on the way, nor made up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from scrutator.impl.sim.tape import Tape
from scrutator.impl.sim.world import MILLISECOND, World

M = TypeVar("M")
Link = tuple[str, str]  # from, to

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

    def send(self, src: str, dst: str, deliver: Callable[[M], None], message: M, *, once: bool = False) -> None:
        """Have ``deliver(message)`` called never, once, or twice; ``once``: never twice, as over a connection."""
        self.sent += 1
        if self._cuts and (src, dst) in self._cuts:
            self.stopped += 1
            return
        world, quality = self._world, self.quality
        choice = self._tape.draw(_PARTS)
        delay = quality.shortest_us + choice * quality.spread_us // _PARTS
        trouble = choice - _PARTS + quality.lost + quality.doubled + quality.late
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
                world.at(world.now + later, deliver, message)
        world.at(world.now + delay, deliver, message)
