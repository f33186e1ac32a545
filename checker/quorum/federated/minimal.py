"""The quorum with fewest nodes, or touching fewest groups; wherever in the system it is."""

from __future__ import annotations

from collections.abc import Mapping

from scrutator.checker.quorum.federated.core import reduced_core
from scrutator.checker.quorum.federated.reduce import Counts, Reduced
from scrutator.checker.quorum.federated.result import Mistaken, Smallest
from scrutator.checker.quorum.federated.units import units_of
from scrutator.model.quorums.federated import FederatedSystem


def smallest_quorum(
    system: FederatedSystem, *, by: Mapping[str, str] | None = None, timeout_s: float | None = None
) -> Smallest | None:
    """A quorum of fewest nodes, or among the nodes of fewest groups; None if there is no quorum.

    ``by`` gives nodes their groups; one without is a group by itself.  Raises `TimedOut` where no
    quorum at all is found in time.
    """
    best: Smallest | None = None
    for part in reduced_core(system, by):
        found = _in_part(part, by, timeout_s)
        best = found if best is None or found.size < best.size else best
    if best is not None and not system.is_quorum(best.nodes):
        raise Mistaken(f"{sorted(best.nodes)} is no quorum of {system.name}")
    return best


def _in_part(part: Reduced, by: Mapping[str, str] | None, timeout_s: float | None) -> Smallest:
    from scrutator.checker.quorum.federated.encode import Question

    question = Question(part, timeout_s)
    sets = question.set_of("q")
    question.require_quorum("q", sets)
    question.order(units_of(part, by).orbits, sets)
    best = question.least(question.cost_of([sets], by), [sets])
    if best is None:
        raise Mistaken("no quorum where one was found before")
    nodes = part.names(minimal_within(part, best.counts[0]))
    return Smallest(nodes, best.cost, groups_of(nodes, by), best.proved)


def minimal_within(system: Reduced, within: Counts) -> Counts:
    """A quorum within a quorum that holds no other."""
    quorum = system.greatest_quorum(within)
    for c in range(len(quorum)):
        while quorum[c]:
            smaller = system.greatest_quorum((*quorum[:c], quorum[c] - 1, *quorum[c + 1 :]))
            if not any(smaller):
                break
            quorum = smaller
    return quorum


def groups_of(nodes: frozenset[str], by: Mapping[str, str] | None) -> tuple[str, ...]:
    """The groups of nodes, in order; nodes without one by their own names."""
    return () if by is None else tuple(sorted({by.get(name, name) for name in nodes}))
