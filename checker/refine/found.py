"""What an engine found about a refinement, before it is explained: counts, and states as rows.

Both engines give this, so that the same code explains what they found and the tests can
compare them.  A path is the rows of the concrete model from an initial state on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from scrutator.checker.explore.findings import Path

Pair = tuple[int, int | None]  # an action of the concrete model, and the abstract one's; None for no step


@dataclass
class Found:
    """Raw results.  ``followed`` counts steps that are steps or none; the last step of ``broken`` is neither."""

    distinct: int = 0
    generated: int = 0
    levels: tuple[int, ...] = ()
    followed: dict[Pair, int] = field(default_factory=dict)
    broken: Path | None = None
    fault: Path | None = None
    fault_why: str = ""  # where the interpreter would not find the mistake
    truncations: tuple[tuple[str, int], ...] = ()
    limit: str | None = None
    seconds: float = 0.0
    compile_seconds: float = 0.0
    memory_bytes_peak: int = 0
    collision_odds: float = 0.0
