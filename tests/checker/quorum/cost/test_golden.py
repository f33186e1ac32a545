"""Published numbers: quoracle's README, tests and paper, and the loads of systems of the literature.

Where quoracle and a definition disagree, the test says which is followed and why.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from scrutator.checker.quorum.cost import (
    Infeasible,
    Limits,
    Optimum,
    given,
    optimal,
    search,
    uniform,
    workload,
)
from scrutator.checker.quorum.cost.pricing import resilience
from scrutator.model.quorums import Expression, Node, QuorumSystem, nodes, parse, parse_system, with_rules
from scrutator.model.quorums.structures import grid, hierarchy, plane, tree, wall, wheel

GRID = "a*b*c + d*e*f"
WRITE = dict(zip("abcdef", (1000, 500) * 3, strict=True))


def system(reads: str, of: Mapping[str, Node] | None = None, writes: str | None = None) -> QuorumSystem:
    read = parse(reads, named=of)
    write = read.dual() if writes is None else parse(writes, named=of)
    return with_rules(reads, {"read": read, "write": write}, ("read-write",))


def made(write: Mapping[str, float], factor: float = 1, latencies: Mapping[str, float] | None = None) -> dict[str, Node]:
    """Nodes by write capacity; they read ``factor`` times as much."""
    return {n: Node(n, read_capacity=factor * w, write_capacity=w, latency_s=(latencies or {}).get(n, 1.0)) for n, w in write.items()}


SECONDS = {name: k + 1.0 for k, name in enumerate("abcdef")}
G5, G7 = made(WRITE, 10), made(WRITE, 10, SECONDS)
PAPER = made({"a": 100, "b": 100, "c": 50, "d": 50}, 1, {"a": 4, "b": 4, "c": 1, "d": 1})
T3 = made(dict.fromkeys("abcd", 1.0), 2, SECONDS)


def load(reads: str, fraction: float | Mapping[float, float], of: Mapping[str, Node] | None = None, **options: object) -> Optimum:
    found = optimal(system(reads, of), workload(fraction), **options)  # type: ignore[arg-type]
    assert found.gap <= 1e-9
    return found


def test_g1_quorums_and_resilience() -> None:
    asked = system(GRID)
    chances = uniform(asked, workload(0.5))
    assert sorted("".join(sorted(q)) for q in chances.reads) == ["abc", "def"]
    assert sorted("".join(sorted(q)) for q in chances.writes) == ["ad", "ae", "af", "bd", "be", "bf", "cd", "ce", "cf"]
    # The README says in words that writes survive 1 failure; its output, its code and the definition say 2.
    assert resilience(asked.roles["read"]) == 1 and resilience(asked.roles["write"]) == 2


@pytest.mark.parametrize(("fraction", "expected"), [(1, 2 / 3), (0, 1 / 3), (0.25, 5 / 12)])
def test_g2_loads_of_a_given_strategy(fraction: float, expected: float) -> None:
    chosen = given(system(GRID), workload(fraction), {"abc": 2, "def": 1}, {"ad": 1, "be": 1, "cf": 1})
    assert chosen.load(workload(fraction)) == pytest.approx(expected)
    if fraction == 0.25:
        assert chosen.node_loads(fraction) == pytest.approx(dict(zip("abcdef", [5 / 12] * 3 + [1 / 3] * 3, strict=True)))


def test_g3_the_best_strategy_of_the_grid() -> None:
    found = load(GRID, 0.25)
    assert found.value == pytest.approx(3 / 8, rel=1e-6) and found.costs.capacity == pytest.approx(8 / 3, rel=1e-6)
    for fraction, expected in ((0, 1 / 3), (0.5, 5 / 12), (1, 1 / 2)):
        assert found.strategy.load(workload(fraction)) == pytest.approx(expected, rel=1e-6)
    assert load(GRID, {0.1: 1, 0.75: 1}).value == pytest.approx(0.4041666, rel=1e-6)


def test_the_capacity_of_changing_workloads_is_the_mean_of_capacities_and_not_what_is_optimised() -> None:
    """As quoracle: the programme minimises the mean load; the capacity reported is the mean of 1/load."""
    mixed = workload({0.1: 1, 0.75: 1})
    found = optimal(system(GRID), mixed)
    loads = [found.strategy.load(workload(fraction)) for fraction in (0.1, 0.75)]
    assert found.costs.capacity == pytest.approx(sum(1 / x for x in loads) / 2)
    assert found.costs.capacity > 1 / found.costs.load


@pytest.mark.parametrize(
    ("reads", "of", "fraction", "spare", "capacity"),
    [
        (GRID, made(WRITE), 0.75, 0, 1 / 0.00075),  # G4
        (GRID, G5, 1, 0, 10_000),
        (GRID, G5, 0.5, 0, 3913.0434),
        (GRID, G5, 0, 0, 2000),
        (GRID, G5, 0, 1, 1000),
        ("a*b + b*c + a*c", None, 1, 0, 1.5),  # G10
        ("a*b + c*d", PAPER, 1, 0, 150),  # G11
        ("a*b + c*d", made({"a": 100, "b": 100, "c": 50, "d": 50}, 2), 1, 0, 300),
        ("a*b + c*d", made({"a": 100, "b": 100, "c": 50, "d": 50}, 2), 0.5, 0, 200),
        ("a*b + c*d", made({"a": 100, "b": 100, "c": 50, "d": 50}, 2), 0, 0, 100),
        ("a*b + c*d", T3, 1, 0, 4),
        ("a*b + c*d", T3, 0, 0, 2),
        ("a*b + c*d", T3, 1, 1, 2),
        ("a*b + c*d", T3, 0, 1, 1),
    ],
)  # fmt: skip
def test_capacities(reads: str, of: Mapping[str, Node] | None, fraction: float, spare: int, capacity: float) -> None:
    assert load(reads, fraction, of, spare=spare).costs.capacity == pytest.approx(capacity, rel=1e-6)


@pytest.mark.parametrize(("spare", "capacity"), [(0, 2000), (1, 4000 / 3)])
def test_g6_any_two_of_five_write(spare: int, capacity: float) -> None:
    writes = parse("choose(2, a, b, c, d, e)", named=G5)
    asked = with_rules("two", {"read": writes.dual(), "write": writes}, ("read-write",))
    assert optimal(asked, workload(0), spare=spare).costs.capacity == pytest.approx(capacity, rel=1e-6)


def test_g7_latency_and_limits() -> None:
    found = load(GRID, 0.5, G7, optimise="latency")
    assert found.value == pytest.approx(3.5)
    assert [found.strategy.latency_s(workload(fraction)) for fraction in (1, 0)] == pytest.approx([3, 4])
    limited = load(GRID, 0.5, G7, optimise="latency", limits=Limits(load=1 / 1500)).costs  # reached by more than one strategy
    assert (limited.capacity, limited.latency_s) == pytest.approx((1500, 11 / 3), rel=1e-6)
    limited = load(GRID, 0.5, G7, limits=Limits(latency_s=4)).costs
    assert (limited.capacity, limited.latency_s) == pytest.approx((3856.209, 4), rel=1e-6)
    with pytest.raises(Infeasible, match=r"no strategy keeps latency <= 1 s: the latency is at least 3\.5 s"):
        load(GRID, 0.5, G7, limits=Limits(latency_s=1))


def test_g8_network() -> None:
    assert load(GRID, 0.5, G7, optimise="network").value == pytest.approx(2.5)


def test_g14_the_example_of_the_paper() -> None:
    found = load("a*b + c*d", 1, made({"a": 100, "b": 100, "c": 50, "d": 50}, 2, {"a": 4, "b": 4, "c": 1, "d": 1})).costs
    assert (found.capacity, found.network, found.latency_s) == pytest.approx((300, 2, 3), rel=1e-6)
    limits = Limits(load=1 / 150, network=2)
    best = load("a*b + c*d", 1, PAPER, optimise="latency", limits=limits)
    assert {"".join(sorted(q)): round(p, 6) for q, p in best.strategy.reads.items()} == {"ab": 0.666667, "cd": 0.333333}
    better = search(tuple(PAPER.values()), workload(1), optimise="latency", limits=limits)
    costs = better.optimum.costs
    assert str(better.system.roles["read"]) == "a + b + c + d"
    assert (costs.capacity, costs.network) == pytest.approx((150, 1), rel=1e-6)


def test_t3_network_latency_and_what_cannot_be_had() -> None:
    assert load("a*b + c*d", 1, T3, optimise="network").value == 2
    assert load("a*b + c*d", 1, T3, optimise="network", spare=1).value == 4
    assert load("a*b + c*d", 1, T3, optimise="latency").value == 2
    assert load("a*b + c*d", 0, T3, optimise="latency").value == 3
    assert load("a*b + c*d", 1, T3, optimise="latency", spare=1).value == 2  # four asked, two waited for
    for limits in (Limits(network=1.5), Limits(latency_s=1)):
        with pytest.raises(Infeasible, match="at least"):
            load("a*b + c*d", 0, T3, limits=limits)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(a + b)*(c + d)", 1), ("(a + b + c)*(a + e + f)", 2), ("(a + a + c)*(d + e + f)", 1), ("a*b + b*c + a*d + a*d*e", 1),
        ("choose(3, a, b, c, d, e)", 2), ("choose(2, a, b, c, d, e)", 3), ("choose(4, a, b, c, d, e)", 1),
        ("choose(2, a + b + c, d + e, f)", 2), ("choose(2, a*b, a*c, d)", 0), ("choose(2, a + b, a + c, a + d)", 2),
    ],
)  # fmt: skip
def test_t1_resilience(text: str, expected: int) -> None:
    assert resilience(parse(text)) == expected


def test_one_node_is_one_node_wherever_it_was_made() -> None:
    """Quoracle compares nodes by object: there, two nodes of one name survive the failure of one."""
    assert resilience(Node("a") + Node("a")) == 0


def test_only_minimal_quorums_are_as_likely() -> None:
    """Quoracle's ``quorums()`` also yields {a, b} for a*(a + b); its uniform strategy, and ours, do not."""
    assert set(uniform(system("a*(a + b)"), workload(1)).reads) == {frozenset("a")}


def test_capacities_below_one_have_a_strategy() -> None:
    """Quoracle bounds the load by 1 and finds none: half an operation a second is a load of 2."""
    assert load("a", 1, {"a": Node("a", read_capacity=0.5, write_capacity=0.5)}).value == pytest.approx(2)


def test_reads_and_writes_that_miss_each_other_still_cost_what_they_cost() -> None:
    """Safety is the verifier's to decide; quoracle refuses such a system, but never looks at writes with writes."""
    assert load("a + b", 0.5).value == pytest.approx(0.75)


def rows(*sizes: int) -> list[list[Node]]:
    every = iter(nodes(f"n{k}" for k in range(sum(sizes))))
    return [[next(every) for _ in range(size)] for size in sizes]


def many(count: int) -> tuple[Node, ...]:
    return nodes(f"n{k}" for k in range(count))


def lines(text: str) -> Expression:
    return parse(" + ".join("*".join(f"n{k}" for k in line) for line in text.split()))


CLASSICAL: list[tuple[str, Expression, float, int]] = [
    *((f"majority {n}", parse(f"majority(n1, ..., n{n})"), (n // 2 + 1) / n, n // 2) for n in (3, 5, 7, 9, 101)),
    ("fano", lines("012 034 056 135 146 236 245"), 3 / 7, 2),
    *((f"plane {q}", plane(many(q * q + q + 1)), (q + 1) / (q * q + q + 1), q) for q in (2, 3, 4)),
    *((f"wheel {n}", wheel(many(n)), (n - 1) / (2 * n - 3), 1) for n in (4, 5, 6, 10)),
    *((f"grid {r}", grid(rows(*[r] * r)), (2 * r - 1) / r**2, r - 1) for r in (2, 3, 4, 12)),
    ("wall 1 2 3", wall(rows(1, 2, 3)), 1 / 2, 2),
    ("wall 1 2 3 4", wall(rows(1, 2, 3, 4)), 2 / 5, 3),
    ("wall 1 2 2 2", wall(rows(1, 2, 2, 2)), 8 / 15, 1),
    ("wall 2 3 4", wall(rows(2, 3, 4)), 4 / 9, 2),
    ("tree 1", tree(many(3)), 2 / 3, 1),
    ("tree 2", tree(many(7)), 1 / 2, 2),
    ("hierarchy 3", hierarchy(rows(3, 3, 3)), 4 / 9, 3),
    ("dictator", parse("weighted(4, 3*a, b, c, d)"), 1, 0),
    ("joint", parse("joint(majority(a, b, c), majority(c, d, e))"), 2 / 3, 1),
]


@pytest.mark.parametrize(("expression", "expected", "survived"), [c[1:] for c in CLASSICAL], ids=[c[0] for c in CLASSICAL])
def test_classical_loads(expression: Expression, expected: float, survived: int) -> None:
    found = optimal(QuorumSystem("classical", {"quorum": expression}))
    assert found.value == pytest.approx(expected, rel=1e-6) and found.gap <= 1e-9
    assert resilience(expression) == survived


def test_text_of_a_whole_system_is_enough() -> None:
    assert optimal(parse_system("election = choose(4, a, b, c, d, e); commit = choose(2, a, b, c, d, e)")).value == pytest.approx(0.4)
