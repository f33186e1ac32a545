"""The monitors of queues, stacks and priority queues against the search by definition, and on what is known of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from random_collections import Mix, Row, calls, history, run, small, swapped

from histories import linearizable
from scrutator.checker.linear.history import NEVER
from scrutator.checker.linear.monitors import priority_queue, queue, stack
from scrutator.checker.linear.monitors.calls import Calls, Conflict, Inapplicable
from scrutator.model.objects.queues import MIN_PRIORITY_QUEUE, PRIORITY_QUEUE, QUEUE, STACK
from scrutator.model.objects.sequential import Object


@dataclass(frozen=True, slots=True)
class Subject:
    object: Object
    add: str
    remove: str
    decide: Callable[[Calls], Conflict | None]

    def __str__(self) -> str:
        return self.object.name


SUBJECTS = [
    Subject(QUEUE, "enqueue", "dequeue", queue.decide),
    Subject(STACK, "push", "pop", stack.decide),
    Subject(PRIORITY_QUEUE, "insert", "poll", priority_queue.decide),
    Subject(MIN_PRIORITY_QUEUE, "insert", "poll", priority_queue.decide),
]
MIXES = {
    "complete": Mix(),
    "empties": Mix(pending_adds=0.15, empties=True),
    "pending": Mix(pending_adds=0.1, pending_removals=0.2),
    "pending and empties": Mix(pending_adds=0.1, pending_removals=0.3, empties=True),
}
SEEDS = 600

Row4 = tuple[int, int, int, int]  # of a value: its push called and returned, its pop called and returned


@pytest.mark.parametrize("mix", MIXES.values(), ids=MIXES)
@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_decides_as_the_search_by_definition(subject: Subject, mix: Mix) -> None:
    verdicts: Counter[bool] = Counter()
    for seed in range(SEEDS):
        found = history(small(random.Random(seed), subject.object, subject.add, subject.remove, mix))
        try:
            conflict = subject.decide(calls(found, subject.object))
        except Inapplicable:
            continue
        legal = linearizable(list(found), subject.object)
        assert (conflict is None) == legal, (seed, conflict)
        if conflict is not None:
            assert list(conflict.operations) == sorted(set(conflict.operations))
            assert not linearizable([found[i] for i in conflict.operations], subject.object), (seed, conflict)
        verdicts[legal] += 1
    assert min(verdicts[True], verdicts[False]) > SEEDS // 20, verdicts


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_large_histories_of_a_run_hold_until_results_are_swapped(subject: Subject) -> None:
    choose = random.Random(1)
    for depth in (2, 300):
        rows = run(choose, subject.object, subject.add, subject.remove, MIXES["empties"], range(0, 6000, 3), 10, depth)
        assert subject.decide(calls(rows, subject.object)) is None
        found = [subject.decide(calls(swapped(choose, rows, subject.remove), subject.object)) for _ in range(10)]
        assert sum(conflict is not None for conflict in found) >= 8
        for conflict in filter(None, found):
            some = history(swapped(choose, rows, subject.remove))
            assert len(conflict.operations) < len(some) / 10


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_who_lies_about_one_value(subject: Subject) -> None:
    def reason(*rows: Row) -> str:
        conflict = subject.decide(calls(rows, subject.object))
        assert conflict is not None
        return conflict.reason

    add, remove = subject.add, subject.remove
    assert reason((remove, None, 7, 0, 1)) == f"{remove}() -> 7 removed a value that was never added"
    assert reason((remove, None, 7, 0, 1), (add, 7, None, 2, 3)) == f"{remove}() -> 7 returned before {add}(7) was called"
    twice = reason((add, 7, None, 0, 1), (remove, None, 7, 2, 3), (remove, None, 7, 2, 3))
    assert twice == f"two operations removed the value of {add}(7)"
    assert "there was something: 7" in reason((add, 7, None, 0, 1), (remove, None, None, 2, 3)).replace(
        " that goes first", ""
    )


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_where_the_monitors_do_not_apply(subject: Subject) -> None:
    def why(*rows: Row, object_: Object = subject.object) -> str:
        with pytest.raises(Inapplicable) as caught:
            subject.decide(calls(rows, object_))
        return str(caught.value)

    add = subject.add
    assert why((add, 7, None, 0, 1), (add, 7, None, 2, 3)) == "7 is added more than once"
    assert why((add, 7, None, 0, 1), ("size", None, 1, 2, 3)) == f"there is more than {add} and {subject.remove}: length"
    assert why((add, 7, None, 0, 1), object_=subject.object.starting((1,))) == "the collection starts with values"


def test_a_queue_out_of_order_is_told_by_four_operations() -> None:
    rows: list[Row] = [
        ("enqueue", 0, None, 0, 9), ("enqueue", 1, None, 0, 1), ("enqueue", 2, None, 2, 3),
        ("dequeue", None, 2, 4, 5), ("dequeue", None, 1, 6, 7), ("dequeue", None, 0, 6, 7),
    ]  # fmt: skip
    assert queue.decide(calls(rows, QUEUE)) == Conflict(
        (1, 2, 3, 4),
        "dequeue() -> 2 returned before dequeue() -> 1 was called, although enqueue(1) returned before enqueue(2) was called",
    )


def test_pending_dequeues_go_to_whom_they_can() -> None:
    rows: list[Row] = [
        ("enqueue", 1, None, 0, 1), ("enqueue", 2, None, 2, 3), ("enqueue", 3, None, 4, 5),
        ("dequeue", None, None, 6, NEVER), ("dequeue", None, 3, 7, 8), ("dequeue", None, None, 8, NEVER),
    ]  # fmt: skip
    assert queue.decide(calls(rows, QUEUE)) is None
    late = [*rows[:5], ("dequeue", None, None, 9, NEVER)]
    conflict = queue.decide(calls(late, QUEUE))
    assert conflict is not None
    assert conflict.operations == (0, 1, 2, 3, 4)
    assert conflict.reason == (
        "when dequeue() -> 3 returned, 2 values added before it must have been removed, "
        "and 1 pending removal had been called"
    )


def test_a_stack_that_published_monitors_accept() -> None:
    """The history is one of those that PolyLin accepts."""
    rows: list[Row] = [
        ("push", "a", None, 0, 1), ("push", "b", None, 2, 7), ("push", "c", None, 3, 4),
        ("pop", None, "b", 5, 6), ("pop", None, "a", 8, 9), ("pop", None, "c", 10, 11),
    ]  # fmt: skip
    conflict = stack.decide(calls(rows, STACK))
    assert conflict is not None
    assert conflict.operations == (0, 2, 4, 5)
    assert conflict.reason == (
        "push('a') returned before push('c') was called, which returned before pop() -> 'a' was called, "
        "which returned before pop() -> 'c' was called, although 'a' lay below 'c'"
    )


def test_a_stack_is_decided_however_deep() -> None:
    count = 20_000
    rows: list[Row] = [("push", i, None, 2 * i, 2 * i + 3) for i in range(count)]
    rows += [("pop", None, count - 1 - i, 2 * (count + i), 2 * (count + i) + 3) for i in range(count)]
    assert stack.decide(calls(rows, STACK)) is None
    rows[-1], rows[-9] = (*rows[-9][:3], *rows[-1][3:]), (*rows[-1][:3], *rows[-9][3:])  # type: ignore[assignment]
    conflict = stack.decide(calls(rows, STACK))
    assert conflict is not None
    assert len(conflict.operations) == 4


def test_many_values_in_the_way_of_an_empty_removal() -> None:
    rows: list[Row] = []
    for i in range(2000):
        rows += [("enqueue", i, None, 10 * i, 10 * i + 1), ("dequeue", None, i, 10 * i + 12, 10 * i + 13)]
    rows.append(("dequeue", None, None, 5, 19_990))
    conflict = queue.decide(calls(rows, QUEUE))
    assert conflict is not None
    assert len(conflict.operations) == 4001 - 2
    assert conflict.reason == (
        "dequeue() -> empty, although at each moment there was something: "
        "0, then 1, then 2, then 3, then 4, then 5, then 1,993 more"
    )
    rows[2] = ("enqueue", 1, None, 10, 12)  # it meets the removal of 0 in a point
    assert queue.decide(calls(rows, QUEUE)) is None


def test_pending_pops_go_to_what_lies_above() -> None:
    rows: list[Row] = [
        ("push", 1, None, 0, 1), ("push", 2, None, 2, 3), ("push", 3, None, 4, 5),
        ("pop", None, None, 6, NEVER), ("pop", None, 1, 7, 8),
    ]  # fmt: skip
    conflict = stack.decide(calls(rows, STACK))
    assert conflict is not None
    assert conflict.operations == (0, 1, 2, 3, 4)
    assert conflict.reason == "there are not enough pending pops for 2, 3, which lay above others that were popped"
    assert stack.decide(calls([*rows, ("pop", None, None, 8, NEVER)], STACK)) is None
    conflict = stack.decide(calls([*rows[:3], ("pop", None, 1, 7, 8), ("pop", None, None, 9, NEVER)], STACK))
    assert conflict is not None
    assert conflict.reason == (
        "push(1) returned before push(2) was called, which returned before pop() -> 1 was called, "
        "and nobody had popped 2, which lay above"
    )


def test_pending_polls_go_to_what_goes_first() -> None:
    rows: list[Row] = [
        ("insert", 1, None, 0, 1), ("insert", 2, None, 2, 3), ("insert", 3, None, 4, 5),
        ("poll", None, None, 6, NEVER), ("poll", None, 1, 7, 8),
    ]  # fmt: skip
    conflict = priority_queue.decide(calls(rows, PRIORITY_QUEUE))
    assert conflict is not None
    assert conflict.operations == (0, 1, 2, 3, 4)
    assert "not enough pending removals for 3, 2" in conflict.reason
    assert priority_queue.decide(calls([*rows, ("poll", None, None, 8, NEVER)], PRIORITY_QUEUE)) is None
    assert priority_queue.decide(calls(rows, MIN_PRIORITY_QUEUE)) is None


def test_what_goes_first_may_itself_be_kept() -> None:
    """3 keeps 2 until 10, and so 1."""
    rows: list[Row] = [
        ("insert", 3, None, 0, 1), ("insert", 2, None, 0, 1), ("insert", 1, None, 0, 1),
        ("poll", None, 2, 2, 20), ("poll", None, 1, 3, 8), ("poll", None, 3, 10, 11),
    ]  # fmt: skip
    conflict = priority_queue.decide(calls(rows, PRIORITY_QUEUE))
    assert conflict == Conflict(
        (0, 2, 4, 5), "poll() -> 1, although at each moment there was something that goes first: 3"
    )
    rows[0] = ("insert", 3, None, 0, 6)  # so late that 2 may go before it, and 1 too
    assert priority_queue.decide(calls(rows, PRIORITY_QUEUE)) is None


def can_be_taken_apart(values: list[Row4]) -> bool:
    """What the stack's monitor does, as it is said: cut into parts, take away what can be at the bottom."""
    values = sorted((v for v in values if v[1] < v[2]), key=lambda v: v[1])
    parts: list[list[Row4]] = []
    for value in values:
        if parts and value[1] < max(v[2] for v in parts[-1]):
            parts[-1].append(value)
        else:
            parts.append([value])
    for part in parts:
        begins, ends = part[0][1], max(v[2] for v in part)
        rest = [v for v in part if v[0] > begins or v[3] < ends]
        if len(rest) == len(part) or not can_be_taken_apart(rest):
            return False
    return True


def test_the_kernel_takes_apart_what_its_slow_twin_does() -> None:
    verdicts: Counter[bool] = Counter()
    for seed in range(1000):
        choose = random.Random(seed)
        count, span = choose.choice([10, 40, 90]), choose.choice([20, 60, 200])
        times = sorted(choose.randint(0, span) for _ in range(count))
        rows = run(choose, STACK, "push", "pop", Mix(), times, choose.choice([0, 1, 3]), choose.choice([2, 10]))
        if choose.random() < 0.7:
            rows = swapped(choose, rows, "pop")
        pushes = {row[1]: row[3:] for row in rows if row[0] == "push"}
        pops = {row[2]: row[3:] for row in rows if row[0] == "pop"}
        if any(pops[value][1] < pushes[value][0] for value in pops):
            continue
        found = stack.decide(calls(rows, STACK)) is None
        assert found == can_be_taken_apart([(*pushes[v], *pops.get(v, (NEVER, NEVER))) for v in pushes]), seed
        verdicts[found] += 1
    assert min(verdicts[True], verdicts[False]) > 40, verdicts
