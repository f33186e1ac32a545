"""Recorded histories in files: `read` recognises a format by its content, `write` writes ours.

A file that gzip has packed is read as what is packed in it, whatever its name.

Whatever the format, a history holds the same things.

Methods keep the names that the file gives them.  Arguments and results are those of an
object's methods: a read takes None and returns the value, a write takes the value and
returns None, a cas takes (expected, new) and returns whether it took place, a removal
from a collection returns None if there was nothing, a transaction takes its steps and
returns them with what they read.  Vectors and lists are tuples, maps are tuples of
(key, value) in order of the keys, sets are tuples in order, keywords are strings.

An operation that certainly did not happen is left out; one of which nobody knows is
pending.  Times are nanoseconds if the file has a clock that agrees with its order, and
else count events.  ``metadata["source_format"]`` names the format, ``metadata["object"]``
the object if the file names it or its methods leave no doubt: register, cas-register, kv
(kv('') in Porcupine's files, where a key that holds nothing reads as an empty text), set, queue, stack, pqueue, deque, counter, mutex, multi-register, list-append, bank,
account.  In our own format, metadata are those of the header.

What a file cannot mean raises `HistoryError` with the line; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from scrutator.checker.linear.builder import OPERATIONS_MAX
from scrutator.checker.linear.formats.call_return import read_call_return
from scrutator.checker.linear.formats.flat_json import read_flat_json
from scrutator.checker.linear.formats.intervals import read_intervals
from scrutator.checker.linear.formats.jepsen import read_jepsen_edn, read_jepsen_json, read_jepsen_log
from scrutator.checker.linear.formats.lines import read_lines
from scrutator.checker.linear.formats.lines_write import write_lines
from scrutator.checker.linear.formats.recognise import Format, check_text, recognise
from scrutator.checker.linear.formats.source import LINE_BYTES_MAX, Source, unpacked
from scrutator.checker.linear.history import History

__all__ = ["Format", "read", "write"]

_READERS: dict[Format, Callable[[Source], History]] = {
    Format.LINES: read_lines,
    Format.JEPSEN_EDN: read_jepsen_edn,
    Format.JEPSEN_JSON: read_jepsen_json,
    Format.JEPSEN_LOG: read_jepsen_log,
    Format.CALL_RETURN: read_call_return,
    Format.INTERVALS: read_intervals,
    Format.FLAT_JSON: read_flat_json,
}


def read(
    path: str | Path,
    format: Format | str | None = None,
    *,
    operations_max: int = OPERATIONS_MAX,
    line_bytes_max: int = LINE_BYTES_MAX,
    keyed: bool | None = None,
) -> History:
    """Read a history.

    Args:
        path: The file.
        format: Its format; None to recognise it by the content.
        operations_max: More operations are refused.
        line_bytes_max: Longer lines are refused, in formats of one operation or event a line.
        keyed: Whether values of Jepsen are ``[key value]`` of independent objects; None to
            see from the values, which is refused where they do not tell.

    Raises:
        HistoryError: The file is malformed; the message names the file and the line.
        OSError: The file cannot be read.
        ValueError: There is no such format.
    """
    data = unpacked(str(path), Path(path).read_bytes())
    source = Source(str(path), data, operations_max, line_bytes_max, keyed)
    if format is None:
        found = recognise(source)
    else:
        found = Format(format)
        check_text(source)
    return _READERS[found](source)


def write(history: History, path: str | Path) -> None:
    """Write a history in our own format, from which `read` gives the same operations.

    Raises:
        TypeError: It holds a value that JSON does not give back, such as not-a-number.
        ValueError: Its metadata say what the header has for itself.
        OSError: The file cannot be written.
    """
    write_lines(history, path)
