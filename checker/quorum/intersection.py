"""Whether quorums share enough nodes: proved by z3, or refuted by quorums that are re-checked exactly.

The order: the relaxed question first (see `smtlib`), whose "unsat" is a proof and takes milliseconds
even for hundreds of weighted nodes; then HiGHS for the smallest quorums that miss each other, then the
exact question.  Law: HOLDS rests on a proof by z3 alone, VIOLATED on sets whose membership and overlap
were recomputed here; what HiGHS says is never believed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from scrutator.checker.quorum.programme import Programme, TimedOut, members
from scrutator.checker.quorum.result import Finding, Miss
from scrutator.checker.quorum.smtlib import Leaves, presence, question, shared_names
from scrutator.checker.verdict import Verdict
from scrutator.model.quorums.expression import Expression
from scrutator.model.quorums.rules import Rule

TIMEOUT_S = 60.0  # for one rule
QUICK_S = 2.0  # for a step that another step can stand in for

Sets = tuple[frozenset[str], ...]


class InternalDisagreement(AssertionError):
    """A solver's answer that does not stand up to being checked: a bug here or in the solver."""


def decide(
    rule: Rule,
    quorums: Sequence[Expression],
    *,
    faulty: frozenset[str] = frozenset(),
    timeout_s: float = TIMEOUT_S,
    smallest: bool = True,
) -> Finding:
    """Whether any quorums of the expressions, one of each, share ``rule.overlap`` nodes that are not faulty.

    With ``smallest``, quorums that do not are the smallest where HiGHS finds them in time.  UNKNOWN where
    nothing was decided within ``timeout_s``.
    """
    start = time.monotonic()
    deadline = start + timeout_s
    sought = _Question(tuple(quorums), rule.overlap, faulty)

    def finding(verdict: Verdict, basis: str, miss: Miss | None = None) -> Finding:
        return Finding(rule, verdict, basis, miss, time.monotonic() - start)

    if sought.ask(Leaves.REAL, min(deadline, start + timeout_s / 2)) is _Answer.NONE:
        return finding(Verdict.HOLDS, "proved by z3 in linear real arithmetic")
    found = sought.fewest(min(deadline, time.monotonic() + QUICK_S)) if smallest else None
    if found is None:
        answer = sought.ask(Leaves.WHOLE, deadline)
        if answer is _Answer.NONE:
            return finding(Verdict.HOLDS, "proved by z3 in linear integer arithmetic")
        if answer is _Answer.TIMED_OUT:
            found = sought.fewest(time.monotonic() + QUICK_S)
        else:
            found = answer if isinstance(answer, tuple) else None
    if found is None:
        why = f"undecided after {time.monotonic() - start:.0f} s; allow more with --timeout-s"
        return finding(Verdict.UNKNOWN, why)
    is_smallest = smallest and sought.none_smaller(found, min(deadline, time.monotonic() + QUICK_S))
    miss = Miss(found, frozenset.intersection(*found), is_smallest)
    return finding(Verdict.VIOLATED, "found by search, and checked node by node", miss)


class _Answer:
    NONE = "none"
    TIMED_OUT = "timed out"


class _Question:
    """Are there quorums, one of each expression, that share fewer correct nodes than ``overlap``?"""

    def __init__(self, quorums: tuple[Expression, ...], overlap: int, faulty: frozenset[str]) -> None:
        self.quorums, self.overlap, self.faulty = quorums, overlap, faulty

    def ask(self, leaves: Leaves, deadline: float, size_max: int | None = None) -> Sets | str:
        """z3's answer: `_Answer.NONE`, `_Answer.TIMED_OUT`, or sets that it proposes and that were checked.

        A relaxed answer is no proposal: it is taken for TIMED_OUT unless it happens to be whole.
        """
        import z3

        left_ms = int((deadline - time.monotonic()) * 1000)
        if left_ms <= 0:
            return _Answer.TIMED_OUT
        solver = z3.SolverFor(leaves.value)
        solver.set("timeout", left_ms)
        solver.from_string(question(self.quorums, self.overlap, leaves, faulty=self.faulty, size_max=size_max))
        verdict = solver.check()
        if verdict == z3.unsat:
            return _Answer.NONE
        if verdict != z3.sat or leaves is Leaves.REAL:
            return _Answer.TIMED_OUT
        model = solver.model()
        values = {symbol.name(): str(model[symbol]) for symbol in model.decls()}
        return self.checked(
            frozenset(name for name in expression.names() if values.get(presence(k, name)[1:-1]) == "1")
            for k, expression in enumerate(self.quorums)
        )

    def fewest(self, deadline: float) -> Sets | None:
        """What HiGHS takes for the quorums with the fewest nodes together; None if it finds none in time."""
        programme = Programme()
        present = [
            {name: programme.variable(cost=1.0) for name in expression.names()} for expression in self.quorums
        ]
        for expression, variables in zip(self.quorums, present, strict=True):
            programme.require_quorum(expression, variables)
        slack = []
        for name in shared_names(self.quorums):
            if name in self.faulty:
                continue
            terms = [(variables[name], 1.0) for variables in present]
            if self.overlap > 1:
                slack.append(programme.variable())
                terms.append((slack[-1], -1.0))
            programme.require(terms, high=len(self.quorums) - 1)
        if slack:
            programme.require([(variable, 1.0) for variable in slack], high=self.overlap - 1)
        try:
            solution = programme.minimise(deadline - time.monotonic())
        except TimedOut:
            return None
        if solution is None:
            return None
        found = tuple(members(solution[1], variables) for variables in present)
        return found if self.misses(found) else None

    def none_smaller(self, found: Sets, deadline: float) -> bool:
        """Whether it is proved that none have fewer nodes together."""
        fewer = sum(map(len, found)) - 1
        return any(self.ask(leaves, deadline, fewer) is _Answer.NONE for leaves in Leaves)

    def misses(self, sets: Sets) -> bool:
        """Whether these are quorums that share fewer correct nodes than ``overlap``: decided by counting."""
        return (
            all(expression.is_quorum(chosen) for expression, chosen in zip(self.quorums, sets, strict=True))
            and len(frozenset.intersection(*sets) - self.faulty) < self.overlap
        )

    def checked(self, sets: object) -> Sets:
        found: Sets = tuple(sets)  # type: ignore[arg-type]
        if not self.misses(found):
            raise InternalDisagreement(f"z3 proposed {[sorted(chosen) for chosen in found]}, which do meet or are no quorums")
        return found
