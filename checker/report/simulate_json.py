"""What a simulation found, as JSON: a documented schema with a version.

Law: a field keeps its name and meaning as long as ``schema`` keeps its number; fields may be added.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

import scrutator

if TYPE_CHECKING:
    from scrutator.checker.commands.simulate_seeds import Found

SCHEMA = "scrutator.simulate/1"


class FailureDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The first failing run, made small; ``story`` are lines of time in microseconds, who and what.

    ``harm_before`` is how many choices were not the most benign before it was made small.
    """

    seed: int
    breaks: str
    how: str
    tape: list[int]
    harm_before: int
    story: list[tuple[int, str, str]]
    kept_in: str | None


class SimulateDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``scrutator simulate --format json`` prints.

    ``counts`` says how often faults and other things happened, over all seeds; times are in seconds.
    """

    schema: str
    scrutator: str
    exit_status: int
    protocol: str
    mutant: str | None
    verdict: str
    scope: str
    limit: str | None
    seeds: int
    first_seed: int
    simulated_seconds: float
    seconds: float
    events: int
    messages: int
    operations: int
    undecided: int
    counts: dict[str, int]
    failure: FailureDocument | None


def document(found: Found, kept: Path | None) -> SimulateDocument:
    """The document of one run of the command."""
    total = found.total
    return SimulateDocument(
        schema=SCHEMA,
        scrutator=scrutator.__version__,
        exit_status=int(found.exit_status),
        protocol=found.work.protocol,
        mutant=found.work.mutant,
        verdict=found.verdict.value,
        scope=found.scope,
        limit=found.limit,
        seeds=total.seeds,
        first_seed=found.asked.start,
        simulated_seconds=total.simulated_s,
        seconds=found.elapsed_s,
        events=total.events,
        messages=total.messages,
        operations=total.operations,
        undecided=total.undecided,
        counts=dict(sorted(total.counts.items())),
        failure=_failure(found, kept),
    )


def _failure(found: Found, kept: Path | None) -> FailureDocument | None:
    failing = found.failing
    if failing is None or failing.violation is None or found.seed is None:
        return None
    return FailureDocument(
        seed=found.seed,
        breaks=failing.violation.invariant,
        how=str(failing.violation),
        tape=list(failing.run.tape),
        harm_before=found.harm_before,
        story=[(at, who, what) for at, who, what in failing.run.story],
        kept_in=None if kept is None else str(kept),
    )
