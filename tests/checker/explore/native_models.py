"""Models written by hand in the dialect, with known counts, and an obvious sequential oracle."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from scrutator.checker.explore.native_model import NativeModel

TWO_PHASE = """
def emit(out: ptr, codes: ptr, k: i64, a: i64, b: i64, action: i64) -> i64:
    store64(out, 16 * k, a)
    store64(out, 16 * k + 8, b)
    store32(codes, 4 * k, action)
    return k + 1

def successors(p: ptr, out: ptr, codes: ptr, ctx: ptr) -> i64:
    a = load64(p, 0)
    b = load64(p, 8)
    k = 0
    tm = a >> (2 * N)
    if tm == 0:
        if (b & ALL) == ALL:
            k = emit(out, codes, k, a | (1 << (2 * N)), b | COMMIT, 0)
        k = emit(out, codes, k, a | (2 << (2 * N)), b | ABORT, 1)
    for i in range(N):
        if tm == 0 and b & (1 << (N + i)):
            k = emit(out, codes, k, a, b | (1 << i), 2)
        r = a >> (2 * i) & 3
        rest = a & ~(3 << (2 * i))
        if r == 0:
            k = emit(out, codes, k, rest | (1 << (2 * i)), b | (1 << (N + i)), 3)
            k = emit(out, codes, k, rest | (3 << (2 * i)), b, 4)
        if b & COMMIT:
            k = emit(out, codes, k, rest | (2 << (2 * i)), b, 5)
        if b & ABORT:
            k = emit(out, codes, k, rest | (3 << (2 * i)), b, 6)
    return k

def invariants(p: ptr, ctx: ptr) -> i64:
    a = load64(p, 0) & ((1 << (2 * N)) - 1)
    return (a & (a >> 1) & LOW) != 0 and (a >> 1 & ~a & LOW) != 0

def predicates(p: ptr, ctx: ptr) -> i64:
    a = load64(p, 0) & ((1 << (2 * N)) - 1)
    return (a == 2 * LOW) | ((a == 3 * LOW) << 1)
"""
TWO_PHASE_COUNTS = {
    3: (288, 1_146, 11),
    5: (8_832, 58_146, 17),
    7: (296_448, 2_744_706, 23),
    9: (10_340_352, 123_558_402, 29),
}


def two_phase(n: int, guard: bool = True) -> NativeModel:
    """Two-phase commit (the TLA+ examples' TwoPhase); without its guard the commit is not safe."""
    low = sum(1 << (2 * i) for i in range(n))
    source = TWO_PHASE if guard else TWO_PHASE.replace("if (b & ALL) == ALL:", "if b & ALL:")
    return NativeModel(
        source=source,
        constants={"N": n, "ALL": (1 << n) - 1, "COMMIT": 1 << (2 * n), "ABORT": 2 << (2 * n), "LOW": low},
        tables={},
        row_bytes=16,
        successors_max=4 * n + 2,
        actions=("commit", "abort", "hear", "prepare", "give up", "obey commit", "obey abort"),
        initial=np.zeros((1, 16), np.uint8),
        invariants=1,
        predicates=2,
    )


COUNTERS = """
def successors(p: ptr, out: ptr, codes: ptr, ctx: ptr) -> i64:
    k = 0
    for i in range(N):
        v = load8(p, i)
        if v < TOP:
            copy(out + ROW * k, p, ROW)
            store8(out, ROW * k + i, v + 1)
            store32(codes, 4 * k, 0)
            k += 1
        else:
            store64(ctx, 8, load64(ctx, 8) + 1)
    return k

def canonical(p: ptr, out: ptr) -> None:
    copy(out, p, ROW)
    for i in range(1, N):
        j = i
        v = load8(out, i)
        while j > 0 and load8(out, j - 1) > v:
            store8(out, j, load8(out, j - 1))
            j -= 1
        store8(out, j, v)
"""


def counters(n: int, top: int, symmetric: bool = False) -> NativeModel:
    """``n`` counters that each go up to ``top``: (top + 1) ** n states, or so many multisets."""
    row = -(-n // 8) * 8
    return NativeModel(
        COUNTERS,
        {"N": n, "TOP": top},
        {},
        row,
        n,
        ("up",),
        np.zeros((1, row), np.uint8),
        symmetric=symmetric,
        truncation_sites=1,
    )


NODES = 24
GRAPH = """
def successors(p: ptr, out: ptr, codes: ptr, ctx: ptr) -> i64:
    s = load64(p, 0)
    if load64(p, 8 * FAULTY) >> s & 1:
        store64(ctx, 0, s + 1)
        return 0
    rest = load64(p, 8 * (ADJACENT + s))
    k = 0
    while rest:
        t = ctz(rest)
        rest = rest & (rest - 1)
        if load64(p, 8 * REFUSED) >> t & 1:
            store64(ctx, 8, load64(ctx, 8) + 1)
        else:
            copy(out + ROW * k, p, ROW)
            store64(out, ROW * k, t)
            store32(codes, 4 * k, t % 3)
            k += 1
    return k

def invariants(p: ptr, ctx: ptr) -> i64:
    s = load64(p, 0)
    return (load64(p, 8 * BAD) >> s & 1) | (load64(p, 8 * BAD + 8) >> s & 1) << 1

def step_invariants(p: ptr, q: ptr, ctx: ptr) -> i64:
    return ((load64(p, 8 * STEPS) >> load64(p, 0) & 1) & (load64(p, 8 * STEPS) >> load64(q, 0) & 1)) << 1

def predicates(p: ptr, ctx: ptr) -> i64:
    s = load64(p, 0)
    return (load64(p, 8 * GOAL) >> s & 1) | (load64(p, 8 * GOAL + 8) >> s & 1) << 1

def within(p: ptr, ctx: ptr) -> i64:
    return load64(p, 8 * WITHIN) >> load64(p, 0) & 1
"""
LABELS = ("FAULTY", "REFUSED", "BAD", "BAD2", "STEPS", "GOAL", "GOAL2", "WITHIN")


@dataclass(frozen=True)
class GraphModel:
    """A graph of up to `NODES` nodes whose edges and labels are part of its states.

    Labels are sets of nodes as bits.
    """

    adjacent: tuple[int, ...]
    labels: dict[str, int] = field(default_factory=dict)
    initial: tuple[int, ...] = (0,)

    def native(self) -> NativeModel:
        words = np.zeros((len(self.initial), 1 + len(LABELS) + NODES), np.int64)
        words[:, 0] = self.initial
        for k, name in enumerate(LABELS):
            words[:, 1 + k] = self.label(name)
        words[:, 1 + len(LABELS) :][:, : len(self.adjacent)] = self.adjacent
        constants = {name: 1 + k for k, name in enumerate(LABELS)} | {"ADJACENT": 1 + len(LABELS)}
        return NativeModel(
            GRAPH, constants, {}, 8 * words.shape[1], NODES, ("x", "y", "z"), words.view(np.uint8),
            invariants=2, step_invariants=2, predicates=2, has_constraint=True, truncation_sites=1,
        )  # fmt: skip

    def label(self, name: str) -> int:
        return self.labels.get(name, (1 << NODES) - 1 if name == "WITHIN" else 0)

    def has(self, name: str, node: int) -> bool:
        return bool(self.label(name) >> node & 1)

    def successors(self, node: int) -> list[int]:
        return [t for t in range(NODES) if self.adjacent[node] >> t & 1 and not self.has("REFUSED", t)]


@dataclass
class Explored:
    """What a sequential breadth-first search finds, node by node."""

    order: list[int] = field(default_factory=list)
    depth: list[int] = field(default_factory=list)
    parent: list[tuple[int, int] | None] = field(default_factory=list)
    generated: int = 0
    truncated: int = 0
    fired: list[int] = field(default_factory=lambda: [0, 0, 0])
    reached: list[int] = field(default_factory=lambda: [0, 0, 0])
    step: tuple[int, int] | None = None
    deadlock: int | None = None

    def first(self, graph: GraphModel, name: str) -> int | None:
        return next((k for k, node in enumerate(self.order) if graph.has(name, node)), None)


def explored(graph: GraphModel, depth_max: int | None = None) -> Explored:
    """Breadth-first search as in a textbook."""
    found, queue = Explored(), deque[int]()

    def meet(node: int, depth: int, parent: tuple[int, int] | None) -> bool:
        found.generated += 1
        if node in found.order:
            return False
        queue.append(len(found.order))
        found.order.append(node)
        found.depth.append(depth)
        found.parent.append(parent)
        return True

    for node in graph.initial:
        meet(node, 1, None)
    while queue:
        state = queue.popleft()
        node = found.order[state]
        if not graph.has("WITHIN", node) or found.depth[state] == depth_max:
            continue
        successors = graph.successors(node)
        found.truncated += sum(
            graph.has("REFUSED", t) and bool(graph.adjacent[node] >> t & 1) for t in range(NODES)
        )
        if not successors and found.deadlock is None:
            found.deadlock = state
        for ordinal, t in enumerate(successors):
            found.fired[t % 3] += 1
            if found.step is None and graph.has("STEPS", node) and graph.has("STEPS", t):
                found.step = (state, ordinal)
            found.reached[t % 3] += meet(t, found.depth[state] + 1, (state, ordinal))
    return found
