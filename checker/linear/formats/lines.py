"""Our own format: a header and one operation a line, as JSON.

    {"format": "scrutator-history/1", "object": "register", "clock": "ns"}
    {"p":0,"f":"write","in":1,"out":null,"call":10,"ret":25}
    {"p":1,"f":"read","in":null,"out":null,"call":20,"ret":null}

``p`` is the process, ``k`` the key (left out on an object without keys), ``ret`` null for
an operation that is pending; its ``out`` is null.  ``clock`` is "ns" if the times are
nanoseconds, and null if they are positions in a recording.  Whatever else the header says
is metadata.  Lines may come in any order; a process's operations must not overlap, and
there is none after a pending one.

The format of our generator of histories, "linhist/1", has the same lines; the key of an
operation on a set is its element, and becomes the argument.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec
import numpy as np

from scrutator.checker.linear.formats.lines_columns import Columns
from scrutator.checker.linear.formats.lines_decode import decoded
from scrutator.checker.linear.formats.lines_scan import scanned
from scrutator.checker.linear.formats.source import Source, shown, told
from scrutator.checker.linear.history import NEVER, NO_KEY, UNKNOWN, History, Int32s, Int64s, Value
from scrutator.checker.linear.values import frozen

FORMAT = "scrutator-history/1"
GENERATED = "linhist/1"
SCANNED_BYTES_MIN = 1 << 18  # less is read before the scanner is loaded
_GENERATED_OBJECTS: dict[object, str] = {"cas": "cas-register"}


def read_lines(source: Source) -> History:
    """Read our own format.  Raises `HistoryError`."""
    header, begin = header_of(source)
    metadata = dict(header)
    generated = metadata.pop("format") == GENERATED
    if generated:
        name = metadata.get("type")
        metadata["object"] = _GENERATED_OBJECTS.get(name, name)
        clock: object = "ns"
    else:
        if "clock" not in metadata:
            raise source.expected(1, '"clock": "ns" or null', "a header without clock")
        clock = metadata.pop("clock")
        if clock not in ("ns", None):
            raise source.expected(1, '"clock": "ns" or null', shown(clock))
    source.check_lengths(begin, len(source.data))
    columns = scanned(source, begin) if len(source.data) >= SCANNED_BYTES_MIN else None
    if columns is None:
        columns = decoded(source, begin)
    if generated and metadata["object"] == "set":
        _elements(source, columns)
    return history_of(source, columns, clock == "ns", {key: frozen(value) for key, value in metadata.items()})


def header_of(source: Source) -> tuple[dict[str, object], int]:
    """The header, and where the next line begins."""
    end = source.data.find(b"\n") + 1 or len(source.data)
    expected = f'a header {{"format": "{FORMAT}", ...}}'
    try:
        header = msgspec.json.decode(source.data[:end])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise source.expected(1, expected, told(error)) from None
    name = header.get("format") if isinstance(header, dict) else None
    if name not in (FORMAT, GENERATED):
        raise source.expected(1, expected, "no header" if name is None else f"the format {shown(name)}")
    return cast("dict[str, object]", header), end


def _elements(source: Source, columns: Columns) -> None:
    """Keys are elements of a set."""
    for wrong in np.flatnonzero(columns.key == NO_KEY)[:1]:
        raise source.expected(int(wrong) + 2, 'an element of the set as "k"', "no key")
    columns.argument, columns.key = columns.key, np.full_like(columns.key, NO_KEY)


def history_of(source: Source, columns: Columns, has_clock: bool, metadata: dict[str, Value]) -> History:
    """The history of columns in order of the lines.  Raises `HistoryError`."""
    called, returned, result = columns.called, columns.returned, columns.result
    pending = returned == NEVER
    for wrong in np.flatnonzero(returned < called)[:1]:
        message = f"the operation returns at {returned[wrong]}, before it is called at {called[wrong]}"
        raise source.error(int(wrong) + 2, message)
    if pending.any():
        nothing = np.array([value is None for value in columns.values], np.bool_)
        for wrong in np.flatnonzero(pending & ~nothing[result])[:1]:
            raise source.expected(
                int(wrong) + 2, '"out": null, as "ret" is null', shown(columns.values[result[wrong]])
            )
        result = np.where(pending, np.int32(UNKNOWN), result)
    in_order = bool((called[1:] >= called[:-1]).all())
    order: Any = slice(None) if in_order else np.argsort(called, kind="stable")
    line = np.arange(2, len(called) + 2, dtype=np.int32)[order]
    called, returned, process = called[order], returned[order], columns.process[order]
    _check_processes(source, process, called, returned, line)
    return History(
        source=source.name,
        methods=tuple(columns.methods),
        values=tuple(columns.values),
        process=process,
        key=columns.key[order],
        method=columns.method[order],
        argument=columns.argument[order],
        result=result[order],
        called=called,
        returned=returned,
        line=line,
        has_clock=has_clock,
        metadata=metadata,
    )


def _check_processes(source: Source, process: Int32s, called: Int64s, returned: Int64s, line: Int32s) -> None:
    """In order of call, a process's operations must not overlap."""
    small = process.max(initial=0) < 1 << 16  # numbers of 16 bits sort in linear time
    order = np.argsort(process.astype(np.uint16) if small else process, kind="stable")
    process, called, returned = process[order], called[order], returned[order]
    for at in np.flatnonzero((process[1:] == process[:-1]) & (returned[:-1] > called[1:]))[:1]:
        how = "is pending" if returned[at] == NEVER else f"returns at {returned[at]}"
        raise source.error(
            int(line[order[at + 1]]),
            f"process {process[at]} calls at {called[at + 1]}, but its operation of line {line[order[at]]} {how}",
        )
