"""Explain why a part of a history has no linearization.

First a small conflict, then the shortest prefix: an operation is to blame if what had been
called and returned by its return has no linearization, and by any earlier return it has.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from scrutator.checker.linear.conflicts import Conflicts, Small
from scrutator.checker.linear.engines import Decider, Decision
from scrutator.checker.linear.frontier import stopped_after
from scrutator.checker.linear.history import NEVER, History, Int64s
from scrutator.checker.linear.problem import parts_of, problem_of
from scrutator.checker.linear.reasons import Scene, name, reasons
from scrutator.checker.linear.result import Explanation
from scrutator.checker.verdict import Verdict
from scrutator.model.objects.sequential import Object

PREFIX_S = 1.0  # for one prefix


class Explainer:
    """Explains the violation of one part, whose operations are at some positions of a history."""

    def __init__(self, history: History, object_: Object, which: Int64s, until: float) -> None:
        self.which, self.object, self.until = which, object_, until
        self.part = history.take(which)

    def explain(self, decision: Decision) -> Explanation | None:
        """The explanation, or None if there was no time for it."""
        assert decision.culprit is not None
        culprit, first = self._first_illegal(decision, int(np.searchsorted(self.which, decision.culprit)))
        part = self.part.until(int(self.part.returned[culprit]))
        conflicts = Conflicts(part, self.object, self.until)
        if not self._known(decision.conflict, part):  # ask again what it is by then
            decision = replace(decision, conflict=(), reason="")
        if not decision.conflict and not conflicts.by_effect:
            again = self._decision(culprit, "monitor")
            decision = again if again.verdict is Verdict.VIOLATED else decision
        hint = [int(k) for k in np.searchsorted(self.which, decision.conflict)]
        small = conflicts.find(culprit, hint) or conflicts.find(culprit)
        if small is None:
            conflict: tuple[int, ...] = ()
            said: tuple[str, ...] = (decision.reason,) if decision.reason else ()
        else:
            conflict = tuple(sorted(small.operations))
            said = self._reasons(part, culprit, conflicts, small, decision.reason)
        operations = [replace(self.part[k], index=int(self.which[k])) for k in conflict]
        return Explanation(
            culprit=replace(self.part[culprit], index=int(self.which[culprit])),
            conflict=tuple(operations),
            reasons=said,
            prefix=len(part),
            shortest=first,
            minimal=small is not None and small.minimal,
        )

    def _known(self, operations: tuple[int, ...], part: History) -> bool:
        """Whether as much is known of operations, at positions in the history, in a part cut short."""
        places = np.searchsorted(self.which, operations)
        return all(k < len(part) and part.returned[k] == self.part.returned[k] for k in places.tolist())

    def _reasons(self, part: History, culprit: int, conflicts: Conflicts, small: Small, reason: str) -> tuple[str, ...]:
        operations = sorted(small.operations)
        blamed = culprit if culprit in operations else max(operations, key=lambda k: int(part.returned[k]))
        said = [reason] if reason else []
        if small.since is not None:
            since = next(part[k] for k in operations if part.called[k] == small.since)
            said.append(f"whatever had been left when {name(since, self.object)} was called:")
        scene = Scene(self.object, conflicts.initial(small), tuple(part[k] for k in small.free))
        said += reasons(part[blamed], [part[k] for k in operations if k != blamed], scene)
        return tuple(said) or (f"no order of these explains {name(part[blamed], self.object)}",)

    # --- the shortest prefix ----------------------------------------------------------

    def _first_illegal(self, decision: Decision, at: int) -> tuple[int, bool]:
        """The operation by whose return there is no linearization, and whether it is the first one."""
        order = np.argsort(self.part.returned, kind="stable")
        order = order[self.part.returned[order] != NEVER]
        low, high = 0, int(np.flatnonzero(order == at)[0]) if at in order else len(order) - 1
        if decision.first:
            # The engine knew what would be returned later; without that it may take longer to show.
            low, step = high, 1
            while (verdict := self._verdict(int(order[high]))) is not Verdict.VIOLATED:
                if verdict is Verdict.UNKNOWN or high == len(order) - 1:
                    return int(order[high]), False
                low, high, step = high + 1, min(high + step, len(order) - 1), 4 * step
        else:
            low, high, sure = self._below(order, high)
            if not sure:
                return int(order[high]), False
        while low < high:
            middle = (low + high) // 2
            verdict = self._verdict(int(order[middle]))
            if verdict is Verdict.UNKNOWN:
                return int(order[high]), False
            low, high = (low, middle) if verdict is Verdict.VIOLATED else (middle + 1, high)
        return int(order[high]), True

    def _below(self, order: Int64s, high: int) -> tuple[int, int, bool]:
        """Between which returns the first illegal one lies that is at a return at the latest; whether that is sure."""
        low, step = high, 1
        while low > 0:
            low = max(low - step, 0)
            verdict = self._verdict(int(order[low]))
            if verdict is not Verdict.VIOLATED:
                return low + 1, high, verdict is Verdict.HOLDS
            high, step = low, 4 * step
        return low, high, True

    def _verdict(self, operation: int) -> Verdict:
        return self._decision(operation).verdict

    def _decision(self, operation: int, engine: str = "auto") -> Decision:
        """Whether what was known when an operation returned has a linearization; positions are those in the history."""
        known = self.part.until(int(self.part.returned[operation]))
        parts = parts_of(known, self.object)
        decider = Decider(known, self.object, parts, problem_of(known, self.object, parts), engine, False, None, None)
        with stopped_after(decider.search, min(PREFIX_S, self.until - time.perf_counter())):
            decisions = [decider.part(number) for number in range(len(parts.keys))]
        for verdict in (Verdict.VIOLATED, Verdict.UNKNOWN, Verdict.HOLDS):
            for decision in decisions:
                if decision.verdict is verdict:
                    return replace(decision, conflict=tuple(self.which[list(decision.conflict)].tolist()))
        raise AssertionError("a prefix has at least one part")
