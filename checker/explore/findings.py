"""What an engine found, before it is explained: counts, and states as rows.

Both engines give this, so that the same code explains their counterexamples and the
tests can compare them field by field.  A path is the rows from an initial state on; under
symmetry reduction these are representatives.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Path = tuple[bytes, ...]


@dataclass
class Findings:
    """Raw results.  Paths are keyed by property name; ``possible`` maps `always_possible` names to None (unknown) or a bool."""

    distinct: int = 0
    generated: int = 0
    levels: tuple[int, ...] = ()
    fired: tuple[int, ...] = ()
    discovered: tuple[int, ...] = ()
    violated: dict[str, Path] = field(default_factory=dict)
    reached: dict[str, Path] = field(default_factory=dict)
    possible: dict[str, bool | None] = field(default_factory=dict)
    deadlock: Path | None = None
    fault: Path | None = None
    fault_why: str = ""  # where the interpreter would not find the mistake
    truncations: tuple[tuple[str, int], ...] = ()
    outside: bool = False  # a state constraint kept states from being explored
    limit: str | None = None
    seconds: float = 0.0
    compile_seconds: float = 0.0
    memory_bytes_peak: int = 0
    index_bytes: int = 0  # fingerprints and parents
    collision_odds: float = 0.0
    shortest: bool = True
    walks: int = 0

    @property
    def exhaustive(self) -> bool:
        return self.limit is None and self.fault is None
