"""Which format a file has, told from its content alone: a name's ending is never believed."""

from __future__ import annotations

import re
from enum import StrEnum

from scrutator.checker.linear.formats.source import Source, shown

SEEN_BYTES = 1 << 16


class Format(StrEnum):
    """A format that `read` reads."""

    LINES = "scrutator-lines"
    JEPSEN_EDN = "jepsen-edn"
    JEPSEN_JSON = "jepsen-json"
    JEPSEN_LOG = "jepsen-log"
    CALL_RETURN = "call-return"
    INTERVALS = "intervals"
    FLAT_JSON = "flat-json"


_JSON_OBJECT = re.compile(r'\{\s*["}]')
_JSON_ARRAY = re.compile(r'\[\s*\{\s*["}]')
_JSON_KEY = re.compile(r'"(client|process|type)"\s*:')
_EDN = re.compile(r"[({\[;]|#[{_A-Za-z]")
_HASHES = re.compile(r"(?:\s*#[^\n]*\n?)*")
_LIMO_CALL = re.compile(r"\[\d+\]\s+(?:call|return)\b")
_LATEX_CALL = re.compile(r"\\call\{\d+\}\{")
_POLYLIN_OBJECT = re.compile(r"#\s*(stack|queue|pqueue|set|deque)\s*$", re.MULTILINE)
_LOG = re.compile(r"[^\n]*\bjepsen\.util(?: -|:)\s")


def recognise(source: Source) -> Format:
    """The format.  Raises `HistoryError` if the file has none, is empty or is not text."""
    head = check_text(source)
    if _JSON_OBJECT.match(head):
        first = head.split("\n", 1)[0]
        return Format.JEPSEN_JSON if _JSON_KEY.search(first) and '"format"' not in first else Format.LINES
    if _JSON_ARRAY.match(head):
        first = head.split("}", 1)[0]
        return Format.FLAT_JSON if '"client"' in first and '"process"' not in first else Format.JEPSEN_JSON
    after = head[match.end() :].lstrip() if (match := _HASHES.match(head)) else head
    if _LIMO_CALL.match(after) or _LATEX_CALL.match(head) or (head.startswith("#") and "@object" in head.split(after or "\0", 1)[0]):
        return Format.CALL_RETURN
    if _POLYLIN_OBJECT.match(head):
        return Format.INTERVALS
    if _LOG.match(head):
        return Format.JEPSEN_LOG
    if _EDN.match(head):
        return Format.JEPSEN_EDN
    raise source.expected(
        _first_line(source), f"one of the formats {', '.join(Format)}", shown(head.split("\n", 1)[0])
    )


def check_text(source: Source) -> str:
    """The beginning, without blanks before it.  Raises `HistoryError` if the file is empty or not text."""
    zero = source.data.find(b"\0")
    if zero >= 0:
        raise source.expected(source.line_at(zero), "text", "a byte 0: the file is binary")
    head = source.data[:SEEN_BYTES]
    if not head.strip():
        raise source.expected(
            1, "a history", "an empty file" if len(source.data) == len(head) else "blank lines"
        )
    while len(head) > SEEN_BYTES - 4 and head[-1] >= 0x80:  # perhaps half a character
        head = head[:-1]
    return source.decode(head, 0).lstrip()


def _first_line(source: Source) -> int:
    return source.line_at(len(source.data) - len(source.data.lstrip()))
