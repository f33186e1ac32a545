"""The three answers that every checker gives, and the statuses that commands exit with."""

from __future__ import annotations

import enum
from collections.abc import Iterable


class Verdict(enum.Enum):
    """The three answers; UNKNOWN whenever a limit cut the work short."""

    HOLDS = "holds"
    VIOLATED = "violated"
    UNKNOWN = "unknown"


class ExitStatus(enum.IntEnum):
    """Exit statuses of the command, the same for every subcommand."""

    HOLDS = 0
    VIOLATED = 1
    USAGE = 2
    UNKNOWN = 3
    FAULTY_MODEL = 4
    INTERNAL_ERROR = 70


def gravest(verdicts: Iterable[Verdict]) -> Verdict:
    """Of several: violated before unknown before holds."""
    found = set(verdicts)
    return next((verdict for verdict in (Verdict.VIOLATED, Verdict.UNKNOWN) if verdict in found), Verdict.HOLDS)


def status_of(verdict: Verdict, *, is_vacuous: bool = False) -> ExitStatus:
    """The exit status that says this verdict; what was found of a model in which too little happens is no success, unless it is a violation."""
    if is_vacuous and verdict is not Verdict.VIOLATED:
        return ExitStatus.FAULTY_MODEL
    return {Verdict.HOLDS: ExitStatus.HOLDS, Verdict.VIOLATED: ExitStatus.VIOLATED, Verdict.UNKNOWN: ExitStatus.UNKNOWN}[verdict]
