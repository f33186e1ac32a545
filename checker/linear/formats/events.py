"""Events, one for each call and each return, and how they become operations.

What Jepsen and its relatives record: a process invokes an operation, and later it is ok
(it happened), failed (it did not) or info (nobody knows, and the process does no more).
The order of the events is the order in which they happened.  `operations` is the one
place that knows what an event's value means for a method:

- a read, get, dequeue, pop or the like takes nothing and returns the value of its ok;
- a write, put, add, enqueue, push, acquire, transfer or the like takes the value of its
  invocation and returns nothing;
- a cas takes (expected, new) and returns True, or False where `Recording.cas_fails` says
  that a failed one did compare and found another value;
- a read of a set returns the elements in order;
- a transaction, and any other method, takes the value of its invocation and returns that
  of its ok.

An operation that failed did not happen, and is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from scrutator.checker.linear.builder import Builder
from scrutator.checker.linear.formats.objects import READERS, WRITERS, object_of
from scrutator.checker.linear.formats.source import Source, shown
from scrutator.checker.linear.history import History, Value
from scrutator.model.objects.sequential import in_order


class Type(Enum):
    INVOKE = "invoke"
    OK = "ok"
    FAIL = "fail"
    INFO = "info"


@dataclass(slots=True)
class Event:
    """One line of a recording; ``value`` is immutable, ``time_ns`` None if not recorded."""

    line: int
    process: int
    type: Type
    method: str
    value: Value
    time_ns: int | None = None
    key: Value = None
    keyed: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """What a format says about its events beyond the events."""

    format: str
    cas_fails: bool = False  # a failed cas that repeats its argument compared, and did not match


def operations(source: Source, events: list[Event], recording: Recording) -> History:
    """The history of events in order.  Raises `HistoryError`."""
    own_keys = any(event.keyed for event in events)
    _split_keys(source, events)
    _sort_elements(events)
    times = _times(events)
    builder = source.builder(has_clock=times is not None)
    called: dict[int, Event] = {}
    for position, event in enumerate(events):
        time = position if times is None else times[position]
        key = {"key": event.key, "keyed": event.keyed}
        if event.type is Type.INVOKE:
            argument = None if event.method in READERS else event.value
            if event.method == "cas" and not _is_pair(argument):
                raise source.expected(event.line, "a cas of [expected new]", shown(argument))
            builder.call(event.line, event.process, event.method, argument, time, **key)  # type: ignore[arg-type]
            called[event.process] = event
            continue
        call = called.pop(event.process, None)
        if call is not None:
            _check_same(source, call, event)
        _complete(builder, call, event, time, recording)
    history = builder.history()
    history.metadata["source_format"] = recording.format
    name = object_of(history)
    if name == "kv" and own_keys and recording.format == "jepsen-edn":
        name = "kv('')"  # Porcupine's lines, where a key that holds nothing reads as an empty text
    if name is not None:
        history.metadata["object"] = name
    return history


def _complete(builder: Builder, call: Event | None, event: Event, time: int, recording: Recording) -> None:
    line, process = event.line, event.process
    if event.type is Type.OK:
        if event.method == "cas":
            result: Value = True
        else:
            result = None if event.method in WRITERS else event.value
        builder.returns(line, process, result, time)
    elif event.type is Type.INFO:
        builder.indeterminate(line, process)
    elif event.method == "cas" and recording.cas_fails and call is not None and call.value == event.value:
        builder.returns(line, process, False, time)
    else:
        builder.fails(line, process)


def _check_same(source: Source, call: Event, event: Event) -> None:
    if call.method != event.method:
        raise source.expected(
            event.line, f"process {event.process} to end its {call.method} of line {call.line}", f"the end of a {event.method}"
        )  # fmt: skip
    if event.type is Type.OK and call.keyed and (call.key, type(call.key)) != (event.key, type(event.key)):
        raise source.expected(
            event.line, f"the key {shown(call.key)} of the call of line {call.line}", f"the key {shown(event.key)}"
        )  # fmt: skip


def _times(events: list[Event]) -> list[int] | None:
    """Times in nanoseconds that grow from event to event, or None if those recorded do not tell the order.

    The order of the events is what happened; where clocks ran backwards, they are not
    believed.  Events of the same nanosecond are drawn apart, so that the order remains.
    """
    times: list[int] = []
    latest = before = None
    for event in events:
        if event.time_ns is None or (before is not None and event.time_ns < before):
            return None
        before = event.time_ns
        latest = before if latest is None else max(before, latest + 1)
        times.append(latest)
    return times


def _sort_elements(events: list[Event]) -> None:
    """The elements that reads of a set return come in any order, and leave in theirs."""
    if {event.method for event in events} == {"add", "read"}:
        for event in events:
            if event.method == "read" and isinstance(event.value, tuple):
                event.value = in_order(event.value)


# --- independent keys -------------------------------------------------------------------


def _split_keys(source: Source, events: list[Event]) -> None:
    """Take ``[key value]`` apart where the values of a recording are such pairs.

    They are if each invocation has one and one of them cannot be anything else: the pair
    of a key and nothing, or of a key and the pair of a cas.
    """
    invocations = [event for event in events if event.type is Type.INVOKE]
    if any(event.keyed for event in events) or source.keyed is False:
        return
    odd = next((event for event in invocations if not _is_pair(event.value)), None)
    if odd is not None or not invocations:
        if source.keyed and odd is not None:
            raise source.expected(odd.line, "a value of [key value]", shown(odd.value))
        return
    if not source.keyed and not any(map(_shows_key, invocations)):
        if all(event.method in ("cas", "txn") for event in invocations):
            return
        raise source.error(
            invocations[0].line, "every value is a pair, which may be [key value] of independent objects or "
            "a value of one object: say which, with keyed=True or keyed=False"
        )  # fmt: skip
    for event in events:
        if _is_pair(event.value):
            assert isinstance(event.value, tuple)
            event.key, event.value = event.value
            event.keyed = True
        elif event.type is Type.OK:
            raise source.expected(event.line, "a value of [key value]", shown(event.value))


def _shows_key(event: Event) -> bool:
    assert isinstance(event.value, tuple)
    _, inner = event.value
    return inner is None or (event.method == "cas" and _is_pair(inner))


def _is_pair(value: Value) -> bool:
    return isinstance(value, tuple) and len(value) == 2


# --- fields of a recorded map -----------------------------------------------------------


def type_of(source: Source, line: int, found: object) -> Type:
    """The type of an event.  Raises `HistoryError`."""
    kind = _TYPES.get(found) if isinstance(found, str) else None
    if kind is None:
        raise source.expected(line, "a type of invoke, ok, fail or info", shown(found))
    return kind


_TYPES = {kind.value: kind for kind in Type}


def integer(source: Source, line: int, name: str, found: object) -> int:
    """A field that must be an integer.  Raises `HistoryError`."""
    if type(found) is not int or not -(1 << 62) < found < 1 << 62:
        raise source.expected(line, f"an integer as {name}", shown(found))
    return found


def text(source: Source, line: int, name: str, found: object) -> str:
    """A field that must be a name.  Raises `HistoryError`."""
    if not isinstance(found, str) or not found:
        raise source.expected(line, f"a name as {name}", shown(found))
    return found
