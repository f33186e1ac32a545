"""The slow and obvious twin: federated systems by their definitions, over all sets of nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from hypothesis import strategies as st

from scrutator.model.quorums.expression import AtLeast, Expression, Node
from scrutator.model.quorums.federated import FederatedSystem, Missing

NAMES = "abcdefg"


@st.composite
def systems(draw: st.DrawFn, nodes: int = 6) -> FederatedSystem:
    """Random systems: few distinct slices, so that nodes are alike; some without; members twice; strangers."""
    names = NAMES[: draw(st.integers(1, nodes))]

    def expression(depth: int) -> Expression:
        members: list[tuple[int, Expression]] = []
        for _ in range(draw(st.integers(1, 4))):
            nested = depth > 0 and draw(st.integers(0, 2)) == 0
            weight = draw(st.sampled_from([1, 1, 1, 2]))
            members.append((weight, expression(depth - 1) if nested else Node(draw(st.sampled_from(names)))))
        return AtLeast(draw(st.integers(0 if draw(st.integers(0, 9)) == 0 else 1, len(members) + 1)), tuple(members))

    pool: list[Expression | None] = [expression(2) for _ in range(draw(st.integers(1, 3)))]
    if len(names) > 2:
        pool.append(AtLeast(draw(st.integers(1, len(names))), tuple((1, Node(name)) for name in names)))
    if draw(st.booleans()):
        pool.append(None)
    others = draw(st.booleans())  # everyone names the others, not itself
    slices: dict[str, Expression | None] = {}
    for name in names:
        if others and len(names) > 1 and draw(st.booleans()):
            rest = tuple((1, Node(other)) for other in names if other != name)
            slices[name] = AtLeast(draw(st.integers(1, len(rest))), rest)
        else:
            slices[name] = draw(st.sampled_from(pool))
    return FederatedSystem("random", slices, missing=draw(st.sampled_from(Missing)))


def subsets(names: tuple[str, ...]) -> Iterator[frozenset[str]]:
    """All sets, smaller ones first."""
    for size in range(len(names) + 1):
        yield from map(frozenset, combinations(names, size))


def quorums(system: FederatedSystem, helpers: frozenset[str] = frozenset()) -> list[frozenset[str]]:
    """Every quorum of those that do not help everyone, by the definition."""

    def satisfied(name: str, present: frozenset[str]) -> bool:
        given = system.slices[name]
        return system.missing is Missing.FREE if given is None else given.is_quorum(present | helpers | {name})

    return [
        found
        for found in subsets(system.names())
        if not found & helpers
        and any(system.slices[name] is not None for name in found)
        and all(satisfied(name, found) for name in found)
    ]


def smallest_pair(found: list[frozenset[str]]) -> int | None:
    """How many nodes two disjoint ones have together, at least."""
    return min((len(a) + len(b) for a in found for b in found if not a & b), default=None)


def minimal(sets: list[frozenset[str]]) -> list[frozenset[str]]:
    """Those that hold no other."""
    return [one for one in sets if not any(other < one for other in sets)]


def blocking(system: FederatedSystem) -> list[frozenset[str]]:
    """Every set that has a node of each quorum."""
    found = quorums(system)
    return [chosen for chosen in subsets(system.names()) if all(chosen & quorum for quorum in found)]


def splitting(system: FederatedSystem) -> list[frozenset[str]]:
    """Every set of nodes with whose help two quorums of the others are disjoint."""
    return [chosen for chosen in subsets(system.names()) if smallest_pair(quorums(system, chosen)) is not None]


def touched(chosen: frozenset[str], by: Mapping[str, str]) -> frozenset[str]:
    """The groups of the nodes; one without a group is one by itself."""
    return frozenset(by.get(name, name) for name in chosen)
