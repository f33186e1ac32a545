"""What a monitor is given: the operations of one part as columns, and what it answers.

A monitor is a function from `Calls` to a `Conflict`, or None where there is a
linearization.  The law: it decides exactly, or raises `Inapplicable`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scrutator.checker.linear.history import NEVER, UNKNOWN, History, Int32s, Int64s, Value
from scrutator.model.objects.sequential import Object


class Inapplicable(Exception):
    """The monitor does not decide such a history; the message says why."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Positions among the calls of operations that alone have no linearization, and why in words."""

    operations: tuple[int, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Calls:
    """Operations of one part, in order of call; columns of equal length.

    ``method`` points into ``methods``, the object's own names, ``argument`` and ``result``
    into ``values``.  A pending operation has returned NEVER, and its result is UNKNOWN.
    """

    object: Object
    methods: tuple[str, ...]
    values: tuple[Value, ...]
    method: Int32s
    argument: Int32s
    result: Int32s
    called: Int64s
    returned: Int64s

    def __len__(self) -> int:
        return len(self.called)

    def until(self, time: int) -> Calls:
        """What was known at a time: calls and returns up to it."""
        count = int(np.searchsorted(self.called, time, side="right"))
        late = self.returned[:count] > time
        return replace(
            self,
            method=self.method[:count],
            argument=self.argument[:count],
            result=np.where(late, UNKNOWN, self.result[:count]).astype(np.int32),
            called=self.called[:count],
            returned=np.where(late, NEVER, self.returned[:count]),
        )


def calls_of(history: History, object_: Object, which: Int64s) -> Calls:
    """The operations at some positions of a history, which are in order of call."""
    methods = tuple(object_.methods)
    own = [object_.find(name) for name in history.methods]
    number = np.array([-1 if m is None else methods.index(m.name) for m in own], np.int32)
    return Calls(
        object_, methods, history.values, number[history.method[which]], history.argument[which], history.result[which],
        history.called[which], history.returned[which],
    )  # fmt: skip
