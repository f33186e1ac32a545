"""A history as the search takes it: classes of operations, and events in order of time.

Operations of the same method, argument and result form a class; what the object makes of
a class in a state is found once.  Operations on different keys, or on different parts of
the object, do not affect each other, so each part is a problem of its own; the parts lie
one after the other in the same arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scrutator.checker.linear import frontier_words as w
from scrutator.checker.linear.effects import Effects, effects_of
from scrutator.checker.linear.history import NEVER, NO_KEY, History, Int32s, Int64s
from scrutator.model.objects.sequential import Method, Object, Value

Bools = npt.NDArray[np.bool_]


class UnfitHistory(Exception):
    """The history is not one of the object's: a method that it does not have."""


@dataclass(frozen=True)
class Problem:
    """Parts of a history, ready to be searched.

    ``operations[k]`` is the position in the history of the operation that events call
    k.  Part p has the events from ``first_event[p]`` up to ``first_event[p + 1]``, and
    ``keys[p]`` is its key or None.
    """

    history: History
    object: Object
    operations: Int64s
    classes: Int32s  # of each operation
    class_method: Int32s
    class_argument: Int32s
    class_result: Int32s
    reads_only: npt.NDArray[np.uint8]  # of each class
    effects: Effects | None
    events: Int64s
    first_event: Int64s
    keys: tuple[Value, ...]
    pending_slots: Int32s  # of each operation
    slots: int  # most operations under way at a time
    used_slots: int  # most classes of pending operations at a time
    methods: tuple[Method, ...]

    @property
    def parts(self) -> int:
        return len(self.first_event) - 1


def problem_of(history: History, object_: Object) -> Problem:
    """Prepare a history.  Raises `UnfitHistory`."""
    methods = []
    for name in history.methods:
        method = object_.find(name)
        if method is None:
            known = ", ".join(object_.methods)
            raise UnfitHistory(f"{history.source}: the object {object_.name} has no method {name}; it has {known}")
        methods.append(method)
    part, keys = _parts(history, object_)
    classes, class_of = _classes(history)
    of_class, argument, result = classes
    reads_only = np.array([m.reads_only for m in methods], np.uint8)[of_class]
    effects = effects_of(object_, methods, of_class, argument, result, history.values)
    if effects is not None:
        reads_only = (effects.post == 0).astype(np.uint8)
    pending = history.returned == NEVER
    keep = ~(pending & (reads_only[class_of] == 1))
    if effects is not None:
        keep &= _wanted(history, part, class_of, effects, pending)
    order = np.flatnonzero(keep)
    order = order[np.lexsort((history.called[order], part[order]))]
    able = np.zeros(len(of_class), np.int64) if effects is None else (effects.pre == 0).astype(np.int64)
    pending_slots, used_slots = _pending_slots(part[order], class_of[order] + able[class_of[order]] * len(of_class), pending[order])
    events, first_event, slots = _events(part[order], history.called[order], history.returned[order], len(keys))
    return Problem(
        history, object_, order, class_of[order].astype(np.int32), of_class, argument, result, reads_only, effects,
        events, first_event, keys, pending_slots, slots, used_slots, tuple(methods),
    )  # fmt: skip


def _parts(history: History, object_: Object) -> tuple[Int32s, tuple[Value, ...]]:
    """The part of each operation, and the parts' keys."""
    key = history.key.astype(np.int64)
    if object_.part is None:
        found, place = np.unique(key, return_inverse=True)
        return place.astype(np.int32), tuple(None if k == NO_KEY else history.values[k] for k in found.tolist())
    names: dict[tuple[int, Value], int] = {}
    of: dict[tuple[int, int, int], int] = {}
    part = np.empty(len(history), np.int32)
    for i, triple in enumerate(zip(key.tolist(), history.method.tolist(), history.argument.tolist(), strict=True)):
        if triple not in of:
            k, method, argument = triple
            name = object_.part(history.methods[method], history.values[argument])
            of[triple] = names.setdefault((k, name), len(names))
        part[i] = of[triple]
    return part, tuple(name if k == NO_KEY else (history.values[k], name) for k, name in names)


def _classes(history: History) -> tuple[tuple[Int32s, Int32s, Int32s], Int64s]:
    """The classes' methods, arguments and results, and the class of each operation."""
    values = len(history.values) + 1
    packed = (history.method.astype(np.int64) * values + history.argument) * values + (history.result + 1)
    found, class_of = np.unique(packed, return_inverse=True)
    rest, result = np.divmod(found, values)
    method, argument = np.divmod(rest, values)
    return (method.astype(np.int32), argument.astype(np.int32), (result - 1).astype(np.int32)), class_of


def _wanted(history: History, part: Int32s, class_of: Int64s, effects: Effects, pending: Bools) -> Bools:
    """All but the pending operations that leave a state on which nothing later depends.

    Whatever depends on *not* finding a state, or is itself pending, may depend on any.
    """
    wanted = np.ones(len(history), np.bool_)
    if not pending.any() or (effects.not_pre[class_of] > 0).any() or (effects.pre[class_of][pending] > 0).any():
        return wanted
    states = int(max(effects.pre.max(initial=0), effects.post.max(initial=0))) + 1
    seen = part.astype(np.int64) * states + effects.pre[class_of]
    looks = (effects.pre[class_of] > 0) & ~pending
    which, at = np.unique(seen[looks], return_inverse=True)
    last = np.zeros(len(which) + 1, np.int64)
    last[-1] = -1
    np.maximum.at(last, at, history.returned[looks])
    left = part.astype(np.int64)[pending] * states + effects.post[class_of][pending]
    position = np.minimum(np.searchsorted(which, left), max(len(which) - 1, 0))
    found = len(which) > 0 and which[position] == left
    wanted[pending] = found & (last[position] >= history.called[pending])
    return wanted


def _pending_slots(part: Int32s, class_of: Int64s, pending: Bools) -> tuple[Int32s, int]:
    """For each pending operation the slot of its class within its part; how many slots.

    Classes in order: those that can do more come last, so that they are spared.
    """
    slots = np.zeros(len(part), np.int32)
    where = np.flatnonzero(pending)
    if not len(where):
        return slots, 0
    pairs = part[where].astype(np.int64) * (int(class_of.max()) + 1) + class_of[where]
    found, inverse = np.unique(pairs, return_inverse=True)
    owner = found // (int(class_of.max()) + 1)
    starts = np.searchsorted(owner, owner)  # of the first class of the same part
    slots[where] = (np.arange(len(found)) - starts)[inverse]
    return slots, int(slots.max()) + 1


def _events(part: Int32s, called: Int64s, returned: Int64s, parts: int) -> tuple[Int64s, Int64s, int]:
    """Events by part and time, calls first where times are equal; where parts begin; most under way."""
    n = len(called)
    pending = returned == NEVER
    ends = np.flatnonzero(~pending)
    operation = np.concatenate([np.arange(n), ends])
    kind = np.concatenate([np.where(pending, w.AVAILABLE, w.CALL), np.full(len(ends), w.RETURN)]).astype(np.int64)
    time = np.concatenate([called, returned[ends]])
    parts_of = part[operation]
    order = np.lexsort((kind == w.RETURN, time, parts_of))
    events = kind[order] << 32 | operation[order]
    first = np.searchsorted(parts_of[order], np.arange(parts + 1))
    change = np.select([kind[order] == w.CALL, kind[order] == w.RETURN], [1, -1], 0)
    return events, first, int(np.cumsum(change).max(initial=0))
