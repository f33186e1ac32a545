"""Our own format: a header and one operation a line, as JSON.

    {"format": "scrutator-history/1", "object": "register", "clock": "ns"}
    {"p": 0, "f": "write", "in": 1, "out": null, "call": 10, "ret": 25}
    {"p": 1, "f": "read", "in": null, "out": 1, "call": 20, "ret": null}

``p`` is the process, ``k`` the key (left out on an object without keys), ``ret`` null for
an operation that is pending; its ``out`` is null.  ``clock`` is "ns" if the times are
nanoseconds, and null if they are positions in a recording.  Whatever else the header says
is metadata.  Lines may come in any order; a process's operations must not overlap.

A million lines take most of a second, so lines become columns in chunks, and nothing is
done line by line in Python.  What is wrong with a line is found out afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, cast

import msgspec
import numpy as np

from scrutator.checker.linear.builder import PROCESS_MAX
from scrutator.checker.linear.formats.source import Source, shown, told
from scrutator.checker.linear.history import NEVER, NO_KEY, UNKNOWN, History, HistoryError, Value
from scrutator.checker.linear.values import Values, frozen

FORMAT = "scrutator-history/1"
GENERATED = "linhist/1"  # of our generator of histories: the same lines
CHUNK_BYTES = 1 << 22
OPERATION = 'an operation {"p", "f", "k"?, "in", "out", "call", "ret"}'
TIME_MAX = NEVER - 1

_In = None | bool | int | float | str | tuple[object, ...] | dict[str, object]
_Time = Annotated[int, msgspec.Meta(ge=-TIME_MAX, le=TIME_MAX)]


class _Line(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    p: Annotated[int, msgspec.Meta(ge=0, le=PROCESS_MAX)]
    f: str
    argument: _In = msgspec.field(name="in")
    result: _In = msgspec.field(name="out")
    call: _Time
    ret: _Time | None
    k: _In | msgspec.UnsetType = msgspec.UNSET


_DECODER = msgspec.json.Decoder(_Line)


@dataclass
class _Columns:
    """Columns of a history, chunk by chunk."""

    values: Values = field(default_factory=Values)
    methods: dict[str, int] = field(default_factory=dict)
    parts: dict[str, list[np.ndarray]] = field(default_factory=dict)
    size: int = 0

    def put(self, name: str, numbers: list[int], dtype: type = np.int32) -> None:
        self.parts.setdefault(name, []).append(np.array(numbers, dtype))

    def column(self, name: str, dtype: type = np.int32) -> np.ndarray:
        return np.concatenate(self.parts.pop(name, [np.zeros(0, dtype)]))


def read_lines(source: Source) -> History:
    """Read our own format.  Raises `HistoryError`."""
    header, begin = _header(source)
    metadata = dict(header)
    name = metadata.pop("format")
    if name == GENERATED:
        metadata["object"] = _GENERATED_OBJECTS.get(metadata.get("type"), metadata.get("type"))
        has_clock = True
    else:
        clock = metadata.pop("clock", "absent")
        if clock not in ("ns", None):
            raise source.expected(1, '"clock": "ns" or null', shown(clock))
        has_clock = clock == "ns"
    element_is_key = name == GENERATED and metadata["object"] == "set"
    columns = _Columns()
    for first_line, chunk in _chunks(source, begin):
        _add(source, columns, first_line, chunk, element_is_key)
    return _history(source, columns, has_clock, {key: frozen(value) for key, value in metadata.items()})


_GENERATED_OBJECTS: dict[object, str] = {"cas": "cas-register"}


def _header(source: Source) -> tuple[dict[str, object], int]:
    """The header, and where the next line begins."""
    end = source.data.find(b"\n") + 1 or len(source.data)
    try:
        header = msgspec.json.decode(source.data[:end])
    except (msgspec.DecodeError, RecursionError) as error:
        raise source.expected(1, f'a header {{"format": "{FORMAT}", ...}}', told(error)) from None
    name = header.get("format") if isinstance(header, dict) else None
    if name not in (FORMAT, GENERATED):
        found = "no header" if name is None else f"the format {shown(name)}"
        raise source.expected(1, f'a header {{"format": "{FORMAT}", ...}}', found)
    return cast("dict[str, object]", header), end


def _chunks(source: Source, begin: int) -> Iterator[tuple[int, list[_Line]]]:
    """Lines, many at a time, with the number of the first."""
    data, number = source.data, 2
    while begin < len(data):
        end = data.find(b"\n", min(begin + CHUNK_BYTES, len(data))) + 1 or len(data)
        _check_lengths(source, begin, end, number)
        chunk = data[begin:end]
        try:
            lines = _DECODER.decode_lines(chunk)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise _first_error(source, chunk, number) from None
        count = chunk.count(b"\n") + (not chunk.endswith(b"\n"))
        if count != len(lines):
            blank = next(k for k, line in enumerate(chunk.split(b"\n"), number) if not line.strip())
            raise source.expected(blank, OPERATION, "a blank line")
        yield number, lines
        begin, number = end, number + count


def _check_lengths(source: Source, begin: int, end: int, number: int) -> None:
    """A line that is too long leaves a window of half its length without an end of line."""
    data, window = source.data, max(source.line_bytes_max // 2, 1)
    if any(data.find(b"\n", at, at + window) < 0 for at in range(begin, end, window)):
        for k, line in enumerate(data[begin:end].split(b"\n"), number):
            if len(line) > source.line_bytes_max:
                raise source.too_long(k, len(line))


def _first_error(source: Source, chunk: bytes, number: int) -> HistoryError:
    for k, line in enumerate(chunk.split(b"\n"), number):
        try:
            _DECODER.decode(line)
        except UnicodeDecodeError:
            return source.expected(k, "text in UTF-8", shown(line))
        except RecursionError:
            return source.expected(k, OPERATION, "values nested too deeply")
        except msgspec.DecodeError as error:
            return source.expected(k, OPERATION, told(error) if line.strip() else "a blank line")
    raise AssertionError("no line of the chunk is wrong")


def _add(
    source: Source, columns: _Columns, first_line: int, lines: list[_Line], element_is_key: bool
) -> None:
    columns.size += len(lines)
    if columns.size > source.operations_max:
        line = first_line + source.operations_max - (columns.size - len(lines))
        raise source.error(line, f"more than {source.operations_max:,} operations, which is the limit")
    methods = columns.methods
    names = [o.f for o in lines]
    for name in dict.fromkeys(names):
        methods.setdefault(name, len(methods))
    columns.put("method", list(map(methods.__getitem__, names)))
    columns.put("process", [o.p for o in lines])
    columns.put("called", [o.call for o in lines], np.int64)
    columns.put("returned", [NEVER if o.ret is None else o.ret for o in lines], np.int64)
    keys: list[object] = [o.k for o in lines]
    arguments: list[object] = [o.argument for o in lines]
    if element_is_key:
        keys, arguments = [msgspec.UNSET] * len(lines), keys
    columns.put("argument", _numbers(columns.values, arguments))
    columns.put("result", _numbers(columns.values, [o.result for o in lines]))
    columns.put("key", _keys(columns.values, keys))


def _numbers(values: Values, column: list[object]) -> list[int]:
    if dict in set(map(type, column)):
        column = [frozen(value) if type(value) is dict else value for value in column]
    return values.numbers(column)


def _keys(values: Values, column: list[object]) -> list[int]:
    if msgspec.UnsetType not in set(map(type, column)):
        return _numbers(values, column)
    there = [key for key in column if key is not msgspec.UNSET]
    numbers = iter(_numbers(values, there))
    return [NO_KEY if key is msgspec.UNSET else next(numbers) for key in column]


def _history(source: Source, columns: _Columns, has_clock: bool, metadata: dict[str, Value]) -> History:
    called, returned = columns.column("called", np.int64), columns.column("returned", np.int64)
    process, result = columns.column("process"), columns.column("result")
    pending = returned == NEVER
    nothing = np.array([value is None for value in columns.values.all] or [False], np.bool_)
    for wrong in np.flatnonzero(pending & ~nothing[result])[:1]:
        found = shown(columns.values.all[result[wrong]])
        raise source.expected(int(wrong) + 2, '"out": null, as "ret" is null', found)
    for wrong in np.flatnonzero(returned < called)[:1]:
        message = f"the operation returns at {returned[wrong]}, before it is called at {called[wrong]}"
        raise source.error(int(wrong) + 2, message)
    _check_processes(source, process, called, returned)
    result[pending] = UNKNOWN
    order = np.argsort(called, kind="stable")
    return History(
        source=source.name,
        methods=tuple(columns.methods),
        values=tuple(columns.values.all),
        process=process[order],
        key=columns.column("key")[order],
        method=columns.column("method")[order],
        argument=columns.column("argument")[order],
        result=result[order],
        called=called[order],
        returned=returned[order],
        line=(order + 2).astype(np.int32),
        has_clock=has_clock,
        metadata=metadata,
    )


def _check_processes(source: Source, process: np.ndarray, called: np.ndarray, returned: np.ndarray) -> None:
    order = np.lexsort((returned, called, process))
    before, after = order[:-1], order[1:]
    clash = (process[before] == process[after]) & (returned[before] > called[after])
    for at in np.flatnonzero(clash)[:1]:
        earlier, later = int(before[at]), int(after[at])
        raise source.error(
            later + 2, f"process {process[later]} calls at {called[later]}, but its operation of line {earlier + 2} "
            + ("is pending" if returned[earlier] == NEVER else f"returns at {returned[earlier]}")
        )  # fmt: skip
