"""What a quorum system survives: nodes and regions that fail, and those that everything hangs on.

Law: a number of failures is survived only if no blocking set has so few nodes, which is proved; what is
listed only in part says so.  Says nothing of nodes that forget, or of how probable failures are.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import combinations
from time import monotonic

from scrutator.checker.quorum.blocking import TIMEOUT_S, smallest_blocking, smallest_quorum
from scrutator.checker.quorum.influence import dictators, dummies, vetoes
from scrutator.checker.quorum.minimal_sets import (
    Count,
    MinimalSets,
    count_minimal_quorums,
    minimal_blocking_sets,
)
from scrutator.checker.verdict import Verdict
from scrutator.model.quorums.expression import ALWAYS, Expression, Node, QuorumError
from scrutator.model.quorums.system import QuorumSystem

LISTED = 20  # blocking sets of each role
REGIONS_MAX = 64  # whose pairs are gone through


@dataclass(frozen=True, slots=True)
class RegionAvailability:
    """What a role survives of whole regions being lost.

    ``smallest_blocking`` are the fewest regions without which there is no quorum, None if nodes that are
    in no region are quorums; ``resilience`` is how many regions may be lost, whichever they are.
    ``spare`` says for each region how many further nodes may fail after it is lost, -1 if none is left to
    decide; ``lost_pairs`` are pairs that are not survived although each region of them is, None if there
    are too many to look at.
    """

    smallest_blocking: frozenset[str] | None
    resilience: int
    spare: tuple[tuple[str, int], ...]
    lost_pairs: tuple[tuple[str, str], ...] | None

    @property
    def lost(self) -> tuple[str, ...]:
        """The regions whose loss is not survived."""
        return tuple(region for region, left in self.spare if left < 0)

    @property
    def survived(self) -> tuple[str, ...]:
        return tuple(region for region, left in self.spare if left >= 0)


@dataclass(frozen=True, slots=True)
class RoleAvailability:
    """What one role survives.

    ``resilience`` is how many nodes may fail, whichever they are: one fewer than ``smallest_blocking`` has,
    -1 if nothing is a quorum even while all are up.  ``blocking`` are minimal blocking sets, ``quorums``
    and ``blockings`` how many minimal ones there are.  ``dictators`` are quorums alone, ``vetoes`` are in
    every quorum, ``dummies`` in no minimal one.
    """

    role: str
    nodes: int
    resilience: int
    smallest_quorum: frozenset[str] | None
    smallest_blocking: frozenset[str]
    blocking: MinimalSets
    quorums: Count
    blockings: Count
    dictators: tuple[str, ...]
    vetoes: tuple[str, ...]
    dummies: tuple[str, ...]
    regions: RegionAvailability | None


@dataclass(frozen=True, slots=True)
class Availability:
    """What a system survives; ``failures`` is how many failing nodes were asked about, if so."""

    system: QuorumSystem
    roles: tuple[RoleAvailability, ...]
    failures: int | None

    @property
    def resilience(self) -> int:
        """How many nodes may fail so that every role still has a quorum."""
        return min(role.resilience for role in self.roles)

    @property
    def blocked(self) -> tuple[RoleAvailability, ...]:
        """The roles that so many failures may leave without a quorum: their smallest blocking sets show it."""
        return tuple(role for role in self.roles if role.resilience < (self.failures or 0))

    @property
    def verdict(self) -> Verdict:
        """Whether every role survives as many failures as were asked about, or 0."""
        return Verdict.VIOLATED if self.blocked else Verdict.HOLDS


def availability(
    system: QuorumSystem,
    failures: int | None = None,
    *,
    roles: Collection[str] | None = None,
    listed: int = LISTED,
    timeout_s: float = TIMEOUT_S,
) -> Availability:
    """What the roles of a system survive; with ``failures``, whether any so many nodes may fail.

    Raises `QuorumError` for roles that do not exist and a role that needs no nodes at all, `TimedOut` if a
    smallest set is not proved so in time.

    >>> from scrutator.model.quorums import parse_system
    >>> found = availability(parse_system("read = a*b + c*d; write = dual"), 1)
    >>> [(role.role, role.resilience, role.smallest_blocking == {"a", "c"}) for role in found.roles]
    [('read', 1, True), ('write', 1, False)]
    >>> found.verdict.value
    'holds'
    """
    if failures is not None and failures < 0:
        raise QuorumError(f"{failures} failures: 0 or more")
    for role in roles or ():
        if role not in system.roles:
            raise QuorumError(f"there is no role {role}: the roles are {', '.join(system.roles)}")
    chosen = [role for role in system.roles if roles is None or role in roles]
    until = monotonic() + timeout_s
    found = tuple(_role(system, role, listed, until) for role in chosen)
    return Availability(system, found, failures)


def _role(system: QuorumSystem, role: str, listed: int, until: float) -> RoleAvailability:
    expression = system.roles[role]
    blocking = smallest_blocking(expression, timeout_s=until - monotonic())
    return RoleAvailability(
        role=role,
        nodes=len(expression.names()),
        resilience=len(blocking) - 1,
        smallest_quorum=smallest_quorum(expression, timeout_s=until - monotonic()) if blocking else None,
        smallest_blocking=blocking,
        blocking=minimal_blocking_sets(expression, listed),
        quorums=count_minimal_quorums(expression),
        blockings=count_minimal_quorums(expression.dual()),
        dictators=dictators(expression),
        vetoes=vetoes(expression),
        dummies=dummies(expression),
        regions=region_availability(expression, timeout_s=until - monotonic()) if blocking else None,
    )


# --- regions ------------------------------------------------------------------------------


def region_availability(expression: Expression, *, timeout_s: float = TIMEOUT_S) -> RegionAvailability | None:
    """What is survived of regions being lost; None if no node has a region.

    Nodes without one are never lost with any.  Raises as `availability` does.
    """
    inside: dict[str, set[str]] = {}
    for node in expression.nodes():
        if node.region is not None:
            inside.setdefault(node.region, set()).add(node.name)
    if not inside:
        return None
    until = monotonic() + timeout_s
    blocking = _fewest_regions(expression, timeout_s)
    spare = []
    for region, names in inside.items():
        left = expression.restricted(absent=names)
        spare.append((region, len(smallest_blocking(left, timeout_s=until - monotonic())) - 1))
    return RegionAvailability(
        smallest_blocking=blocking,
        resilience=len(inside) if blocking is None else len(blocking) - 1,
        spare=tuple(spare),
        lost_pairs=_lost_pairs(expression, inside, [region for region, left in spare if left >= 0]),
    )


def _fewest_regions(expression: Expression, timeout_s: float) -> frozenset[str] | None:
    """The fewest regions without which there is no quorum: each region in place of its nodes, which fail together."""

    merged = expression.mapped(lambda node: ALWAYS if node.region is None else Node(node.region))
    if merged.is_quorum(()):
        return None
    return smallest_blocking(merged, timeout_s=timeout_s)


def _lost_pairs(
    expression: Expression, inside: dict[str, set[str]], survived: list[str]
) -> tuple[tuple[str, str], ...] | None:
    if len(survived) > REGIONS_MAX:
        return None
    everyone = frozenset(expression.names())
    return tuple(
        (first, second)
        for first, second in combinations(survived, 2)
        if not expression.is_quorum(everyone - inside[first] - inside[second])
    )
