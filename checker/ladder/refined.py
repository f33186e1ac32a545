"""A refinement as a claim of the ladder: what was found of it, told as of any other property.

Law: that every step is a step of the other model or none is a property of steps, so that is what it is called here; a
refinement in which nothing ever happens confirms nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from scrutator.checker.explore.result import ActionCoverage, PropertyKind, PropertyResult, Result
from scrutator.checker.refine.result import Followed, RefineResult
from scrutator.checker.verdict import Verdict


def as_result(found: RefineResult) -> Result:
    """What checking a refinement found, as a check of one step invariant that has the mapping's name.

    Its note says which action is which, and how often; of a refinement that fails, which step is none.
    """
    trace = None if found.refutation is None else found.refutation.trace
    verdict = Verdict.UNKNOWN if found.vacuous else found.verdict
    doc = f"Every step is a step of {found.abstract}, or none."
    judged = PropertyResult(found.mapping, PropertyKind.STEP_INVARIANT, verdict, doc, trace, _note(found))
    names = dict.fromkeys(f.action for f in found.followed)
    fired = {name: sum(f.count for f in found.followed if f.action == name) for name in names}
    return Result(
        model=found.model, bounds=found.bounds, mutant=found.mutant, engine=found.engine, search="bfs", workers=found.workers, symmetry=(), seed=None,
        properties=(judged,), distinct=found.distinct, generated=found.generated, depth=found.depth, levels=found.levels,
        actions=tuple(ActionCoverage(name, count, 0) for name, count in fired.items()),
        seconds=found.seconds, compile_seconds=found.compile_seconds, memory_bytes_peak=found.memory_bytes_peak,
        collision_odds=found.collision_odds, exhaustive=found.exhaustive, limit=found.limit, truncations=found.truncations, vacuous=found.vacuous,
    )  # fmt: skip


def _note(found: RefineResult) -> str:
    if found.refutation is None:
        names = dict.fromkeys(f.action for f in found.followed)
        which = "; ".join(f"{name} is {_listed([f for f in found.followed if f.action == name])}" for name in names)
        return f"Seen as {found.abstract}, {which}"
    steps = found.refutation.trace.steps
    return f"{steps[-1].label if len(steps) > 1 else 'An initial state'} is none of {found.abstract}"


def _listed(followed: Sequence[Followed]) -> str:
    """``prepare 51 times, and no step 1,923 times``."""
    return ", ".join(f"{f.abstract or 'no step'} ({f.count:,} times)" for f in sorted(followed, key=lambda f: f.abstract is None))
