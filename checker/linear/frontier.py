"""The frontier search: the driver of `frontier_kernel`.

It gives the kernel memory, answers what an object does in a state that the kernel has
not met, keeps to limits, and says after which return no configuration was left.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scrutator.checker.linear import frontier_words as w
from scrutator.checker.linear.history import UNKNOWN, Int64s
from scrutator.checker.linear.hopeless import hopeless_of
from scrutator.checker.linear.problem import Problem
from scrutator.checker.native import NativeModule, compile_dialect
from scrutator.model.objects.sequential import State, exactly

CAPACITY_FIRST = 1 << 10  # configurations
STEPS_FIRST = 1 << 10  # a power of two
EVENTS_AT_A_TIME = 1 << 16
TRACE_FIRST = 1 << 16  # entries
TRACE_MAX = 1 << 27
STATE_BYTES, STEP_BYTES = 500, 200  # of a state and a step that are known, about
EVERYTHING = 1 << 40
# Configurations kept after an event, and among those that differ in what is used only.
BEAMS = ((1 << 4, 1), (1 << 8, 2), (1 << 12, 1 << 4), (1 << 16, 1 << 8), (EVERYTHING, EVERYTHING))
SEEKING = 1 << 12  # the widest beam that looks for where exactly a violation that is proved begins


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one part: ``operation`` (a position in the history) cannot have returned, or None.

    ``at`` is the event where the search ended.  Operations before may already be without a
    linearization if the proof is a relaxed one: then ``operation`` is the last one possible.
    ``witness`` holds positions in the history: an order in which they may have taken effect.
    """

    operation: int | None
    limit: str | None
    visited: int
    widest: int
    at: int
    witness: tuple[int, ...] | None = None


class Search:
    """Searches the parts of a problem, one after the other, in one thread."""

    def __init__(self, problem: Problem, memory_bytes_max: int | None = None, *, witness: bool = False) -> None:
        self.problem = problem
        self.memory_bytes_max = memory_bytes_max
        self.witness = witness
        effects = problem.classes.effects
        mask_words = max(1, -(-problem.slots // 64))
        used_words = -(-problem.used_slots // w.USED_PER_WORD)
        self.used_at = 1 + mask_words  # the word of a configuration where counts begin
        self.row_words = self.used_at + used_words + witness
        self.run = _kernel(mask_words, used_words, effects is not None, witness).function("run")
        self.block = np.zeros(w.WORDS, np.int64)
        self._kept: dict[int, Any] = {}
        self._place(w.EVENTS, problem.events)
        self._place(w.CLASS, problem.class_of)
        self._place(w.RETURNS, problem.returns)
        self._place(w.SLOT, problem.pending_slots.copy())
        self._place(w.READS_ONLY, problem.classes.reads_only)
        slots = 64 * mask_words
        for at, size in (
            (w.OPEN, slots), (w.OPEN_OPERATION, slots), (w.OPEN_RETURNS, slots), (w.BEFORE, slots * mask_words),
            (w.OPEN_MASK, mask_words), (w.EAGER_MASK, mask_words),
            (w.PENDING_CLASS, problem.used_slots), (w.PENDING_COUNT, problem.used_slots),
        ):  # fmt: skip
            self._place(at, np.zeros(max(size, 1), np.int64))
        self._place(w.ASKS, np.zeros(w.ASKS_MAX, np.int64))
        self.block[w.PENDING_SLOTS] = problem.used_slots
        self._room(CAPACITY_FIRST)
        self._room_in_trace(TRACE_FIRST if witness else 1)
        self.steps = Steps(problem, self._place)
        if effects is not None:
            self._place(w.PRE, effects.pre)
            self._place(w.NOT_PRE, effects.not_pre)
            self._place(w.POST, effects.post)
        self.block[w.STEPS_MASK] = len(self.steps.table) - 1
        if effects is not None and effects.initial == 0:
            self.start_anywhere()
        else:
            self.start([effects.initial - 1 if effects is not None else self.steps.number((problem.object.initial,))])

    def start_anywhere(self) -> None:
        """Let the history start in any state, of an object whose state is one value."""
        effects = self.problem.classes.effects
        assert effects is not None
        states = {0, effects.initial - 1, *(effects.pre - 1).tolist(), *(effects.not_pre - 1).tolist()} - {-1}
        self.start([*sorted(states), len(effects.states)])

    def start(self, states: Sequence[int], used: Int64s | None = None) -> None:
        """Let the history start in one of some states, by their numbers.

        ``used`` says of each how many pending operations of each slot have taken effect.
        """
        first = np.zeros((len(states), self.row_words), np.int64)
        first[:, 0] = states
        if self.witness:
            first[:, -1] = -1
        if used is not None:
            for slot in range(used.shape[1]):
                at = self.used_at + slot // w.USED_PER_WORD
                first[:, at] |= used[:, slot] << slot % w.USED_PER_WORD * w.USED_BITS
        self.first = first
        self._room(max(CAPACITY_FIRST, 4 * len(states)))

    def left(self) -> tuple[list[int], Int64s]:
        """The states that the last part searched may end in, by their numbers, and what was used in each."""
        rows = self._rows()[: int(self.block[w.COUNT])]
        slots = range(self.problem.used_slots)
        mask = (1 << w.USED_BITS) - 1
        used = [rows[:, self.used_at + s // w.USED_PER_WORD] >> s % w.USED_PER_WORD * w.USED_BITS & mask for s in slots]
        return (rows[:, 0] & w.FRESH - 1).tolist(), np.stack(used, axis=1) if used else np.zeros((len(rows), 0), np.int64)

    def stop(self) -> None:
        """From another thread: come back soon."""
        self.block[w.STOP] = 1

    def part(self, number: int) -> Finding:
        """Search one part, with ever wider beams, until it is decided or a limit reached."""
        return self.narrow(number) or self.wide(number)

    def narrow(self, number: int, beam: tuple[int, int] = BEAMS[0]) -> Finding | None:
        """Search one part with a narrow beam: near-linear time.  None if that does not decide it."""
        found = self.with_beam(number, beam)
        return None if found.operation is not None and self.block[w.CUT] else found

    def wide(self, number: int, widest: int = EVERYTHING) -> Finding:
        """Search one part with the wider beams, up to one.

        A violation is proved by a search that left nothing out.  One that lets pending
        operations happen any number of times proves it too, and has fewer configurations.
        """
        pending = self.problem.used_slots > 0 and self.problem.classes.effects is not None
        proof: Finding | None = None
        for beam in BEAMS[1:]:
            if beam[0] > (SEEKING if proof else widest):
                break
            if pending and proof is None:
                relaxed = self.with_beam(number, beam, relaxed=True)
                if relaxed.limit is not None:
                    return relaxed
                proof = relaxed if relaxed.operation is not None and not self.block[w.CUT] else None
                pending = bool(self.block[w.CUT])  # if nothing was cut, no wider one would say more
            found = self.with_beam(number, beam)
            if found.operation is None or not self.block[w.CUT]:
                return found
            if proof is not None and found.at == proof.at:
                return found
        return proof or self._finding(None, "width")

    def with_beam(self, number: int, beam: tuple[int, int], *, relaxed: bool = False) -> Finding:
        """Search one part with a beam; ``block[CUT]`` says whether it left something out."""
        block, problem = self.block, self.problem
        self._start(number, beam, relaxed)
        address = block.ctypes.data
        while True:
            reason = self.run(address, EVENTS_AT_A_TIME)
            self._answer()
            if self.memory_bytes_max is not None and self.steps.bytes > self.memory_bytes_max:
                return self._finding(None, "memory")
            if reason == w.ROOM or reason == w.TRACE_ROOM:
                if not (self._grow() if reason == w.ROOM else self._grow_trace()):
                    return self._finding(None, "memory")
            elif reason == w.STOPPED or block[w.STOP]:
                return self._finding(None, "time")
            elif reason == w.DONE:
                order = self._witness(number) if self.witness and not relaxed else None
                return self._finding(None, None, order)
            elif reason == w.VIOLATED:
                event = int(problem.events[block[w.CURSOR]])
                return self._finding(int(problem.operations[event & 0xFFFFFFFF]), None)

    def _answer(self) -> None:
        """Find out what the kernel has asked for."""
        asked = int(self.block[w.ASKED])
        for ask in set(self._kept[w.ASKS][:asked].tolist()):
            self.steps.learn(ask >> 32, ask & 0xFFFFFFFF)
        self.block[w.STEPS_MASK] = len(self.steps.table) - 1
        self.block[w.ASKED] = 0

    def _start(self, number: int, beam: tuple[int, int], relaxed: bool) -> None:
        block, problem = self.block, self.problem
        block[w.BEAM], block[w.CHAIN_MAX], block[w.CUT], block[w.RELAXED] = *beam, 0, relaxed
        for at in (w.OPEN_MASK, w.EAGER_MASK, w.PENDING_COUNT):
            self._kept[at][:] = 0
        for at in (w.ROWS, w.NEXT):  # the kernel swaps them
            block[at] = self._kept[at].ctypes.data
        rows = self._kept[w.ROWS]
        count = len(self.first)
        rows[:count] = self.first
        block[w.TRACE_COUNT] = 0
        block[w.COUNT], block[w.VISITED], block[w.WIDEST] = count, 0, 1
        block[w.CURSOR] = problem.first_event[number]
        block[w.EVENTS_COUNT] = problem.first_event[number + 1]

    def _finding(self, operation: int | None, limit: str | None, witness: tuple[int, ...] | None = None) -> Finding:
        block = self.block
        return Finding(operation, limit, int(block[w.VISITED]), int(block[w.WIDEST]), int(block[w.CURSOR]), witness)

    def _witness(self, number: int) -> tuple[int, ...]:
        """How the first configuration left came about: positions in the history."""
        problem = self.problem
        rows = self._rows()
        came, what = self._kept[w.TRACE].T
        found = []
        at = int(rows[0, -1])
        while at >= 0:
            found.append(int(what[at]))
            at = int(came[at])
        begin, end = problem.first_event[number], problem.first_event[number + 1]
        events = problem.events[begin:end]
        available = (events[events >> 32 == w.AVAILABLE] & 0xFFFFFFFF).tolist()
        waiting: dict[int, list[int]] = {}  # of each slot the pending operations, the first one last
        for operation in reversed(available):
            waiting.setdefault(int(problem.pending_slots[operation]), []).append(operation)
        order = [k if k < w.PENDING_FLAG else waiting[k & (w.PENDING_FLAG - 1)].pop() for k in reversed(found)]
        return tuple(problem.operations[order].tolist())

    # --- memory -----------------------------------------------------------------------

    def _rows(self) -> Int64s:
        """The frontier's configurations, and room for more."""
        rows: Int64s = next(k for k in (self._kept[w.ROWS], self._kept[w.NEXT]) if k.ctypes.data == self.block[w.ROWS])
        return rows

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

    def _room_in_trace(self, capacity: int) -> None:
        trace = np.zeros((capacity, 2), np.int64)
        old = self._kept.get(w.TRACE)
        if old is not None:
            trace[: len(old)] = old
        self._place(w.TRACE, trace)
        self.block[w.TRACE_CAPACITY] = capacity

    def _grow_trace(self) -> bool:
        capacity = 4 * int(self.block[w.TRACE_CAPACITY])
        if capacity > TRACE_MAX or (self.memory_bytes_max is not None and 16 * capacity > self.memory_bytes_max):
            return False
        self._room_in_trace(capacity)
        return True

    def _grow(self) -> bool:
        capacity = 4 * int(self.block[w.CAPACITY])
        needed = capacity * (2 * 8 * self.row_words + 2 * 4 + 16)
        if capacity > 1 << 31 or (self.memory_bytes_max is not None and needed > self.memory_bytes_max):
            return False
        self._room(capacity)
        return True


@contextmanager
def stopped_after(search: Search, seconds: float) -> Iterator[None]:
    """Stop a search after so many seconds; it can be used again then."""
    timer = threading.Timer(max(seconds, 0.001), search.stop)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        search.block[w.STOP] = 0


class Steps:
    """What classes of operations do in states, as far as it was asked; a table that the kernel reads.

    A state of the kernel is a set of states that the object may be in: more than one where
    a method may do several things that cannot be told apart by what it returned.
    """

    def __init__(self, problem: Problem, place: Callable[[int, Any], None]) -> None:
        self._problem, self._place = problem, place
        self._numbers: dict[State, int] = {}
        self._sets: list[tuple[State, ...]] = []
        by_table = problem.classes.effects is None
        self._key = exactly if by_table and not _is_plain(problem) else _as_it_is
        self._keys = np.zeros(0, np.int64)
        self._known: list[tuple[int, int, int]] = []
        self._hopeless = hopeless_of(problem)
        self._rebuild(STEPS_FIRST)

    @property
    def bytes(self) -> int:
        """About how much memory they take."""
        return STATE_BYTES * len(self._sets) + STEP_BYTES * len(self._known)

    def states(self, number: int) -> tuple[State, ...]:
        """The states that a number stands for."""
        return self._sets[number]

    def number(self, states: tuple[State, ...]) -> int:
        """The number of some states."""
        key = self._key(states[0]) if len(states) == 1 else frozenset(map(self._key, states))
        number = self._numbers.setdefault(key, len(self._sets))
        if number == len(self._sets):
            self._sets.append(states)
        return number

    def learn(self, state: int, of: int) -> None:
        """Find out what a class does in a state."""
        classes, values = self._problem.classes, self._problem.history.values
        method, argument = self._problem.methods[classes.method[of]], values[classes.argument[of]]
        result = int(classes.result[of])
        found: dict[State, State] = {}
        for before in self._sets[state]:
            if result == UNKNOWN:
                after = tuple(next_state for _, next_state in method.outcomes(before, argument))
            else:
                after = method.after(before, argument, values[result])
            found.update((self._key(one), one) for one in after if self._hopeless is None or not self._hopeless(one))
        self._known.append((state, of, self.number(tuple(found.values())) if found else -1))
        if 2 * len(self._known) > len(self.table):
            self._rebuild(4 * len(self.table))
        else:
            self._put(*self._known[-1])

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


def _as_it_is(state: State) -> State:
    return state


def _is_plain(problem: Problem) -> bool:
    """Whether no two states can be equal and of different types, as 1 and True are: there are but integers and texts."""
    rest: list[State] = [problem.object.initial, *problem.history.values]
    ours = all(method.step.__module__.startswith("scrutator.model.objects.") for method in problem.methods)
    while rest and ours:
        value = rest.pop()
        if isinstance(value, tuple | frozenset):
            rest.extend(value)
        elif type(value) not in (int, str, type(None)):
            return False
    return ours


def _mum(a: int, b: int) -> int:
    product = (a & (1 << 64) - 1) * b
    return (product >> 64) ^ (product & (1 << 64) - 1)


@functools.lru_cache(maxsize=64)
def _kernel(mask_words: int, used_words: int, effects: bool, traced: bool) -> NativeModule:
    constants: dict[str, int] = {name: value for name, value in vars(w).items() if name.isupper() and isinstance(value, int)}
    constants |= {
        "MASK_WORDS": mask_words, "USED_WORDS": used_words, "EFFECTS": int(effects), "TRACED": int(traced),
        "ROW": 8 * (1 + mask_words + used_words + traced),
    }  # fmt: skip
    return compile_dialect((Path(__file__).parent / "frontier_kernel.py").read_text(), constants, {})


