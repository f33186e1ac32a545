"""A recording in our own format that is still being written: its operations as they come.

The law: a line counts once its end has been written; every line is held to what `lines`
describes, and a mistake names it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

import msgspec

from scrutator.checker.linear.formats.lines import header_of
from scrutator.checker.linear.formats.lines_columns import OPERATION
from scrutator.checker.linear.formats.lines_decode import DECODER, Line
from scrutator.checker.linear.formats.source import LINE_BYTES_MAX, Source, told
from scrutator.checker.linear.history import HistoryError

POLL_S = 0.1
BLOCK_BYTES = 1 << 20


class Following:
    """Reads a stream to its end, and waits there for more.

    ``idle_s`` is how long it waits before it takes the end for the end; None: for ever, 0
    for a pipe, whose end is the end.  After `header` was read, `lines` gives what has come,
    an empty list where nothing has.
    """

    def __init__(self, stream: BinaryIO, name: str, idle_s: float | None) -> None:
        self.name, self.idle_s = name, idle_s
        self._stream = stream
        self._rest = b""
        self._number = 0  # of the last line that was taken

    def header(self) -> dict[str, object]:
        """What the first line says, once it is there.  Raises `HistoryError`."""
        for block in self._blocks():
            self._rest += block
            if b"\n" in self._rest:
                break
        first, _, self._rest = self._rest.partition(b"\n")
        self._number = 1
        return header_of(Source(self.name, first + b"\n"))[0]

    def lines(self) -> Iterator[list[tuple[int, Line]]]:
        """Operations with the numbers of their lines.  Raises `HistoryError`."""
        for block in chain([b""], self._blocks()):  # what came with the header first
            *whole, self._rest = (self._rest + block).split(b"\n")
            if len(self._rest) > LINE_BYTES_MAX:
                raise Source(self.name, b"").too_long(self._number + len(whole) + 1, len(self._rest))
            yield [self._line(raw) for raw in whole]
        if self._rest:
            yield [self._line(self._rest)]

    def _line(self, raw: bytes) -> tuple[int, Line]:
        self._number += 1
        try:
            return self._number, DECODER.decode(raw)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            found = told(error) if raw.strip() else "a blank line"
            raise HistoryError(self.name, self._number, f"expected {OPERATION}; found {found}") from None

    def _blocks(self) -> Iterator[bytes]:
        """What was written since, as often as there is something, and nothing as often as there is not."""
        waited = 0.0
        while True:
            block = self._stream.read(BLOCK_BYTES)
            if not block:
                if self.idle_s is not None and waited >= self.idle_s:
                    return
                time.sleep(POLL_S)
                waited += POLL_S
            else:
                waited = 0.0
            yield block
