"""Points of time at which a collection must hold something, and those at which it need not.

A value is certainly there between the return of its add and the call of its removal: in
an open interval, because operations that touch in a point of time may take effect in
either order.  The law: where no such interval covers a point, a linearization can be cut
into one of the values before and one of those after it.
"""

from __future__ import annotations

import numpy as np

from scrutator.checker.linear.history import NEVER, Int64s
from scrutator.checker.linear.monitors.calls import Conflict
from scrutator.checker.linear.monitors.collection import Collection, conflict, text


def first_gap(starts: Int64s, ends: Int64s, times: Int64s) -> Int64s:
    """For each time the first point from there on that no open interval (start, end) covers.

    NEVER stands for no point at all.
    """
    real = starts < ends
    if not real.any():
        return times
    starts, ends = starts[real], ends[real]
    order = np.argsort(starts, kind="stable")
    starts, reach = starts[order], np.maximum.accumulate(ends[order])
    # Intervals in a row that leave no point uncovered reach as far as the last of them.
    last = np.append(starts[1:] >= reach[:-1], True)
    end_of_row = reach[last][np.cumsum(last) - last]
    before = np.searchsorted(starts, times, side="left") - 1
    covered = (before >= 0) & (reach[before] > times)
    return np.where(covered, end_of_row[before], times)


def chain(starts: Int64s, ends: Int64s, first: int, last: int) -> list[int]:
    """Fewest intervals that cover each point from first to last; they must be covered."""
    order = np.argsort(starts, kind="stable")
    starts, reach = starts[order], np.maximum.accumulate(ends[order])
    found: list[int] = []
    point = first
    while True:
        before = int(np.searchsorted(starts, point, side="left"))
        assert before and reach[before - 1] > point, "a point is not covered"
        point = int(reach[before - 1])
        found.append(int(order[np.searchsorted(reach, point)]))
        if point > last or point == NEVER:
            return found


def never_empty(collection: Collection) -> Conflict | None:
    """A removal that found nothing although at each moment some value was certainly there.

    There are to be no pending removals.
    """
    calls, empties = collection.calls, collection.empties
    gaps = first_gap(collection.add_returned, collection.remove_called, calls.called[empties])
    bad = np.flatnonzero(gaps > calls.returned[empties])
    if not len(bad):
        return None
    at = int(empties[bad[np.argmin(calls.returned[empties[bad]])]])
    values = chain(collection.add_returned, collection.remove_called, int(calls.called[at]), int(calls.returned[at]))
    names = collection.names(values)
    reason = f"{text(calls, at)}, although at each moment there was something: {names}"
    return conflict(collection.operations_of(values) | {at}, reason)
