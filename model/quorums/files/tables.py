"""TOML with places: the data of a file, and the line of every key, which the standard reader forgets.

Law: the standard reader decides what the file says; the places only say where, and the nearest
enclosing key stands in where a key is written in some rarer way.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from scrutator.model.quorums.expression import QuorumError
from scrutator.model.quorums.files.errors import FileError, line_of
from scrutator.model.quorums.parse import unknown

_HEADER = re.compile(r"\s*\[\[?([^\[\]]+)\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
_AT = re.compile(r"(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)


class Table:
    """A table of the file: its entries by name, all of which somebody must ask for."""

    def __init__(self, file: Document, keys: tuple[str, ...], data: Mapping[str, object]) -> None:
        self.file, self.keys, self.data = file, keys, data

    def only(self, what: str, known: tuple[str, ...]) -> None:
        """Raises `FileError` for a key that is not known here."""
        for key in self.data:
            if key not in known:
                raise self.error(unknown(what, key, dict.fromkeys(known)), key)

    def error(self, message: str, *keys: str) -> FileError:
        return FileError(self.file.path, self.file.line(*self.keys, *keys), message)

    def table(self, key: str) -> Table:
        value = self.data[key]
        if not isinstance(value, dict):
            raise self.error(f"{key} is {shown(value)}; it is a table, written [{'.'.join((*self.keys, key))}]", key)
        return Table(self.file, (*self.keys, key), value)

    def text(self, key: str) -> str:
        value = self.data[key]
        if not isinstance(value, str):
            raise self.error(f'{key} is {shown(value)}; it is a text: {key} = "..."', key)
        return value

    def number(self, key: str) -> float:
        value = self.data[key]
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.error(f"{key} is {shown(value)}; it is a number, without quotes", key)
        try:
            return float(value)
        except OverflowError:
            raise self.error(f"{key} is too large a number", key) from None

    def texts(self, key: str) -> list[str]:
        value = self.data[key]
        if not isinstance(value, list):
            raise self.error(f'{key} is {shown(value)}; it is a list of texts: {key} = ["...", "..."]', key)
        other = next((each for each in value if not isinstance(each, str)), None)
        if other is not None:
            raise self.error(f"{key} has {shown(other)} among its texts: put it in quotes, or take it out", key)
        return value


class Document(Table):
    """A TOML file; raises `FileError` with the line of the mistake where it is not TOML."""

    def __init__(self, path: Path, text: str) -> None:
        self.path, self.source = path, text
        try:
            data = tomllib.loads(text)
        except RecursionError:
            raise FileError(path, 1, "nested too deep to be a description of quorums") from None
        except ValueError as error:  # of which TOML's errors are, and those of numbers with thousands of digits
            raise _syntax_error(path, text, str(error)) from None
        super().__init__(self, (), data)
        self.lines: dict[tuple[str, ...], int] = {}
        here: tuple[str, ...] = ()
        for number, line in enumerate(text.split("\n"), 1):
            header, key = _HEADER.fullmatch(line), _KEY.match(line)
            if header:
                here = _parts(header[1])
                self.lines.setdefault(here, number)
            elif key:
                self.lines.setdefault((*here, *_parts(key[1])), number)

    def line(self, *keys: str) -> int:
        """The line of a key, or where it would be: that of the table around it, or of the whole."""
        for count in range(len(keys), 0, -1):
            start = self.lines.get(keys[:count])
            if start is not None:
                if count == len(keys):
                    return start
                rest = "\n".join(self.source.split("\n")[start - 1 :])
                return start - 1 + line_of(rest, *keys[count - 1 :])
        return 1


def shown(value: object) -> str:
    """A value as a message shows it."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value) if isinstance(value, (str, float)) else _plain(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _plain(value: object) -> str:
    try:
        return str(value)
    except ValueError:
        return "a very long number"


def checked(table: Table, error: QuorumError, *keys: str) -> FileError:
    """The same mistake, with its place."""
    return error if isinstance(error, FileError) else table.error(str(error), *keys)


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(text))


def _syntax_error(path: Path, text: str, message: str) -> FileError:
    match = _AT.fullmatch(message)
    if match is None:
        return FileError(path, 1, f"not TOML: {message}")
    line = int(match[2]) if match[2] else max(len(text.rstrip("\n").split("\n")), 1)
    said = match[1][:1].lower() + match[1][1:]
    if said.startswith(("cannot overwrite", "cannot declare", "duplicate")):
        key = _KEY.match(text.split("\n")[line - 1])
        what = key[1] if key else "this"
        return FileError(path, line, f"{what} was given before: keep one of the two (a node, key or table is declared once)")
    where = f" (column {match[3]})" if match[3] else " (the file ends too early)"
    return FileError(path, line, f"not TOML: {said}{where}")
