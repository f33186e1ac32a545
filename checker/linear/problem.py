"""A history as the search takes it: classes of operations, and events in order of time.

Operations that do the same form a class; what the object makes of a class in a state is
found once.  Operations on different keys, or on different parts of the object, do not
affect each other, so each part is a problem of its own; the parts lie one after the other
in the same arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from scrutator.checker.linear import frontier_words as w
from scrutator.checker.linear.effects import ClassEffects, effects_of
from scrutator.checker.linear.history import NEVER, NO_KEY, UNKNOWN, History, Int32s, Int64s
from scrutator.model.objects.sequential import ANY, Method, Object, Value, exactly

BEFORE_ALL = -(1 << 61)  # when operations that may take effect at any time are called

Bools = npt.NDArray[np.bool_]


class UnfitHistory(Exception):
    """The history is not one of the object's: a method that it does not have, an argument that makes no sense."""


@dataclass(frozen=True)
class Parts:
    """The parts of a history: of each operation its part, and the parts' keys."""

    of: Int32s
    keys: tuple[Value, ...]

    @cached_property
    def sizes(self) -> list[int]:
        """How many operations each part has."""
        sizes: list[int] = np.bincount(self.of, minlength=len(self.keys)).tolist()
        return sizes

    @cached_property
    def _by_part(self) -> tuple[Int64s, Int64s]:
        return np.argsort(self.of, kind="stable"), np.concatenate([[0], np.cumsum(self.sizes)])

    def operations(self, number: int) -> Int64s:
        """Positions in the history of a part's operations, in order of call."""
        order, begins = self._by_part
        return order[begins[number] : begins[number + 1]]


@dataclass(frozen=True)
class Classes:
    """What operations do, each kind once: a method, an argument, and the result it must have."""

    of: Int32s  # class of each operation
    method: Int32s
    argument: Int32s
    result: Int32s
    effects: ClassEffects | None
    reads_only: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Problem:
    """Parts of a history, ready to be searched.

    ``operations[k]`` is the position in the history of the operation that events call
    k.  Part p has the events from ``first_event[p]`` up to ``first_event[p + 1]``.
    """

    history: History
    object: Object
    methods: tuple[Method, ...]
    classes: Classes
    operations: Int64s
    class_of: Int32s  # of each operation
    returns: Int64s  # event with which each operation returns
    events: Int64s
    first_event: Int64s
    keys: tuple[Value, ...]
    pending_slots: Int32s  # of each operation
    slots: int  # most operations under way at a time
    used_slots: int  # most classes of pending operations at a time
    complete: bool  # nothing follows, and no operation is let happen otherwise than recorded

    @property
    def parts(self) -> int:
        return len(self.first_event) - 1


def methods_of(history: History, object_: Object) -> tuple[Method, ...]:
    """The object's methods by the history's names.  Raises `UnfitHistory`."""
    methods = []
    for name in history.methods:
        method = object_.find(name)
        if method is None:
            known = ", ".join(object_.methods)
            raise UnfitHistory(f"{history.source}: the object {object_.name} has no method {name}; it has {known or 'none'}")
        methods.append(method)
    for number, method in enumerate(methods):
        _refuse_mistakes(history, number, method)
    return tuple(methods)


def _refuse_mistakes(history: History, number: int, method: Method) -> None:
    if method.takes is None:
        return
    calls = np.flatnonzero(history.method == number)
    arguments, first = np.unique(history.argument[calls], return_index=True)
    for argument, at in zip(arguments.tolist(), first.tolist(), strict=True):
        mistake = method.mistake(history.values[argument])
        if mistake is not None:
            raise UnfitHistory(f"{history.source}:{history.line[calls[at]]}: {mistake}")


def parts_of(history: History, object_: Object) -> Parts:
    """The parts: by key, and by what the object says of its own."""
    key = history.key.astype(np.int64)
    if object_.part is None:
        found, place = np.unique(key, return_inverse=True)
        return Parts(place.astype(np.int32), tuple(None if k == NO_KEY else history.values[k] for k in found.tolist()))
    values, methods = np.int64(len(history.values)), np.int64(len(history.methods))
    found, place = np.unique(((key + 1) * methods + history.method) * values + history.argument, return_inverse=True)
    rest, argument = np.divmod(found, values)
    above, which = np.divmod(rest, methods)
    own = [name if (method := object_.find(name)) is None else method.name for name in history.methods]
    names = [
        (k, object_.part(own[m], history.values[a]))
        for k, m, a in zip((above - 1).tolist(), which.tolist(), argument.tolist(), strict=True)
    ]
    whole = {k for k, name in names if name is None}  # operations on the whole hold its parts together
    numbers: dict[tuple[int, Value], int] = {}  # 1 and 1.0 are two parts
    keys: list[Value] = []
    of = []
    for k, name in ((k, None if k in whole else name) for k, name in names):
        number = numbers.setdefault((k, exactly(name)), len(numbers))
        if number == len(keys):
            keys.append(_key(history, k, name))
        of.append(number)
    return Parts(np.array(of, np.int32)[place], tuple(keys))


def _key(history: History, key: int, name: Value) -> Value:
    if key == NO_KEY:
        return name
    return history.values[key] if name is None else (history.values[key], name)


def problem_of(
    history: History, object_: Object, parts: Parts, *, free: Bools | None = None, goes_on: bool = False
) -> Problem:
    """Prepare a history.

    Args:
        history: What was recorded.
        object_: What it should be a history of.
        parts: Of the history.
        free: Of operations that may take effect at any time or never; on objects whose state
            is one value also any number of times.
        goes_on: More operations follow, so that the state at the end matters.

    Raises:
        UnfitHistory: The object lacks a method.
    """
    methods = methods_of(history, object_)
    pending = history.returned == NEVER
    free = np.zeros(len(history), np.bool_) if free is None else free
    complete = not (goes_on or free.any())
    called = np.where(free, BEFORE_ALL, history.called)
    classes = plain_classes(history, object_, methods, pending | free)
    if object_.initial is ANY and classes.effects is None:
        raise UnfitHistory(f"{history.source}: only an object whose state is one value may start with anything")
    if classes.effects is not None:
        returned = np.where(pending | free, NEVER, history.returned)
        classes = _by_effect(classes, parts.of, called, returned, goes_on)
    keep = ~((pending | free) & (classes.reads_only[classes.of] == 1))
    if classes.effects is not None:
        keep &= _wanted(history, parts.of, classes, pending & ~free)
        keep &= ~free | _first_of_each(parts.of, classes.of, free)
    order = np.flatnonzero(keep)
    order = order[np.argsort(called[order], kind="stable")]
    part, class_of, free = parts.of[order], classes.of[order], free[order]
    never = pending[order] | free
    spared = _able(classes)[class_of].astype(np.int64) * len(classes.method) + class_of
    pending_slots, used_slots = _pending_slots(part, spared, never)
    kind = np.select([free & (classes.effects is not None), never], [w.FREE, w.AVAILABLE], w.CALL)
    events, first_event, slots = _events(part, kind, called[order], history.returned[order], len(parts.keys))
    returns = np.zeros(len(order), np.int64)
    at = np.flatnonzero(events >> 32 == w.RETURN)
    returns[events[at] & 0xFFFFFFFF] = at
    return Problem(
        history, object_, methods, classes, order, class_of, returns, events, first_event, parts.keys,
        pending_slots, slots, used_slots, complete,
    )  # fmt: skip


# --- classes ----------------------------------------------------------------------------


def plain_classes(history: History, object_: Object, methods: tuple[Method, ...], pending: Bools) -> Classes:
    """Operations of the same method, argument and result as one class; pending ones have no result."""
    values = len(history.values) + 1
    result = np.where(pending, UNKNOWN, history.result)
    packed = (history.method.astype(np.int64) * values + history.argument) * values + (result + 1)
    found, of = np.unique(packed, return_inverse=True)
    rest, result = np.divmod(found, values)
    method, argument = (column.astype(np.int32) for column in np.divmod(rest, values))
    result = (result - 1).astype(np.int32)
    effects = effects_of(object_, methods, method, argument, result, history.values)
    reads_only = np.array([m.reads_only for m in methods], np.uint8)[method]
    return Classes(of.astype(np.int32), method, argument, result, effects, reads_only)


def _by_effect(classes: Classes, part: Int32s, called: Int64s, returned: Int64s, goes_on: bool) -> Classes:
    """Classes of equal effects as one.

    States that no later operation looks at need not be told apart: they become one, unless
    the history goes on.
    """
    effects = classes.effects
    assert effects is not None
    pre, not_pre, post = effects.pre[classes.of], effects.not_pre[classes.of], effects.post[classes.of]
    states = np.int64(len(effects.states) + 2)
    looked_at, until = _last_look(part, states, pre, not_pre, returned)
    left = part * states + post
    place = np.minimum(np.searchsorted(looked_at, left), max(len(looked_at) - 1, 0))
    needed = np.full(len(left), goes_on)
    if len(looked_at) and not goes_on:
        needed = (looked_at[place] == left) & (until[place] >= called)
    post = np.where((post == 0) | needed, post, states - 1)
    packed = (pre * states + not_pre) * states + post
    _, first, of = np.unique(packed, return_index=True, return_inverse=True)
    merged = ClassEffects(
        pre[first].astype(np.int32), not_pre[first].astype(np.int32), post[first].astype(np.int32),
        effects.initial, (*effects.states, None),
    )  # fmt: skip
    was = classes.of[first]
    return Classes(
        of.astype(np.int32), classes.method[was], classes.argument[was], classes.result[was], merged,
        (merged.post == 0).astype(np.uint8),
    )  # fmt: skip


def _last_look(part: Int32s, states: np.int64, pre: Int32s, not_pre: Int32s, returned: Int64s) -> tuple[Int64s, Int64s]:
    """The pairs of part and state that operations look at, in order, and until when."""
    needs, refuses = pre > 0, not_pre > 0
    pairs = np.concatenate([part[needs] * states + pre[needs], part[refuses] * states + not_pre[refuses]])
    ends = np.concatenate([returned[needs], returned[refuses]])
    found, at = np.unique(pairs, return_inverse=True)
    until = np.full(len(found), np.iinfo(np.int64).min)
    np.maximum.at(until, at, ends)
    return found, until


def _able(classes: Classes) -> Bools:
    """Of each class, whether it takes place in any state."""
    return np.zeros(len(classes.method), np.bool_) if classes.effects is None else classes.effects.pre == 0


def _first_of_each(part: Int32s, class_of: Int32s, free: Bools) -> Bools:
    """Of the free operations of a part and class, the first: it stands for all."""
    first = np.zeros(len(part), np.bool_)
    where = np.flatnonzero(free)
    if len(where):
        _, at = np.unique(part[where].astype(np.int64) << 32 | class_of[where], return_index=True)
        first[where[at]] = True
    return first


def _wanted(history: History, part: Int32s, classes: Classes, pending: Bools) -> Bools:
    """All but the pending operations that leave a state on which nothing later depends.

    Whatever depends on *not* finding a state, or is itself pending, may depend on any.
    """
    effects = classes.effects
    assert effects is not None
    wanted = np.ones(len(history), np.bool_)
    if not pending.any():
        return wanted
    refuses = np.zeros(int(part.max()) + 1, np.bool_)
    refuses[part[(effects.not_pre > 0)[classes.of]]] = True
    unneeded = effects.post[classes.of] == len(effects.states)  # the state that stands for all that nobody looks at
    wanted[pending & unneeded & ~refuses[part]] = False
    return wanted


# --- slots and events -------------------------------------------------------------------


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


def _in_order(time: Int64s, returns: Bools) -> Int64s:
    """Events by time, calls before returns; calls and returns each nearly in order, which a stable sort makes use of."""
    if len(time) and max(-int(time.min()), int(time.max())) >= 1 << 62:
        return np.lexsort((returns, time))
    return np.argsort(2 * time + returns, kind="stable")


def _events(part: Int32s, kind: Int64s, called: Int64s, returned: Int64s, parts: int) -> tuple[Int64s, Int64s, int]:
    """Events by part and time, calls first where times are equal; where parts begin; most under way."""
    ends = np.flatnonzero(kind == w.CALL)
    operation = np.concatenate([np.arange(len(called)), ends])
    kind = np.concatenate([kind, np.full(len(ends), w.RETURN)]).astype(np.int64)
    time = np.concatenate([called, returned[ends]])
    parts_of = part[operation]
    order = _in_order(time, kind == w.RETURN)
    if parts > 1:
        small = parts <= 1 << 16  # numbers of 16 bits sort in linear time
        order = order[np.argsort(parts_of[order].astype(np.uint16 if small else np.int32), kind="stable")]
    events = kind[order] << 32 | operation[order]
    first = np.searchsorted(parts_of[order], np.arange(parts + 1))
    change = np.select([kind[order] == w.CALL, kind[order] == w.RETURN], [1, -1], 0)
    return events, first, int(np.cumsum(change).max(initial=0))
