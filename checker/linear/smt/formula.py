"""What every theory shares: when operations take effect, which do, and asking the solver."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import z3

from scrutator.checker.linear.history import Operation
from scrutator.checker.verdict import Verdict

# z3 has no types: a formula, and a whole number.
Bool: TypeAlias = Any
Int: TypeAlias = Any


class Formula:
    """Operations with the numbers at which they take effect.

    Each operation's constraints hold only if its label is assumed, so that the labels
    which the solver needed tell the operations that have no linearization.
    """

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations = operations
        self.context = z3.Context()
        self.solver = z3.SolverFor("QF_LIA", ctx=self.context)
        n = len(operations)
        self.never = n + 1  # later than everything
        self.at = [z3.Int(f"t{k}", self.context) for k in range(n)]
        self.label = [z3.Bool(f"a{k}", self.context) for k in range(n)]
        self.occurs = [z3.Bool(f"o{k}", self.context) if o.pending else self.true for k, o in enumerate(operations)]
        for k in range(n):
            self.solver.add(self.at[k] >= 1, self.at[k] <= n)
        if n > 1:
            self.solver.add(z3.Distinct(*self.at))
        for i, one in enumerate(operations):
            for j, other in enumerate(operations):
                if one.returned < other.called:
                    self.solver.add(self.implies(self.all(self.label[i], self.label[j]), self.at[i] < self.at[j]))

    # --- logic, in the formula's own context ---------------------------------------------

    @property
    def true(self) -> Bool:
        return z3.BoolVal(True, self.context)

    def all(self, *parts: Bool) -> Bool:
        return z3.And(*parts) if parts else self.true

    def any(self, *parts: Bool) -> Bool:
        return z3.Or(*parts) if parts else z3.BoolVal(False, self.context)

    def implies(self, one: Bool, other: Bool) -> Bool:
        return z3.Implies(one, other, self.context)

    def no(self, one: Bool) -> Bool:
        return z3.Not(one, self.context)

    # --- constraints ------------------------------------------------------------------

    def require(self, operation: int, what: Bool) -> None:
        """Whatever an operation that takes effect requires."""
        self.solver.add(self.implies(self.all(self.label[operation], self.occurs[operation]), what))

    def define(self, what: Bool) -> None:
        """What holds of helpers, whoever takes effect."""
        self.solver.add(what)

    def check(self, timeout_s: float | None) -> tuple[Verdict, list[int], list[int]]:
        """The verdict, the operations in order where it HOLDS, and those needed where it is VIOLATED."""
        if timeout_s is not None:
            self.solver.set("timeout", max(int(timeout_s * 1000), 1))
        answer = self.solver.check(*self.label)
        if answer == z3.unsat:
            core = {str(label) for label in self.solver.unsat_core()}
            return Verdict.VIOLATED, [], [k for k in range(len(self.label)) if f"a{k}" in core]
        if answer != z3.sat:
            return Verdict.UNKNOWN, [], []
        model = self.solver.model()
        occur = [k for k, o in enumerate(self.occurs) if z3.is_true(model.eval(o, model_completion=True))]
        return Verdict.HOLDS, sorted(occur, key=lambda k: model.eval(self.at[k], model_completion=True).as_long()), []
