"""Random quorum expressions for Hypothesis, and the sets of nodes that decide about them by brute force."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from hypothesis import strategies as st

from scrutator.model.quorums.expression import AtLeast, Expression, Node

NAMES = "abcdefghijkl"


@st.composite
def expressions(draw: st.DrawFn, nodes: int = 6, depth: int = 3, weight_max: int = 3, read_once: bool = False) -> Expression:
    """Nested weighted thresholds over at most that many nodes.

    Nodes are named more than once unless ``read_once``; parts are shared at times.  Every expression
    has a quorum, and none is met by the empty set.
    """
    names = list(NAMES[: draw(st.integers(1, nodes))])
    fresh = draw(st.permutations(names)) if read_once else []
    made: list[Expression] = []

    def part(left: int) -> Expression | None:
        if made and not read_once and draw(st.integers(0, 7)) == 0:
            return draw(st.sampled_from(made))
        if left == 0 or draw(st.integers(0, 3)) == 0:
            return leaf()
        members = [m for m in (part(left - 1) for _ in range(draw(st.integers(1, 4)))) if m is not None]
        if not members:
            return None
        weights = draw(st.lists(st.integers(1, weight_max), min_size=len(members), max_size=len(members)))
        if draw(st.booleans()):
            weights = [1] * len(members)
        needed = draw(st.integers(1, sum(weights)))
        made.append(AtLeast(needed, tuple(zip(weights, members, strict=True))))
        return made[-1]

    def leaf() -> Node | None:
        if read_once:
            return Node(fresh.pop()) if fresh else None
        return Node(draw(st.sampled_from(names)))

    found = part(depth)
    assert found is not None  # the first leaf always finds a name
    return found


def subsets(names: Sequence[str]) -> Iterator[frozenset[str]]:
    """All sets of the names, smaller ones first."""
    for size in range(len(names) + 1):
        yield from map(frozenset, combinations(names, size))


def quorums(expression: Expression) -> list[frozenset[str]]:
    """Every quorum of the nodes named, smallest first."""
    return [s for s in subsets(sorted(expression.names())) if expression.is_quorum(s)]


def minimal_of(sets: list[frozenset[str]]) -> list[frozenset[str]]:
    """The sets that have no proper subset among them."""
    return [s for s in sets if not any(other < s for other in sets)]


def blocking_sets(expression: Expression) -> list[frozenset[str]]:
    """Every set of the nodes named without which there is no quorum, smallest first."""
    names = sorted(expression.names())
    everyone = frozenset(names)
    return [s for s in subsets(names) if not expression.is_quorum(everyone - s)]
