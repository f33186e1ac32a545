"""Sequential consistency of any object: a search over how far each process has come.

An operation that changes nothing takes place as soon as it can.  What was tried in vain
is remembered.  NP-complete: beyond the limits nothing is known.
"""

from __future__ import annotations

import time

from scrutator.checker.linear.history import History, Operation, Value
from scrutator.checker.linear.problem import methods_of
from scrutator.checker.verdict import Verdict
from scrutator.model.objects.sequential import Method, Object, State

TRIED_MAX = 2_000_000  # situations remembered
CHECK_EVERY = 1 << 10

Situation = tuple[tuple[int, ...], tuple[tuple[Value, State], ...]]


def sequential(history: History, object_: Object, deadline: float) -> Verdict:
    """Whether one order of all operations explains them, keys taken together."""
    methods_of(history, object_)
    search = _Search(history, object_)
    return search.run(deadline)


class _Search:
    def __init__(self, history: History, object_: Object) -> None:
        self.object = object_
        sessions: dict[int, list[Operation]] = {}
        for operation in history:
            sessions.setdefault(operation.process, []).append(operation)
        self.sessions = list(sessions.values())
        self.methods: dict[str, Method] = {}
        for name in history.methods:
            method = object_.find(name)
            assert method is not None
            self.methods[name] = method
        self.required = [sum(not o.pending for o in session) for session in self.sessions]

    def run(self, deadline: float) -> Verdict:
        start = self._settled((tuple(0 for _ in self.sessions), ()))
        tried: set[Situation] = {start}
        stack = [start]
        count = 0
        while stack:
            count += 1
            if count % CHECK_EVERY == 0 and (time.perf_counter() > deadline or len(tried) > TRIED_MAX):
                return Verdict.UNKNOWN
            situation = stack.pop()
            if all(far >= need for far, need in zip(situation[0], self.required, strict=True)):
                return Verdict.HOLDS
            for session in range(len(self.sessions)):
                for following in self._steps(situation, session):
                    settled = self._settled(following)
                    if settled not in tried:
                        tried.add(settled)
                        stack.append(settled)
        return Verdict.VIOLATED

    def _steps(self, situation: Situation, session: int) -> list[Situation]:
        """What comes of the next operation of a session."""
        far, contents = situation
        if far[session] == len(self.sessions[session]):
            return []
        operation = self.sessions[session][far[session]]
        method = self.methods[operation.method]
        states = dict(contents)
        state = states.get(operation.key, self.object.initial)
        moved = (*far[:session], far[session] + 1, *far[session + 1 :])
        found = []
        for result, after in method.outcomes(state, operation.argument):
            if operation.pending or method.agrees(result, operation.result):
                found.append((moved, tuple(sorted({**states, operation.key: after}.items(), key=repr))))
        return found

    def _settled(self, situation: Situation) -> Situation:
        """All operations done that change nothing and can be done."""
        again = True
        while again:
            again = False
            for session, operations in enumerate(self.sessions):
                while situation[0][session] < len(operations):
                    operation = operations[situation[0][session]]
                    if not self.methods[operation.method].reads_only:
                        break
                    steps = self._steps(situation, session)
                    if not steps:
                        break
                    situation = (steps[0][0], situation[1])
                    again = True
        return situation
