"""All that was found out about quorum systems: plain values, for reports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scrutator.checker.explore.result import Result
from scrutator.checker.quorum.availability import Availability, RoleAvailability
from scrutator.checker.quorum.cost.comparison import Row
from scrutator.checker.quorum.cost.regions import Wait
from scrutator.checker.quorum.cost.searching import Found
from scrutator.checker.quorum.federated.everything import AllMinimal
from scrutator.checker.quorum.federated.result import FederatedResult, Outcome, Smallest, Splitting
from scrutator.checker.quorum.handover import Shown
from scrutator.checker.quorum.probability import SystemProbability
from scrutator.checker.quorum.reconfigure import Reconfiguration
from scrutator.checker.quorum.result import Verification
from scrutator.checker.verdict import ExitStatus, Verdict, gravest, status_of
from scrutator.model.quorums.federated import FederatedSystem
from scrutator.model.quorums.system import QuorumSystem


@dataclass(frozen=True, slots=True)
class Explored:
    """What the model checker said of a model that uses the system's quorums."""

    model: str
    result: Result
    shown: Shown | None


@dataclass(frozen=True, slots=True)
class Study:
    """The verdict on a system, and the answers to what else was asked.

    ``undone`` says of each analysis that was given up, why.
    """

    system: QuorumSystem
    verification: Verification
    availability: Availability | None = None
    probability: SystemProbability | None = None  # if nodes state how probably they fail
    cost: Row | None = None
    waits: tuple[Wait, ...] = ()  # by region, if latencies between regions are given
    better: Found | None = None
    change: Reconfiguration | None = None
    explored: Explored | None = None
    written: tuple[Path, ...] = ()  # questions as SMT-LIB
    failures: int | None = None  # that it had to survive, if that was asked
    zones: int | None = None  # whole regions, likewise
    undone: tuple[str, ...] = ()

    @property
    def lost_zones(self) -> tuple[RoleAvailability, ...]:
        """The roles that the loss of as many regions as were asked about may leave without a quorum."""
        if self.zones is None or self.availability is None:
            return ()
        return tuple(r for r in self.availability.roles if r.regions is not None and r.regions.resilience < self.zones)

    @property
    def own_verdict(self) -> Verdict:
        """Of the system itself: its rules, and the failures that it is to survive."""
        if self.availability is not None:
            survival = Verdict.VIOLATED if self.lost_zones else self.availability.verdict
        else:  # asked, and not found out in time
            survival = Verdict.HOLDS if self.failures is None and self.zones is None else Verdict.UNKNOWN
        return gravest([self.verification.verdict, survival])

    @property
    def verdict(self) -> Verdict:
        """The gravest of all that was asked."""
        asked = [self.own_verdict]
        asked += [self.change.verdict] if self.change else []
        asked += [self.explored.result.verdict] if self.explored else []
        return gravest(asked)

    @property
    def exit_status(self) -> ExitStatus:
        return status_of(self.verdict)


@dataclass(frozen=True, slots=True)
class FederatedStudy:
    """The verdict on a federated system, and what it would take to block or to split it.

    ``failures`` is how many failing nodes it had to survive, if that was asked.
    """

    system: FederatedSystem
    result: FederatedResult
    smallest: Smallest | None = None  # quorum
    blocking: Smallest | None = None
    splitting: Splitting | None = None
    quorums: AllMinimal | None = None  # minimal ones
    blockings: AllMinimal | None = None
    failures: int | None = None
    written: tuple[Path, ...] = ()  # the question as SMT-LIB
    undone: tuple[str, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether the failures that were asked about may leave it without a quorum."""
        return self.failures is not None and self.blocking is not None and self.blocking.size <= self.failures

    @property
    def verdict(self) -> Verdict:
        if self.result.outcome in (Outcome.SPLIT, Outcome.NO_QUORUM) or self.blocked:
            return Verdict.VIOLATED
        if self.failures is not None and (self.blocking is None or not self.blocking.proved):
            return Verdict.UNKNOWN
        return Verdict.HOLDS if self.result.outcome is Outcome.INTERSECTS else Verdict.UNKNOWN

    @property
    def exit_status(self) -> ExitStatus:
        return status_of(self.verdict)


AnyStudy = Study | FederatedStudy
