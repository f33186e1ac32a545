"""Whether quorums share enough nodes: proved by z3, or refuted by quorums that are re-checked exactly.

The order: the relaxed question first (see `smtlib`), whose "unsat" is a proof and takes milliseconds
even for hundreds of weighted nodes; then HiGHS for the smallest quorums that miss each other, then the
exact question.  Law: HOLDS rests on a proof by z3 alone, VIOLATED on sets whose membership and overlap
were recomputed here; what HiGHS says is never believed.
"""

from __future__ import annotations

import time
from enum import Enum

from scrutator.checker.quorum.programme import Programme, TimedOut, members, raise_if_interrupted
from scrutator.checker.quorum.result import Finding, Miss
from scrutator.checker.quorum.smtlib import Leaves, Question, presence
from scrutator.checker.verdict import Verdict
from scrutator.model.quorums.expression import AtLeast, Expression, Node
from scrutator.model.quorums.rules import Rule

TIMEOUT_S = 60.0  # for one rule
QUICK_S = 2.0  # for a step that another step can stand in for

Sets = tuple[frozenset[str], ...]


class InternalDisagreement(AssertionError):
    """A solver's answer that does not stand up to being checked: a bug here or in the solver."""


def decide(rule: Rule, asked: Question, *, timeout_s: float = TIMEOUT_S, smallest: bool = True) -> Finding:
    """Whether any quorums share as many correct nodes as ``asked`` says; ``rule`` is what it stems from.

    With ``smallest``, quorums that do not are the smallest where HiGHS finds them in time.  UNKNOWN where
    nothing was decided within ``timeout_s``.
    """
    start = time.monotonic()
    deadline = start + timeout_s

    def finding(verdict: Verdict, basis: str, proof: Leaves | None = None, miss: Miss | None = None) -> Finding:
        return Finding(rule, asked, verdict, basis, proof, miss, time.monotonic() - start)

    if _ask(asked, Leaves.REAL, start + timeout_s / 2) is _Answer.NONE:
        return finding(Verdict.HOLDS, "proved by z3 in linear real arithmetic", Leaves.REAL)
    found = _fewest(asked, min(deadline, time.monotonic() + QUICK_S)) if smallest else None
    if found is None:
        answer = _ask(asked, Leaves.WHOLE, deadline)
        if answer is _Answer.NONE:
            return finding(Verdict.HOLDS, "proved by z3 in linear integer arithmetic", Leaves.WHOLE)
        if isinstance(answer, _Answer):
            why = f"undecided after {time.monotonic() - start:.0f} s; allow more with --timeout-s"
            return finding(Verdict.UNKNOWN, why)
        found = answer
    is_smallest = smallest and _none_smaller(asked, found, min(deadline, time.monotonic() + QUICK_S / 2))
    miss = Miss(found, frozenset.intersection(*found), is_smallest)
    return finding(Verdict.VIOLATED, "found by search, and checked node by node", None, miss)


class _Answer(Enum):
    NONE = "there are no such quorums"
    TIMED_OUT = "no answer in time"


def _ask(asked: Question, leaves: Leaves, deadline: float, size_max: int | None = None) -> Sets | _Answer:
    """z3's answer: none, no answer, or sets that it proposes and that were checked.

    What satisfies the relaxed question need not be sets of nodes: it counts for no answer.
    """
    import z3

    left_ms = int((deadline - time.monotonic()) * 1000)
    if left_ms <= 0:
        return _Answer.TIMED_OUT
    solver = z3.SolverFor(leaves.value)
    solver.set("timeout", left_ms)
    solver.from_string(asked.text(leaves, size_max))
    verdict = solver.check()
    raise_if_interrupted(solver)
    if verdict == z3.unsat:
        return _Answer.NONE
    if verdict != z3.sat or leaves is Leaves.REAL:
        return _Answer.TIMED_OUT
    model = solver.model()
    values = {symbol.name(): str(model[symbol]) for symbol in model.decls()}
    found = tuple(
        frozenset(name for name in expression.names() if values.get(presence(k, name)[1:-1]) == "1")
        for k, expression in enumerate(asked.quorums)
    )
    if not asked.misses(found):
        raise InternalDisagreement(f"z3 proposed {[sorted(chosen) for chosen in found]}, which meet or are no quorums")
    return found


def _fewest(asked: Question, deadline: float) -> Sets | None:
    """What HiGHS takes for the quorums with the fewest nodes together, checked; None if it finds none in time."""
    programme = Programme()
    present = [{name: programme.variable(cost=1.0) for name in expression.names()} for expression in asked.quorums]
    for expression, variables in zip(asked.quorums, present, strict=True):
        programme.require_quorum(expression, variables)
    spares = []
    for name in asked.shared:
        terms = [(variables[name], 1.0) for variables in present]
        if asked.overlap > 1:
            spares.append(programme.variable())
            terms.append((spares[-1], -1.0))
        programme.require(terms, high=len(asked.quorums) - 1)
    if spares:
        programme.require([(variable, 1.0) for variable in spares], high=asked.overlap - 1)
    try:
        solution = programme.minimise(deadline - time.monotonic())
    except TimedOut:
        return None
    if solution is None:
        return None
    found = tuple(members(solution[1], variables) for variables in present)
    return found if asked.misses(found) else None


def _none_smaller(asked: Question, found: Sets, deadline: float) -> bool:
    """Whether it is proved that none have fewer nodes together."""
    fewer = sum(map(len, found)) - 1
    return _too_light(asked, fewer) or any(_ask(asked, leaves, deadline, fewer) is _Answer.NONE for leaves in Leaves)


def _too_light(asked: Question, count: int) -> bool:
    """Whether even the heaviest ``count`` nodes weigh less than two disjoint quorums of weighted nodes must."""
    weights = [_weights(expression) for expression in asked.quorums]
    if len(weights) != 2 or weights[0] is None or weights[0] != weights[1] or asked.overlap > 1 or asked.faulty:
        return False
    needed = sum(expression.needed for expression in asked.quorums if isinstance(expression, AtLeast))
    return sum(sorted(weights[0].values())[-count:]) < needed


def _weights(expression: Expression) -> dict[str, int] | None:
    """The weight of each node of a plain weighted threshold; None for other expressions."""
    if not isinstance(expression, AtLeast):
        return None
    weights: dict[str, int] = {}
    for weight, member in expression.members:
        if not isinstance(member, Node):
            return None
        weights[member.name] = weights.get(member.name, 0) + weight
    return weights
