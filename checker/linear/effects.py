"""Objects whose state is one value that operations look at, set, or both.

For those a class of operations is three numbers: the state it needs, the state it must
not find, and the state it leaves, each a position among the values, plus 1, and 0 where
it is any, none, or the same.  Registers, compare-and-set, locks and elements of sets are
such; their operations need no table of steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scrutator.checker.linear.history import UNKNOWN, Int32s
from scrutator.model.objects.sequential import Method, Object, Value

READS, WRITES, SWAPS = "read", "write", "cas"
EFFECTS = {"register": {"read": READS, "write": WRITES, "cas": SWAPS}, "kv": {"get": READS, "put": WRITES, "cas": SWAPS}}


@dataclass(frozen=True, slots=True)
class Effects:
    """Of each class; ``initial`` is the state that a history starts in, plus 1."""

    pre: Int32s
    not_pre: Int32s
    post: Int32s
    initial: int
    states: tuple[Value, ...]  # beyond the history's values


def effects_of(
    object_: Object, methods: Sequence[Method], method: Int32s, argument: Int32s, result: Int32s, values: tuple[Value, ...]
) -> Effects | None:
    """The effects of classes, or None if the object is not of this kind."""
    known = EFFECTS.get(object_.name, {})
    if any(m.name not in known for m in methods):
        return None
    positions: dict[tuple[type, Value], int] = {}  # 1 and True are equal to Python, and not to a store
    extra: list[Value] = []

    def position(value: Value) -> int:
        if not positions:
            for k, v in enumerate(values):
                positions[type(v), v] = k
        if (type(value), value) not in positions:
            positions[type(value), value] = len(values) + len(extra)
            extra.append(value)
        return positions[type(value), value]

    pre, not_pre, post = (np.zeros(len(method), np.int32) for _ in range(3))
    for m, declared in enumerate(methods):
        here = method == m
        kind = known[declared.name]
        if kind == READS:
            pre[here] = result[here] + 1
        elif kind == WRITES:
            post[here] = argument[here] + 1
        else:
            for k in np.flatnonzero(here).tolist():
                change = values[argument[k]]
                assert isinstance(change, tuple)
                expected, new = position(change[0]) + 1, position(change[1]) + 1
                if result[k] == UNKNOWN or values[result[k]] is True:
                    pre[k], post[k] = expected, new
                else:
                    not_pre[k] = expected
    return Effects(pre, not_pre, post, position(object_.initial) + 1, tuple(extra))
