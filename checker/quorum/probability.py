"""How probable it is that no quorum is alive, if nodes fail independently of one another.

Members that share no node are put together by dynamic programming, tangled parts by a sweep over their
nodes (`sweep`).  Law: ``low`` and ``high`` hold for certain, roundings included; where they lie apart,
a sample says where between them, and is called an estimate.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

from scrutator.checker.quorum.circuit import Circuit, Gate, Shape, compiled, steps
from scrutator.checker.quorum.minimal_sets import small_quorum
from scrutator.checker.quorum.sweep import Chance, Number, sweep, total
from scrutator.model.quorums.expression import Expression, Node, QuorumError, all_of
from scrutator.model.quorums.parse import unknown
from scrutator.model.quorums.system import QuorumSystem

DRAWS = 100_000
CONFIDENCE = 0.99
CLOSE = 0.01  # bounds that lie so close, in proportion, need no sample
OUTCOMES_MAX = 256  # of regions being up or down, to go through one by one
EXACT_SUMS_MAX = 300_000  # additions of fractions for one threshold
TABLE_MAX = 4_000_000  # weights below a threshold
ULP = 2.0**-53
TINY = 1e-290  # more than all that numbers too small for a float can add up to


@dataclass(frozen=True, slots=True)
class Sample:
    """An estimate: of so many draws, no quorum was alive in ``failed``.

    With probability ``confidence``, draws fall so that ``low`` to ``high`` holds the true value (Clopper
    and Pearson, 1934).
    """

    draws: int
    failed: int
    seed: int
    low: float
    high: float
    confidence: float = CONFIDENCE


@dataclass(frozen=True, slots=True)
class Probability:
    """The probability that no quorum is alive: certainly between ``low`` and ``high``.

    ``value`` is the best that is known, ``exact`` there if all failures were given as fractions, ``basis``
    says how it was found, and ``sample`` where the bounds were too far apart.
    """

    value: float
    low: float
    high: float
    basis: str
    exact: Fraction | None = None
    sample: Sample | None = None

    @property
    def estimated(self) -> bool:
        return self.sample is not None

    @property
    def error(self) -> float:
        """How far at most the value is from the true one."""
        return max(self.high - self.value, self.value - self.low, 0.0)


@dataclass(frozen=True, slots=True)
class SystemProbability:
    """For each role that no quorum is alive, and that this is so of at least one of them (``any_role``)."""

    roles: tuple[tuple[str, Probability], ...]
    any_role: Probability


def probability(
    expression: Expression,
    failure: Mapping[str, Number],
    *,
    region_failure: Mapping[str, Number] | None = None,
    seed: int = 0,
    draws: int = DRAWS,
) -> Probability:
    """The probability that no quorum is alive, where each node is down with the probability given for it.

    With ``region_failure``, all nodes of a region are down besides if their region is; regions fail
    independently too.  Fractions are computed with exactly.  Raises `QuorumError` for a node without a
    probability, and a region without nodes.

    >>> from scrutator.model.quorums import parse
    >>> result = probability(parse("majority(a, b, c)"), dict.fromkeys("abc", 0.1))
    >>> round(result.value, 12), result.estimated
    (0.028, False)
    """
    chances = {name: _chance(f"node {name}", failure, name) for name in expression.names()}
    if region_failure:
        regions = {name: _chance(f"region {name}", region_failure, name) for name in region_failure}
        known = {node.region: node for node in expression.nodes() if node.region is not None}
        for region in regions:
            if region not in known:
                raise QuorumError(unknown("region", region, known))
        if 2 ** len(regions) <= OUTCOMES_MAX:
            found = _by_outcome(expression, chances, regions)
            if found is not None:
                return found
        expression, chances = _with_regions(expression, chances, regions)
    return _refined(_computed(expression, chances), expression, chances, seed, draws)


def system_probability(
    system: QuorumSystem,
    failure: Mapping[str, Number] | None = None,
    *,
    roles: Collection[str] | None = None,
    region_failure: Mapping[str, Number] | None = None,
    seed: int = 0,
    draws: int = DRAWS,
) -> SystemProbability:
    """The same for each role, and for all of them at once: that not all have a live quorum.

    Nodes that ``failure`` leaves out fail with the probability that the system states for them.
    """
    given = {node.name: node.failure for node in system.nodes if node.failure is not None}
    stated: dict[str, Number] = {**given, **(failure or {})}
    chosen = [role for role in system.roles if role in roles] if roles is not None else list(system.roles)
    if not chosen or (roles is not None and len(chosen) < len(set(roles))):
        wrong = sorted(set(roles or ()) - set(system.roles))
        raise QuorumError(unknown("role", wrong[0] if wrong else "", system.roles))
    found = {}
    for role in chosen:
        e = system.roles[role]
        found[role] = probability(e, stated, region_failure=_named(e, region_failure), seed=seed, draws=draws)
    if len(chosen) == 1:
        return SystemProbability(tuple(found.items()), found[chosen[0]])
    together = all_of(system.roles[role] for role in chosen)
    joint = probability(together, stated, region_failure=_named(together, region_failure), seed=seed, draws=draws)
    return SystemProbability(tuple(found.items()), joint)


def _named(expression: Expression, regions: Mapping[str, Number] | None) -> dict[str, Number]:
    """The regions in which an expression has nodes."""
    present = {node.region for node in expression.nodes()}
    return {region: p for region, p in (regions or {}).items() if region in present}


def _chance(what: str, given: Mapping[str, Number], name: str) -> Chance:
    if name not in given:
        raise QuorumError(f"{what} has no probability of failure: give it one, 0 if it never fails")
    p = given[name]
    if not 0 <= p <= 1:
        raise QuorumError(f"{what}: a probability of failure is between 0 and 1, not {p}")
    if isinstance(p, float):
        return Chance(p, 1.0 - p, 1)
    return Chance(Fraction(p), 1 - Fraction(p))


# --- one expression -----------------------------------------------------------------------


class _TooMuch(Exception):
    """A threshold for which exact arithmetic would take too long."""


@dataclass(frozen=True, slots=True)
class _Ends:
    """A part at its best, where what was dropped is alive, and at its worst, where it is not."""

    best: Chance
    worst: Chance


def _computed(expression: Expression, chances: Mapping[str, Chance]) -> Probability:
    """What can be said without sampling."""
    circuit = compiled(expression)
    if isinstance(circuit, bool):
        value = 0.0 if circuit else 1.0
        what = "even no nodes at all are a quorum" if circuit else "nothing is ever a quorum"
        return Probability(value, value, value, what, Fraction(int(value)))
    try:
        ends = _ends(circuit, chances)
    except _TooMuch:
        chances = {name: Chance(float(c.dead), float(c.live), 1) for name, c in chances.items()}
        ends = _ends(circuit, chances)
    if ends.best is ends.worst and isinstance(ends.best.dead, Fraction):
        value = float(ends.best.dead)
        return Probability(value, value, value, "computed exactly, in fractions", ends.best.dead)
    low, high = _lowest(ends.best), _highest(ends.worst)
    if ends.best is ends.worst:
        return Probability(float(ends.best.dead), low, high, "computed in floating point, every rounding counted")
    floor, ceiling = _packed(circuit, expression, chances)
    low, high = max(low, floor), min(high, ceiling)
    basis = "bounds: the most probable situations were gone through, and disjoint quorums and blocking sets"
    return Probability((low + high) / 2, low, high, basis)


def _refined(found: Probability, expression: Expression, chances: Mapping[str, Chance], seed: int, draws: int) -> Probability:
    """The probability, estimated where it is not known well."""
    circuit = compiled(expression)
    if _known(found) or isinstance(circuit, bool):
        return found
    sample = _sampled(circuit, chances, seed, draws)
    value = min(max(sample.failed / sample.draws, found.low), found.high)
    basis = f"estimated from {draws:,} random draws, within {found.basis}"
    return replace(found, value=value, basis=basis, sample=sample)


def _known(found: Probability) -> bool:
    return found.high - found.low <= CLOSE * found.high + 10 * TINY


def _lowest(chance: Chance) -> float:
    return max(0.0, float(chance.dead) * (1 - 1.01 * ULP * (chance.roundings + 2)) - TINY)


def _highest(chance: Chance) -> float:
    return min(1.0, float(chance.dead) * (1 + 1.01 * ULP * (chance.roundings + 2)) + TINY)


def _ends(circuit: Circuit, chances: Mapping[str, Chance]) -> _Ends:
    """The chance of the whole, from those of its parts."""
    found: dict[int, _Ends] = {}
    for step in steps(circuit):
        part = circuit.parts[step.position]
        if isinstance(part, str):
            found[step.position] = _Ends(chances[part], chances[part])
            continue
        best = {k: found[k].best for k in step.sources}
        worst = {k: found[k].worst for k in step.sources}
        same = all(best[k] is worst[k] for k in step.sources)
        if step.shape is Shape.APART and part.needed <= TABLE_MAX:
            at_best = _threshold(part, best)
            found[step.position] = _Ends(at_best, at_best if same else _threshold(part, worst))
            continue
        swept = sweep(circuit, step, best)
        if same and not swept.dropped:
            chance = Chance(swept.dead, swept.live, swept.roundings)
            found[step.position] = _Ends(chance, chance)
            continue
        other = swept if same else sweep(circuit, step, worst)
        found[step.position] = _Ends(
            Chance(swept.dead, swept.live + swept.dropped, swept.roundings + 1),
            Chance(other.dead + other.dropped, other.live, other.roundings + 1),
        )
    return found[circuit.root]


def _threshold(gate: Gate, chances: Mapping[int, Chance]) -> Chance:
    """Whether independent members reach a threshold: the probability of each weight below it, member by member."""
    members = sorted(gate.members, key=lambda member: -member[0])
    work = gate.needed * len(members)
    exact = all(isinstance(chances[k].dead, Fraction) for _, k in members)
    if exact and work > EXACT_SUMS_MAX:
        raise _TooMuch
    roundings = 3 * len(members) + 2 + sum(chances[k].roundings for _, k in members)
    if work > EXACT_SUMS_MAX:
        return _large_threshold(gate.needed, members, chances, roundings + 200 * len(members))
    zero: Number = Fraction(0) if exact else 0.0
    below = [zero + 1]
    live: list[Number] = []
    for weight, k in members:
        chance = chances[k]
        live.extend(p * chance.live for p in below[max(gate.needed - weight, 0) :])
        size = min(len(below) + weight, gate.needed)
        longer = [p * chance.dead for p in below]
        longer += [zero] * (size - len(below))
        longer[weight:] = [p + q * chance.live for p, q in zip(longer[weight:], below, strict=False)]
        below = longer
    return Chance(total(below, zero), total(live, zero), roundings)


def _large_threshold(
    needed: int, members: list[tuple[int, int]], chances: Mapping[int, Chance], roundings: int
) -> Chance:
    """The same in arrays of floats; a sum of n numbers rounds each fewer than 128 + log2(n) times."""
    import numpy as np

    below = np.zeros(needed)
    below[0] = 1.0
    live: list[Number] = []
    for weight, k in members:
        chance = chances[k]
        reaching = max(needed - weight, 0)
        live.append(float(below[reaching:].sum()) * float(chance.live))
        moved = below[:reaching] * float(chance.live)
        below *= float(chance.dead)
        below[weight:] += moved
    return Chance(float(below.sum()), total(live, 0.0), roundings)


# --- where that takes too long ------------------------------------------------------------


def _packed(circuit: Circuit, expression: Expression, chances: Mapping[str, Chance]) -> tuple[float, float]:
    """Bounds from disjoint quorums, all of which must be hit, and disjoint blocking sets, none of which may be down."""
    dual = compiled(expression.dual())
    assert isinstance(dual, Circuit)
    ceiling = 1.0
    for quorum in _disjoint(circuit):
        alive = 1.0
        for name in quorum:
            alive *= float(chances[name].live)
        ceiling *= 1.0 - alive
    standing = 1.0
    for blocking in _disjoint(dual):
        down = 1.0
        for name in blocking:
            down *= float(chances[name].dead)
        standing *= 1.0 - down
    slack = 16 * ULP * len(circuit.parts)
    return max(0.0, 1.0 - standing - slack), min(1.0, ceiling + slack)


def _disjoint(circuit: Circuit) -> Iterable[list[str]]:
    """Minimal quorums that share no node, small ones first."""
    left = circuit.below[-1]
    while (quorum := small_quorum(circuit, left)) is not None:
        left &= ~quorum
        yield [part for k, part in enumerate(circuit.parts) if isinstance(part, str) and quorum >> k & 1]


def _sampled(circuit: Circuit, chances: Mapping[str, Chance], seed: int, draws: int) -> Sample:
    """Nodes are drawn up or down, and the draws without a live quorum counted."""
    import numpy as np
    from scipy.special import betaincinv

    random = np.random.default_rng(seed)
    alive = 0
    for start in range(0, draws, 4096):
        count = min(4096, draws - start)
        held: list[np.ndarray[tuple[int, ...], np.dtype[np.bool_]]] = []
        for part in circuit.parts:
            if isinstance(part, str):
                held.append(random.random(count) >= float(chances[part].dead))
                continue
            heavy = sum(weight for weight, _ in part.members) >= 2**62
            reached = np.zeros(count, dtype=object if heavy else np.int64)
            for weight, member in part.members:
                reached += held[member] * weight
            held.append((reached >= part.needed).astype(np.bool_))
        alive += int(held[-1].sum())
    failed, tail = draws - alive, (1 - CONFIDENCE) / 2
    low = 0.0 if not failed else float(betaincinv(failed, draws - failed + 1, tail))
    high = 1.0 if not alive else float(betaincinv(failed + 1, draws - failed, 1 - tail))
    return Sample(draws, failed, seed, low, high)


# --- regions ------------------------------------------------------------------------------


def _by_outcome(
    expression: Expression, chances: Mapping[str, Chance], regions: Mapping[str, Chance]
) -> Probability | None:
    """All outcomes of regions being up or down, weighed by their probabilities; None if one is not computed."""
    low = high = value = 0.0
    exact: Fraction | None = Fraction(0)
    for down in product((False, True), repeat=len(regions)):
        weight: Number = Fraction(1)
        for fails, chance in zip(down, regions.values(), strict=True):
            weight = weight * (chance.dead if fails else chance.live)
        if not weight:
            continue
        gone = {region for region, fails in zip(regions, down, strict=True) if fails}
        absent = frozenset(node.name for node in expression.nodes() if node.region in gone)
        part = _computed(expression.restricted(absent=absent), chances)
        if not _known(part):
            return None
        share = float(weight)
        low, high, value = low + share * part.low, high + share * part.high, value + share * part.value
        exact = exact + weight * part.exact if exact is not None and part.exact is not None and isinstance(weight, Fraction) else None
    slack = 1.01 * ULP * (2 ** len(regions) + 4 * len(regions) + 8)
    if exact is not None:
        return Probability(float(exact), float(exact), float(exact), "computed exactly, in fractions", exact)
    basis = "computed in floating point for every outcome of the regions, every rounding counted"
    return Probability(value, max(0.0, low * (1 - slack) - TINY), min(1.0, high * (1 + slack) + TINY), basis)


def _with_regions(
    expression: Expression, chances: Mapping[str, Chance], regions: Mapping[str, Chance]
) -> tuple[Expression, dict[str, Chance]]:
    """The regions as further nodes, each needed by all nodes in it."""
    names = {region: f"region {region}" for region in regions}
    while any(name in chances for name in names.values()):
        names = {region: name + "'" for region, name in names.items()}

    def node(leaf: Node) -> Expression:
        return leaf if leaf.region not in names else leaf * Node(names[leaf.region])

    return expression.mapped(node), {**chances, **{names[region]: regions[region] for region in regions}}
