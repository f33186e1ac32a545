"""Why an operation cannot be placed among a few others, in words.

The others are put into each order that they may have taken effect in; for each place in
it, either real time forbids the operation to be there, or it or a later one would have
returned something else.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from scrutator.checker.linear.history import Operation, Value
from scrutator.model.objects.sequential import Method, Object, State

OPERATIONS_MAX = 7
ORDERS_MAX = 3
STATES_MAX = 500  # of an object with free operations


class _Endless(Exception):
    """Free operations make for too many states."""


Configuration = tuple[State, tuple[int, ...]]  # a state, and how often each kind of free operation has happened


@dataclass(frozen=True)
class Scene:
    """Where a few operations took effect: the states that the first of them may have found, and who else may have.

    Each of ``free`` may take effect anywhere or never; ``often`` says that it may do so any number of times.
    """

    object: Object
    initial: tuple[State, ...]
    free: tuple[Operation, ...] = ()
    often: bool = True

    def replay(self, order: Sequence[Operation]) -> tuple[Operation, Value] | None:
        """The first operation that would return something else, and what; None if there is no such."""
        none = (0,) * len(self._changes)
        found = self._with_free([(state, none) for state in self.initial])
        for operation in order:
            method = self.object.find(operation.method)
            assert method is not None
            outcomes = [(r, (s, used)) for state, used in found for r, s in method.outcomes(state, operation.argument)]
            left = [after for r, after in outcomes if operation.pending or method.agrees(r, operation.result)]
            if not left:
                return operation, outcomes[0][0]
            found = self._with_free(left)
        return None

    def _with_free(self, configurations: Sequence[Configuration]) -> tuple[Configuration, ...]:
        found = dict.fromkeys(configurations)
        for state, used in (rest := list(found)):  # which grows
            for kind, (method, argument, most) in enumerate(self._changes):
                if used[kind] < most:
                    now = used if self.often else (*used[:kind], used[kind] + 1, *used[kind + 1 :])
                    fresh = [(s, now) for _, s in method.outcomes(state, argument) if s != state and (s, now) not in found]
                    found |= dict.fromkeys(fresh)
                    rest += fresh
            if len(found) > STATES_MAX:
                raise _Endless
        return tuple(found)

    @cached_property
    def _changes(self) -> list[tuple[Method, Value, int]]:
        """What free operations do that may change a state, and how many do it."""
        counts = Counter((o.method, o.argument) for o in self.free)
        methods = [(self.object.find(method), argument, count) for (method, argument), count in counts.items()]
        return [(method, argument, count) for method, argument, count in methods if method is not None and not method.reads_only]


def name(operation: Operation, object_: Object) -> str:
    """How an operation is called in a sentence: ``read() -> 1 of process 3``."""
    method = object_.find(operation.method)
    assert method is not None
    text = method.describe(operation.argument, operation.result, pending=operation.pending)
    return f"{text} of process {operation.process}"


def reasons(culprit: Operation, others: Sequence[Operation], scene: Scene) -> tuple[str, ...]:
    """What forbids each place of the culprit among the others; nothing where that would be too much to tell."""
    if len(others) > OPERATIONS_MAX:
        return ()
    try:
        return _reasons(culprit, others, scene)
    except _Endless:
        return ()


def _reasons(culprit: Operation, others: Sequence[Operation], scene: Scene) -> tuple[str, ...]:
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
    return tuple(found) if orders else tuple(_in_any_order([culprit, *others], scene))


def _in_any_order(operations: Sequence[Operation], scene: Scene) -> Iterator[str]:
    """What goes wrong in each order, where the others do not fit without the culprit."""
    told: dict[str, None] = {}
    for order in _orders(operations):
        failed = scene.replay(order)
        if failed is not None:  # what comes after the first that fails is of no matter
            until = order[: order.index(failed[0])]
            when = f"after {', then '.join(name(o, scene.object) for o in until)}" if until else "as the first of these"
            told[f"{when}, {name(failed[0], scene.object)} would return {failed[1]!r}"] = None
    yield from itertools.islice(told, ORDERS_MAX)
    if len(told) > ORDERS_MAX:
        yield f"and likewise in {len(told) - ORDERS_MAX} more orders"


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
