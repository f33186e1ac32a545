"""Objects whose state is one value that operations look at, set, or both.

For those a class of operations is three numbers: the state it needs, the state it must
not find, and the state it leaves, each a position among the states, plus 1, and 0 where
it is any, none, or the same.  Registers, compare-and-set, locks and elements of sets are
such, as their methods declare; their operations need no table of steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scrutator.checker.linear.history import UNKNOWN, Int32s
from scrutator.model.objects.sequential import (
    ANY,
    Effect,
    Effects,
    Method,
    Object,
    State,
    Value,
    exactly,
    same,
)


@dataclass(frozen=True, slots=True)
class ClassEffects:
    """Of each class; ``initial`` is the state that a history starts in, plus 1, or 0 if it may be any."""

    pre: Int32s
    not_pre: Int32s
    post: Int32s
    initial: int
    states: tuple[State, ...]


def effects_of(
    object_: Object, methods: Sequence[Method], method: Int32s, argument: Int32s, result: Int32s, values: tuple[Value, ...]
) -> ClassEffects | None:
    """The effects of classes, or None if the object is not of this kind."""
    if any(m.effect is None for m in methods) or (object_.part is not None and object_.initial):
        return None  # what a part starts with is known only of an object that starts with nothing
    states = _States(values)
    pre, not_pre, post = (np.zeros(len(method), np.int32) for _ in range(3))
    for m, declared in enumerate(methods):
        here = method == m
        if declared.effect is Effects.LOOKS:
            pre[here] = result[here] + 1
        elif declared.effect is Effects.SETS:
            post[here] = argument[here] + 1
        else:
            for k in np.flatnonzero(here).tolist():
                found = _effect(declared, values[argument[k]], None if result[k] == UNKNOWN else values[result[k]])
                pre[k], not_pre[k], post[k] = states.position(NOWHERE) + 1, 0, 0
                if found is not None:
                    pre[k], not_pre[k], post[k] = map(states.number, (found.needs, found.refuses, found.leaves))
    return ClassEffects(pre, not_pre, post, states.number(object_.initial), tuple(states.all))


FEW = 4  # positions that are looked for before all are put into a table
NOWHERE = object()  # the state that an operation needs that cannot be


def _effect(method: Method, argument: Value, result: Value) -> Effect | None:
    if method.effect is not Effects.SWAPS:
        assert callable(method.effect)
        return method.effect(argument, result)
    assert isinstance(argument, tuple)
    expected, new = argument
    if result is None or result is True:
        return Effect(expected, leaves=new)
    return Effect(refuses=expected) if result is False else None


class _States:
    """The history's values, and whatever else a state may be, numbered."""

    def __init__(self, values: tuple[Value, ...]) -> None:
        self.all: list[State] = list(values)
        self._positions: dict[Value, int] = {}
        self._asked = 0

    def number(self, state: State) -> int:
        return 0 if state is ANY else self.position(state) + 1

    def position(self, state: State) -> int:
        if not self._positions and self._asked < FEW:
            self._asked += 1
            found = self.all.index(state) if state in self.all else -1
            if found >= 0 and same(self.all[found], state):
                return found
        if not self._positions:
            self._positions = {exactly(v): k for k, v in enumerate(self.all)}
        key = exactly(state)
        if key not in self._positions:
            self._positions[key] = len(self.all)
            self.all.append(state)
        return self._positions[key]
