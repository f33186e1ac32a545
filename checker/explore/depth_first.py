"""Depth-first search: little memory for deep narrow spaces, and bugs that lie deep.

One worker, whatever the options say.  Paths are not the shortest.  With a depth bound a
state first met at the bound is not expanded, even if a shorter path to it exists: the
result then says that depth cut it.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from scrutator.checker.explore import control as c
from scrutator.checker.explore.exploration import Exploration, Options
from scrutator.checker.explore.memory import Bytes, Words, address, reserve
from scrutator.checker.explore.native_model import NativeModel
from scrutator.checker.explore.options import ProgressCallback
from scrutator.checker.explore.run import Run
from scrutator.checker.explore.stopping import Stopper
from scrutator.checker.explore.table import MemoryLimit

BUDGET = 1024  # states expanded between looking at limits
LEVELS_MAX = 1 << 20  # deeper states are counted at this depth


def explore_depth_first(
    model: NativeModel, options: Options, progress: ProgressCallback | None = None
) -> Exploration:
    """Explore depth-first; the arguments are those of `search.explore`.

    Raises:
        ValueError: The options ask for the graph of states, which only breadth-first search keeps.
        DialectError: The model's text is not of the dialect.
    """
    if options.edges:
        raise ValueError(
            "depth-first search keeps no graph of states: use breadth-first search for always_possible"
        )
    options = dataclasses.replace(options, workers=1)
    with Stopper(options.timeout_s) as stopper:
        search = DepthFirst(model, options, stopper, progress)
        try:
            search.run()
            return search.exploration()
        except BaseException:
            search.parents.close()
            raise
        finally:
            search.frontier.close()


class DepthFirst(Run):
    """One depth-first search under way; its stack takes the place of the frontier."""

    shortest = False

    def __init__(
        self, model: NativeModel, options: Options, stopper: Stopper, progress: ProgressCallback | None
    ) -> None:
        super().__init__(model, options, stopper, progress, ("kernel", "kernel_dive"))
        self.dive, self.plant = self.function("dive"), self.function("plant")
        self.block: Words = np.zeros(c.DIVE_WORDS, np.int64)
        self.depths: Words = reserve(8 * (LEVELS_MAX + 2)).view(np.int64)
        self.stacked = model.row_bytes + 16
        self.stack: Bytes = reserve(self.stacked)
        self.current = np.zeros(self.stacked, np.uint8)
        self.out = np.zeros((model.successors_max, model.row_bytes), np.uint8)
        self.codes = np.zeros(model.successors_max, np.uint32)
        self.block[c.DIVE_CURRENT] = address(self.current)
        self.block[c.DIVE_OUT] = address(self.out)
        self.block[c.DIVE_CODES] = address(self.codes)
        self.block[c.DIVE_LEVELS] = address(self.depths)
        self.block[c.DIVE_LEVELS_MAX] = LEVELS_MAX
        self.block[c.DIVE_DEPTH_MAX] = c.NONE if options.depth_max is None else options.depth_max

    def run(self) -> None:
        """Search until done, violated or cut."""
        control, me, block = self.space.control_address, self.space.me_addresses[0], address(self.block)
        try:
            for number, row in enumerate(np.ascontiguousarray(self.model.initial)):
                self._make_room()
                while not self.plant(control, me, block, address(row), number):
                    self.table.grow(int(self.block[c.DIVE_REGION]))
                self.initial += 1
            why = c.DIVE_PAUSED
            while why != c.DIVE_DONE and self._settled():
                why = self.dive(control, me, block, BUDGET)
                if why == c.DIVE_GROW:
                    self.table.grow(int(self.block[c.DIVE_REGION]))
                elif why == c.DIVE_ROOM_NEEDED:
                    self._make_room()
        except MemoryLimit:
            self.stopper.limit = "memory"
        self._settled()
        self.levels = self.depths[1 : len(self.levels) + 1].tolist()
        if self.block[c.DIVE_CUT] and self.stopper.limit is None:
            self.stopper.limit = "depth"

    def _settled(self) -> bool:
        """Take over what was found; whether to go on."""
        self.tally.add_batch(1)
        self.head, self.tail = int(self.block[c.DIVE_EXPANDED]), int(self.block[c.DIVE_TAIL])
        while self.depths[len(self.levels) + 1]:
            self.levels.append(0)
        self.spill()
        return self.going()

    def _make_room(self) -> None:
        """Room for the successors of one more state, at least."""
        height, most = int(self.block[c.DIVE_HEIGHT]), self.model.successors_max
        if height + most > self.block[c.DIVE_ROOM]:
            room = 2 * (height + most) + 1024
            if (
                self.options.memory_bytes_max is not None
                and room * self.stacked > self.options.memory_bytes_max
            ):
                raise MemoryLimit
            stack = reserve(room * self.stacked)
            stack[: height * self.stacked] = self.stack[: height * self.stacked]
            self.stack = stack
            self.block[c.DIVE_STACK], self.block[c.DIVE_ROOM] = address(stack), room
        tail = int(self.block[c.DIVE_TAIL])
        reserved = (tail + most | ((1 << c.PARENTS_SHIFT) - 1)) + 1
        self.parents.reserve(tail, reserved)
        self.space.control[c.CTL_PARENTS] = address(self.parents.pointers)
        self.block[c.DIVE_RESERVED] = reserved

    def memory_bytes(self) -> int:
        """Memory in use, the stack included."""
        return super().memory_bytes() + self.stack.nbytes
