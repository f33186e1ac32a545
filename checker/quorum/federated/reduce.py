"""A federated system made small: alike nodes become one class with a count, equal thresholds one gate.

Two nodes are alike if they ask for the same and stand, with the same weight, in the same thresholds:
swapping them changes nothing, so that of a set of nodes only the number in each class matters.
Law: nothing is lost.  A set of nodes is a quorum iff its counts are closed and not empty, and every
question about quorums, their sizes and numbers, has the same answer in both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import comb, prod

from scrutator.model.quorums.expression import AtLeast, Expression, Node, parts
from scrutator.model.quorums.federated import FederatedSystem, Missing

Counts = tuple[int, ...]
Part = str | int  # a node by its name, a gate by its number


@dataclass(frozen=True, slots=True)
class Gate:
    """A threshold: over nodes of classes, each of a weight, and over gates before it."""

    needed: int
    classes: tuple[tuple[int, int], ...]  # class, weight of each of its nodes that is present
    gates: tuple[tuple[int, int], ...]  # gate, weight


@dataclass(frozen=True, slots=True)
class Reduced:
    """Classes of alike nodes; for each the gate that its nodes ask for.

    ``makers`` are the classes of nodes with a quorum set: a quorum has a node of one of them.
    """

    classes: tuple[tuple[str, ...], ...]
    gates: tuple[Gate, ...]
    slices: tuple[int, ...]
    makers: tuple[bool, ...]

    @property
    def sizes(self) -> Counts:
        """How many nodes each class has."""
        return tuple(len(names) for names in self.classes)

    def below(self) -> list[frozenset[int]]:
        """The classes that each gate has to do with."""
        found: list[frozenset[int]] = []
        for gate in self.gates:
            found.append(frozenset(c for c, _ in gate.classes).union(*(found[g] for g, _ in gate.gates)))
        return found

    def satisfied(self, counts: Sequence[int]) -> list[bool]:
        """Which gates so many nodes of each class satisfy."""
        held: list[bool] = []
        for gate in self.gates:
            weight = 0
            for c, each in gate.classes:
                weight += each * counts[c]
            for g, each in gate.gates:
                if held[g]:
                    weight += each
            held.append(weight >= gate.needed)
        return held

    def greatest_quorum(self, within: Sequence[int]) -> Counts:
        """The greatest quorum among so many nodes of each class; all 0 if there is none."""
        left = list(within)
        lost = True
        while lost:
            held = self.satisfied(left)
            lost = False
            for c, gate in enumerate(self.slices):
                if left[c] and not held[gate]:
                    left[c], lost = 0, True
        if not any(count and maker for count, maker in zip(left, self.makers, strict=True)):
            return (0,) * len(left)
        return tuple(left)

    def holds_quorum(self, within: Sequence[int]) -> bool:
        """Whether there is a quorum among so many nodes of each class."""
        return any(self.greatest_quorum(within))

    def names(self, counts: Sequence[int], skip: Sequence[int] | None = None) -> frozenset[str]:
        """So many nodes of each class, by name; the first ones, after those to skip."""
        starts = skip or (0,) * len(counts)
        return frozenset(
            name
            for names, start, count in zip(self.classes, starts, counts, strict=True)
            for name in names[start : start + count]
        )

    def sets(self, counts: Sequence[int]) -> int:
        """How many sets of nodes have these counts."""
        return prod(comb(size, count) for size, count in zip(self.sizes, counts, strict=True))


def reduced(system: FederatedSystem, within: Collection[str] | None = None, by: Mapping[str, str] | None = None) -> Reduced:
    """The system with alike nodes in classes; only the nodes ``within``, for whom all others are absent.

    Nodes of different groups (``by``) are not alike.
    """
    universe = frozenset(system.names() if within is None else within)
    gates = _Gates(universe)
    asked = {name: gates.of_slice(system, name) for name in system.names() if name in universe}
    asked = gates.with_selves(asked)
    used = gates.used(asked.values())
    places: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for number in used:
        for part, weight in gates.listed[number][1]:
            if isinstance(part, str):
                places[part].append((number, weight))
    alike: dict[object, list[str]] = defaultdict(list)
    for name, gate in asked.items():
        made = system.slices[name] is not None
        alike[(gate, made, tuple(places[name]), by.get(name, (name,)) if by is not None else None)].append(name)
    position = {names[0]: c for c, names in enumerate(alike.values())}
    new = {number: k for k, number in enumerate(used)}
    classes = tuple(tuple(names) for names in alike.values())
    return Reduced(
        classes,
        tuple(_counted(gates.listed[number], position, new) for number in used),
        tuple(new[asked[names[0]]] for names in classes),
        tuple(system.slices[names[0]] is not None for names in classes),
    )


Threshold = tuple[int, tuple[tuple[Part, int], ...]]  # weight needed; members with their weights
ALWAYS: Threshold = (0, ())
NEVER: Threshold = (1, ())


class _Gates:
    """Thresholds by number, each once; members before what they are members of."""

    def __init__(self, universe: frozenset[str]) -> None:
        self.universe = universe
        self.listed: list[Threshold] = []
        self.numbers: dict[Threshold, int] = {}
        self.made: dict[int, int] = {}  # by the identity of an expression, which the system keeps alive

    def number(self, threshold: Threshold) -> int:
        if threshold not in self.numbers:
            self.numbers[threshold] = len(self.listed)
            self.listed.append(threshold)
        return self.numbers[threshold]

    def of_slice(self, system: FederatedSystem, name: str) -> int:
        expression = system.slices[name]
        if expression is None:
            return self.number(ALWAYS if system.missing is Missing.FREE else NEVER)
        if id(expression) not in self.made:
            self.made[id(expression)] = self.of(expression)
        return self.made[id(expression)]

    def of(self, expression: Expression) -> int:
        """The gate of an expression, whose absent nodes are left out."""
        values: dict[int, Part] = {}
        for part in parts(expression):
            if isinstance(part, Node):
                values[id(part)] = part.name if part.name in self.universe else self.number(NEVER)
            elif isinstance(part, AtLeast):
                values[id(part)] = self.simplified(
                    part.needed, [(values[id(member)], weight) for weight, member in part.members]
                )
        root = values[id(expression)]
        return root if isinstance(root, int) else self.number((1, ((root, 1),)))

    def simplified(self, needed: int, members: list[tuple[Part, int]]) -> Part:
        weights: dict[Part, int] = defaultdict(int)
        for part, weight in members:
            if isinstance(part, int) and not self.listed[part][1]:
                needed -= weight if self.listed[part] == ALWAYS else 0
            else:
                weights[part] += weight
        if needed <= 0:
            return self.number(ALWAYS)
        if sum(weights.values()) < needed:
            return self.number(NEVER)
        if len(weights) == 1:
            return next(iter(weights))
        ordered = sorted(weights.items(), key=lambda item: (isinstance(item[0], int), item))
        return self.number((needed, tuple((part, min(weight, needed)) for part, weight in ordered)))

    def with_selves(self, asked: dict[str, int]) -> dict[str, int]:
        """Slices that leave out the node itself put as ones that name it, where that makes nodes alike.

        Two of b and c is for a, who is present, the same as three of a, b and c.
        """
        put: dict[str, int] = {}
        for name, gate in asked.items():
            needed, members = self.listed[gate]
            if members and not any(part == name for part, _ in members):
                plain = self.simplified(needed + 1, [*members, (name, 1)])
                assert isinstance(plain, int)
                put[name] = plain
        before, after = _tally(asked), _tally(put)
        return {
            name: put[name] if name in put and after[put[name]] + (before[put[name]]) > before[gate] else gate
            for name, gate in asked.items()
        }

    def used(self, roots: Collection[int]) -> list[int]:
        """The gates that count for these, in order."""
        found: set[int] = set()
        stack = list(roots)
        while stack:
            number = stack.pop()
            if number not in found:
                found.add(number)
                stack.extend(part for part, _ in self.listed[number][1] if isinstance(part, int))
        return sorted(found)


def _tally(gates: Mapping[str, int]) -> dict[int, int]:
    tally: dict[int, int] = defaultdict(int)
    for gate in gates.values():
        tally[gate] += 1
    return tally


def _counted(threshold: Threshold, position: Mapping[str, int], new: Mapping[int, int]) -> Gate:
    """A threshold over classes: of alike nodes, all of the same weight in it, the first stands for all."""
    needed, members = threshold
    classes = tuple((position[part], weight) for part, weight in members if isinstance(part, str) and part in position)
    return Gate(needed, classes, tuple((new[part], weight) for part, weight in members if isinstance(part, int)))


def components(system: Reduced, alive: Sequence[int]) -> Iterator[list[int]]:
    """The strongly connected components of who asks for whom, among the classes alive (Tarjan, 1972)."""
    below = system.below()
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    path: list[int] = []
    on_path: set[int] = set()
    for root in (c for c, count in enumerate(alive) if count):
        stack: list[tuple[int, Iterator[int]]] = [] if root in order else [(root, iter(()))]
        while stack:
            c, rest = stack.pop()
            if c not in order:
                order[c] = low[c] = len(order)
                path.append(c)
                on_path.add(c)
                rest = iter(below[system.slices[c]])
            for other in rest:
                if not alive[other]:
                    continue
                if other not in order:
                    stack += [(c, rest), (other, iter(()))]
                    break
                if other in on_path:
                    low[c] = min(low[c], order[other])
            else:
                if low[c] == order[c]:
                    found = path[path.index(c) :]
                    del path[path.index(c) :]
                    on_path.difference_update(found)
                    yield found
                if stack:
                    low[stack[-1][0]] = min(low[stack[-1][0]], low[c])
