"""Until when an operation could have returned what it did, and what it could have returned instead.

An operation that was called earlier may take effect at more times.  So there is a latest
time at which it could have been called, and that is the return of some other operation:
the one that made it impossible.  The law: what is said here was decided on whole prefixes
of a part, not on a few of its operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from scrutator.checker.linear.history import History
from scrutator.checker.verdict import Verdict
from scrutator.model.objects.sequential import ANY, Effects, Object, Value, exactly, same

Decide = Callable[[History], Verdict]
TRIES_MAX = 24  # values of which it is asked whether they could have been returned
SHOWN_MAX = 3
BASES_MAX = 6  # values that might have been extended


@dataclass(frozen=True, slots=True)
class Until:
    """``operation`` (a position) is the one with whose return it became impossible; None if it never was possible."""

    operation: int | None


def possible_until(part: History, culprit: int, decide: Decide) -> Until | None:
    """Until when the culprit could have returned what it did, in a part in which it is the first illegal return.

    None where that could not be decided in time.
    """
    before = np.flatnonzero(part.returned < part.called[culprit])
    times = np.unique(part.returned[before])
    low, high = 0, len(times)  # it is impossible if called at times[high]; possible at any time before times[low]
    step = 1
    while low < high:
        middle = max(high - step, low) if step else (low + high) // 2
        verdict = decide(_called_at(part, culprit, int(times[middle])))
        if verdict is Verdict.UNKNOWN:
            return None
        if verdict is Verdict.HOLDS:
            low, step = middle + 1, 0
        else:
            high, step = middle, 4 * step
    if high == 0:
        earliest = min(int(part.called.min()), int(part.called[culprit])) - 1
        holds = decide(_called_at(part, culprit, earliest))
        return Until(None) if holds is Verdict.VIOLATED else None
    return Until(int(before[np.argmax(part.returned[before] == times[high - 1])]))


def _called_at(part: History, culprit: int, time: int) -> History:
    called = part.called.copy()
    called[culprit] = min(time, int(called[culprit]))
    order = np.argsort(called, kind="stable")
    return replace(part, called=called).take(order)


def possible_results(part: History, object_: Object, culprit: int, decide: Decide) -> tuple[Value, ...]:
    """A few of the values that a read could have returned instead, those written last first; none for other operations."""
    method = object_.find(part.methods[part.method[culprit]])
    if method is None or not method.reads_only or not (method.effect is Effects.LOOKS or isinstance(object_.initial, int)):
        return ()
    found: list[Value] = []
    tried = {exactly(part[culprit].result)}
    for tries, value in enumerate(_candidates(part, object_, culprit)):
        if tries >= TRIES_MAX or len(found) > SHOWN_MAX:
            break
        if exactly(value) not in tried:
            tried.add(exactly(value))
            if decide(_returning(part, culprit, value)) is Verdict.HOLDS:
                found.append(value)
    return tuple(found)


def _returning(part: History, culprit: int, value: Value) -> History:
    """The part, had the culprit returned a value."""
    values = part.values if any(same(value, v) for v in part.values) else (*part.values, value)
    result = part.result.copy()
    result[culprit] = next(k for k, v in enumerate(values) if same(value, v))
    return replace(part, values=values, result=result)


def _candidates(part: History, object_: Object, culprit: int) -> Iterator[Value]:
    """What operations left or saw, those that returned last first, and that with what was added to it."""
    recent = np.argsort(part.returned, kind="stable")[::-1]
    recent = recent[(part.returned[recent] < part.returned[culprit])]
    late = np.flatnonzero(part.returned >= part.called[culprit])[::-1]  # may have taken effect meanwhile
    bases: dict[Value, Value] = {}
    texts: dict[str, None] = {}
    for k in [*recent[:BASES_MAX].tolist(), *late.tolist(), *recent[BASES_MAX:].tolist()]:
        if k == culprit:
            continue
        operation = part[k]
        method = object_.find(operation.method)
        assert method is not None
        if operation.pending and method.reads_only:
            continue
        if method.extends:
            texts[str(operation.argument)] = None
            continue
        for value in _left(object_, operation.method, operation.argument, operation.result):
            bases.setdefault(exactly(value), value)
    values = list(bases.values())
    yield from values[: TRIES_MAX // 2]
    for base in (*values[:BASES_MAX], object_.initial):
        for text in texts:
            if isinstance(base, str) or base is object_.initial:
                yield (base if isinstance(base, str) else "") + text


def _left(object_: Object, name: str, argument: Value, result: Value) -> Iterator[Value]:
    method = object_.find(name)
    assert method is not None
    if method.effect is Effects.LOOKS:
        yield result
    elif method.effect is Effects.SETS:
        yield argument
    elif method.effect is Effects.SWAPS:
        assert isinstance(argument, tuple)
        if result is not False:
            yield argument[1]
    elif isinstance(result, int | float) and not isinstance(result, bool):  # of a counter
        yield from (result, result + 1)
    elif callable(method.effect) and (effect := method.effect(argument, result)) is not None:
        if effect.leaves is not ANY:
            yield effect.leaves
