"""A recorded history: who called what when, and what came back.

The law: operation a precedes operation b exactly if a returned before b was called
(``returned[a] < called[b]``).  An operation that never returned, or of which nobody knows
whether it happened, is *pending*: it may take effect at any time after its call, or never.
An operation that certainly did not happen is not in a history at all.

Values are interned: columns hold positions in `History.values`, so that a million
operations are a handful of arrays.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Int32s: TypeAlias = npt.NDArray[np.int32]
Int64s: TypeAlias = npt.NDArray[np.int64]
Value: TypeAlias = Hashable

NEVER = np.iinfo(np.int64).max  # when a pending operation returns
UNKNOWN = -1  # result of a pending operation
NO_KEY = -1  # of an operation on an object without keys


class HistoryError(Exception):
    """The history is malformed: names the file, the line, what was expected and what was found."""

    def __init__(self, source: str, line: int, message: str) -> None:
        super().__init__(f"{source}:{line}: {message}")
        self.source, self.line = source, line


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, with its values in the clear."""

    index: int  # position in the history
    process: int
    key: Value
    method: str
    argument: Value
    result: Value  # None if pending
    called: int
    returned: int  # NEVER if pending

    @property
    def pending(self) -> bool:
        return self.returned == NEVER


@dataclass(frozen=True)
class History:
    """Operations as columns of equal length, in order of call.

    ``called`` and ``returned`` are nanoseconds, or positions in the recording where it has
    no clock; ``methods`` and ``values`` are what the other columns point into.
    """

    source: str
    methods: tuple[str, ...]
    values: tuple[Value, ...]
    process: Int32s
    key: Int32s  # position in values, or NO_KEY
    method: Int32s  # position in methods
    argument: Int32s  # position in values
    result: Int32s  # position in values, or UNKNOWN
    called: Int64s
    returned: Int64s
    line: Int32s  # where in the source
    has_clock: bool = True  # called and returned are nanoseconds
    metadata: dict[str, Value] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str | Path, format: str | None = None, *, keyed: bool | None = None) -> History:
        """The history in a file, as `scrutator.checker.linear.formats.read` reads it.

        Raises `HistoryError` where it is malformed, and OSError.
        """
        from scrutator.checker.linear.formats import read

        return read(path, format, keyed=keyed)

    def write(self, path: str | Path) -> None:
        """Write the history in our own format.  Raises TypeError, ValueError and OSError, as `formats.write` does."""
        from scrutator.checker.linear.formats import write

        write(self, path)

    def __len__(self) -> int:
        return len(self.called)

    def __getitem__(self, index: int) -> Operation:
        key, result = int(self.key[index]), int(self.result[index])
        return Operation(
            index,
            int(self.process[index]),
            None if key == NO_KEY else self.values[key],
            self.methods[self.method[index]],
            self.values[self.argument[index]],
            None if result == UNKNOWN else self.values[result],
            int(self.called[index]),
            int(self.returned[index]),
        )

    def take(self, which: Int64s) -> History:
        """The operations at some positions, which are in order of call."""
        columns = ("process", "key", "method", "argument", "result", "called", "returned", "line")
        return replace(self, **{name: getattr(self, name)[which] for name in columns})

    def compact(self) -> History:
        """The same with no more values than its operations need."""
        used = np.unique(np.concatenate([self.key, self.argument, self.result]))
        used = used[used >= 0]

        def place(column: Int32s) -> Int32s:
            return np.where(column < 0, column, np.searchsorted(used, column)).astype(np.int32)

        values = tuple(self.values[k] for k in used.tolist())
        return replace(self, values=values, key=place(self.key), argument=place(self.argument), result=place(self.result))

    def until(self, time: int) -> History:
        """What was known at a time: operations called until then, those that returned later pending."""
        count = int(np.searchsorted(self.called, time, side="right"))
        early = self.take(np.arange(count))
        late = early.returned > time
        return replace(
            early,
            result=np.where(late, UNKNOWN, early.result).astype(np.int32),
            returned=np.where(late, NEVER, early.returned),
        )

    def __iter__(self) -> Iterator[Operation]:
        return (self[index] for index in range(len(self)))

    @property
    def pending(self) -> int:
        """How many operations are pending."""
        return int((self.returned == NEVER).sum())
