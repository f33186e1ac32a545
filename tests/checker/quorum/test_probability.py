"""Probabilities that no quorum is alive, held against all subsets and published values."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import comb, prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_systems import NAMES, expressions, subsets

from scrutator.checker.quorum import probability as module
from scrutator.checker.quorum import sweep
from scrutator.checker.quorum.probability import probability, system_probability
from scrutator.model.quorums import Expression, Node, QuorumError, majority, parse, parse_system
from scrutator.model.quorums.expression import ALWAYS, NEVER

TENTH = Fraction(1, 10)
FAILURES = st.lists(st.fractions(0, 1, max_denominator=20), min_size=len(NAMES), max_size=len(NAMES))


def by_subsets(expression: Expression, failure: Mapping[str, Fraction]) -> Fraction:
    """The probability as it is defined: of every set of live nodes that is no quorum."""
    names = expression.names()
    return sum(
        (
            prod((1 - failure[name] if name in alive else failure[name] for name in names), start=Fraction(1))
            for alive in subsets(names)
            if not expression.is_quorum(alive)
        ),
        Fraction(0),
    )


@settings(max_examples=100, deadline=None)
@given(expressions(7), FAILURES)
def test_exact_in_fractions_and_bounded_in_floats(expression: Expression, listed: list[Fraction]) -> None:
    failure = dict(zip(NAMES, listed, strict=True))
    assert probability(expression, failure).exact == by_subsets(expression, failure)
    floats = {name: float(p) for name, p in failure.items()}
    wanted = by_subsets(expression, {name: Fraction(p) for name, p in floats.items()})
    found = probability(expression, floats)
    assert found.low <= wanted <= found.high and found.error < 1e-12 and not found.estimated


@settings(max_examples=100, deadline=None)
@given(expressions(7), FAILURES)
def test_large_thresholds_agree(expression: Expression, listed: list[Fraction]) -> None:
    floats = {name: float(p) for name, p in zip(NAMES, listed, strict=True)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "EXACT_SUMS_MAX", -1)
        found = probability(expression, floats)
    wanted = by_subsets(expression, {name: Fraction(p) for name, p in floats.items()})
    assert found.low <= wanted <= found.high and found.error < 1e-12


@settings(max_examples=100, deadline=None)
@given(expressions(8, depth=4), FAILURES)
def test_bounds_hold_where_little_is_looked_at(expression: Expression, listed: list[Fraction]) -> None:
    floats = {name: float(p) for name, p in zip(NAMES, listed, strict=True)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep, "TRIAL", 0)
        patch.setattr(sweep, "EFFORT", 0)
        patch.setattr(sweep, "ROOM_MIN", 1)
        patch.setattr(module, "TABLE_MAX", -1)  # thresholds are swept too
        found = probability(expression, floats, draws=200)
    wanted = by_subsets(expression, {name: Fraction(p) for name, p in floats.items()})
    assert found.low <= wanted <= found.high
    assert found.low <= found.value <= found.high


def no_full_row_or_column(side: int, live: Fraction) -> Fraction:
    """That a square grid has not both, by inclusion and exclusion over full rows and columns."""
    no_row = (1 - live**side) ** side
    neither = sum(
        (-1) ** (r + c) * comb(side, r) * comb(side, c) * live ** (side * (r + c) - r * c)
        for r in range(side + 1)
        for c in range(side + 1)
    )
    return 2 * no_row - neither


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("majority(n1, ..., n3)", "0.028"),
        ("majority(n1, ..., n5)", "0.00856"),
        ("majority(n1, ..., n7)", "0.002728"),
        ("majority(n1, ..., n9)", "0.000891"),
        ("plane(n1, ..., n7)", "0.006810"),
        ("plane(n1, ..., n13)", "0.001417"),
        ("wheel(n1, ..., n4)", "0.028"),
        ("wheel(n1, ..., n5)", "0.03448"),
        ("wheel(n1, ..., n6)", "0.04096"),
        ("wheel(n1, ..., n10)", "0.061258"),
        ("grid([a, b], [c, d])", "0.0523"),
        ("grid([a, b, c], [d, e, f], [g, h, i])", "0.033309"),
        ("wall([a], [b, c], [d, e, f])", "0.00856"),
        ("wall([a], [b, c], [d, e, f], [g, h, i, j])", "0.003043"),
        ("wall([a], [b, c], [d, e], [f, g])", "0.012707"),
        ("wall([a, b], [c, d, e], [f, g, h, i])", "0.018081"),
        ("tree(a, b, c)", "0.028"),
        ("tree(a, b, c, d, e, f, g)", "0.006227"),
        ("hierarchy([a, b, c], [d, e, f], [g, h, i])", "0.002308"),
        ("weighted(4, 3*a, b, c, d)", "0.1009"),
        ("joint(majority(a, b, c), majority(c, d, e))", "0.0523"),
    ],
)
def test_classical_systems(text: str, expected: str) -> None:
    expression = parse(text)
    exact = probability(expression, dict.fromkeys(expression.names(), TENTH)).exact
    assert exact is not None and abs(exact - Fraction(expected)) <= Fraction(1, 2 * 10**6)


def test_large_majority_and_rare_failures() -> None:
    expression = parse("majority(n1, ..., n201)")
    wanted = sum(comb(201, k) * TENTH**k * (1 - TENTH) ** (201 - k) for k in range(101, 202))
    found = probability(expression, dict.fromkeys(expression.names(), 0.1))
    assert found.value == pytest.approx(float(wanted), rel=1e-12) and 0 < found.low < found.value < found.high


def test_what_is_too_large_is_estimated_within_bounds() -> None:
    expression = parse("grid(" + ", ".join(f"[g{r}x1, ..., g{r}x14]" for r in range(14)) + ")")
    failure = dict.fromkeys(expression.names(), 0.1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep, "TRIAL", 10_000)
        patch.setattr(sweep, "EFFORT", 100_000)
        found = probability(expression, failure, seed=3, draws=20_000)
        again = probability(expression, failure, seed=3, draws=20_000)
    assert found == again and found.sample is not None and found.sample.seed == 3
    wanted = no_full_row_or_column(14, 1 - TENTH)
    assert found.low <= wanted <= found.high and found.sample.low <= wanted <= found.sample.high
    assert "estimated" in found.basis and found.estimated


def test_regions_that_fail() -> None:
    placed = [Node(name, region=region) for name, region in zip("abcde", "xxyyz", strict=True)]
    failure = {name: Fraction(k, 20) for k, name in enumerate("abcde", 1)}
    regions = {"x": Fraction(1, 50), "y": Fraction(1, 10)}
    inside = parse("majority(a*x, b*x, c*y, d*y, e)")
    wanted = by_subsets(inside, {**failure, **regions})
    found = probability(majority(placed), failure, region_failure=regions)
    assert found.exact == wanted
    floats = {name: float(p) for name, p in failure.items()}
    rough = probability(majority(placed), floats, region_failure={name: float(p) for name, p in regions.items()})
    assert rough.low <= rough.value <= rough.high and rough.value == pytest.approx(float(wanted), rel=1e-12)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "OUTCOMES_MAX", 1)
        assert probability(majority(placed), failure, region_failure=regions).exact == wanted


def test_roles_together() -> None:
    system = parse_system("read = a*b + c*d; write = dual")
    found = system_probability(system, dict.fromkeys("abcd", TENTH))
    exact = {role: result.exact for role, result in found.roles}
    both = system.roles["read"] * system.roles["write"]
    assert found.any_role.exact == by_subsets(both, dict.fromkeys("abcd", TENTH))
    assert exact["read"] == by_subsets(system.roles["read"], dict.fromkeys("abcd", TENTH))
    assert system_probability(system, dict.fromkeys("abcd", TENTH), roles=["read"]).any_role.exact == exact["read"]


def test_constants_and_mistakes() -> None:
    assert probability(NEVER, {}).exact == 1 and probability(ALWAYS, {}).exact == 0
    with pytest.raises(QuorumError, match="node b has no probability of failure"):
        probability(parse("a*b"), {"a": 0.1})
    with pytest.raises(QuorumError, match="node b: a probability of failure is between 0 and 1, not 2"):
        probability(parse("a*b"), {"a": 0.1, "b": 2})
    with pytest.raises(QuorumError, match="no region moon"):
        probability(parse("a*b"), {"a": 0.1, "b": 0.1}, region_failure={"moon": 0.1})
    with pytest.raises(QuorumError, match="no role wrte"):
        system_probability(parse_system("read = a*b; write = a + b"), {"a": 0.1, "b": 0.1}, roles=["wrte"])
