"""The cheapest quorum, where each node has a price: the question that column generation asks.

Small systems list their quorums; expressions that name each node once are answered by dynamic
programming; all else is a mixed-integer programme.  Law: all three answer the same question, a set
that still contains a quorum after any ``spare`` of its nodes failed, priced by its nodes and by how
long its answers take; the first two exactly, the third within the tolerance it states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from scrutator.checker.quorum.cost.read_once import ReadOnce, is_solvable
from scrutator.checker.quorum.cost.subsets import NODES_MAX, table
from scrutator.checker.quorum.programme import Programme, TimedOut, members
from scrutator.model.quorums.expression import (
    AtLeast,
    Expression,
    Node,
    fold,
    minimal_quorums,
)

LISTED_MAX = 1000  # quorums, up to which listing them is the fastest
LISTED_ANYWAY_MAX = 5000  # where the alternative is an integer programme
SCALE = 1e4  # HiGHS's tolerances are absolute, so the whole of the prices is made this large
TOLERANCE = 2e-6


@dataclass(frozen=True, slots=True)
class Asked:
    """A set of nodes to ask, by their positions in ascending order, and when a quorum of it has answered."""

    members: tuple[int, ...]
    latency_s: float


@dataclass(frozen=True, slots=True)
class Offer:
    """The cheapest set, what it costs, and a bound below which none is."""

    asked: Asked
    cost: float
    bound: float


class Pricing(Protocol):
    """Answers for the quorums of one role."""

    how: str

    def cheapest(self, prices: Sequence[float], latency_price: float, timeout_s: float | None = None) -> Offer | None:
        """The set with the least sum of its nodes' prices and latency times its price; None if there is no set.

        Prices are 0 or more.  Raises `TimedOut`.
        """


class Listed:
    """All sets worth asking, side by side."""

    how = "listed"

    def __init__(self, sets: Sequence[Asked], count: int) -> None:
        self.sets = sets
        self.matrix = np.zeros((len(sets), count))
        for row, asked in enumerate(sets):
            self.matrix[row, list(asked.members)] = 1.0
        self.latencies = np.array([asked.latency_s for asked in sets])

    def cheapest(self, prices: Sequence[float], latency_price: float, timeout_s: float | None = None) -> Offer | None:
        if not self.sets:
            return None
        costs = self.matrix @ np.asarray(prices) + latency_price * self.latencies
        best = int(np.argmin(costs))
        return Offer(self.sets[best], float(costs[best]), float(costs[best]))


class ByLatency:
    """One question for each time that a client may have to wait; nodes that answer later count for nothing."""

    def __init__(self, expression: Expression, nodes: Sequence[Node], spare: int) -> None:
        self.expression, self.nodes, self.spare = expression, nodes, spare
        self.names = [node.name for node in nodes]
        self.latencies = [node.latency_s for node in nodes]
        relevant = set(expression.names())
        self.times = sorted({node.latency_s for node in nodes if node.name in relevant}) or [0.0]
        exact = is_solvable(expression) and not spare
        self.once = ReadOnce(expression, self.names) if exact else None
        self.programmes: dict[float, Choice] = {}
        self.how = "dynamic programming" if exact else "integer programming"

    def cheapest(self, prices: Sequence[float], latency_price: float, timeout_s: float | None = None) -> Offer | None:
        best: Offer | None = None
        for time in self.times if latency_price > 0 else self.times[-1:]:
            if best is not None and latency_price * time >= best.cost:
                break
            found = self._within(time, prices, timeout_s)
            if found is None:
                continue
            asked = Asked(found[0], self._answered(found[0]))
            cost = sum(prices[k] for k in asked.members) + latency_price * asked.latency_s
            bound = found[1] + latency_price * time if latency_price > 0 else found[1]
            if best is None:
                best = Offer(asked, cost, min(bound, cost))
            else:
                best = Offer(*((asked, cost) if cost < best.cost else (best.asked, best.cost)), min(best.bound, bound, cost))
        return best

    def _within(self, time: float, prices: Sequence[float], timeout_s: float | None) -> tuple[tuple[int, ...], float] | None:
        """The members of the cheapest set that answers within the time, and a bound of its price."""
        if self.once is not None:
            late = float("inf")
            found = self.once.cheapest([p if t <= time else late for p, t in zip(prices, self.latencies, strict=True)])
            return None if found is None else (found[1], found[0])
        if time not in self.programmes:
            slow = [name for name, t in zip(self.names, self.latencies, strict=True) if t > time]
            self.programmes[time] = Choice(self.expression, self.names, self.spare, slow)
        return self.programmes[time].cheapest(prices, timeout_s)

    def _answered(self, asked: tuple[int, ...]) -> float:
        if not self.spare:  # then the set is minimal, and all must answer
            return max((self.latencies[k] for k in asked), default=0.0)
        by_time = sorted(asked, key=lambda k: self.latencies[k])
        low, high = 0, len(by_time)
        while low < high:  # the least number of first answers that are a quorum
            middle = (low + high) // 2
            if self.expression.is_quorum(frozenset(self.names[k] for k in by_time[:middle])):
                high = middle
            else:
                low = middle + 1
        return self.latencies[by_time[low - 1]] if low else 0.0


class Choice:
    """The integer programme of one role, kept from question to question with what was learnt."""

    def __init__(self, expression: Expression, names: Sequence[str], spare: int, slow: Sequence[str]) -> None:
        self.expression, self.names, self.spare = expression, names, spare
        self.fast = expression.restricted(absent=slow)
        self.programme = Programme()
        self.present = {name: self.programme.variable() for name in names}
        self.possible = self.fast.is_quorum(frozenset(names)) and survives(expression, frozenset(names), spare)
        if self.possible:
            self.programme.require_quorum(self.fast, self.present)
            if not spare:
                for name in slow:
                    self.programme.uppers[self.present[name]] = 0.0

    def cheapest(self, prices: Sequence[float], timeout_s: float | None) -> tuple[tuple[int, ...], float] | None:
        if not self.possible:
            return None
        scale = SCALE / (sum(prices) or 1.0)
        for name, price in zip(self.names, prices, strict=True):
            self.programme.costs[self.present[name]] = price * scale
        while True:
            found = self.programme.minimise(timeout_s)
            if found is None:
                return None
            chosen = members(found[1], self.present)
            if not self.fast.is_quorum(chosen):
                raise TimedOut("the mixed-integer programme, whose answer is no quorum")
            failure = failures_that_break(self.expression, chosen, self.spare)
            if failure is None:
                kept = self._without_superfluous(chosen, prices)
                bound = max(0.0, found[0] - TOLERANCE) / scale
                return tuple(k for k, name in enumerate(self.names) if name in kept), bound
            # After these failures the rest must still be a quorum; holds for all questions to come.
            self.programme.require_quorum(self.expression.restricted(absent=failure), self.present)

    def _without_superfluous(self, chosen: frozenset[str], prices: Sequence[float]) -> frozenset[str]:
        for _, name in sorted(zip(prices, self.names, strict=True), reverse=True):
            fewer = chosen - {name}
            if name in chosen and self.fast.is_quorum(fewer) and survives(self.expression, fewer, self.spare):
                chosen = fewer
        return chosen


def pricing(expression: Expression, nodes: Sequence[Node], spare: int = 0, *, latency: bool = True) -> Pricing:
    """The fastest way to price the quorums of an expression.

    ``latency`` says whether it matters: to wait less one may ask more nodes than ``spare`` demands.
    """
    names = [node.name for node in nodes]
    if len(expression.names()) <= NODES_MAX:
        listed = table(expression, nodes, spare, latency)
        if len(listed) <= LISTED_MAX:
            return Listed([Asked(*one) for one in listed], len(nodes))
    once = is_solvable(expression)
    if not spare and count_at_most(expression) <= (200 if once else LISTED_ANYWAY_MAX):
        position = {name: k for k, name in enumerate(names)}
        quorums = [tuple(sorted(position[name] for name in quorum)) for quorum in minimal_quorums(expression)]
        return Listed([Asked(q, max((nodes[k].latency_s for k in q), default=0.0)) for q in quorums], len(nodes))
    return ByLatency(expression, nodes, spare)


def failures_that_break(expression: Expression, asked: frozenset[str], spare: int) -> frozenset[str] | None:
    """At most ``spare`` nodes of the set without which it contains no quorum; None if there are none."""
    if not spare:
        return None
    blocking = expression.restricted(absent=[name for name in expression.names() if name not in asked]).dual()
    if isinstance(blocking, AtLeast) and not blocking.members:
        return frozenset() if blocking.needed <= 0 else None
    smallest = fewest(blocking)
    return smallest if smallest is not None and len(smallest) <= spare else None


def survives(expression: Expression, asked: frozenset[str], spare: int) -> bool:
    """Whether the set contains a quorum after any ``spare`` of its nodes failed."""
    return expression.is_quorum(asked) and failures_that_break(expression, asked, spare) is None


def fewest(expression: Expression) -> frozenset[str] | None:
    """A quorum of the fewest nodes; None if there is no quorum."""
    nodes = expression.nodes()
    if not nodes:
        return frozenset() if expression.is_quorum(frozenset()) else None
    found = pricing(expression, nodes, latency=False).cheapest([1.0] * len(nodes), 0.0)
    return None if found is None else frozenset(nodes[k].name for k in found.asked.members)


def resilience(expression: Expression) -> int:
    """How many nodes may fail, whichever they are: one fewer than the smallest blocking set.

    -1 where there is no quorum at all, and the number of nodes where none are needed.
    """
    blocking = fewest(expression.dual())
    return len(expression.names()) if blocking is None else len(blocking) - 1


def count_at_most(expression: Expression) -> float:
    """At least the number of minimal quorums, before those that contain others are left out."""

    def of_gate(gate: AtLeast, counts: list[float]) -> float:
        if not gate.unweighted and len(counts) > 12:
            return float("inf")
        if not gate.unweighted:
            return float(np.prod([1 + c for c in counts]))
        ways = [1.0] + [0.0] * max(gate.needed, 0)  # elementary symmetric polynomials
        for c in counts:
            for k in range(len(ways) - 1, 0, -1):
                ways[k] += ways[k - 1] * c
        return ways[-1]

    return fold(expression, lambda node: 1.0, of_gate)


