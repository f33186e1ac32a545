"""Random walks from seeds: for spaces too large to exhaust, and for a first look.

The law: what is found depends on the seed and the number of walks, not on the number of
workers.  Walks are numbered; blocks of them are taken by whoever is free and added up in
order; the search ends with the first walk, by number, that violates a property.
"""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import dataclass, field

import numpy as np

from scrutator.checker.explore import control as c
from scrutator.checker.explore.memory import Words, address
from scrutator.checker.explore.native_model import NativeModel, Sizes, compile_model
from scrutator.checker.explore.options import Progress, ProgressCallback
from scrutator.checker.explore.paths import Path, Stepper
from scrutator.checker.explore.stopping import Stopper
from scrutator.checker.explore.team import Team
from scrutator.checker.native import NativeModule

BLOCK = 64  # walks that a worker takes at a time
PROGRESS_S = 0.25
MASK = (1 << c.ORDINAL_BITS) - 1


@dataclass(frozen=True, slots=True)
class WalkOptions:
    """How to walk.

    Attributes:
        walks: How many, None for no end.
        depth_max: Steps of a walk, at most.
        timeout_s: End after so many seconds, None for never.
        seed: Any 64-bit number.
        workers: Threads.
        stop_at_first: End with the first walk that violates a property.
        deadlock: Whether a state without successors violates one.
    """

    walks: int | None = 10_000
    depth_max: int = 100
    timeout_s: float | None = None
    seed: int = 0
    workers: int = 1
    stop_at_first: bool = True
    deadlock: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.depth_max <= MASK:
            raise ValueError(f"walks of {self.depth_max} steps: between 1 and {MASK:,} are possible")
        if self.walks is None and self.timeout_s is None and not self.stop_at_first:
            raise ValueError("walks without end: give a number of walks or a time limit")


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a property was decided: a walk's number, and the steps taken until then."""

    number: int
    length: int


@dataclass(frozen=True, slots=True)
class Walks:
    """What random walks found; see `Exploration` for the fields that have the same names.

    ``limit`` is "time" or "interrupted" where that ended the work, else None.
    """

    walks: int
    steps: int
    fired: tuple[int, ...]
    invariants: tuple[Walk | None, ...]
    step_invariants: tuple[Walk | None, ...]
    predicates: tuple[Walk | None, ...]
    deadlock: Walk | None
    fault: Walk | None
    fault_what: int
    truncations: tuple[int, ...]
    limit: str | None
    seconds: float
    compile_seconds: float
    stepper: Stepper
    walker: Walker

    def path(self, walk: Walk) -> Path:
        """The walk as a path, for `Stepper.walk` with ``canonical=False``."""
        return self.walker.path(walk)


class Walker:
    """One worker's memory for walking."""

    def __init__(self, model: NativeModel, module: NativeModule, options: WalkOptions) -> None:
        self._walks = module.function("walks")
        self._arrays = [
            initial := np.ascontiguousarray(model.initial),
            current := np.zeros(model.row_bytes, np.uint8),
            out := np.zeros((model.successors_max, model.row_bytes), np.uint8),
            codes := np.zeros(model.successors_max, np.uint32),
        ]
        self.ctx: Words = np.zeros(1 + model.truncation_sites, np.int64)
        self.mins: Words = np.full(c.MIN_WORDS, c.NONE, np.int64)
        self.sums: Words = np.zeros(len(model.actions), np.int64)
        self.block: Words = np.zeros(c.WALK_WORDS, np.int64)
        block = self.block
        block[c.WALK_ROWS], block[c.WALK_INITIAL] = address(initial), len(initial)
        block[c.WALK_SEED] = (options.seed + (1 << 63)) % (1 << 64) - (1 << 63)
        block[c.WALK_DEPTH_MAX] = options.depth_max
        block[c.WALK_CURRENT], block[c.WALK_OUT], block[c.WALK_CODES] = (
            address(current),
            address(out),
            address(codes),
        )
        block[c.WALK_CTX], block[c.WALK_MINS], block[c.WALK_SUMS] = map(
            address, (self.ctx, self.mins, self.sums)
        )
        block[c.WALK_HALT], block[c.WALK_DEADLOCK] = options.stop_at_first, options.deadlock

    def take(self, first: int, count: int) -> int:
        """Take walks; how many were taken."""
        return int(self._walks(address(self.block), first, count))

    def path(self, walk: Walk) -> Path:
        """Take a walk again, up to a length, writing down where it goes."""
        record = np.zeros(walk.length + 1, np.uint32)
        block = self.block
        kept = block.copy()
        block[c.WALK_RECORD], block[c.WALK_DEPTH_MAX] = address(record), walk.length
        self.take(walk.number, 1)
        start = int(block[c.WALK_START])
        block[:] = kept
        return Path(start, tuple(record[: walk.length].tolist()))


@dataclass
class _Total:
    """Blocks added up, in the order of their walks."""

    sums: Words
    mins: Words
    truncations: Words
    walks: int = 0
    fault: tuple[int, int] = (c.NONE, 0)  # which walk, what
    over: bool = False
    waiting: dict[int, tuple[int, Words, Words, Words, tuple[int, int]]] = field(default_factory=dict)
    following: int = 0

    def add(self, number: int, taken: int, complete: bool, walker: Walker) -> None:
        """Take over a worker's block, and all blocks whose turn has come."""
        fault = (int(walker.block[c.WALK_FAULT_WALK]), int(walker.block[c.WALK_FAULT_WHAT]))
        self.waiting[number] = (
            taken if complete else -taken,
            walker.sums.copy(),
            walker.mins.copy(),
            walker.ctx.copy(),
            fault,
        )
        walker.sums[:] = 0
        walker.ctx[:] = 0
        walker.mins[:] = c.NONE
        walker.block[c.WALK_FAULT_WHAT] = 0
        while not self.over and self.following in self.waiting:
            taken, sums, mins, ctx, fault = self.waiting.pop(self.following)
            self.following += 1
            self.walks += abs(taken)
            self.sums += sums
            self.truncations += ctx
            np.minimum(self.mins, mins, out=self.mins)
            if fault[1]:
                self.fault = fault
            self.over = taken < 0


def simulate(model: NativeModel, options: WalkOptions, progress: ProgressCallback | None = None) -> Walks:
    """Walk at random.

    Args:
        model: Where to walk.
        options: How, and how long.
        progress: Called about four times a second; ``distinct`` is then the number of walks.

    Raises:
        DialectError: The model's text is not of the dialect.
    """
    module = compile_model(Sizes(model), ("kernel", "kernel_walk"))
    began = reported = time.perf_counter()
    walkers = [Walker(model, module, options) for _ in range(options.workers)]
    total = _Total(
        np.zeros_like(walkers[0].sums), np.full_like(walkers[0].mins, c.NONE), np.zeros_like(walkers[0].ctx)
    )
    numbers, lock = itertools.count(), threading.Lock()

    with Stopper(options.timeout_s) as stopper, Team(options.workers) as team:

        def task(worker: int) -> None:
            nonlocal reported
            walker = walkers[worker]
            while not total.over and not stopper.stop():
                number = next(numbers)
                first = number * BLOCK
                count = BLOCK if options.walks is None else min(BLOCK, options.walks - first)
                if count <= 0:
                    return
                taken = walker.take(first, count)
                halted = bool(walker.block[c.WALK_FAULT_WHAT]) or (
                    options.stop_at_first and _wrong(model, walker.mins, options)
                )
                with lock:
                    total.add(number, taken, not halted, walker)
                if worker == 0 and progress is not None and time.perf_counter() - reported > PROGRESS_S:
                    reported = time.perf_counter()
                    steps = int(total.sums.sum())
                    progress(Progress(total.walks, steps, options.depth_max, 0, 0, reported - began))

        team.run(task)
    return _result(model, module, stopper, total, walkers[0], time.perf_counter() - began)


def _wrong(model: NativeModel, mins: Words, options: WalkOptions) -> bool:
    return bool(
        (mins[c.MIN_INVARIANT :][: model.invariants] != c.NONE).any()
        or (mins[c.MIN_STEP :][: model.step_invariants] != c.NONE).any()
        or (options.deadlock and mins[c.MIN_DEADLOCK] != c.NONE)
    )


def _result(
    model: NativeModel, module: NativeModule, stopper: Stopper, total: _Total, walker: Walker, seconds: float
) -> Walks:
    def found(word: int) -> Walk | None:
        entry = int(total.mins[word])
        return None if entry == c.NONE else Walk(entry >> c.ORDINAL_BITS, entry & MASK)

    where, what = total.fault
    return Walks(
        walks=total.walks,
        steps=int(total.sums.sum()),
        fired=tuple(total.sums.tolist()),
        invariants=tuple(found(c.MIN_INVARIANT + k) for k in range(model.invariants)),
        step_invariants=tuple(found(c.MIN_STEP + k) for k in range(model.step_invariants)),
        predicates=tuple(found(c.MIN_PREDICATE + k) for k in range(model.predicates)),
        deadlock=found(c.MIN_DEADLOCK),
        fault=Walk(where >> c.ORDINAL_BITS, where & MASK) if what else None,
        fault_what=what,
        truncations=tuple(total.truncations[1 : 1 + model.truncation_sites].tolist()),
        limit=None if total.over else stopper.limit,
        seconds=seconds,
        compile_seconds=module.compile_seconds,
        stepper=Stepper(model, module),
        walker=walker,
    )
