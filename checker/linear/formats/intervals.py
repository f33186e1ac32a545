"""Interval text, as PolyLin writes it: a line for each operation, with its interval.

    # queue
    enq 3 0 4
    deq 3 2 6

The first line names the object: stack, queue, pqueue, set or deque.  Then come method,
value, start and end; on a set, 0 or 1 for what was returned stands before the start.  The
value of what removes or peeks is its result, and -1 says that there was nothing.  The
times have no unit.  Processes are not recorded: an operation is given the lowest that is
free at its start, among processes from 0.

https://github.com/solarrabbit99/PolyLin
"""

from __future__ import annotations

import heapq
import re

from scrutator.checker.linear.formats.source import Source, shown
from scrutator.checker.linear.history import History, Value

_TAKES = {
    "stack": ("push",), "queue": ("enq",), "pqueue": ("insert",), "deque": ("push_front", "push_back"),
    "set": ("insert", "add", "remove", "contains"),
}  # fmt: skip
_GIVES = {
    "stack": ("pop", "peek"), "queue": ("deq", "peek"), "pqueue": ("poll", "peek"), "set": (),
    "deque": ("pop_front", "pop_back", "peek_front", "peek_back"),
}  # fmt: skip
_INTEGER = re.compile(r"-?\d{1,18}")
EMPTY = -1

_Row = tuple[int, int, int, str, Value, Value]  # start, end, line, method, argument, result


def read_intervals(source: Source) -> History:
    """Read interval text.  Raises `HistoryError`."""
    name: str | None = None
    rows: list[_Row] = []
    for line, found in source.lines():
        if name is None:
            name = _object(source, line, found)
        elif not found.startswith("#"):
            if len(rows) >= source.operations_max:
                raise source.error(
                    line, f"more than {source.operations_max:,} operations, which is the limit"
                )
            rows.append(_row(source, line, name, found.split()))
    builder = source.builder(has_clock=False)
    rows.sort(key=lambda row: row[:3])
    free: list[int] = []
    busy: list[tuple[int, int]] = []
    for start, end, line, method, argument, result in rows:
        while busy and busy[0][0] < start:
            heapq.heappush(free, heapq.heappop(busy)[1])
        process = heapq.heappop(free) if free else len(busy)
        heapq.heappush(busy, (end, process))
        builder.add(line, process, method, argument, start, end, result)
    builder.metadata |= {"source_format": "intervals", "object": name}
    return builder.history()


def _object(source: Source, line: int, found: str) -> str:
    name = found.removeprefix("#").strip()
    if not found.startswith("#") or name not in _TAKES:
        raise source.expected(line, "# and one of " + ", ".join(_TAKES), shown(found))
    return name


def _row(source: Source, line: int, name: str, words: list[str]) -> _Row:
    shape = "method value result start end" if name == "set" else "method value start end"
    if len(words) != len(shape.split()):
        raise source.expected(line, shape, shown(" ".join(words)))
    method, *rest = words
    known = _TAKES[name] + _GIVES[name]
    if method not in known:
        raise source.expected(line, f"a method of the {name}: {', '.join(known)}", shown(method))
    for word in rest:
        if not _INTEGER.fullmatch(word):
            raise source.expected(line, f"{shape}, integers but for the method", shown(word))
    value, *results, start, end = map(int, rest)
    if end < start:
        raise source.error(line, f"the {method} ends at {end}, before it starts at {start}")
    if name == "set":
        if results[0] not in (0, 1):
            raise source.expected(line, "0 or 1 as the result", str(results[0]))
        return start, end, line, method, value, bool(results[0])
    if method in _GIVES[name]:
        return start, end, line, method, None, None if value == EMPTY else value
    if value == EMPTY:
        raise source.expected(line, f"a value to {method}", f"{EMPTY}, which says that there is none")
    return start, end, line, method, value, None
