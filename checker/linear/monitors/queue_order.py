"""An order in which the operations on a queue may have taken effect, where `queue` found nothing against it.

A value must pass through before another one if an operation on it returned before one of
the same kind, or its removal before the other's add, was called.  Values in any order
that respects this can be added and removed in it: an add or a removal that real time
forbids to be next would need two values against that order.
"""

from __future__ import annotations

import heapq
from dataclasses import replace

import numpy as np

from scrutator.checker.linear.history import NEVER, Int64s
from scrutator.checker.linear.monitors.calls import Calls, Conflict
from scrutator.checker.linear.monitors.collection import NOBODY, Collection, collect
from scrutator.checker.linear.monitors.cover import first_gap
from scrutator.checker.linear.monitors.queue import deadlines_of

LAST = NEVER  # when values are removed that never are


def order(calls: Calls) -> tuple[int, ...] | None:
    """Positions among the calls in an order of linearization, or None where none was found.

    The calls are linearizable.  Raises `Inapplicable`.
    """
    queue = collect(calls, "enqueue", "dequeue")
    if isinstance(queue, Conflict):
        return None
    if len(queue.takers):
        if len(queue.empties):
            return None
        queue = _with_takers(queue)
    gaps = first_gap(queue.add_returned, queue.remove_called, calls.called[queue.empties])
    by_gap = np.lexsort((calls.called[queue.empties], gaps))
    empties, gaps = queue.empties[by_gap], gaps[by_gap]
    begun = np.minimum(queue.add_returned, queue.remove_returned)
    level = np.searchsorted(gaps, begun, side="right")  # removals that found nothing before the value came
    values = _values_in_order(queue, level)
    return None if values is None else _merged(queue, values, level, empties)


def _with_takers(queue: Collection) -> Collection:
    """Give values that must be gone by some time to pending removals that were called by then."""
    jobs = np.flatnonzero(queue.removals == NOBODY)
    until, _ = deadlines_of(queue, jobs)
    urgent = jobs[np.argsort(until, kind="stable")][: int((until < NEVER).sum())]
    removals, called = queue.removals.copy(), queue.remove_called.copy()
    takers = queue.takers[: len(urgent)]
    removals[urgent] = takers
    called[urgent] = queue.calls.called[takers]
    return replace(queue, removals=removals, remove_called=called)


def _values_in_order(queue: Collection, level: Int64s) -> list[int] | None:
    """The values in an order in which they may pass through: of those that nothing precedes the one removed first."""
    add_called, add_returned = queue.add_called.tolist(), queue.add_returned.tolist()
    remove_called = np.where(queue.removals == NOBODY, LAST, queue.remove_called).tolist()
    remove_returned = queue.remove_returned.tolist()
    levels = level.tolist()
    n = len(add_called)
    by_call = sorted(range(n), key=lambda v: (levels[v], add_called[v]))
    first_added = sorted(range(n), key=add_returned.__getitem__)
    first_removed = sorted(range(n), key=remove_returned.__getitem__)
    done = [False] * n
    ready: list[tuple[int, int, int]] = []
    found: list[int] = []
    at = added = removed = 0
    while len(found) < n:
        while done[first_added[added]]:
            added += 1
        while done[first_removed[removed]]:
            removed += 1
        until = remove_returned[first_removed[removed]]
        by = min(add_returned[first_added[added]], until)
        while at < n and add_called[by_call[at]] <= by and levels[by_call[at]] <= levels[by_call[len(found)]]:
            heapq.heappush(ready, (remove_called[by_call[at]], add_called[by_call[at]], by_call[at]))
            at += 1
        if not ready or (ready[0][0] > until and ready[0][0] != LAST):
            return None
        value = heapq.heappop(ready)[2]
        done[value] = True
        found.append(value)
    return found


def _merged(queue: Collection, values: list[int], level: Int64s, empties: Int64s) -> tuple[int, ...] | None:
    """Adds and removals in the values' order, one after the other as real time allows."""
    calls, levels = queue.calls, level.tolist()
    adds, removals = queue.adds[values].tolist(), [k for k in queue.removals[values].tolist() if k != NOBODY]
    nothing = empties.tolist()
    called, returned = calls.called.tolist(), calls.returned.tolist()
    involved = sorted([*adds, *removals, *nothing], key=returned.__getitem__)
    done: set[int] = set()
    found: list[int] = []
    a = r = e = first = 0
    while len(found) < len(involved):
        while involved[first] in done:
            first += 1
        by = returned[involved[first]]
        held = e < len(nothing) and a < len(adds) and levels[values[a]] > e  # an empty removal comes before the next add
        if e < len(nothing) and a == r and (held or a == len(adds)) and called[nothing[e]] <= by:
            chosen, e = nothing[e], e + 1
        elif r < min(a, len(removals)) and called[removals[r]] <= by:
            chosen, r = removals[r], r + 1
        elif a < len(adds) and not held and called[adds[a]] <= by:
            chosen, a = adds[a], a + 1
        else:
            return None
        done.add(chosen)
        found.append(chosen)
    return tuple(found)
