"""Orders that explain a history are replayed: real time is respected, and every result is the one recorded."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from histories import OBJECTS, random_history
from scrutator.checker.linear.builder import Builder
from scrutator.checker.linear.check import check_linearizable
from scrutator.checker.linear.history import NEVER, History, Operation
from scrutator.checker.linear.problem import parts_of
from scrutator.checker.verdict import Verdict
from scrutator.model.objects.queues import QUEUE, STACK
from scrutator.model.objects.register import REGISTER
from scrutator.model.objects.sequential import Object, Value


def replay(object_: Object, operations: Sequence[Operation], order: Sequence[int]) -> None:
    """Fails unless the order is one in which the operations may have taken effect."""
    by_index = {o.index: o for o in operations}
    assert len(set(order)) == len(order)
    assert {o.index for o in operations if not o.pending} <= set(order) <= set(by_index)
    latest_call, states = -1, [object_.initial]
    for operation in (by_index[index] for index in order):
        assert operation.returned >= latest_call
        latest_call = max(latest_call, operation.called)
        method = object_.find(operation.method)
        assert method is not None
        outcomes = [outcome for state in states for outcome in method.outcomes(state, operation.argument)]
        states = [s for r, s in outcomes if operation.pending or method.agrees(r, operation.result)]
        assert states


def check(history: History, object_: Object) -> int:
    """Replay each part's witness; how many parts had none although they hold."""
    found = check_linearizable(history, object_, witness=True, explain=False)
    parts = parts_of(history, object_)
    missing = 0
    for number, part in enumerate(found.parts):
        assert (part.witness is None) or part.verdict is Verdict.HOLDS
        if part.witness is not None:
            replay(object_, [history[k] for k in parts.operations(number).tolist()], part.witness)
        missing += part.verdict is Verdict.HOLDS and part.witness is None
    return missing


@pytest.mark.parametrize("object_", OBJECTS, ids=lambda object_: object_.name)
def test_random_histories(object_: Object) -> None:
    assert sum(check(random_history(seed, object_)[0], object_) for seed in range(150)) == 0


def concurrent(seed: int, object_: Object, add: str, remove: str, count: int, share_pending: float = 0.0) -> History:
    """A legal history of values added once, many operations under way at a time."""
    choose = random.Random(seed)
    calls = []
    for number in range(count):
        called = 4 * number + choose.randint(0, 20)
        returned = called + choose.randint(0, 40)
        method = add if choose.random() < 0.55 else remove
        calls.append([method, number if method == add else None, called, returned, choose.uniform(called, returned), None])
    state = object_.initial
    for call in sorted(calls, key=lambda call: call[4]):
        call[5], state = object_.methods[call[0]].outcomes(state, call[1])[0]
    builder = Builder("concurrent", True)
    for process, (method, argument, called, returned, _, result) in enumerate(calls):
        pending = choose.random() < share_pending
        value: Value = None if pending else result
        builder.add(process, process, method, argument, called, NEVER if pending else returned, value, pending=pending)
    return builder.history()


@pytest.mark.parametrize("seed", range(20))
def test_queues(seed: int) -> None:
    assert check(concurrent(seed, QUEUE, "enqueue", "dequeue", 300), QUEUE) == 0


@pytest.mark.parametrize("seed", range(5))
def test_stacks(seed: int) -> None:
    # The monitor decides without an order, and the search for one may end before it is found.
    assert check(concurrent(seed, STACK, "push", "pop", 40), STACK) <= 1


@pytest.mark.parametrize("seed", range(10))
def test_registers_with_crashes(seed: int) -> None:
    assert check(concurrent(seed, REGISTER, "write", "read", 300, share_pending=0.05), REGISTER) == 0
