"""Virtual time: what is to happen, in order of time and, within one instant, of being asked for.

The law: time is an integer number of microseconds, and moves only from one event to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import TypeVar

T = TypeVar("T")

MILLISECOND = 1_000
SECOND = 1_000_000


class World:
    """The queue of what will happen; ``now`` is in microseconds."""

    __slots__ = ("_count", "_queue", "events", "now")

    def __init__(self) -> None:
        self.now = 0
        self.events = 0
        self._count = 0
        self._queue: list[tuple[int, int, Callable[..., None], object]] = []

    def at(self, time: int, do: Callable[[T], None], argument: T) -> None:
        """Have ``do(argument)`` called at a time that has not passed."""
        self._count = count = self._count + 1
        heappush(self._queue, (time, count, do, argument))

    def after(self, delay: int, do: Callable[[T], None], argument: T) -> None:
        """Have ``do(argument)`` called so many microseconds from now."""
        self.at(self.now + delay, do, argument)

    def run(self, until: int) -> None:
        """Let happen what happens until that time."""
        queue = self._queue
        while queue and queue[0][0] <= until:
            self.now, _, do, argument = heappop(queue)
            self.events += 1
            do(argument)
        self.now = until
