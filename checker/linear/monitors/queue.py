"""The monitor of first-in-first-out queues.

With no value added twice, a complete history is linearizable exactly if (Henzinger,
Sezgin and Vafeiadis, "Aspect-oriented linearizability proofs", 2013)

- each removal has an add of its own, called before it returned,
- no two values were certainly added in one order and certainly removed in the other,
- each removal that found nothing has a point at which no value was certainly there.

A pending removal may have taken a value that nobody else did.  Only its call matters, so
that this is a question of jobs with deadlines: the values that had to be gone by some time,
and who had been called by then.
"""

from __future__ import annotations

import numpy as np

from scrutator.checker.linear.history import NEVER, Int64s
from scrutator.checker.linear.monitors.calls import Calls, Conflict
from scrutator.checker.linear.monitors.collection import (
    NOBODY,
    Collection,
    collect,
    conflict,
    text,
    with_takers,
)
from scrutator.checker.linear.monitors.cover import first_gap, never_empty


def decide(calls: Calls) -> Conflict | None:
    """A conflict, or None if the calls on a queue are linearizable.  Raises `Inapplicable`."""
    queue = collect(calls, "enqueue", "dequeue")
    if isinstance(queue, Conflict):
        return queue
    if not len(queue.takers):
        return _out_of_order(queue, queue.remove_called) or never_empty(queue)
    # Whether a value that nobody is known to have removed is in the way depends on the pending removals.
    left = queue.removals == NOBODY
    found = _out_of_order(queue, np.where(left, -1, queue.remove_called))
    if found is not None:
        return found
    jobs = np.flatnonzero(left)
    deadlines, because = deadlines_of(queue, jobs)
    return _too_few(queue, jobs, deadlines, because) or _never_empty_pending(queue, jobs)


def _out_of_order(queue: Collection, remove_called: Int64s) -> Conflict | None:
    """Two values added in one order and removed in the other, a removal that never came included."""
    if not len(queue):
        return None
    order = np.argsort(queue.add_returned, kind="stable")
    latest = np.maximum.accumulate(remove_called[order])
    before = np.searchsorted(queue.add_returned[order], queue.add_called, side="left")
    bad = np.flatnonzero((before > 0) & (latest[before - 1] > queue.remove_returned))
    if not len(bad):
        return None
    second = int(bad[np.argmin(queue.remove_returned[bad])])
    first = int(order[np.argmax(remove_called[order[: before[second]]])])
    added = f"{queue.add_text(first)} returned before {queue.add_text(second)} was called"
    if queue.removals[first] == NOBODY:
        reason = f"{queue.removal_text(second)} left behind a value that nobody removed, although {added}"
    else:
        reason = (
            f"{queue.removal_text(second)} returned before {queue.removal_text(first)} was called, although {added}"
        )
    return conflict(queue.operations_of([first, second]), reason)


# --- pending removals -------------------------------------------------------------------


def deadlines_of(queue: Collection, jobs: Int64s) -> tuple[Int64s, Int64s]:
    """By when each value that nobody is known to have removed must be gone, or NEVER; and which value says so.

    It must be gone when a value returns that was added after it.
    """
    removed = np.flatnonzero(queue.removals != NOBODY)
    returned = np.append(queue.remove_returned[removed], NEVER)
    backwards = returned[::-1]
    earliest = np.minimum.accumulate(backwards)
    fresh = np.append(True, earliest[1:] < earliest[:-1])
    which = len(removed) - np.maximum.accumulate(np.where(fresh, np.arange(len(backwards)), 0))
    after = np.searchsorted(queue.add_called[removed], queue.add_returned[jobs], side="right")
    return earliest[::-1][after], np.append(removed, NOBODY)[which[::-1][after]]


def _too_few(queue: Collection, jobs: Int64s, deadlines: Int64s, because: Int64s) -> Conflict | None:
    """More values had to be gone by some time than pending removals had been called."""
    order = np.argsort(deadlines, kind="stable")
    order = order[deadlines[order] != NEVER]
    called = queue.calls.called[queue.takers]
    there = np.searchsorted(called, deadlines[order], side="right")
    bad = np.flatnonzero(there <= np.arange(len(order)))
    if not len(bad):
        return None
    count = int(bad[0]) + 1
    takers = queue.takers[: count - 1].tolist()
    values = np.concatenate([jobs[order[:count]], because[order[:count]]])
    last = int(because[order[count - 1]])
    reason = (
        f"when {queue.removal_text(last)} returned, {_values(count)} added before it must have been "
        f"removed, and {_pending(count - 1)} had been called"
    )
    return conflict(queue.operations_of(values) | set(takers), reason)


def _values(count: int) -> str:
    return f"{count} values" if count > 1 else "a value"


def _pending(count: int) -> str:
    return f"{count or 'no'} pending removal{'' if count == 1 else 's'}"


def _never_empty_pending(queue: Collection, jobs: Int64s) -> Conflict | None:
    """A removal found nothing, although pending ones cannot have taken all that was there.

    At its point all values added before must be gone, so that as many pending removals must
    have been called.  None of these is needed for a value added later: its deadline is one
    of all that were added before it, and there are enough by then.
    """
    calls, empties = queue.calls, queue.empties
    if not len(empties):
        return None
    called, takers = calls.called[empties], calls.called[queue.takers]
    seen = queue.removals != NOBODY
    starts, ends = queue.add_returned[seen], queue.remove_called[seen]
    points = np.sort(np.concatenate([called, takers, ends]))
    uncovered = first_gap(starts, ends, points) == points
    must_be_gone = np.searchsorted(np.sort(queue.add_returned[jobs]), points)
    good = points[uncovered & (must_be_gone <= np.searchsorted(takers, points, side="right"))]
    bad = np.flatnonzero(np.append(good, NEVER)[np.searchsorted(good, called)] > calls.returned[empties])
    if not len(bad):
        return None
    at = int(empties[bad[np.argmin(calls.returned[empties[bad]])]])
    since, until = int(calls.called[at]), int(calls.returned[at])
    there = np.flatnonzero(seen & (queue.add_returned < until) & (queue.remove_called > since))
    values = np.append(there, jobs[queue.add_returned[jobs] < until])
    reason = f"{text(calls, at)}, although there was something at each moment, whatever the pending removals took"
    return with_takers(queue, conflict(queue.operations_of(values) | {at}, reason))
