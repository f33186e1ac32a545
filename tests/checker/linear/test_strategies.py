"""Generated histories are what they are said to be, and shrink to what matters."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from histories import linearizable
from scrutator.checker.linear.check import check_linearizable
from scrutator.checker.linear.history import History
from scrutator.checker.linear.strategies import histories
from scrutator.checker.verdict import Verdict
from scrutator.model.objects import objects
from scrutator.model.objects.counter import COUNTER
from scrutator.model.objects.register import REGISTER
from scrutator.model.objects.sequential import Object, State, Value, number

CALM = settings(
    max_examples=30, deadline=None, database=None, derandomize=True,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)  # fmt: skip


FINDING = settings(CALM, max_examples=600, phases=[Phase.generate, Phase.shrink])


@pytest.mark.parametrize("object_", objects().values(), ids=lambda object_: object_.name)
def test_legal_ones_are(object_: Object) -> None:
    @CALM
    @given(histories(object_, legal=True))
    def each(history: History) -> None:
        assert check_linearizable(history, object_).verdict is Verdict.HOLDS

    each()


@pytest.mark.parametrize("object_", objects().values(), ids=lambda object_: object_.name)
def test_illegal_ones_are(object_: Object) -> None:
    @CALM
    @given(histories(object_, legal=False, operations_max=4))
    def each(history: History) -> None:
        assert check_linearizable(history, object_, explain=False).verdict is Verdict.VIOLATED

    each()


@CALM
@given(st.sampled_from(list(objects().values())).flatmap(lambda o: st.tuples(st.just(o), histories(o))))
def test_either(found: tuple[Object, History]) -> None:
    object_, history = found
    expected = Verdict.HOLDS if linearizable(list(history), object_) else Verdict.VIOLATED
    assert check_linearizable(history, object_, explain=False).verdict is expected


def test_examples_shrink() -> None:
    smallest = find(histories(REGISTER, legal=False), lambda _: True, settings=FINDING)
    assert len(smallest) <= 2
    assert (smallest[0].called, smallest[0].pending) == (1, False)

    def adds(history: History) -> bool:
        return any(operation.method == "add" for operation in history)

    smallest = find(histories(COUNTER, legal=False), adds, settings=FINDING)
    assert len(smallest) <= 3  # a read that tells the beginning, the addition, and a read that missed it


def test_objects_of_ones_own() -> None:
    doubler = Object("doubler", 1)

    @doubler.method(takes=number)
    def times(state: State, factor: Value) -> tuple[Value, State]:
        """Multiply."""
        assert isinstance(state, int) and isinstance(factor, int)
        return state * factor, state * factor

    with pytest.raises(ValueError, match="illegal histories have up to 10 operations, not 11"):
        histories(doubler, legal=False, operations_max=11)

    @CALM
    @given(histories(doubler, legal=True, pending=False, arguments={"times": st.integers(2, 3)}))
    def each(history: History) -> None:
        assert check_linearizable(history, doubler).verdict is Verdict.HOLDS
        assert history.pending == 0

    each()
