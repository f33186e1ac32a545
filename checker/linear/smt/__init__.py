"""The solver's engine: a history as a formula, which z3 decides.

Slow, and unlike the others in every way, which is what it is for.  The law: an operation
takes effect at a whole number of its own; one that returned before another was called has
the smaller one; and what an operation returned is what its object's theory says of the
operations before it.  A pending operation may be left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from scrutator.checker.linear.history import History, Int64s
from scrutator.checker.linear.monitors.calls import Inapplicable
from scrutator.checker.verdict import Verdict
from scrutator.model.objects.sequential import Object

OPERATIONS_MAX = 120


@dataclass(frozen=True, slots=True)
class SmtFinding:
    """What the solver says; ``witness`` and ``core`` are positions in the history.

    ``core`` are operations that have no linearization, though others may have been needed
    to exclude it.  ``reason`` says why it is UNKNOWN.
    """

    verdict: Verdict
    reason: str = ""
    witness: tuple[int, ...] = ()
    core: tuple[int, ...] = ()


def decide(history: History, object_: Object, which: Int64s, *, timeout_s: float | None = None) -> SmtFinding:
    """Decide the operations at some positions, which are one part's, in order of call.

    Raises `Inapplicable` where they are too many, or the object has no theory.
    """
    if len(which) > OPERATIONS_MAX:
        raise Inapplicable(f"there are more than {OPERATIONS_MAX} operations")
    from scrutator.checker.linear.smt.formula import Formula
    from scrutator.checker.linear.smt.theories import assert_results

    operations = [history[k] for k in which.tolist()]
    formula = Formula(operations)
    assert_results(formula, object_)
    verdict, order, core = formula.check(timeout_s)
    if verdict is Verdict.UNKNOWN:
        return SmtFinding(verdict, "time")
    return SmtFinding(verdict, "", tuple(which[order].tolist()), tuple(sorted(which[core].tolist())))
