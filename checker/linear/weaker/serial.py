"""PRAM and causal memory: whether each process has an order of all writes and its own reads.

An order must keep what comes before what: session order, and each read after the write
that it saw; for causal memory that of everybody's reads, for PRAM that of the process's own.
If a write comes before a read of the same key that saw another one, it comes before that
one too.  The law (Bouajjani, Enea, Guerraoui and Hamza, "On verifying causal consistency",
2017): with these added until there are none left, there is an order exactly if there is no
cycle, and no read of the initial value after a write to its key.

What comes before an event is kept as one number for each session: how far.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import deque

import numpy as np

from scrutator.checker.linear.history import Int32s
from scrutator.checker.linear.weaker.guarantees import Violation
from scrutator.checker.linear.weaker.sessions import Event, Sessions


class OutOfTime(Exception):
    """The deadline came first."""


def causal(sessions: Sessions, deadline: float) -> Violation | None:
    """What contradicts causal memory, or None.  Raises `OutOfTime`."""
    return _all(sessions, deadline, everybody=True)


def pram(sessions: Sessions, deadline: float) -> Violation | None:
    """What contradicts PRAM, or None.  Raises `OutOfTime`."""
    return _all(sessions, deadline, everybody=False)


def _all(sessions: Sessions, deadline: float, *, everybody: bool) -> Violation | None:
    for own, session in enumerate(sessions.sessions):
        if any(not event.writes for event in session):
            found = _Order(sessions, own, everybody, deadline).violation()
            if found is not None:
                return found
    return None


class _Order:
    """What one process must see before what."""

    def __init__(self, sessions: Sessions, own: int, everybody: bool, deadline: float) -> None:
        self.sessions, self.own, self.deadline = sessions, own, deadline
        self.before: dict[int, list[int]] = {}  # of an event those that come before, besides the one before it in its session
        for event in sessions.events:
            if not event.writes and event.source >= 0 and (everybody or event.session == own):
                self.before.setdefault(event.number, []).append(event.source)
        self.writes: dict[int, list[list[Event]]] = {}  # by key, of each session
        for event in sessions.events:
            if event.writes:
                self.writes.setdefault(event.key, [[] for _ in sessions.sessions])[event.session].append(event)
        self.places = {
            key: [(session, [w.place for w in of]) for session, of in enumerate(by) if of] for key, by in self.writes.items()
        }

    def violation(self) -> Violation | None:
        while True:
            if time.perf_counter() > self.deadline:
                raise OutOfTime
            far = self._far()
            if isinstance(far, tuple):
                return far
            added = False
            for event in self.sessions.sessions[self.own]:
                if not event.writes and event.key in self.writes:
                    found = self._add(event, far)
                    if isinstance(found, tuple):
                        return found
                    added = added or found
            if not added:
                return None

    def _add(self, read: Event, far: Int32s) -> bool | Violation:
        """Writes that come before a read and are not the one it saw come before that one; whether that is new."""
        added = False
        known = far[read.number].tolist()
        for session, places in self.places[read.key]:
            at = bisect_right(places, known[session]) - 1
            if at < 0:
                continue
            write = self.writes[read.key][session][at]
            if read.source < 0:
                text = f"{self.sessions.text(read)} saw what its key starts with, although {self.sessions.text(write)} came before"
                return (write.operation, read.operation), text
            if write.number == read.source:
                at -= 1
                if at < 0:
                    continue
                write = self.writes[read.key][session][at]
            source = self.sessions.events[read.source]
            if far[source.number, session] < write.place:
                self.before.setdefault(source.number, []).append(write.number)
                added = True
        return added

    def _far(self) -> Int32s | Violation:
        """Of each event how far each session comes before it, itself included; or a cycle."""
        events, sessions = self.sessions.events, self.sessions.sessions
        far = np.full((len(events), len(sessions)), -1, np.int32)
        waits = [len(self.before.get(e.number, ())) + (e.place > 0) for e in events]
        after: dict[int, list[int]] = {}
        for number, others in self.before.items():
            for other in others:
                after.setdefault(other, []).append(number)
        ready = deque(e.number for e in events if not waits[e.number])
        done = 0
        while ready:
            number = ready.popleft()
            done += 1
            event, row = events[number], far[number]
            row[event.session] = event.place
            following = list(after.get(number, ()))
            if event.place + 1 < len(sessions[event.session]):
                following.append(number + 1)  # a session's events are numbered in a row
            for other in following:
                np.maximum(far[other], row, out=far[other])
                waits[other] -= 1
                if not waits[other]:
                    ready.append(other)
        return far if done == len(events) else self._cycle(waits)

    def _cycle(self, waits: list[int]) -> Violation:
        """Events that each come before the next, and the last before the first."""
        events = self.sessions.events
        number = next(k for k, count in enumerate(waits) if count)
        seen: dict[int, int] = {}
        path: list[int] = []
        while number not in seen:
            seen[number] = len(path)
            path.append(number)
            event = events[number]
            earlier = [other for other in self.before.get(number, ()) if waits[other]]
            if not earlier:
                assert event.place > 0
                earlier = [number - 1]
            number = earlier[0]
        cycle = [events[k] for k in reversed(path[seen[number] :])]
        shown = dict.fromkeys(e.operation for e in cycle)
        texts = [self.sessions.text(e) for e in cycle]
        more = f", {len(texts) - 6} more" if len(texts) > 6 else ""
        process = self.sessions.history.process[self.sessions.sessions[self.own][0].operation]
        return tuple(shown), f"process {process} would have to see each before the next, in a circle: {', '.join(texts[:6])}{more}"
