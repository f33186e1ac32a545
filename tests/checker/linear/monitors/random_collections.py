"""Histories of collections at random, small and large."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from scrutator.checker.linear.builder import Builder
from scrutator.checker.linear.history import NEVER, History
from scrutator.checker.linear.monitors.calls import Calls, calls_of
from scrutator.model.objects.sequential import Object, State, Value

Row = tuple[str, Value, Value, int, int]  # method, argument, result, called, returned


@dataclass(frozen=True, slots=True)
class Mix:
    """What histories hold: shares of operations that are pending, and whether removals may find nothing."""

    pending_adds: float = 0.0
    pending_removals: float = 0.0
    empties: bool = False


def history(rows: Iterable[Row]) -> History:
    builder = Builder("test", has_clock=True)
    for process, (method, argument, result, called, returned) in enumerate(rows):
        pending = returned == NEVER
        builder.add(
            process, process, method, argument, called, returned, None if pending else result, pending=pending
        )
    return builder.history()


def calls(rows: History | Iterable[Row], object_: Object) -> Calls:
    found = rows if isinstance(rows, History) else history(rows)
    return calls_of(found, object_, np.arange(len(found)))


def small(choose: random.Random, object_: Object, add: str, remove: str, mix: Mix) -> list[Row]:
    """About ten operations with many ties: results at random, or those of a run, or of one with two of them swapped."""
    length, span = choose.choice([0, 1, 2, 4, 8]), choose.choice([6, 12, 25])
    if choose.random() < 0.4:
        rows = _matched(choose, add, remove, mix, span, length)
    else:
        times = sorted(choose.randint(0, span) for _ in range(choose.randint(2, 10)))
        rows = run(choose, object_, add, remove, mix, times, length)
        if choose.random() < 0.6:
            rows = swapped(choose, rows, remove)
    return rows


def _matched(choose: random.Random, add: str, remove: str, mix: Mix, span: int, length: int) -> list[Row]:
    """Values that are added and removed at any times, without a run behind it."""
    rows: list[Row] = []
    for value in choose.sample(range(5), choose.randint(1, 5)):
        called = choose.randint(0, span)
        removed = choose.random() < 0.85
        pending = choose.random() < mix.pending_adds
        rows.append((add, value, None, called, NEVER if pending else called + choose.randint(0, length)))
        if removed:
            later = choose.randint(max(called - (choose.random() < 0.1), 0), span)
            rows.append((remove, None, value, later, later + choose.randint(0, length)))
    for share, least in ((mix.empties, 0), (mix.pending_removals, NEVER)):
        for _ in range(choose.randint(0, 2) if share else 0):
            called = choose.randint(0, span)
            rows.append((remove, None, None, called, least or called + choose.randint(0, length)))
    return rows


def run(
    choose: random.Random, object_: Object, add: str, remove: str, mix: Mix, times: Sequence[int], length: int,
    depth: int = 2,
) -> list[Row]:  # fmt: skip
    """What operations that take effect at some times return: linearizable, if time stamps are about these times."""
    state: State = object_.initial
    rows: list[Row] = []
    numbers = list(range(len(times)))
    choose.shuffle(numbers)
    for number, time in zip(numbers, times, strict=True):
        assert isinstance(state, tuple)
        adds = choose.random() < (0.6 if len(state) < depth else 0.4)
        method, argument = (add, number) if adds else (remove, None)
        result, after = object_.methods[method].outcomes(state, argument)[0]
        if not adds and result is None and not mix.empties:
            continue
        state = after
        pending = choose.random() < (mix.pending_adds if adds else mix.pending_removals)
        returned = NEVER if pending else time + choose.randint(0, length)
        rows.append((method, argument, result, time - choose.randint(0, length), returned))
    return rows


def swapped(choose: random.Random, rows: list[Row], remove: str) -> list[Row]:
    """The same, but two removals got each what the other should have."""
    removals = [i for i, row in enumerate(rows) if row[0] == remove and row[4] != NEVER]
    if len(removals) < 2:
        return rows
    one, other = choose.sample(removals, 2)
    changed = list(rows)
    for i, j in ((one, other), (other, one)):
        method, argument, _, called, returned = rows[i]
        changed[i] = (method, argument, rows[j][2], called, returned)
    return changed
