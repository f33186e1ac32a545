"""What the implementations of the ladder show of each claim: seeds are played and judged until one decides.

Law: a claim's expectation is the model's; it says how many seeds are worth playing, and nothing of what they show.  A
property that holds always is violated by the first seed that breaks it, and holds if no seed did; one that
is reachable holds by the first seed that reaches it.  Here the small actors meet the linearizability checker, as
only commands may know both.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scrutator.checker.commands.ladder import SEEDS
from scrutator.checker.linear.builder import Builder
from scrutator.checker.linear.check import check_linearizable
from scrutator.checker.linear.history import NEVER
from scrutator.checker.verdict import Verdict
from scrutator.impl.ladder import Design, Judged, Run, Variant, designs, play
from scrutator.model.ladder import Claim, Rung, specs
from scrutator.model.language.spec import Kind, Spec

RARE_SEEDS = 20_000  # for what must be found
SHRINK_S = 3.0
LATER_US = 100_000  # a shorter run may decide a little later than the one it was made of
JUDGE_S = 60.0  # for one history


@dataclass(frozen=True, slots=True)
class Told:
    """What the implementation says of one claim.

    ``seed`` is the first that decides (it violates what should always hold, or reaches what is reachable), ``run`` that run,
    as short as it was made.  Where no run can decide, ``verdict`` is None and ``why`` says so.
    """

    rung: str
    claim: Claim
    verdict: Verdict | None
    seeds: int  # that were run
    seconds: float
    seed: int | None = None
    run: Run | None = None
    why: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the model says the same; what no run can decide contradicts nothing."""
        return self.verdict is None or self.verdict.value == self.claim.expect


def judge_claim(rung: Rung, claim: Claim, *, seeds: int = SEEDS, seeds_rare: int = RARE_SEEDS, shrink_s: float = SHRINK_S) -> Told:
    """Play seeds 0, 1, 2, ... until one decides: at most ``seeds`` where the model says that none will, else ``seeds_rare``.

    A run that decides is made short for ``shrink_s`` seconds.  Raises ValueError if the rung has no design, or the design
    says nothing of the claim's property.
    """
    design = designs().get(rung.name)
    if design is None:
        raise ValueError(f"impl/ladder has no design of the rung {rung.name}")
    if claim.property in design.without:
        return Told(rung.name, claim, None, 0, 0.0, why=design.without[claim.property])
    if claim.property not in design.properties:
        raise ValueError(f"impl/ladder/{rung.name} says nothing of the property {claim.property}, of the claim {claim.name}")
    spec = specs()[f"ladder/{rung.name}"]
    variant = variant_of(spec, claim)
    is_reached = next(p.kind for p in spec.properties if p.name == claim.property) is Kind.REACHABLE
    decides = functools.partial(_decides, design, claim.property, is_reached)
    expected = (claim.expect == "holds") == is_reached
    began = time.perf_counter()
    found, count = _first(design, variant, decides, seeds_rare if expected else seeds)
    if found is None:
        return Told(rung.name, claim, _verdict(not is_reached), count, time.perf_counter() - began)
    run = shrunk(design, found, decides, shrink_s) if shrink_s else found
    return Told(rung.name, claim, _verdict(is_reached), count, time.perf_counter() - began, count - 1, run)


def variant_of(spec: Spec, claim: Claim) -> Variant:
    """The claim's bounds, with the model's defaults and those of its mutant for the rest."""
    model = spec.bind(claim.bounds, claim.mutant)
    return Variant(dict(model.bounds), claim.mutant)


def _verdict(holds: bool) -> Verdict:
    return Verdict.HOLDS if holds else Verdict.VIOLATED


def _first(design: Design, variant: Variant, decides: Callable[[Run], bool], seeds: int) -> tuple[Run | None, int]:
    """The first run that decides, and how many were run."""
    for seed in range(seeds):
        run = play(design, variant, seed)
        if decides(run):
            return run, seed + 1
    return None, seeds


def _decides(design: Design, property: str, is_reached: bool, run: Run) -> bool:
    """Whether this run alone settles it."""
    shows = design.properties[property]
    true = is_linearizable(run) if isinstance(shows, Judged) else shows(run)
    return true is is_reached


def shrunk(design: Design, run: Run, decides: Callable[[Run], bool], timeout_s: float) -> Run:
    """A run that decides as well, with as few faults and messages as were found in that time, and that ends then."""
    from scrutator.impl.sim.shrink import shrink_tape

    until_us = _end(design, run, decides)
    early = run if until_us is None else play(design, run.variant, tape=run.tape, until_us=until_us + LATER_US)

    def replay(tape: Sequence[int]) -> Run:
        return play(design, run.variant, tape=tape, until_us=None if until_us is None else until_us + LATER_US)

    small = shrink_tape(early, replay, decides, timeout_s=timeout_s).run
    end_us = _end(design, small, decides)
    return small if end_us is None else play(design, run.variant, tape=small.tape, until_us=end_us)


def _end(design: Design, run: Run, decides: Callable[[Run], bool]) -> int | None:
    """When this run has decided, in microseconds; None if only its end does."""
    times = sorted({e.at_us for e in run.events if e.kind in ("return", "note", "crash")})
    return next((t for t in times if decides(play(design, run.variant, tape=run.tape, until_us=t))), None)


# --- histories ----------------------------------------------------------------------------


def is_linearizable(run: Run) -> bool:
    """What the checker says of what clients saw."""
    times = sorted({t for o in run.operations for t in (o.called_us, o.returned_us) if t is not None})
    place = {t: k for k, t in enumerate(times)}
    seen = tuple((o.method, o.argument, o.result, place[o.called_us], None if o.returned_us is None else place[o.returned_us]) for o in run.operations)
    return _is_linearizable(run.object_name, seen)


Seen = tuple[str, str | None, str | bool | None, int, int | None]  # method, argument, result, called, returned


@functools.lru_cache(maxsize=50_000)
def _is_linearizable(object_: str, seen: tuple[Seen, ...]) -> bool:
    """Small histories recur: times matter by their order only, and processes not at all."""
    builder = Builder("a run", has_clock=False)
    for number, (method, argument, result, called, returned) in enumerate(seen):
        builder.add(number + 1, number, method, argument, called, NEVER if returned is None else returned, result, pending=returned is None)
    found = check_linearizable(builder.history(), object_, explain=False, timeout_s=JUDGE_S, workers=1)
    if found.verdict is Verdict.UNKNOWN:
        raise RuntimeError(f"a history of {len(seen)} operations was not decided in {JUDGE_S:g} s")
    return found.verdict is Verdict.HOLDS
