"""Decide one model, or find the strongest that hold."""

from __future__ import annotations

import time

from scrutator.checker.linear.check import check_linearizable
from scrutator.checker.linear.history import History
from scrutator.checker.linear.weaker.eventual import eventual
from scrutator.checker.linear.weaker.guarantees import GUARANTEES, Violation
from scrutator.checker.linear.weaker.models import Ambiguous, Finding, Model
from scrutator.checker.linear.weaker.sequential import sequential
from scrutator.checker.linear.weaker.serial import OutOfTime, causal, pram
from scrutator.checker.linear.weaker.sessions import Sessions, sessions_of
from scrutator.checker.verdict import Verdict
from scrutator.model.objects.sequential import Object

TIMEOUT_S = 20.0  # for each model
CHEAP_FIRST = (
    Model.LINEARIZABLE, Model.READ_YOUR_WRITES, Model.MONOTONIC_READS, Model.MONOTONIC_WRITES, Model.WRITES_FOLLOW_READS,
    Model.EVENTUAL, Model.PRAM, Model.CAUSAL, Model.SEQUENTIAL,
)  # fmt: skip


def decide(history: History, object_: Object, model: Model, *, timeout_s: float = TIMEOUT_S) -> Finding:
    """Decide one model.  Raises `UnfitHistory` where the history is not one of the object's."""
    deadline = time.perf_counter() + timeout_s
    if model is Model.LINEARIZABLE:
        return _linearizable(history, object_, timeout_s)
    if model is Model.SEQUENTIAL:
        verdict = sequential(history, object_, deadline)
        said = {Verdict.VIOLATED: "no order of all operations explains them", Verdict.UNKNOWN: "the search took too long"}
        return Finding(model, verdict, said.get(verdict, model.meaning))
    try:
        sessions = sessions_of(history, object_)
        found = _violation(sessions, model, deadline)
    except Ambiguous as reason:
        return Finding(model, Verdict.UNKNOWN, str(reason))
    except OutOfTime:
        return Finding(model, Verdict.UNKNOWN, "it took too long")
    if found is None:
        return Finding(model, Verdict.HOLDS, model.meaning)
    return Finding(model, Verdict.VIOLATED, found[1], found[0])


def strongest(history: History, object_: Object, *, timeout_s: float = TIMEOUT_S) -> tuple[Finding, ...]:
    """What holds and what does not, from the strongest model to the weakest; what implies what saves work."""
    found: dict[Model, Finding] = {}
    for model in CHEAP_FIRST:
        stronger = next((m for m, f in found.items() if model in m.implies and f.verdict is Verdict.HOLDS), None)
        weaker = next((f for m, f in found.items() if m in model.implies and f.verdict is Verdict.VIOLATED), None)
        if stronger is not None:
            found[model] = Finding(model, Verdict.HOLDS, f"as it is {stronger.value}")
        elif weaker is not None:
            found[model] = Finding(model, Verdict.VIOLATED, f"as it is not {weaker.model.value}: {weaker.reason}", weaker.conflict)
        else:
            found[model] = decide(history, object_, model, timeout_s=timeout_s)
    return tuple(found[model] for model in Model)


def holding(findings: tuple[Finding, ...]) -> tuple[Model, ...]:
    """The strongest models that hold: those that no other that holds implies."""
    holds = [finding.model for finding in findings if finding.verdict is Verdict.HOLDS]
    return tuple(model for model in holds if not any(model in other.implies for other in holds))


def _linearizable(history: History, object_: Object, timeout_s: float) -> Finding:
    found = check_linearizable(history, object_, timeout_s=timeout_s)
    reason = Model.LINEARIZABLE.meaning
    conflict: tuple[int, ...] = ()
    if found.verdict is Verdict.UNKNOWN:
        reason = "it was not decided within the limits"
    for part in found.violated[:1]:
        if part.explanation is not None:
            reason = "; ".join(part.explanation.reasons)
            conflict = tuple(operation.index for operation in part.explanation.conflict)
    return Finding(Model.LINEARIZABLE, found.verdict, reason, conflict)


def _violation(sessions: Sessions, model: Model, deadline: float) -> Violation | None:
    thin = sessions.thin_air
    if thin is not None:
        return (thin.operation,), f"{sessions.text(thin)} saw what nobody wrote"
    if model is Model.CAUSAL:
        return causal(sessions, deadline)
    if model is Model.PRAM:
        return pram(sessions, deadline)
    return eventual(sessions) if model is Model.EVENTUAL else GUARANTEES[model](sessions)
