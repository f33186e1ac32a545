"""Writing our own format, which `lines` describes."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec

from scrutator.checker.linear.formats.lines import FORMAT
from scrutator.checker.linear.history import NEVER, NO_KEY, UNKNOWN, History, Value

ROWS_AT_A_TIME = 1 << 16


def write_lines(history: History, path: str | Path) -> None:
    """Write a history in our own format.

    Raises:
        TypeError: It holds a value that JSON does not give back; nothing is written.
        ValueError: Its metadata say what the header has for itself, or a text is not Unicode.
        OSError: The file cannot be written.
    """
    header = header_line(history.metadata, history.has_clock)
    values = [_json(value) for value in history.values]
    methods = [_json(name) for name in history.methods]
    keys = [b'"k":%b,' % value for value in values] + [b""]  # NO_KEY is the last
    assert NO_KEY == UNKNOWN == -1
    results = [*values, b"null"]
    columns = (
        history.process, history.method, history.key, history.argument, history.result, history.called, history.returned,
    )  # fmt: skip
    with open(path, "wb") as file:
        file.write(header)
        for begin in range(0, len(history), ROWS_AT_A_TIME):
            rows = zip(*(column[begin : begin + ROWS_AT_A_TIME].tolist() for column in columns), strict=True)
            file.writelines(
                b'{"p":%d,"f":%b,%b"in":%b,"out":%b,"call":%d,"ret":%b}\n'
                % (
                    p,
                    methods[f],
                    keys[k],
                    values[a],
                    results[r],
                    called,
                    b"null" if end == NEVER else b"%d" % end,
                )
                for p, f, k, a, r, called, end in rows
            )


def header_line(metadata: dict[str, Value], has_clock: bool) -> bytes:
    """The first line.  Raises TypeError and ValueError, as `write_lines` does."""
    taken = {"format", "clock"} & metadata.keys()
    if taken:
        raise ValueError(f"the metadata says {min(taken)!r}, which the header has for itself: rename it")
    more = b"".join(b",%b:%b" % (_json(name), _json(value)) for name, value in metadata.items())
    return b'{"format":%b,"clock":%b%b}\n' % (_json(FORMAT), b'"ns"' if has_clock else b"null", more)


def operation_line(
    process: int, method: str, key: tuple[Value, ...], argument: Value, result: Value, called: int, returned: int
) -> bytes:
    """The line of one operation, whose key is in a tuple or there is none.  Raises TypeError."""
    return b'{"p":%d,"f":%b,%b"in":%b,"out":%b,"call":%d,"ret":%b}\n' % (
        process, _json(method), b'"k":%b,' % _json(key[0]) if key else b"", _json(argument), _json(result), called,
        b"null" if returned == NEVER else b"%d" % returned,
    )  # fmt: skip


def _json(value: object) -> bytes:
    _check(value)
    return msgspec.json.encode(value)


def _check(value: object) -> None:
    """Raises TypeError for what would not be read as it was."""
    if type(value) is tuple:
        for item in value:
            _check(item)
    elif type(value) is float:
        if not math.isfinite(value):
            raise TypeError(f"JSON has no number {value}")
    elif value is not None and type(value) not in (bool, int, str):
        raise TypeError(f"JSON does not give back a {type(value).__name__}: {value!r}")
