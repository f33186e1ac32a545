"""The frontier search decides as a search by definition does."""

from __future__ import annotations

import pytest

from histories import linearizable, random_history
from scrutator.checker.linear import frontier
from scrutator.checker.linear.builder import Builder
from scrutator.checker.linear.frontier import Search
from scrutator.checker.linear.history import History, Operation
from scrutator.checker.linear.problem import UnfitHistory, methods_of, parts_of, problem_of
from scrutator.model.objects.register import REGISTER
from scrutator.model.objects.sequential import Object, Value


def violated_parts(history: History, object_: Object) -> list[bool]:
    problem = problem_of(history, object_, parts_of(history, object_))
    search = Search(problem)
    return [search.part(number).operation is not None for number in range(problem.parts)]


@pytest.mark.parametrize("block", range(8))
def test_random_histories(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frontier, "CAPACITY_FIRST", 8)
    monkeypatch.setattr(frontier, "BEAMS", ((1, 1), (2, 1), (frontier.EVERYTHING, frontier.EVERYTHING)))
    verdicts = []
    for seed in range(1000 * block, 1000 * block + 200):
        history, object_ = random_history(seed)
        by_key: dict[Value, list[Operation]] = {}
        for operation in history:
            by_key.setdefault(operation.key, []).append(operation)
        expected = all(linearizable(operations, object_) for operations in by_key.values())
        assert (not any(violated_parts(history, object_))) == expected, seed
        verdicts.append(expected)
    assert 25 < sum(verdicts) < 175


def register(*operations: tuple[str, Value, Value, int, int]) -> History:
    builder = Builder("test", has_clock=True)
    for process, (method, argument, result, called, returned) in enumerate(operations):
        builder.add(process, process, method, argument, called, returned, result)
    return builder.history()


def test_the_operation_that_cannot_have_returned() -> None:
    history = register(("write", 1, None, 0, 1), ("write", 2, None, 2, 3), ("read", None, 1, 4, 5), ("read", None, 2, 6, 7))
    found = Search(problem_of(history, REGISTER, parts_of(history, REGISTER))).part(0)
    assert found.operation == 2


def test_times_that_touch_overlap() -> None:
    assert violated_parts(register(("write", 1, None, 0, 2), ("read", None, None, 2, 3)), REGISTER) == [False]
    assert violated_parts(register(("write", 1, None, 0, 1), ("read", None, None, 2, 3)), REGISTER) == [True]


def test_true_is_not_one() -> None:
    assert violated_parts(register(("write", True, None, 0, 1), ("read", None, 1, 2, 3)), REGISTER) == [True]


def test_many_at_once() -> None:
    writes = [("write", k, None, 0, 1000) for k in range(100)]
    reads = [("read", None, k, 1 + k, 2 + k) for k in range(90)]
    assert violated_parts(register(*writes, *reads), REGISTER) == [False]


def test_a_method_that_the_object_lacks() -> None:
    with pytest.raises(UnfitHistory, match="test: the object register has no method push; it has read, write, cas"):
        methods_of(register(("push", 1, None, 0, 1)), REGISTER)
