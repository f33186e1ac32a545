"""Exchangeable classes: found where they are, and of use only where nothing is lost."""

from __future__ import annotations

from itertools import permutations, product

import federated_subsets as slow
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import organisations, scattered

from scrutator.checker.quorum.federated import minimal_blocking_sets, minimal_quorums, smallest_blocking_set
from scrutator.checker.quorum.federated.reduce import reduced
from scrutator.checker.quorum.federated.symmetry import copies, exchanged, narrowed, opposite, orbits
from scrutator.model.quorums.expression import AtLeast, Expression, Node, nodes
from scrutator.model.quorums.federated import FederatedSystem


def test_organisations_of_a_size_are_exchangeable() -> None:
    part = reduced(organisations([3, 5, 3, 5, 3]))
    found = [[len(part.classes[c]) for c in orbit] for orbit in orbits(part)]
    assert sorted(found) == [[3, 3, 3], [5, 5]]
    assert orbits(reduced(scattered(9, 2, 5))) == ()


@settings(max_examples=60, deadline=None)
@given(slow.systems())
def test_exchanged_quorums_are_quorums(system: FederatedSystem) -> None:
    part = reduced(system)
    all_orbits = orbits(part)
    for counts in product(*(range(size + 1) for size in part.sizes)):
        quorum = part.greatest_quorum(counts)
        for orbit in all_orbits:
            swapped = list(counts)
            swapped[orbit[0]], swapped[orbit[1]] = counts[orbit[1]], counts[orbit[0]]
            assert sorted(part.greatest_quorum(swapped)) == sorted(quorum)


pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=5)


@given(pairs)
def test_who_hits_the_opposite_hits_all_copies(counts: list[tuple[int, int]]) -> None:
    orbit = (tuple(range(len(counts))),)
    falling = sorted((a for a, _ in counts), reverse=True)
    other = tuple(b for _, b in counts)
    hits = [any(a + b > 3 for a, b in zip(falling, copy, strict=True)) for copy in permutations(other)]
    assert any(a + b > 3 for a, b in zip(falling, opposite(other, orbit), strict=True)) == all(hits)
    assert set(exchanged(other, orbit)) == set(permutations(other)) and copies(other, orbit) == len(set(permutations(other)))


@given(pairs)
def test_narrowed_boxes_lose_nothing_that_falls(counts: list[tuple[int, int]]) -> None:
    low, high = tuple(min(pair) for pair in counts), tuple(max(pair) for pair in counts)
    orbit = (tuple(range(len(counts))),)
    lows, highs = narrowed(low, high, orbit)
    for choice in product(*(range(a, b + 1) for a, b in zip(low, high, strict=True))):
        if list(choice) == sorted(choice, reverse=True):
            assert all(a <= c <= b for a, c, b in zip(lows, choice, highs, strict=True))
    assert list(lows) == sorted(lows, reverse=True)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_pairs_of_nodes_that_can_be_exchanged(data: st.DataObject) -> None:
    """Organisations of two and a single node: with enough symmetry to be of use, and few enough to try all."""
    own = [nodes("a b"), nodes("c d"), nodes("e f")]
    inner, outer = data.draw(st.integers(1, 2)), data.draw(st.integers(1, 4))
    slices: dict[str, Expression | None] = {}
    for k, pair in enumerate(own):
        members: list[Expression] = [AtLeast(inner, ((1, x), (1, y))) for j, (x, y) in enumerate(own) if j != k]
        members += [*pair] if data.draw(st.booleans()) else [AtLeast(inner, ((1, pair[0]), (1, pair[1])))]
        if data.draw(st.booleans()):
            members.append(Node("g"))
        slices.update(dict.fromkeys((node.name for node in pair), AtLeast(outer, tuple((1, m) for m in members))))
    slices["g"] = data.draw(st.sampled_from([None, slices["a"]]))
    system = FederatedSystem("pairs", slices)
    quorums, blocking = slow.quorums(system), slow.blocking(system)
    assert sorted(map(sorted, minimal_quorums(system).sets or ())) == sorted(map(sorted, slow.minimal(quorums)))
    assert sorted(map(sorted, minimal_blocking_sets(system).sets or ())) == sorted(map(sorted, slow.minimal(blocking)))
    assert smallest_blocking_set(system).size == min(map(len, blocking))
