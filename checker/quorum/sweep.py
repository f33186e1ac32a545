"""The probability of tangled parts: nodes are decided one after another, equal situations put together.

A situation is what each gate still needs and how much it may still lose; gates that no longer matter are
forgotten.  This is a decision diagram, level by level, of which only one level is kept.  Law: situations
that are dropped for want of room are counted, so that what is returned are bounds: the probability of
failure lies between ``dead`` and ``dead + dropped``.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from scrutator.checker.quorum.circuit import Circuit, Gate, Step

Number = float | Fraction
Situation = tuple[int, ...]  # for each gate: needed, spare; 0, 0 once it is decided or does not matter

TRIAL = 600_000  # gates of situations looked at with an order, to see what it is worth
EFFORT = 10_000_000  # gates of situations looked at with the best order
FIXED = 12  # gates that take as long as looking at a situation does in any case
ROOM_MIN = 50


@dataclass(frozen=True, slots=True)
class Chance:
    """The probabilities that a part has no live quorum, and that it has one; both sums of positive terms.

    ``roundings`` bounds how many roundings either has gone through, one after another.
    """

    dead: Number
    live: Number
    roundings: int = 0


@dataclass(frozen=True, slots=True)
class Swept:
    """A tangled part: ``dead + live + dropped`` is 1."""

    dead: Number
    live: Number
    dropped: Number
    roundings: int


def sweep(circuit: Circuit, step: Step, chances: Mapping[int, Chance]) -> Swept:
    """Decide the independent parts of a step in the best of a few orders."""
    net = _Net(circuit, step)
    tried: list[tuple[int, list[int]]] = []
    for order in _orders(net):
        found, done = _run(net, order, chances, TRIAL, give_up=True)
        if found is not None:
            return found
        tried.append((done, order))
    best = max(tried, key=lambda attempt: attempt[0])[1]
    found, _ = _run(net, best, chances, EFFORT, give_up=False)
    assert found is not None
    return found


def total(numbers: Iterable[Number], zero: Number) -> Number:
    """The sum: exact for fractions, rounded once for floats; ``zero`` says which."""
    return sum(numbers, zero) if isinstance(zero, Fraction) else math.fsum(numbers)


# --- the gates ----------------------------------------------------------------------------


class _Net:
    """The gates of a tangled part, numbered, the whole last; its independent parts are the variables."""

    def __init__(self, circuit: Circuit, step: Step) -> None:
        self.variables = step.sources
        ends = set(step.sources)
        inside = [k for k in circuit.reached(step.position, lambda k: k in ends) if k not in ends]
        number = {k: g for g, k in enumerate(inside)}
        self.gates: list[Gate] = [circuit.gate(k) for k in inside]
        self.above: list[list[tuple[int, int]]] = [[] for _ in inside]  # the gates that a gate is a member of
        self.holding: dict[int, list[tuple[int, int]]] = {v: [] for v in step.sources}  # or a variable
        self.below: list[list[int]] = [[] for _ in inside]
        for g, gate in enumerate(self.gates):
            for weight, member in gate.members:
                if member in ends:
                    self.holding[member].append((g, weight))
                else:
                    self.above[number[member]].append((g, weight))
                    self.below[g].append(number[member])

    def start(self) -> Situation:
        return tuple(
            value for gate in self.gates for value in (gate.needed, sum(w for w, _ in gate.members) - gate.needed)
        )

    def decide(self, situation: Situation, variable: int, present: bool) -> Situation | bool:
        """The situation once a variable is known; True or False if that decides the whole."""
        state = list(situation)
        stack = [(g, weight, present) for g, weight in self.holding[variable]]
        last = len(self.gates) - 1
        while stack:
            g, weight, holds = stack.pop()
            if not state[2 * g]:
                continue
            if holds:
                state[2 * g] -= weight
                decided = state[2 * g] <= 0
            else:
                state[2 * g + 1] -= weight
                decided = state[2 * g + 1] < 0
            if decided:
                if g == last:
                    return holds
                stack.extend((above, weight, holds) for above, weight in self.above[g])
                self._forget(state, g)
        return tuple(state)

    def _forget(self, state: list[int], gate: int) -> None:
        """A decided gate needs nothing more, and what mattered only to it does not matter."""
        idle = [gate]
        while idle:
            g = idle.pop()
            state[2 * g] = state[2 * g + 1] = 0
            for b in self.below[g]:
                if state[2 * b] and all(not state[2 * above] for above, _ in self.above[b]):
                    idle.append(b)


# --- the sweep ----------------------------------------------------------------------------


def _run(
    net: _Net, order: Sequence[int], chances: Mapping[int, Chance], effort: int, give_up: bool
) -> tuple[Swept | None, int]:
    """All variables in order; where too many situations arise, none and how far it went, or only the likely ones."""
    exact = all(isinstance(chances[v].dead, Fraction) for v in order)
    zero: Number = Fraction(0) if exact else 0.0
    level: dict[Situation, Number] = {net.start(): zero + 1}
    cost = len(net.gates) + FIXED
    dead: list[Number] = []
    live: list[Number] = []
    dropped: list[Number] = []
    roundings = 2
    for done, variable in enumerate(order):
        room = effort // cost // (len(order) - done)
        if len(level) > room and len(level) > ROOM_MIN:
            if give_up:
                return None, done
            kept = heapq.nlargest(max(room, ROOM_MIN), level.items(), key=lambda item: item[1])
            keys = {situation for situation, _ in kept}
            dropped.extend(p for situation, p in level.items() if situation not in keys)
            level = dict(kept)
        effort -= len(level) * cost
        chance = chances[variable]
        roundings += chance.roundings + 1 + 2 * len(level)  # at most so many are added to one
        following: dict[Situation, Number] = {}
        for situation, p in level.items():
            for present, q in ((True, p * chance.live), (False, p * chance.dead)):
                if not q:
                    continue
                after = net.decide(situation, variable, present)
                if after is True:
                    live.append(q)
                elif after is False:
                    dead.append(q)
                else:
                    following[after] = following[after] + q if after in following else q
        level = following
    assert not level
    return Swept(total(dead, zero), total(live, zero), total(dropped, zero), roundings), len(order)


# --- orders -------------------------------------------------------------------------------


def _orders(net: _Net) -> list[list[int]]:
    """As they are written, and backwards; those that begin few gates and finish many; those that most gates share first."""
    written = list(net.variables)
    shared = sorted(written, key=lambda v: (-len(net.holding[v]), [g for g, _ in net.holding[v]], v))
    found = [written, written[::-1], _narrow(net), shared]
    return [order for k, order in enumerate(found) if order not in found[:k]]


def _narrow(net: _Net) -> list[int]:
    """Next is always the variable that begins the fewest gates more than it finishes."""
    unseen = [sum(1 for _, member in gate.members if member in net.holding) for gate in net.gates]
    begun = [False] * len(net.gates)
    left = dict.fromkeys(net.variables)
    order: list[int] = []
    while left:
        best = min(
            left,
            key=lambda v: (sum((not begun[g]) - (unseen[g] == 1) for g, _ in net.holding[v]), -len(net.holding[v])),
        )
        del left[best]
        order.append(best)
        for g, _ in net.holding[best]:
            begun[g] = True
            unseen[g] -= 1
    return order
