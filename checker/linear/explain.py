"""Explain why a part of a history has no linearization.

First the shortest prefix: an operation is to blame if what had been called and returned by
its return has no linearization, and by any earlier return it has.  Then a small conflict,
and what can be said in hindsight: until when it could have returned that.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from scrutator.checker.linear.conflicts import Conflicts, Small
from scrutator.checker.linear.elements import Sight, about, elements_of
from scrutator.checker.linear.engines import Decider, Decision
from scrutator.checker.linear.frontier import stopped_after
from scrutator.checker.linear.history import NEVER, History, Int64s
from scrutator.checker.linear.possible import SHOWN_MAX, Decide, Until, possible_results, possible_until
from scrutator.checker.linear.problem import parts_of, problem_of
from scrutator.checker.linear.reasons import name, reasons
from scrutator.checker.linear.result import Explanation
from scrutator.checker.verdict import Verdict
from scrutator.model.objects.sequential import Object

PREFIX_S = 1.0  # for one prefix
PART_S = 4.0
NS_OF_MS = 1_000_000
TOLD_MAX = 8  # operations of a conflict that is told in words
LATE = "Time ran out before it was found which operations it conflicts with."
NONE_FOUND = "No few operations were found that contradict each other whatever the others did."


@dataclass(frozen=True, slots=True)
class Found:
    """A conflict among some operations of a part, which are at ``which`` in it."""

    small: Small
    conflicts: Conflicts
    which: Int64s
    reason: str = ""

    def view(self, culprit: int) -> tuple[History, Object, int]:
        """Where it was found, and where the culprit is there."""
        return self.conflicts.part, self.conflicts.object, int(np.searchsorted(self.which, culprit))


class Explainer:
    """Explains the violation of one part, whose operations are at some positions of a history."""

    def __init__(self, history: History, object_: Object, which: Int64s, until: float) -> None:
        self.which, self.object, self.until = which, object_, min(until, time.perf_counter() + PART_S)
        self.part = history.take(which).compact()
        self.begin = int(history.called[0])

    def explain(self, decision: Decision) -> Explanation | None:
        """The explanation, or None if there was no time for it."""
        assert decision.culprit is not None
        culprit, first = self._first_illegal(decision, int(np.searchsorted(self.which, decision.culprit)))
        part = self.part.until(int(self.part.returned[culprit]))
        found = self._about_an_element(part, culprit)
        view = (part, self.object, culprit) if found is None else found.view(culprit)
        until = possible_until(*view[::2], self._decider(view[1]))
        found = found or self._conflict(part, culprit, decision, until)
        said = self._hindsight(*view, until, first)
        conflict: list[int] = []
        if found is not None:
            said += self._reasons(found, int(np.searchsorted(found.which, culprit)))
            conflict = sorted(int(found.which[k]) for k in found.small.operations)
        late = time.perf_counter() > self.until
        return Explanation(
            culprit=replace(part[culprit], index=int(self.which[culprit])),
            conflict=tuple(replace(part[k], index=int(self.which[k])) for k in conflict),
            reasons=tuple(said),
            prefix=len(part),
            shortest=first,
            minimal=found is not None and found.small.minimal,
            unfound="" if found else LATE if late else NONE_FOUND,
        )

    # --- a conflict -------------------------------------------------------------------

    def _about_an_element(self, part: History, culprit: int) -> Found | None:
        """The smallest among what is said of single elements of a set."""
        best: Found | None = None
        for element in elements_of(part, self.object, culprit):
            if time.perf_counter() > self.until or (best is not None and len(best.small.operations) <= 2):
                break
            history, object_, which = about(part, self.object, element)
            own = int(np.searchsorted(which, culprit))
            if self._decider(object_)(history) is not Verdict.VIOLATED:
                continue
            conflicts = Conflicts(history, object_, self.until)
            small = conflicts.find(own, first=possible_until(history, own, self._decider(object_)))
            if small is not None and (best is None or len(small.operations) < len(best.small.operations)):
                reads = sum(history[k].result.__class__ is Sight for k in small.operations)  # each of them has other elements
                if len(small.operations) > 2 and reads > 1:
                    small = replace(small, minimal=False)
                best = Found(small, conflicts, which)
        return best

    def _conflict(self, part: History, culprit: int, decision: Decision, until: Until | None) -> Found | None:
        conflicts = Conflicts(part, self.object, self.until)
        if not self._known(decision.conflict, part):  # ask again what it is by then
            decision = replace(decision, conflict=(), reason="")
        if not decision.conflict and not conflicts.by_value:
            again = self._decision(culprit, "monitor")
            decision = again if again.verdict is Verdict.VIOLATED else decision
        hint = [int(k) for k in np.searchsorted(self.which, decision.conflict)]
        everything = np.arange(len(part))
        if hint and any(elements_of(part, self.object, culprit)):  # about several elements, and alone it would be none
            small: Small | None = Small(tuple(hint), None, (), len(hint) <= 2)
        else:
            small = conflicts.find(culprit, hint) if hint else None
        if small is not None:
            return Found(small, conflicts, everything, decision.reason)
        small = conflicts.find(culprit, first=until)
        return None if small is None else Found(small, conflicts, everything)

    def _known(self, operations: tuple[int, ...], part: History) -> bool:
        """Whether as much is known of operations, at positions in the history, in a part cut short."""
        places = np.searchsorted(self.which, operations)
        return all(k < len(part) and part.returned[k] == self.part.returned[k] for k in places.tolist())

    # --- in words ---------------------------------------------------------------------

    def _reasons(self, found: Found, culprit: int) -> list[str]:
        small, part, object_ = found.small, found.conflicts.part, found.conflicts.object
        operations = sorted(small.operations)
        blamed = culprit if culprit in operations else max(operations, key=lambda k: int(part.returned[k]))
        said = [found.reason] if found.reason else []
        if len(operations) > TOLD_MAX:
            return said
        if small.since is not None:
            since = next(part[k] for k in operations if part.called[k] == small.since)
            said.append(f"whatever had been left when {name(since, object_)} was called:")
        said += reasons(part[blamed], [part[k] for k in operations if k != blamed], found.conflicts.scene(small))
        return said or [f"no order of these explains {name(part[blamed], object_)}"]

    def _hindsight(self, part: History, object_: Object, culprit: int, until: Until | None, first: bool) -> list[str]:
        """Until when the culprit could have returned that, and what else it could have returned."""
        operation, said = part[culprit], list[str]()
        method = object_.find(operation.method)
        assert method is not None
        text = method.describe(operation.argument, operation.result)
        if until is not None and until.operation is not None:
            line, at = int(part.line[until.operation]), self._time(int(part.returned[until.operation]))
            said.append(f"{text} was possible until {at}, when {name(part[until.operation], object_)} (line {line:,}) returned")
        elif until is not None and first:
            said.append(f"{text} was possible at no time by then")
        values = possible_results(part, object_, culprit, self._decider(object_))
        if values:
            more = " or another value" if len(values) > SHOWN_MAX else ""
            said.append(f"it could have returned {' or '.join(map(repr, values[:SHOWN_MAX]))}{more}")
        return said

    def _time(self, at: int) -> str:
        if not self.part.has_clock:
            return f"position {at:,}"
        since = at - self.begin
        return f"{since / 1e9:,.6f} s" if since >= NS_OF_MS else f"{since:,} ns"

    def _decider(self, object_: Object) -> Decide:
        """Decides histories of an object while there is time."""

        def decide(history: History) -> Verdict:
            left = min(PREFIX_S, self.until - time.perf_counter())
            return decision_of(history, object_, left).verdict if left > 0 else Verdict.UNKNOWN

        return decide

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
        decision = decision_of(known, self.object, min(PREFIX_S, self.until - time.perf_counter()), engine)
        return replace(decision, conflict=tuple(self.which[list(decision.conflict)].tolist()))


def decision_of(history: History, object_: Object, seconds: float, engine: str = "auto") -> Decision:
    """Whether a history has a linearization, in so many seconds; positions are those in it."""
    parts = parts_of(history, object_)
    decider = Decider(history, object_, parts, problem_of(history, object_, parts), engine, False, None, None)
    with stopped_after(decider.search, seconds):
        decisions = [decider.part(number) for number in range(len(parts.keys))]
    for verdict in (Verdict.VIOLATED, Verdict.UNKNOWN, Verdict.HOLDS):
        for decision in decisions:
            if decision.verdict is verdict:
                return decision
    raise AssertionError("a history has at least one part")
