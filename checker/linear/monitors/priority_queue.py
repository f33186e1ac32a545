"""The monitor of priority queues.

Let no value be added twice.  Whatever goes after a value, that value is in nobody's way but
of what goes after it.  So values are looked at in order of priority: one may go at a point
at which none that goes first is certainly there, and goes at the first such point, which
leaves most to the others.  From the return of its add to that point it is certainly there.
A removal that found nothing is like one of a value that goes last.  (Values that can be
taken away one by one are the idea of Lee and Mathur, "Efficient decrease-and-conquer
linearizability monitoring", 2025.)

A pending add took effect if its value was removed, and is left out otherwise.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np

from scrutator.checker.linear.history import NEVER, Int64s
from scrutator.checker.linear.monitors.calls import Calls, Conflict, Inapplicable
from scrutator.checker.linear.monitors.collection import Collection, collect, conflict, text
from scrutator.checker.linear.monitors.cover import chain
from scrutator.checker.native import compile_dialect
from scrutator.model.objects.sequential import number


def decide(calls: Calls) -> Conflict | None:
    """A conflict, or None if the calls on a priority queue are linearizable.  Raises `Inapplicable`."""
    queue = collect(calls, "insert", "poll")
    if isinstance(queue, Conflict):
        return queue
    if len(queue.takers):
        raise Inapplicable("there are pending removals")
    order = _by_priority(queue)
    earliest = np.maximum(queue.add_called, queue.remove_called)[order]
    columns = queue.add_returned[order], earliest, queue.remove_returned[order]
    gone = _earliest(queue, *columns)
    if len(gone) < len(order) + len(queue.empties):
        return _in_the_way(queue, order, *columns, gone)
    return None


def _by_priority(queue: Collection) -> Int64s:
    """The values, those that go first in front."""
    of = [queue.calls.values[k] for k in queue.calls.argument[queue.adds].tolist()]
    numbers = [value for value in of if isinstance(value, int | float) and number(value) and value == value]
    if len(numbers) < len(of):
        raise Inapplicable("there are values that are not numbers")
    ascending = sorted(range(len(of)), key=numbers.__getitem__)
    for k in range(len(of) - 1):
        if numbers[ascending[k]] == numbers[ascending[k + 1]]:
            raise Inapplicable(f"{numbers[ascending[k]]!r} is added more than once")
    first, _ = queue.calls.object.methods["poll"].outcomes((0, 1), None)[0]
    return np.array(ascending if first == 0 else ascending[::-1], np.int64)


def _earliest(queue: Collection, added: Int64s, earliest: Int64s, latest: Int64s) -> Int64s:
    """When each value goes, then when each removal finds nothing, at the earliest; up to the first that cannot."""
    called, returned = queue.calls.called[queue.empties], queue.calls.returned[queue.empties]
    points = np.sort(np.concatenate([earliest, called, [NEVER]]))
    following = np.arange(len(points))
    begin = np.searchsorted(points, np.concatenate([earliest, called]), side="left")
    end = np.searchsorted(points, np.concatenate([latest, returned]), side="right")
    covered = np.searchsorted(points, np.concatenate([added, np.full(len(called), NEVER)]), side="right")
    gone = np.zeros(len(begin), np.int64)
    columns = [np.ascontiguousarray(column, np.int64) for column in (following, begin, end, np.minimum(covered, end), gone)]
    count = _kernel()(len(begin), *(column.ctypes.data for column in columns))
    done: Int64s = points[columns[-1][:count]]
    return done


@functools.cache
def _kernel() -> Callable[..., int]:
    return compile_dialect((Path(__file__).parent / "priority_kernel.py").read_text(), {}, {}).function("run")


def _in_the_way(
    queue: Collection, order: Int64s, added: Int64s, earliest: Int64s, latest: Int64s, gone: Int64s
) -> Conflict:
    """The removal that cannot be, with what was there throughout, and what kept that from going."""
    rank = len(gone)
    if rank < len(order):
        at, begin, end = int(queue.removals[order[rank]]), int(earliest[rank]), int(latest[rank])
    else:
        at = int(queue.empties[rank - len(order)])
        begin, end = int(queue.calls.called[at]), int(queue.calls.returned[at])
    gone = gone[: len(order)]
    first = _covering(added, gone, rank, begin, end)
    found, waiting = set(first), list(first)
    while waiting:
        one = waiting.pop()
        if earliest[one] < gone[one] != NEVER:
            more = set(_covering(added, gone, one, int(earliest[one]), int(gone[one]) - 1)) - found
            found |= more
            waiting += more
    values = order[sorted(found | {rank} if rank < len(order) else found)]
    names = ", then ".join(repr(queue.value(int(order[v]))) for v in first)
    reason = f"{text(queue.calls, at)}, although at each moment there was something that goes first: {names}"
    if len(found) > len(first):
        reason += ", which could not go earlier"
    return conflict(queue.operations_of(values) | {at}, reason)


def _covering(added: Int64s, gone: Int64s, rank: int, begin: int, end: int) -> list[int]:
    """Few values in front of a rank that cover each point from begin to end."""
    near = np.flatnonzero((added[: len(gone)][:rank] < end + 1) & (gone[:rank] > begin))
    return near[chain(added[near], gone[near], begin, end)].tolist()  # type: ignore[no-any-return]
