"""What a check of a refinement found: a verdict with its scope, and which steps are which.

A result is a value: it holds no engine state and no model code.  Liveness is no part of
the verdict: a model that does nothing at all refines every model (Abadi and Lamport, "The
existence of refinement mappings", 1991, prove what safety alone can say).  Hence `vacuous`.
"""

from __future__ import annotations

from dataclasses import dataclass

from scrutator.checker.explore.result import Trace
from scrutator.checker.verdict import ExitStatus, Verdict, status_of


@dataclass(frozen=True, slots=True)
class Followed:
    """So many steps of an action are steps of that abstract action, or none where ``abstract`` is None."""

    action: str
    abstract: str | None
    count: int


@dataclass(frozen=True, slots=True)
class AbstractStep:
    """A step of the abstract model: as a call, and what it changes."""

    label: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Near:
    """What the abstract model could have done instead, and what would still have to change after it."""

    label: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refusing:
    """A step that an action's guards refuse, each with its file and line."""

    label: str
    guards: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refutation:
    """A behaviour whose last step is no step of the abstract model, or whose only state is no initial state of it.

    ``images`` has, for each step of the trace but the last, what the step is in the abstract
    model; None for no step.  ``before`` and ``after`` are the images around the last step,
    ``before`` empty where an initial state is at fault.  ``nearest`` has the abstract steps
    (or initial states) that come closest, out of ``enabled``.  ``refusing`` has
    abstract steps that would lead to ``after`` were it not for their guards.
    """

    trace: Trace
    images: tuple[AbstractStep | None, ...]
    before: tuple[tuple[str, str], ...]
    after: tuple[tuple[str, str], ...]
    changes: tuple[str, ...]
    enabled: int
    nearest: tuple[Near, ...]
    refusing: tuple[Refusing, ...] = ()

    @property
    def is_initial(self) -> bool:
        """Whether it is an initial state that stands for none."""
        return len(self.trace) == 0


@dataclass(frozen=True, slots=True)
class RefineResult:
    """Everything one check established; counts are as in `explore.result.Result`."""

    model: str
    bounds: tuple[tuple[str, str], ...]
    mutant: str | None
    abstract: str
    abstract_bounds: tuple[tuple[str, str], ...]
    mapping: str
    doc: str
    engine: str
    workers: int
    distinct: int
    generated: int
    depth: int
    levels: tuple[int, ...]
    followed: tuple[Followed, ...]
    never: tuple[str, ...]  # abstract actions that no step was
    refutation: Refutation | None
    exhaustive: bool
    limit: str | None
    truncations: tuple[tuple[str, int], ...]
    seconds: float
    compile_seconds: float
    memory_bytes_peak: int
    collision_odds: float

    @property
    def steps(self) -> int:
        """Steps of the concrete model that were followed."""
        return sum(f.count for f in self.followed)

    @property
    def verdict(self) -> Verdict:
        """VIOLATED with a refutation, HOLDS if every state was explored, else UNKNOWN."""
        if self.refutation is not None:
            return Verdict.VIOLATED
        return Verdict.HOLDS if self.exhaustive else Verdict.UNKNOWN

    @property
    def vacuous(self) -> tuple[str, ...]:
        """Why a refinement that holds says nothing."""
        if self.verdict is Verdict.HOLDS and all(f.abstract is None for f in self.followed):
            return (f"no step of {self.model} is a step of {self.abstract}",)
        return ()

    @property
    def scope(self) -> str:
        """Within what the verdict was established, in words."""
        if self.verdict is Verdict.VIOLATED:
            return "a counterexample needs no scope"
        bounds, theirs = _listed(self.bounds), _listed(self.abstract_bounds)
        text = f"every step within {bounds}" if self.exhaustive else f"cut by {self.limit}, within {bounds}"
        text += f", of {self.abstract} with {theirs}; safety only"
        for name, count in self.truncations:
            text += f"; the capacity of {name} refused {count:,} steps"
        return text

    @property
    def exit_status(self) -> ExitStatus:
        """The command's exit status for this result."""
        return status_of(self.verdict, is_vacuous=bool(self.vacuous))


def _listed(bounds: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{name}={value}" for name, value in bounds) or "its fixed bounds"
