"""A history that grows is decided as the whole of it is."""

from __future__ import annotations

import pytest

from histories import OBJECTS, linearizable, random_history
from scrutator.checker.linear import frontier, online
from scrutator.checker.linear.history import Operation
from scrutator.checker.linear.online import Growing, Online
from scrutator.checker.linear.problem import parts_of
from scrutator.checker.verdict import Verdict
from scrutator.model.objects.register import REGISTER
from scrutator.model.objects.sequential import Object

GROWS = [o for o in OBJECTS if o.name not in ("multi-register", "list-append", "set")]


def feed(checked: Online, operations: list[Operation]) -> Growing:
    """Calls and returns in order of time, calls first; pending operations are given up at once or at the end."""
    events = [(o.called, 0, o) for o in operations] + [(o.returned, 1, o) for o in operations if not o.pending]
    given_up = [o for o in operations if o.pending]
    for time, returns, operation in sorted(events, key=lambda event: event[:2]):
        if returns:
            checked.returns(operation.process, operation.result, time=time)
        else:
            checked.call(operation.process, operation.method, operation.argument, time=time, key=operation.key)
            if operation.pending and operation.process % 2:
                checked.unknown(operation.process, time=time)
                given_up.remove(operation)
    for operation in given_up:
        checked.unknown(operation.process, time=10_000)
    return checked.flush()


@pytest.mark.parametrize("object_", GROWS, ids=lambda object_: object_.name)
def test_random_histories(object_: Object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "BATCH", 1)
    monkeypatch.setattr(frontier, "CAPACITY_FIRST", 8)
    verdicts = []
    for seed in range(100):
        history, _ = random_history(seed, object_)
        parts = parts_of(history, object_)
        operations = [[history[k] for k in parts.operations(n).tolist()] for n in range(len(parts.keys))]
        expected = all(linearizable(own, object_) for own in operations)
        found = feed(Online(object_), list(history))
        assert (found.verdict is Verdict.HOLDS) == expected, (seed, found)
        verdicts.append(expected)
    assert 10 < sum(verdicts) < 98


def test_nothing_is_kept_at_quiescent_points() -> None:
    checked = Online(REGISTER)
    for k in range(5000):
        checked.call(0, "write", k, time=10 * k)
        checked.call(1, "read", None, time=10 * k + 1)
        checked.returns(1, k - 1 if k else None, time=10 * k + 2)
        found = checked.returns(0, None, time=10 * k + 3)
        assert found.verdict is Verdict.HOLDS and found.waiting <= online.BATCH + 1
    checked.call(2, "read", None, time=60_000)
    checked.returns(2, 17, time=60_001)
    found = checked.flush()
    assert found.verdict is Verdict.VIOLATED
    assert found.culprit is not None and (found.culprit.process, found.culprit.result) == (2, 17)


def test_pending_operations_are_carried_on() -> None:
    checked = Online(REGISTER)
    checked.call(0, "write", 7, time=0)
    checked.unknown(0, time=1)
    for k, value in enumerate((None, None, 7)):
        checked.call(1, "read", None, time=10 * k + 10)
        checked.returns(1, value, time=10 * k + 11)
        assert checked.flush().verdict is Verdict.HOLDS
    checked.call(1, "read", None, time=100)
    checked.returns(1, None, time=101)
    assert checked.flush().verdict is Verdict.VIOLATED  # it took effect once, and is used up


def test_what_cannot_follow() -> None:
    checked = Online(REGISTER)
    checked.call(0, "write", 7, time=5)
    with pytest.raises(ValueError, match="process 0 calls read, but its operation of line 0 is under way"):
        checked.call(0, "read", None, time=6)
    with pytest.raises(ValueError, match="time runs backwards: 4 after 6"):
        checked.returns(0, None, time=4)
    with pytest.raises(ValueError, match="process 3 returns, but has no operation under way"):
        checked.returns(3, None, time=7)
    with pytest.raises(ValueError, match="the object register has no method push"):
        checked.call(1, "push", 1, time=8)


