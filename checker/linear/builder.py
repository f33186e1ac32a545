"""How readers build a history: call by call, return by return, in the order recorded.

The law: what no recording can mean is refused with its line, and nothing is guessed.  A
process has one operation at a time; times do not run backwards.
"""

from __future__ import annotations

import array

import numpy as np

from scrutator.checker.linear.history import NEVER, NO_KEY, UNKNOWN, History, HistoryError, Value
from scrutator.checker.linear.values import Values

OPERATIONS_MAX = 100_000_000
PROCESS_MAX = (1 << 31) - 1


class Builder:
    """Collects operations; `history` gives them as columns in order of call.

    Without a clock, pass positions in the recording as times: `tick` counts them.  Calls
    and returns come in order of time, whole operations (`add`) in any order.  More than
    ``operations_max`` operations, those that failed included, are refused.
    """

    def __init__(self, source: str, has_clock: bool, operations_max: int = OPERATIONS_MAX) -> None:
        self.source, self.has_clock, self.operations_max = source, has_clock, operations_max
        self.values = Values()
        self.methods: dict[str, int] = {}
        self._columns = {
            name: array.array("i") for name in ("process", "key", "method", "argument", "result", "line")
        }
        self._called, self._returned = array.array("q"), array.array("q")
        self._open: dict[int, int] = {}  # process -> its operation
        self._gone: dict[int, int] = {}  # process -> line after which it may do nothing more
        self._dropped: set[int] = set()
        self._ticks = 0
        self._latest: int | None = None
        self.metadata: dict[str, Value] = {}

    def tick(self) -> int:
        """The next position in the recording, as a time."""
        self._ticks += 1
        return self._ticks

    def intern(self, value: Value) -> int:
        """A value's position; equal values of equal type share one."""
        try:
            return self.values.number(value)
        except TypeError:
            raise TypeError(f"a value must be hashable: {value!r}") from None

    def error(self, line: int, message: str) -> HistoryError:
        return HistoryError(self.source, line, message)

    def call(
        self,
        line: int,
        process: int,
        method: str,
        argument: Value,
        time: int,
        *,
        key: Value = None,
        keyed: bool = False,
    ) -> int:
        """A process calls; the operation's number.  Raises `HistoryError`."""
        if process in self._open:
            earlier = self._columns["line"][self._open[process]]
            raise self.error(
                line,
                f"process {process} calls {method}, but its operation of line {earlier} has not returned",
            )
        if process in self._gone:
            raise self.error(
                line, f"process {process} calls {method}, but its operation was given up at line {self._gone[process]}: "
                "a process whose operation is indeterminate is not used again"
            )  # fmt: skip
        self._check_time(line, time)
        number = self.add(
            line, process, method, argument, time, NEVER, None, key=key, keyed=keyed, pending=True
        )
        self._open[process] = number
        return number

    def returns(self, line: int, process: int, result: Value, time: int) -> int:
        """A process's operation returns; its number.  Raises `HistoryError`."""
        number = self._end(line, process, "returns")
        self._check_time(line, time)
        self._columns["result"][number] = self.intern(result)
        self._returned[number] = time
        return number

    def fails(self, line: int, process: int) -> int:
        """A process's operation certainly did not happen: it leaves the history."""
        number = self._end(line, process, "fails")
        self._dropped.add(number)
        return number

    def indeterminate(self, line: int, process: int) -> int:
        """Nobody knows whether a process's operation happened, and the process does no more."""
        number = self._end(line, process, "crashes")
        self._gone[process] = line
        return number

    def add(
        self, line: int, process: int, method: str, argument: Value, called: int, returned: int, result: Value,
        *, key: Value = None, keyed: bool = False, pending: bool = False,
    ) -> int:  # fmt: skip
        """A whole operation at once; its number.  Raises `HistoryError`."""
        if returned < called:
            raise self.error(line, f"{method} returns at {returned}, before it is called at {called}")
        number = len(self._called)
        if number >= self.operations_max:
            raise self.error(line, f"more than {self.operations_max:,} operations, which is the limit")
        if not 0 <= process <= PROCESS_MAX:
            raise self.error(line, f"process {process} is not a number from 0 to {PROCESS_MAX:,}")
        column = self._columns
        column["process"].append(process)
        column["key"].append(self.intern(key) if keyed else NO_KEY)
        column["method"].append(self.methods.setdefault(method, len(self.methods)))
        column["argument"].append(self.intern(argument))
        column["result"].append(UNKNOWN if pending else self.intern(result))
        column["line"].append(line)
        self._called.append(called)
        self._returned.append(returned)
        return number

    def history(self) -> History:
        """What was collected; operations still open are pending."""
        columns = {name: np.array(column, np.int32) for name, column in self._columns.items()}
        called, returned = np.array(self._called, np.int64), np.array(self._returned, np.int64)
        order = np.argsort(called, kind="stable")
        if self._dropped:
            order = order[~np.isin(order, np.fromiter(self._dropped, np.int64))]
        return History(
            source=self.source,
            methods=tuple(self.methods),
            values=tuple(self.values.all),
            called=called[order],
            returned=returned[order],
            has_clock=self.has_clock,
            metadata=self.metadata,
            **{name: column[order] for name, column in columns.items()},
        )

    def _end(self, line: int, process: int, how: str) -> int:
        if process in self._gone:
            raise self.error(
                line, f"process {process} {how}, but its operation was given up at line {self._gone[process]}"
            )
        if process not in self._open:
            raise self.error(line, f"process {process} {how} without having called an operation")
        return self._open.pop(process)

    def _check_time(self, line: int, time: int) -> None:
        if self._latest is not None and time < self._latest:
            raise self.error(line, f"time runs backwards: {time} after {self._latest}")
        self._latest = time
