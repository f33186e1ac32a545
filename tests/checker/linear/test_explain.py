"""Explanations: the shortest illegal prefix, a conflict that is one, and words that are true."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histories import OBJECTS, linearizable, random_history
from scrutator.checker.linear.builder import Builder
from scrutator.checker.linear.check import check_linearizable
from scrutator.checker.linear.history import NEVER, History, Operation
from scrutator.checker.linear.problem import parts_of
from scrutator.checker.linear.result import Explanation
from scrutator.checker.verdict import Verdict
from scrutator.model.objects.counter import COUNTER
from scrutator.model.objects.kv import KV
from scrutator.model.objects.queues import QUEUE
from scrutator.model.objects.register import REGISTER
from scrutator.model.objects.sequential import Object, Value
from scrutator.model.objects.sets import SET


def known(operations: Sequence[Operation], time: int) -> list[Operation]:
    """What had been called by a time, pending if it returned later."""
    late = {"returned": NEVER, "result": None}
    return [dataclasses.replace(o, **late) if o.returned > time else o for o in operations if o.called <= time]


def with_the_others_free(operations: Sequence[Operation], kept: Collection[int]) -> list[Operation]:
    """Those that are not kept may take effect at any time, or never."""
    free = {"called": -1, "returned": NEVER, "result": None}
    return [o if o.index in kept else dataclasses.replace(o, **free) for o in operations]


def explained(history: History, object_: Object) -> list[tuple[list[Operation], Explanation]]:
    """The operations of each violated part, and the explanation."""
    found = check_linearizable(history, object_, workers=1)
    operations = [[history[k] for k in parts_of(history, object_).operations(n).tolist()] for n in range(len(found.parts))]
    for part, own in zip(found.parts, operations, strict=True):
        assert (part.verdict is Verdict.HOLDS) == linearizable(own, object_)
    return [(own, p.explanation) for p, own in zip(found.parts, operations, strict=True) if p.explanation is not None]


@pytest.mark.parametrize("object_", OBJECTS, ids=lambda object_: object_.name)
def test_random_histories(object_: Object) -> None:
    count = 0
    for seed in range(100):
        for operations, explanation in explained(random_history(seed, object_)[0], object_):
            count += 1
            time = explanation.culprit.returned
            prefix = known(operations, time)
            assert explanation.prefix == len(prefix)
            assert not linearizable(prefix, object_), seed
            earlier = [o.returned for o in operations if o.returned < time]
            assert not earlier or linearizable(known(operations, max(earlier)), object_), seed
            assert explanation.shortest and explanation.minimal and explanation.reasons, seed
            kept = {o.index for o in explanation.conflict}
            assert kept, seed
            if not any(reason.startswith("whatever") for reason in explanation.reasons):
                assert not linearizable(with_the_others_free(prefix, kept), object_), seed
    assert count > 5


def only(object_: Object, *operations: tuple[str, Value, Value, int, int]) -> Explanation:
    builder = Builder("test", has_clock=True)
    for process, (method, argument, result, called, returned) in enumerate(operations):
        builder.add(process, process, method, argument, called, returned, result)
    (part,) = check_linearizable(builder.history(), object_).violated
    assert part.explanation is not None
    return part.explanation


def test_a_stale_read() -> None:
    explanation = only(
        REGISTER, ("write", 1, None, 0, 1), ("write", 2, None, 2, 3), ("write", 3, None, 0, 1), ("read", None, 1, 4, 5)
    )
    assert [o.index for o in explanation.conflict] == [0, 2, 3]
    assert explanation.culprit.process == 3
    assert explanation.reasons == (
        "read() -> 1 was possible until 3 ns, when write(2) of process 1 (line 1) returned",
        "it could have returned 2",
        "write(1) of process 0 returned before write(2) of process 1 was called",
        "read() -> 1 of process 3 is not before write(2) of process 1, which returned before it was called",
        "after write(2) of process 1, it would return 2",
    )


def test_what_nobody_wrote() -> None:
    explanation = only(REGISTER, ("write", 1, None, 0, 1), ("read", None, 7, 2, 3), ("write", 7, None, 4, 5))
    assert [o.process for o in explanation.conflict] == [1]
    assert explanation.reasons == (
        "read() -> 7 was possible at no time by then",
        "it could have returned 1",
        "read() -> 7 of process 1: nothing was called that could lead to that",
    )


def test_one_of_a_thousand_writes_of_few_values() -> None:
    operations: list[tuple[str, Value, Value, int, int]] = [
        ("write", k % 3, None, 10 * k, 10 * k + 15) for k in range(1000)
    ]
    explanation = only(REGISTER, *operations, ("read", None, 1, 10_020, 10_030))
    assert len(explanation.conflict) == 2
    assert explanation.reasons[0] == "read() -> 1 was possible until 10,005 ns, when write(0) of process 999 (line 999) returned"
    assert explanation.reasons[2].startswith("whatever had been left when write(0) of process 999 was called")
    assert explanation.reasons[-1] == "after write(0) of process 999, it would return 0"


def test_a_queue_out_of_order() -> None:
    explanation = only(
        QUEUE, ("enqueue", 1, None, 0, 1), ("enqueue", 2, None, 2, 3), ("dequeue", None, 2, 4, 5), ("dequeue", None, 1, 6, 7)
    )
    assert explanation.culprit.result == 2
    assert explanation.reasons[-1] == "after enqueue(2) of process 1, it would return 1"


def often(operations: Sequence[Operation]) -> list[Operation]:
    """The free ones three times each: for few operations that is as good as any number of times."""
    free = [o for o in operations if o.called == -1]
    return [*operations, *(dataclasses.replace(o, index=100 * k + o.index) for o in free for k in (1, 2))]


@settings(max_examples=40, deadline=None)
@given(st.integers(100, 1 << 32), st.sampled_from([KV, REGISTER, SET, COUNTER]))
def test_a_conflict_is_illegal_and_minimal(seed: int, object_: Object) -> None:
    for operations, explanation in explained(random_history(seed, object_)[0], object_):
        prefix = known(operations, explanation.culprit.returned)
        kept = {o.index for o in explanation.conflict}
        assert kept and explanation.unfound == ""
        if any(reason.startswith("whatever") for reason in explanation.reasons):
            continue
        assert not linearizable(with_the_others_free(prefix, kept), object_)
        if explanation.minimal and len(kept) > 1:
            for operation in kept:
                fewer = with_the_others_free(prefix, kept - {operation})
                assert linearizable(fewer, object_) or len(prefix) > 4 or linearizable(often(fewer), object_)


def test_a_write_lost_by_a_power_cut() -> None:
    """Appends make texts of which there is no end; there are others before and pending ones around."""
    before: list[tuple[str, Value, Value, int, int]] = [("append", f"a{k};", None, 10 * k, 10 * k + 5) for k in range(100)]
    explanation = only(
        KV, *before, ("put", "v0", None, 1_100, 1_110), ("cas", ("v9", "v8"), None, 1_105, NEVER),
        ("append", "v1;", None, 1_120, 1_130), ("delete", None, None, 1_125, NEVER), ("put", "v2", None, 1_140, 1_150),
        ("put", "v3", None, 1_145, NEVER), ("get", None, "v0", 2_000, 2_010), ("get", None, "v0", 2_020, 2_030),
    )  # fmt: skip
    assert [o.process for o in explanation.conflict] == [100, 102, 106]
    assert explanation.minimal and explanation.shortest
    assert explanation.reasons == (
        "get() -> 'v0' was possible until 1,130 ns, when append('v1;') of process 102 (line 102) returned",
        "it could have returned 'v2' or 'v3' or None",
        "put('v0') of process 100 returned before append('v1;') of process 102 was called",
        "get() -> 'v0' of process 106 is not before append('v1;') of process 102, which returned before it was called",
        "after append('v1;') of process 102, it would return 'v0v1;'",
    )


def test_a_cas_that_succeeds_twice() -> None:
    explanation = only(
        KV, ("put", "v0", None, 0, 1), ("append", "x", None, 0, NEVER), ("cas", ("v0", "v1"), True, 2, 3), ("cas", ("v0", "v2"), True, 4, 5)
    )
    assert [o.process for o in explanation.conflict] == [0, 2, 3]
    assert explanation.reasons[0] == "cas('v0' -> 'v2') was possible at no time by then"  # the other could not have come after it


def test_an_element_lost_among_many() -> None:
    """A read names all elements: the conflict is about the one that it lacks, not about those that nobody need know of."""
    adds: list[tuple[str, Value, Value, int, int]] = [("add", k, None, 10 * k, 10 * k + 5) for k in range(40)]
    explanation = only(SET, *adds, ("read", None, tuple(k for k in range(40) if k != 17), 1_000, 1_010))
    assert [o.process for o in explanation.conflict] == [17, 40]
    assert explanation.minimal
    assert explanation.reasons == (
        "read() -> a set without 17 was possible until 175 ns, when add(17) of process 17 (line 17) returned",
        "read() -> a set without 17 of process 40 is not before add(17) of process 17, which returned before it was called",
        "after add(17) of process 17, it would return a set with 17",
    )


def test_a_value_delivered_twice() -> None:
    adds: list[tuple[str, Value, Value, int, int]] = [("enqueue", k, None, 10 * k, 10 * k + 5) for k in range(30)]
    explanation = only(QUEUE, *adds, ("dequeue", None, 0, 400, 410), ("dequeue", None, 0, 420, 430))
    assert [o.process for o in explanation.conflict] == [30, 31]
    assert explanation.reasons[-1] == "after dequeue() -> 0 of process 30, it would return None"


def test_a_counter_that_falls_back() -> None:
    """Eighty operations, any of which may be counted once: too many for lists, few kinds of states."""
    counts: list[tuple[str, Value, Value, int, int]] = [("increment", None, k + 1, 10 * k, 10 * k + 5) for k in range(80)]
    explanation = only(COUNTER, *counts, ("increment", None, None, 700, NEVER), ("read", None, 50, 1_000, 1_010))
    assert [o.result for o in explanation.conflict] == [51, 50]
    assert explanation.reasons[:2] == (
        "read() -> 50 was possible until 505 ns, when increment() -> 51 of process 50 (line 50) returned",
        "it could have returned 80 or 81",
    )
