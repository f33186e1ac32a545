"""Queues and stacks in states from which what was returned can no longer be returned.

A queue gives its values back in order, a stack in reverse.  A state that holds two values
in an order that contradicts when they were removed need not be looked at any further.
The law: only states without a future are called hopeless.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scrutator.checker.linear.history import NEVER, UNKNOWN
from scrutator.checker.linear.problem import Problem
from scrutator.model.objects.queues import QUEUE, STACK
from scrutator.model.objects.sequential import State, Value

NEVER_REMOVED = (NEVER, NEVER)


def hopeless_of(problem: Problem) -> Callable[[State], bool] | None:
    """Tells hopeless states, if the history is all of one queue or stack and adds no value twice; else None."""
    methods = problem.object.methods
    kind = next((kin for kin in (QUEUE, STACK) if kin.methods == methods), None)
    if kind is None or problem.parts != 1 or problem.object.initial != () or not problem.complete:
        return None
    removed = _removals(problem, "enqueue" if kind is QUEUE else "push", "dequeue" if kind is QUEUE else "pop")
    if removed is None:
        return None
    return _Queue(removed).hopeless if kind is QUEUE else _Stack(removed).hopeless


def _removals(problem: Problem, add: str, remove: str) -> dict[Value, tuple[int, int]] | None:
    """When the removal of each value was called and returned; None where that is not certain."""
    history = problem.history
    names = [method.name for method in problem.methods]
    adds = np.isin(history.method, [k for k, name in enumerate(names) if name == add])
    removes = np.isin(history.method, [k for k, name in enumerate(names) if name == remove])
    pending = history.returned == NEVER
    added = history.argument[adds]
    if not (adds | removes).all() or len(np.unique(added)) < len(added) or (removes & pending).any():
        return None
    found = {history.values[value]: NEVER_REMOVED for value in added.tolist()}
    taken = removes & (history.result != UNKNOWN)
    for value, called, returned in zip(
        history.result[taken].tolist(), history.called[taken].tolist(), history.returned[taken].tolist(), strict=True
    ):
        found[history.values[value]] = (called, returned)
    return found if len(found) <= len(added) + 1 else None  # one more is what empties return


class _Queue:
    def __init__(self, removed: dict[Value, tuple[int, int]]) -> None:
        self.removed = removed

    def hopeless(self, state: State) -> bool:
        """Whether the last value was removed before one ahead of it was about to be."""
        assert isinstance(state, tuple)
        if len(state) < 2:
            return False
        returned = self.removed[state[-1]][1]
        return returned != NEVER and any(self.removed[value][0] > returned for value in state[:-1])


class _Stack:
    def __init__(self, removed: dict[Value, tuple[int, int]]) -> None:
        self.removed = removed

    def hopeless(self, state: State) -> bool:
        """Whether a value below was removed before the one on top was about to be."""
        assert isinstance(state, tuple)
        if len(state) < 2:
            return False
        called = self.removed[state[-1]][0]
        return any(self.removed[value][1] < called for value in state[:-1])
