"""Until when a result was possible, held against every call time that there is."""

from __future__ import annotations

import dataclasses

from hypothesis import given, settings
from hypothesis import strategies as st

from histories import linearizable, random_history
from scrutator.checker.linear.history import NEVER, History
from scrutator.checker.linear.possible import possible_results, possible_until
from scrutator.checker.verdict import Verdict
from scrutator.model.objects.kv import KV
from scrutator.model.objects.queues import QUEUE
from scrutator.model.objects.register import REGISTER
from scrutator.model.objects.sequential import Object


def decider(object_: Object):  # type: ignore[no-untyped-def]
    def decide(history: History) -> Verdict:
        assert (history.called[1:] >= history.called[:-1]).all()
        return Verdict.HOLDS if linearizable(list(history), object_) else Verdict.VIOLATED

    return decide


def legal_if_called(history: History, culprit: int, time: int, object_: Object) -> bool:
    operations = list(history)
    operations[culprit] = dataclasses.replace(operations[culprit], called=min(time, operations[culprit].called))
    return linearizable(operations, object_)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1 << 32), st.sampled_from([REGISTER, KV, QUEUE]))
def test_it_is_the_latest(seed: int, object_: Object) -> None:
    history, _ = random_history(seed, object_)
    if (history.key >= 0).any() or linearizable(list(history), object_):
        return
    for culprit in range(len(history)):
        if history.returned[culprit] == NEVER:
            continue
        until = possible_until(history, culprit, decider(object_))
        assert until is not None
        times = [t for t in range(-2, int(history.called[culprit]) + 1) if legal_if_called(history, culprit, t, object_)]
        if until.operation is None:
            assert not times
        else:
            assert max(times) == history.returned[until.operation]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 1 << 32))
def test_what_could_have_been_returned(seed: int) -> None:
    history, _ = random_history(seed, KV)
    if (history.key >= 0).any():
        return
    for culprit, operation in enumerate(history):
        for value in possible_results(history, KV, culprit, decider(KV)):
            assert operation.method == "get" and value != operation.result
            operations = [o if o.index != culprit else dataclasses.replace(o, result=value) for o in history]
            assert linearizable(operations, KV)
