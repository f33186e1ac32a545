"""Sequential consistency of any object: a search over how far each process has come.

An operation that changes nothing takes place as soon as it can.  What was tried in vain
is remembered.  NP-complete: beyond the limits nothing is known.
"""

from __future__ import annotations

import time

from scrutator.checker.linear.history import History, Operation, Value
from scrutator.checker.linear.problem import methods_of
from scrutator.checker.verdict import Verdict
from scrutator.model.objects.sequential import Method, Object, State, exactly

TRIED_MAX = 300_000  # situations remembered, each as long as there are processes and keys
CHECK_EVERY = 1 << 10

Situation = tuple[tuple[int, ...], tuple[State, ...]]  # how far each process has come, and what each key holds


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
        self.keys: dict[Value, int] = {}
        for operation in history:
            self.keys.setdefault(exactly(operation.key), len(self.keys))
        # How far each has to come: past the last operation that returned.
        self.required = [max((k for k, o in enumerate(of, 1) if not o.pending), default=0) for of in self.sessions]

    def run(self, deadline: float) -> Verdict:
        start = self._settled((tuple(0 for _ in self.sessions), tuple(self.object.initial for _ in self.keys)))
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
            for session in self._latest_first(situation):  # so that real time is tried first
                for following in self._steps(situation, session):
                    settled = self._settled(following)
                    if settled not in tried:
                        tried.add(settled)
                        stack.append(settled)
        return Verdict.VIOLATED

    def _latest_first(self, situation: Situation) -> list[int]:
        """The sessions that go on, the one that called last in front."""
        left = [s for s, far in enumerate(situation[0]) if far < len(self.sessions[s])]
        return sorted(left, key=lambda s: -self.sessions[s][situation[0][s]].called)

    def _steps(self, situation: Situation, session: int) -> list[Situation]:
        """What comes of the next operation of a session."""
        far, contents = situation
        if far[session] == len(self.sessions[session]):
            return []
        operation = self.sessions[session][far[session]]
        method = self.methods[operation.method]
        key = self.keys[exactly(operation.key)]
        moved = (*far[:session], far[session] + 1, *far[session + 1 :])
        found = [(moved, contents)] if operation.pending else []  # it may never take effect
        for result, after in method.outcomes(contents[key], operation.argument):
            if operation.pending or method.agrees(result, operation.result):
                found.append((moved, (*contents[:key], after, *contents[key + 1 :])))
        return found

    def _settled(self, situation: Situation) -> Situation:
        """All operations done that change nothing and can be done."""
        again = True
        while again:
            again = False
            for session, operations in enumerate(self.sessions):
                while situation[0][session] < len(operations):
                    operation = operations[situation[0][session]]
                    if operation.pending or not self.methods[operation.method].reads_only:
                        break
                    steps = self._steps(situation, session)
                    if not steps:
                        break
                    situation = (steps[0][0], situation[1])
                    again = True
        return situation
