"""The smallest quorums, and the smallest sets of nodes without which there is none.

Members that share no node are put together by dynamic programming, of alternatives the best is taken;
only what is left, parts tangled by shared nodes, is asked of HiGHS, whose answer is re-checked and whose
optimality is proved by z3.  Law: what is returned is a smallest set, exactly, or `TimedOut` is raised.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

from scrutator.checker.quorum.circuit import Circuit, Gate, Shape, Step, compiled, steps
from scrutator.checker.quorum.programme import Programme, TimedOut, members, raise_if_interrupted
from scrutator.model.quorums.expression import AtLeast, Expression, Node, QuorumError, parts

TIMEOUT_S = 60.0
CHOICES_MAX = 400_000  # of members of one threshold, before HiGHS is asked instead

Cost = int | float | Fraction


@dataclass(frozen=True, slots=True)
class _Best:
    """A cheapest quorum of a part."""

    cost: int
    nodes: frozenset[str]


def smallest_quorum(
    expression: Expression, costs: Mapping[str, Cost] | None = None, *, timeout_s: float = TIMEOUT_S
) -> frozenset[str]:
    """A quorum with the fewest nodes, or the least total cost.

    Costs are 0 or more; floats are taken for exactly what they are.  Raises `QuorumError` if nothing is a
    quorum, or a node has no such cost; `TimedOut` if optimality could not be proved in time.

    >>> from scrutator.model.quorums import parse
    >>> sorted(smallest_quorum(parse("a*b*c + d*e")))
    ['d', 'e']
    """
    circuit = compiled(expression)
    if circuit is True:
        return frozenset()
    if circuit is False:
        raise QuorumError(f"nothing is a quorum of {expression}, so none is the smallest")
    whole = _whole_numbers(circuit.names, costs)
    deadline = time.monotonic() + timeout_s
    best: dict[int, _Best] = {}
    for step in steps(circuit, alternatives=True):
        part = circuit.parts[step.position]
        if isinstance(part, str):
            best[step.position] = _Best(whole[part], frozenset([part]))
        elif step.shape is Shape.ALTERNATIVES:
            best[step.position] = min((best[k] for k in step.sources), key=lambda b: (b.cost, len(b.nodes)))
        else:
            chosen = _cheapest(part, best) if step.shape is Shape.APART else None
            if chosen is None:
                chosen = _solved(circuit, step, best, deadline)
            best[step.position] = _together(best[k] for k in chosen)
    found = best[circuit.root].nodes
    assert circuit.is_quorum(found)
    return found


def smallest_blocking(expression: Expression, *, timeout_s: float = TIMEOUT_S) -> frozenset[str]:
    """The fewest nodes without which there is no quorum; empty if there never is one.

    Raises `QuorumError` if even no nodes at all are a quorum, so that nothing blocks.

    >>> from scrutator.model.quorums import parse
    >>> sorted(smallest_blocking(parse("a*b + a*c")))
    ['a']
    """
    dual = expression.dual()
    if compiled(dual) is False:
        raise QuorumError(f"nothing blocks {expression}: even no nodes at all are a quorum")
    return smallest_quorum(dual, timeout_s=timeout_s)


def resilience(expression: Expression, *, timeout_s: float = TIMEOUT_S) -> int:
    """How many nodes may fail, whichever they are, so that there still is a quorum; -1 if there never is.

    >>> from scrutator.model.quorums import parse
    >>> resilience(parse("majority(a, b, c, d, e)"))
    2
    """
    return len(smallest_blocking(expression, timeout_s=timeout_s)) - 1


def _whole_numbers(names: Iterable[str], costs: Mapping[str, Cost] | None) -> dict[str, int]:
    """The costs in a unit in which all are whole."""
    if costs is None:
        return dict.fromkeys(names, 1)
    exact: dict[str, Fraction] = {}
    for name in names:
        if name not in costs:
            raise QuorumError(f"node {name} has no cost: give it one, 0 if it is free")
        if not 0 <= costs[name] < float("inf"):
            raise QuorumError(f"node {name}: a cost is 0 or more, not {costs[name]}")
        exact[name] = Fraction(costs[name])
    unit = lcm(*(cost.denominator for cost in exact.values()))
    return {name: int(cost * unit) for name, cost in exact.items()}


def _together(best: Iterable[_Best]) -> _Best:
    listed = list(best)
    return _Best(sum(b.cost for b in listed), frozenset().union(*(b.nodes for b in listed)))


# --- members that share no node -----------------------------------------------------------


def _cheapest(gate: Gate, best: Mapping[int, _Best]) -> tuple[int, ...] | None:
    """The members of least total cost that reach the threshold; None if there is too much to choose from.

    Of members that cost the same, heavier ones come first; what is left to choose is how many of each
    cost, and of two choices the one that is dearer and lighter is dropped.
    """
    by_cost: dict[int, list[tuple[int, int]]] = {}
    for weight, position in gate.members:
        by_cost.setdefault(best[position].cost, []).append((weight, position))
    front: list[tuple[int, int, tuple[tuple[int, int], ...]]] = [(0, 0, ())]  # (cost, weight, how many of which)
    tried = 0
    for cost in sorted(by_cost):
        alike = by_cost[cost] = sorted(by_cost[cost], key=lambda member: -member[0])
        tried += len(front) * len(alike)
        if tried > CHOICES_MAX:
            return None
        longer = []
        for spent, reached, chosen in front:
            longer.append((spent, reached, chosen))
            for count, (weight, _) in enumerate(alike, 1):
                if reached >= gate.needed:
                    break
                spent, reached = spent + cost, reached + weight
                longer.append((spent, reached, (*chosen, (cost, count))))
        front = _undominated(longer, gate.needed)
    _, _, counts = next(choice for choice in front if choice[1] >= gate.needed)
    return tuple(position for cost, count in counts for _, position in by_cost[cost][:count])


def _undominated(
    choices: list[tuple[int, int, tuple[tuple[int, int], ...]]], needed: int
) -> list[tuple[int, int, tuple[tuple[int, int], ...]]]:
    """Choices in order of cost, each heavier than those before; what goes beyond the threshold counts nothing."""
    kept: list[tuple[int, int, tuple[tuple[int, int], ...]]] = []
    for choice in sorted(choices, key=lambda c: (c[0], -c[1])):
        if not kept or choice[1] > kept[-1][1]:
            kept.append(choice)
            if choice[1] >= needed:
                break
    return kept


# --- members that do ----------------------------------------------------------------------


def _solved(circuit: Circuit, step: Step, best: Mapping[int, _Best], deadline: float) -> tuple[int, ...]:
    """The independent parts of least total cost that make this one; found by HiGHS or z3, proved by z3."""
    costs = {str(k): best[k].cost for k in step.sources}
    expression = circuit.expression(step.position, lambda k: Node(str(k)) if k in best and str(k) in costs else None)
    chosen = _candidate(expression, costs, deadline)
    while True:
        cheaper = _cheaper(expression, costs, sum(costs[name] for name in chosen) - 1, deadline)
        if cheaper is None:
            return tuple(sorted(int(name) for name in chosen))
        chosen = _shrunk(expression, costs, cheaper)


def _candidate(expression: Expression, costs: Mapping[str, int], deadline: float) -> frozenset[str]:
    """What HiGHS takes for the cheapest, or something less cheap if it fails; a quorum in any case."""
    largest = max(1, *costs.values())
    programme = Programme()
    present = {name: programme.variable(cost=cost / largest) for name, cost in costs.items()}
    programme.require_quorum(expression, present)
    try:
        solution = programme.minimise(deadline - time.monotonic())
    except TimedOut:
        solution = None
    found = frozenset(costs) if solution is None else members(solution[1], present)
    return _shrunk(expression, costs, found if expression.is_quorum(found) else frozenset(costs))


def _shrunk(expression: Expression, costs: Mapping[str, int], quorum: frozenset[str]) -> frozenset[str]:
    """The quorum without what it does not need, dearest first."""
    kept = set(quorum)
    for name in sorted(quorum, key=lambda name: -costs[name]):
        if expression.is_quorum(kept - {name}):
            kept.remove(name)
    return frozenset(kept)


def _cheaper(expression: Expression, costs: Mapping[str, int], cost_max: int, deadline: float) -> frozenset[str] | None:
    """A quorum that costs no more than that, or None if z3 proves that there is none.

    As for intersection, nodes between absent and present are tried first: where even these do not
    suffice, linear arithmetic shows it at once.
    """
    import z3

    if cost_max < 0:
        return None
    for sort, logic, share in ((z3.Real, "QF_LRA", 0.5), (z3.Int, "QF_LIA", 1.0)):
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise TimedOut("the proof that no smaller set would do")
        present = {name: sort(name) for name in costs}
        solver = z3.SolverFor(logic)
        solver.set("timeout", max(1, int(left_s * share * 1000)))
        solver.add(*(z3.And(0 <= value, value <= 1) for value in present.values()))
        solver.add(z3.Sum([costs[name] * value for name, value in present.items()]) <= cost_max)
        solver.add(*_constraints(expression, present))
        verdict = solver.check()
        raise_if_interrupted(solver)
        if verdict == z3.unsat:
            return None
        if verdict == z3.sat:
            model = solver.model()
            found = frozenset(name for name, value in present.items() if str(model.eval(value)) == "1")
            if sum(costs[name] for name in found) <= cost_max and expression.is_quorum(found):
                return found
            assert sort is z3.Real, "z3 proposed a set that is no quorum"
    raise TimedOut("the proof that no smaller set would do")


def _constraints(expression: Expression, present: Mapping[str, Any]) -> Iterator[Any]:
    """The named values make a quorum: each gate below the root is a Boolean that implies its threshold."""
    import z3

    terms: dict[int, Any] = {}
    for part in parts(expression):
        if isinstance(part, Node):
            terms[id(part)] = present[part.name]
        elif isinstance(part, AtLeast):
            enough = z3.Sum([weight * terms[id(member)] for weight, member in part.members]) >= part.needed
            if part is expression:
                yield enough
            else:
                gate = z3.FreshBool()
                yield z3.Implies(gate, enough)
                terms[id(part)] = z3.If(gate, 1, 0)
