"""Claims, rungs and the whole ladder with what was found of them.

Law: a claim is confirmed only if the model was explored, the implementation was played, and both say what the claim
expects.  What was not run is neither a success nor a failure: it is left out, and the whole is then unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scrutator.checker.explore.result import PropertyResult, Result
from scrutator.checker.verdict import ExitStatus, Verdict, status_of
from scrutator.model.ladder import Claim, Rung, specs
from scrutator.model.language.spec import Kind

if TYPE_CHECKING:
    from scrutator.checker.report.spacetime.of_events import Event


def headline_of(rung: Rung) -> Claim:
    """The claim that shows how the design breaks: what should never be and is, else what cannot be any more, else a mistake found."""
    spec = specs()[f"ladder/{rung.name}"]
    never = {p.name for p in spec.properties if p.kind in (Kind.INVARIANT, Kind.STEP_INVARIANT)}
    violated = [c for c in rung.claims if c.expect == "violated"]
    sound = [c for c in violated if c.mutant is None]
    return next((c for c in sound if c.property in never), (sound or violated or list(rung.claims))[0])


def pictured(rung: Rung) -> tuple[Claim, ...]:
    """The claims whose runs are worth a picture: the headline, then one for each other property and mistake that breaks."""
    shown: dict[tuple[str, str | None], Claim] = {}
    for claim in (headline_of(rung), *rung.claims):
        if claim.expect == "violated":
            shown.setdefault((claim.property, claim.mutant), claim)
    return tuple(shown.values())


@dataclass(frozen=True, slots=True)
class Played:
    """What the implementation showed of a claim.

    ``seeds`` were played; ``seed`` is the first that decided, and ``events`` are those of that run, as short as it
    was made; ``settled`` unless time ran out over that, so that another machine may make it shorter.  Where no run
    can decide, ``verdict`` is None, and ``why`` says so; ``missing`` says that there is nothing to play.
    """

    verdict: Verdict | None
    seeds: int = 0
    seconds: float = 0.0
    seed: int | None = None
    events: tuple[Event, ...] = ()
    settled: bool = True
    why: str = ""
    missing: str = ""


@dataclass(frozen=True, slots=True)
class ClaimFound:
    """A claim, what the checker found of the model, and what the implementation showed."""

    rung: Rung
    claim: Claim
    model: Result
    played: Played

    @property
    def judged(self) -> PropertyResult:
        return next(p for p in self.model.properties if p.name == self.claim.property)

    @property
    def steps(self) -> int | None:
        """Steps of the counterexample, or of the witness of what is reachable; None where there is neither."""
        trace = self.judged.trace
        return None if trace is None else len(trace)

    @property
    def is_faults_alone(self) -> bool:
        """Whether faults are all that happens, so that its run tells little of the design."""
        trace = self.judged.trace
        return trace is not None and all(step.fault for step in trace.steps[1:])

    @property
    def mistakes(self) -> tuple[str, ...]:
        """Whatever does not agree, as sentences."""
        name, expect = f"{self.rung.name}, claim {self.claim.name}", self.claim.expect
        model, played = self.judged.verdict, self.played
        found = []
        if model is not Verdict.UNKNOWN and model.value != expect:
            bounds = ", ".join(f"{n}={v}" for n, v in self.model.bounds)
            found.append(f"{name}: {self.claim.property} should be {expect} within {bounds}, and the checker found it {model.value} in the model")
        if played.missing:
            found.append(f"{name}: there is nothing to play: {played.missing}")
        elif played.verdict is not None and played.verdict.value != expect:
            seeds = f"seed {played.seed} decides it" if played.seed is not None else f"none of {played.seeds:,} seeds shows otherwise"
            found.append(f"{name}: {self.claim.property} should be {expect}, and the implementation says {played.verdict.value} ({seeds})")
        if played.verdict is not None and model is not Verdict.UNKNOWN and played.verdict is not model:
            found.append(f"{name}: model and implementation disagree on {self.claim.property}: {model.value} in the model, {played.verdict.value} as it runs")
        return tuple(found)

    @property
    def is_confirmed(self) -> bool:
        """Whether all that could be asked says what the claim expects."""
        return not self.mistakes and self.judged.verdict is not Verdict.UNKNOWN


@dataclass(frozen=True, slots=True)
class RungFound:
    """A rung with those of its claims that were run."""

    rung: Rung
    claims: tuple[ClaimFound, ...]

    @property
    def headline(self) -> ClaimFound | None:
        """What was found of `headline_of` the rung; None if it was not run."""
        return next((c for c in self.claims if c.claim == headline_of(self.rung)), None)

    @property
    def others(self) -> list[ClaimFound]:
        """What was found of the claims that are `pictured` beside the headline."""
        shown = {claim.name for claim in pictured(self.rung)}
        return [c for c in self.claims if c.claim.name in shown and c.claim != headline_of(self.rung)]

    @property
    def distinct(self) -> int:
        """Distinct states, over all claims."""
        return sum(c.model.distinct for c in self.claims)


@dataclass(frozen=True, slots=True)
class LadderFound:
    """All rungs that were asked for; ``limit`` says why not all of it was run; ``seeds`` played per claim that nothing should break."""

    rungs: tuple[RungFound, ...]
    seconds: float
    seeds: int
    limit: str | None = None

    @property
    def claims(self) -> Sequence[ClaimFound]:
        return [claim for rung in self.rungs for claim in rung.claims]

    @property
    def mistakes(self) -> tuple[str, ...]:
        return tuple(mistake for claim in self.claims for mistake in claim.mistakes)

    @property
    def verdict(self) -> Verdict:
        """HOLDS if every claim was confirmed."""
        if self.mistakes:
            return Verdict.VIOLATED
        undecided = any(c.judged.verdict is Verdict.UNKNOWN for c in self.claims)
        return Verdict.UNKNOWN if self.limit is not None or undecided else Verdict.HOLDS

    @property
    def exit_status(self) -> ExitStatus:
        return status_of(self.verdict)
