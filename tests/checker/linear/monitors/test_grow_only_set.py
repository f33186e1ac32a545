"""The monitor of sets that only grow against the search by definition, and its words."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from random_collections import Row, calls, history

from histories import linearizable
from scrutator.checker.linear.history import NEVER
from scrutator.checker.linear.monitors.calls import Inapplicable
from scrutator.checker.linear.monitors.grow_only_set import decide
from scrutator.model.objects.sets import GROW_ONLY_SET, SET

SEEDS = 3000


def rows_at_random(choose: random.Random) -> list[Row]:
    """A run with adds of few elements, and sometimes a read that returned one element more or less."""
    length, span = choose.choice([0, 1, 2, 4, 8]), choose.choice([4, 8, 15, 25])
    state: set[int] = set()
    rows: list[Row] = []
    for time in sorted(choose.randint(0, span) for _ in range(choose.randint(1, 9))):
        called = time - choose.randint(0, length)
        returned = NEVER if choose.random() < 0.2 else time + choose.randint(0, length)
        if choose.random() < 0.6:
            element = choose.randint(1, 5)
            rows.append(("add", element, None, called, returned))
            if returned != NEVER or choose.random() < 0.5:
                state.add(element)
        else:
            changed = {choose.choice(sorted(state))} if state and choose.random() < 0.2 else set()
            changed |= {choose.randint(1, 5)} if choose.random() < 0.05 else set()
            rows.append(("read", None, tuple(sorted(state ^ changed)), called, returned))
    return rows


@pytest.mark.parametrize("object_", [SET, GROW_ONLY_SET], ids=lambda object_: object_.name)
def test_decides_as_the_search_by_definition(object_: object) -> None:
    assert object_ in (SET, GROW_ONLY_SET)
    subject = SET if object_ is SET else GROW_ONLY_SET
    verdicts: Counter[bool] = Counter()
    for seed in range(SEEDS):
        found = history(rows_at_random(random.Random(seed)))
        conflict = decide(calls(found, subject))
        legal = linearizable(list(found), subject)
        assert (conflict is None) == legal, (seed, conflict)
        if conflict is not None:
            assert not linearizable([found[i] for i in conflict.operations], subject), (seed, conflict)
        verdicts[legal] += 1
    assert min(verdicts.values()) > SEEDS // 20, verdicts


@pytest.mark.parametrize(("rows", "operations", "reason"), [
    ([("add", 1, None, 0, 1), ("read", None, (), 2, 3)], (0, 1),
     "a read has not 1, although add(1) returned before it was called"),
    ([("read", None, (1,), 0, 1), ("add", 1, None, 2, 3), ("add", 1, None, 4, 5)], (0, 1, 2),
     "a read returned 1 before any add of it was called"),
    ([("add", 1, None, 0, 9), ("add", 2, None, 0, 9), ("read", None, (1,), 2, 3), ("read", None, (2,), 2, 3)], (2, 3),
     "of two reads each has an element that the other has not"),
    ([("add", 1, None, 0, 9), ("read", None, (1,), 1, 2), ("read", None, (), 3, 4)], (1, 2),
     "a read has an element that another one has not, although it returned before the other was called"),
    ([("add", 1, None, 0, 1), ("read", None, (2,), 0, 9), ("add", 2, None, 2, 3)], (0, 1, 2),
     "a read has 2 and not 1, although add(1) returned before any add of 2 was called"),
    ([("add", 1, None, 0, 1), ("read", None, (True,), 2, 3)], (1,), "a read returned True, which was never added"),
    ([("add", 1, None, 0, 1), ("read", None, (1, 1), 2, 3)], (1,), "a read returned an element twice"),
])  # fmt: skip
def test_the_reason_is_said(rows: list[Row], operations: tuple[int, ...], reason: str) -> None:
    conflict = decide(calls(rows, GROW_ONLY_SET))
    assert conflict is not None
    assert (conflict.operations, conflict.reason) == (operations, reason)


def test_where_the_monitor_does_not_apply() -> None:
    with pytest.raises(Inapplicable, match="there is more than add and read: remove"):
        decide(calls([("remove", 1, True, 0, 1)], SET))
    with pytest.raises(Inapplicable, match="it is recorded what add returned: True"):
        decide(calls([("add", 1, True, 0, 1)], SET))
    with pytest.raises(Inapplicable, match="elements that are equal"):
        decide(calls([("add", 1, None, 0, 1), ("add", True, None, 0, 1)], SET))
