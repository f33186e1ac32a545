"""Decide a history while it grows, keeping no more of it than is under way.

Whenever no operation of a part is under way, all that the past leaves for the future is
the states that the object may be in, and the pending operations that may yet take effect.
The law: what is said of the operations decided so far is what `check_linearizable` would
say of them.  Memory grows with the operations between such points, with the states that
may be left, and with the kinds of pending operations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from scrutator.checker.linear import frontier_words as w
from scrutator.checker.linear.builder import Builder
from scrutator.checker.linear.frontier import BEAMS, EVERYTHING, Search
from scrutator.checker.linear.history import NEVER, History, Int64s, Operation, Value
from scrutator.checker.linear.problem import Parts, Problem, problem_of
from scrutator.checker.verdict import Verdict
from scrutator.model.objects.sequential import Object, State, exactly

BATCH = 256  # operations of a part to decide at a time, at least, before `flush`
WAITING_MAX = 1_000_000  # operations of a part under way, or between points at which none is


@dataclass(frozen=True, slots=True)
class Growing:
    """The verdict so far: on ``decided`` operations, of which none has been kept.

    ``waiting`` operations are not decided yet.  On VIOLATED, ``key`` is the part's and
    ``culprit`` the first operation by whose return there was no linearization; on UNKNOWN,
    ``limit`` says what was reached.
    """

    verdict: Verdict
    decided: int
    waiting: int
    key: Value = None
    culprit: Operation | None = None
    limit: str | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    process: int
    method: str
    argument: Value
    called: int
    returned: int
    result: Value
    line: int


@dataclass(slots=True)
class _Stream:
    """One part: what is under way, what waits to be decided, and what the past has left."""

    key: Value
    under_way: int = 0
    rows: list[_Row] = field(default_factory=list)
    states: list[tuple[State, ...]] = field(default_factory=list)
    used: Int64s = field(default_factory=lambda: np.zeros((1, 0), np.int64))
    pending: list[tuple[_Row, int]] = field(default_factory=list)  # of each kind one, and how many
    exact: bool = True  # nothing that may be left was dropped


class Online:
    """Takes calls and returns in order of time; says at any time what is known.

    What is told first came first: an operation called after another's return was told,
    even if at the same time, began after it.

    Processes are numbers; each has one operation at a time.  A process whose operation's
    outcome is unknown does not call again.

    >>> from scrutator.model.objects.register import REGISTER
    >>> online = Online(REGISTER)
    >>> online.call(0, "write", 1, time=10)
    >>> online.returns(0, None, time=20).verdict
    <Verdict.HOLDS: 'holds'>
    >>> online.call(0, "read", None, time=30)
    >>> online.returns(0, 2, time=40).waiting
    2
    >>> online.flush().verdict
    <Verdict.VIOLATED: 'violated'>
    """

    def __init__(self, object_: Object, *, memory_bytes_max: int | None = None) -> None:
        self.object, self.memory_bytes_max = object_, memory_bytes_max
        self._streams: dict[Value, _Stream] = {}
        self._open: dict[int, tuple[_Stream, _Row]] = {}
        self._decided = 0
        self._time = 0
        self._bad: Growing | None = None

    @property
    def found(self) -> Growing:
        """What is known so far."""
        if self._bad is not None:
            return self._bad
        waiting = sum(len(stream.rows) + stream.under_way for stream in self._streams.values())
        return Growing(Verdict.HOLDS, self._decided, waiting)

    def call(self, process: int, method: str, argument: Value, *, time: int, key: Value = None, line: int = 0) -> None:
        """A process calls.  Raises ValueError for what cannot follow."""
        self._at(time)
        if process in self._open:
            raise ValueError(f"process {process} calls {method}, but its operation of line {self._open[process][1].line} is under way")
        declared = self.object.find(method)
        if declared is None:
            raise ValueError(f"the object {self.object.name} has no method {method}")
        if (mistake := declared.mistake(argument)) is not None:
            raise ValueError(mistake)
        part = key if self.object.part is None else (key, self.object.part(declared.name, argument))
        if self.object.part is not None and part[1] is None:  # type: ignore[index]
            raise ValueError(f"{method} is about the whole {self.object.name}: that is not decided while it grows")
        stream = self._streams.get(exactly(part))
        if stream is None:
            stream = self._streams[exactly(part)] = _Stream(part, states=[(self.object.initial,)])
        stream.under_way += 1
        self._open[process] = stream, _Row(process, declared.name, argument, time, NEVER, None, line)

    def returns(self, process: int, result: Value, *, time: int) -> Growing:
        """Its operation returns."""
        stream, row = self._end(process, time)
        stream.rows.append(_Row(row.process, row.method, row.argument, row.called, time, result, row.line))
        return self._settle(stream, BATCH)

    def fails(self, process: int, *, time: int) -> Growing:
        """Its operation certainly did not take effect."""
        stream, _ = self._end(process, time)
        return self._settle(stream, BATCH)

    def unknown(self, process: int, *, time: int) -> Growing:
        """Nobody knows whether its operation takes effect, or when."""
        stream, row = self._end(process, time)
        stream.rows.append(row)
        return self._settle(stream, BATCH)

    def flush(self) -> Growing:
        """Decide whatever can be: of each part all up to the last point at which nothing was under way."""
        for stream in self._streams.values():
            self._settle(stream, 1)
        return self.found

    # --- keeping up -------------------------------------------------------------------

    def _at(self, time: int) -> None:
        if time < self._time:
            raise ValueError(f"time runs backwards: {time} after {self._time}")
        self._time = time

    def _end(self, process: int, time: int) -> tuple[_Stream, _Row]:
        self._at(time)
        if process not in self._open:
            raise ValueError(f"process {process} returns, but has no operation under way")
        stream, row = self._open.pop(process)
        stream.under_way -= 1
        return stream, row

    def _settle(self, stream: _Stream, count: int) -> Growing:
        if self._bad is None and stream.under_way == 0 and len(stream.rows) >= count:
            self._decide(stream)
        elif self._bad is None and len(stream.rows) > WAITING_MAX:
            self._stop(Verdict.UNKNOWN, stream, limit=f"{WAITING_MAX:,} operations without a point at which none is under way")
        return self.found

    def _stop(self, verdict: Verdict, stream: _Stream, culprit: Operation | None = None, limit: str | None = None) -> None:
        before = self.found
        self._bad = Growing(verdict, before.decided, before.waiting, stream.key, culprit, limit)

    def _decide(self, stream: _Stream) -> None:
        history = _history(stream)
        problem = problem_of(history, self.object, Parts(np.zeros(len(history), np.int32), (None,)), goes_on=True)
        search = Search(problem, self.memory_bytes_max)
        _start(search, problem, stream)
        for beam in (BEAMS[2], BEAMS[3], (EVERYTHING, EVERYTHING)):
            found = search.with_beam(0, beam)
            if found.operation is None or not search.block[w.CUT]:
                break
        if found.limit is not None:
            self._stop(Verdict.UNKNOWN, stream, limit=found.limit)
        elif found.operation is None:
            stream.exact = stream.exact and not search.block[w.CUT]
            self._decided += len(stream.rows)
            _carry(search, problem, stream)
        elif stream.exact:
            self._stop(Verdict.VIOLATED, stream, history[found.operation])
        else:
            self._stop(Verdict.UNKNOWN, stream, limit="the configurations kept, of which there were too many before")


def _history(stream: _Stream) -> History:
    """What waits, after the pending operations of before."""
    builder = Builder("growing", has_clock=True)
    fresh = max((row.process for row in stream.rows), default=0) + 1
    first = min((row.called for row in stream.rows), default=0)
    for row in _pending_rows(stream):
        builder.add(row.line, fresh, row.method, row.argument, first - 1, NEVER, None, pending=True)
        fresh += 1
    for row in stream.rows:
        pending = row.returned == NEVER
        builder.add(row.line, row.process, row.method, row.argument, row.called, row.returned, row.result, pending=pending)
    return builder.history()


def _pending_rows(stream: _Stream) -> Iterator[_Row]:
    for row, count in stream.pending:
        for _ in range(count):
            yield row


def _start(search: Search, problem: Problem, stream: _Stream) -> None:
    """Begin where the past has ended."""
    effects = problem.classes.effects
    if effects is None:
        numbers = [search.steps.number(states) for states in stream.states]
    else:
        known = {exactly(state): k for k, state in enumerate(effects.states[:-1])}
        numbers = [known.setdefault(exactly(states[0]), len(effects.states) + k) for k, states in enumerate(stream.states)]
    slot_of = [int(problem.pending_slots[k]) for k in np.flatnonzero(np.isin(problem.operations, _first_of_each(stream)))]
    used = np.zeros((len(stream.states), problem.used_slots), np.int64)
    for kind, slot in enumerate(slot_of):
        used[:, slot] += stream.used[:, kind]
    search.start(numbers, used)


def _first_of_each(stream: _Stream) -> list[int]:
    """Positions in the history of the first pending operation of each kind of before."""
    counts = [count for _, count in stream.pending]
    return np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(int).tolist() if counts else []


def _carry(search: Search, problem: Problem, stream: _Stream) -> None:
    """Keep what the part leaves for the future."""
    numbers, used = search.left()
    effects = problem.classes.effects
    if effects is None:
        states = [search.steps.states(number) for number in numbers]
    else:
        late = dict(zip(search.first[:, 0].tolist(), stream.states, strict=True))
        states = [late.get(n) or (effects.states[n],) for n in numbers]
    kinds: dict[int, tuple[_Row, int]] = {}
    for at, operation in enumerate(problem.operations.tolist()):
        if problem.history.returned[operation] == NEVER:
            slot = int(problem.pending_slots[at])
            one = problem.history[operation]
            row = _Row(one.process, one.method, one.argument, one.called, NEVER, None, int(problem.history.line[operation]))
            kinds[slot] = (kinds[slot][0] if slot in kinds else row, kinds.get(slot, (row, 0))[1] + 1)
    stream.states, stream.rows = states, []
    stream.pending = [kinds[slot] for slot in sorted(kinds)]
    stream.used = used[:, sorted(kinds)] if kinds else np.zeros((len(states), 0), np.int64)
