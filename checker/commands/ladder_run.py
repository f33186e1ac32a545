"""All claims of rungs, run side by side: models explored, implementations played.

Law: what is found does not depend on the number of workers nor on which of them is quick.  Ctrl-C ends it with the claims
that were done by then.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, as_completed

from scrutator.checker.commands.ladder import SEEDS
from scrutator.checker.commands.workers import worker_pool
from scrutator.checker.explore.result import Result
from scrutator.checker.ladder import ClaimFound, LadderFound, Played, RungFound, as_result, headline_of
from scrutator.model.ladder import Claim, Rung, rungs, specs

SHRINK_S = 30.0  # for a run that is shown; nearly all end much sooner

Job = tuple[str, str, str]  # "model" or "played", rung, claim


def run_rungs(chosen: Sequence[Rung], *, seeds: int = SEEDS, workers: int = 1, shown: bool = False) -> LadderFound:
    """Run every claim of these rungs; ``shown`` makes the run that decides each rung's headline short, to be looked at."""
    from scrutator.checker.report.elapsed import Elapsed

    start = time.monotonic()
    jobs = [(what, rung.name, claim.name) for rung in chosen for claim in rung.claims for what in ("model", "played")]
    small = {(rung.name, headline_of(rung).name) for rung in chosen} if shown else set()
    done: dict[Job, Result | Played] = {}
    limit = None
    with Elapsed(sys.stderr) as show:
        show("starting")
        try:
            for job, found in _results(jobs, seeds, small, workers):
                done[job] = found
                show(f"{len(done):,} of {len(jobs):,} runs; {job[1]}: {job[2]}", goes_on=True)
        except KeyboardInterrupt:
            limit = "interrupted"
    return LadderFound(tuple(_rung_found(rung, done) for rung in chosen), time.monotonic() - start, seeds, limit)


def _rung_found(rung: Rung, done: dict[Job, Result | Played]) -> RungFound:
    claims = []
    for claim in rung.claims:
        model, played = done.get(("model", rung.name, claim.name)), done.get(("played", rung.name, claim.name))
        if isinstance(model, Result) and isinstance(played, Played):
            claims.append(ClaimFound(rung, claim, model, played))
    return RungFound(rung, tuple(claims))


# --- jobs ---------------------------------------------------------------------------------


def _results(jobs: Sequence[Job], seeds: int, small: set[tuple[str, str]], workers: int) -> Iterator[tuple[Job, Result | Played]]:
    """What each job found, in order of completion."""
    if workers == 1:
        yield from ((job, _run(job, seeds, job[1:] in small)) for job in jobs)
        return
    with worker_pool(min(workers, len(jobs))) as pool:
        futures: dict[Future[Result | Played], Job] = {pool.submit(_run, job, seeds, job[1:] in small): job for job in jobs}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _run(job: Job, seeds: int, small: bool) -> Result | Played:
    what, rung_name, claim_name = job
    rung = next(r for r in rungs() if r.name == rung_name)
    claim = next(c for c in rung.claims if c.name == claim_name)
    return explore_claim(rung, claim) if what == "model" else _play(rung, claim, seeds, small)


def explore_claim(rung: Rung, claim: Claim) -> Result:
    """What exploring the model, or following it in the one that it refines, says of a claim."""
    from scrutator.checker.explore.check import check
    from scrutator.checker.explore.options import CheckOptions
    from scrutator.checker.refine.check import refine

    spec, options = specs()[f"ladder/{rung.name}"], CheckOptions(workers=1)
    if claim.property in {r.name for r in spec.refinements}:
        return as_result(refine(spec, claim.property, bounds=claim.bounds, mutant=claim.mutant, options=options))
    return check(spec, bounds=claim.bounds, mutant=claim.mutant, properties=(claim.property,), options=options)


def _play(rung: Rung, claim: Claim, seeds: int, small: bool) -> Played:
    from scrutator.checker.commands.ladder_judge import RARE_SEEDS, judge_claim

    try:
        told = judge_claim(rung, claim, seeds=seeds, seeds_rare=max(seeds, RARE_SEEDS), shrink_s=SHRINK_S if small else 0.0)
    except ValueError as error:
        return Played(None, missing=str(error))
    events = told.run.events if small and told.run is not None else ()
    return Played(told.verdict, told.seeds, told.seconds, told.seed, events, told.seconds < SHRINK_S, told.why)


def workers_by_default() -> int:
    """As many as there are processors, and no more than serve."""
    return min(os.cpu_count() or 1, 8)
