"""What every reader is given: the text of a file, its name, and limits.  A file packed by gzip is unpacked first."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from scrutator.checker.linear.builder import OPERATIONS_MAX, Builder
from scrutator.checker.linear.history import HistoryError

LINE_BYTES_MAX = 1 << 20
SHOWN_MAX = 60  # characters of a line that an error shows
UNPACKED_BYTES_MAX = 4 << 30
_GZIP = b"\x1f\x8b\x08"  # RFC 1952: the magic number, and the one method there is
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Source:
    """A file to read.  ``keyed`` says whether values of Jepsen are ``[key value]``; None: see from them."""

    name: str
    data: bytes
    operations_max: int = OPERATIONS_MAX
    line_bytes_max: int = LINE_BYTES_MAX
    keyed: bool | None = None

    def error(self, line: int, message: str) -> HistoryError:
        return HistoryError(self.name, line, message)

    def expected(self, line: int, expected: str, found: str) -> HistoryError:
        return self.error(line, f"expected {expected}; found {found}")

    def builder(self, has_clock: bool) -> Builder:
        return Builder(self.name, has_clock, self.operations_max)

    def line_at(self, offset: int) -> int:
        """The line of a byte, the first being 1."""
        return self.data.count(b"\n", 0, offset) + 1

    def text(self) -> str:
        """The whole file.  Raises `HistoryError` if it is not UTF-8."""
        return self.decode(self.data, 0)

    def lines(self) -> Iterator[tuple[int, str]]:
        """The lines that are not blank, without spaces around them.  Raises `HistoryError`."""
        offset = 0
        for number, raw in enumerate(self.data.split(b"\n"), 1):
            if len(raw) > self.line_bytes_max:
                raise self.too_long(number, len(raw))
            line = self.decode(raw, offset).strip()
            offset += len(raw) + 1
            if line:
                yield number, line

    def decode(self, raw: bytes, offset: int) -> str:
        """Bytes from an offset as text.  Raises `HistoryError`."""
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            line = self.line_at(offset + error.start)
            raise self.expected(line, "text in UTF-8", f"the byte 0x{raw[error.start]:02x}") from None

    def check_lengths(self, begin: int, end: int) -> None:
        """Raise `HistoryError` if a line between two offsets is too long.

        Such a line leaves a window of half its length without an end of line; only then
        are lines looked at one by one.
        """
        window = max(self.line_bytes_max // 2, 1)
        if any(self.data.find(b"\n", at, at + window) < 0 for at in range(begin, end, window)):
            for number, line in enumerate(self.data[begin:end].split(b"\n"), self.line_at(begin)):
                if len(line) > self.line_bytes_max:
                    raise self.too_long(number, len(line))

    def too_long(self, line: int, size: int) -> HistoryError:
        return self.error(
            line, f"a line of {size:,} bytes is longer than the limit of {self.line_bytes_max:,}"
        )


def unpacked(name: str, data: bytes, *, bytes_max: int = UNPACKED_BYTES_MAX, head: bool = False) -> bytes:
    """The content of a file: what it holds, or what is packed in it by gzip, in one piece or several.

    With ``head``, the data is the beginning of a file, and no more than ``bytes_max`` of the content is asked for;
    otherwise more is refused, as is what ends too early.  Raises `HistoryError`.

    >>> import gzip
    >>> unpacked("f", gzip.compress(b"a") + gzip.compress(b"b")), unpacked("f", b"plain")
    (b'ab', b'plain')
    """
    if not data.startswith(_GZIP):
        return data
    pieces: list[bytes] = []
    size = 0
    while data:
        member = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        while not member.eof:
            try:
                piece = member.decompress(data, _CHUNK_BYTES)
            except zlib.error as error:
                raise HistoryError(name, 1, f"what gzip has packed is damaged: {error}") from None
            pieces.append(piece)
            size += len(piece)
            if size > bytes_max:
                if head:
                    return b"".join(pieces)[:bytes_max]
                raise HistoryError(name, 1, f"it unpacks to more than the limit of {bytes_max:,} bytes")
            if not piece and not member.eof:
                if head:
                    return b"".join(pieces)
                raise HistoryError(name, 1, "what gzip has packed ends too early: the file was cut off")
            data = member.unconsumed_tail
        data = member.unused_data.lstrip(b"\0")  # which gzip itself allows after it
    return b"".join(pieces)


def shown(found: object) -> str:
    """Something found, as an error shows it.

    >>> shown("x" * 99)
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…'"
    """
    if isinstance(found, bytes):
        found = found.decode(errors="replace")
    if isinstance(found, str):
        return repr(found if len(found) <= SHOWN_MAX else found[:SHOWN_MAX] + "…")
    text = repr(found)
    return text if len(text) <= SHOWN_MAX else text[:SHOWN_MAX] + "…"


def told(error: Exception) -> str:
    """What a decoder complains of, as the end of an error.

    >>> told(ValueError("Input data was truncated")), told(ValueError("JSON is malformed"))
    ('input data was truncated', 'JSON is malformed')
    """
    message = str(error)
    return message if message[:2].isupper() else message[:1].lower() + message[1:]
