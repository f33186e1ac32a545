"""What a node's core did, event by event, in a file: one line of JSON for each `Trace`.

Law: lines are whole; a killed process loses at most those that the last moments had not yet written.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from scrutator.impl.raft.tracing import Trace

BUFFER_BYTES = 1 << 16


class TraceFile:
    """Appends to the file, so that a node that starts again goes on where it stopped."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=BUFFER_BYTES)
        self._encoder = msgspec.json.Encoder()

    def __call__(self, trace: Trace) -> None:
        self._file.write(self._encoder.encode(trace) + b"\n")

    def close(self) -> None:
        self._file.close()
