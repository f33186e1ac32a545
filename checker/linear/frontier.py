"""The frontier search: the driver of `frontier_kernel`.

It gives the kernel memory, answers what an object does in a state that the kernel has
not met, keeps to limits, and says after which return no configuration was left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scrutator.checker.linear import frontier_words as w
from scrutator.checker.linear.history import UNKNOWN
from scrutator.checker.linear.problem import Problem
from scrutator.checker.native import NativeModule, compile_dialect
from scrutator.model.objects.sequential import State

CAPACITY_FIRST = 1 << 10  # configurations
STEPS_FIRST = 1 << 10  # a power of two
EVENTS_AT_A_TIME = 1 << 16
BEAMS = (1 << 4, 1 << 8, 1 << 12, 1 << 16, 1 << 40)  # configurations kept after an event; the last is all


class Unsupported(Exception):
    """The search cannot take this history; the message says why."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one part: ``operation`` (a position in the history) cannot have returned, or None."""

    operation: int | None
    limit: str | None
    visited: int
    widest: int


class Search:
    """Searches the parts of a problem, one after the other, in one thread."""

    def __init__(self, problem: Problem, memory_bytes_max: int | None = None) -> None:
        self.problem = problem
        self.memory_bytes_max = memory_bytes_max
        mask_words = max(1, -(-problem.slots // 64))
        used_words = -(-problem.used_slots // w.USED_PER_WORD)
        self.row_words = 1 + mask_words + used_words
        self.run = _kernel(mask_words, used_words, problem.effects is not None).function("run")
        self.block = np.zeros(w.WORDS, np.int64)
        self._kept: dict[int, Any] = {}
        self.slots = problem.pending_slots.copy()
        self._place(w.EVENTS, problem.events)
        self._place(w.CLASS, problem.classes)
        self._place(w.SLOT, self.slots)
        self._place(w.READS_ONLY, problem.reads_only)
        for at, size in (
            (w.OPEN, 64 * mask_words), (w.OPEN_MASK, mask_words), (w.EAGER_MASK, mask_words),
            (w.PENDING_CLASS, problem.used_slots), (w.PENDING_COUNT, problem.used_slots),
        ):  # fmt: skip
            self._place(at, np.zeros(max(size, 1), np.int64))
        self.block[w.PENDING_SLOTS] = problem.used_slots
        self._room(CAPACITY_FIRST)
        self.steps = Steps(problem, self._place)
        if problem.effects is not None:
            self._place(w.PRE, problem.effects.pre)
            self._place(w.NOT_PRE, problem.effects.not_pre)
            self._place(w.POST, problem.effects.post)
        self.block[w.STEPS_MASK] = len(self.steps.table) - 1
        self.initial = problem.effects.initial - 1 if problem.effects is not None else self.steps.state(problem.object.initial)

    def stop(self) -> None:
        """From another thread: come back soon."""
        self.block[w.STOP] = 1

    def part(self, number: int) -> Finding:
        """Search one part, with ever wider beams.  Raises `Unsupported`."""
        for beam in BEAMS:
            found = self._part(number, beam)
            if found.operation is None or not self.block[w.CUT]:
                break
        return found

    def _part(self, number: int, beam: int) -> Finding:
        block, problem = self.block, self.problem
        block[w.BEAM], block[w.CUT] = beam, 0
        for at in (w.OPEN_MASK, w.EAGER_MASK, w.PENDING_COUNT):
            self._kept[at][:] = 0
        for at in (w.ROWS, w.NEXT):  # the kernel swaps them
            block[at] = self._kept[at].ctypes.data
        rows = self._kept[w.ROWS]
        rows[0] = 0
        rows[0, 0] = self.initial
        block[w.COUNT], block[w.VISITED], block[w.WIDEST] = 1, 0, 1
        block[w.CURSOR] = problem.first_event[number]
        block[w.EVENTS_COUNT] = problem.first_event[number + 1]
        address = block.ctypes.data
        while True:
            reason = self.run(address, EVENTS_AT_A_TIME)
            if reason == w.ASK:
                self.steps.learn(int(block[w.ASKED_STATE]), int(block[w.ASKED_CLASS]))
                block[w.STEPS_MASK] = len(self.steps.table) - 1
            elif reason == w.ROOM:
                if not self._grow():
                    return self._finding(None, "memory")
            elif reason == w.STOPPED or block[w.STOP]:
                return self._finding(None, "time")
            elif reason == w.DONE:
                return self._finding(None, None)
            elif reason == w.VIOLATED:
                event = int(problem.events[block[w.CURSOR]])
                return self._finding(int(problem.operations[event & 0xFFFFFFFF]), None)

    def _finding(self, operation: int | None, limit: str | None) -> Finding:
        return Finding(operation, limit, int(self.block[w.VISITED]), int(self.block[w.WIDEST]))

    # --- memory -----------------------------------------------------------------------

    def _place(self, at: int, array: Any) -> None:
        """Give the kernel an array, and keep it."""
        array = np.ascontiguousarray(array)
        self._kept[at] = array
        self.block[at] = array.ctypes.data

    def _room(self, capacity: int) -> None:
        old = self._kept.get(w.ROWS)
        rows = np.zeros((capacity, self.row_words), np.int64)
        if old is not None:
            current = old if self.block[w.ROWS] == old.ctypes.data else self._kept[w.NEXT]
            count = int(self.block[w.COUNT])
            rows[:count] = current[:count]
        self._place(w.ROWS, rows)
        self._place(w.NEXT, np.zeros((capacity, self.row_words), np.int64))
        self._place(w.CHAIN, np.zeros(capacity, np.uint32))
        self._place(w.ORDER, np.zeros(capacity, np.uint32))
        self._place(w.TABLE, np.zeros(2 * capacity, np.int64))
        self.block[w.CAPACITY], self.block[w.TABLE_MASK] = capacity, 2 * capacity - 1
        self.block[w.GENERATION] = 0

    def _grow(self) -> bool:
        capacity = 4 * int(self.block[w.CAPACITY])
        needed = capacity * (2 * 8 * self.row_words + 2 * 4 + 16)
        if capacity > 1 << 31 or (self.memory_bytes_max is not None and needed > self.memory_bytes_max):
            return False
        self._room(capacity)
        return True


class Steps:
    """What classes of operations do in states, as far as it was asked; a table that the kernel reads."""

    def __init__(self, problem: Problem, place: Callable[[int, Any], None]) -> None:
        self._problem, self._place = problem, place
        self._states: dict[State, int] = {}
        self._values: list[State] = []
        self._keys = np.zeros(0, np.int64)
        self._known: list[tuple[int, int, int]] = []
        self._rebuild(STEPS_FIRST)

    def state(self, state: State) -> int:
        """The number of a state."""
        number = self._states.setdefault(state, len(self._states))
        if number == len(self._values):
            self._values.append(state)
        return number

    def learn(self, state: int, of: int) -> None:
        """Find out what a class does in a state.  Raises `Unsupported`."""
        problem = self._problem
        values = problem.history.values
        result = int(problem.class_result[of])
        method = problem.methods[problem.class_method[of]]
        outcomes = {
            after
            for found, after in method.outcomes(self._values[state], values[problem.class_argument[of]])
            if result == UNKNOWN or found == values[result]
        }
        if len(outcomes) > 1:
            raise Unsupported(f"{method.name} may do several things in one state")
        after = self.state(outcomes.pop()) if outcomes else -1
        self._known.append((state, of, after))
        if 2 * len(self._known) > len(self.table):
            self._rebuild(4 * len(self.table))
        else:
            self._put(state, of, after)

    def _rebuild(self, size: int) -> None:
        self.table = np.full((size, 2), w.EMPTY_STEP, np.int64)
        self._place(w.STEPS, self.table)
        for known in self._known:
            self._put(*known)

    def _put(self, state: int, of: int, after: int) -> None:
        key = state << 32 | of
        mask = len(self.table) - 1
        k = _mum(key ^ 0xA0761D6478BD642F, 0xE7037ED1A0B428DB) & mask
        while self.table[k, 0] != w.EMPTY_STEP:
            k = (k + 1) & mask
        self.table[k] = key, after


def _mum(a: int, b: int) -> int:
    product = (a & (1 << 64) - 1) * b
    return (product >> 64) ^ (product & (1 << 64) - 1)


def _kernel(mask_words: int, used_words: int, effects: bool) -> NativeModule:
    constants: dict[str, int] = {name: value for name, value in vars(w).items() if name.isupper() and isinstance(value, int)}
    constants |= {
        "MASK_WORDS": mask_words, "USED_WORDS": used_words, "EFFECTS": int(effects), "ROW": 8 * (1 + mask_words + used_words),
    }  # fmt: skip
    return compile_dialect((Path(__file__).parent / "frontier_kernel.py").read_text(), constants, {})


