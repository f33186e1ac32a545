"""Stale reads: a quick look for operations that no state can explain, on objects whose state is one value.

An operation that needs a state needs an operation that left it.  That one is of no use if
it returned before yet another was called that shows a different state and itself returned
before the first was called.  The law: whoever has nobody left has no linearization; the
rest may still have none, which is for the search to say.  One sweep over the events.
"""

from __future__ import annotations

from scrutator.checker.linear import frontier_words as w
from scrutator.checker.linear.history import NEVER
from scrutator.checker.linear.problem import Problem

BEFORE_ALL, FIRST = -2, -1  # what has not been; the call and the return of what a history starts with


def stale(problem: Problem, part: int) -> int | None:
    """The event of the first return that no state can explain, or None where there is no such."""
    effects = problem.classes.effects
    assert effects is not None
    begin, end = int(problem.first_event[part]), int(problem.first_event[part + 1])
    pre, post = effects.pre[problem.class_of].tolist(), effects.post[problem.class_of].tolist()
    returns = problem.returns.tolist()  # events are times here: a call's is its position
    unseen = BEFORE_ALL if effects.initial else FIRST
    latest = {effects.initial: FIRST}  # of each state, the last return of those that leave it
    since: dict[int, int] = {}  # of each operation under way, the last call of those before that show another state
    shown = _Shown()
    called: dict[int, int] = {}
    for at, event in enumerate(problem.events[begin:end].tolist(), begin):
        kind, operation = event >> 32, event & 0xFFFFFFFF
        needs, leaves = pre[operation], post[operation]
        if kind == w.RETURN:
            if needs and latest.get(needs, unseen) < since.pop(operation):
                return at
            if needs or leaves:
                shown.add(leaves or needs, called.pop(operation))
            continue
        if leaves:
            latest[leaves] = max(latest.get(leaves, unseen), returns[operation] if kind == w.CALL else NEVER)
        if kind == w.CALL and (needs or leaves):
            called[operation] = at
            if needs:
                since[operation] = shown.other_than(needs)
    return None


class _Shown:
    """The latest call among operations that show a state, and the latest among those that show another one."""

    def __init__(self) -> None:
        self._state, self._call, self._other = 0, FIRST, FIRST

    def add(self, state: int, call: int) -> None:
        if state == self._state:
            self._call = max(self._call, call)
        elif call > self._call:
            self._state, self._call, self._other = state, call, self._call
        else:
            self._other = max(self._other, call)

    def other_than(self, state: int) -> int:
        return self._other if state == self._state else self._call
