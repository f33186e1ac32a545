"""Call/return text, as LiMo and Violat write it: a line for each call and each return.

    # @object atomic-queue
    [1] call add(3)
    [2] call remove
    [1] return
    [2] return 3

An argument may also follow after a space, and other lines that begin with # are comments.
``return empty``, or nothing, from a method that removes says that there was nothing.  A
removal may name what it removed at the call, ``pop(3)``, and then return nothing more.
Integers are integers; any other value is a string.  There is no clock.

LiMo also writes the same for its papers, of stacks: ``\\call{1}{\\push{3}}``,
``\\call{2}{\\pop}``, ``\\ret{1}``, ``\\ret[3]{2}``.

https://github.com/grahnen/LiMo
"""

from __future__ import annotations

import re

from scrutator.checker.linear.builder import PROCESS_MAX, Builder
from scrutator.checker.linear.formats.source import Source, shown
from scrutator.checker.linear.history import History, Value

_OBJECTS = {"atomic-queue": "queue", "atomic-stack": "stack"}
_ADDS = ("add", "enq", "enqueue", "push", "put")  # each recorder has its own pair of names for either object
_REMOVES = ("remove", "rem", "deq", "dequeue", "pop", "get")
_OBJECT_LINE = re.compile(r"#\s*@object\s+(\S+)")
_EVENT = re.compile(r"\[(\d{1,10})\]\s+(call|return)(?:\s+(.*))?")
_CALL = re.compile(r"([A-Za-z_][\w-]*)(?:\((.*)\)|\s+(\S+))?")
_LATEX_CALL = re.compile(r"\\call\{(\d{1,10})\}\{\\(push|pop)(?:\{([^{}]*)\})?\}")
_LATEX_RETURN = re.compile(r"\\ret(?:\[([^\[\]]*)\])?\{(\d{1,10})\}")
_INTEGER = re.compile(r"-?\d{1,18}")


def read_call_return(source: Source) -> History:
    """Read call/return text.  Raises `HistoryError`."""
    builder = source.builder(has_clock=False)
    name: str | None = None
    named: dict[int, Value] = {}  # process -> what its removal named at the call
    removing: set[int] = set()
    for line, text in source.lines():
        found = _plain(text)
        name = "stack" if found != text and name is None else name
        if found.startswith("#"):
            name = _object(source, line, found, name)
            continue
        match = _EVENT.fullmatch(found)
        if match is None:
            raise source.expected(line, "[thread] call METHOD or [thread] return VALUE", shown(found))
        process = int(match[1])
        if process > PROCESS_MAX:
            raise source.expected(line, f"a thread up to {PROCESS_MAX:,}", str(process))
        if name is None:
            raise source.expected(
                line, "# @object atomic-queue or # @object atomic-stack first", shown(found)
            )
        if match[2] == "call":
            method, argument = _method(source, line, match[3] or "")
            removes = method in _REMOVES
            builder.call(line, process, method, None if removes else argument, builder.tick())
            (removing.add if removes else removing.discard)(process)
            named[process] = argument if removes else None
        else:
            given = match[3]
            if process not in removing and given is not None:
                raise source.expected(line, "a return without a value", shown(given))
            result = None if given in (None, "empty", "") else _value(given)
            if named.get(process) is not None and result not in (None, named[process]):
                raise source.expected(line, f"{shown(named[process])}, as the call says", shown(result))
            builder.returns(line, process, named.get(process) if result is None else result, builder.tick())
    return _history(source, builder, name)


def _history(source: Source, builder: Builder, name: str | None) -> History:
    if name is None:
        raise source.expected(1, "# @object atomic-queue or # @object atomic-stack", "no such line")
    builder.metadata |= {"source_format": "call-return", "object": name}
    return builder.history()


def _plain(text: str) -> str:
    """A line of LaTeX in the words of the others; any other line as it is."""
    if (call := _LATEX_CALL.fullmatch(text)) is not None:
        return f"[{call[1]}] call {call[2]}" + ("" if call[3] is None else f"({call[3]})")
    if (back := _LATEX_RETURN.fullmatch(text)) is not None:
        return f"[{back[2]}] return {back[1] or ''}".rstrip()
    return text


def _object(source: Source, line: int, found: str, name: str | None) -> str | None:
    match = _OBJECT_LINE.fullmatch(found)
    if match is None:
        return name
    if name is not None:
        raise source.expected(line, "one line # @object", "a second one")
    if match[1] not in _OBJECTS:
        raise source.expected(line, f"the object {' or '.join(_OBJECTS)}", shown(match[1]))
    return _OBJECTS[match[1]]


def _method(source: Source, line: int, call: str) -> tuple[str, Value]:
    """The method and its argument."""
    match = _CALL.fullmatch(call.strip())
    if match is None or match[1] not in _ADDS + _REMOVES:
        raise source.expected(line, f"a call of {', '.join(_ADDS + _REMOVES)}", shown(call))
    given = (match[2] or "").strip() or match[3]
    if given is None and match[1] in _ADDS:
        raise source.expected(line, f"a value to {match[1]}", shown(call))
    return match[1], None if given is None else _value(given)


def _value(given: str) -> Value:
    return int(given) if _INTEGER.fullmatch(given) else given
