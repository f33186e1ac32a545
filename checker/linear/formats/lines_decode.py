"""Lines of our own format to columns, by a JSON decoder: the law of what lines mean, and of errors.

Lines become columns in chunks, so that a million of them are never objects at once, and
nothing but what is wrong is looked at line by line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from scrutator.checker.linear.builder import PROCESS_MAX
from scrutator.checker.linear.formats.lines_columns import OPERATION, Columns
from scrutator.checker.linear.formats.source import Source, shown, told
from scrutator.checker.linear.history import NEVER, NO_KEY, HistoryError
from scrutator.checker.linear.values import Values, frozen

CHUNK_BYTES = 1 << 22
TIME_MAX = NEVER - 1

_In = None | bool | int | float | str | tuple[object, ...] | dict[str, object]
_Time = Annotated[int, msgspec.Meta(ge=-TIME_MAX, le=TIME_MAX)]


class Line(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """One operation, as it is written."""

    p: Annotated[int, msgspec.Meta(ge=0, le=PROCESS_MAX)]
    f: str
    argument: _In = msgspec.field(name="in")
    result: _In = msgspec.field(name="out")
    call: _Time
    ret: _Time | None
    k: _In | msgspec.UnsetType = msgspec.UNSET


DECODER = msgspec.json.Decoder(Line)


def decoded(source: Source, begin: int) -> Columns:
    """The columns of all lines from an offset, the second of the file.  Raises `HistoryError`."""
    parts = _Parts()
    for first_line, lines in _chunks(source, begin):
        _add(source, parts, first_line, lines)
    return Columns(
        list(parts.methods),
        parts.values.all,
        parts.column("process", np.int32),
        parts.column("method", np.int32),
        parts.column("key", np.int32),
        parts.column("argument", np.int32),
        parts.column("result", np.int32),
        parts.column("called", np.int64),
        parts.column("returned", np.int64),
    )


@dataclass
class _Parts:
    """Columns, chunk by chunk."""

    values: Values = field(default_factory=Values)
    methods: dict[str, int] = field(default_factory=dict)
    parts: dict[str, list[npt.NDArray[Any]]] = field(default_factory=dict)
    size: int = 0

    def put(self, name: str, numbers: list[int], dtype: type = np.int32) -> None:
        self.parts.setdefault(name, []).append(np.array(numbers, dtype))

    def column(self, name: str, dtype: type) -> npt.NDArray[Any]:
        return np.concatenate(self.parts.pop(name, [np.zeros(0, dtype)]))


def _chunks(source: Source, begin: int) -> Iterator[tuple[int, list[Line]]]:
    """Lines, many at a time, with the number of the first."""
    data, number = source.data, 2
    while begin < len(data):
        end = data.find(b"\n", min(begin + CHUNK_BYTES, len(data))) + 1 or len(data)
        chunk = data[begin:end]
        try:
            lines = DECODER.decode_lines(chunk)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise _first_error(source, chunk, number) from None
        count = chunk.count(b"\n") + (not chunk.endswith(b"\n"))
        if count != len(lines):
            blank = next(k for k, line in enumerate(chunk.split(b"\n"), number) if not line.strip())
            raise source.expected(blank, OPERATION, "a blank line")
        yield number, lines
        begin, number = end, number + count


def _first_error(source: Source, chunk: bytes, number: int) -> HistoryError:
    for k, line in enumerate(chunk.split(b"\n"), number):
        try:
            DECODER.decode(line)
        except UnicodeDecodeError:
            return source.expected(k, "text in UTF-8", shown(line))
        except RecursionError:
            return source.expected(k, OPERATION, "values nested too deeply")
        except msgspec.DecodeError as error:
            return source.expected(k, OPERATION, told(error) if line.strip() else "a blank line")
    raise AssertionError("no line of the chunk is wrong")


def _add(source: Source, parts: _Parts, first_line: int, lines: list[Line]) -> None:
    parts.size += len(lines)
    if parts.size > source.operations_max:
        line = first_line + source.operations_max - (parts.size - len(lines))
        raise source.error(line, f"more than {source.operations_max:,} operations, which is the limit")
    methods = parts.methods
    names = [o.f for o in lines]
    for name in dict.fromkeys(names):
        methods.setdefault(name, len(methods))
    parts.put("method", list(map(methods.__getitem__, names)))
    parts.put("process", [o.p for o in lines])
    parts.put("called", [o.call for o in lines], np.int64)
    parts.put("returned", [NEVER if o.ret is None else o.ret for o in lines], np.int64)
    keys: list[object] = [o.k for o in lines]
    arguments: list[object] = [o.argument for o in lines]
    parts.put("argument", _numbers(parts.values, arguments))
    parts.put("result", _numbers(parts.values, [o.result for o in lines]))
    parts.put("key", _keys(parts.values, keys))


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
