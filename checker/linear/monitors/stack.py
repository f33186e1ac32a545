"""The monitor of stacks.

Let no value be added twice.  A value whose push and pop overlap may go in and out at one
point, and is in nobody's way.  Any other is certainly there from the return of its push to
the call of its pop.  Where no value is certainly there, a linearization can be cut in two.
In a part without such a point the stack is never empty, so that one value stays at the
bottom throughout: no push of the part returned before its push was called, and no pop was
called after its pop returned.  A part without such a value has no linearization; and any
such value may be taken away, because a linearization of the others remains one between its
push and its pop.  So values are taken away until none is left (the idea of taking away what
is in nobody's way is that of Lee and Mathur, "Efficient decrease-and-conquer
linearizability monitoring", 2025).

Pending pops may take what nobody is known to have popped.  To tell which is a question of
its own, and is answered by bounds: if each of them could pop as early as the first of them,
and there is no linearization, then there is none; if those values that had to be gone are
given to them, the most urgent first, and there is one, then there is one.  Between the
bounds the monitor does not apply, which is rare.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from scrutator.checker.linear.history import NEVER, Int64s
from scrutator.checker.linear.monitors import stack_words as w
from scrutator.checker.linear.monitors.calls import Calls, Conflict, Inapplicable
from scrutator.checker.linear.monitors.collection import (
    NOBODY,
    Bools,
    Collection,
    collect,
    conflict,
    with_takers,
)
from scrutator.checker.linear.monitors.cover import chain, first_gap, never_empty
from scrutator.checker.linear.monitors.urgent import most_urgent
from scrutator.checker.native import compile_dialect

SPAN_MAX = 1 << 60  # between the first time and the last
ROUNDS_MAX = 16  # of giving values to pending pops
ROW_MAX = 32  # values of a conflict up to which fewer are looked for


def decide(calls: Calls) -> Conflict | None:
    """A conflict, or None if the calls on a stack are linearizable.  Raises `Inapplicable`."""
    stack = collect(calls, "push", "pop")
    if isinstance(stack, Conflict):
        return stack
    return _decide_pending(stack) if len(stack.takers) else _decide(stack)


def _decide(stack: Collection) -> Conflict | None:
    """The same of a stack without pending pops, or with all of them given to values."""
    values = _stuck(stack.add_called, stack.add_returned, stack.remove_called, stack.remove_returned)
    if len(values):
        return _nobody_at_bottom(stack, values)
    return never_empty(stack)


def _stuck(add_called: Int64s, add_returned: Int64s, remove_called: Int64s, remove_returned: Int64s) -> Int64s:
    """Values of a part of which none can be at the bottom, in order of the returns of their pushes; or none."""
    which = np.flatnonzero(add_returned < remove_called)
    which = which[np.argsort(add_returned[which], kind="stable")]
    count = len(which)
    if not count:
        return which
    least = int(add_called[which].min())
    finite = remove_returned[which][remove_returned[which] != NEVER]
    end = max(int(add_returned[which[-1]]), int(finite.max(initial=0))) + 1
    if end - least > SPAN_MAX:
        raise Inapplicable(f"the times span more than {SPAN_MAX:,}")
    times = (add_called, add_returned, remove_called, remove_returned)
    pushing, pushed, popping, popped = (np.minimum(column[which], end) - least for column in times)
    numbers = np.arange(count)
    # Of those pushed before, all are there but those whose pops had been called.
    there = numbers - np.searchsorted(np.sort(popping), pushed, side="right")
    covers = np.searchsorted(pushed, popping, side="left")
    size = 1 << max(count - 1, 1).bit_length()
    block = np.zeros(w.WORDS, np.int64)
    kept = {
        w.PUSH_RETURNED: pushed, w.COVERS: covers, w.PARTS: np.zeros(2 * (count + 1), np.int64),
        w.UNREADY: _leaves(size, -pushing), w.READY: _leaves(size, popped - w.GONE), w.LEFT: _leaves(size, popping),
        w.ALONE: _leaves(size, -there),
    }  # fmt: skip
    block[w.SIZE], block[w.COUNT] = size, count
    for at, array in kept.items():
        kept[at] = array = np.ascontiguousarray(array, np.int64)
        block[at] = array.ctypes.data
    if _kernel()(block.ctypes.data):
        return which[:0]
    lo, hi = int(block[w.LO]), int(block[w.HI])
    left = kept[w.LEFT].reshape(-1, 2)[size + lo : size + hi, 0] >= 0
    return which[lo:hi][left]


def _leaves(size: int, numbers: Int64s) -> Int64s:
    """A tree of which only the leaves are filled in."""
    tree = np.zeros((2 * size, 2), np.int64)
    tree[size:, 0] = -w.GONE
    tree[size : size + len(numbers), 0] = numbers
    return tree


@functools.cache
def _kernel() -> Callable[..., int]:
    constants = {name: value for name, value in vars(w).items() if name.isupper() and isinstance(value, int)}
    return compile_dialect((Path(__file__).parent / "stack_kernel.py").read_text(), constants, {}).function("run")


# --- pending pops -----------------------------------------------------------------------


def _decide_pending(stack: Collection) -> Conflict | None:
    """What holds whatever the pending pops took, and what holds if they took what they seem to have had to.

    Raises `Inapplicable` where that leaves a gap.
    """
    unseen, taken = stack.removals == NOBODY, stack.calls.called[stack.takers]
    best = replace(stack, remove_called=np.where(unseen, taken[0], stack.remove_called))
    found = _decide(best)
    if found is not None:
        return with_takers(stack, found)
    for closely in (False, True):  # to look closely takes longer, and is seldom needed
        lowest = _beneath(stack, unseen) if closely else np.full(len(stack), NOBODY)
        due = np.where(lowest == NOBODY, NEVER, stack.remove_returned[lowest])
        found = _too_few(stack, unseen, taken, due, lowest)
        if found is not None:
            return with_takers(stack, found)
        if _will_do(stack, unseen, taken, due):
            return None
    raise Inapplicable("it is not clear which values the pending pops took")


def _beneath(stack: Collection, unseen: Bools) -> Int64s:
    """For each value not known to be popped, the one popped first of those certainly there during its push; or NOBODY."""
    count = len(stack)
    values = np.append(np.arange(count), np.arange(count))
    asks = np.arange(2 * count) >= count
    # Backwards in time, a value comes after those whose pushes were called after its own had returned.
    order = np.lexsort((asks, -np.append(stack.add_returned, stack.add_called)))
    values, asks = values[order], asks[order]
    tells = ~asks & (stack.add_returned < stack.remove_called)[values] & ~unseen[values]
    asks &= unseen[values]
    found = most_urgent(
        asks, tells, stack.add_returned[values], stack.remove_called[values], stack.remove_returned[values]
    )
    lowest = np.full(count, NOBODY)
    told = found != NOBODY
    lowest[values[told]] = values[found[told]]
    return lowest


def _too_few(stack: Collection, unseen: Bools, taken: Int64s, due: Int64s, lowest: Int64s) -> Conflict | None:
    """More values had to be gone by some time than pending pops had been called.

    A value that nobody is known to have popped lies above another one if at each moment of
    its push one was there for sure; so it is gone by the last of the pops of those that can
    have been there.
    """
    known = np.flatnonzero(~unseen)
    starts, ends = stack.add_returned[known], stack.remove_called[known]
    trapped = np.flatnonzero(unseen & (first_gap(starts, ends, stack.add_called) > stack.add_returned))
    last = np.maximum.accumulate(stack.remove_returned[known])
    deadlines = last[np.searchsorted(stack.add_called[known], stack.add_returned[trapped], side="right") - 1]
    deadlines = np.minimum(deadlines, due[trapped])
    order = np.argsort(deadlines, kind="stable")
    bad = np.flatnonzero(np.searchsorted(taken, deadlines[order], side="right") <= np.arange(len(order)))
    if not len(bad):
        return None
    above = trapped[order[: bad[0] + 1]].tolist()
    below: set[int] = set(lowest[above].tolist()) - {NOBODY}
    for one in above:
        since, until = int(stack.add_called[one]), int(stack.add_returned[one])
        near = np.flatnonzero((starts <= until) & (ends > since))
        below |= set(known[near[chain(starts[near], ends[near], since, until)]].tolist())
    names = stack.names(above, ", ")
    reason = f"there are not enough pending pops for {names}, which lay above others that were popped"
    return conflict(stack.operations_of([*above, *sorted(below)]), reason)


def _will_do(stack: Collection, unseen: Bools, taken: Int64s, due: Int64s) -> bool:
    """Whether there is a linearization in which pending pops take what lies above others, the most urgent first."""
    calls = stack.calls
    gone = np.zeros(len(stack), np.bool_)
    called = stack.remove_called.copy()
    for _ in range(ROUNDS_MAX):
        popped = ~unseen | gone
        starts, ends = stack.add_returned[popped], called[popped]
        until = first_gap(starts, ends, stack.add_called)
        must = unseen & ~gone & (until > stack.add_returned)
        if len(stack.empties):
            empty = np.sort(first_gap(starts, ends, calls.called[stack.empties]))
            after = np.append(empty, NEVER)[np.searchsorted(empty, stack.add_returned, side="right")]
            must |= unseen & ~gone & (after != NEVER)
            until = np.minimum(until, after)
        until = np.minimum(until, due)
        if not must.any():
            return _decide(replace(stack, remove_called=called)) is None
        gone |= must
        which = np.flatnonzero(gone)
        if len(which) > len(taken):
            return False
        called[which[np.argsort(until[which], kind="stable")]] = taken[: len(which)]
    return False


# --- conflicts --------------------------------------------------------------------------


def _nobody_at_bottom(stack: Collection, values: Int64s) -> Conflict:
    """As few as is easy of the values of a part without one that can be at its bottom."""
    row = _row(stack, values)
    names = stack.names(row)
    if len(row) == 2:
        below, above = row
        reason = (
            f"{stack.add_text(below)} returned before {stack.add_text(above)} was called, which returned before "
            f"{stack.removal_text(below)} was called, {_so_too(stack, below, above)}"
        )
    else:
        reason = (
            f"{names} were there one after the other without a moment between, and none of them can have been there "
            "from before the first of them until after the last"
        )
    return conflict(stack.operations_of(row), reason)


def _so_too(stack: Collection, below: int, above: int) -> str:
    if stack.removals[above] < 0:
        return f"and nobody had popped {stack.value(above)!r}, which lay above"
    under = f"{stack.value(below)!r} lay below {stack.value(above)!r}"
    return f"which returned before {stack.removal_text(above)} was called, although {under}"


def _row(stack: Collection, values: Int64s) -> list[int]:
    """Values that are there one after the other, the first of the part up to its last; then fewer that will do."""
    starts, ends = stack.add_returned[values], stack.remove_called[values]
    reach = np.maximum.accumulate(ends)
    row = [int(np.argmax(np.where(starts == starts[0], ends, -1)))]
    while ends[row[-1]] < reach[-1]:
        before = int(np.searchsorted(starts, ends[row[-1]], side="left"))
        row.append(int(np.searchsorted(reach, reach[before - 1])))
    found = values[row]
    for size in range(2, min(len(found), ROW_MAX)):
        begins, ends = stack.add_returned[found][: 1 - size], stack.remove_called[found][size - 1 :]
        bottom = np.zeros(len(begins), np.bool_)
        for one in range(size):
            some = found[one : one + len(begins)]
            bottom |= (stack.add_called[some] <= begins) & (stack.remove_returned[some] >= ends)
        if not bottom.all():
            at = int(np.argmin(bottom))
            return [int(v) for v in found[at : at + size]]
    return [int(v) for v in found]
