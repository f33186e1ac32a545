"""Mixed-integer programmes over quorums, solved by HiGHS.

A quorum is a vector of 0/1 variables, one a node.  An expression becomes linear constraints: a gate
variable for each threshold below the root, and ``weights . members >= needed * gate``.  Only that
direction is needed, as expressions are monotone.  Law: HiGHS computes in floating point, so what it
finds is a candidate: callers re-check it exactly, and never take its "infeasible" for a proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any  # z3 has no types

from scrutator.model.quorums.expression import AtLeast, Expression, Node, parts

INFINITY = float("inf")


class TimedOut(Exception):
    """The solver reached its time limit without an answer."""


@dataclass(slots=True)
class Programme:
    """Variables and linear constraints; built step by step, solved by `minimise`."""

    costs: list[float] = field(default_factory=list)
    uppers: list[float] = field(default_factory=list)
    integral: list[bool] = field(default_factory=list)
    rows: list[tuple[dict[int, float], float, float]] = field(default_factory=list)

    def variable(self, cost: float = 0.0, upper: float = 1.0, integral: bool = True) -> int:
        """A new variable between 0 and ``upper``; gives its number."""
        self.costs.append(cost)
        self.uppers.append(upper)
        self.integral.append(integral)
        return len(self.costs) - 1

    def require(self, terms: Iterable[tuple[int, float]], low: float = -INFINITY, high: float = INFINITY) -> None:
        """The sum of variables times coefficients lies between ``low`` and ``high``."""
        row: dict[int, float] = {}
        for variable, coefficient in terms:
            row[variable] = row.get(variable, 0.0) + coefficient
        self.rows.append((row, low, high))

    def require_quorum(self, expression: Expression, present: Mapping[str, int]) -> None:
        """The nodes whose variables are 1 are a quorum; ``present`` has a variable for each node's name."""
        gates: dict[int, int] = {}
        for part in parts(expression):
            if isinstance(part, Node):
                gates[id(part)] = present[part.name]
                if part is expression:
                    self.require([(present[part.name], 1.0)], low=1.0)
            elif isinstance(part, AtLeast):
                terms = [(gates[id(member)], float(weight)) for weight, member in part.members]
                if part is expression:
                    self.require(terms, low=float(part.needed))
                else:
                    gates[id(part)] = gate = self.variable()
                    self.require([*terms, (gate, -float(part.needed))], low=0.0)

    def minimise(self, timeout_s: float | None = None) -> tuple[float, list[float]] | None:
        """The least cost and the variables' values, or None if HiGHS finds nothing feasible.

        Raises `TimedOut` where the limit is reached first.
        """
        import numpy as np
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array

        indices = [variable for row, _, _ in self.rows for variable in row]
        data = [coefficient for row, _, _ in self.rows for coefficient in row.values()]
        starts = np.concatenate([[0], np.cumsum([len(row) for row, _, _ in self.rows])])
        matrix = csr_array((data, indices, starts), shape=(len(self.rows), len(self.costs)))
        constraint = LinearConstraint(matrix, [low for _, low, _ in self.rows], [high for _, _, high in self.rows])
        options = {"mip_rel_gap": 0.0} | ({} if timeout_s is None else {"time_limit": max(timeout_s, 0.01)})
        found = milp(
            np.array(self.costs),
            integrality=np.array(self.integral, dtype=np.uint8),
            bounds=Bounds(0.0, np.array(self.uppers)),
            constraints=constraint if self.rows else (),
            options=options,
        )
        if found.status == 1:
            raise TimedOut("the mixed-integer programme")
        if found.x is None:
            return None
        return float(found.fun), [float(value) for value in found.x]


def members(values: list[float], present: Mapping[str, int]) -> frozenset[str]:
    """The names of the nodes whose variables are 1."""
    return frozenset(name for name, variable in present.items() if values[variable] > 0.5)


def raise_if_interrupted(solver: Any) -> None:
    """Raises `KeyboardInterrupt` where z3, which takes Ctrl-C for itself, gave up because of it."""
    if "keyboard" in solver.reason_unknown():
        raise KeyboardInterrupt
