"""What systems survive, held against all subsets of their nodes and regions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_systems import NAMES, blocking_sets, expressions, minimal_of, quorums, subsets

from scrutator.checker.quorum import influence
from scrutator.checker.quorum.availability import availability, region_availability
from scrutator.checker.quorum.influence import dictators, dummies, vetoes
from scrutator.checker.verdict import Verdict
from scrutator.model.quorums import Expression, Node, QuorumError, QuorumSystem, parse, parse_system
from scrutator.model.quorums.expression import ALWAYS, NEVER, AtLeast, fold


def placed(expression: Expression, regions: list[str | None]) -> Expression:
    """The expression with its nodes in regions."""
    where = dict(zip(NAMES, regions, strict=True))
    return fold(
        expression,
        lambda node: Node(node.name, region=where[node.name]),
        lambda gate, members: AtLeast(gate.needed, tuple(zip(gate.weights, members, strict=True))),
    )


@settings(max_examples=100, deadline=None)
@given(expressions(7))
def test_influence(expression: Expression) -> None:
    found = quorums(expression)
    used = frozenset().union(*minimal_of(found))
    names = expression.names()
    assert dictators(expression) == tuple(name for name in names if frozenset([name]) in found)
    assert set(vetoes(expression)) == set(frozenset.intersection(*found))
    assert dummies(expression) == tuple(name for name in names if name not in used)


@settings(max_examples=100, deadline=None)
@given(expressions(6, weight_max=6, read_once=True))
def test_dummies_by_solver(expression: Expression) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(influence, "TABLE_BITS_MAX", -1)
        found = dummies(expression)
    assert found == dummies(expression)


def test_dummies_that_only_a_proof_finds() -> None:
    expression = parse("(a*b + c)*(a*b + c*d + d*e) + weighted(6, 3*a, 3*b, 2*c, f)*a*b")
    used = frozenset().union(*minimal_of(quorums(expression)))
    assert dummies(expression) == tuple(name for name in expression.names() if name not in used) == ("e", "f")
    assert dummies(expression, timeout_s=0) == ()


@settings(max_examples=80, deadline=None)
@given(expressions(7), expressions(5), st.integers(0, 3))
def test_failures(read: Expression, write: Expression, failures: int) -> None:
    found = availability(QuorumSystem("random", {"read": read, "write": write}), failures, listed=1_000)
    for role, expression in zip(found.roles, (read, write), strict=True):
        blocking = blocking_sets(expression)
        assert role.smallest_blocking in blocking and role.resilience == len(blocking[0]) - 1
        assert role.smallest_quorum in quorums(expression)
        assert set(role.blocking.sets) == set(minimal_of(blocking)) and role.blocking.complete
        assert role.blockings.value == len(minimal_of(blocking)) and role.quorums.value == len(minimal_of(quorums(expression)))
        assert (role in found.blocked) == any(len(block) <= failures for block in blocking)
    assert (found.verdict is Verdict.VIOLATED) == bool(found.blocked)
    assert found.resilience == min(role.resilience for role in found.roles)


@settings(max_examples=80, deadline=None)
@given(expressions(7), st.lists(st.sampled_from(["x", "y", "z", "w", None]), min_size=len(NAMES), max_size=len(NAMES)))
def test_regions(expression: Expression, regions: list[str | None]) -> None:
    expression = placed(expression, regions)
    inside: dict[str, frozenset[str]] = {}
    for node in expression.nodes():
        if node.region is not None:
            inside[node.region] = inside.get(node.region, frozenset()) | {node.name}
    found = region_availability(expression)
    if not inside:
        assert found is None
        return
    assert found is not None
    everyone = frozenset(expression.names())
    lost = [s for s in subsets(sorted(inside)) if not expression.is_quorum(everyone.difference(*(inside[r] for r in s)))]
    if lost:
        assert found.smallest_blocking in lost and len(found.smallest_blocking) == len(lost[0]) == found.resilience + 1
    else:
        assert found.smallest_blocking is None and found.resilience == len(inside)
    minimal = minimal_of(lost)
    assert set(found.lost) == {region for s in minimal if len(s) == 1 for region in s}
    assert set(found.lost) | set(found.survived) == set(inside)
    assert found.lost_pairs is not None
    assert {frozenset(pair) for pair in found.lost_pairs} == {s for s in minimal if len(s) == 2}
    for region, spare in found.spare:
        left = everyone - inside[region]
        assert spare == min(len(s) for s in subsets(sorted(left)) if not expression.is_quorum(left - s)) - 1


def test_three_regions_of_three() -> None:
    regions = [region for region in "rst" for _ in range(3)] + [None] * (len(NAMES) - 9)
    system = QuorumSystem("three", {"quorum": placed(parse("majority(a, b, c, d, e, f, g, h, i)"), regions)})
    (role,) = availability(system).roles
    assert role.regions is not None
    assert role.regions.spare == (("r", 1), ("s", 1), ("t", 1))
    assert role.regions.lost == () and len(role.regions.lost_pairs or ()) == 3 and role.regions.resilience == 1


def test_a_dictator_is_told() -> None:
    (role,) = availability(parse_system("weighted(7, 10*a, b, c)")).roles
    assert role.dictators == role.vetoes == ("a",) and role.dummies == ("b", "c") and role.resilience == 0


def test_a_role_without_quorums_survives_nothing() -> None:
    found = availability(QuorumSystem("never", {"quorum": NEVER}), 0)
    assert found.verdict is Verdict.VIOLATED and found.resilience == -1
    assert found.roles[0].smallest_quorum is None and found.roles[0].smallest_blocking == frozenset()


def test_mistakes() -> None:
    with pytest.raises(QuorumError, match="-1 failures"):
        availability(parse_system("a*b"), -1)
    with pytest.raises(QuorumError, match="no role write"):
        availability(parse_system("a*b"), roles=["write"])
    with pytest.raises(QuorumError, match="nothing blocks"):
        availability(QuorumSystem("always", {"quorum": ALWAYS}))
