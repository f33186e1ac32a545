"""Quorums of a reduced system as a question to z3, which decides exactly.

A class of n alike nodes has n variables, "at least k of them are in"; a gate has one, which implies
that its threshold is reached.  Two quorums overlap in a class where their counts exceed its size, so
that a third set, the nodes that help both sides, needs no more than those.  Law: minima are found
from above, each model forbidding all that is not smaller, and the last answer is a proof.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any  # z3 has no types

import z3

from scrutator.checker.quorum.federated.reduce import Counts, Gate, Reduced
from scrutator.checker.quorum.federated.symmetry import Orbits
from scrutator.checker.quorum.programme import TimedOut, raise_if_interrupted

Levels = list[list[Any]]  # of each class: at least 1, 2, ... of its nodes


@dataclass(frozen=True, slots=True)
class Best:
    """What was found; ``proved`` if nothing costs less.  ``counts`` are those of each set asked for."""

    cost: int
    counts: tuple[Counts, ...]
    proved: bool


class Question:
    """Sets of nodes with constraints on them, and a cost."""

    def __init__(self, system: Reduced, timeout_s: float | None = None) -> None:
        self.system = system
        self.solver = z3.SolverFor("QF_LIA")
        self.until = None if timeout_s is None else time.monotonic() + timeout_s
        asked = {c for gate in system.gates for c, _ in gate.classes}
        # Of alike nodes that nobody asks for, one for each side will do.
        self.sizes = tuple(size if c in asked else min(size, 2) for c, size in enumerate(system.sizes))

    def set_of(self, name: str) -> Levels:
        """A new set of nodes."""
        levels = [[z3.Bool(f"{name}{c}.{k}") for k in range(1, size + 1)] for c, size in enumerate(self.sizes)]
        for level in levels:
            for lower, upper in pairwise(level):
                self.solver.add(z3.Implies(upper, lower))
        return levels

    def require_quorum(self, name: str, sets: Levels, helpers: Levels | None = None) -> None:
        """The set, without the helpers in it, is a quorum of nodes that are satisfied by all of it."""
        gates: list[Any] = []
        for number, gate in enumerate(self.system.gates):
            reached = z3.Bool(f"{name}.{number}")
            gates.append(reached)
            self._imply(reached, gate, sets, gates)
        makes = []
        for c, level in enumerate(sets):
            inside = level[0] if helpers is None else z3.Or(
                [z3.And(one, z3.Not(helper)) for one, helper in zip(level, helpers[c], strict=True)]
            )
            self.solver.add(z3.Implies(inside, gates[self.system.slices[c]]))
            if self.system.makers[c]:
                makes.append(inside)
        self.solver.add(z3.Or(makes))

    def _imply(self, reached: Any, gate: Gate, sets: Levels, gates: list[Any]) -> None:
        if gate.needed <= 0:
            return
        if len(gate.classes) == 1 and not gate.gates:  # no sum is needed
            c, weight = gate.classes[0]
            count = -(-gate.needed // weight)
            self.solver.add(z3.Implies(reached, sets[c][count - 1]) if count <= len(sets[c]) else z3.Not(reached))
            return
        terms = [(one, weight) for c, weight in gate.classes for one in sets[c]]
        terms += [(gates[g], weight) for g, weight in gate.gates]
        if sum(weight for _, weight in terms) < gate.needed:
            self.solver.add(z3.Not(reached))
        else:
            self.solver.add(z3.Implies(reached, z3.PbGe(terms, gate.needed)))

    def order(self, all_orbits: Orbits, *sets: Levels) -> None:
        """Of classes that can be exchanged, the first has most of the first set; if as many, of the next."""
        for before, after in (pair for orbit in all_orbits for pair in pairwise(orbit)):
            more = z3.BoolVal(False)
            for levels in sets:
                ranks = list(zip(levels[before], levels[after], strict=True))
                self.solver.add(z3.Or(more, z3.And([z3.Implies(b, a) for a, b in ranks])))
                more = z3.Or(more, *(z3.And(a, z3.Not(b)) for a, b in ranks))

    def share(self, left: Levels, right: Levels, helpers: Levels | None = None) -> None:
        """The two sets share the helpers and nothing else."""
        for c, size in enumerate(self.sizes):
            for i in range(1, size + 1):
                if helpers is not None:
                    self.solver.add(z3.Implies(helpers[c][i - 1], z3.And(left[c][i - 1], right[c][i - 1])))
                for j in range(size + 1 - i, size + 1):
                    both = z3.And(left[c][i - 1], right[c][j - 1])
                    shared = z3.BoolVal(False) if helpers is None else helpers[c][i + j - size - 1]
                    self.solver.add(z3.Implies(both, shared))

    def cost_of(self, sets: list[Levels], by: Mapping[str, str] | None = None) -> list[Any]:
        """What counts: a variable for each node, or for each group that has one in the sets."""
        if by is None:
            return [one for levels in sets for level in levels for one in level]
        groups: dict[str, Any] = {}
        for levels in sets:
            for c, level in enumerate(levels):
                name = self.system.classes[c][0]
                group = by.get(name)
                if group is None:  # a group by itself
                    group = f"node {name}"
                touched = groups.setdefault(group, z3.Bool(f"group {len(groups)}"))
                self.solver.add(z3.Implies(level[0], touched))
        return list(groups.values())

    def possible(self, timeout_s: float | None = None) -> bool | None:
        """Whether there are such sets; None if the time was not enough to tell."""
        left_s = self._left_s() if timeout_s is None else min(timeout_s, self._left_s())
        self.solver.set("timeout", min(max(1, int(left_s * 1000)), 2**31))
        answer = self.solver.check()
        raise_if_interrupted(self.solver)
        return None if answer == z3.unknown else bool(answer == z3.sat)

    def least(self, cost: list[Any], sets: list[Levels], at_most: int | None = None) -> Best | None:
        """The sets of least cost; None if there are none at all, of ``at_most`` that cost.

        Raises `TimedOut` if not even that is known in time.
        """
        if at_most is not None:
            self.solver.add(z3.PbLe([(one, 1) for one in cost], at_most))
        best: Best | None = None
        while True:
            possible = self.possible()
            if possible is None and best is None:
                raise TimedOut("the search for quorums")
            if not possible:
                return best and Best(best.cost, best.counts, proved=possible is False)
            model = self.solver.model()
            value = sum(z3.is_true(model.eval(one)) for one in cost)
            counts = tuple(tuple(sum(z3.is_true(model.eval(one)) for one in level) for level in levels) for levels in sets)
            best = Best(value, counts, proved=value == 0)
            if value == 0:
                return best
            self.solver.add(z3.PbLe([(one, 1) for one in cost], value - 1))

    def _left_s(self) -> float:
        return 1e6 if self.until is None else max(0.001, self.until - time.monotonic())
