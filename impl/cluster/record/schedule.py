"""Which faults there will be and when, drawn from a seed.

The law: a seed, the kinds and the length make the schedule, whatever the cluster does.  Every fault ends before
the run does; faults of one kind never overlap, those of different kinds may.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

KINDS = ("kill", "pause", "partition", "clock")
AIMS = {
    "kill": ("leader", "one", "minority", "all"),
    "pause": ("leader", "one", "minority"),
    "partition": ("leader alone", "halves", "one way", "bridge"),
    "clock": ("one", "leader", "minority"),
}
TOGETHER = 0.35  # how often two kinds come together


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault to come: what kind, at whom it aims, when; ``draw`` decides what is open until then."""

    kind: str
    aim: str
    begin_s: float
    end_s: float
    draw: int


def schedule(seed: int, kinds: Sequence[str], seconds: float) -> tuple[Fault, ...]:
    """Faults for a run of so many seconds, in order of their beginnings.

    >>> [fault.kind for fault in schedule(0, ["kill"], 10)]
    ['kill', 'kill', 'kill']
    >>> schedule(0, [], 10)
    ()
    """
    random = Random(f"faults of {seed}")
    unit = min(1.0, seconds / 10)  # runs of a few seconds have faults of their size
    kinds_bag, aims = _Bag(random, kinds), {kind: _Bag(random, AIMS[kind]) for kind in kinds}
    found: list[Fault] = []
    at = unit * random.uniform(0.5, 1.5)
    while kinds and at + 1.5 * unit <= seconds:
        length = unit * random.uniform(0.7, 3.5)
        several = len(kinds) > 1 and random.random() < TOGETHER
        for kind in {kinds_bag.draw(): None, **({kinds_bag.draw(): None} if several else {})}:
            begin = at + unit * random.uniform(0, 0.4)
            end = min(begin + length * random.uniform(0.6, 1.0), seconds)
            found.append(Fault(kind, aims[kind].draw(), begin, end, random.getrandbits(32)))
        at += length + unit * random.uniform(0.5, 2.0)
    return tuple(sorted(found, key=lambda fault: fault.begin_s))


class _Bag:
    """Draws each of some things before any comes again."""

    def __init__(self, random: Random, things: Sequence[str]) -> None:
        self._random, self._things = random, things
        self._left: list[str] = []

    def draw(self) -> str:
        if not self._left:
            self._left = self._random.sample(self._things, len(self._things))
        return self._left.pop()
