"""Whether any two quorums of a federated system have a node in common.

Parts of the core are looked at first, as two of them are a split; then z3 is asked about the core
alone, whose alike nodes are classes.  Where it does not answer at once, sizes may: two quorums of
more than half of the nodes each must meet.  Law: disjoint quorums are checked against the system as
it was given, before anyone sees them.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from scrutator.checker.quorum.federated.core import core_of
from scrutator.checker.quorum.federated.minimal import smallest_quorum
from scrutator.checker.quorum.federated.reduce import Reduced, reduced
from scrutator.checker.quorum.federated.result import FederatedResult, Outcome, check_split, scope_of
from scrutator.checker.quorum.federated.splitting import smallest_splitting_set
from scrutator.checker.quorum.federated.symmetry import orbits
from scrutator.checker.quorum.programme import TimedOut
from scrutator.model.quorums.federated import FederatedSystem

FIRST_TRY_S = 1.0


def decide(
    system: FederatedSystem,
    *,
    faulty: Collection[str] = (),
    any_faulty: int = 0,
    timeout_s: float | None = None,
) -> FederatedResult:
    """Whether every two quorums share a node; if not, two that do not, of fewest nodes in total.

    ``faulty`` nodes act as would help any others, and are not looked for in quorums.  With
    ``any_faulty``, the same is asked whichever that many other nodes are faulty as well.  Raises
    `QuorumError` if all nodes are faulty, and `KeyError` for one that is none.
    """
    until = None if timeout_s is None else time.monotonic() + timeout_s
    honest = system.without(faulty) if faulty else system
    scope = scope_of(system, len(frozenset(faulty)), any_faulty)
    core = core_of(honest)
    if not core.parts:
        return FederatedResult(Outcome.NO_QUORUM, scope)
    found = _decide(honest, reduced(honest, core.nodes), scope, timeout_s)
    if found.outcome is Outcome.INTERSECTS and any_faulty:
        left_s = None if until is None else max(0.001, until - time.monotonic())
        found = _with_others_faulty(honest, any_faulty, scope, left_s)
    if found.outcome is Outcome.SPLIT:
        helpers = found.faulty | frozenset(faulty)
        check_split(system, helpers, found.left, found.right)
        return FederatedResult(Outcome.SPLIT, scope, found.left, found.right, helpers, found.smallest)
    return found


def _decide(system: FederatedSystem, core: Reduced, scope: str, timeout_s: float | None) -> FederatedResult:
    from scrutator.checker.quorum.federated.encode import Question

    question = Question(core, timeout_s)
    left, right = question.set_of("a"), question.set_of("b")
    question.share(left, right)
    question.require_quorum("A", left)
    question.require_quorum("B", right)
    question.order(orbits(core), left, right)
    possible = question.possible(FIRST_TRY_S)
    if possible is None and _meet_by_size(system, core, None if timeout_s is None else timeout_s / 2):
        possible = False
    if possible is False:
        return FederatedResult(Outcome.INTERSECTS, scope)
    try:
        best = question.least(question.cost_of([left, right]), [left, right])
    except TimedOut:
        return FederatedResult(Outcome.UNKNOWN, scope)
    if best is None:
        return FederatedResult(Outcome.INTERSECTS, scope)
    one, other = best.counts
    sets = sorted((core.names(one), core.names(other, skip=one)), key=lambda names: (len(names), sorted(names)))
    return FederatedResult(Outcome.SPLIT, scope, sets[0], sets[1], smallest=best.proved)


def _meet_by_size(system: FederatedSystem, core: Reduced, timeout_s: float | None) -> bool:
    """Whether even the smallest quorum has more than half of the nodes that are in minimal quorums."""
    try:
        smallest = smallest_quorum(system, timeout_s=timeout_s)
    except TimedOut:
        return False
    return smallest is not None and smallest.proved and 2 * smallest.size > sum(core.sizes)


def _with_others_faulty(
    system: FederatedSystem, any_faulty: int, scope: str, timeout_s: float | None
) -> FederatedResult:
    try:
        found = smallest_splitting_set(system, at_most=any_faulty, timeout_s=timeout_s)
    except TimedOut:
        return FederatedResult(Outcome.UNKNOWN, scope)
    if found is None:
        return FederatedResult(Outcome.INTERSECTS, scope)
    return FederatedResult(
        Outcome.SPLIT, scope, found.left, found.right, found.faulty.nodes, smallest=found.faulty.proved
    )
