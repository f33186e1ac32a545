"""Histories at random, and the search by definition that engines are held against."""

from __future__ import annotations

import random
from collections.abc import Sequence

from scrutator.checker.linear.builder import Builder
from scrutator.checker.linear.history import NEVER, History, Operation
from scrutator.model.objects.counter import COUNTER
from scrutator.model.objects.kv import KV
from scrutator.model.objects.locks import MUTEX, SEMAPHORE
from scrutator.model.objects.queues import DEQUE, PRIORITY_QUEUE, QUEUE, STACK
from scrutator.model.objects.register import REGISTER
from scrutator.model.objects.sequential import Object, State, Value
from scrutator.model.objects.sets import GROW_ONLY_SET, SET
from scrutator.model.objects.transactions import LIST_APPEND, MULTI_REGISTER

OBJECTS = (
    REGISTER, KV, SET, GROW_ONLY_SET, QUEUE, STACK, DEQUE, PRIORITY_QUEUE, COUNTER, MUTEX, SEMAPHORE,
    MULTI_REGISTER, LIST_APPEND,
)  # fmt: skip


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
                    if (o.pending or method.agrees(result, o.result)) and search(done | {o.index}, after):
                        return True
        return False

    return search(frozenset(), object_.initial)


def random_argument(choose: random.Random, object_: Object, method: str, values: int) -> Value:
    """An argument that makes sense."""
    value = choose.randint(1, values)
    if object_ in (MULTI_REGISTER, LIST_APPEND):
        change = "write" if object_ is MULTI_REGISTER else "append"
        keys = choose.choice(["x", "y", "xy"])
        return tuple(choose.choice([("r", k, None), (change, k, choose.randint(1, values))]) for k in keys)
    if method == "cas":
        return value, choose.randint(1, values)
    if method == "append":
        return choose.choice("ab")
    if method in ("acquire", "release"):
        return None if object_ is MUTEX else choose.choice([None, 1, 2])
    takes = {"write", "put", "add", "remove", "contains", "enqueue", "push", "push_front", "push_back", "insert"}
    return value if method in takes else None


def random_history(seed: int, object_: Object | None = None) -> tuple[History, Object]:
    """A few overlapping operations, with results that a run of them may give, and some changed."""
    choose = random.Random(seed)
    object_ = object_ or choose.choice(OBJECTS)
    values = choose.choice([2, 2, 5])
    keyed = object_ in (REGISTER, KV) and choose.random() < 0.3
    share_pending = choose.choice([0.0, 0.15, 0.3])
    rows = []
    for process in range(choose.randint(1, 8)):
        method = choose.choice(list(object_.methods))
        called = choose.randint(0, 30)
        returned = called + choose.randint(0, 12)
        rows.append([process, method, random_argument(choose, object_, method, values), called, returned, None])
    states = dict.fromkeys((0, 1), object_.initial)
    for row in sorted(rows, key=lambda row: choose.uniform(row[3], row[4])):
        key = row[0] % 2 if keyed else 0
        row[5], states[key] = choose.choice(object_.methods[row[1]].outcomes(states[key], row[2]))
    results: dict[str, list[Value]] = {}
    for row in rows:
        results.setdefault(row[1], []).append(row[5])
    changed = choose.choice([0.0, 0.3, 0.6])
    builder = Builder("test", has_clock=True)
    for process, method, argument, called, returned, result in rows:
        if choose.random() < changed:
            result = choose.choice([*results[method], None])
        pending = choose.random() < share_pending
        builder.add(
            process, process, method, argument, called, NEVER if pending else returned, None if pending else result,
            key=process % 2, keyed=keyed, pending=pending,
        )  # fmt: skip
    return builder.history(), object_
