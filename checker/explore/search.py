"""Breadth-first search over batches of states.

The law: counts, levels, first violations and paths are those of a sequential search,
whatever the number of workers.  Batches are cut by sizes that depend on the model alone;
within one, the kernel keeps the order (see `kernel`).  A batch either counts as a whole
or, when a limit cuts it short, not at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scrutator.checker.explore import control as c
from scrutator.checker.explore.exploration import Exploration, Options
from scrutator.checker.explore.memory import address
from scrutator.checker.explore.native_model import NativeModel
from scrutator.checker.explore.options import ProgressCallback
from scrutator.checker.explore.run import Run
from scrutator.checker.explore.stopping import Stopper
from scrutator.checker.explore.table import MemoryLimit
from scrutator.checker.explore.team import Team

TOGETHER_PARTS = 4  # fewer parts are not worth waking the team
CALL_S = 0.02  # about how long a worker stays in compiled code


def explore(model: NativeModel, options: Options, progress: ProgressCallback | None = None) -> Exploration:
    """Explore breadth-first.

    Args:
        model: What to explore.
        options: How, and within which limits.
        progress: Called about four times a second.

    Raises:
        DialectError: The model's text is not of the dialect.
    """
    with Stopper(options.timeout_s) as stopper, Team(options.workers) as team:
        search = Search(model, options, stopper, team, progress)
        try:
            search.run()
            return search.exploration()
        except BaseException:
            search.parents.close()
            raise
        finally:
            search.frontier.close()


@dataclass
class Phase:
    """A kernel function that workers apply to parts, and the seconds that a part took of late."""

    function: Callable[[int, int, int], int]
    part_s: float = CALL_S


class Search(Run):
    """One breadth-first search under way."""

    def __init__(
        self,
        model: NativeModel,
        options: Options,
        stopper: Stopper,
        team: Team,
        progress: ProgressCallback | None,
    ) -> None:
        super().__init__(model, options, stopper, progress)
        self.team = team
        self.batch_states = self.sizes.part_states * self.sizes.parts
        self.insert, self.seed, self.link = map(self.function, ("insert", "seed", "link"))
        self.expand, self.settle = Phase(self.function("expand")), Phase(self.function("settle"))

    # --- the search -------------------------------------------------------------------

    def run(self) -> None:
        """Search until done, violated or cut."""
        if not self._plant():
            return
        while self.head < self.tail:
            end, outside = self.tail, self.tally.outside
            if self.options.depth_max is not None and len(self.levels) >= self.options.depth_max:
                self.stopper.limit = "depth"
                return
            going = True
            while going and self.head < end:
                going = self._advance(end)
            if self.tail > end:
                self.levels.append(self.tail - end)
                self.outside_levels.append(self.tally.outside - outside)
            if not going:
                return

    def _plant(self) -> bool:
        """Find the initial states; whether to go on."""
        rows = np.ascontiguousarray(self.model.initial)
        step = self.sizes.part_candidates
        for first in range(0, len(rows), step):
            count = min(step, len(rows) - first)
            self.space.control[c.CTL_PARTS] = 1
            self.seed(self.space.control_address, address(rows[first:]), first, count)
            self.initial += count
            if not self._insert_and_settle(1, 1):
                return False
        self.levels, self.outside_levels = [self.tail], [self.tally.outside]
        return self.going()

    def _advance(self, end: int) -> bool:
        """Expand the next batch, up to a state; whether to go on."""
        chunk_end = ((self.head >> self.frontier.shift) + 1) << self.frontier.shift
        count = min(self.batch_states, end - self.head, chunk_end - self.head)
        parts = -(-count // self.sizes.part_states)
        control = self.space.control
        control[c.CTL_ROWS] = self.frontier.load(self.head)
        control[c.CTL_HEAD], control[c.CTL_COUNT], control[c.CTL_PARTS] = self.head, count, parts
        workers = self.options.workers if parts >= TOGETHER_PARTS else 1
        self._each_part(self.expand, parts, workers)
        if self.stopper.limit is not None or not self._insert_and_settle(parts, workers):
            return False
        if self.graph is not None and self.tally.fault is None:
            self._link(count, parts)
        self.head += count
        self.frontier.release(self.head)
        self.spill()
        return self.going()

    # --- the phases of a batch --------------------------------------------------------

    def _each_part(self, phase: Phase, parts: int, workers: int) -> None:
        """Do a phase's work on each part; workers claim parts in order."""
        control, stop = self.space.control_address, self.stopper.stop
        self.space.control[c.CTL_CLAIMED] = 0
        most = max(1, int(CALL_S / phase.part_s))

        def task(worker: int) -> None:
            me = self.space.me_addresses[worker]
            while not stop() and phase.function(control, me, most):
                pass

        began = time.perf_counter()
        if workers == 1:
            task(0)
        else:
            self.team.run(task)
        phase.part_s = (time.perf_counter() - began) * workers / parts

    def _insert(self, workers: int) -> None:
        self.space.share_regions(workers)

        def task(worker: int) -> None:
            me = self.space.me_addresses[worker]
            while (region := self.insert(self.space.control_address, me, worker)) >= 0:
                self.table.grow(region)

        if workers == 1:
            task(0)
        else:
            self.team.run(task)

    def _insert_and_settle(self, parts: int, workers: int) -> bool:
        """Insert the candidates and number the new states; whether the batch is complete."""
        space = self.space
        space.new[:workers, :parts] = 0
        try:
            self._insert(workers)
        except MemoryLimit:
            self.stopper.limit = "memory"
            return False
        new = space.new[:workers, :parts].sum(axis=0)
        ends = self.tail + np.cumsum(new)
        space.first[:parts] = ends - new
        tail = int(ends[-1])
        self.frontier.reserve(self.tail, tail)
        self.parents.reserve(self.tail, tail)
        space.control[c.CTL_FRONTIER] = address(self.frontier.pointers)
        space.control[c.CTL_PARENTS] = address(self.parents.pointers)
        space.control[c.CTL_TAIL] = self.tail
        self._each_part(self.settle, parts, workers)
        if self.stopper.limit is not None:
            return False
        if self.graph is not None:
            self.graph.add_states(space.masks[: tail - self.tail])
        self.tally.add_batch(workers)
        self.tail = tail
        return True

    def _link(self, count: int, parts: int) -> None:
        """Keep the batch's part of the graph of states."""
        assert self.graph is not None
        space = self.space
        degrees = space.degrees[:count].copy()
        edges = np.where(degrees == c.NOT_EXPANDED, 0, degrees).astype(np.int64)
        of_parts = np.add.reduceat(edges, np.arange(0, count, self.sizes.part_states))
        ends = np.cumsum(of_parts)
        space.first_edge[:parts] = ends - of_parts
        targets = np.empty(int(ends[-1]), np.uint32)
        space.control[c.CTL_TARGETS] = address(targets)
        for number in range(parts):
            self.link(space.control_address, number, int(of_parts[number]))
        self.graph.add_edges(degrees, targets)
