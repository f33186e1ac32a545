"""What a rung of the ladder says of its design: plain sentences, and claims that are checked.

Law: nothing is decided here, and no sentence is a claim: what holds and what is violated
stands in `Claim`, and every claim is a check that ran.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Claim:
    """One check of a rung's model, and what must come of it.

    ``says`` is the sentence that a page makes of it.  ``property`` is one of the model's, judged
    within ``bounds`` (defaults for the rest) and, if named, under a ``mutant``.  A property
    that is `reachable` holds where it is reached.  The name of a refinement that SPEC declares is a property as well:
    every step is a step of the other model, or none.  ``steps`` is the length of the shortest counterexample,
    for tests only: pages show what was found.
    """

    name: str
    says: str
    expect: Literal["holds", "violated"]
    property: str
    bounds: Mapping[str, object] = field(default_factory=dict)
    mutant: str | None = None
    steps: int | None = None


@dataclass(frozen=True, slots=True)
class Rung:
    """A design: its place in the ladder, its idea, and its claims.

    ``idea``, ``notice`` and ``next`` are a few plain sentences each: how it works, what to look at,
    why to climb on.  ``keeps`` and ``breaks`` are cells of the table of all rungs.
    """

    order: int
    name: str
    title: str
    idea: str
    notice: str
    keeps: str
    breaks: str
    next: str
    claims: tuple[Claim, ...]
