"""The cheapest quorum, three ways, against all of them; likeness of nodes."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrutator.checker.quorum.cost.likeness import alike
from scrutator.checker.quorum.cost.pricing import (
    ByLatency,
    Choice,
    Listed,
    count_at_most,
    failures_that_break,
    fewest,
    pricing,
    resilience,
)
from scrutator.checker.quorum.cost.read_once import ReadOnce, is_solvable, sizes
from scrutator.checker.quorum.cost.subsets import holds, smallest, survivors
from scrutator.model.quorums import (
    AtLeast,
    Expression,
    Node,
    all_of,
    any_of,
    choose,
    minimal_quorums,
    nodes,
    parse,
)

NAMES = "abcde"
PRICES = st.lists(st.sampled_from([0.0, 0.1, 1.0, 2.5, 7.0]), min_size=5, max_size=5)


def expressions() -> st.SearchStrategy[Expression]:
    def gates(members: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        weighed = st.lists(st.tuples(st.integers(1, 4), members), min_size=1, max_size=4)
        return weighed.flatmap(lambda m: st.integers(0, sum(w for w, _ in m) + 1).map(lambda k: AtLeast(k, tuple(m))))

    return st.recursive(st.sampled_from(nodes(list(NAMES))), gates, max_leaves=8)


def sets(count: int = 5) -> list[frozenset[str]]:
    return [frozenset(c) for k in range(count + 1) for c in combinations(NAMES[:count], k)]


def enough(expression: Expression, asked: frozenset[str], spare: int) -> bool:
    return all(expression.is_quorum(asked - set(f)) for f in combinations(asked, min(spare, len(asked))))


@given(expressions(), PRICES, st.integers(0, 2))
@settings(max_examples=40, deadline=None)
def test_programmes_find_the_cheapest(expression: Expression, prices: list[float], spare: int) -> None:
    price = dict(zip(NAMES, prices, strict=True))
    costs = [sum(price[n] for n in s) for s in sets() if enough(expression, s, spare)]
    found = Choice(expression, NAMES, spare, ()).cheapest(prices, None)
    if not costs:
        assert found is None
        return
    assert found is not None
    assert sum(prices[k] for k in found[0]) == pytest.approx(min(costs)) and found[1] <= min(costs) + 1e-12
    assert enough(expression, frozenset(NAMES[k] for k in found[0]), spare)


@given(expressions(), PRICES)
def test_dynamic_programming_finds_the_cheapest(expression: Expression, prices: list[float]) -> None:
    if not is_solvable(expression):
        return
    price = dict(zip(NAMES, prices, strict=True))
    costs = [sum(price[n] for n in q) for q in minimal_quorums(expression)]
    found = ReadOnce(expression, NAMES).cheapest(prices)
    assert (found is None) == (not costs)
    if found is not None:
        assert found[0] == pytest.approx(min(costs)) == pytest.approx(sum(prices[k] for k in found[1]))
        assert frozenset(NAMES[k] for k in found[1]) in minimal_quorums(expression)


@given(expressions(), st.integers(0, 2))
def test_tables_follow_the_definitions(expression: Expression, spare: int) -> None:
    quorums = holds(expression, NAMES)
    for mask in range(32):
        chosen = frozenset(n for k, n in enumerate(NAMES) if mask >> k & 1)
        assert quorums[mask] == expression.is_quorum(chosen)
        assert survivors(quorums, spare)[mask] == enough(expression, chosen, spare)
        failure = failures_that_break(expression, chosen, spare)
        assert failure is None or not expression.is_quorum(chosen - failure)
    listed = [frozenset(n for k, n in enumerate(NAMES) if mask >> k & 1) for mask in smallest(quorums)]
    assert sorted(map(sorted, listed)) == sorted(map(sorted, minimal_quorums(expression)))
    assert count_at_most(expression) >= len(listed)


@given(expressions())
def test_resilience_is_the_number_of_failures_after_which_there_is_always_a_quorum(expression: Expression) -> None:
    names = expression.names()
    expected = max(
        (k for k in range(len(names) + 1) if all(expression.is_quorum(set(names) - set(f)) for f in combinations(names, k))),
        default=-1,
    )
    assert resilience(expression) == expected
    counted = sizes(expression)
    assert counted is None or counted[1] == (expected + 1 if expected < len(names) else float("inf"))
    least = minimal_quorums(expression)[:1]
    assert counted is None or counted[0] == (len(least[0]) if least else float("inf"))
    found = fewest(expression)
    assert (None if found is None else len(found)) == (len(least[0]) if least else None)


def test_large_systems_are_priced_by_what_is_quickest() -> None:
    many = nodes(f"n{k}" for k in range(400))
    rows = any_of(all_of(many[k : k + 20]) for k in range(0, 400, 20))
    assert isinstance(pricing(rows, many), Listed) and resilience(rows) == 19
    assert isinstance(pricing(rows.dual(), many), ByLatency) and pricing(rows.dual(), many).how == "dynamic programming"
    twice = choose(10, many[:20]) * choose(10, many[10:30])
    assert pricing(twice, many).how == "integer programming" and len(fewest(twice) or ()) == 10


def test_nodes_are_alike_if_they_stand_in_like_places() -> None:
    grid = parse("a*b*c + d*e*f")
    assert len(set(alike(grid.nodes(), [grid]))) == 1
    wheel = parse("wheel(a, b, c, d)")
    assert alike(wheel.nodes(), [wheel]) == [0, 1, 1, 1]
    mixed = (Node("a", latency_s=2), *nodes("b c"))
    assert alike(mixed, [choose(2, mixed)]) == [0, 1, 1]
