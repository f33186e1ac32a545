"""Values added and removed, each at most once: what the monitors of queues, stacks and the like share.

The law: what is wrong with a single value is found here; what remains is about the order in
which a collection gives its values back, and that is for the monitors to say.  A pending
add took effect if its value was removed, and is left out otherwise: nothing asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from scrutator.checker.linear.history import NEVER, UNKNOWN, Int64s, Value
from scrutator.checker.linear.monitors.calls import Calls, Conflict, Inapplicable
from scrutator.model.objects.sequential import same

Bools: TypeAlias = npt.NDArray[np.bool_]

NAMED_MAX = 6
NOBODY = -1  # position of the removal of a value that no operation returned


@dataclass(frozen=True, slots=True)
class Collection:
    """The values of one part as columns, in order of the calls that add them.

    A value that is not removed has the removal NOBODY, called and returned NEVER.
    ``empties`` are positions of removals that found nothing, ``takers`` those of pending
    ones, which may remove any value that is not removed, or none; both in order of call.
    """

    calls: Calls
    adds: Int64s  # positions among the calls
    removals: Int64s
    empties: Int64s
    takers: Int64s
    add_called: Int64s
    add_returned: Int64s
    remove_called: Int64s
    remove_returned: Int64s

    def __len__(self) -> int:
        return len(self.adds)

    def operations_of(self, values: Sequence[int] | Int64s) -> set[int]:
        """Positions of all operations on some values."""
        found = np.concatenate([self.adds[values], self.removals[values]]) if len(values) else self.adds[:0]
        return set(found[found != NOBODY].tolist())

    def value(self, value: int) -> Value:
        found: Value = self.calls.values[self.calls.argument[self.adds[value]]]
        return found

    def names(self, values: Sequence[int], joint: str = ", then ") -> str:
        """Values in words, the first few of them if there are many."""
        named = [repr(self.value(v)) for v in values[:NAMED_MAX]]
        if len(values) > NAMED_MAX:
            named.append(f"{len(values) - NAMED_MAX:,} more")
        return joint.join(named)

    def add_text(self, value: int) -> str:
        return text(self.calls, int(self.adds[value]))

    def removal_text(self, value: int) -> str:
        return text(self.calls, int(self.removals[value]))


def text(calls: Calls, at: int) -> str:
    """How an operation reads."""
    method = calls.object.methods[calls.methods[calls.method[at]]]
    result = int(calls.result[at])
    return method.describe(
        calls.values[calls.argument[at]], None if result == UNKNOWN else calls.values[result],
        pending=int(calls.returned[at]) == NEVER,
    )  # fmt: skip


def conflict(operations: set[int], reason: str) -> Conflict:
    """A conflict with its operations in order of call."""
    return Conflict(tuple(sorted(operations)), reason)


def with_takers(collection: Collection, found: Conflict) -> Conflict:
    """A conflict with the pending removals that can matter: the earliest, one for each value not known to be removed."""
    operations, calls = list(found.operations), collection.calls
    several = int(np.isin(operations, collection.adds[collection.removals == NOBODY]).sum())
    returned = calls.returned[operations]
    last = returned[returned != NEVER].max(initial=-NEVER)
    takers = collection.takers[:several]
    return conflict({*operations, *takers[calls.called[takers] <= last].tolist()}, found.reason)


def collect(calls: Calls, add: str, remove: str) -> Collection | Conflict:
    """Match removals with adds, by the names of the two methods.

    Raises `Inapplicable` where a value is added twice, or where there is more than the two
    methods and a collection that starts without values.
    """
    is_add = _only(calls, add, remove)
    adds, removals = np.flatnonzero(is_add), np.flatnonzero(~is_add)
    takers = removals[calls.result[removals] == UNKNOWN]
    known = removals[calls.result[removals] != UNKNOWN]

    added = calls.argument[adds]
    order = np.argsort(added, kind="stable")
    in_order = added[order]
    twice = np.flatnonzero(in_order[1:] == in_order[:-1])
    if len(twice):
        raise Inapplicable(f"{calls.values[in_order[twice[0]]]!r} is added more than once")
    if None in map(calls.values.__getitem__, added.tolist()):
        raise Inapplicable("None is added, which is also what a removal returns that finds nothing")
    place = np.searchsorted(in_order, calls.result[known])
    mine = np.append(in_order, UNKNOWN)[place] == calls.result[known]
    nothing = np.zeros(len(known), np.bool_)
    nothing[~mine] = [calls.values[k] is None for k in calls.result[known[~mine]].tolist()]
    empties, strange = known[nothing], known[~mine & ~nothing]
    known, place = known[mine], order[place[mine]]
    found = _mismatch(calls, adds, strange, known, place)
    if found is not None:
        return found

    removal_of = np.full(len(adds), NOBODY, np.int64)
    removal_of[place] = known
    wanted = (removal_of != NOBODY) | (calls.returned[adds] != NEVER)
    adds, removal_of = adds[wanted], removal_of[wanted]
    removed = removal_of != NOBODY
    return Collection(
        calls, adds, removal_of, empties, takers, calls.called[adds], calls.returned[adds],
        np.where(removed, calls.called[removal_of], NEVER), np.where(removed, calls.returned[removal_of], NEVER),
    )  # fmt: skip


def _only(calls: Calls, add: str, remove: str) -> Bools:
    """Which operations add; all others remove."""
    if calls.object.initial != ():
        raise Inapplicable("the collection starts with values")
    numbers = [calls.methods.index(name) for name in (add, remove)]
    for method in np.flatnonzero(np.bincount(calls.method)).tolist():
        if method not in numbers:
            raise Inapplicable(f"there is more than {add} and {remove}: {calls.methods[method]}")
    if calls.object.methods[remove].agrees is not same:
        raise Inapplicable(f"what {remove} returns may go unrecorded")
    is_add: Bools = calls.method == numbers[0]
    return is_add


def _mismatch(calls: Calls, adds: Int64s, strange: Int64s, known: Int64s, place: Int64s) -> Conflict | None:
    """An add that returned what it cannot, or a removal (known, or strange) without an add of its own before it."""
    results = calls.result[adds]
    for k in sorted(set(results.tolist()) - {UNKNOWN}):
        at = int(adds[np.flatnonzero(results == k)[0]])
        if not calls.object.methods[calls.methods[calls.method[at]]].agrees(None, calls.values[k]):
            return conflict({at}, f"{text(calls, at)} returned something, but to add returns nothing")
    if len(strange):
        at = int(strange[np.argmin(calls.returned[strange])])
        return conflict({at}, f"{text(calls, at)} removed a value that was never added")
    early = np.flatnonzero(calls.returned[known] < calls.called[adds[place]])
    if len(early):
        at, of = int(known[early[0]]), int(adds[place[early[0]]])
        return conflict({at, of}, f"{text(calls, at)} returned before {text(calls, of)} was called")
    order = np.argsort(place, kind="stable")
    again = np.flatnonzero(place[order][1:] == place[order][:-1])
    if len(again):
        one, other = known[order[again[0]]], known[order[again[0] + 1]]
        of = int(adds[place[order[again[0]]]])
        return conflict({int(one), int(other), of}, f"two operations removed the value of {text(calls, of)}")
    return None
