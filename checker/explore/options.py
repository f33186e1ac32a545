"""What a user may ask of a check, and what it reports while it runs."""

from __future__ import annotations

import enum
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from scrutator.model.language.errors import SpecError


class Engine(enum.Enum):
    """Native code, or the model's own Python: slower, and every mistake located."""

    COMPILED = "compiled"
    PYTHON = "python"


class Search(enum.Enum):
    """The order of exploration.  Only breadth-first counterexamples are shortest."""

    BFS = "bfs"
    DFS = "dfs"
    SIMULATE = "simulate"


@dataclass(frozen=True)
class CheckOptions:
    """Bounds and choices of one check; None means no bound.

    ``depth_max`` counts levels (initial states are level 1); with ``search=simulate`` it is
    the length of a walk (100 by default).  ``memory_max_bytes`` bounds the process's states:
    beyond it the frontier goes to disk, and a set of fingerprints that does not fit ends the check.
    """

    engine: str = "compiled"
    search: str = "bfs"
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    symmetry: bool = False
    depth_max: int | None = None
    states_max: int | None = None
    timeout_s: float | None = None
    memory_max_bytes: int | None = None
    walks: int | None = None
    seed: int = 0
    deadlock: bool = False
    fingerprint_bits: int = 64
    stop_at_first: bool = True

    def __post_init__(self) -> None:
        for name, allowed in (("engine", Engine), ("search", Search)):
            values = [m.value for m in allowed]
            if getattr(self, name) not in values:
                raise SpecError(f"{name}={getattr(self, name)!r}: choose one of {', '.join(values)}")
        for name in ("workers", "depth_max", "states_max", "walks", "memory_max_bytes", "timeout_s"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise SpecError(f"{name}={value}: must be positive")
        if self.fingerprint_bits not in (64, 128):
            raise SpecError(f"fingerprint_bits={self.fingerprint_bits}: 64 or 128")


@dataclass(frozen=True)
class Progress:
    """A moment of a running check."""

    distinct: int
    generated: int
    depth: int
    frontier: int
    memory_bytes: int
    seconds: float

    @property
    def states_per_second(self) -> float:
        return self.distinct / self.seconds if self.seconds > 0 else 0.0


ProgressCallback = Callable[[Progress], None]
