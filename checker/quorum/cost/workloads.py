"""Workloads: how much of what a system does are reads, how much writes.

Law: two roles share the work.  One "reads" and uses the nodes' read capacity, the other "writes"; for
consensus, the rare role (phase 1, elections) reads and the frequent one (phase 2, commits) writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scrutator.model.quorums.expression import QuorumError
from scrutator.model.quorums.system import QuorumSystem

# The roles that read and write, and what fraction of operations are reads where nobody says.  Commits
# outnumber elections by so much that elections are left out.
_PAIRS: tuple[tuple[str, str, float], ...] = (
    ("read", "write", 0.5),
    ("phase1", "phase2", 0.0),
    ("election", "commit", 0.0),
    ("classic", "fast", 0.0),
    ("slow", "fast", 0.0),
    ("quorum", "quorum", 0.0),
)


@dataclass(frozen=True, slots=True)
class Workload:
    """Fractions of reads, each with its probability; ``read`` and ``write`` are the names of the roles.

    One fraction is a steady workload, several one that changes while the strategy stays.
    """

    fractions: tuple[tuple[float, float], ...]
    read: str = "read"
    write: str = "write"

    @property
    def mean(self) -> float:
        """The fraction of reads over all time."""
        return sum(fraction * chance for fraction, chance in self.fractions)

    @property
    def roles(self) -> tuple[str, ...]:
        """The names of the roles that do any work: one, where one does it all."""
        if self.read == self.write or self.mean == 0:
            return (self.write,)
        return (self.read,) if self.mean == 1 else (self.read, self.write)


def workload(reads: float | Mapping[float, float], *, read: str = "read", write: str = "write") -> Workload:
    """A workload from the fraction of reads, or from weights of fractions; weights need not add up to 1.

    >>> workload({0.1: 1, 0.75: 3}).fractions
    ((0.1, 0.25), (0.75, 0.75))
    """
    weights = reads if isinstance(reads, Mapping) else {reads: 1.0}
    for fraction, weight in weights.items():
        if not 0 <= fraction <= 1:
            raise QuorumError(f"a fraction of reads is between 0 and 1, not {fraction}")
        if not 0 <= weight < float("inf"):
            raise QuorumError(f"the weight of the fraction {fraction} is {weight}: weights are 0 or more")
    total = sum(weights.values())
    if not total:
        raise QuorumError("a workload of no weight: give at least one fraction of reads a weight above 0")
    listed = tuple((float(fraction), weight / total) for fraction, weight in weights.items() if weight > 0)
    return Workload(listed, read, write)


def workload_of(
    system: QuorumSystem,
    reads: float | Mapping[float, float] | None = None,
    roles: tuple[str, str] | None = None,
) -> Workload:
    """The workload of a system: which of its roles read and write, and by default how much.

    Known pairs are read and write (half each), phase1 and phase2, election and commit, classic and
    fast, slow and fast (only the second works), and one role quorum.  Raises `QuorumError` for others
    unless ``roles`` says which two.

    >>> from scrutator.model.quorums import parse_system
    >>> workload_of(parse_system("phase1 = a*b; phase2 = a + b")).roles
    ('phase2',)
    """
    known = next(((r, w, part) for r, w, part in _PAIRS if r in system.roles and w in system.roles), None)
    if roles is None and known is None:
        listed = ", ".join(system.roles)
        raise QuorumError(f"{system.name}: which two of the roles {listed} do the work? Name the one that reads, and the one that writes")
    read, write, part = (*roles, 0.5) if roles is not None else known or ("", "", 0.0)
    for role in (read, write):
        if role not in system.roles:
            raise QuorumError(f"{system.name} has no role {role}; its roles are {', '.join(system.roles)}")
    return workload(part if reads is None else reads, read=read, write=write)
