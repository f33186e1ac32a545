"""Registers whose values are each written once: zones (Gibbons and Korach, "Testing shared memories", 1997).

A value's operations are its write and its reads.  If one of them returns before another
is called, the register holds the value from the first return to the last call: a forward
zone.  Otherwise all of them can take effect at one instant between the last call and the
first return: a backward zone.  The law: there is a linearization exactly if every read
has a write that it does not precede, no two forward zones overlap, and no backward zone
lies within a forward one.  O(n log n).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scrutator.checker.linear.history import NEVER, Int64s, Value
from scrutator.checker.linear.monitors.calls import Calls, Conflict, Inapplicable
from scrutator.model.objects.sequential import ANY, Effects, exactly

ALWAYS = np.iinfo(np.int64).min  # when what a history starts with was written
INITIAL = -1  # the write of that


@dataclass(frozen=True, slots=True)
class _Zones:
    """Of each value, in no order: its write, first return and last call, and the operations they belong to."""

    value: Int64s
    write: Int64s  # position among the calls, or INITIAL
    first_return: Int64s
    returns_first: Int64s
    last_call: Int64s
    called_last: Int64s

    def of(self, zone: int) -> set[int]:
        """The operations that make the zone what it is."""
        return {int(k) for k in (self.write[zone], self.returns_first[zone], self.called_last[zone]) if k != INITIAL}


def decide(calls: Calls) -> Conflict | None:
    """A conflict, or None where there is a linearization.

    Raises `Inapplicable` where an operation is neither read nor write, or a value is
    written twice.
    """
    if calls.object.initial is ANY:
        raise Inapplicable("what the history starts with is not known")
    reads, writes = _reads_and_writes(calls)
    initial = _number_of_initial(calls)
    write_of, written = _writers(calls, writes, initial)
    value = calls.result[reads].astype(np.int64)
    missing = ~written[value]
    if missing.any():
        read = int(reads[missing][0])
        return Conflict((read,), f"{_text(calls, read)}, which nobody wrote")
    early = calls.returned[reads] < _called(calls, write_of[value])
    if early.any():
        read = int(reads[early][0])
        write = int(write_of[calls.result[read]])
        return Conflict((read, write), f"{_text(calls, read)} returned before {_text(calls, write)} was called")
    return _overlap(calls, _zones(calls, reads, writes, write_of))


# --- who wrote what ---------------------------------------------------------------------


def _reads_and_writes(calls: Calls) -> tuple[Int64s, Int64s]:
    """Positions of the reads that returned, and of the writes."""
    effects = [calls.object.methods[name].effect for name in calls.methods]
    looks = np.array([effect is Effects.LOOKS for effect in effects])[calls.method]
    sets = np.array([effect is Effects.SETS for effect in effects])[calls.method]
    if not (looks | sets).all():
        other = calls.methods[calls.method[np.flatnonzero(~(looks | sets))[0]]]
        raise Inapplicable(f"{other} is neither a read nor a write")
    return np.flatnonzero(looks & (calls.returned != NEVER)), np.flatnonzero(sets)


def _number_of_initial(calls: Calls) -> int:
    """The position of the initial value among the values, or -1."""
    initial: Value = calls.object.initial
    same = [k for k, v in enumerate(calls.values) if v == initial and exactly(v) == exactly(initial)]
    return same[0] if same else -1


def _writers(calls: Calls, writes: Int64s, initial: int) -> tuple[Int64s, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """The write of each value, and which values have one."""
    value = calls.argument[writes]
    counts = np.bincount(value, minlength=len(calls.values))
    if initial >= 0:
        counts[initial] += 1
    if (counts > 1).any():
        twice = calls.values[int(np.flatnonzero(counts > 1)[0])]
        raise Inapplicable(f"{twice!r} is written more than once, or is also what the history starts with")
    write_of = np.full(len(calls.values), INITIAL, np.int64)
    write_of[value] = writes
    return write_of, counts > 0


def _called(calls: Calls, writes: Int64s) -> Int64s:
    return np.where(writes == INITIAL, ALWAYS, calls.called[writes])


# --- zones ------------------------------------------------------------------------------


def _zones(calls: Calls, reads: Int64s, writes: Int64s, write_of: Int64s) -> _Zones:
    """The zones of values that were read, or whose write returned."""
    value = np.concatenate([calls.result[reads], calls.argument[writes]]).astype(np.int64)
    operation = np.concatenate([reads, writes])
    read = np.zeros(len(calls.values), np.bool_)
    read[calls.result[reads]] = True
    counts = read[value] | (calls.returned[operation] != NEVER)
    value, operation = value[counts], operation[counts]
    by_return = np.lexsort((calls.returned[operation], value))
    by_call = np.lexsort((calls.called[operation], value))
    sorted_values = value[by_return]
    first = np.flatnonzero(np.diff(sorted_values, prepend=-1))
    last = np.append(first[1:], len(value))[: len(first)] - 1
    returns_first, called_last = operation[by_return[first]], operation[by_call[last]]
    values = sorted_values[first]
    write = write_of[values]
    initial = write == INITIAL  # written before everything
    return _Zones(
        values, write, np.where(initial, ALWAYS, calls.returned[returns_first]), np.where(initial, INITIAL, returns_first),
        calls.called[called_last], called_last,
    )  # fmt: skip


def _overlap(calls: Calls, zones: _Zones) -> Conflict | None:
    forward = np.flatnonzero(zones.first_return < zones.last_call)
    forward = forward[np.argsort(zones.first_return[forward], kind="stable")]
    begins, ends = zones.first_return[forward], zones.last_call[forward]
    bad = np.flatnonzero(begins[1:] < ends[:-1])  # where the first such pair is, no earlier one reaches further
    if len(bad):
        one, other = int(forward[bad[0]]), int(forward[bad[0] + 1])
        reason = f"{_held(calls, zones, one)}, and {_held(calls, zones, other)}: that overlaps"
        return Conflict(tuple(sorted(zones.of(one) | zones.of(other))), reason)
    backward = np.flatnonzero(zones.first_return >= zones.last_call)
    around = np.searchsorted(begins, zones.last_call[backward], side="left") - 1
    within = (around >= 0) & (zones.first_return[backward] < ends[np.maximum(around, 0)]) if len(ends) else around >= 0
    if within.any():
        at = int(np.flatnonzero(within)[0])
        inner, outer = int(backward[at]), int(forward[around[at]])
        write = _text(calls, int(zones.write[inner]))
        reason = f"{_held(calls, zones, outer)}, and meanwhile {write} began and ended, with all that read it"
        return Conflict(tuple(sorted(zones.of(inner) | zones.of(outer))), reason)
    return None


def _held(calls: Calls, zones: _Zones, zone: int) -> str:
    value, first, last = calls.values[int(zones.value[zone])], int(zones.returns_first[zone]), int(zones.called_last[zone])
    since = "the beginning" if first == INITIAL else f"the return of {_text(calls, first)}"
    return f"the value was {value!r} from {since} to the call of {_text(calls, last)}"


def _text(calls: Calls, operation: int) -> str:
    method = calls.object.methods[calls.methods[calls.method[operation]]]
    result = calls.result[operation]
    pending = calls.returned[operation] == NEVER
    return method.describe(calls.values[calls.argument[operation]], None if pending else calls.values[result], pending=pending)
