"""A node's log: one line of JSON for each event, on standard error or in a file.

Law: a line is whole and flushed before anything else happens, so that what a killed process said is there.
"""

from __future__ import annotations

import sys
import time
from typing import TextIO

import msgspec

Field = str | int | float | bool | None


class Log:
    """``log("election won", term=3)`` writes time (seconds since 1970), node, event and the fields."""

    __slots__ = ("_file", "_node")

    def __init__(self, node: str, file: TextIO | None = None) -> None:
        self._node = node
        self._file = sys.stderr if file is None else file

    def __call__(self, event: str, **fields: Field) -> None:
        line = {"time": round(time.time(), 6), "node": self._node, "event": event, **fields}
        self._file.write(msgspec.json.encode(line).decode() + "\n")
        self._file.flush()
