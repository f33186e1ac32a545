"""The python engine: the obvious exploration, over the model as ordinary Python.

It is the oracle of the compiled engine and its help in need: a few thousand states a
second, every mistake of the model located.  Same order of discovery, same counts, same
counterexamples.
"""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from scrutator.checker.explore.findings import Findings, Path
from scrutator.checker.explore.layout import decode, encode
from scrutator.checker.explore.options import CheckOptions, Progress, ProgressCallback
from scrutator.model.language.errors import ModelError
from scrutator.model.language.interpret import Interpreter
from scrutator.model.language.spec import Kind, Model, Property
from scrutator.model.language.values import RecordPlace

Canonical = Callable[[bytes], bytes]

PROGRESS_S = 0.25  # between two reports


class Stop(Exception):
    """A limit or a first violation ends the search."""


@dataclass
class _Search:
    model: Model
    properties: tuple[Property, ...]
    options: CheckOptions
    canonical: Canonical
    progress: ProgressCallback | None
    found: Findings = field(default_factory=Findings)
    parents: dict[bytes, bytes | None] = field(default_factory=dict)
    level: dict[bytes, int] = field(default_factory=dict)
    edges: dict[bytes, list[bytes]] = field(default_factory=dict)
    hits: dict[str, set[bytes]] = field(default_factory=dict)
    cut: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.interpreter = Interpreter(self.model)
        self.started = self.reported = time.monotonic()
        self.fired = [0] * len(self.model.actions)
        self.discovered = [0] * len(self.model.actions)
        self.by_kind = {k: [p for p in self.properties if p.kind is k] for k in Kind}
        self.keep_edges = bool(self.by_kind[Kind.ALWAYS_POSSIBLE])

    # --- one state ----------------------------------------------------------------------

    def path(self, row: bytes) -> Path:
        rows = [row]
        while (parent := self.parents[rows[-1]]) is not None:
            rows.append(parent)
        return tuple(reversed(rows))

    def add(self, row: bytes, parent: bytes | None, action: int | None) -> bool:
        """Note a state; True if it is new."""
        self.found.generated += 1
        if action is not None:
            self.fired[action] += 1
        if row in self.parents:
            return False
        self.parents[row] = parent
        self.level[row] = 1 if parent is None else self.level[parent] + 1
        if action is not None:
            self.discovered[action] += 1
        self.judge(row)
        return True

    def judge(self, row: bytes) -> None:
        state = decode(self.model.state, row)
        for p in self.by_kind[Kind.INVARIANT]:
            if p.name not in self.found.violated and not self.interpreter.holds(p.function, state):
                self.found.violated[p.name] = self.path(row)
        for p in self.by_kind[Kind.REACHABLE] + self.by_kind[Kind.ALWAYS_POSSIBLE]:
            if (p.kind is Kind.ALWAYS_POSSIBLE or p.name not in self.found.reached) and self.interpreter.holds(p.function, state):
                self.found.reached.setdefault(p.name, self.path(row))
                self.hits.setdefault(p.name, set()).add(row)

    def judge_step(self, before: bytes, state: RecordPlace, after: bytes, successor: RecordPlace) -> None:
        for p in self.by_kind[Kind.STEP_INVARIANT]:
            if p.name not in self.found.violated and not self.interpreter.holds(p.function, state, successor):
                self.found.violated[p.name] = (*self.path(before), after)

    def explored(self, row: bytes) -> bool:
        """Whether the state is to be expanded."""
        state = decode(self.model.state, row)
        if all(self.interpreter.holds(f, state) for f in self.model.constraints):
            return True
        self.found.outside = True
        self.cut.add(row)
        return False

    def expand(self, row: bytes) -> Iterator[tuple[bytes, bool]]:
        """Every successor and whether it is new."""
        state = decode(self.model.state, row)
        count = 0
        try:
            for successor in self.interpreter.successors(state):
                count += 1
                after = self.canonical(encode(successor.state))
                self.judge_step(row, state, after, successor.state)
                if self.keep_edges:
                    self.edges.setdefault(row, []).append(after)
                yield after, self.add(after, row, successor.action)
        except ModelError:
            self.found.fault = self.path(row)
            raise
        if not count and self.options.deadlock and self.found.deadlock is None:
            self.found.deadlock = self.path(row)

    def tick(self, depth: int, frontier: int) -> None:
        options, now = self.options, time.monotonic()
        if self.options.stop_at_first and (self.found.violated or self.found.deadlock):
            raise Stop
        limit = limit_reached(options, len(self.parents), now - self.started)
        if limit is not None:
            self.found.limit = limit
            raise Stop
        if self.progress is not None and now - self.reported > PROGRESS_S:
            self.reported = now
            self.progress(Progress(len(self.parents), self.found.generated, depth, frontier, memory_bytes_peak(), now - self.started))

    # --- searches -----------------------------------------------------------------------

    def initial(self) -> list[bytes]:
        frontier = []
        for state in self.interpreter.initial_states():
            row = self.canonical(encode(state))
            if self.add(row, None, None) and self.explored(row):
                frontier.append(row)
        return frontier

    def breadth_first(self) -> None:
        frontier, depth = self.initial(), 1
        while frontier:
            if self.options.depth_max is not None and depth >= self.options.depth_max:
                self.found.limit = "--depth-max"
                self.cut.update(frontier)
                return
            upcoming: list[bytes] = []
            for k, row in enumerate(frontier):
                self.tick(depth, len(frontier) - k + len(upcoming))
                upcoming += [after for after, new in self.expand(row) if new and self.explored(after)]
            frontier, depth = upcoming, depth + 1
        self.tick(depth, 0)

    def depth_first(self) -> None:
        stack = self.initial()[::-1]
        while stack:
            self.tick(self.level[stack[-1]], len(stack))
            row = stack.pop()
            if self.options.depth_max is not None and self.level[row] >= self.options.depth_max:
                self.found.limit = "--depth-max"
                continue
            stack += [after for after, new in self.expand(row) if new and self.explored(after)][::-1]
        self.tick(0, 0)

    def simulate(self) -> None:
        """Random walks.  States met are counted once, paths are the walks themselves."""
        options = self.options
        starts = self.initial()
        for walk in range(options.walks or (1 << 62 if options.timeout_s else 1000)):
            chance = random.Random(f"{options.seed}:{walk}")
            path = [chance.choice(starts)]
            for _ in range(options.depth_max or 100):
                self.tick(len(path), 0)
                choices = [after for after, _ in self.expand(path[-1])]
                if not choices:
                    break
                path.append(chance.choice(choices))
            self.found.walks += 1

    def decide_possible(self) -> None:
        """Which states can still reach what should always be possible."""
        for p in self.by_kind[Kind.ALWAYS_POSSIBLE]:
            certain = _can_reach(self.parents, self.edges, self.hits.get(p.name, set()))
            hopeful = certain
            if self.found.limit is not None or self.cut:
                unexpanded = {r for r in self.parents if r in self.cut or r not in self.edges} if self.found.limit else self.cut
                hopeful = _can_reach(self.parents, self.edges, self.hits.get(p.name, set()) | unexpanded)
            hopeless = next((r for r in self.parents if r not in hopeful), None)
            if hopeless is not None:
                self.found.violated[p.name] = self.path(hopeless)
            self.found.possible[p.name] = False if hopeless is not None else (True if len(certain) == len(self.parents) else None)


def _can_reach(states: dict[bytes, bytes | None], edges: dict[bytes, list[bytes]], goal: set[bytes]) -> set[bytes]:
    backwards: dict[bytes, list[bytes]] = {}
    for row, targets in edges.items():
        for target in targets:
            backwards.setdefault(target, []).append(row)
    good, todo = set(goal), list(goal)
    while todo:
        for row in backwards.get(todo.pop(), ()):
            if row not in good:
                good.add(row)
                todo.append(row)
    return good


def limit_reached(options: CheckOptions, states: int, seconds: float) -> str | None:
    """The option whose limit a search of so many states and seconds has reached, if there is one."""
    limits = {
        "--states-max": options.states_max is not None and states >= options.states_max,
        "--timeout-s": options.timeout_s is not None and seconds >= options.timeout_s,
        "--memory-max": options.memory_max_bytes is not None and memory_bytes_peak() > options.memory_max_bytes,
    }
    return next((name for name, is_reached in limits.items() if is_reached), None)


def memory_bytes_peak() -> int:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def explore_interpreted(
    model: Model, properties: tuple[Property, ...], options: CheckOptions, canonical: Canonical, progress: ProgressCallback | None
) -> Findings:
    """Explore with the python engine; a `ModelError` passes through with its place and value."""
    search = _Search(model, properties, options, canonical, progress)
    found = search.found
    try:
        {"bfs": search.breadth_first, "dfs": search.depth_first, "simulate": search.simulate}[options.search]()
    except Stop:
        pass
    except KeyboardInterrupt:
        found.limit = "an interrupt"
    if options.search != "simulate":
        search.decide_possible()
    depths = list(search.level.values())
    found.distinct = len(search.parents)
    found.levels = tuple(depths.count(d) for d in range(1, max(depths, default=0) + 1)) if options.search == "bfs" else ()
    found.fired, found.discovered = tuple(search.fired), tuple(search.discovered)
    found.truncations = tuple(sorted(search.interpreter.truncated.items()))
    found.seconds = time.monotonic() - search.started
    found.memory_bytes_peak = memory_bytes_peak()
    found.shortest = options.search == "bfs"
    return found
