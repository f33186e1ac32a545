"""An exploration under way: its memory, its streams, and the result made of them.

Shared by the exhaustive searches, which differ in the order in which they take states.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from scrutator.checker.explore import control as c
from scrutator.checker.explore.exploration import Exploration, Options
from scrutator.checker.explore.native_model import NativeModel, Sizes, compile_model
from scrutator.checker.explore.options import Progress, ProgressCallback
from scrutator.checker.explore.paths import Paths, Stepper
from scrutator.checker.explore.possible import Graph
from scrutator.checker.explore.stopping import Stopper
from scrutator.checker.explore.stream import Stream
from scrutator.checker.explore.table import FingerprintTable, collision_odds
from scrutator.checker.explore.workspace import Tally, Workspace

PROGRESS_S = 0.25


class Run:
    """What every exhaustive search needs.

    ``head`` states have been expanded and ``tail`` found; ``levels`` counts them by depth.
    """

    shortest = True

    def __init__(
        self,
        model: NativeModel,
        options: Options,
        stopper: Stopper,
        progress: ProgressCallback | None,
        kernels: Iterable[str] = ("kernel",),
    ) -> None:
        self.model, self.options, self.stopper, self.progress = model, options, stopper, progress
        self.sizes = Sizes(model, options.fingerprint_bits, options.edges)
        self.module = compile_model(self.sizes, kernels)
        self.began = self.reported = time.perf_counter()
        self.space = Workspace(self.sizes, options.workers)
        self.tally = Tally(self.space)
        self.graph = Graph() if options.edges else None
        self.frontier = Stream(model.row_bytes, self.sizes.rows_shift, options.spill_folder)
        self.parents = Stream(8, c.PARENTS_SHIFT, options.spill_folder)
        self.table = FingerprintTable(
            self.space.control, self.sizes.entry_bytes, self.function("rehash"), options.memory_bytes_max
        )
        self.head = self.tail = self.initial = 0
        self.levels: list[int] = []
        self.outside_levels: list[int] = []
        self.kept_most = 0
        self.memory_bytes_peak = 0

    def function(self, name: str) -> Callable[..., Any]:
        """A function of the kernel."""
        return self.module.function(name)

    def going(self) -> bool:
        """Whether to go on after some work; also reports progress."""
        if self.progress is not None and time.perf_counter() - self.reported > PROGRESS_S:
            self.reported = time.perf_counter()
            self.progress(self._progress())
        if self.tally.fault is not None:
            return False
        if self.options.stop_at_first and self.tally.violated(self.options.deadlock):
            return False
        if self.head == self.tail:
            return True
        if self.options.states_max is not None and self.tail >= self.options.states_max:
            self.stopper.limit = self.stopper.limit or "states"
        return not self.stopper.stop()

    # --- memory -----------------------------------------------------------------------

    def memory_bytes(self) -> int:
        """Memory in use by the search; Python and its libraries come on top."""
        self.kept_most = max(self.kept_most, int(self.space.kept.sum()))
        candidates = self.kept_most * self.sizes.candidate_bytes
        graph = 0 if self.graph is None else self.graph.nbytes
        streams = self.frontier.nbytes + self.parents.nbytes
        return self.table.nbytes + streams + self.space.nbytes + candidates + graph

    def spill(self) -> None:
        """Keep to the budget: move to disk what is not needed soon, or stop."""
        memory = self.memory_bytes()
        self.memory_bytes_peak = max(self.memory_bytes_peak, memory)
        budget = self.options.memory_bytes_max
        if budget is None:
            return
        growth = self.table.growth_bytes()
        while memory + growth > budget and (
            self.parents.spill(-1, self.tail) or self.frontier.spill(self.head, self.tail)
        ):
            memory = self.memory_bytes()
        if memory > budget and self.head < self.tail:
            self.stopper.limit = self.stopper.limit or "memory"
        self.table.memory_bytes_max = budget - (memory - self.table.nbytes)

    # --- what was found ---------------------------------------------------------------

    def _generated(self) -> int:
        return self.initial + self.tally.fired_total

    def _progress(self) -> Progress:
        seconds = time.perf_counter() - self.began
        frontier = self.tail - self.head
        return Progress(
            self.tail, self._generated(), len(self.levels), frontier, self.memory_bytes(), seconds
        )

    def exploration(self) -> Exploration:
        """The result."""
        found = self.tally
        exact = self.sizes.exact
        return Exploration(
            distinct=self.tail,
            outside=found.outside,
            generated=self._generated(),
            levels=tuple(self.levels),
            outside_levels=tuple(self.outside_levels),
            fired=found.fired,
            reached=found.reached,
            invariants=found.invariants,
            step_invariants=found.step_invariants,
            predicates=found.predicates,
            deadlock=found.deadlock,
            fault=found.fault,
            truncations=tuple(found.truncations[1 : 1 + self.model.truncation_sites].tolist()),
            exhaustive=self.head == self.tail and found.fault is None and self.stopper.limit is None,
            limit=self.stopper.limit,
            shortest=self.shortest,
            workers=self.options.workers,
            seconds=time.perf_counter() - self.began,
            compile_seconds=self.module.compile_seconds,
            compiled_from_cache=self.module.from_cache,
            memory_bytes_peak=max(self.memory_bytes_peak, self.memory_bytes()),
            disk_bytes=self.frontier.disk_bytes + self.parents.disk_bytes,
            table_bytes=self.table.nbytes,
            parents_bytes=8 * self.tail,
            collision_odds=collision_odds(self.tail, self.options.fingerprint_bits, exact),
            paths=Paths(Stepper(self.model, self.module), self.parents),
            graph=self.graph,
        )
