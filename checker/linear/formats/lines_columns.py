"""What both ways of reading lines of our own format give: columns, in order of the lines."""

from __future__ import annotations

from dataclasses import dataclass

from scrutator.checker.linear.history import Int32s, Int64s, Value

OPERATION = 'an operation {"p", "f", "k"?, "in", "out", "call", "ret"}'


@dataclass
class Columns:
    """One entry a line: ``result`` of a pending operation is the number of None."""

    methods: list[str]
    values: list[Value]
    process: Int32s
    method: Int32s
    key: Int32s  # NO_KEY if absent
    argument: Int32s
    result: Int32s
    called: Int64s
    returned: Int64s  # NEVER if null
