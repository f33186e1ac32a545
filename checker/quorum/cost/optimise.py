"""The best strategy of a quorum system, by column generation, with a proof of how good it is.

Few quorums are known at first.  The linear programme over them gives every node a price; the cheapest
quorum under those prices joins, until none would improve anything.  Law: what is returned is evaluated
by definition (`strategy`), and bounded from below by a certificate that `verify` checks without the
linear programme; the distance between the two is stated, not assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from time import monotonic
from types import MappingProxyType

import numpy as np

from scrutator.checker.quorum.cost.likeness import alike
from scrutator.checker.quorum.cost.master import (
    LATENCY,
    Array,
    Duals,
    Master,
    Solution,
    offers,
    problem,
)
from scrutator.checker.quorum.cost.pricing import Asked, Listed, Pricing, pricing
from scrutator.checker.quorum.cost.strategy import Costs, Strategy
from scrutator.checker.quorum.cost.workloads import Workload, workload_of
from scrutator.checker.quorum.programme import TimedOut
from scrutator.model.quorums.expression import QuorumError
from scrutator.model.quorums.system import QuorumSystem

METRICS = ("load", "network", "latency")
GAP = 1e-9  # relative; what is closer counts as optimal, and limits are kept up to this
WIDER = (1 + GAP) ** 2  # of limits, so that one that can just be kept is not lost to rounding
SEEDS_MAX = 400
PARTS = (0.9, 0.7, 0.4)  # of the best duals so far, to price under
NOISE = 1e-12  # probabilities below are the solver's rounding


class Infeasible(QuorumError):
    """No strategy keeps the limits, or no set of nodes is spare enough: says which, and what can be had."""


class Exceeded(Exception):
    """The limits cannot be kept, as duals prove; `optimal` finds out why and raises `Infeasible`."""

    def __init__(self, master: Master, duals: Duals) -> None:
        super().__init__("the limits cannot be kept")
        self.master, self.duals = master, duals


@dataclass(frozen=True, slots=True)
class Limits:
    """What a strategy may cost at most; ``latency_s`` in seconds."""

    load: float | None = None
    network: float | None = None
    latency_s: float | None = None

    def __post_init__(self) -> None:
        for metric, limit in zip(METRICS, self.listed(), strict=True):
            if limit is not None and not 0 < limit < float("inf"):
                raise QuorumError(f"a limit of the {metric} is above 0, not {limit}; leave it out to have none")

    def listed(self) -> tuple[float | None, float | None, float | None]:
        return (self.load, self.network, self.latency_s)


@dataclass(frozen=True, slots=True)
class Certificate:
    """Weights that prove a lower bound: of nodes for each fraction of reads, and of the limits given.

    Without limits and with the load as the objective these are a probability distribution over the
    nodes under which every quorum weighs enough: the dual of Naor and Wool.
    """

    nodes: tuple[tuple[float, ...], ...]
    limits: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Optimum:
    """The best strategy found, and how much better the best there is could be.

    ``value`` is the load, network or latency in seconds that was minimised, ``bound`` what no strategy
    can go below by the ``certificate``, ``how`` how quorums were priced: the bound is exact but for rounding unless that is
    integer programming, which is trusted within its tolerance.  ``proved_by`` is the certificate again,
    in a form that can be tried on other systems.
    """

    optimise: str
    work: Workload
    strategy: Strategy
    value: float
    bound: float
    certificate: Certificate
    how: str
    rounds: int
    elapsed_s: float
    proved_by: tuple[Master, Duals] | None = field(default=None, repr=False, compare=False)

    @property
    def costs(self) -> Costs:
        """All that the strategy costs under the workload it was made for."""
        return self.strategy.costs(self.work)

    @property
    def gap(self) -> float:
        """The relative distance between value and bound; 0 is optimal."""
        return max(0.0, self.value - self.bound) / abs(self.value) if self.value else 0.0

    @property
    def proof(self) -> str:
        """How good the strategy is, as text."""
        return f"optimal to {GAP:g}" if self.gap <= GAP else f"within {self.gap:.2g} of the optimum"


def optimal(
    system: QuorumSystem,
    work: Workload | None = None,
    *,
    optimise: str = "load",
    limits: Limits | None = None,
    spare: int = 0,
    timeout_s: float | None = None,
) -> Optimum:
    """The strategy with the least load, network or latency.

    ``spare`` asks for sets of nodes that still contain a quorum after any so many of them failed.
    Raises `Infeasible` where there is none or the limits cannot be kept, `QuorumError` for other
    nonsense, `TimedOut` where time is up before any strategy is known; after that the best so far is given.

    >>> from scrutator.model.quorums import parse_system
    >>> round(101 * optimal(parse_system("majority(n1, ..., n101)")).value, 9)
    51.0
    """
    began = monotonic()
    work = workload_of(system) if work is None else work
    if optimise not in METRICS:
        raise QuorumError(f"optimise what? {optimise} is none of {', '.join(METRICS)}")
    limits = Limits() if limits is None else limits
    sides = role_pricing(system, work, optimise, limits, spare)
    deadline = None if timeout_s is None else began + timeout_s
    try:
        return best(system, work, sides, optimise, limits, deadline)
    except Exceeded:
        raise Infeasible(_why_infeasible(system, work, sides, limits, deadline)) from None


def role_pricing(
    system: QuorumSystem, work: Workload, optimise: str, limits: Limits, spare: int
) -> tuple[Pricing, Pricing]:
    """How read and write quorums are priced; raises `Infeasible` if a role has no set that is spare enough."""
    if spare < 0:
        raise QuorumError(f"spare nodes: 0 or more, not {spare}")
    latency = optimise == "latency" or limits.latency_s is not None
    found: list[Pricing] = []
    for role in dict.fromkeys((work.read, work.write)):
        side = pricing(system.roles[role], system.nodes, spare, latency=latency)
        if side.cheapest([1.0] * len(system.nodes), 0.0) is None:
            what = f"no set of nodes contains a {role} quorum after any {spare} of them failed" if spare else f"{role} has no quorums"
            raise Infeasible(f"{system.name}: {what}" + ("; ask for fewer spare nodes" if spare else ""))
        found.append(side)
    return found[0], found[-1]


def best(
    system: QuorumSystem,
    work: Workload,
    sides: tuple[Pricing, Pricing],
    optimise: str,
    limits: Limits,
    deadline: float | None = None,
) -> Optimum:
    """`optimal`, where pricing is ready; raises `Exceeded` where the limits cannot be kept."""
    began = monotonic()
    metric = METRICS.index(optimise)
    if limits.listed()[metric] is not None:
        raise QuorumError(f"a limit of the {optimise} while the {optimise} is optimised: leave one of them out")
    known = seeds(system, sides)
    listed = all(isinstance(side, Listed) for side in sides)
    like = [] if listed else alike(system.nodes, [system.roles[role] for role in dict.fromkeys((work.read, work.write))])
    wider = [None if limit is None else limit * WIDER for limit in limits.listed()]
    limited = any(limit is not None for limit in wider)
    if limited and not listed:
        known = _within_limits(system, work, sides, limits, known, like, deadline)
    master = Master(problem(system.nodes, work, metric, wider))
    state = generate(master, sides, known, like, deadline)
    if state.solution is None:
        if limited and listed:
            _within_limits(system, work, sides, limits, known, like, deadline)
        raise TimedOut("the search for a strategy")
    strategy = _strategy(system, work, master, state.solution)
    value = (strategy.load, strategy.network, strategy.latency_s)[metric](work)
    unit = master.problem.units[metric]
    return Optimum(
        optimise, work, strategy, value, max(0.0, state.bound * unit),
        Certificate(tuple(map(tuple, state.duals.nodes.tolist())), tuple(state.duals.limits.tolist())),
        " and ".join(dict.fromkeys(side.how for side in sides)), state.rounds, monotonic() - began, (master, state.duals),
    )  # fmt: skip


def _within_limits(
    system: QuorumSystem, work: Workload, sides: tuple[Pricing, Pricing], limits: Limits,
    known: Sequence[Iterable[Asked]], like: Sequence[int], deadline: float | None,
) -> list[list[Asked]]:  # fmt: skip
    """Quorums of which a strategy is made that keeps the limits; raises `Exceeded` where there is a proof of none."""
    widened = [None if limit is None else limit * (1 + GAP) for limit in limits.listed()]
    master = Master(problem(system.nodes, work, None, widened))
    state = generate(master, sides, known, like, deadline, enough=0.0)
    if state.bound > GAP:
        raise Exceeded(master, state.duals)
    if state.value > GAP:
        raise TimedOut("the search for a strategy that keeps the limits")
    return [list(side.values()) for side in master.known]


def verify(system: QuorumSystem, found: Optimum, limits: Limits | None = None, spare: int = 0) -> float:
    """The lower bound that the certificate proves, computed anew from its weights and the cheapest quorums."""
    limits = Limits() if limits is None else limits
    metric = METRICS.index(found.optimise)
    widened = [None if limit is None else limit * WIDER for limit in limits.listed()]
    master = Master(problem(system.nodes, found.work, metric, widened))
    weights = np.maximum(np.array(found.certificate.nodes), 0.0), np.maximum(np.array(found.certificate.limits), 0.0)
    sides = role_pricing(system, found.work, found.optimise, limits, spare)
    return bound_of(master, master.feasible(*weights), sides) * master.problem.units[metric]


def bound_of(master: Master, duals: Duals, sides: tuple[Pricing, Pricing]) -> float:
    """What duals prove, in the units of the problem."""
    found = offers(master, duals, sides, None)
    return float("inf") if found is None else master.bound(duals, found[0].bound, found[1].bound)


# --- column generation --------------------------------------------------------------------


@dataclass(slots=True)
class _State:
    """How far column generation has come; values in the units of the problem."""

    duals: Duals
    alike: list[int]
    bound: float = -float("inf")
    solution: Solution | None = None
    rounds: int = 0

    @property
    def value(self) -> float:
        return float("inf") if self.solution is None else self.solution.value

    def closed(self) -> bool:
        return self.value - self.bound <= GAP / 10 * max(abs(self.value), 1e-3)


def generate(
    master: Master,
    sides: tuple[Pricing, Pricing],
    known: Iterable[Iterable[Asked]],
    alike: Iterable[int],
    deadline: float | None,
    enough: float | None = None,
) -> _State:
    """Adds quorums until none would help, the value is down to ``enough``, its bound is above, or time is up."""
    for side, listed in enumerate(known):
        for asked in listed:
            master.add(side, asked)
    state = _State(Duals(np.ones((0, 0)), np.ones(0)), list(alike))
    while True:
        state.rounds += 1
        found = master.solve()
        if found is None:
            if master.small:
                master.small = False
                continue
            return state
        state.solution = found
        if enough is not None and found.value <= enough + GAP / 10:
            return state
        new = _improve(master, sides, state, found.duals, deadline)
        if state.closed():
            return state
        if not new and not master.small:
            return state
        master.small = master.small and new  # where the small simplex leaves a gap, HiGHS is asked
        if enough is not None and state.bound > enough + GAP:
            return state
        if deadline is not None and monotonic() > deadline:
            return state


def _improve(master: Master, sides: tuple[Pricing, Pricing], state: _State, duals: Duals, deadline: float | None) -> bool:
    """Prices under the duals, and between them and the best so far, which swings less; whether a quorum is new."""
    new = False
    for candidate in _candidates(master, sides, state, duals):
        left = None if deadline is None else deadline - monotonic()
        try:
            found = offers(master, candidate, sides, left)
        except TimedOut:
            return False
        assert found is not None, "a role without quorums is refused earlier"
        bound = master.bound(candidate, found[0].bound, found[1].bound)
        if bound > state.bound:
            state.bound, state.duals = bound, candidate
        for side, offer in enumerate(found):
            new |= master.add(side, offer.asked)
    return new


def _candidates(master: Master, sides: tuple[Pricing, Pricing], state: _State, duals: Duals) -> Iterator[Duals]:
    """Duals to price under, the last those of the linear programme, which alone say that nothing is left.

    The others are nearer to the best so far, as the programme's own swing from corner to corner, and
    equal for like nodes, as symmetric systems have a best dual that is.  Source of the first: Wentges,
    "Weighted Dantzig-Wolfe decomposition for linear mixed-integer programming", 1997.
    """
    if not all(isinstance(side, Listed) for side in sides):
        if len(set(state.alike)) < len(state.alike):
            yield master.evened(duals, state.alike)
        if state.rounds > 1 and all(side.how != "integer programming" for side in sides):
            for part in PARTS:
                yield master.between(state.duals, duals, part)
    yield duals


def seeds(system: QuorumSystem, sides: tuple[Pricing, Pricing]) -> list[list[Asked]]:
    """Quorums to begin with: all if they are listed, else those that use the nodes evenly."""
    found: list[list[Asked]] = []
    for side, pricing_of in enumerate(sides):
        if isinstance(pricing_of, Listed):
            found.append(list(pricing_of.sets))
            continue
        rounds = min(2 * len(system.nodes), SEEDS_MAX) if pricing_of.how == "dynamic programming" else 3
        work = [1 / (node.write_capacity if side else node.read_capacity) for node in system.nodes]
        prices, chosen = list(work), []
        for _ in range(rounds):
            offer = pricing_of.cheapest(prices, 0.0)
            assert offer is not None, "a role without quorums is refused earlier"
            chosen.append(offer.asked)
            for k in offer.asked.members:
                prices[k] += work[k]
        found.append(chosen)
    return found


# --- results ------------------------------------------------------------------------------


def _strategy(system: QuorumSystem, work: Workload, master: Master, found: Solution) -> Strategy:
    names = [node.name for node in system.nodes]

    def side(known: dict[tuple[int, ...], Asked], values: Array) -> MappingProxyType[frozenset[str], float]:
        # Quorums that joined after the last solution come last, and have no value.
        used = ((members, float(v)) for members, v in zip(known, values, strict=False) if v > NOISE)
        kept = {frozenset(names[k] for k in members): v for members, v in used}
        total = sum(kept.values())
        return MappingProxyType({quorum: value / total for quorum, value in kept.items()})

    reads, writes = side(master.known[0], found.reads), side(master.known[1], found.writes)
    return Strategy(system.nodes, system.roles[work.read], system.roles[work.write], reads, writes)


def _why_infeasible(
    system: QuorumSystem, work: Workload, sides: tuple[Pricing, Pricing], limits: Limits, deadline: float | None
) -> str:
    """Which limit cannot be kept alone, or what the last one must be where only all together are too much."""
    wanted = [(k, limit) for k, limit in enumerate(limits.listed()) if limit is not None]
    asked = " and ".join(f"{METRICS[k]} <= {_amount(k, limit)}" for k, limit in wanted)
    for k, limit in wanted:
        alone = best(system, work, sides, METRICS[k], Limits(), deadline)
        if alone.bound > limit * (1 + GAP):
            return f"{system.name}: no strategy keeps {asked}: the {METRICS[k]} is at least {_amount(k, alone.bound)}; raise that limit"
    last, _ = wanted[-1]
    others: list[float | None] = [None if k == last else limit for k, limit in enumerate(limits.listed())]
    try:
        needed = best(system, work, sides, METRICS[last], Limits(*others), deadline).bound
    except Exceeded:
        return f"{system.name}: no strategy keeps {asked}: each alone can be kept, but not together; raise one"
    return (
        f"{system.name}: no strategy keeps {asked}: each alone can be kept, but with the others the {METRICS[last]} "
        f"is at least {_amount(last, needed)}; raise that limit or another"
    )


def _amount(metric: int, value: float) -> str:
    return f"{value:.6g}" + (" s" if metric == LATENCY else "")

