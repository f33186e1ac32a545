"""Fewest nodes without which no quorum is left: blocking sets, also called those that kill liveness.

A blocking set has a node of every quorum.  Quorums are learnt as they are needed: z3 proposes the
fewest nodes that hit those known, and while a quorum is left among the others, it is made minimal and
learnt.  Of a quorum of alike nodes all copies are learnt at once: a class is hit in all of them iff
fewer of its nodes are left than the quorum has.  Law: what is returned leaves no quorum, and one fewer
cannot even hit the quorums learnt.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import pairwise
from typing import Any  # z3 has no types

from scrutator.checker.quorum.federated.core import reduced_core
from scrutator.checker.quorum.federated.minimal import groups_of, minimal_within
from scrutator.checker.quorum.federated.reduce import Counts
from scrutator.checker.quorum.federated.result import Mistaken, Smallest
from scrutator.checker.quorum.federated.symmetry import opposite
from scrutator.checker.quorum.federated.units import Units, units_of
from scrutator.checker.quorum.programme import TimedOut, raise_if_interrupted
from scrutator.model.quorums.federated import FederatedSystem


def smallest_blocking_set(
    system: FederatedSystem, *, by: Mapping[str, str] | None = None, timeout_s: float | None = None
) -> Smallest:
    """Fewest nodes, or fewest groups, without which there is no quorum; nobody if there is none anyway.

    ``by`` gives nodes their groups; one without is a group by itself.  Raises `TimedOut` if it is not
    found in time.
    """
    until = None if timeout_s is None else time.monotonic() + timeout_s
    nodes, size = frozenset[str](), 0
    for part in reduced_core(system, by):  # parts have no node in common: each is blocked by itself
        units = units_of(part, by)
        chosen = _smallest(units, until)
        nodes |= part.names(units.counts(chosen))
        size += sum(chosen)
    if set(nodes) != set(system.names()) and system.greatest_quorum(set(system.names()) - nodes):
        raise Mistaken(f"without {sorted(nodes)} there still is a quorum of {system.name}")
    return Smallest(nodes, size, groups_of(nodes, by))


def _smallest(units: Units, until: float | None) -> Counts:
    import z3

    solver = z3.SolverFor("QF_LIA")
    levels = [[z3.Bool(f"{u}.{k}") for k in range(1, most + 1)] for u, most in enumerate(units.most)]
    for level in levels:
        for lower, upper in pairwise(level):
            solver.add(z3.Implies(upper, lower))
    for orbit in units.orbits:  # of what can be exchanged, the first is hit most
        for before, after in pairwise(orbit):
            solver.add([z3.Implies(a, b) for a, b in zip(levels[after], levels[before], strict=True)])
    cost = [(one, 1) for level in levels for one in level]
    fewest = 1
    while True:
        _limit(solver, until)
        answer = solver.check(z3.PbLe(cost, fewest)) if fewest < len(cost) else solver.check()
        raise_if_interrupted(solver)
        if answer == z3.unknown:
            raise TimedOut("the search for blocking sets")
        if answer == z3.unsat:
            fewest += 1
            continue
        model = solver.model()
        chosen = tuple(sum(z3.is_true(model.eval(one)) for one in level) for level in levels)
        if units.blocks(chosen):
            return chosen
        for quorum in _cuts(units, chosen):
            cut = opposite(quorum, units.orbits)
            # all copies of the quorum are hit iff fewer of some unit are left than it has
            solver.add(z3.Or([levels[u][units.most[u] - count] for u, count in enumerate(cut) if count]))


def _cuts(units: Units, chosen: Counts) -> list[Counts]:
    """Disjoint minimal quorums among those left, in units."""
    cuts = []
    left = units.left(chosen)
    while any(quorum := units.part.greatest_quorum(left)):
        minimal = minimal_within(units.part, quorum)
        cuts.append(units.touched(minimal))
        left = tuple(a - b for a, b in zip(left, minimal, strict=True))
    return cuts


def _limit(solver: Any, until: float | None) -> None:
    if until is not None:
        left_s = until - time.monotonic()
        if left_s <= 0:
            raise TimedOut("the search for blocking sets")
        solver.set("timeout", max(1, int(left_s * 1000)))
