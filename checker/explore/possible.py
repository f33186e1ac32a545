"""Whether from every state some path leads to where a predicate holds.

Works on the graph of states that an exploration kept.  Where the exploration was cut, a
state whose successors are unknown might lead anywhere: a state that cannot reach the
predicate even then violates the property for certain; a property that holds even if those
states lead nowhere holds for certain; between the two the answer is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scrutator.checker.explore.control import NOT_EXPANDED
from scrutator.checker.explore.memory import Words, address
from scrutator.checker.native import NativeModule, compile_dialect

Indices = npt.NDArray[np.uint32]
Masks = npt.NDArray[np.uint64]
STATES_MAX = 1 << 32


@dataclass(frozen=True, slots=True)
class Possibility:
    """Whether a predicate can be reached from every state.

    ``stuck`` is the first state from which it certainly cannot; ``certain`` is whether it
    certainly can from all.  Neither: the exploration was cut too early to say.
    """

    stuck: int | None
    certain: bool


@dataclass(frozen=True, slots=True)
class _Backward:
    """The graph's edges by where they lead: state t's predecessors are first[t] ... first[t+1]."""

    module: NativeModule
    first: Words
    predecessors: Indices
    masks: Masks
    expanded: npt.NDArray[np.bool_]


class Graph:
    """States with the predicates that hold in each, and the indices of their successors."""

    def __init__(self) -> None:
        self.states = 0
        self.nbytes = 0
        self._masks: list[Masks] = []
        self._degrees: list[Indices] = []
        self._targets: list[Indices] = []
        self._reversed: _Backward | None = None

    def add_states(self, masks: Masks) -> None:
        """Append new states, by the predicates that hold in each.

        Raises:
            OverflowError: More states than an edge can name.
        """
        self.states += len(masks)
        if self.states > STATES_MAX:
            raise OverflowError(
                f"the graph of states is limited to {STATES_MAX:,} states: lower the bounds or states_max"
            )
        self._masks.append(masks.copy())
        self.nbytes += masks.nbytes

    def add_edges(self, degrees: Indices, targets: Indices) -> None:
        """Append the successors of the next states; takes the arrays over."""
        self._degrees.append(degrees)
        self._targets.append(targets)
        self.nbytes += degrees.nbytes + targets.nbytes

    def can_reach(self, predicate: int) -> Possibility:
        """Decide for one predicate, by its number."""
        backward = self._backward()
        holds = (backward.masks >> np.uint64(predicate)) & np.uint64(1) == 1
        pessimistic = self._leading_to(holds)
        if pessimistic.all():
            return Possibility(None, True)
        if backward.expanded.all():
            return Possibility(int(np.argmin(pessimistic)), False)
        optimistic = self._leading_to(holds | ~backward.expanded)
        return Possibility(None if optimistic.all() else int(np.argmin(optimistic)), False)

    def _leading_to(self, goals: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        backward = self._backward()
        marked = goals.copy()
        queue = np.zeros(self.states, np.uint32)
        waiting = int(goals.sum())
        queue[:waiting] = np.flatnonzero(goals)
        flood = backward.module.function("flood")
        flood(
            address(backward.first), address(backward.predecessors), address(marked), address(queue), waiting
        )
        return marked

    def _backward(self) -> _Backward:
        """Turn the graph round, once."""
        if self._reversed is None:
            module = compile_dialect((Path(__file__).parent / "kernel_graph.py").read_text(), {}, {})
            degrees, targets = _joined(self._degrees), _joined(self._targets)
            expanded = np.zeros(self.states, np.bool_)
            expanded[: len(degrees)] = degrees != NOT_EXPANDED
            degrees[degrees == NOT_EXPANDED] = 0
            first = np.zeros(self.states + 1, np.int64)
            module.function("count_predecessors")(address(targets), len(targets), address(first))
            np.cumsum(first, out=first)
            predecessors, next_free = np.zeros(len(targets), np.uint32), first.copy()
            module.function("list_predecessors")(
                address(degrees), len(degrees), address(targets), address(next_free), address(predecessors)
            )
            masks = np.concatenate([*self._masks, np.zeros(0, np.uint64)])
            self._reversed = _Backward(module, first, predecessors, masks, expanded)
        return self._reversed


def _joined(arrays: list[Indices]) -> Indices:
    return np.concatenate([*arrays, np.zeros(0, np.uint32)])
