"""The linear programme over the quorums known so far, and what its duals prove about all others.

Variables are the probabilities of read and of write quorums and, for each fraction of reads, the load
of the busiest node.  Law: any non-negative weights of nodes and limits, once made to add up, give a
lower bound on every strategy's cost (`Duals`): the bound is computed from the weights alone, so the
solver's rounding cannot make it wrong.  Source: Naor and Wool, 1998, section 4, where the dual of
the load is a weighting of the nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from scrutator.checker.quorum.cost.pricing import Asked, Offer, Pricing
from scrutator.checker.quorum.cost.simplex import CELLS_MAX, GaveUp, minimise
from scrutator.checker.quorum.cost.workloads import Workload
from scrutator.model.quorums.expression import Node

Array: TypeAlias = NDArray[np.float64]
LOAD, NETWORK, LATENCY = 0, 1, 2  # what costs and limits are about, in this order everywhere


@dataclass(frozen=True, slots=True)
class Problem:
    """What is to be minimised over strategies: ``objective`` weighs load, network and latency.

    ``limits`` are on the same three; an objective of zeros asks by which part of themselves the limits
    must at least be exceeded.  All is measured in ``units`` that make the three about as large as 1, as
    solvers have absolute tolerances.
    """

    nodes: tuple[Node, ...]
    work: Workload
    objective: tuple[float, float, float]
    limits: tuple[float | None, float | None, float | None]
    units: tuple[float, float, float]

    @property
    def elastic(self) -> bool:
        return not any(self.objective)


@dataclass(frozen=True, slots=True)
class Duals:
    """Weights that prove a bound: of each node at each fraction of reads, and of each limit.

    ``nodes[i][v]`` adds up over v to the probability of fraction i times what load weighs.
    """

    nodes: Array
    limits: Array


@dataclass(frozen=True, slots=True)
class Prices:
    """What a quorum of one role costs under duals."""

    nodes: list[float]
    latency: float


@dataclass(frozen=True, slots=True)
class Solution:
    """The least cost over the quorums known, their probabilities, and duals."""

    value: float
    reads: Array
    writes: Array
    duals: Duals


def problem(nodes: tuple[Node, ...], work: Workload, objective: int | None, limits: Sequence[float | None]) -> Problem:
    """A problem in units of its own; ``objective`` None asks by how much the limits must be exceeded."""
    capacities = [c for node in nodes for c in (node.read_capacity, node.write_capacity)]
    units = (1 / float(np.median(capacities)), float(len(nodes)), max(node.latency_s for node in nodes))
    chosen = tuple(float(k == objective) for k in range(3))
    return Problem(nodes, work, chosen, (limits[0], limits[1], limits[2]), units)  # type: ignore[arg-type]


class Master:
    """The linear programme of one problem; columns are added, it is solved again."""

    def __init__(self, asked: Problem) -> None:
        self.problem = asked
        nodes, fractions = asked.nodes, asked.work.fractions
        self.fractions = np.array([fraction for fraction, _ in fractions])
        self.chances = np.array([chance for _, chance in fractions])
        self.mean = asked.work.mean
        unit = asked.units[LOAD]
        # The time of a node that one read or write takes, in units of load.
        self.read = 1 / (np.array([node.read_capacity for node in nodes]) * unit)
        self.write = 1 / (np.array([node.write_capacity for node in nodes]) * unit)
        self.known: tuple[dict[tuple[int, ...], Asked], dict[tuple[int, ...], Asked]] = ({}, {})
        self.small = True  # until the small simplex has failed
        self.limited = [k for k in range(3) if asked.limits[k] is not None]
        self.caps = np.array([asked.limits[k] / asked.units[k] for k in self.limited])  # type: ignore[operator]

    def add(self, side: int, asked: Asked) -> bool:
        """Whether the read (0) or write (1) quorum is new."""
        if asked.members in self.known[side]:
            return False
        self.known[side][asked.members] = asked
        return True

    def solve(self) -> Solution | None:
        """The best strategy over the known quorums; None if the limits leave none."""
        reads, writes, costs, upper, bounds = self._matrix()
        if self.small and upper.size + len(upper) ** 2 <= CELLS_MAX:
            try:
                quick = minimise(costs, upper, bounds, reads, writes, len(self.chances))
                return None if quick is None else self._solution(reads, writes, *quick)
            except GaveUp:
                self.small = False
        return self._by_highs(reads, writes, costs, upper, bounds)

    def _solution(self, reads: int, writes: int, value: float, found: Array, weights: Array) -> Solution:
        loads = len(self.chances) * len(self.problem.nodes)
        duals = self.feasible(weights[:loads].reshape(len(self.chances), -1), weights[loads:])
        return Solution(value, found[:reads], found[reads : reads + writes], duals)

    def _by_highs(self, reads: int, writes: int, costs: Array, upper: Array, bounds: Array) -> Solution | None:
        from scipy.optimize import linprog

        count = len(costs)
        sums = np.zeros((2, count))
        sums[0, :reads] = 1.0
        sums[1, reads : reads + writes] = 1.0
        options = {"presolve": False, "primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
        for attempt in (options, {}):
            found = linprog(costs, A_ub=upper, b_ub=bounds, A_eq=sums, b_eq=[1.0, 1.0], method="highs-ds", options=attempt)
            if found.status in (0, 2):
                break
        if found.status == 2:
            return None
        if found.status:
            raise RuntimeError(f"HiGHS gave up on a linear programme of {count} variables: {found.message}")
        return self._solution(reads, writes, float(found.fun), found.x, np.maximum(-found.ineqlin.marginals, 0.0))

    def _matrix(self) -> tuple[int, int, Array, Array, Array]:
        """Numbers of reads and writes, costs, the matrix of the inequalities and their right sides."""
        nodes, fractions, limited = len(self.problem.nodes), len(self.chances), self.limited
        sides = [self._side(side) for side in (0, 1)]
        reads, writes = (matrix.shape[1] for matrix, _, _ in sides)
        loads = reads + writes
        elastic = self.problem.elastic
        metrics = np.zeros((3, loads + fractions + elastic))
        metrics[LOAD, loads : loads + fractions] = self.chances
        upper = np.zeros((fractions * nodes + len(limited), metrics.shape[1]))
        for side, (start, share, work) in enumerate(((0, self.fractions, self.read), (reads, 1 - self.fractions, self.write))):
            matrix, sizes, latencies = sides[side]
            mean = self.mean if side == 0 else 1 - self.mean
            stop = start + matrix.shape[1]
            metrics[NETWORK, start:stop] = mean * sizes / self.problem.units[NETWORK]
            metrics[LATENCY, start:stop] = mean * latencies / self.problem.units[LATENCY]
            for i in range(fractions):
                upper[i * nodes : (i + 1) * nodes, start:stop] = share[i] * work[:, None] * matrix
        for i in range(fractions):
            upper[i * nodes : (i + 1) * nodes, loads + i] = -1.0
        upper[fractions * nodes :] = metrics[limited]
        costs = np.array(self.problem.objective) @ metrics
        if elastic:
            upper[fractions * nodes :, -1] = -self.caps
            costs[-1] = 1.0
        return reads, writes, costs, upper, np.concatenate([np.zeros(fractions * nodes), self.caps])

    def _side(self, side: int) -> tuple[Array, Array, Array]:
        known = self.known[side]
        matrix = np.zeros((len(self.problem.nodes), len(known)))
        for column, members in enumerate(known):
            matrix[list(members), column] = 1.0
        return matrix, matrix.sum(axis=0), np.array([asked.latency_s for asked in known.values()])

    def feasible(self, nodes: Array, limits: Array) -> Duals:
        """Duals that add up exactly to what they must."""
        if self.problem.elastic:
            total = float(limits @ self.caps)
            scale = 1 / total if total > 0 else 0.0
            nodes, limits = nodes * scale, limits * scale
        load = self.problem.objective[LOAD]
        if LOAD in self.limited:
            load += float(limits[self.limited.index(LOAD)])
        sums = nodes.sum(axis=1, keepdims=True)
        even = np.full_like(nodes, 1 / nodes.shape[1])
        shares = np.where(sums > 0, nodes / np.where(sums > 0, sums, 1.0), even)
        return Duals(shares * (self.chances * load)[:, None], limits)

    def between(self, one: Duals, other: Duals, part: float) -> Duals:
        """Duals that are ``part`` the one and for the rest the other: they prove a bound as well."""
        rest = 1 - part
        return self.feasible(part * one.nodes + rest * other.nodes, part * one.limits + rest * other.limits)

    def evened(self, duals: Duals, alike: Sequence[int]) -> Duals:
        """Duals with the mean weight of all nodes of one number (`likeness.alike`)."""
        kinds = np.asarray(alike)
        counts = np.bincount(kinds)
        means = np.array([np.bincount(kinds, weights=row) / counts for row in duals.nodes])
        return self.feasible(means[:, kinds], duals.limits)

    def prices(self, duals: Duals) -> tuple[Prices, Prices]:
        """What read and write quorums cost under the duals."""
        _, per_node, per_latency = self.problem.objective
        for weight, k in zip(duals.limits.tolist(), self.limited, strict=True):
            per_node += weight if k == NETWORK else 0.0
            per_latency += weight if k == LATENCY else 0.0
        per_node, per_latency = per_node / self.problem.units[NETWORK], per_latency / self.problem.units[LATENCY]
        read = self.read * (self.fractions @ duals.nodes) + per_node * self.mean
        write = self.write * ((1 - self.fractions) @ duals.nodes) + per_node * (1 - self.mean)
        return Prices(read.tolist(), per_latency * self.mean), Prices(write.tolist(), per_latency * (1 - self.mean))

    def bound(self, duals: Duals, read: float, write: float) -> float:
        """What every strategy costs at least, if no read quorum costs less than ``read``, nor write than ``write``."""
        return read + write - float(duals.limits @ self.caps)


def offers(master: Master, duals: Duals, sides: tuple[Pricing, Pricing], timeout_s: float | None) -> tuple[Offer, Offer] | None:
    """The cheapest quorum of either role under the duals; None if a role has none."""
    found = [
        side.cheapest(prices.nodes, prices.latency, timeout_s)
        for side, prices in zip(sides, master.prices(duals), strict=True)
    ]
    return None if found[0] is None or found[1] is None else (found[0], found[1])
