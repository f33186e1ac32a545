"""The verifier, brute force and the model checker say the same of random small systems."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from meeting import SPEC

from scrutator.checker.explore.check import check
from scrutator.checker.explore.options import CheckOptions
from scrutator.checker.quorum.handover import handover
from scrutator.checker.quorum.verify import verify
from scrutator.checker.verdict import Verdict
from scrutator.model.quorums import AtLeast, Expression, Node, QuorumSystem, Rule, majority

SYSTEMS = 2000
CHUNKS = 20
NAMES = "abcdefg"


def expression(rng: random.Random, names: str, depth: int) -> Expression:
    """A random weighted threshold over random parts."""
    if depth == 0 or rng.random() < 0.2:
        return Node(rng.choice(names))
    if rng.random() < 0.2:
        members = [(1, Node(name)) for name in names]
    else:
        members = [(rng.choice((1, 1, 1, 2, 3)), expression(rng, names, depth - 1)) for _ in range(rng.randint(2, 5))]
    total = sum(weight for weight, _ in members)
    near_half = total // 2 + rng.choice((0, 1, 1, 2))
    return AtLeast(min(max(rng.choice((near_half, near_half, rng.randint(1, total))), 1), total), tuple(members))


def random_systems(seed: int, count: int) -> Iterator[QuorumSystem]:
    """Systems with a phase 1 and a phase 2; half of the phase 2 are the dual, which always meets, at times spoilt."""
    rng = random.Random(seed)
    for k in range(count):
        names = NAMES[: rng.randint(2, 7)]
        first = expression(rng, names, 3)
        second = rng.choice((first, first.dual(), first.dual() + expression(rng, names, 2), expression(rng, names, 2), majority(map(Node, names))))
        yield QuorumSystem(f"{seed}.{k}", {"phase1": first, "phase2": second}, (Rule(("phase1", "phase2")),))


def holds(expression: Expression, present: frozenset[str]) -> bool:
    """Whether a set is a quorum, by the definition of thresholds."""
    if isinstance(expression, Node):
        return expression.name in present
    assert isinstance(expression, AtLeast)
    return sum(weight for weight, member in expression.members if holds(member, present)) >= expression.needed


def fewest_that_miss(system: QuorumSystem) -> int | None:
    """The fewest nodes that two quorums without a common node have together, by trying all sets."""
    names = [node.name for node in system.nodes]
    sets = [frozenset(name for k, name in enumerate(names) if mask >> k & 1) for mask in range(1 << len(names))]
    first, second = ([s for s in sets if holds(system.roles[role], s)] for role in ("phase1", "phase2"))
    return min((len(a) + len(b) for a in first for b in second if not a & b), default=None)


def compare(system: QuorumSystem) -> bool:
    """Assert that all three agree; whether the system is safe."""
    found = verify(system)
    fewest = fewest_that_miss(system)
    assert found.verdict is (Verdict.HOLDS if fewest is None else Verdict.VIOLATED)
    given = handover(system, SPEC)
    explored = check(SPEC, bounds=given.bounds, options=CheckOptions(workers=1))
    assert explored.verdict is found.verdict
    if fewest is not None:
        miss = found.findings[0].miss
        assert miss is not None and miss.smallest and not miss.shared
        assert sum(map(len, miss.quorums)) == fewest
        assert all(holds(system.roles[role], s) for role, s in zip(("phase1", "phase2"), miss.quorums, strict=True))
        # Breadth first: the counterexample is as short as the smallest quorums that miss each other.
        trace = explored.properties[0].trace
        assert trace is not None and len(trace) == fewest
    return fewest is None


@pytest.mark.parametrize("chunk", [pytest.param(k, marks=[pytest.mark.slow] if k else []) for k in range(CHUNKS)])
def test_three_ways_one_answer(chunk: int) -> None:
    safe = [compare(system) for system in random_systems(chunk, SYSTEMS // CHUNKS)]
    assert 0.2 < sum(safe) / len(safe) < 0.8  # neither side is vacuous
