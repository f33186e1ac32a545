"""Every choice of a run lies on one tape of integers, so that a run is its tape.

The law: 0 is always the most benign choice (no fault, the shortest delay), and a smaller number never
worse than a greater one.  A tape that runs out gives zeros.  So any list of numbers is a valid tape, and
deleting and zeroing pieces of one makes a run simpler.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Tape:
    """Draws from a seed, or replays what was recorded; ``choices`` holds all that was drawn, ``sizes`` of how many.

    >>> tape = Tape(7)
    >>> drawn = [tape.draw(10), tape.draw(1000)]
    >>> again = Tape(recorded=tape.choices)
    >>> [again.draw(10), again.draw(1000), again.draw(5)] == [*drawn, 0]
    True
    """

    __slots__ = ("_next", "_random", "_recorded", "choices", "sizes")

    def __init__(self, seed: int | None = None, *, recorded: Sequence[int] = ()) -> None:
        self.choices: list[int] = []
        self.sizes: list[int] = []
        self._recorded = recorded
        self._next = 0
        self._random = None if seed is None else Random(seed).random

    def draw(self, n: int) -> int:
        """One of 0 .. n-1; what was recorded and is too large here gives n-1."""
        if self._random is not None:
            choice = int(self._random() * n)
        elif self._next < len(self._recorded):
            choice = min(self._recorded[self._next], n - 1)
            self._next += 1
        else:
            choice = 0
        self.choices.append(choice)
        self.sizes.append(n)
        return choice

    def pick(self, items: Sequence[T]) -> T:
        """One of the items, the first of which is the most benign."""
        return items[self.draw(len(items))]

    def chance(self, per_mille: int) -> bool:
        """True in so many of 1000 cases; False is benign."""
        return self.draw(1000) >= 1000 - per_mille
