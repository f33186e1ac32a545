"""The monitor of priority queues.

Let no value be added twice.  A value is in the way only of values of lower priority.  So
values are looked at in order of priority: one may go at a point at which none of higher
priority is certainly there, and goes at the first such point, which is best for the others.
From the return of its add to that point it is certainly there.
A removal that found nothing is like one of a value that goes last.  (Values that can be
taken away one by one are the idea of Lee and Mathur, "Efficient decrease-and-conquer
linearizability monitoring", 2025.)

Pending removals may take what nobody is known to have removed.  What they take is bounded
from both sides, as in stacks: let each go as early as the first of them was called, or give
them what had to be gone, the most urgent first.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from scrutator.checker.linear.history import NEVER, Int64s
from scrutator.checker.linear.monitors.calls import Calls, Conflict, Inapplicable
from scrutator.checker.linear.monitors.collection import (
    NOBODY,
    Bools,
    Collection,
    collect,
    conflict,
    text,
    with_takers,
)
from scrutator.checker.linear.monitors.cover import chain
from scrutator.checker.linear.monitors.urgent import most_urgent
from scrutator.checker.native import compile_dialect
from scrutator.model.objects.sequential import number

KEPT_MAX = 1000  # values of a conflict until it is no longer worth to tell which are needed
ROUNDS_MAX = 16  # of giving values to pending removals


def decide(calls: Calls) -> Conflict | None:
    """A conflict, or None if the calls on a priority queue are linearizable.  Raises `Inapplicable`."""
    queue = collect(calls, "insert", "poll")
    if isinstance(queue, Conflict):
        return queue
    order = _by_priority(queue)
    return _decide_pending(queue, order) if len(queue.takers) else _decide(queue, order)


def _decide(queue: Collection, order: Int64s) -> Conflict | None:
    """The same of a queue without pending removals, or with all of them given to values."""
    run = _run(queue, order)
    return _in_the_way(queue, order, run) if len(run.gone) < len(order) + len(queue.empties) else None


@dataclass(frozen=True, slots=True)
class Run:
    """Values in order of priority, then removals that found nothing, as columns.

    Each may go from ``earliest`` to ``latest``, and goes at the earliest when it is
    ``gone``; that column ends before the first that cannot.
    """

    added: Int64s
    earliest: Int64s
    latest: Int64s
    gone: Int64s


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


def _run(queue: Collection, order: Int64s) -> Run:
    called, returned = queue.calls.called[queue.empties], queue.calls.returned[queue.empties]
    added = np.concatenate([queue.add_returned[order], np.full(len(called), NEVER)])
    earliest = np.concatenate([np.maximum(queue.add_called, queue.remove_called)[order], called])
    latest = np.concatenate([queue.remove_returned[order], returned])
    points = np.append(np.sort(earliest), NEVER)
    begin = np.searchsorted(points, earliest, side="left")
    end = np.searchsorted(points, latest, side="right")
    covered = np.minimum(np.searchsorted(points, added, side="right"), end)  # whose add never returned covers nothing
    gone = np.zeros(len(begin), np.int64)
    columns = [np.ascontiguousarray(column, np.int64) for column in (np.arange(len(points)), begin, end, covered, gone)]
    count = _kernel()(len(begin), *(column.ctypes.data for column in columns))
    return Run(added, earliest, latest, points[columns[-1][:count]])


@functools.cache
def _kernel() -> Callable[..., int]:
    return compile_dialect((Path(__file__).parent / "priority_kernel.py").read_text(), {}, {}).function("run")


# --- conflicts --------------------------------------------------------------------------


def _in_the_way(queue: Collection, order: Int64s, run: Run) -> Conflict:
    """The removal that cannot be, with what was there throughout, and what kept that from going."""
    rank = len(run.gone)
    first = _covering(run, rank, int(run.earliest[rank]), int(run.latest[rank]))
    found = _kept(run, first)
    at = int(queue.removals[order[rank]] if rank < len(order) else queue.empties[rank - len(order)])
    names = queue.names(order[first].tolist())
    reason = f"{text(queue.calls, at)}, although at each moment there was something that goes first: {names}"
    if len(found) > len(first):
        reason += ", which could not go earlier"
    return conflict(_operations(queue, order, {*found, rank}), reason)


def _operations(queue: Collection, order: Int64s, ranks: set[int]) -> set[int]:
    """Positions of all operations on values of some ranks, and of removals that found nothing."""
    empties = {int(queue.empties[rank - len(order)]) for rank in ranks if rank >= len(order)}
    return queue.operations_of(order[sorted(rank for rank in ranks if rank < len(order))]) | empties


def _kept(run: Run, ranks: list[int]) -> set[int]:
    """Some ranks, with what kept them from going before they did, and so on."""
    found, waiting = set(ranks), list(ranks)
    while waiting:
        one = waiting.pop()
        if len(found) > KEPT_MAX:
            return set(range(max(found) + 1))
        if run.earliest[one] < run.gone[one] != NEVER:
            more = set(_covering(run, one, int(run.earliest[one]), int(run.gone[one]) - 1)) - found
            found |= more
            waiting += more
    return found


def _covering(run: Run, rank: int, begin: int, end: int) -> list[int]:
    """Few ranks in front of one that cover each point from begin to end."""
    near = np.flatnonzero((run.added[:rank] <= end) & (run.gone[:rank] > begin))
    return [int(near[k]) for k in chain(run.added[near], run.gone[near], begin, end)]


# --- pending removals -------------------------------------------------------------------


def _decide_pending(queue: Collection, order: Int64s) -> Conflict | None:
    """What holds whatever the pending removals took, and what holds if they took what seems most urgent.

    Raises `Inapplicable` where that leaves a gap.
    """
    unseen, taken = queue.removals == NOBODY, queue.calls.called[queue.takers]
    trial = replace(queue, remove_called=np.where(unseen, taken[0], queue.remove_called))
    found = _decide(trial, order)
    if found is not None:
        return with_takers(queue, found)
    before = np.zeros(0, np.int64)
    for _ in range(ROUNDS_MAX):
        run = _run(trial, order)
        if len(run.gone) < len(run.added):
            break
        jobs, because = _jobs(run, unseen[order])
        short = np.flatnonzero(np.searchsorted(taken, run.latest[because], side="right") <= np.arange(len(jobs)))
        if len(short) and not len(before):
            some = slice(0, int(short[0]) + 1)
            return with_takers(queue, _too_few(queue, order, run, jobs[some], because[some]))
        if len(jobs) > len(taken):
            break
        called = np.where(unseen, NEVER, queue.remove_called)
        called[order[jobs]] = taken[: len(jobs)]
        if set(jobs.tolist()) == set(before.tolist()) and _decide(replace(queue, remove_called=called), order) is None:
            return None
        if len(before) and len(jobs) == len(before):
            break
        called[unseen & (called == NEVER)] = taken[0]
        trial, before = replace(queue, remove_called=called), jobs
    raise Inapplicable("it is not clear which values the pending removals took")


def _jobs(run: Run, unseen: Bools) -> tuple[Int64s, Int64s]:
    """Ranks of values that somebody must have removed unseen, the most urgent first, each with the reason.

    That is the removal, of those that return first, of what goes later and was there after.
    """
    asks = np.append(unseen, np.zeros(len(run.gone) - len(unseen), np.bool_))
    because = most_urgent(asks, ~asks & (run.latest != NEVER), run.added, run.gone, run.latest)
    jobs = np.flatnonzero(because != NOBODY)
    jobs = jobs[np.argsort(run.latest[because[jobs]], kind="stable")]
    return jobs, because[jobs]


def _too_few(queue: Collection, order: Int64s, run: Run, jobs: Int64s, because: Int64s) -> Conflict:
    """More values had to be gone by some time than pending removals had been called."""
    names = queue.names(order[jobs].tolist(), ", ")
    reason = f"there are not enough pending removals for {names}, which go before others that were removed"
    ranks = _kept(run, because.tolist()) | set(jobs.tolist())
    return conflict(_operations(queue, order, ranks), reason)
