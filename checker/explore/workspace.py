"""The memory that the kernel works in besides the table and the streams.

One control block, and for each worker a block with its counts, smallest findings, recent
fingerprints and scratch.  Each worker's memory is apart from the others' by cache lines.
Counts and findings are those of one batch: `Tally` adds a batch up only when it is
complete, so that a batch cut short leaves no trace in the result.
"""

from __future__ import annotations

import numpy as np

from scrutator.checker.explore import control as c
from scrutator.checker.explore.exploration import Fault, Transition
from scrutator.checker.explore.memory import Words, address, reserve
from scrutator.checker.explore.native_model import Sizes

LINE_WORDS = 16  # two cache lines: processors fetch them in pairs


def _lines(rows: int, words: int) -> Words:
    width = -(-words // LINE_WORDS) * LINE_WORDS
    return reserve(8 * rows * width).view(np.int64).reshape(rows, width)


class Workspace:
    """Control block and workers' blocks, their addresses filled in."""

    def __init__(self, sizes: Sizes, workers: int) -> None:
        self.sizes, self.workers = sizes, workers
        parts, batch = sizes.parts, sizes.parts * sizes.part_states
        self.control: Words = reserve(8 * c.CTL_WORDS).view(np.int64)
        self.candidates = reserve(sizes.part_bytes * parts)
        self.kept: Words = np.zeros(parts, np.int64)
        self.first: Words = np.zeros(parts, np.int64)
        self.me = _lines(workers, c.ME_WORDS)
        self.ctx = _lines(workers, 1 + sizes.model.truncation_sites)
        self.sums = _lines(workers, c.SUM_ACTIONS + 2 * len(sizes.model.actions) + 1)
        self.mins = _lines(workers, c.MIN_WORDS)
        self.mins[:] = c.NONE
        self.new = _lines(workers, parts)
        self.new_bytes = reserve(workers * parts * sizes.part_candidates)
        self.mine = _lines(workers, -(-sizes.part_candidates // 2))
        self.recent = _lines(workers, c.RECENT * sizes.fingerprint_bytes // 8)
        self.scratch = _lines(workers, 2 * sizes.group_bytes // 8)
        self.control[c.CTL_CANDIDATES] = address(self.candidates)
        self.control[c.CTL_KEPT] = address(self.kept)
        self.control[c.CTL_FIRST] = address(self.first)
        self.control[c.CTL_NEW] = address(self.new_bytes)
        if sizes.edges:
            self.edges = reserve(sizes.edge_part_bytes * parts)
            self.first_edge: Words = np.zeros(parts, np.int64)
            self.degrees = np.zeros(batch, np.uint32)
            self.masks = reserve(8 * parts * sizes.part_candidates).view(np.uint64)
            self.control[c.CTL_EDGES] = address(self.edges)
            self.control[c.CTL_FIRST_EDGE] = address(self.first_edge)
            self.control[c.CTL_DEGREES] = address(self.degrees)
            self.control[c.CTL_MASKS] = address(self.masks)
        for worker in range(workers):
            me = self.me[worker]
            me[c.ME_CTX] = address(self.ctx[worker])
            me[c.ME_SUMS] = address(self.sums[worker])
            me[c.ME_MINS] = address(self.mins[worker])
            me[c.ME_RECENT] = address(self.recent[worker])
            me[c.ME_SCRATCH] = address(self.scratch[worker])
            me[c.ME_NEW] = address(self.new[worker])
            me[c.ME_MINE] = address(self.mine[worker])
        self.control_address = address(self.control)
        self.me_addresses = [address(self.me[worker]) for worker in range(workers)]

    def share_regions(self, workers: int) -> None:
        """Give each of so many workers a run of the table's regions, and the work from its start."""
        self.control[c.CTL_WORKERS] = workers
        for worker in range(workers):
            me = self.me[worker]
            me[c.ME_LOW] = c.REGIONS * worker // workers
            me[c.ME_HIGH] = c.REGIONS * (worker + 1) // workers
            me[c.ME_PART] = me[c.ME_POSITION] = 0

    @property
    def nbytes(self) -> int:
        """Memory in use, without the candidates, most of whose memory is never touched."""
        return sum(a.nbytes for a in (self.recent, self.scratch, self.sums, self.mins, self.new))


class Tally:
    """What complete batches have found."""

    def __init__(self, workspace: Workspace) -> None:
        self._space = workspace
        self._actions = len(workspace.sizes.model.actions)
        self.sums: Words = np.zeros(workspace.sums.shape[1], np.int64)
        self.mins: Words = np.full(workspace.mins.shape[1], c.NONE, np.int64)
        self.truncations: Words = np.zeros(workspace.ctx.shape[1], np.int64)
        self.fault: Fault | None = None

    def add_batch(self, workers: int) -> None:
        """Take over what that many workers found since the last batch."""
        space = self._space
        for worker in range(workers):
            self.sums += space.sums[worker]
            np.minimum(self.mins, space.mins[worker], out=self.mins)
            self.truncations += space.ctx[worker]
            me = space.me[worker]
            if me[c.ME_FAULT_WHAT]:
                ordinal = int(me[c.ME_FAULT_ORDINAL])
                fault = Fault(
                    int(me[c.ME_FAULT_STATE]), None if ordinal < 0 else ordinal, int(me[c.ME_FAULT_WHAT])
                )
                if self.fault is None or fault.state < self.fault.state:
                    self.fault = fault
        space.sums[:workers] = 0
        space.ctx[:workers] = 0

    def _index(self, word: int) -> int | None:
        value = int(self.mins[word])
        return None if value == c.NONE else value

    @property
    def outside(self) -> int:
        return int(self.sums[c.SUM_OUTSIDE])

    @property
    def fired(self) -> tuple[int, ...]:
        return tuple(self.sums[c.SUM_ACTIONS :][: self._actions].tolist())

    @property
    def reached(self) -> tuple[int, ...]:
        return tuple(self.sums[c.SUM_ACTIONS + self._actions :][: self._actions].tolist())

    @property
    def fired_total(self) -> int:
        return int(self.sums[c.SUM_ACTIONS :][: self._actions].sum())

    @property
    def deadlock(self) -> int | None:
        return self._index(c.MIN_DEADLOCK)

    @property
    def invariants(self) -> tuple[int | None, ...]:
        return tuple(self._index(c.MIN_INVARIANT + k) for k in range(self._space.sizes.model.invariants))

    @property
    def predicates(self) -> tuple[int | None, ...]:
        return tuple(self._index(c.MIN_PREDICATE + k) for k in range(self._space.sizes.model.predicates))

    @property
    def step_invariants(self) -> tuple[Transition | None, ...]:
        entries = (self._index(c.MIN_STEP + k) for k in range(self._space.sizes.model.step_invariants))
        mask = (1 << c.ORDINAL_BITS) - 1
        return tuple(None if e is None else Transition(e >> c.ORDINAL_BITS, e & mask) for e in entries)

    def violated(self, deadlock: bool) -> bool:
        """Whether an invariant or step invariant is violated, or deadlock where that counts."""
        model = self._space.sizes.model
        return bool(
            (self.mins[c.MIN_INVARIANT :][: model.invariants] != c.NONE).any()
            or (self.mins[c.MIN_STEP :][: model.step_invariants] != c.NONE).any()
            or (deadlock and self.mins[c.MIN_DEADLOCK] != c.NONE)
        )
