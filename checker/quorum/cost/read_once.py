"""The cheapest quorum of an expression that names each node once, by dynamic programming.

Law: exact up to the rounding of sums.  Parts of such an expression share no nodes, so the cheapest
quorum of a threshold is made of the cheapest quorums of its members: the ``needed`` cheapest of them,
or, where members have weights, a knapsack.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import gcd, inf

from scrutator.model.quorums.expression import AtLeast, Expression, Node, fold, is_read_once, parts

KNAPSACK_MAX = 2_000_000  # cells of a table

Found = tuple[float, tuple[int, ...]]  # price and positions


def is_solvable(expression: Expression) -> bool:
    """Whether each node is named once, and weights are small enough for tables."""
    return is_read_once(expression) and all(
        gate.unweighted or len(gate.members) * gate.needed // (gcd(*gate.weights) or 1) <= KNAPSACK_MAX
        for gate in parts(expression)
        if isinstance(gate, AtLeast)
    )


def sizes(expression: Expression) -> tuple[float, float] | None:
    """The fewest nodes of a quorum and of a set that meets all, infinity where there is none.

    None for expressions that name a node twice or weigh members.
    """
    if not is_read_once(expression):
        return None
    weighed = False

    def of_gate(gate: AtLeast, members: list[tuple[float, float]]) -> tuple[float, float]:
        nonlocal weighed
        weighed |= not gate.unweighted
        blocking = len(members) - gate.needed + 1
        return _least(gate.needed, [m[0] for m in members]), _least(blocking, [m[1] for m in members])

    found = fold(expression, lambda node: (1.0, 1.0), of_gate)
    return None if weighed else found


def _least(needed: int, values: list[float]) -> float:
    return inf if needed > len(values) else sum(sorted(values)[: max(needed, 0)])


class ReadOnce:
    """Answers for one expression, for nodes in the order of ``names``."""

    def __init__(self, expression: Expression, names: Sequence[str]) -> None:
        position = {name: k for k, name in enumerate(names)}
        self.solve = fold(expression, lambda node: _leaf(position, node), _gate)

    def cheapest(self, prices: Sequence[float]) -> Found | None:
        """The least price and the members of such a quorum, ascending; None where every one costs infinity."""
        price, members = self.solve(prices)
        return None if price == inf else (price, tuple(sorted(members)))


Solve = Callable[[Sequence[float]], Found]


def _leaf(position: dict[str, int], node: Node) -> Solve:
    k = position[node.name]
    members = (k,)
    return lambda prices: (prices[k], members)


def _gate(gate: AtLeast, members: list[Solve]) -> Solve:
    needed = gate.needed
    if needed <= 0:
        return lambda prices: (0.0, ())
    if needed > gate.total:
        return lambda prices: (inf, ())
    if not gate.unweighted:
        divisor = gcd(*gate.weights)
        weights = [weight // divisor for weight in gate.weights]
        return lambda prices: _knapsack(-(-needed // divisor), weights, [solve(prices) for solve in members])
    if needed == 1:
        return lambda prices: min([solve(prices) for solve in members])
    if needed == len(members):
        return lambda prices: _joined([solve(prices) for solve in members])
    return lambda prices: _joined(sorted([solve(prices) for solve in members])[:needed])


def _joined(chosen: Sequence[Found]) -> Found:
    return sum([price for price, _ in chosen]), tuple([k for _, members in chosen for k in members])


def _knapsack(needed: int, weights: Sequence[int], members: Sequence[Found]) -> Found:
    """The cheapest members of weight ``needed`` or more, without superfluous ones."""
    import numpy as np

    least = np.full(needed + 1, inf)  # the least price of weight w or more, of the members so far
    least[0] = 0.0
    taken = np.zeros((len(members), needed + 1), dtype=bool)
    for row, (weight, (price, _)) in enumerate(zip(weights, members, strict=True)):
        with_it = np.concatenate([np.full(min(weight, needed + 1), least[0]), least[: max(needed + 1 - weight, 0)]]) + price
        taken[row] = with_it < least
        least = np.where(taken[row], with_it, least)
    if least[needed] == inf:
        return inf, ()
    chosen, left = [], needed
    for row in reversed(range(len(members))):
        if left > 0 and taken[row, left]:
            chosen.append(row)
            left -= weights[row]
    surplus = sum(weights[row] for row in chosen) - needed
    for row in sorted(chosen, key=lambda r: -members[r][0]):  # what costs nothing may be superfluous
        if weights[row] <= surplus:
            surplus -= weights[row]
            chosen.remove(row)
    return _joined([members[row] for row in chosen])
