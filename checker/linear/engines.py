"""Which engine decides a part of a history, and what it says.

The law: every engine decides exactly or says that it does not know, so that any two that
both decide agree; where they do not, that is a bug of ours, and is said.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from scrutator.checker.linear.frontier import BEAMS, Finding, Search, stopped_after
from scrutator.checker.linear.history import History
from scrutator.checker.linear.monitors.calls import Calls, Conflict, Inapplicable, calls_of
from scrutator.checker.linear.problem import Parts, Problem
from scrutator.checker.linear.stale import stale
from scrutator.checker.verdict import Verdict
from scrutator.model.objects.sequential import Effects, Object

ENGINES = ("auto", "search", "monitor", "smt", "all")
WIDE = 16  # operations under way at a time from which a monitor is asked before the search
SMALL = 24  # operations of a part up to which a search by table is asked before a monitor
SMT_AMONG_ALL = 24  # operations of a part up to which "all" asks the solver too
WITNESS_S = 5.0  # in looking for an order that is known to exist

Monitor = Callable[[Calls], Conflict | None]


class Disagreement(Exception):
    """Two engines decided differently: a bug in scrutator."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What an engine says of a part.

    ``culprit`` and ``conflict`` are positions in the history: an operation by whose return
    there is no linearization, ``first`` if it is known to be the first such, and operations
    that alone have none, with the ``reason`` in words.
    """

    verdict: Verdict
    engine: str
    why: str
    culprit: int | None = None
    first: bool = True
    conflict: tuple[int, ...] = ()
    reason: str = ""
    limit: str | None = None
    witness: tuple[int, ...] | None = None
    visited: int = 0
    widest: int = 0


class Decider:
    """Decides parts, one after the other, in one thread."""

    def __init__(
        self, history: History, object_: Object, parts: Parts, problem: Problem, engine: str, witness: bool,
        memory_bytes_max: int | None, deadline: float | None,
    ) -> None:  # fmt: skip
        self.history, self.object, self.parts, self.problem = history, object_, parts, problem
        self.engine, self.witness, self.deadline = engine, witness, deadline
        self.monitor = monitor_of(object_)
        self.search = Search(problem, memory_bytes_max, witness=witness)

    def part(self, number: int) -> Decision:
        if self.engine == "auto":
            return self._auto(number)
        if self.engine == "all":
            return self._all(number)
        if self.engine == "monitor":
            return self._monitored(number)
        if self.engine == "smt":
            return self._smt(number)
        return self._searched(self.search.part(number), "as asked")

    # --- one engine -------------------------------------------------------------------

    def _searched(self, found: Finding, why: str) -> Decision:
        verdict = Verdict.VIOLATED if found.operation is not None else Verdict.UNKNOWN if found.limit else Verdict.HOLDS
        return Decision(
            verdict, "search", why, found.operation, limit=found.limit, witness=found.witness, visited=found.visited,
            widest=found.widest,
        )  # fmt: skip

    def _monitored(self, number: int) -> Decision:
        """What the monitor says; UNKNOWN where it does not apply."""
        if self.monitor is None:
            return Decision(Verdict.UNKNOWN, "monitor", f"there is no monitor for {self.object.name}")
        which = self.parts.operations(number)
        calls = calls_of(self.history, self.object, which)
        try:
            found = self.monitor(calls)
        except Inapplicable as reason:
            return Decision(Verdict.UNKNOWN, "monitor", f"the monitor does not apply: {reason}")
        why = "no value is added twice" if not _is_register(self.object) else "no value is written twice"
        if found is None:
            return self._with_witness(Decision(Verdict.HOLDS, "monitor", why), number)
        last = max(found.operations, key=lambda k: int(calls.returned[k]))
        conflict = tuple(int(which[k]) for k in found.operations)
        return Decision(Verdict.VIOLATED, "monitor", why, int(which[last]), False, conflict, found.reason)

    def _with_witness(self, decision: Decision, number: int) -> Decision:
        if not self.witness:
            return decision
        found = self.search.narrow(number)
        if found is not None:
            return replace(decision, witness=found.witness)
        which = self.parts.operations(number)
        order = _order_of_queue(calls_of(self.history, self.object, which))
        if order is not None:
            return replace(decision, witness=tuple(which[list(order)].tolist()))
        with stopped_after(self.search, WITNESS_S):
            found = self.search.wide(number)
        return replace(decision, witness=found.witness)

    def _smt(self, number: int) -> Decision:
        from scrutator.checker.linear.smt import decide

        left = None if self.deadline is None else max(self.deadline - time.perf_counter(), 0.001)
        try:
            found = decide(self.history, self.object, self.parts.operations(number), timeout_s=left)
        except Inapplicable as reason:
            return Decision(Verdict.UNKNOWN, "smt", f"the solver was not asked: {reason}")
        culprit = max(found.core, key=lambda k: int(self.history.returned[k]), default=None)
        if found.verdict is Verdict.VIOLATED and culprit is None:
            culprit = int(self.parts.operations(number)[-1])
        return Decision(
            found.verdict, "smt", "as asked", culprit if found.verdict is Verdict.VIOLATED else None, False,
            limit=found.reason if found.verdict is Verdict.UNKNOWN else None,
            witness=found.witness if self.witness else None,
        )  # fmt: skip

    # --- several ----------------------------------------------------------------------

    def _auto(self, number: int) -> Decision:
        """Near-linear engines first, the one before that is likely to decide; then the wide search."""
        by_effect = self.problem.classes.effects is not None
        wide = self.problem.slots > WIDE if by_effect else self.parts.sizes[number] > SMALL
        monitored = self._monitored(number) if wide and self.monitor is not None else None
        if monitored is not None and monitored.verdict is not Verdict.UNKNOWN:
            return monitored
        for beam in BEAMS[: 1 if wide else 2]:
            found = self.search.narrow(number, beam)
            if found is not None:
                return self._searched(found, "a narrow beam decided")
        if by_effect and (event := stale(self.problem, number)) is not None:
            culprit = int(self.problem.operations[self.problem.events[event] & 0xFFFFFFFF])
            return Decision(Verdict.VIOLATED, "search", "a read that no write explains", culprit, False)
        monitored = monitored or self._monitored(number)
        if monitored.verdict is not Verdict.UNKNOWN:
            return monitored
        return self._searched(self.search.wide(number), monitored.why)

    def _all(self, number: int) -> Decision:
        """Every engine that applies; what they agree upon."""
        asked = [self._searched(self.search.part(number), ""), self._monitored(number)]
        if self.parts.sizes[number] <= SMT_AMONG_ALL:
            asked.append(self._smt(number))
        decided = [decision for decision in asked if decision.verdict is not Verdict.UNKNOWN]
        if len({decision.verdict for decision in decided}) > 1:
            said = ", ".join(f"{d.engine} {d.verdict.value}" for d in decided)
            raise Disagreement(f"{self.history.source}: engines disagree on {self.parts.keys[number]!r}: {said}")
        best = decided[0] if decided else asked[0]
        silent = "; ".join(decision.why for decision in asked if decision not in decided)
        return replace(best, engine=", ".join(d.engine for d in decided or asked), why=silent or "all agree")


def _order_of_queue(calls: Calls) -> tuple[int, ...] | None:
    """An order of what a queue's monitor has found legal; None for other objects, or where there is none at hand."""
    from scrutator.checker.linear.monitors import queue_order
    from scrutator.model.objects.queues import QUEUE

    return queue_order.order(calls) if calls.object.methods == QUEUE.methods else None


def _is_register(object_: Object) -> bool:
    return any(method.effect is Effects.LOOKS for method in object_.methods.values())


def monitor_of(object_: Object) -> Monitor | None:
    """The monitor for an object, if there is one."""
    if _is_register(object_):
        from scrutator.checker.linear.monitors import register

        return register.decide
    return next((monitor for kin, monitor in _collections() if kin.methods == object_.methods), None)


@cache
def _collections() -> tuple[tuple[Object, Monitor], ...]:
    from scrutator.checker.linear.monitors import grow_only_set, priority_queue, queue, stack
    from scrutator.model.objects import queues, sets

    return (
        (queues.QUEUE, queue.decide), (queues.STACK, stack.decide),
        (queues.PRIORITY_QUEUE, priority_queue.decide), (queues.MIN_PRIORITY_QUEUE, priority_queue.decide),
        (sets.GROW_ONLY_SET, grow_only_set.decide), (sets.SET, grow_only_set.decide),
    )  # fmt: skip
