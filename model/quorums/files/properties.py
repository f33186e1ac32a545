"""Java properties, as ZooKeeper and Kafka write them: ``key=value``, ``key: value``, ``key value``.

Law: nothing is merged.  Java keeps the last of several equal keys and says nothing; here each comes
with its line, for the reader to judge.  Source: java.util.Properties.load.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_PAIR = re.compile(r"((?:[^\s=:\\]|\\.)*)\s*[=:]?\s*(.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_CONTROL = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


@dataclass(frozen=True, slots=True)
class Property:
    """A key and its value; ``line`` counts from 1."""

    key: str
    value: str
    line: int

    def __str__(self) -> str:
        text = f"{self.key}={self.value}"
        return text if len(text) <= 80 else f"{text[:77]}..."


def read_properties(text: str) -> list[Property]:
    """All pairs in the order of the file, repeated keys included.

    >>> [(p.key, p.value, p.line) for p in read_properties('# of two\\na = 1\\n\\nb: x\\\\\\n  y')]
    [('a', '1', 2), ('b', 'xy', 4)]
    """
    found = []
    for line, content in _logical_lines(text):
        match = _PAIR.fullmatch(content)
        assert match is not None  # every text is a key, perhaps empty, and a rest
        found.append(Property(_unescaped(match[1]), _unescaped(match[2]).rstrip(), line))
    return found


def repeated(properties: Iterable[Property]) -> tuple[Property, Property] | None:
    """The first two of one key; Java would keep the last alone."""
    seen: dict[str, Property] = {}
    for each in properties:
        first = seen.setdefault(each.key, each)
        if first is not each:
            return first, each
    return None


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments, a backslash at the end joining the next one."""
    parts: list[str] = []
    start = 1
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.lstrip()
        if not parts:
            start = number
            if not line or line[0] in "#!":
                continue
        if (len(line) - len(line.rstrip("\\"))) % 2:
            parts.append(line[:-1])
            continue
        yield start, "".join([*parts, line])
        parts = []
    if parts:
        yield start, "".join(parts)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda m: chr(int(m[1][1:], 16)) if len(m[1]) == 5 else _CONTROL.get(m[1], m[1]), text)
