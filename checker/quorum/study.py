"""All that was found out about one quorum system: a plain value, for reports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from scrutator.checker.explore.result import Result
from scrutator.checker.quorum.handover import Shown
from scrutator.checker.quorum.reconfigure import Reconfiguration
from scrutator.checker.quorum.result import Verification
from scrutator.checker.verdict import ExitStatus, Verdict
from scrutator.model.quorums.system import QuorumSystem


@dataclass(frozen=True, slots=True)
class Explored:
    """What the model checker said of a model that uses the system's quorums."""

    model: str
    result: Result
    shown: Shown | None


@dataclass(frozen=True, slots=True)
class Study:
    """The verdict on a system, and the answers to what else was asked."""

    system: QuorumSystem
    verification: Verification
    change: Reconfiguration | None = None
    explored: Explored | None = None
    written: tuple[Path, ...] = ()  # questions as SMT-LIB

    @property
    def verdict(self) -> Verdict:
        """The gravest of all that was asked."""
        asked = [self.verification.verdict]
        asked += [self.change.verdict] if self.change else []
        asked += [self.explored.result.verdict] if self.explored else []
        return gravest(asked)

    @property
    def exit_status(self) -> ExitStatus:
        return STATUS[self.verdict]


STATUS = {Verdict.HOLDS: ExitStatus.HOLDS, Verdict.VIOLATED: ExitStatus.VIOLATED, Verdict.UNKNOWN: ExitStatus.UNKNOWN}


def gravest(verdicts: Iterable[Verdict]) -> Verdict:
    """Violated before unknown before holds."""
    found = set(verdicts)
    return next((v for v in (Verdict.VIOLATED, Verdict.UNKNOWN) if v in found), Verdict.HOLDS)
