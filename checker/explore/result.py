"""What a check found: verdicts with their scope, counts, coverage and counterexamples.

A result is a value: it holds no engine state and no model code, so that it can be
printed, saved, compared between engines and sent between processes.  No verdict is a
bare bool, and HOLDS always comes with the scope within which it was established.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from scrutator.checker.verdict import ExitStatus, Verdict, status_of


class PropertyKind(enum.Enum):
    """What a property speaks of: states, transitions, or the whole graph of states."""

    INVARIANT = "invariant"
    STEP_INVARIANT = "step invariant"
    REACHABLE = "reachable"
    ALWAYS_POSSIBLE = "always possible"
    NO_DEADLOCK = "no deadlock"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a trace.

    ``state`` maps each top-level field to its printed form after the step, and
    ``changes`` lists only what the step changed, ready to print.  The first step of a
    trace has ``action`` "initial state", and its changes are the whole state.
    ``encoded`` is the state as the hexadecimal bytes that both engines compare.
    """

    action: str
    parameters: tuple[tuple[str, str], ...]
    changes: tuple[str, ...]
    state: tuple[tuple[str, str], ...]
    encoded: str
    fault: bool = False  # a crash, a lost or a duplicated message rather than the protocol's own step
    decided: tuple[tuple[str, tuple[str, ...]], ...] = ()  # (quorum bound, nodes) that the step found to be quorums

    @property
    def label(self) -> str:
        """The step as a call, for instance ``timeout(i=s1)``."""
        arguments = ", ".join(f"{name}={value}" for name, value in self.parameters)
        return f"{self.action}({arguments})" if arguments else self.action


@dataclass(frozen=True, slots=True)
class Trace:
    """A finite behaviour from an initial state; ``len(trace)`` counts steps taken."""

    steps: tuple[Step, ...]
    shortest: bool  # breadth-first search found it, so that no shorter one exists

    def __len__(self) -> int:
        return len(self.steps) - 1


@dataclass(frozen=True, slots=True)
class PropertyResult:
    """One property's verdict; ``trace`` is its counterexample or, for `reachable`, its witness."""

    name: str
    kind: PropertyKind
    verdict: Verdict
    doc: str = ""
    trace: Trace | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class ActionCoverage:
    """How often an action fired (transitions) and how many states it was first to reach."""

    name: str
    fired: int
    distinct: int


@dataclass(frozen=True, slots=True)
class Result:
    """Everything one check established.

    ``depth`` counts as TLC does: an initial state is at depth 1.  ``generated`` counts
    the initial states and every successor, repeated ones included.  ``exhaustive`` says
    that every state within the bounds was explored.  ``limit`` names the limit that cut
    the exploration, None where none did.  ``truncations`` maps a network or sequence
    to how often its capacity refused a step: the bounds of the verdict's scope.
    """

    model: str
    bounds: tuple[tuple[str, str], ...]
    mutant: str | None
    engine: str
    search: str
    workers: int
    symmetry: tuple[str, ...]
    seed: int | None
    properties: tuple[PropertyResult, ...]
    distinct: int
    generated: int
    depth: int
    levels: tuple[int, ...]
    actions: tuple[ActionCoverage, ...]
    seconds: float
    compile_seconds: float
    memory_bytes_peak: int
    collision_odds: float
    exhaustive: bool
    limit: str | None
    truncations: tuple[tuple[str, int], ...] = ()
    vacuous: tuple[str, ...] = field(default=())
    index_bytes: int = 0  # of memory_bytes_peak: fingerprints and parents, which stay in memory
    walks: int = 0  # of a simulation, which counts no distinct states

    @property
    def verdict(self) -> Verdict:
        """VIOLATED if any property is, else UNKNOWN if any is, else HOLDS.

        What should be `reachable` guards against vacuous models and has no part in it.
        """
        verdicts = {p.verdict for p in self.properties if p.kind is not PropertyKind.REACHABLE}
        if Verdict.VIOLATED in verdicts:
            return Verdict.VIOLATED
        if Verdict.UNKNOWN in verdicts or not self.exhaustive:
            return Verdict.UNKNOWN
        return Verdict.HOLDS

    @property
    def scope(self) -> str:
        """Within what the verdict was established, in words."""
        if self.verdict is Verdict.VIOLATED:
            return "a counterexample needs no scope"
        bounds = ", ".join(f"{name}={value}" for name, value in self.bounds) or "its fixed bounds"
        if self.search == "simulate":
            text = f"{self.walks:,} random walks ({self.generated:,} steps), with {bounds}"
        elif self.exhaustive:
            text = f"every state within {bounds}"
        else:
            text = f"cut by {self.limit}, within {bounds}"
        for name, count in self.truncations:
            text += f"; the capacity of {name} refused {count:,} steps"
        return text

    @property
    def exit_status(self) -> ExitStatus:
        """The command's exit status for this result."""
        return status_of(self.verdict, is_vacuous=bool(self.vacuous))
