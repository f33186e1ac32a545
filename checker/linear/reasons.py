"""Why an operation cannot be placed among a few others, in words.

The others are put into each order that they may have taken effect in; for each place in
it, either real time forbids the operation to be there, or it or a later one would have
returned something else.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scrutator.checker.linear.history import Operation, Value
from scrutator.model.objects.sequential import Object, State

OPERATIONS_MAX = 7
ORDERS_MAX = 3


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a few operations took effect: the states that the first of them may have found, and who else may have.

    Each of ``free`` may take effect anywhere, any number of times, or never.
    """

    object: Object
    initial: tuple[State, ...]
    free: tuple[Operation, ...] = ()

    def replay(self, order: Sequence[Operation]) -> tuple[Operation, Value] | None:
        """The first operation that would return something else, and what; None if there is no such."""
        states = self._with_free(self.initial)
        for operation in order:
            method = self.object.find(operation.method)
            assert method is not None
            outcomes = [outcome for state in states for outcome in method.outcomes(state, operation.argument)]
            left = tuple(s for r, s in outcomes if operation.pending or method.agrees(r, operation.result))
            if not left:
                return operation, outcomes[0][0]
            states = self._with_free(left)
        return None

    def _with_free(self, states: tuple[State, ...]) -> tuple[State, ...]:
        found = dict.fromkeys(states)
        before = 0
        while len(found) > before:
            before = len(found)
            for operation in self.free:
                method = self.object.find(operation.method)
                assert method is not None
                found |= dict.fromkeys(s for state in tuple(found) for _, s in method.outcomes(state, operation.argument))
        return tuple(found)


def name(operation: Operation, object_: Object) -> str:
    """How an operation is called in a sentence: ``read() -> 1 of process 3``."""
    method = object_.find(operation.method)
    assert method is not None
    text = method.describe(operation.argument, operation.result, pending=operation.pending)
    return f"{text} of process {operation.process}"


def reasons(culprit: Operation, others: Sequence[Operation], scene: Scene) -> tuple[str, ...]:
    """What forbids each place of the culprit among the others."""
    if len(others) > OPERATIONS_MAX:
        return ()
    if not others:
        failed = scene.replay([culprit])
        return (f"{name(culprit, scene.object)}: nothing was called that could lead to that",) if failed else ()
    orders = [order for order in _orders(others) if scene.replay(order) is None]
    found: list[str] = []
    for order in orders[:ORDERS_MAX]:
        if len(orders) > 1:
            found.append(f"if the order is {', then '.join(name(o, scene.object) for o in order)}:")
        else:
            found += _forced(order, scene.object)
        found += _places(culprit, order, scene)
    if len(orders) > ORDERS_MAX:
        found.append(f"and likewise in {len(orders) - ORDERS_MAX} more orders")
    return tuple(found)


def _forced(order: Sequence[Operation], object_: Object) -> Iterator[str]:
    for one, next_one in itertools.pairwise(order):
        if one.returned < next_one.called:
            yield f"{name(one, object_)} returned before {name(next_one, object_)} was called"


def _places(culprit: Operation, order: Sequence[Operation], scene: Scene) -> Iterator[str]:
    text = name(culprit, scene.object)
    before = [k for k, other in enumerate(order) if other.returned < culprit.called]
    after = [k for k, other in enumerate(order) if culprit.returned < other.called]
    first, last = (max(before) + 1 if before else 0), (min(after) if after else len(order))
    if before:
        yield f"{text} is not before {name(order[first - 1], scene.object)}, which returned before it was called"
    for place in range(first, last + 1):
        yield f"{_where(order, place, scene.object)}, {_otherwise(culprit, order, place, scene)}"
    if after:
        yield f"{text} is not after {name(order[last], scene.object)}, which was called after it returned"


def _where(order: Sequence[Operation], place: int, object_: Object) -> str:
    return f"after {name(order[place - 1], object_)}" if place else f"before {name(order[0], object_)}"


def _otherwise(culprit: Operation, order: Sequence[Operation], place: int, scene: Scene) -> str:
    """What would be returned if the culprit took effect at a place."""
    failed = scene.replay([*order[:place], culprit, *order[place:]])
    if failed is None:
        return "it fits these, but not what else happened"
    operation, result = failed
    if operation is culprit:
        return f"it would return {result!r}"
    return f"then {name(operation, scene.object)} would return {result!r}"


def _orders(operations: Sequence[Operation]) -> Iterator[tuple[Operation, ...]]:
    """Every order that real time allows."""
    if not operations:
        yield ()
        return
    for operation in operations:
        if all(other is operation or not other.returned < operation.called for other in operations):
            rest = [other for other in operations if other is not operation]
            for order in _orders(rest):
                yield (operation, *order)
