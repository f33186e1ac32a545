"""A queue, histories at random, and the search by definition that engines are held against."""

from __future__ import annotations

import random
from collections.abc import Sequence

from scrutator.checker.linear.builder import Builder
from scrutator.checker.linear.history import NEVER, History, Operation
from scrutator.model.objects.register import REGISTER
from scrutator.model.objects.sequential import Object, State, Value

QUEUE = Object("queue", initial=())


@QUEUE.method()
def enqueue(state: State, value: Value) -> tuple[Value, State]:
    assert isinstance(state, tuple)
    return None, (*state, value)


@QUEUE.method()
def dequeue(state: State, _: Value) -> tuple[Value, State]:
    assert isinstance(state, tuple)
    return (state[0], state[1:]) if state else (None, state)


@QUEUE.method(reads_only=True)
def length(state: State, _: Value) -> tuple[Value, State]:
    assert isinstance(state, tuple)
    return len(state), state


def linearizable(operations: Sequence[Operation], object_: Object) -> bool:
    """Wing and Gong (1993): try every operation that no other precedes, over and over."""
    seen: set[tuple[frozenset[int], State]] = set()

    def search(done: frozenset[int], state: State) -> bool:
        left = [o for o in operations if o.index not in done]
        if all(o.pending for o in left):
            return True
        if (done, state) in seen:
            return False
        seen.add((done, state))
        first = min(o.returned for o in left)
        for o in left:
            method = object_.find(o.method)
            assert method is not None
            if o.called <= first:
                for result, after in method.outcomes(state, o.argument):
                    if (o.pending or result == o.result) and search(done | {o.index}, after):
                        return True
        return False

    return search(frozenset(), object_.initial)


def random_history(seed: int) -> tuple[History, Object]:
    """A few overlapping operations with results at random: about one history in three is linearizable."""
    choose = random.Random(seed)
    builder = Builder("test", has_clock=True)
    values = range(1, 3 if choose.random() < 0.5 else 6)
    is_register, keyed = choose.random() < 0.5, choose.random() < 0.3
    for process in range(choose.randint(1, 9)):
        called = choose.randint(0, 30)
        pending = choose.random() < 0.25
        argument: Value = choose.choice(values)
        result: Value = None
        if is_register:
            method = choose.choice(["read", "read", "write", "write", "cas"])
            if method == "read":
                argument, result = None, choose.choice([None, *values])
            elif method == "cas":
                argument, result = (choose.choice(values), choose.choice(values)), choose.random() < 0.5
        else:
            method = choose.choice(["enqueue", "dequeue", "dequeue", "enqueue", "length"])
            if method != "enqueue":
                argument = None
                result = choose.choice([None, *values]) if method == "dequeue" else choose.randint(0, 3)
        builder.add(
            process, process, method, argument, called, NEVER if pending else called + choose.randint(0, 12),
            None if pending else result, key=choose.randint(0, 1), keyed=keyed, pending=pending,
        )  # fmt: skip
    return builder.history(), REGISTER if is_register else QUEUE
