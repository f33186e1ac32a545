"""Nodes that decide alone, nodes without which nothing is decided, and nodes that make no difference.

Law: a node is only said to make no difference where that is proved; for the others, a quorum that needs
them was seen, or time ran out.
"""

from __future__ import annotations

import time

from scrutator.checker.quorum.circuit import Circuit, Gate, Shape, Step, compiled, steps
from scrutator.checker.quorum.minimal_sets import small_quorum
from scrutator.checker.quorum.programme import Programme, TimedOut, members
from scrutator.checker.quorum.smtlib import Question
from scrutator.checker.verdict import Verdict
from scrutator.model.quorums.expression import Expression, Node
from scrutator.model.quorums.rules import Rule

TIMEOUT_S = 10.0
QUICK_S = 2.0  # for a search that need not succeed
TABLE_BITS_MAX = 4_000_000  # sums of weights below a threshold


def dictators(expression: Expression) -> tuple[str, ...]:
    """The nodes each of which is a quorum alone.

    >>> from scrutator.model.quorums import parse
    >>> dictators(parse("weighted(6, 10*a, b, c, d, e, f, g)"))
    ('a',)
    """
    return tuple(name for name in expression.names() if expression.is_quorum({name}))


def vetoes(expression: Expression) -> tuple[str, ...]:
    """The nodes that are in every quorum; none if there is no quorum at all.

    >>> from scrutator.model.quorums import parse
    >>> vetoes(parse("weighted(4, 3*a, b, c, d)"))
    ('a',)
    """
    circuit = compiled(expression)
    if isinstance(circuit, bool):
        return ()
    quorum = small_quorum(circuit, circuit.below[-1])
    everyone = frozenset(expression.names())
    return tuple(
        name
        for k, name in enumerate(circuit.parts)
        if isinstance(name, str) and quorum is not None and quorum >> k & 1 and not expression.is_quorum(everyone - {name})
    )


def dummies(expression: Expression, *, timeout_s: float = TIMEOUT_S) -> tuple[str, ...]:
    """The nodes that are in no minimal quorum: they may as well not be there.

    >>> from scrutator.model.quorums import parse
    >>> dummies(parse("weighted(4, 2*a, 2*b, 2*c, d)"))
    ('d',)
    """
    circuit = compiled(expression)
    if isinstance(circuit, bool):
        return expression.names()
    deadline = time.monotonic() + timeout_s
    matter = {circuit.root}
    for step in reversed(list(steps(circuit))):
        if step.position in matter and step.shape is not Shape.NODE:
            part = circuit.gate(step.position)
            idle = _idle_members(part) if step.shape is Shape.APART else None
            if idle is None:
                idle = _idle_sources(circuit, step, deadline)
            matter.update(k for k in step.sources if k not in idle)
    seen = {part for k, part in enumerate(circuit.parts) if k in matter}
    return tuple(name for name in expression.names() if name not in seen)


def _idle_members(gate: Gate) -> set[int] | None:
    """Members, of those that share no node, that never make the difference; None if the weights are too large.

    If a member can, every heavier one can: so the lightest that can is looked for by halving.
    """
    if gate.needed > TABLE_BITS_MAX:
        return None
    weights = sorted(weight for weight, _ in gate.members)
    low, high = 0, len(weights) - 1  # the heaviest member always can
    while low < high:
        middle = (low + high) // 2
        if _can_decide(weights, middle, gate.needed):
            high = middle
        else:
            low = middle + 1
    return {position for weight, position in gate.members if weight < weights[low]}


def _can_decide(weights: list[int], which: int, needed: int) -> bool:
    """Whether some of the other weights sum up to less than is needed, by no more than this weight."""
    sums, below = 1, (1 << needed) - 1  # bit s: some of them sum up to s
    for k, weight in enumerate(weights):
        if k != which:
            sums |= sums << weight & below
    return sums >> max(needed - weights[which], 0) != 0


def _idle_sources(circuit: Circuit, step: Step, deadline: float) -> set[int]:
    """Independent parts of a tangled one that never make the difference."""
    sources = set(step.sources)
    outline = circuit.expression(step.position, lambda k: Node(str(k)) if k in sources else None)
    net = compiled(outline)
    if isinstance(net, bool):  # cannot be: a part of a circuit is never constant
        return set()
    place = {name: k for k, name in enumerate(net.parts) if isinstance(name, str)}
    seen, idle = 0, set()
    for k in place.values():  # each quorum that is found shows of all its nodes that they matter
        if not seen >> k & 1:
            seen |= small_quorum(net, net.below[-1], 1 << k) or 0
    for name, k in place.items():
        if not seen >> k & 1:
            witness = _decided_by(outline, name, deadline)
            if witness is not None:
                seen |= small_quorum(net, sum(1 << place[other] for other in witness if other in place), 1 << k) or 0
            elif _is_idle(outline, name, deadline):
                idle.add(int(name))
    return idle


def _decided_by(expression: Expression, name: str, deadline: float) -> frozenset[str] | None:
    """A quorum that is none without the node, if HiGHS finds one.

    Sought are a quorum and a blocking set that have the node in common and no other: then the quorum
    without it is among the nodes that the blocking set leaves.
    """
    programme = Programme()
    quorum = {other: programme.variable() for other in expression.names()}
    block = {other: programme.variable() for other in expression.names()}
    programme.require_quorum(expression, quorum)
    programme.require_quorum(expression.dual(), block)
    for other in quorum:
        both = [(quorum[other], 1.0), (block[other], 1.0)]
        programme.require(both, low=2.0 if other == name else 0.0, high=2.0 if other == name else 1.0)
    try:
        solution = programme.minimise(min(deadline - time.monotonic(), QUICK_S))
    except TimedOut:
        return None
    found = frozenset() if solution is None else members(solution[1], quorum)
    decides = expression.is_quorum(found) and not expression.is_quorum(found - {name})
    return found if decides else None


def _is_idle(expression: Expression, name: str, deadline: float) -> bool:
    """Whether z3 proves that there are no such quorum and blocking set."""
    from scrutator.checker.quorum.intersection import decide

    left_s = deadline - time.monotonic()
    if left_s <= 0:
        return False
    asked = Question((expression, expression.dual()), faulty=frozenset([name]))
    rule = Rule(("quorum", "blocking set"))
    return decide(rule, asked, timeout_s=left_s, smallest=False).verdict is Verdict.HOLDS
