"""`scrutator lin --online`: a recording is checked while it is being written.

Operations are written when they end, so that one that was called long ago may still come.
What is decided lies back by a lag; an operation that took longer makes the verdict UNKNOWN.
"""

from __future__ import annotations

import contextlib
import heapq
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from scrutator.checker.commands.shared import UsageError
from scrutator.checker.linear.formats.follow import Following
from scrutator.checker.linear.formats.lines import GENERATED
from scrutator.checker.linear.formats.lines_decode import Line
from scrutator.checker.linear.history import HistoryError, Value
from scrutator.checker.linear.online import Growing, Online
from scrutator.checker.linear.values import frozen
from scrutator.checker.verdict import Verdict
from scrutator.model.objects.sequential import Object

CALL, RETURN = 0, 1
NS = 1_000_000_000


class Watch:
    """Feeds what a recording says to the checker, in order of time."""

    def __init__(
        self, name: str, object_: Object, lag_ns: int, memory_bytes_max: int | None, *, keys_are_elements: bool = False
    ) -> None:
        self.name, self.lag_ns, self.keys_are_elements = name, lag_ns, keys_are_elements
        self.checker = Online(object_, memory_bytes_max=memory_bytes_max)
        self._events: list[tuple[int, int, int, Line]] = []  # time, call or return, number of the line
        self._latest = self._told = -(1 << 63)  # the last time that was read, and the last one told to the checker
        self._late: str | None = None

    @property
    def found(self) -> Growing:
        found = self.checker.found
        if self._late is None or found.verdict is Verdict.VIOLATED:
            return found
        return Growing(Verdict.UNKNOWN, found.decided, found.waiting, limit=self._late)

    @property
    def ended(self) -> bool:
        return self.found.verdict is not Verdict.HOLDS

    def read(self, number: int, line: Line) -> None:
        """One more operation."""
        if line.call < self._told:
            behind = (self._told - line.call) / NS
            self._late = f"the lag: the operation of line {number} took longer, by {behind:.3f} s"
            return
        heapq.heappush(self._events, (line.call, CALL, number, line))
        if line.ret is not None:
            if line.ret < line.call:
                raise HistoryError(self.name, number, f"the operation returns at {line.ret}, before it is called at {line.call}")
            heapq.heappush(self._events, (line.ret, RETURN, number, line))
        self._latest = max(self._latest, line.call if line.ret is None else line.ret)

    def tell(self, *, everything: bool = False) -> None:
        """Tell the checker what lies back far enough, and let it decide what it can."""
        while self._events and not self.ended and (everything or self._events[0][0] < self._latest - self.lag_ns):
            time, kind, number, line = heapq.heappop(self._events)
            self._told = time
            try:
                self._tell(time, kind, number, line)
            except ValueError as error:
                raise HistoryError(self.name, number, str(error)) from None
        self.checker.flush()

    def _tell(self, time: int, kind: int, number: int, line: Line) -> None:
        if kind == RETURN:
            self.checker.returns(line.p, frozen(line.result), time=time)
            return
        key: Value = None if not isinstance(line.k, _VALUES) else frozen(line.k)
        argument = frozen(line.argument)
        if self.keys_are_elements:
            key, argument = None, key
        self.checker.call(line.p, line.f, argument, time=time, key=key, line=number)
        if line.ret is None:
            self.checker.unknown(line.p, time=time)


_VALUES = (type(None), bool, int, float, str, tuple, dict)


def watch(
    path: str, object_of: Callable[[dict[str, object]], Object], lag_s: float, idle_s: float | None,
    memory_bytes_max: int | None, show: Callable[[str], None],
) -> tuple[Growing, Object]:  # fmt: skip
    """Follow a recording until it is violated, ends, or Ctrl-C; what was found, and of which object."""
    with _opened(path) as stream:
        following = Following(stream, path, 0.0 if path == "-" else idle_s)
        show(f"waiting for {path}")
        header = following.header()
        if header.get("clock", "ns") != "ns":
            raise UsageError(f"{path}: a recording without a clock is checked as a whole: leave --online out")
        object_ = object_of(header)
        elements = header["format"] == GENERATED and header.get("type") == "set"
        watched = Watch(path, object_, int(lag_s * NS), memory_bytes_max, keys_are_elements=elements)
        with contextlib.suppress(KeyboardInterrupt):
            for lines in following.lines():
                for number, line in lines:
                    watched.read(number, line)
                watched.tell()
                found = watched.found
                show(f"{path}: {found.decided:,} operations decided, {found.waiting:,} under way")
                if watched.ended:
                    return found, object_
            watched.tell(everything=True)
        return watched.found, object_


def report(path: str, object_: Object, found: Growing) -> str:
    """What was found, in words."""
    lines = [f"{found.verdict.name} {path}: {found.decided:,} operations decided as {object_.name}, {found.waiting:,} not yet"]
    if found.key is not None:
        lines.append(f"  key {found.key!r}")
    if found.culprit is not None:
        method, one = object_.methods[found.culprit.method], found.culprit
        text = method.describe(one.argument, one.result)
        lines.append(f"  {text} of process {one.process}, called at {one.called}, is the first return that no order allows")
        if path != "-":
            lines.append(f"  scrutator lin {path} explains it")
    if found.limit is not None:
        lines.append(f"  cut by {found.limit}")
    return "\n".join(lines)


def document(path: str, object_: Object, found: Growing) -> dict[str, object]:
    """What was found, for programs: the schema ``scrutator.lin-online/1``."""
    one = found.culprit
    culprit = None if one is None else {
        "process": one.process, "method": one.method, "argument": one.argument, "result": one.result,
        "called": one.called, "returned": one.returned,
    }  # fmt: skip
    return {
        "schema": "scrutator.lin-online/1", "file": path, "object": object_.name, "verdict": found.verdict.value,
        "decided": found.decided, "waiting": found.waiting, "key": found.key, "culprit": culprit, "limit": found.limit,
    }  # fmt: skip


@contextlib.contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    if path == "-":
        with open(os.dup(sys.stdin.fileno()), "rb", buffering=0) as stream:
            yield stream
        return
    try:
        file = Path(path).open("rb")  # noqa: SIM115
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    with file:
        yield file
