"""Verdicts on whole histories: parts together, limits kept."""

from __future__ import annotations

import dataclasses
import time

import pytest

from histories import DEQUE, QUEUE, linearizable, random_history
from scrutator.checker.linear.builder import Builder
from scrutator.checker.linear.check import check_linearizable
from scrutator.checker.linear.history import NEVER, History, Value
from scrutator.checker.linear.problem import UnfitHistory
from scrutator.checker.linear.result import Linearizability
from scrutator.checker.verdict import Verdict
from scrutator.model.objects import find
from scrutator.model.objects.register import REGISTER


def keys(violated: set[int]) -> History:
    """Twenty registers, each written and read; some return what was never written."""
    builder = Builder("twenty", has_clock=True)
    for key in range(20):
        builder.add(key, key, "write", key, 0, 10, None, key=key, keyed=True)
        builder.add(key, 100 + key, "read", None, 20, 30, -1 if key in violated else key, key=key, keyed=True)
    return builder.history()


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_parts_are_decided_apart(workers: int) -> None:
    result = check_linearizable(keys({3, 7}), REGISTER, workers=workers)
    assert result.verdict is Verdict.VIOLATED
    assert {part.key: part.culprit.result for part in result.parts if part.culprit is not None} == {3: -1, 7: -1}
    assert result.scope == "40 operations, 0 of them pending, in 20 parts"
    assert check_linearizable(keys(set()), REGISTER, workers=workers).verdict is Verdict.HOLDS


def test_workers_do_not_change_the_result() -> None:
    def comparable(result: Linearizability) -> dict[str, object]:
        return {**dataclasses.asdict(result), "seconds": 0}

    for seed in range(200):
        history, object_ = random_history(seed)
        results = [check_linearizable(history, object_, workers=w) for w in (1, 2)]
        assert comparable(results[0]) == comparable(results[1])


def explosive(n: int) -> History:
    """So many unordered adds, removed in an order that no queue gives: every order must be tried."""
    builder = Builder("explosive", has_clock=True)
    for k in range(n):
        builder.add(k, k, "push_back", k, 0, 10, None)
    for k in range(n):
        builder.add(n + k, k, "pop_front", None, 20 + 2 * k, 21 + 2 * k, k if k < n - 1 else 0)
    return builder.history()


def test_a_timeout_is_kept_inside_a_long_step() -> None:
    began = time.perf_counter()
    result = check_linearizable(explosive(14), DEQUE, engine="search", timeout_s=0.5)
    assert result.verdict is Verdict.UNKNOWN
    assert [part.limit for part in result.parts] == ["time"]
    assert result.scope.endswith("cut by time")
    assert time.perf_counter() - began < 30


def test_a_memory_limit() -> None:
    result = check_linearizable(explosive(9), DEQUE, engine="search", memory_bytes_max=200_000)
    assert [part.limit for part in result.parts] == ["memory"]
    assert not linearizable(list(explosive(5)), DEQUE)
    assert check_linearizable(explosive(5), DEQUE).verdict is Verdict.VIOLATED


def test_an_empty_history() -> None:
    assert check_linearizable(Builder("empty", True).history(), REGISTER).verdict is Verdict.HOLDS


def test_only_pending() -> None:
    builder = Builder("pending", True)
    builder.add(1, 1, "write", 1, 0, NEVER, None, pending=True)
    assert check_linearizable(builder.history(), REGISTER).verdict is Verdict.HOLDS


def test_failures_reach_the_caller() -> None:
    with pytest.raises(UnfitHistory):
        check_linearizable(keys(set()), QUEUE)


def test_a_start_that_nobody_knows() -> None:
    def reads(*values: Value) -> History:
        builder = Builder("reads", True)
        for k, value in enumerate(values):
            builder.add(k, k, "read", None, 10 * k, 10 * k + 5, value)
        return builder.history()

    unknown = find("register(?)")
    assert check_linearizable(reads(7, 7), REGISTER).verdict is Verdict.VIOLATED
    assert check_linearizable(reads(7, 7), unknown).verdict is Verdict.HOLDS
    found = check_linearizable(reads(7, 8), unknown)
    assert found.verdict is Verdict.VIOLATED
    assert found.parts[0].explanation is not None and len(found.parts[0].explanation.conflict) == 2
    with pytest.raises(UnfitHistory, match="only an object whose state is one value may start with anything"):
        check_linearizable(explosive(2), find("deque(?)"))
