"""Weaker models by their definitions, tried out on small histories, and as textbooks show them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence

import pytest

from scrutator.checker.linear.builder import Builder
from scrutator.checker.linear.history import NEVER, History, Operation, Value
from scrutator.checker.linear.weaker import Model, decide, holding, strongest
from scrutator.checker.verdict import Verdict
from scrutator.model.objects.kv import KV
from scrutator.model.objects.queues import QUEUE
from scrutator.model.objects.sequential import Value as State

Row = tuple[int, str, str, Value]  # process, r or w, key, value


def history(*rows: Row) -> History:
    """Operations one after the other in real time."""
    builder = Builder("test", True)
    for k, (process, what, key, value) in enumerate(rows):
        method, argument, result = ("get", None, value) if what == "r" else ("put", value, None)
        builder.add(k, process, method, argument, 10 * k, 10 * k + 5, result, key=key, keyed=True)
    return builder.history()


def verdicts(found: History) -> dict[Model, Verdict]:
    return {finding.model: finding.verdict for finding in strongest(found, KV)}


# --- by definition ----------------------------------------------------------------------


def orders(operations: Sequence[Operation], before: set[tuple[int, int]]) -> Iterator[tuple[Operation, ...]]:
    """Every order that keeps some pairs."""
    if not operations:
        yield ()
        return
    for one in operations:
        if not any((other.index, one.index) in before for other in operations):
            for rest in orders([o for o in operations if o is not one], before):
                yield (one, *rest)


def explains(order: Sequence[Operation]) -> bool:
    """Whether each read sees the last write before it."""
    state: dict[Value, State] = {}
    for o in order:
        if o.method == "put":
            state[o.key] = o.argument
        elif state.get(o.key) != o.result:
            return False
    return True


def session_order(operations: Sequence[Operation]) -> set[tuple[int, int]]:
    return {(a.index, b.index) for a, b in itertools.permutations(operations, 2) if a.process == b.process and a.index < b.index}


def closed(pairs: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """With all that follows."""
    found = set(pairs)
    while more := {(a, d) for a, b in found for c, d in found if b == c} - found:
        found |= more
    return found


def sees(operations: Sequence[Operation]) -> set[tuple[int, int]]:
    """Each read after the write that it saw."""
    return {
        (w.index, r.index) for w in operations for r in operations
        if (w.method, r.method) == ("put", "get") and w.key == r.key and w.argument == r.result
    }  # fmt: skip


def by_definition(found: History, model: Model) -> bool:
    operations = list(found)
    before = session_order(operations)
    if model is Model.SEQUENTIAL:
        return any(explains(order) for order in orders(operations, before))
    if model is Model.CAUSAL:
        before = closed(before | sees(operations))
        if any(a == b for a, b in before):
            return False
    for process in {o.process for o in operations}:
        visible = [o for o in operations if o.method == "put" or o.process == process]
        if not any(explains(order) for order in orders(visible, before)):
            return False
    return True


def random_rows(choose: random.Random) -> list[Row]:
    rows: list[Row] = []
    written: dict[str, list[Value]] = {"x": [None], "y": [None]}
    for value in range(choose.randint(2, 7)):
        key, process = choose.choice("xxy"), choose.randint(0, 2)
        if choose.random() < 0.5:
            written[key].append(value)
            rows.append((process, "w", key, value))
        else:
            rows.append((process, "r", key, None))
    found = [(p, w, k, choose.choice(written[k])) if w == "r" else (p, w, k, v) for p, w, k, v in rows]
    choose.shuffle(found)
    return found


@pytest.mark.parametrize("model", [Model.SEQUENTIAL, Model.CAUSAL, Model.PRAM])
def test_as_defined(model: Model) -> None:
    choose = random.Random(model.value)
    count = {Verdict.HOLDS: 0, Verdict.VIOLATED: 0}
    for _ in range(500):
        found = history(*random_rows(choose))
        decided = decide(found, KV, model)
        assert (decided.verdict is Verdict.HOLDS) == by_definition(found, model), list(found)
        count[decided.verdict] += 1
        if decided.verdict is Verdict.VIOLATED and model is not Model.SEQUENTIAL:
            assert decided.conflict
    assert min(count.values()) > 80


def test_what_implies_what() -> None:
    choose = random.Random(5)
    seen: set[tuple[Verdict, ...]] = set()
    for _ in range(150):
        found = history(*random_rows(choose))
        alone = {model: decide(found, KV, model).verdict for model in Model}
        for model in Model:
            for weaker in model.implies:
                assert not (alone[model] is Verdict.HOLDS and alone[weaker] is Verdict.VIOLATED), (model, weaker, list(found))
        assert verdicts(found) == alone
        seen.add(tuple(alone.values()))
    assert len(seen) > 8


# --- textbooks --------------------------------------------------------------------------


def test_a_stale_read_is_sequential() -> None:
    found = strongest(history((0, "w", "x", 1), (1, "r", "x", None)), KV)
    assert holding(found) == (Model.SEQUENTIAL,)


def test_two_buffers_are_causal() -> None:
    dekker = history((0, "w", "x", 1), (0, "r", "y", None), (1, "w", "y", 2), (1, "r", "x", None))
    assert holding(strongest(dekker, KV)) == (Model.CAUSAL,)


def test_independent_reads_of_independent_writes_are_causal() -> None:
    found = history(
        (0, "w", "x", 1), (1, "w", "y", 2), (2, "r", "x", 1), (2, "r", "y", None), (3, "r", "y", 2), (3, "r", "x", None)
    )
    assert holding(strongest(found, KV))[0] is Model.CAUSAL


def test_an_answer_before_its_question_is_pram() -> None:
    found = history((0, "w", "x", 1), (1, "r", "x", 1), (1, "w", "y", 2), (2, "r", "y", 2), (2, "r", "x", None))
    decided = {finding.model: finding for finding in strongest(found, KV)}
    assert decided[Model.PRAM].verdict is Verdict.HOLDS
    assert decided[Model.WRITES_FOLLOW_READS].verdict is Verdict.VIOLATED
    assert decided[Model.WRITES_FOLLOW_READS].conflict == (0, 3, 4)
    assert decided[Model.CAUSAL].reason.startswith("as it is not writes follow reads: get() -> 2 on 'y' of process 2 came before")


@pytest.mark.parametrize(
    ("model", "rows"),
    [
        (Model.READ_YOUR_WRITES, [(0, "w", "x", 1), (0, "r", "x", None)]),
        (Model.MONOTONIC_READS, [(0, "w", "x", 1), (2, "w", "x", 2), (1, "r", "x", 1), (1, "r", "x", 2), (1, "r", "x", 1)]),
        (Model.MONOTONIC_WRITES, [(0, "w", "x", 1), (0, "w", "y", 2), (1, "r", "y", 2), (1, "r", "x", None)]),
        (Model.EVENTUAL, [(0, "w", "x", 1), (1, "w", "x", 2), (2, "r", "x", 1), (3, "r", "x", 2)]),
    ],
)
def test_each_guarantee_is_broken_alone(model: Model, rows: list[Row]) -> None:
    found = verdicts(history(*rows))
    broken = {m for m, verdict in found.items() if verdict is Verdict.VIOLATED}
    assert model in broken
    guarantees = {Model.READ_YOUR_WRITES, Model.MONOTONIC_READS, Model.MONOTONIC_WRITES}
    assert broken & guarantees - {model} <= ({Model.MONOTONIC_READS} if model is Model.MONOTONIC_WRITES else set())


def test_the_beginning_does_not_come_back() -> None:
    found = decide(history((0, "w", "x", 1), (1, "r", "x", 1), (1, "r", "x", None)), KV, Model.MONOTONIC_READS)
    assert found.verdict is Verdict.VIOLATED and found.conflict == (1, 2)


def test_a_pending_write_that_nobody_saw_need_not_have_happened() -> None:
    builder = Builder("pending", True)
    builder.add(0, 0, "put", 1, 0, NEVER, None, key="x", keyed=True, pending=True)
    builder.add(1, 0, "get", None, 10, 15, None, key="x", keyed=True)
    found = builder.history()
    assert {model: decide(found, KV, model).verdict for model in Model} == dict.fromkeys(Model, Verdict.HOLDS)
    builder = Builder("pending", True)
    builder.add(0, 0, "put", 1, 0, NEVER, None, key="x", keyed=True, pending=True)
    builder.add(1, 0, "get", None, 10, 15, 99, key="x", keyed=True)
    assert decide(builder.history(), KV, Model.SEQUENTIAL).verdict is Verdict.VIOLATED


def test_what_nobody_wrote_is_allowed_by_no_model() -> None:
    assert set(verdicts(history((0, "r", "x", 9))).values()) == {Verdict.VIOLATED}


def test_what_cannot_be_told() -> None:
    twice = history((0, "w", "x", 1), (1, "w", "x", 1), (2, "r", "x", 1))
    assert verdicts(twice)[Model.LINEARIZABLE] is Verdict.HOLDS
    assert verdicts(twice)[Model.PRAM] is Verdict.HOLDS  # as it is linearizable
    found = decide(twice, KV, Model.PRAM)
    assert found.verdict is Verdict.UNKNOWN
    assert found.reason == "1 is written to 'x' more than once, so that reads do not tell which write they saw"
    builder = Builder("queue", True)
    builder.add(0, 0, "dequeue", None, 0, 1, None)
    builder.add(1, 1, "enqueue", 1, 2, 3, None)
    builder.add(2, 1, "dequeue", None, 4, NEVER, None, pending=True)
    queue = builder.history()
    assert decide(queue, QUEUE, Model.SEQUENTIAL).verdict is Verdict.HOLDS
    assert decide(queue, QUEUE, Model.CAUSAL).reason == "dequeue is neither read nor write nor compare-and-set"


def test_a_long_history() -> None:
    rows: list[Row] = []
    for k in range(2000):
        rows += [(0, "w", "x", k), (1 + k % 3, "r", "x", k)]
    assert verdicts(history(*rows, (2, "r", "x", 7)))[Model.CAUSAL] is Verdict.VIOLATED
    assert decide(history(*rows), KV, Model.CAUSAL).verdict is Verdict.HOLDS
