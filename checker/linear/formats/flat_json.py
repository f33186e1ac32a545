"""Flat JSON: an array of events, each with its client, key and time.

    {"type": "invoke", "f": "write", "key": "a", "value": 5, "client": 0, "time": 17}

``time`` is in nanoseconds and gives the order, whatever order the array has.  Events of
the same nanosecond are taken as in the array.  Every event has a key.  Some stores answer
reads with strings where integers were written; if all that was written are integers, and
all strings that were read are integers' texts, they are read as such.
"""

from __future__ import annotations

from scrutator.checker.linear.formats.events import Event, Recording, Type, integer, operations, text, type_of
from scrutator.checker.linear.formats.jepsen import INTEGER
from scrutator.checker.linear.formats.json_records import json_records
from scrutator.checker.linear.formats.source import Source, shown
from scrutator.checker.linear.history import History
from scrutator.checker.linear.values import frozen

EVENT = "an object of type, f, key, value, client and time"


def read_flat_json(source: Source) -> History:
    """Read flat JSON.  Raises `HistoryError`."""
    timed = []
    for line, record in json_records(source):
        if not isinstance(record, dict):
            raise source.expected(line, EVENT, shown(record))
        for name in ("type", "f", "key", "client", "time"):
            if name not in record:
                raise source.expected(line, EVENT, f"an object without {name}")
        time_ns = integer(source, line, "time", record["time"])
        event = Event(
            line,
            integer(source, line, "client", record["client"]),
            type_of(source, line, record["type"]),
            text(source, line, "f", record["f"]),
            frozen(record.get("value")),
            time_ns,
            frozen(record["key"]),
            keyed=True,
        )
        timed.append((time_ns, event))
    timed.sort(key=lambda pair: pair[0])
    events = [event for _, event in timed]
    _read_integers(events)
    return operations(source, events, Recording("flat-json"))


def _read_integers(events: list[Event]) -> None:
    written = {type(event.value) for event in events if event.type is Type.INVOKE}
    read = [event for event in events if event.type is Type.OK and isinstance(event.value, str)]
    if int in written <= {int, type(None)} and all(INTEGER.fullmatch(str(event.value)) for event in read):
        for event in read:
            event.value = int(str(event.value))
