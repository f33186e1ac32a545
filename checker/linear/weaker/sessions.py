"""A history as sessions of reads and writes, each read with the write that it saw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scrutator.checker.linear.history import NEVER, NO_KEY, History, Value
from scrutator.checker.linear.problem import methods_of
from scrutator.checker.linear.weaker.models import Ambiguous
from scrutator.model.objects.sequential import ANY, Effects, Object, exactly

INITIAL = -1  # the source of a read that saw what its key starts with
NOBODY = -2  # the source of a read whose value was never written


@dataclass(frozen=True, slots=True)
class Event:
    """A read or a write, numbered in the order of sessions; a compare-and-set that took place is both."""

    number: int
    session: int
    place: int  # in its session
    writes: bool
    key: int
    operation: int  # position in the history
    source: int = INITIAL  # of a read: the number of the write that it saw


@dataclass(frozen=True)
class Sessions:
    """All events, and those of each session in its order."""

    history: History
    object: Object
    events: tuple[Event, ...]
    sessions: tuple[tuple[Event, ...], ...]

    def text(self, event: Event) -> str:
        """How an event is called in a sentence."""
        operation = self.history[event.operation]
        method = self.object.find(operation.method)
        assert method is not None
        key = "" if operation.key is None else f" on {operation.key!r}"
        text = method.describe(operation.argument, operation.result, pending=operation.pending)
        return f"{text}{key} of process {operation.process}"

    @property
    def thin_air(self) -> Event | None:
        """A read of what nobody wrote, which no model allows."""
        return next((event for event in self.events if not event.writes and event.source == NOBODY), None)


def sessions_of(history: History, object_: Object) -> Sessions:
    """Put a history so.  Raises `Ambiguous`."""
    steps = _steps(history, object_)
    processes: dict[int, int] = {}
    numbered: list[tuple[int, int, bool, int, int, Value]] = []
    for operation, writes, value in steps:
        session = processes.setdefault(int(history.process[operation]), len(processes))
        numbered.append((session, len(numbered), writes, int(history.key[operation]), operation, value))
    numbered.sort(key=lambda step: step[:2])
    writers: dict[tuple[int, Value], int] = {}
    for number, (_, _, writes, key, _, value) in enumerate(numbered):
        if writes and writers.setdefault((key, exactly(value)), number) != number:
            of = "" if key == NO_KEY else f" to {history.values[key]!r}"
            raise Ambiguous(f"{value!r} is written{of} more than once, so that reads do not tell which write they saw")
    initial = exactly(object_.initial)
    if any(value == initial for _, value in writers):
        raise Ambiguous(f"{object_.initial!r} is written, which is also what keys start with")
    places = [0] * len(processes)
    events = []
    for number, (session, _, writes, key, operation, value) in enumerate(numbered):
        source = INITIAL if writes or exactly(value) == initial else writers.get((key, exactly(value)), NOBODY)
        events.append(Event(number, session, places[session], writes, key, operation, source))
        places[session] += 1
    groups: list[list[Event]] = [[] for _ in processes]
    for event in events:
        groups[event.session].append(event)
    return Sessions(history, object_, tuple(events), tuple(map(tuple, groups)))


def _steps(history: History, object_: Object) -> list[tuple[int, bool, Value]]:
    """Reads and writes in order of call: position, whether it writes, and the value."""
    if object_.initial is ANY:
        raise Ambiguous("it is not known what keys start with")
    effects = [method.effect for method in methods_of(history, object_)]
    steps: list[tuple[int, bool, Value]] = []
    swapped = False  # then it is not only reads that see
    seen: set[tuple[int, int]] = set()  # keys and values that were read
    pending = history.returned == NEVER
    for k in np.argsort(history.called, kind="stable").tolist():
        effect = effects[history.method[k]]
        argument = history.values[history.argument[k]]
        if effect is Effects.LOOKS:
            if not pending[k]:
                steps.append((k, False, history.values[history.result[k]]))
                seen.add((int(history.key[k]), int(history.result[k])))
        elif effect is Effects.SETS:
            steps.append((k, True, argument))
        elif effect is Effects.SWAPS:
            assert isinstance(argument, tuple)
            result = None if pending[k] else history.values[history.result[k]]
            if result is False:
                raise Ambiguous("a compare-and-set failed, which says only what was not there")
            if pending[k]:
                raise Ambiguous("a compare-and-set is pending, of which it is not known what it saw")
            steps += [(k, False, argument[0]), (k, True, argument[1])]
            swapped = True
        else:
            name = history.methods[history.method[k]]
            raise Ambiguous(f"{name} is neither read nor write nor compare-and-set")
    if swapped:
        return steps
    lost = {k for k in np.flatnonzero(pending).tolist() if (int(history.key[k]), int(history.argument[k])) not in seen}
    return [step for step in steps if step[0] not in lost]  # a pending write that nobody saw need not have happened
