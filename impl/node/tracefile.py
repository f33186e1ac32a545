"""What a node's core did, event by event, in a file: one line of JSON for each `Trace`.

Law: an event's line is written at once and whole, or raises `OSError`, so that what a killed process did is there.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from scrutator.impl.raft.tracing import Trace


class TraceFile:
    """Appends to the file, so that a node that starts again goes on where it stopped."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._encoder = msgspec.json.Encoder()

    def __call__(self, trace: Trace) -> None:
        line = self._encoder.encode(trace) + b"\n"
        while line:  # a disk that fills up takes a part of it, and fails then
            line = line[self._file.write(line) :]

    def close(self) -> None:
        self._file.close()
