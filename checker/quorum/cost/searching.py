"""The search for better quorum systems: what the nodes at hand could do, with proof that it is safe.

Candidates are read quorums; writes are their dual, the fewest nodes that meet every read.  Law: only
systems that were proved safe are returned; a candidate is left out for its cost only if a certificate
shows that it cannot be better than one already proved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from time import monotonic

from scrutator.checker.quorum.cost.candidates import duplicate_free, kinds, structured
from scrutator.checker.quorum.cost.master import Duals, Master, offers
from scrutator.checker.quorum.cost.optimise import (
    GAP,
    Exceeded,
    Infeasible,
    Limits,
    Optimum,
    best,
    role_pricing,
)
from scrutator.checker.quorum.cost.pricing import ByLatency, Pricing
from scrutator.checker.quorum.cost.pricing import resilience as resilience_of
from scrutator.checker.quorum.cost.read_once import is_solvable, sizes
from scrutator.checker.quorum.cost.subsets import holds
from scrutator.checker.quorum.cost.workloads import Workload, workload
from scrutator.checker.quorum.programme import TimedOut
from scrutator.model.quorums.expression import Expression, Kind, Node, QuorumError
from scrutator.model.quorums.rules import Rule
from scrutator.model.quorums.system import QuorumSystem, with_rules

POOL_MAX = 24  # certificates that are tried on each candidate
PROVED_MAX = 16  # nodes, up to which all pairs of complementary sets are looked at
PROGRESS_S = 0.2
SHARE = 10  # no candidate takes more than this part of the time

Prove = Callable[[QuorumSystem], bool]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the search is: ``value`` is the best cost so far."""

    considered: int
    pruned: int
    solved: int
    value: float | None
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class Found:
    """The best system and its strategy.

    Of the candidates ``considered``, ``pruned`` were shown by a certificate to be no better, ``solved``
    were optimised, ``unproved`` were better but not proved safe.  ``complete``: no expression without
    repetition over these nodes is better.
    """

    system: QuorumSystem
    optimum: Optimum
    considered: int
    pruned: int
    solved: int
    unproved: int
    complete: bool
    elapsed_s: float


def search(
    nodes: Sequence[Node],
    work: Workload | None = None,
    *,
    optimise: str = "load",
    limits: Limits | None = None,
    resilience: int = 0,
    zones_survived: int = 0,
    spare: int = 0,
    rules: tuple[str, ...] = (),
    prove: Prove | None = None,
    timeout_s: float | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Found:
    """The read and write quorums of the least load, network or latency, of the nodes or some of them.

    Both roles still have quorums after any ``resilience`` nodes failed, and after any ``zones_survived``
    whole regions did; ``limits`` and ``spare`` as for `optimal`.  The roles are those of ``work``;
    ``rules`` are what a candidate must obey (by default that reads meet writes) and ``prove`` decides
    that; by default it is decided here.  Raises `Infeasible` if nothing was found.

    >>> from scrutator.model.quorums import nodes
    >>> found = search(nodes("a b c d"), workload(0.5), resilience=1)
    >>> found.optimum.value, found.complete
    (0.5, True)
    """
    work = workload(0.5) if work is None else work
    run = _Search(_checked(nodes, zones_survived), work, optimise, limits or Limits(), spare, rules, prove or proved, timeout_s, on_progress)
    return run.over(resilience, zones_survived)


def proved(system: QuorumSystem) -> bool:
    """Whether the rules are known to hold: by duality, or by looking at all sets of up to 16 nodes."""
    return all(_proved(system, rule) for rule in system.rules)


def _proved(system: QuorumSystem, rule: Rule) -> bool:
    if len(rule.roles) != 2 or rule.overlap != 1:
        return False
    one, other = (system.roles[role] for role in rule.roles)
    if one == other.dual():
        return True
    names = [node.name for node in system.nodes]
    # Two quorums are disjoint only if some set contains the one and its complement the other.
    return len(names) <= PROVED_MAX and not bool((holds(one, names) & holds(other, names)[::-1]).any())


def _checked(nodes: Sequence[Node], zones_survived: int) -> tuple[Node, ...]:
    able = tuple(node for node in nodes if node.kind is not Kind.LEARNER)
    if not able:
        raise QuorumError("a search without nodes that may vote: give at least one")
    regions = {node.region for node in able}
    if zones_survived and None in regions:
        without = next(node.name for node in able if node.region is None)
        raise QuorumError(f"node {without} has no region: to survive the loss of {zones_survived}, every node needs one")
    if zones_survived >= len(regions) and zones_survived:
        raise Infeasible(f"nothing survives the loss of {zones_survived} regions where there are {len(regions)}")
    return able


class _Search:
    """One search: what is asked, the best so far, and the certificates that rule candidates out."""

    def __init__(
        self, nodes: tuple[Node, ...], work: Workload, optimise: str, limits: Limits, spare: int,
        rules: tuple[str, ...], prove: Prove, timeout_s: float | None, on_progress: Callable[[Progress], None] | None,
    ) -> None:  # fmt: skip
        self.nodes, self.work, self.optimise, self.limits, self.spare = nodes, work, optimise, limits, spare
        self.rules = rules or (f"{work.read} & {work.write}",)
        self.prove, self.timeout_s, self.on_progress = prove, timeout_s, on_progress
        self.began = self.told = monotonic()
        self.pool: list[tuple[Master, Duals]] = []
        self.considered = self.pruned = self.solved = self.unproved = 0
        self.best: tuple[QuorumSystem, Optimum] | None = None

    def over(self, resilience: int, zones_survived: int) -> Found:
        lost = [
            [node.name for node in self.nodes if node.region in zones]
            for zones in combinations(sorted({node.region or "" for node in self.nodes}), zones_survived)
        ]
        cut_short = False
        for reads in chain(structured(self.nodes), self._exhaustive(bool(zones_survived))):
            if self.is_late():
                cut_short = True
                break
            self.considered += 1
            if self._survives(reads, resilience, lost):
                self._consider(reads)
            self._tell()
        if self.best is None:
            late = f" within {self.timeout_s:g} s" if cut_short else ""
            raise Infeasible(f"no quorum system of these {len(self.nodes)} nodes that keeps what is asked was found{late}")
        self._tell(at_last=True)
        complete = not (cut_short or self.is_late() or self.unproved)
        return Found(*self.best, self.considered, self.pruned, self.solved, self.unproved, complete, monotonic() - self.began)

    def is_late(self) -> bool:
        return self.timeout_s is not None and monotonic() - self.began > self.timeout_s

    def _exhaustive(self, regions: bool) -> Iterator[Expression]:
        """Nodes are interchangeable that are equal in what matters here."""
        load = self.optimise == "load" or self.limits.load is not None
        latency = self.optimise == "latency" or self.limits.latency_s is not None

        def attributes(node: Node) -> tuple[object, ...]:
            return (
                (node.read_capacity, node.write_capacity) if load else (),
                node.latency_s if latency else 0.0,
                node.region if regions else None,
                node.kind,
            )

        return duplicate_free(kinds(self.nodes, attributes), self.is_late)

    def _survives(self, reads: Expression, resilience: int, lost: list[list[str]]) -> bool:
        if resilience and _survived_by_both(reads) < resilience:
            return False
        if not any(lost):
            return True
        names, writes = frozenset(reads.names()), reads.dual()
        return all(side.is_quorum(names.difference(zone)) for zone in lost for side in (reads, writes))

    def _consider(self, reads: Expression) -> None:
        system = QuorumSystem("candidate", {self.work.read: reads, self.work.write: reads.dual()}, (), self.nodes)
        try:
            if self._is_no_better(system):
                self.pruned += 1
                return
            sides = role_pricing(system, self.work, self.optimise, self.limits, self.spare)
            self.solved += 1
            found = best(system, self.work, sides, self.optimise, self.limits, self._deadline())
        except Exceeded as exceeded:
            self._keep(exceeded.master, exceeded.duals)
            return
        except (Infeasible, TimedOut):
            return
        if found.proved_by is not None:
            self._keep(*found.proved_by)
        if self.best is None or found.value < self.best[1].value * (1 - 10 * GAP):
            self._propose(system, found)

    def _propose(self, system: QuorumSystem, found: Optimum) -> None:
        read, write = self.work.read, self.work.write
        complete = with_rules(f"{read} = {system.roles[read]}; {write} = dual", system.roles, self.rules, self.nodes)
        if self.prove(complete):
            self.best = complete, found
            self._tell(at_last=True)
        else:
            self.unproved += 1

    def _is_no_better(self, system: QuorumSystem) -> bool:
        """Whether a certificate shows that the candidate breaks the limits, or costs as much as the best."""
        sides: tuple[Pricing, Pricing] | None = None
        for k, (master, duals) in enumerate(self.pool):
            if not master.problem.elastic and self.best is None:
                continue
            sides = sides or self._sides(system)
            found = offers(master, duals, sides, None)
            if found is None:
                return True
            bound = master.bound(duals, found[0].bound, found[1].bound)
            least = GAP
            if not master.problem.elastic:
                assert self.best is not None
                unit = master.problem.units[master.problem.objective.index(1.0)]
                least = self.best[1].value * (1 - 10 * GAP) / unit
            if bound > least:
                self.pool.insert(0, self.pool.pop(k))  # what ruled one out is likely to rule out the next
                return True
        return False

    def _sides(self, system: QuorumSystem) -> tuple[Pricing, Pricing]:
        read, write = system.roles[self.work.read], system.roles[self.work.write]
        if not self.spare and is_solvable(read):
            return ByLatency(read, self.nodes, 0), ByLatency(write, self.nodes, 0)
        return role_pricing(system, self.work, self.optimise, self.limits, self.spare)

    def _keep(self, master: Master, duals: Duals) -> None:
        self.pool.insert(0, (master, duals))
        del self.pool[POOL_MAX:]

    def _deadline(self) -> float | None:
        if self.timeout_s is None:
            return None
        return min(self.began + self.timeout_s, monotonic() + max(self.timeout_s / SHARE, 0.5))

    def _tell(self, at_last: bool = False) -> None:
        now = monotonic()
        if self.on_progress is not None and (at_last or now - self.told > PROGRESS_S):
            self.told = now
            value = None if self.best is None else self.best[1].value
            self.on_progress(Progress(self.considered, self.pruned, self.solved, value, now - self.began))


def _survived_by_both(reads: Expression) -> float:
    """How many failures both the reads and their dual survive: the dual is blocked by a read quorum."""
    found = sizes(reads)
    return min(resilience_of(reads), resilience_of(reads.dual())) if found is None else min(found) - 1


def front(
    nodes: Sequence[Node],
    work: Workload | None = None,
    *,
    resilience: int = 0,
    between: int = 1,
    zones_survived: int = 0,
    spare: int = 0,
    rules: tuple[str, ...] = (),
    prove: Prove | None = None,
    timeout_s: float | None = None,
) -> list[tuple[int, Found]]:
    """The choice between load, latency and resilience: systems of which none is better in all three.

    For each number of failures survived, from ``resilience`` on: the least latency at the least load,
    the least load at the least latency, and ``between`` more at latencies in between.  Each comes with
    the number of failures that it survives.  ``timeout_s`` is for all together.
    """
    deadline = None if timeout_s is None else monotonic() + timeout_s

    def run(survived: int, optimise: str, limits: Limits) -> Found | None:
        left = None if deadline is None else max(0.0, deadline - monotonic()) / (len(nodes) * (between + 4)) * 4
        try:
            return search(nodes, work, optimise=optimise, limits=limits, resilience=survived, zones_survived=zones_survived,
                          spare=spare, rules=rules, prove=prove, timeout_s=left)  # fmt: skip
        except Infeasible:
            return None

    found: list[tuple[int, Found]] = []
    for survived in range(resilience, len(nodes)):
        points = _points(lambda o, li, s=survived: run(s, o, li), between)  # type: ignore[misc]
        if not points:
            break
        found.extend((_survived(point), point) for point in points)
    return [one for k, one in enumerate(found) if not any(_dominates(other, one, j < k) for j, other in enumerate(found) if j != k)]


def _points(run: Callable[[str, Limits], Found | None], between: int) -> list[Found]:
    """The ends of the front for one number of failures, and what lies between."""
    light, quick = run("load", Limits()), run("latency", Limits())
    if light is None or quick is None:
        return []
    fastest, slowest = quick.optimum.value, light.optimum.costs.latency_s
    ends = [run("latency", Limits(load=light.optimum.value)) or light]
    for k in range(between + 1):
        limit = fastest + (ends[0].optimum.costs.latency_s - fastest) * k / (between + 1)
        if k == 0 or limit < slowest:
            ends.append(run("load", Limits(latency_s=limit * (1 + GAP))) or quick)
    return ends


def _survived(found: Found) -> int:
    roles = found.optimum.work
    return min(resilience_of(found.system.roles[role]) for role in (roles.read, roles.write))


def _dominates(one: tuple[int, Found], other: tuple[int, Found], first: bool) -> bool:
    """Whether the one is as good in all, and better in something or the first of equals."""
    mine, theirs = one[1].optimum.costs, other[1].optimum.costs
    close = 1 + 1e-6
    if one[0] < other[0] or mine.load > theirs.load * close or mine.latency_s > theirs.latency_s * close:
        return False
    better = one[0] > other[0] or mine.load * close < theirs.load or mine.latency_s * close < theirs.latency_s
    return better or first
