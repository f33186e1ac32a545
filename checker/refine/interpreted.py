"""The python engine of refinement: every step of every state, followed one at a time.

The oracle of the compiled engine, in the same order: same counts, same table, same
counterexample.
"""

from __future__ import annotations

import time
from collections import Counter

from scrutator.checker.explore.findings import Path
from scrutator.checker.explore.interpreted import PROGRESS_S, limit_reached, memory_bytes_peak
from scrutator.checker.explore.layout import decode, encode
from scrutator.checker.explore.options import CheckOptions, Progress, ProgressCallback
from scrutator.checker.refine.found import Found, Pair
from scrutator.checker.refine.images import Images
from scrutator.model.language.refinement import Mapping


class _Broken(Exception):
    """A step that is no step ends the search."""


def follow_interpreted(mapping: Mapping, options: CheckOptions, progress: ProgressCallback | None) -> Found:
    """Explore breadth-first with the interpreter; a `ModelError` passes through with its place and value."""
    search = _Search(mapping, options, progress)
    found = search.found
    try:
        search.run()
    except _Broken:
        pass
    except KeyboardInterrupt:
        found.limit = "an interrupt"
    found.distinct = len(search.parents)
    found.followed = dict(search.followed)
    found.truncations = tuple(sorted(search.images.concrete.truncated.items()))
    found.seconds = time.monotonic() - search.started
    found.memory_bytes_peak = memory_bytes_peak()
    return found


class _Search:
    def __init__(self, mapping: Mapping, options: CheckOptions, progress: ProgressCallback | None) -> None:
        self.model, self.options, self.progress = mapping.concrete, options, progress
        self.images = Images(mapping)
        self.found = Found()
        self.parents: dict[bytes, bytes | None] = {}
        self.seen: dict[bytes, bytes] = {}  # images
        self.known: dict[tuple[bytes, bytes], int | None] = {}  # the abstract action between two images that differ
        self.followed: Counter[Pair] = Counter()
        self.started = self.reported = time.monotonic()

    def run(self) -> None:
        frontier = [row for row in map(encode, self.images.concrete.initial_states()) if self.add(row, None)]
        levels: list[int] = []
        while frontier:
            levels.append(len(frontier))
            self.found.levels = tuple(levels)
            if self.options.depth_max is not None and len(levels) >= self.options.depth_max:
                self.found.limit = "--depth-max"
                return
            upcoming: list[bytes] = []
            for k, row in enumerate(frontier):
                if self.stopped(len(levels), len(frontier) - k + len(upcoming)):
                    return
                upcoming += self.expand(row)
            frontier = upcoming

    def add(self, row: bytes, parent: bytes | None) -> bool:
        self.found.generated += 1
        if row in self.parents:
            return False
        self.parents[row] = parent
        self.seen[row] = self.images.of_row(row)
        return True

    def expand(self, row: bytes) -> list[bytes]:
        """The successors that are new, each step followed."""
        state = decode(self.model.state, row)
        if not all(self.images.concrete.holds(f, state) for f in self.model.constraints):
            return []
        new = []
        for successor in self.images.concrete.successors(state):
            after = encode(successor.state)
            if self.add(after, row):
                new.append(after)
            self.follow(successor.action, row, after)
        return new

    def follow(self, action: int, before: bytes, after: bytes) -> None:
        u, w = self.seen[before], self.seen[after]
        if u == w:
            self.followed[action, None] += 1
            return
        if (u, w) not in self.known:
            step = self.images.step(u, w)
            self.known[u, w] = None if step is None else step.action
        answer = self.known[u, w]
        if answer is None:
            self.found.broken = (*self.path(before), after)
            raise _Broken
        self.followed[action, answer] += 1

    def path(self, row: bytes) -> Path:
        rows = [row]
        while (parent := self.parents[rows[-1]]) is not None:
            rows.append(parent)
        return tuple(reversed(rows))

    def stopped(self, depth: int, frontier: int) -> bool:
        now = time.monotonic()
        self.found.limit = limit_reached(self.options, len(self.parents), now - self.started)
        if self.progress is not None and now - self.reported > PROGRESS_S:
            self.reported = now
            self.progress(Progress(len(self.parents), self.found.generated, depth, frontier, memory_bytes_peak(), now - self.started))
        return self.found.limit is not None


