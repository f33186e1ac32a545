"""Eventual consistency, as far as a finite history shows it.

Of each key: once all writes have returned, the last read of every process that was called
after that sees one and the same write.  A history with pending writes to a key, or
without such reads, shows nothing against it.
"""

from __future__ import annotations

from scrutator.checker.linear.history import NEVER
from scrutator.checker.linear.weaker.guarantees import Violation
from scrutator.checker.linear.weaker.sessions import INITIAL, Event, Sessions


def eventual(sessions: Sessions) -> Violation | None:
    """Two processes that do not come to see the same, or None."""
    called, returned = sessions.history.called, sessions.history.returned
    quiet: dict[int, int] = {}  # when all writes to a key had returned
    for event in sessions.events:
        if event.writes:
            quiet[event.key] = max(quiet.get(event.key, -1), int(returned[event.operation]))
    last: dict[tuple[int, int], Event] = {}
    for event in sessions.events:
        since = quiet.get(event.key, -1)
        if not event.writes and since != NEVER and called[event.operation] > since:
            last[event.key, event.session] = event
    first: dict[int, Event] = {}
    for (key, _), event in last.items():
        if key in quiet and event.source == INITIAL:
            write = next(e for e in sessions.events if e.writes and e.key == key)
            why = f"{sessions.text(event)} was the last to be read, and saw none of the writes, such as {sessions.text(write)}"
            return (write.operation, event.operation), why
        other = first.setdefault(key, event)
        if other.source != event.source:
            why = f"nothing was written any more, and yet {sessions.text(other)} and {sessions.text(event)} were the last to be read"
            return (other.operation, event.operation), why
    return None
