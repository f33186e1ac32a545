"""Quorum systems side by side: what each costs at its best, and what it survives.

Law: a row is made of proven numbers; where an optimum is not closed, or a limit cannot be kept, the
row says so and nothing is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import monotonic

from scrutator.checker.quorum.blocking import TIMEOUT_S, resilience, smallest_quorum
from scrutator.checker.quorum.cost.optimise import Infeasible, Limits, Optimum, optimal
from scrutator.checker.quorum.cost.strategy import Costs
from scrutator.checker.quorum.cost.workloads import Workload, workload_of
from scrutator.checker.quorum.programme import TimedOut
from scrutator.model.quorums.expression import Expression
from scrutator.model.quorums.system import QuorumSystem


@dataclass(frozen=True, slots=True)
class Row:
    """One system: ``resilience`` and ``smallest`` (the size of the smallest quorum) for each role.

    ``optimum`` and ``costs`` are None where no strategy keeps the limits or time was up; ``note`` says which.
    """

    name: str
    costs: Costs | None
    resilience: Mapping[str, int]
    smallest: Mapping[str, int]
    optimum: Optimum | None
    note: str


def compare(
    systems: Iterable[QuorumSystem],
    work: Workload | None = None,
    *,
    optimise: str = "load",
    limits: Limits | None = None,
    spare: int = 0,
    timeout_s: float | None = None,
) -> list[Row]:
    """A row for each system, in the order given; ``timeout_s`` is for each, and for what it survives.

    Without ``work``, each system has the workload of its roles (`workload_of`).  Raises `TimedOut` where
    what a system survives is not proved in time.
    """
    return [_row(system, work or workload_of(system), optimise, limits, spare, timeout_s) for system in systems]


def _row(
    system: QuorumSystem, work: Workload, optimise: str, limits: Limits | None, spare: int, timeout_s: float | None
) -> Row:
    roles = dict.fromkeys((work.read, work.write))
    until = monotonic() + (TIMEOUT_S if timeout_s is None else timeout_s)
    survived = {role: _survived(system.roles[role], until) for role in roles}
    sizes = {role: len(smallest_quorum(system.roles[role], timeout_s=until - monotonic())) for role in roles if survived[role] >= 0}
    try:
        found = optimal(system, work, optimise=optimise, limits=limits, spare=spare, timeout_s=timeout_s)
    except (Infeasible, TimedOut) as error:
        return Row(system.name, None, survived, sizes, None, str(error))
    return Row(system.name, found.costs, survived, sizes, found, found.proof)


def _survived(expression: Expression, until: float) -> int:
    if expression.is_quorum(()):  # no nodes are needed
        return len(expression.names())
    return resilience(expression, timeout_s=until - monotonic())


def table(rows: Iterable[Row]) -> list[tuple[str, ...]]:
    """Rows as cells of text under a heading, for any kind of output."""
    cells: list[tuple[str, ...]] = [("system", "load", "capacity", "network", "latency", "survives", "smallest", "note")]
    for row in rows:
        survived = _of_roles(row.resilience)
        costs = ("-",) * 4
        if row.costs is not None:
            c = row.costs
            costs = (f"{c.load:.4g}", f"{c.capacity:.4g}", f"{c.network:.3g}", f"{c.latency_s:.3g} s")
        cells.append((row.name, *costs, survived, _of_roles(row.smallest), row.note))
    return cells


def _of_roles(values: Mapping[str, int]) -> str:
    different = set(values.values())
    return str(different.pop()) if len(different) == 1 else ", ".join(f"{role} {value}" for role, value in values.items())
