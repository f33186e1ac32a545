"""The session guarantees, each as what no process may see; one pass over each session."""

from __future__ import annotations

from collections.abc import Callable

from scrutator.checker.linear.weaker.models import Model
from scrutator.checker.linear.weaker.sessions import INITIAL, Event, Sessions

Violation = tuple[tuple[int, ...], str]  # positions in the history, and the reason


def read_your_writes(sessions: Sessions) -> Violation | None:
    """A read that sees what its own process had overwritten before."""
    for session in sessions.sessions:
        mine: dict[int, Event] = {}  # the last write to each key
        for event in session:
            if event.writes:
                mine[event.key] = event
            elif (last := mine.get(event.key)) is not None and _older(sessions, event.source, last):
                why = f"{sessions.text(event)} came after {sessions.text(last)}, and saw {_seen(sessions, event)}"
                return (last.operation, event.operation), why
    return None


def monotonic_reads(sessions: Sessions) -> Violation | None:
    """A value that comes back, what the key starts with included.

    Of two writes of one process, seen in the wrong order, `monotonic_writes` tells.
    """
    for session in sessions.sessions:
        current: dict[int, Event] = {}  # the last read of each key
        gone: dict[tuple[int, int], Event] = {}  # by key and source, the read that saw it replaced
        for event in session:
            if event.writes:
                continue
            last = current.get(event.key)
            if last is not None and last.source != INITIAL and event.source == INITIAL:
                why = f"{sessions.text(event)} saw what the key starts with, which {sessions.text(last)} had seen replaced"
                return (last.operation, event.operation), why
            if (event.key, event.source) in gone:
                between = gone[event.key, event.source]
                why = f"{sessions.text(event)} saw again what {sessions.text(between)} had seen replaced"
                return (between.operation, event.operation), why
            if last is not None and last.source != event.source:
                gone[event.key, last.source] = event
            current[event.key] = event
    return None


def monotonic_writes(sessions: Sessions) -> Violation | None:
    """A process that sees a write, and then what the writer had overwritten before."""
    return _behind(sessions, lambda seen, write: {write.session: write.place})


def writes_follow_reads(sessions: Sessions) -> Violation | None:
    """A process that sees a write, and then something older than what the writer had read before."""
    known: dict[int, dict[int, int]] = {}  # before each write, of each session the last place that was read from
    for session in sessions.sessions:
        read: dict[int, int] = {}
        for event in session:
            if event.writes:
                known[event.number] = dict(read)
            elif event.source >= 0:
                source = sessions.events[event.source]
                read[source.session] = max(read.get(source.session, -1), source.place)
    return _behind(sessions, lambda seen, write: known[write.number])


def _behind(sessions: Sessions, tells: Callable[[dict[int, int], Event], dict[int, int]]) -> Violation | None:
    """A read that is behind what earlier reads of its process tell; ``tells`` says what a write that was seen tells.

    What is told is of each session the place up to which its writes are known.
    """
    writes = _writes_by_key(sessions)
    for session in sessions.sessions:
        known: dict[int, int] = {}
        because: dict[int, Event] = {}
        for event in session:
            if event.writes:
                continue
            for other, place in known.items():
                last = _last_up_to(writes.get((other, event.key), []), place)
                if last is not None and _older(sessions, event.source, last):
                    why = (
                        f"{sessions.text(because[other])} came before {sessions.text(event)}, which saw "
                        f"{_seen(sessions, event)}, although {sessions.text(last)} was known by then"
                    )
                    return (last.operation, because[other].operation, event.operation), why
            if event.source >= 0:
                for other, place in tells(known, sessions.events[event.source]).items():
                    if place > known.get(other, -1):
                        known[other], because[other] = place, event
    return None


def _writes_by_key(sessions: Sessions) -> dict[tuple[int, int], list[Event]]:
    found: dict[tuple[int, int], list[Event]] = {}
    for event in sessions.events:
        if event.writes:
            found.setdefault((event.session, event.key), []).append(event)
    return found


def _last_up_to(writes: list[Event], place: int) -> Event | None:
    """The last of a session's writes to a key up to a place."""
    low, high = 0, len(writes)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if writes[middle].place <= place else (low, middle)
    return writes[low - 1] if low else None


def _older(sessions: Sessions, source: int, write: Event) -> bool:
    """Whether what a read saw had been overwritten by a write, for sure."""
    if source == INITIAL:
        return True
    if source < 0:
        return False
    seen = sessions.events[source]
    return seen.session == write.session and seen.place < write.place


def _seen(sessions: Sessions, event: Event) -> str:
    return "what the key starts with" if event.source == INITIAL else sessions.text(sessions.events[event.source])


GUARANTEES = {
    Model.READ_YOUR_WRITES: read_your_writes, Model.MONOTONIC_READS: monotonic_reads,
    Model.MONOTONIC_WRITES: monotonic_writes, Model.WRITES_FOLLOW_READS: writes_follow_reads,
}  # fmt: skip
