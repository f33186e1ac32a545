"""What Jepsen records: EDN, JSON, and the lines of its log; and Porcupine's key-value lines.

Each event is a map of ``process``, ``type``, ``f`` and ``value``, perhaps with ``time``
(nanoseconds), ``key`` and more that says nothing about the history.  The fault injector,
process ``nemesis``, is skipped.  ``f`` may be missing where values are transactions,
lists of ``[method key value]``, as Elle allows; the method is then ``txn``.

A log line says ``jepsen.util - PROCESS TYPE F VALUE`` with tabs or spaces between, and
has no clock.  In it, a failed cas that repeats its argument did compare and found
another value; elsewhere a failed cas is left out like any other failed operation.

JSON knows only strings as keys of objects; those written as integers are read as such,
because that is what Jepsen wrote.

https://github.com/jepsen-io/jepsen, https://github.com/anishathalye/porcupine
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from scrutator.checker.linear.formats import edn
from scrutator.checker.linear.formats.events import Event, Recording, integer, operations, text, type_of
from scrutator.checker.linear.formats.json_records import json_records
from scrutator.checker.linear.formats.source import Source, shown
from scrutator.checker.linear.history import History, Value
from scrutator.checker.linear.values import frozen

EVENT = "a map of process, type, f and value"
_LOG_LINE = re.compile(r".*\bjepsen\.util(?: -|:)\s+(\S+)\s+(\S+)\s+(\S+)\s+(.*)")
INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")


def read_jepsen_edn(source: Source) -> History:
    """Read EDN of Jepsen or Porcupine.  Raises `HistoryError`."""
    return operations(source, list(_events(source, edn.records(source))), Recording("jepsen-edn"))


def read_jepsen_json(source: Source) -> History:
    """Read JSON of Jepsen.  Raises `HistoryError`."""
    records = ((line, _integer_keys(record)) for line, record in json_records(source))
    return operations(source, list(_events(source, records)), Recording("jepsen-json"))


def read_jepsen_log(source: Source) -> History:
    """Read a log of Jepsen.  Raises `HistoryError`."""
    recording = Recording("jepsen-log", cas_fails=True)
    return operations(source, list(_log_events(source)), recording)


def _events(source: Source, records: Iterable[tuple[int, object]]) -> Iterator[Event]:
    for line, record in records:
        if not isinstance(record, dict):
            raise source.expected(line, EVENT, shown(record))
        for name in ("process", "type"):
            if name not in record:
                raise source.expected(line, EVENT, f"a map without {name}")
        if record["process"] == "nemesis":
            continue
        process = integer(source, line, "process", record["process"])
        kind = type_of(source, line, record["type"])
        time = record.get("time")
        if time is not None:
            time = integer(source, line, "time", time)
        value = frozen(record.get("value"))
        if "f" in record:
            method = text(source, line, "f", record["f"])
        elif _is_transaction(value):
            method = "txn"
        else:
            raise source.expected(line, EVENT, "a map without f")
        yield Event(line, process, kind, method, value, time, frozen(record.get("key")), "key" in record)


def _is_transaction(value: Value) -> bool:
    return isinstance(value, tuple) and all(
        isinstance(step, tuple) and len(step) == 3 and isinstance(step[0], str) for step in value
    )


def _integer_keys(value: object) -> object:
    """JSON with objects' keys that are written as integers as such."""
    if isinstance(value, list):
        return [_integer_keys(item) for item in value]
    if isinstance(value, dict):
        return {int(key) if INTEGER.fullmatch(key) else key: _integer_keys(of) for key, of in value.items()}
    return value


def _log_events(source: Source) -> Iterator[Event]:
    for line, found in source.lines():
        match = _LOG_LINE.fullmatch(found)
        if match is None:
            raise source.expected(line, "jepsen.util - PROCESS TYPE F VALUE", shown(found))
        process, kind, method, rest = match.groups()
        if process == ":nemesis":
            continue
        if not process.isascii() or not process.isdigit() or len(process) > 10:
            raise source.expected(line, "an integer as process", shown(process))
        if kind[0] != ":" or method[0] != ":":
            raise source.expected(line, "a type and a method such as :ok :read", shown(f"{kind} {method}"))
        values = edn.values(source, line, rest)
        if len(values) != 1:
            raise source.expected(line, "one value", f"{len(values)}: {shown(rest)}")
        yield Event(line, int(process), type_of(source, line, kind[1:]), method[1:], frozen(values[0]))
