"""What sets are counted in: nodes of a class, or whole groups of nodes.

A choice says how many of each unit there are in a set.  Law: more units never hold fewer quorums, nor
leave more of them: whether a choice holds a quorum, and whether it blocks all, grow with the choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb, prod

from scrutator.checker.quorum.federated.reduce import Counts, Reduced
from scrutator.checker.quorum.federated.symmetry import Orbits, orbits


@dataclass(frozen=True, slots=True)
class Units:
    """Units of a reduced system: the classes of each, and how many of it there are.

    A unit is a class, of which any number may be chosen, or a group, all of whose nodes are.
    """

    part: Reduced
    classes: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]  # of groups; empty if the units are classes
    orbits: Orbits  # units that may be exchanged

    @property
    def most(self) -> Counts:
        """How many there are of each unit."""
        return (1,) * len(self.classes) if self.names else self.part.sizes

    def counts(self, choice: Counts) -> Counts:
        """How many nodes of each class are chosen."""
        if not self.names:
            return choice
        found = [0] * len(self.part.classes)
        for classes, chosen in zip(self.classes, choice, strict=True):
            for c in classes if chosen else ():
                found[c] = self.part.sizes[c]
        return tuple(found)

    def left(self, choice: Counts) -> Counts:
        """How many nodes of each class are not chosen."""
        return tuple(size - count for size, count in zip(self.part.sizes, self.counts(choice), strict=True))

    def blocks(self, choice: Counts) -> bool:
        """Whether the others hold no quorum."""
        return not self.part.holds_quorum(self.left(choice))

    def holds(self, choice: Counts) -> bool:
        """Whether there is a quorum among the chosen."""
        return self.part.holds_quorum(self.counts(choice))

    def touched(self, quorum: Counts) -> Counts:
        """The smallest choice with all of these nodes."""
        if not self.names:
            return quorum
        return tuple(int(any(quorum[c] for c in classes)) for classes in self.classes)

    def within(self, choice: Counts, counts: Counts) -> bool:
        """Whether each unit that is chosen has its nodes, or some of its group, among so many of each class."""
        return all(a <= b for a, b in zip(choice, self.touched(counts), strict=True))

    def sets(self, choice: Counts) -> int:
        """How many sets of nodes, or of groups, have these counts."""
        return prod(comb(most, chosen) for most, chosen in zip(self.most, choice, strict=True))


def units_of(part: Reduced, by: Mapping[str, str] | None = None) -> Units:
    """The units of a reduced system, whose classes do not span groups."""
    if by is None:
        return Units(part, tuple((c,) for c in range(len(part.classes))), (), orbits(part))
    groups: dict[tuple[str, bool], list[int]] = {}
    for c, names in enumerate(part.classes):
        grouped = names[0] in by
        groups.setdefault((by[names[0]] if grouped else names[0], grouped), []).append(c)
    units = tuple(tuple(classes) for classes in groups.values())
    single = all(len(classes) == 1 for classes in units)  # then units are in the order of classes
    return Units(part, units, tuple(name for name, _ in groups), orbits(part) if single else ())
