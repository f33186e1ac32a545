"""Fewest nodes which, if faulty, let quorums of the others have nothing in common.

Faulty nodes count as present for both sides and need nothing themselves.  Two conventions: any node
may be the faulty one, and any other be cut off (``core_only`` false); or only the core is looked at,
the nodes outside it taken for absent.  The first finds a fringe node that trusts two others alone;
the second asks what it takes to split those on whom everyone depends.
"""

from __future__ import annotations

from collections.abc import Mapping

from scrutator.checker.quorum.federated.core import core_of
from scrutator.checker.quorum.federated.minimal import groups_of
from scrutator.checker.quorum.federated.reduce import reduced
from scrutator.checker.quorum.federated.result import Smallest, Splitting, check_split
from scrutator.checker.quorum.federated.units import units_of
from scrutator.model.quorums.federated import FederatedSystem


def smallest_splitting_set(
    system: FederatedSystem,
    *,
    by: Mapping[str, str] | None = None,
    core_only: bool = False,
    at_most: int | None = None,
    timeout_s: float | None = None,
) -> Splitting | None:
    """Fewest faulty nodes, or in fewest groups, that split; none are needed where it is split anyway.

    None if whichever nodes are faulty (``at_most`` so many), the others stay together.  Raises
    `TimedOut` where not even that is known in time.
    """
    from scrutator.checker.quorum.federated.encode import Question

    within = core_of(system).nodes if core_only else frozenset(system.names())
    part = reduced(system, useful(system, within), by)
    if not part.classes:
        return None
    question = Question(part, timeout_s)
    sets = [question.set_of(name) for name in ("a", "b", "s")]
    question.share(sets[0], sets[1], sets[2])
    question.require_quorum("A", sets[0], sets[2])
    question.require_quorum("B", sets[1], sets[2])
    question.order(units_of(part, by).orbits, sets[2], sets[0], sets[1])
    best = question.least(question.cost_of(sets[2:], by), sets, at_most)
    if best is None:
        return None
    one, other, helping = best.counts
    helpers = part.names(helping)
    left = part.names(one) - helpers
    right = part.names(tuple(a - h for a, h in zip(other, helping, strict=True)), skip=one)
    left, right = sorted((left, right), key=lambda names: (len(names), sorted(names)))
    check_split(system, helpers, left, right)
    return Splitting(Smallest(helpers, best.cost, groups_of(helpers, by), best.proved), left, right)


def useful(system: FederatedSystem, within: frozenset[str]) -> frozenset[str]:
    """Nodes that could be in a quorum, however many others were faulty, and those that they ask for."""
    part = reduced(system, within)
    held = part.satisfied(part.sizes)
    below = part.below()
    able = [c for c, gate in enumerate(part.slices) if held[gate]]
    if not any(part.makers[c] for c in able):
        return frozenset()
    found = frozenset(able).union(*(below[part.slices[c]] for c in able))
    return frozenset(name for c in found for name in part.classes[c])
