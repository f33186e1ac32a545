"""The elements of a JSON array, or of lines of JSON, each with its line."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from scrutator.checker.linear.formats.source import Source, told

_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_RAW = msgspec.json.Decoder(msgspec.Raw)


def json_records(source: Source) -> Iterator[tuple[int, object]]:
    """Each element of the array, or each line.  Raises `HistoryError`."""
    data = source.data
    in_lines = not data.lstrip().startswith(b"[")
    try:
        raws = _RAW.decode_lines(data) if in_lines else _RAWS.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _not_json(source, error, 0) from None
    at, line = 0, 1
    for raw in raws:
        text = bytes(raw)
        begin = data.index(text, at)
        line += data.count(b"\n", at, begin)
        try:
            yield line, msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise _not_json(source, error, begin) from None
        at = begin + len(text)
        line += text.count(b"\n")


def _not_json(source: Source, error: Exception, begin: int) -> Exception:
    """msgspec says where an array breaks off as "(byte 17)"."""
    if isinstance(error, RecursionError):
        return source.expected(source.line_at(begin), "JSON", "values nested too deeply")
    message, _, place = told(error).partition(" (byte ")
    at = begin + int(place.rstrip(")")) if place else begin
    return source.expected(source.line_at(at), "JSON", message)
