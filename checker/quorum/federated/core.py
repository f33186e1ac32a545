"""Where the quorums of a federated system are: the parts of it that every smallest answer lies in.

Law: every minimal quorum is within one part.  For a minimal quorum is within one strongly connected
component of who asks for whom, as its members in a component that asks for no other would be a quorum.
Nodes that may be in any quorum belong to no component; where they matter, all is one part.
Source: Lachowski, "Complexity of the quorum intersection property of the Federated Byzantine
Agreement System", 2019.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scrutator.checker.quorum.federated.reduce import Counts, Reduced, components, reduced
from scrutator.model.quorums.federated import FederatedSystem


@dataclass(frozen=True, slots=True)
class Core:
    """The parts in which the minimal quorums are, by the names of their nodes; none if there is no quorum.

    ``greatest`` is the union of all quorums, of which the parts need not be everything.
    """

    parts: tuple[frozenset[str], ...]
    greatest: frozenset[str]

    @property
    def nodes(self) -> frozenset[str]:
        """The nodes of all parts."""
        return frozenset().union(*self.parts)


def core_of(system: FederatedSystem) -> Core:
    """The parts of a system that its minimal quorums are in."""
    whole = reduced(system)
    greatest = whole.greatest_quorum(whole.sizes)
    free = [bool(count) and not maker for count, maker in zip(greatest, whole.makers, strict=True)]
    found: list[Counts] = []
    for component in components(whole, greatest):
        members = frozenset(c for c in component if whole.makers[c])
        inside = [n if c in members or free[c] else 0 for c, n in enumerate(greatest)]
        quorum = whole.greatest_quorum(inside)
        if any(quorum):
            found.append(_asked(whole, quorum))
    parts = [whole.names(counts) for counts in found]
    if any(counts[c] for counts in found for c, yes in enumerate(free) if yes):
        parts = [frozenset().union(*parts)]
    return Core(tuple(parts), whole.names(greatest))


def _asked(system: Reduced, quorum: Counts) -> Counts:
    """The quorum without nodes that none of its nodes with a quorum set asks for."""
    below = system.below()
    makers = [c for c, count in enumerate(quorum) if count and system.makers[c]]
    asked = frozenset(makers).union(*(below[system.slices[c]] for c in makers))
    return tuple(count if c in asked else 0 for c, count in enumerate(quorum))


def reduced_core(system: FederatedSystem, by: Mapping[str, str] | None = None) -> list[Reduced]:
    """The parts of the core, reduced; all of it as one where nodes count by groups, which may span parts."""
    core = core_of(system)
    if by is not None and core.parts:
        return [reduced(system, core.nodes, by)]
    return [reduced(system, part, by) for part in core.parts]
