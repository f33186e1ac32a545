"""Strategies: with which probability an operation uses which quorum, and what that costs.

Law: everything here is computed by definition, from the probabilities, with no solver; it is what the
numbers of the solver are replaced with before anybody sees them.  Source of the definitions: Naor and
Wool, "The load, capacity, and availability of quorum systems", 1998; Whittaker et al., "Read-write
quorum systems made practical", 2021.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from scrutator.checker.quorum.cost.workloads import Workload
from scrutator.model.quorums.expression import Expression, Node, QuorumError, minimal_quorums
from scrutator.model.quorums.system import QuorumSystem

Quorum = frozenset[str]
Chances = Mapping[Quorum, float]


@dataclass(frozen=True, slots=True)
class Costs:
    """What a strategy costs under a workload.

    ``load`` is the time the busiest node spends for one operation, ``capacity`` how many operations
    a second (the unit of the nodes' capacities) all nodes together sustain; ``network`` the number
    of nodes asked, ``latency_s`` the time until a quorum has answered, both for the average operation.
    """

    load: float
    capacity: float
    network: float
    latency_s: float


@dataclass(frozen=True, slots=True)
class Strategy:
    """Probabilities of read and of write quorums; made by `given`, `uniform` and `optimal`.

    Quorums may have more nodes than they need: all are asked, and the answers of a quorum among
    them are waited for.
    """

    nodes: tuple[Node, ...]
    read: Expression
    write: Expression
    reads: Chances
    writes: Chances

    def node_loads(self, reads: float) -> dict[str, float]:
        """How busy an operation keeps each node, at that fraction of reads."""
        read, write = _uses(self.reads), _uses(self.writes)
        return {
            node.name: reads * read.get(node.name, 0.0) / node.read_capacity
            + (1 - reads) * write.get(node.name, 0.0) / node.write_capacity
            for node in self.nodes
        }

    def load(self, work: Workload) -> float:
        """The expected load of the busiest node."""
        return sum(chance * self._load(fraction) for fraction, chance in work.fractions)

    def capacity(self, work: Workload) -> float:
        """The expected number of operations a second: the mean of 1/load, not 1/mean of the load."""
        loads = ((self._load(fraction), chance) for fraction, chance in work.fractions)
        return sum(chance / load if load else float("inf") for load, chance in loads)

    def network(self, work: Workload) -> float:
        """The expected number of nodes asked."""
        mean = work.mean
        return mean * _mean(self.reads, len) + (1 - mean) * _mean(self.writes, len)

    def latency_s(self, work: Workload) -> float:
        """The expected time until a quorum has answered, in seconds."""
        latencies = {node.name: node.latency_s for node in self.nodes}
        mean = work.mean
        return mean * _mean(self.reads, lambda q: latency_s(self.read, q, latencies)) + (1 - mean) * _mean(
            self.writes, lambda q: latency_s(self.write, q, latencies)
        )

    def costs(self, work: Workload) -> Costs:
        """All four."""
        return Costs(self.load(work), self.capacity(work), self.network(work), self.latency_s(work))

    def utilisation(self, work: Workload) -> dict[str, float]:
        """Which part of its time each node works while the busiest works all the time."""
        found = dict.fromkeys((node.name for node in self.nodes), 0.0)
        for fraction, chance in work.fractions:
            loads = self.node_loads(fraction)
            busiest = max(loads.values())
            for name, load in loads.items():
                found[name] += chance * load / busiest if busiest else 0.0
        return found

    def throughput(self, work: Workload) -> dict[str, float]:
        """Operations a second that each node takes part in while the busiest works all the time."""
        read, write = _uses(self.reads), _uses(self.writes)
        found = dict.fromkeys((node.name for node in self.nodes), 0.0)
        for fraction, chance in work.fractions:
            capacity = chance / self._load(fraction)
            for name in found:
                found[name] += capacity * (fraction * read.get(name, 0.0) + (1 - fraction) * write.get(name, 0.0))
        return found

    def _load(self, reads: float) -> float:
        return max(self.node_loads(reads).values())


def latency_s(expression: Expression, asked: Quorum, latencies: Mapping[str, float]) -> float:
    """The time until the nodes that have answered are a quorum, all of ``asked`` being asked at once."""
    times = [0.0, *sorted({latencies[name] for name in asked})]
    if not expression.is_quorum(asked):
        raise QuorumError(f"{named(asked)} is no quorum of {expression}: it would wait for ever")
    while len(times) > 1:  # a minimal quorum, as most are, needs its last answer
        if not expression.is_quorum(frozenset(name for name in asked if latencies[name] <= times[-2])):
            break
        times.pop()
    return times[-1]


def given(system: QuorumSystem, work: Workload, reads: Mapping[Collection[str], float], writes: Mapping[Collection[str], float]) -> Strategy:
    """A strategy from weights of quorums, which need not add up to 1; raises `QuorumError` for sets that are none."""
    read, write = system.roles[work.read], system.roles[work.write]
    return Strategy(system.nodes, read, write, _chances(work.read, read, reads), _chances(work.write, write, writes))


def uniform(system: QuorumSystem, work: Workload) -> Strategy:
    """Every minimal quorum as likely as any other; they are enumerated, so for systems of a few thousand."""
    read, write = system.roles[work.read], system.roles[work.write]
    sides = [minimal_quorums(side) for side in (read, write)]
    reads, writes = ({quorum: 1 / len(side) for quorum in side} for side in sides)
    return Strategy(system.nodes, read, write, MappingProxyType(reads), MappingProxyType(writes))


def named(quorum: Collection[str]) -> str:
    """A set of nodes as text."""
    return "{" + ", ".join(sorted(quorum)) + "}"


def _chances(role: str, expression: Expression, weights: Mapping[Collection[str], float]) -> Chances:
    for quorum, weight in weights.items():
        if not 0 <= weight < float("inf"):
            raise QuorumError(f"the weight of the {role} quorum {named(quorum)} is {weight}: weights are 0 or more")
        if not expression.is_quorum(frozenset(quorum)):
            raise QuorumError(f"{named(quorum)} is not a {role} quorum of {expression}")
    total = sum(weights.values())
    if not total:
        raise QuorumError(f"a strategy without {role} quorums: give at least one a weight above 0")
    return MappingProxyType({frozenset(quorum): weight / total for quorum, weight in weights.items() if weight > 0})


def _uses(chances: Chances) -> dict[str, float]:
    """The probability with which each node is asked."""
    found: dict[str, float] = {}
    for quorum, chance in chances.items():
        for name in quorum:
            found[name] = found.get(name, 0.0) + chance
    return found


def _mean(chances: Chances, value: Callable[[Quorum], float]) -> float:
    return sum(chance * value(quorum) for quorum, chance in chances.items())
