"""Seeds run side by side, judged, and the first that fails made small.

Law: what is found depends on the seeds alone: chunks of them are taken in order, and a failure counts
only once all lower seeds are done.  Here the simulator meets the linearizability checker, as only
commands may know both.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import msgspec

from scrutator.checker.commands.scenario import FORMAT, VERSION, Scenario
from scrutator.checker.commands.workers import worker_pool
from scrutator.checker.linear.check import check_linearizable
from scrutator.checker.linear.formats import read
from scrutator.checker.verdict import ExitStatus, Verdict, status_of
from scrutator.impl.sim.mutants import LINEARIZABILITY, MUTANTS
from scrutator.impl.sim.run import Run, Violation, run
from scrutator.impl.sim.setup import Setup

CHUNK = 10  # seeds a worker takes at a time
SHRINK_S = 40.0
JUDGE_S = 60.0  # for one history


@dataclass(frozen=True, slots=True)
class Work:
    """What each seed runs."""

    protocol: str
    nodes: int
    faults: str
    mutant: str | None
    seconds: int

    def setup(self) -> Setup:
        """The simulator's setup; raises `ValueError` for faults that do not exist."""
        setup = Setup(servers=self.nodes, faults=self.faults, seconds=self.seconds)
        return setup if self.mutant is None else MUTANTS[self.mutant].setup(setup)


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of one run, history included; ``undecided`` if that was too much to decide."""

    run: Run
    violation: Violation | None
    undecided: bool = False

    @property
    def harm(self) -> int:
        """How many choices of its tape are not the most benign."""
        return sum(choice != 0 for choice in self.run.tape)


@dataclass(slots=True)
class Total:
    """What seeds have in common; only grows."""

    seeds: int = 0
    simulated_s: float = 0.0
    events: int = 0
    messages: int = 0
    operations: int = 0
    undecided: int = 0
    healed_s_max: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    failing: list[int] = field(default_factory=list)

    def add(self, other: Total) -> None:
        self.seeds += other.seeds
        self.simulated_s += other.simulated_s
        self.events += other.events
        self.messages += other.messages
        self.operations += other.operations
        self.undecided += other.undecided
        self.healed_s_max = max(self.healed_s_max, other.healed_s_max)
        self.counts.update(other.counts)
        self.failing += other.failing


@dataclass(frozen=True, slots=True)
class Found:
    """What came of all seeds; ``failing`` is the first failing run, as small as it was made."""

    work: Work
    asked: range
    total: Total
    failing: Judged | None
    told: Judged | None  # the run of the one seed that was asked for, if it holds
    seed: int | None  # that failed first
    harm_before: int  # of the failing run before it was made small
    limit: str | None  # why not all seeds were run
    elapsed_s: float

    @property
    def verdict(self) -> Verdict:
        if self.failing is not None:
            return Verdict.VIOLATED
        return Verdict.UNKNOWN if self.limit is not None or self.total.undecided else Verdict.HOLDS

    @property
    def exit_status(self) -> ExitStatus:
        return status_of(self.verdict)

    @property
    def scope(self) -> str:
        """What the verdict is about, as a sentence."""
        if not self.total.seeds:
            return "no seed was run to its end"
        seeds = f"seeds {self.asked.start} to {self.asked.start + self.total.seeds - 1}" if self.total.seeds != 1 else f"seed {self.asked.start}"
        kinds = {"swarm": "faults drawn from the seed", "none": "no faults"}.get(self.work.faults, self.work.faults)
        return f"{seeds}, each {self.work.seconds} simulated seconds under {kinds}, then healed: a search, not a proof"

    def scenario(self) -> str:
        """The failing run as a file for `scrutator replay`."""
        assert self.failing is not None and self.failing.violation is not None
        w, violation = self.work, self.failing.violation
        tape = list(self.failing.run.tape)
        while tape and tape[-1] == 0:  # a tape that runs out gives zeros
            tape.pop()
        kept = Scenario(
            format=FORMAT, version=VERSION, protocol=w.protocol, nodes=w.nodes, faults=w.faults, mutant=w.mutant,
            seconds=w.seconds, seed=self.seed, breaks=violation.invariant, how=str(violation), tape=tape,
        )  # fmt: skip
        return msgspec.json.format(msgspec.json.encode(kept), indent=1).decode() + "\n"


# --- judging ------------------------------------------------------------------------------


def judge(done: Run) -> Judged:
    """A run with the verdict on its history: an invariant first, then linearizability."""
    if done.violation is not None:
        return Judged(done, done.violation)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.jsonl"
        path.write_text(done.history)
        found = check_linearizable(read(path), "kv", explain=False, timeout_s=JUDGE_S, workers=1)
    if found.verdict is Verdict.VIOLATED:
        culprit = found.violated[0].culprit
        assert culprit is not None
        what = f"{culprit.method} {culprit.key} -> {culprit.result!r} has no order of operations that explains it"
        return Judged(done, Violation(LINEARIZABILITY, culprit.returned // 1000, what))
    return Judged(done, None, found.verdict is Verdict.UNKNOWN)


def replayed(work: Work, tape: Sequence[int], *, tell: bool = False) -> Judged:
    """A run from its tape."""
    return judge(run(setup=work.setup(), tape=tape, tell=tell))


def _chunk(work: Work, seeds: range) -> Total:
    """Run and judge some seeds, in a worker."""
    total, setup = Total(), work.setup()
    for seed in seeds:
        judged = judge(run(seed, setup))
        done = judged.run
        total.seeds += 1
        total.simulated_s += done.simulated_s
        total.events += done.events
        total.messages += done.messages
        total.operations += done.history.count("\n") - 1
        total.undecided += judged.undecided
        total.healed_s_max = max(total.healed_s_max, done.healed_s or 0.0)
        total.counts.update(done.counts)
        if judged.violation is not None:
            total.failing.append(seed)
            break  # nothing after the first counts
    return total


# --- many seeds ---------------------------------------------------------------------------


def run_seeds(work: Work, seeds: range, *, workers: int | None, timeout_s: float | None, shrink: bool) -> Found:
    """Run all seeds, or up to the first that fails; Ctrl-C and the time limit end it with what was found.

    A run by itself is told, also if it holds.
    """
    from scrutator.checker.report.elapsed import Elapsed

    start = time.monotonic()
    deadline = None if timeout_s is None else start + timeout_s
    total, limit = Total(), None
    with Elapsed(sys.stderr) as show:
        show("starting")
        try:
            for part in _parts(work, seeds, workers or os.cpu_count() or 1):
                total.add(part)
                if total.failing:
                    break
                spent = time.monotonic() - start
                show(f"{total.seeds:,} of {len(seeds):,} seeds, {total.seeds / spent * 60:,.0f} a minute, {total.simulated_s:,.0f} simulated seconds", goes_on=True)
                if deadline is not None and time.monotonic() > deadline and total.seeds < len(seeds):
                    limit = f"the time limit of {timeout_s:g} s was reached"
                    break
        except KeyboardInterrupt:
            limit = "interrupted"
        failing, before = None, 0
        if total.failing:
            show(f"seed {total.failing[0]} fails: making it small")
            failing, before = _smallest(work, total.failing[0], shrink)
    told = judge(run(seeds.start, work.setup(), tell=True)) if len(seeds) == 1 and total.seeds and failing is None else None
    seed = total.failing[0] if total.failing else None
    return Found(work, seeds, total, failing, told, seed, before, limit, time.monotonic() - start)


def _parts(work: Work, seeds: range, workers: int) -> Iterator[Total]:
    """What chunks of seeds gave, in order."""
    chunks = [seeds[k : k + CHUNK] for k in range(0, len(seeds), CHUNK)]
    if workers == 1 or len(chunks) == 1:
        yield from (_chunk(work, chunk) for chunk in chunks)
        return
    with worker_pool(min(workers, len(chunks))) as pool:
        left = iter(chunks)
        waiting = deque(pool.submit(_chunk, work, chunk) for chunk in islice(left, 4 * workers))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(_chunk, work, chunk) for chunk in islice(left, 1))


def _smallest(work: Work, seed: int, small: bool) -> tuple[Judged, int]:
    """The failing run of a seed, told, and made small unless it should not be; and how much harm it had."""
    from scrutator.impl.sim.shrink import shrink

    first = judge(run(seed, work.setup()))
    assert first.violation is not None
    tape, broken = first.run.tape, first.violation.invariant

    def fails(candidate: Run) -> bool:
        violation = judge(candidate).violation if broken == LINEARIZABILITY else candidate.violation
        return violation is not None and violation.invariant == broken

    if small:
        known = replace(first.run, violation=first.violation)  # so that runs may end soon after it
        with suppress(KeyboardInterrupt):  # then it is told as it was found
            tape = shrink(known, work.setup(), timeout_s=SHRINK_S, fails=fails).run.tape
    return replayed(work, tape, tell=True), first.harm
