"""The search: every expression once, nothing better left out, nothing unproved let in."""

from __future__ import annotations

from itertools import combinations, permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrutator.checker.quorum.cost import Infeasible, Limits, Workload, front, optimal, search, workload
from scrutator.checker.quorum.cost.candidates import duplicate_free, kinds, structured
from scrutator.checker.quorum.cost.pricing import resilience
from scrutator.checker.quorum.cost.searching import Progress, proved
from scrutator.model.quorums import (
    Expression,
    Node,
    QuorumError,
    QuorumSystem,
    choose,
    minimal_quorums,
    nodes,
    with_rules,
)

Sets = frozenset[frozenset[str]]


def sets(expression: Expression) -> Sets:
    return frozenset(minimal_quorums(expression))


def every(names: tuple[Node, ...]) -> dict[Sets, Expression]:
    """All functions of expressions that name each node exactly once, by trying all partitions."""
    if len(names) == 1:
        return {sets(names[0]): names[0]}
    found: dict[Sets, Expression] = {}
    for partition in partitions(list(names)):
        if len(partition) > 1:
            for members in product(*(every(tuple(part)).values() for part in partition)):
                for needed in range(1, len(members) + 1):
                    expression = choose(needed, members)
                    found[sets(expression)] = expression
    return found


def partitions(listed: list[Node]) -> list[list[list[Node]]]:
    if not listed:
        return [[]]
    first, *rest = listed
    found = []
    for partition in partitions(rest):
        found.append([[first], *partition])
        found.extend([*partition[:k], [first, *partition[k]], *partition[k + 1 :]] for k in range(len(partition)))
    return found


@pytest.mark.parametrize("groups", [("a",), ("a", "b", "c"), ("ab", "c"), ("abc",), ("ab", "cd"), ("a", "b", "c", "d"), ("abcd",)])
def test_every_expression_without_repetition_is_there_once_up_to_exchanges(groups: tuple[str, ...]) -> None:
    found = [sets(e) for e in duplicate_free([nodes(list(group)) for group in groups])]
    exchanges = [
        {name: other for group, order in zip(groups, orders, strict=True) for name, other in zip(group, order, strict=True)}
        for orders in product(*(permutations(group) for group in groups))
    ]

    def form(of: Sets) -> frozenset[Sets]:
        return frozenset(frozenset(frozenset(to[n] for n in q) for q in of) for to in exchanges)

    names = nodes([name for group in groups for name in group])
    subsets = [chosen for k in range(1, len(names) + 1) for chosen in combinations(names, k)]
    expected = {form(of) for chosen in subsets for of in every(chosen)}
    assert len(found) == len({form(of) for of in found}) == len(expected)
    assert {form(of) for of in found} == expected


@st.composite
def questions(draw: st.DrawFn) -> tuple[tuple[Node, ...], Workload]:
    capacity, latency = st.sampled_from([1.0, 3.0]), st.sampled_from([1.0, 2.0])
    count = draw(st.integers(2, 4))
    made = tuple(
        Node(n, read_capacity=draw(capacity), write_capacity=draw(capacity), latency_s=draw(latency)) for n in "abcd"[:count]
    )
    return made, workload(draw(st.sampled_from([0.0, 0.3, 0.5, 1.0])))


@given(questions(), st.sampled_from(["load", "network", "latency"]), st.integers(0, 1), st.sampled_from([0, 0, 1]), st.booleans())
@settings(max_examples=25, deadline=None)
def test_nothing_better_is_left_out(
    asked: tuple[tuple[Node, ...], Workload], metric: str, survived: int, spare: int, limited: bool
) -> None:
    able, work = asked
    limits = Limits(network=2.5) if limited and metric != "network" else Limits()
    values = []
    for chosen in (chosen for k in range(1, len(able) + 1) for chosen in combinations(able, k)):
        for reads in every(chosen).values():
            if min(resilience(reads), resilience(reads.dual())) >= survived:
                system = QuorumSystem("one", {"read": reads, "write": reads.dual()}, nodes=able)
                try:
                    values.append(optimal(system, work, optimise=metric, limits=limits, spare=spare).value)
                except Infeasible:
                    continue
    try:
        found = search(able, work, optimise=metric, resilience=survived, spare=spare, limits=limits)
    except Infeasible:
        assert not values
        return
    assert found.complete and found.optimum.value <= min(values, default=float("inf")) * (1 + 1e-7)
    assert found.optimum.value == pytest.approx(
        optimal(found.system, work, optimise=metric, limits=limits, spare=spare).value, rel=1e-6
    )
    assert min(resilience(e) for e in found.system.roles.values()) >= survived


def test_what_is_not_proved_is_not_proposed() -> None:
    asked: list[QuorumSystem] = []

    def prove(system: QuorumSystem) -> bool:
        asked.append(system)
        return len(asked) > 2

    found = search(nodes("a b c d"), workload(0.5), prove=prove)
    assert found.unproved == 2 and not found.complete and found.system in asked
    with pytest.raises(Infeasible):
        search(nodes("a b c"), workload(0.5), prove=lambda system: False)


def test_rules_are_obeyed() -> None:
    work = workload(0.0, read="election", write="commit")
    free = search(nodes("a b c d e"), work, resilience=1)
    raft = search(nodes("a b c d e"), work, resilience=1, rules=("raft",))
    assert str(free.system.rules[0]) == "election & commit"
    elections = minimal_quorums(raft.system.roles["election"])
    assert all(one & other for one in elections for other in elections)
    assert raft.optimum.value >= free.optimum.value


def test_proofs_by_default() -> None:
    a, b, c = nodes("a b c")
    split = with_rules("split", {"read": (a * b + c).dual(), "write": a * b + c}, ("register",))
    assert not proved(split) and proved(with_rules("safe", {"read": a + b, "write": a * b}, ("register",)))
    assert proved(with_rules("safe", {"read": choose(2, (a, b, c)), "write": choose(2, (c, b, a))}, ("register",)))
    assert not proved(with_rules("triple", {"classic": a, "fast": a}, ("fast-paxos",)))  # rules of three are not decided here


def test_regions_survive() -> None:
    able = tuple(Node(f"{r}{k}", region=r) for r in ("x", "y", "z") for k in (1, 2))
    found = search(able, workload(0.5), zones_survived=1, timeout_s=3)
    for lost in ("x", "y", "z"):
        left = {node.name for node in able if node.region != lost}
        assert all(expression.is_quorum(left) for expression in found.system.roles.values())
    with pytest.raises(Infeasible, match="survives the loss of 3 regions"):
        search(able, workload(0.5), zones_survived=3)
    with pytest.raises(QuorumError, match="node q has no region"):
        search((*able, Node("q")), workload(0.5), zones_survived=1)


def test_larger_clusters_are_given_what_time_allows_and_progress_is_told() -> None:
    able = tuple(Node(f"n{k}", region=f"r{k % 3}", read_capacity=1 + k % 2, latency_s=1 + k % 4) for k in range(15))
    told: list[Progress] = []
    found = search(able, workload({0.9: 1, 0.5: 1}), resilience=2, timeout_s=1.5, on_progress=told.append)
    assert not found.complete and found.elapsed_s < 4
    assert told and told[-1].value == found.optimum.value
    # Better than majorities, which are among the candidates.
    majority = choose(8, able)
    assert found.optimum.value < optimal(with_rules("m", {"read": majority, "write": majority}, ("read-write",)), workload({0.9: 1, 0.5: 1})).value


def test_the_front_holds_nothing_that_another_point_beats() -> None:
    able = (Node("a", read_capacity=2, latency_s=1), Node("b", latency_s=2), Node("c", write_capacity=2, latency_s=3), Node("d", latency_s=4))
    points = front(able, workload(0.5))
    assert len(points) >= 4 and {survived for survived, _ in points} >= {0, 1}
    for survived, one in points:
        for other_survived, other in points:
            mine, theirs = one.optimum.costs, other.optimum.costs
            assert one is other or not (
                other_survived >= survived and theirs.load < mine.load * (1 - 1e-6) and theirs.latency_s < mine.latency_s * (1 - 1e-6)
            )


def test_structures_come_with_their_duals_and_once() -> None:
    listed = list(structured(tuple(Node(f"n{k}", region="xyz"[k % 3]) for k in range(7))))
    assert len(set(listed)) == len(listed) and all(e.dual() in listed for e in listed)
    assert len(kinds(nodes("a b c"), lambda node: node.latency_s)) == 1
