"""Every engine that applies says what the search by definition says, on thousands of random histories."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from test_witness import replay

from histories import OBJECTS, linearizable, random_history
from scrutator.checker.linear import engines
from scrutator.checker.linear.builder import Builder
from scrutator.checker.linear.check import check_linearizable
from scrutator.checker.linear.engines import Disagreement
from scrutator.checker.linear.history import History, Value
from scrutator.checker.linear.monitors.calls import Inapplicable
from scrutator.checker.linear.problem import parts_of
from scrutator.checker.linear.smt import SmtFinding, decide
from scrutator.checker.verdict import Verdict
from scrutator.model.objects import find
from scrutator.model.objects.register import REGISTER
from scrutator.model.objects.sequential import Object


def agree(object_: Object, seeds: range) -> dict[str, int]:
    """How often each engine decided; fails where one of them is wrong."""
    decided: dict[str, int] = {}
    for seed in seeds:
        history, _ = random_history(seed, object_)
        parts = parts_of(history, object_)
        found = check_linearizable(history, object_, engine="all", explain=False, workers=1)
        for number, part in enumerate(found.parts):
            operations = [history[k] for k in parts.operations(number).tolist()]
            expected = Verdict.HOLDS if linearizable(operations, object_) else Verdict.VIOLATED
            assert part.verdict is expected, seed
            for engine in part.engine.split(", "):
                decided[engine] = decided.get(engine, 0) + 1
    return decided


@pytest.mark.parametrize("object_", OBJECTS, ids=lambda object_: object_.name)
def test_engines_agree(object_: Object) -> None:
    decided = agree(object_, range(60))
    assert decided["search"] >= 60
    assert decided["smt"] >= 40


@pytest.mark.slow
@pytest.mark.parametrize("object_", OBJECTS, ids=lambda object_: object_.name)
def test_engines_agree_on_ten_thousand(object_: Object) -> None:
    assert agree(object_, range(10_000))["search"] >= 10_000


@pytest.mark.parametrize("object_", OBJECTS, ids=lambda object_: object_.name)
def test_the_solver_gives_an_order_or_who_is_to_blame(object_: Object) -> None:
    for seed in range(2000, 2040):
        history, _ = random_history(seed, object_)
        parts = parts_of(history, object_)
        for number in range(len(parts.keys)):
            which = parts.operations(number)
            try:
                found = decide(history, object_, which)
            except Inapplicable:
                continue
            if found.verdict is Verdict.HOLDS:
                replay(object_, [history[k] for k in which.tolist()], found.witness)
            else:
                assert found.core and set(found.core) <= set(which.tolist())


def test_the_solver_refuses_what_is_too_much_for_it() -> None:
    builder = Builder("long", True)
    for k in range(121):
        builder.add(k, k, "write", k, 10 * k, 10 * k + 5, None)
    with pytest.raises(Inapplicable, match="more than 120 operations"):
        decide(builder.history(), REGISTER, np.arange(121))
    found = check_linearizable(builder.history(), REGISTER, engine="smt")
    assert found.verdict is Verdict.UNKNOWN
    assert found.parts[0].why == "the solver was not asked: there are more than 120 operations"


@pytest.mark.parametrize(
    ("reference", "rows", "verdict"),
    [
        ("set", [("add", 1, True, 0, 1), ("contains", 1.0, False, 2, 3), ("contains", 1, True, 2, 3)], Verdict.HOLDS),
        ("set", [("add", 1, True, 0, 1), ("contains", 1.0, True, 2, 3)], Verdict.VIOLATED),
        ("set", [("remove", None, False, 0, 1), ("add", 1, True, 0, 1), ("remove", 1, True, 2, 3)], Verdict.HOLDS),
        ("set", [("add", 1, True, 0, 1), ("add", True, True, 0, 1), ("read", None, (1, True), 2, 3)], Verdict.HOLDS),
        ("set({1})", [("contains", 1, True, 0, 1), ("contains", True, False, 0, 1)], Verdict.HOLDS),
        ("counter", [("write", 1.0, None, 0, 1), ("decrement", None, 0.0, 2, 3), ("read", None, 0.0, 4, 5)], Verdict.HOLDS),
        ("counter", [("write", 1.0, None, 0, 1), ("decrement", None, 0, 2, 3)], Verdict.VIOLATED),
        ("queue", [("enqueue", True, None, 0, 1), ("dequeue", None, 1, 2, 3)], Verdict.VIOLATED),
    ],
)
def test_what_python_holds_for_equal(reference: str, rows: list[tuple[str, Value, Value, int, int]], verdict: Verdict) -> None:
    builder = Builder("equal", True)
    for process, (method, argument, result, called, returned) in enumerate(rows):
        builder.add(process, process, method, argument, called, returned, result)
    for engine in ("auto", "all"):
        assert check_linearizable(builder.history(), reference, engine=engine).verdict is verdict


def test_one_removal_takes_one_of_equal_values() -> None:
    builder = Builder("equal", True)
    for process, (method, argument, result, called, returned) in enumerate([
        ("insert", 2, None, 0, 1), ("insert", 2, None, 0, 1), ("poll", None, 2, 2, 3), ("poll", None, None, 4, 5),
    ]):  # fmt: skip
        builder.add(process, process, method, argument, called, returned, result)
    found = check_linearizable(builder.history(), find("priority-queue"), engine="smt")
    assert found.verdict is Verdict.VIOLATED


def test_a_solver_that_is_wrong_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def liar(*_: object, **__: object) -> SmtFinding:
        return SmtFinding(Verdict.VIOLATED, core=(0,))

    builder = Builder("short", True)
    builder.add(0, 0, "write", 1, 0, 5, None)
    history: History = dataclasses.replace(builder.history())
    monkeypatch.setattr("scrutator.checker.linear.smt.decide", liar)
    with pytest.raises(Disagreement, match="engines disagree on None: search holds, monitor holds, smt violated"):
        check_linearizable(history, REGISTER, engine="all")


def test_an_engine_of_no_use() -> None:
    with pytest.raises(ValueError, match="there is no engine magic; there are auto, search, monitor, smt, all"):
        check_linearizable(Builder("empty", True).history(), REGISTER, engine="magic")
    found = check_linearizable(random_history(1, find("counter"))[0], find("counter"), engine="monitor")
    assert found.parts[0].why == "there is no monitor for counter"
    assert found.verdict is Verdict.UNKNOWN
    assert engines.monitor_of(find("stack")) is not None
