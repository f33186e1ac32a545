"""JSON with lines: what a file says, and where it says it once that is wanted.

The standard reader does not remember places; they are looked up by walking the text again, once,
along the steps to the value in question.  Law: names that an object has twice are refused, as readers
differ about which of the two counts.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

from scrutator.model.quorums.files.errors import FileError, line_at

Step = str | int
_SPACE = re.compile(r"[ \t\n\r]*")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]', re.DOTALL)


class Document:
    """A JSON file; raises `FileError` with the line where it is none."""

    def __init__(self, path: Path, text: str) -> None:
        self.path, self.text = path, text
        try:
            self.data: object = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
        except _TwiceError as error:
            raise FileError(path, _line_of_repeated(text), f"{error.args[0]!r} is given twice: leave one out") from None
        except json.JSONDecodeError as error:
            raise FileError(path, error.lineno, f"not JSON: {error.msg} at column {error.colno}") from None
        except RecursionError:
            raise FileError(path, 1, "nested too deep to be a description of quorums") from None
        except ValueError as error:
            raise FileError(path, 1, f"not JSON: {error}") from None

    def error(self, steps: tuple[Step, ...], message: str) -> FileError:
        """An error about the value that the steps, keys and positions from the whole on, lead to."""
        return FileError(self.path, line_at(self.text, self._offset(steps)), message)

    def _offset(self, steps: tuple[Step, ...]) -> int:
        """Where the value begins; a key that is not there stands for the object it should be in."""
        at = _SPACE.match(self.text, 0).end()  # type: ignore[union-attr]
        for step in steps:
            found = self._inside(at, step)
            if found is None:
                break
            at = found
        return at

    def _inside(self, at: int, step: Step) -> int | None:
        """Where a member of the array or object that begins here begins."""
        decoder = json.JSONDecoder()
        is_object, position = self.text[at] == "{", 0
        at = self._skip(at + 1)
        while self.text[at] not in "]}":
            key: Step = position
            if is_object:
                key, at = decoder.raw_decode(self.text, at)
                at = self._skip(self._skip(at) + 1)  # the colon
            if key == step:
                return at
            _, at = decoder.raw_decode(self.text, at)
            at = self._skip(at)
            if self.text[at] == ",":
                at = self._skip(at + 1)
            position += 1
        return None

    def _skip(self, at: int) -> int:
        return _SPACE.match(self.text, at).end()  # type: ignore[union-attr]


class _TwiceError(ValueError):
    """An object has a name twice."""


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = Counter(name for name, _ in pairs)
        raise _TwiceError(next(name for name, count in names.items() if count > 1))
    return found


def _constant(name: str) -> object:
    raise ValueError(f"{name} is not a number in JSON")


def _line_of_repeated(text: str) -> int:
    """The line of the first name that is the second of its kind in an object."""
    seen: list[set[str]] = []
    last = ""
    for token in _TOKEN.finditer(text):
        word = token[0]
        if word in "{[":
            seen.append(set())
        elif word in "}]":
            seen.pop()
        elif word == ":":
            if last in seen[-1]:
                return line_at(text, token.start())
            seen[-1].add(last)
        last = word
    return 1


def shown(value: object) -> str:
    """A value as a message shows it."""
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
