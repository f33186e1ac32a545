"""What an exploration is asked and what it finds, in numbers: states, actions, ordinals.

A state is named by its index in the order of discovery, which does not depend on the
number of workers.  A transition is named by the state it leaves and the ordinal of the
successor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrutator.checker.explore.paths import Paths
    from scrutator.checker.explore.possible import Graph


@dataclass(frozen=True, slots=True)
class Options:
    """How to explore; what is None is not limited.

    Attributes:
        workers: Threads.
        fingerprint_bits: 64 or 128.
        stop_at_first: End at the first violated property, after the batch it is in.
        deadlock: Whether a state without successors violates a property.
        edges: Keep the graph of states, which `always possible` needs.
        depth_max: Levels explored; the initial states are level 1.
        states_max: End once so many distinct states are found, after the batch.
        timeout_s: End after so many seconds.
        memory_bytes_max: What does not fit goes to disk; the table must fit.
        spill_folder: Where that disk is; the system's temporary folder if None.
    """

    workers: int = 1
    fingerprint_bits: int = 64
    stop_at_first: bool = True
    deadlock: bool = False
    edges: bool = False
    depth_max: int | None = None
    states_max: int | None = None
    timeout_s: float | None = None
    memory_bytes_max: int | None = None
    spill_folder: str | None = None

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ValueError(f"{self.workers} workers: at least 1 is needed")
        if self.fingerprint_bits not in (64, 128):
            raise ValueError(f"fingerprints of {self.fingerprint_bits} bits: 64 or 128 are possible")


@dataclass(frozen=True, slots=True)
class Fault:
    """The model's own failure: ``what`` its function reported at ``state``.

    ``ordinal`` is the successor concerned, None where the state itself or the computing of
    its successors is at fault.
    """

    state: int
    ordinal: int | None
    what: int


@dataclass(frozen=True, slots=True)
class Transition:
    """The step from a state to its successor of that ordinal."""

    state: int
    ordinal: int


@dataclass(frozen=True, slots=True)
class Exploration:
    """Everything found.

    Attributes:
        distinct: States found, those outside of the constraint included.
        outside: States found outside of the constraint: checked, not expanded (TLC leaves
            them out of its distinct states).
        generated: Initial states and all successors.
        levels: States first found at each depth; ``outside_levels``: outside of the constraint.
        fired: Transitions per action; ``reached``: new states per action.
        invariants: First violating state of each; likewise the others.
        predicates: First state where each holds.
        deadlock: First state without successors.
        truncations: Steps refused at each of the model's sites.
        exhaustive: Every state was found and, within the constraint, expanded.
        limit: What cut the exploration: "states", "depth", "time", "memory" or
            "interrupted"; None if nothing did, or a violation ended it.
        shortest: Paths are the shortest possible.
    """

    distinct: int
    outside: int
    generated: int
    levels: tuple[int, ...]
    outside_levels: tuple[int, ...]
    fired: tuple[int, ...]
    reached: tuple[int, ...]
    invariants: tuple[int | None, ...]
    step_invariants: tuple[Transition | None, ...]
    predicates: tuple[int | None, ...]
    deadlock: int | None
    fault: Fault | None
    truncations: tuple[int, ...]
    exhaustive: bool
    limit: str | None
    shortest: bool
    workers: int
    seconds: float
    compile_seconds: float
    compiled_from_cache: bool
    memory_bytes_peak: int
    disk_bytes: int
    table_bytes: int
    parents_bytes: int
    collision_odds: float
    paths: Paths
    graph: Graph | None

    @property
    def depth(self) -> int:
        """Levels that have states; the initial states are at depth 1."""
        return len(self.levels)
