"""The monitor of sets that are added to and read whole.

Elements stay, so that reads are in order of what they returned, smallest first.  An element
must have been added, by any one of its adds, before the first read that has it, and by none
before the last read that has it not.  Nothing else matters: so reads and first adds take
effect in that order, each as early as its call and those before it allow.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np

from scrutator.checker.linear.history import NEVER, UNKNOWN, Int32s, Int64s, Value
from scrutator.checker.linear.monitors.calls import Calls, Conflict, Inapplicable
from scrutator.checker.linear.monitors.collection import conflict, text

SCALARS = {type(None), bool, int, float, str}


@dataclass(frozen=True, slots=True)
class Adds:
    """The adds of one part: of each element, numbered by its position among the values."""

    calls: Calls
    positions: Int64s  # by element, then in order of call
    elements: Int32s  # of each element once, in order
    begins: Int64s  # of each element's adds among the positions; then their count
    number: dict[Value, int]  # of an element among the elements
    called: Int64s  # when the first add of each element was called
    returned: Int64s  # when an add of each element first returned, or NEVER

    def of(self, element: int) -> set[int]:
        """Positions of all adds of an element."""
        return set(self.positions[self.begins[element] : self.begins[element + 1]].tolist())

    def first_returned(self, element: int) -> int:
        """Position of the add of an element that returned first."""
        own = self.positions[self.begins[element] : self.begins[element + 1]]
        return int(own[np.argmin(self.calls.returned[own])])

    def value(self, element: int) -> Value:
        found: Value = self.calls.values[self.elements[element]]
        return found


def decide(calls: Calls) -> Conflict | None:
    """A conflict, or None if the calls on a set are linearizable.  Raises `Inapplicable`."""
    reads = _reads(calls)
    adds = _adds(calls)
    returned: dict[int, frozenset[int]] = {}
    for at in reads:
        found = _elements(adds, at)
        if isinstance(found, Conflict):
            return found
        returned[at] = found
    reads.sort(key=lambda at: len(returned[at]))
    return _in_order(adds, reads, returned)


def _reads(calls: Calls) -> list[int]:
    """Positions of the reads that returned."""
    if calls.object.initial != frozenset():
        raise Inapplicable("the set starts with elements")
    add, read = calls.methods.index("add"), calls.methods.index("read")
    for method in np.flatnonzero(np.bincount(calls.method)).tolist():
        if method not in (add, read):
            raise Inapplicable(f"there is more than add and read: {calls.methods[method]}")
    for k in set(calls.result[calls.method == add].tolist()) - {UNKNOWN}:
        if calls.values[k] is not None:
            raise Inapplicable(f"it is recorded what add returned: {calls.values[k]!r}")
    found: list[int] = np.flatnonzero((calls.method == read) & (calls.returned != NEVER)).tolist()
    return found


def _adds(calls: Calls) -> Adds:
    which = np.flatnonzero(calls.method == calls.methods.index("add"))
    argument = calls.argument[which]
    order = np.argsort(argument, kind="stable")
    positions, argument = which[order], argument[order]
    fresh = np.flatnonzero(np.append(True, argument[1:] != argument[:-1])) if len(which) else which
    values = [calls.values[k] for k in argument[fresh].tolist()]
    number = {value: i for i, value in enumerate(values)}
    if not set(map(type, values)) <= SCALARS or len(number) < len(values) or any(v != v for v in values):
        raise Inapplicable("there are elements that are equal, or that are neither numbers nor texts")
    return Adds(
        calls, positions, argument[fresh], np.append(fresh, len(which)), number, calls.called[positions[fresh]],
        np.minimum.reduceat(calls.returned[positions], fresh) if len(which) else fresh,
    )  # fmt: skip


def _elements(adds: Adds, at: int) -> frozenset[int] | Conflict:
    """What a read returned, as numbers of elements."""
    result = adds.calls.values[adds.calls.result[at]]
    if not isinstance(result, tuple):
        return conflict({at}, f"{text(adds.calls, at)} returned no list of elements")
    found: set[int] = set()
    for value in result:
        number = adds.number.get(value)
        # To Python 1 is True, but they are two elements.
        if number is None or type(adds.value(number)) is not type(value):
            return conflict({at}, f"a read returned {value!r}, which was never added")
        found.add(number)
    if len(found) < len(result):
        return conflict({at}, "a read returned an element twice")
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Latest:
    """How far time has come: the latest call so far of what takes effect in order.

    That is a read's, or the first call that adds an element that the read has.
    """

    time: int
    read: int
    element: int | None = None


def _in_order(adds: Adds, reads: list[int], returned: dict[int, frozenset[int]]) -> Conflict | None:
    """Let reads take effect in order of size, and before those of one size the first adds of what is new."""
    calls = adds.calls
    seen: frozenset[int] = frozenset()
    before = reads[0] if reads else 0
    latest: Latest | None = None
    for _, group in groupby(reads, key=lambda at: len(returned[at])):
        alike = list(group)
        elements = returned[alike[0]]
        for at, other in [*((at, alike[0]) for at in alike), (alike[0], before)]:
            if not returned[other] <= returned[at]:
                return conflict({at, other}, "of two reads each has an element that the other has not")
        new = np.fromiter(elements - seen, np.int64, len(elements) - len(seen))
        found = _missing(adds, new, latest)
        if found is not None:
            return found
        if len(new):
            last = int(new[np.argmax(adds.called[new])])
            latest = _later(latest, Latest(int(adds.called[last]), alike[0], last))
        for at in alike:
            if latest is not None and calls.returned[at] < latest.time:
                return _too_early(adds, at, latest)
        last = max(alike, key=calls.called.__getitem__)
        latest = _later(latest, Latest(int(calls.called[last]), last))
        seen, before = elements, alike[0]
    never = np.ones(len(adds.called), np.bool_)
    never[list(seen)] = False
    return _missing(adds, np.flatnonzero(never), latest)


def _later(one: Latest | None, other: Latest) -> Latest:
    return other if one is None or other.time > one.time else one


def _missing(adds: Adds, new: Int64s, latest: Latest | None) -> Conflict | None:
    """An element that was added for sure before a read that has it not."""
    late = new[:0] if latest is None else new[adds.returned[new] < latest.time]
    if latest is None or not len(late):
        return None
    element = int(late[0])
    at = adds.first_returned(element)
    added = f"although {text(adds.calls, at)} returned before"
    if latest.element is None:
        return conflict({at, latest.read}, f"a read has not {adds.value(element)!r}, {added} it was called")
    other = adds.value(latest.element)
    reason = f"a read has {other!r} and not {adds.value(element)!r}, {added} any add of {other!r} was called"
    return conflict(adds.of(latest.element) | {at, latest.read}, reason)


def _too_early(adds: Adds, at: int, latest: Latest) -> Conflict:
    """A read that returned before what it has read."""
    if latest.element is None:
        reason = "a read has an element that another one has not, although it returned before the other was called"
        return conflict({at, latest.read}, reason)
    reason = f"a read returned {adds.value(latest.element)!r} before any add of it was called"
    return conflict(adds.of(latest.element) | {at}, reason)
