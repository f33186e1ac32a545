"""Smallest quorums, blocking sets, and numbers of minimal ones, held against all subsets and published values."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from random_systems import NAMES, blocking_sets, expressions, minimal_of, quorums, subsets

from scrutator.checker.quorum import blocking
from scrutator.checker.quorum.blocking import resilience, smallest_blocking, smallest_quorum
from scrutator.checker.quorum.circuit import compiled
from scrutator.checker.quorum.minimal_sets import (
    Count,
    _names,
    _of_nodes,
    _of_threshold,
    _Search,
    count_minimal_quorums,
    minimal_blocking_sets,
    minimal_sets,
)
from scrutator.model.quorums import (
    AtLeast,
    Expression,
    QuorumError,
    all_of,
    any_of,
    majority,
    nodes,
    parse,
    weighted,
)
from scrutator.model.quorums.expression import ALWAYS, NEVER, minimal

COSTS = st.lists(st.integers(0, 5), min_size=len(NAMES), max_size=len(NAMES))


@settings(max_examples=100, deadline=None)
@given(expressions(7))
def test_circuit_has_the_same_quorums(expression: Expression) -> None:
    circuit = compiled(expression)
    assert not isinstance(circuit, bool)
    again = circuit.expression(circuit.root, lambda k: None)
    for chosen in subsets(sorted(expression.names())):
        assert expression.is_quorum(chosen) == circuit.is_quorum(chosen) == again.is_quorum(chosen)


@settings(max_examples=100, deadline=None)
@given(expressions(7))
def test_smallest_is_smallest(expression: Expression) -> None:
    quorum, block = smallest_quorum(expression), smallest_blocking(expression)
    assert quorum in quorums(expression) and block in blocking_sets(expression)
    assert len(quorum) == len(quorums(expression)[0])
    assert len(block) == len(blocking_sets(expression)[0]) == resilience(expression) + 1


@settings(max_examples=80, deadline=None)
@given(expressions(7), COSTS)
def test_cheapest_is_cheapest(expression: Expression, listed: list[int]) -> None:
    costs = dict(zip(NAMES, listed, strict=True))

    def cost(quorum: frozenset[str]) -> int:
        return sum(costs[name] for name in quorum)

    found = smallest_quorum(expression, costs)
    assert expression.is_quorum(found)
    assert cost(found) == min(map(cost, quorums(expression)))
    scaled = {name: Fraction(value, 7) for name, value in costs.items()}
    assert cost(smallest_quorum(expression, scaled)) == cost(found)


@settings(max_examples=60, deadline=None)
@given(expressions(7, read_once=True), COSTS)
def test_programming_agrees_with_solvers(expression: Expression, listed: list[int]) -> None:
    costs = dict(zip(NAMES, listed, strict=True))
    found = smallest_quorum(expression, costs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocking, "CHOICES_MAX", -1)
        solved = smallest_quorum(expression, costs)
    assert sum(costs[name] for name in found) == sum(costs[name] for name in solved)


@settings(max_examples=100, deadline=None)
@given(expressions(7), st.integers(1, 8))
def test_minimal_sets_are_all_and_counted(expression: Expression, limit: int) -> None:
    wanted = set(minimal_of(quorums(expression)))
    listed = minimal_sets(expression, 10_000)
    assert listed.complete and set(listed.sets) == wanted and len(listed.sets) == len(wanted)
    assert count_minimal_quorums(expression) == Count(len(wanted))
    few = minimal_sets(expression, limit)
    assert few.sets == listed.sets[:limit] and few.complete == (len(wanted) <= limit)
    assert set(minimal_blocking_sets(expression, 10_000).sets) == set(minimal_of(blocking_sets(expression)))


@settings(max_examples=80, deadline=None)
@given(expressions(7), st.integers(1, 8))
def test_search_for_minimal_sets(expression: Expression, limit: int) -> None:
    circuit = compiled(expression)
    assert not isinstance(circuit, bool)
    wanted = set(minimal_of(quorums(expression)))
    for most in (limit, 10_000):
        search = _Search(circuit, most)
        found = {_names(circuit, mask) for mask in search.found}
        assert found <= wanted and len(found) == len(search.found) <= most
        assert found == wanted or not search.complete
    assert search.complete


DISJUNCTIONS = st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=5), min_size=2, max_size=9)


@settings(max_examples=300, deadline=None)
@given(DISJUNCTIONS)
@example([list("gfbd"), list("be"), list("ghd"), list("gfa"), list("hcfa")])  # missed the first for a while
def test_search_misses_none(listed: list[list[str]]) -> None:
    expression = any_of(all_of(nodes(names)) for names in listed)
    circuit = compiled(expression)
    assert not isinstance(circuit, bool)
    search = _Search(circuit, 1_000)
    assert search.complete and len(search.found) == len(set(search.found))
    assert {_names(circuit, mask) for mask in search.found} == set(minimal([frozenset(names) for names in listed]))


@given(st.lists(st.integers(1, 300), min_size=2, max_size=70), st.data())
@settings(max_examples=100, deadline=None)
def test_counting_in_digits(weights: list[int], data: st.DataObject) -> None:
    needed = data.draw(st.integers(1, sum(weights)))
    circuit = compiled(AtLeast(needed, tuple(zip(weights, nodes(f"n{k}" for k in range(len(weights))), strict=True))))
    assert not isinstance(circuit, bool)
    gate = circuit.parts[-1]
    if isinstance(gate, str):
        return
    count = _of_threshold(gate, {k: Count(1) for k in gate.positions})
    assert count.exact and count.value == _of_nodes(sorted((w for w, _ in gate.members), reverse=True), gate.needed)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(a + b)*(c + d)", 1),
        ("(a + b + c)*(a + e + f)", 2),
        ("(a + a + c)*(d + e + f)", 1),
        ("a*b + b*c + a*d + a*d*e", 1),
        ("choose(2, a, b, c, d, e)", 3),
        ("choose(3, a, b, c, d, e)", 2),
        ("choose(4, a, b, c, d, e)", 1),
        ("choose(2, a + b + c, d + e, f)", 2),
        ("choose(2, a*b, a*c, d)", 0),
        ("choose(2, a + b, a + c, a + d)", 2),
        ("plane(n1, ..., n21)", 4),
    ],
)
def test_published_resilience(text: str, expected: int) -> None:
    assert resilience(parse(text)) == expected


@pytest.mark.parametrize(
    ("text", "quorums", "sizes", "blocking"),
    [
        ("majority(n1, ..., n9)", 126, {5}, 5),
        ("plane(n1, ..., n7)", 7, {3}, 3),
        ("plane(n1, ..., n13)", 13, {4}, 4),
        ("plane(n1, ..., n21)", 21, {5}, 5),
        ("wheel(n1, ..., n10)", 10, {2, 9}, 2),
        ("grid([a, b], [c, d])", 4, {3}, 2),
        ("grid([a, b, c], [d, e, f], [g, h, i])", 9, {5}, 3),
        ("wall([a], [b, c], [d, e, f])", 10, {3}, 3),
        ("wall([a], [b, c], [d, e, f], [g, h, i, j])", 41, {4}, 4),
        ("wall([a], [b, c], [d, e], [f, g])", 15, {2, 3, 4}, 2),
        ("wall([a, b], [c, d, e], [f, g, h, i])", 17, {4}, 3),
        ("tree(a, b, c)", 3, {2}, 2),
        ("tree(a, b, c, d, e, f, g)", 15, {3, 4}, 3),
        ("hierarchy([a, b, c], [d, e, f], [g, h, i])", 27, {4}, 4),
        ("weighted(4, 3*a, b, c, d)", 3, {2}, 1),
        ("joint(majority(a, b, c), majority(c, d, e))", 5, {3, 4}, 2),
    ],
)
def test_classical_systems(text: str, quorums: int, sizes: set[int], blocking: int) -> None:
    expression = parse(text)
    listed = minimal_sets(expression, 1_000)
    assert len(listed.sets) == quorums and {len(q) for q in listed.sets} == sizes
    assert count_minimal_quorums(expression) == Count(quorums)
    assert len(smallest_quorum(expression)) == min(sizes)
    assert len(smallest_blocking(expression)) == blocking


def test_large_systems() -> None:
    rng = random.Random(1)
    weights = [rng.randint(1, 1000) for _ in range(500)]
    heavy = weighted(sum(weights) // 2 + 1, zip(weights, nodes(f"w{k}" for k in range(500)), strict=True))
    by_weight, most = sorted(weights, reverse=True), 0
    while sum(by_weight[:most]) <= sum(weights) // 2:
        most += 1
    assert len(smallest_quorum(heavy)) == most
    assert len(str(count_minimal_quorums(heavy).value)) > 140
    square = parse("grid(" + ", ".join(f"[g{r}x1, ..., g{r}x20]" for r in range(20)) + ")")
    assert len(smallest_quorum(square)) == 39 and len(smallest_blocking(square)) == 20
    assert count_minimal_quorums(square) == Count(400)
    blocking = count_minimal_quorums(square.dual())
    assert not blocking.exact and blocking.value > 1
    assert not minimal_blocking_sets(square, 5).complete
    assert resilience(majority(nodes(f"m{k}" for k in range(201)))) == 100


def test_heavy_stakes_are_asked_of_solvers() -> None:
    rng = random.Random(2)
    stakes = [rng.randint(10**9, 10**12) for _ in range(60)]
    costs = {f"n{k}": rng.random() for k in range(60)}
    expression = weighted(sum(stakes) * 2 // 3 + 1, zip(stakes, nodes(costs), strict=True))
    found = smallest_quorum(expression, costs)
    assert expression.is_quorum(found) and 0 < sum(costs[name] for name in found) < sum(costs.values())


def test_constants() -> None:
    assert resilience(NEVER) == -1 and smallest_blocking(NEVER) == frozenset()
    assert smallest_quorum(ALWAYS) == frozenset()
    assert count_minimal_quorums(ALWAYS) == Count(1) and count_minimal_quorums(NEVER) == Count(0)
    with pytest.raises(QuorumError, match="nothing is a quorum"):
        smallest_quorum(NEVER)
    with pytest.raises(QuorumError, match="nothing blocks"):
        smallest_blocking(ALWAYS)


def test_costs_that_make_no_sense() -> None:
    with pytest.raises(QuorumError, match="node b has no cost"):
        smallest_quorum(parse("a*b"), {"a": 1})
    with pytest.raises(QuorumError, match="node b: a cost is 0 or more, not -1"):
        smallest_quorum(parse("a*b"), {"a": 1, "b": -1})
    with pytest.raises(QuorumError, match="weight of -1"):
        smallest_quorum(AtLeast(1, tuple(zip((2, -1), nodes("a b"), strict=True))))
